//! Which sample description is active: codec private data that stays, that changes, or that frames bring.

use crate::codec::nal_role::NalRole;
use crate::codec::{AudioConfig, Codec, VideoCodec, VideoConfig};
use crate::error::{Error, ErrorKind};
use crate::index::FragmentIndex;
use crate::named::named;
use crate::plan::track_configs::{TrackConfigs, VideoTrack};
use crate::plan::{PlanOptions, PlannedTrack, SampleDescription};
use crate::report::Event;

/// What happens when tracks or codec private data change inside the clip.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodecChanges {
    /// The clip is refused, as GetClip does.
    #[default]
    Refuse,
    /// The track gets one sample entry more. Players differ in what they make of it: ffmpeg and GStreamer go on,
    /// browsers stop. The sampling rate and the kind of audio codec cannot change, nor the channels of G.711.
    NewSampleEntry,
}

named!(CodecChanges, "what happens when codec private data changes", {
    Refuse => "refuse",
    NewSampleEntry => "new-sample-entry",
});

/// What happens when a video track has no codec private data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MissingCodecPrivate {
    /// The clip is refused, as GetClip does: [`ErrorKind::MissingCodecPrivateData`].
    #[default]
    Refuse,
    /// It is made of the parameter sets before, or in, the first key frame.
    FromFrames,
}

named!(MissingCodecPrivate, "what happens to missing codec private data", {
    Refuse => "refuse",
    FromFrames => "from-frames",
});

/// Descriptions of a track, at most. No recording has an encoder that was set up this often.
const MAX_DESCRIPTIONS: usize = 32;

/// The description of a track that the frames of the current fragment are under.
#[derive(Debug, Default)]
pub(crate) struct ActiveDescription {
    /// Index in the track's descriptions.
    pub(crate) index: usize,
    from_frames: bool,
}

impl ActiveDescription {
    /// Activates the description of a fragment's video.
    pub(crate) fn enter_video(
        &mut self,
        track: &mut PlannedTrack,
        fragment: &FragmentIndex,
        configs: &TrackConfigs,
        options: PlanOptions,
        events: &mut Vec<Event>,
    ) -> Result<(), Error> {
        let Some(video) = configs.video.as_ref().map_err(Error::clone)? else {
            return match track.descriptions.is_empty() || options.codec_changes != CodecChanges::Refuse {
                true => Ok(()),
                false => {
                    Err(ErrorKind::TracksChanged { difference: "no video track any more".into() }.into())
                }
            };
        };
        let VideoTrack { codec, config, pixels } = video;
        let active = track.descriptions.get(self.index).map(SampleDescription::codec);
        let (config, from_frames) = match config {
            Some(config) => (config.clone(), false),
            None if options.missing_codec_private == MissingCodecPrivate::Refuse => {
                return Err(ErrorKind::MissingCodecPrivateData.into());
            }
            // What the fragment before this one was decoded with still holds, until its frames say otherwise.
            None if self.from_frames && active == Some(Codec::Video(*codec)) => return Ok(()),
            None => (config_from_frames(*codec, fragment, configs)?, true),
        };
        let description = SampleDescription::Video { config, pixels: *pixels };
        self.enter(track, description, fragment, options.codec_changes, events)?;
        if from_frames {
            self.from_frames = true;
            events.push(Event::CodecPrivateFromFrames { track: track.number });
        }
        Ok(())
    }

    /// Activates the description of a fragment's audio, if there is any. `is_first` tells the fragment that decides
    /// whether there is.
    pub(crate) fn enter_audio(
        &mut self,
        track: &mut PlannedTrack,
        fragment: &FragmentIndex,
        configs: &TrackConfigs,
        is_first: bool,
        options: PlanOptions,
        events: &mut Vec<Event>,
    ) -> Result<(), Error> {
        let config = configs.audio.as_ref().map_err(Error::clone)?;
        let difference = match (config, track.descriptions.is_empty()) {
            (None, false) => "no audio track any more",
            (Some(_), true) if !is_first => "an audio track that was not there before",
            _ => "",
        };
        if !difference.is_empty() && options.codec_changes == CodecChanges::Refuse {
            return Err(ErrorKind::TracksChanged { difference: difference.into() }.into());
        }
        let Some(config) = config else { return Ok(()) };
        let description = SampleDescription::Audio(config.clone());
        self.enter(track, description, fragment, options.codec_changes, events)
    }

    /// Finds or adds a description. Reports one that was added after the first.
    fn enter(
        &mut self,
        track: &mut PlannedTrack,
        description: SampleDescription,
        fragment: &FragmentIndex,
        changes: CodecChanges,
        events: &mut Vec<Event>,
    ) -> Result<(), Error> {
        let Some(current) = track.descriptions.get(self.index) else {
            track.descriptions.push(description);
            return Ok(());
        };
        let known = track.descriptions.iter().position(|known| known.decodes_like(&description));
        if known == Some(self.index) {
            return Ok(());
        }
        let difference = current.difference(&description);
        if changes == CodecChanges::Refuse || !current.can_share_track_with(&description) {
            let kind = if current.codec() == description.codec() {
                ErrorKind::CodecPrivateDataChanged { difference }
            } else {
                ErrorKind::TracksChanged { difference }
            };
            return Err(kind.into());
        }
        if let Some(known) = known {
            self.index = known;
            return Ok(());
        }
        if track.descriptions.len() == MAX_DESCRIPTIONS {
            let what = "the number of sample entries of a track";
            let limit = MAX_DESCRIPTIONS as u64;
            return Err(ErrorKind::TooLarge { what, found: limit.saturating_add(1), limit }.into());
        }
        self.index = track.descriptions.len();
        track.descriptions.push(description);
        events.push(Event::SampleEntryAdded { fragment: fragment.name(), track: track.number, difference });
        Ok(())
    }
}

impl SampleDescription {
    /// Whether a decoder would see no difference.
    fn decodes_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Video { config, .. }, Self::Video { config: other, .. }) => config.decodes_like(other),
            (Self::Audio(config), Self::Audio(other)) => config == other,
            _ => false,
        }
    }

    /// One media timescale serves a whole track, and that of audio is its sampling rate. One sample size serves all
    /// PCM frames, and that is their channels: a size for each would be a table half as large as the media.
    fn can_share_track_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Audio(config), Self::Audio(other)) => {
                let is_pcm = matches!(config, AudioConfig::G711(_));
                config.codec() == other.codec()
                    && config.sampling_rate() == other.sampling_rate()
                    && (!is_pcm || config.channels() == other.channels())
            }
            _ => true,
        }
    }

    fn difference(&self, other: &Self) -> String {
        let told = |config: &AudioConfig| {
            format!("{}, {} Hz, {} channels", config.codec(), config.sampling_rate(), config.channels())
        };
        match (self, other) {
            (Self::Video { config, .. }, Self::Video { config: other, .. }) => config.difference(other),
            (Self::Audio(config), Self::Audio(other)) if told(config) != told(other) => {
                format!("{} to {}", told(config), told(other))
            }
            (Self::Audio(config), _) => format!("another configuration of {}", told(config)),
            (Self::Video { .. }, Self::Audio(_)) => "video to audio".into(),
        }
    }
}

/// Codec private data out of the parameter sets before, or in, the first key frame of a fragment.
fn config_from_frames(
    codec: VideoCodec,
    fragment: &FragmentIndex,
    configs: &TrackConfigs,
) -> Result<VideoConfig, Error> {
    let table = &fragment.frames;
    let rows = configs.chosen.video.index.map_or(&[][..], |index| table.rows(index));
    let first_key = rows.iter().position(|row| row.is_sync());
    let until_key = rows.get(..=first_key.unwrap_or(0)).unwrap_or_default();
    let nals = until_key.iter().flat_map(|row| row.nals(&table.nals));
    let sets = nals.filter(|nal| nal.role == NalRole::ParameterSet);
    let sets = sets.filter_map(|nal| table.parameter_sets.get(usize::from(nal.set)).map(|set| &**set));
    let config = VideoConfig::from_parameter_sets(codec, sets).ok();
    config.filter(VideoConfig::is_complete).ok_or_else(|| ErrorKind::MissingCodecPrivateData.into())
}
