//! [`Pipe`]: input that arrives over time.

use std::fs::File;
use std::io::{self, Read};

use bytes::Bytes;

/// How much is handed on at a time, at most. A fragment is copied only where it straddles two chunks.
const CHUNK: usize = 1 << 20;

/// Standard input, or a pipe or device that has a path.
#[derive(Debug)]
pub(super) struct Pipe(File);

impl Pipe {
    pub(super) fn new(file: File) -> Self {
        Self(file)
    }

    /// The next bytes, none at the end: a whole chunk where the writer is quick, else what it has written. A fragment
    /// is not kept waiting for those after it.
    pub(super) fn read(&mut self) -> io::Result<Bytes> {
        let mut chunk = vec![0; CHUNK];
        let mut filled = 0;
        while let Some(free @ [_, ..]) = chunk.get_mut(filled..) {
            match self.0.read(free) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            if !has_more(&self.0) {
                break;
            }
        }
        chunk.truncate(filled);
        // A short chunk would keep the memory of a whole one as long as a fragment refers to it.
        Ok(if filled < CHUNK / 2 { Bytes::copy_from_slice(&chunk) } else { chunk.into() })
    }
}

/// Whether the writer goes on within an instant, or has closed the pipe.
#[cfg(unix)]
fn has_more(file: &File) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    const INSTANT: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
    poll(&mut [PollFd::new(file, PollFlags::IN)], Some(&INSTANT)).is_ok_and(|ready| ready > 0)
}

#[cfg(not(unix))]
fn has_more(_: &File) -> bool {
    false
}
