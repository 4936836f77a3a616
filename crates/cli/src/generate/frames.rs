//! The frames that are built in: ffmpeg's test pattern and a tone. `testdata/builtin_frames.py` makes them.

use crate::args::{AudioChoice, VideoChoice};

/// A second of 160x90 at 25 pictures a second, the first an IDR picture.
const H264: &[u8] = include_bytes!("frames/h264.bin");
const H265: &[u8] = include_bytes!("frames/h265.bin");
/// 1024 periods of 1000 Hz in 48 AAC-LC frames at 48 kHz.
const AAC: &[u8] = include_bytes!("frames/aac.bin");

/// A period of 1000 Hz at 8 kHz and 0 dBm0 (ITU-T G.711 tables 5 and 6).
const ALAW: [u8; 8] = [0x34, 0x21, 0x21, 0x34, 0xB4, 0xA1, 0xA1, 0xB4];
const MULAW: [u8; 8] = [0x1E, 0x0B, 0x0B, 0x1E, 0x9E, 0x8B, 0x8B, 0x9E];

/// Samples in a block of G.711: 20 ms.
const G711_BLOCK: usize = 160;

pub(super) const WIDTH: u32 = 160;
pub(super) const HEIGHT: u32 = 90;

/// Frames to repeat for as long as the recording lasts.
pub(super) struct Frames {
    pub(super) codec_id: &'static str,
    pub(super) codec_private: Vec<u8>,
    /// Hertz of the audio, else 0.
    pub(super) sampling_rate: u32,
    /// So many frames last so many milliseconds.
    frames_per: (u64, u64),
    frames: Vec<Vec<u8>>,
}

impl Frames {
    pub(super) fn video(choice: VideoChoice) -> Option<Self> {
        let (codec_id, packed) = match choice {
            VideoChoice::H264 => ("V_MPEG4/ISO/AVC", H264),
            VideoChoice::H265 => ("V_MPEGH/ISO/HEVC", H265),
            VideoChoice::None => return None,
        };
        let (codec_private, frames) = unpack(packed);
        Some(Self { codec_id, codec_private, sampling_rate: 0, frames_per: (25, 1000), frames })
    }

    pub(super) fn audio(choice: AudioChoice) -> Option<Self> {
        match choice {
            AudioChoice::Aac => {
                let (codec_private, frames) = unpack(AAC);
                // 48,000 samples a second, 1024 a frame: 375 frames in 8 s.
                let frames_per = (375, 8000);
                Some(Self { codec_id: "A_AAC", codec_private, sampling_rate: 48_000, frames_per, frames })
            }
            AudioChoice::Alaw => Some(Self::g711(6, ALAW)),
            AudioChoice::Mulaw => Some(Self::g711(7, MULAW)),
            AudioChoice::None => None,
        }
    }

    fn g711(format_tag: u16, period: [u8; 8]) -> Self {
        let block = period.into_iter().cycle().take(G711_BLOCK).collect();
        Self {
            codec_id: "A_MS/ACM",
            codec_private: wave_format(format_tag),
            sampling_rate: 8000,
            frames_per: (50, 1000),
            frames: vec![block],
        }
    }

    /// Time of a frame from the start of the recording, to the nearest millisecond.
    pub(super) fn time_ms(&self, index: u64) -> u64 {
        let (frames, millis) = self.frames_per;
        (index * millis * 2 + frames) / (frames * 2)
    }

    /// The first frame at a time or later.
    pub(super) fn first_at(&self, time_ms: u64) -> u64 {
        let (frames, millis) = self.frames_per;
        (time_ms * frames).div_ceil(millis)
    }

    pub(super) fn frame(&self, index: u64) -> &[u8] {
        let place = index % self.frames.len().max(1) as u64;
        self.frames.get(place as usize).map_or(&[], Vec::as_slice)
    }

    /// Whether a frame is one that decoding can start at. Every audio frame is.
    pub(super) fn is_key(&self, index: u64) -> bool {
        self.sampling_rate > 0 || index.is_multiple_of(self.frames.len().max(1) as u64)
    }
}

/// Codec private data and frames, each after its length in 2 bytes.
fn unpack(mut packed: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut parts = Vec::new();
    while let Some((len, rest)) = packed.split_first_chunk::<2>() {
        let (part, rest) = rest.split_at_checked(u16::from_be_bytes(*len).into()).unwrap_or((rest, &[]));
        parts.push(part.to_vec());
        packed = rest;
    }
    let frames = parts.split_off(1.min(parts.len()));
    (parts.pop().unwrap_or_default(), frames)
}

/// WAVEFORMATEX of one channel at 8 kHz, 8 bits.
fn wave_format(format_tag: u16) -> Vec<u8> {
    let (channels, rate, bytes_a_second, block_align, bits, extra) =
        (1_u16, 8000_u32, 8000_u32, 1_u16, 8_u16, 0_u16);
    [
        &format_tag.to_le_bytes()[..],
        &channels.to_le_bytes(),
        &rate.to_le_bytes(),
        &bytes_a_second.to_le_bytes(),
        &block_align.to_le_bytes(),
        &bits.to_le_bytes(),
        &extra.to_le_bytes(),
    ]
    .concat()
}

/// NAL units after start codes instead of 4-byte lengths.
pub(super) fn annex_b(mut frame: &[u8]) -> Vec<u8> {
    let mut stream = Vec::with_capacity(frame.len());
    while let Some((len, rest)) = frame.split_first_chunk::<4>() {
        let len = u32::from_be_bytes(*len) as usize;
        let (nal, rest) = rest.split_at_checked(len).unwrap_or((rest, &[]));
        stream.extend([0, 0, 0, 1]);
        stream.extend(nal);
        frame = rest;
    }
    stream
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in() {
        for choice in [VideoChoice::H264, VideoChoice::H265] {
            let video = Frames::video(choice).unwrap();
            assert_eq!(video.frames.len(), 25);
            assert_eq!((video.is_key(0), video.is_key(24), video.is_key(25)), (true, false, true));
            assert_eq!((video.time_ms(25), video.first_at(1000), video.first_at(1001)), (1000, 25, 26));
        }
        let aac = Frames::audio(AudioChoice::Aac).unwrap();
        assert_eq!((aac.frames.len(), aac.codec_private.len()), (48, 2));
        assert_eq!((aac.time_ms(1), aac.time_ms(375), aac.first_at(1000)), (21, 8000, 47));
        assert_eq!(Frames::audio(AudioChoice::Alaw).unwrap().frame(7).len(), 160);
    }

    #[test]
    fn start_codes_take_the_place_of_lengths() {
        assert_eq!(annex_b(&[0, 0, 0, 2, 7, 8, 0, 0, 0, 1, 9]), [0, 0, 0, 1, 7, 8, 0, 0, 0, 1, 9]);
    }
}
