//! H.265: the HEVCDecoderConfigurationRecord, ISO/IEC 14496-15 clause 8.3.3.1.

use super::VideoCodec;
use super::hevc_sps::{BitDepths, HevcSps};
use super::parameter_set_id::{ParameterSetId, ParameterSetKind};
use super::parameter_sets::{ParameterSets, annex_b_nals, take, take_nal};
use super::picture::{Picture, sps_difference};
use crate::annexb;
use crate::error::Error;
use std::collections::BTreeMap;

/// Largest count of NAL units of one type. Identifiers allow 64 PPS (H.265 clause 7.4.3.3), and less of others.
const MAX_NALS: usize = 255;

/// The configuration of an H.265 track.
#[derive(Debug, Clone)]
pub(crate) struct HevcConfig {
    /// general_profile_space to general_level_idc.
    general: [u8; 12],
    min_spatial_segmentation_idc: u16,
    parallelism_type: u8,
    chroma_format_idc: u8,
    bit_depths: BitDepths,
    avg_frame_rate: u16,
    constant_frame_rate: u8,
    temporal_layers: u8,
    temporal_id_nested: bool,
    length_size: u8,
    /// NAL units by type: VPS, SPS, PPS, SEI, which is also the order that clause 8.3.3.1.3 recommends.
    arrays: BTreeMap<u8, ParameterSets>,
    /// The first SPS, if anything can be read of it.
    read: Option<HevcSps>,
}

impl HevcConfig {
    /// Reads an HEVCDecoderConfigurationRecord, or a byte stream of parameter sets.
    ///
    /// Reserved bits and what follows the record are ignored. NAL units are filed by their own type, whatever
    /// their array says, and those that do not belong into a record are left out.
    pub(crate) fn parse(codec_private: &[u8]) -> Result<Self, Error> {
        if annexb::begins_with_start_code(codec_private) {
            return Self::from_parameter_sets(annex_b_nals(codec_private).into_iter());
        }
        let mut record = codec_private;
        const RECORD: &str = "an HEVCDecoderConfigurationRecord";
        let [version] = take(&mut record, RECORD)?;
        // 0 was written before the record was final, with the same layout.
        if version > 1 {
            return Err(Error::codec_private(format!("expected version 1 of {RECORD}, found {version}")));
        }
        let general = take(&mut record, RECORD)?;
        let min_spatial_segmentation_idc = u16::from_be_bytes(take(&mut record, RECORD)?) & 0x0fff;
        let [parallelism_type, chroma_format_idc, luma, chroma] = take(&mut record, RECORD)?;
        let avg_frame_rate = u16::from_be_bytes(take(&mut record, RECORD)?);
        let [layers, array_count] = take(&mut record, RECORD)?;
        let mut config = Self {
            general,
            min_spatial_segmentation_idc,
            parallelism_type: parallelism_type & 0b11,
            chroma_format_idc: chroma_format_idc & 0b11,
            bit_depths: BitDepths { luma_minus8: luma & 0b111, chroma_minus8: chroma & 0b111 },
            avg_frame_rate,
            constant_frame_rate: layers >> 6,
            temporal_layers: layers >> 3 & 0b111,
            temporal_id_nested: layers & 0b100 != 0,
            length_size: match layers & 0b11 {
                0 => 1,
                1 => 2,
                3 => 4,
                _ => {
                    return Err(Error::codec_private(
                        "expected NAL unit lengths of 1, 2 or 4 bytes, found 3",
                    ));
                }
            },
            arrays: BTreeMap::new(),
            read: None,
        };
        for _ in 0..array_count {
            let [_nal_unit_type] = take(&mut record, "the type of an array of NAL units")?;
            let count = u16::from_be_bytes(take(&mut record, "the length of an array of NAL units")?);
            if usize::from(count) > MAX_NALS {
                return Err(Error::codec_private(format!(
                    "expected at most {MAX_NALS} NAL units in an array, found {count}"
                )));
            }
            for _ in 0..count {
                config.add(take_nal(&mut record, "a parameter set")?)?;
            }
        }
        config.read_sps();
        Ok(config)
    }

    /// Makes a configuration of NAL units without a record. Other NAL units than parameter sets and SEI are
    /// left out.
    pub(crate) fn from_parameter_sets<'a>(nals: impl Iterator<Item = &'a [u8]>) -> Result<Self, Error> {
        let mut arrays = BTreeMap::new();
        for nal in nals {
            add(&mut arrays, nal)?;
        }
        let Some(nal) = arrays.get(&SPS).and_then(ParameterSets::first) else {
            return Err(Error::codec_private("expected an SPS, found none"));
        };
        let sps = HevcSps::read(nal).ok_or_else(|| {
            Error::codec_private(format!("expected an SPS, found {} bytes that break its syntax", nal.len()))
        })?;
        let mut config = Self {
            general: sps.general,
            min_spatial_segmentation_idc: 0,
            parallelism_type: 0,
            chroma_format_idc: 1,
            bit_depths: BitDepths { luma_minus8: 0, chroma_minus8: 0 },
            avg_frame_rate: 0,
            constant_frame_rate: 0,
            temporal_layers: sps.temporal_layers,
            temporal_id_nested: sps.temporal_id_nested,
            length_size: 4,
            arrays,
            read: None,
        };
        config.read_sps();
        Ok(config)
    }

    /// What the first SPS says, as far as it can be read.
    pub(crate) fn sps(&self) -> Option<&HevcSps> {
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

    /// Whether there is a VPS, an SPS and a PPS.
    pub(crate) fn is_complete(&self) -> bool {
        [VPS, SPS, PPS].iter().all(|kind| self.arrays.contains_key(kind))
    }

    /// Whether this very parameter set is here.
    pub(crate) fn holds(&self, nal: &[u8]) -> bool {
        nal_unit_type(nal).is_some_and(|kind| self.arrays.get(&kind).is_some_and(|sets| sets.holds(nal)))
    }

    /// The parameter sets in the order in which a decoder needs them.
    pub(crate) fn parameter_sets(&self) -> impl Iterator<Item = &[u8]> {
        [VPS, SPS, PPS].iter().filter_map(|kind| self.arrays.get(kind)).flat_map(ParameterSets::iter)
    }

    /// The parameter set of that number which a decoder uses.
    pub(crate) fn in_force(&self, id: ParameterSetId) -> Option<&[u8]> {
        self.arrays.get(&unit_type(id.kind))?.in_force(id)
    }

    /// Adds a parameter set, which is in force from then on.
    pub(crate) fn join(&mut self, nal: &[u8]) -> Result<(), Error> {
        self.add(nal)?;
        self.read_sps();
        Ok(())
    }

    /// Whether a stream can go on under an SPS: profile and picture size are those of the first SPS, if there is one.
    pub(crate) fn agrees_with(&self, sps: &[u8]) -> bool {
        let Some(first) = self.arrays.get(&SPS).and_then(ParameterSets::first) else { return true };
        let read = |nal| {
            let sps = HevcSps::read(nal)?;
            let [profile, ..] = sps.general;
            Some((profile, sps.picture.map(|p| (p.width, p.height))))
        };
        read(first) == read(sps)
    }

    /// Whether a decoder would see no difference: profile, tier, level and the parameter sets in force are the same. SEI, which
    /// describes the encoder, and the fields that producers fill in or leave at 0 as they like, change nothing for it.
    pub(crate) fn decodes_like(&self, other: &Self) -> bool {
        self.difference(other).is_empty()
    }

    /// What differs, in a few words. Empty when they are equal.
    pub(crate) fn difference(&self, other: &Self) -> String {
        let mut parts = Vec::new();
        let ([from_profile @ .., from_level], [to_profile @ .., to_level]) = (&self.general, &other.general);
        if from_profile != to_profile {
            let [from, to] = [self, other].map(|config| config.general_profile_idc());
            parts.push(match from == to {
                true => "profile flags".into(),
                false => format!("profile {from} to {to}"),
            });
        }
        if from_level != to_level {
            // general_level_idc is 30 times the level (H.265 clause A.4.1).
            let [from, to] = [from_level, to_level].map(|level| format!("{}.{}", level / 30, level % 30 / 3));
            parts.push(format!("level {from} to {to}"));
        }
        for (kind, name) in [(VPS, "VPS"), (SPS, "SPS"), (PPS, "PPS")] {
            let sets = |config: &Self| config.arrays.get(&kind).cloned().unwrap_or_default();
            if !sets(self).decode_like(&sets(other)) {
                parts.push(match kind {
                    SPS => sps_difference(self.picture(), other.picture()),
                    _ => name.into(),
                });
            }
        }
        parts.join(", ")
    }

    /// Writes the payload of `hvcC`, for samples with NAL unit lengths of 4 bytes. `array_completeness`: the
    /// samples carry no parameter sets, which the sample entry `hvc1` asks for.
    pub(crate) fn write(&self, out: &mut Vec<u8>, array_completeness: bool) {
        out.push(1);
        out.extend(self.general);
        out.extend((0xf000 | self.min_spatial_segmentation_idc).to_be_bytes());
        out.push(0xfc | self.parallelism_type);
        out.push(0xfc | self.chroma_format_idc);
        // Depths of 16 bits have no place in 3 bits.
        out.push(0xf8 | self.bit_depths.luma_minus8.min(7));
        out.push(0xf8 | self.bit_depths.chroma_minus8.min(7));
        out.extend(self.avg_frame_rate.to_be_bytes());
        let nested = u8::from(self.temporal_id_nested);
        out.push(self.constant_frame_rate << 6 | self.temporal_layers << 3 | nested << 2 | 3);
        // `add` keeps the counts within their bits.
        out.push(self.arrays.len() as u8);
        for (&kind, nals) in &self.arrays {
            let complete = array_completeness && matches!(kind, VPS | SPS | PPS);
            out.push(u8::from(complete) << 7 | kind);
            out.extend((nals.len() as u16).to_be_bytes());
            nals.write(out);
        }
    }

    fn general_profile_idc(&self) -> u8 {
        let [first, ..] = self.general;
        first & 0x1f
    }

    fn add(&mut self, nal: &[u8]) -> Result<(), Error> {
        add(&mut self.arrays, nal)
    }

    /// Takes over what the first SPS says. Its word goes over the record's, since a decoder follows the SPS, and producers leave
    /// the record at 0. Profile and level stay where they are those of another SPS.
    fn read_sps(&mut self) {
        let Some(sets) = self.arrays.get(&SPS) else { return };
        let stated = self.general;
        let is_of_an_sps = sets.iter().filter_map(HevcSps::read).any(|sps| sps.general == stated);
        self.read = sets.first().and_then(HevcSps::read);
        let Some(sps) = &self.read else { return };
        if !is_of_an_sps {
            self.general = sps.general;
        }
        self.temporal_layers = sps.temporal_layers;
        self.temporal_id_nested = sps.temporal_id_nested;
        self.chroma_format_idc = sps.chroma_format_idc.unwrap_or(self.chroma_format_idc);
        self.bit_depths = sps.bit_depths.unwrap_or(self.bit_depths);
    }
}

/// NAL unit types, H.265 table 7-1.
const VPS: u8 = 32;
const SPS: u8 = 33;
const PPS: u8 = 34;
const PREFIX_SEI: u8 = 39;
const SUFFIX_SEI: u8 = 40;

fn nal_unit_type(nal: &[u8]) -> Option<u8> {
    nal.first().map(|header| header >> 1 & 0x3f)
}

fn unit_type(kind: ParameterSetKind) -> u8 {
    match kind {
        ParameterSetKind::Video => VPS,
        ParameterSetKind::Sequence => SPS,
        ParameterSetKind::Picture => PPS,
    }
}

fn add(arrays: &mut BTreeMap<u8, ParameterSets>, nal: &[u8]) -> Result<(), Error> {
    match nal_unit_type(nal) {
        Some(kind @ (VPS | SPS | PPS | PREFIX_SEI | SUFFIX_SEI)) => {
            // An array is there only once it holds something.
            let mut array = arrays.remove(&kind).unwrap_or_default();
            let added = array.add(VideoCodec::H265, nal, MAX_NALS);
            if !array.is_empty() {
                arrays.insert(kind, array);
            }
            added
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Colour;
    use super::super::tests::{hex, random_bytes};
    use super::*;

    /// CodecPrivate of `ffmpeg -f lavfi -i testsrc -c:v libx265 -x265-params info=0` in Matroska.
    const MAIN: &str = "0101600000009000000000003cf000fcfdf8f800000f03\
        200001001840010c01ffff01600000030090000003000003003c959809\
        210001002d42010101600000030090000003000003003ca00b08048596566924cafff003b003668080000003008000000c84\
        22000100074401c172b46240";
    const MAIN_FULL_RANGE: &str = "0101600000009000000000003cf000fcfdf8f800000f03\
        200001001840010c01ffff01600000030090000003000003003c959809\
        210001002b42010101600000030090000003000003003ca00a080b9f796566924e5780b60400000300040000030064\
        2022000100074401c172b46240";
    const TEMPORAL_LAYERS: &str = "0101600000009000000000003ff000fcfdf8f800001303\
        200001001c40010c02ffff01600000030090000003000003003f00009598acc048\
        210001002e42010201600000030090000003000003003f0000a005020169659598acd24995e02d0100000300010000030019\
        0822000100074401c172b46240";
    const HDR_422: &str = "0104080000009d080000000078f000fcfefafa00000f03\
        200001001740010c01ffff0408000003009d0800000300007895980921\
        0001002f4201010408000003009d08000003000078b003c08010e756d96566924caf046a12201208000003000800000300c840\
        22000100074401c172b46240";
    const ODD_444: &str = "0104080000009e08000000001ef000fcfff8f800000f03\
        200001001740010c01ffff0408000003009e0800000300001e959809\
        21000100294201010408000003009e0800000300001e900a4339a6cb2b355e5780b4040000030004000003006420\
        22000100084401c17318311890";
    const GRAY_12: &str = "01040800000099c8000000001ef000fcfcfcfc00000f03\
        200001001740010c01ffff04080000030099c800000300001e959809\
        210001002a42010104080000030099c800000300001ec0920a73ce5296566b932bc05b020000030002000003003210\
        22000100064401c173d189";
    const ALL: [&str; 6] = [MAIN, MAIN_FULL_RANGE, TEMPORAL_LAYERS, HDR_422, ODD_444, GRAY_12];

    fn parse(record: &str) -> HevcConfig {
        HevcConfig::parse(&hex(record)).unwrap()
    }

    fn written(config: &HevcConfig, array_completeness: bool) -> Vec<u8> {
        let mut out = Vec::new();
        config.write(&mut out, array_completeness);
        out
    }

    fn nals(config: &HevcConfig) -> Vec<Vec<u8>> {
        config.arrays.values().map(|sets| sets.first().unwrap().to_vec()).collect()
    }

    /// Width, height, sample aspect ratio and colour as ffprobe tells them.
    #[test]
    fn picture() {
        let full_range = Colour { full_range: true, ..Colour::UNSPECIFIED };
        let hdr = Colour { primaries: 9, transfer: 16, matrix: 9, full_range: false };
        for (record, width, height, pixel_aspect, colour) in [
            (MAIN, 352, 288, Some((59, 54)), None),
            (MAIN_FULL_RANGE, 320, 180, None, Some(full_range)),
            (TEMPORAL_LAYERS, 640, 360, None, None),
            (HDR_422, 1918, 1078, Some((16, 11)), Some(hdr)),
            (ODD_444, 35, 19, None, None),
            (GRAY_12, 66, 34, None, Some(full_range)),
        ] {
            assert_eq!(parse(record).picture(), Some(&Picture { width, height, pixel_aspect, colour }));
        }
    }

    #[test]
    fn written_as_ffmpeg_writes_it() {
        for record in ALL {
            assert_eq!(written(&parse(record), false), hex(record));
        }
    }

    /// ffmpeg fills the record from the parameter sets as well.
    #[test]
    fn from_a_byte_stream() {
        for record in ALL {
            let expected = parse(record);
            let mut stream = hex("00000001460110");
            for nal in nals(&expected) {
                stream.extend([0, 0, 1]);
                stream.extend(nal);
            }
            let config = HevcConfig::parse(&stream[..]).unwrap();
            assert!(config.decodes_like(&expected));
            assert_eq!((config.length_size(), config.is_complete()), (4, true));
            assert_eq!(written(&config, false), hex(record));
        }
        let error = HevcConfig::parse(&hex("000000014401c172b46240")).unwrap_err();
        assert_eq!(error, Error::codec_private("expected an SPS, found none"));
        let error = HevcConfig::parse(&hex("000000014201010101")).unwrap_err();
        assert!(error.to_string().ends_with("found 5 bytes that break its syntax"));
    }

    #[test]
    fn array_completeness() {
        // As `-f mp4 -tag:v hvc1` has it, but an SEI array cannot be complete.
        let whole = [hex(MAIN), hex("27000100034e0180")].concat();
        let mut record = whole.clone();
        record[22] = 4;
        let mut complete = record.clone();
        for position in [23, 52, 102] {
            assert!(matches!(complete[position], 0x20..=0x22));
            complete[position] |= 0x80;
        }
        let config = HevcConfig::parse(&record).unwrap();
        assert_eq!(written(&config, true), complete);
        assert!(HevcConfig::parse(&complete).unwrap().decodes_like(&config));
        assert_eq!(written(&HevcConfig::parse(&complete).unwrap(), false), record);
        assert!(config.decodes_like(&parse(MAIN)), "SEI makes no difference");
    }

    #[test]
    fn fields_of_the_record_stay() {
        let mut record = hex(MAIN);
        record[13..23].copy_from_slice(&hex("f123fffdf8f86161cf03"));
        assert_eq!(written(&HevcConfig::parse(&record).unwrap(), false), record);
    }

    /// Producers that leave the record at 0, or fill it in for another stream: a decoder follows the SPS.
    #[test]
    fn what_the_sps_says_goes_over_the_record() {
        for record in ALL {
            let whole = hex(record);
            for filler in [0x00, 0xFF] {
                let mut record = whole.clone();
                record[1..13].fill(filler);
                record[16..19].fill(filler);
                record[21] = filler & 0x38 | 3;
                let config = HevcConfig::parse(&record).unwrap();
                assert_eq!(written(&config, false), whole);
            }
        }
        // Without an SPS the record is all there is.
        let without_sps = [&hex(GRAY_12)[..22], &[0]].concat();
        assert_eq!(written(&HevcConfig::parse(&without_sps).unwrap(), false), without_sps);
    }

    #[test]
    fn reserved_bits_and_version_0() {
        let mut record = hex(MAIN);
        for (position, mask) in [(0, 0), (13, 0x0f), (15, 3), (16, 3), (17, 7), (18, 7)] {
            record[position] &= mask;
        }
        record[23] |= 0x40;
        let config = HevcConfig::parse(&record).unwrap();
        assert!(config.decodes_like(&parse(MAIN)));
        assert_eq!(written(&config, false), hex(MAIN));
    }

    #[test]
    fn length_sizes() {
        for (byte, size) in [(0x0c, 1), (0x0d, 2), (0x0f, 4)] {
            let mut record = hex(MAIN);
            record[21] = byte;
            let config = HevcConfig::parse(&record).unwrap();
            assert_eq!(config.length_size(), size);
            assert_eq!(written(&config, false), hex(MAIN));
        }
        let mut record = hex(MAIN);
        record[21] = 0x0e;
        assert!(HevcConfig::parse(&record).unwrap_err().to_string().ends_with("found 3"));
    }

    #[test]
    fn differences_are_named() {
        let main = parse(MAIN);
        assert_eq!(main.difference(&main), "");
        assert_eq!(main.difference(&parse(MAIN_FULL_RANGE)), "SPS: 352x288 to 320x180");
        let expected = "profile 1 to 4, level 2.0 to 4.0, VPS, SPS: 352x288 to 1918x1078";
        assert_eq!(main.difference(&parse(HDR_422)), expected);
        assert!(main.difference(&parse(GRAY_12)).ends_with("PPS"));
        let without_sps = |flags: u8| {
            let mut record = [&hex(MAIN)[..22], &[0]].concat();
            record[6] = flags;
            HevcConfig::parse(&record).unwrap()
        };
        assert_eq!(without_sps(0x90).difference(&without_sps(0xB0)), "profile flags");
    }

    #[test]
    fn broken_records() {
        let whole = hex(MAIN);
        for len in 0..whole.len() {
            assert!(HevcConfig::parse(&whole[..len]).is_err(), "{len}");
        }
        assert!(HevcConfig::parse(&[&whole[..], &[1, 2, 3]].concat()).is_ok());
        let reason = "expected version 1 of an HEVCDecoderConfigurationRecord, found 2";
        assert_eq!(HevcConfig::parse(&[2; 23]).unwrap_err(), Error::codec_private(reason));
        let mut crowd = whole.clone();
        crowd[24] = 1;
        assert!(HevcConfig::parse(&crowd).unwrap_err().to_string().ends_with("found 257"));
    }

    #[test]
    fn any_bytes_are_read_or_refused() {
        for bytes in random_bytes(20_000, 120) {
            let _ = HevcConfig::parse(&bytes);
            let _ = HevcConfig::parse(&[&[1], &bytes[..]].concat());
        }
        for record in ALL.map(hex) {
            for position in 0..record.len() {
                for bit in 0..8 {
                    let mut record = record.clone();
                    record[position] ^= 1 << bit;
                    let _ = HevcConfig::parse(&record);
                }
            }
        }
    }
}
