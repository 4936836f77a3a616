//! Damage in the middle: what is whole is kept, what is missing is named, and strict callers are refused.

use getclip::ErrorKind;
use testkit::frames::{Frame, assert_same_frames_from_one_origin};
use testkit::mkv::{Fragment, Track, avc_blocks};
use testkit::recording::Recording;

use crate::cases::{TOLERANCE, assert_reported};
use crate::clips::{clip, refusal_with, strict};

/// Every whole frame of every fragment comes out. Of a fragment that is there twice, the copy that is whole counts.
#[track_caller]
fn keeps_what_is_whole(case: Recording, report_words: &[&str]) {
    let (mp4, report) = clip(case.bytes.clone());
    assert_same_frames_from_one_origin(&mp4, &frames(&case), TOLERANCE);
    assert_reported(&report, report_words);
    refusal_with(&strict(), case.bytes);
}

/// The frames of a recording, less those of fragments that are there again.
fn frames(case: &Recording) -> Vec<Frame> {
    let is_last = |index: usize| {
        let number = &case.fragments[index].number;
        number.is_none() || case.fragments[index + 1..].iter().all(|later| later.number != *number)
    };
    let all = case.frames().into_iter().zip(case.stored_frames());
    all.filter(|(_, stored)| is_last(stored.fragment)).map(|(frame, _)| frame).collect()
}

#[test]
fn a_capture_that_ends_in_a_frame_and_the_next_one() {
    keeps_what_is_whole(Recording::case("k02_cut_known_cluster_then_appended"), &["incomplete"]);
}

#[test]
fn a_capture_that_ends_in_its_first_frame() {
    keeps_what_is_whole(Recording::case("k02b_cut_in_first_block"), &["incomplete"]);
}

#[test]
fn a_capture_that_ends_in_a_header() {
    keeps_what_is_whole(Recording::case("k02c_cut_in_header"), &["a document without a Cluster"]);
}

#[test]
fn a_newline_at_the_end() {
    keeps_what_is_whole(Recording::case("m07_trail_newline"), &["1 byte"]);
}

/// Bytes that are no Matroska between and after documents.
#[test]
fn bytes_between_documents() {
    for between in [&b"\r\n"[..], &[0; 16], b"\n"] {
        let document = |index: u64| {
            let blocks = avc_blocks(index, (0..25).map(|i| i * 40));
            Fragment::stored(index, 1_700_000_000_000 + index * 1000, vec![Track::avc()], blocks).to_bytes()
        };
        let input: Vec<u8> = (0..3).flat_map(|index| [document(index), between.to_vec()].concat()).collect();
        keeps_what_is_whole(Recording::read(input), &["bytes"]);
    }
}

#[test]
fn the_service_ends_the_stream_with_an_error() {
    let case = Recording::case("k08_error_tag_at_end");
    let (mp4, report) = clip(case.bytes.clone());
    assert_same_frames_from_one_origin(&mp4, &case.frames(), TOLERANCE);
    assert_reported(&report, &["4000", "REQUESTED_FRAGMENT_NOT_FOUND"]);
    let error = refusal_with(&strict(), case.bytes);
    assert!(matches!(error.kind(), ErrorKind::Service { .. }), "{error}");
}

/// A block without bytes: left out and reported.
#[test]
fn an_empty_frame() {
    let case = Recording::case("m23_empty_video_block");
    let (mp4, report) = clip(case.bytes.clone());
    let mut expected = case.frames();
    expected.retain(|frame| !frame.bytes.is_empty());
    assert_same_frames_from_one_origin(&mp4, &expected, TOLERANCE);
    assert_reported(&report, &["track 1", "left out", "found none"]);
    let error = refusal_with(&strict(), case.bytes);
    assert!(matches!(error.kind(), ErrorKind::InvalidMediaFrame { .. }), "{error}");
}
