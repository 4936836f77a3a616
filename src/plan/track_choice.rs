//! [`TrackChoice`]: which tracks of a recording are those of the clip.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind};
use crate::index::track_set::TrackSet;
use crate::matroska::{TrackEntry, TrackType};

/// Number of the video track: "track 1" of GetClip's documentation.
pub(crate) const VIDEO_TRACK: u64 = 1;
/// Number of the audio track.
pub(crate) const AUDIO_TRACK: u64 = 2;

/// Which track of a recording becomes the video, or the audio, of a clip.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TrackChoice {
    /// The track that GetClip takes: number 1 for video, which must be there; number 2 for audio, if it is there.
    #[default]
    Service,
    /// The track that GetClip takes, or else the first of its type. A recording without any video makes a clip of sound
    /// alone.
    Available,
    /// The track with this number, which must be there.
    Number(u64),
    /// No track.
    Absent,
}

impl fmt::Display for TrackChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service => f.write_str("service"),
            Self::Available => f.write_str("available"),
            Self::Number(number) => number.fmt(f),
            Self::Absent => f.write_str("none"),
        }
    }
}

/// Reads what `Display` writes: `service`, `available`, `none`, or a track number.
impl FromStr for TrackChoice {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "service" => Ok(Self::Service),
            "available" => Ok(Self::Available),
            "none" => Ok(Self::Absent),
            // TrackNumber is not 0 (RFC 9559, section 5.1.4.1.1).
            _ => match name.parse() {
                Ok(number) if number != 0 => Ok(Self::Number(number)),
                _ => Err(ErrorKind::InvalidOption {
                    option: "the track of a clip",
                    expected: "service available none, or a track number",
                    found: name.into(),
                }
                .into()),
            },
        }
    }
}

/// The choices for both tracks of a clip.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TrackChoices {
    pub(crate) video: TrackChoice,
    pub(crate) audio: TrackChoice,
}

/// The tracks of a fragment that are those of the clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChosenTracks {
    pub(crate) video: Chosen,
    pub(crate) audio: Chosen,
}

/// A track of the clip in the tracks of a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// Its number; the usual one if there is none.
    pub(crate) number: u64,
    /// Its index among those that the fragment declares.
    pub(crate) index: Option<usize>,
    /// The fragment is refused if it does not declare the track.
    pub(crate) is_required: bool,
}

impl Chosen {
    fn new(tracks: &TrackSet, number: u64, is_required: bool) -> Self {
        Self { number, index: tracks.find(number).map(|(index, _)| index), is_required }
    }

    fn absent(number: u64) -> Self {
        Self { number, index: None, is_required: false }
    }

    pub(crate) fn entry<'a>(&self, tracks: &'a TrackSet) -> Option<&'a TrackEntry> {
        self.index.and_then(|index| tracks.entries().get(index))
    }
}

impl TrackChoices {
    /// The tracks of a fragment that declares `tracks`.
    pub(crate) fn choose(&self, tracks: &TrackSet) -> ChosenTracks {
        let of_type = |track_type: TrackType, usual: u64| {
            let all = || tracks.entries().iter().filter(|entry| entry.track_type == track_type);
            all().find(|entry| entry.number == usual).or_else(|| all().min_by_key(|entry| entry.number))
        };
        let video = match self.video {
            TrackChoice::Service => Chosen::new(tracks, VIDEO_TRACK, true),
            TrackChoice::Available => match of_type(TrackType::Video, VIDEO_TRACK) {
                Some(entry) => Chosen::new(tracks, entry.number, true),
                // What is on a track of another type is refused with its reason, unless sound can be had.
                None if of_type(TrackType::Audio, AUDIO_TRACK).is_none() => {
                    Chosen::new(tracks, VIDEO_TRACK, true)
                }
                None => Chosen::absent(VIDEO_TRACK),
            },
            TrackChoice::Number(number) => Chosen::new(tracks, number, true),
            TrackChoice::Absent => Chosen::absent(VIDEO_TRACK),
        };
        let audio = match self.audio {
            TrackChoice::Service => Chosen::new(tracks, AUDIO_TRACK, false),
            TrackChoice::Available => match of_type(TrackType::Audio, AUDIO_TRACK) {
                // Sound alone is that of the first track.
                Some(_) if video.index.is_none() => {
                    let first =
                        of_type(TrackType::Audio, VIDEO_TRACK).map_or(AUDIO_TRACK, |entry| entry.number);
                    Chosen::new(tracks, first, false)
                }
                Some(entry) => Chosen::new(tracks, entry.number, false),
                None => Chosen::absent(AUDIO_TRACK),
            },
            TrackChoice::Number(number) => Chosen::new(tracks, number, true),
            TrackChoice::Absent => Chosen::absent(AUDIO_TRACK),
        };
        ChosenTracks { video, audio }
    }
}

impl ChosenTracks {
    /// Indices of the tracks among those that the fragment declares.
    pub(crate) fn indices(&self) -> impl Iterator<Item = usize> {
        [self.video.index, self.audio.index].into_iter().flatten()
    }

    /// Whether a track with this number is one of the clip's.
    pub(crate) fn contains(&self, number: u64) -> bool {
        [self.video, self.audio].iter().any(|chosen| chosen.index.is_some() && chosen.number == number)
    }

    /// Refuses choices that leave nothing, or make two tracks of one.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let wants = |chosen: Chosen| chosen.is_required || chosen.index.is_some();
        let reason = match (self.video, self.audio) {
            (video, audio) if !wants(video) && !wants(audio) => {
                "expected a track with pictures or with sound, found none that was chosen".to_owned()
            }
            (video, audio) if video.index.is_some() && video.index == audio.index => {
                format!("expected two tracks, found track {} for pictures and for sound", video.number)
            }
            _ => return Ok(()),
        };
        Err(ErrorKind::UnsupportedMediaType { reason }.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (choice, name) in [
            (TrackChoice::Service, "service"),
            (TrackChoice::Available, "available"),
            (TrackChoice::Absent, "none"),
            (TrackChoice::Number(3), "3"),
            (TrackChoice::Number(u64::MAX), "18446744073709551615"),
        ] {
            assert_eq!(choice.to_string(), name);
            assert_eq!(name.parse::<TrackChoice>().unwrap(), choice);
        }
        for wrong in ["", "0", "-1", "Service", "1.5", "18446744073709551616"] {
            let error = wrong.parse::<TrackChoice>().unwrap_err().to_string();
            assert!(error.contains("or a track number"), "{error}");
            assert!(error.contains(&format!("found {wrong:?}")), "{error}");
        }
    }
}
