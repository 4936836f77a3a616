//! What holds for any timeline: random fragments, random groups of pictures, random sound.

use crate::clips::{build_with, everything, file, fragment_name, ready};
use bytes::Bytes;
use getclip::{ClipBuilder, Event, FragmentReader, Gaps, Report};
use proptest::prelude::*;
use testkit::media;
use testkit::mkv::{self, Block, Fragment, Track};
use testkit::mp4::{Movie, TrackView};

const START: u64 = 1_700_000_000_000;
const MS: i128 = 1_000_000;

/// A group of pictures: its times in decode order, in milliseconds.
///
/// Presentation times rise steadily, or by random steps (0 is a collision, as clocks of milliseconds make them). Anchors
/// are decoded ahead of up to seven B-frames each, which follow one after the other or as a hierarchy.
fn group_of_pictures() -> impl Strategy<Value = Vec<i16>> {
    let steps = prop_oneof![
        3 => prop::collection::vec(Just(40), 1..30),
        2 => prop::collection::vec(prop_oneof![Just(33), Just(34)], 1..30),
        2 => prop::collection::vec(28..=38_i16, 1..30),
        2 => prop::collection::vec(0..90_i16, 1..20),
    ];
    (steps, 1..=8_usize, any::<bool>()).prop_map(|(steps, len, hierarchical)| {
        let times: Vec<i16> = (0..steps.len()).map(|shown| steps[..shown].iter().sum()).collect();
        // The first is an IDR picture: a closed group begins with the picture that is shown first.
        let mut decoded = vec![times[0]];
        for group in times[1..].chunks(len) {
            decoded.push(group[group.len() - 1]);
            b_frames(&group[..group.len() - 1], hierarchical, &mut decoded);
        }
        decoded
    })
}

/// The B-frames that are shown at these times, in decode order.
fn b_frames(shown: &[i16], hierarchical: bool, decoded: &mut Vec<i16>) {
    match shown {
        [] => {}
        _ if !hierarchical => decoded.extend(shown),
        _ => {
            let middle = shown.len() / 2;
            decoded.push(shown[middle]);
            b_frames(&shown[..middle], true, decoded);
            b_frames(&shown[middle + 1..], true, decoded);
        }
    }
}

/// A fragment of a random timeline.
#[derive(Debug, Clone)]
struct Part {
    /// Milliseconds from the end of the one before it; negative where they overlap.
    distance: i64,
    /// Of its pictures, in decode order.
    times: Vec<i16>,
    /// When its sound begins, and how many frames of it there are.
    sound: Option<(i16, i16)>,
}

fn timeline() -> impl Strategy<Value = Vec<Part>> {
    let distance = prop_oneof![
        4 => Just(0_i64),
        1 => -30..30_i64,
        1 => -3000..3000_i64,
        1 => Just(7_200_000_i64),
    ];
    let sound = prop::option::weighted(0.8, (-200..200_i16, 1..40_i16));
    let part = (distance, group_of_pictures(), sound).prop_map(|(distance, times, sound)| Part {
        distance,
        times,
        sound,
    });
    prop::collection::vec(part, 1..8)
}

fn fragments_of(timeline: &[Part]) -> Vec<Fragment> {
    let mut at = START as i64 + 3_600_000;
    let mut fragments: Vec<Fragment> = Vec::new();
    for (index, Part { distance, times, sound }) in (0..).zip(timeline) {
        at = (at + distance).max(START as i64);
        let picture = |(i, time)| Block::new(1, time, i == 0, media::avc_frame(index * 100 + i, 24, i == 0));
        let mut blocks: Vec<Block> = (0..).zip(times.iter().copied()).map(picture).collect();
        let (from, count) = sound.unwrap_or_default();
        let frame = |i| Block::new(2, from + i * 64 / 3, true, media::aac_frame(index * 100 + i as u64, 9));
        blocks.extend((0..count).map(frame));
        // By server timestamp no two are duplicates, and the order is that of the input.
        let server = mkv::decimal_seconds(START + 90_000_000 + index);
        let tracks = vec![Track::avc_reordered(), Track::aac()];
        fragments.push(Fragment::stored(index, at as u64, tracks, blocks).server(&server));
        at += i64::from(*times.iter().max().expect("a picture")) + 40;
    }
    fragments
}

fn builder(gaps: Gaps) -> ClipBuilder {
    let clock = getclip::ClipFragmentSelectorType::ServerTimestamp;
    ClipBuilder::new(getclip::ClipFragmentSelector::all(clock)).gaps(gaps)
}

/// By how much each fragment is later than its producer timestamp says, by the report alone.
fn stated_shifts(fragments: &[Fragment], report: &Report) -> Vec<i128> {
    let mut closed = 0;
    fragments
        .iter()
        .zip(0..)
        .map(|(_, index)| {
            let name = fragment_name(index);
            let mut shift = 0;
            for event in &report.events {
                match event {
                    Event::Moved { fragment, by_ns } if *fragment == name => shift = i128::from(*by_ns),
                    Event::Gap { fragment, duration_ns, closed: true } if *fragment == name => {
                        closed += i128::from(*duration_ns);
                    }
                    _ => {}
                }
            }
            shift - closed
        })
        .collect()
}

/// Input times of one track in decode order, with the fragment of each, in nanoseconds.
fn input_times(fragments: &[Fragment], track: u64) -> Vec<(usize, i128)> {
    let times = fragments.iter().enumerate().flat_map(|(index, fragment)| {
        let start = i128::from(fragment.cluster_timestamp) * MS;
        let blocks = fragment.blocks.iter().filter(move |block| block.track == track);
        blocks.map(move |block| (index, start + i128::from(block.time) * MS))
    });
    times.collect()
}

fn bytes_of(fragments: &[Fragment], track: u64) -> Vec<&[u8]> {
    let blocks = fragments.iter().flat_map(|fragment| &fragment.blocks);
    blocks.filter(|block| block.track == track).map(|block| &block.frames[0][..]).collect()
}

fn presented(track: &TrackView<'_>) -> Vec<i128> {
    track.samples.iter().map(|sample| track.time_of(sample).expect("every sample is shown")).collect()
}

/// By how much later than the shift of its fragment a picture can be, by the report alone.
fn stated_steps(fragments: &[Fragment], report: &Report) -> Vec<i128> {
    let by = |index| {
        report.events.iter().find_map(|event| match event {
            Event::SteppedBack { fragment, by_ns, .. } if *fragment == fragment_name(index) => Some(*by_ns),
            _ => None,
        })
    };
    (0..).zip(fragments).map(|(index, _)| by(index).map_or(0, i128::from)).collect()
}

/// How far `found` is from `expected`, apart from one shift of all: half the distance of the extremes.
fn spread(found: &[i128], expected: &[i128]) -> (i128, i128) {
    let off = || found.iter().zip(expected).map(|(found, expected)| found - expected);
    let (least, most) = (off().min().unwrap_or(0), off().max().unwrap_or(0));
    ((most - least + 1) / 2, (most + least) / 2)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_timeline_comes_out_whole_in_order_and_on_time(timeline in timeline(), close in any::<bool>()) {
        let fragments = fragments_of(&timeline);
        let gaps = if close { Gaps::Close } else { Gaps::Keep };
        let built = build_with(&builder(gaps), mkv::documents(&fragments)).unwrap();
        let (mp4, report) = (file(&built), built.report());
        // Sums of stts, durations and chunks are checked as it is read.
        let movie = Movie::parse(&mp4);
        let video = movie.video();

        // No frame is lost or doubled, and decode order is that of the input.
        let samples: Vec<&[u8]> = video.samples.iter().map(|sample| sample.bytes).collect();
        prop_assert!(samples == bytes_of(&fragments, 1));
        prop_assert!(video.samples.is_sorted_by(|a, b| a.dts < b.dts));
        prop_assert!(video.samples.iter().all(|sample| sample.cts_offset >= 0));

        // Within a fragment, the order of presentation is that of the input; frames of equal time stay in decode order.
        let shown = presented(video);
        let input = input_times(&fragments, 1);
        let steps = stated_steps(&fragments, report);
        for (index, _) in fragments.iter().enumerate().filter(|(index, _)| steps[*index] == 0) {
            let mut order: Vec<usize> = (0..input.len()).filter(|i| input[*i].0 == index).collect();
            order.sort_by_key(|i| input[*i].1);
            prop_assert!(order.is_sorted_by(|a, b| shown[*a] < shown[*b]), "fragment {}", index);
        }
        // No fragment is shown before the one in front of it.
        let last_of = |fragment| (0..input.len()).filter(|i| input[*i].0 == fragment).map(|i| shown[i]).max();
        for ((fragment, _), time) in input.iter().zip(&shown) {
            prop_assert!(*fragment == 0 || last_of(fragment - 1) < Some(*time));
        }
        // B-frames are known by the room that their anchors leave them. Steps of any length can leave none.
        for (index, Part { times, .. }) in timeline.iter().enumerate() {
            let mut sorted = times.clone();
            sorted.sort_unstable();
            let is_steady = sorted.windows(2).all(|pair| (28..=40).contains(&(pair[1] - pair[0])));
            prop_assert!(!is_steady || steps[index] == 0, "fragment {}: {:?}", index, report.events);
        }

        // Presentation times are the input's and the stated shift.
        let shifts = stated_shifts(&fragments, report);
        let expected: Vec<i128> = input.iter().map(|(fragment, time)| time + shifts[*fragment]).collect();
        let exact = |of: &[i128]| -> Vec<i128> {
            (0..of.len()).filter(|i| steps[input[*i].0] == 0).map(|i| of[i]).collect()
        };
        let (video_off, video_shift) = spread(&exact(&shown), &exact(&expected));
        // A collision is spread by ticks of 1/90,000 s.
        let collisions = report.events.iter().map(|event| match event {
            Event::CollisionsSpread { frames, .. } => *frames as i128,
            _ => 0,
        }).sum::<i128>();
        let tolerance = MS / 2 + collisions * 12_000 + 2;
        prop_assert!(video_off <= tolerance, "{} ns: {:?}", video_off, report.events);
        if steps.iter().all(|step| *step != 0) {
            return Ok(());
        }
        for (i, (fragment, _)) in input.iter().enumerate() {
            let off = shown[i] - expected[i] - video_shift;
            prop_assert!((-tolerance..=steps[*fragment] + tolerance).contains(&off), "{} ns", off);
        }

        let heard = input_times(&fragments, 2);
        if heard.is_empty() {
            prop_assert_eq!(movie.tracks.len(), 1);
            return Ok(());
        }
        // Sound: the same, as far off as the report states; so the offset between the tracks is known.
        let audio = movie.audio();
        let samples: Vec<&[u8]> = audio.samples.iter().map(|sample| sample.bytes).collect();
        prop_assert!(samples == bytes_of(&fragments, 2));
        prop_assert!(audio.samples.is_sorted_by(|a, b| a.dts < b.dts));
        let found = presented(audio);
        let stated = report.events.iter().map(|event| match event {
            Event::AudioLate { by_ns, .. } => i128::from(*by_ns),
            Event::AudioOffTimestamps { by_ns, .. } => i128::from(*by_ns),
            _ => 0,
        }).max().unwrap_or(0).max(MS / 2);
        for ((fragment, time), found) in heard.iter().zip(&found) {
            let off = found - (time + shifts[*fragment]) - video_shift;
            let bound = stated + MS + steps[*fragment];
            prop_assert!(off.abs() <= bound, "{} ns in fragment {}: {:?}", off, fragment, report.events);
        }
    }

    #[test]
    fn the_output_does_not_depend_on_how_the_input_arrives(
        timeline in timeline(),
        cuts in prop::collection::vec(1..2000_usize, 1..40),
    ) {
        let input = Bytes::from(mkv::documents(&fragments_of(&timeline)));
        let whole = build_with(&everything(), input.clone()).unwrap();
        let mut reader = FragmentReader::new();
        let mut arrived = Vec::new();
        let mut rest = input;
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            reader.push(rest.split_to((*cut).min(rest.len())));
            arrived.extend(ready(&mut reader));
        }
        reader.finish();
        arrived.extend(ready(&mut reader));
        let chunked = everything().build(arrived).unwrap();
        prop_assert!(file(&whole) == file(&chunked));
        prop_assert_eq!(whole.report(), chunked.report());
    }
}
