//! Shapes of real streams (`testdata/cases/`): what comes out is what an expert expects, derived from the input by readers
//! that know nothing of the library.
//!
//! A test loads a case, derives the frames that must come out, and compares:
//!
//! ```text
//! let case = Recording::case("k07_no_key_flags_but_idr");
//! let (mp4, _) = clip(case.bytes.clone());
//! assert_same_frames(&mp4, &case.frames());
//! ```

mod access_units;
mod clocks;
mod damage;
mod framing;
mod reports;
mod sync_samples;

use std::fs;

use getclip::Report;
use testkit::access_units::{AccessUnit, Framing};
use testkit::frames::{Frame, Tolerance, assert_same_frames};
use testkit::manifest;
use testkit::recording::Recording;

use crate::clips::{clip, lines};

/// Times of sound whose blocks are rounded to milliseconds are those of its frames.
const TOLERANCE: Tolerance = Tolerance { video_ns: 500_000, audio_ns: 1_000_000 };

/// The pictures of a case, one sample each, without parameter sets: those of the sample entry are not in samples.
fn access_units(case: &Recording, framing: Framing) -> Vec<Frame> {
    let units = case.access_units(framing).into_iter().map(AccessUnit::without_parameter_sets);
    units.map(|unit| unit.frame()).collect()
}

/// One line of the report has all these words.
#[track_caller]
fn assert_reported(report: &Report, words: &[&str]) {
    let lines = lines(report);
    let found = lines.iter().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(found, "no line with {words:?}: {lines:#?}");
}

/// A stream without any odd shape goes through the same oracle.
#[test]
fn the_oracle_agrees_on_plain_streams() {
    for name in ["h264_only", "h264_bframes", "h265_bframes"] {
        let recording = Recording::read(manifest::mkv(name));
        assert_same_frames(&clip(recording.bytes.clone()).0, &recording.frames());
    }
}

#[test]
fn every_case_is_explained() {
    let folder = manifest::path("cases");
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let mut cases = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = file.strip_suffix(".mkv") else { continue };
        assert!(readme.contains(name), "{name} is not in testdata/cases/README.md");
        assert!(Recording::case(name).stored_frames().count() > 20, "{name}");
        cases += 1;
    }
    assert_eq!(cases, 43);
}
