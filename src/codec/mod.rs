//! Codec private data: what a decoder must know before the first frame.
//!
//! The content of Matroska's CodecPrivate goes in, a configuration comes out, and the configuration writes the
//! payload of the MP4 box that carries it: `avcC`, `hvcC`, or the decoder-specific info of `esds`. Nothing here
//! knows either container. Every error is an
//! [`InvalidCodecPrivateData`](crate::ErrorKind::InvalidCodecPrivateData) or an
//! [`UnsupportedMediaType`](crate::ErrorKind::UnsupportedMediaType) without a place; the caller knows that.

pub(crate) mod aac;
pub(crate) mod avc;
mod bits;
mod codecs;
#[cfg_attr(not(test), expect(dead_code, reason = "called by the plan of access units"))]
pub(crate) mod framing;
pub(crate) mod g711;
pub(crate) mod hevc;
mod hevc_sps;
pub(crate) mod nal;
#[cfg_attr(not(test), expect(dead_code, reason = "called by the plan of access units"))]
pub(crate) mod nal_unit;
mod parameter_sets;
#[cfg_attr(not(test), expect(dead_code, reason = "called by the plan of access units"))]
pub(crate) mod sei;

pub(crate) use codecs::Codec;
pub use codecs::{AudioCodec, UnknownCodec, VideoCodec};

use aac::AacConfig;
use avc::AvcConfig;
use g711::G711Config;
use hevc::HevcConfig;

use crate::error::Error;

/// Configuration of a video track. Equal when a decoder would see no difference: see the variants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum VideoConfig {
    Avc(AvcConfig),
    Hevc(HevcConfig),
}

impl VideoConfig {
    /// Reads codec private data of `codec`.
    pub(crate) fn parse(codec: VideoCodec, codec_private: &[u8]) -> Result<Self, Error> {
        match codec {
            VideoCodec::H264 => AvcConfig::parse(codec_private).map(Self::Avc),
            VideoCodec::H265 => HevcConfig::parse(codec_private).map(Self::Hevc),
        }
    }

    /// Makes a configuration of the parameter sets among some NAL units.
    pub(crate) fn from_parameter_sets<'a>(
        codec: VideoCodec,
        nals: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Self, Error> {
        match codec {
            VideoCodec::H264 => AvcConfig::from_parameter_sets(nals).map(Self::Avc),
            VideoCodec::H265 => HevcConfig::from_parameter_sets(nals).map(Self::Hevc),
        }
    }

    pub(crate) fn codec(&self) -> VideoCodec {
        match self {
            Self::Avc(_) => VideoCodec::H264,
            Self::Hevc(_) => VideoCodec::H265,
        }
    }

    /// What the first SPS says of the picture; `None` when there is no SPS, or none that can be read.
    pub(crate) fn picture(&self) -> Option<&Picture> {
        match self {
            Self::Avc(config) => config.picture(),
            Self::Hevc(config) => config.picture(),
        }
    }

    /// Bytes of the length in front of each NAL unit of the input's frames: 1, 2 or 4.
    pub(crate) fn length_size(&self) -> u8 {
        match self {
            Self::Avc(config) => config.length_size(),
            Self::Hevc(config) => config.length_size(),
        }
    }

    /// Whether every parameter set that a decoder needs is here.
    pub(crate) fn is_complete(&self) -> bool {
        match self {
            Self::Avc(config) => config.is_complete(),
            Self::Hevc(config) => config.is_complete(),
        }
    }

    /// Whether this very parameter set is here.
    pub(crate) fn holds(&self, nal: &[u8]) -> bool {
        match self {
            Self::Avc(config) => config.holds(nal),
            Self::Hevc(config) => config.holds(nal),
        }
    }

    /// Takes a parameter set over from a frame if there is none of its type here; says whether it did.
    pub(crate) fn complete_with(&mut self, nal: &[u8]) -> bool {
        match self {
            Self::Avc(config) => config.complete_with(nal),
            Self::Hevc(config) => config.complete_with(nal),
        }
    }

    /// What differs, in a few words. Empty when they are equal.
    pub(crate) fn difference(&self, other: &Self) -> String {
        match (self, other) {
            (Self::Avc(from), Self::Avc(to)) => from.difference(to),
            (Self::Hevc(from), Self::Hevc(to)) => from.difference(to),
            _ => format!("codec {} to {}", self.codec(), other.codec()),
        }
    }

    /// Writes the payload of `avcC` or `hvcC`. `array_completeness`: the samples carry no parameter sets.
    pub(crate) fn write(&self, out: &mut Vec<u8>, array_completeness: bool) {
        match self {
            Self::Avc(config) => config.write(out),
            Self::Hevc(config) => config.write(out, array_completeness),
        }
    }
}

/// Configuration of an audio track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AudioConfig {
    Aac(AacConfig),
    G711(G711Config),
}

impl AudioConfig {
    pub(crate) fn codec(&self) -> AudioCodec {
        match self {
            Self::Aac(_) => AudioCodec::Aac,
            Self::G711(config) => config.codec(),
        }
    }

    /// PCM frames per second that the decoder puts out.
    pub(crate) fn sampling_rate(&self) -> u32 {
        match self {
            Self::Aac(config) => config.sampling_rate(),
            Self::G711(config) => config.sampling_rate(),
        }
    }

    pub(crate) fn channels(&self) -> u16 {
        match self {
            Self::Aac(config) => config.channels(),
            Self::G711(config) => config.channels(),
        }
    }
}

/// What an SPS says of the picture that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Luma samples after cropping.
    pub(crate) width: u32,
    /// Luma samples after cropping.
    pub(crate) height: u32,
    /// Width to height of a pixel; `None` when it is square or not specified.
    pub(crate) pixel_aspect: Option<(u32, u32)>,
    /// `None` when nothing but the default is said: unspecified, limited range.
    pub(crate) colour: Option<Colour>,
}

/// Code points of ISO/IEC 23091-2 (the VUI of H.264 and H.265 has the same).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour {
    pub(crate) primaries: u16,
    pub(crate) transfer: u16,
    pub(crate) matrix: u16,
    pub(crate) full_range: bool,
}

impl Colour {
    /// What the VUI implies where it has no colour description (H.264 and H.265 clause E.2.1 and E.3.1).
    const UNSPECIFIED: Self = Self { primaries: 2, transfer: 2, matrix: 2, full_range: false };

    /// `None` if it says no more than its absence would.
    fn if_specified(self) -> Option<Self> {
        (self != Self::UNSPECIFIED).then_some(self)
    }
}

/// A pixel aspect ratio worth carrying. 0 on either side means unspecified (the semantics of `sar_width`).
fn pixel_aspect(width: u16, height: u16) -> Option<(u32, u32)> {
    (width != 0 && height != 0 && width != height).then_some((width.into(), height.into()))
}

/// How a change of the SPS is told: by its picture sizes if they say it.
fn sps_difference(from: Option<&Picture>, to: Option<&Picture>) -> String {
    match (from, to) {
        (Some(from), Some(to)) if (from.width, from.height) != (to.width, to.height) => {
            format!("SPS: {}x{} to {}x{}", from.width, from.height, to.width, to.height)
        }
        _ => "SPS".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that hexadecimal digits spell.
    pub(super) fn hex(digits: &str) -> Vec<u8> {
        let pairs = digits.as_bytes().chunks(2);
        pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    /// `count` times up to `max_len` bytes of a linear congruential generator (Knuth's MMIX).
    pub(super) fn random_bytes(count: usize, max_len: usize) -> impl Iterator<Item = Vec<u8>> {
        let mut state = 1_u64;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize
        };
        (0..count).map(move |_| (0..next() % (max_len + 1)).map(|_| next() as u8).collect())
    }

    #[test]
    fn a_change_of_codec() {
        let avc = hex("0142c01effe100186742c01ed900a03db011000003000100000300320f162e4801000568cb83cb20");
        let avc = VideoConfig::Avc(AvcConfig::parse(&avc).unwrap());
        let hevc = hex("0101600000009000000000003cf000fcfdf8f800000f00");
        let hevc = VideoConfig::Hevc(HevcConfig::parse(&hevc).unwrap());
        assert_eq!(avc.difference(&hevc), "codec H.264 to H.265");
        assert_eq!(avc.difference(&avc), "");
        assert_ne!(avc, hevc);
    }
}
