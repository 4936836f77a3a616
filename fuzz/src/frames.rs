//! Frames as a fuzzer describes them: media of the test writer, laced or not, in every framing of NAL units.

use arbitrary::Arbitrary;

use super::amounts::{Below, Bytes, Rarely, UpTo, one_of};
use testkit::media;
use testkit::mkv::{Lacing, Track};

/// The frames of one block.
#[derive(Debug, Arbitrary)]
pub struct Frames<T> {
    size: Below<200>,
    first: T,
    lace: Rarely<4, Lace<T>>,
}

#[derive(Debug, Arbitrary)]
struct Lace<T> {
    #[arbitrary(with = one_of(&[Lacing::Xiph, Lacing::Ebml, Lacing::Fixed]))]
    lacing: Lacing,
    others: UpTo<4, T>,
}

impl<T> Frames<T> {
    /// `write` makes a frame of a seed and a size.
    pub fn write(&self, seed: u64, write: impl Fn(&T, u64, usize) -> Vec<u8>) -> (Lacing, Vec<Vec<u8>>) {
        let size = self.size.size() + 8;
        let first = write(&self.first, seed, size);
        let Some(lace) = &self.lace.0 else { return (Lacing::None, vec![first]) };
        let step = if lace.lacing == Lacing::Fixed { 0 } else { 3 };
        let others = lace.others.0.iter().zip(1..);
        let others = others.map(|(frame, index)| write(frame, seed + index as u64, size + index * step));
        let frames: Vec<Vec<u8>> = [first].into_iter().chain(others).collect();
        let is_one_size = frames.windows(2).all(|pair| pair[0].len() == pair[1].len());
        let lacing = if lace.lacing == Lacing::Fixed && !is_one_size { Lacing::Xiph } else { lace.lacing };
        (lacing, frames)
    }
}

#[derive(Debug, Arbitrary)]
pub struct VideoFrame {
    key: Rarely<4>,
    /// Parameter sets of the track in front.
    parameter_sets: [Rarely<4>; 3],
    /// One that the track does not have.
    other_parameter_set: Rarely<32>,
    empty_nal: Rarely<16>,
    /// Instead of that of the track.
    framing: Rarely<32, Framing>,
}

/// How the NAL units of a frame are told apart.
#[derive(Debug, Arbitrary)]
pub enum Framing {
    LengthsOfFourBytes,
    LengthsOfTwoBytes,
    LengthsOfOneByte,
    AnnexB,
    /// There may be none.
    Noise(Bytes<64>),
}

impl VideoFrame {
    pub fn write(&self, track: &Track, framing: &Framing, seed: u64, size: usize) -> Vec<u8> {
        let is_hevc = track.codec_id.contains("HEVC");
        let frame = if is_hevc { media::hevc_frame } else { media::avc_frame };
        let frame = frame(seed, size, self.key.is_so());
        let mut nals = media::nals(&frame);
        let parameter_sets = match is_hevc {
            true => [media::HEVC_PPS, media::HEVC_SPS, media::HEVC_VPS],
            false => [media::AVC_PPS, media::AVC_SPS, media::AVC_SPS],
        };
        for (nal, is_there) in parameter_sets.into_iter().zip(&self.parameter_sets) {
            if is_there.is_so() {
                nals.insert(0, nal);
            }
        }
        if self.other_parameter_set.is_so() {
            nals.insert(0, media::AVC_SPS_640);
        }
        if self.empty_nal.is_so() {
            nals.push(&[]);
        }
        match self.framing.0.as_ref().unwrap_or(framing) {
            Framing::LengthsOfFourBytes => media::length_prefixed(&nals),
            Framing::LengthsOfTwoBytes => media::with_nal_lengths(&nals, 2),
            Framing::LengthsOfOneByte => media::with_nal_lengths(&nals, 1),
            Framing::AnnexB => media::annexb(&nals),
            Framing::Noise(noise) => noise.0.clone(),
        }
    }
}

#[derive(Debug, Arbitrary)]
pub struct AudioFrame {
    odd: Rarely<12, OddAudio>,
}

#[derive(Debug, Arbitrary)]
enum OddAudio {
    Adts,
    Noise(Bytes<32>),
}

impl AudioFrame {
    pub fn write(&self, track: &Track, seed: u64, size: usize) -> Vec<u8> {
        let frame = if track.codec_id == "A_AAC" { media::aac_frame } else { media::g711_block };
        let frame = frame(seed, size);
        match &self.odd.0 {
            None => frame,
            Some(OddAudio::Adts) => media::adts(&frame, false),
            Some(OddAudio::Noise(noise)) => noise.0.clone(),
        }
    }
}
