//! The codecs that a clip can carry: one type for pictures and one for sound, so that neither is taken for the other.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// A codec of the video track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum VideoCodec {
    /// H.264, ISO/IEC 14496-10.
    H264,
    /// H.265, ISO/IEC 23008-2.
    H265,
}

/// A codec of the audio track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum AudioCodec {
    /// MPEG-4 AAC, ISO/IEC 14496-3.
    Aac,
    /// ITU-T G.711 A-law.
    ALaw,
    /// ITU-T G.711 mu-law.
    MuLaw,
}

/// The codec of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Video(VideoCodec),
    Audio(AudioCodec),
}

impl Codec {
    /// Whether it codes pictures; otherwise it codes sound.
    pub(crate) const fn is_video(self) -> bool {
        matches!(self, Self::Video(_))
    }
}

impl VideoCodec {
    const ALL: [Self; 2] = [Self::H264, Self::H265];

    /// The name as people write it.
    const fn name(self) -> &'static str {
        match self {
            Self::H264 => "H.264",
            Self::H265 => "H.265",
        }
    }

    /// The name in reports for machines: `h264` or `h265`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::H265 => "h265",
        }
    }
}

impl AudioCodec {
    const ALL: [Self; 3] = [Self::Aac, Self::ALaw, Self::MuLaw];

    const fn name(self) -> &'static str {
        match self {
            Self::Aac => "AAC",
            Self::ALaw => "G.711 A-law",
            Self::MuLaw => "G.711 mu-law",
        }
    }

    /// The name in reports for machines: `aac`, `alaw` or `mulaw`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Aac => "aac",
            Self::ALaw => "alaw",
            Self::MuLaw => "mulaw",
        }
    }
}

impl fmt::Display for VideoCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for AudioCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Reads the name that [`Display`](fmt::Display) writes, or the short one (`h264`, `h265`), in any case.
impl FromStr for VideoCodec {
    type Err = UnknownCodec;

    fn from_str(name: &str) -> Result<Self, UnknownCodec> {
        let is_called =
            |codec: &Self| [codec.name(), codec.id()].iter().any(|n| n.eq_ignore_ascii_case(name));
        Self::ALL.into_iter().find(is_called).ok_or(UnknownCodec { expected: "h264 or h265" })
    }
}

/// Reads the name that [`Display`](fmt::Display) writes, or the short one (`aac`, `alaw`, `mulaw`), in any case.
impl FromStr for AudioCodec {
    type Err = UnknownCodec;

    fn from_str(name: &str) -> Result<Self, UnknownCodec> {
        let is_called =
            |codec: &Self| [codec.name(), codec.id()].iter().any(|n| n.eq_ignore_ascii_case(name));
        Self::ALL.into_iter().find(is_called).ok_or(UnknownCodec { expected: "aac, alaw or mulaw" })
    }
}

/// A name that is none of a codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownCodec {
    expected: &'static str,
}

impl fmt::Display for UnknownCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown codec, expected {}", self.expected)
    }
}

impl Error for UnknownCodec {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for codec in VideoCodec::ALL {
            assert_eq!(codec.to_string().parse(), Ok(codec));
            assert_eq!(codec.id().parse(), Ok(codec));
        }
        for codec in AudioCodec::ALL {
            assert_eq!(codec.to_string().parse(), Ok(codec));
            assert_eq!(codec.id().to_ascii_uppercase().parse(), Ok(codec));
        }
        assert_eq!("H265".parse(), Ok(VideoCodec::H265));
        assert_eq!("G.711 mu-law".parse(), Ok(AudioCodec::MuLaw));
    }

    #[test]
    fn unknown_names_are_refused_with_the_known_ones() {
        let error = "aac".parse::<VideoCodec>().unwrap_err();
        assert_eq!(error.to_string(), "unknown codec, expected h264 or h265");
        let error = "".parse::<AudioCodec>().unwrap_err();
        assert_eq!(error.to_string(), "unknown codec, expected aac, alaw or mulaw");
    }
}
