//! A sample is one access unit: none without a picture, none of no bytes, and no picture in two.

use testkit::access_units::{Framing, frames};
use testkit::frames::{assert_same_frames, assert_same_frames_from_one_origin, frames_of};
use testkit::media;
use testkit::mkv::{self, Block, Fragment, Track};
use testkit::recording::Recording;

use getclip::ErrorKind;

use crate::cases::{TOLERANCE, access_units, assert_reported};
use crate::clips::{clip, everything, refusal_with, strict};

/// Blocks without a picture join the one that they stand before. Their parameter sets are those of the sample entry.
#[track_caller]
fn joined(name: &str) {
    let case = Recording::case(name);
    let (mp4, report) = clip(case.bytes.clone());
    assert_same_frames(&mp4, &access_units(&case, Framing::Lengths));
    assert_reported(&report, &["joined"]);
}

#[test]
fn parameter_sets_and_sei_in_blocks_of_their_own() {
    joined("k04_nal_aligned_blocks");
}

#[test]
fn a_key_block_without_a_picture() {
    joined("k04b_key_block_without_idr");
}

#[test]
fn a_block_of_parameter_sets_between_pictures() {
    joined("k04c_parameter_sets_only_block");
}

#[test]
fn slices_in_blocks_of_their_own() {
    joined("h04_nal_per_block");
}

#[test]
fn a_block_without_a_byte() {
    let case = Recording::case("m23_empty_video_block");
    let (mp4, report) = clip(case.bytes.clone());
    let mut expected = case.frames();
    let all = expected.len();
    expected.retain(|frame| !frame.bytes.is_empty());
    assert!(expected.len() < all);
    assert_same_frames_from_one_origin(&mp4, &expected, TOLERANCE);
    assert_reported(&report, &["empty"]);
    refusal_with(&strict(), case.bytes);
}

/// Each ADTS frame is a sample, without its header, one frame length after the one before it in its block.
#[track_caller]
fn adts(name: &str, rate: i128) {
    let case = Recording::case(name);
    let mut expected = Vec::new();
    for frame in case.frames() {
        if frame.track == 1 {
            expected.push(frame);
            continue;
        }
        let frames = media::adts_frames(&frame.bytes);
        expected.extend(frames.iter().zip(0..).map(|(raw, index)| testkit::frames::Frame {
            time_ns: frame.time_ns + index * 1024 * 1_000_000_000 / rate,
            bytes: raw.to_vec(),
            ..frame.clone()
        }));
    }
    assert!(expected.len() > case.frames().len());
    let (mp4, report) = clip(case.bytes.clone());
    // Half a tick for the block's time, and half a tick for the clip's.
    assert_same_frames_from_one_origin(&mp4, &expected, TOLERANCE);
    assert_reported(&report, &["ADTS"]);
}

#[test]
fn two_adts_frames_in_a_block() {
    adts("a04_two_adts_per_block", 48_000);
}

#[test]
fn four_adts_frames_in_a_block() {
    adts("k14_four_adts_frames_in_one_block", 48_000);
}

/// The pictures of every case are samples of the bitstream's access units: what the others assert is not an accident of
/// the time line.
#[test]
fn no_sample_is_without_a_picture() {
    for name in ["k04_nal_aligned_blocks", "k04b_key_block_without_idr", "k04c_parameter_sets_only_block"] {
        let case = Recording::case(name);
        assert_eq!(frames(&case.access_units(Framing::Lengths)).len(), 180, "{name}");
    }
}

/// A fragment whose blocks hold no picture is none of the clip's, and alone it makes no clip.
#[test]
fn blocks_without_any_picture() {
    let start = |index: u64| 1_700_000_000_000 + index * 1000;
    let delimiter = media::length_prefixed(&[&[0x09, 0xF0]]);
    let without = Fragment::stored(0, start(0), vec![Track::avc()], vec![Block::new(1, 0, true, delimiter)]);
    let frame = media::avc_frame(1, 200, true);
    let with = Fragment::stored(1, start(1), vec![Track::avc()], vec![Block::new(1, 0, true, frame)]);
    let error = refusal_with(&everything(), without.to_bytes());
    assert!(matches!(error.kind(), ErrorKind::NoFragments { offered: 1 }), "{error}");
    let (mp4, report) = clip(mkv::documents(&[without, with.clone()]));
    assert_same_frames(&mp4, &frames_of(&[with]));
    assert_reported(&report, &["no frames"]);
}
