//! Tracks of a clip, neither Matroska nor MP4: samples in decode order, and what a decoder must know first.
//!
//! This is where the two containers meet. [`plan`] makes tracks of fragments; `time` gives their samples times;
//! `isobmff` writes both down.

pub(crate) mod entries;
pub(crate) mod plan;
pub(crate) mod scan;
pub(crate) mod tracks;

use bytes::Bytes;

use crate::codec::nal::{FrameScan, Nal, NalKind};
use crate::codec::{AudioConfig, Codec, VideoConfig};
use crate::report::Event;
use crate::timestamp::Timestamp;

use entries::CodecChanges;
pub(crate) use plan::TrackPlan;
use tracks::Profile;

/// What the caller decides of the tracks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlanOptions {
    pub(crate) profile: Profile,
    pub(crate) codec_changes: CodecChanges,
    pub(crate) codec_private_from_frames: bool,
}

/// A track of the clip, as far as its fragments have been planned.
#[derive(Debug)]
pub(crate) struct Track {
    /// 1 video, 2 audio.
    pub(crate) number: u64,
    /// What the samples need to be decoded; each segment names one.
    pub(crate) entries: Vec<Entry>,
    /// One for each fragment of the clip, empty where the fragment has no frame of this track.
    pub(crate) segments: Vec<Segment>,
}

/// A configuration of the codec, and what the samples under it are like.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    Video {
        config: VideoConfig,
        /// PixelWidth and PixelHeight, for when the SPS cannot be read.
        pixels: (u32, u32),
    },
    Audio(AudioConfig),
}

/// A frame: where its bytes are, and when it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Presentation time from the start of its fragment, in nanoseconds.
    pub(crate) time_ns: i64,
    /// Bytes of the frame in the input.
    pub(crate) len: u32,
    /// Of the frame in its fragment's data or, where it is made of NAL units, of the first of them in the segment's.
    pub(crate) offset: u32,
    /// How many NAL units it is made of; 0 for a frame that is a sample as it stands.
    pub(crate) nals: u32,
    pub(crate) sync: bool,
    /// Nothing tells its time; it follows the sample before it.
    pub(crate) untimed: bool,
}

impl Sample {
    /// Whether the frame is a sample as it stands.
    pub(crate) fn is_verbatim(&self) -> bool {
        self.nals == 0
    }
}

/// The samples of one fragment.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    /// In decode order.
    pub(crate) samples: Vec<Sample>,
    /// NAL units of the samples that are not verbatim.
    pub(crate) nals: Vec<Nal>,
    /// In the track's entries.
    pub(crate) entry: usize,
    pub(crate) parameter_sets: ParameterSets,
    pub(crate) adapted: Adapted,
    /// Of the frame that is shown last, where the producer gave it, in nanoseconds.
    pub(crate) frame_duration_ns: Option<i64>,
}

/// How many frames of a segment, or NAL units, were changed, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Adapted {
    pub(crate) reframed: u64,
    pub(crate) with_parameter_sets: u64,
    pub(crate) empty_nals: u64,
    pub(crate) adts: u64,
}

impl Adapted {
    pub(crate) fn note(&mut self, scan: FrameScan) {
        self.reframed = self.reframed.saturating_add(u64::from(scan.reframed));
        self.with_parameter_sets =
            self.with_parameter_sets.saturating_add(u64::from(scan.has_parameter_sets));
        self.empty_nals = self.empty_nals.saturating_add(u64::from(scan.empty_nals));
    }
}

/// What the frames carry in front of their pictures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ParameterSets {
    /// None.
    #[default]
    Absent,
    /// Those of the entry: taken out.
    Equal,
    /// Others: all are left in.
    Different,
}

impl Track {
    pub(crate) fn codec(&self) -> Option<Codec> {
        self.entries.first().map(Entry::codec)
    }

    /// Bytes of a PCM frame, where the samples of the track are PCM frames.
    pub(crate) fn pcm_frame_size(&self) -> Option<u32> {
        match self.entries.first() {
            Some(Entry::Audio(AudioConfig::G711(config))) => Some(u32::from(config.channels())),
            _ => None,
        }
    }

    /// The entries of the first `fragments` fragments, each with what the samples under it carry. Entries are in the
    /// order in which fragments brought them, so these are the first ones.
    pub(crate) fn entries_of(&self, fragments: usize) -> Vec<(&Entry, ParameterSets)> {
        let mut entries: Vec<(&Entry, ParameterSets)> = Vec::new();
        for segment in self.segments.iter().take(fragments).filter(|segment| !segment.samples.is_empty()) {
            let missing = self.entries.get(entries.len()..=segment.entry).unwrap_or_default();
            entries.extend(missing.iter().map(|entry| (entry, ParameterSets::default())));
            if let Some((_, found)) = entries.get_mut(segment.entry) {
                *found = segment.parameter_sets.max(*found);
            }
        }
        entries
    }
}

impl Segment {
    /// The NAL units that a sample is made of. None where it is verbatim.
    pub(crate) fn nals_of(
        &self,
        sample: &Sample,
        parameter_sets: ParameterSets,
    ) -> impl Iterator<Item = &Nal> {
        let first = sample.offset as usize;
        let nals = match sample.nals {
            0 => None,
            count => self.nals.get(first..first.saturating_add(count as usize)),
        };
        let strip = parameter_sets == ParameterSets::Equal;
        nals.unwrap_or_default().iter().filter(move |nal| !(strip && nal.kind == NalKind::ParameterSet))
    }
}

impl Entry {
    pub(crate) fn codec(&self) -> Codec {
        match self {
            Self::Video { config, .. } => config.codec(),
            Self::Audio(config) => config.codec(),
        }
    }
}

/// What the stages behind the plan must know of a fragment of the clip.
#[derive(Debug, Clone)]
pub(crate) struct ClipFragment {
    /// How to call it in a message.
    pub(crate) name: String,
    /// When it starts by the producer's clock, in nanoseconds.
    pub(crate) start_ns: i64,
    pub(crate) timestamp_scale_ns: i64,
    pub(crate) server_timestamp: Option<Timestamp>,
    /// Of its Cluster in the input.
    pub(crate) offset: u64,
    /// What its samples and NAL units are ranges of.
    pub(crate) data: Bytes,
    /// What was not plain about it.
    pub(crate) events: Vec<Event>,
}

/// A range of the clip's media that stands in one piece somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Where it ends, from the start of the media.
    pub(crate) end: u64,
    /// 0 for the NAL lengths that were made for the clip; else the fragment's place in the clip, counted from 1.
    pub(crate) source: u32,
    /// Where it begins in its source.
    pub(crate) offset: u32,
}
