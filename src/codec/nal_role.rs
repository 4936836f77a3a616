//! [`NalRole`]: what a NAL unit is to a sample, which is one access unit.
//!
//! [`NalSyntax`] asks the few questions that come up for every NAL unit of every frame, without a branch on the codec: its
//! tables hold bit `n` for NAL unit type `n`. [`NalUnit`](super::nal_unit::NalUnit) explains one in full.

use super::VideoCodec;
use super::nal_unit::Leading;

/// A set of NAL unit types: bit `n` for type `n`.
type NalTypes = u64;

/// Where a NAL unit header of one codec has its fields, and which types matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NalSyntax {
    type_shift: u32,
    type_mask: u32,
    /// Set bits of nuh_layer_id in the first two bytes.
    layer_mask: u32,
    /// The first bit after the header, in the first three bytes.
    first_slice_mask: u32,
    parameter_sets: NalTypes,
    pictures: NalTypes,
    /// The pictures' types that begin with a slice header.
    slices: NalTypes,
    random_access: NalTypes,
    /// Leading pictures that can be decoded from the random access point before them on, and those that cannot.
    decodable_leading: NalTypes,
    skipped_leading: NalTypes,
    delimiter: NalTypes,
    /// A length-prefixed frame whose first NAL unit is a delimiter of the usual size begins like this.
    delimiter_start: [u8; 5],
    /// SEI for the picture that follows.
    prefix_sei: NalTypes,
    /// What else begins an access unit.
    before_picture: NalTypes,
}

/// What a NAL unit is to a sample, which is one access unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NalRole {
    /// SPS or PPS, and VPS in H.265: wanted in the sample entry, not in the samples. Begins an access unit.
    ParameterSet,
    /// The access unit delimiter, which is the first of its access unit.
    Delimiter,
    /// SEI and its like: begins an access unit, unless it follows one of these.
    BeforePicture,
    /// The first slice of a picture that decoding can begin at: IDR in H.264, IRAP in H.265.
    RandomAccess,
    /// The first slice of a leading picture of H.265 that can be decoded from the random access point before it on.
    DecodableLeading,
    /// The first slice of one that cannot.
    SkippedLeading,
    /// The first slice of any other picture.
    Picture,
    /// Another slice of the picture before it, or the first one of its second field.
    Slice,
    /// Belongs to the picture before it: end of sequence, filler, suffix SEI, other layers.
    AfterPicture,
    /// Not one NAL unit but a whole frame of them, each after its length. No frame has such a NAL unit; a sample that is put
    /// together can.
    Framed,
}

impl NalRole {
    /// Those that a frame can have, by their codes.
    const ALL: [Self; 9] = [
        Self::ParameterSet,
        Self::RandomAccess,
        Self::Picture,
        Self::Slice,
        Self::BeforePicture,
        Self::AfterPicture,
        Self::Delimiter,
        Self::DecodableLeading,
        Self::SkippedLeading,
    ];

    /// The role as a number, for storage.
    pub(crate) fn code(self) -> u8 {
        Self::ALL.iter().position(|role| *role == self).unwrap_or_default() as u8
    }

    /// The role of a number; `None` if it is no role's.
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// Whether it is of a picture: its first slice, or another.
    pub(crate) fn is_slice(self) -> bool {
        self == Self::Slice || self.begins_picture()
    }

    /// Whether a picture begins with it.
    pub(crate) fn begins_picture(self) -> bool {
        match self {
            Self::RandomAccess | Self::DecodableLeading | Self::SkippedLeading | Self::Picture => true,
            Self::ParameterSet
            | Self::Delimiter
            | Self::BeforePicture
            | Self::Slice
            | Self::AfterPicture
            | Self::Framed => false,
        }
    }
}

/// The type and the layer of a NAL unit, and whether it begins a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted {
    nal_type: NalTypes,
    is_base_layer: bool,
    is_first_slice: bool,
}

/// The types of the NAL units of one frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct NalTally {
    /// Of all layers.
    types: NalTypes,
    /// Types of the slices of the base layer.
    pictures: NalTypes,
    /// Slices of the base layer that are the first of a picture.
    first_slices: u32,
    /// A slice of the base layer stands before the first of these.
    begins_inside_picture: bool,
}

impl NalSyntax {
    pub(crate) fn new(codec: VideoCodec) -> Self {
        match codec {
            VideoCodec::H264 => Self::H264,
            VideoCodec::H265 => Self::H265,
        }
    }

    /// H.264 table 7-1: 1 to 5 slices and their partitions, 5 IDR, 6 SEI, 7 SPS, 8 PPS, 9 delimiter. The first bit after the
    /// header is first_mb_in_slice when that is 0. Clause 7.4.1.2.3: 14 to 18 begin an access unit as 6 to 9 do, and so does
    /// an SPS extension.
    const H264: Self = Self {
        type_shift: 16,
        type_mask: 0x1F,
        layer_mask: 0,
        first_slice_mask: 0x00_8000,
        parameter_sets: 1 << 7 | 1 << 8,
        pictures: 0b11_1110,
        slices: 0b10_0110,
        random_access: 1 << 5,
        decodable_leading: 0,
        skipped_leading: 0,
        delimiter: 1 << 9,
        delimiter_start: [0, 0, 0, 2, 0x09],
        prefix_sei: 1 << 6,
        before_picture: 0b11_1111 << 13,
    };

    /// H.265 table 7-1: 0 to 9 and 16 to 21 slices, 6 and 7 RADL, 8 and 9 RASL, 16 to 21 IRAP (22 and 23 are reserved for more
    /// of them), 32 VPS, 33 SPS, 34 PPS, 35 delimiter, 39 SEI. Clause 7.4.2.4.4: 41 to 44 and 48 to 55 begin an access unit
    /// as those do.
    const H265: Self = Self {
        type_shift: 17,
        type_mask: 0x3F,
        layer_mask: 0x01_F800,
        first_slice_mask: 0x00_0080,
        parameter_sets: 1 << 32 | 1 << 33 | 1 << 34,
        pictures: 0x3F << 16 | 0x3FF,
        slices: 0x3F << 16 | 0x3FF,
        random_access: 0x3F << 16,
        decodable_leading: 0b11 << 6,
        skipped_leading: 0b11 << 8,
        delimiter: 1 << 35,
        delimiter_start: [0, 0, 0, 3, 0x46],
        prefix_sei: 1 << 39,
        before_picture: 0b1111 << 41 | 0xFF << 48,
    };

    /// What a NAL unit is to a sample.
    #[inline]
    pub(crate) fn role(&self, nal: Counted) -> NalRole {
        let is = |types| nal.nal_type & types != 0;
        match nal {
            _ if is(self.parameter_sets) => NalRole::ParameterSet,
            Counted { is_base_layer: false, .. } => NalRole::AfterPicture,
            Counted { is_first_slice: true, .. } if is(self.random_access) => NalRole::RandomAccess,
            Counted { is_first_slice: true, .. } if is(self.decodable_leading) => NalRole::DecodableLeading,
            Counted { is_first_slice: true, .. } if is(self.skipped_leading) => NalRole::SkippedLeading,
            Counted { is_first_slice: true, .. } => NalRole::Picture,
            _ if is(self.pictures) => NalRole::Slice,
            _ if is(self.delimiter) => NalRole::Delimiter,
            _ if is(self.prefix_sei | self.before_picture) => NalRole::BeforePicture,
            _ => NalRole::AfterPicture,
        }
    }

    /// Whether a frame with lengths of 4 bytes begins with an access unit delimiter of the usual size.
    #[inline]
    pub(crate) fn begins_with_delimiter(&self, frame: &[u8]) -> bool {
        frame.first_chunk() == Some(&self.delimiter_start)
    }

    /// Bytes of an access unit delimiter.
    pub(crate) fn delimiter_len(&self) -> usize {
        let [_, _, _, len, _] = self.delimiter_start;
        usize::from(len)
    }

    #[inline]
    fn nal_type(&self, head: u32) -> NalTypes {
        1_u64.wrapping_shl(head.wrapping_shr(self.type_shift) & self.type_mask)
    }
}

impl NalTally {
    /// Counts a NAL unit, which has at least one byte.
    #[inline]
    pub(crate) fn add(&mut self, syntax: &NalSyntax, nal: &[u8]) -> Counted {
        let head = head(nal);
        let nal_type = syntax.nal_type(head);
        self.types |= nal_type;
        let is_base_layer = head & syntax.layer_mask == 0;
        let mut is_first_slice = false;
        if nal_type & syntax.pictures != 0 && is_base_layer {
            self.pictures |= nal_type;
            is_first_slice = nal_type & syntax.slices != 0 && head & syntax.first_slice_mask != 0;
            self.first_slices = self.first_slices.wrapping_add(u32::from(is_first_slice));
            self.begins_inside_picture |= self.first_slices == 0;
        }
        Counted { nal_type, is_base_layer, is_first_slice }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.types == 0
    }

    /// Whether decoding can begin at the picture: IDR in H.264, IRAP in H.265, of the base layer.
    #[inline]
    pub(crate) fn has_random_access(&self, syntax: &NalSyntax) -> bool {
        self.pictures & syntax.random_access != 0
    }

    /// Whether the picture is a leading one of H.265, and if so which.
    #[inline]
    pub(crate) fn leading(&self, syntax: &NalSyntax) -> Option<Leading> {
        match self.pictures {
            pictures if pictures & syntax.skipped_leading != 0 => Some(Leading::Skipped),
            pictures if pictures & syntax.decodable_leading != 0 => Some(Leading::Decodable),
            _ => None,
        }
    }

    /// Whether parameter sets of any layer are among them.
    #[inline]
    pub(crate) fn has_parameter_sets(&self, syntax: &NalSyntax) -> bool {
        self.types & syntax.parameter_sets != 0
    }

    #[inline]
    pub(crate) fn has_prefix_sei(&self, syntax: &NalSyntax) -> bool {
        self.types & syntax.prefix_sei != 0
    }

    /// Whether exactly one picture of the base layer begins here, and no other goes on. The fields of H.264 count as pictures.
    #[inline]
    pub(crate) fn is_one_picture(&self) -> bool {
        self.first_slices == 1 && !self.begins_inside_picture
    }
}

/// The first three bytes, most significant first, with zeros where there are fewer.
#[inline]
fn head(nal: &[u8]) -> u32 {
    match *nal {
        [a, b, c, ..] => u32::from_be_bytes([0, a, b, c]),
        [a, b] => u32::from_be_bytes([0, a, b, 0]),
        [a] => u32::from_be_bytes([0, a, 0, 0]),
        [] => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::nal_unit::{NalKind, NalUnit, PictureSlice};

    fn is_parameter_set(unit: &NalUnit) -> bool {
        matches!(
            unit.kind,
            NalKind::VideoParameterSet | NalKind::SequenceParameterSet | NalKind::PictureParameterSet
        )
    }

    /// The role by the explanation of a NAL unit, and clauses 7.4.1.2.3 of H.264 and 7.4.2.4.4 of H.265.
    fn role(codec: VideoCodec, unit: &NalUnit) -> NalRole {
        let begins_access_unit = match codec {
            VideoCodec::H264 => matches!(unit.unit_type, 6 | 13..=18),
            VideoCodec::H265 => matches!(unit.unit_type, 39 | 41..=44 | 48..=55),
        };
        match (&unit.kind, unit.is_base_layer) {
            _ if is_parameter_set(unit) => NalRole::ParameterSet,
            (_, false) if codec == VideoCodec::H265 || unit.unit_type > 18 => NalRole::AfterPicture,
            (NalKind::Picture(PictureSlice { is_first: false, .. }), true) => NalRole::Slice,
            (NalKind::Picture(slice), true) => match slice.leading {
                Some(Leading::Decodable) => NalRole::DecodableLeading,
                Some(Leading::Skipped) => NalRole::SkippedLeading,
                None if slice.is_random_access => NalRole::RandomAccess,
                None => NalRole::Picture,
            },
            (NalKind::AccessUnitDelimiter, _) => NalRole::Delimiter,
            _ if begins_access_unit => NalRole::BeforePicture,
            _ => NalRole::AfterPicture,
        }
    }

    #[test]
    fn roles_have_codes() {
        for role in NalRole::ALL {
            assert_eq!(NalRole::from_code(role.code()), Some(role));
        }
        assert_eq!(NalRole::from_code(NalRole::ALL.len() as u8), None);
    }

    /// Every header, with and without the first bit of a slice: the tables say the same as the explanation.
    #[test]
    fn the_tally_agrees_with_the_explanation() {
        for codec in [VideoCodec::H264, VideoCodec::H265] {
            let syntax = NalSyntax::new(codec);
            for header in 0..=u16::MAX {
                for third in [0, 0x80] {
                    let [first, second] = header.to_be_bytes();
                    let nal = [first, second, third];
                    let unit = NalUnit::read(codec, &nal).unwrap();
                    let mut tally = NalTally::default();
                    let counted = tally.add(&syntax, &nal);
                    let base = unit.picture().filter(|_| unit.is_base_layer);
                    assert_eq!(tally.is_one_picture(), base.is_some_and(|slice| slice.is_first));
                    assert_eq!(tally.leading(&syntax), base.and_then(|slice| slice.leading));
                    assert_eq!(syntax.role(counted), role(codec, &unit), "{nal:x?}");
                    assert_eq!(
                        tally.has_random_access(&syntax),
                        base.is_some_and(|slice| slice.is_random_access)
                    );
                    assert_eq!(tally.has_parameter_sets(&syntax), is_parameter_set(&unit));
                    assert!(!tally.is_empty());
                }
            }
        }
    }

    #[test]
    fn one_picture() {
        let syntax = NalSyntax::new(VideoCodec::H264);
        let (first, next, sei, pps) = (&[0x65, 0x88][..], &[0x65, 0x04][..], &[0x06][..], &[0x68, 0xEB][..]);
        for (nals, expected) in [
            (&[][..], false),
            (&[sei, pps], false),
            (&[sei, first, next, next], true),
            (&[first, next, first], false),
            (&[sei, next], false),
            (&[next, first], false),
        ] {
            let mut tally = NalTally::default();
            for nal in nals {
                tally.add(&syntax, nal);
            }
            assert_eq!(tally.is_one_picture(), expected, "{nals:x?}");
        }
    }
}
