//! [`Failure`]: why the program ends without having done its work, in one line and one exit code.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use getclip_archive::Error;

use super::text::printable;

/// Why the program ends early.
#[derive(Debug)]
pub(super) enum Failure {
    /// The command line, the configuration or the environment asks for something that cannot be.
    Usage(String),
    /// A file or the network failed.
    Io { what: String, error: io::Error },
    /// The archive could not do it.
    Archive(Error),
    /// There is nothing to list.
    Nothing(String),
    /// A check found something that is not repaired.
    Unrepaired(u64),
    /// A signal asked the program to stop.
    Interrupted,
    /// Whoever reads standard output closed it. That is their decision, not an error.
    StdoutClosed,
}

impl Failure {
    pub(super) fn usage(message: impl fmt::Display) -> Self {
        Self::Usage(message.to_string())
    }

    pub(super) fn io(what: impl fmt::Display, error: io::Error) -> Self {
        Self::Io { what: what.to_string(), error }
    }

    /// What the program exits with; `main.rs` has the table.
    fn exit_code(&self) -> u8 {
        match self {
            Self::StdoutClosed => 0,
            Self::Io { .. } => 1,
            Self::Usage(_) => 2,
            Self::Nothing(_) => 3,
            Self::Unrepaired(_) => 4,
            Self::Interrupted => 130,
            Self::Archive(error) => match error {
                Error::InvalidName { .. }
                | Error::InvalidRetention { .. }
                | Error::InvalidLocation { .. }
                | Error::NoDataRetention { .. }
                | Error::PastRetention { .. } => 2,
                Error::StreamNotFound { .. } => 3,
                Error::Recording { .. }
                | Error::Clip { .. }
                | Error::Untagged { .. }
                | Error::EmptyFragment { .. }
                | Error::NumberTooLong { .. }
                | Error::OutOfRange { .. } => 4,
                _ => 1,
            },
        }
    }

    /// Prints the line, and says what to exit with.
    pub(super) fn report(&self) -> ExitCode {
        if !matches!(self, Self::StdoutClosed) {
            // Nobody is left to be told when standard error cannot be written.
            let _ = writeln!(io::stderr(), "getclip-server: {}", printable(&self.to_string()));
        }
        ExitCode::from(self.exit_code())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Archive(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Nothing(message) => f.write_str(message),
            Self::Io { what, error } => write!(f, "{what}: {error}"),
            Self::Archive(Error::Recording { recording, source }) => {
                write!(f, "{recording}: {source} [{}]", source.exception().name())
            }
            Self::Archive(error) => error.fmt(f),
            Self::Unrepaired(1) => f.write_str("1 finding is not repaired"),
            Self::Unrepaired(count) => write!(f, "{count} findings are not repaired"),
            Self::Interrupted => f.write_str("interrupted: what was reported as stored is stored"),
            Self::StdoutClosed => f.write_str("standard output: closed by its reader"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_lines() {
        let stream = || "door".parse().unwrap();
        let refused = getclip::ErrorKind::MissingCodecPrivateData.into();
        for (failure, code, line) in [
            (Failure::usage("x"), 2, "x"),
            (Failure::io("a", io::ErrorKind::NotFound.into()), 1, "a: entity not found"),
            (Error::StreamNotFound { stream: stream() }.into(), 3, "stream door does not exist"),
            (Failure::Nothing("no streams".into()), 3, "no streams"),
            (
                Error::Recording { recording: "a.mkv".into(), source: refused }.into(),
                4,
                "a.mkv: missing codec private data [MissingCodecPrivateDataException]",
            ),
            (Failure::Unrepaired(1), 4, "1 finding is not repaired"),
            (Failure::Interrupted, 130, "interrupted: what was reported as stored is stored"),
            (Error::Stopped.into(), 1, "stopped"),
        ] {
            assert_eq!((failure.exit_code(), failure.to_string().as_str()), (code, line));
        }
    }
}
