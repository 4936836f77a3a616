//! Where a clip begins and ends: with the fragment that contains the start of the range, and trimmed to the range.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use crate::clips::{build_with, clip_with, fragment_name, refusal_with};
use getclip::{
    ClipBuilder, ClipFragmentSelector, ClipTimestampRange, ErrorKind, Event, FragmentIndex, FragmentName,
    Limits, RangeStart, Report, Timestamp, Trim, fragments,
};
use testkit::frames;
use testkit::mkv::{self, Fragment, Track, aac_blocks, avc_blocks};
use testkit::mp4::{Edit, Movie};

/// The first fragment of the tests starts here.
const START: u64 = 1_700_000_000_000;
const SERVER_DELAY: i64 = 613;
const AAC_LC_16000_MONO: [u8; 2] = [0x14, 0x08];

/// When the pictures of a fragment are shown, in decode order.
const IN_ORDER: [i16; 8] = [0, 125, 250, 375, 500, 625, 750, 875];
const REORDERED: [i16; 8] = [0, 250, 125, 500, 375, 750, 625, 875];

/// A fragment of 1 s, recorded `at` milliseconds after the start, with pictures and, every 64 ms, sound.
fn fragment_with(index: u64, at: u64, times: [i16; 8]) -> Fragment {
    // Frames of AAC last 64 ms at 16 kHz, and go on from fragment to fragment.
    let first_sound = (index * 1000).div_ceil(64) * 64 - index * 1000;
    let sound = (first_sound as i16..1000).step_by(64);
    let tracks = vec![Track::avc_reordered(), Track::aac().codec_private(AAC_LC_16000_MONO)];
    let blocks = [avc_blocks(index, times), aac_blocks(index, sound)].concat();
    Fragment::stored(index, START + at, tracks, blocks)
}

fn fragment(index: u64, at: u64) -> Fragment {
    fragment_with(index, at, IN_ORDER)
}

/// Fragments 0 to 4, every second.
fn recording() -> Vec<Fragment> {
    (0..5).map(|index| fragment(index, index * 1000)).collect()
}

fn range(start: i64, end: i64) -> ClipTimestampRange {
    let at = |offset| Timestamp::from_millis(START as i64 + offset);
    ClipTimestampRange::new(at(start), at(end)).unwrap()
}

fn covering(start: i64, end: i64) -> ClipBuilder {
    ClipBuilder::new(ClipFragmentSelector::producer(range(start, end))).range_start(RangeStart::Covering)
}

fn exact(start: i64, end: i64) -> ClipBuilder {
    covering(start, end).trim(Trim::ToRange)
}

fn numbers(indices: impl IntoIterator<Item = u64>) -> Vec<FragmentName> {
    indices.into_iter().map(fragment_name).collect()
}

fn report(builder: &ClipBuilder, fragments: &[Fragment]) -> Report {
    build_with(builder, mkv::documents(fragments)).unwrap_or_else(|error| panic!("{error}")).report().clone()
}

fn taken(builder: &ClipBuilder, fragments: &[Fragment]) -> Vec<FragmentName> {
    report(builder, fragments).fragments.into_iter().map(|fragment| fragment.name).collect()
}

#[test]
fn the_fragment_that_contains_the_start_is_taken() {
    for (start, end, expected) in [
        (1500, 3000, 1..4),
        (1001, 2000, 1..3),
        (1999, 2000, 1..3), // its last picture lasts until 2000
        (2000, 3000, 2..4), // no fragment is cut in two
        (-500, 1000, 0..2), // nothing was being recorded
        (4500, 4600, 4..5), // only that one
    ] {
        let report = report(&covering(start, end), &recording());
        let names: Vec<_> = report.fragments.iter().map(|fragment| fragment.name.clone()).collect();
        assert_eq!(names, numbers(expected.clone()), "{start}..={end}");
        assert_eq!(report.offered - report.out_of_range, expected.count() as u64, "{start}..={end}");
    }
    let by_server =
        ClipBuilder::new(ClipFragmentSelector::server(range(1500 + SERVER_DELAY, 3000 + SERVER_DELAY)))
            .range_start(RangeStart::Covering);
    assert_eq!(taken(&by_server, &recording()), numbers(1..4));
}

#[test]
fn without_it_the_clip_begins_in_the_range() {
    let builder = ClipBuilder::new(ClipFragmentSelector::producer(range(1500, 3000)));
    assert_eq!(taken(&builder, &recording()), numbers(2..4));
}

#[test]
fn nothing_is_taken_across_a_gap() {
    let with_gap = [fragment(0, 0), fragment(5, 5000)];
    assert_eq!(taken(&covering(3000, 5000), &with_gap), numbers([5]));
    let error = refusal_with(&covering(3000, 4000), mkv::documents(&with_gap));
    assert_eq!(*error.kind(), ErrorKind::NoFragments { offered: 2 });
}

#[test]
fn the_order_of_the_input_makes_no_difference() {
    let mut shuffled = recording();
    let expected = report(&covering(2500, 4000), &recording());
    for _ in 0..shuffled.len() {
        shuffled.rotate_left(1);
        let report = report(&covering(2500, 4000), &shuffled);
        assert_eq!(report.fragments, expected.fragments);
        assert_eq!(report.out_of_range, 2);
    }
    shuffled.reverse();
    assert_eq!(taken(&covering(2500, 4000), &shuffled), numbers(2..5));
}

#[test]
fn of_overlapping_fragments_the_one_that_starts_last_is_taken() {
    let overlapping = [fragment(0, 0), fragment(1, 600), fragment(2, 1600)];
    assert_eq!(taken(&covering(900, 2000), &overlapping), numbers([1, 2]));
    assert_eq!(taken(&covering(500, 2000), &overlapping), numbers(0..3));
}

#[test]
fn a_fragment_that_was_sent_twice_is_taken_once() {
    let again = [fragment(0, 0), fragment(1, 1000), fragment(1, 1000), fragment(2, 2000)];
    let report = report(&covering(1500, 2000), &again);
    assert_eq!(report.fragments.len(), 2);
    assert_eq!(
        report.events.iter().filter(|event| matches!(event, Event::DuplicateDropped { .. })).count(),
        1
    );
    // Of the same producer timestamp, the larger number.
    for order in [[1, 7], [7, 1]] {
        let twins = [fragment(0, 0), fragment(order[0], 1000), fragment(order[1], 1000), fragment(2, 2000)];
        assert_eq!(taken(&covering(1500, 2000), &twins), numbers([7, 2]));
    }
}

#[test]
fn it_counts_against_the_limit() {
    let limits = Limits::default().with_max_fragments(NonZeroUsize::new(2).unwrap());
    let report = report(&covering(1500, 4000).limits(limits), &recording());
    assert_eq!(report.fragments.len(), 2);
    let cut = report.cut.unwrap();
    assert_eq!(
        (cut.fragment, cut.continue_from),
        (fragment_name(3), Some(Timestamp::from_millis(START as i64 + 3000)))
    );
}

#[test]
fn indexes_are_enough() {
    for builder in [covering(1500, 3000), exact(1500, 3250)] {
        let mkv = mkv::documents(&recording());
        let mut planner = builder.planner();
        for fragment in fragments(mkv.clone().into()) {
            let encoded = fragment.unwrap().index().encode();
            planner.offer(FragmentIndex::decode(&encoded).unwrap()).unwrap();
        }
        let plan = planner.finish().unwrap();
        assert_eq!(plan.fragments(), [1, 2, 3]);
        let clip = build_with(&builder, mkv).unwrap();
        assert_eq!((plan.len(), plan.report()), (clip.len(), clip.report()));
        assert_eq!(plan.etag(), clip.plan().etag());
    }
}

/// What is played of the video: how many pictures the edit list skips, and how long it plays in milliseconds.
fn video_edit(mp4: &[u8]) -> (usize, u64) {
    let movie = Movie::parse(mp4);
    let video = movie.video();
    let [Edit { duration, media_time }] = video.edits[..] else { panic!("{:?}", video.edits) };
    assert_eq!(video.track_duration, duration);
    let times = video.samples.iter().map(|sample| sample.dts as i64 + sample.cts_offset);
    let skipped: Vec<i64> = times.clone().filter(|&time| time < media_time).collect();
    // A tick each, up to the first picture that is shown.
    let ticks: BTreeSet<i64> = (1..=skipped.len() as i64).map(|ticks| media_time - ticks).collect();
    assert_eq!(skipped.iter().copied().collect::<BTreeSet<_>>(), ticks);
    assert!(times.clone().any(|time| time == media_time));
    (skipped.len(), duration * 1000 / u64::from(movie.timescale))
}

/// How many milliseconds of the sound the edit list skips, and how many it plays.
fn audio_edit(mp4: &[u8]) -> (i64, u64) {
    let movie = Movie::parse(mp4);
    let [Edit { duration, media_time }] = movie.audio().edits[..] else {
        panic!("{:?}", movie.audio().edits)
    };
    (media_time * 1000 / i64::from(movie.audio().timescale), duration * 1000 / u64::from(movie.timescale))
}

#[test]
fn an_exact_clip_plays_from_the_picture_on_the_screen_to_the_end() {
    for times in [IN_ORDER, REORDERED] {
        let recording: Vec<Fragment> =
            (0..5).map(|index| fragment_with(index, index * 1000, times)).collect();
        for (start, end, picture, skipped, played) in [
            (1500, 3000, 1500, 4, 1500),
            (1500, 2700, 1500, 4, 1200),
            (1501, 2700, 1500, 4, 1200), // the picture of 1500 is still on the screen
            (1499, 2700, 1375, 3, 1325),
            (1999, 2001, 1875, 7, 126), // within two pictures
        ] {
            let (mp4, report) = clip_with(&exact(start, end), mkv::documents(&recording));
            assert_eq!(video_edit(&mp4), (skipped, played), "{start}..={end}");
            // A frame of sound begins every 64 ms. The one before the one that is heard is in the file, too.
            let heard = picture / 64 * 64;
            assert_eq!(audio_edit(&mp4), (picture - heard + 64, played), "{start}..={end}");
            assert_eq!(report.duration_ns / 1_000_000, played, "{start}..={end}");
            let first = report.fragments.first().unwrap();
            assert_eq!((first.name.clone(), first.start_ns / 1_000_000), (fragment_name(1), 1000 - picture));
        }
    }
}

#[test]
fn every_sample_that_is_left_stands_as_it_did() {
    let recording: Vec<Fragment> =
        (0..5).map(|index| fragment_with(index, index * 1000, REORDERED)).collect();
    let (mp4, _) = clip_with(&exact(1500, 3250), mkv::documents(&recording));
    let movie = Movie::parse(&mp4);
    let frames = frames::frames_of(&recording[1..4]);
    let pictures: Vec<&[u8]> =
        frames.iter().filter(|frame| frame.track == 1).map(|frame| &frame.bytes[..]).collect();
    let samples: Vec<&[u8]> = movie.video().samples.iter().map(|sample| sample.bytes).collect();
    // All of the first two fragments; of the last, the pictures of 3000, 3125 and, for that one, 3250.
    assert_eq!(samples, pictures[..19]);
    // From the edit on, all are at their times.
    let shown = movie.video().samples.iter().filter_map(|sample| movie.video().time_of(sample));
    let mut shown: Vec<i128> = shown.filter(|&time| time >= 0).map(|time| time / 1_000_000).collect();
    shown.sort_unstable();
    assert_eq!(shown, (0..14).map(|picture| picture * 125).collect::<Vec<_>>());
}

#[test]
fn sound_that_begins_later_than_the_picture_keeps_its_place() {
    let (mp4, _) = clip_with(&exact(1000, 2700), mkv::documents(&recording()));
    let movie = Movie::parse(&mp4);
    let [empty, sound] = movie.audio().edits[..] else { panic!("{:?}", movie.audio().edits) };
    let millis = |ticks: u64| ticks * 1000 / u64::from(movie.timescale);
    assert_eq!((millis(empty.duration), empty.media_time), (24, -1));
    assert_eq!((millis(empty.duration + sound.duration), sound.media_time), (1700, 0));
}

#[test]
fn the_report_says_what_is_not_played() {
    let trimmed = |start, end| {
        let report = report(&exact(start, end), &recording());
        let events = report.events.iter();
        events.filter(|event| matches!(event, Event::Trimmed { .. })).cloned().collect::<Vec<_>>()
    };
    // Sound: of fragment 1, from 1024 to 1344, 6 frames; of fragment 2, from 2752 to 2944, 4. Pictures of fragment 2:
    // those of 2750 and 2875.
    assert_eq!(trimmed(1500, 2700), [Event::Trimmed { left_out: 12, not_shown: 4 }]);
    assert_eq!(trimmed(1000, 9000), []);
}

#[test]
fn a_range_on_the_clock_of_the_server_is_exact_on_that_clock() {
    let range = range(1500 + SERVER_DELAY, 2700 + SERVER_DELAY);
    let builder = ClipBuilder::new(ClipFragmentSelector::server(range))
        .range_start(RangeStart::Covering)
        .trim(Trim::ToRange);
    let (mp4, _) = clip_with(&builder, mkv::documents(&recording()));
    assert_eq!(video_edit(&mp4), (4, 1200));
}

#[test]
fn a_gap_inside_the_range_is_played_too() {
    let with_gap = [fragment(0, 0), fragment(5, 5000)];
    let (mp4, _) = clip_with(&exact(500, 5250), mkv::documents(&with_gap));
    assert_eq!(video_edit(&mp4), (4, 4750));
}

#[test]
fn a_fragment_that_starts_at_the_end_is_not_in_an_exact_clip() {
    let report = report(&exact(1500, 3000), &recording());
    assert_eq!((report.fragments.len(), report.out_of_range), (2, 3));
}
