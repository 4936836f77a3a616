//! [`FragmentStream`]: the fragments of one input, from a mapped file or from a pipe.

use std::fs::File;
use std::io::{self, Read};

use bytes::Bytes;
use getclip::{Fragment, FragmentReader};
use memmap2::Mmap;

use crate::failure::Failure;
use crate::input::Input;

/// How much is read at a time from what cannot be mapped. A fragment is copied only where it straddles two chunks.
const CHUNK: u64 = 1 << 20;

/// The fragments of one input. A failure is the last item, and names the input.
pub(crate) struct FragmentStream<'a> {
    input: &'a Input,
    reader: FragmentReader,
    /// What is still to be read; `None` when the reader has everything.
    pipe: Option<Box<dyn Read>>,
}

impl<'a> FragmentStream<'a> {
    pub(crate) fn open(input: &'a Input) -> Result<Self, Failure> {
        let io = |error| Failure::io(input, error);
        Ok(match input {
            Input::Stdin => Self { input, reader: FragmentReader::new(), pipe: Some(Box::new(io::stdin())) },
            Input::Path { path, len } => {
                let file = File::open(path).map_err(io)?;
                match len {
                    Some(_) => {
                        let mut reader = FragmentReader::new();
                        reader.push(map(&file).map_err(io)?);
                        reader.finish();
                        Self { input, reader, pipe: None }
                    }
                    None => Self { input, reader: FragmentReader::new(), pipe: Some(Box::new(file)) },
                }
            }
        })
    }

    /// How far the input has been read, in bytes.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.reader.bytes_consumed()
    }

    /// Hands the reader the next chunk of the pipe. Answers whether there was anything left to hand over.
    fn fill(&mut self) -> io::Result<bool> {
        let Some(pipe) = &mut self.pipe else { return Ok(false) };
        let mut chunk = Vec::with_capacity(CHUNK as usize);
        pipe.take(CHUNK).read_to_end(&mut chunk)?;
        if chunk.is_empty() {
            self.pipe = None;
            self.reader.finish();
        } else {
            self.reader.push(chunk.into());
        }
        Ok(true)
    }
}

impl Iterator for FragmentStream<'_> {
    type Item = Result<Fragment, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.reader.next_fragment() {
                return Some(item.map_err(|error| Failure::media(self.input, error)));
            }
            match self.fill() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.pipe = None;
                    return Some(Err(Failure::io(self.input, error)));
                }
            }
        }
    }
}

/// A regular file as bytes that are read from disk when they are looked at. They stay mapped as long as a fragment or a
/// clip refers to them.
///
/// No advice goes with the map. The file is walked once and then copied, which the kernel's own read-ahead serves best:
/// `MADV_SEQUENTIAL` makes a file that is not in memory take a quarter longer, and filling the map beforehand would read
/// all of a recording to refuse its first fragment.
fn map(file: &File) -> io::Result<Bytes> {
    #[expect(unsafe_code)]
    // SAFETY: the map is read only, and this program never writes to the file: OUT is a new file that takes the place
    // of the old one at the end. Nothing can keep other programs from writing to it. What they change shows up in the
    // clip, as it would have, had they been a moment faster; cutting the file short ends this program (SIGBUS).
    let map = unsafe { Mmap::map(file)? };
    Ok(Bytes::from_owner(map))
}
