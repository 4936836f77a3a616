//! [`Preallocation`]: storage for the clip, allocated while the input is still being read.
//!
//! On a file system in memory, half the time of writing a file goes into the allocation of its pages. Another core can do
//! that before it is known what will be written: `benches/README.md` has the measurements.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

/// How much is allocated before the thread looks whether it is to stop: about a millisecond of work.
const STEP: u64 = 4 << 20;

/// No more than this is allocated for a clip that may turn out small, or may not be made at all.
const MAX_LEN: u64 = 128 << 20;

/// A file that is getting longer in the background. Dropping it ends that.
pub(crate) struct Preallocation {
    file: File,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Preallocation {
    /// Begins to allocate an empty file that will probably have `len` bytes. `None` where that cannot help: on one core, or on a
    /// system without the call for it.
    pub(crate) fn start(file: &File, len: u64) -> Option<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        if !cfg!(target_os = "linux") || cores < 2 {
            return None;
        }
        let len = len.min(MAX_LEN);
        let stop = Arc::new(AtomicBool::new(false));
        let (file, its_file, its_stop) = (file.try_clone().ok()?, file.try_clone().ok()?, stop.clone());
        let thread = thread::Builder::new().spawn(move || allocate(&its_file, len, &its_stop)).ok()?;
        Some(Self { file, stop, thread: Some(thread) })
    }

    /// Ends the allocation, and makes the file `len` bytes long.
    ///
    /// # Errors
    /// Those of the file system.
    pub(crate) fn finish(mut self, len: u64) -> io::Result<()> {
        self.join();
        self.file.set_len(len)
    }

    fn join(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell: what could not be allocated is allocated when it is written.
            let _ = thread.join();
        }
    }
}

impl Drop for Preallocation {
    fn drop(&mut self) {
        self.join();
    }
}

/// Allocates the first `len` bytes of a file, step by step, until that fails or `stop` is set.
#[cfg(target_os = "linux")]
fn allocate(file: &File, len: u64, stop: &AtomicBool) {
    use rustix::fs::{FallocateFlags, fallocate};

    let mut offset = 0;
    while offset < len && !stop.load(Ordering::Relaxed) {
        let step = STEP.min(len - offset);
        if fallocate(file, FallocateFlags::empty(), offset, step).is_err() {
            return;
        }
        offset += step;
    }
}

#[cfg(not(target_os = "linux"))]
fn allocate(_: &File, _: u64, _: &AtomicBool) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::{Read, Seek, Write};
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn all_is_allocated_unless_it_is_stopped() {
        const LEN: u64 = STEP + 4096;
        let allocated = |stop| {
            let file = tempfile::tempfile().unwrap();
            allocate(&file, LEN, &AtomicBool::new(stop));
            let metadata = file.metadata().unwrap();
            (metadata.len(), metadata.blocks() * 512 >= LEN)
        };
        assert_eq!(allocated(false), (LEN, true));
        assert_eq!(allocated(true), (0, false));
    }

    /// Whatever was allocated by then, more or less than it takes.
    #[test]
    fn what_is_written_is_what_is_in_the_file() {
        for len in [0, 5, STEP * 3] {
            let mut file = tempfile::tempfile().unwrap();
            let preallocation = Preallocation::start(&file, len);
            if let Some(preallocation) = preallocation {
                preallocation.finish(9).unwrap();
            }
            file.write_all(b"nine byte").unwrap();
            file.rewind().unwrap();
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            assert_eq!(content, b"nine byte", "{len}");
        }
    }
}
