//! Nothing happens silently.

use testkit::ebml::{self, id};
use testkit::frames::{Tolerance, assert_same_frames, assert_same_frames_within, frames_of};
use testkit::mkv::{Fragment, Track, aac_blocks, avc_blocks, documents};
use testkit::recording::Recording;

use crate::cases::assert_reported;
use crate::clips::{clip, fragment_name, lines};

const START: u64 = 1_700_000_000_000;

/// No picture from 2 s to 4 s while the sound goes on.
#[test]
fn a_hole_in_the_video() {
    let case = Recording::case("k12_no_video_in_one_fragment");
    let (mp4, report) = clip(case.bytes.clone());
    // The sound's times are cut to whole milliseconds, not rounded.
    assert_same_frames_within(&mp4, &case.frames(), Tolerance { video_ns: 500_000, audio_ns: 1_000_000 });
    assert_reported(&report, &["track 1", "2 s"]);
}

/// A fragment of 1024 ms of pictures, with sound as long.
fn with_sound(index: u64, at: u64) -> Fragment {
    let sound = (0..48_i32).map(|frame| ((frame * 64 + 1) / 3) as i16);
    let blocks = [avc_blocks(index, (0..16).map(|i| i * 64)), aac_blocks(index, sound)].concat();
    Fragment::stored(index, START + at, vec![Track::avc(), Track::aac()], blocks)
}

/// No sound from 1024 ms to 2048 ms while the pictures go on: where and how long, and that it is in time again.
#[test]
fn a_hole_in_the_sound() {
    let mut input: Vec<Fragment> = (0..3).map(|index| with_sound(index, index * 1024)).collect();
    input[1].blocks.retain(|block| block.track == 1);
    let (mp4, report) = clip(documents(&input));
    assert_same_frames(&mp4, &frames_of(&input));
    let name = fragment_name(2);
    let of_sound: Vec<String> = lines(&report).into_iter().filter(|line| line.contains("track 2")).collect();
    assert_eq!(
        of_sound,
        [
            format!("fragment {name}, track 2: no frames for 1 s from 1 s of the clip on"),
            format!(
                "fragment {name}, track 2: set to its timestamps again 1 time, first at 1 s of the clip, when more than \
                 16 ms off"
            ),
        ]
    );
}

/// 200 ms of sound are lost inside a fragment: where it was set to its timestamps again.
#[test]
fn a_reanchor_has_its_place() {
    let mut fragment = with_sound(0, 0);
    fragment.blocks.retain(|block| block.track == 1 || !(510..710).contains(&block.time));
    let (mp4, report) = clip(fragment.to_bytes());
    assert_same_frames(&mp4, &frames_of(&[fragment]));
    assert_reported(&report, &["track 2", "set to its timestamps again 1 time", "512 ms of the clip"]);
}

#[test]
fn a_gap_names_the_option_that_joins() {
    let (_, report) = clip(documents(&[with_sound(0, 0), with_sound(1, 6024)]));
    assert_reported(&report, &["gap of 5 s", "kept", "--gaps close"]);
}

/// RFC 9559 deprecates it, and no producer means it: the times are those of the blocks.
#[test]
fn a_track_timestamp_scale_is_reported_once() {
    let mut input = [with_sound(0, 0), with_sound(1, 1024)];
    for fragment in &mut input {
        fragment.tracks[1].extra = ebml::float(id::TRACK_TIMESTAMP_SCALE, 0.5);
        fragment.tracks[0].extra = ebml::float(id::TRACK_TIMESTAMP_SCALE, 1.0);
    }
    let (mp4, report) = clip(documents(&input));
    assert_same_frames(&mp4, &frames_of(&input));
    let found: Vec<String> =
        lines(&report).into_iter().filter(|line| line.contains("TrackTimestampScale")).collect();
    assert_eq!(
        found,
        ["track 2: expected a TrackTimestampScale of 1, found 0.5, not applied: times are as in the blocks"]
    );
}
