//! [`Output`]: where the clip goes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use getclip::Clip;
use tempfile::NamedTempFile;

use crate::failure::Failure;
use crate::{interrupt, stdout};

/// Where the clip goes. It is opened before the input is read, so that a folder that cannot be written to is known then.
pub(crate) enum Output {
    /// `-`
    Stdout,
    /// A device or pipe: it is written to as it is.
    Special { path: PathBuf, file: File },
    /// A regular file, which appears whole or not at all: a temporary file beside it takes its name at the end.
    Regular { path: PathBuf, temporary: NamedTempFile, overwrite: bool },
}

impl Output {
    /// Opens OUT. A file that is there already is replaced only if `overwrite`.
    pub(crate) fn open(path: &Path, overwrite: bool) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        Self::open_path(path, overwrite).map_err(|error| failure(path, error))
    }

    fn open_path(path: &Path, overwrite: bool) -> io::Result<Self> {
        let path = match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(metadata) if !metadata.is_file() => {
                let file = File::options().write(true).open(path)?;
                return Ok(Self::Special { path: path.to_owned(), file });
            }
            Ok(_) if !overwrite => return Err(io::ErrorKind::AlreadyExists.into()),
            // What a link points at is replaced, not the link.
            Ok(_) => fs::canonicalize(path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
            Err(error) => return Err(error),
        };
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        // So that a folder that is missing is not told by the name of the temporary file.
        fs::metadata(folder)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".getclip-");
        // A temporary file is private by default. This one becomes OUT, with the permissions of any new file.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let temporary = interrupt::create(|| builder.tempfile_in(folder))?;
        Ok(Self::Regular { path, temporary, overwrite })
    }

    /// Writes the clip, whole.
    pub(crate) fn write(self, clip: &Clip) -> Result<(), Failure> {
        match self {
            Self::Stdout => stdout::write_with(|file| clip.write_to(file).map(drop)),
            Self::Special { path, file } => {
                clip.write_to(&file).map(drop).map_err(|error| failure(&path, error))
            }
            Self::Regular { path, temporary, overwrite } => {
                let in_place = |temporary: NamedTempFile| {
                    let persisted = match overwrite {
                        true => temporary.persist(&path),
                        // Another program may have made the file in the meantime.
                        false => temporary.persist_noclobber(&path),
                    };
                    persisted.map_err(io::Error::from)
                };
                clip.write_to(temporary.as_file())
                    .and_then(|_| in_place(temporary))
                    .map(drop)
                    .map_err(|error| failure(&path, error))
            }
        }
    }
}

fn failure(path: &Path, error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let advice = io::Error::other("the file exists already; --force overwrites it");
            Failure::io(path.display(), advice)
        }
        _ => Failure::io(path.display(), error),
    }
}
