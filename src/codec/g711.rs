//! G.711: Microsoft's WAVEFORMATEX, which Matroska's `A_MS/ACM` puts into CodecPrivate. Little-endian.

use super::AudioCodec;
use super::parameter_sets::take;
use crate::error::{Error, ErrorKind};

const MAX_CHANNELS: u16 = 8;
const MAX_SAMPLING_RATE: u32 = 192_000;

/// wFormatTag of mmreg.h.
const WAVE_FORMAT_ALAW: u16 = 0x0006;
const WAVE_FORMAT_MULAW: u16 = 0x0007;
const WAVE_FORMAT_EXTENSIBLE: u16 = 0xfffe;
/// The SubFormat GUID of WAVEFORMATEXTENSIBLE behind the format tag that it starts with.
const KSDATAFORMAT_SUBTYPE: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/// The configuration of a G.711 track: a byte per channel in each PCM frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct G711Config {
    codec: AudioCodec,
    channels: u16,
    sampling_rate: u32,
}

impl G711Config {
    /// Reads a WAVEFORMATEX of 16 bytes or more.
    ///
    /// Only format tag, channels and rate count: AWS's producer SDK gets nAvgBytesPerSec wrong and leaves
    /// wBitsPerSample at 0.
    pub(crate) fn parse(codec_private: &[u8]) -> Result<Self, Error> {
        let mut rest = codec_private;
        let mut format_tag = u16::from_le_bytes(take(&mut rest, "a WAVEFORMATEX")?);
        let channels = u16::from_le_bytes(take(&mut rest, "a WAVEFORMATEX")?);
        let sampling_rate = u32::from_le_bytes(take(&mut rest, "a WAVEFORMATEX")?);
        // nAvgBytesPerSec, nBlockAlign, wBitsPerSample
        let _: [u8; 8] = take(&mut rest, "a WAVEFORMATEX")?;
        if format_tag == WAVE_FORMAT_EXTENSIBLE {
            format_tag = extensible_format_tag(rest).unwrap_or(format_tag);
        }
        let codec = match format_tag {
            WAVE_FORMAT_ALAW => AudioCodec::ALaw,
            WAVE_FORMAT_MULAW => AudioCodec::MuLaw,
            other => {
                let reason = format!(
                    "expected format tag 0x0006 (A-law) or 0x0007 (mu-law), found {}",
                    describe(other)
                );
                return Err(ErrorKind::UnsupportedMediaType { reason }.into());
            }
        };
        if !(1..=MAX_CHANNELS).contains(&channels) {
            return Err(Error::codec_private(format!(
                "expected 1 to {MAX_CHANNELS} channels of {codec}, found {channels}"
            )));
        }
        if !(1..=MAX_SAMPLING_RATE).contains(&sampling_rate) {
            return Err(Error::codec_private(format!(
                "expected a sampling rate of 1 to {MAX_SAMPLING_RATE} Hz, found {sampling_rate}"
            )));
        }
        Ok(Self { codec, channels, sampling_rate })
    }

    /// [`AudioCodec::ALaw`] or [`AudioCodec::MuLaw`].
    pub(crate) fn codec(&self) -> AudioCodec {
        self.codec
    }

    /// Bytes in a PCM frame.
    pub(crate) fn channels(&self) -> u16 {
        self.channels
    }

    /// PCM frames per second.
    pub(crate) fn sampling_rate(&self) -> u32 {
        self.sampling_rate
    }
}

/// The format tag in the SubFormat of a WAVEFORMATEXTENSIBLE, from its cbSize on.
fn extensible_format_tag(mut rest: &[u8]) -> Option<u16> {
    // cbSize, wValidBitsPerSample, dwChannelMask
    let _: [u8; 8] = take(&mut rest, "").ok()?;
    let format_tag = u16::from_le_bytes(take(&mut rest, "").ok()?);
    rest.starts_with(&KSDATAFORMAT_SUBTYPE).then_some(format_tag)
}

fn describe(format_tag: u16) -> String {
    let name = match format_tag {
        0x0001 => " (PCM)",
        0x0002 => " (Microsoft ADPCM)",
        0x0003 => " (floating-point PCM)",
        0x0011 => " (IMA ADPCM)",
        0x0050 => " (MPEG audio)",
        0x0055 => " (MP3)",
        0x00ff => " (AAC)",
        WAVE_FORMAT_EXTENSIBLE => " (extensible)",
        _ => "",
    };
    format!("0x{format_tag:04x}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the producer SDK writes (mkvgen): nAvgBytesPerSec is off and wBitsPerSample 0.
    const SDK_MU_LAW: [u8; 18] = [7, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0, 2, 0, 0, 0, 0, 0];

    fn with(position: usize, bytes: &[u8]) -> Result<G711Config, Error> {
        let mut data = SDK_MU_LAW;
        data[position..][..bytes.len()].copy_from_slice(bytes);
        G711Config::parse(&data)
    }

    #[test]
    fn sdk() {
        let config = G711Config::parse(&SDK_MU_LAW).unwrap();
        assert_eq!(
            (config.codec(), config.channels(), config.sampling_rate()),
            (AudioCodec::MuLaw, 1, 8_000)
        );
        let a_law = with(0, &[6, 0]).unwrap();
        assert_eq!(a_law.codec(), AudioCodec::ALaw);
        assert_ne!(config, a_law);
    }

    /// The `fmt ` chunk that `ffmpeg -c:a pcm_alaw -ar 16000 -ac 2` writes into a WAV file.
    #[test]
    fn ffmpeg() {
        let data = [6, 0, 2, 0, 0x80, 0x3e, 0, 0, 0, 0x7d, 0, 0, 2, 0, 8, 0, 0, 0];
        for len in [16, 18] {
            let config = G711Config::parse(&data[..len]).unwrap();
            assert_eq!(
                (config.codec(), config.channels(), config.sampling_rate()),
                (AudioCodec::ALaw, 2, 16_000)
            );
        }
    }

    #[test]
    fn the_size_field_may_lie() {
        assert!(with(16, &[0xff, 0xff]).is_ok());
        assert!(G711Config::parse(&[&SDK_MU_LAW[..], &[9; 40]].concat()).is_ok());
    }

    #[test]
    fn other_formats_are_named() {
        for (tag, name) in [
            (1_u16, "0x0001 (PCM)"),
            (0x11, "0x0011 (IMA ADPCM)"),
            (0x55, "0x0055 (MP3)"),
            (0xfffe, "0xfffe (extensible)"),
            (0x1234, "0x1234"),
        ] {
            let error = with(0, &tag.to_le_bytes()).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::UnsupportedMediaType { .. }));
            assert!(error.to_string().ends_with(name), "{error}");
        }
    }

    #[test]
    fn extensible() {
        let mut data = SDK_MU_LAW.to_vec();
        data[..2].copy_from_slice(&[0xfe, 0xff]);
        data[16..].copy_from_slice(&[22, 0]);
        data.extend([8, 0, 4, 0, 0, 0, 6, 0]);
        data.extend(KSDATAFORMAT_SUBTYPE);
        assert_eq!(data.len(), 40);
        assert_eq!(G711Config::parse(&data).unwrap().codec(), AudioCodec::ALaw);
        data[39] = 0;
        assert!(G711Config::parse(&data).is_err());
    }

    #[test]
    fn limits() {
        assert!(with(2, &[8, 0]).is_ok());
        for (position, bytes, text) in [
            (2, &[0, 0][..], "found 0"),
            (2, &[9, 0], "found 9"),
            (4, &[0; 4], "found 0"),
            (4, &[1, 0xee, 2, 0], "found 192001"),
        ] {
            let error = with(position, bytes).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::InvalidCodecPrivateData { .. }));
            assert!(error.to_string().ends_with(text), "{error}");
        }
    }

    #[test]
    fn truncated() {
        for len in 0..16 {
            assert!(G711Config::parse(&SDK_MU_LAW[..len]).is_err());
        }
    }
}
