//! H.264: the AVCDecoderConfigurationRecord, ISO/IEC 14496-15 clause 5.3.3.1.

use super::VideoCodec;
use super::avc_sps::{AvcSps, Chroma};
use super::parameter_set_id::{ParameterSetId, ParameterSetKind};
use super::parameter_sets::{ParameterSets, annex_b_nals, take, take_nal};
use super::picture::{Picture, sps_difference};
use crate::annexb;
use crate::error::Error;

/// numOfSequenceParameterSets has 5 bits.
const MAX_SPS: usize = 31;
/// numOfPictureParameterSets and numOfSequenceParameterSetExt have 8 bits.
const MAX_PPS: usize = 255;

/// The configuration of an H.264 track.
#[derive(Debug, Clone)]
pub(crate) struct AvcConfig {
    /// AVCProfileIndication, profile_compatibility, AVCLevelIndication: bytes 1 to 3 of an SPS.
    profile: u8,
    compatibility: u8,
    level: u8,
    length_size: u8,
    sps: ParameterSets,
    pps: ParameterSets,
    sps_extensions: ParameterSets,
    /// The part of the record that follows the PPS in the High profiles.
    chroma: Option<Chroma>,
    /// The first SPS, if anything can be read of it.
    read: Option<AvcSps>,
}

impl AvcConfig {
    /// Reads an AVCDecoderConfigurationRecord, or a byte stream of parameter sets.
    ///
    /// Reserved bits are ignored: cameras write them as zeros. So are NAL units of other types among the
    /// parameter sets, and what follows the record. Of a High profile tail that is cut short the whole parts stay.
    pub(crate) fn parse(codec_private: &[u8]) -> Result<Self, Error> {
        if annexb::begins_with_start_code(codec_private) {
            return Self::from_parameter_sets(annex_b_nals(codec_private).into_iter());
        }
        let mut record = codec_private;
        let [version, profile, compatibility, level, length_size, sps_count] =
            take(&mut record, "an AVCDecoderConfigurationRecord")?;
        if version != 1 {
            return Err(Error::codec_private(format!(
                "expected version 1 of the AVCDecoderConfigurationRecord, found {version}"
            )));
        }
        let mut config = Self::new(profile, compatibility, level);
        config.length_size = match length_size & 0b11 {
            0 => 1,
            1 => 2,
            3 => 4,
            _ => return Err(Error::codec_private("expected NAL unit lengths of 1, 2 or 4 bytes, found 3")),
        };
        for _ in 0..sps_count & 0x1f {
            config.add(take_nal(&mut record, "an SPS")?)?;
        }
        let [pps_count] = take(&mut record, "the number of PPS")?;
        for _ in 0..pps_count {
            config.add(take_nal(&mut record, "a PPS")?)?;
        }
        if has_tail(profile) {
            // A failure inside the tail must not lose the rest.
            let _ = config.read_tail(record);
        }
        config.read_sps();
        Ok(config)
    }

    /// Makes a configuration of NAL units without a record. Other NAL units than parameter sets are left out.
    pub(crate) fn from_parameter_sets<'a>(nals: impl Iterator<Item = &'a [u8]>) -> Result<Self, Error> {
        let mut config = Self::new(0, 0, 0);
        for nal in nals {
            config.add(nal)?;
        }
        let Some(first) = config.sps.first() else {
            return Err(Error::codec_private("expected an SPS, found none"));
        };
        let Some(sps) = AvcSps::read(first) else {
            let len = first.len();
            return Err(Error::codec_private(format!("expected an SPS of 4 bytes or more, found {len}")));
        };
        (config.profile, config.compatibility, config.level) = (sps.profile, sps.compatibility, sps.level);
        config.read_sps();
        Ok(config)
    }

    /// What the first SPS says, as far as it can be read.
    pub(crate) fn sps(&self) -> Option<&AvcSps> {
        self.read.as_ref()
    }

    /// What the first SPS says of the picture, if it can be read.
    pub(crate) fn picture(&self) -> Option<&Picture> {
        self.read.as_ref()?.picture.as_ref()
    }

    /// Bytes of the length in front of each NAL unit of the input's frames: 1, 2 or 4.
    pub(crate) fn length_size(&self) -> u8 {
        self.length_size
    }

    /// Whether there is an SPS and a PPS.
    pub(crate) fn is_complete(&self) -> bool {
        !self.sps.is_empty() && !self.pps.is_empty()
    }

    /// Whether this very parameter set is here.
    pub(crate) fn holds(&self, nal: &[u8]) -> bool {
        self.sps.holds(nal) || self.pps.holds(nal) || self.sps_extensions.holds(nal)
    }

    /// The parameter sets in the order in which a decoder needs them.
    pub(crate) fn parameter_sets(&self) -> impl Iterator<Item = &[u8]> {
        [&self.sps, &self.pps].into_iter().flat_map(ParameterSets::iter)
    }

    /// The parameter set of that number which a decoder uses.
    pub(crate) fn in_force(&self, id: ParameterSetId) -> Option<&[u8]> {
        match id.kind {
            ParameterSetKind::Video => None,
            ParameterSetKind::Sequence => self.sps.in_force(id),
            ParameterSetKind::Picture => self.pps.in_force(id),
        }
    }

    /// Adds a parameter set, which is in force from then on.
    pub(crate) fn join(&mut self, nal: &[u8]) -> Result<(), Error> {
        self.add(nal)?;
        self.read_sps();
        Ok(())
    }

    /// Whether a stream can go on under an SPS: profile and picture size are those of the first SPS, if there is one.
    pub(crate) fn agrees_with(&self, sps: &[u8]) -> bool {
        let Some(first) = self.sps.first() else { return true };
        let profile = |sps: &[u8]| sps.get(1).copied();
        let size = |sps| AvcSps::read(sps).and_then(|sps| sps.picture).map(|p| (p.width, p.height));
        profile(first) == profile(sps) && size(first) == size(sps)
    }

    /// Whether a decoder would see no difference: profile, level and the parameter sets in force are the same. Reserved bits,
    /// the length size and a tail that one of the producers left out change nothing for it.
    pub(crate) fn decodes_like(&self, other: &Self) -> bool {
        self.difference(other).is_empty()
    }

    /// What differs, in a few words. Empty when they are equal.
    pub(crate) fn difference(&self, other: &Self) -> String {
        let mut parts = Vec::new();
        if self.profile != other.profile {
            parts.push(format!("profile {} to {}", self.profile, other.profile));
        } else if self.compatibility != other.compatibility {
            parts.push("profile compatibility".into());
        }
        if self.level != other.level {
            let [from, to] = [self, other].map(|c| format!("{}.{}", c.level / 10, c.level % 10));
            parts.push(format!("level {from} to {to}"));
        }
        if !self.sps.decode_like(&other.sps) {
            parts.push(sps_difference(self.picture(), other.picture()));
        }
        if !self.pps.decode_like(&other.pps) {
            parts.push("PPS".into());
        }
        if !self.sps_extensions.decode_like(&other.sps_extensions) {
            parts.push("SPS extension".into());
        }
        parts.join(", ")
    }

    /// Writes the payload of `avcC`, for samples with NAL unit lengths of 4 bytes.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        // `add` keeps the counts within their bits.
        let (sps_count, pps_count) = (self.sps.len() as u8, self.pps.len() as u8);
        out.extend([1, self.profile, self.compatibility, self.level, 0xfc | 3, 0xe0 | sps_count]);
        self.sps.write(out);
        out.push(pps_count);
        self.pps.write(out);
        if let Some(chroma) = self.chroma.filter(|_| has_tail(self.profile)) {
            out.push(0xfc | chroma.format_idc);
            out.push(0xf8 | chroma.bit_depth_luma_minus8);
            out.push(0xf8 | chroma.bit_depth_chroma_minus8);
            out.push(self.sps_extensions.len() as u8);
            self.sps_extensions.write(out);
        }
    }

    fn new(profile: u8, compatibility: u8, level: u8) -> Self {
        Self {
            profile,
            compatibility,
            level,
            length_size: 4,
            sps: ParameterSets::default(),
            pps: ParameterSets::default(),
            sps_extensions: ParameterSets::default(),
            chroma: None,
            read: None,
        }
    }

    fn add(&mut self, nal: &[u8]) -> Result<(), Error> {
        match nal_unit_type(nal) {
            Some(SPS) => self.sps.add(VideoCodec::H264, nal, MAX_SPS),
            Some(PPS) => self.pps.add(VideoCodec::H264, nal, MAX_PPS),
            Some(SPS_EXTENSION) => self.sps_extensions.add(VideoCodec::H264, nal, MAX_PPS),
            _ => Ok(()),
        }
    }

    fn read_tail(&mut self, mut tail: &[u8]) -> Result<(), Error> {
        let [format_idc, luma, chroma, extension_count] = take(&mut tail, "the High profile fields")?;
        self.chroma = Some(Chroma {
            format_idc: format_idc & 0b11,
            bit_depth_luma_minus8: luma & 0b111,
            bit_depth_chroma_minus8: chroma & 0b111,
        });
        for _ in 0..extension_count {
            self.add(take_nal(&mut tail, "an SPS extension")?)?;
        }
        Ok(())
    }

    /// Takes over what the first SPS says. Its word goes over the record's, since a decoder follows the SPS, and producers pad
    /// the record with zeros. Where the record repeats another SPS, it stays.
    fn read_sps(&mut self) {
        self.read = self.sps.first().and_then(AvcSps::read);
        let Some(sps) = &self.read else { return };
        let stated = [self.profile, self.compatibility, self.level];
        // What is broken right after the level may be no SPS.
        let is_credible = sps.slices.is_some() || self.profile == 0;
        if is_credible && !self.sps.iter().any(|sps| sps.get(1..4) == Some(&stated)) {
            (self.profile, self.compatibility, self.level) = (sps.profile, sps.compatibility, sps.level);
        }
        self.chroma = sps.chroma.or(self.chroma);
    }
}

/// Whether the record carries chroma format and bit depths: in every profile but Baseline, Main and Extended.
fn has_tail(profile: u8) -> bool {
    !matches!(profile, 66 | 77 | 88)
}

/// NAL unit types, H.264 table 7-1.
const SPS: u8 = 7;
const PPS: u8 = 8;
const SPS_EXTENSION: u8 = 13;

fn nal_unit_type(nal: &[u8]) -> Option<u8> {
    nal.first().map(|header| header & 0x1f)
}

#[cfg(test)]
mod tests {
    use super::super::Colour;
    use super::super::tests::{hex, random_bytes};
    use super::*;

    /// CodecPrivate of `ffmpeg -f lavfi -i testsrc -c:v libx264`, by profile.
    const BASELINE: &str = "0142c01effe100186742c01ed900a03db011000003000100000300320f162e4801000568cb83cb20";
    const MAIN: &str =
        "014d400dffe1001c674d400deca0b04b7fe0076006c2000003000200000300641e28532c01000568ebe3cb20";
    const HIGH: &str = "0164001fffe1001c6764001facd9405005bb056a020202800000030080000019078c18cb\
                        01000668ebe3cb22c0fdf8f800";
    const HIGH_FULL_RANGE: &str =
        "0164000dffe100186764000dacd94141fb016c800000030080000019078a14cb01000668ebe3cb22c0fdf8f800";
    const HIGH_INTERLACED: &str =
        "01640028ffe1001a67640028acd94078044fde0220000003002000000643e2c5b2c001000668fba3cb22c0fdf8f800";
    const HIGH_MONOCHROME: &str =
        "0164000affe100176764000af365109b016c800000030080000019078912cb01000668ebe3cb22c0fcf8f800";
    const HIGH_422: &str = "017a0028ffe1001c677a0028b6cd940780227a8bc044000003000400000300c83c60c658\
                            01000668ebe3cb22c0fefafa00";
    const HIGH_444: &str = "01f4000affe1001967f4000a919b29af08421808800000030080000019078912cb\
                            01000668ebe3c44844fff8f800";
    const ALL: [&str; 8] =
        [BASELINE, MAIN, HIGH, HIGH_FULL_RANGE, HIGH_INTERLACED, HIGH_MONOCHROME, HIGH_422, HIGH_444];

    fn parse(record: &str) -> AvcConfig {
        AvcConfig::parse(&hex(record)).unwrap()
    }

    fn written(config: &AvcConfig) -> Vec<u8> {
        let mut out = Vec::new();
        config.write(&mut out);
        out
    }

    /// Of an SPS that cannot be read, the record's own word on chroma holds. Its reserved bits are no part of that, and
    /// come out as ones (ISO/IEC 14496-15 section 5.3.3.1.2).
    #[test]
    fn reserved_bits_of_the_tail() {
        let record = |tail: [u8; 4]| [&hex("0164000affe10002676401000268eb")[..], &tail].concat();
        for reserved in [0x00, 0xA8, 0xF8] {
            let config =
                AvcConfig::parse(&record([reserved & 0xFC | 2, reserved | 1, reserved | 4, 0])).unwrap();
            assert_eq!(written(&config), record([0xFE, 0xF9, 0xFC, 0]));
        }
    }

    /// Of 16x16 luma samples, 14x14, 16 columns, 16 rows, or nothing cut off (clause 7.4.2.1.1: CropUnit is 2x2).
    #[test]
    fn a_picture_without_a_row_or_column_is_none() {
        for (sps, size) in [
            ("6742001eddd88884", Some((2, 2))),
            ("6742001eddd89d", None),
            ("6742001edddca540", None),
            ("6742001edddf40", Some((16, 16))),
        ] {
            let nal = hex(sps);
            let record =
                [&[1, 66, 0, 30, 0xFF, 0xE1, 0, nal.len() as u8][..], &nal, &[1, 0, 2, 0x68, 0xEB]].concat();
            let config = AvcConfig::parse(&record).unwrap();
            let picture = config.picture();
            assert_eq!(picture.map(|picture| (picture.width, picture.height)), size, "{sps}");
        }
    }

    /// Width, height, sample aspect ratio and colour as ffprobe tells them.
    #[test]
    fn picture() {
        let bt709 = Colour { primaries: 1, transfer: 1, matrix: 1, full_range: false };
        let full_range = Colour { full_range: true, ..Colour::UNSPECIFIED };
        for (record, width, height, pixel_aspect, colour) in [
            (BASELINE, 640, 480, None, None),
            (MAIN, 352, 288, Some((59, 54)), None),
            (HIGH, 1280, 720, Some((40, 33)), Some(bt709)),
            (HIGH_FULL_RANGE, 320, 240, None, Some(full_range)),
            (HIGH_INTERLACED, 1920, 1080, None, None),
            (HIGH_MONOCHROME, 64, 64, None, Some(full_range)),
            (HIGH_422, 1918, 1078, None, None),
            (HIGH_444, 33, 17, None, None),
        ] {
            assert_eq!(parse(record).picture(), Some(&Picture { width, height, pixel_aspect, colour }));
        }
    }

    #[test]
    fn written_as_ffmpeg_writes_it() {
        for record in ALL {
            assert_eq!(written(&parse(record)), hex(record));
        }
    }

    #[test]
    fn from_a_byte_stream() {
        for record in ALL {
            let expected = parse(record);
            let mut stream = hex("00000109f0");
            for (start_code, sets) in [(&[0, 0, 0, 1][..], &expected.sps), (&[0, 0, 1], &expected.pps)] {
                stream.extend(start_code);
                stream.extend(sets.first().unwrap());
            }
            let config = AvcConfig::parse(&stream).unwrap();
            assert!(config.decodes_like(&expected));
            assert_eq!((config.length_size(), config.is_complete()), (4, true));
            assert_eq!(written(&config), hex(record));
        }
        let error = AvcConfig::parse(&hex("0000000168ebe3cb20")).unwrap_err();
        assert_eq!(error, Error::codec_private("expected an SPS, found none"));
        let error = AvcConfig::parse(&hex("000000016764")).unwrap_err();
        assert_eq!(error, Error::codec_private("expected an SPS of 4 bytes or more, found 2"));
    }

    /// As cameras write it: version, profile, 03, count, all reserved bits 0.
    #[test]
    fn reserved_bits_are_ignored() {
        let mut record = hex(HIGH);
        for (position, mask) in [(4, 3), (5, 0x1f)] {
            record[position] &= mask;
        }
        let tail = record.len() - 4;
        for (position, mask) in [(tail, 3), (tail + 1, 7), (tail + 2, 7)] {
            record[position] &= mask;
        }
        let config = AvcConfig::parse(&record).unwrap();
        assert!(config.decodes_like(&parse(HIGH)));
        assert_eq!(written(&config), hex(HIGH));
    }

    #[test]
    fn the_tail_comes_from_the_sps() {
        for high in [HIGH, HIGH_MONOCHROME, HIGH_422, HIGH_444] {
            let whole = hex(high);
            for cut in 1..=4 {
                let config = AvcConfig::parse(&whole[..whole.len() - cut]).unwrap();
                assert!(config.decodes_like(&parse(high)));
                assert_eq!(written(&config), whole);
            }
            let mut padded = whole[..whole.len() - 4].to_vec();
            padded.extend([0; 12]);
            assert_eq!(written(&AvcConfig::parse(&padded).unwrap()), whole);
        }
        let padded = [hex(BASELINE), hex("fdf8f800")].concat();
        assert_eq!(written(&AvcConfig::parse(&padded).unwrap()), hex(BASELINE), "none in Baseline");
    }

    #[test]
    fn an_sps_extension_stays() {
        let mut record = hex(HIGH);
        record.pop();
        record.extend(hex("0100036d1234"));
        let config = AvcConfig::parse(&record).unwrap();
        assert!(config.holds(&[0x6d, 0x12, 0x34]));
        assert_eq!(config.difference(&parse(HIGH)), "SPS extension");
        assert!(!config.decodes_like(&parse(HIGH)));
        assert_eq!(written(&config), record);
    }

    #[test]
    fn length_sizes() {
        for (byte, size) in [(0xfc, 1), (0xfd, 2), (0xff, 4)] {
            let mut record = hex(MAIN);
            record[4] = byte;
            let config = AvcConfig::parse(&record).unwrap();
            assert_eq!(config.length_size(), size);
            assert!(config.decodes_like(&parse(MAIN)), "of the input, not of the clip");
            assert_eq!(written(&config), hex(MAIN));
        }
        let mut record = hex(MAIN);
        record[4] = 0xfe;
        assert!(AvcConfig::parse(&record).unwrap_err().to_string().ends_with("found 3"));
    }

    #[test]
    fn differences_are_named() {
        let main = parse(MAIN);
        let expected = "profile 77 to 100, level 1.3 to 3.1, SPS: 352x288 to 1280x720, PPS";
        assert_eq!(main.difference(&parse(HIGH)), expected);
        assert_eq!(main.difference(&main), "");
        let mut pps = hex(MAIN);
        pps[43] = 0x40;
        assert_eq!(main.difference(&AvcConfig::parse(&pps).unwrap()), "PPS");
        let mut timing = hex(MAIN);
        timing[30] = 4;
        assert_eq!(main.difference(&AvcConfig::parse(&timing).unwrap()), "SPS");
    }

    /// The parser refuses 1280x720 at level 1, which a camera may well state.
    #[test]
    fn a_level_that_the_picture_exceeds() {
        let mut record = hex(HIGH);
        (record[3], record[11]) = (10, 10);
        let picture = *AvcConfig::parse(&record).unwrap().picture().unwrap();
        assert_eq!((picture.width, picture.height), (1280, 720));
    }

    /// Cameras that leave the record at 0, or fill it in for another stream.
    #[test]
    fn profile_and_level_of_the_record_come_from_the_sps() {
        for record in ALL {
            let whole = hex(record);
            for stated in [[0, 0, 0], [66, 0, 30], [255, 255, 255]] {
                let mut record = whole.clone();
                record[1..4].copy_from_slice(&stated);
                assert_eq!(written(&AvcConfig::parse(&record).unwrap()), whole);
            }
        }
        let without_sps = hex("0142c01effe000");
        assert_eq!(written(&AvcConfig::parse(&without_sps).unwrap()), without_sps);
    }

    /// Of two SPS, the record repeats the second.
    #[test]
    fn profile_and_level_of_another_sps_stay() {
        let sps = [hex("67640015acb40b84bcbe08dc"), hex("674d400deca0b04b7fe0076006c2")];
        let nals = sps.iter().flat_map(|nal| [&[0, nal.len() as u8][..], nal].concat());
        let record: Vec<u8> = [1, 0x4D, 0x40, 0x0D, 0xFF, 0xE2].into_iter().chain(nals).chain([0]).collect();
        let config = AvcConfig::parse(&record).unwrap();
        assert_eq!(written(&config), record);
    }

    #[test]
    fn an_sps_that_cannot_be_read_stays() {
        let record = hex("0142c01effe1000567ffffffff01000268cb");
        let config = AvcConfig::parse(&record).unwrap();
        assert_eq!(config.picture(), None);
        assert_eq!(written(&config), record);
    }

    #[test]
    fn broken_records() {
        let whole = hex(HIGH);
        for len in 0..whole.len() {
            let config = AvcConfig::parse(&whole[..len]);
            assert_eq!(config.is_ok(), len >= whole.len() - 4, "{len}");
        }
        let reason = "expected an SPS of 28 bytes, found the end after 12";
        assert_eq!(AvcConfig::parse(&whole[..20]).unwrap_err(), Error::codec_private(reason));
        let reason = "expected version 1 of the AVCDecoderConfigurationRecord, found 2";
        assert_eq!(AvcConfig::parse(&hex("0242c01effe000")).unwrap_err(), Error::codec_private(reason));
        let many: Vec<_> = (0..32).map(|id| [0x67, 0x42, 0xc0, 0x1e, id + 1]).collect();
        let error = AvcConfig::from_parameter_sets(many.iter().map(|nal| &nal[..])).unwrap_err();
        assert!(error.to_string().contains("at most 31 parameter sets"));
    }

    #[test]
    fn any_bytes_are_read_or_refused() {
        for mut bytes in random_bytes(20_000, 80) {
            let _ = AvcConfig::parse(&bytes);
            // Profiles with and without chroma fields, then whatever comes.
            let mut sps = vec![0x67, [66, 77, 100, 144, 244][bytes.len() % 5], 0, 30];
            sps.append(&mut bytes);
            let config = AvcConfig::from_parameter_sets([&sps[..]].into_iter()).unwrap();
            if let Some(picture) = config.picture() {
                assert!(picture.width > 0 && picture.height > 0);
            }
        }
        for record in ALL.map(hex) {
            for position in 9..record.len() {
                for bit in 0..8 {
                    let mut record = record.clone();
                    record[position] ^= 1 << bit;
                    let _ = AvcConfig::parse(&record);
                }
            }
        }
    }
}
