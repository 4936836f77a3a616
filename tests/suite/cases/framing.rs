//! Length-prefixed or Annex B is a property of the track, and a frame that reads as both goes with it.

use testkit::access_units::Framing;
use testkit::frames::{assert_same_frames, assert_same_frames_from_one_origin};
use testkit::recording::Recording;

use crate::cases::{TOLERANCE, access_units, assert_reported};
use crate::clips::{clip, refusal, refusal_with, strict};
use getclip::ErrorKind;

#[test]
fn start_codes_that_read_as_lengths() {
    let case = Recording::case("k03_annexb_3byte_reads_as_length");
    let (mp4, report) = clip(case.bytes.clone());
    let expected = access_units(&case, Framing::AnnexB);
    assert_eq!(expected.len(), 180, "60 frames in each of 3 fragments");
    assert_same_frames(&mp4, &expected);
    assert_reported(&report, &["180 frames", "re-framed"]);
}

#[test]
fn a_cut_frame_that_reads_as_annexb() {
    let case = Recording::case("k03b_short_frame_reads_as_annexb");
    let (mp4, report) = clip(case.bytes.clone());
    let expected = access_units(&case, Framing::Lengths);
    assert_eq!(expected.len(), 179, "one frame is damaged");
    assert_same_frames(&mp4, &expected);
    assert_reported(&report, &["1 frame"]);
    let error = refusal_with(&strict(), case.bytes);
    assert!(matches!(error.kind(), ErrorKind::InvalidMediaFrame { .. }), "{error}");
}

#[test]
fn zeros_after_the_last_nal_unit() {
    let case = Recording::case("h14c_lp_trailing_zeros3");
    let (mp4, report) = clip(case.bytes.clone());
    let mut expected = case.frames();
    for (frame, stored) in expected.iter_mut().zip(case.stored_frames()).filter(|(frame, _)| frame.track == 1)
    {
        assert!(frame.bytes.ends_with(&[0, 0, 0]));
        frame.bytes.truncate(frame.bytes.len() - 3);
        // The producer's flags are right in this stream.
        frame.key = Some(stored.key);
    }
    assert_same_frames_from_one_origin(&mp4, &expected, TOLERANCE);
    assert_reported(&report, &["90 frames"]);
}

#[test]
fn latm_is_refused_by_name() {
    let error = refusal(Recording::case("k11_latm").bytes);
    assert!(matches!(error.kind(), ErrorKind::UnsupportedMediaType { .. }), "{error}");
    assert!(error.to_string().contains("LATM"), "{error}");
}
