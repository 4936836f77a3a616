//! Standard output as a file: no buffer in between, and a closed pipe is no error.

use std::fs::File;
use std::io::{self, Write};
#[cfg(unix)]
use std::os::fd::AsFd;
#[cfg(windows)]
use std::os::windows::io::AsHandle;

use crate::failure::Failure;

/// How standard output is called in a message.
pub(crate) const NAME: &str = "standard output";

/// Standard output without [`io::Stdout`]'s line buffer, which would copy the media and split vectored writes.
fn file() -> io::Result<File> {
    #[cfg(unix)]
    let handle = io::stdout().as_fd().try_clone_to_owned()?;
    #[cfg(windows)]
    let handle = io::stdout().as_handle().try_clone_to_owned()?;
    Ok(handle.into())
}

/// Has `write` write to standard output.
pub(crate) fn write_with(write: impl FnOnce(&File) -> io::Result<()>) -> Result<(), Failure> {
    file().and_then(|file| write(&file)).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::StdoutClosed,
        _ => Failure::io(NAME, error),
    })
}

/// Writes a text, whole.
pub(crate) fn write(text: &str) -> Result<(), Failure> {
    write_with(|mut file| file.write_all(text.as_bytes()))
}
