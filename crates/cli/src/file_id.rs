//! [`FileId`]: what all paths to one file have in common.

use std::fs;
use std::io;
use std::path::Path;

/// The identity of a regular file, whatever path or link leads to it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FileId(Id);

/// Device and inode.
#[cfg(unix)]
type Id = (u64, u64);

/// The path without links.
#[cfg(not(unix))]
type Id = std::path::PathBuf;

impl FileId {
    /// The file at a path; `None` where there is none, or nothing regular.
    pub(crate) fn of_path(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => Self::of_regular(path, &metadata).map(Some),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    #[cfg(unix)]
    fn of_regular(_: &Path, metadata: &fs::Metadata) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt;
        Ok(Self((metadata.dev(), metadata.ino())))
    }

    #[cfg(not(unix))]
    fn of_regular(path: &Path, _: &fs::Metadata) -> io::Result<Self> {
        fs::canonicalize(path).map(Self)
    }

    /// The file that a stream was redirected to or from; `None` for pipes and terminals, and on systems without inodes.
    #[cfg(unix)]
    pub(crate) fn of_stream(stream: impl std::os::fd::AsFd) -> io::Result<Option<Self>> {
        use std::os::unix::fs::MetadataExt;
        let metadata = fs::File::from(stream.as_fd().try_clone_to_owned()?).metadata()?;
        Ok(metadata.is_file().then(|| Self((metadata.dev(), metadata.ino()))))
    }

    #[cfg(not(unix))]
    pub(crate) fn of_stream<S>(_: S) -> io::Result<Option<Self>> {
        Ok(None)
    }
}
