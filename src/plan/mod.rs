//! The plan of a clip: its fragments in order, each with the samples of its tracks, and what a decoder must know first.
//!
//! This is where the two containers meet: [`fragments`] makes a plan of indexes, `time` gives its samples times, and
//! `isobmff` writes both down.

mod access_units;
pub(crate) mod display;
pub(crate) mod fragments;
pub(crate) mod sample_descriptions;
mod track_choice;
pub(crate) mod track_configs;

use bytes::Bytes;

use crate::codec::nal_role::NalRole;
use crate::codec::{AudioConfig, Codec, VideoConfig};
use crate::incomplete_input::IncompleteInput;
use crate::index::frame_table::{FrameRow, Nal, Recovery};
use crate::number::FragmentName;
use crate::report::Event;
use crate::timestamp::Timestamp;

use display::Display;
pub(crate) use fragments::Plan;
pub use sample_descriptions::{CodecChanges, MissingCodecPrivate};
pub use track_choice::TrackChoice;
pub(crate) use track_choice::{ChosenTracks, TrackChoices};
pub use track_configs::Profile;

/// What the caller decides of the tracks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PlanOptions {
    pub(crate) tracks: TrackChoices,
    pub(crate) profile: Profile,
    pub(crate) codec_changes: CodecChanges,
    pub(crate) missing_codec_private: MissingCodecPrivate,
    pub(crate) incomplete_input: IncompleteInput,
}

/// A sample of the clip: a row of its fragment's index.
pub(crate) type Sample = FrameRow;

/// A track of the clip.
#[derive(Debug)]
pub(crate) struct PlannedTrack {
    /// In the input and in the clip.
    pub(crate) number: u64,
    /// What decoders must know of the samples; the samples of each fragment name one.
    pub(crate) descriptions: Vec<SampleDescription>,
}

/// A configuration of the codec, and what the samples under it are like.
#[derive(Debug, Clone)]
pub(crate) enum SampleDescription {
    Video {
        config: VideoConfig,
        /// PixelWidth and PixelHeight, for when the SPS cannot be read.
        pixels: (u32, u32),
    },
    Audio(AudioConfig),
}

/// A fragment of the clip.
#[derive(Debug, Clone)]
pub(crate) struct PlannedFragment {
    pub(crate) name: FragmentName,
    /// Its place among the fragments that were offered.
    pub(crate) offered: usize,
    /// What the caller identifies its media by.
    pub(crate) identity: Option<Box<[u8]>>,
    /// When it starts by the producer's clock, in nanoseconds.
    pub(crate) start_ns: i64,
    /// When it starts by the clock of the selection.
    pub(crate) selected_by: Timestamp,
    /// Frames that were left out because they are outside the range.
    pub(crate) left_out: u64,
    pub(crate) timestamp_scale_ns: i64,
    pub(crate) server_timestamp: Option<Timestamp>,
    /// Offset of its Cluster in the input, in bytes.
    pub(crate) offset: u64,
    /// Size of its media in bytes.
    pub(crate) media_len: u64,
    pub(crate) video: FragmentSamples,
    pub(crate) audio: FragmentSamples,
    /// What was not plain about it.
    pub(crate) events: Vec<Event>,
}

/// The samples of one fragment on one track; none where the fragment has no frame of the track.
#[derive(Debug, Clone, Default)]
pub(crate) struct FragmentSamples {
    /// In decode order.
    pub(crate) samples: Vec<Sample>,
    /// NAL units of the samples that are not verbatim.
    pub(crate) nals: Vec<Nal>,
    /// Pictures from which decoding recovers though they are no sync samples, in decode order.
    pub(crate) recovery_points: Vec<RecoveryPoint>,
    /// Index of their description in the track.
    pub(crate) description: usize,
    pub(crate) in_band: InBandParameterSets,
    pub(crate) changes: FrameChanges,
    /// Duration in nanoseconds of the last frame in presentation order, if the producer declared one.
    pub(crate) frame_duration_ns: Option<i64>,
    /// CodecDelay: how much earlier the samples are presented than their times tell, in nanoseconds.
    pub(crate) codec_delay_ns: u64,
    /// What was cut off the front of each frame that is marked as stripped.
    pub(crate) stripped_header: Bytes,
}

impl FragmentSamples {
    /// Bytes of a frame that is a sample as it stands, with what was cut off its front.
    pub(crate) fn verbatim_len(&self, frame: &Sample) -> u32 {
        frame.verbatim_len(self.stripped_len())
    }

    /// Bytes that were cut off the front of each frame that is marked as stripped: 16 at most.
    pub(crate) fn stripped_len(&self) -> u32 {
        self.stripped_header.len() as u32
    }
}

/// A picture from which decoding recovers though it is no sync sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecoveryPoint {
    /// Index of its sample in the fragment.
    pub(crate) sample: u32,
    /// How many of the samples after it, in decode order, must be decoded until all that follow are right: 0 if it is
    /// right itself. Pictures that are shown before it are not counted.
    pub(crate) later_samples: u32,
}

impl RecoveryPoint {
    /// Rows and samples are the same where each row is a picture.
    fn of(recovery: &Recovery) -> Self {
        Self { sample: recovery.row, later_samples: recovery.later_pictures }
    }
}

/// How many frames of a fragment, or NAL units, were changed, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FrameChanges {
    pub(crate) converted_framing: u64,
    pub(crate) with_parameter_sets: u64,
    pub(crate) empty_nals: u64,
    pub(crate) padded: u64,
    pub(crate) adts: u64,
    /// Blocks whose NAL units joined the picture of another block.
    pub(crate) blocks_joined: u64,
    /// Pictures that were not the first of their block.
    pub(crate) pictures_split: u64,
    /// Blocks at the end of the fragment that belong to no picture.
    pub(crate) without_picture: u64,
}

/// What the frames carry besides their pictures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum InBandParameterSets {
    /// No parameter sets.
    #[default]
    Absent,
    /// Those of the sample description: taken out.
    Equal,
    /// Others: all are left in.
    Different,
}

/// The first fragments of a plan, which make a file of their own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeadingRun<'a> {
    pub(crate) fragments: &'a [PlannedFragment],
    pub(crate) video: TrackRun<'a>,
    pub(crate) audio: TrackRun<'a>,
}

/// One track of a leading run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrackRun<'a> {
    pub(crate) track: &'a PlannedTrack,
    fragments: &'a [PlannedFragment],
    samples: fn(&PlannedFragment) -> &FragmentSamples,
}

impl PlannedTrack {
    pub(crate) fn codec(&self) -> Option<Codec> {
        self.descriptions.first().map(SampleDescription::codec)
    }

    /// Bytes of a PCM frame, if the samples of the track are PCM frames.
    pub(crate) fn pcm_frame_size(&self) -> Option<u32> {
        match self.descriptions.first() {
            Some(SampleDescription::Audio(AudioConfig::G711(config))) => Some(u32::from(config.channels())),
            _ => None,
        }
    }
}

impl<'a> LeadingRun<'a> {
    pub(crate) fn new(
        fragments: &'a [PlannedFragment],
        video: &'a PlannedTrack,
        audio: &'a PlannedTrack,
    ) -> Self {
        Self {
            fragments,
            video: TrackRun { track: video, fragments, samples: |fragment| &fragment.video },
            audio: TrackRun { track: audio, fragments, samples: |fragment| &fragment.audio },
        }
    }
}

impl<'a> TrackRun<'a> {
    /// The samples of the track, fragment by fragment.
    pub(crate) fn samples(&self) -> impl Iterator<Item = &'a FragmentSamples> + use<'a> {
        self.fragments.iter().map(self.samples)
    }

    /// The samples of the fragment at `place` in the clip.
    pub(crate) fn get(&self, place: usize) -> Option<&'a FragmentSamples> {
        self.fragments.get(place).map(self.samples)
    }

    /// The descriptions that are in use, each with what the samples under it carry. Descriptions stand in the order in
    /// which fragments brought them, so these are the first ones.
    pub(crate) fn descriptions(&self) -> Vec<(&'a SampleDescription, InBandParameterSets)> {
        let mut used: Vec<(&SampleDescription, InBandParameterSets)> = Vec::new();
        for fragment in self.samples().filter(|fragment| !fragment.samples.is_empty()) {
            let missing = self.track.descriptions.get(used.len()..=fragment.description).unwrap_or_default();
            used.extend(missing.iter().map(|description| (description, InBandParameterSets::default())));
            if let Some((_, found)) = used.get_mut(fragment.description) {
                *found = fragment.in_band.max(*found);
            }
        }
        used
    }
}

impl FragmentSamples {
    /// The NAL units that a sample is made of. None where it is verbatim.
    pub(crate) fn nals_of(
        &self,
        sample: &Sample,
        in_band: InBandParameterSets,
    ) -> impl Iterator<Item = &Nal> {
        let strip = in_band == InBandParameterSets::Equal;
        sample.nals(&self.nals).iter().filter(move |nal| !(strip && nal.role == NalRole::ParameterSet))
    }
}

impl SampleDescription {
    pub(crate) fn codec(&self) -> Codec {
        match self {
            Self::Video { config, .. } => Codec::Video(config.codec()),
            Self::Audio(config) => Codec::Audio(config.codec()),
        }
    }

    /// How the pictures are to be shown.
    pub(crate) fn display(&self) -> Display {
        let picture = match self {
            Self::Video { config, .. } => config.picture(),
            Self::Audio(_) => None,
        };
        picture.map_or_else(Display::default, |picture| Display {
            pixel_aspect: picture.pixel_aspect,
            colour: picture.colour,
            ..Display::default()
        })
    }
}
