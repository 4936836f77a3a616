//! Codec private data: what a decoder must know before the first frame.
//!
//! The content of Matroska's CodecPrivate goes in, a configuration comes out, and the configuration writes the
//! payload of the MP4 box that carries it: `avcC`, `hvcC`, or the decoder-specific info of `esds`. Nothing here
//! knows either container. Every error is an
//! [`InvalidCodecPrivateData`](crate::ErrorKind::InvalidCodecPrivateData) or an
//! [`UnsupportedMediaType`](crate::ErrorKind::UnsupportedMediaType) without a place; the caller knows that.

pub(crate) mod aac;
pub(crate) mod adts;
mod avc;
mod avc_slice;
mod avc_sps;
#[cfg(test)]
mod bit_writer;
mod bits;
mod codecs;
pub(crate) mod framing;
pub(crate) mod g711;
mod hevc;
mod hevc_sps;
pub(crate) mod nal;
pub(crate) mod nal_role;
pub(crate) mod nal_unit;
pub(crate) mod parameter_set_id;
mod parameter_sets;
mod picture;
pub(crate) mod sei;
mod slice;
mod video_config;

pub(crate) use codecs::Codec;
pub use codecs::{AudioCodec, UnknownCodec, VideoCodec};
pub(crate) use picture::{Colour, Picture};
pub(crate) use video_config::{Join, VideoConfig};

use aac::AacConfig;
use g711::G711Config;

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

#[cfg(test)]
mod tests {

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
}
