//! Which tracks of a fragment are taken, and with which codec configuration.

use crate::codec::aac::AacConfig;
use crate::codec::g711::G711Config;
use crate::codec::{AudioCodec, AudioConfig, VideoCodec, VideoConfig};
use crate::error::{Error, ErrorKind};
use crate::index::track_set::{self, TrackCodec, TrackSet};
use crate::matroska::{TrackEntry, TrackType};
use crate::named::named;

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

named!(Profile, "the profile", { Extended => "extended", Service => "service" });

/// What a fragment's tracks say of its frames. One value serves all fragments that declare the same tracks.
#[derive(Debug)]
pub(crate) struct TrackConfigs {
    /// Index of the video track among those that the fragment declares.
    pub(crate) video_index: Option<usize>,
    pub(crate) audio_index: Option<usize>,
    pub(crate) video: Result<VideoTrack, Error>,
    /// `None` if there is no audio track.
    pub(crate) audio: Result<Option<AudioConfig>, Error>,
}

/// A video track that can be carried.
#[derive(Debug)]
pub(crate) struct VideoTrack {
    pub(crate) codec: VideoCodec,
    /// `None` if there is no codec private data.
    pub(crate) config: Option<VideoConfig>,
    /// PixelWidth and PixelHeight; 0 where they are not declared.
    pub(crate) pixels: (u32, u32),
}

impl TrackConfigs {
    /// Reads the tracks of a fragment.
    pub(crate) fn new(tracks: &TrackSet, profile: Profile) -> Self {
        let (video, audio) = (tracks.find(VIDEO_TRACK), tracks.find(AUDIO_TRACK));
        let audio_config = audio.map(|(_, entry)| audio_config(entry, profile)).transpose();
        Self {
            video_index: video.map(|(index, _)| index),
            audio_index: audio.map(|(index, _)| index),
            video: VideoTrack::new(video.map(|(_, entry)| entry))
                .map_err(|error| error.on_track(VIDEO_TRACK)),
            audio: audio_config.map_err(|error| error.on_track(AUDIO_TRACK)),
        }
    }
}

impl VideoTrack {
    fn new(declared: Option<&TrackEntry>) -> Result<Self, Error> {
        let Some(declared) = declared else {
            let reason = "expected a video track with number 1, found none".into();
            return Err(ErrorKind::UnsupportedMediaType { reason }.into());
        };
        let codec = video_codec(declared)?;
        let config =
            codec_private(declared)?.map(|private| VideoConfig::parse(codec, private)).transpose()?;
        let pixels = declared.video.map_or((0, 0), |video| {
            let clamp = |pixels| u32::try_from(pixels).unwrap_or(0);
            (clamp(video.pixel_width), clamp(video.pixel_height))
        });
        Ok(Self { codec, config, pixels })
    }
}

/// The codec of the video track.
fn video_codec(entry: &TrackEntry) -> Result<VideoCodec, Error> {
    let expected = "V_MPEG4/ISO/AVC or V_MPEGH/ISO/HEVC on track 1";
    match (track_set::codec(entry), entry.track_type) {
        (Some(TrackCodec::Video(codec)), TrackType::Video) => Ok(codec),
        (_, TrackType::Video) => Err(unsupported(expected, &entry.codec_id)),
        _ => Err(unsupported(expected, &format!("{}, which is not a video track", entry.codec_id))),
    }
}

/// Whether the audio track's codec ID is one that can be carried.
fn check_audio_codec_id(entry: &TrackEntry) -> Result<(), Error> {
    let expected = "A_AAC or A_MS/ACM on track 2";
    match (track_set::codec(entry), entry.track_type) {
        (Some(_), TrackType::Audio) => Ok(()),
        (_, TrackType::Audio) => Err(unsupported(expected, &entry.codec_id)),
        _ => Err(unsupported(expected, &format!("{}, which is not an audio track", entry.codec_id))),
    }
}

/// The codec private data of a track, if there is any. A track whose frames were compressed or encrypted is refused.
fn codec_private(entry: &TrackEntry) -> Result<Option<&[u8]>, Error> {
    entry
        .usable_codec_private()
        .map_err(|found| unsupported("frames that are stored as they are, or with stripped headers", found))
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
pub(crate) fn check_profile(
    profile: Profile,
    video: VideoCodec,
    audio: Option<AudioCodec>,
) -> Result<(), Error> {
    let in_table = match (video, audio) {
        (_, None | Some(AudioCodec::Aac)) => true,
        (VideoCodec::H264, Some(AudioCodec::ALaw)) => true,
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
