//! [`Error`]: what can go wrong, and with which stream, fragment or object.

use std::error::Error as StdError;
use std::sync::Arc;

use getclip::{FragmentNumber, Timestamp};

use crate::stream::{StreamName, StreamVersion};

/// An operation on an archive that failed.
///
/// Errors of the caller come first, then what is wrong with the media, then what is wrong with the store.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A stream name that the service would refuse, or that is a path.
    #[error(
        "invalid stream name {name:?}: expected 1 to 256 of a-z, A-Z, 0-9, '_', '.' and '-', other than \".\" and \"..\""
    )]
    InvalidName {
        /// The first characters of the name.
        name: String,
    },
    /// A retention period beyond ten years.
    #[error("invalid retention of {hours} h: expected at most 87600 h")]
    InvalidRetention {
        /// The period asked for.
        hours: u64,
    },
    /// A version that is not one of a stream.
    #[error("invalid stream version {version:?}: expected 1 to 64 of a-z, A-Z and 0-9")]
    InvalidVersion {
        /// The first characters of the version.
        version: String,
    },
    /// A paging token or a tail position that this archive did not make.
    #[error("invalid token: it was not made by this operation")]
    InvalidToken,
    /// A location that cannot be opened as an archive or as a recording.
    #[error("cannot open {location}: {reason}")]
    InvalidLocation {
        /// The location as given.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A stream of that name is there already.
    #[error("stream {stream} already exists")]
    StreamExists {
        /// The stream.
        stream: StreamName,
    },
    /// There is no stream of that name.
    #[error("stream {stream} does not exist")]
    StreamNotFound {
        /// The stream.
        stream: StreamName,
    },
    /// The stream has been changed since the version that the caller knows.
    #[error("stream {stream} has version {found}, expected {expected}")]
    VersionMismatch {
        /// The stream.
        stream: StreamName,
        /// The version that the caller expected.
        expected: StreamVersion,
        /// The version that the stream has.
        found: StreamVersion,
    },
    /// Too many changes of one stream at the same time.
    #[error("stream {stream} is being changed by others: try again")]
    Contended {
        /// The stream.
        stream: StreamName,
    },
    /// More tags than a stream may have.
    #[error("stream {stream} would have {count} tags, expected at most 50")]
    TooManyTags {
        /// The stream.
        stream: StreamName,
        /// How many tags it would have.
        count: usize,
    },
    /// The stream keeps nothing: its retention is 0 hours.
    #[error("stream {stream} retains no data: its retention is 0 h")]
    NoDataRetention {
        /// The stream.
        stream: StreamName,
    },
    /// A fragment that would be past the stream's retention at once.
    #[error(
        "fragment {number} of {server_timestamp} is past the retention of stream {stream}, which keeps what is later than {retained_since}: import into a stream with a longer --retention, or with none"
    )]
    PastRetention {
        /// The stream.
        stream: StreamName,
        /// The fragment.
        number: FragmentNumber,
        /// The fragment's server timestamp.
        server_timestamp: Timestamp,
        /// The earliest server timestamp that the stream retains.
        retained_since: Timestamp,
    },

    /// A fragment without the service's tags, where they are needed.
    #[error("fragment {fragment} has no {missing} tag")]
    Untagged {
        /// The fragment.
        fragment: String,
        /// The tag.
        missing: &'static str,
    },
    /// A fragment without frames.
    #[error("fragment {fragment} has no frames")]
    EmptyFragment {
        /// The fragment.
        fragment: String,
    },
    /// A fragment that cannot be read again as a document of its own.
    #[error("fragment {fragment}: {source}")]
    Unreadable {
        /// The fragment.
        fragment: String,
        /// The error of reading.
        source: getclip::Error,
    },
    /// A fragment number that is longer than any of the service's.
    #[error("fragment number {number} has more than 47 digits")]
    NumberTooLong {
        /// The number.
        number: FragmentNumber,
    },
    /// A time or a size that a key cannot hold.
    #[error("fragment {fragment}: {what} {found} is out of range")]
    OutOfRange {
        /// The fragment.
        fragment: String,
        /// What is out of range.
        what: &'static str,
        /// Its value.
        found: i128,
    },
    /// No clip can be made of the stored fragments; [`getclip::Error::exception`] has the service's name for it.
    #[error("stream {stream}: {source}")]
    Clip {
        /// The stream.
        stream: StreamName,
        /// The error of planning.
        source: getclip::Error,
    },
    /// A recording that cannot be read as fragments.
    #[error("{recording}: {source}")]
    Recording {
        /// The recording.
        recording: String,
        /// The error of reading.
        source: getclip::Error,
    },
    /// The input of an import failed.
    #[error("the input failed: {source}")]
    Input {
        /// The input's error.
        source: Arc<dyn StdError + Send + Sync>,
    },

    /// An object whose index or document cannot be read.
    #[error("object {key} cannot be read: {reason}")]
    Damaged {
        /// The object.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An object whose index has a version that this program does not know.
    #[error(
        "object {key} has an index of version {found}, which this program does not know: check with repair makes it again"
    )]
    IndexVersion {
        /// The object.
        key: String,
        /// The version.
        found: u8,
    },
    /// An object is not what was listed: it was replaced from outside.
    #[error("object {key} changed: expected {expected}, found {found}")]
    ObjectChanged {
        /// The object.
        key: String,
        /// The length or entity tag that was listed.
        expected: String,
        /// The length or entity tag that was read.
        found: String,
    },
    /// The recording that a fragment refers to is gone.
    #[error("fragment {number}: the recording {recording} is gone")]
    RecordingGone {
        /// The fragment.
        number: FragmentNumber,
        /// Where the recording was.
        recording: String,
    },
    /// The recording that a fragment refers to is not the one that was indexed.
    #[error(
        "fragment {number}: the recording {recording} changed after it was indexed: expected {expected}, found {found}"
    )]
    RecordingChanged {
        /// The fragment.
        number: FragmentNumber,
        /// Where the recording is.
        recording: String,
        /// Length, entity tag or modification time when it was indexed.
        expected: String,
        /// The same now.
        found: String,
    },
    /// The store failed.
    #[error("cannot {operation} {key}: {source}")]
    Store {
        /// What was tried, as a verb.
        operation: &'static str,
        /// Object or prefix.
        key: String,
        /// The store's error.
        source: Arc<object_store::Error>,
    },
    /// A folder could not be made durable, listed or created.
    #[error("cannot {operation} {path}: {source}")]
    Folder {
        /// What was tried, as a verb.
        operation: &'static str,
        /// The path.
        path: String,
        /// The system's error.
        source: Arc<std::io::Error>,
    },
    /// A task was stopped while the runtime shut down.
    #[error("stopped")]
    Stopped,
}

impl Error {
    /// Whether the same call may succeed later: the store failed, or another writer was faster.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store { source, .. } => matches!(
                **source,
                object_store::Error::Generic { .. } | object_store::Error::JoinError { .. }
            ),
            Self::Folder { .. } | Self::Stopped | Self::Contended { .. } => true,
            _ => false,
        }
    }
}
