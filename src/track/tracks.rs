//! Which tracks of a fragment are taken, and with which codec configuration.

use crate::codec::aac::AacConfig;
use crate::codec::avc::AvcConfig;
use crate::codec::g711::G711Config;
use crate::codec::hevc::HevcConfig;
use crate::codec::{AudioConfig, Codec, VideoConfig};
use crate::error::{Error, ErrorKind};
use crate::matroska::track_entry::ContentEncoding;
use crate::matroska::{TrackEntry, TrackType};

/// Number of the video track: "track 1" of GetClip's documentation.
pub(crate) const VIDEO_TRACK: u64 = 1;
/// Number of the audio track.
pub(crate) const AUDIO_TRACK: u64 = 2;

/// Which combinations of codecs are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// H.264 or H.265, with AAC, A-law, mu-law or nothing.
    #[default]
    Extended,
    /// The table of GetClip's documentation to the letter: A-law with H.264 only, no mu-law, AAC codec private data
    /// of 2 or 5 bytes.
    Service,
}

/// What a fragment's tracks say of its frames. One value serves all fragments whose tracks are alike.
#[derive(Debug)]
pub(crate) struct TrackConfigs {
    declared: (Option<TrackEntry>, Option<TrackEntry>),
    /// Where the video track stands among the fragment's.
    pub(crate) video_index: Option<usize>,
    pub(crate) audio_index: Option<usize>,
    pub(crate) video: Result<VideoTrack, Error>,
    /// `None` if there is no audio track.
    pub(crate) audio: Result<Option<AudioConfig>, Error>,
}

/// A video track that can be carried.
#[derive(Debug)]
pub(crate) struct VideoTrack {
    pub(crate) codec: Codec,
    /// `None` if there is no codec private data.
    pub(crate) config: Option<VideoConfig>,
    /// PixelWidth and PixelHeight; 0 where they are not declared.
    pub(crate) pixels: (u32, u32),
}

impl TrackConfigs {
    /// Reads the tracks of a fragment.
    pub(crate) fn new(entries: &[TrackEntry], profile: Profile) -> Self {
        let find = |number| entries.iter().position(|entry| entry.number == number);
        let (video_index, audio_index) = (find(VIDEO_TRACK), find(AUDIO_TRACK));
        let at = |index: Option<usize>| index.and_then(|index| entries.get(index)).cloned();
        let declared = (at(video_index), at(audio_index));
        let video = VideoTrack::new(declared.0.as_ref()).map_err(|error| error.on_track(VIDEO_TRACK));
        let audio = declared.1.as_ref().map(|entry| audio_config(entry, profile)).transpose();
        let audio = audio.map_err(|error| error.on_track(AUDIO_TRACK));
        Self { declared, video_index, audio_index, video, audio }
    }

    /// Whether these are the tracks that were read.
    pub(crate) fn are_of(&self, entries: &[TrackEntry]) -> bool {
        let at = |index: Option<usize>| index.and_then(|index| entries.get(index));
        let count = |number| entries.iter().filter(|entry| entry.number == number).count();
        at(self.video_index) == self.declared.0.as_ref()
            && at(self.audio_index) == self.declared.1.as_ref()
            && count(VIDEO_TRACK) == usize::from(self.declared.0.is_some())
            && count(AUDIO_TRACK) == usize::from(self.declared.1.is_some())
    }
}

impl VideoTrack {
    fn new(declared: Option<&TrackEntry>) -> Result<Self, Error> {
        let Some(declared) = declared else {
            let reason = "expected a video track with number 1, found none".into();
            return Err(ErrorKind::UnsupportedMediaType { reason }.into());
        };
        let codec = video_codec(declared)?;
        let config = codec_private(declared)?.map(|private| video_config(codec, private)).transpose()?;
        let pixels = declared.video.map_or((0, 0), |video| {
            let clamp = |pixels| u32::try_from(pixels).unwrap_or(0);
            (clamp(video.pixel_width), clamp(video.pixel_height))
        });
        Ok(Self { codec, config, pixels })
    }

    /// Bytes of a NAL length in the track's frames. Without codec private data it is taken to be 4, as in practice.
    pub(crate) fn length_size(&self) -> u8 {
        self.config.as_ref().map_or(4, VideoConfig::length_size)
    }
}

/// The codec of the video track by its codec ID.
///
/// `V_MPEG/ISO/AVC` is what the service's documentation says; every producer writes `V_MPEG4/ISO/AVC`.
fn video_codec(entry: &TrackEntry) -> Result<Codec, Error> {
    let expected = "V_MPEG4/ISO/AVC or V_MPEGH/ISO/HEVC on track 1";
    match (entry.track_type, entry.codec_id.as_str()) {
        (TrackType::Video, "V_MPEG4/ISO/AVC" | "V_MPEG/ISO/AVC") => Ok(Codec::H264),
        (TrackType::Video, "V_MPEGH/ISO/HEVC") => Ok(Codec::H265),
        (TrackType::Video, found) => Err(unsupported(expected, found)),
        (_, found) => Err(unsupported(expected, &format!("{found}, which is not a video track"))),
    }
}

/// Whether the audio track's codec ID is one that can be carried.
fn check_audio_codec_id(entry: &TrackEntry) -> Result<(), Error> {
    let expected = "A_AAC or A_MS/ACM on track 2";
    match (entry.track_type, entry.codec_id.as_str()) {
        (TrackType::Audio, "A_AAC" | "A_MS/ACM") => Ok(()),
        // The deprecated IDs that spell the profile out (RFC 9559 names only A_AAC).
        (TrackType::Audio, id) if id.starts_with("A_AAC/") => Ok(()),
        (TrackType::Audio, found) => Err(unsupported(expected, found)),
        (_, found) => Err(unsupported(expected, &format!("{found}, which is not an audio track"))),
    }
}

/// The codec private data of a track, if there is any. A track whose frames were compressed or encrypted is refused.
fn codec_private(entry: &TrackEntry) -> Result<Option<&[u8]>, Error> {
    if let ContentEncoding::Unsupported(found) = &entry.encoding {
        return Err(unsupported("frames that are stored as they are, or with stripped headers", found));
    }
    Ok(entry.codec_private.as_deref().filter(|private| !private.is_empty()))
}

fn video_config(codec: Codec, codec_private: &[u8]) -> Result<VideoConfig, Error> {
    match codec {
        Codec::H265 => HevcConfig::parse(codec_private).map(VideoConfig::Hevc),
        _ => AvcConfig::parse(codec_private).map(VideoConfig::Avc),
    }
}

pub(crate) fn video_config_from_parameter_sets<'a>(
    codec: Codec,
    nals: impl Iterator<Item = &'a [u8]>,
) -> Result<VideoConfig, Error> {
    match codec {
        Codec::H265 => HevcConfig::from_parameter_sets(nals).map(VideoConfig::Hevc),
        _ => AvcConfig::from_parameter_sets(nals).map(VideoConfig::Avc),
    }
}

/// The configuration of the audio track.
fn audio_config(entry: &TrackEntry, profile: Profile) -> Result<AudioConfig, Error> {
    check_audio_codec_id(entry)?;
    let private = codec_private(entry)?.ok_or(ErrorKind::MissingCodecPrivateData)?;
    if entry.codec_id == "A_MS/ACM" {
        return G711Config::parse(private).map(AudioConfig::G711);
    }
    if profile == Profile::Service && !matches!(private.len(), 2 | 5) {
        return Err(ErrorKind::AacCodecPrivateLength { found: private.len() }.into());
    }
    AacConfig::parse(private).map(AudioConfig::Aac)
}

/// Checks a combination of codecs against a profile.
pub(crate) fn check_profile(profile: Profile, video: Codec, audio: Option<Codec>) -> Result<(), Error> {
    let in_table = match (video, audio) {
        (_, None | Some(Codec::Aac)) => true,
        (Codec::H264, Some(Codec::ALaw)) => true,
        _ => profile == Profile::Extended,
    };
    match audio {
        Some(audio) if !in_table => {
            let expected = "H.264 with AAC, G.711 A-law or nothing, or H.265 with AAC or nothing";
            Err(unsupported(expected, &format!("{video} with {audio}")).on_track(AUDIO_TRACK))
        }
        _ => Ok(()),
    }
}

fn unsupported(expected: &str, found: &str) -> Error {
    let reason =
        format!("expected {expected}, found {}", if found.is_empty() { "no codec ID" } else { found });
    ErrorKind::UnsupportedMediaType { reason }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(number: u64, codec_id: &str) -> TrackEntry {
        TrackEntry {
            number,
            track_type: if number == 2 { TrackType::Audio } else { TrackType::Video },
            codec_id: codec_id.into(),
            codec_private: None,
            default_duration_ns: None,
            video: None,
            audio: None,
            encoding: ContentEncoding::None,
        }
    }

    /// What was read of the tracks of one fragment serves another if both tracks are the same, in the same places.
    #[test]
    fn configs_are_of_tracks_that_are_alike() {
        let (video, audio, other) = (track(1, "V_MPEG4/ISO/AVC"), track(2, "A_AAC"), track(3, "S_TEXT/UTF8"));
        let (hevc, alaw) = (track(1, "V_MPEGH/ISO/HEVC"), track(2, "A_MS/ACM"));
        let of = |entries: &[&TrackEntry], like: &[&TrackEntry]| {
            let owned = |entries: &[&TrackEntry]| entries.iter().copied().cloned().collect::<Vec<_>>();
            TrackConfigs::new(&owned(entries), Profile::default()).are_of(&owned(like))
        };
        for alike in [&[&video, &audio][..], &[&video], &[&audio], &[&audio, &other, &video], &[&other]] {
            assert!(of(alike, alike));
        }
        assert!(of(&[&video, &audio], &[&video, &audio, &other]), "a track that is not taken");
        for (entries, like) in [
            (&[&video, &audio][..], &[&audio, &video][..]),
            (&[&video, &audio], &[&video]),
            (&[&video, &audio], &[&audio]),
            (&[&video, &audio], &[&hevc, &audio]),
            (&[&video, &audio], &[&video, &alaw]),
            (&[&video], &[&video, &audio]),
            (&[&audio], &[&audio, &video]),
            (&[&other], &[&other, &video]),
            (&[&other], &[&other, &audio]),
        ] {
            assert!(!of(entries, like), "{like:?}");
        }
    }
}
