//! [`Finding`]: what a check reports.

use std::fmt;

use getclip::Timestamp;

use crate::StreamName;

/// Options of [`Archive::check`](crate::Archive::check).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct CheckOptions {
    pub(super) repair: bool,
    pub(super) media: bool,
    pub(super) stream: Option<StreamName>,
}

impl CheckOptions {
    /// Whether to repair what can be repaired. Default: no.
    pub fn repair(mut self, repair: bool) -> Self {
        self.repair = repair;
        self
    }

    /// Whether to read all media, recordings elsewhere included, and compare the indexes with it. Default: no.
    pub fn media(mut self, media: bool) -> Self {
        self.media = media;
        self
    }

    /// Only this stream. Default: all.
    pub fn stream(mut self, stream: Option<StreamName>) -> Self {
        self.stream = stream;
        self
    }
}

/// Result of [`Archive::check`](crate::Archive::check).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckSummary {
    /// Streams.
    pub streams: u64,
    /// Objects in the folders of fragments.
    pub objects: u64,
    /// Fragments, each number once.
    pub fragments: u64,
    /// Of these, those whose media is in recordings elsewhere.
    pub references: u64,
    /// Findings.
    pub findings: u64,
    /// Findings that were repaired.
    pub repaired: u64,
}

/// A problem with an object or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The stream.
    pub stream: StreamName,
    /// Object, or path of a file.
    pub key: String,
    /// What is wrong.
    pub problem: Problem,
    /// Whether it was repaired.
    pub repaired: bool,
}

/// Kind of a [`Finding`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The state of a stream cannot be read.
    UnreadableState {
        /// Why.
        reason: String,
    },
    /// An object that does not belong to an archive.
    UnknownObject,
    /// An object that is shorter or longer than its key indicates.
    WrongSize {
        /// Size by its key, in bytes.
        expected: u64,
        /// Actual size, in bytes.
        found: u64,
    },
    /// An index that cannot be read.
    UnreadableIndex {
        /// Why.
        reason: String,
    },
    /// An index of a version that this program does not write.
    OtherIndexVersion {
        /// The version found.
        found: u8,
    },
    /// An index that differs from the one made from the media.
    IndexDisagrees,
    /// Media that cannot be read as a fragment.
    UnreadableMedia {
        /// Why.
        reason: String,
    },
    /// A reference that cannot be read.
    UnreadableReference {
        /// Why.
        reason: String,
    },
    /// The recording that a fragment refers to is gone.
    RecordingGone {
        /// The recording.
        recording: String,
    },
    /// The recording that a fragment refers to is not what was indexed.
    RecordingChanged {
        /// The recording.
        recording: String,
        /// What it was.
        expected: String,
        /// What it is.
        found: String,
    },
    /// An object of a fragment that has a better one.
    Superseded,
    /// Two fragments with one number.
    NumberTwice {
        /// Producer time of the other one, in milliseconds.
        other_producer_ms: i64,
    },
    /// A fragment that a search by server time misses.
    MissingServerEntry,
    /// A fragment that a search by number misses.
    MissingNumberEntry,
    /// An entry that leads to no fragment.
    UnneededEntry,
    /// A file left by a killed writer.
    Leftover,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnreadableState { reason } => write!(f, "the stream's state cannot be read: {reason}"),
            Self::UnknownObject => f.write_str("not an object of an archive"),
            Self::WrongSize { expected, found } => {
                write!(f, "its name indicates {expected} bytes, it has {found}")
            }
            Self::UnreadableIndex { reason } => write!(f, "its index cannot be read: {reason}"),
            Self::OtherIndexVersion { found } => write!(f, "its index has version {found}"),
            Self::IndexDisagrees => f.write_str("its index differs from its media"),
            Self::UnreadableMedia { reason } => write!(f, "its media cannot be read: {reason}"),
            Self::UnreadableReference { reason } => write!(f, "its reference cannot be read: {reason}"),
            Self::RecordingGone { recording } => write!(f, "the recording {recording} is gone"),
            Self::RecordingChanged { recording, expected, found } => {
                write!(f, "the recording {recording} changed: expected {expected}, found {found}")
            }
            Self::Superseded => f.write_str("superseded by a better object of the same fragment"),
            Self::NumberTwice { other_producer_ms } => {
                let time = Timestamp::from_millis(*other_producer_ms);
                write!(f, "a fragment that starts at {time} has the same number")
            }
            Self::MissingServerEntry => f.write_str("a search by server timestamp misses it"),
            Self::MissingNumberEntry => f.write_str("a search by number misses it"),
            Self::UnneededEntry => f.write_str("no fragment needs it"),
            Self::Leftover => f.write_str("left by a write that did not finish"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let repaired = if self.repaired { ": repaired" } else { "" };
        write!(f, "{}: {}: {}{repaired}", self.stream, self.key, self.problem)
    }
}
