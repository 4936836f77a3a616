//! Times of audio: the codec's frames follow each other by their length, and the blocks' timestamps keep them from
//! running away.

use crate::clips::{clip, clip_with, everything, fragment_name, lines, sound};
use getclip::{Event, Limits};
use testkit::frames::{self, Tolerance};
use testkit::media;
use testkit::mkv::{self, Block, Fragment, Track, aac_blocks, avc_blocks, g711_blocks};
use testkit::mp4::{Edit, Movie};

const START: u64 = 1_700_000_000_000;

/// Three quarters of a frame: a frame that was lost is always seen, and smaller jitter never.
fn three_quarters(frame_ns: i128) -> i128 {
    frame_ns * 3 / 4
}

/// 1024 samples at 48 kHz.
const AAC_FRAME_NS: i128 = 1024 * 1_000_000_000 / 48_000;
/// A block of 160 bytes at 8 kHz.
const G711_BLOCK_NS: i128 = 20_000_000;

/// Half a tick of the blocks' clock of milliseconds.
const ROUNDING_NS: i128 = 500_000;

fn tracks(audio: Track) -> Vec<Track> {
    vec![Track::avc(), audio]
}

/// When the `index`-th frame of AAC starts, in milliseconds as a clock shows it that rounds like this.
fn aac_time(index: i64, rounding_us: i64) -> i64 {
    (index * 64_000 / 3 + rounding_us) / 1000
}

#[test]
fn jitter_of_21_and_22_ms_is_one_run() {
    for rounding_us in [0, 500] {
        // Four fragments of 1024 ms.
        let fragment = |index: u64| {
            let times = (0..48).map(|i| aac_time(i, rounding_us) as i16);
            let blocks = [avc_blocks(index, (0..16).map(|i| i * 64)), aac_blocks(index, times)].concat();
            Fragment::stored(index, START + index * 1024, tracks(Track::aac()), blocks)
        };
        let input: Vec<Fragment> = (0..4).map(fragment).collect();
        let (mp4, report) = clip(mkv::documents(&input));
        let movie = Movie::parse(&mp4);
        assert_eq!(movie.audio().table.time_to_sample, [(192, 1024)]);
        assert_eq!(movie.audio().timescale, 48_000);
        assert!(movie.audio().edits.is_empty() && movie.video().edits.is_empty());
        let tolerance = Tolerance { video_ns: ROUNDING_NS, audio_ns: 1_000_000 };
        frames::assert_same_frames_within(&mp4, &frames::frames_of(&input), tolerance);
        assert!(!report.events.iter().any(|event| matches!(event, Event::AudioReanchored { .. })));
    }
}

/// Rounded, or shaken by up to three quarters of a frame: the frames themselves are where they were.
#[test]
fn jitter_below_the_tolerance_is_one_run() {
    let times = (0..400).map(|i| (aac_time(i, 500) + if i == 0 { 0 } else { i * 7919 % 31 - 15 }) as i16);
    let input = Fragment::stored(0, START, tracks(Track::aac()), aac_blocks(1, times));
    let (mp4, _) = clip(with_picture(input).to_bytes());
    assert_eq!(Movie::parse(&mp4).audio().table.time_to_sample, [(400, 1024)]);
}

/// Puts a picture in front.
fn with_picture(mut fragment: Fragment) -> Fragment {
    fragment.blocks.splice(0..0, avc_blocks(0, [0]));
    fragment
}

/// An hour in fragments of 10 s, each with a picture at its start. The blocks are stamped by a clock that runs `ppm`
/// parts per million fast against the microphone's. Answers the clip, its report, and the stamps in nanoseconds.
fn an_hour_of_drift(audio: &Track, frame: impl Fn(usize) -> Vec<u8>, frame_ns: f64, ppm: f64) -> Drifted {
    let frames = (3.6e12 / frame_ns) as usize;
    let stamp_ms = |index: usize| (index as f64 * frame_ns * (1.0 + ppm / 1e6) / 1e6).round() as u64;
    let mut input: Vec<Fragment> = Vec::new();
    for index in 0..frames {
        let stamp = stamp_ms(index);
        if input.len() as u64 <= stamp / 10_000 {
            let at = input.len() as u64 * 10_000;
            let picture = avc_blocks(at, [0]);
            input.push(Fragment::stored(input.len() as u64, START + at, tracks(audio.clone()), picture));
        }
        let fragment = input.last_mut().unwrap();
        let offset = (START + stamp - fragment.cluster_timestamp) as i16;
        fragment.blocks.push(Block::new(2, offset, true, frame(index)));
    }
    let limits = Limits::default().with_max_fragments(1000.try_into().unwrap());
    let (mp4, report) = clip_with(&everything().limits(limits), mkv::documents(&input));
    Drifted { mp4, report, stamps_ns: (0..frames).map(|i| i128::from(stamp_ms(i)) * 1_000_000).collect() }
}

struct Drifted {
    mp4: Vec<u8>,
    report: getclip::Report,
    stamps_ns: Vec<i128>,
}

#[test]
fn aac_that_drifts_for_an_hour_stays_with_its_timestamps() {
    for ppm in [200.0, -200.0] {
        let drifted = an_hour_of_drift(&Track::aac(), |_| vec![0x21, 0x10], AAC_FRAME_NS as f64, ppm);
        let movie = Movie::parse(&drifted.mp4);
        let audio = movie.audio();
        assert_eq!(audio.samples.len(), drifted.stamps_ns.len());
        let worst = audio
            .samples
            .iter()
            .zip(&drifted.stamps_ns)
            .map(|(sample, stamp)| (audio.time_of(sample).unwrap() - stamp).abs())
            .max();
        assert!(worst <= Some(three_quarters(AAC_FRAME_NS) + ROUNDING_NS), "{ppm}: {worst:?} ns off");
        // 720 ms of drift, in steps of 16 ms, each with its place.
        let reanchored: Vec<(i64, u64)> = drifted
            .report
            .events
            .iter()
            .filter_map(|event| match event {
                Event::AudioReanchored { track: 2, at_ns, times, .. } => Some((*at_ns, *times)),
                _ => None,
            })
            .collect();
        let times: u64 = reanchored.iter().map(|(_, times)| times).sum();
        assert!((40..=50).contains(&times), "{ppm}: {times}");
        assert!(reanchored.is_sorted_by(|a, b| b.0 - a.0 >= 60_000_000_000), "{ppm}: {reanchored:?}");
    }
}

/// PCM cannot be made shorter, and sound moves no picture: where the microphone is the faster clock, the sound falls
/// behind its timestamps, and the report tells how far.
#[test]
fn g711_that_drifts_for_an_hour_moves_no_picture() {
    // 1000 Hz instead of 8000, for the size of the test.
    let track = Track::alaw().codec_private(media::wave_format(6, 1000, 1));
    for ppm in [200.0, -200.0] {
        let drifted = an_hour_of_drift(&track, |_| vec![0xD5; 20], G711_BLOCK_NS as f64, ppm);
        let movie = Movie::parse(&drifted.mp4);
        let (audio, video) = (movie.audio(), movie.video());
        assert_eq!(audio.pcm_bytes().len(), drifted.stamps_ns.len() * 20);
        for (sample, index) in video.samples.iter().zip(0..) {
            let off = video.time_of(sample).unwrap() - index * 10_000_000_000;
            assert!(off.abs() <= ROUNDING_NS, "{ppm}: {off}");
        }
        let mut due =
            audio.table.time_to_sample.iter().flat_map(|run| std::iter::repeat_n(run.1, run.0 as usize));
        let (mut time, mut least, mut most) = (0, 0, 0);
        for stamp in &drifted.stamps_ns {
            let off = time * 1_000_000_000 / i128::from(audio.timescale) - stamp;
            (least, most) = (off.min(least), off.max(most));
            time += due.by_ref().take(20).map(i128::from).sum::<i128>();
        }
        let late = drifted.report.events.iter().find_map(|event| match event {
            Event::AudioLate { track: 2, by_ns } => Some(i128::from(*by_ns)),
            _ => None,
        });
        let bound = three_quarters(G711_BLOCK_NS) + 2 * ROUNDING_NS;
        if ppm > 0.0 {
            assert!(-bound <= least && most <= bound, "{least} to {most} ns off");
            assert_eq!(late, None);
        } else {
            // 720 ms in an hour.
            assert!(
                (719_000_000..=721_000_000).contains(&most) && least >= -ROUNDING_NS,
                "{least} to {most}"
            );
            assert_eq!(late, Some(most));
        }
        assert!(!drifted.report.events.iter().any(|event| matches!(event, Event::Moved { .. })));
    }
}

/// AWS's C sample stamps its frames of 21.33 ms every 20 ms.
#[test]
fn aac_stamped_every_20_ms_stays_in_order_and_with_its_timestamps() {
    let fragment = |index: u64| {
        let blocks =
            [avc_blocks(index, (0..50).map(|i| i * 40)), aac_blocks(index, (0..100).map(|i| i * 20))];
        Fragment::stored(index, START + index * 2000, tracks(Track::aac()), blocks.concat())
    };
    let input: Vec<Fragment> = (0..30).map(fragment).collect();
    let (mp4, report) = clip(mkv::documents(&input));
    let tolerance = Tolerance { video_ns: ROUNDING_NS, audio_ns: three_quarters(AAC_FRAME_NS) + ROUNDING_NS };
    frames::assert_same_frames_within(&mp4, &frames::frames_of(&input), tolerance);
    assert!(lines(&report).iter().any(|line| line.contains("set to its timestamps again")));
    assert!(!report.events.iter().any(|event| matches!(event, Event::Moved { .. })));
}

/// 1024 ms: 16 pictures of 64 ms, and 48 frames of AAC.
fn fragment(index: u64, audio_from_ms: i16) -> Fragment {
    let audio = (0..48).map(|i| aac_time(i, 500) as i16 + audio_from_ms);
    let blocks = [avc_blocks(index, (0..16).map(|i| i * 64)), aac_blocks(index, audio)].concat();
    Fragment::stored(index, START + index * 1024, tracks(Track::aac()), blocks)
}

#[test]
fn sound_is_in_time_again_after_a_fragment_without_it() {
    let mut input: Vec<Fragment> = (0..4).map(|index| fragment(index, 0)).collect();
    input[1].blocks.retain(|block| block.track == 1);
    let (mp4, report) = clip(mkv::documents(&input));
    frames::assert_same_frames(&mp4, &frames::frames_of(&input));
    assert_eq!(report.tracks[1].samples, 3 * 48);
}

#[test]
fn a_clip_that_begins_without_sound() {
    let mut input: Vec<Fragment> = (0..3).map(|index| fragment(index, 0)).collect();
    input[0].blocks.retain(|block| block.track == 1);
    let (mp4, _) = clip(mkv::documents(&input));
    frames::assert_same_frames(&mp4, &frames::frames_of(&input));
}

/// The track that starts later gets an empty edit (ISO/IEC 14496-12 section 8.6.6).
#[test]
fn sound_that_starts_after_or_before_the_picture() {
    for (from_ms, late) in [(500, "soun"), (1, "soun"), (-256, "vide"), (-1, "vide")] {
        let input = [fragment(0, from_ms), fragment(1, from_ms)];
        let (mp4, _) = clip(mkv::documents(&input));
        frames::assert_same_frames(&mp4, &frames::frames_of(&input));
        let movie = Movie::parse(&mp4);
        let [Edit { duration, media_time: -1 }, Edit { media_time: 0, .. }] = movie.track(late).edits[..]
        else {
            panic!("{from_ms}: {:?}", movie.track(late).edits)
        };
        assert_eq!(duration * 1000, u64::from(movie.timescale) * u64::from(from_ms.unsigned_abs()));
        let early = if late == "soun" { "vide" } else { "soun" };
        assert!(movie.track(early).edits.is_empty(), "{from_ms}");
    }
}

/// Five seconds of A-law in blocks of 20 ms, without those of `lost`.
fn g711_without(lost: std::ops::Range<i16>) -> Fragment {
    let times = (0..250).filter(|index| !lost.contains(index)).map(|index| index * 20);
    let blocks = [avc_blocks(0, (0..125).map(|i| i * 40)), g711_blocks(1, 160, times)].concat();
    Fragment::stored(0, START, tracks(Track::alaw()), blocks)
}

#[test]
fn lost_g711_packets_leave_a_hole() {
    for lost in [100..101, 100..105, 50..200] {
        let input = g711_without(lost.clone());
        let (mp4, report) = clip(input.to_bytes());
        frames::assert_same_frames(&mp4, &frames::frames_of(&[input]));
        let (at_ns, lost_ns) = (i64::from(lost.start) * 20_000_000, lost.len() as u64 * 20_000_000);
        let fragment = fragment_name(0);
        let hole = Event::TrackGap { fragment: fragment.clone(), track: 2, at_ns, duration_ns: lost_ns };
        // One block that is lost could be one that is late.
        assert_eq!(report.events.contains(&hole), lost.len() > 1, "{lost:?}: {:?}", lines(&report));
        let reanchored =
            Event::AudioReanchored { fragment, track: 2, at_ns, times: 1, tolerance_ns: 15_000_000 };
        assert!(report.events.contains(&reanchored), "{lost:?}: {:?}", lines(&report));
    }
    let input = g711_without(0..0);
    let (mp4, report) = clip(input.to_bytes());
    assert_eq!(Movie::parse(&mp4).audio().table.time_to_sample, [(40_000, 1)]);
    assert!(!report.events.iter().any(|event| matches!(event, Event::AudioReanchored { .. })));
}

#[test]
fn a_lost_frame_of_aac_leaves_a_hole_of_one_frame() {
    let mut input = fragment(0, 0);
    input.blocks.remove(16 + 20);
    let (mp4, _) = clip(input.to_bytes());
    let movie = Movie::parse(&mp4);
    let durations: Vec<u32> = movie.audio().samples.iter().map(|sample| sample.duration).collect();
    assert_eq!(durations.iter().filter(|duration| **duration == 1024).count(), 46);
    assert!(durations[19].abs_diff(2048) <= 48, "the frame in front of the hole: {} ticks", durations[19]);
    let tolerance = Tolerance { video_ns: ROUNDING_NS, audio_ns: 2 * ROUNDING_NS };
    frames::assert_same_frames_within(&mp4, &frames::frames_of(&[input]), tolerance);
}

/// All the sound of a fragment arrives in one block of 8000 bytes.
#[test]
fn g711_blocks_of_any_size() {
    for (length, step) in [(8000, 1000), (8, 1), (160, 20), (1, 0)] {
        let times: Vec<i16> = if step == 0 { vec![0] } else { (0..10).map(|i| i * step).collect() };
        let blocks = [avc_blocks(0, [0, 40]), g711_blocks(1, length, times)].concat();
        let input = Fragment::stored(0, START, tracks(Track::mulaw()), blocks);
        let (mp4, _) = clip(input.to_bytes());
        frames::assert_same_frames(&mp4, &frames::frames_of(&[input]));
    }
}

/// Blocks of one fragment that differ in length, each with the tolerance of its own length.
#[test]
fn g711_blocks_that_differ() {
    let blocks = |late_ms: i16| {
        let video = avc_blocks(0, (0..50).map(|i| i * 40));
        let short = g711_blocks(1, 160, (0..10).map(|i| i * 20));
        let shorter = g711_blocks(2, 80, [200, 210]);
        let long = g711_blocks(3, 1600, (0..6).map(|i| 220 + i * 200 + i % 2 * late_ms));
        Fragment::stored(0, START, tracks(Track::alaw()), [video, short, shorter, long].concat())
    };
    for late_ms in [0, 39] {
        let input = blocks(late_ms);
        let (mp4, report) = clip(input.to_bytes());
        let tolerance = Tolerance { video_ns: ROUNDING_NS, audio_ns: i128::from(late_ms) * 1_000_000 };
        frames::assert_same_frames_within(&mp4, &frames::frames_of(&[input]), tolerance);
        assert_eq!(Movie::parse(&mp4).audio().table.time_to_sample, [(11_360, 1)]);
        assert!(!report.events.iter().any(|event| matches!(event, Event::AudioReanchored { .. })));
    }
}

/// A jump of the sound is reported, but not where a gap makes it expected.
#[test]
fn a_jump_counts_unless_a_gap_is_why() {
    let reanchored = |input: &[Fragment]| {
        let (mp4, report) = clip(mkv::documents(input));
        let tolerance = Tolerance { video_ns: ROUNDING_NS, audio_ns: 2 * ROUNDING_NS };
        frames::assert_same_frames_within(&mp4, &frames::frames_of(input), tolerance);
        let times = report.events.iter().filter_map(|event| match event {
            Event::AudioReanchored { times, .. } => Some(*times),
            _ => None,
        });
        times.sum::<u64>()
    };
    let lost = |mut fragment: Fragment, audio: std::ops::Range<usize>| {
        fragment.blocks.drain(16 + audio.start..16 + audio.end);
        fragment
    };
    let behind_the_first = |second| reanchored(&[fragment(0, 0), second]);
    assert_eq!(behind_the_first(fragment(1, 0)), 0);
    assert_eq!(behind_the_first(lost(fragment(1, 0), 0..5)), 1);
    assert_eq!(behind_the_first(lost(fragment(1, 0), 20..25)), 1);
    assert_eq!(behind_the_first(fragment(9, 0)), 0, "behind a gap");
    assert_eq!(behind_the_first(lost(fragment(9, 0), 20..25)), 1);
}

#[test]
fn stereo_g711_counts_pcm_frames_of_two_bytes() {
    let track = Track::alaw().codec_private(media::wave_format(6, 8000, 2));
    let blocks = [avc_blocks(0, [0, 500]), g711_blocks(1, 320, (0..50).map(|i| i * 20))].concat();
    let input = Fragment::stored(0, START, tracks(track), blocks);
    let (mp4, report) = clip(input.to_bytes());
    frames::assert_same_frames(&mp4, &frames::frames_of(&[input]));
    assert_eq!(Movie::parse(&mp4).audio().table.time_to_sample, [(8000, 1)]);
    assert_eq!((report.tracks[1].samples, sound(&report.tracks[1]).2), (8000, 2));
}

/// PCM cannot be made shorter: what is stamped twice as fast as it plays falls behind, and the report says how far.
#[test]
fn g711_that_runs_longer_than_its_timestamps_is_reported() {
    let late = |step_ms: i16| {
        let blocks =
            [avc_blocks(0, (0..10).map(|i| i * 40)), g711_blocks(0, 160, (0..20).map(|i| i * step_ms))];
        let (_, report) = clip(Fragment::stored(0, START, tracks(Track::alaw()), blocks.concat()).to_bytes());
        let late = report.events.into_iter().find(|event| matches!(event, Event::AudioLate { .. }));
        late.map(|event| if let Event::AudioLate { track: 2, by_ns, .. } = event { by_ns } else { 0 })
    };
    assert_eq!(late(20), None);
    // The last of 20 blocks of 20 ms plays at 380 ms and is stamped 190 ms.
    assert_eq!(late(10), Some(190_000_000));
}

/// A clock that rounds down shows frames up to two thirds of a millisecond early. Sound that begins behind the picture
/// is put in the middle of that, within half a tick of every block; sound that begins with it stays there.
#[test]
fn sound_behind_the_picture_is_put_in_the_middle_of_its_rounding() {
    for (start_ms, bound_ns) in [(0, 700_000), (480, 350_000)] {
        let times = (0..40).map(|i| (start_ms + aac_time(i, 0)) as i16);
        let blocks = [avc_blocks(0, (0..30).map(|i| i * 40)), aac_blocks(0, times)].concat();
        let input = [Fragment::stored(0, START, tracks(Track::aac()), blocks)];
        let (mp4, _) = clip(mkv::documents(&input));
        let tolerance = Tolerance { video_ns: ROUNDING_NS, audio_ns: bound_ns };
        frames::assert_same_frames_within(&mp4, &frames::frames_of(&input), tolerance);
        assert_eq!(Movie::parse(&mp4).video().edits, [], "the picture begins the clip");
    }
}
