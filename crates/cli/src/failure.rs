//! [`Failure`]: why the program ends without having done its work, in one line and one exit code.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use getclip::ErrorKind;

use crate::text::printable;

/// Why the program ends early. Every failure names the file it is about.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line asks for something that cannot be.
    Usage { message: String },
    /// A file could not be read or written.
    Io { file: String, error: io::Error },
    /// The library found no clip in the input.
    Media { file: String, error: getclip::Error },
    /// Whoever reads standard output closed it. That is their decision, not an error.
    StdoutClosed,
}

impl Failure {
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::Usage { message: message.to_string() }
    }

    pub(crate) fn io(file: impl fmt::Display, error: io::Error) -> Self {
        Self::Io { file: file.to_string(), error }
    }

    pub(crate) fn media(file: impl fmt::Display, error: getclip::Error) -> Self {
        Self::Media { file: file.to_string(), error }
    }

    /// What the program exits with; `main.rs` has the table.
    fn exit_code(&self) -> u8 {
        match self {
            Self::StdoutClosed => 0,
            Self::Io { .. } => 1,
            Self::Usage { .. } => 2,
            Self::Media { error, .. } if matches!(error.kind(), ErrorKind::NoFragments { .. }) => 3,
            Self::Media { .. } => 4,
        }
    }

    /// Prints the line, and says what to exit with.
    pub(crate) fn report(&self) -> ExitCode {
        if !matches!(self, Self::StdoutClosed) {
            // Nobody is left to be told when standard error cannot be written.
            let _ = writeln!(io::stderr(), "getclip: {}", printable(&self.to_string()));
        }
        ExitCode::from(self.exit_code())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage { message } => f.write_str(message),
            Self::Io { file, error } => write!(f, "{file}: {error}"),
            Self::Media { file, error } => write!(f, "{file}: {error} [{}]", error.exception().name()),
            Self::StdoutClosed => f.write_str("standard output: closed by its reader"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_lines() {
        let none = Failure::media("a.mkv", ErrorKind::NoFragments { offered: 0 }.into());
        assert_eq!(none.exit_code(), 3);
        let refused = Failure::media("a.mkv", ErrorKind::MissingCodecPrivateData.into());
        assert_eq!(refused.exit_code(), 4);
        assert_eq!(
            refused.to_string(),
            "a.mkv: missing codec private data [MissingCodecPrivateDataException]"
        );
        assert_eq!(Failure::io("a", io::ErrorKind::NotFound.into()).exit_code(), 1);
        assert_eq!(Failure::usage("x").exit_code(), 2);
        assert_eq!(Failure::StdoutClosed.exit_code(), 0);
    }
}
