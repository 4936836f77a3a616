//! Which parameter set a NAL unit holds: a later one of the same kind, layer and number replaces it.

use super::VideoCodec;
use super::bits::{BitReader, rbsp};
use super::hevc_sps::sps_id;

/// The name under which a parameter set is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ParameterSetId {
    pub(crate) kind: ParameterSetKind,
    /// nuh_layer_id; 0 in H.264.
    pub(crate) layer: u8,
    /// The number that other parameter sets and slices refer to.
    pub(crate) number: u8,
}

/// The kinds of parameter sets that stand in a stream and in its codec private data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ParameterSetKind {
    Video,
    Sequence,
    Picture,
}

/// Bytes from the start of a NAL unit that hold its number: an SPS of H.265 has it after a profile_tier_level() of up to
/// 7 layers, 12 + 2 + 6 * 12 bytes.
const ENOUGH: usize = 128;
/// The largest numbers, H.264 clauses 7.4.2.1.1 and 7.4.2.2, H.265 clauses 7.4.3.2.1 and 7.4.3.3.1.
const MAX_H264_SPS: u32 = 31;
const MAX_H264_PPS: u32 = 255;
const MAX_H265_PPS: u32 = 63;

impl ParameterSetId {
    /// Reads the number of a parameter set. `None` for other NAL units, and where the number cannot be read.
    pub(crate) fn read(codec: VideoCodec, nal: &[u8]) -> Option<Self> {
        let (kind, layer) = match codec {
            VideoCodec::H264 => (h264_kind(nal)?, 0),
            VideoCodec::H265 => h265_kind_and_layer(nal)?,
        };
        let start = nal.get(..nal.len().min(ENOUGH))?;
        let number = match codec {
            VideoCodec::H264 => h264_number(kind, start)?,
            VideoCodec::H265 => h265_number(kind, layer, start)?,
        };
        Some(Self { kind, layer, number: u8::try_from(number).ok()? })
    }
}

fn h264_kind(nal: &[u8]) -> Option<ParameterSetKind> {
    match nal.first()? & 0x1F {
        7 => Some(ParameterSetKind::Sequence),
        8 => Some(ParameterSetKind::Picture),
        _ => None,
    }
}

fn h265_kind_and_layer(nal: &[u8]) -> Option<(ParameterSetKind, u8)> {
    let [first, second] = *nal.first_chunk()?;
    let kind = match first >> 1 & 0x3F {
        32 => ParameterSetKind::Video,
        33 => ParameterSetKind::Sequence,
        34 => ParameterSetKind::Picture,
        _ => return None,
    };
    Some((kind, (first & 1) << 5 | second >> 3))
}

fn h264_number(kind: ParameterSetKind, nal: &[u8]) -> Option<u32> {
    let rbsp = rbsp(nal, 1);
    let mut reader = BitReader::new(&rbsp);
    match kind {
        ParameterSetKind::Video => None,
        ParameterSetKind::Sequence => {
            reader.skip(24)?; // profile_idc, constraint_set flags, level_idc
            reader.ue().filter(|&number| number <= MAX_H264_SPS)
        }
        ParameterSetKind::Picture => reader.ue().filter(|&number| number <= MAX_H264_PPS),
    }
}

fn h265_number(kind: ParameterSetKind, layer: u8, nal: &[u8]) -> Option<u32> {
    let rbsp = rbsp(nal, 2);
    let mut reader = BitReader::new(&rbsp);
    match kind {
        ParameterSetKind::Video => reader.bits(4),
        ParameterSetKind::Sequence => sps_id(&mut reader, layer).map(u32::from),
        ParameterSetKind::Picture => reader.ue().filter(|&number| number <= MAX_H265_PPS),
    }
}

#[cfg(test)]
mod tests {
    use super::super::bit_writer::BitWriter;
    use super::super::tests::{hex, random_bytes};
    use super::ParameterSetKind::{Picture, Sequence, Video};
    use super::*;

    fn read(codec: VideoCodec, nal: &[u8]) -> Option<(ParameterSetKind, u8, u8)> {
        ParameterSetId::read(codec, nal).map(|id| (id.kind, id.layer, id.number))
    }

    /// libx264 with `sps-id=5`, which numbers the PPS alike, and two PPS by Exp-Golomb codes of table 9-2.
    #[test]
    fn h264() {
        for (nal, id) in [
            ("6764000a32cd94426c0440000003004000000c83c4896580", Some((Sequence, 0, 5))),
            ("6831abe3cb22c0", Some((Picture, 0, 5))),
            ("6742c01ed900a03db0", Some((Sequence, 0, 0))),
            ("6742c01e040080", Some((Sequence, 0, 31))),
            ("6742c01e0420", None), // 32
            ("68cb83cb20", Some((Picture, 0, 0))),
            ("685b83cb20", Some((Picture, 0, 1))),
            ("6800800080", Some((Picture, 0, 255))),
            ("6800808080", None), // 256
            ("65888400", None),
            ("6742", None),
            ("68", None),
            ("", None),
        ] {
            assert_eq!(read(VideoCodec::H264, &hex(nal)), id, "{nal}");
        }
    }

    /// Parameter sets of libx265, and an SPS of three layers, two of which have a profile or level of their own.
    #[test]
    fn h265() {
        for (nal, id) in [
            ("40010c01ffff016000000300900000030000", Some((Video, 0, 0))),
            ("40013c01ffff016000000300900000030000", Some((Video, 0, 3))),
            ("42010101600000030090000003000003003ca00b080485965669", Some((Sequence, 0, 0))),
            ("4401c172b46240", Some((Picture, 0, 0))),
            ("44015172b46240", Some((Picture, 0, 1))),
            ("44095172b46240", Some((Picture, 1, 1))),
            ("2801af", None),
            ("4201", None),
            ("42", None),
        ] {
            assert_eq!(read(VideoCodec::H265, &hex(nal)), id, "{nal}");
        }
        let mut w = BitWriter::default();
        w.u(4, 0).u(3, 2).u(1, 1).u(32, 0).u(32, 0).u(32, 0).u(2, 0b11).u(2, 0b01).u(12, 0);
        for _ in 0..13 {
            w.u(8, 0xFF);
        }
        assert_eq!(read(VideoCodec::H265, &w.ue(&[9]).nal(&[0x42, 1])), Some((Sequence, 0, 9)));
    }

    #[test]
    fn any_bytes_are_read() {
        for bytes in random_bytes(20_000, 40) {
            for codec in [VideoCodec::H264, VideoCodec::H265] {
                let read = ParameterSetId::read(codec, &bytes);
                assert!(read.is_none() || !bytes.is_empty());
            }
        }
    }
}
