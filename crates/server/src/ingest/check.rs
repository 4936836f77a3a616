//! The limits of ingestion, and what an error of the reader is acknowledged as.

use getclip::{Error, ErrorKind, Fragment};

use super::acknowledgement::ErrorCode;
use super::session::IngestLimits;

/// The most tracks of a fragment.
const MAX_TRACKS: usize = 3;

/// What only a whole fragment tells.
pub(super) fn check(fragment: &Fragment, limits: &IngestLimits) -> Result<(), ErrorCode> {
    let index = fragment.index();
    if index.media_len() > limits.fragment_bytes {
        return Err(ErrorCode::MaxFragmentSize);
    }
    if index.tracks().len() > MAX_TRACKS {
        return Err(ErrorCode::TooManyTracks);
    }
    let has_frames = |number: u64| index.frames().any(|frame| frame.track().number == number);
    if index.frames().next().is_none() || !index.tracks().iter().all(|track| has_frames(track.number)) {
        return Err(ErrorCode::FramesMissing);
    }
    let times = || index.frames().map(|frame| frame.time_ns());
    let longest = i64::try_from(limits.fragment_time.as_nanos()).unwrap_or(i64::MAX);
    match times().min().zip(times().max()) {
        Some((first, last)) if last.saturating_sub(first) > longest => Err(ErrorCode::MaxFragmentDuration),
        _ => Ok(()),
    }
}

/// What does not fit in the stream.
pub(super) fn code_of(error: &Error) -> ErrorCode {
    match (error.kind(), error.location().track) {
        (ErrorKind::TooLarge { .. }, _) => ErrorCode::MaxFragmentSize,
        // A block of a track that is not declared.
        (ErrorKind::Malformed { .. }, Some(_)) => ErrorCode::TrackNumberMismatch,
        _ => ErrorCode::InvalidMkvData,
    }
}
