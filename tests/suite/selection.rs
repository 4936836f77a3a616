//! Which fragments a clip is made of: the rules of GetClip's `ClipFragmentSelector`, and its two limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::clips::{build_with, clip, clip_with, everything, file, fragment_name, refusal_with, strict};
use bytes::Bytes;
use getclip::{
    ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, ClipTimestampRange, Cut, ErrorKind, Event,
    FragmentName, Limit, Limits, Report, Timestamp,
};
use proptest::prelude::*;
use testkit::frames;
use testkit::mkv::{self, Fragment, Track, avc_blocks};

/// The first fragment of the tests starts here.
const START: u64 = 1_700_000_000_000;
const SERVER_DELAY: i64 = 613;

/// A fragment of 2 s, 2 frames: the `index`-th of its stream, recorded `at` milliseconds after the start.
fn fragment(index: u64, at: u64) -> Fragment {
    Fragment::stored(index, START + at, vec![Track::avc()], avc_blocks(index, [0, 1000]))
}

/// Fragments 0, 1, 2, ... every 2 s.
fn recording(count: u64) -> Vec<Fragment> {
    (0..count).map(|index| fragment(index, index * 2000)).collect()
}

fn range(start: i64, end: i64) -> ClipTimestampRange {
    let at = |offset| Timestamp::from_millis(START as i64 + offset);
    ClipTimestampRange::new(at(start), at(end)).unwrap()
}

fn by_producer(start: i64, end: i64) -> ClipBuilder {
    ClipBuilder::new(ClipFragmentSelector::producer(range(start, end)))
}

fn by_server(start: i64, end: i64) -> ClipBuilder {
    ClipBuilder::new(ClipFragmentSelector::server(range(start, end)))
}

/// The numbers of these fragments, as the report names them.
fn numbers(indices: impl IntoIterator<Item = u64>) -> Vec<FragmentName> {
    indices.into_iter().map(fragment_name).collect()
}

fn names(report: &Report) -> Vec<FragmentName> {
    report.fragments.iter().map(|fragment| fragment.name.clone()).collect()
}

/// The names as text.
fn shown(report: &Report) -> Vec<String> {
    names(report).iter().map(ToString::to_string).collect()
}

fn taken(builder: &ClipBuilder, fragments: &[Fragment]) -> Vec<FragmentName> {
    names(build_with(builder, mkv::documents(fragments)).unwrap().report())
}

/// Fragments start at 0, 2, 4, 6 and 8 s.
#[test]
fn whole_fragments_that_start_in_the_range_both_ends_included() {
    let five = recording(5);
    for (start, end, expected) in [
        (2000, 6000, 1..4), // start and end on a fragment
        (2001, 6000, 2..4), // start behind: one that runs into the range is not in it
        (1999, 6000, 1..4), // start in front
        (2000, 6001, 1..4), // end behind
        (2000, 5999, 1..3), // end in front
        (2000, 2001, 1..2), // the fragment runs past the end, and is taken whole
        (-9000, 99_000, 0..5),
        (0, 8000, 0..5),
        (8000, 8001, 4..5),
    ] {
        assert_eq!(taken(&by_producer(start, end), &five), numbers(expected), "{start}..={end}");
        let (start, end) = (start + SERVER_DELAY, end + SERVER_DELAY);
        let by_server = taken(&by_server(start, end), &five);
        assert_eq!(by_server, taken(&by_producer(start - SERVER_DELAY, end - SERVER_DELAY), &five));
    }
}

#[test]
fn frames_are_never_trimmed() {
    let five = recording(5);
    let (mp4, report) = clip_with(&by_producer(1500, 2500), mkv::documents(&five));
    frames::assert_same_frames(&mp4, &frames::frames_of(&five[1..2]));
    assert_eq!((report.offered, report.out_of_range), (5, 4));
}

#[test]
fn nothing_in_the_range_is_not_found() {
    for (start, end) in [(-9000, -1), (1, 1999), (8001, 9000)] {
        let error = refusal_with(&by_producer(start, end), mkv::documents(&recording(5)));
        assert_eq!(*error.kind(), ErrorKind::NoFragments { offered: 5 });
    }
}

#[test]
fn ranges_are_those_that_getclip_takes() {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let at = |offset| Timestamp::from_millis(START as i64 + offset);
    for (length, is_taken) in [(0, false), (-1, false), (1, true), (DAY, true), (DAY + 1, false)] {
        assert_eq!(ClipTimestampRange::new(at(0), at(length)).is_ok(), is_taken, "{length}");
    }
    let error = ClipTimestampRange::new(at(5), at(5)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidRange { .. }));
    assert_eq!(
        (error.exception().name(), error.exception().http_status()),
        ("InvalidArgumentException", 400)
    );
}

/// "If multiple fragments have the same producer timestamp, the one with the larger fragment number is used."
#[test]
fn of_equal_producer_timestamps_the_larger_number_stays() {
    let (old, new) = (fragment(1, 2000), fragment(9, 2000));
    for order in [[&old, &new], [&new, &old]] {
        let input = [fragment(0, 0), order[0].clone(), order[1].clone(), fragment(2, 4000)];
        let (mp4, report) = clip(mkv::documents(&input));
        assert_eq!(names(&report), numbers([0, 9, 2]));
        let dropped = Event::DuplicateDropped { fragment: fragment_name(1), kept: fragment_name(9) };
        assert!(report.events.contains(&dropped), "{:?}", report.events);
        let kept = [input[0].clone(), new.clone(), input[3].clone()];
        frames::assert_same_frames(&mp4, &frames::frames_of(&kept));
    }
}

/// Numbers have 47 digits and more: they are neither floats nor text.
#[test]
fn fragment_numbers_compare_as_integers_of_any_size() {
    let with_number = |digits: &str| fragment(0, 0).number(digits);
    for (smaller, larger) in [
        ("9", "10"),
        (
            "91343852333181432392682062607743920146264094900",
            "91343852333181432392682062607743920146264094901",
        ),
        (
            "99999999999999999999999999999999999999999999999",
            "100000000000000000000000000000000000000000000000",
        ),
        ("0099", "100"),
    ] {
        let input = mkv::documents(&[with_number(larger), with_number(smaller)]);
        let (_, report) = clip(input);
        assert_eq!(shown(&report), [larger], "{smaller} and {larger}");
    }
}

#[test]
fn by_server_timestamp_only_the_same_fragment_is_a_duplicate() {
    let same_time = [fragment(0, 0), fragment(1, 0), fragment(2, 0)];
    assert_eq!(taken(&by_server(-5000, 5000), &same_time), numbers([0, 1, 2]));
    let repeated = [fragment(0, 0), fragment(1, 2000), fragment(0, 0), fragment(1, 2000)];
    assert_eq!(taken(&by_server(-5000, 5000), &repeated), numbers([0, 1]));
}

#[test]
fn the_same_fragment_twice_is_taken_once() {
    let three = recording(3);
    let twice = [three.clone(), three.clone()].concat();
    let (mp4, report) = clip(mkv::documents(&twice));
    assert_eq!(names(&report), numbers(0..3));
    frames::assert_same_frames(&mp4, &frames::frames_of(&three));
    let dropped = |event: &&Event| matches!(event, Event::DuplicateDropped { .. });
    assert_eq!(report.events.iter().filter(dropped).count(), 3);
}

/// A capture that was cut off, and the same fragment from a second request.
/// Input can hold any number of fragments that are not in the clip: the report counts those it does not name.
#[test]
fn a_thousand_are_named_that_are_not_in_the_clip() {
    for (dropped, named) in [(999, 999), (1000, 1000), (1003, 1000)] {
        let input: Vec<Fragment> = (0..=dropped).map(|_| fragment(0, 0)).collect();
        let report = clip(mkv::documents(&input)).1;
        let events =
            report.events.iter().filter(|event| matches!(event, Event::DuplicateDropped { .. })).count();
        assert_eq!((events, report.unnamed), (named, dropped as u64 - named as u64));
    }
}

#[test]
fn of_the_same_fragment_cut_off_and_whole_the_whole_one_stays() {
    let whole = fragment(1, 2000).to_bytes();
    let cut = &whole[..whole.len() - 5];
    let first = fragment(0, 0).to_bytes();
    // Nothing can follow a cut end in one buffer, so the two answers are two buffers.
    for answers in
        [[[&first[..], cut].concat(), whole.clone()], [[&first[..], &whole].concat(), cut.to_vec()]]
    {
        let offered = answers.into_iter().flat_map(|answer| getclip::fragments(answer.into()));
        let built = everything().build(offered).unwrap();
        assert_eq!(names(built.report()), numbers([0, 1]));
        let expected = frames::frames_of(&[fragment(0, 0), fragment(1, 2000)]);
        frames::assert_same_frames(&file(&built), &expected);
    }
}

#[test]
fn fragments_without_tags_keep_their_order_and_are_never_duplicates() {
    let untagged = |seed, cluster| {
        Fragment::new(vec![Track::avc()], avc_blocks(seed, [0, 1000])).cluster_timestamp(cluster)
    };
    // Two sessions whose clocks both start at 0, and one Cluster that stands in the file twice.
    let input = [untagged(1, 0), untagged(2, 2000), untagged(3, 0), untagged(4, 2000), untagged(4, 2000)];
    for bytes in [mkv::upload(&input), mkv::documents(&input)] {
        let (mp4, report) = clip(bytes);
        assert_eq!(shown(&report), ["#1", "#2", "#3", "#4", "#5"]);
        assert_eq!(report.offered, 5);
        let samples = testkit::mp4::Movie::parse(&mp4);
        let samples: Vec<Vec<u8>> =
            samples.video().samples.iter().map(|sample| sample.bytes.to_vec()).collect();
        let expected: Vec<Vec<u8>> =
            input.iter().flat_map(|f| &f.blocks).map(|b| b.frames[0].clone()).collect();
        assert_eq!(samples, expected);
    }
}

/// An upload counts from the start of the producer's session; the caller says when that was.
#[test]
fn the_origin_places_fragments_without_tags() {
    let untagged = |cluster| {
        Fragment::new(vec![Track::avc()], avc_blocks(cluster, [0, 1000])).cluster_timestamp(cluster)
    };
    let upload = mkv::upload(&[untagged(0), untagged(2000), untagged(4000)]);
    let builder = by_producer(2000, 4000);
    assert!(matches!(refusal_with(&builder, upload.clone()).kind(), ErrorKind::NoFragments { offered: 3 }));
    let (_, report) = clip_with(&builder.recording_start(Timestamp::from_millis(START as i64)), upload);
    assert_eq!(shown(&report), ["#2", "#3"]);
    let starts =
        report.fragments.iter().map(|fragment| fragment.producer_timestamp.as_millis() - START as i64);
    assert_eq!(starts.collect::<Vec<_>>(), [2000, 4000]);
}

#[test]
fn by_server_timestamp_every_fragment_must_have_one() {
    let mut second = fragment(1, 2000);
    second.server = None;
    let error = refusal_with(&by_server(0, 9000), mkv::documents(&[fragment(0, 0), second]));
    assert_eq!(*error.kind(), ErrorKind::MissingTimestamp { tag: "AWS_KINESISVIDEO_SERVER_TIMESTAMP" });
    assert_eq!(error.location().fragment, Some(fragment_name(1)));
    assert!(error.to_string().contains("AWS_KINESISVIDEO_SERVER_TIMESTAMP"));

    let upload = mkv::upload(&recording(2));
    assert!(matches!(refusal_with(&by_server(0, 9000), upload).kind(), ErrorKind::MissingTimestamp { .. }));
}

#[test]
fn the_clock_of_the_selection_gives_the_order() {
    // Received in the order 2, 1, 0: a producer that uploads its buffer from the end.
    let server = |at: i64| mkv::decimal_seconds((START as i64 + 60_000 + at) as u64);
    let input: Vec<Fragment> =
        (0..3).map(|index| fragment(index, index * 2000).server(&server(-(index as i64) * 2000))).collect();
    assert_eq!(taken(&by_producer(0, 90_000), &input), numbers([0, 1, 2]));
    assert_eq!(taken(&by_server(0, 90_000), &input), numbers([2, 1, 0]));
    let all = |clock| ClipBuilder::new(ClipFragmentSelector::all(clock));
    assert_eq!(taken(&all(ClipFragmentSelectorType::ServerTimestamp), &input), numbers([2, 1, 0]));
}

fn limits(max_fragments: usize, max_bytes: u64) -> Limits {
    let (fragments, bytes) = (max_fragments.try_into().unwrap(), max_bytes.try_into().unwrap());
    Limits::default().with_max_fragments(fragments).with_max_bytes(bytes)
}

#[test]
fn the_default_limits_are_those_of_getclip() {
    let limits = Limits::default();
    assert_eq!((limits.max_fragments.get(), limits.max_bytes.get()), (200, 100_000_000));
    let fragments = mkv::documents(&recording(201));
    let (_, report) = clip(fragments);
    assert_eq!(names(&report), numbers(0..200));
    let cut = report.cut.unwrap();
    assert_eq!((cut.limit, cut.fragment), (Limit::Fragments, fragment_name(200)));
}

fn cut_at(
    limit: Limit,
    index: u64,
    continue_from: Option<i64>,
) -> Option<(Limit, FragmentName, Option<Timestamp>)> {
    let at = |offset| Timestamp::from_millis(START as i64 + offset);
    Some((limit, fragment_name(index), continue_from.map(at)))
}

fn cut_of(report: &Report) -> Option<(Limit, FragmentName, Option<Timestamp>)> {
    let Cut { limit, fragment, continue_from, .. } = report.cut.clone()?;
    Some((limit, fragment, continue_from))
}

#[test]
fn the_limit_on_fragments_at_its_edge() {
    let five = mkv::documents(&recording(5));
    for (max, count, cut) in [
        (6, 5, None),
        (5, 5, None),
        (4, 4, cut_at(Limit::Fragments, 4, Some(8000))),
        (1, 1, cut_at(Limit::Fragments, 1, Some(2000))),
    ] {
        let (_, report) = clip_with(&everything().limits(limits(max, u64::MAX)), five.clone());
        assert_eq!(names(&report), numbers(0..count), "{max}");
        assert_eq!(cut_of(&report), cut, "{max}");
    }
    let (_, report) = clip_with(&by_server(0, 9000).limits(limits(2, u64::MAX)), five);
    assert_eq!(cut_of(&report), cut_at(Limit::Fragments, 2, Some(4000 + SERVER_DELAY)));
}

/// The limit counts the finished file, to the byte.
#[test]
fn the_limit_on_bytes_at_its_edge() {
    let documents = |count| mkv::documents(&recording(count));
    for count in 1..=5 {
        let whole = clip(documents(count)).0.len() as u64;
        let with = |max_bytes| everything().limits(limits(200, max_bytes));
        for fits in [whole, whole + 1] {
            let (mp4, report) = clip_with(&with(fits), documents(count));
            assert_eq!((mp4.len() as u64, cut_of(&report)), (whole, None));
        }
        if count == 1 {
            let error = refusal_with(&with(whole - 1), documents(1));
            assert_eq!(*error.kind(), ErrorKind::FragmentExceedsLimit { bytes: whole, limit: whole - 1 });
            assert_eq!(error.location().fragment, Some(fragment_name(0)));
            continue;
        }
        let (mp4, report) = clip_with(&with(whole - 1), documents(count));
        assert_eq!(mp4, clip(documents(count - 1)).0, "the same file as if the last had not been offered");
        let cut = cut_at(Limit::Bytes, count - 1, Some((count as i64 - 1) * 2000));
        assert_eq!(cut_of(&report), cut);
    }
}

#[test]
fn of_the_two_limits_the_lower_cuts() {
    let two = clip(mkv::documents(&recording(2))).0.len() as u64;
    let five = mkv::documents(&recording(5));
    let (_, report) = clip_with(&everything().limits(limits(4, two)), five.clone());
    assert_eq!(cut_of(&report), cut_at(Limit::Bytes, 2, Some(4000)));
    let (_, report) = clip_with(&everything().limits(limits(1, two)), five);
    assert_eq!(cut_of(&report), cut_at(Limit::Fragments, 1, Some(2000)));
}

/// Asking again from where each clip ends gives every fragment once.
#[test]
fn continue_from_takes_up_where_the_clip_ends() {
    let input = mkv::documents(&recording(11));
    let (mut start, mut seen) = (0, Vec::new());
    for _ in 0..4 {
        let (_, report) = clip_with(&by_producer(start, 99_000).limits(limits(3, u64::MAX)), input.clone());
        seen.extend(names(&report));
        match report.cut {
            Some(cut) => start = cut.continue_from.unwrap().as_millis() - START as i64,
            None => break,
        }
    }
    assert_eq!(seen, numbers(0..11));
}

#[test]
fn without_tags_there_is_no_timestamp_to_continue_from() {
    let (_, report) = clip_with(&everything().limits(limits(2, u64::MAX)), mkv::upload(&recording(3)));
    let cut = report.cut.unwrap();
    assert_eq!(
        (cut.limit, cut.fragment, cut.continue_from),
        (Limit::Fragments, FragmentName::Position(2), None)
    );
}

/// A buffer that is counted as long as something holds on to it.
struct Counted {
    bytes: Vec<u8>,
    alive: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

/// However many fragments are offered, and in whatever order, at most `max_fragments + 1` and the one in hand are held.
#[test]
fn memory_is_bounded_by_the_limit_and_not_by_what_is_offered() {
    const MAX: usize = 5;
    for order in [
        (0..1000).collect::<Vec<u64>>(),
        (0..1000).rev().collect(),
        (0..1000).map(|i| i * 389 % 1000).collect(),
    ] {
        let alive = Arc::new(AtomicUsize::new(0));
        let mut most = 0;
        let offered = order.iter().flat_map(|&index| {
            let bytes = fragment(index, index * 2000).to_bytes();
            alive.fetch_add(1, Ordering::SeqCst);
            most = most.max(alive.load(Ordering::SeqCst));
            getclip::fragments(Bytes::from_owner(Counted { bytes, alive: alive.clone() }))
        });
        let built = everything().limits(limits(MAX, u64::MAX)).build(offered).unwrap();
        assert_eq!(names(built.report()), numbers(0..MAX as u64));
        assert_eq!(built.report().offered, 1000);
        assert!(most <= MAX + 2, "{most} fragments were held");
        assert_eq!(alive.load(Ordering::SeqCst), MAX, "those of the clip");
        drop(built);
        assert_eq!(alive.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn an_error_of_the_input_ends_the_build() {
    let mut input = mkv::documents(&recording(2));
    // No element ID begins with a zero byte (RFC 8794 section 5).
    input.extend([0; 16]);
    let end = input.len() as u64 - 16;
    let error = refusal_with(&strict(), input);
    assert!(matches!(error.kind(), ErrorKind::Malformed { .. }), "{error}");
    assert_eq!(error.location().offset, Some(end));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_tagged_fragments_in_the_input_does_not_matter(
        order in Just((0..12).collect::<Vec<u64>>()).prop_shuffle(),
        max in 1..14_usize,
        server in any::<bool>(),
    ) {
        // Fragments 4 and 5 have one producer timestamp, as have 8 and 9.
        let at = |index: u64| if index == 5 || index == 9 { (index - 1) * 2000 } else { index * 2000 };
        let shuffled: Vec<Fragment> = order.iter().map(|&index| fragment(index, at(index))).collect();
        let sorted: Vec<Fragment> = (0..12).map(|index| fragment(index, at(index))).collect();
        let builder = if server { by_server(0, 99_000) } else { by_producer(0, 99_000) };
        let builder = builder.limits(limits(max, u64::MAX));
        let (expected, expected_report) = clip_with(&builder, mkv::documents(&sorted));
        let (mp4, report) = clip_with(&builder, mkv::documents(&shuffled));
        prop_assert_eq!(names(&report), names(&expected_report));
        prop_assert_eq!(cut_of(&report), cut_of(&expected_report));
        prop_assert!(mp4 == expected);
        let unique = (0..12).filter(|index| server || ![4, 8].contains(index));
        prop_assert_eq!(names(&report), numbers(unique.take(max)));
    }
}
