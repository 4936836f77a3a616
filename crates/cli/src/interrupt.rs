//! An interrupted run leaves nothing behind.
//!
//! A temporary file removes itself when it is dropped, but a signal ends the process without dropping anything.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::{fs, io, process};

use tempfile::NamedTempFile;

/// 128 and SIGINT's number, as shells report a program that a signal ended.
const EXIT_CODE: i32 = 130;

static TEMPORARY: Mutex<Option<PathBuf>> = Mutex::new(None);

static HANDLER: Once = Once::new();

/// Creates a temporary file that is also removed when the program is interrupted, terminated, or loses its terminal.
pub(crate) fn create(new: impl FnOnce() -> io::Result<NamedTempFile>) -> io::Result<NamedTempFile> {
    HANDLER.call_once(install_handler);
    // A signal that arrives while the file is created waits until its name is known.
    let mut path = temporary();
    let file = new()?;
    *path = Some(file.path().to_owned());
    Ok(file)
}

/// Without the handler the signals do what they did before.
fn install_handler() {
    let ignored = ignored_signals::take();
    let _ = ctrlc::set_handler(|| {
        if let Some(path) = temporary().take() {
            let _ = fs::remove_file(path);
        }
        process::exit(EXIT_CODE);
    });
    ignored_signals::restore(&ignored);
}

fn temporary() -> MutexGuard<'static, Option<PathBuf>> {
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A signal that the parent ignores stays ignored: `nohup` protects from the end of a session, and a shell script
/// protects its background jobs from the interrupt key.
#[cfg(unix)]
mod ignored_signals {
    use libc::{SIG_IGN, SIGHUP, SIGINT, SIGTERM, c_int};

    /// Has all signals that end the program ignored, and returns those that were ignored before.
    pub(super) fn take() -> Vec<c_int> {
        [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|&signal| ignore(signal)).collect()
    }

    pub(super) fn restore(signals: &[c_int]) {
        for &signal in signals {
            ignore(signal);
        }
    }

    /// Ignores a signal, and returns whether it was ignored before.
    fn ignore(signal: c_int) -> bool {
        #[expect(unsafe_code)]
        // SAFETY: signal(2) with SIG_IGN installs no handler, so that nothing runs in a signal's context, and touches
        // no memory of this process.
        let before = unsafe { libc::signal(signal, SIG_IGN) };
        before == SIG_IGN
    }
}

#[cfg(not(unix))]
mod ignored_signals {
    pub(super) fn take() -> [i32; 0] {
        []
    }

    pub(super) fn restore(_: &[i32]) {}
}
