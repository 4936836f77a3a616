//! AAC: the AudioSpecificConfig, ISO/IEC 14496-3 clause 1.6.2.1.

use super::bits::BitReader;
use crate::error::{Error, ErrorKind};

/// samplingFrequencyIndex, table 1.18.
const SAMPLING_FREQUENCIES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
/// The samplingFrequencyIndex that the frequency itself follows.
const ESCAPED_FREQUENCY: u32 = 15;

/// Audio object types, table 1.17.
const SBR: u32 = 5;
const AAC_SCALABLE: u32 = 6;
const ER_AAC_LC: u32 = 17;
const ER_AAC_LTP: u32 = 19;
const ER_AAC_SCALABLE: u32 = 20;
const ER_AAC_LD: u32 = 23;
const PS: u32 = 29;
const ESCAPED_OBJECT_TYPE: u32 = 31;
const ER_AAC_ELD: u32 = 39;

/// syncExtensionType of the backward compatible signalling, 11 bits.
const SYNC_SBR: u32 = 0x2b7;
const SYNC_PS: u32 = 0x548;

/// The configuration of an AAC track. Equal when the bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AacConfig {
    specific_config: Box<[u8]>,
    sampling_rate: u32,
    channels: u16,
    frame_length: u32,
    is_error_resilient: bool,
}

impl AacConfig {
    /// Reads an AudioSpecificConfig of any length. What follows it is kept and not looked at.
    pub(crate) fn parse(codec_private: &[u8]) -> Result<Self, Error> {
        let len = codec_private.len();
        if len < 2 {
            return Err(ErrorKind::AacCodecPrivateLength { found: len }.into());
        }
        let mut reader = ConfigReader { bits: BitReader::new(codec_private), len };
        let core = reader.audio_specific_config()?;
        let (sampling_rate, frame_length) = match core.output_frequency {
            Some(output) if output == core.sampling_frequency => (output, core.frame_length),
            Some(output) if Some(output) == core.sampling_frequency.checked_mul(2) => {
                (output, core.frame_length.saturating_mul(2))
            }
            Some(output) => {
                return Err(Error::codec_private(format!(
                    "expected SBR to give once or twice {} Hz, found {output}",
                    core.sampling_frequency
                )));
            }
            None => (core.sampling_frequency, core.frame_length),
        };
        let channels = if core.parametric_stereo { 2 } else { core.channels };
        Ok(Self {
            specific_config: codec_private.into(),
            sampling_rate,
            channels,
            frame_length,
            is_error_resilient: core.is_error_resilient,
        })
    }

    /// The AudioSpecificConfig as it came.
    pub(crate) fn specific_config(&self) -> &[u8] {
        &self.specific_config
    }

    /// PCM frames per second that the decoder puts out: where SBR is signalled, those of the extension.
    pub(crate) fn sampling_rate(&self) -> u32 {
        self.sampling_rate
    }

    /// Channels that the decoder puts out: 2 with parametric stereo.
    pub(crate) fn channels(&self) -> u16 {
        self.channels
    }

    /// Whether access units have no syntactic elements, so that any bits can begin one.
    pub(crate) fn is_error_resilient(&self) -> bool {
        self.is_error_resilient
    }

    /// PCM frames in an access unit, counted at [`sampling_rate`](Self::sampling_rate).
    pub(crate) fn frame_length(&self) -> u32 {
        self.frame_length
    }
}

/// What an AudioSpecificConfig says, before SBR and parametric stereo are applied.
struct AudioSpecificConfig {
    sampling_frequency: u32,
    channels: u16,
    frame_length: u32,
    /// Set where SBR is signalled: twice the sampling frequency, or once where SBR runs at a single rate.
    output_frequency: Option<u32>,
    parametric_stereo: bool,
    is_error_resilient: bool,
}

/// A [`BitReader`] for which the end is an error.
struct ConfigReader<'a> {
    bits: BitReader<'a>,
    len: usize,
}

impl ConfigReader<'_> {
    fn audio_specific_config(&mut self) -> Result<AudioSpecificConfig, Error> {
        let mut object_type = self.object_type()?;
        let sampling_frequency = self.sampling_frequency()?;
        let channel_configuration = self.bits(4)?;
        let mut config = AudioSpecificConfig {
            sampling_frequency,
            channels: 0,
            frame_length: 0,
            output_frequency: None,
            parametric_stereo: object_type == PS,
            is_error_resilient: false,
        };
        let explicit_sbr = matches!(object_type, SBR | PS);
        if explicit_sbr {
            config.output_frequency = Some(self.sampling_frequency()?);
            object_type = self.object_type()?;
        }
        config.is_error_resilient =
            matches!(object_type, ER_AAC_LC | ER_AAC_LTP | ER_AAC_SCALABLE | ER_AAC_LD | ER_AAC_ELD);
        match object_type {
            // Main, LC, SSR, LTP
            1..=4 | AAC_SCALABLE | ER_AAC_LC | ER_AAC_LTP | ER_AAC_SCALABLE | ER_AAC_LD => {
                self.ga_specific_config(&mut config, object_type, channel_configuration)?;
            }
            ER_AAC_ELD => {
                self.eld_specific_config(&mut config, channel_configuration)?;
                return Ok(config);
            }
            other => {
                return Err(Error::codec_private(format!(
                    "expected an AAC audio object type, found {other}"
                )));
            }
        }
        // Padding follows as often as an extension, so that nothing from here on is an error. Behind an
        // error-resilient type stands epConfig, without which there is no extension.
        if !explicit_sbr
            && (!config.is_error_resilient || self.bits.bits(2).is_some_and(|ep_config| ep_config < 2))
        {
            let _ = self.sync_extension(&mut config);
        }
        Ok(config)
    }

    /// GetAudioObjectType(), table 1.16.
    fn object_type(&mut self) -> Result<u32, Error> {
        match self.bits(5)? {
            ESCAPED_OBJECT_TYPE => Ok(self.bits(6)?.saturating_add(32)),
            object_type => Ok(object_type),
        }
    }

    fn sampling_frequency(&mut self) -> Result<u32, Error> {
        let index = self.bits(4)?;
        if index == ESCAPED_FREQUENCY {
            return match self.bits(24)? {
                0 => Err(Error::codec_private("expected an AAC sampling frequency, found 0 Hz")),
                frequency => Ok(frequency),
            };
        }
        SAMPLING_FREQUENCIES.get(index as usize).copied().ok_or_else(|| {
            Error::codec_private(format!("expected an AAC sampling frequency index up to 12, found {index}"))
        })
    }

    /// GASpecificConfig(), clause 4.4.1.
    fn ga_specific_config(
        &mut self,
        config: &mut AudioSpecificConfig,
        object_type: u32,
        channel_configuration: u32,
    ) -> Result<(), Error> {
        let short = self.flag()?; // frameLengthFlag
        config.frame_length = match (object_type, short) {
            (ER_AAC_LD, false) => 512,
            (ER_AAC_LD, true) => 480,
            (_, false) => 1024,
            (_, true) => 960,
        };
        if self.flag()? {
            self.bits(14)?; // coreCoderDelay
        }
        let extension = self.flag()?;
        config.channels = match channel_configuration {
            0 => self.program_config_element()?,
            _ => channels(channel_configuration)?,
        };
        if matches!(object_type, AAC_SCALABLE | ER_AAC_SCALABLE) {
            self.bits(3)?; // layerNr
        }
        if extension {
            if matches!(object_type, ER_AAC_LC | ER_AAC_LTP | ER_AAC_SCALABLE | ER_AAC_LD) {
                self.bits(3)?; // resilience flags of section data, scale factors and spectral data
            }
            self.bits(1)?; // extensionFlag3
        }
        Ok(())
    }

    /// ELDSpecificConfig(), clause 4.6.20.3, up to its SBR flags.
    fn eld_specific_config(
        &mut self,
        config: &mut AudioSpecificConfig,
        channel_configuration: u32,
    ) -> Result<(), Error> {
        config.channels = channels(channel_configuration)?;
        config.frame_length = if self.flag()? { 480 } else { 512 };
        self.bits(3)?; // resilience flags
        if self.flag()? {
            let dual_rate = self.flag()?; // ldSbrSamplingRate
            let factor = if dual_rate { 2 } else { 1 };
            config.output_frequency = Some(config.sampling_frequency.saturating_mul(factor));
        }
        Ok(())
    }

    /// The channels of a program_config_element(), clause 4.4.1.1; reads to its end.
    fn program_config_element(&mut self) -> Result<u16, Error> {
        self.bits(10)?; // element_instance_tag, object_type, sampling_frequency_index
        let [front, side, back] = [self.bits(4)?, self.bits(4)?, self.bits(4)?];
        let [lfe, associated_data, coupling] = [self.bits(2)?, self.bits(3)?, self.bits(4)?];
        for mixdown_bits in [4, 4, 3] {
            if self.flag()? {
                self.bits(mixdown_bits)?;
            }
        }
        let mut channels = lfe;
        for _ in 0..front.saturating_add(side).saturating_add(back) {
            let is_channel_pair = self.flag()?;
            self.bits(4)?; // element tag
            channels = channels.saturating_add(if is_channel_pair { 2 } else { 1 });
        }
        for _ in 0..lfe.saturating_add(associated_data) {
            self.bits(4)?;
        }
        for _ in 0..coupling {
            self.bits(5)?;
        }
        self.bits.align();
        for _ in 0..self.bits(8)? {
            self.bits(8)?; // comment_field_data
        }
        match u16::try_from(channels) {
            Ok(channels @ 1..) => Ok(channels),
            _ => Err(Error::codec_private("expected channels in the program_config_element, found none")),
        }
    }

    /// SBR and parametric stereo behind a config that older decoders read as plain AAC, clause 1.6.6.1.
    fn sync_extension(&mut self, config: &mut AudioSpecificConfig) -> Result<(), Error> {
        if self.bits(11)? != SYNC_SBR || self.object_type()? != SBR || !self.flag()? {
            return Ok(());
        }
        config.output_frequency = Some(self.sampling_frequency()?);
        config.parametric_stereo = self.bits(11)? == SYNC_PS && self.flag()?;
        Ok(())
    }

    fn flag(&mut self) -> Result<bool, Error> {
        Ok(self.bits(1)? == 1)
    }

    fn bits(&mut self, count: u32) -> Result<u32, Error> {
        self.bits.bits(count).ok_or_else(|| {
            Error::codec_private(format!(
                "expected a whole AudioSpecificConfig, found its first {} bytes",
                self.len
            ))
        })
    }
}

/// channelConfiguration, table 1.19, except for 0.
fn channels(channel_configuration: u32) -> Result<u16, Error> {
    Ok(match channel_configuration {
        1 => 1,
        2 => 2,
        3 => 3,
        4 => 4,
        5 => 5,
        6 => 6,
        7 | 12 | 14 => 8,
        11 => 7,
        13 => 24,
        other => {
            return Err(Error::codec_private(format!(
                "expected an AAC channel configuration of table 1.19, found {other}"
            )));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hex, random_bytes};
    use super::*;

    fn parse(bytes: &str) -> Result<(u32, u16, u32), Error> {
        AacConfig::parse(&hex(bytes)).map(|c| (c.sampling_rate(), c.channels(), c.frame_length()))
    }

    /// Extradata of `ffmpeg -c:a aac`, with the rate and channels that ffprobe tells.
    #[test]
    fn ffmpeg() {
        assert_eq!(parse("119056e500"), Ok((48_000, 2, 1024)));
        assert_eq!(parse("140856e500"), Ok((16_000, 1, 1024)));
        assert_eq!(parse("123056e500"), Ok((44_100, 6, 1024)));
        assert_eq!(parse("0a1056e500"), Ok((44_100, 2, 1024)), "Main");
        assert_eq!(parse("158856e500"), Ok((8_000, 1, 1024)));
    }

    /// The channel layouts 3.1 and octagonal, which only a program_config_element says.
    #[test]
    fn ffmpeg_program_config_element() {
        assert_eq!(parse("118004c8010020000d4c61766335392e33372e31303056e500"), Ok((48_000, 4, 1024)));
        assert_eq!(parse("1200050848002008c8200d4c61766335392e33372e31303056e500"), Ok((44_100, 8, 1024)));
        let error = parse("1180").unwrap_err();
        assert!(
            error.to_string().contains("a whole AudioSpecificConfig, found its first 2 bytes"),
            "{error}"
        );
        assert!(parse("1180000000000000").unwrap_err().to_string().contains("found none"));
    }

    #[test]
    fn two_bytes_and_padding() {
        assert_eq!(parse("1190"), Ok((48_000, 2, 1024)));
        assert_eq!(parse("119000000000"), Ok((48_000, 2, 1024)));
        let config = AacConfig::parse(&[0x11, 0x90, 0xff, 0xff]).unwrap();
        assert_eq!(config.specific_config(), [0x11, 0x90, 0xff, 0xff]);
        assert_ne!(config, AacConfig::parse(&[0x11, 0x90]).unwrap());
    }

    /// The three ways of clause 1.6.5 to signal HE-AAC of 24 kHz LC at 48 kHz, and HE-AAC v2.
    #[test]
    fn spectral_band_replication() {
        assert_eq!(parse("1310"), Ok((24_000, 2, 1024)), "implicit: not to be seen");
        assert_eq!(parse("131056e598"), Ok((48_000, 2, 2048)), "backward compatible");
        // 00101 0110 0010 0011 00010 000
        assert_eq!(parse("2b118800"), Ok((48_000, 2, 2048)), "hierarchical");
        // 00010 0110 0001 000 | 01010110111 00101 1 0011 10101001000 1
        assert_eq!(parse("130856e59d4880"), Ok((48_000, 2, 2048)), "backward compatible, parametric stereo");
        assert_eq!(parse("130856e59d4800"), Ok((48_000, 1, 2048)), "parametric stereo off");
        // 11101 0110 0001 0011 00010 000
        assert_eq!(parse("eb098800"), Ok((48_000, 2, 2048)), "hierarchical, parametric stereo");
        // 00101 0110 0010 0011 00010 000 | 01010110111 00101 1 0100: behind a hierarchical one, no other counts
        assert_eq!(parse("2b11882b72d0"), Ok((48_000, 2, 2048)), "and 44.1 kHz, backward compatible");
        // 10001 0110 0010 0 0 1 000 0 | epConfig | 01010110111 00101 1 0011: 2 says that its own configuration follows
        assert_eq!(parse("8b11015b9660"), Ok((48_000, 2, 2048)), "error-resilient, epConfig 0");
        assert_eq!(parse("8b11055b9660"), Ok((48_000, 2, 2048)), "epConfig 1");
        assert_eq!(parse("8b11095b9660"), Ok((24_000, 2, 1024)), "epConfig 2");
        // 00101 0011 0010 0011 00010 000: SBR at a single rate
        assert_eq!(parse("29918800"), Ok((48_000, 2, 1024)));
        // 00101 0011 0010 0110 00010 000: 48 kHz becomes 24 kHz
        assert!(parse("29931000").unwrap_err().to_string().contains("once or twice 48000 Hz, found 24000"));
    }

    #[test]
    fn frame_lengths() {
        assert_eq!(parse("1194"), Ok((48_000, 2, 960)), "frameLengthFlag");
        // 10111 0011 0010 0 0 0 00
        assert_eq!(parse("b99000"), Ok((48_000, 2, 512)), "LD");
        assert_eq!(parse("b99400"), Ok((48_000, 2, 480)));
        // 11111 000111 0011 0010 0 000 0 / 1 000 0 / 0 000 1 1
        assert_eq!(parse("f8e64000"), Ok((48_000, 2, 512)), "ELD");
        assert_eq!(parse("f8e65000"), Ok((48_000, 2, 480)));
        // 24 kHz, dual-rate SBR; then single-rate
        assert_eq!(parse("f8ec4180"), Ok((48_000, 2, 1024)));
        assert_eq!(parse("f8ec4100"), Ok((24_000, 2, 512)));
    }

    #[test]
    fn escapes() {
        // 00010 1111 000000001011101110000000 0010 000
        assert_eq!(parse("17805dc010"), Ok((48_000, 2, 1024)));
        assert!(parse("1780000010").unwrap_err().to_string().ends_with("found 0 Hz"));
        assert!(parse("1690").unwrap_err().to_string().ends_with("up to 12, found 13"));
        assert!(parse("1710").unwrap_err().to_string().ends_with("up to 12, found 14"));
        assert!(parse("11c0").unwrap_err().to_string().ends_with("of table 1.19, found 8"));
        assert!(parse("f94640").unwrap_err().to_string().ends_with("audio object type, found 42"), "USAC");
        assert!(parse("0190").unwrap_err().to_string().ends_with("audio object type, found 0"));
    }

    #[test]
    fn too_short() {
        for (bytes, found) in [("", 0), ("11", 1)] {
            assert_eq!(*parse(bytes).unwrap_err().kind(), ErrorKind::AacCodecPrivateLength { found });
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused() {
        let long = hex("1200050848002008c8200d4c61766335392e33372e31303056e500");
        for len in 0..long.len() {
            let _ = AacConfig::parse(&long[..len]);
        }
        for bytes in random_bytes(20_000, 40) {
            if let Ok(config) = AacConfig::parse(&bytes) {
                assert!(config.sampling_rate() > 0 && config.channels() > 0 && config.frame_length() >= 480);
            }
        }
    }
}
