//! Which sample entry is in force: codec private data that stays, that changes, or that frames bring.

use bytes::Bytes;

use crate::codec::nal::{NalKind, NalScanner};
use crate::codec::{AudioConfig, Codec, VideoConfig};
use crate::error::{Error, ErrorKind};
use crate::fragment::Fragment;
use crate::matroska::TrackEntry;
use crate::report::Event;
use crate::track::tracks::{self, VIDEO_TRACK};
use crate::track::{Entry, PlanOptions, Track};

/// What happens when tracks or codec private data change inside the clip.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodecChanges {
    /// The clip is refused, as GetClip does.
    #[default]
    Refuse,
    /// The track gets one sample entry more. Players differ in what they make of it: ffmpeg and GStreamer go on,
    /// browsers stop. The sampling rate and the kind of audio codec cannot change.
    NewSampleEntry,
}

/// Sample entries of a track, at most. A recording whose encoder was set up this often is none.
const MAX_ENTRIES: usize = 32;

/// The entry of a track that the frames of the current fragment are under.
#[derive(Debug, Default)]
pub(crate) struct InForce {
    /// In the track's entries.
    pub(crate) entry: usize,
    /// Bytes of a NAL length in the frames of this fragment.
    pub(crate) length_size: u8,
    /// Codec ID and codec private data that were parsed into it.
    source: Option<(String, Option<Bytes>)>,
    from_frames: bool,
}

impl InForce {
    /// Puts the entry of a fragment's video track in force, which stands at `index` in its tracks.
    pub(crate) fn enter_video(
        &mut self,
        track: &mut Track,
        fragment: &Fragment,
        index: Option<usize>,
        options: PlanOptions,
    ) -> Result<Option<Event>, Error> {
        let Some(declared) = index.and_then(|index| fragment.tracks().get(index)) else {
            let reason = "expected a video track with number 1, found none".into();
            return Err(ErrorKind::UnsupportedMediaType { reason }.into());
        };
        if self.is_of(declared) {
            return Ok(None);
        }
        let codec = tracks::video_codec(declared)?;
        let private = tracks::codec_private(declared)?;
        let config = match private {
            Some(private) => tracks::video_config(codec, private)?,
            None if !options.codec_private_from_frames => {
                return Err(ErrorKind::MissingCodecPrivateData.into());
            }
            // What the fragment in front of this one was decoded with still holds, until its frames say otherwise.
            None if self.from_frames => return Ok(None),
            None => config_from_frames(codec, fragment, index)?,
        };
        self.length_size = config.length_size();
        let pixels = declared.video.map_or((0, 0), |video| {
            let clamp = |pixels| u32::try_from(pixels).unwrap_or(0);
            (clamp(video.pixel_width), clamp(video.pixel_height))
        });
        let entered = self.enter(track, Entry::Video { config, pixels }, fragment, options.codec_changes)?;
        self.source = Some(source_of(declared));
        if private.is_none() {
            self.from_frames = true;
            return Ok(Some(Event::CodecPrivateFromFrames { track: VIDEO_TRACK }));
        }
        Ok(entered)
    }

    /// The same for the audio track, if there is one. `is_first` tells the fragment that decides whether there is.
    pub(crate) fn enter_audio(
        &mut self,
        track: &mut Track,
        fragment: &Fragment,
        index: Option<usize>,
        is_first: bool,
        options: PlanOptions,
    ) -> Result<Option<Event>, Error> {
        let declared = index.and_then(|index| fragment.tracks().get(index));
        let difference = match (declared, track.entries.is_empty()) {
            (None, true) => return Ok(None),
            (None, false) => "no audio track any more",
            (Some(_), true) if !is_first => "an audio track that was not there before",
            (Some(_), _) => "",
        };
        if !difference.is_empty() && options.codec_changes == CodecChanges::Refuse {
            return Err(ErrorKind::TracksChanged { difference: difference.into() }.into());
        }
        let Some(declared) = declared.filter(|declared| !self.is_of(declared)) else { return Ok(None) };
        let config = tracks::audio_config(declared, options.profile)?;
        let entered = self.enter(track, Entry::Audio(config), fragment, options.codec_changes)?;
        self.source = Some(source_of(declared));
        Ok(entered)
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

    /// Whether the entry in force came from the same codec ID and codec private data.
    fn is_of(&self, declared: &TrackEntry) -> bool {
        self.source.as_ref().is_some_and(|(codec_id, private)| {
            *codec_id == declared.codec_id && *private == declared.codec_private
        })
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

    /// One media timescale serves a whole track, and that of audio is its sampling rate.
    fn can_share_track_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Audio(config), Self::Audio(other)) => {
                config.codec() == other.codec() && config.sampling_rate() == other.sampling_rate()
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
fn config_from_frames(codec: Codec, fragment: &Fragment, index: Option<usize>) -> Result<VideoConfig, Error> {
    let scanner = NalScanner::new(codec, 4);
    let mut nals = Vec::new();
    for block in fragment.blocks().iter().filter(|block| Some(usize::from(block.track)) == index) {
        // A frame that cannot be read fails where frames are planned, with its place.
        let Ok(scan) = scanner.scan(fragment.frame_bytes(block), block.offset, &mut nals) else { break };
        if scan.has_random_access || block.key {
            break;
        }
    }
    let sets = nals.iter().filter(|nal| nal.kind == NalKind::ParameterSet);
    let sets = sets.map(|nal| nal.bytes(&fragment.data));
    let config = tracks::video_config_from_parameter_sets(codec, sets).ok();
    config.filter(VideoConfig::is_complete).ok_or_else(|| ErrorKind::MissingCodecPrivateData.into())
}

fn source_of(declared: &TrackEntry) -> (String, Option<Bytes>) {
    (declared.codec_id.clone(), declared.codec_private.clone())
}
