//! A range as several clips: every fragment in one of them, each within the limits.

use std::num::{NonZeroU64, NonZeroUsize};

use crate::clips::{build_with, everything, file, fragment_name};
use getclip::{
    Clip, ClipBuilder, ClipFragmentSelector, ClipTimestampRange, Error, ErrorKind, Event, Limit, Limits,
    RangeStart, Timestamp, Trim, fragments,
};
use testkit::frames;
use testkit::mkv::{self, Fragment, Track, avc_blocks};

const START: u64 = 1_700_000_000_000;

/// A fragment of 1 s, 4 pictures.
fn fragment(index: u64) -> Fragment {
    Fragment::stored(index, START + index * 1000, vec![Track::avc()], avc_blocks(index, [0, 250, 500, 750]))
}

fn recording(count: u64) -> Vec<Fragment> {
    (0..count).map(fragment).collect()
}

fn at_most(fragments: usize) -> Limits {
    Limits::default().with_max_fragments(NonZeroUsize::new(fragments).unwrap())
}

/// The clips of a recording, and how many parts came before an error.
fn parts(builder: &ClipBuilder, recording: &[Fragment]) -> Result<Vec<Clip>, (usize, Error)> {
    let mut planner = builder.parts_planner();
    let mut media = Vec::new();
    for fragment in fragments(mkv::documents(recording).into()) {
        let (index, cluster) = fragment.unwrap().into_parts();
        planner.offer(index).unwrap();
        media.push(cluster);
    }
    let mut clips = Vec::new();
    for plan in planner.finish().map_err(|error| (0, error))? {
        let plan = plan.map_err(|error| (clips.len(), error))?;
        let of_part: Vec<_> = plan.fragments().iter().map(|&place| media[place].clone()).collect();
        clips.push(plan.with_media(of_part).unwrap());
    }
    Ok(clips)
}

#[test]
fn every_fragment_is_in_one_part() {
    let recording = recording(8);
    let clips = parts(&everything().limits(at_most(3)), &recording).unwrap();
    assert_eq!(clips.iter().map(|clip| clip.report().fragments.len()).collect::<Vec<_>>(), [3, 3, 2]);
    for (clip, fragments) in clips.iter().zip(recording.chunks(3)) {
        let alone = build_with(&everything(), mkv::documents(fragments)).unwrap();
        assert!(file(clip) == file(&alone));
        frames::assert_same_frames(&file(clip), &frames::frames_of(fragments));
    }
    let cuts: Vec<_> = clips.iter().map(|clip| clip.report().cut.clone()).collect();
    for (cut, next) in cuts.iter().zip([3, 6]) {
        let cut = cut.as_ref().unwrap();
        assert_eq!((cut.limit, cut.fragment.clone()), (Limit::Fragments, fragment_name(next)));
        assert_eq!(cut.continue_from, Some(Timestamp::from_millis((START + next * 1000) as i64)));
    }
    assert_eq!(cuts[2], None);
    assert!(clips.iter().all(|clip| clip.report().offered == 8));
}

#[test]
fn each_part_is_within_the_limit_on_bytes() {
    let recording = recording(20);
    let whole = build_with(&everything(), mkv::documents(&recording)).unwrap().len();
    for limit in [whole, whole - 1, whole / 2, whole / 5] {
        let limits = Limits::NONE.with_max_bytes(NonZeroU64::new(limit).unwrap());
        let clips = parts(&everything().limits(limits), &recording).unwrap();
        assert!(clips.iter().all(|clip| clip.len() <= limit), "{limit}");
        let taken: Vec<_> =
            clips.iter().flat_map(|clip| &clip.report().fragments).map(|f| f.name.clone()).collect();
        assert_eq!(taken, (0..20).map(fragment_name).collect::<Vec<_>>(), "{limit}");
        for (clip, next) in clips.iter().zip(clips.iter().skip(1)) {
            // As many as fit, and the next part begins where this one was cut.
            let cut = clip.report().cut.as_ref().unwrap();
            assert_eq!((cut.limit, &cut.fragment), (Limit::Bytes, &next.report().fragments[0].name));
            let alone = build_with(&everything().limits(limits), mkv::documents(&recording)).unwrap();
            assert_eq!(alone.report().fragments.len(), clips[0].report().fragments.len());
        }
    }
}

#[test]
fn the_order_of_the_input_makes_no_difference() {
    let mut shuffled = recording(7);
    shuffled.reverse();
    shuffled.rotate_left(3);
    let clips = parts(&everything().limits(at_most(2)), &shuffled).unwrap();
    let expected = parts(&everything().limits(at_most(2)), &recording(7)).unwrap();
    assert_eq!(clips.len(), 4);
    for (clip, expected) in clips.iter().zip(&expected) {
        assert!(file(clip) == file(expected));
    }
}

#[test]
fn what_is_outside_the_clips_is_reported_once() {
    let again = [&recording(4)[..], &recording(4)[..1], &recording(4)[3..]].concat();
    let clips = parts(&everything().limits(at_most(2)), &again).unwrap();
    let dropped = |clip: &Clip| {
        let events = clip.report().events.iter();
        events.filter(|event| matches!(event, Event::DuplicateDropped { .. })).count()
    };
    assert_eq!(clips.iter().map(dropped).collect::<Vec<_>>(), [2, 0]);
}

#[test]
fn an_exact_range_is_trimmed_at_its_ends_only() {
    let at = |offset: i64| Timestamp::from_millis(START as i64 + offset);
    let range = ClipTimestampRange::new(at(500), at(4500)).unwrap();
    let builder = ClipBuilder::new(ClipFragmentSelector::producer(range))
        .range_start(RangeStart::Covering)
        .trim(Trim::ToRange)
        .limits(at_most(2));
    let clips = parts(&builder, &recording(6)).unwrap();
    let lasts_ms: Vec<_> = clips.iter().map(|clip| clip.report().duration_ns / 1_000_000).collect();
    assert_eq!(lasts_ms, [1500, 2000, 500]);
}

#[test]
fn nothing_in_the_range_has_no_part() {
    let at = |offset: i64| Timestamp::from_millis(START as i64 + offset);
    let range = ClipTimestampRange::new(at(-500), at(-1)).unwrap();
    let builder = ClipBuilder::new(ClipFragmentSelector::producer(range));
    let (done, error) = parts(&builder, &recording(2)).unwrap_err();
    assert_eq!((done, error.kind()), (0, &ErrorKind::NoFragments { offered: 2 }));
}

#[test]
fn an_error_is_that_of_its_part() {
    let mut broken = recording(6);
    broken[4].tracks = vec![Track::avc().without_codec_private()];
    let (done, error) = parts(&everything().limits(at_most(2)), &broken).unwrap_err();
    assert_eq!((done, error.kind()), (2, &ErrorKind::MissingCodecPrivateData));
    assert_eq!(error.location().fragment, Some(fragment_name(4)));
}
