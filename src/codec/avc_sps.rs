//! The sequence parameter set of H.264, clause 7.3.2.1.1.

use super::bits::{BitReader, rbsp};
use super::picture::Picture;

/// Bytes of the NAL unit header.
const NAL_HEADER_LEN: usize = 1;
/// Limits of syntax elements, from the semantics in clause 7.4.2.1.1 and E.2.2.
const MAX_LOG2_MINUS4: u8 = 12;
const MAX_FRAMES_IN_ORDER_COUNT_CYCLE: u32 = 255;
const MAX_CPB_COUNT_MINUS1: u32 = 31;
/// Clause A.3.1: the decoded picture buffer holds no more frames.
const MAX_DPB_FRAMES: u32 = 16;

/// What an SPS says about the stream. What follows a fault in it is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AvcSps {
    pub(crate) profile: u8,
    /// The constraint_set flags.
    pub(crate) compatibility: u8,
    pub(crate) level: u8,
    pub(crate) chroma: Option<Chroma>,
    /// How slice headers are to be read.
    pub(crate) slices: Option<SliceSyntax>,
    pub(crate) picture: Option<Picture>,
    /// pic_order_cnt_type is 2: decoding order is display order.
    shows_as_decoded: bool,
    /// Macroblocks of a frame, before cropping.
    frame_size: Option<u32>,
    max_ref_frames: u32,
    /// max_num_reorder_frames of the VUI.
    stated_reorder_frames: Option<u8>,
}

/// Chroma format and bit depths, which the configuration record repeats in the High profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chroma {
    pub(crate) format_idc: u8,
    pub(crate) bit_depth_luma_minus8: u8,
    pub(crate) bit_depth_chroma_minus8: u8,
}

/// What the beginning of a slice header depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SliceSyntax {
    pub(crate) separate_colour_planes: bool,
    pub(crate) frame_num_bits: u32,
    pub(crate) frame_mbs_only: bool,
}

impl AvcSps {
    /// Reads an SPS from its NAL unit; `None` if even profile and level are missing.
    pub(crate) fn read(nal: &[u8]) -> Option<Self> {
        let rbsp = rbsp(nal, NAL_HEADER_LEN);
        let [profile, compatibility, level, ..] = *rbsp else { return None };
        let mut sps = Self {
            profile,
            compatibility,
            level,
            chroma: None,
            slices: None,
            picture: None,
            shows_as_decoded: false,
            frame_size: None,
            max_ref_frames: 0,
            stated_reorder_frames: None,
        };
        let _ = sps.read_fields(&mut BitReader::new(&rbsp));
        Some(sps)
    }

    /// How many pictures at most precede a picture in decoding order and follow it in display order: max_num_reorder_frames,
    /// or what clause E.2.1 infers without it.
    pub(crate) fn max_reorder_frames(&self) -> u8 {
        match self.stated_reorder_frames {
            _ if self.shows_as_decoded => 0,
            Some(stated) => stated,
            None if self.cannot_reorder() => 0,
            None => self.max_dpb_frames(),
        }
    }

    /// Profiles without B slices, and those of intra pictures alone.
    fn cannot_reorder(&self) -> bool {
        const CONSTRAINT_SET3: u8 = 0x10;
        match self.profile {
            44 | 66 => true,
            86 | 100 | 110 | 122 | 244 => self.compatibility & CONSTRAINT_SET3 != 0,
            _ => false,
        }
    }

    /// MaxDpbFrames, clause A.3.1. A camera whose pictures exceed the level that it states still has the frames that it refers
    /// to.
    fn max_dpb_frames(&self) -> u8 {
        let frames = match (self.max_dpb_macroblocks(), self.frame_size) {
            (Some(macroblocks), Some(size)) => macroblocks.checked_div(size).unwrap_or(MAX_DPB_FRAMES),
            _ => MAX_DPB_FRAMES,
        };
        frames.max(self.max_ref_frames).min(MAX_DPB_FRAMES) as u8
    }

    /// MaxDpbMbs, table A-1; `None` for a level that is not in it.
    fn max_dpb_macroblocks(&self) -> Option<u32> {
        Some(match self.level {
            // 9 is level 1b in the High profiles; in the others it is 11 with constraint_set3_flag.
            9 | 10 => 396,
            11 if matches!(self.profile, 66 | 77 | 88) && self.compatibility & 0x10 != 0 => 396,
            11 => 900,
            12 | 13 | 20 => 2_376,
            21 => 4_752,
            22 | 30 => 8_100,
            31 => 18_000,
            32 => 20_480,
            40 | 41 => 32_768,
            42 => 34_816,
            50 => 110_400,
            51 | 52 => 184_320,
            60..=62 => 696_320,
            _ => return None,
        })
    }

    /// seq_parameter_set_data(). `None` at the first fault; what stands before it has been taken over.
    fn read_fields(&mut self, reader: &mut BitReader<'_>) -> Option<()> {
        reader.skip(24)?; // profile_idc, constraint_set flags, level_idc
        reader.ue()?; // seq_parameter_set_id
        let (chroma, separate_colour_planes) = read_chroma(reader, self.profile)?;
        self.chroma = Some(chroma);
        let frame_num_bits = log2(reader)?;
        self.shows_as_decoded = read_order_count(reader)?;
        self.max_ref_frames = reader.ue()?;
        reader.skip(1)?; // gaps_in_frame_num_value_allowed_flag
        let width_mbs = reader.ue()?.checked_add(1)?;
        let map_unit_rows = reader.ue()?.checked_add(1)?;
        let frame_mbs_only = reader.flag()?;
        self.slices = Some(SliceSyntax { separate_colour_planes, frame_num_bits, frame_mbs_only });
        let rows_of_unit = if frame_mbs_only { 1 } else { 2 };
        let height_mbs = map_unit_rows.checked_mul(rows_of_unit)?;
        self.frame_size = width_mbs.checked_mul(height_mbs);
        if !frame_mbs_only {
            reader.skip(1)?; // mb_adaptive_frame_field_flag
        }
        reader.skip(1)?; // direct_8x8_inference_flag
        let window = match reader.flag()? {
            true => [reader.ue()?, reader.ue()?, reader.ue()?, reader.ue()?],
            false => [0; 4],
        };
        // Table 6-1, clause 7.4.2.1.1: without chroma samples of their own, or with planes coded apart, the unit is one.
        let (unit_width, unit_height) = match chroma.format_idc {
            1 => (2, 2),
            2 => (2, 1),
            _ => (1, 1),
        };
        let size = (width_mbs.checked_mul(16)?, height_mbs.checked_mul(16)?);
        let mut picture =
            Picture::cropped(size, window, (unit_width, rows_of_unit.checked_mul(unit_height)?))?;
        self.picture = Some(picture);
        if !reader.flag()? {
            return Some(());
        }
        let read = picture.read_vui(reader);
        self.picture = Some(picture);
        read?;
        self.stated_reorder_frames = read_bitstream_restriction(reader)?;
        Some(())
    }
}

/// The fields of the High profiles: chroma, and whether the colour planes are coded apart.
fn read_chroma(reader: &mut BitReader<'_>, profile: u8) -> Option<(Chroma, bool)> {
    // 144 is the High 4:4:4 of 2003, since withdrawn. Its successor is laid out alike.
    if !matches!(profile, 44 | 83 | 86 | 100 | 110 | 118 | 122 | 128 | 134 | 135 | 138 | 139 | 144 | 244) {
        let chroma = Chroma { format_idc: 1, bit_depth_luma_minus8: 0, bit_depth_chroma_minus8: 0 };
        return Some((chroma, false));
    }
    let format_idc = small(reader, 3)?;
    let separate_colour_planes = format_idc == 3 && reader.flag()?;
    // The semantics go up to 6, and the record has 3 bits for each.
    let (bit_depth_luma_minus8, bit_depth_chroma_minus8) = (small(reader, 6)?, small(reader, 6)?);
    reader.skip(1)?; // qpprime_y_zero_transform_bypass_flag
    if reader.flag()? {
        let lists = if format_idc == 3 { 12 } else { 8 };
        for list in 0..lists {
            if reader.flag()? {
                skip_scaling_list(reader, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Some((Chroma { format_idc, bit_depth_luma_minus8, bit_depth_chroma_minus8 }, separate_colour_planes))
}

/// Clause 7.3.2.1.1.1: a list ends where its next scale would be 0.
fn skip_scaling_list(reader: &mut BitReader<'_>, size: u32) -> Option<()> {
    let mut scale = 8_i32;
    for _ in 0..size {
        scale = scale.checked_add(reader.se()?)?.rem_euclid(256);
        if scale == 0 {
            break;
        }
    }
    Some(())
}

/// pic_order_cnt_type and what follows it. Returns whether it is 2.
fn read_order_count(reader: &mut BitReader<'_>) -> Option<bool> {
    match reader.ue()? {
        0 => {
            log2(reader)?; // log2_max_pic_order_cnt_lsb_minus4
            Some(false)
        }
        1 => {
            reader.skip(1)?; // delta_pic_order_always_zero_flag
            reader.ue()?; // offset_for_non_ref_pic
            reader.ue()?; // offset_for_top_to_bottom_field
            let frames = reader.ue().filter(|&count| count <= MAX_FRAMES_IN_ORDER_COUNT_CYCLE)?;
            for _ in 0..frames {
                reader.ue()?; // offset_for_ref_frame
            }
            Some(false)
        }
        2 => Some(true),
        _ => None,
    }
}

/// Reads the VUI behind the colour description (clause E.1.1) and returns max_num_reorder_frames, if it is there.
fn read_bitstream_restriction(reader: &mut BitReader<'_>) -> Option<Option<u8>> {
    if reader.flag()? {
        reader.ue()?; // chroma_sample_loc_type_top_field
        reader.ue()?; // chroma_sample_loc_type_bottom_field
    }
    if reader.flag()? {
        reader.skip(65)?; // num_units_in_tick, time_scale, fixed_frame_rate_flag
    }
    let (nal_hrd, vcl_hrd) = (skip_hrd(reader)?, skip_hrd(reader)?);
    if nal_hrd || vcl_hrd {
        reader.skip(1)?; // low_delay_hrd_flag
    }
    reader.skip(1)?; // pic_struct_present_flag
    if !reader.flag()? {
        return Some(None);
    }
    reader.skip(1)?; // motion_vectors_over_pic_boundaries_flag
    for _ in 0..4 {
        reader.ue()?; // max_bytes_per_pic_denom, max_bits_per_mb_denom, log2_max_mv_length_horizontal, _vertical
    }
    let reorder = small(reader, MAX_DPB_FRAMES as u8)?;
    Some(Some(reorder))
}

/// Clause E.1.2, with the flag before it, which is returned.
fn skip_hrd(reader: &mut BitReader<'_>) -> Option<bool> {
    if !reader.flag()? {
        return Some(false);
    }
    let count_minus1 = reader.ue().filter(|&count| count <= MAX_CPB_COUNT_MINUS1)?;
    reader.skip(8)?; // bit_rate_scale, cpb_size_scale
    for _ in 0..=count_minus1 {
        reader.ue()?; // bit_rate_value_minus1
        reader.ue()?; // cpb_size_value_minus1
        reader.skip(1)?; // cbr_flag
    }
    reader.skip(20)?; // lengths of delays and of time_offset
    Some(true)
}

/// log2_max_frame_num_minus4 and its like, as a number of bits.
fn log2(reader: &mut BitReader<'_>) -> Option<u32> {
    small(reader, MAX_LOG2_MINUS4).map(|minus4| u32::from(minus4).saturating_add(4))
}

/// A value that the semantics limit to `max`.
fn small(reader: &mut BitReader<'_>, max: u8) -> Option<u8> {
    u8::try_from(reader.ue()?).ok().filter(|&value| value <= max)
}

#[cfg(test)]
mod tests {
    use super::super::bit_writer::BitWriter;
    use super::super::picture::Colour;
    use super::super::tests::{hex, random_bytes};
    use super::*;

    fn read(nal: &str) -> AvcSps {
        AvcSps::read(&hex(nal)).unwrap()
    }

    /// The SPS of `ffmpeg -c:v libx264`, and what its bsf `trace_headers` reads in it.
    const HIGH: &str = "6764001facd9405005bbff0009000b10000003001000000303c0f1831960";

    /// An SPS of any profile with a minimal rest: 16 by `rows` macroblocks, or half as many pairs.
    fn sps(profile: u32, compatibility: u32, level: u32, order: &[u32], ref_frames: u32) -> Vec<u8> {
        let mut w = BitWriter::default();
        w.u(8, profile).u(8, compatibility).u(8, level).ue(&[0]);
        if matches!(profile, 44 | 100 | 110 | 122 | 244) {
            w.ue(&[1, 0, 0]).u(2, 0);
        }
        w.ue(&[0]).ue(order).ue(&[ref_frames]).u(1, 0).ue(&[119, 67]).u(4, 0b1100);
        w.nal(&[0x67])
    }

    /// Every field that x264 leaves out: scaling lists, order count of type 1, fields, cropping, HRD. ffmpeg's `trace_headers`
    /// reads the same out of it.
    fn rich_sps() -> BitWriter {
        let mut w = BitWriter::default();
        w.u(8, 122).u(8, 0).u(8, 40).ue(&[3]);
        w.ue(&[2, 2, 1]).u(1, 0).u(1, 1);
        for list in 0..8 {
            match list {
                0 => w.u(1, 1).se(&[1; 16]),
                // 8 - 8 is 0: the list ends after one scale.
                1 => w.u(1, 1).se(&[-8]),
                7 => w.u(1, 1).se(&[-1, 1]).se(&[0; 62]),
                _ => w.u(1, 0),
            };
        }
        w.ue(&[5]);
        w.ue(&[1]).u(1, 1).se(&[-3, 7]).ue(&[2]).se(&[4, -5]);
        w.ue(&[4]).u(1, 1).ue(&[119, 33]).u(1, 0).u(1, 1).u(1, 1);
        w.u(1, 1).ue(&[1, 2, 0, 4]);
        w.u(1, 1); // VUI
        w.u(1, 1).u(8, 255).u(16, 16).u(16, 11);
        w.u(2, 0b11);
        w.u(1, 1).u(3, 5).u(1, 1).u(1, 1).u(8, 9).u(8, 18).u(8, 9);
        w.u(1, 1).ue(&[1, 2]);
        w.u(1, 1).u(32, 1001).u(32, 60_000).u(1, 1);
        w.u(1, 1).ue(&[1]).u(8, 0x23);
        w.ue(&[1000, 2000]).u(1, 0).ue(&[3000, 4000]).u(1, 1).u(20, 0x5_A5A5);
        w.u(1, 1).ue(&[0]).u(8, 0).ue(&[7, 9]).u(1, 1).u(20, 0);
        w.u(1, 0).u(1, 1);
        w.u(1, 1).u(1, 1).ue(&[2, 1, 10, 11, 3, 4]);
        w
    }

    #[test]
    fn every_branch() {
        let sps = AvcSps::read(&rich_sps().nal(&[0x67])).unwrap();
        assert_eq!((sps.profile, sps.compatibility, sps.level), (122, 0, 40));
        assert_eq!(
            sps.chroma,
            Some(Chroma { format_idc: 2, bit_depth_luma_minus8: 2, bit_depth_chroma_minus8: 1 })
        );
        let slices = SliceSyntax { separate_colour_planes: false, frame_num_bits: 9, frame_mbs_only: false };
        assert_eq!(sps.slices, Some(slices));
        // 4:2:2 in fields: 1920 - 2 * 3 columns, 34 pairs of 32 rows less 2 * 4.
        let colour = Some(Colour { primaries: 9, transfer: 18, matrix: 9, full_range: true });
        let picture = Picture { width: 1914, height: 1080, pixel_aspect: Some((16, 11)), colour };
        assert_eq!(sps.picture, Some(picture));
        assert_eq!(sps.max_reorder_frames(), 3);
    }

    /// What was read before the fault counts: size, then aspect ratio, then colour, then reordering.
    #[test]
    fn cut_anywhere() {
        let nal = rich_sps().nal(&[0x67]);
        assert!((0..4).all(|len| AvcSps::read(&nal[..len]).is_none()));
        let read: Vec<AvcSps> = (4..=nal.len()).map(|len| AvcSps::read(&nal[..len]).unwrap()).collect();
        let seen = |sps: &AvcSps| {
            [
                sps.chroma.is_some(),
                sps.slices.is_some(),
                sps.picture.is_some(),
                sps.picture.is_some_and(|picture| picture.pixel_aspect.is_some()),
                sps.picture.is_some_and(|picture| picture.colour.is_some()),
                sps.stated_reorder_frames.is_some(),
            ]
        };
        let counts: Vec<usize> =
            read.iter().map(|sps| seen(sps).iter().filter(|seen| **seen).count()).collect();
        assert!(counts.is_sorted());
        for count in 0..=6 {
            assert!(counts.contains(&count), "{count} of {counts:?}");
        }
        for sps in &read {
            assert!(seen(sps).is_sorted_by(|before, after| before >= after), "in their order");
            assert!(sps.picture.is_none_or(|picture| (picture.width, picture.height) == (1914, 1080)));
        }
    }

    /// SPS of the cases h01 and h01c: bytes after the trailing bits, and the end inside the VUI. ffprobe reads the same.
    #[test]
    fn bytes_after_it_and_a_cut() {
        let colour = Some(Colour { primaries: 1, transfer: 1, matrix: 1, full_range: true });
        let picture = Picture { width: 360, height: 288, pixel_aspect: Some((16, 11)), colour };
        let junk = read("67640015acb40b84bcbe08dc040405000003000100000300320f162ea00404");
        assert_eq!((junk.picture, junk.max_reorder_frames()), (Some(picture), 0));
        let cut = read("67640015acb40b84bcbe08dc0404050000030001000003003201");
        // pic_order_cnt_type is 2.
        assert_eq!((cut.picture, cut.max_reorder_frames()), (Some(picture), 0));
    }

    #[test]
    fn x264() {
        let sps = read(HIGH);
        let slices = SliceSyntax { separate_colour_planes: false, frame_num_bits: 4, frame_mbs_only: true };
        assert_eq!((sps.slices, sps.max_reorder_frames()), (Some(slices), 2));
    }

    /// Table A-1 and clause A.3.1 of 120 by 68 macroblocks; clauses E.2.1 and 7.4.2.1.1 where pictures cannot be reordered.
    #[test]
    fn reordering_without_vui() {
        const LSB: &[u32] = &[0, 2];
        for (profile, compatibility, level, order, ref_frames, frames) in [
            (77, 0, 40, LSB, 1, 4),
            (100, 0, 41, LSB, 1, 4),
            (100, 0, 42, LSB, 1, 4),
            (77, 0, 50, LSB, 1, 13),
            (77, 0, 51, LSB, 1, 16),
            (77, 0, 62, LSB, 1, 16),
            (77, 0, 31, LSB, 1, 2),
            // Pictures too large for the level.
            (77, 0, 10, LSB, 3, 3),
            (77, 0, 40, LSB, 9, 9),
            (77, 0, 40, LSB, 99, 16),
            (77, 0, 255, LSB, 1, 16),
            (66, 0xC0, 40, LSB, 1, 0),
            (44, 0, 40, LSB, 1, 0),
            (100, 0x10, 40, LSB, 1, 0),
            (77, 0x10, 40, LSB, 1, 4),
            (100, 0, 40, &[2], 1, 0),
        ] {
            let sps = AvcSps::read(&sps(profile, compatibility, level, order, ref_frames)).unwrap();
            assert_eq!(sps.max_reorder_frames(), frames, "profile {profile}, level {level}");
        }
        // Level 1b is 11 with constraint_set3_flag, or 9: 396 macroblocks for 900.
        for (profile, compatibility, level, macroblocks) in
            [(77, 0x10, 11, 396), (77, 0, 11, 900), (100, 0x10, 11, 900), (100, 0, 9, 396)]
        {
            let sps = AvcSps::read(&sps(profile, compatibility, level, LSB, 1)).unwrap();
            assert_eq!(sps.max_dpb_macroblocks(), Some(macroblocks));
        }
    }

    #[test]
    fn planes_coded_apart() {
        let mut w = BitWriter::default();
        w.u(8, 244).u(8, 0).u(8, 40).ue(&[0]).ue(&[3]).u(1, 1).ue(&[0, 0]).u(2, 0);
        w.ue(&[0, 0, 2, 1]).u(1, 0).ue(&[1, 1]).u(3, 0b111).ue(&[0, 1, 0, 3]).u(1, 0);
        let sps = AvcSps::read(&w.nal(&[0x67])).unwrap();
        assert!(sps.slices.unwrap().separate_colour_planes);
        assert_eq!(sps.picture.map(|picture| (picture.width, picture.height)), Some((31, 29)));
    }

    /// Limits of the semantics: what breaks them is a fault, and nothing after it counts.
    #[test]
    fn values_out_of_range() {
        let picture = |nal: &[u8]| AvcSps::read(nal).unwrap().picture;
        assert!(picture(&sps(77, 0, 40, &[0, 12], 1)).is_some());
        assert!(picture(&sps(77, 0, 40, &[0, 13], 1)).is_none());
        assert!(picture(&sps(77, 0, 40, &[3], 1)).is_none());
        let chroma = |format, depth| {
            let mut w = BitWriter::default();
            w.u(8, 100).u(8, 0).u(8, 40).ue(&[0, format, depth, depth]).u(32, 0);
            AvcSps::read(&w.nal(&[0x67])).unwrap().chroma.is_some()
        };
        assert!(chroma(0, 6) && !chroma(0, 7) && !chroma(4, 0));
    }

    /// SPS of `ffmpeg -c:v libx264` in all its profiles, and ours with every branch: each as it is, and with each of its bits
    /// flipped. Where h264-reader reads one, it reads the same.
    #[test]
    fn h264_reader_agrees() {
        use h264_reader::nal::sps::{PicOrderCntType, SeqParameterSet};
        let mut compared = 0;
        let mut nals = [
            HIGH,
            "6742c01ed900a03db011000003000100000300320f162e48",
            "674d400deca0b04b7fe0076006c2000003000200000300641e28532c",
            "67640028acd94078044fde0220000003002000000643e2c5b2c0",
            "6764000af365109b016c800000030080000019078912cb",
            "677a0028b6cd940780227a8bc044000003000400000300c83c60c658",
            "67f4000a919b29af08421808800000030080000019078912cb",
        ]
        .map(hex)
        .to_vec();
        nals.push(rich_sps().nal(&[0x67]));
        let flipped = |nal: &Vec<u8>| {
            let nal = nal.clone();
            (32..nal.len() * 8).map(move |bit| {
                let mut nal = nal.clone();
                nal[bit / 8] ^= 0x80 >> (bit % 8);
                nal
            })
        };
        for nal in nals.iter().flat_map(|nal| flipped(nal).chain([nal.clone()])) {
            let mut rbsp = rbsp(&nal, 1);
            rbsp[2] = 0; // h264-reader refuses pictures that exceed the level, unless it does not know it
            let bits = h264_reader::rbsp::BitReader::new(&rbsp[..]);
            let Ok(theirs) = SeqParameterSet::from_bits(bits) else { continue };
            let Ok((width, height)) = theirs.pixel_dimensions() else { continue };
            // Chroma formats above 3 do not exist.
            if width == 0 || height == 0 || theirs.chroma_info.chroma_format.to_u32() > 3 {
                continue;
            }
            let ours = AvcSps::read(&nal).unwrap();
            let picture = ours.picture.unwrap();
            assert_eq!((picture.width, picture.height), (width, height), "{nal:x?}");
            let slices = ours.slices.unwrap();
            assert_eq!(slices.frame_num_bits, u32::from(theirs.log2_max_frame_num()));
            assert_eq!(ours.shows_as_decoded, matches!(theirs.pic_order_cnt, PicOrderCntType::TypeTwo));
            let chroma = ours.chroma.unwrap();
            assert_eq!(u32::from(chroma.format_idc), theirs.chroma_info.chroma_format.to_u32());
            assert_eq!(chroma.bit_depth_luma_minus8, theirs.chroma_info.bit_depth_luma_minus8);
            let vui = theirs.vui_parameters.unwrap_or_default();
            let aspect = vui.aspect_ratio_info.and_then(|ratio| ratio.get());
            let aspect = aspect.filter(|(w, h)| w != h && *w != 0 && *h != 0);
            assert_eq!(picture.pixel_aspect, aspect.map(|(w, h)| (w.into(), h.into())));
            let reorder = vui.bitstream_restrictions.map(|restrictions| restrictions.max_num_reorder_frames);
            assert_eq!(ours.stated_reorder_frames.map(u32::from), reorder.filter(|&frames| frames <= 16));
            compared += 1;
        }
        assert!(compared > 400, "{compared} compared");
    }

    #[test]
    fn any_bytes_are_read() {
        let start = &rich_sps().nal(&[0x67])[..30];
        for bytes in random_bytes(20_000, 120) {
            for nal in [bytes.clone(), [start, &bytes].concat()] {
                let Some(sps) = AvcSps::read(&nal) else { continue };
                assert!(sps.max_reorder_frames() <= 16);
                assert!(sps.picture.is_none_or(|picture| picture.width > 0 && picture.height > 0));
            }
        }
    }
}
