//! Whole timelines, from the times of fragments and blocks to the tables.

use proptest::prelude::*;

use super::*;
use crate::codec::AudioConfig;
use crate::index::frame_table::FrameFlags;
use crate::time::input::tests::{Recorded, aac, alaw, seen};
use crate::time::runs::Runs;

const VIDEO_TRACK: u64 = 1;
const AUDIO_TRACK: u64 = 2;
const TRACKS: TrackNumbers = TrackNumbers { video: VIDEO_TRACK, audio: AUDIO_TRACK };

fn timeline(recorded: &[Recorded], audio: &AudioConfig, gaps: Gaps) -> Timeline {
    Timeline::of(&seen(recorded, audio), TRACKS, gaps).unwrap()
}

/// When each sample is presented, in nanoseconds; negative before the edit begins.
fn presented(times: &TrackTimes) -> Vec<i64> {
    let each = |runs: &Runs<u32>| -> Vec<i64> {
        let runs = runs.as_slice().iter();
        runs.flat_map(|&(count, value)| (0..count).map(move |_| i64::from(value))).collect()
    };
    let deltas = each(&times.deltas);
    let offsets =
        if times.offsets.as_slice().is_empty() { vec![0; deltas.len()] } else { each(&times.offsets) };
    assert_eq!(deltas.iter().sum::<i64>(), times.duration as i64);
    assert!(deltas.iter().all(|delta| *delta > 0), "decode times increase");
    let mut decoded = 0;
    let at = |(delta, offset)| {
        let ticks = MediaTicks::new(decoded + offset) - times.composition_delay - times.skipped;
        decoded += delta;
        (times.start + times.timescale.nanos(ticks)).get()
    };
    deltas.iter().zip(offsets).map(at).collect()
}

/// Every sample is presented inside the edit, which begins with the first.
fn check_edit(times: &TrackTimes) {
    const MOVIE_TICK: i64 = 1_000_000_000 / 90_000 + 1;
    let (edit, presented) = (times.edit(), presented(times));
    let movie = |ticks: u64| (ticks as i128 * 1_000_000_000 / 90_000) as i64;
    let (start, end) = (movie(edit.start.get()), movie(edit.end.get()));
    let (first, last) = (*presented.iter().min().unwrap(), *presented.iter().max().unwrap());
    assert!((first - start).abs() <= MOVIE_TICK, "the edit starts at {start}, the first sample at {first}");
    assert!(last < end, "the edit ends at {end}, the last sample starts at {last}");
    assert_eq!(edit.media_time, times.media_time().unsigned());
}

/// Pictures in decode order: the first, then each anchor ahead of the B-frames that are shown before it.
fn in_decode_order(shown: Vec<i64>, b_frames: usize) -> Vec<i64> {
    let Some((first, later)) = shown.split_first() else { return shown };
    let group = |group: &[i64]| -> Vec<i64> {
        let (anchor, before) = group.split_last().unwrap();
        std::iter::once(*anchor).chain(before.iter().copied()).collect()
    };
    std::iter::once(*first).chain(later.chunks(b_frames + 1).flat_map(group)).collect()
}

/// The nearest millisecond.
fn to_millis(ns: i64) -> i64 {
    (ns + 500_000).div_euclid(1_000_000)
}

fn millis(times: &TrackTimes) -> Vec<i64> {
    presented(times).into_iter().map(to_millis).collect()
}

/// 21 1/3 ms each.
fn aac_frames(frames: std::ops::Range<i64>) -> impl Iterator<Item = i64> {
    frames.map(|index| (index * 64 + 1).div_euclid(3))
}

fn holes(timeline: &Timeline, track: u64) -> Vec<(i64, i64)> {
    let hole = |event: &Event| match event {
        Event::TrackGap { track: of, at_ns, duration_ns, .. } if *of == track => {
            Some((to_millis(*at_ns), to_millis(*duration_ns as i64)))
        }
        _ => None,
    };
    timeline.events.iter().filter_map(hole).collect()
}

fn reanchored(timeline: &Timeline) -> Vec<(i64, u64)> {
    let reanchored = |event: &Event| match event {
        Event::AudioReanchored { at_ns, times, .. } => Some((to_millis(*at_ns), *times)),
        _ => None,
    };
    timeline.events.iter().filter_map(reanchored).collect()
}

fn off_timestamps(timeline: &Timeline) -> Option<u64> {
    timeline.events.iter().find_map(|event| match event {
        Event::AudioOffTimestamps { by_ns, .. } => Some(*by_ns),
        _ => None,
    })
}

/// The clock of both tracks is set back: the sound is moved with the pictures, and so is a hole in it.
#[test]
fn sound_goes_with_the_pictures_over_a_step_back() {
    let back = |time: i64| if time >= 1000 { time - 300 } else { time };
    let pictures = (0..50).map(|index| back(index * 40));
    let lost = |frame: &i64| !(70..76).contains(frame);
    let sound = (0..93).filter(lost).map(|index| back((index * 64 + 1) / 3));
    let timeline = timeline(&[Recorded::at(0).pictures(pictures).sound(sound)], &aac(), Gaps::Keep);
    let (video, audio) = (timeline.video.as_ref().unwrap(), timeline.audio.as_ref().unwrap());
    assert_eq!(millis(video), (0..50).map(|index| index * 40).collect::<Vec<_>>());
    let expected = (0..93).filter(lost).map(|index| index * 64_000_000 / 3);
    for (found, expected) in presented(audio).iter().zip(expected) {
        assert!((found - expected).abs() <= 700_000, "{found} for {expected}");
    }
    assert_eq!(holes(&timeline, AUDIO_TRACK), [(1493, 128)]);
    let stepped = timeline.events.iter().find(|event| matches!(event, Event::SteppedBack { .. }));
    let Some(Event::SteppedBack { track: 1, at_ns: 1_000_000_000, times: 1, by_ns: 300_000_000, .. }) =
        stepped
    else {
        panic!("{stepped:?}");
    };
}

/// Sound stamped on arrival, late by up to 150 ms and never lost, is one run.
#[test]
fn jitter_of_arrival_is_one_run() {
    for jitter in [|i: i64| i * 7919 % 151, |i: i64| if i % 10 == 0 { 0 } else { 213 - i % 10 * 21 }] {
        let sound = (0..300).map(|index| (index * 64 + 1) / 3 + jitter(index));
        let pictures = (0..160).map(|index| index * 40);
        let timeline = timeline(&[Recorded::at(0).pictures(pictures).sound(sound)], &aac(), Gaps::Keep);
        let audio = timeline.audio.as_ref().unwrap();
        assert_eq!(audio.deltas.as_slice(), [(300, 1024)]);
        assert_eq!(reanchored(&timeline), []);
        let off = off_timestamps(&timeline).expect("reported") as i64;
        let found = presented(audio);
        let worst = found
            .iter()
            .zip(0..)
            .map(|(found, index)| (found - ((index * 64 + 1) / 3 + jitter(index)) * 1_000_000).abs());
        assert!((worst.max().unwrap() - off).abs() <= 1_000_000, "{off}");
    }
}

/// A frame that arrived late is no anchor for those after it.
#[test]
fn a_run_does_not_begin_with_a_late_frame() {
    let sound = (0..100).map(|index| (index * 64 + 1) / 3 + if index == 0 { 100 } else { 0 });
    let pictures = (0..60).map(|index| index * 40);
    let timeline = timeline(&[Recorded::at(0).pictures(pictures).sound(sound)], &aac(), Gaps::Keep);
    let audio = timeline.audio.as_ref().unwrap();
    assert_eq!(audio.deltas.as_slice(), [(100, 1024)]);
    let second = presented(audio)[1];
    assert!((second - 21_333_333).abs() <= 700_000, "{second}");
}

#[test]
fn what_is_lost_is_a_hole_with_its_place() {
    let sound = aac_frames(0..100).chain(aac_frames(130..200));
    let timeline =
        timeline(&[Recorded::at(0).pictures((0..110).map(|i| i * 40)).sound(sound)], &aac(), Gaps::Keep);
    assert_eq!(holes(&timeline, AUDIO_TRACK), [(2133, 640)]);
    assert_eq!(reanchored(&timeline), [(2133, 1)]);
    assert_eq!(holes(&timeline, VIDEO_TRACK), []);
}

/// No picture for two seconds while the sound goes on: between fragments, and inside of one.
#[test]
fn a_hole_in_the_pictures() {
    let sound = || aac_frames(0..94);
    let pictures = || (0..50).map(|index| index * 40);
    let fragments = [
        Recorded::at(0).pictures(pictures()).sound(sound()),
        Recorded::at(2005).sound(sound()),
        Recorded::at(4011).pictures(pictures()).sound(sound()),
    ];
    let apart = timeline(&fragments, &aac(), Gaps::Keep);
    assert_eq!(holes(&apart, VIDEO_TRACK), [(2000, 2011)]);
    assert_eq!(holes(&apart, AUDIO_TRACK), []);
    let long = Recorded::at(0).pictures((0..50).chain(100..150).map(|i| i * 40)).sound(aac_frames(0..281));
    assert_eq!(holes(&timeline(&[long], &aac(), Gaps::Keep), VIDEO_TRACK), [(2000, 2000)]);
    // A camera that sends a picture now and then.
    let slow = Recorded::at(0).pictures((0..20).map(|i| i * 700)).sound(aac_frames(0..656));
    assert_eq!(holes(&timeline(&[slow], &aac(), Gaps::Keep), VIDEO_TRACK), []);
}

/// Fragments at the start or the end without a track that the others have.
#[test]
fn holes_at_the_ends_of_the_clip() {
    let whole = |start_ms| Recorded::at(start_ms).pictures((0..50).map(|i| i * 40)).sound(aac_frames(0..94));
    let silent = |start_ms| Recorded::at(start_ms).pictures((0..50).map(|i| i * 40));
    let first = timeline(&[silent(0), whole(2000)], &aac(), Gaps::Keep);
    assert_eq!(holes(&first, AUDIO_TRACK), [(0, 2000)]);
    let last = timeline(&[whole(0), silent(2000)], &aac(), Gaps::Keep);
    assert_eq!(holes(&last, AUDIO_TRACK), [(2005, 1995)]);
    assert_eq!(holes(&last, VIDEO_TRACK), []);
}

/// RFC 9559 section 5.1.4.1.25. The first frame holds what the encoder begins with; the second is heard with the first
/// picture.
#[test]
fn codec_delay_is_subtracted_and_cut() {
    let recorded = Recorded::at(0).pictures((0..25).map(|index| index * 40)).sound(aac_frames(0..48));
    let recorded = [Recorded { codec_delay: Nanos::new(21_333_333), ..recorded }];
    let timeline = timeline(&recorded, &aac(), Gaps::Keep);
    let (video, audio) = (timeline.video.as_ref().unwrap(), timeline.audio.as_ref().unwrap());
    assert_eq!((audio.skipped, audio.edit().media_time), (MediaTicks::new(1024), 1024));
    assert_eq!((audio.start, video.start), (Nanos::ZERO, Nanos::ZERO));
    assert!(presented(audio)[0] < -21_000_000);
    assert!(presented(audio)[1].abs() <= 11_000);
    assert_eq!(timeline.fragment_starts_ns, [0]);
    // A delay that no encoder has.
    let absurd = [Recorded { codec_delay: Nanos::from_secs(5), ..recorded[0].clone() }];
    assert_eq!(
        Timeline::of(&seen(&absurd, &aac()), TRACKS, Gaps::Keep).unwrap().audio.unwrap().skipped,
        MediaTicks::ZERO
    );
}

/// The pictures of an open GOP that cannot be decoded stay in the track, and what is heard with them is heard.
#[test]
fn leading_pictures_at_the_start_are_not_shown() {
    let recorded = Recorded::at(0).pictures([80, 0, 40, 200, 120, 160]).sound(aac_frames(0..11));
    let leading = recorded.flag(1, FrameFlags::LEADING).flag(2, FrameFlags::LEADING);
    let decodable = timeline(std::slice::from_ref(&leading), &aac(), Gaps::Keep);
    assert_eq!(decodable.video.unwrap().skipped, MediaTicks::ZERO, "RADL");
    let skipped = leading.flag(1, FrameFlags::SKIPPED).flag(2, FrameFlags::SKIPPED);
    let timeline = timeline(&[skipped], &aac(), Gaps::Keep);
    let (video, audio) = (timeline.video.as_ref().unwrap(), timeline.audio.as_ref().unwrap());
    assert_eq!(millis(video), [80, 0, 40, 200, 120, 160]);
    assert_eq!(video.start, Nanos::from_millis(80));
    let delay = video.timescale.nanos(video.composition_delay);
    assert_eq!(delay, Nanos::from_millis(40));
    let edit = video.edit();
    assert_eq!((edit.start.get(), edit.end.get()), (7200, 21_600));
    assert_eq!(edit.media_time, (video.composition_delay + video.skipped).unsigned());
    assert_eq!(audio.start, Nanos::ZERO, "sound is not shifted");
    assert!(timeline.events.contains(&Event::LeadingPicturesNotShown { track: VIDEO_TRACK, frames: 2 }));
    assert_eq!(timeline.duration_ns(), 240_000_000);
}

/// The frames of each second share a time: they are spread over it, and nothing is made of the steps of a second.
#[test]
fn a_clock_of_seconds() {
    let second = Nanos::from_secs(1);
    let recorded = |start_ms: i64| Recorded {
        tick: second,
        ..Recorded::at(start_ms).pictures((0..60).map(|index| index / 30 * 1000))
    };
    let timeline = timeline(&[recorded(0), recorded(2000), recorded(4000)], &aac(), Gaps::Keep);
    assert_eq!(timeline.events, [Event::CollisionsSpread { track: VIDEO_TRACK, frames: 174 }]);
    let video = timeline.video.unwrap();
    assert_eq!(video.deltas.as_slice(), [(180, 3000)]);
}

/// A device that had no clock when it started. 2^32 ticks of the coarsest timescale are 49.7 days.
#[test]
fn a_gap_that_no_table_holds_is_refused_with_its_dates() {
    let at = |start_ms| Recorded::at(start_ms).pictures((0..50).map(|index| index * 40));
    let recorded = [at(5000), at(7000), at(1_700_000_000_000)];
    let error = Timeline::of(&seen(&recorded, &aac()), TRACKS, Gaps::Keep).unwrap_err();
    let text = error.to_string();
    let expected = "expected gaps of at most 50 days, found one of 19676 days between fragment #1 of \
                    1970-01-01T00:00:07.000Z and fragment #1 of 2023-11-14T22:13:20.000Z; --gaps close (Gaps::Close)";
    assert!(text.contains(expected), "{text}");
    assert_eq!(error.location().track, Some(1));
    let joined = timeline(&recorded, &aac(), Gaps::Close);
    assert_eq!(millis(joined.video.as_ref().unwrap())[100], 4000);
    let day = 86_400_000;
    assert!(Timeline::of(&seen(&[at(0), at(49 * day)], &aac()), TRACKS, Gaps::Keep).is_ok());
    // 2^32 PCM frames of 8 kHz are 6.2 days.
    let with_sound = |start_ms| at(start_ms).sound((0..100).map(|index| index * 20));
    assert!(Timeline::of(&seen(&[with_sound(0), with_sound(6 * day)], &alaw()), TRACKS, Gaps::Keep).is_ok());
    let error =
        Timeline::of(&seen(&[with_sound(0), with_sound(7 * day)], &alaw()), TRACKS, Gaps::Keep).unwrap_err();
    assert_eq!(error.location().track, Some(2));
    assert!(error.to_string().contains("--gaps close"), "{error}");
}

/// PCM cannot be shortened.
#[test]
fn pcm_that_overlaps_is_late_until_there_is_room() {
    let pictures = || (0..50).map(|index| index * 40);
    let recorded = [
        Recorded::at(0).pictures(pictures()).sound((0..110).map(|index| index * 20)),
        Recorded::at(2000).pictures(pictures()).sound((0..100).map(|index| index * 20)),
        Recorded::at(4500).pictures(pictures()).sound((0..100).map(|index| index * 20)),
    ];
    let timeline = timeline(&recorded, &alaw(), Gaps::Keep);
    let sound = millis(timeline.audio.as_ref().unwrap());
    assert_eq!([sound[0], sound[110 * 160], sound[210 * 160]], [0, 2200, 4500]);
    assert!(timeline.events.contains(&Event::AudioLate { track: AUDIO_TRACK, by_ns: 200_000_000 }));
    assert!(!timeline.events.iter().any(|event| matches!(event, Event::Moved { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Where both tracks are exact but for the rounding of their clock, all times are within half a tick of it, by one
    /// origin.
    #[test]
    fn rounded_times_come_out_within_half_a_tick(
        rate in prop::sample::select(vec![(30, 1), (30_000, 1001), (25, 1), (24_000, 1001), (15, 1), (60, 1)]),
        audio_delay_us in prop_oneof![Just(0_i64), -300_000..300_000_i64],
        phase_us in 0..1000_i64,
        rounding_us in 0..1000_i64,
        pcm in any::<bool>(),
        fragments in 1..4_i64,
        b_frames in 0..5_usize,
    ) {
        let config = if pcm { alaw() } else { aac() };
        let stamp = |us: i64| (us + phase_us + rounding_us).div_euclid(1000);
        let picture = |index: i64| index * 1_000_000 * rate.1 / rate.0;
        let sound = |index: i64| {
            audio_delay_us + if pcm { index * 20_000 } else { index * 64_000 / 3 }
        };
        let length_us = 2_000_000;
        let first_of = |time: &dyn Fn(i64) -> i64, limit: i64| (0..).find(|index| time(*index) >= limit).unwrap();
        let recorded: Vec<Recorded> = (0..fragments).map(|index| {
            let (from, until) = (index * length_us, (index + 1) * length_us);
            let pictures = first_of(&picture, from)..first_of(&picture, until);
            let start = stamp(picture(pictures.start));
            let least = if index == 0 { i64::MIN } else { from };
            let frames = first_of(&sound, least)..first_of(&sound, until);
            let pictures = pictures.map(|index| stamp(picture(index)) - start).collect();
            Recorded::at(start)
                .pictures(in_decode_order(pictures, b_frames))
                .sound(frames.map(|index| stamp(sound(index)) - start))
        }).collect();
        let timeline = timeline(&recorded, &config, Gaps::Keep);
        let (video, audio) = (timeline.video.as_ref().unwrap(), timeline.audio.as_ref().unwrap());
        prop_assert!(timeline.events.iter().all(|event| matches!(event, Event::CadenceRestored { .. })), "{:?}", timeline.events);
        check_edit(video);
        check_edit(audio);
        let stamps = |samples: fn(&Recorded) -> &Vec<crate::plan::Sample>| -> Vec<i64> {
            let each = recorded.iter().flat_map(|fragment| {
                samples(fragment).iter().map(|sample| fragment.start_ms * 1_000_000 + sample.time_ns)
            });
            each.collect()
        };
        let shown = presented(video);
        let heard: Vec<i64> = presented(audio).into_iter().step_by(if pcm { 160 } else { 1 }).collect();
        let pictures = shown.into_iter().zip(stamps(|fragment| &fragment.pictures));
        let sounds = heard.into_iter().zip(stamps(|fragment| &fragment.sound));
        let offs: Vec<i64> = pictures.chain(sounds).map(|(found, stamp)| found - stamp).collect();
        let (least, most) = (offs.iter().min().unwrap(), offs.iter().max().unwrap());
        // Half a tick to both sides, and a tick of the tracks' own.
        prop_assert!(most - least <= 1_000_000 + 25_000, "{} ns apart", most - least);
    }

    /// Pictures that jitter, with B-frames or without: each is presented at its time, on the first as on any other.
    #[test]
    fn pictures_that_jitter_come_out_at_their_times(
        jitter in prop::collection::vec(-8..=8_i64, 30..90),
        b_frames in 0..5_usize,
        step_ms in 25..60_i64,
        per_fragment in 10..40_usize,
    ) {
        let times: Vec<i64> = (0..).zip(&jitter).map(|(index, jitter)| index * step_ms + jitter).collect();
        let recorded: Vec<Recorded> = times.chunks(per_fragment).map(|shown| {
            let start = shown[0];
            let pictures = shown.iter().map(|time| time - start).collect();
            Recorded::at(start).pictures(in_decode_order(pictures, b_frames))
        }).collect();
        let timeline = timeline(&recorded, &aac(), Gaps::Keep);
        prop_assert!(timeline.events.iter().all(|event| matches!(event, Event::CadenceRestored { .. })), "{:?}", timeline.events);
        let video = timeline.video.unwrap();
        check_edit(&video);
        let decoded = recorded.iter().flat_map(|fragment| {
            fragment.pictures.iter().map(|picture| fragment.start_ms * 1_000_000 + picture.time_ns - times[0] * 1_000_000)
        });
        for (shown, recorded) in presented(&video).into_iter().zip(decoded) {
            prop_assert!((shown - recorded).abs() <= 500_000 + 25_000, "{} for {}", shown, recorded);
        }
    }

    /// Whatever the times of blocks are: tables add up, decode times increase, no frame is lost, and the report tells
    /// how far the sound is off.
    #[test]
    fn any_times_make_a_timeline(
        fragments in prop::collection::vec(
            (
                -2000..4000_i64,
                prop::collection::vec((-200..2000_i64, 0..8_u8), 0..40),
                prop::collection::vec(-200..2000_i64, 0..40),
            ),
            1..5,
        ),
        pcm in any::<bool>(),
        close in any::<bool>(),
    ) {
        let config = if pcm { alaw() } else { aac() };
        let mut at = 10_000;
        let recorded: Vec<Recorded> = fragments.iter().map(|(distance, pictures, sound)| {
            at += distance;
            let mut recorded = Recorded::at(at);
            if !pictures.is_empty() {
                recorded = recorded.pictures(pictures.iter().map(|(time, _)| *time));
                for (index, (_, flag)) in pictures.iter().enumerate() {
                    let flag = match flag { 0 => FrameFlags::SYNC, 1 => FrameFlags::LEADING, _ => FrameFlags::default() };
                    recorded = recorded.flag(index, flag);
                }
            }
            recorded.sound(sound.iter().copied())
        }).collect();
        let timeline = timeline(&recorded, &config, if close { Gaps::Close } else { Gaps::Keep });
        let count = |times: &Option<TrackTimes>| times.as_ref().map_or(0, |times| presented(times).len());
        let pictures: usize = fragments.iter().map(|(_, pictures, _)| pictures.len()).sum();
        let frames: usize = fragments.iter().map(|(_, _, sound)| sound.len()).sum();
        prop_assert_eq!(count(&timeline.video), pictures);
        prop_assert_eq!(count(&timeline.audio), frames * if pcm { 160 } else { 1 });
        prop_assert_eq!(timeline.fragment_starts_ns.len(), fragments.len());
        let starts = timeline.video.iter().chain(&timeline.audio).map(|times| times.start);
        prop_assert!(starts.clone().min().is_none_or(|start| start >= Nanos::ZERO));
    }
}

/// The worked example of the module's documentation.
#[test]
fn the_worked_example() {
    let example = |second_ms| {
        let first = Recorded::at(1_700_000_000_000).pictures([0, 67, 33]).sound([0, 21, 43, 64, 85]);
        let second = Recorded::at(second_ms).pictures([0]).sound([7]);
        timeline(&[first, second], &aac(), Gaps::Keep)
    };
    let plain = example(1_700_000_000_100);
    let (video, audio) = (plain.video.unwrap(), plain.audio.unwrap());
    assert_eq!((video.timescale.get(), video.deltas.as_slice()), (30_000, &[(4, 1000)][..]));
    let offsets = video.offsets.as_slice();
    assert_eq!(offsets, [(1, 1000), (1, 2000), (1, 0), (1, 1000)]);
    assert_eq!((video.edit().media_time, video.edit().start.get()), (1000, 0));
    assert_eq!(audio.deltas.as_slice(), [(6, 1024)]);
    assert!(audio.edit().is_identity());
    let early = example(1_700_000_000_060);
    let moved = early.events.iter().find_map(|event| match event {
        Event::Moved { by_ns, .. } => Some(*by_ns),
        _ => None,
    });
    assert_eq!(moved, Some(41_000_000));
    let late = example(1_700_000_005_100);
    let gap = late.events.iter().find_map(|event| match event {
        Event::Gap { duration_ns, closed: false, .. } => Some(*duration_ns),
        _ => None,
    });
    assert!(gap.is_some_and(|gap| gap.abs_diff(5_000_000_000) < 1_000_000), "{gap:?}");
    assert_eq!(millis(&late.video.unwrap()), [0, 67, 33, 5100]);
}
