//! [`FragmentStream`]: the fragments of one input, from a mapped file or from a pipe.

mod pipe;

use std::fs::File;
use std::io;

use bytes::Bytes;
use getclip::{ClipFragmentSelector, Fragment, FragmentReader};
use memmap2::Mmap;

use crate::failure::Failure;
use crate::input::Input;
use crate::stdin;
use pipe::Pipe;

/// What is wanted of the fragments.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted {
    Media,
    /// The media of those that the selector takes.
    MediaInRange(ClipFragmentSelector),
    /// No media.
    Index,
}

impl Wanted {
    fn reader(self) -> FragmentReader {
        match self {
            Self::Media => FragmentReader::new(),
            Self::MediaInRange(selector) => FragmentReader::for_selector(selector),
            Self::Index => FragmentReader::indexing(),
        }
    }
}

/// The fragments of one input. A failure is the last item, and names the input.
pub(crate) struct FragmentStream<'a> {
    input: &'a Input,
    reader: FragmentReader,
    /// What is still to be read; `None` when the reader has everything.
    pipe: Option<Pipe>,
    is_live: bool,
}

impl<'a> FragmentStream<'a> {
    pub(crate) fn open(input: &'a Input, wanted: Wanted) -> Result<Self, Failure> {
        Self::open_file(input, wanted).map_err(|error| Failure::io(input, error))
    }

    fn open_file(input: &'a Input, wanted: Wanted) -> io::Result<Self> {
        let from_pipe =
            |file, is_live| Self { input, reader: wanted.reader(), pipe: Some(Pipe::new(file)), is_live };
        Ok(match input {
            Input::Stdin => {
                let file = stdin::file()?;
                let is_live = !file.metadata()?.is_file();
                from_pipe(file, is_live)
            }
            Input::Path { path, len: None } => from_pipe(File::open(path)?, true),
            Input::Path { path, .. } => {
                let mut reader = wanted.reader();
                reader.push(map(&File::open(path)?)?);
                reader.finish();
                Self { input, reader, pipe: None, is_live: false }
            }
        })
    }

    /// How far the input has been read, in bytes.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.reader.bytes_consumed()
    }

    /// Whether the input arrives over time and may have no end: a pipe or a device.
    pub(crate) fn is_live(&self) -> bool {
        self.is_live
    }

    /// Hands the reader the next chunk of the pipe. Returns whether there was anything left to hand over.
    fn fill(&mut self) -> io::Result<bool> {
        let Some(pipe) = &mut self.pipe else { return Ok(false) };
        let chunk = pipe.read()?;
        if chunk.is_empty() {
            self.pipe = None;
            self.reader.finish();
        } else {
            self.reader.push(chunk);
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
    // SAFETY: the map is read only, and this program never writes to the file: OUT is a new file, and never one of the
    // inputs. Nothing can keep other programs from writing to it. What they change shows up in the clip, as it would
    // have, had they been a moment faster; cutting the file short ends this program (SIGBUS).
    let map = unsafe { Mmap::map(file)? };
    Ok(Bytes::from_owner(map))
}
