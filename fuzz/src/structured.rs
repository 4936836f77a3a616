//! Fragments of every form that the test writer can write, some of them damaged, to a clip.

use super::choices::Choices;
use super::support::ebml::{self, Size};
use super::support::media;
use super::support::mkv::{
    Block, ContentEncoding, Fragment, Lacing, TagNames, TagPlace, Track, decimal_seconds, documents,
    fragment_number, get_media_trailer, merged, service_error, upload,
};
use super::{Options, build_with, fragments};

/// Describes fragments as the bytes say, writes them as Matroska, damages that now and then, and builds a clip.
pub fn build_structured(data: &[u8]) {
    let Structured { options, described, input, is_plain } = Structured::new(data);
    if is_plain {
        check_frames(&input, &described);
    }
    fragments(&input);
    build_with(options, &input);
}

/// What some bytes say.
pub struct Structured {
    pub options: Options,
    pub described: Vec<Fragment>,
    /// The fragments as they are written, and damaged.
    pub input: Vec<u8>,
    /// Whether a reader finds the fragments as they are described.
    is_plain: bool,
}

impl Structured {
    pub fn new(data: &[u8]) -> Self {
        let mut choices = Choices::new(data);
        let options = Options::from_bits(choices.byte());
        let form = choices.below(8);
        let faults = choices.below(4).saturating_sub(1);
        let described = describe_fragments(&mut choices);
        let mut input = match form {
            0..5 => documents(&described),
            5 => upload(&described),
            _ => merged(&described),
        };
        for _ in 0..faults {
            damage(&mut input, &mut choices);
        }
        let is_plain = faults == 0 && form < 5 && !described.iter().any(is_odd);
        Self { options, described, input, is_plain }
    }
}

/// The reader finds the frames that were described.
fn check_frames(input: &[u8], described: &[Fragment]) {
    let found = getclip::fragments(input.to_vec().into());
    for (found, described) in found.zip(described) {
        let Ok(found) = found else { return };
        let frames = found.blocks().iter().map(|block| found.frame(block));
        let want = described.blocks.iter().flat_map(|block| &block.frames);
        assert!(frames.eq(want), "fragment {}: not the frames described", found.name());
    }
}

/// Whether the reader may see other fragments than were described.
fn is_odd(fragment: &Fragment) -> bool {
    fragment.without_cluster || !fragment.in_cluster.is_empty() || !fragment.after_cluster.is_empty()
}

fn damage(input: &mut Vec<u8>, choices: &mut Choices<'_>) {
    let at = choices.u64() as usize % input.len().max(1);
    match choices.below(4) {
        0 => input.truncate(at),
        1 => {
            input.drain(at..(at + choices.below(64)).min(input.len()));
        }
        _ => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << choices.below(8);
            }
        }
    }
}

fn describe_fragments(choices: &mut Choices<'_>) -> Vec<Fragment> {
    let tracks = describe_tracks(choices);
    let count = choices.below(6) + 1;
    let mut fragments: Vec<Fragment> = Vec::new();
    let mut producer_ms = 1_700_000_000_000;
    for index in 0..count {
        producer_ms += choices.one_of(&[1000, 1000, 0, 2000, 990, 5000, 4_000_000, 90_000_000]);
        let start_ms = if choices.rarely(16) { choices.u64() % (1 << 42) } else { producer_ms };
        let tracks = if choices.rarely(12) { describe_tracks(choices) } else { tracks.clone() };
        fragments.push(describe_fragment(choices, index as u64, start_ms, tracks));
    }
    fragments
}

fn describe_tracks(choices: &mut Choices<'_>) -> Vec<Track> {
    let avc = |record: Vec<u8>| Track::avc().codec_private(record);
    let short_lengths = |length_size_minus1: u8| {
        let mut record = media::avcc(media::AVC_SPS, media::AVC_PPS);
        record[4] = 0xFC | length_size_minus1;
        avc(record)
    };
    let annex_b = media::annexb(&[media::AVC_SPS, media::AVC_PPS]);
    let mut video = match choices.below(12) {
        0..3 => Track::avc(),
        3 => Track::hevc(),
        4 => avc(media::avcc_without_tail(media::AVC_SPS_640, media::AVC_PPS)),
        5 => avc(annex_b),
        6 => Track::avc().without_codec_private(),
        7 => Track::hevc().without_codec_private(),
        8 => short_lengths(1),
        9 => short_lengths(0),
        10 => avc(choices.bytes(64).to_vec()),
        _ => Track::hevc().codec_private(choices.bytes(64)),
    };
    if choices.rarely(8) {
        video = video.default_duration(choices.one_of(&[33_333_333, 40_000_000, 1, 16_683_333, u64::MAX]));
    }
    let mut tracks = vec![encode(video, choices)];
    let audio = match choices.below(8) {
        0..2 => None,
        2..4 => Some(Track::aac()),
        4 => Some(Track::alaw()),
        5 => Some(Track::mulaw()),
        6 => Some(Track::aac().codec_private(choices.bytes(16))),
        _ => Some(Track::alaw().codec_private(media::wave_format(6, choices.u64() as u32, 2))),
    };
    if let Some(audio) = audio {
        let audio = if choices.rarely(8) { audio.default_duration(choices.u64() >> 32) } else { audio };
        tracks.push(encode(audio, choices));
    }
    if choices.rarely(8) {
        tracks.push(Track::aac().number(3));
    }
    tracks
}

fn encode(track: Track, choices: &mut Choices<'_>) -> Track {
    match choices.below(32) {
        31 => track.header_stripping(choices.bytes(4)),
        30 => track.encoding(ContentEncoding::Compression(0)),
        _ => track,
    }
}

fn describe_fragment(
    choices: &mut Choices<'_>,
    index: u64,
    producer_ms: u64,
    tracks: Vec<Track>,
) -> Fragment {
    let mut fragment = Fragment::stored(index, producer_ms, tracks, Vec::new());
    let scale = if choices.rarely(8) { choices.one_of(&[100, 1, 1_000_000_000, 20_833]) } else { 1_000_000 };
    fragment = fragment.timestamp_scale(scale);
    let mut times = [0_i16; 2];
    for _ in 0..choices.below(24) {
        let block = describe_block(choices, &fragment.tracks, &mut times);
        fragment.blocks.push(block);
    }
    if choices.rarely(3) {
        make_odd(&mut fragment, choices);
    }
    fragment
}

fn describe_block(choices: &mut Choices<'_>, tracks: &[Track], times: &mut [i16; 2]) -> Block {
    let is_audio = tracks.len() > 1 && choices.rarely(2);
    let track = &tracks[usize::from(is_audio)];
    let step = choices.one_of(&[33, 33, 34, 0, 100, 33, 21, 1]);
    let time = &mut times[usize::from(is_audio)];
    *time = time.saturating_add(step);
    let time = match choices.below(16) {
        // A picture that is shown before some that are decoded before it.
        14 => time.saturating_sub(choices.one_of(&[66, 100, 200])),
        15 => choices.i16(),
        _ => *time,
    };
    let lacing = choices.one_of(&[Lacing::None, Lacing::None, Lacing::Xiph, Lacing::Ebml, Lacing::Fixed]);
    let count = if lacing == Lacing::None { 1 } else { choices.below(5) + 1 };
    let size = choices.below(200) + 8;
    let frames = (0..count).map(|frame| {
        let size = if lacing == Lacing::Fixed { size } else { size + frame * 3 };
        let bytes = if is_audio { audio_frame(choices, size) } else { video_frame(choices, track, size) };
        // Every frame begins with what header stripping takes off.
        [track.stripped_header(), &bytes].concat()
    });
    let frames: Vec<Vec<u8>> = frames.collect();
    let same_size = frames.windows(2).all(|pair| pair[0].len() == pair[1].len());
    let lacing = if lacing == Lacing::Fixed && !same_size { Lacing::Xiph } else { lacing };
    let mut block = Block::laced(track.number, time, lacing, frames);
    block.key = choices.rarely(4);
    block.size = choices.one_of(&[Size::Width(8), Size::Known, Size::Width(4)]);
    match choices.below(8) {
        6 => block.group(None),
        7 => block.group(Some(u64::from(choices.byte()))),
        _ => block,
    }
}

fn audio_frame(choices: &mut Choices<'_>, size: usize) -> Vec<u8> {
    match choices.below(16) {
        14 => choices.bytes(32).to_vec(),
        15 => adts(size),
        _ => media::aac_frame(size as u64, size),
    }
}

/// An AAC frame behind an ADTS header: LC, 48 kHz, stereo, no CRC.
fn adts(size: usize) -> Vec<u8> {
    let len = size + 7;
    let header =
        [0xFF, 0xF1, 0x4C, 0x80 | (len >> 11) as u8, (len >> 3) as u8, (len << 5) as u8 | 0x1F, 0xFC];
    [&header[..], &media::aac_frame(size as u64, size)].concat()
}

fn video_frame(choices: &mut Choices<'_>, track: &Track, size: usize) -> Vec<u8> {
    let is_hevc = track.codec_id.contains("HEVC");
    let key = choices.rarely(4);
    let frame = if is_hevc { media::hevc_frame } else { media::avc_frame };
    let frame = frame(size as u64, size, key);
    let mut nals = media::nals(&frame);
    let parameter_sets: &[&[u8]] = match is_hevc {
        true => &[media::HEVC_VPS, media::HEVC_SPS, media::HEVC_PPS],
        false => &[media::AVC_SPS, media::AVC_PPS, media::AVC_SPS_640],
    };
    for &nal in parameter_sets {
        if choices.rarely(4) {
            nals.insert(0, nal);
        }
    }
    if choices.rarely(16) {
        nals.push(&[]);
    }
    match choices.below(8) {
        0..4 => media::length_prefixed(&nals),
        4 => media::with_nal_lengths(&nals, 2),
        5 | 6 => media::annexb(&nals),
        _ => choices.bytes(64).to_vec(),
    }
}

fn make_odd(fragment: &mut Fragment, choices: &mut Choices<'_>) {
    match choices.below(16) {
        0 => fragment.number = None,
        1 => fragment.producer = None,
        2 => fragment.server = None,
        3 => fragment.number = Some(fragment_number(u64::from(choices.byte() % 4))),
        4 => fragment.producer = Some(decimal_seconds(1_700_000_000_000 + 1000 * choices.below(4) as u64)),
        5 => fragment.cluster_timestamp = choices.u64(),
        6 => fragment.segment_size = choices.one_of(&[Size::Known, Size::Unknown(1), Size::Width(8)]),
        7 => fragment.cluster_size = choices.one_of(&[Size::Known, Size::Unknown(1), Size::Unknown(8)]),
        8 => fragment.tag_place = choices.one_of(&[TagPlace::AfterCluster, TagPlace::BeforeTracks]),
        9 => fragment.tag_names = TagNames::Side,
        10 => fragment.without_cluster = true,
        11 => fragment.crc32 = true,
        12 => fragment.void = Some(choices.below(300)),
        13 => fragment.stale_index = true,
        14 => {
            let element = ebml::element(choices.one_of(&[0xEC, 0xBF, 0x4FFD, 0xAF, 0xA0]), choices.bytes(16));
            match choices.below(3) {
                0 => fragment.in_segment = element,
                1 => fragment.in_cluster = element,
                _ => fragment.after_cluster = element,
            }
        }
        _ => {
            let tags = match choices.rarely(4) {
                true => service_error("4006", "StorageFailure").trailing_tags,
                false => {
                    get_media_trailer("91343852").map(|(name, value)| (name.into(), value.into())).to_vec()
                }
            };
            fragment.trailing_tags = tags;
        }
    }
}
