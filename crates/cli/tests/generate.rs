//! `getclip generate`: recordings of every codec and shape, as the other commands read them.

mod program;

use program::{Folder, each};
use serde_json::{Value, json};

/// Generates a recording and clips it.
fn clip(generate: &[&str], clip: &[&str]) -> Value {
    let folder = generated(generate);
    let arguments = [&["clip", "in.mkv", "-o", "out.mp4", "--report", "json"], clip].concat();
    folder.run(&arguments).done().json()
}

fn generated(options: &[&str]) -> Folder {
    let folder = Folder::new();
    folder.run(&[&["generate", "-o", "in.mkv"], options].concat()).done();
    folder
}

/// What `inspect` finds unusual, in the order of the file.
fn unusual(options: &[&str]) -> Vec<String> {
    let report = generated(options).run(&["inspect", "in.mkv", "--json"]).done().json();
    let fragments = report["fragments"].as_array().unwrap();
    let of_fragment = |fragment: &Value| fragment["unusual"].as_array().unwrap().clone();
    let all = fragments.iter().flat_map(of_fragment);
    all.map(|unusual| unusual["what"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_codec_in_every_form() {
    for (video, frames) in [("h264", 250), ("h265", 250)] {
        for (audio, codec, samples) in
            [("aac", "aac", 469), ("alaw", "alaw", 80_000), ("mulaw", "mulaw", 80_000), ("none", "", 0)]
        {
            for form in ["getmedia", "upload", "merged"] {
                let report = clip(&["--video", video, "--audio", audio, "--form", form], &[]);
                let context = format!("{video} {audio} {form}: {report}");
                let tracks = report["tracks"].as_array().unwrap();
                assert_eq!(
                    (&tracks[0]["codec"], &tracks[0]["samples"]),
                    (&json!(video), &json!(frames)),
                    "{context}"
                );
                assert_eq!(tracks[0]["sync_samples"], 10, "{context}");
                assert_eq!(
                    (&tracks[0]["width"], &tracks[0]["height"]),
                    (&json!(160), &json!(90)),
                    "{context}"
                );
                match tracks.get(1) {
                    Some(track) => {
                        assert_eq!(
                            (&track["codec"], &track["samples"]),
                            (&json!(codec), &json!(samples)),
                            "{context}"
                        );
                    }
                    None => assert_eq!(audio, "none", "{context}"),
                }
                // The last frame of AAC ends 5 ms after the last picture.
                let duration_ms = (report["duration_ns"].as_f64().unwrap() / 1e6).round() as u64;
                assert_eq!(duration_ms, if audio == "aac" { 10_005 } else { 10_000 }, "{context}");
                assert_eq!(report["fragments"].as_array().unwrap().len(), 5, "{context}");
            }
        }
    }
}

#[test]
fn the_same_arguments_give_the_same_bytes() {
    let (one, two) = (generated(&[]), generated(&[]));
    assert!(one.read("in.mkv") == two.read("in.mkv"));
    let run = one.run(&["generate", "-o", "-"]).done();
    assert!(run.stdout == one.read("in.mkv"));
    assert_eq!(run.stderr, "");
    one.run(&["generate", "-o", "in.mkv"]).failed(1, "in.mkv", "--force");
}

#[test]
fn number_length_and_start() {
    let report = clip(&["--fragments", "3", "--seconds", "1", "--start", "2023-11-14T22:13:20.5Z"], &[]);
    let starts: Vec<&Value> = each(&report["fragments"], "producer_timestamp");
    assert_eq!(starts, ["2023-11-14T22:13:20.500Z", "2023-11-14T22:13:21.500Z", "2023-11-14T22:13:22.500Z"]);
    assert_eq!(report["fragments"][0]["name"].as_str().unwrap().len(), 47);
    assert_eq!(report["fragments"][0]["server_timestamp"], "2023-11-14T22:13:21.113Z");
    for (option, value) in
        [("--fragments", "0"), ("--seconds", "0"), ("--seconds", "21"), ("--start", "soon")]
    {
        assert_eq!(
            Folder::new().run(&["generate", "-o", "in.mkv", option, value]).code,
            2,
            "{option} {value}"
        );
    }
    let run = Folder::new().run(&["generate", "-o", "in.mkv", "--video", "none", "--audio", "none"]);
    assert_eq!(run.code, 2);
}

#[test]
fn shapes_are_what_inspect_finds() {
    let plain: [&str; 0] = [];
    assert_eq!(unusual(&[]), plain);
    assert_eq!(unusual(&["--shape", "gap"]), ["gap"]);
    assert_eq!(unusual(&["--shape", "overlap"]), ["overlap"]);
    assert_eq!(unusual(&["--shape", "duplicate"]), ["duplicate"]);
    assert_eq!(unusual(&["--shape", "shuffled"]), ["out_of_order"]);
    assert_eq!(unusual(&["--shape", "truncated"]), ["incomplete"]);
    assert_eq!(unusual(&["--shape", "gap,truncated"]), ["incomplete", "gap"]);
    assert_eq!(unusual(&["--shape", "no-codec-private", "--audio", "none"]), ["no_codec_private"; 5]);
    let report = generated(&["--shape", "relative"]).run(&["inspect", "in.mkv", "--json"]).done().json();
    assert_eq!(
        each(&report["fragments"], "cluster_timestamp_ns"),
        [0_i64, 2, 4, 6, 8].map(|s| s * 1_000_000_000)
    );
}

#[test]
fn shapes_are_what_clip_reports() {
    let events = |generate: &[&str], options: &[&str]| {
        let report = clip(generate, options);
        let events = each(&report["events"], "event");
        events.into_iter().map(|event| event.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(events(&["--shape", "gap", "--audio", "none"], &[]), ["gap"]);
    assert_eq!(events(&["--shape", "overlap", "--audio", "none"], &[]), ["moved"]);
    assert_eq!(events(&["--shape", "duplicate", "--audio", "none"], &[]), ["duplicate_dropped"]);
    let none: [&str; 0] = [];
    assert_eq!(events(&["--shape", "shuffled", "--audio", "none"], &[]), none);
    let annex_b = events(&["--shape", "annex-b", "--audio", "none"], &[]);
    assert!(annex_b.contains(&"framing_converted".to_owned()), "{annex_b:?}");
}
