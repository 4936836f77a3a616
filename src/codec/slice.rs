//! The fields of a frame of H.264, told by their slices and the parameter sets that these refer to.

use super::avc_slice::AvcSlice;
use super::avc_sps::{AvcSps, SliceSyntax};
use super::bits::{BitReader, rbsp};
use super::parameter_set_id::{ParameterSetId, ParameterSetKind};
use super::{VideoCodec, VideoConfig};

/// Whether two first slices, of which `first` is decoded first, are those of the two fields of one frame.
///
/// Where the headers cannot be read, two pictures cannot be told from two fields, and are taken to be these: they stay
/// together. Fields of H.265 are pictures of their own.
pub(super) fn are_fields_of_one_frame(
    codec: VideoCodec,
    config: Option<&VideoConfig>,
    first: &[u8],
    second: &[u8],
) -> bool {
    let read = |nal| AvcSlice::read(nal, slice_syntax(config?, AvcSlice::pps(nal)?)?);
    match (codec, read(first), read(second)) {
        (VideoCodec::H265, ..) => false,
        (VideoCodec::H264, Some(first), Some(second)) => second.completes_field_pair(&first),
        (VideoCodec::H264, None, _) | (VideoCodec::H264, _, None) => true,
    }
}

/// How the headers of slices under a PPS of H.264 are to be read.
fn slice_syntax(config: &VideoConfig, pps: u8) -> Option<SliceSyntax> {
    let id = |kind, number| ParameterSetId { kind, layer: 0, number };
    let pps = rbsp(config.in_force(id(ParameterSetKind::Picture, pps))?, 1);
    let mut reader = BitReader::new(&pps);
    reader.ue()?; // pic_parameter_set_id
    let sps = u8::try_from(reader.ue()?).ok()?;
    AvcSps::read(config.in_force(id(ParameterSetKind::Sequence, sps))?)?.slices
}

#[cfg(test)]
mod tests {
    use super::super::bit_writer::BitWriter;
    use super::*;

    /// Two SPS that differ in the bits of frame_num, the second one of fields, and a PPS for each.
    fn config() -> VideoConfig {
        let sps = |number, log2_frame_num_minus4, frames| {
            let mut w = BitWriter::default();
            w.u(8, 77).u(16, 30).ue(&[number, log2_frame_num_minus4, 0, 2, 1]).u(1, 0).ue(&[9, 7]);
            w.u(1, frames).u(4, 0b0100).nal(&[0x67])
        };
        let pps = |number, sps| BitWriter::default().ue(&[number, sps]).u(8, 0).nal(&[0x68]);
        let nals = [sps(0, 0, 1), sps(1, 5, 0), pps(0, 0), pps(1, 1), pps(2, 7)];
        VideoConfig::from_parameter_sets(VideoCodec::H264, nals.iter().map(|nal| &nal[..])).unwrap()
    }

    fn slice(pps: u32, frame_num_bits: u32, frame_num: u32, field: &[u32]) -> Vec<u8> {
        let mut w = BitWriter::default();
        w.ue(&[0, 5, pps]).u(frame_num_bits, frame_num);
        field.iter().for_each(|&bit| {
            w.u(1, bit);
        });
        w.u(8, 0).nal(&[0x41])
    }

    #[test]
    fn each_slice_is_read_by_its_own_sps() {
        let config = config();
        let are = |first: &[u8], second: &[u8]| {
            are_fields_of_one_frame(VideoCodec::H264, Some(&config), first, second)
        };
        let (top, bottom) = (slice(1, 9, 300, &[1, 0]), slice(1, 9, 300, &[1, 1]));
        assert!(are(&top, &bottom) && are(&bottom, &top));
        assert!(!are(&top, &top));
        assert!(!are(&top, &slice(1, 9, 301, &[1, 1])));
        assert!(!are(&top, &slice(1, 9, 300, &[0])), "a frame");
        let frame = slice(0, 4, 3, &[]);
        assert!(!are(&frame, &frame));
    }

    #[test]
    fn what_cannot_be_read_stays_together() {
        let config = config();
        let frame = slice(0, 4, 3, &[]);
        for unknown in [slice(2, 4, 3, &[]), slice(3, 4, 3, &[])] {
            assert!(are_fields_of_one_frame(VideoCodec::H264, Some(&config), &frame, &unknown));
        }
        assert!(are_fields_of_one_frame(VideoCodec::H264, None, &frame, &frame));
        assert!(!are_fields_of_one_frame(VideoCodec::H265, None, &[2, 1, 0xD0], &[2, 1, 0xD0]));
    }
}
