//! The command `generate`: a small recording of chosen codecs and shapes, for those who test against GetClip.
//!
//! The same arguments give the same bytes.

mod frames;
mod matroska;

use std::io::Write;

use crate::args::{FormChoice, GenerateArguments, Shape};
use crate::failure::Failure;
use crate::output::Output;
use crate::time::{Bound, Moment, Now};
use frames::Frames;
use matroska::{Frame, Settings, Track};

/// How much later than the producer the service dates a fragment.
const SERVER_DELAY_MS: i64 = 613;
/// What `gap` leaves out, and how much too early `overlap` starts.
const GAP_MS: i64 = 2000;
const OVERLAP_MS: i64 = 500;
/// What `truncated` cuts off: less than the last frame.
const MISSING_BYTES: usize = 10;

/// Writes the recording.
pub(crate) fn run(arguments: &GenerateArguments) -> Result<(), Failure> {
    let start = Moment::parse(&arguments.start, Bound::Start, &Now::from_system())
        .map_err(|refusal| Failure::usage(format!("--start: {refusal}")))?;
    let sources = Sources::new(arguments);
    if sources.tracks.is_empty() {
        return Err(Failure::usage("expected a track, found --video none and --audio none"));
    }
    let output = Output::open(&arguments.output, arguments.force, &[])?;
    output.write_with(|mut file| {
        sources
            .fragments(arguments, start.time.as_millis())
            .try_for_each(|fragment| file.write_all(&fragment))
    })
}

/// The frames of each track.
struct Sources {
    tracks: Vec<(u8, Frames)>,
    is_annex_b: bool,
}

/// When a fragment starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// Which seconds of the recording it holds.
    index: u32,
    /// By the producer's clock.
    producer_ms: i64,
}

impl Sources {
    fn new(arguments: &GenerateArguments) -> Self {
        let video = Frames::video(arguments.video).map(|frames| (1, frames));
        let audio = Frames::audio(arguments.audio).map(|frames| (2, frames));
        Self {
            tracks: video.into_iter().chain(audio).collect(),
            is_annex_b: arguments.shape.contains(&Shape::AnnexB),
        }
    }

    /// The recording, a fragment with what stands before it at a time.
    fn fragments(&self, arguments: &GenerateArguments, start_ms: i64) -> impl Iterator<Item = Vec<u8>> {
        let has = |shape| arguments.shape.contains(&shape);
        let (is_truncated, form) = (has(Shape::Truncated), arguments.form);
        let header = matroska::header(&self.entries(has(Shape::NoCodecPrivate)));
        // Cluster timestamps are unsigned: a recording from before 1970 counts from its own start.
        let cluster_origin_ms = if has(Shape::Relative) || start_ms < 0 { start_ms } else { 0 };
        let places = places(arguments, start_ms);
        let last = places.len().saturating_sub(1);
        places.into_iter().enumerate().map(move |(position, place)| {
            let mut bytes = Vec::new();
            if position == 0 || form == FormChoice::Getmedia {
                bytes.extend(&header);
            }
            if form != FormChoice::Upload {
                let server_ms = place.producer_ms.saturating_add(SERVER_DELAY_MS);
                bytes.extend(matroska::tags(&number(start_ms, place.index), server_ms, place.producer_ms));
            }
            let cluster_ms = place.producer_ms.saturating_sub(cluster_origin_ms).unsigned_abs();
            bytes.extend(matroska::cluster(cluster_ms, &self.frames(place.index, arguments.seconds)));
            if is_truncated && position == last {
                bytes.truncate(bytes.len().saturating_sub(MISSING_BYTES));
            }
            bytes
        })
    }

    fn entries(&self, without_private: bool) -> Vec<Track> {
        let entry = |(number, frames): &(u8, Frames)| Track {
            number: *number,
            codec_id: frames.codec_id,
            codec_private: (!without_private).then(|| frames.codec_private.clone()),
            settings: match frames.sampling_rate {
                0 => Settings::Video { width: frames::WIDTH, height: frames::HEIGHT },
                sampling_rate => Settings::Audio { sampling_rate, channels: 1 },
            },
        };
        self.tracks.iter().map(entry).collect()
    }

    /// The frames of a fragment in the order of their times, a picture before the sound of its time.
    fn frames(&self, fragment: u32, seconds: u32) -> Vec<Frame> {
        let length_ms = u64::from(seconds) * 1000;
        let start_ms = u64::from(fragment) * length_ms;
        let mut frames = Vec::new();
        for (track, source) in &self.tracks {
            for index in source.first_at(start_ms)..source.first_at(start_ms + length_ms) {
                let bytes = source.frame(index);
                let is_video = source.sampling_rate == 0;
                frames.push(Frame {
                    track: *track,
                    // 20 s at most.
                    time_ms: source.time_ms(index).saturating_sub(start_ms) as i16,
                    is_key: source.is_key(index),
                    bytes: if is_video && self.is_annex_b { frames::annex_b(bytes) } else { bytes.to_vec() },
                });
            }
        }
        frames.sort_by_key(|frame| (frame.time_ms, frame.track));
        frames
    }
}

/// The fragments in the order of the file.
fn places(arguments: &GenerateArguments, start_ms: i64) -> Vec<Place> {
    let has = |shape| arguments.shape.contains(&shape);
    let length_ms = i64::from(arguments.seconds) * 1000;
    let place =
        |index: u32| Place { index, producer_ms: start_ms.saturating_add(i64::from(index) * length_ms) };
    let mut places: Vec<Place> = (0..arguments.fragments).map(place).collect();
    if let Some(last) = places.last_mut() {
        let gap = if has(Shape::Gap) { GAP_MS } else { 0 };
        let overlap = if has(Shape::Overlap) { OVERLAP_MS } else { 0 };
        last.producer_ms = last.producer_ms.saturating_add(gap - overlap);
    }
    if has(Shape::Duplicate)
        && let Some(&first) = places.first()
    {
        places.insert(1, first);
    }
    if has(Shape::Shuffled) {
        places.rotate_right(1);
    }
    places
}

/// A fragment number as the service gives them: 47 digits that rise.
fn number(start_ms: i64, index: u32) -> String {
    format!("913438523331814{:013}{index:019}", start_ms.unsigned_abs() % 10_000_000_000_000)
}
