//! The beginning of a slice header of H.264, clause 7.3.3: enough to tell the fields of a frame.

use super::avc_sps::SliceSyntax;
use super::bits::{BitReader, rbsp};

/// Bytes of a NAL unit that hold the fields below: three Exp-Golomb codes of up to 4 bytes each, and some bits.
const ENOUGH: usize = 24;
const NAL_HEADER_LEN: usize = 1;

/// What a slice says of its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AvcSlice {
    is_idr: bool,
    frame_num: u32,
    /// `None` in a frame.
    field: Option<Field>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Top,
    Bottom,
}

impl AvcSlice {
    /// The PPS that a slice refers to: what must be known to [`read`](Self::read) it. `None` for a NAL unit without a slice
    /// header.
    pub(crate) fn pps(nal: &[u8]) -> Option<u8> {
        let start = start(nal)?;
        read_pps(&mut BitReader::new(&start))
    }

    /// Reads a slice, an IDR slice or a data partition A by its SPS. `None` for other NAL units, and where the header is cut
    /// short.
    pub(crate) fn read(nal: &[u8], syntax: SliceSyntax) -> Option<Self> {
        let start = start(nal)?;
        let reader = &mut BitReader::new(&start);
        read_pps(reader)?;
        if syntax.separate_colour_planes {
            reader.skip(2)?; // colour_plane_id
        }
        let frame_num = reader.bits(syntax.frame_num_bits)?;
        let is_field = !syntax.frame_mbs_only && reader.flag()?;
        let field = match is_field {
            true => Some(if reader.flag()? { Field::Bottom } else { Field::Top }),
            false => None,
        };
        Some(Self { is_idr: nal.first()? & 0x1F == 5, frame_num, field })
    }

    /// Whether the picture of this slice is the second field of the frame whose first field the one before it is: a
    /// complementary field pair, clause 3.30. Both are one sample.
    pub(crate) fn completes_field_pair(&self, before: &Self) -> bool {
        let is_opposite = match (before.field, self.field) {
            (Some(Field::Top), Some(Field::Bottom)) | (Some(Field::Bottom), Some(Field::Top)) => true,
            (Some(Field::Top), Some(Field::Top)) | (Some(Field::Bottom), Some(Field::Bottom)) => false,
            (None, _) | (_, None) => false,
        };
        // The second field of an IDR picture is a P field that is no IDR picture.
        is_opposite && self.frame_num == before.frame_num && !self.is_idr
    }
}

/// The beginning of a slice header.
fn start(nal: &[u8]) -> Option<Vec<u8>> {
    matches!(nal.first()? & 0x1F, 1 | 2 | 5).then_some(())?;
    Some(rbsp(nal.get(..nal.len().min(ENOUGH))?, NAL_HEADER_LEN))
}

fn read_pps(reader: &mut BitReader<'_>) -> Option<u8> {
    reader.ue()?; // first_mb_in_slice
    reader.ue()?; // slice_type
    u8::try_from(reader.ue()?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::avc_sps::AvcSps;
    use super::super::bit_writer::BitWriter;
    use super::super::tests::{hex, random_bytes};
    use super::*;

    const FRAMES: SliceSyntax =
        SliceSyntax { separate_colour_planes: false, frame_num_bits: 4, frame_mbs_only: true };

    /// `ffmpeg -f lavfi -i testsrc=s=160x128 -c:v libx264 -x264-params bframes=2:slices=2:keyint=6`, and frame_num as
    /// `trace_headers` reads it.
    #[test]
    fn slices_of_x264() {
        let sps = AvcSps::read(&hex("6764000bacd942846c0440000003004000000c83c50a6580")).unwrap();
        assert_eq!(sps.slices, Some(FRAMES));
        for (nal, frame_num) in [
            ("6588840037fffef6f0fe053655de", 0),
            ("65052221001dffbc34c5aa17ff87", 0),
            ("419a236c433ffe9e1935e6d9e88a", 1),
            ("41052688db1097276f66e5fa6f23", 1),
            ("419e4178857f20bfcb44f981", 2),
            ("019e626a42bf024e", 3),
            ("419a6549a84168994c14f0affe38", 3),
            ("658882000ffffef7689f029b5e5d", 0),
        ] {
            let expected = AvcSlice { is_idr: nal.starts_with("65"), frame_num, field: None };
            assert_eq!(AvcSlice::read(&hex(nal), FRAMES), Some(expected), "{nal}");
            assert_eq!(AvcSlice::pps(&hex(nal)), Some(0));
        }
    }

    /// `-x264-params interlaced=1`: frames of macroblock pairs, which carry field_pic_flag.
    #[test]
    fn frames_of_an_interlaced_stream() {
        let sps = AvcSps::read(&hex("67640015ace40a236022000003000200000300643e285224")).unwrap();
        let syntax = sps.slices.unwrap();
        assert!(!syntax.frame_mbs_only);
        for (nal, frame_num) in [("6588822c0dfff6f6f0fe05365604", 0), ("419a25790cfffee5e019e2664001", 1)] {
            let slice = AvcSlice::read(&hex(nal), syntax).unwrap();
            assert_eq!((slice.frame_num, slice.field), (frame_num, None));
            assert!(!slice.completes_field_pair(&slice));
        }
    }

    /// A slice of a stream of fields.
    fn field(header: u8, first_macroblock: u32, frame_num: u32, bottom: u32) -> AvcSlice {
        let mut w = BitWriter::default();
        let nal = w.ue(&[first_macroblock, 2, 0]).u(4, frame_num).u(1, 1).u(1, bottom).u(8, 0).nal(&[header]);
        AvcSlice::read(&nal, SliceSyntax { frame_mbs_only: false, ..FRAMES }).unwrap()
    }

    #[test]
    fn complementary_field_pairs() {
        let top = field(0x65, 0, 0, 0);
        assert_eq!(top.field, Some(Field::Top));
        // The second field of an IDR picture refers to the first.
        assert!(field(0x61, 0, 0, 1).completes_field_pair(&top));
        for (other, what) in [
            (field(0x61, 0, 0, 0), "the same parity"),
            (field(0x61, 0, 1, 1), "another frame"),
            (field(0x65, 0, 0, 1), "an IDR picture of its own"),
        ] {
            assert!(!other.completes_field_pair(&top), "{what}");
        }
        assert!(field(0x01, 0, 3, 0).completes_field_pair(&field(0x01, 0, 3, 1)), "bottom first");
    }

    #[test]
    fn planes_coded_apart() {
        let nal = BitWriter::default().ue(&[0, 0, 9]).u(2, 1).u(4, 5).nal(&[0x41]);
        let syntax = SliceSyntax { separate_colour_planes: true, ..FRAMES };
        assert_eq!(AvcSlice::pps(&nal), Some(9));
        assert_eq!(AvcSlice::read(&nal, syntax).map(|slice| slice.frame_num), Some(5));
    }

    #[test]
    fn other_nal_units_and_short_ones() {
        for nal in ["", "65", "6588", "0605ff", "67640028", "4320", "09f0"] {
            assert_eq!(AvcSlice::read(&hex(nal), FRAMES), None, "{nal}");
        }
        assert_eq!(AvcSlice::pps(&hex("0605ff")), None);
        for bytes in random_bytes(20_000, 12) {
            let _ = (AvcSlice::read(&bytes, FRAMES), AvcSlice::pps(&bytes));
        }
    }
}
