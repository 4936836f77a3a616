//! [`Damage`]: a stretch of the input that could not be read.

use std::borrow::Cow;
use std::fmt;

use crate::human::Count;

/// A place of the input that is not what its surroundings ask for, and how much was passed over because of it.
///
/// Reading goes on at the next place that is what it declares to be. Whole frames before and after it are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Damage {
    /// Offset of the place in the input, in bytes.
    pub offset: u64,
    /// Bytes that were passed over from there; 0 if only a size or a name was wrong.
    pub skipped_bytes: u64,
    /// Track number of the block that could not be read, if that is known.
    pub track: Option<u64>,
    /// What is wrong.
    pub fault: DamageFault,
}

/// What is wrong at a [`Damage`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "snake_case"))]
#[non_exhaustive]
pub enum DamageFault {
    /// Bytes between documents that are no Matroska.
    NotMatroska {
        /// The bytes found, and what file they look like.
        found: String,
    },
    /// Matroska that breaks its own rules.
    Malformed {
        /// What the specification wants here.
        expected: Cow<'static, str>,
        /// What is there.
        found: String,
    },
    /// A size or count beyond what this library takes.
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its value.
        found: u64,
        /// The largest value taken.
        limit: u64,
    },
    /// The service wrote an error into the stream instead of media.
    Service {
        /// Value of `AWS_KINESISVIDEO_ERROR_CODE`.
        code: String,
        /// Value of `AWS_KINESISVIDEO_ERROR_ID` or `_EXCEPTION_MESSAGE`.
        message: String,
    },
    /// A tag whose value is no timestamp.
    InvalidTimestamp {
        /// The value.
        text: String,
    },
}

/// What can be [too large](DamageFault::TooLarge).
pub(crate) mod too_large {
    pub(crate) const CLUSTER: &str = "the size of the Cluster";
    pub(crate) const METADATA: &str = "the size of Info, Tracks or Tags";
    pub(crate) const TRACKS: &str = "the number of tracks";

    /// All of them.
    pub(crate) const ALL: [&str; 3] = [CLUSTER, METADATA, TRACKS];
}

impl Damage {
    /// Adds a damage to a list. One that goes on where the last one ends belongs to that.
    pub(crate) fn push(damages: &mut Vec<Self>, damage: Self) {
        match damages.last_mut() {
            Some(last)
                if last.skipped_bytes > 0 && damage.skipped_bytes > 0 && last.end() == damage.offset =>
            {
                last.skipped_bytes = last.skipped_bytes.saturating_add(damage.skipped_bytes);
            }
            _ => damages.push(damage),
        }
    }

    /// Offset in the input of the first byte that was read again.
    pub(crate) fn end(&self) -> u64 {
        self.offset.saturating_add(self.skipped_bytes)
    }
}

impl fmt::Display for DamageFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotMatroska { found } => write!(f, "expected an EBML header (1A 45 DF A3), found {found}"),
            Self::Malformed { expected, found } => write!(f, "expected {expected}, found {found}"),
            Self::TooLarge { what, found, limit } => {
                write!(f, "{what} is {found}, at most {limit} is taken")
            }
            Self::Service { code, message } => {
                write!(f, "the service ended the stream with error {code}: {message}")
            }
            Self::InvalidTimestamp { text } => write!(f, "expected a timestamp, found {text:?}"),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: {}", self.offset, self.fault)?;
        match self.skipped_bytes {
            0 => Ok(()),
            skipped => write!(f, "; {} passed over", Count(skipped, "byte")),
        }
    }
}
