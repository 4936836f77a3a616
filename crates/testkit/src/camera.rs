//! Recordings of a 1080p30 camera as the service stores them, made in memory out of the streams of `testdata/`.
//!
//! A fragment is one EBML document of 2 s with a Segment of unknown size: 60 pictures and, with sound, 93 or 94 AAC
//! frames or 100 blocks of A-law, interleaved by time, 475 kB in all. 200 of them are 95.0 MB, which is the size that
//! GetClip stops at.
//!
//! The frames are those of real encoders, in turn, with their own NAL units: an access unit delimiter and a slice,
//! and parameter sets and SEI in front of the key frame where the encoder put them. What is not real is their size:
//! the last slice is lengthened to what a camera sends at 1.76 Mbit/s, a key frame ten times as large as the others.
//! The bytes it is lengthened by are as entropy-coded data is: evenly distributed, zeros among them, with emulation
//! prevention, and without a start code inside.

use std::ops::Range;

use crate::mkv::{self, Block, Track};
use crate::recording::StoredFragment;
use crate::{manifest, media, recording};

/// Length of a fragment in milliseconds.
pub const FRAGMENT_MS: u64 = 2000;

/// 88 MB in 200 fragments.
const VIDEO_BYTES_PER_FRAGMENT: usize = 440_000;
/// A key frame is as large as this many others.
const KEY_FRAME_WEIGHT: usize = 10;
/// 129 kbit/s.
const AAC_FRAME_BYTES: usize = 344;
const AAC_FRAME_LENGTH: u64 = 1024;
const AAC_RATE: u64 = 48_000;
const G711_BLOCK_MS: u64 = 20;
const START_MS: u64 = 1_700_000_000_000;

/// What is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recording {
    /// H.264 behind 4-byte NAL lengths, AAC.
    Avcc,
    /// H.264 as Annex B with parameter sets in front of every key frame, AAC.
    AnnexB,
    /// H.265 behind 4-byte NAL lengths, AAC.
    H265,
    /// H.264 with a pyramid of B-frames, AAC.
    BFrames,
    /// H.264 behind 4-byte NAL lengths, G.711 A-law at 8 kHz in blocks of 20 ms.
    G711,
}

impl Recording {
    /// Every recording.
    pub const ALL: [Self; 5] = [Self::Avcc, Self::AnnexB, Self::H265, Self::BFrames, Self::G711];

    /// Name for the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avcc => "avcc",
            Self::AnnexB => "annexb",
            Self::H265 => "h265",
            Self::BFrames => "bframes",
            Self::G711 => "g711",
        }
    }

    /// The recording of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|recording| recording.name() == name)
    }

    /// The streams of `testdata/` that the pictures and the sound come from.
    fn sources(self) -> (&'static str, &'static str) {
        match self {
            Self::Avcc => ("h264_aac", "h264_aac"),
            Self::AnnexB => ("h264_annexb", "h264_aac"),
            Self::H265 => ("h265_aac", "h265_aac"),
            Self::BFrames => ("h264_bframes", "h264_aac"),
            Self::G711 => ("h264_aac", "h264_alaw"),
        }
    }
}

/// Makes the fragments of a recording.
pub struct Camera {
    tracks: Vec<Track>,
    /// The pictures of closed GOPs of 60, which are recorded in turn.
    gops: Vec<Vec<Frame>>,
    sound: Vec<Vec<u8>>,
    has_aac: bool,
    framing: Framing,
    noise: Vec<u8>,
}

struct Frame {
    /// From the start of its fragment.
    ms: u64,
    key: bool,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    NalLengths,
    StartCodes,
}

impl Camera {
    /// A camera whose frames are lengthened by noise.
    pub fn new(recording: Recording) -> Self {
        let (video, audio) = recording.sources();
        let (video_track, gops) = read(video, 1);
        let (audio_track, sound) = read(audio, 2);
        Self {
            tracks: vec![video_track, audio_track],
            gops,
            sound: sound.into_iter().flatten().map(|frame| frame.bytes).collect(),
            has_aac: recording != Recording::G711,
            framing: match recording {
                Recording::AnnexB => Framing::StartCodes,
                _ => Framing::NalLengths,
            },
            noise: entropy_coded_bytes(1 << 20),
        }
    }

    /// The same without noise: what the frames are lengthened by is zeros, which a file can leave out.
    pub fn silent(recording: Recording) -> Self {
        let mut camera = Self::new(recording);
        camera.noise.fill(0);
        camera
    }

    /// The `index`-th document.
    pub fn document(&self, index: u64) -> Vec<u8> {
        self.stored(index).to_bytes()
    }

    /// The Cluster of the `index`-th document.
    pub fn cluster(&self, index: u64) -> Vec<u8> {
        self.stored(index).cluster()
    }

    /// The part of the `index`-th document that is in front of its Cluster.
    pub fn head(&self, index: u64) -> Vec<u8> {
        let empty = mkv::Fragment { without_cluster: true, blocks: Vec::new(), ..self.described(index) };
        empty.to_bytes()
    }

    fn described(&self, index: u64) -> mkv::Fragment {
        mkv::Fragment::stored(index, START_MS + index * FRAGMENT_MS, self.tracks.clone(), Vec::new())
    }

    fn stored(&self, index: u64) -> mkv::Fragment {
        let gop = &self.gops[index as usize % self.gops.len()];
        let mut blocks: Vec<(u64, Block)> = Vec::new();
        for (number, frame) in gop.iter().enumerate() {
            let bytes =
                self.picture(frame, picture_bytes(gop.len(), number, frame.key), index as usize + number);
            blocks.push((decode_ms(number, gop.len()), Block::new(1, frame.ms as i16, frame.key, bytes)));
        }
        for number in self.sound_of(index) {
            let ms = self.sound_ms(number) - index * FRAGMENT_MS;
            blocks.push((ms, Block::new(2, ms as i16, false, self.sound_frame(number))));
        }
        blocks.sort_by_key(|(ms, _)| *ms);
        mkv::Fragment {
            blocks: blocks.into_iter().map(|(_, block)| block).collect(),
            ..self.described(index)
        }
    }

    /// A frame lengthened to `len` bytes.
    fn picture(&self, frame: &Frame, len: usize, seed: usize) -> Vec<u8> {
        let kept = frame.bytes.len() - frame.bytes.iter().rev().take_while(|&&byte| byte == 0).count();
        let (slice, trailing_zeros) = frame.bytes.split_at(kept);
        let added = len.saturating_sub(frame.bytes.len()).max(1);
        let mut bytes = slice.to_vec();
        bytes.extend(self.slice_data(seed, added));
        if self.framing == Framing::NalLengths {
            let last = last_nal(&frame.bytes);
            let nal_len = (last.len() + added) as u32;
            bytes[last.start - 4..last.start].copy_from_slice(&nal_len.to_be_bytes());
        }
        bytes.extend(trailing_zeros);
        bytes
    }

    /// Bytes that can follow in a slice, and end it.
    fn slice_data(&self, seed: usize, len: usize) -> Vec<u8> {
        let start = seed * 7919 % (self.noise.len() / 2);
        let mut bytes = self.noise[start..start + len].to_vec();
        // rbsp_slice_trailing_bits: a NAL unit does not end in 00.
        bytes[len - 1] = 0x80;
        bytes
    }

    fn sound_of(&self, index: u64) -> Range<u64> {
        let first_from =
            |ms: u64| (0..).skip((ms / 24) as usize).find(|&n| self.sound_ms(n) >= ms).unwrap_or(0);
        first_from(index * FRAGMENT_MS)..first_from((index + 1) * FRAGMENT_MS)
    }

    fn sound_ms(&self, number: u64) -> u64 {
        match self.has_aac {
            true => (number * AAC_FRAME_LENGTH * 1000 + AAC_RATE / 2) / AAC_RATE,
            false => number * G711_BLOCK_MS,
        }
    }

    fn sound_frame(&self, number: u64) -> Vec<u8> {
        let frame = &self.sound[number as usize % self.sound.len()];
        let padding = if self.has_aac { AAC_FRAME_BYTES.saturating_sub(frame.len()) } else { 0 };
        // A decoder takes zeros behind a frame for padding, and anything else for another frame.
        [frame, &vec![0; padding][..]].concat()
    }
}

/// The recording in one buffer, document behind document.
pub fn recording(recording: Recording, fragments: u64) -> Vec<u8> {
    let camera = Camera::new(recording);
    let mut bytes = Vec::with_capacity(fragments as usize * 480_000);
    for index in 0..fragments {
        bytes.extend(camera.document(index));
    }
    bytes
}

/// Track `number` of a stream of `testdata/`, and its frames fragment by fragment.
fn read(stream: &str, number: u64) -> (Track, Vec<Vec<Frame>>) {
    let stored = recording::Recording::read(manifest::mkv(stream));
    let entry = stored.fragments[0].tracks.iter().find(|entry| entry.number == number).expect("the track");
    let private = entry.codec_private.clone().unwrap_or_default();
    let track = match (entry.sampling_frequency, entry.channels) {
        (Some(rate), Some(channels)) => Track::audio(&entry.codec_id, &private, rate, channels),
        _ => Track::video(&entry.codec_id, &private, (1920, 1080)),
    };
    let frames = |fragment: &StoredFragment| {
        let start_ns = fragment.producer_ns.unwrap_or(fragment.cluster_ns);
        let of_track = fragment.frames.iter().filter(|frame| frame.track == number);
        let frame = |frame: &recording::StoredFrame| Frame {
            ms: (frame.time_ns - start_ns) as u64 / 1_000_000,
            key: frame.key,
            bytes: stored.bytes_of(frame).to_vec(),
        };
        of_track.map(frame).collect()
    };
    (track, stored.fragments.iter().map(frames).collect())
}

/// How large picture `number` of a fragment of `count` is: a quarter more or less than its share, by turns.
fn picture_bytes(count: usize, number: usize, key: bool) -> usize {
    let share = VIDEO_BYTES_PER_FRAGMENT / (count - 1 + KEY_FRAME_WEIGHT);
    if key { share * KEY_FRAME_WEIGHT } else { share * (75 + number * 7 % 51) / 100 }
}

/// When picture `number` of a fragment is due to be decoded.
fn decode_ms(number: usize, count: usize) -> u64 {
    number as u64 * FRAGMENT_MS / count as u64
}

/// Where the last NAL unit of a length-prefixed frame is, its length not included.
fn last_nal(frame: &[u8]) -> Range<usize> {
    let (mut start, mut len) = (0, 0);
    for nal in media::nals(frame) {
        start += len + 4;
        len = nal.len();
    }
    start..start + len
}

/// Evenly distributed bytes (xorshift64*), with emulation prevention (H.264 section 7.4.1).
fn entropy_coded_bytes(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut bytes = Vec::with_capacity(len + 1);
    while bytes.len() < len {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let byte = (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 56) as u8;
        if byte <= 3 && bytes.ends_with(&[0, 0]) {
            bytes.push(3);
        }
        bytes.push(byte);
    }
    bytes
}
