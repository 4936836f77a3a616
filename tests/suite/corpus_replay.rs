//! Inputs on which a fuzz target once failed: `fuzz/regressions/TARGET/NAME`. Those of parsers that the public API hides
//! are replayed by the unit tests.

use std::fs;
use std::path::{Path, PathBuf};

use arbitrary::{Arbitrary, Unstructured};

/// Name and body.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 8] = [
    ("build_clip", getclip_fuzz::build_clip),
    ("build_structured", |data| described(getclip_fuzz::build_structured, data)),
    ("clip_ranges", |data| described(getclip_fuzz::clip_ranges, data)),
    ("fragments", getclip_fuzz::fragments),
    ("index", getclip_fuzz::index),
    ("reader_chunking", getclip_fuzz::reader_chunking),
    ("selection", |data| described(getclip_fuzz::selection, data)),
    ("timestamp", getclip_fuzz::timestamp),
];

/// Runs a target on what the bytes describe, as `fuzz_target!` does.
fn described<'a, T: Arbitrary<'a>>(run: fn(T), data: &'a [u8]) {
    if let Ok(input) = T::arbitrary_take_rest(Unstructured::new(data)) {
        run(input);
    }
}

#[test]
fn regressions() {
    for (target, run) in TARGETS {
        for path in files(&fuzz_folder().join("regressions").join(target)) {
            println!("{}", path.display());
            run(&fs::read(path).expect("a readable file"));
        }
    }
}

/// The targets run on bytes that no fuzzer chose, so that they still compile and hold where there is no fuzzer.
#[test]
fn every_target_runs_on_noise() {
    for (target, run) in TARGETS {
        println!("{target}");
        run(&[]);
        for seed in 0..200 {
            run(&testkit::media::noise(seed, 16 << (seed % 6)));
        }
    }
}

/// A target that is added is replayed too, here or in the unit tests.
#[test]
fn no_target_is_forgotten() {
    let hidden = ["aac_config", "annexb", "avc_config", "g711_config", "hevc_config"];
    let known = TARGETS.iter().map(|(target, _)| *target).chain(hidden);
    let mut known: Vec<String> = known.map(str::to_owned).collect();
    known.sort();
    let stems = files(&fuzz_folder().join("fuzz_targets")).into_iter();
    let mut targets: Vec<String> =
        stems.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    targets.sort();
    assert_eq!(targets, known);
}

fn fuzz_folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("a readable folder").path()).collect()
}
