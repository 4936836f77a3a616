//! The oracle of the whole library: every sample of the MP4 against the frame that went in.

use crate::mkv::{Fragment, TrackKind};
use crate::mp4::{Movie, SampleView, TrackView};
use crate::sha256;

/// A frame of the input, as it must come out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Matroska track number.
    pub track: u64,
    /// Presentation time after the clip's first presentation on any track. A frame before it is cut by the edit list.
    pub time_ns: i128,
    /// `None` where it does not matter: audio.
    pub key: Option<bool>,
    /// The sample as it must stand in the movie.
    pub bytes: Vec<u8>,
}

/// How far a presentation time may be from the input's, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tolerance {
    /// Tolerance for pictures.
    pub video_ns: i128,
    /// Tolerance for sound.
    pub audio_ns: i128,
}

impl Tolerance {
    /// Half of the 1 ms step in which producers write times.
    pub const HALF_MILLISECOND: Self = Self { video_ns: 500_000, audio_ns: 500_000 };
    /// For input whose audio timestamps are wrong.
    pub const ANY_AUDIO_TIME: Self = Self { video_ns: 500_000, audio_ns: i128::MAX };
}

/// The frames of these fragments in decode order, on the timeline of the producer timestamps (of the Cluster timestamps
/// where there are none), beginning at 0.
///
/// A frame within a lace comes DefaultDuration after the one before it.
pub fn frames_of(fragments: &[Fragment]) -> Vec<Frame> {
    let mut frames = Vec::new();
    for fragment in fragments {
        let scale = i128::from(fragment.timestamp_scale.unwrap_or(1_000_000));
        let start = match &fragment.producer {
            Some(seconds) => nanoseconds(seconds),
            None => i128::from(fragment.cluster_timestamp) * scale,
        };
        for block in &fragment.blocks {
            let track = fragment
                .tracks
                .iter()
                .find(|track| track.number == block.track)
                .expect("a track for the block");
            let step = i128::from(track.default_duration.unwrap_or(0));
            let times = (0..).map(|index| start + i128::from(block.time) * scale + index * step);
            frames.extend(block.frames.iter().zip(times).map(|(bytes, time_ns)| Frame {
                track: block.track,
                time_ns,
                key: (track.kind == TrackKind::Video).then_some(block.key),
                bytes: bytes.clone(),
            }));
        }
    }
    let first = frames.iter().map(|frame| frame.time_ns).min().unwrap_or(0);
    frames.iter_mut().for_each(|frame| frame.time_ns -= first);
    frames
}

/// Decimal seconds with up to nine decimals in nanoseconds.
fn nanoseconds(seconds: &str) -> i128 {
    let (whole, decimals) = seconds.split_once('.').unwrap_or((seconds, ""));
    format!("{whole}{decimals:0<9}").parse().expect("decimal seconds")
}

/// The samples of the MP4 are these frames: bytes, key flags, presentation times to half a millisecond.
#[track_caller]
pub fn assert_same_frames(mp4: &[u8], expected: &[Frame]) {
    assert_same_frames_within(mp4, expected, Tolerance::HALF_MILLISECOND);
}

/// The same with another tolerance.
#[track_caller]
pub fn assert_same_frames_within(mp4: &[u8], expected: &[Frame], tolerance: Tolerance) {
    compare(mp4, &wanted(expected), tolerance);
}

/// The same where the times of all tracks may count from one origin that is up to half a millisecond from the first
/// presentation: pictures and sound whose blocks are rounded to milliseconds.
#[track_caller]
pub fn assert_same_frames_from_one_origin(mp4: &[u8], expected: &[Frame], tolerance: Tolerance) {
    let wanted = wanted(expected);
    let origin_ns = origin(&wanted, &Movie::parse(mp4), tolerance);
    compare_from(origin_ns, mp4, &wanted, tolerance);
}

fn wanted(expected: &[Frame]) -> Vec<Wanted<'_>> {
    let wanted = expected.iter().map(|frame| Wanted {
        track: frame.track,
        time_ns: frame.time_ns,
        key: frame.key,
        size: frame.bytes.len(),
        content: Content::Bytes(&frame.bytes),
    });
    wanted.collect()
}

/// A frame with its bytes or a digest of them.
#[derive(Debug, Clone)]
pub(crate) struct Wanted<'a> {
    pub(crate) track: u64,
    pub(crate) time_ns: i128,
    pub(crate) key: Option<bool>,
    pub(crate) size: usize,
    pub(crate) content: Content<'a>,
}

#[derive(Debug, Clone)]
pub(crate) enum Content<'a> {
    Bytes(&'a [u8]),
    /// The first hexadecimal digits of the SHA-256.
    Sha256(&'a str),
}

/// The tracks in order of their number are the tracks of the movie in order of their ID.
#[track_caller]
pub(crate) fn compare(mp4: &[u8], wanted: &[Wanted<'_>], tolerance: Tolerance) {
    compare_from(0, mp4, wanted, tolerance);
}

/// The same where all times are `origin_ns` later.
#[track_caller]
fn compare_from(origin_ns: i128, mp4: &[u8], wanted: &[Wanted<'_>], tolerance: Tolerance) {
    let movie = Movie::parse(mp4);
    let mut numbers: Vec<u64> = wanted.iter().map(|frame| frame.track).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut tracks: Vec<&TrackView<'_>> = movie.tracks.iter().collect();
    tracks.sort_by_key(|track| track.id);
    assert_eq!(tracks.len(), numbers.len(), "tracks in the movie, and in the input: {numbers:?}");

    for (number, track) in numbers.into_iter().zip(tracks) {
        let wanted: Vec<&Wanted<'_>> = wanted.iter().filter(|frame| frame.track == number).collect();
        let tolerance_ns = if track.handler == "soun" { tolerance.audio_ns } else { tolerance.video_ns };
        let pcm = if track.is_pcm() { track.pcm_bytes() } else { Vec::new() };
        let found = if track.is_pcm() { pcm_blocks(track, &pcm, &wanted) } else { samples(track) };

        for (index, (wanted, found)) in wanted.iter().zip(&found).enumerate() {
            let place = format!("track {number}, frame {index}");
            same_bytes(&place, wanted, found.bytes);
            assert!(wanted.key.is_none_or(|key| key == found.sync), "{place}: sync sample is {}", found.sync);
            if wanted.time_ns < 0 {
                assert_eq!(found.time_ns, None, "{place}: shown, though it is before the clip");
                continue;
            }
            let time_ns = found.time_ns.unwrap_or_else(|| panic!("{place}: not shown by the edit list"));
            let off = time_ns - wanted.time_ns - origin_ns;
            assert!(
                off.abs() <= tolerance_ns,
                "{place}: presented at {:.4} ms, expected {:.4} ms",
                time_ns as f64 / 1e6,
                wanted.time_ns as f64 / 1e6
            );
        }
        assert_eq!(found.len(), wanted.len(), "track {number}: frames in the movie, and in the input");
    }
}

/// How much later than the input's first presentation the time is that the times of all tracks count from. The first one
/// is rounded as the others are: where the pictures are further off than they may be, it is in the middle of what they are
/// off, and half a millisecond away at most.
fn origin(wanted: &[Wanted<'_>], movie: &Movie<'_>, tolerance: Tolerance) -> i128 {
    let Some(video) = movie.tracks.iter().find(|track| track.handler == "vide") else { return 0 };
    let pictures = wanted.iter().filter(|frame| frame.key.is_some());
    let offs = pictures
        .zip(&video.samples)
        .filter_map(|(wanted, sample)| Some(video.time_of(sample)? - wanted.time_ns))
        .collect::<Vec<i128>>();
    match (offs.iter().min(), offs.iter().max()) {
        (Some(least), Some(most)) if -least > tolerance.video_ns || *most > tolerance.video_ns => {
            ((least + most) / 2).clamp(-500_000, 500_000)
        }
        _ => 0,
    }
}

/// What the movie has for one frame.
struct Found<'a> {
    bytes: &'a [u8],
    time_ns: Option<i128>,
    sync: bool,
}

fn samples<'a>(track: &TrackView<'a>) -> Vec<Found<'a>> {
    let found = |sample: &SampleView<'a>| Found {
        bytes: sample.bytes,
        time_ns: track.time_of(sample),
        sync: sample.sync,
    };
    track.samples.iter().map(found).collect()
}

/// PCM has no frames: the bytes are cut where the input's blocks were.
fn pcm_blocks<'a>(track: &TrackView<'_>, pcm: &'a [u8], wanted: &[&Wanted<'_>]) -> Vec<Found<'a>> {
    let total: usize = wanted.iter().map(|frame| frame.size).sum();
    assert_eq!(pcm.len(), total, "track {}: bytes of PCM in the movie, and in the input", track.id);
    let mut start = 0;
    wanted
        .iter()
        .map(|frame| {
            let bytes = &pcm[start..start + frame.size];
            let time_ns = track.pcm_time_of(start / track.pcm_frame_size());
            start += frame.size;
            Found { bytes, time_ns, sync: true }
        })
        .collect()
}

#[track_caller]
fn same_bytes(place: &str, wanted: &Wanted<'_>, found: &[u8]) {
    let same = match wanted.content {
        Content::Bytes(bytes) => bytes == found,
        Content::Sha256(digits) => wanted.size == found.len() && sha256::hex(found).starts_with(digits),
    };
    if same {
        return;
    }
    let first = match wanted.content {
        Content::Bytes(bytes) => bytes.iter().zip(found).position(|(a, b)| a != b),
        Content::Sha256(_) => None,
    };
    let begins = &found[..found.len().min(16)];
    panic!(
        "{place}: expected {} bytes, found {} beginning {begins:02x?}, first difference at byte {first:?}",
        wanted.size,
        found.len()
    );
}
