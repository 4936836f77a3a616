//! What is in a folder and is no recording is left out and named; what is broken is named by its path.

mod program;

use program::{Folder, each, fragment};
use serde_json::{Value, json};
use testkit::frames::{assert_same_frames, frames_of};
use testkit::mkv::fragment_number;

/// A folder `in` with two recordings, a picture, an empty file and a folder with a third recording.
fn mixed() -> Folder {
    let folder = Folder::new();
    folder.write("in/1.mkv", &fragment(0).to_bytes());
    folder.write("in/2.mkv", &fragment(1).to_bytes());
    folder.write("in/still.jpg", b"\xFF\xD8\xFF\xE0 and so on");
    folder.write("in/void.mkv", b"");
    folder.write("in/.part-3.mkv.swp", b"editor");
    folder.write("in/later/3.mkv", &fragment(2).to_bytes());
    folder
}

/// The reasons for what was left out, by path.
fn left_out(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let objects = report["left_out"].as_array().unwrap();
    objects.iter().map(|object| (text(&object["path"]), text(&object["reason"]))).collect()
}

#[test]
fn what_is_no_recording_is_left_out_and_named() {
    let folder = mixed();
    let report = folder.run(&["clip", "in", "-o", "out.mp4", "--report", "json"]).done().json();
    assert_same_frames(&folder.read("out.mp4"), &frames_of(&[fragment(0), fragment(1)]));
    let expected = [
        ("in/.part-3.mkv.swp", "hidden"),
        ("in/later", "a folder in the folder (--recursive reads it)"),
        ("in/still.jpg", "not Matroska (it begins with FF D8 FF E0)"),
        ("in/void.mkv", "the file is empty"),
    ];
    assert_eq!(left_out(&report), expected.map(|(path, reason)| (path.to_owned(), reason.to_owned())));

    let text = folder.run(&["clip", "in", "-o", "text.mp4"]).done().stderr;
    assert!(text.contains("  left out: in/still.jpg: not Matroska (it begins with FF D8 FF E0)\n"), "{text}");

    let run = folder.run(&["inspect", "in"]).done();
    assert!(run.text().contains("left out: in/void.mkv: the file is empty\n"), "{}", run.text());
    let report = folder.run(&["inspect", "in", "--json"]).done().json();
    assert_eq!(left_out(&report).len(), 4);
}

#[test]
fn recursive_reads_the_folders_in_a_folder() {
    let folder = mixed();
    folder.write("in/later/.hidden/4.mkv", &fragment(3).to_bytes());
    let run = folder.run(&["clip", "in", "-o", "out.mp4", "--recursive", "--report", "json"]).done();
    assert_same_frames(&folder.read("out.mp4"), &frames_of(&[fragment(0), fragment(1), fragment(2)]));
    let left_out = left_out(&run.json());
    assert!(left_out.contains(&("in/later/.hidden".into(), "hidden".into())), "{left_out:?}");
    let report = folder.run(&["inspect", "-r", "in", "--json"]).done().json();
    assert_eq!(each(&report["fragments"], "file"), ["in/1.mkv", "in/2.mkv", "in/later/3.mkv"]);
}

#[test]
fn a_folder_without_a_recording() {
    let folder = Folder::new();
    folder.write("in/still.jpg", b"\xFF\xD8\xFF\xE0 and so on");
    folder.write("in/notes.txt", b"notes");
    let left_out = "left out: in/notes.txt: not Matroska (it begins with 6E 6F 74 65), and 1 more file";
    folder.run(&["clip", "in", "-o", "out.mp4"]).failed(3, "in", left_out);
    folder.run(&["inspect", "in"]).failed(3, "in", left_out);
}

#[cfg(unix)]
#[test]
fn links_without_a_target_are_named() {
    use std::os::unix::fs::symlink;

    let folder = mixed();
    symlink("missing.mkv", folder.path("in/gone.mkv")).unwrap();
    symlink("..", folder.path("in/later/up")).unwrap();
    symlink("1.mkv", folder.path("in/0.mkv")).unwrap();
    let arguments = ["clip", "in", "-o", "out.mp4", "--recursive", "--report", "json"];
    let report = folder.run(&arguments).done().json();
    let left_out = left_out(&report);
    for (path, reason) in [
        ("in/gone.mkv", "the link leads to missing.mkv, which does not exist"),
        ("in/later/up", "the link leads to a folder above it"),
    ] {
        assert!(left_out.contains(&(path.into(), reason.into())), "{left_out:?}");
    }
    // A link that leads somewhere is a file: here the same fragment twice.
    assert_eq!(report["offered"], 4);
    assert_eq!(report["fragments"].as_array().unwrap().len(), 3);

    // One that was named has to be there.
    let reason = "the link leads to missing.mkv, which does not exist";
    folder.run(&["clip", "in/gone.mkv", "-o", "2.mp4"]).failed(1, "in/gone.mkv", reason);
    folder.run(&["inspect", "in/gone.mkv"]).failed(1, "in/gone.mkv", reason);
}

#[cfg(unix)]
#[test]
fn a_recording_that_cannot_be_read_is_not_passed_over() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    let folder = mixed();
    let closed = |name: &str, mode| set_permissions(folder.path(name), Permissions::from_mode(mode)).unwrap();
    closed("in/2.mkv", 0o000);
    // Root reads everything.
    if std::fs::File::open(folder.path("in/2.mkv")).is_err() {
        folder.run(&["clip", "in", "-o", "out.mp4"]).failed(1, "in/2.mkv", "Permission denied");
    }
    closed("in/2.mkv", 0o644);
}

#[test]
fn an_empty_file_among_others_is_named() {
    let folder = mixed();
    let arguments = ["clip", "in/1.mkv", "in/void.mkv", "-o", "out.mp4", "--report", "json"];
    let report = folder.run(&arguments).done().json();
    assert_eq!(left_out(&report), [("in/void.mkv".to_owned(), "the file is empty".to_owned())]);
    folder.run(&["clip", "in/void.mkv", "-o", "2.mp4"]).failed(3, "in/void.mkv", "the input is empty");
}

#[test]
fn a_truncated_file_is_named_by_its_path() {
    let folder = mixed();
    let whole = fragment(1).to_bytes();
    folder.write("in/2.mkv", &whole[..whole.len() - 100]);
    let report = folder.run(&["clip", "in", "-o", "out.mp4", "--report", "json"]).done().json();
    let truncated = &report["truncated"][0];
    assert_eq!(
        (&truncated["file"], &truncated["fragment"], &truncated["frames"], &truncated["missing_bytes"]),
        (&json!("in/2.mkv"), &json!(fragment_number(1)), &json!(24), &json!(100))
    );
    assert_eq!(truncated["offset"], whole.len() - 100);
    let text = folder.run(&["clip", "in", "-o", "text.mp4"]).done().stderr;
    let line = format!("  in/2.mkv: incomplete, 24 whole frames of fragment {} kept: ", fragment_number(1));
    assert!(text.contains(&line), "{text}");
}

#[test]
fn a_damaged_file_is_named_by_its_path() {
    let folder = mixed();
    let mut damaged = fragment(1).to_bytes();
    let cluster = damaged.len() - fragment(1).cluster().len();
    // A block in the middle that is no element.
    let middle = cluster + fragment(1).cluster().len() / 2;
    damaged[middle..middle + 300].fill(0);
    folder.write("in/2.mkv", &damaged);
    let report = folder.run(&["clip", "in", "-o", "out.mp4", "--report", "json"]).done().json();
    let place = &report["damaged"][0];
    assert_eq!((&place["file"], &place["fragment"]), (&json!("in/2.mkv"), &json!(fragment_number(1))));
    let text = folder.run(&["clip", "in", "-o", "text.mp4"]).done().stderr;
    let line = format!("  in/2.mkv: fragment {} is damaged at byte ", fragment_number(1));
    assert!(text.contains(&line), "{text}");
    folder.run(&["clip", "in", "-o", "strict.mp4", "--strict"]).failed(4, "in/2.mkv", "without --strict");

    // A frame that is no frame of its codec.
    let mut odd = fragment(1);
    odd.blocks[3].frames = vec![vec![0, 0, 0xFF, 0xFF, 0x41, 1, 2, 3]];
    folder.write("in/2.mkv", &odd.to_bytes());
    let text = folder.run(&["clip", "in", "-o", "odd.mp4"]).done().stderr;
    assert!(text.contains("  in/2.mkv: fragment "), "{text}");
    assert!(text.contains("frame at 120 ms left out"), "{text}");
    let report = folder.run(&["clip", "in", "-o", "odd.mp4", "--force", "--report", "json"]).done().json();
    assert_eq!(
        (&report["events"][0]["event"], &report["events"][0]["file"]),
        (&json!("frame_left_out"), &json!("in/2.mkv"))
    );
}
