//! The beginning of a slice header of H.264, clause 7.3.3: enough to tell where a picture begins.

use super::avc_sps::{OrderCount, SliceSyntax};
use super::bits::{BitReader, rbsp};

/// Bytes of a NAL unit that hold the fields below: five Exp-Golomb codes of up to 4 bytes each, and some bits.
const ENOUGH: usize = 40;
const NAL_HEADER_LEN: usize = 1;

/// What a slice says of its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AvcSlice {
    /// nal_ref_idc is not 0.
    pub(crate) is_reference: bool,
    /// idr_pic_id, in slices of an IDR picture.
    pub(crate) idr_pic_id: Option<u32>,
    /// first_mb_in_slice.
    pub(crate) first_macroblock: u32,
    pub(crate) slice_type: SliceType,
    pub(crate) pps: u8,
    pub(crate) frame_num: u32,
    /// `None` in a frame.
    pub(crate) field: Option<Field>,
    pub(crate) order: SliceOrder,
}

/// slice_type, table 7-6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SliceType {
    P,
    B,
    I,
    Sp,
    Si,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Top,
    Bottom,
}

/// What tells pictures apart by their order count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SliceOrder {
    /// pic_order_cnt_lsb.
    Lsb(u32),
    /// delta_pic_order_cnt\[0\]; 0 where it is not sent.
    Delta(i32),
    /// Type 2 has nothing.
    Decoding,
}

impl AvcSlice {
    /// The PPS that a slice refers to: what must be known to [`read`](Self::read) it. `None` for a NAL unit without a slice
    /// header.
    pub(crate) fn pps(nal: &[u8]) -> Option<u8> {
        let rbsp = rbsp(nal.get(..nal.len().min(ENOUGH))?, NAL_HEADER_LEN);
        let mut reader = BitReader::new(&rbsp);
        matches!(nal.first()? & 0x1F, 1 | 2 | 5).then_some(())?;
        reader.ue()?; // first_mb_in_slice
        reader.ue()?; // slice_type
        u8::try_from(reader.ue()?).ok()
    }

    /// Reads a slice, an IDR slice or a data partition A by its SPS. `None` for other NAL units, and where the header is cut
    /// short.
    pub(crate) fn read(nal: &[u8], syntax: SliceSyntax) -> Option<Self> {
        let header = *nal.first()?;
        let unit_type = header & 0x1F;
        matches!(unit_type, 1 | 2 | 5).then_some(())?;
        let rbsp = rbsp(nal.get(..nal.len().min(ENOUGH))?, NAL_HEADER_LEN);
        let reader = &mut BitReader::new(&rbsp);
        let first_macroblock = reader.ue()?;
        let slice_type = SliceType::read(reader)?;
        let pps = u8::try_from(reader.ue()?).ok()?;
        if syntax.separate_colour_planes {
            reader.skip(2)?; // colour_plane_id
        }
        let frame_num = reader.bits(syntax.frame_num_bits)?;
        let is_field = !syntax.frame_mbs_only && reader.flag()?;
        let field = match is_field {
            true => Some(if reader.flag()? { Field::Bottom } else { Field::Top }),
            false => None,
        };
        let idr_pic_id = if unit_type == 5 { Some(reader.ue()?) } else { None };
        let order = match syntax.order {
            OrderCount::Lsb { bits } => SliceOrder::Lsb(reader.bits(bits)?),
            OrderCount::Delta { always_zero: false } => SliceOrder::Delta(reader.se()?),
            OrderCount::Delta { always_zero: true } => SliceOrder::Delta(0),
            OrderCount::Decoding => SliceOrder::Decoding,
        };
        let is_reference = header & 0x60 != 0;
        Some(Self { is_reference, idr_pic_id, first_macroblock, slice_type, pps, frame_num, field, order })
    }

    /// Whether this slice is the first of another picture than the one before it, clause 7.4.1.2.4.
    ///
    /// Macroblock 0 begins a picture as well: cameras give all their IDR pictures one idr_pic_id. That takes the redundant
    /// pictures and the arbitrary slice order of the Baseline profile, which no camera uses, for pictures of their own.
    pub(crate) fn begins_picture_after(&self, before: &Self) -> bool {
        self.first_macroblock == 0
            || self.frame_num != before.frame_num
            || self.pps != before.pps
            || self.field != before.field
            || self.is_reference != before.is_reference
            || self.idr_pic_id != before.idr_pic_id
            || self.order != before.order
    }

    /// Whether the picture of this slice is the second field of the frame whose first field the one before it is: a
    /// complementary field pair, clause 3.30. Both are one sample.
    pub(crate) fn completes_field_pair(&self, before: &Self) -> bool {
        let opposite = matches!(
            (before.field, self.field),
            (Some(Field::Top), Some(Field::Bottom)) | (Some(Field::Bottom), Some(Field::Top))
        );
        // The second field of an IDR picture is a P field that is no IDR picture.
        opposite && self.frame_num == before.frame_num && self.idr_pic_id.is_none()
    }
}

impl SliceType {
    fn read(reader: &mut BitReader<'_>) -> Option<Self> {
        // 5 to 9: all slices of the picture are of that type.
        match reader.ue()? {
            0 | 5 => Some(Self::P),
            1 | 6 => Some(Self::B),
            2 | 7 => Some(Self::I),
            3 | 8 => Some(Self::Sp),
            4 | 9 => Some(Self::Si),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::avc_sps::AvcSps;
    use super::super::bit_writer::BitWriter;
    use super::super::tests::{hex, random_bytes};
    use super::*;

    const FRAMES: SliceSyntax = SliceSyntax {
        separate_colour_planes: false,
        frame_num_bits: 4,
        order: OrderCount::Lsb { bits: 6 },
        frame_mbs_only: true,
    };

    fn read(nal: &str, syntax: SliceSyntax) -> AvcSlice {
        AvcSlice::read(&hex(nal), syntax).unwrap()
    }

    /// `ffmpeg -f lavfi -i testsrc=s=160x128 -c:v libx264 -x264-params bframes=2:slices=2:keyint=6`: two groups of pictures of two
    /// slices each, and what `trace_headers` reads in them: first macroblock, type, frame_num, order count.
    #[test]
    fn slices_of_x264() {
        let sps = AvcSps::read(&hex("6764000bacd942846c0440000003004000000c83c50a6580")).unwrap();
        let syntax = sps.slices.unwrap();
        assert_eq!(syntax, FRAMES);
        let mut before = None;
        for (nal, first_macroblock, slice_type, frame_num, order, idr_pic_id) in [
            ("6588840037fffef6f0fe053655de", 0, SliceType::I, 0, 0, Some(0)),
            ("65052221001dffbc34c5aa17ff87", 40, SliceType::I, 0, 0, Some(0)),
            ("419a236c433ffe9e1935e6d9e88a", 0, SliceType::P, 1, 6, None),
            ("41052688db1097276f66e5fa6f23", 40, SliceType::P, 1, 6, None),
            ("419e4178857f20bfcb44f981", 0, SliceType::B, 2, 2, None),
            ("410527905e218f96acb67c35e5b1", 40, SliceType::B, 2, 2, None),
            ("019e626a42bf024e", 0, SliceType::B, 3, 4, None),
            ("010527989a90d7866da808", 40, SliceType::B, 3, 4, None),
            ("419a6549a84168994c14f0affe38", 0, SliceType::P, 3, 10, None),
            ("41052699526a105a2653053c35ff", 40, SliceType::P, 3, 10, None),
            ("658882000ffffef7689f029b5e5d", 0, SliceType::I, 0, 0, Some(1)),
            ("6505222080057fd3a44c7d01ff84", 40, SliceType::I, 0, 0, Some(1)),
        ] {
            let is_reference = !nal.starts_with("01");
            let order = SliceOrder::Lsb(order);
            let pps = AvcSlice::pps(&hex(nal)).unwrap();
            let expected = AvcSlice {
                is_reference,
                idr_pic_id,
                first_macroblock,
                slice_type,
                pps,
                frame_num,
                field: None,
                order,
            };
            let slice = read(nal, syntax);
            assert_eq!(slice, expected);
            if let Some(before) = before.replace(slice) {
                assert_eq!(slice.begins_picture_after(&before), first_macroblock == 0, "{nal}");
                assert!(!slice.completes_field_pair(&before));
            }
        }
    }

    /// `-x264-params interlaced=1`: frames of macroblock pairs, which carry field_pic_flag.
    #[test]
    fn frames_of_an_interlaced_stream() {
        let sps = AvcSps::read(&hex("67640015ace40a236022000003000200000300643e285224")).unwrap();
        let slice = read("6588822c0dfff6f6f0fe05365604", sps.slices.unwrap());
        assert_eq!((slice.field, slice.idr_pic_id, slice.order), (None, Some(0), SliceOrder::Lsb(1)));
        let slice = read("419a25790cfffee5e019e2664001", sps.slices.unwrap());
        assert_eq!((slice.field, slice.frame_num, slice.order), (None, 1, SliceOrder::Lsb(5)));
    }

    /// A slice of a stream of fields: header, first macroblock, frame_num, bottom_field_flag, order count.
    fn field(header: u8, first_macroblock: u32, frame_num: u32, bottom: u32, lsb: u32) -> AvcSlice {
        let mut w = BitWriter::default();
        w.ue(&[first_macroblock, 2, 0]).u(4, frame_num).u(1, 1).u(1, bottom);
        if header & 0x1F == 5 {
            w.ue(&[0]);
        }
        let nal = w.u(6, lsb).nal(&[header]);
        AvcSlice::read(&nal, SliceSyntax { frame_mbs_only: false, ..FRAMES }).unwrap()
    }

    #[test]
    fn complementary_field_pairs() {
        let top = field(0x65, 0, 0, 0, 0);
        assert_eq!(top.field, Some(Field::Top));
        // The second field of an IDR picture refers to the first.
        let bottom = field(0x61, 0, 0, 1, 1);
        assert!(bottom.begins_picture_after(&top) && bottom.completes_field_pair(&top));
        let more = field(0x61, 30, 0, 1, 1);
        assert!(!more.begins_picture_after(&bottom) && !more.completes_field_pair(&bottom));
        for (other, what) in [
            (field(0x61, 0, 0, 0, 2), "the same parity"),
            (field(0x61, 0, 1, 1, 3), "another frame"),
            (field(0x65, 0, 0, 1, 1), "an IDR picture of its own"),
        ] {
            assert!(other.begins_picture_after(&top) && !other.completes_field_pair(&top), "{what}");
        }
        assert!(field(0x01, 0, 3, 0, 9).completes_field_pair(&field(0x01, 0, 3, 1, 8)), "bottom first");
    }

    /// Clause 7.4.1.2.4: each of these alone tells two pictures apart, whichever macroblock the slice begins with.
    #[test]
    fn what_tells_pictures_apart() {
        let before = field(0x41, 0, 1, 0, 4);
        let same = AvcSlice { first_macroblock: 20, ..before };
        assert!(!same.begins_picture_after(&before));
        for other in [
            AvcSlice { first_macroblock: 0, ..same },
            AvcSlice { frame_num: 2, ..same },
            AvcSlice { pps: 1, ..same },
            AvcSlice { field: Some(Field::Bottom), ..same },
            AvcSlice { field: None, ..same },
            AvcSlice { is_reference: false, ..same },
            AvcSlice { idr_pic_id: Some(0), ..same },
            AvcSlice { order: SliceOrder::Lsb(6), ..same },
        ] {
            assert!(other.begins_picture_after(&before), "{other:?}");
        }
        assert!(
            !AvcSlice { slice_type: SliceType::B, ..same }.begins_picture_after(&before),
            "types may be mixed"
        );
    }

    #[test]
    fn other_order_counts_and_planes() {
        let slice = |order, tail: &[i32]| {
            let nal = BitWriter::default().ue(&[0, 0, 9]).u(2, 1).u(4, 5).se(tail).nal(&[0x41]);
            let syntax = SliceSyntax { separate_colour_planes: true, order, ..FRAMES };
            AvcSlice::read(&nal, syntax).map(|slice| (slice.pps, slice.frame_num, slice.order))
        };
        let delta = OrderCount::Delta { always_zero: false };
        assert_eq!(slice(delta, &[-3]), Some((9, 5, SliceOrder::Delta(-3))));
        let zero = OrderCount::Delta { always_zero: true };
        assert_eq!(slice(zero, &[]), Some((9, 5, SliceOrder::Delta(0))));
        assert_eq!(slice(OrderCount::Decoding, &[]), Some((9, 5, SliceOrder::Decoding)));
    }

    #[test]
    fn other_nal_units_and_short_ones() {
        for nal in ["", "65", "6588", "0605ff", "67640028", "4320", "09f0"] {
            assert_eq!(AvcSlice::read(&hex(nal), FRAMES), None, "{nal}");
        }
        assert_eq!(AvcSlice::pps(&hex("0605ff")), None);
        for bytes in random_bytes(20_000, 12) {
            if let Some(slice) = AvcSlice::read(&bytes, FRAMES) {
                assert_eq!(AvcSlice::pps(&bytes), Some(slice.pps));
            }
        }
    }
}
