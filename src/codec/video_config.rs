//! [`VideoConfig`]: the configuration of a video track, whichever its codec.

use super::avc::AvcConfig;
use super::hevc::HevcConfig;
use super::parameter_set_id::{ParameterSetId, ParameterSetKind};
use super::parameter_sets::last_of_each;
use super::{Picture, VideoCodec};
use crate::error::Error;

/// Configuration of a video track.
#[derive(Debug, Clone)]
pub(crate) enum VideoConfig {
    Avc(AvcConfig),
    Hevc(HevcConfig),
}

/// What became of a parameter set that was offered to a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Join {
    /// It is in force already.
    InForce,
    /// Its number was free: it is in force now.
    Joined,
    /// Its number is taken by another one. Nothing was changed.
    Replaces,
    /// An SPS of a free number with another profile or picture size, or one more than the record can hold. Nothing was changed.
    Refused,
}

impl VideoConfig {
    /// Reads codec private data: a configuration record, or a byte stream of parameter sets.
    pub(crate) fn parse(codec: VideoCodec, codec_private: &[u8]) -> Result<Self, Error> {
        match codec {
            VideoCodec::H264 => AvcConfig::parse(codec_private).map(Self::Avc),
            VideoCodec::H265 => HevcConfig::parse(codec_private).map(Self::Hevc),
        }
    }

    /// Makes a configuration from parameter sets; other NAL units are left out.
    pub(crate) fn from_parameter_sets<'a>(
        codec: VideoCodec,
        nals: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Self, Error> {
        match codec {
            VideoCodec::H264 => AvcConfig::from_parameter_sets(nals).map(Self::Avc),
            VideoCodec::H265 => HevcConfig::from_parameter_sets(nals).map(Self::Hevc),
        }
    }

    pub(crate) fn codec(&self) -> VideoCodec {
        match self {
            Self::Avc(_) => VideoCodec::H264,
            Self::Hevc(_) => VideoCodec::H265,
        }
    }

    /// What the first SPS says of the picture; `None` when there is no SPS, or its size cannot be read.
    pub(crate) fn picture(&self) -> Option<&Picture> {
        match self {
            Self::Avc(config) => config.picture(),
            Self::Hevc(config) => config.picture(),
        }
    }

    /// How many pictures at most precede a picture in decoding order and follow it in display order, by the first SPS; `None`
    /// if it cannot be read.
    pub(crate) fn max_reorder_frames(&self) -> Option<u8> {
        match self {
            Self::Avc(config) => config.sps().map(|sps| sps.max_reorder_frames()),
            Self::Hevc(config) => config.sps()?.max_reorder_pictures,
        }
    }

    /// Bytes of the length in front of each NAL unit of the input's frames: 1, 2 or 4.
    pub(crate) fn length_size(&self) -> u8 {
        match self {
            Self::Avc(config) => config.length_size(),
            Self::Hevc(config) => config.length_size(),
        }
    }

    /// Whether there is a parameter set of every kind that a decoder needs.
    pub(crate) fn is_complete(&self) -> bool {
        match self {
            Self::Avc(config) => config.is_complete(),
            Self::Hevc(config) => config.is_complete(),
        }
    }

    /// Whether this very parameter set is here, in force or not.
    pub(crate) fn holds(&self, nal: &[u8]) -> bool {
        match self {
            Self::Avc(config) => config.holds(nal),
            Self::Hevc(config) => config.holds(nal),
        }
    }

    /// The parameter sets in the order in which a decoder needs them, replaced ones among them.
    #[cfg_attr(not(test), expect(dead_code, reason = "called by the plan"))]
    pub(crate) fn parameter_sets(&self) -> Box<dyn Iterator<Item = &[u8]> + '_> {
        match self {
            Self::Avc(config) => Box::new(config.parameter_sets()),
            Self::Hevc(config) => Box::new(config.parameter_sets()),
        }
    }

    /// The parameter set of that number which a decoder uses: the last one given.
    pub(crate) fn in_force(&self, id: ParameterSetId) -> Option<&[u8]> {
        match self {
            Self::Avc(config) => config.in_force(id),
            Self::Hevc(config) => config.in_force(id),
        }
    }

    /// Whether the parameter sets of one access unit, in their order, leave in force what is in force here.
    #[cfg_attr(not(test), expect(dead_code, reason = "called by the plan"))]
    pub(crate) fn stays_in_force<'a>(&self, sets: impl DoubleEndedIterator<Item = &'a [u8]>) -> bool {
        last_of_each(self.codec(), sets).all(|(id, nal)| match id {
            Some(id) => self.in_force(id) == Some(nal),
            None => self.holds(nal),
        })
    }

    /// Offers a parameter set out of a frame. One of a new number joins the configuration if the stream stays the same.
    pub(crate) fn join(&mut self, nal: &[u8]) -> Join {
        let Some(id) = ParameterSetId::read(self.codec(), nal) else {
            return if self.holds(nal) { Join::InForce } else { Join::Refused };
        };
        let nal = crate::annexb::without_trailing_zeros(nal);
        match self.in_force(id) {
            Some(held) if held == nal => return Join::InForce,
            Some(_) => return Join::Replaces,
            None => {}
        }
        let is_base_sps = id.kind == ParameterSetKind::Sequence && id.layer == 0;
        let joined = match self {
            Self::Avc(config) if is_base_sps && !config.agrees_with(nal) => false,
            Self::Hevc(config) if is_base_sps && !config.agrees_with(nal) => false,
            Self::Avc(config) => config.join(nal).is_ok(),
            Self::Hevc(config) => config.join(nal).is_ok(),
        };
        if joined { Join::Joined } else { Join::Refused }
    }

    /// Whether a decoder would see no difference.
    pub(crate) fn decodes_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Avc(config), Self::Avc(other)) => config.decodes_like(other),
            (Self::Hevc(config), Self::Hevc(other)) => config.decodes_like(other),
            (Self::Avc(_), Self::Hevc(_)) | (Self::Hevc(_), Self::Avc(_)) => false,
        }
    }

    /// What differs, in a few words. Empty when a decoder would see no difference.
    pub(crate) fn difference(&self, other: &Self) -> String {
        match (self, other) {
            (Self::Avc(from), Self::Avc(to)) => from.difference(to),
            (Self::Hevc(from), Self::Hevc(to)) => from.difference(to),
            (Self::Avc(_), Self::Hevc(_)) | (Self::Hevc(_), Self::Avc(_)) => {
                format!("codec {} to {}", self.codec(), other.codec())
            }
        }
    }

    /// Writes the payload of `avcC` or `hvcC`. `array_completeness`: the samples carry no parameter sets.
    pub(crate) fn write(&self, out: &mut Vec<u8>, array_completeness: bool) {
        match self {
            Self::Avc(config) => config.write(out),
            Self::Hevc(config) => config.write(out, array_completeness),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bit_writer::BitWriter;
    use super::super::tests::hex;
    use super::*;

    /// Profile 77 in 16 by `rows` macroblocks, without VUI.
    fn sps(number: u32, profile: u32, rows: u32) -> Vec<u8> {
        let mut w = BitWriter::default();
        w.u(8, profile).u(8, 0).u(8, 30).ue(&[number, 0, 0, 2, 1]).u(1, 0).ue(&[15, rows - 1]).u(4, 0b1100);
        w.nal(&[0x67])
    }

    fn pps(number: u32, rest: u32) -> Vec<u8> {
        let mut w = BitWriter::default();
        w.ue(&[number, 0]).u(8, rest).nal(&[0x68])
    }

    fn config(nals: &[&Vec<u8>]) -> VideoConfig {
        VideoConfig::from_parameter_sets(VideoCodec::H264, nals.iter().map(|nal| &nal[..])).unwrap()
    }

    fn id(nal: &[u8]) -> ParameterSetId {
        ParameterSetId::read(VideoCodec::H264, nal).unwrap()
    }

    #[test]
    fn a_free_number_joins() {
        let (first, pps0, pps1) = (sps(0, 77, 9), pps(0, 0), pps(1, 0));
        let mut config = config(&[&first, &pps0]);
        assert_eq!(config.picture().map(|picture| (picture.width, picture.height)), Some((256, 144)));
        assert_eq!(config.join(&pps0), Join::InForce);
        assert_eq!(config.join(&[&pps0[..], &[0, 0]].concat()), Join::InForce);
        assert_eq!(config.join(&pps1), Join::Joined);
        assert_eq!(config.in_force(id(&pps1)), Some(&pps1[..]));
        assert_eq!(config.join(&pps1), Join::InForce);
        let before = config.clone();
        assert_eq!(config.join(&pps(1, 3)), Join::Replaces);
        for other in [sps(1, 66, 9), sps(1, 77, 10), vec![0x68], vec![0x65, 0x88], vec![]] {
            assert_eq!(config.join(&other), Join::Refused, "{other:x?}");
        }
        assert!(config.decodes_like(&before));
        assert_eq!(config.join(&sps(1, 77, 9)), Join::Joined);
        assert_eq!(config.difference(&before), "SPS");
        assert!(!config.decodes_like(&before));
    }

    #[test]
    fn what_stays_in_force() {
        let (first, a, b, other) = (sps(0, 77, 9), pps(0, 1), pps(0, 2), pps(1, 1));
        let config = config(&[&first, &a, &b]);
        assert_eq!(config.in_force(id(&a)), Some(&b[..]));
        let stays = |sets: &[&Vec<u8>]| config.stays_in_force(sets.iter().map(|nal| &nal[..]));
        assert!(stays(&[]) && stays(&[&first, &b]) && stays(&[&a, &b]) && stays(&[&b, &a, &b]));
        assert!(!stays(&[&a]) && !stays(&[&b, &a]) && !stays(&[&b, &other]) && !stays(&[&b, &vec![0x68]]));
    }

    /// The record of `ffmpeg -c:v libx264` in its parts, and of `-c:v libx265`: the rest comes out of the frames.
    #[test]
    fn completed_out_of_frames() {
        let avc = hex("0142c01effe100186742c01ed900a03db011000003000100000300320f162e4801000568cb83cb20");
        let hevc = hex("0101600000009000000000003cf000fcfdf8f800000f03\
             200001001840010c01ffff01600000030090000003000003003c959809\
             210001002d42010101600000030090000003000003003ca00b08048596566924cafff003b003668080000003008000000c84\
             22000100074401c172b46240");
        for (codec, whole, empty) in [
            (VideoCodec::H264, &avc, hex("01000000ffe000")),
            (VideoCodec::H265, &hevc, [&[1][..], &[0; 20], &[3, 0]].concat()),
        ] {
            let complete = VideoConfig::parse(codec, whole).unwrap();
            let nals: Vec<&[u8]> = complete.parameter_sets().collect();
            let mut config = VideoConfig::parse(codec, &empty).unwrap();
            assert_eq!((config.picture(), config.max_reorder_frames()), (None, None));
            for nal in nals {
                assert!(!config.is_complete() && !config.holds(nal));
                assert_eq!(config.join(nal), Join::Joined);
            }
            assert!(config.is_complete());
            assert!(config.decodes_like(&complete));
            let mut written = Vec::new();
            config.write(&mut written, false);
            // Of H.265, what the parameter sets do not say stays as the empty record has it.
            match codec {
                VideoCodec::H264 => assert_eq!(written, *whole),
                VideoCodec::H265 => assert_eq!(written[23..], whole[23..]),
            }
        }
    }

    #[test]
    fn a_change_of_codec() {
        let avc = config(&[&sps(0, 77, 9), &pps(0, 0)]);
        let hevc = hex("0101600000009000000000003cf000fcfdf8f800000f00");
        let hevc = VideoConfig::parse(VideoCodec::H265, &hevc).unwrap();
        assert_eq!(avc.difference(&hevc), "codec H.264 to H.265");
        assert!(!avc.decodes_like(&hevc) && !hevc.decodes_like(&avc));
        assert!(avc.decodes_like(&avc) && hevc.decodes_like(&hevc));
    }
}
