//! [`Row`]: all that is printed of one fragment.

use std::fmt;

use getclip::{
    Damage, Fragment, FragmentIndex, FragmentName, FragmentNumber, Timestamp, TrackEntry, TrackType,
};
use serde::Serialize;

use crate::frame_times::FrameTimes;
use crate::input::Input;
use crate::inspect::neighbours::Neighbours;
use crate::text::seconds;

/// One fragment, without its media.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) file: String,
    pub(super) name: FragmentName,
    number: Option<FragmentNumber>,
    pub(super) producer_timestamp: Option<Timestamp>,
    pub(super) server_timestamp: Option<Timestamp>,
    cluster_timestamp_ns: Option<i64>,
    /// Where its document begins in the file.
    pub(super) document_offset: u64,
    /// Where the Cluster begins in the file, and its size.
    offset: u64,
    pub(super) bytes: u64,
    /// From the first frame of any track to the end of the last.
    pub(super) duration_ns: i64,
    pub(super) tracks: Vec<TrackSummary>,
    pub(super) unusual: Vec<Finding>,
}

/// The frames of one track in one fragment.
#[derive(Debug, Serialize)]
pub(super) struct TrackSummary {
    pub(super) number: u64,
    #[serde(rename = "type")]
    track_type: TrackType,
    pub(super) codec_id: String,
    codec_private_bytes: Option<usize>,
    pub(super) blocks: u64,
    /// `None` for other tracks than video: their producers do not care for the flag.
    pub(super) key_frames: Option<u64>,
    bytes: u64,
    #[serde(skip)]
    times: Option<FrameTimes>,
}

/// Something unusual, and the sentence about it.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    #[serde(flatten)]
    unusual: Unusual,
    pub(super) text: String,
}

/// What makes a fragment worth a second look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(super) enum Unusual {
    /// The input ends inside the fragment.
    Incomplete { offset: u64, missing_bytes: Option<u64> },
    /// A place in it, or before it, cannot be read.
    Damaged { damage: Damage },
    /// It has frames that cannot be parsed as their codec.
    FaultyFrames,
    /// It has no frames.
    Empty,
    /// Its first video frame is not a key frame.
    NoKeyFrameFirst,
    /// A track has no codec private data.
    NoCodecPrivate { track: u64 },
    /// Other tracks or codecs than the fragment before.
    TracksChanged,
    /// Other codec private data than the fragment before, byte for byte.
    CodecPrivateChanged { track: u64 },
    /// It begins after the end of the fragment before.
    Gap { duration_ns: u64 },
    /// It begins before the end of the fragment before.
    Overlap { duration_ns: u64 },
    /// It starts before the fragment before: a clip puts them in order.
    OutOfOrder,
    /// It is the fragment before once more, or has the same producer timestamp: a clip takes one of them.
    Duplicate,
}

impl fmt::Display for Unusual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incomplete { offset, missing_bytes: None } => {
                write!(f, "the input ends in it, at byte {offset}")
            }
            Self::Incomplete { offset, missing_bytes: Some(missing) } => {
                write!(f, "the input ends in it, at byte {offset}: {missing} bytes are missing")
            }
            Self::Damaged { damage } => write!(f, "damaged at {damage}"),
            Self::FaultyFrames => f.write_str("frames that cannot be parsed as their codec"),
            Self::Empty => f.write_str("no frames"),
            Self::NoKeyFrameFirst => f.write_str("does not start on a key frame"),
            Self::NoCodecPrivate { track } => write!(f, "track {track} has no codec private data"),
            Self::TracksChanged => f.write_str("other tracks than the fragment before"),
            Self::CodecPrivateChanged { track } => {
                write!(f, "codec private data of track {track} differs from the fragment before")
            }
            Self::Gap { duration_ns } => write!(f, "gap of {} before it", length(*duration_ns)),
            Self::Overlap { duration_ns } => {
                write!(f, "starts {} before the end of the fragment before", length(*duration_ns))
            }
            Self::OutOfOrder => f.write_str("starts before the fragment before: a clip puts them in order"),
            Self::Duplicate => f.write_str("duplicate of the fragment before: a clip takes one of them"),
        }
    }
}

fn length(nanos: u64) -> String {
    seconds(i64::try_from(nanos).unwrap_or(i64::MAX))
}

impl From<Unusual> for Finding {
    fn from(unusual: Unusual) -> Self {
        Self { text: unusual.to_string(), unusual }
    }
}

impl Row {
    pub(super) fn new(input: &Input, fragment: &Fragment, neighbours: &mut Neighbours) -> Self {
        let index = fragment.index();
        let tracks: Vec<TrackSummary> =
            index.tracks().iter().map(|track| TrackSummary::new(index, track)).collect();
        let mut unusual = on_its_own(index, &tracks);
        unusual.extend(neighbours.compare(index));
        Self {
            file: input.to_string(),
            name: index.name(),
            number: index.number().cloned(),
            producer_timestamp: index.producer_timestamp(),
            server_timestamp: index.server_timestamp(),
            cluster_timestamp_ns: index.cluster_timestamp_ns(),
            document_offset: fragment.document_offset(),
            offset: index.offset(),
            bytes: index.media_len(),
            duration_ns: duration_ns(&tracks),
            tracks,
            unusual: unusual.into_iter().map(Finding::from).collect(),
        }
    }
}

impl TrackSummary {
    fn new(fragment: &FragmentIndex, track: &TrackEntry) -> Self {
        let is_video = track.track_type == TrackType::Video;
        let mut summary = Self {
            number: track.number,
            track_type: track.track_type,
            codec_id: track.codec_id.clone(),
            codec_private_bytes: track.codec_private.as_ref().map(|private| private.len()),
            blocks: 0,
            key_frames: is_video.then_some(0),
            bytes: 0,
            times: FrameTimes::of_track(fragment, track),
        };
        for frame in fragment.frames().filter(|frame| frame.track().number == track.number) {
            summary.blocks = summary.blocks.saturating_add(1);
            summary.bytes = summary.bytes.saturating_add(frame.len());
            if let Some(key_frames) = &mut summary.key_frames
                && frame.is_key()
            {
                *key_frames = key_frames.saturating_add(1);
            }
        }
        summary
    }
}

fn duration_ns(tracks: &[TrackSummary]) -> i64 {
    let times = || tracks.iter().filter_map(|track| track.times);
    let first = times().map(|times| times.first).min().unwrap_or(0);
    let end = times().map(FrameTimes::end).max().unwrap_or(0);
    end.saturating_sub(first)
}

/// What is unusual about a fragment, whatever is before it.
fn on_its_own(fragment: &FragmentIndex, tracks: &[TrackSummary]) -> Vec<Unusual> {
    let mut unusual = Vec::new();
    if let Some(incomplete) = fragment.incomplete() {
        let (offset, missing_bytes) = (incomplete.offset, incomplete.missing_bytes);
        unusual.push(Unusual::Incomplete { offset, missing_bytes });
    }
    unusual.extend(fragment.damages().iter().cloned().map(|damage| Unusual::Damaged { damage }));
    if !fragment.is_whole() && fragment.damages().is_empty() && fragment.incomplete().is_none() {
        unusual.push(Unusual::FaultyFrames);
    }
    if fragment.frames().next().is_none() && fragment.damages().is_empty() {
        unusual.push(Unusual::Empty);
    }
    let first_picture = fragment.frames().find(|frame| frame.track().track_type == TrackType::Video);
    if first_picture.is_some_and(|frame| !frame.is_key()) {
        unusual.push(Unusual::NoKeyFrameFirst);
    }
    let without = tracks.iter().filter(|track| track.codec_private_bytes.is_none());
    unusual.extend(without.map(|track| Unusual::NoCodecPrivate { track: track.number }));
    unusual
}
