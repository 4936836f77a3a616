//! Where fragments stand in the clip, whatever the producers' clocks did: gaps, overlaps, restarts, clocks set back.
//!
//! Frames are 40 ms apart and fragments one second long, unless the test is about other lengths.

use crate::clips::{build_with, clip, clip_with, everything, file, fragment_name, lines};
use getclip::{
    ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, Event, Gaps, Limits, Report, Timestamp,
};
use testkit::frames::{self, Frame, Tolerance};
use testkit::mkv::{self, Block, Fragment, Track, aac_blocks, avc_blocks, fragment_number};
use testkit::mp4::Movie;

/// The first fragment of the tests starts here.
const START: u64 = 1_700_000_000_000;
const MS: i64 = 1_000_000;
const SECOND: u64 = 1000;
const HOUR: u64 = 3_600_000;

/// 25 frames, recorded `at` milliseconds after the start.
fn fragment(index: u64, at: u64) -> Fragment {
    Fragment::stored(index, START + at, vec![Track::avc()], avc_blocks(index, (0..25).map(|i| i * 40)))
}

/// 1024 ms: 16 pictures of 64 ms, and 48 frames of AAC of 1024 samples at 48 kHz, which are 21 1/3 ms.
fn with_audio(index: u64, at: u64) -> Fragment {
    let audio = (0..48_i32).map(|i| ((i * 64 + 1) / 3) as i16);
    let blocks = [avc_blocks(index, (0..16).map(|i| i * 64)), aac_blocks(index, audio)].concat();
    Fragment::stored(index, START + at, vec![Track::avc(), Track::aac()], blocks)
}

/// The frames of fragments that stand at these milliseconds of the clip.
fn placed(fragments: &[Fragment], at: &[u64]) -> Vec<Frame> {
    let moved = fragments
        .iter()
        .zip(at)
        .map(|(fragment, at)| fragment.clone().producer(&mkv::decimal_seconds(START + at)));
    frames::frames_of(&moved.collect::<Vec<_>>())
}

fn moved(index: u64, by_ms: i64) -> Event {
    Event::Moved { fragment: fragment_name(index), by_ns: by_ms * MS }
}

fn gap(index: u64, ms: u64, closed: bool) -> Event {
    Event::Gap { fragment: fragment_name(index), duration_ns: ms * MS as u64, closed }
}

/// The events that say that a fragment does not stand where its timestamp says, or that nothing is in front of it.
fn placements(report: &Report) -> Vec<Event> {
    let is_placement = |event: &&Event| matches!(event, Event::Moved { .. } | Event::Gap { .. });
    report.events.iter().filter(is_placement).cloned().collect()
}

fn starts_ms(report: &Report) -> Vec<i64> {
    report.fragments.iter().map(|fragment| fragment.start_ns / MS).collect()
}

#[test]
fn contiguous_fragments_are_one_run_without_an_edit() {
    let input = [fragment(0, 0), fragment(1, 1000), fragment(2, 2000)];
    let (mp4, report) = clip(mkv::documents(&input));
    frames::assert_same_frames(&mp4, &frames::frames_of(&input));
    assert_eq!(placements(&report), []);
    let movie = Movie::parse(&mp4);
    assert_eq!(movie.video().table.time_to_sample.len(), 1);
    assert!(movie.video().edits.is_empty(), "the mapping is the identity");
    assert_eq!(movie.duration_ns(), 3_000_000_000);
    assert_eq!(report.duration_ns, 3_000_000_000);
}

#[test]
fn gaps_are_kept() {
    for (length, told) in [(2 * SECOND, " 2 s "), (HOUR, " 60 min "), (23 * HOUR, " 23 h ")] {
        let input = [fragment(0, 0), fragment(1, SECOND + length), fragment(2, 2 * SECOND + length)];
        let (mp4, report) = clip(mkv::documents(&input));
        frames::assert_same_frames(&mp4, &frames::frames_of(&input));
        assert_eq!(placements(&report), [gap(1, length, false)]);
        assert_eq!(lines(&report).iter().filter(|line| line.contains(told)).count(), 1);
        let movie = Movie::parse(&mp4);
        assert_eq!(movie.duration_ns(), i128::from(3 * SECOND + length) * i128::from(MS));
        let video = movie.video();
        let shown_ms = u64::from(video.samples[24].duration) * 1000 / u64::from(video.timescale);
        assert_eq!(shown_ms, 40 + length, "the last picture in front of the gap stays");
    }
}

#[test]
fn gaps_are_closed_on_request() {
    for length in [2 * SECOND, HOUR, 23 * HOUR] {
        let input = [fragment(0, 0), fragment(1, SECOND + length), fragment(2, 2 * (SECOND + length))];
        let (mp4, report) = clip_with(&everything().gaps(Gaps::Close), mkv::documents(&input));
        frames::assert_same_frames(&mp4, &placed(&input, &[0, 1000, 2000]));
        assert_eq!(placements(&report), [gap(1, length, true), gap(2, length, true)]);
        assert_eq!(Movie::parse(&mp4).duration_ns(), 3_000_000_000);
    }
}

#[test]
fn sound_and_picture_stay_together_over_gaps() {
    // 32 bits hold a day of ticks of 48 kHz (ISO/IEC 14496-12 section 8.6.1.2).
    for length in [2 * SECOND, HOUR, 23 * HOUR, 30 * HOUR, 60 * HOUR] {
        let input = [with_audio(0, 0), with_audio(1, 1024 + length), with_audio(2, 2048 + length)];
        let bytes = mkv::documents(&input);
        let (mp4, report) = clip(bytes.clone());
        frames::assert_same_frames(&mp4, &frames::frames_of(&input));
        assert_eq!(placements(&report).len(), 1, "{:?}", lines(&report));
        let (mp4, report) = clip_with(&everything().gaps(Gaps::Close), bytes);
        frames::assert_same_frames(&mp4, &placed(&input, &[0, 1024, 2048]));
        assert_eq!(starts_ms(&report), [0, 1024, 2048]);
    }
}

/// One lost frame, or a late one, is jitter and no gap.
#[test]
fn less_than_a_frame_more_is_no_gap() {
    for late in [2, 20, 40] {
        let input = [fragment(0, 0), fragment(1, 1000 + late)];
        for gaps in [Gaps::Keep, Gaps::Close] {
            let (mp4, report) = clip_with(&everything().gaps(gaps), mkv::documents(&input));
            frames::assert_same_frames(&mp4, &frames::frames_of(&input));
            assert_eq!(placements(&report), [], "{late}");
        }
    }
}

/// The last frame of the first fragment is shown from 960 to 1000 ms.
#[test]
fn less_than_a_frame_too_close_is_no_overlap() {
    for at in [961, 980, 998] {
        let input = [fragment(0, 0), fragment(1, at)];
        let (mp4, report) = clip(mkv::documents(&input));
        frames::assert_same_frames(&mp4, &frames::frames_of(&input));
        assert_eq!(placements(&report), [], "{at}");
        let movie = Movie::parse(&mp4);
        let video = movie.video();
        let shown_us = u64::from(video.samples[24].duration) * 1_000_000 / u64::from(video.timescale);
        assert_eq!(shown_us, (at - 960) * 1000, "the frame in front is shortened");
    }
}

#[test]
fn an_overlap_is_moved_by_the_least_that_will_do() {
    for (at, by) in [(960, 40), (959, 41), (920, 80), (500, 500), (1, 999)] {
        let input = [fragment(0, 0), fragment(1, at)];
        let (mp4, report) = clip(mkv::documents(&input));
        frames::assert_same_frames(&mp4, &placed(&input, &[0, 1000]));
        assert_eq!(placements(&report), [moved(1, by)], "{at}");
        let line =
            format!("fragment {}: overlaps what is before it, moved {by} ms later", fragment_number(1));
        assert!(lines(&report).contains(&line), "{:?}", lines(&report));
    }
}

#[test]
fn a_fragment_behind_a_moved_one_stands_at_its_own_time_if_it_can() {
    let input = [fragment(0, 0), fragment(1, 500), fragment(2, 1500), fragment(3, 3000), fragment(4, 4000)];
    let (mp4, report) = clip(mkv::documents(&input));
    frames::assert_same_frames(&mp4, &placed(&input, &[0, 1000, 2000, 3000, 4000]));
    assert_eq!(placements(&report), [moved(1, 500), moved(2, 500)]);
}

/// Sound that runs into the next fragment moves no picture, nor is it cut: what comes too early follows it.
#[test]
fn sound_that_overlaps_moves_no_picture() {
    // Sound of the first fragment runs 300 ms longer than its picture.
    let audio = (0..62_i32).map(|i| ((i * 64 + 1) / 3) as i16);
    let mut first = with_audio(0, 0);
    first.blocks.retain(|block| block.track == 1);
    first.blocks.extend(aac_blocks(7, audio));
    let input = [first, with_audio(1, 1024), with_audio(2, 4000)];
    let (mp4, report) = clip(mkv::documents(&input));
    // The last frame of the first fragment ends at 1322.7 ms, and that of the second was recorded until 2048.
    let is_late = |frame: &Frame| frame.track == 2 && (1024..2048).contains(&(frame.time_ns / 1_000_000));
    let mut expected = frames::frames_of(&input);
    let (first_late, laid) = (63, 1_322_666_667);
    let sound = expected.iter_mut().filter(|frame| frame.track == 2).skip(first_late - 1);
    for (index, frame) in (0..48_i128).zip(sound) {
        assert!(is_late(frame), "{index}");
        frame.time_ns = laid + index * 1024 * 1_000_000_000 / 48_000;
    }
    frames::assert_same_frames_within(&mp4, &expected, Tolerance { video_ns: 500_000, audio_ns: 1_000_000 });
    assert!(matches!(placements(&report)[..], [Event::Gap { .. }]), "{:?}", lines(&report));
    let late = report.events.iter().find_map(|event| match event {
        Event::AudioLate { track: 2, by_ns } => Some(*by_ns),
        _ => None,
    });
    assert!(late.is_some_and(|by_ns| (by_ns - 298_666_667).abs() <= MS), "{late:?}");
}

/// Producers in relative mode restart their Clusters' timestamps with each session, or with each fragment.
#[test]
fn cluster_timestamps_do_not_matter_where_there_are_tags() {
    for clusters in [[0, 0, 0], [10_014, 0, 1001], [5, 70_000, 3], [u64::MAX >> 20, 0, 1]] {
        let input: Vec<Fragment> = (0..3)
            .zip(clusters)
            .map(|(i, cluster)| fragment(i, i * 1000).cluster_timestamp(cluster))
            .collect();
        let (mp4, report) = clip(mkv::documents(&input));
        frames::assert_same_frames(&mp4, &frames::frames_of(&input));
        assert_eq!(placements(&report), [], "{clusters:?}");
    }
}

fn untagged(seed: u64, cluster: u64) -> Fragment {
    let fragment = fragment(seed, 0).cluster_timestamp(cluster);
    Fragment { number: None, producer: None, server: None, ..fragment }
}

#[test]
fn without_tags_every_restart_follows_what_was_there() {
    for (clusters, shifts) in [
        ([0, 0, 0], [1000, 2000]),
        // A clock that is set back, twice.
        ([5000, 3000, 1000], [3000, 6000]),
        ([5000, 5500, 5000], [500, 2000]),
    ] {
        let input: Vec<Fragment> =
            clusters.iter().zip(0..).map(|(cluster, i)| untagged(i, *cluster)).collect();
        let (mp4, report) = clip(mkv::upload(&input));
        let expected = [fragment(0, 0), fragment(1, 1000), fragment(2, 2000)];
        frames::assert_same_frames(&mp4, &frames::frames_of(&expected));
        let by: Vec<i64> = placements(&report)
            .iter()
            .map(|event| if let Event::Moved { by_ns, .. } = event { by_ns / MS } else { 0 })
            .collect();
        assert_eq!(by, shifts, "{:?}", lines(&report));
    }
}

#[test]
fn the_order_in_the_input_does_not_matter_where_there_are_tags() {
    let input = [fragment(0, 0), fragment(1, 1000), fragment(2, 4000)];
    let (expected, _) = clip(mkv::documents(&input));
    let [a, b, c] = input;
    for order in [[&b, &a, &c], [&c, &b, &a], [&c, &a, &b]] {
        let swapped: Vec<u8> = order.iter().flat_map(|fragment| fragment.to_bytes()).collect();
        assert!(clip(swapped).0 == expected);
    }
}

fn by_server() -> ClipBuilder {
    ClipBuilder::new(ClipFragmentSelector::all(ClipFragmentSelectorType::ServerTimestamp))
}

#[test]
fn identical_producer_timestamps_of_two_fragments_follow_each_other() {
    // By server timestamp they are no duplicates.
    let input = [fragment(0, 0), fragment(1, 0).server("1700000009.000")];
    let (mp4, report) = clip_with(&by_server(), mkv::documents(&input));
    frames::assert_same_frames(&mp4, &placed(&input, &[0, 1000]));
    assert_eq!(placements(&report), [moved(1, 1000)]);
}

#[test]
fn producer_times_that_go_backward_by_server_time() {
    let server = |i: u64| mkv::decimal_seconds(START + HOUR + i);
    let input: Vec<Fragment> =
        [20_000, 10_000, 0].iter().zip(0..).map(|(at, i)| fragment(i, *at).server(&server(i))).collect();
    let (mp4, report) = clip_with(&by_server(), mkv::documents(&input));
    frames::assert_same_frames(&mp4, &placed(&input, &[20_000, 21_000, 22_000]));
    assert_eq!(placements(&report), [moved(1, 11_000), moved(2, 22_000)]);
    assert_eq!(starts_ms(&report), [0, 1000, 2000]);
    let producer: Vec<Timestamp> = report.fragments.iter().map(|f| f.producer_timestamp).collect();
    let at = |offset| Timestamp::from_millis((START + offset) as i64);
    assert_eq!(producer, [at(20_000), at(10_000), at(0)], "the report says where they were");
}

#[test]
fn a_fragment_that_does_not_start_on_a_key_frame_is_kept_and_reported() {
    let mut second = fragment(1, 1000);
    second.blocks[0] = Block::new(1, 0, false, testkit::media::avc_frame(99, 50, false));
    let input = [fragment(0, 0), second, fragment(2, 2000)];
    let (mp4, report) = clip(mkv::documents(&input));
    frames::assert_same_frames(&mp4, &frames::frames_of(&input));
    assert!(report.events.contains(&Event::NoKeyFrameFirst { fragment: fragment_name(1) }));
    assert_eq!(Movie::parse(&mp4).video().table.sync_samples.as_deref(), Some(&[1, 51][..]));
}

/// A camera of one picture a second: each lasts until the next, and none of it is a gap.
#[test]
fn fragments_of_one_frame() {
    let one =
        |index| Fragment::stored(index, START + index * 1000, vec![Track::avc()], avc_blocks(index, [0]));
    let input: Vec<Fragment> = (0..5).map(one).collect();
    for gaps in [Gaps::Keep, Gaps::Close] {
        let (mp4, report) = clip_with(&everything().gaps(gaps), mkv::documents(&input));
        frames::assert_same_frames(&mp4, &frames::frames_of(&input));
        assert_eq!(placements(&report), []);
        assert_eq!(Movie::parse(&mp4).duration_ns(), 5_000_000_000);
    }
}

/// Times that are on no cadence: the frame that is shown last lasts as long as the producer says, else as is usual.
#[test]
fn the_last_frame_lasts_as_long_as_is_known() {
    let times = [0, 41, 79, 130];
    let duration_ms = |tracks: Track, last: Option<u64>| {
        let mut blocks = avc_blocks(1, times);
        if last.is_some() {
            blocks = blocks.into_iter().map(|block| block.group(last)).collect();
        }
        let (mp4, _) = clip(Fragment::stored(0, START, vec![tracks], blocks).to_bytes());
        Movie::parse(&mp4).duration_ns() as f64 / 1e6
    };
    let default_duration = Track::avc().default_duration(47_000_000);
    assert_eq!(duration_ms(default_duration.clone(), Some(55)), 185.0, "BlockDuration");
    assert_eq!(duration_ms(default_duration, None), 177.0, "DefaultDuration");
    assert_eq!(duration_ms(Track::avc(), None), 171.0, "the median of 41, 38 and 51");
}

#[test]
fn a_default_duration_is_an_exact_cadence() {
    // 71,428 microseconds, which no common frame rate is, stamped in milliseconds.
    let times = (0..100_i64).map(|i| ((i * 71_428 + 500) / 1000) as i16);
    let track = Track::avc().default_duration(71_428_000);
    let input = [Fragment::stored(0, START, vec![track], avc_blocks(1, times))];
    let (mp4, _) = clip(mkv::documents(&input));
    frames::assert_same_frames(&mp4, &frames::frames_of(&input));
    let movie = Movie::parse(&mp4);
    let [(100, delta)] = movie.video().table.time_to_sample[..] else { panic!("not one run") };
    assert_eq!(u64::from(delta) * 1_000_000, 71_428 * u64::from(movie.video().timescale));
}

#[test]
fn longer_than_a_day_and_more_fragments_than_getclip_takes() {
    let limits = Limits::default().with_max_fragments(300.try_into().unwrap());
    let input: Vec<Fragment> = (0..300).map(|i| fragment(i, i * HOUR)).collect();
    let built = build_with(&everything().limits(limits), mkv::documents(&input)).unwrap();
    frames::assert_same_frames(&file(&built), &frames::frames_of(&input));
    assert_eq!(placements(built.report()).len(), 299);
}
