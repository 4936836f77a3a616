//! Clocks that jump, drift, are coarse or declare what the frames contradict.

use getclip::{Gaps, Report};
use testkit::frames::{Frame, Tolerance, assert_same_frames, assert_same_frames_within, frames_of};
use testkit::mp4::Movie;
use testkit::recording::Recording;

use crate::cases::assert_reported;
use crate::clips::{build_with, clip, clip_with, everything, lines};

const MS: i128 = 1_000_000;

fn clip_of(case: &Recording) -> (Vec<u8>, Report) {
    clip(case.bytes.clone())
}

/// No line of the report has this word.
#[track_caller]
fn assert_not_reported(report: &Report, word: &str) {
    let lines = lines(report);
    assert!(lines.iter().all(|line| !line.contains(word)), "{lines:#?}");
}

/// Presentation times of the video in decode order.
fn video_times(mp4: &[u8]) -> Vec<i128> {
    let movie = Movie::parse(mp4);
    let video = movie.video();
    video.samples.iter().map(|sample| video.time_of(sample).expect("a picture that is shown")).collect()
}

/// A fragment that begins between a P picture and the B pictures shown before it does not overlap the one before.
#[test]
fn reordering_across_the_border_of_fragments() {
    let case = Recording::case("k01_bframes_fragment_inside_minigop");
    let (mp4, report) = clip_of(&case);
    assert_same_frames(&mp4, &case.frames());
    assert_eq!(Movie::parse(&mp4).duration_ns(), 8000 * MS);
    assert_not_reported(&report, "moved");
}

/// Two frames share a stamp at the border of fragments: pictures stay where they are, and sound has no seam.
#[test]
fn sound_of_one_stamp_at_the_border() {
    let case = Recording::case("k05_aac8k_equal_stamps_at_border");
    let (mp4, report) = clip_of(&case);
    // Three quarters of a frame of 128 ms.
    assert_same_frames_within(&mp4, &case.frames(), Tolerance { video_ns: 500_000, audio_ns: 96 * MS });
    assert_not_reported(&report, "moved");
    let movie = Movie::parse(&mp4);
    assert_eq!(movie.audio().table.time_to_sample, [(46, 1024)]);
}

/// Decode order is display order in this stream, so what follows the step moves by the least amount.
#[test]
fn a_step_back_without_reordering() {
    let case = Recording::case("k06_step_back_100ms_inside_fragment");
    let (mp4, report) = clip_of(&case);
    let mut expected = case.frames();
    let step = (1..expected.len()).find(|&i| expected[i].time_ns < expected[i - 1].time_ns).expect("a step");
    let moved_by = expected[step - 1].time_ns + 100 * MS / 3 - expected[step].time_ns;
    expected[step..].iter_mut().for_each(|frame| frame.time_ns += moved_by);
    // The duration of a picture between two of whole milliseconds.
    assert_same_frames_within(&mp4, &expected, Tolerance { video_ns: MS, audio_ns: 0 });
    assert!(video_times(&mp4).is_sorted_by(|a, b| a < b));
    assert_reported(&report, &["moved"]);
}

/// CodecDelay is subtracted: the first frame of sound is priming and cut, the second is heard with the first picture.
#[test]
fn codec_delay() {
    let case = Recording::case("c01_codecdelay_kvs");
    let mut expected = case.frames();
    for (index, frame) in (-1..).zip(expected.iter_mut().filter(|frame| frame.track == 2)) {
        let time_ns = index * 1024 * 1_000_000_000 / 48_000;
        assert!((frame.time_ns - time_ns).abs() < MS, "the input is this, in whole milliseconds");
        frame.time_ns = time_ns;
    }
    let (mp4, _) = clip_of(&case);
    assert_same_frames_within(&mp4, &expected, Tolerance { video_ns: 500_000, audio_ns: MS });
}

/// A DefaultDuration that the frames contradict is not believed: neither for the last frame, nor for gaps.
#[track_caller]
fn contradicted_duration(name: &str) {
    let case = Recording::case(name);
    let (mp4, report) = clip_of(&case);
    let expected = case.frames();
    assert_same_frames(&mp4, &expected);
    let end = Movie::parse(&mp4).duration_ns();
    let last = expected.iter().map(|frame| frame.time_ns).max().expect("a frame");
    assert!((last + 25 * MS..last + 45 * MS).contains(&end), "{name}: ends at {end} after {last}");
    assert_not_reported(&report, "gap");
    assert_not_reported(&report, "moved");
}

#[test]
fn default_durations_that_the_frames_contradict() {
    contradicted_duration("m01_defdur_11us");
    contradicted_duration("m02_defdur_1h");
    contradicted_duration("m02d_defdur_31years");
    contradicted_duration("m29c_defdur_half_jitter");
}

/// Real time is not cut where there is no gap.
#[test]
fn closing_gaps_goes_by_the_frames_own_steps() {
    for name in ["m01_defdur_11us", "m29c_defdur_half_jitter"] {
        let case = Recording::case(name);
        let (mp4, _) = clip_with(&everything().gaps(Gaps::Close), case.bytes.clone());
        assert_same_frames(&mp4, &case.frames());
    }
}

/// Each fragment begins 200 ms too early: it is moved to one frame after the one before, not by an hour.
#[test]
fn an_overlap_under_a_contradicted_duration() {
    let case = Recording::case("m02b_defdur_1h_overlap");
    let (mp4, report) = clip_of(&case);
    let in_turn = |(index, frame): (i128, Frame)| Frame { time_ns: index * 100 * MS / 3, ..frame };
    let expected: Vec<Frame> = (0..).zip(case.frames()).map(in_turn).collect();
    assert_same_frames_within(&mp4, &expected, Tolerance { video_ns: MS, audio_ns: 0 });
    assert_reported(&report, &["moved"]);
}

/// All pictures of a second share a time. They follow each other within it, and nothing is made of the steps of 1 s.
#[test]
fn a_coarse_timestamp_scale() {
    let case = Recording::case("k09_scale_1s");
    let (mp4, report) = clip_of(&case);
    assert_same_frames_within(&mp4, &case.frames(), Tolerance { video_ns: 1000 * MS, audio_ns: 0 });
    assert!(video_times(&mp4).is_sorted_by(|a, b| a < b));
    assert_not_reported(&report, "gap");
    assert_not_reported(&report, "cadence");
}

/// A device without a clock: the two fragments of 1970 and the one of 2023 are either one clip, or the error tells what to
/// do. Joined they are.
#[test]
fn a_clock_that_is_set_after_the_start() {
    let case = Recording::case("k10_boot_1970");
    let (mp4, _) = clip_with(&everything().gaps(Gaps::Close), case.bytes.clone());
    assert_eq!(Movie::parse(&mp4).video().samples.len(), case.frames().len());
    match build_with(&everything(), case.bytes.clone()) {
        Ok(clip) => assert_eq!(clip.report().fragments.len(), 3),
        Err(error) => {
            let text = error.to_string();
            for word in ["1970-01-01", "2023-11-14"] {
                assert!(text.contains(word), "{text} does not name {word}");
            }
            assert!(text.to_lowercase().contains("close"), "{text} names no option");
            assert!(error.location().fragment.is_some(), "{text}");
        }
    }
}

/// The testkit's own writer and reader agree on times, so that a case can be built as well as loaded.
#[test]
fn built_and_loaded_cases_are_the_same() {
    use testkit::mkv::{Fragment, Track, avc_blocks, documents};
    let fragment = |index: u64| {
        Fragment::stored(
            index,
            1_700_000_000_000 + index * 80,
            vec![Track::avc()],
            avc_blocks(index, [0, 40]),
        )
    };
    let fragments: Vec<Fragment> = (0..3).map(fragment).collect();
    assert_eq!(Recording::read(documents(&fragments)).frames(), frames_of(&fragments));
}
