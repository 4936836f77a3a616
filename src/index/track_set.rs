//! [`TrackSet`]: the tracks that a fragment declares, kept once for all fragments that declare the same.

use std::sync::Arc;

use crate::codec::VideoCodec;
use crate::matroska::{TrackEntry, TrackType};

/// The tracks of a fragment. Cheap to clone: fragments of a stream share them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrackSet(Arc<[TrackEntry]>);

impl Default for TrackSet {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl TrackSet {
    pub(crate) fn new(entries: Vec<TrackEntry>) -> Self {
        Self(entries.into())
    }

    pub(crate) fn entries(&self) -> &[TrackEntry] {
        &self.0
    }

    /// Index and declaration of the track with a number.
    pub(crate) fn find(&self, number: u64) -> Option<(usize, &TrackEntry)> {
        self.0.iter().enumerate().find(|(_, entry)| entry.number == number)
    }

    /// Whether two sets are one in memory, or equal.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self == other
    }
}

/// A codec that a clip can carry, as far as a codec ID names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TrackCodec {
    Video(VideoCodec),
    Aac,
    /// A-law or mu-law, by the codec private data.
    G711,
}

/// The codec of a track by its type and codec ID; `None` for one that a clip cannot carry.
///
/// `V_MPEG/ISO/AVC` is what the service's documentation says; every producer writes `V_MPEG4/ISO/AVC`. The IDs that
/// spell the AAC profile out are deprecated (RFC 9559 names only `A_AAC`).
pub(crate) fn codec(entry: &TrackEntry) -> Option<TrackCodec> {
    match (entry.track_type, entry.codec_id.as_str()) {
        (TrackType::Video, "V_MPEG4/ISO/AVC" | "V_MPEG/ISO/AVC") => Some(TrackCodec::Video(VideoCodec::H264)),
        (TrackType::Video, "V_MPEGH/ISO/HEVC") => Some(TrackCodec::Video(VideoCodec::H265)),
        (TrackType::Audio, "A_AAC") => Some(TrackCodec::Aac),
        (TrackType::Audio, id) if id.starts_with("A_AAC/") => Some(TrackCodec::Aac),
        (TrackType::Audio, "A_MS/ACM") => Some(TrackCodec::G711),
        _ => None,
    }
}
