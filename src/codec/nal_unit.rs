//! [`NalUnit`]: one NAL unit, by the first bytes of it, explained in full.

use super::VideoCodec;

/// What the header of a NAL unit and the first bit of its payload say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NalUnit {
    /// nal_unit_type: 5 bits in H.264, 6 in H.265.
    pub(crate) unit_type: u8,
    pub(crate) kind: NalKind,
    /// Whether it belongs to the pictures that every decoder shows: nuh_layer_id 0 in H.265, the base view and layer
    /// of H.264. Units of other layers belong to the access unit of their base picture.
    pub(crate) is_base_layer: bool,
    /// Whether other pictures may be predicted from it: nal_ref_idc in H.264, the sub-layer reference types in H.265.
    pub(crate) is_reference: bool,
    /// Whether its header keeps the rules of H.264 clause 7.4.1 or H.265 clause 7.4.2.2.
    pub(crate) header: HeaderCheck,
}

/// What a NAL unit is to a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NalKind {
    /// VPS of H.265.
    VideoParameterSet,
    SequenceParameterSet,
    PictureParameterSet,
    /// Supplemental enhancement information: for the picture that follows, or in H.265 also for the one before it.
    Sei {
        is_suffix: bool,
    },
    AccessUnitDelimiter,
    /// A slice of a coded picture, or a part of one.
    Picture(PictureSlice),
    /// The next picture is a random access point.
    EndOfSequence,
    EndOfStream,
    Filler,
    /// Everything else: SPS extensions, prefix units, reserved and unspecified types.
    Other,
}

/// What a slice says of its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PictureSlice {
    /// It is the first of its picture: first_mb_in_slice is 0, or first_slice_segment_in_pic_flag is 1. False for the
    /// data partitions B and C of H.264, which have no slice header.
    pub(crate) is_first: bool,
    /// An IDR picture of the base layer: decoding can begin here, and nothing after it refers to what stands before.
    pub(crate) is_idr: bool,
    /// A picture of the base layer at which decoding can begin: IDR in H.264; IDR, BLA or CRA in H.265.
    pub(crate) is_random_access: bool,
    /// H.265: a picture that follows a random access point in decoding order and is shown before it.
    pub(crate) leading: Option<Leading>,
}

/// The leading pictures of H.265.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leading {
    /// RADL: can be decoded when decoding began at the random access point.
    Decodable,
    /// RASL: refers to pictures before the random access point.
    Skipped,
}

/// How well the header of a NAL unit keeps the rules, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HeaderCheck {
    Conforming,
    /// A type that the specification reserves or leaves to others, such as the 62 and 63 of Dolby Vision, or a
    /// nal_ref_idc or temporal ID that does not go with the type: some encoders write these.
    Unusual,
    /// The forbidden bit is set or the temporal ID is missing: no encoder writes that.
    Violating,
}

impl NalUnit {
    /// Reads the header of a NAL unit, of which three bytes are enough. `None` if the header is cut short.
    pub(crate) fn read(codec: VideoCodec, nal: &[u8]) -> Option<Self> {
        match codec {
            VideoCodec::H264 => Self::read_h264(nal),
            VideoCodec::H265 => Self::read_h265(nal),
        }
    }

    pub(crate) fn picture(&self) -> Option<&PictureSlice> {
        match &self.kind {
            NalKind::Picture(slice) => Some(slice),
            _ => None,
        }
    }

    /// H.264 clause 7.3.1 and table 7-1.
    fn read_h264(nal: &[u8]) -> Option<Self> {
        let (&header, payload) = nal.split_first()?;
        let unit_type = header & 0x1F;
        let ref_idc = header >> 5 & 0b11;
        let first_bit = payload.first().is_some_and(|byte| byte & 0x80 != 0);
        let slice = |is_first, is_idr| {
            NalKind::Picture(PictureSlice { is_first, is_idr, is_random_access: is_idr, leading: None })
        };
        let kind = match unit_type {
            // A slice, or its data partition A, which begins with the slice header.
            1 | 2 => slice(first_bit, false),
            3 | 4 => slice(false, false),
            5 => slice(first_bit, true),
            6 => NalKind::Sei { is_suffix: false },
            7 => NalKind::SequenceParameterSet,
            8 => NalKind::PictureParameterSet,
            9 => NalKind::AccessUnitDelimiter,
            10 => NalKind::EndOfSequence,
            11 => NalKind::EndOfStream,
            12 => NalKind::Filler,
            // An auxiliary picture (alpha), and slices of other layers and views.
            19..=21 => slice(first_bit, false),
            _ => NalKind::Other,
        };
        let is_base_layer = !matches!(unit_type, 14 | 15 | 19..=21);
        // Clause 7.4.1: nal_ref_idc is not 0 for these, and 0 for those.
        let breaks_ref_idc = match unit_type {
            5 | 7 | 8 | 13 | 15 => ref_idc == 0,
            6 | 9..=12 => ref_idc != 0,
            _ => false,
        };
        let header_check = match unit_type {
            _ if header & 0x80 != 0 => HeaderCheck::Violating,
            1..=16 | 19..=21 if !breaks_ref_idc => HeaderCheck::Conforming,
            _ => HeaderCheck::Unusual,
        };
        Some(Self { unit_type, kind, is_base_layer, is_reference: ref_idc != 0, header: header_check })
    }

    /// H.265 clause 7.3.1.2 and table 7-1.
    fn read_h265(nal: &[u8]) -> Option<Self> {
        let (&[first, second], payload) = nal.split_first_chunk()?;
        let unit_type = first >> 1 & 0x3F;
        let layer = (first & 1) << 5 | second >> 3;
        let temporal_id_plus1 = second & 0b111;
        let is_base_layer = layer == 0;
        let first_bit = payload.first().is_some_and(|byte| byte & 0x80 != 0);
        let kind = match unit_type {
            0..=9 | 16..=21 => NalKind::Picture(PictureSlice {
                is_first: first_bit,
                is_idr: is_base_layer && matches!(unit_type, 19 | 20),
                is_random_access: is_base_layer && matches!(unit_type, 16..=21),
                leading: match unit_type {
                    6 | 7 => Some(Leading::Decodable),
                    8 | 9 => Some(Leading::Skipped),
                    _ => None,
                },
            }),
            32 => NalKind::VideoParameterSet,
            33 => NalKind::SequenceParameterSet,
            34 => NalKind::PictureParameterSet,
            35 => NalKind::AccessUnitDelimiter,
            36 => NalKind::EndOfSequence,
            37 => NalKind::EndOfStream,
            38 => NalKind::Filler,
            39 => NalKind::Sei { is_suffix: false },
            40 => NalKind::Sei { is_suffix: true },
            _ => NalKind::Other,
        };
        // Sub-layer non-reference pictures are the even types below 16.
        let is_reference = matches!(unit_type, 1 | 3 | 5 | 7 | 9 | 16..=21);
        let header = match unit_type {
            _ if first & 0x80 != 0 || temporal_id_plus1 == 0 => HeaderCheck::Violating,
            // Clause 7.4.2.2: TemporalId is 0 for IRAP pictures, VPS, SPS and ends.
            16..=21 | 32 | 33 | 36 | 37 if temporal_id_plus1 != 1 => HeaderCheck::Unusual,
            0..=9 | 16..=21 | 32..=40 => HeaderCheck::Conforming,
            _ => HeaderCheck::Unusual,
        };
        Some(Self { unit_type, kind, is_base_layer, is_reference, header })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn h264(nal: &[u8]) -> NalUnit {
        NalUnit::read(VideoCodec::H264, nal).unwrap()
    }

    fn h265(nal: &[u8]) -> NalUnit {
        NalUnit::read(VideoCodec::H265, nal).unwrap()
    }

    /// The first bytes of the NAL units of `ffmpeg -c:v libx264 -bf 2 -x264-params slices=2:aud=1`, in their order.
    #[test]
    fn x264() {
        let slice = |is_first, is_idr| {
            NalKind::Picture(PictureSlice { is_first, is_idr, is_random_access: is_idr, leading: None })
        };
        for (bytes, kind, is_reference) in [
            ([0x09, 0x10, 0x00], NalKind::AccessUnitDelimiter, false),
            ([0x67, 0xF4, 0x00], NalKind::SequenceParameterSet, true),
            ([0x68, 0xEB, 0xE3], NalKind::PictureParameterSet, true),
            ([0x06, 0x05, 0xFF], NalKind::Sei { is_suffix: false }, false),
            ([0x65, 0x88, 0x84], slice(true, true), true),
            ([0x65, 0x01, 0x42], slice(false, true), true),
            ([0x41, 0x9A, 0x23], slice(true, false), true),
            ([0x41, 0x01, 0x42], slice(false, false), true),
            ([0x01, 0x9E, 0x41], slice(true, false), false),
        ] {
            let unit = h264(&bytes);
            assert_eq!((unit.kind, unit.is_reference), (kind, is_reference), "{bytes:x?}");
            assert_eq!((unit.is_base_layer, unit.header), (true, HeaderCheck::Conforming));
        }
    }

    /// The same of `-c:v libx265 -x265-params open-gop=1:aud=1:hash=1:temporal-layers=1`; RADL, ends and filler by the specification.
    #[test]
    fn x265() {
        let slice = |is_idr, is_random_access, leading| {
            NalKind::Picture(PictureSlice { is_first: true, is_idr, is_random_access, leading })
        };
        for (bytes, kind, is_reference) in [
            ([0x46, 0x01, 0x10], NalKind::AccessUnitDelimiter, false),
            ([0x40, 0x01, 0x0C], NalKind::VideoParameterSet, false),
            ([0x42, 0x01, 0x01], NalKind::SequenceParameterSet, false),
            ([0x44, 0x01, 0xC1], NalKind::PictureParameterSet, false),
            ([0x4E, 0x01, 0x05], NalKind::Sei { is_suffix: false }, false),
            ([0x50, 0x01, 0x84], NalKind::Sei { is_suffix: true }, false),
            ([0x28, 0x01, 0xAF], slice(true, true, None), true),
            ([0x2A, 0x01, 0xAC], slice(false, true, None), true),
            ([0x10, 0x01, 0xE2], slice(false, false, Some(Leading::Skipped)), false),
            ([0x12, 0x01, 0xE4], slice(false, false, Some(Leading::Skipped)), true),
            ([0x0C, 0x01, 0xE0], slice(false, false, Some(Leading::Decodable)), false),
            ([0x04, 0x02, 0xE0], slice(false, false, None), false),
            ([0x02, 0x01, 0xD0], slice(false, false, None), true),
            ([0x48, 0x01, 0x80], NalKind::EndOfSequence, false),
            ([0x4A, 0x01, 0x80], NalKind::EndOfStream, false),
            ([0x4C, 0x01, 0xFF], NalKind::Filler, false),
        ] {
            let unit = h265(&bytes);
            assert_eq!((unit.kind, unit.is_reference), (kind, is_reference), "{bytes:x?}");
            assert_eq!((unit.is_base_layer, unit.header), (true, HeaderCheck::Conforming));
        }
    }

    #[test]
    fn layers_above_the_base_are_no_random_access_points() {
        // CRA of nuh_layer_id 1 and 32.
        for bytes in [[0x2A, 0x09, 0x80], [0x2B, 0x01, 0x80]] {
            let unit = h265(&bytes);
            assert!(!unit.is_base_layer);
            let slice = unit.picture().unwrap();
            assert!(slice.is_first && !slice.is_idr && !slice.is_random_access);
        }
        // H.264 table 7-1: 20, a slice of another view; its prefix and parameter sets.
        for (first, is_picture) in [(0x74, true), (0x75, true), (0x73, true), (0x6E, false), (0x6F, false)] {
            let unit = h264(&[first, 0x80]);
            assert_eq!((unit.is_base_layer, unit.picture().is_some()), (false, is_picture), "{first:x}");
        }
    }

    #[test]
    fn headers_that_no_encoder_writes() {
        for (bytes, check) in [
            ([0xE5, 0x88], HeaderCheck::Violating), // forbidden_zero_bit
            ([0x05, 0x88], HeaderCheck::Unusual),   // an IDR picture with nal_ref_idc 0
            ([0x26, 0x05], HeaderCheck::Unusual),   // an SEI with nal_ref_idc 1
            ([0x40, 0x01], HeaderCheck::Unusual),   // type 0
            ([0x77, 0x01], HeaderCheck::Unusual),
            ([0x78, 0x01], HeaderCheck::Unusual), // 24, an aggregation of RFC 6184
        ] {
            assert_eq!(h264(&bytes).header, check, "{bytes:x?}");
        }
        for (bytes, check) in [
            ([0xA8, 0x01], HeaderCheck::Violating),  // forbidden_zero_bit
            ([0x02, 0x00], HeaderCheck::Violating),  // no temporal ID
            ([0x28, 0x02], HeaderCheck::Unusual),    // an IDR picture of temporal ID 1
            ([0x42, 0x03], HeaderCheck::Unusual),    // an SPS of temporal ID 2
            ([0x14, 0x01], HeaderCheck::Unusual),    // 10
            ([0x2C, 0x01], HeaderCheck::Unusual),    // 22, reserved for an IRAP picture
            ([0x7C, 0x01], HeaderCheck::Unusual),    // 62, Dolby Vision
            ([0x44, 0x02], HeaderCheck::Conforming), // a PPS of temporal ID 1
        ] {
            assert_eq!(h265(&bytes).header, check, "{bytes:x?}");
        }
    }

    #[test]
    fn a_header_that_is_cut_short() {
        assert_eq!(NalUnit::read(VideoCodec::H264, &[]), None);
        assert_eq!(NalUnit::read(VideoCodec::H265, &[0x40]), None);
        assert!(!h264(&[0x65]).picture().unwrap().is_first);
        assert!(!h265(&[0x28, 0x01]).picture().unwrap().is_first);
    }
}
