//! Standard input as a file.

use std::fs::File;
use std::io;
#[cfg(unix)]
use std::os::fd::AsFd;
#[cfg(windows)]
use std::os::windows::io::AsHandle;

/// Standard input without [`io::Stdin`]'s buffer, in which what was read ahead would be out of sight of poll(2).
pub(crate) fn file() -> io::Result<File> {
    #[cfg(unix)]
    let handle = io::stdin().as_fd().try_clone_to_owned()?;
    #[cfg(windows)]
    let handle = io::stdin().as_handle().try_clone_to_owned()?;
    Ok(handle.into())
}
