//! Writes the recordings of the benches to files: `cargo bench --bench generate -- avcc 200 FILE`.
//!
//! With `sparse` in front, the payload of pictures and sound is zeros, and whole pages of them are left out of the
//! file as holes. Only what is length-prefixed can be that.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};

mod input;

use input::{Camera, Recording};

const USAGE: &str = "usage: generate [sparse] avcc|annexb|h265|bframes|g711 FRAGMENTS FILE";

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let sparse = arguments.first() == Some(&"sparse");
    if sparse {
        arguments.remove(0);
    }
    // Without arguments it is `cargo bench` that runs everything there is.
    let [name, fragments, path] = arguments[..] else {
        println!("{USAGE}");
        return Ok(());
    };
    let recording = Recording::of_name(name).ok_or(USAGE)?;
    let camera = if sparse { Camera::silent(recording) } else { Camera::new(recording) };
    let mut file = SparseFile::new(File::create(path)?);
    for index in 0..fragments.parse()? {
        file.write(&camera.document(index))?;
    }
    file.finish()?;
    Ok(())
}

/// Leaves pages of zeros out.
struct SparseFile {
    out: BufWriter<File>,
    pending: Vec<u8>,
    len: u64,
}

impl SparseFile {
    const PAGE: usize = 4096;

    fn new(file: File) -> Self {
        Self { out: BufWriter::with_capacity(1 << 20, file), pending: Vec::new(), len: 0 }
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.len += bytes.len() as u64;
        self.pending.extend_from_slice(bytes);
        let whole = self.pending.len() / Self::PAGE * Self::PAGE;
        let rest = self.pending.split_off(whole);
        let is_hole = |page: &[u8]| page.iter().all(|&byte| byte == 0);
        let pages: Vec<&[u8]> = self.pending.chunks(Self::PAGE).collect();
        for run in pages.chunk_by(|a, b| is_hole(a) == is_hole(b)) {
            if run.first().is_some_and(|page| is_hole(page)) {
                self.out.seek(SeekFrom::Current((run.len() * Self::PAGE) as i64))?;
            } else {
                run.iter().try_for_each(|page| self.out.write_all(page))?;
            }
        }
        self.pending = rest;
        Ok(())
    }

    fn finish(mut self) -> std::io::Result<()> {
        self.out.write_all(&self.pending)?;
        self.out.into_inner().map_err(|error| error.into_error())?.set_len(self.len)
    }
}
