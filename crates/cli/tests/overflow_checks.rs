//! Sizes of untrusted input are added up everywhere, so a release build checks for overflow too. `.ci/run` runs this
//! test in the release profile.

use std::hint::black_box;

#[test]
fn arithmetic_is_checked_in_every_profile() {
    let sum = std::panic::catch_unwind(|| black_box(u8::MAX) + black_box(1));
    assert!(sum.is_err(), "255 + 1 in a byte gave {sum:?}");
}
