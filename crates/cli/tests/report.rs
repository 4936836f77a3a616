//! How much is printed, in which form, and where: of a run that worked and of one that failed.

mod program;

use program::{Folder, fragment};
use serde_json::{Value, json};
use testkit::media;
use testkit::mkv::{Fragment, Track, documents, fragment_number};

/// A recording of so many fragments.
fn recording(fragments: u64) -> Folder {
    let folder = Folder::new();
    folder.write("in.mkv", &documents(&(0..fragments).map(fragment).collect::<Vec<_>>()));
    folder
}

#[test]
fn the_summary_of_a_long_clip_fits_a_screen() {
    let folder = recording(200);
    let text = folder.run(&["clip", "in.mkv", "-o", "out.mp4"]).done().stderr;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() < 24, "{text}");
    assert!(text.contains("  and 195 more fragments (--verbose lists all)\n"), "{text}");
    let bytes = folder.read("out.mp4").len();
    assert_eq!(lines.last().unwrap(), &format!("out.mp4: {bytes} bytes, 200.000 s, 200 fragments"));
}

#[test]
fn verbose_lists_every_fragment_before_the_summary() {
    let folder = recording(200);
    let text = folder.run(&["clip", "in.mkv", "-o", "out.mp4", "--verbose"]).done().stderr;
    let lines: Vec<&str> = text.lines().collect();
    for (index, line) in (0..200).zip(&lines) {
        assert!(line.contains(&fragment_number(index)), "{line}");
    }
    // In columns.
    let at = |line: &str| line.find(" at ").unwrap();
    assert_eq!(at(lines[0]), at(lines[199]));
    assert!(lines.last().unwrap().starts_with("out.mp4: "));
}

#[test]
fn quiet_prints_errors_only() {
    let folder = recording(3);
    let run = folder.run(&["clip", "in.mkv", "-o", "out.mp4", "--quiet"]).done();
    assert_eq!((run.stderr.as_str(), run.stdout.len()), ("", 0));
    let run = folder.run(&["clip", "in.mkv", "-o", "2.mp4", "-q", "--report", "json"]).done();
    assert_eq!(run.stderr, "");
    assert_eq!(run.json()["fragments"].as_array().unwrap().len(), 3);
    folder.run(&["clip", "missing.mkv", "-o", "3.mp4", "-q"]).failed(1, "missing.mkv", "No such file");
}

#[test]
fn limits_as_people_write_them() {
    let folder = recording(210);
    let clip = |options: &[&str]| {
        let arguments =
            [&["clip", "in.mkv", "-o", "out.mp4", "--force", "--report", "json"], options].concat();
        let report = folder.run(&arguments).done().json();
        (report["fragments"].as_array().unwrap().len(), report["cut"]["limit"].clone())
    };
    assert_eq!(clip(&[]), (200, json!("fragments")));
    assert_eq!(clip(&["--limits", "getclip"]), (200, json!("fragments")));
    assert_eq!(clip(&["--limits", "none"]), (210, Value::Null));
    assert_eq!(clip(&["--limits", "none", "--max-fragments", "7"]), (7, json!("fragments")));
    assert_eq!(clip(&["--max-bytes", "100MB"]), (200, json!("fragments")));
    let (fragments, limit) = clip(&["--limits", "none", "--max-bytes", "64KiB"]);
    assert_eq!(limit, "bytes");
    assert!((8..=13).contains(&fragments), "{fragments} of 5000 bytes and more in 65536");
    assert!(folder.read("out.mp4").len() <= 65_536);
    for (option, value) in [("--max-fragments", "0"), ("--max-bytes", "0"), ("--max-bytes", "0MB")] {
        let run = folder.run(&["clip", "in.mkv", "-o", "out.mp4", "--force", option, value]);
        assert_eq!(run.code, 2, "{option} {value}");
        assert!(run.stderr.contains(&format!("'{value}' for '{option} <N>'")), "{}", run.stderr);
    }
}

#[test]
fn a_failure_has_its_json() {
    let folder = recording(1);
    let bare = Fragment { tracks: vec![Track::avc().without_codec_private()], ..fragment(0) };
    folder.write("bare.mkv", &bare.to_bytes());
    let error = |arguments: &[&str], code| {
        let run = folder.run(&[arguments, &["--report", "json"]].concat());
        assert_eq!(run.code, code, "{}", run.stderr);
        // The line for people, too.
        assert!(run.stderr.starts_with("getclip: "), "{}", run.stderr);
        run.json()["error"].clone()
    };
    let refused = error(&["clip", "bare.mkv", "-o", "out.mp4"], 4);
    assert_eq!(
        (&refused["file"], &refused["exception"], &refused["http_status"], &refused["exit_code"]),
        (&json!("bare.mkv"), &json!("MissingCodecPrivateDataException"), &json!(400), &json!(4))
    );
    assert_eq!((&refused["fragment"], &refused["track"]), (&json!(fragment_number(0)), &json!(1)));
    let broken = [media::avcc(media::AVC_SPS, media::AVC_PPS), vec![0xFF; 40]].concat();
    folder.write("broken.mkv", &[fragment(0).to_bytes(), broken].concat());
    let offset = error(&["clip", "broken.mkv", "-o", "out.mp4", "--strict"], 4)["offset"].as_u64().unwrap();
    assert_eq!(offset as usize, fragment(0).to_bytes().len());

    let none = error(&["clip", "in.mkv", "-o", "out.mp4", "--start", "1800000000"], 3);
    assert_eq!(
        (&none["exception"], &none["http_status"]),
        (&json!("ResourceNotFoundException"), &json!(404))
    );
    assert!(
        none["text"].as_str().unwrap().contains("the range is from 2027-01-15T08:00:00.000Z on"),
        "{none}"
    );
    let io = error(&["clip", "missing.mkv", "-o", "out.mp4"], 1);
    assert_eq!((&io["file"], &io["exception"]), (&json!("missing.mkv"), &Value::Null));
    let usage = error(&["clip", "in.mkv", "-o", "out.mp4", "--start", "soon"], 2);
    assert!(usage["text"].as_str().unwrap().starts_with("--start: "), "{usage}");
}

#[test]
fn the_json_of_a_failure_goes_where_the_report_would_have_gone() {
    let folder = recording(1);
    let run = folder.run(&["clip", "in.mkv", "-o", "-", "--start", "1800000000", "--report", "json"]);
    assert_eq!((run.code, run.stdout.len()), (3, 0));
    let object: Value = serde_json::from_str(&run.stderr).expect("nothing else on standard error");
    assert_eq!(object["error"]["exit_code"], 3);
}

#[test]
fn completions_and_manual_pages() {
    let folder = Folder::new();
    for (shell, part) in
        [("bash", "complete -F"), ("zsh", "#compdef getclip"), ("fish", "complete -c getclip")]
    {
        let run = folder.run(&["completions", shell]).done();
        assert!(run.text().contains(part), "{shell}");
        assert!(run.text().contains("max-fragments"), "{shell}");
    }
    let page = folder.run(&["man"]).done();
    assert!(page.text().contains(".TH getclip 1"), "{}", page.text());
    for command in ["clip", "inspect", "completions", "man"] {
        let page = folder.run(&["man", command]).done();
        assert!(page.text().contains(&format!(".TH getclip-{command} 1")), "{}", page.text());
    }
    assert!(folder.run(&["man", "clip"]).done().text().contains("max\\-fragments"));
    let run = folder.run(&["man", "cut"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("found \"cut\""), "{}", run.stderr);
}
