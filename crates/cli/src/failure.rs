//! [`Failure`]: why the program ends without having done its work, in one line and one exit code.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use getclip::ErrorKind;

use crate::input::Inputs;
use crate::recording::{Coverage, Span};
use crate::text::{count, printable};
use crate::time::TimeRange;

/// Why the program ends early. Every failure names the file it is about.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line asks for something that cannot be.
    Usage { message: String },
    /// A file could not be read or written.
    Io { file: String, error: io::Error },
    /// The library found no clip in the input.
    Media {
        file: String,
        error: getclip::Error,
        /// What the program knows about it and the library does not.
        detail: String,
    },
    /// As another failure, which was reported already.
    Reported { exit_code: u8 },
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
        Self::Media { file: file.to_string(), error, detail: String::new() }
    }

    /// Nothing of the input is in the range: names the range, what the input covers, and what was left out.
    pub(crate) fn no_fragments(
        inputs: &Inputs,
        range: &TimeRange,
        coverage: &Coverage,
        error: getclip::Error,
    ) -> Self {
        let mut detail = String::new();
        let mut add = |text: fmt::Arguments<'_>| detail += &format!("; {text}");
        if range.is_bounded() {
            add(format_args!("the range is {range}"));
        }
        for (clock, span) in [("producer", coverage.producer), ("server", coverage.server)] {
            if let Some(Span { first, last }) = span {
                add(format_args!("the input has fragments from {first} to {last} by {clock} timestamp"));
            }
        }
        if let Some(split) = &coverage.split {
            add(format_args!("{split}"));
        }
        detail += &describe_left_out(inputs);
        Self::Media { file: inputs.describe_files(), error, detail }
    }

    /// The inputs hold no fragment at all.
    pub(crate) fn nothing_to_read(inputs: &Inputs, error: getclip::Error) -> Self {
        Self::Media { file: inputs.describe_files(), error, detail: describe_left_out(inputs) }
    }

    /// What the program exits with; `main.rs` has the table.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Reported { exit_code } => *exit_code,
            Self::StdoutClosed => 0,
            Self::Io { .. } => 1,
            Self::Usage { .. } => 2,
            Self::Media { error, .. } if matches!(error.kind(), ErrorKind::NoFragments { .. }) => 3,
            Self::Media { .. } => 4,
        }
    }

    /// Prints the line, and returns what to exit with.
    pub(crate) fn report(&self) -> ExitCode {
        if !matches!(self, Self::StdoutClosed | Self::Reported { .. }) {
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
            Self::Media { file, error, detail } => {
                write!(f, "{file}: {error}{detail} [{}]", error.exception().name())
            }
            Self::Reported { exit_code } => write!(f, "exit code {exit_code}"),
            Self::StdoutClosed => f.write_str("standard output: closed by its reader"),
        }
    }
}

/// The files that were not read, where that can be the reason.
fn describe_left_out(inputs: &Inputs) -> String {
    match inputs.left_out.as_slice() {
        [] => String::new(),
        // The message is about it already.
        [only] if only.path.display().to_string() == inputs.describe_files() => String::new(),
        [only] => format!("; left out: {only}"),
        [first, rest @ ..] => format!("; left out: {first}, and {}", count(rest.len() as u64, "more file")),
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
