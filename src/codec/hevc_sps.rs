//! The sequence parameter set of H.265, clause 7.3.2.2, as far as a configuration record and a sample entry
//! need it: up to the colour description of the VUI.

use super::bits::{BitReader, rbsp};
use super::{Colour, Picture, pixel_aspect};

/// Bytes of the NAL unit header, clause 7.3.1.2.
const NAL_HEADER_LEN: usize = 2;
/// Limits of the syntax elements that drive loops, from the semantics in clause 7.4.3.2.
const MAX_SHORT_TERM_SETS: u32 = 64;
const MAX_LONG_TERM_PICTURES: u32 = 32;
const MAX_DELTA_POCS: usize = 16;
const MAX_LOG2_POC_LSB_MINUS4: u32 = 12;

/// What an SPS says about the stream.
#[derive(Debug, Clone)]
pub(crate) struct Sps {
    /// profile_tier_level() from general_profile_space to general_level_idc, as the record holds it too.
    pub(crate) general: [u8; 12],
    pub(crate) temporal_layers: u8,
    pub(crate) temporal_id_nested: bool,
    pub(crate) chroma_format_idc: u8,
    pub(crate) bit_depth_luma_minus8: u8,
    pub(crate) bit_depth_chroma_minus8: u8,
    pub(crate) picture: Picture,
}

impl Sps {
    /// Reads an SPS from its NAL unit; `None` if it breaks the syntax or its limits.
    ///
    /// Only what follows the bit depths may be broken: the VUI then counts as missing.
    pub(crate) fn read(nal: &[u8]) -> Option<Self> {
        let rbsp = rbsp(nal, NAL_HEADER_LEN);
        let reader = &mut BitReader::new(&rbsp);
        reader.skip(4)?; // sps_video_parameter_set_id
        let max_sub_layers_minus1 = reader.byte(3).filter(|&value| value <= 6)?;
        let temporal_id_nested = reader.flag()?;
        let general = profile_tier_level(reader, max_sub_layers_minus1)?;
        reader.ue()?; // sps_seq_parameter_set_id
        let chroma_format_idc = small(reader.ue()?, 3)?;
        if chroma_format_idc == 3 {
            reader.flag()?; // separate_colour_plane_flag
        }
        let (width, height) = cropped_size(reader, chroma_format_idc)?;
        // The semantics go up to 8, but the record has 3 bits for each.
        let bit_depth_luma_minus8 = small(reader.ue()?, 7)?;
        let bit_depth_chroma_minus8 = small(reader.ue()?, 7)?;
        let vui = Vui::find(reader, max_sub_layers_minus1).unwrap_or_default();
        Some(Self {
            general,
            temporal_layers: max_sub_layers_minus1.saturating_add(1),
            temporal_id_nested,
            chroma_format_idc,
            bit_depth_luma_minus8,
            bit_depth_chroma_minus8,
            picture: Picture { width, height, pixel_aspect: vui.pixel_aspect, colour: vui.colour },
        })
    }
}

/// Clause 7.3.3: 88 bits of profile and 8 of level, then the same for each sub-layer that has its own.
fn profile_tier_level(reader: &mut BitReader, max_sub_layers_minus1: u8) -> Option<[u8; 12]> {
    let mut general = [0; 12];
    for byte in &mut general {
        *byte = reader.byte(8)?;
    }
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
    reader.skip(sub_layer_bits)?;
    Some(general)
}

/// Size in luma samples, less the conformance window, whose offsets count chroma samples (table 6-1).
fn cropped_size(reader: &mut BitReader, chroma_format_idc: u8) -> Option<(u32, u32)> {
    let (mut width, mut height) = (reader.ue()?, reader.ue()?);
    if reader.flag()? {
        let [left, right, top, bottom] = [reader.ue()?, reader.ue()?, reader.ue()?, reader.ue()?];
        let (sub_width, sub_height) = match chroma_format_idc {
            1 => (2, 2),
            2 => (2, 1),
            _ => (1, 1),
        };
        width = width.checked_sub(left.checked_add(right)?.checked_mul(sub_width)?)?;
        height = height.checked_sub(top.checked_add(bottom)?.checked_mul(sub_height)?)?;
    }
    (width > 0 && height > 0).then_some((width, height))
}

#[derive(Debug, Default)]
struct Vui {
    pixel_aspect: Option<(u32, u32)>,
    colour: Option<Colour>,
}

impl Vui {
    /// Reads from log2_max_pic_order_cnt_lsb_minus4 to the VUI, clause E.2.1.
    fn find(reader: &mut BitReader, max_sub_layers_minus1: u8) -> Option<Self> {
        let log2_poc_lsb_minus4 = reader.ue().filter(|&value| value <= MAX_LOG2_POC_LSB_MINUS4)?;
        let ordering_info_present = reader.flag()?;
        let first_layer = if ordering_info_present { 0 } else { max_sub_layers_minus1 };
        for _ in first_layer..=max_sub_layers_minus1 {
            skip_ue(reader, 3)?; // sps_max_dec_pic_buffering_minus1, _num_reorder_pics, _latency_increase_plus1
        }
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
            // lt_ref_pic_poc_lsb_sps, as wide as the POC LSB, and used_by_curr_pic_lt_sps_flag
            let bits = log2_poc_lsb_minus4.checked_add(5)?;
            reader.skip(usize::try_from(count.checked_mul(bits)?).ok()?)?;
        }
        reader.skip(2)?; // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
        if !reader.flag()? {
            return Some(Self::default());
        }
        let pixel_aspect = if reader.flag()? { sample_aspect_ratio(reader)? } else { None };
        if reader.flag()? {
            reader.skip(1)?; // overscan_appropriate_flag
        }
        let colour = if reader.flag()? { video_signal_type(reader)?.if_specified() } else { None };
        Some(Self { pixel_aspect, colour })
    }
}

/// Clause 7.3.4.
fn skip_scaling_lists(reader: &mut BitReader) -> Option<()> {
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
fn skip_short_term_reference_picture_sets(reader: &mut BitReader) -> Option<()> {
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
fn explicit_set(reader: &mut BitReader) -> Option<Vec<i32>> {
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
fn predicted_set(reader: &mut BitReader, reference: &[i32]) -> Option<Vec<i32>> {
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
fn poc_step(reader: &mut BitReader) -> Option<i32> {
    let minus1 = reader.ue().filter(|&value| value < 1 << 15)?;
    i32::try_from(minus1).ok()?.checked_add(1)
}

/// aspect_ratio_idc and what follows it; table E.1, which is table E-1 of H.264.
fn sample_aspect_ratio(reader: &mut BitReader) -> Option<Option<(u32, u32)>> {
    const EXTENDED_SAR: u32 = 255;
    let (width, height) = match reader.bits(8)? {
        1 => (1, 1),
        2 => (12, 11),
        3 => (10, 11),
        4 => (16, 11),
        5 => (40, 33),
        6 => (24, 11),
        7 => (20, 11),
        8 => (32, 11),
        9 => (80, 33),
        10 => (18, 11),
        11 => (15, 11),
        12 => (64, 33),
        13 => (160, 99),
        14 => (4, 3),
        15 => (3, 2),
        16 => (2, 1),
        EXTENDED_SAR => (reader.bits(16)? as u16, reader.bits(16)? as u16),
        _ => (0, 0),
    };
    Some(pixel_aspect(width, height))
}

fn video_signal_type(reader: &mut BitReader) -> Option<Colour> {
    reader.skip(3)?; // video_format
    let mut colour = Colour { full_range: reader.flag()?, ..Colour::UNSPECIFIED };
    if reader.flag()? {
        colour.primaries = reader.byte(8)?.into();
        colour.transfer = reader.byte(8)?.into();
        colour.matrix = reader.byte(8)?.into();
    }
    Some(colour)
}

/// Skips Exp-Golomb codes, signed or not.
fn skip_ue(reader: &mut BitReader, count: u32) -> Option<()> {
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
    use super::super::tests::random_bytes;
    use super::*;

    /// Writes the syntax elements of an SPS.
    #[derive(Default)]
    struct BitWriter(Vec<bool>);

    impl BitWriter {
        fn u(&mut self, count: u32, value: u32) -> &mut Self {
            self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
            self
        }

        fn ue(&mut self, values: &[u32]) -> &mut Self {
            for value in values {
                let len = (value + 1).ilog2();
                self.u(len, 0).u(len + 1, value + 1);
            }
            self
        }

        /// The NAL unit: header, stop bit and emulation prevention added.
        fn nal(&mut self) -> Vec<u8> {
            self.u(1, 1);
            let mut nal = vec![0x42, 1];
            for bits in self.0.chunks(8) {
                let byte = bits.iter().zip(0..).fold(0, |byte, (&bit, i)| byte | u8::from(bit) << (7 - i));
                if nal.ends_with(&[0, 0]) && byte <= 3 {
                    nal.push(3);
                }
                nal.push(byte);
            }
            nal
        }
    }

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
        let sps = Sps::read(&w.nal()).unwrap();
        assert_eq!(sps.general, [0x21, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 123]);
        assert_eq!((sps.temporal_layers, sps.temporal_id_nested), (3, true));
        assert_eq!(
            (sps.chroma_format_idc, sps.bit_depth_luma_minus8, sps.bit_depth_chroma_minus8),
            (2, 2, 3)
        );
        let colour = Some(Colour { primaries: 9, transfer: 18, matrix: 9, full_range: true });
        // 4:2:2 halves the width alone: 1920 - 2 * (1 + 2), 1088 - 8.
        let picture = Picture { width: 1914, height: 1080, pixel_aspect: Some((16, 11)), colour };
        assert_eq!(sps.picture, picture);
    }

    #[test]
    fn cut_anywhere() {
        let nal = rich_sps().nal();
        let size = |sps: Sps| (sps.picture.width, sps.picture.height);
        let sizes: Vec<_> = (0..nal.len()).map(|len| Sps::read(&nal[..len]).map(size)).collect();
        let first = sizes.iter().position(Option::is_some).unwrap();
        assert!(sizes[first..].iter().all(|&size| size == Some((1914, 1080))));
        assert!(first < 50, "the size stands in front of the scaling lists");
    }

    /// Table 6-1 and the semantics of the conformance window.
    #[test]
    fn conformance_window() {
        for (chroma_format_idc, expected) in [(0, (60, 30)), (1, (56, 24)), (2, (56, 30)), (3, (60, 30))] {
            let mut w = BitWriter::default();
            w.ue(&[64, 36]).u(1, 1).ue(&[1, 3, 2, 4]);
            let nal = w.nal();
            assert_eq!(cropped_size(&mut BitReader::new(&nal[2..]), chroma_format_idc), Some(expected));
        }
        for window in [[32, 0, 0, 0], [0, 0, 9, 9], [u32::MAX - 1, 2, 0, 0], [1 << 31, 0, 0, 0]] {
            let mut w = BitWriter::default();
            w.ue(&[64, 36]).u(1, 1).ue(&window);
            assert_eq!(cropped_size(&mut BitReader::new(&w.nal()[2..]), 1), None);
        }
    }

    /// Table E.1, and 0 or 1:1 as no ratio at all.
    #[test]
    fn aspect_ratio() {
        let table = "12:11 10:11 16:11 40:33 24:11 20:11 32:11 80:33 18:11 15:11 64:33 160:99 4:3 3:2 2:1";
        for (idc, ratio) in (2..).zip(table.split(' ')) {
            let (width, height) = ratio.split_once(':').unwrap();
            let expected = Some((width.parse().unwrap(), height.parse().unwrap()));
            assert_eq!(sample_aspect_ratio(&mut BitReader::new(&[idc])), Some(expected), "{idc}");
        }
        for (bytes, expected) in [
            (&[0][..], None),
            (&[1], None),
            (&[17], None),
            (&[255, 0, 4, 0, 3], Some((4, 3))),
            (&[255, 0, 4, 0, 0], None),
            (&[255, 1, 4, 1, 4], None),
        ] {
            assert_eq!(sample_aspect_ratio(&mut BitReader::new(bytes)), Some(expected));
        }
    }

    fn read<T>(w: &mut BitWriter, read: impl FnOnce(&mut BitReader) -> T) -> T {
        read(&mut BitReader::new(&w.nal()[2..]))
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
        let start = &rich_sps().nal()[..40];
        for bytes in random_bytes(20_000, 200) {
            let _ = Sps::read(&bytes);
            let _ = Sps::read(&[start, &bytes].concat());
        }
    }
}
