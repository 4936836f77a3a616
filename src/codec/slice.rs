//! Where a picture begins among slices, whichever the codec.

use super::VideoConfig;
use super::avc_slice::AvcSlice;
use super::avc_sps::{AvcSps, SliceSyntax};
use super::bits::{BitReader, rbsp};
use super::hevc_slice::HevcSlice;
use super::parameter_set_id::{ParameterSetId, ParameterSetKind};

/// The beginning of a slice header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slice {
    Avc(AvcSlice),
    Hevc(HevcSlice),
}

/// Reads slices by the parameter sets of a configuration.
#[derive(Debug, Clone)]
pub(crate) struct SliceReader<'a> {
    config: &'a VideoConfig,
    /// The last PPS that a slice referred to, and what follows from it.
    last: Option<(u8, Option<SliceSyntax>)>,
}

impl Slice {
    /// Whether this slice is the first of another picture than the one before it.
    pub(crate) fn begins_picture_after(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::Avc(slice), Self::Avc(before)) => slice.begins_picture_after(before),
            (Self::Hevc(slice), _) => slice.is_first,
            (Self::Avc(_), Self::Hevc(_)) => true,
        }
    }

    /// Whether the picture of this slice is the second field of the frame whose first field the one before it is. Fields of
    /// H.265 are pictures of their own.
    pub(crate) fn completes_field_pair(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::Avc(slice), Self::Avc(before)) => slice.completes_field_pair(before),
            (Self::Hevc(_), _) | (Self::Avc(_), Self::Hevc(_)) => false,
        }
    }
}

impl<'a> SliceReader<'a> {
    pub(crate) fn new(config: &'a VideoConfig) -> Self {
        Self { config, last: None }
    }

    /// Reads the slice header of a NAL unit of the base layer. `None` if it has none, or its parameter sets are missing.
    pub(crate) fn read(&mut self, nal: &[u8]) -> Option<Slice> {
        match self.config {
            VideoConfig::Avc(_) => {
                let syntax = self.syntax(AvcSlice::pps(nal)?)?;
                AvcSlice::read(nal, syntax).map(Slice::Avc)
            }
            VideoConfig::Hevc(_) => HevcSlice::read(nal).map(Slice::Hevc),
        }
    }

    /// What the headers of slices under a PPS of H.264 look like.
    fn syntax(&mut self, pps: u8) -> Option<SliceSyntax> {
        if let Some((last, syntax)) = self.last
            && last == pps
        {
            return syntax;
        }
        let syntax = self.find_syntax(pps);
        self.last = Some((pps, syntax));
        syntax
    }

    fn find_syntax(&self, pps: u8) -> Option<SliceSyntax> {
        let id = |kind, number| ParameterSetId { kind, layer: 0, number };
        let pps = rbsp(self.config.in_force(id(ParameterSetKind::Picture, pps))?, 1);
        let mut reader = BitReader::new(&pps);
        reader.ue()?; // pic_parameter_set_id
        let sps = u8::try_from(reader.ue()?).ok()?;
        AvcSps::read(self.config.in_force(id(ParameterSetKind::Sequence, sps))?)?.slices
    }
}

#[cfg(test)]
mod tests {
    use super::super::VideoCodec;
    use super::super::bit_writer::BitWriter;
    use super::super::tests::hex;
    use super::*;

    /// Two SPS that differ in the bits of frame_num, and a PPS for each.
    fn config() -> VideoConfig {
        let sps = |number, log2_frame_num_minus4| {
            let mut w = BitWriter::default();
            w.u(8, 77)
                .u(16, 30)
                .ue(&[number, log2_frame_num_minus4, 0, 2, 1])
                .u(1, 0)
                .ue(&[9, 7])
                .u(4, 0b1100);
            w.nal(&[0x67])
        };
        let pps = |number, sps| BitWriter::default().ue(&[number, sps]).u(8, 0).nal(&[0x68]);
        let nals = [sps(0, 0), sps(1, 5), pps(0, 0), pps(1, 1), pps(2, 7)];
        VideoConfig::from_parameter_sets(VideoCodec::H264, nals.iter().map(|nal| &nal[..])).unwrap()
    }

    #[test]
    fn each_slice_is_read_by_its_own_sps() {
        let config = config();
        let mut reader = SliceReader::new(&config);
        let mut read = |first_macroblock, pps, frame_num_bits| {
            let mut w = BitWriter::default();
            w.ue(&[first_macroblock, 5, pps]).u(frame_num_bits, 3).u(6, 10);
            match reader.read(&w.nal(&[0x41])) {
                Some(Slice::Avc(slice)) => Some((slice.pps, slice.frame_num)),
                _ => None,
            }
        };
        assert_eq!(read(0, 0, 4), Some((0, 3)));
        assert_eq!(read(9, 0, 4), Some((0, 3)));
        assert_eq!(read(0, 1, 9), Some((1, 3)));
        assert_eq!(read(0, 0, 4), Some((0, 3)));
        assert_eq!(read(0, 2, 4), None, "its SPS is missing");
        assert_eq!(read(0, 3, 4), None, "its PPS is missing");
        assert_eq!(reader.read(&[0x06, 5, 1]), None);
    }

    #[test]
    fn h265_needs_no_slice_before() {
        let record = hex("0101600000009000000000003cf000fcfdf8f800000f00");
        let config = VideoConfig::parse(VideoCodec::H265, &record).unwrap();
        let mut reader = SliceReader::new(&config);
        let first = reader.read(&hex("2801af1d80ba1b71")).unwrap();
        let more = reader.read(&hex("28012de3b0bc7678")).unwrap();
        assert!(first.begins_picture_after(&more) && first.begins_picture_after(&first));
        assert!(!more.begins_picture_after(&first) && !first.completes_field_pair(&first));
    }
}
