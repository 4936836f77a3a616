//! [`Finding`]: what a check reports.

use std::fmt;

use getclip::Timestamp;

use crate::StreamName;

/// What a check does.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct CheckOptions {
    pub(super) repair: bool,
    pub(super) media: bool,
    pub(super) stream: Option<StreamName>,
}

impl CheckOptions {
    /// Whether to mend what can be mended. Default: no.
    pub fn repair(mut self, repair: bool) -> Self {
        self.repair = repair;
        self
    }

    /// Whether to read all media, also of recordings elsewhere, and hold the indexes against it. Default: no.
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

/// What a check has looked at.
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
    /// Findings that were mended.
    pub repaired: u64,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The stream.
    pub stream: StreamName,
    /// Object, or path of a file.
    pub key: String,
    /// What is wrong.
    pub problem: Problem,
    /// Whether it was mended.
    pub repaired: bool,
}

/// What is wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The state of a stream cannot be read.
    UnreadableState {
        /// Why.
        reason: String,
    },
    /// An object that is not one of this archive.
    UnknownObject,
    /// An object that is shorter or longer than its key tells.
    WrongSize {
        /// Bytes by its key.
        expected: u64,
        /// Bytes that it has.
        found: u64,
    },
    /// An index that cannot be read.
    UnreadableIndex {
        /// Why.
        reason: String,
    },
    /// An index of another version than this program writes.
    OtherIndexVersion {
        /// The version that it has.
        found: u8,
    },
    /// An index that is not that of the media beside it.
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
    /// There is a better object of the same fragment.
    Superseded,
    /// Two fragments have one number.
    NumberTwice {
        /// Producer time of the other one, in milliseconds.
        other_producer_ms: i64,
    },
    /// A fragment that a search by server time does not find.
    MissingServerEntry,
    /// A fragment that a search by number does not find.
    MissingNumberEntry,
    /// An entry that leads to no fragment.
    UnneededEntry,
    /// A file that a writer has left that was killed.
    Leftover,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnreadableState { reason } => write!(f, "the stream's state cannot be read: {reason}"),
            Self::UnknownObject => f.write_str("not an object of an archive"),
            Self::WrongSize { expected, found } => {
                write!(f, "expected {expected} bytes by its name, found {found}")
            }
            Self::UnreadableIndex { reason } => write!(f, "its index cannot be read: {reason}"),
            Self::OtherIndexVersion { found } => write!(f, "its index has version {found}"),
            Self::IndexDisagrees => f.write_str("its index is not that of its media"),
            Self::UnreadableMedia { reason } => write!(f, "its media cannot be read: {reason}"),
            Self::UnreadableReference { reason } => write!(f, "its reference cannot be read: {reason}"),
            Self::RecordingGone { recording } => write!(f, "the recording {recording} is gone"),
            Self::RecordingChanged { recording, expected, found } => {
                write!(f, "the recording {recording} changed: expected {expected}, found {found}")
            }
            Self::Superseded => f.write_str("there is a better object of the same fragment"),
            Self::NumberTwice { other_producer_ms } => {
                let time = Timestamp::from_millis(*other_producer_ms);
                write!(f, "a fragment that starts at {time} has the same number")
            }
            Self::MissingServerEntry => f.write_str("a search by server timestamp does not find it"),
            Self::MissingNumberEntry => f.write_str("a search by number does not find it"),
            Self::UnneededEntry => f.write_str("it leads to no fragment"),
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
