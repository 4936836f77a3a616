//! [`Row`]: what there is to say about one fragment.

use std::fmt;

use getclip::{FragmentIndex, FragmentName, Timestamp, TrackEntry, TrackType};

use crate::frame_times::FrameTimes;
use crate::input::Input;
use crate::inspect::neighbours::Neighbours;
use crate::text::seconds;

/// One fragment, without its media.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) file: String,
    pub(super) name: FragmentName,
    pub(super) number: Option<String>,
    pub(super) producer_timestamp: Option<Timestamp>,
    pub(super) server_timestamp: Option<Timestamp>,
    pub(super) cluster_timestamp_ns: Option<i64>,
    /// Where the Cluster begins in the file, and its size.
    pub(super) offset: u64,
    pub(super) bytes: u64,
    /// From the first frame of any track to the end of the last.
    pub(super) duration_ns: i64,
    pub(super) tracks: Vec<TrackSummary>,
    pub(super) unusual: Vec<Unusual>,
}

/// The frames of one track in one fragment.
#[derive(Debug)]
pub(super) struct TrackSummary {
    pub(super) number: u64,
    pub(super) track_type: TrackType,
    pub(super) codec_id: String,
    pub(super) codec_private_bytes: Option<usize>,
    pub(super) blocks: u64,
    /// `None` for other tracks than video: their producers do not care for the flag.
    pub(super) key_frames: Option<u64>,
    pub(super) bytes: u64,
    pub(super) times: Option<FrameTimes>,
}

/// What makes a fragment worth a second look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unusual {
    /// The input ends inside the fragment.
    Incomplete { reason: String },
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
    Gap { duration_ns: i64 },
    /// It begins before the end of the fragment before.
    Overlap { duration_ns: i64 },
}

impl fmt::Display for Unusual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incomplete { reason } => f.write_str(reason),
            Self::Empty => f.write_str("no frames"),
            Self::NoKeyFrameFirst => f.write_str("does not start on a key frame"),
            Self::NoCodecPrivate { track } => write!(f, "track {track} has no codec private data"),
            Self::TracksChanged => f.write_str("other tracks than the fragment before"),
            Self::CodecPrivateChanged { track } => {
                write!(f, "codec private data of track {track} differs from the fragment before")
            }
            Self::Gap { duration_ns } => write!(f, "gap of {} in front of it", seconds(*duration_ns)),
            Self::Overlap { duration_ns } => {
                write!(f, "starts {} before the end of the fragment before", seconds(*duration_ns))
            }
        }
    }
}

impl Row {
    pub(super) fn new(input: &Input, fragment: &FragmentIndex, neighbours: &mut Neighbours) -> Self {
        let tracks: Vec<TrackSummary> =
            fragment.tracks().iter().map(|track| TrackSummary::new(fragment, track)).collect();
        let mut unusual = on_its_own(fragment, &tracks);
        unusual.extend(neighbours.compare(fragment, &tracks));
        Self {
            file: input.to_string(),
            name: fragment.name(),
            number: fragment.number().map(ToString::to_string),
            producer_timestamp: fragment.producer_timestamp(),
            server_timestamp: fragment.server_timestamp(),
            cluster_timestamp_ns: fragment.cluster_timestamp_ns(),
            offset: fragment.offset(),
            bytes: fragment.media_len(),
            duration_ns: duration_ns(&tracks),
            tracks,
            unusual,
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

/// What is unusual about a fragment whatever there is in front of it.
fn on_its_own(fragment: &FragmentIndex, tracks: &[TrackSummary]) -> Vec<Unusual> {
    let mut unusual = Vec::new();
    if let Some(incomplete) = fragment.incomplete() {
        unusual.push(Unusual::Incomplete { reason: incomplete.to_string() });
    }
    if fragment.frames().next().is_none() {
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
