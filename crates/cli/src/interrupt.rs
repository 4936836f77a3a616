//! An interrupted run leaves nothing behind.
//!
//! A temporary file removes itself when it is dropped, but a signal ends the process without dropping anything.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fs, io, process};

use tempfile::NamedTempFile;

/// 128 and SIGINT's number, as shells report a program that a signal ended.
const EXIT_CODE: i32 = 130;

static TEMPORARY: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Creates a temporary file that is also removed when the program is interrupted, terminated, or loses its terminal.
pub(crate) fn create(new: impl FnOnce() -> io::Result<NamedTempFile>) -> io::Result<NamedTempFile> {
    // Without the handler the signals do what they did before.
    let _ = ctrlc::set_handler(|| {
        if let Some(path) = temporary().take() {
            let _ = fs::remove_file(path);
        }
        process::exit(EXIT_CODE);
    });
    // A signal that arrives while the file is created waits until its name is known.
    let mut path = temporary();
    let file = new()?;
    *path = Some(file.path().to_owned());
    Ok(file)
}

fn temporary() -> MutexGuard<'static, Option<PathBuf>> {
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner)
}
