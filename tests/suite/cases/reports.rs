//! Nothing happens silently.

use testkit::frames::{Tolerance, assert_same_frames_within};
use testkit::recording::Recording;

use crate::cases::assert_reported;
use crate::clips::clip;

/// No picture from 2 s to 4 s while the sound goes on.
#[test]
fn a_hole_in_the_video() {
    let case = Recording::case("k12_no_video_in_one_fragment");
    let (mp4, report) = clip(case.bytes.clone());
    // The sound's times are cut to whole milliseconds, not rounded.
    assert_same_frames_within(&mp4, &case.frames(), Tolerance { video_ns: 500_000, audio_ns: 1_000_000 });
    assert_reported(&report, &["track 1", "2 s"]);
}
