//! The sequence parameter set of H.265, clause 7.3.2.2, as far as a configuration record and a sample entry
//! need it: up to the colour description of the VUI.

use super::bits::{BitReader, rbsp};
use super::picture::Picture;

/// Bytes of the NAL unit header, clause 7.3.1.2.
const NAL_HEADER_LEN: usize = 2;
/// Limits of the syntax elements that drive loops, from the semantics in clause 7.4.3.2.
const MAX_SHORT_TERM_SETS: u32 = 64;
const MAX_LONG_TERM_PICTURES: u32 = 32;
const MAX_DELTA_POCS: usize = 16;
const MAX_LOG2_POC_LSB_MINUS4: u8 = 12;
const MAX_REORDER_PICTURES: u8 = 16;
const MAX_SPS_ID: u8 = 15;

/// What an SPS says about the stream. What follows a fault in it is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HevcSps {
    /// profile_tier_level() from general_profile_space to general_level_idc, as the record holds it too.
    pub(crate) general: [u8; 12],
    pub(crate) temporal_layers: u8,
    pub(crate) temporal_id_nested: bool,
    pub(crate) chroma_format_idc: Option<u8>,
    pub(crate) bit_depths: Option<BitDepths>,
    pub(crate) picture: Option<Picture>,
    /// sps_max_num_reorder_pics of the highest temporal layer: how many pictures at most precede a picture in decoding order
    /// and follow it in display order.
    pub(crate) max_reorder_pictures: Option<u8>,
}

/// The bit depths of luma and chroma, less 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BitDepths {
    pub(crate) luma_minus8: u8,
    pub(crate) chroma_minus8: u8,
}

impl HevcSps {
    /// Reads an SPS of the base layer from its NAL unit; `None` if even profile and level are missing.
    pub(crate) fn read(nal: &[u8]) -> Option<Self> {
        let rbsp = rbsp(nal, NAL_HEADER_LEN);
        let reader = &mut BitReader::new(&rbsp);
        reader.skip(4)?; // sps_video_parameter_set_id
        let max_sub_layers_minus1 = reader.byte(3).filter(|&value| value <= 6)?;
        let temporal_id_nested = reader.flag()?;
        let (general, sub_layers) = profile_tier_level(reader, max_sub_layers_minus1)?;
        let mut sps = Self {
            general,
            temporal_layers: max_sub_layers_minus1.saturating_add(1),
            temporal_id_nested,
            chroma_format_idc: None,
            bit_depths: None,
            picture: None,
            max_reorder_pictures: None,
        };
        let _ = sub_layers.and_then(|()| sps.read_fields(reader, max_sub_layers_minus1));
        Some(sps)
    }

    /// What follows profile_tier_level(). `None` at the first fault; what stands before it has been taken over.
    fn read_fields(&mut self, reader: &mut BitReader<'_>, max_sub_layers_minus1: u8) -> Option<()> {
        reader.ue()?; // sps_seq_parameter_set_id
        let chroma_format_idc = small(reader.ue()?, 3)?;
        self.chroma_format_idc = Some(chroma_format_idc);
        if chroma_format_idc == 3 {
            reader.skip(1)?; // separate_colour_plane_flag
        }
        let mut picture = read_picture(reader, chroma_format_idc)?;
        self.picture = Some(picture);
        self.bit_depths =
            Some(BitDepths { luma_minus8: small(reader.ue()?, 8)?, chroma_minus8: small(reader.ue()?, 8)? });
        let log2_order_count_minus4 = small(reader.ue()?, MAX_LOG2_POC_LSB_MINUS4)?;
        let order_count_bits = log2_order_count_minus4.checked_add(4)?;
        self.max_reorder_pictures = Some(read_max_reorder_pictures(reader, max_sub_layers_minus1)?);
        skip_to_vui(reader, order_count_bits)?;
        if reader.flag()? {
            let read = picture.read_vui(reader);
            self.picture = Some(picture);
            read?;
        }
        Some(())
    }
}

/// sps_seq_parameter_set_id, read from the start of the payload. In layers above the base, clause F.7.3.2.2.1, an SPS can do
/// without profile_tier_level().
pub(super) fn sps_id(reader: &mut BitReader<'_>, layer: u8) -> Option<u8> {
    reader.skip(4)?; // sps_video_parameter_set_id
    let max_sub_layers_minus1 = reader.byte(3)?;
    if layer == 0 || max_sub_layers_minus1 < 7 {
        reader.skip(1)?; // sps_temporal_id_nesting_flag
        let (_, sub_layers) = profile_tier_level(reader, max_sub_layers_minus1)?;
        sub_layers?;
    }
    small(reader.ue()?, MAX_SPS_ID)
}

/// Clause 7.3.3: 88 bits of profile and 8 of level, then the same for each sub-layer that has its own.
fn profile_tier_level(
    reader: &mut BitReader<'_>,
    max_sub_layers_minus1: u8,
) -> Option<([u8; 12], Option<()>)> {
    let mut general = [0; 12];
    for byte in &mut general {
        *byte = reader.byte(8)?;
    }
    Some((general, skip_sub_layers(reader, max_sub_layers_minus1)))
}

fn skip_sub_layers(reader: &mut BitReader<'_>, max_sub_layers_minus1: u8) -> Option<()> {
    let mut sub_layer_bits = 0_usize;
    for _ in 0..max_sub_layers_minus1 {
        for bits in [88, 8] {
            if reader.flag()? {
                sub_layer_bits = sub_layer_bits.checked_add(bits)?; // sub_layer_profile, sub_layer_level
            }
        }
    }
    if max_sub_layers_minus1 > 0 {
        for _ in max_sub_layers_minus1..8 {
            reader.skip(2)?; // reserved_zero_2bits
        }
    }
    reader.skip(sub_layer_bits)
}

/// The size in luma samples, less the conformance window, whose offsets count chroma samples (table 6-1).
fn read_picture(reader: &mut BitReader<'_>, chroma_format_idc: u8) -> Option<Picture> {
    let size = (reader.ue()?, reader.ue()?);
    let window = match reader.flag()? {
        true => [reader.ue()?, reader.ue()?, reader.ue()?, reader.ue()?],
        false => [0; 4],
    };
    let unit = match chroma_format_idc {
        1 => (2, 2),
        2 => (2, 1),
        _ => (1, 1),
    };
    Picture::cropped(size, window, unit)
}

/// sps_max_num_reorder_pics of the highest sub-layer, and what stands around it.
fn read_max_reorder_pictures(reader: &mut BitReader<'_>, max_sub_layers_minus1: u8) -> Option<u8> {
    let ordering_info_present = reader.flag()?;
    let first_layer = if ordering_info_present { 0 } else { max_sub_layers_minus1 };
    let mut reorder = 0;
    for _ in first_layer..=max_sub_layers_minus1 {
        reader.ue()?; // sps_max_dec_pic_buffering_minus1
        reorder = small(reader.ue()?, MAX_REORDER_PICTURES)?;
        reader.ue()?; // sps_max_latency_increase_plus1
    }
    Some(reorder)
}

/// What stands between the ordering info and vui_parameters_present_flag.
fn skip_to_vui(reader: &mut BitReader<'_>, order_count_bits: u8) -> Option<()> {
    skip_ue(reader, 6)?; // coding and transform block sizes, transform hierarchy depths
    if reader.flag()? && reader.flag()? {
        skip_scaling_lists(reader)?;
    }
    reader.skip(2)?; // amp_enabled_flag, sample_adaptive_offset_enabled_flag
    if reader.flag()? {
        reader.skip(8)?; // pcm_sample_bit_depth_luma_minus1, _chroma_minus1
        skip_ue(reader, 2)?; // pcm coding block sizes
        reader.skip(1)?; // pcm_loop_filter_disabled_flag
    }
    skip_short_term_reference_picture_sets(reader)?;
    if reader.flag()? {
        let count = reader.ue().filter(|&count| count <= MAX_LONG_TERM_PICTURES)?;
        // lt_ref_pic_poc_lsb_sps, as wide as the order count, and used_by_curr_pic_lt_sps_flag
        let bits = u32::from(order_count_bits).checked_add(1)?;
        reader.skip(usize::try_from(count.checked_mul(bits)?).ok()?)?;
    }
    reader.skip(2) // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
}

/// Clause 7.3.4.
fn skip_scaling_lists(reader: &mut BitReader<'_>) -> Option<()> {
    // Coefficients of a list, lists of that size, whether they have a DC coefficient.
    for (coefficients, lists, dc) in [(16, 6, false), (64, 6, false), (64, 6, true), (64, 2, true)] {
        for _ in 0..lists {
            let explicit = reader.flag()?; // scaling_list_pred_mode_flag
            let codes = match (explicit, dc) {
                (false, _) => 1, // scaling_list_pred_matrix_id_delta
                (true, false) => coefficients,
                (true, true) => 65,
            };
            skip_ue(reader, codes)?;
        }
    }
    Some(())
}

/// Clause 7.3.7, for every set of the SPS: a set predicted from the one before it is as long as that one.
fn skip_short_term_reference_picture_sets(reader: &mut BitReader<'_>) -> Option<()> {
    let count = reader.ue().filter(|&count| count <= MAX_SHORT_TERM_SETS)?;
    let mut delta_pocs = Vec::new();
    for index in 0..count {
        let predicted = index > 0 && reader.flag()?; // inter_ref_pic_set_prediction_flag
        delta_pocs = if predicted { predicted_set(reader, &delta_pocs)? } else { explicit_set(reader)? };
        if delta_pocs.len() > MAX_DELTA_POCS {
            return None;
        }
    }
    Some(())
}

/// The pictures of a set that is written out: its negative ones, then its positive ones, each from the nearest
/// out, as differences of picture order count.
fn explicit_set(reader: &mut BitReader<'_>) -> Option<Vec<i32>> {
    let negative = small(reader.ue()?, 16)?;
    let positive = small(reader.ue()?, 16)?;
    let mut delta_pocs = Vec::new();
    for (count, sign) in [(negative, -1), (positive, 1)] {
        let mut distance = 0_i32;
        for _ in 0..count {
            distance = distance.checked_add(poc_step(reader)?)?;
            delta_pocs.push(distance.checked_mul(sign)?);
            reader.skip(1)?; // used_by_curr_pic_s0_flag, _s1_flag
        }
    }
    Some(delta_pocs)
}

/// The pictures of a set that moves `reference` by a step, equations 7-61 and 7-62. The current picture, which
/// it may land on, is left out.
fn predicted_set(reader: &mut BitReader<'_>, reference: &[i32]) -> Option<Vec<i32>> {
    let backwards = reader.flag()?; // delta_rps_sign
    let step = poc_step(reader)?.checked_mul(if backwards { -1 } else { 1 })?;
    let mut delta_pocs = Vec::new();
    for reference in reference.iter().chain([&0]) {
        let used_by_current = reader.flag()?;
        let kept = used_by_current || reader.flag()?; // use_delta_flag
        let delta_poc = reference.checked_add(step)?;
        if kept && delta_poc != 0 {
            delta_pocs.push(delta_poc);
        }
    }
    delta_pocs.sort_by_key(|&delta_poc| (delta_poc > 0, delta_poc.unsigned_abs()));
    Some(delta_pocs)
}

/// A delta_poc_s0_minus1, delta_poc_s1_minus1 or abs_delta_rps_minus1, plus one: at most 2^15.
fn poc_step(reader: &mut BitReader<'_>) -> Option<i32> {
    let minus1 = reader.ue().filter(|&value| value < 1 << 15)?;
    i32::try_from(minus1).ok()?.checked_add(1)
}

/// Skips Exp-Golomb codes, signed or not.
fn skip_ue(reader: &mut BitReader<'_>, count: u32) -> Option<()> {
    for _ in 0..count {
        reader.ue()?;
    }
    Some(())
}

/// A value that the semantics limit to `max`.
fn small(value: u32, max: u8) -> Option<u8> {
    u8::try_from(value).ok().filter(|&value| value <= max)
}

#[cfg(test)]
mod tests {
    use super::super::bit_writer::BitWriter;
    use super::super::picture::Colour;
    use super::super::tests::random_bytes;
    use super::*;

    /// An SPS with every branch that x265 leaves out: sub-layers with a profile of their own, scaling lists,
    /// PCM, predicted reference picture sets, long-term pictures, an extended aspect ratio. ffmpeg's
    /// `trace_headers` reads the same values out of it.
    fn rich_sps() -> BitWriter {
        let mut w = BitWriter::default();
        w.u(4, 0).u(3, 2).u(1, 1);
        w.u(8, 0x21).u(32, 0x6000_0000).u(32, 0x9000_0000).u(16, 0).u(8, 123);
        w.u(2, 0b11).u(2, 0b01).u(12, 0); // sub-layer 0: profile and level, sub-layer 1: level
        w.u(8, 1).u(32, 0x6000_0000).u(32, 0x9000_0000).u(16, 0).u(8, 90).u(8, 120);
        w.ue(&[0, 2, 1920, 1088]).u(1, 1).ue(&[1, 2, 0, 8]).ue(&[2, 3]);
        w.ue(&[4]).u(1, 1).ue(&[4, 2, 0, 4, 2, 0, 4, 2, 0]).ue(&[0, 3, 0, 3, 1, 1]);
        w.u(2, 0b11);
        for (coefficients, lists, dc) in [(16, 6, false), (64, 6, false), (64, 6, true), (64, 2, true)] {
            for list in 0..lists {
                if list % 2 == 0 {
                    w.u(1, 0).ue(&[0]);
                } else {
                    w.u(1, 1).ue(if dc { &[15] } else { &[] }).ue(&vec![1; coefficients]);
                }
            }
        }
        w.u(2, 0b01).u(1, 1).u(8, 0x77).ue(&[0, 2]).u(1, 0);
        w.ue(&[3]);
        w.ue(&[2, 1]).ue(&[0]).u(1, 1).ue(&[1]).u(1, 1).ue(&[0]).u(1, 1); // -1, -3, 1
        w.u(2, 0b10).ue(&[0]).u(4, 0b1111); // by 1: 0, which falls out, -2, 2, 1
        w.u(2, 0b11).ue(&[1]).u(1, 1).u(2, 0b01).u(2, 0b00).u(1, 1); // by -2 from three and itself
        w.u(1, 1).ue(&[2]).u(8, 5).u(1, 1).u(8, 9).u(1, 0);
        w.u(2, 0b11).u(1, 1);
        w.u(1, 1).u(8, 255).u(16, 16).u(16, 11);
        w.u(2, 0b11).u(1, 1).u(3, 5).u(1, 1).u(1, 1).u(8, 9).u(8, 18).u(8, 9);
        w
    }

    #[test]
    fn every_branch() {
        let mut w = rich_sps();
        w.u(1, 0).u(3, 0).u(1, 0).u(1, 0).u(1, 0).u(1, 0); // the rest of the VUI, sps_extension_present_flag
        let sps = HevcSps::read(&w.nal(&[0x42, 1])).unwrap();
        assert_eq!(sps.general, [0x21, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 123]);
        assert_eq!((sps.temporal_layers, sps.temporal_id_nested), (3, true));
        assert_eq!(sps.chroma_format_idc, Some(2));
        assert_eq!(sps.bit_depths, Some(BitDepths { luma_minus8: 2, chroma_minus8: 3 }));
        assert_eq!(sps.max_reorder_pictures, Some(2));
        let colour = Some(Colour { primaries: 9, transfer: 18, matrix: 9, full_range: true });
        // 4:2:2 halves the width alone: 1920 - 2 * (1 + 2), 1088 - 8.
        let picture = Picture { width: 1914, height: 1080, pixel_aspect: Some((16, 11)), colour };
        assert_eq!(sps.picture, Some(picture));
    }

    #[test]
    fn cut_anywhere() {
        let nal = rich_sps().nal(&[0x42, 1]);
        let read: Vec<_> = (0..nal.len()).map(|len| HevcSps::read(&nal[..len])).collect();
        let first = read.iter().position(Option::is_some).unwrap();
        assert_eq!(first, 18, "up to general_level_idc, with three emulation prevention bytes");
        let first = read.iter().flatten().position(|sps| sps.picture.is_some()).unwrap();
        assert!(first < 30, "the size stands before the scaling lists");
        for sps in read.iter().flatten().skip(first) {
            assert_eq!(sps.picture.map(|picture| (picture.width, picture.height)), Some((1914, 1080)));
        }
        assert_eq!(read.iter().flatten().last().unwrap().max_reorder_pictures, Some(2));
    }

    /// Table 6-1 and the semantics of the conformance window.
    #[test]
    fn conformance_window() {
        for (chroma_format_idc, expected) in [(0, (60, 30)), (1, (56, 24)), (2, (56, 30)), (3, (60, 30))] {
            let mut w = BitWriter::default();
            w.ue(&[64, 36]).u(1, 1).ue(&[1, 3, 2, 4]);
            let nal = w.nal(&[0x42, 1]);
            let picture = read_picture(&mut BitReader::new(&nal[2..]), chroma_format_idc).unwrap();
            assert_eq!((picture.width, picture.height), expected);
        }
        for window in [[32, 0, 0, 0], [0, 0, 9, 9], [u32::MAX - 1, 2, 0, 0], [1 << 31, 0, 0, 0]] {
            let mut w = BitWriter::default();
            w.ue(&[64, 36]).u(1, 1).ue(&window);
            assert_eq!(read_picture(&mut BitReader::new(&w.nal(&[0x42, 1])[2..]), 1), None);
        }
    }

    fn read<T>(w: &mut BitWriter, read: impl FnOnce(&mut BitReader) -> T) -> T {
        read(&mut BitReader::new(&w.nal(&[0x42, 1])[2..]))
    }

    /// Equations 7-61 to 7-66, worked out by hand.
    #[test]
    fn short_term_reference_picture_sets() {
        let mut w = BitWriter::default();
        w.ue(&[2, 1]).ue(&[0]).u(1, 1).ue(&[1]).u(1, 1).ue(&[0]).u(1, 1);
        let explicit = read(&mut w, explicit_set).unwrap();
        assert_eq!(explicit, [-1, -3, 1]);
        // By 1: -1 becomes the current picture, -3 becomes -2, 1 becomes 2, and the reference itself is 1.
        let mut w = BitWriter::default();
        w.u(1, 0).ue(&[0]).u(4, 0b1111);
        let forward = read(&mut w, |r| predicted_set(r, &explicit)).unwrap();
        assert_eq!(forward, [-2, 1, 2]);
        // By -2: -1 becomes -3; -3 is not kept; 1 becomes -1, kept without being used; the reference itself is -2.
        let mut w = BitWriter::default();
        w.u(1, 1).ue(&[1]).u(1, 1).u(2, 0b00).u(2, 0b01).u(1, 1);
        let backward = read(&mut w, |r| predicted_set(r, &explicit)).unwrap();
        assert_eq!(backward, [-1, -2, -3]);
    }

    #[test]
    fn a_short_term_reference_picture_set_is_16_pictures_at_most() {
        let sets = |more: bool| {
            let mut w = BitWriter::default();
            w.ue(&[2, 8, 8]);
            for _ in 0..16 {
                w.ue(&[0]).u(1, 1);
            }
            // Predicted by 20 from that set and the picture itself, of which all or all but one are kept.
            w.u(1, 1).u(1, 0).ue(&[19]).u(16, 0xFFFF).u(2, if more { 0b11 } else { 0b00 });
            read(&mut w, skip_short_term_reference_picture_sets)
        };
        assert_eq!([sets(false), sets(true)], [Some(()), None]);
    }

    #[test]
    fn any_bytes_are_read_or_refused() {
        let start = &rich_sps().nal(&[0x42, 1])[..40];
        for bytes in random_bytes(20_000, 200) {
            let _ = HevcSps::read(&bytes);
            let _ = HevcSps::read(&[start, &bytes].concat());
        }
    }
}
