//! Which sample entry is in force: codec private data that stays, that changes, or that frames bring.

use crate::codec::nal::NalKind;
use crate::codec::{AudioConfig, Codec, VideoConfig};
use crate::error::{Error, ErrorKind};
use crate::fragment::Fragment;
use crate::report::Event;
use crate::track::scan::FragmentScan;
use crate::track::tracks::{self, VIDEO_TRACK, VideoTrack};
use crate::track::{Entry, PlanOptions, Track};

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

/// Sample entries of a track, at most. A recording whose encoder was set up this often is none.
const MAX_ENTRIES: usize = 32;

/// The entry of a track that the frames of the current fragment are under.
#[derive(Debug, Default)]
pub(crate) struct InForce {
    /// In the track's entries.
    pub(crate) entry: usize,
    from_frames: bool,
}

impl InForce {
    /// Puts the entry of a fragment's video in force.
    pub(crate) fn enter_video(
        &mut self,
        track: &mut Track,
        fragment: &Fragment,
        scan: &FragmentScan,
        options: PlanOptions,
    ) -> Result<Option<Event>, Error> {
        let VideoTrack { codec, config, pixels } = scan.configs.video.as_ref().map_err(Error::clone)?;
        let (config, from_frames) = match config {
            Some(config) => (config.clone(), false),
            None if !options.codec_private_from_frames => {
                return Err(ErrorKind::MissingCodecPrivateData.into());
            }
            // What the fragment in front of this one was decoded with still holds, until its frames say otherwise.
            None if self.from_frames => return Ok(None),
            None => (config_from_frames(*codec, scan, &fragment.data)?, true),
        };
        let entry = Entry::Video { config, pixels: *pixels };
        let entered = self.enter(track, entry, fragment, options.codec_changes)?;
        if from_frames {
            self.from_frames = true;
            return Ok(Some(Event::CodecPrivateFromFrames { track: VIDEO_TRACK }));
        }
        Ok(entered)
    }

    /// The same for the audio, if there is any. `is_first` tells the fragment that decides whether there is.
    pub(crate) fn enter_audio(
        &mut self,
        track: &mut Track,
        fragment: &Fragment,
        scan: &FragmentScan,
        is_first: bool,
        options: PlanOptions,
    ) -> Result<Option<Event>, Error> {
        let config = scan.configs.audio.as_ref().map_err(Error::clone)?;
        let difference = match (config, track.entries.is_empty()) {
            (None, false) => "no audio track any more",
            (Some(_), true) if !is_first => "an audio track that was not there before",
            _ => "",
        };
        if !difference.is_empty() && options.codec_changes == CodecChanges::Refuse {
            return Err(ErrorKind::TracksChanged { difference: difference.into() }.into());
        }
        let Some(config) = config else { return Ok(None) };
        self.enter(track, Entry::Audio(config.clone()), fragment, options.codec_changes)
    }

    /// Finds or adds an entry. Tells of one that was added behind the first.
    fn enter(
        &mut self,
        track: &mut Track,
        entry: Entry,
        fragment: &Fragment,
        changes: CodecChanges,
    ) -> Result<Option<Event>, Error> {
        let Some(current) = track.entries.get(self.entry) else {
            track.entries.push(entry);
            return Ok(None);
        };
        let known = track.entries.iter().position(|known| known.has_config_of(&entry));
        if known == Some(self.entry) {
            return Ok(None);
        }
        let difference = current.difference(&entry);
        if changes == CodecChanges::Refuse || !current.can_share_track_with(&entry) {
            let kind = if current.codec() == entry.codec() {
                ErrorKind::CodecPrivateDataChanged { difference }
            } else {
                ErrorKind::TracksChanged { difference }
            };
            return Err(kind.into());
        }
        if let Some(known) = known {
            self.entry = known;
            return Ok(None);
        }
        if track.entries.len() == MAX_ENTRIES {
            let what = "the number of sample entries of a track";
            let limit = MAX_ENTRIES as u64;
            return Err(ErrorKind::TooLarge { what, found: limit.saturating_add(1), limit }.into());
        }
        self.entry = track.entries.len();
        track.entries.push(entry);
        Ok(Some(Event::SampleEntryAdded { fragment: fragment.name(), track: track.number, difference }))
    }
}

impl Entry {
    /// Whether a decoder would see no difference.
    fn has_config_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Video { config, .. }, Self::Video { config: other, .. }) => config == other,
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

/// Codec private data out of the parameter sets in front of, or in, the first key frame of a fragment.
fn config_from_frames(codec: Codec, scan: &FragmentScan, data: &[u8]) -> Result<VideoConfig, Error> {
    let first_key = scan.video.samples.iter().position(|sample| sample.sync);
    let until_key = scan.video.samples.get(..=first_key.unwrap_or(0)).unwrap_or_default();
    let nals = until_key.iter().filter(|sample| sample.nals > 0).flat_map(|sample| {
        let first = sample.offset as usize;
        scan.nals.get(first..first.saturating_add(sample.nals as usize)).unwrap_or_default()
    });
    let sets = nals.filter(|nal| nal.kind == NalKind::ParameterSet).map(|nal| nal.bytes(data));
    let config = tracks::video_config_from_parameter_sets(codec, sets).ok();
    config.filter(VideoConfig::is_complete).ok_or_else(|| ErrorKind::MissingCodecPrivateData.into())
}
