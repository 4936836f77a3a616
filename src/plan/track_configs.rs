//! Which tracks of a fragment are taken, and with which codec configuration.

use crate::codec::aac::AacConfig;
use crate::codec::g711::G711Config;
use crate::codec::{AudioCodec, AudioConfig, VideoCodec, VideoConfig};
use crate::error::{Error, ErrorKind};
use crate::index::track_set::{self, TrackCodec, TrackSet};
use crate::matroska::{TrackEntry, TrackType};
use crate::named::named;
use crate::plan::PlanOptions;
use crate::plan::track_choice::{Chosen, ChosenTracks};

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
    pub(crate) chosen: ChosenTracks,
    /// `None` if there is no video track.
    pub(crate) video: Result<Option<VideoTrack>, Error>,
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
    pub(crate) fn new(tracks: &TrackSet, options: PlanOptions) -> Self {
        let chosen = options.tracks.choose(tracks);
        let ChosenTracks { video, audio } = chosen;
        let read_video = || video_entry(video, tracks)?.map(VideoTrack::new).transpose();
        let read_audio = || {
            let entry = audio_entry(audio, tracks)?;
            entry.map(|entry| audio_config(entry, options.profile)).transpose()
        };
        Self {
            chosen,
            video: chosen.check().and_then(|()| read_video()).map_err(|error| error.on_track(video.number)),
            audio: read_audio().map_err(|error| error.on_track(audio.number)),
        }
    }
}

/// The declaration of the video track, if there is to be one.
fn video_entry(chosen: Chosen, tracks: &TrackSet) -> Result<Option<&TrackEntry>, Error> {
    let entry = chosen.entry(tracks);
    if entry.is_none() && chosen.is_required {
        let reason = format!("expected a video track with number {}, found none", chosen.number);
        return Err(ErrorKind::UnsupportedMediaType { reason }.into());
    }
    Ok(entry)
}

/// The declaration of the audio track, if there is to be one.
fn audio_entry(chosen: Chosen, tracks: &TrackSet) -> Result<Option<&TrackEntry>, Error> {
    let entry = chosen.entry(tracks);
    if entry.is_none() && chosen.is_required {
        let reason = format!("expected an audio track with number {}, found none", chosen.number);
        return Err(ErrorKind::UnsupportedMediaType { reason }.into());
    }
    Ok(entry)
}

impl VideoTrack {
    fn new(declared: &TrackEntry) -> Result<Self, Error> {
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
    let expected = format!("V_MPEG4/ISO/AVC or V_MPEGH/ISO/HEVC on track {}", entry.number);
    match (track_set::codec(entry), entry.track_type) {
        (Some(TrackCodec::Video(codec)), TrackType::Video) => Ok(codec),
        (_, TrackType::Video) => Err(unsupported(&expected, &entry.codec_id)),
        _ => Err(unsupported(&expected, &format!("{}, which is not a video track", entry.codec_id))),
    }
}

/// Whether the audio track's codec ID is one that can be carried.
fn check_audio_codec_id(entry: &TrackEntry) -> Result<(), Error> {
    let expected = format!("A_AAC or A_MS/ACM on track {}", entry.number);
    match (track_set::codec(entry), entry.track_type) {
        (Some(_), TrackType::Audio) => Ok(()),
        (_, TrackType::Audio) => Err(unsupported(&expected, &entry.codec_id)),
        _ => Err(unsupported(&expected, &format!("{}, which is not an audio track", entry.codec_id))),
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

/// Checks a combination of codecs against a profile. The service takes no sound without pictures.
pub(crate) fn check_profile(
    profile: Profile,
    video: Option<VideoCodec>,
    audio: Option<AudioCodec>,
) -> Result<(), Error> {
    let in_table = match (video, audio) {
        (Some(_), None | Some(AudioCodec::Aac)) => true,
        (Some(VideoCodec::H264), Some(AudioCodec::ALaw)) => true,
        _ => profile == Profile::Extended,
    };
    if in_table {
        return Ok(());
    }
    let expected = "H.264 with AAC, G.711 A-law or nothing, or H.265 with AAC or nothing";
    let nothing = || "nothing".to_owned();
    let video = video.map_or_else(nothing, |codec| codec.to_string());
    let audio = audio.map_or_else(nothing, |codec| codec.to_string());
    Err(unsupported(expected, &format!("{video} with {audio}")))
}

fn unsupported(expected: &str, found: &str) -> Error {
    let reason =
        format!("expected {expected}, found {}", if found.is_empty() { "no codec ID" } else { found });
    ErrorKind::UnsupportedMediaType { reason }.into()
}
