//! Decode and composition times of video whose frames are not shown in the order in which they are decoded, or not at
//! a steady pace.

use crate::clips::{clip, clip_with, everything, fragment_name};
use getclip::{Event, Gaps};
use testkit::frames;
use testkit::mkv::{self, Fragment, Track, aac_blocks, avc_blocks};
use testkit::mp4::{Movie, TrackView};

const START: u64 = 1_700_000_000_000;

/// A fragment whose frames, in decode order, are shown at these times.
fn fragment(index: u64, at: u64, times: &[i16]) -> Fragment {
    Fragment::stored(
        index,
        START + at,
        vec![Track::avc_reordered()],
        avc_blocks(index, times.iter().copied()),
    )
}

/// I, then twice P with a pyramid of three B-frames between: 25 fps.
const PYRAMIDS: [i16; 9] = [0, 160, 80, 40, 120, 320, 240, 200, 280];

fn milliseconds(track: &TrackView<'_>, ticks: i64) -> f64 {
    ticks as f64 * 1000.0 / f64::from(track.timescale)
}

/// What every clip must hold: the frames at their times, the first picture at 0, no sample shown before it is decoded.
#[track_caller]
fn check(input: &[Fragment]) -> Vec<u8> {
    let (mp4, _) = clip(mkv::documents(input));
    frames::assert_same_frames(&mp4, &frames::frames_of(input));
    let movie = Movie::parse(&mp4);
    let video = movie.video();
    assert!(video.samples.iter().all(|sample| sample.cts_offset >= 0));
    let shown = video.samples.iter().map(|sample| sample.dts as i64 + sample.cts_offset);
    let first = shown.min().unwrap();
    // The edit list takes the delay away, and stands there for nothing else.
    let edits: Vec<i64> = video.edits.iter().map(|edit| edit.media_time).collect();
    assert_eq!(edits, if first == 0 { vec![] } else { vec![first] });
    mp4
}

#[test]
fn a_pyramid_is_delayed_by_as_little_as_will_do() {
    let mp4 = check(&[fragment(0, 0, &PYRAMIDS)]);
    let movie = Movie::parse(&mp4);
    let video = movie.video();
    // The fourth frame to be decoded is shown second, so 80 ms must have passed; the delay is that much.
    assert_eq!(milliseconds(video, video.edits[0].media_time), 80.0);
    let offsets: Vec<f64> = video.samples.iter().map(|s| milliseconds(video, s.cts_offset)).collect();
    assert_eq!(offsets, [80.0, 200.0, 80.0, 0.0, 40.0, 200.0, 80.0, 0.0, 40.0]);
    assert_eq!(video.table.time_to_sample.len(), 1);
    assert_eq!(movie.duration_ns(), 360_000_000);
}

#[test]
fn without_reordering_there_is_no_composition_offset_and_no_edit() {
    let mp4 = check(&[fragment(0, 0, &[0, 40, 80]), fragment(1, 120, &[0, 40, 80])]);
    let movie = Movie::parse(&mp4);
    assert!(movie.video().table.composition_offsets.is_empty());
    assert!(movie.video().edits.is_empty());
}

#[test]
fn one_delay_holds_for_the_whole_clip() {
    let input = [
        fragment(0, 0, &[0, 40, 80, 120]),
        fragment(1, 160, &PYRAMIDS),
        fragment(2, 520, &[0, 80, 40]),
        fragment(3, 640, &[0]),
    ];
    let mp4 = check(&input);
    let movie = Movie::parse(&mp4);
    let video = movie.video();
    assert_eq!(milliseconds(video, video.edits[0].media_time), 80.0);
    // Frames that need no delay get it as their offset.
    assert!(video.samples[..4].iter().all(|sample| milliseconds(video, sample.cts_offset) == 80.0));
}

#[test]
fn pyramids_over_gaps_and_overlaps() {
    check(&[fragment(0, 0, &PYRAMIDS), fragment(1, 5000, &PYRAMIDS), fragment(2, 5360, &PYRAMIDS)]);
    let input = [fragment(0, 0, &PYRAMIDS), fragment(1, 320, &PYRAMIDS)];
    let (mp4, report) = clip(mkv::documents(&input));
    // The picture shown last so far is at 320 ms, though it was not decoded last.
    assert!(report.events.contains(&Event::Moved { fragment: fragment_name(1), by_ns: 40_000_000 }));
    frames::assert_same_frames(&mp4, &frames::frames_of(&[input[0].clone(), fragment(1, 360, &PYRAMIDS)]));
    let gap = [fragment(0, 0, &PYRAMIDS), fragment(1, 5000, &PYRAMIDS)];
    let (mp4, _) = clip_with(&everything().gaps(Gaps::Close), mkv::documents(&gap));
    frames::assert_same_frames(&mp4, &frames::frames_of(&[input[0].clone(), fragment(1, 360, &PYRAMIDS)]));
}

/// Leading pictures of an open GOP are shown before the key frame that they follow.
#[test]
fn an_open_gop_starts_before_its_key_frame() {
    let input = [fragment(0, 0, &[0, 120, 40, 80]), fragment(1, 240, &[0, -80, -40, 40])];
    check(&input);
}

#[test]
fn variable_frame_rate_keeps_its_times() {
    check(&[fragment(0, 0, &[0, 28, 66, 99, 137, 165, 203]), fragment(1, 240, &[0, 31, 67, 500, 530])]);
    check(&[fragment(0, 0, &[0, 210, 33, 100, 450, 300, 290, 1000, 999])]);
}

/// A camera's rate is kept as it is, down to its jitter of 28 to 38 ms.
#[test]
fn jitter_is_not_taken_for_a_cadence() {
    let mut time = 0;
    let times: Vec<i16> = (0..200)
        .map(|i| {
            let now = time;
            time += 28 + (i * 7 % 11);
            now
        })
        .collect();
    let mp4 = check(&[fragment(0, 0, &times)]);
    assert!(Movie::parse(&mp4).video().table.time_to_sample.len() > 1);
}

/// Stamped by a clock of milliseconds that rounds down, to the nearest, or up.
#[test]
fn exact_cadences_come_out_exactly() {
    for (numerator, denominator) in [
        (30, 1),
        (30_000, 1001),
        (25, 1),
        (24_000, 1001),
        (24, 1),
        (15, 1),
        (60, 1),
        (50, 1),
        (10, 1),
        (1, 1),
    ] {
        for rounding in [0, 500_000, 999_999] {
            let time = |i: i64| (i * 1_000_000_000 * denominator / numerator + rounding) / 1_000_000;
            let per_fragment = numerator / denominator;
            let fragments: Vec<Fragment> = (0..10)
                .map(|index| {
                    let first = index * per_fragment;
                    let times: Vec<i16> =
                        (first..first + per_fragment).map(|i| (time(i) - time(first)) as i16).collect();
                    fragment(index as u64, time(first) as u64, &times)
                })
                .collect();
            let (mp4, _) = clip(mkv::documents(&fragments));
            let movie = Movie::parse(&mp4);
            let video = movie.video();
            let [(count, delta)] = video.table.time_to_sample[..] else {
                panic!("{numerator}/{denominator}: {:?}", video.table.time_to_sample)
            };
            assert_eq!(i64::from(count), 10 * per_fragment);
            let (ticks, rate) = (i64::from(delta) * numerator, i64::from(video.timescale) * denominator);
            assert_eq!(ticks, rate, "{numerator}/{denominator}: {delta} at {}", video.timescale);
        }
    }
}

/// A file whose clock ticks every 100 ns, the finest that the service takes, needs no rounding.
#[test]
fn a_finer_timestamp_scale_is_honoured() {
    let scaled = |index, at, times: &[i16]| fragment(index, at, times).timestamp_scale(100_000);
    let mp4 = check(&[scaled(0, 0, &[0, 333, 667, 1000]), scaled(1, 133, &[0, 333, 666])]);
    let movie = Movie::parse(&mp4);
    let video = movie.video();
    let second = video.time_of(&video.samples[1]).unwrap();
    assert!((second - 33_300_000).abs() <= 50_000, "half a tick of 0.1 ms: {second}");
}

#[test]
fn frames_of_equal_time_are_set_apart_by_a_tick() {
    let input = [fragment(0, 0, &[0, 33, 33, 67, 67, 67, 100])];
    let mp4 = check(&input);
    let (_, report) = clip(mkv::documents(&input));
    assert!(report.events.contains(&Event::CollisionsSpread { track: 1, frames: 3 }), "{:?}", report.events);
    let movie = Movie::parse(&mp4);
    let decoded: Vec<u64> = movie.video().samples.iter().map(|sample| sample.dts).collect();
    assert!(decoded.is_sorted_by(|a, b| a < b), "{decoded:?}");
    assert!(movie.video().table.composition_offsets.is_empty(), "they keep their order");
}

#[test]
fn a_cadence_is_reported_where_times_were_not_exact() {
    let restored = |times: &[i16]| {
        let (_, report) = clip(fragment(0, 0, times).to_bytes());
        report.events.contains(&Event::CadenceRestored { track: 1, rate: (30, 1) })
    };
    assert!(restored(&[0, 33, 67, 100, 133, 167, 200]));
    assert!(!restored(&[0, 100, 200, 300]));
    let (_, exact) = clip(fragment(0, 0, &[0, 40, 80, 120]).to_bytes());
    assert_eq!(exact.events, []);
}

#[test]
fn every_frame_of_a_fragment_at_one_time() {
    let input = [fragment(0, 0, &[0; 5]), fragment(1, 40, &[0; 5])];
    check(&input);
}

/// `max_num_reorder_frames` of H.264 and `sps_max_num_reorder_pics` of H.265 are 16 at the most. What is reordered
/// further is a clock that was set back: no frame is refused for it.
#[test]
fn sixteen_frames_are_reordered_and_no_more() {
    let reordered = |count: i16| {
        let mut times = vec![0];
        times.extend((1..=count + 1).rev().map(|i| i * 40));
        fragment(0, 0, &times)
    };
    let mp4 = check(&[reordered(16)]);
    let movie = Movie::parse(&mp4);
    assert_eq!(milliseconds(movie.video(), movie.video().edits[0].media_time), 640.0);

    let (mp4, report) = clip(reordered(17).to_bytes());
    assert_eq!(Movie::parse(&mp4).video().samples.len(), 19);
    let is_step = |event: &Event| matches!(event, Event::SteppedBack { track: 1, times: 1, .. });
    assert!(report.events.iter().any(is_step), "{:?}", report.events);
}

/// It begins at 4.5 ticks of the movie and ends less than one later: both are rounded to 5.
#[test]
fn a_picture_of_one_tick_is_shown() {
    let tracks = vec![Track::avc().default_duration(1), Track::aac()];
    let blocks = [avc_blocks(0, [5]), aac_blocks(0, [0])].concat();
    let input = [Fragment::stored(0, START, tracks, blocks).timestamp_scale(10_000)];
    let (mp4, _) = clip(mkv::documents(&input));
    frames::assert_same_frames(&mp4, &frames::frames_of(&input));
    assert_eq!(Movie::parse(&mp4).video().edits.last().map(|edit| edit.duration), Some(1));
}
