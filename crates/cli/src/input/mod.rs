//! What is read: the files that the INPUT arguments stand for.

mod folder;
mod natural_order;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Something to read fragments from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// `-`
    Stdin,
    /// A file, or a pipe or device that has a path.
    Path {
        path: PathBuf,
        /// Size in bytes, where it is a regular file.
        len: Option<u64>,
    },
}

impl Input {
    /// Size in bytes, where it is known before reading.
    pub(crate) fn len(&self) -> Option<u64> {
        match self {
            Self::Stdin => None,
            Self::Path { len, .. } => *len,
        }
    }
}

/// As a message calls it.
impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            Self::Path { path, .. } => path.display().fmt(f),
        }
    }
}

/// A file that the arguments stand for and that is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub(crate) path: PathBuf,
    pub(crate) reason: String,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}

/// The INPUT arguments, and the files that they stand for.
#[derive(Debug)]
pub(crate) struct Inputs {
    arguments: Vec<PathBuf>,
    /// In the order in which they are read.
    pub(crate) files: Vec<Input>,
    pub(crate) left_out: Vec<LeftOut>,
}

impl Inputs {
    /// Lists the files. A folder stands for its files, and with `recursive` for those of its folders.
    ///
    /// Only the files that were named have to be recordings: what is something else in a folder is left out.
    pub(crate) fn list(arguments: &[PathBuf], recursive: bool) -> Result<Self, Failure> {
        let mut inputs = Self { arguments: arguments.to_vec(), files: Vec::new(), left_out: Vec::new() };
        for argument in arguments {
            inputs.add(argument, recursive)?;
        }
        Ok(inputs)
    }

    fn add(&mut self, argument: &Path, recursive: bool) -> Result<(), Failure> {
        if argument.as_os_str() == "-" {
            if self.files.contains(&Input::Stdin) {
                return Err(Failure::usage("standard input (-) is named twice"));
            }
            self.files.push(Input::Stdin);
            return Ok(());
        }
        let metadata = fs::metadata(argument).map_err(|error| {
            Failure::io(argument.display(), dangling(argument).map_or(error, io::Error::other))
        })?;
        if metadata.is_dir() {
            return folder::list(argument, recursive, self);
        }
        let len = metadata.is_file().then_some(metadata.len());
        match len {
            Some(0) => self.leave_out(argument, "the file is empty"),
            _ => self.files.push(Input::Path { path: argument.to_owned(), len }),
        }
        Ok(())
    }

    fn leave_out(&mut self, path: &Path, reason: impl Into<String>) {
        self.left_out.push(LeftOut { path: path.to_owned(), reason: reason.into() });
    }

    /// Size of all files in bytes, where it is known before reading.
    pub(crate) fn len(&self) -> Option<u64> {
        self.files.iter().map(Input::len).sum()
    }

    /// The only file, or else the arguments as a message calls them together.
    pub(crate) fn describe_files(&self) -> String {
        match self.files.as_slice() {
            [only] => only.to_string(),
            _ => self.describe(),
        }
    }

    /// The arguments as a message calls them together.
    pub(crate) fn describe(&self) -> String {
        match self.arguments.as_slice() {
            [only] if only.as_os_str() == "-" => Input::Stdin.to_string(),
            [only] => only.display().to_string(),
            several => format!("{} inputs", several.len()),
        }
    }
}

/// Why a path that cannot be followed is there all the same: a link without its target.
fn dangling(path: &Path) -> Option<String> {
    let target = fs::read_link(path).ok()?;
    Some(format!("the link leads to {}, which does not exist", target.display()))
}
