//! [`Output`]: where the clip, or a test recording, goes.

use std::fmt;
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::failure::Failure;
use crate::file_id::FileId;
use crate::input::Input;
use crate::{interrupt, stdout};

/// Where the output goes. It is opened before any input is read, so that a folder that cannot be written to is known
/// then.
pub(crate) enum Output {
    /// `-`
    Stdout,
    /// A device or pipe: it is written to as it is.
    Special { path: PathBuf, file: File },
    /// A regular file, which appears whole or not at all: a temporary file beside it takes its name at the end.
    Regular {
        path: PathBuf,
        temporary: NamedTempFile,
        /// Of the file that is replaced.
        replaced: Option<Permissions>,
        overwrite: bool,
    },
}

/// Whether OUT stands for standard output.
pub(crate) fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

impl Output {
    /// Opens OUT. A file that is there already is replaced only if `overwrite`, and never if it is one of `inputs`.
    pub(crate) fn open(path: &Path, overwrite: bool, inputs: &[Input]) -> Result<Self, Failure> {
        if is_stdout(path) {
            if io::stdout().is_terminal() {
                return Err(Failure::usage(
                    "standard output is a terminal: expected a pipe or a file (-o clip.mp4)",
                ));
            }
            let file = FileId::of_stream(io::stdout()).map_err(|error| Failure::io(stdout::NAME, error))?;
            refuse_input(stdout::NAME, file, inputs)?;
            return Ok(Self::Stdout);
        }
        let failed = |error| failure(path, error);
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Err(failed(io::ErrorKind::IsADirectory.into())),
            Ok(metadata) if !metadata.is_file() => {
                let file = File::options().write(true).open(path).map_err(failed)?;
                Ok(Self::Special { path: path.to_owned(), file })
            }
            Ok(metadata) => {
                refuse_input(path.display(), FileId::of_path(path).map_err(failed)?, inputs)?;
                if !overwrite {
                    return Err(failed(io::ErrorKind::AlreadyExists.into()));
                }
                Self::replace(path, &metadata).map_err(failed)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Self::create(path, overwrite).map_err(failed)
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// What a link points at is replaced, not the link, and keeps its permissions.
    fn replace(path: &Path, metadata: &Metadata) -> io::Result<Self> {
        let path = fs::canonicalize(path)?;
        let temporary = create_beside(&path)?;
        Ok(Self::Regular { path, temporary, replaced: Some(metadata.permissions()), overwrite: true })
    }

    fn create(path: &Path, overwrite: bool) -> io::Result<Self> {
        let temporary = create_beside(path)?;
        Ok(Self::Regular { path: path.to_owned(), temporary, replaced: None, overwrite })
    }

    /// The file that is written, if it is a regular one. It is empty so far.
    pub(crate) fn regular_file(&self) -> Option<&File> {
        match self {
            Self::Regular { temporary, .. } => Some(temporary.as_file()),
            Self::Stdout | Self::Special { .. } => None,
        }
    }

    /// Has `write` write the whole content.
    pub(crate) fn write_with(self, write: impl FnOnce(&File) -> io::Result<()>) -> Result<(), Failure> {
        match self {
            Self::Stdout => stdout::write_with(write),
            Self::Special { path, file } => write(&file).map_err(|error| failure(&path, error)),
            Self::Regular { path, temporary, replaced, overwrite } => write(temporary.as_file())
                .and_then(|()| replaced.map_or(Ok(()), |modes| temporary.as_file().set_permissions(modes)))
                .and_then(|()| put_in_place(temporary, &path, overwrite))
                .map_err(|error| failure(&path, error)),
        }
    }
}

/// Creates the temporary file that becomes `path`.
fn create_beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    // A temporary file is private by default. This one becomes OUT, with the permissions of any new file.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o666);
    // tempfile's errors show the path of the temporary file, which nobody asked for.
    let mut cause = None;
    let created = interrupt::create(|| {
        tempfile::Builder::new()
            .prefix(".getclip-")
            .make_in(folder, |path| options.open(path).inspect_err(|error| cause = error.raw_os_error()))
    });
    created.map_err(|error| cause.map_or(error, io::Error::from_raw_os_error))
}

fn put_in_place(temporary: NamedTempFile, path: &Path, overwrite: bool) -> io::Result<()> {
    let persisted = match overwrite {
        true => temporary.persist(path),
        // Another program may have made the file in the meantime.
        false => temporary.persist_noclobber(path),
    };
    persisted.map(drop).map_err(|failed| failed.error)
}

/// Refuses an output that is also read, by whatever path: the clip would take the place of its recording.
fn refuse_input(name: impl fmt::Display, output: Option<FileId>, inputs: &[Input]) -> Result<(), Failure> {
    let Some(output) = output else { return Ok(()) };
    for input in inputs {
        let file = match input {
            Input::Stdin => FileId::of_stream(io::stdin()),
            Input::Path { path, .. } => FileId::of_path(path),
        };
        if file.map_err(|error| Failure::io(input, error))?.as_ref() == Some(&output) {
            let text = format!("is the input {input}, which is never overwritten; expected another name");
            return Err(Failure::io(name, io::Error::other(text)));
        }
    }
    Ok(())
}

fn failure(path: &Path, error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Failure::io(path.display(), io::Error::other("the file exists already; --force overwrites it"))
        }
        _ => Failure::io(path.display(), error),
    }
}
