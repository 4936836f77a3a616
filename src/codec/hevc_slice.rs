//! The beginning of a slice segment header of H.265, clause 7.3.6.1.

use super::bits::{BitReader, rbsp};

const NAL_HEADER_LEN: usize = 2;
/// Bytes of a NAL unit that hold the fields below.
const ENOUGH: usize = 8;
const MAX_PPS: u32 = 63;

/// What a slice segment says of its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HevcSlice {
    /// first_slice_segment_in_pic_flag: which decides where a picture begins, without the slice before.
    pub(crate) is_first: bool,
    pub(crate) pps: u8,
}

impl HevcSlice {
    /// Reads a slice segment, for which no parameter set is needed. `None` for other NAL units.
    pub(crate) fn read(nal: &[u8]) -> Option<Self> {
        let unit_type = nal.first()? >> 1 & 0x3F;
        matches!(unit_type, 0..=9 | 16..=21).then_some(())?;
        let rbsp = rbsp(nal.get(..nal.len().min(ENOUGH))?, NAL_HEADER_LEN);
        let mut reader = BitReader::new(&rbsp);
        let is_first = reader.flag()?;
        if unit_type >= 16 {
            reader.skip(1)?; // no_output_of_prior_pics_flag
        }
        let pps = reader.ue().filter(|&number| number <= MAX_PPS)?;
        Some(Self { is_first, pps: u8::try_from(pps).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::super::bit_writer::BitWriter;
    use super::super::tests::{hex, random_bytes};
    use super::*;

    /// `ffmpeg -c:v libx265 -x265-params bframes=2:slices=2:keyint=6:open-gop=1`, and first_slice_segment_in_pic_flag as
    /// `trace_headers` reads it.
    #[test]
    fn slices_of_x265() {
        for (nal, is_first) in [
            ("2801af1d80ba1b71", true),
            ("28012de3b0bc7678", false),
            ("0201d0195f84318e", true),
            ("02015a032bf08631", false),
            ("0001e024fffa2c29", true),
            ("2a01ac184b49c660", true),
            ("2a012d83096938cc", false),
            ("1201e0a225d7f718", true),
            ("12015c1444bafee3", false),
        ] {
            assert_eq!(HevcSlice::read(&hex(nal)), Some(HevcSlice { is_first, pps: 0 }), "{nal}");
        }
        let irap = BitWriter::default().u(2, 0b10).ue(&[5]).nal(&[0x26, 1]);
        assert_eq!(HevcSlice::read(&irap), Some(HevcSlice { is_first: true, pps: 5 }));
        let trailing = BitWriter::default().u(1, 0).ue(&[63]).nal(&[0x02, 1]);
        assert_eq!(HevcSlice::read(&trailing), Some(HevcSlice { is_first: false, pps: 63 }));
    }

    #[test]
    fn other_nal_units_and_short_ones() {
        for nal in ["", "28", "2801", "40010c01", "4e0105", "1401af"] {
            assert_eq!(HevcSlice::read(&hex(nal)), None, "{nal}");
        }
        assert_eq!(HevcSlice::read(&BitWriter::default().u(1, 1).ue(&[64]).nal(&[2, 1])), None);
        for bytes in random_bytes(20_000, 12) {
            assert!(HevcSlice::read(&bytes).is_none_or(|slice| slice.pps <= 63));
        }
    }
}
