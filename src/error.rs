//! [`Error`]: what is wrong, where, and which GetClip exception says so.

use std::borrow::Cow;
use std::fmt;

use crate::damage::{Damage, DamageFault};
use crate::frame_fault::FrameFault;
use crate::incomplete::Incomplete;
use crate::number::FragmentName;

/// What went wrong, where, and how GetClip would have put it.
///
/// Small (one pointer), cheap to pass on, and comparable, so that a test can assert the exact one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    location: Location,
}

/// Where in the input an error was found. Every part is known or `None`; nothing is guessed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Location {
    /// The fragment.
    pub fragment: Option<FragmentName>,
    /// Matroska track number.
    pub track: Option<u64>,
    /// Byte offset from the start of the input the fragment was read from.
    pub offset: Option<u64>,
}

/// The kinds of error, grouped by who is to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    // The request.
    /// Text that is no timestamp.
    #[error("expected RFC 3339 or Unix seconds with up to three decimals, found {text:?}")]
    InvalidTimestamp {
        /// The text that was given.
        text: String,
    },
    /// A name that is no value of an option.
    #[error("expected {option} as one of: {expected}; found {found:?}")]
    InvalidOption {
        /// What the option decides.
        option: &'static str,
        /// The names that it has, separated by spaces.
        expected: &'static str,
        /// The name that was given.
        found: String,
    },
    /// A range that GetClip refuses: see [`ClipTimestampRange::new`](crate::ClipTimestampRange::new).
    #[error("invalid timestamp range: {reason}")]
    InvalidRange {
        /// The rule that the range breaks, with the values.
        reason: String,
    },
    /// No fragment starts in the range.
    #[error("no fragments found for the clip: {}", none_of(*offered))]
    NoFragments {
        /// How many fragments were looked at, those without a frame among them.
        offered: u64,
    },
    /// The selection is by a timestamp that a fragment does not carry.
    #[error("expected a {tag} tag in every fragment, found a fragment without it")]
    MissingTimestamp {
        /// Name of the tag.
        tag: &'static str,
    },
    /// Not even the first fragment fits into [`Limits::max_bytes`](crate::Limits::max_bytes).
    #[error("the first fragment alone makes a file of {bytes} bytes, the limit is {limit}")]
    FragmentExceedsLimit {
        /// Size of the file with that fragment alone.
        bytes: u64,
        /// The limit that was set.
        limit: u64,
    },

    // The stream.
    /// The input is not Matroska.
    #[error("expected an EBML header (1A 45 DF A3), found {found}")]
    NotMatroska {
        /// The bytes found, and what file they look like.
        found: String,
    },
    /// Matroska that breaks its own rules.
    #[error("malformed Matroska: expected {expected}, found {found}")]
    Malformed {
        /// What the specification wants here.
        expected: Cow<'static, str>,
        /// What is there.
        found: String,
    },
    /// The input ends inside a fragment, and the caller wants only whole ones.
    #[error("truncated input: {incomplete}")]
    Truncated {
        /// What is missing.
        incomplete: Incomplete,
    },
    /// A size or count beyond what this library takes, far above what the service stores.
    #[error("{what} is {found}, at most {limit} is taken")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its value.
        found: u64,
        /// The largest value taken.
        limit: u64,
    },
    /// The service wrote an error into the stream instead of media.
    #[error("the service ended the stream with error {code}: {message}")]
    Service {
        /// Value of `AWS_KINESISVIDEO_ERROR_CODE`.
        code: String,
        /// Value of `AWS_KINESISVIDEO_ERROR_ID` or `_EXCEPTION_MESSAGE`.
        message: String,
    },

    // The index.
    /// An encoded index of a version that this release cannot read. Make it again from the media: see
    /// [`FragmentIndex::decode`](crate::FragmentIndex::decode).
    #[error("the index has version {found}, this release reads {known}: index the media again")]
    IndexVersion {
        /// Version of the encoded index.
        found: u8,
        /// The version that this release reads and writes.
        known: u8,
    },
    /// Bytes that are no encoded index.
    #[error("damaged index: expected {expected}, found {found}")]
    DamagedIndex {
        /// What the format wants here.
        expected: &'static str,
        /// What is there.
        found: String,
    },

    // The caller's media.
    /// Media that is shorter or longer than its index says: it is not the media that was planned for, or the index is
    /// not of this media.
    #[error("expected {expected} bytes of media, found {found}")]
    MediaLength {
        /// Number of bytes that were planned for.
        expected: u64,
        /// Number of bytes that there are.
        found: u64,
    },
    /// Media of more or fewer fragments than the clip has.
    #[error("expected the media of {expected} fragments, found {found}")]
    MediaCount {
        /// Number of fragments of the clip.
        expected: usize,
        /// Number of fragments whose media was given, counted as far as one too many.
        found: usize,
    },

    // The media.
    /// A codec, or a combination of tracks, that is not carried.
    #[error("unsupported media type: {reason}")]
    UnsupportedMediaType {
        /// What was expected and what was found.
        reason: String,
    },
    /// A track without codec private data.
    #[error("missing codec private data")]
    MissingCodecPrivateData,
    /// Codec private data that cannot be used.
    #[error("invalid codec private data: {reason}")]
    InvalidCodecPrivateData {
        /// What was expected and what was found.
        reason: String,
    },
    /// AAC codec private data of a length that the service refuses. The text is the service's.
    #[error("AAC CPD must be of length 2 or 5, but was {found}.")]
    AacCodecPrivateLength {
        /// Its length in bytes.
        found: usize,
    },
    /// Codec private data that differs from the clip's first fragment.
    #[error("codec private data changed: {difference}")]
    CodecPrivateDataChanged {
        /// What differs.
        difference: String,
    },
    /// Tracks that differ from the clip's first fragment.
    #[error("tracks changed: {difference}")]
    TracksChanged {
        /// What differs.
        difference: String,
    },
    /// A frame that cannot be parsed as its codec.
    #[error("invalid media frame at {time_ms} ms of its fragment: {fault}")]
    InvalidMediaFrame {
        /// Presentation time of the frame from the start of its Cluster, in milliseconds.
        time_ms: i64,
        /// What was expected and what was found.
        fault: FrameFault,
    },
    /// A time that the output cannot hold.
    #[error("time out of range: {reason}")]
    TimeOutOfRange {
        /// Which time, and the range.
        reason: String,
    },
}

/// The exceptions of GetClip, as the service's model names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exception {
    /// The range is wrong, or an argument is.
    InvalidArgument,
    /// The stream does not exist, or has no fragment in the range.
    ResourceNotFound,
    /// The codec IDs of the tracks are not ones that GetClip takes.
    UnsupportedStreamMediaType,
    /// A track has no codec private data.
    MissingCodecPrivateData,
    /// Codec private data is not valid for this operation.
    InvalidCodecPrivateData,
    /// A frame could not be parsed by its codec.
    InvalidMediaFrame,
    /// The stored stream itself is an error of the service, or the stored media is not what its index says.
    InternalFailure,
}

impl Exception {
    /// The name as it stands in the header `x-amzn-ErrorType`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidArgument => "InvalidArgumentException",
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::UnsupportedStreamMediaType => "UnsupportedStreamMediaTypeException",
            Self::MissingCodecPrivateData => "MissingCodecPrivateDataException",
            Self::InvalidCodecPrivateData => "InvalidCodecPrivateDataException",
            Self::InvalidMediaFrame => "InvalidMediaFrameException",
            Self::InternalFailure => "InternalFailure",
        }
    }

    /// The HTTP status that goes with it.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::ResourceNotFound => 404,
            Self::InternalFailure => 500,
            _ => 400,
        }
    }
}

impl Error {
    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Where it is wrong.
    pub fn location(&self) -> &Location {
        &self.0.location
    }

    /// The exception that GetClip raises for it.
    ///
    /// Input that is no Matroska, or is broken as Matroska, cannot reach GetClip: the service refuses it at
    /// ingestion. It maps to `InvalidMediaFrameException`, whose text fits it best.
    pub fn exception(&self) -> Exception {
        match self.0.kind {
            ErrorKind::NoFragments { .. } => Exception::ResourceNotFound,
            ErrorKind::InvalidTimestamp { .. }
            | ErrorKind::InvalidOption { .. }
            | ErrorKind::InvalidRange { .. }
            | ErrorKind::MissingTimestamp { .. }
            | ErrorKind::FragmentExceedsLimit { .. }
            | ErrorKind::TimeOutOfRange { .. } => Exception::InvalidArgument,
            ErrorKind::UnsupportedMediaType { .. } | ErrorKind::TracksChanged { .. } => {
                Exception::UnsupportedStreamMediaType
            }
            ErrorKind::MissingCodecPrivateData => Exception::MissingCodecPrivateData,
            ErrorKind::InvalidCodecPrivateData { .. }
            | ErrorKind::AacCodecPrivateLength { .. }
            | ErrorKind::CodecPrivateDataChanged { .. } => Exception::InvalidCodecPrivateData,
            ErrorKind::NotMatroska { .. }
            | ErrorKind::Malformed { .. }
            | ErrorKind::Truncated { .. }
            | ErrorKind::TooLarge { .. }
            | ErrorKind::InvalidMediaFrame { .. } => Exception::InvalidMediaFrame,
            ErrorKind::Service { .. }
            | ErrorKind::IndexVersion { .. }
            | ErrorKind::DamagedIndex { .. }
            | ErrorKind::MediaLength { .. }
            | ErrorKind::MediaCount { .. } => Exception::InternalFailure,
        }
    }

    /// The text for the response body: AWS's own wording where it is known, else this error's.
    pub fn aws_message(&self) -> String {
        match &self.0.kind {
            ErrorKind::NoFragments { .. } => "No fragments found in the stream for the clip request.".into(),
            ErrorKind::MissingCodecPrivateData => match self.0.location.track {
                Some(track) => format!("Missing codec private data in fragment for track {track}"),
                None => "Missing codec private data in fragment".into(),
            },
            kind @ ErrorKind::AacCodecPrivateLength { .. } => kind.to_string(),
            _ => self.to_string(),
        }
    }

    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner { kind, location: Location::default() }))
    }

    pub(crate) fn malformed(expected: impl Into<Cow<'static, str>>, found: impl Into<String>) -> Self {
        Self::new(ErrorKind::Malformed { expected: expected.into(), found: found.into() })
    }

    pub(crate) fn codec_private(reason: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidCodecPrivateData { reason: reason.into() })
    }

    /// Names the fragment, unless a deeper floor did.
    pub(crate) fn in_fragment(mut self, fragment: FragmentName) -> Self {
        self.0.location.fragment.get_or_insert(fragment);
        self
    }

    /// Names the track, unless a deeper floor did.
    pub(crate) fn on_track(mut self, track: u64) -> Self {
        self.0.location.track.get_or_insert(track);
        self
    }

    /// Names the byte offset, unless a deeper floor did.
    pub(crate) fn at(mut self, offset: u64) -> Self {
        self.0.location.offset.get_or_insert(offset);
        self
    }
}

fn none_of(offered: u64) -> String {
    match offered {
        0 => "the input is empty".into(),
        1 => "the only one offered is not in the range, or has no frame".into(),
        _ => format!("none of the {offered} offered is in the range and has a frame"),
    }
}

impl Damage {
    /// The damage that an error of the reader tells of: it stands at `offset`, unless the error knows better, and
    /// `skipped_bytes` are passed over.
    pub(crate) fn of(error: &Error, offset: u64, skipped_bytes: u64) -> Self {
        let fault = match error.kind().clone() {
            ErrorKind::NotMatroska { found } => DamageFault::NotMatroska { found },
            ErrorKind::Malformed { expected, found } => DamageFault::Malformed { expected, found },
            ErrorKind::TooLarge { what, found, limit } => DamageFault::TooLarge { what, found, limit },
            ErrorKind::Service { code, message } => DamageFault::Service { code, message },
            ErrorKind::InvalidTimestamp { text } => DamageFault::InvalidTimestamp { text },
            other => DamageFault::Malformed { expected: "Matroska".into(), found: other.to_string() },
        };
        Self { offset, skipped_bytes, track: error.location().track, fault }
    }
}

impl From<&Damage> for Error {
    fn from(damage: &Damage) -> Self {
        let error = Self::new(match damage.fault.clone() {
            DamageFault::NotMatroska { found } => ErrorKind::NotMatroska { found },
            DamageFault::Malformed { expected, found } => ErrorKind::Malformed { expected, found },
            DamageFault::TooLarge { what, found, limit } => ErrorKind::TooLarge { what, found, limit },
            DamageFault::Service { code, message } => ErrorKind::Service { code, message },
            DamageFault::InvalidTimestamp { text } => ErrorKind::InvalidTimestamp { text },
        });
        let error = match damage.track {
            Some(track) => error.on_track(track),
            None => error,
        };
        error.at(damage.offset)
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.kind.fmt(f)?;
        let Location { fragment, track, offset } = &self.0.location;
        let mut separator = " (";
        if let Some(fragment) = fragment {
            write!(f, "{separator}fragment {fragment}")?;
            separator = ", ";
        }
        if let Some(track) = track {
            write!(f, "{separator}track {track}")?;
            separator = ", ";
        }
        if let Some(offset) = offset {
            write!(f, "{separator}byte {offset}")?;
            separator = ", ";
        }
        if separator == ", " { f.write_str(")") } else { Ok(()) }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_floor_names_the_place() {
        let error =
            Error::codec_private("x").on_track(2).on_track(1).at(7).in_fragment(FragmentName::Position(8));
        assert_eq!(error.location().track, Some(2));
        assert_eq!(error.to_string(), "invalid codec private data: x (fragment #9, track 2, byte 7)");
    }

    #[test]
    fn getclip_words() {
        let missing = Error::new(ErrorKind::MissingCodecPrivateData).on_track(1);
        assert_eq!(missing.aws_message(), "Missing codec private data in fragment for track 1");
        assert_eq!(missing.exception().name(), "MissingCodecPrivateDataException");
        assert_eq!(missing.exception().http_status(), 400);
        let none = Error::new(ErrorKind::NoFragments { offered: 3 });
        assert_eq!(none.aws_message(), "No fragments found in the stream for the clip request.");
        assert_eq!(none.exception().http_status(), 404);
    }

    #[test]
    fn one_pointer() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
