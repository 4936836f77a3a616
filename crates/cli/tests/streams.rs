//! Pipes that stay open: when reading stops, and when rows are printed.

mod program;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use program::{Folder, Run, START_MS, each, fragment, pictures};
use serde_json::{Value, json};
use testkit::frames::{assert_same_frames, frames_of};
use testkit::mkv::{Fragment, Track, documents, fragment_number};

/// Longer than any run takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts the program with a standard input that stays open as long as the result lives.
fn start(folder: &Folder, arguments: &[&str]) -> (Child, ChildStdin) {
    let mut command = folder.command(arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let stdin = child.stdin.take().unwrap();
    (child, stdin)
}

/// Clips a pipe that never ends. Panics unless the program stops by itself.
#[track_caller]
fn clip_open_pipe(folder: &Folder, fragments: &[Fragment], range: &[&str]) -> Value {
    let arguments = [&["clip", "-", "-o", "out.mp4", "--force", "--report", "json"], range].concat();
    let (child, mut stdin) = start(folder, &arguments);
    let bytes = documents(fragments);
    let (send, receive) = mpsc::channel();
    thread::spawn(move || send.send(child.wait_with_output().unwrap()));
    // The program may have stopped reading before the last byte.
    let _ = stdin.write_all(&bytes);
    let output = receive.recv_timeout(PATIENCE).expect("the program waits for more");
    Run::from(output).done().json()
}

/// The same, of a pipe that ends.
fn clip_pipe(folder: &Folder, fragments: &[Fragment], range: &[&str]) -> Value {
    let arguments = [&["clip", "-", "-o", "out.mp4", "--force", "--report", "json"], range].concat();
    folder.run_with(&arguments, &documents(fragments)).done().json()
}

fn six() -> Vec<Fragment> {
    (0..6).map(fragment).collect()
}

#[test]
fn reading_stops_at_the_first_fragment_after_the_end() {
    let folder = Folder::new();
    for range in [
        &["--start", "1700000001", "--end", "1700000002"][..],
        &["--start", "1700000001", "--duration", "1.9s"],
        &["--by", "server", "--start", "1700000001", "--end", "1700000002.999"],
    ] {
        let report = clip_open_pipe(&folder, &six(), range);
        assert_same_frames(&folder.read("out.mp4"), &frames_of(&six()[1..3]));
        let stopped = &report["stopped"][0];
        assert_eq!(
            (&stopped["file"], &stopped["fragment"], &stopped["reason"]),
            (&json!("standard input"), &json!(fragment_number(3)), &json!("after_the_end"))
        );
        assert_eq!(stopped["bytes_read"], documents(&six()[..4]).len(), "{range:?}");
        assert_eq!(report["offered"], 4);
    }
}

#[test]
fn reading_stops_when_the_limit_of_fragments_is_reached() {
    let folder = Folder::new();
    let report = clip_open_pipe(&folder, &six(), &["--start", "1700000001", "--max-fragments", "2"]);
    assert_same_frames(&folder.read("out.mp4"), &frames_of(&six()[1..3]));
    assert_eq!(report["stopped"][0]["reason"], "limit");
    assert_eq!(report["cut"]["fragment"], fragment_number(3));
    // A fragment that is sent again is not one more.
    let twice = [fragment(0), fragment(1), fragment(1), fragment(2), fragment(3)];
    let report = clip_open_pipe(&folder, &twice, &["--max-fragments", "3"]);
    assert_same_frames(&folder.read("out.mp4"), &frames_of(&six()[..3]));
    assert_eq!(report["stopped"][0]["fragment"], fragment_number(3));
}

#[test]
fn the_text_says_where_reading_stopped() {
    let folder = Folder::new();
    let (child, mut stdin) = start(&folder, &["clip", "-", "-o", "out.mp4", "--end", "1700000001"]);
    let _ = stdin.write_all(&documents(&six()));
    let run = Run::from(child.wait_with_output().unwrap()).done();
    let bytes = documents(&six()[..3]).len();
    let line = format!(
        "  standard input: stopped reading after {bytes} bytes: fragment {} starts after the end",
        fragment_number(2)
    );
    assert!(run.stderr.contains(&line), "{}", run.stderr);
}

#[test]
fn without_an_order_a_pipe_is_read_to_its_end() {
    let folder = Folder::new();
    let range = ["--end", "1700000001"];
    // The camera sends late what it recorded offline.
    let late = Fragment::stored(9, START_MS + 500, vec![Track::avc()], pictures(9));
    let mut fragments = vec![fragment(0), fragment(3), late];
    let report = clip_pipe(&folder, &fragments, &range);
    assert_eq!(report["stopped"][0]["fragment"], fragment_number(3), "until then all was in order");
    let report = clip_pipe(&folder, &fragments, &[&range[..], &["--read-all"]].concat());
    assert_eq!(report["stopped"], json!([]));
    assert_eq!(each(&report["fragments"], "name").len(), 2);

    // Numbers or times that fell once, or that are missing, and nothing is concluded.
    fragments = vec![fragment(1), fragment(0), fragment(3), fragment(4)];
    let report = clip_pipe(&folder, &fragments, &range);
    assert_eq!((&report["stopped"], &report["offered"]), (&json!([]), &json!(4)));
    let mut untagged = fragment(2);
    (untagged.number, untagged.producer) = (None, None);
    let report = clip_pipe(&folder, &[fragment(0), untagged, fragment(3), fragment(4)], &range);
    assert_eq!((&report["stopped"], &report["offered"]), (&json!([]), &json!(4)));
    // One fragment has no order yet.
    let report = clip_pipe(&folder, &[fragment(3), fragment(0), fragment(1)], &range);
    assert_eq!((&report["stopped"], &report["offered"]), (&json!([]), &json!(3)));
}

#[test]
fn files_are_read_to_their_end() {
    let folder = Folder::new();
    folder.write("in.mkv", &documents(&six()));
    let arguments = ["clip", "in.mkv", "-o", "out.mp4", "--end", "1700000001", "--report", "json"];
    let report = folder.run(&arguments).done().json();
    assert_eq!((&report["stopped"], &report["offered"]), (&json!([]), &json!(6)));
    // Also one that the shell opened.
    let arguments = ["clip", "-", "-o", "2.mp4", "--end", "1700000001", "--report", "json"];
    let file = std::fs::File::open(folder.path("in.mkv")).unwrap();
    let report = Run::from(folder.command(&arguments).stdin(file).output().unwrap()).done().json();
    assert_eq!((&report["stopped"], &report["offered"]), (&json!([]), &json!(6)));
}

#[test]
fn inspect_prints_rows_as_they_come() {
    for (arguments, lines_before) in [(&["inspect", "-"][..], 1), (&["inspect", "-", "--json-lines"], 0)] {
        let folder = Folder::new();
        let (mut child, mut stdin) = start(&folder, arguments);
        let (send, receive) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || stdout.lines().try_for_each(|line| send.send(line.unwrap())));
        let next = || receive.recv_timeout(PATIENCE).expect("a line before the pipe ends");
        for index in 0..3 {
            stdin.write_all(&fragment(index).to_bytes()).unwrap();
            if index == 0 {
                (0..lines_before).for_each(|_| drop(next()));
            }
            // The end of a document is known by the next one.
            let line = std::iter::repeat_with(next).find(|line| !line.contains("\"document\"")).unwrap();
            assert!(line.contains(&fragment_number(index)), "{line}");
        }
        drop(stdin);
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}
