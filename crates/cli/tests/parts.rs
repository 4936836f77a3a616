//! `--parts`: a range that is too long for one clip, as several.

mod program;

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use program::{Folder, Run, each, fragment};
use serde_json::json;
use testkit::frames::{assert_same_frames, frames_of};
use testkit::mkv::{Fragment, documents, fragment_number};

fn recording(fragments: u64) -> Vec<Fragment> {
    (0..fragments).map(fragment).collect()
}

fn folder(fragments: u64) -> Folder {
    let folder = Folder::new();
    folder.write("in.mkv", &documents(&recording(fragments)));
    folder
}

const PARTS_OF_TWO: [&str; 6] = ["clip", "in.mkv", "-o", "clip-%02d.mp4", "--parts", "--max-fragments=2"];

#[test]
fn each_part_is_a_clip() {
    let folder = folder(5);
    let run = folder.run(&[&PARTS_OF_TWO[..], &["--report", "json"]].concat()).done();
    assert_eq!(folder.names(), ["clip-01.mp4", "clip-02.mp4", "clip-03.mp4", "in.mkv"]);
    for (part, fragments) in ["clip-01.mp4", "clip-02.mp4", "clip-03.mp4"].iter().zip(recording(5).chunks(2))
    {
        assert_same_frames(&folder.read(part), &frames_of(fragments));
    }
    let report = run.json();
    let parts = report["parts"].as_array().unwrap();
    let paths: Vec<_> = parts.iter().map(|part| &part["output"]["path"]).collect();
    assert_eq!(paths, ["clip-01.mp4", "clip-02.mp4", "clip-03.mp4"]);
    assert_eq!(each(&parts[1]["fragments"], "name"), [fragment_number(2).as_str(), &fragment_number(3)]);
    assert_eq!(parts[0]["cut"]["fragment"], fragment_number(2));
    assert_eq!((&report["offered"], &report["out_of_range"]), (&json!(5), &json!(0)));
}

#[test]
fn the_text_has_a_line_for_each_part() {
    let folder = folder(5);
    let text = folder.run(&PARTS_OF_TWO).done().stderr;
    let bytes = |part| folder.read(part).len();
    let (first, second, third) = (bytes("clip-01.mp4"), bytes("clip-02.mp4"), bytes("clip-03.mp4"));
    for line in [
        format!("clip-01.mp4: {first} bytes, 2.000 s, 2 fragments"),
        format!("clip-03.mp4: {third} bytes, 1.000 s, 1 fragment"),
        format!("3 parts: {} bytes, 5.000 s, 5 fragments", first + second + third),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(folder.run(&[&PARTS_OF_TWO[..], &["--force", "--quiet"]].concat()).done().stderr.is_empty());
}

#[test]
fn only_what_is_in_the_range() {
    let folder = folder(7);
    let range = ["--start", "1700000001.5", "--end", "1700000005", "--exact", "--report", "json"];
    let report = folder.run(&[&PARTS_OF_TWO[..], &range].concat()).done().json();
    let lasts: Vec<_> = report["parts"].as_array().unwrap().iter().map(|part| &part["duration_ns"]).collect();
    // From the picture of 1.480 s on.
    assert_eq!(lasts, [&json!(1_520_000_000), &json!(2_000_000_000)]);
    assert_eq!((&report["offered"], &report["out_of_range"]), (&json!(7), &json!(3)));
    let none = folder.run(&[&PARTS_OF_TWO[..], &["--start", "1800000000"]].concat());
    none.failed(3, "in.mkv", "the range is from 2027-01-15");
}

#[test]
fn out_has_a_place_for_the_number() {
    let folder = folder(3);
    for out in ["clip.mp4", "-", "clip-%s.mp4"] {
        let run = folder.run(&["clip", "in.mkv", "-o", out, "--parts"]);
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(run.stderr.contains("-%03d.mp4"), "{}", run.stderr);
    }
    assert_eq!(folder.names(), ["in.mkv"]);
}

#[test]
fn a_failure_names_the_parts_before_it() {
    let folder = folder(5);
    folder.write("clip-02.mp4", b"precious");
    let run =
        folder.run(&[&PARTS_OF_TWO[..], &["--report", "json"]].concat()).failed(1, "clip-02.mp4", "--force");
    let report = run.json();
    assert_eq!(report["error"]["file"], "clip-02.mp4");
    assert_eq!(report["parts"].as_array().unwrap().len(), 1);
    assert_eq!(folder.names(), ["clip-01.mp4", "clip-02.mp4", "in.mkv"]);
    assert_eq!(folder.read("clip-02.mp4"), b"precious");
}

/// Waits for a file to appear.
#[track_caller]
fn wait_for(folder: &Folder, name: &str) {
    let started = Instant::now();
    while !folder.path(name).exists() {
        assert!(started.elapsed() < Duration::from_secs(60), "{name} does not appear: {:?}", folder.names());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_pipe_is_written_part_by_part_as_it_comes() {
    let folder = Folder::new();
    let arguments = ["clip", "-", "-o", "%d.mp4", "--parts", "--max-fragments", "2", "--report", "json"];
    let mut command = folder.command(&arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let send = |stdin: &mut std::process::ChildStdin, fragments: std::ops::Range<u64>| {
        for index in fragments {
            stdin.write_all(&fragment(index).to_bytes()).unwrap();
        }
    };
    send(&mut stdin, 0..5);
    wait_for(&folder, "2.mp4");
    send(&mut stdin, 5..12);
    wait_for(&folder, "4.mp4");
    drop(stdin);
    let report = Run::from(child.wait_with_output().unwrap()).done().json();
    assert_eq!(folder.names(), ["1.mp4", "2.mp4", "3.mp4", "4.mp4", "5.mp4", "6.mp4"]);
    for (part, fragments) in (1..).zip(recording(12).chunks(2)) {
        assert_same_frames(&folder.read(&format!("{part}.mp4")), &frames_of(fragments));
    }
    assert_eq!((&report["offered"], &report["out_of_range"]), (&json!(12), &json!(0)));
}

#[test]
fn a_pipe_out_of_order_is_put_in_order_first() {
    let folder = Folder::new();
    let shuffled: Vec<Fragment> = [3, 0, 1, 2, 7, 6, 5, 4].map(fragment).into();
    let arguments = ["clip", "-", "-o", "%d.mp4", "--parts", "--max-fragments", "3"];
    folder.run_with(&arguments, &documents(&shuffled)).done();
    assert_eq!(folder.names(), ["1.mp4", "2.mp4", "3.mp4"]);
    for (part, fragments) in (1..).zip(recording(8).chunks(3)) {
        assert_same_frames(&folder.read(&format!("{part}.mp4")), &frames_of(fragments));
    }
}

#[test]
fn a_pipe_of_parts_is_left_at_the_end_of_the_range() {
    let folder = Folder::new();
    let arguments =
        ["clip", "-", "-o", "%d.mp4", "--parts", "--max-fragments=2", "--report=json", "--end", "1700000004"];
    let mut child = folder
        .command(&arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let _ = stdin.write_all(&documents(&recording(9)));
    let report = Run::from(child.wait_with_output().unwrap()).done().json();
    drop(stdin);
    assert_eq!(report["stopped"][0]["fragment"], fragment_number(5));
    assert_eq!(report["parts"].as_array().unwrap().len(), 3);
    assert_eq!((&report["offered"], &report["out_of_range"]), (&json!(6), &json!(1)));
}
