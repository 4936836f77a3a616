//! Clocks that jump, drift, are coarse or declare what the frames contradict.

use getclip::{Gaps, Report};
use testkit::ebml::{self, id};
use testkit::frames::{Frame, Tolerance, assert_same_frames, assert_same_frames_within, frames_of};
use testkit::manifest;
use testkit::media::hevc_frame;
use testkit::mkv::{Block, Fragment, Track, aac_blocks, avc_blocks, documents};
use testkit::mp4::{Movie, TrackView};
use testkit::recording::{Recording, StoredFrame};

use crate::cases::assert_reported;
use crate::clips::{build_with, clip, clip_with, everything, lines, refusal};

const MS: i128 = 1_000_000;
const START: u64 = 1_700_000_000_000;

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
    let fragment = |index: u64| {
        Fragment::stored(index, START + index * 80, vec![Track::avc()], avc_blocks(index, [0, 40]))
    };
    let fragments: Vec<Fragment> = (0..3).map(fragment).collect();
    assert_eq!(Recording::read(documents(&fragments)).frames(), frames_of(&fragments));
}

/// Times of an IDR picture and of groups of P and two B pictures, 40 ms apart, in decode order.
fn with_b_frames(groups: i16) -> Vec<i16> {
    let group = |index: i16| [3, 1, 2].map(|place| (index * 3 + place) * 40);
    std::iter::once(0).chain((0..groups).flat_map(group)).collect()
}

/// A fragment of Main profile without VUI: nothing tells how far pictures are reordered.
fn main_profile(index: u64, at: u64, times: &[i16]) -> Fragment {
    let blocks = avc_blocks(index, times.iter().copied());
    Fragment::stored(index, START + at, vec![Track::avc_reordered()], blocks)
}

/// The second session begins too early, with an IDR picture: it is moved to one frame after the first, not sorted into it.
#[test]
fn a_second_session_that_begins_too_early() {
    for early in [60, 400] {
        let times = with_b_frames(8);
        let end = times.len() as u64 * 40;
        let input = [main_profile(0, 0, &times), main_profile(1, end - early, &times)];
        let (mp4, report) = clip(documents(&input));
        let mut expected = frames_of(&input);
        expected[times.len()..].iter_mut().for_each(|frame| frame.time_ns += i128::from(early) * MS);
        assert_same_frames(&mp4, &expected);
        assert_reported(&report, &["moved", &format!("{early} ms")]);
    }
}

/// The same steps inside a fragment, in a stream with B-frames and no IDR picture at the step.
#[test]
fn a_step_back_between_b_frames() {
    for back in [60, 400] {
        let mut times = with_b_frames(12);
        let input = [main_profile(0, 0, &times)];
        let expected = frames_of(&input);
        times[19..].iter_mut().for_each(|time| *time -= back);
        let (mp4, report) = clip(main_profile(0, 0, &times).to_bytes());
        assert_same_frames(&mp4, &expected);
        // The first picture after the step is the B-frame shown at 760 ms.
        assert_reported(&report, &["set back 1 time", "760 ms", &format!("{back} ms later")]);
    }
}

/// H.265 with B-frames, cut in two anywhere: whichever pictures the anchor leaves in the other fragment.
#[test]
fn reordering_across_the_border_in_h265() {
    let recording = Recording::read(manifest::mkv("h265_bframes"));
    let first = &recording.fragments[0];
    let private = first.tracks[0].codec_private.clone().expect("an hvcC");
    let track = Track::hevc().codec_private(private);
    let pictures: Vec<&StoredFrame> = first.frames.iter().filter(|frame| frame.track == 1).collect();
    let ms = |frame: &StoredFrame| ((frame.time_ns - pictures[0].time_ns) / MS) as i16;
    let fragment = |index: u64, pictures: &[&StoredFrame]| {
        let start = ms(pictures[0]);
        let block = |frame: &&StoredFrame| {
            Block::new(1, ms(frame) - start, frame.key, &recording.bytes[frame.range.clone()])
        };
        let blocks = pictures.iter().map(block).collect();
        Fragment::stored(index, START + start as u64, vec![track.clone()], blocks)
    };
    let is_split = |cut: usize| pictures[..cut].iter().any(|frame| ms(frame) > ms(pictures[cut]));
    let cuts: Vec<usize> = (1..pictures.len()).filter(|cut| is_split(*cut)).collect();
    assert!(cuts.len() > 10, "{cuts:?}");
    for cut in cuts {
        let input = [fragment(0, &pictures[..cut]), fragment(1, &pictures[cut..])];
        let (mp4, report) = clip(documents(&input));
        assert_same_frames(&mp4, &frames_of(&input));
        assert_not_reported(&report, "moved");
    }
}

/// Blocks whose times are cut to whole milliseconds: 29.97 pictures a second, and sound of 44.1 kHz.
#[test]
fn times_that_are_cut_are_within_half_a_millisecond_by_one_origin() {
    let picture = |index: i64| (index * 1_001_000 / 30_000) as i16;
    let sound = |index: i64| (index * 1_024_000 / 44_100) as i16;
    let blocks = [avc_blocks(0, (0..90).map(picture)), aac_blocks(0, (0..129).map(sound))].concat();
    let tracks = vec![Track::avc(), Track::aac().codec_private([0x12, 0x10])];
    let (mp4, report) = clip(Fragment::stored(0, START, tracks, blocks.clone()).to_bytes());
    let movie = Movie::parse(&mp4);
    let track = |number: u64| blocks.iter().filter(move |block| block.track == number);
    let offs = |found: &TrackView<'_>, number| -> Vec<i128> {
        let times =
            found.samples.iter().map(|sample| found.time_of(sample).expect("a sample that is presented"));
        times.zip(track(number)).map(|(time_ns, block)| time_ns - i128::from(block.time) * MS).collect()
    };
    let (video, audio) = (offs(movie.video(), 1), offs(movie.audio(), 2));
    assert_eq!((video.len(), audio.len()), (90, 129));
    // By one origin: the largest distance is a millisecond, and the rounding of the tables.
    let all = || video.iter().chain(&audio);
    assert!(all().max().unwrap() - all().min().unwrap() <= MS + 25_000, "{video:?} {audio:?}");
    assert_not_reported(&report, "timestamps");
}

/// A CodecDelay of 1024 samples of 44.1 kHz, on the sound of H.265.
#[test]
fn codec_delay_of_another_rate() {
    let delay_ns = 23_219_955;
    let sound = (0..60_i64).map(|index| (index * 1_024_000 / 44_100) as i16);
    let pictures =
        (0..30).map(|index| Block::new(1, index * 40, index == 0, hevc_frame(index as u64, 50, index == 0)));
    let audio = Track::aac().codec_private([0x12, 0x10]).extra(ebml::uint(id::CODEC_DELAY, delay_ns));
    let blocks = [pictures.collect(), aac_blocks(0, sound)].concat();
    let input = [Fragment::stored(0, START, vec![Track::hevc(), audio], blocks)];
    let (mp4, _) = clip(documents(&input));
    let mut expected = frames_of(&input);
    // The second frame is heard with the first picture.
    for (index, frame) in (-1..).zip(expected.iter_mut().filter(|frame| frame.track == 2)) {
        frame.time_ns = index * 1024 * 1_000_000_000 / 44_100;
    }
    assert_same_frames_within(&mp4, &expected, Tolerance { video_ns: 500_000, audio_ns: MS });
}

/// The duration of a field for that of a frame, and of a variable rate twice the usual step.
#[test]
fn durations_that_the_frames_contradict_in_h265() {
    for declared_ns in [20_000_000, 80_000_000, 11_111] {
        let track = Track::hevc().default_duration(declared_ns);
        let fragment = |index: u64| {
            let block =
                |i: i16| Block::new(1, i * 40, i == 0, hevc_frame(index * 100 + i as u64, 50, i == 0));
            Fragment::stored(index, START + index * 1000, vec![track.clone()], (0..25).map(block).collect())
        };
        let input = [fragment(0), fragment(1)];
        let (mp4, report) = clip(documents(&input));
        assert_same_frames(&mp4, &frames_of(&input));
        assert_eq!(Movie::parse(&mp4).duration_ns(), 2000 * MS, "{declared_ns}");
        assert_not_reported(&report, "gap");
        assert_not_reported(&report, "moved");
    }
}

/// 25 pictures a second by a clock of tenths of a second.
#[test]
fn a_clock_of_tenths_of_a_second() {
    let fragment = |index: u64| {
        let blocks = avc_blocks(index, (0..50).map(|picture| picture * 40 / 100));
        let fragment = Fragment::stored(index, START + index * 2000, vec![Track::avc()], blocks);
        fragment.timestamp_scale(100 * 1_000_000).cluster_timestamp(0)
    };
    let input = [fragment(0), fragment(1)];
    let (mp4, report) = clip(documents(&input));
    assert_same_frames_within(&mp4, &frames_of(&input), Tolerance { video_ns: 100 * MS, audio_ns: 0 });
    assert!(video_times(&mp4).is_sorted_by(|a, b| a < b));
    assert_not_reported(&report, "gap");
    assert_not_reported(&report, "cadence");
}

/// Frames that arrive up to 60 ms late, of which none was lost: one run, that stays where it is.
#[test]
fn jitter_of_arrival_is_no_loss() {
    let late = [0, 3, 60, 45, 21, 0, 9, 33, 12, 2];
    let exact = |index: i64| index * 64 / 3;
    let stamped = (0..90_i64).map(|index| (exact(index) + late[index as usize % late.len()]) as i16);
    let blocks = [avc_blocks(0, (0..50).map(|index| index * 40)), aac_blocks(0, stamped)].concat();
    let input = [Fragment::stored(0, START, vec![Track::avc(), Track::aac()], blocks)];
    let (mp4, report) = clip(documents(&input));
    assert_eq!(Movie::parse(&mp4).audio().table.time_to_sample, [(90, 1024)]);
    let mut expected = frames_of(&input);
    for (index, frame) in (0..).zip(expected.iter_mut().filter(|frame| frame.track == 2)) {
        frame.time_ns = i128::from(exact(index)) * MS;
    }
    assert_same_frames_within(&mp4, &expected, Tolerance { video_ns: 500_000, audio_ns: 25 * MS });
    assert_not_reported(&report, "set to its timestamps");
}

/// 60 days without a frame do not fit in a table: the error names both sides and the option, which joins them.
#[test]
fn a_gap_of_60_days() {
    let at = |index: u64, at| main_profile(index, at, &[0, 40, 80, 120]);
    let input = documents(&[at(0, 0), at(1, 60 * 86_400_000)]);
    let text = refusal(input.clone()).to_string();
    for words in ["60 days", "2023-11-14", "2024-01-13", "--gaps close"] {
        assert!(text.contains(words), "{text} lacks {words}");
    }
    let (mp4, report) = clip_with(&everything().gaps(Gaps::Close), input);
    assert_eq!(Movie::parse(&mp4).duration_ns(), 320 * MS);
    assert_reported(&report, &["gap of 60 days", "closed"]);
}
