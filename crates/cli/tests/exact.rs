//! `--cover` and `--exact`: ranges that start inside a fragment.

mod program;

use program::{Folder, each, fragment};
use serde_json::json;
use testkit::mkv::{documents, fragment_number};
use testkit::mp4::Movie;

/// Five fragments of a second each, 25 pictures a second, the first at 2023-11-14T22:13:20Z.
fn recording() -> Folder {
    let folder = Folder::new();
    folder.write("in.mkv", &documents(&(0..5).map(fragment).collect::<Vec<_>>()));
    folder
}

const RANGE: [&str; 4] = ["--start", "1700000001.5", "--end", "1700000003.1"];

#[test]
fn cover_begins_with_the_fragment_that_contains_the_start() {
    let folder = recording();
    let clip = |options: &[&str]| {
        let arguments =
            [&["clip", "in.mkv", "-o", "out.mp4", "--force", "--report", "json"], &RANGE[..], options];
        folder.run(&arguments.concat()).done().json()
    };
    let (plain, cover) = (clip(&[]), clip(&["--cover"]));
    assert_eq!(each(&plain["fragments"], "name"), [fragment_number(2).as_str(), &fragment_number(3)]);
    assert_eq!(plain["split"]["fragment"], fragment_number(1));
    let expected = [1, 2, 3].map(fragment_number);
    assert_eq!(each(&cover["fragments"], "name"), expected.iter().collect::<Vec<_>>());
    assert!(cover["split"].is_null());
    assert_eq!(cover["duration_ns"], 3_000_000_000_i64);
}

#[test]
fn exact_plays_the_range_and_nothing_else() {
    let folder = recording();
    let arguments =
        [&["clip", "in.mkv", "-o", "out.mp4", "--exact", "--report", "json"], &RANGE[..]].concat();
    let report = folder.run(&arguments).done().json();
    // From 1.480 s, the picture that is on the screen at 1.500 s, to 3.100 s.
    assert_eq!(report["duration_ns"], 1_620_000_000_i64);
    let trimmed =
        report["events"].as_array().unwrap().iter().find(|event| event["event"] == "trimmed").unwrap();
    // 12 pictures before it; after it, all of the last fragment but 3.
    assert_eq!((&trimmed["not_shown"], &trimmed["left_out"]), (&json!(12), &json!(22)));
    let mp4 = folder.read("out.mp4");
    let movie = Movie::parse(&mp4);
    let [edit] = movie.video().edits[..] else { panic!("{:?}", movie.video().edits) };
    assert_eq!(edit.media_time, 12);
    assert_eq!(edit.duration * 1000, 1620 * u64::from(movie.timescale));
    assert_eq!(movie.video().samples.len(), 53);
}

#[test]
fn a_pipe_is_clipped_as_a_file_is() {
    let folder = recording();
    for option in ["--cover", "--exact"] {
        let arguments = |input, output| [&["clip", input, "-o", output, option], &RANGE[..]].concat();
        folder.run(&[arguments("in.mkv", "out.mp4"), vec!["--force"]].concat()).done();
        let from_pipe = folder.run_with(&arguments("-", "-"), &folder.read("in.mkv")).done().stdout;
        assert!(from_pipe == folder.read("out.mp4"), "{option}");
    }
}

#[test]
fn a_range_inside_one_fragment_has_a_clip() {
    let folder = recording();
    let range = ["--start", "1700000001.2", "--end", "1700000001.4"];
    let arguments =
        |option| [&["clip", "in.mkv", "-o", "out.mp4", "--report", "json"], &range[..], option].concat();
    folder.run(&arguments(&[])).failed(3, "in.mkv", "--cover takes it, --exact trims it");
    let report = folder.run(&arguments(&["--exact"])).done().json();
    assert_eq!(report["duration_ns"], 200_000_000_i64);
}
