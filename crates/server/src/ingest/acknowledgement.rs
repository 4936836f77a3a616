//! Acknowledgements: one JSON object a line, with the bytes of the service's.

use bytes::Bytes;
use getclip::FragmentNumber;

/// What went wrong with a fragment, by the service's name and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    /// The connection broke off.
    StreamRead,
    /// A fragment is larger than 50 MB.
    MaxFragmentSize,
    /// A fragment is longer than 20 s.
    MaxFragmentDuration,
    /// A fragment starts before the one before it.
    TimecodeLesserThanPrevious,
    /// What was sent is no Matroska.
    InvalidMkvData,
    /// A fragment's time cannot be stored.
    InvalidProducerTimestamp,
    /// The stream is gone.
    StreamNotActive,
    /// A block of a track that is not declared.
    TrackNumberMismatch,
    /// A fragment has no frames of a track that is declared.
    FramesMissing,
    /// More than three tracks.
    TooManyTracks,
    /// Something went wrong here.
    Internal,
    /// The store has failed.
    Archival,
}

impl ErrorCode {
    const fn name_and_id(self) -> (&'static str, u32) {
        match self {
            Self::StreamRead => ("STREAM_READ_ERROR", 4000),
            Self::MaxFragmentSize => ("MAX_FRAGMENT_SIZE_REACHED", 4001),
            Self::MaxFragmentDuration => ("MAX_FRAGMENT_DURATION_REACHED", 4002),
            Self::TimecodeLesserThanPrevious => ("FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS", 4004),
            Self::InvalidMkvData => ("INVALID_MKV_DATA", 4006),
            Self::InvalidProducerTimestamp => ("INVALID_PRODUCER_TIMESTAMP", 4007),
            Self::StreamNotActive => ("STREAM_NOT_ACTIVE", 4008),
            Self::TrackNumberMismatch => ("TRACK_NUMBER_MISMATCH", 4010),
            Self::FramesMissing => ("FRAMES_MISSING_FOR_TRACK", 4011),
            Self::TooManyTracks => ("MORE_THAN_ALLOWED_TRACKS_FOUND", 4012),
            Self::Internal => ("INTERNAL_ERROR", 5000),
            Self::Archival => ("ARCHIVAL_ERROR", 5001),
        }
    }
}

/// How far a fragment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has begun.
    Buffering,
    /// All of it has arrived.
    Received,
    /// It is stored.
    Persisted,
}

/// A line that says how far a fragment is.
pub(super) fn fragment(stage: Stage, timecode_ms: i64, number: &FragmentNumber) -> Bytes {
    let event = match stage {
        Stage::Buffering => "BUFFERING",
        Stage::Received => "RECEIVED",
        Stage::Persisted => "PERSISTED",
    };
    format!(
        "{{\"EventType\":\"{event}\",\"FragmentTimecode\":{timecode_ms},\"FragmentNumber\":\"{number}\"}}\n"
    )
    .into()
}

/// A line that says what went wrong, with the fragment if it has begun.
pub(super) fn error(code: ErrorCode, fragment: Option<(i64, &FragmentNumber)>) -> Bytes {
    let (name, id) = code.name_and_id();
    let fragment = match fragment {
        Some((timecode_ms, number)) => {
            format!("\"FragmentTimecode\":{timecode_ms},\"FragmentNumber\":\"{number}\",")
        }
        None => String::new(),
    };
    format!("{{\"EventType\":\"ERROR\",{fragment}\"ErrorCode\":\"{name}\",\"ErrorId\":{id}}}\n").into()
}

/// The line that says that nothing has arrived for a while.
pub(super) const IDLE: Bytes = Bytes::from_static(b"{\"EventType\":\"IDLE\"}\n");

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of real sessions.
    #[test]
    fn bytes_are_those_of_the_service() {
        let number: FragmentNumber = "91343852333181432392682062607743920146264094899".parse().unwrap();
        assert_eq!(
            fragment(Stage::Persisted, 1_597_730_826_769, &number),
            "{\"EventType\":\"PERSISTED\",\"FragmentTimecode\":1597730826769,\
             \"FragmentNumber\":\"91343852333181432392682062607743920146264094899\"}\n"
        );
        assert_eq!(
            error(ErrorCode::MaxFragmentDuration, Some((7, &number))),
            "{\"EventType\":\"ERROR\",\"FragmentTimecode\":7,\
             \"FragmentNumber\":\"91343852333181432392682062607743920146264094899\",\
             \"ErrorCode\":\"MAX_FRAGMENT_DURATION_REACHED\",\"ErrorId\":4002}\n"
        );
        let nothing = "{\"EventType\":\"ERROR\",\"ErrorCode\":\"INVALID_MKV_DATA\",\"ErrorId\":4006}\n";
        assert_eq!(error(ErrorCode::InvalidMkvData, None), nothing);
    }
}
