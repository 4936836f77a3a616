//! `getclip clip`: which input goes in, which file comes out, and what is reported.

mod program;

use program::{Folder, START_MS, each, fragment, pictures};
use serde_json::{Value, json};
use testkit::frames::{assert_same_frames, frames_of};
use testkit::media;
use testkit::mkv::{Fragment, Track, documents, fragment_number};

fn three() -> Vec<Fragment> {
    (0..3).map(fragment).collect()
}

/// A folder in which `in.mkv` holds these fragments.
fn folder_with(fragments: &[Fragment]) -> Folder {
    let folder = Folder::new();
    folder.write("in.mkv", &documents(fragments));
    folder
}

#[test]
fn a_file_becomes_a_clip() {
    let folder = folder_with(&three());
    let run = folder.run(&["clip", "in.mkv", "-o", "out.mp4"]).done();
    assert_same_frames(&folder.read("out.mp4"), &frames_of(&three()));
    assert!(run.stdout.is_empty());
    let bytes = folder.read("out.mp4").len();
    let summary = format!("out.mp4: {bytes} bytes, 3.000 s, 3 fragments");
    assert_eq!(run.stderr.lines().last(), Some(summary.as_str()));
    for index in 0..3 {
        assert!(run.stderr.contains(&fragment_number(index)), "{}", run.stderr);
    }
    assert_eq!(folder.names(), ["in.mkv", "out.mp4"]);
}

#[test]
fn the_files_of_a_folder_are_taken_as_people_count() {
    // Without tags the order is that of the input.
    let fragments: Vec<Fragment> =
        (0..3).map(|i| Fragment::new(vec![Track::avc()], pictures(i)).cluster_timestamp(i * 1000)).collect();
    let folder = Folder::new();
    for (name, fragment) in ["in/part-2.mkv", "in/part-10.mkv", "in/part-100.mkv"].iter().zip(&fragments) {
        folder.write(name, &fragment.to_bytes());
    }
    folder.write("in/.part-3.mkv.swp", b"no Matroska");
    folder.write("in/part-4/notes.txt", b"no Matroska");
    folder.run(&["clip", "in", "-o", "out.mp4"]).done();
    assert_same_frames(&folder.read("out.mp4"), &frames_of(&fragments));
}

#[test]
fn several_inputs_are_one_recording() {
    let folder = Folder::new();
    for index in 0..3 {
        folder.write(&format!("{index}.mkv"), &fragment(index).to_bytes());
    }
    folder.run(&["clip", "2.mkv", "0.mkv", "1.mkv", "-o", "out.mp4"]).done();
    assert_same_frames(&folder.read("out.mp4"), &frames_of(&three()));
}

#[test]
fn a_file_that_ends_early_does_not_harm_the_next() {
    let folder = Folder::new();
    let whole = fragment(0).to_bytes();
    folder.write("0.mkv", &whole[..whole.len() - 100]);
    folder.write("1.mkv", &fragment(1).to_bytes());
    let report = folder.run(&["clip", "0.mkv", "1.mkv", "-o", "out.mp4", "--report", "json"]).done().json();
    assert_eq!(each(&report["fragments"], "frames"), [24, 25]);
    assert_eq!(report["events"][0]["event"], "incomplete");
    assert_eq!(report["events"][0]["frames"], 24);
    folder.run(&["clip", "0.mkv", "1.mkv", "-o", "strict.mp4", "--strict"]).failed(
        4,
        "0.mkv",
        &fragment_number(0),
    );
}

#[test]
fn standard_input_and_output() {
    let folder = Folder::new();
    let input = documents(&three());
    let run = folder.run_with(&["clip", "-", "-o", "-"], &input).done();
    assert_same_frames(&run.stdout, &frames_of(&three()));
    let summary = format!("standard output: {} bytes, 3.000 s, 3 fragments", run.stdout.len());
    assert_eq!(run.stderr.lines().last(), Some(summary.as_str()));
    assert!(folder.names().is_empty());
}

#[test]
fn the_same_bytes_from_a_pipe_and_from_a_file() {
    // 3 MB: more than one chunk of the pipe, and fragments that straddle two of them.
    let fragments: Vec<Fragment> = (0..3)
        .map(|index| {
            let mut fragment = fragment(index);
            for (i, block) in fragment.blocks.iter_mut().enumerate() {
                block.frames = vec![media::avc_frame(index * 100 + i as u64, 40_000, i == 0)];
            }
            fragment
        })
        .collect();
    let folder = folder_with(&fragments);
    let from_pipe = folder.run_with(&["clip", "-", "-o", "-"], &folder.read("in.mkv")).done().stdout;
    folder.run(&["clip", "in.mkv", "-o", "out.mp4"]).done();
    assert!(from_pipe == folder.read("out.mp4"));
}

#[test]
fn the_report_as_json() {
    let folder = folder_with(&three());
    let run = folder.run(&["clip", "in.mkv", "-o", "out.mp4", "--report", "json"]).done();
    assert_eq!(run.stderr, "");
    let report = run.json();
    let bytes = folder.read("out.mp4").len();
    assert_eq!(report["output"], json!({"path": "out.mp4", "bytes": bytes}));
    assert_eq!(report["duration_ns"], 3_000_000_000_i64);
    assert_eq!(
        report["fragments"][1],
        json!({
            "name": fragment_number(1),
            "producer_timestamp": "2023-11-14T22:13:21.000Z",
            "server_timestamp": "2023-11-14T22:13:21.613Z",
            "start_ns": 1_000_000_000,
            "frames": 25,
        })
    );
    assert_eq!(
        report["tracks"],
        json!([{
            "number": 1,
            "type": "video",
            "codec": "h264",
            "sample_entries": ["avc1"],
            "samples": 75,
            "sync_samples": 3,
            "bytes": 75 * 200,
            "width": 320,
            "height": 180,
        }])
    );
    assert_eq!(report["offered"], 3);
    assert_eq!(report["out_of_range"], 0);
    assert_eq!(report["cut"], Value::Null);
    assert!(report["events"].is_array());
}

#[test]
fn the_report_goes_to_standard_error_when_the_clip_goes_to_standard_output() {
    let folder = folder_with(&three());
    let run = folder.run(&["clip", "in.mkv", "-o", "-", "--report", "json"]).done();
    assert_same_frames(&run.stdout, &frames_of(&three()));
    let report: Value = serde_json::from_str(&run.stderr).unwrap();
    assert_eq!(report["output"]["bytes"], run.stdout.len());
}

#[test]
fn a_range_includes_both_its_ends() {
    let folder = folder_with(&(0..5).map(fragment).collect::<Vec<_>>());
    let taken = |range: &[&str]| {
        let mut arguments = vec!["clip", "in.mkv", "-o", "out.mp4", "--force", "--report", "json"];
        arguments.extend(range);
        let report = folder.run(&arguments).done().json();
        let names = each(&report["fragments"], "name");
        (0..5).filter(|index| names.contains(&&json!(fragment_number(*index)))).collect::<Vec<u64>>()
    };
    assert_eq!(taken(&["--start", "1700000001", "--end", "1700000003"]), [1, 2, 3]);
    assert_eq!(taken(&["--start", "1700000001.001", "--end", "2023-11-14T22:13:22.999Z"]), [2]);
    assert_eq!(taken(&["--start", "2023-11-14T23:13:23+01:00"]), [3, 4]);
    assert_eq!(taken(&["--end", "1700000001"]), [0, 1]);
    // More than 24 hours.
    assert_eq!(taken(&["--start", "1600000000"]), [0, 1, 2, 3, 4]);
    assert_eq!(taken(&["--end", "1800000000"]), [0, 1, 2, 3, 4]);
    assert_eq!(taken(&["--start", "1600000000", "--end", "1700000001"]), [0, 1]);
    // The service received each fragment 613 ms after it began.
    let by_server = ["--by", "server", "--start", "1700000000.614", "--end", "1700000002.613"];
    assert_eq!(taken(&by_server), [1, 2]);
}

#[test]
fn a_cut_says_where_to_go_on() {
    let folder = folder_with(&three());
    let arguments = ["clip", "in.mkv", "-o", "out.mp4", "--max-fragments", "2", "--force"];
    let text = folder.run(&arguments).done().stderr;
    assert!(text.contains("--start 2023-11-14T22:13:22.000Z"), "{text}");
    let json = folder.run(&[&arguments[..], &["--report", "json"]].concat()).done().json();
    assert_eq!(
        json["cut"],
        json!({
            "limit": "fragments",
            "fragment": fragment_number(2),
            "continue_from": "2023-11-14T22:13:22.000Z",
        })
    );
    assert_same_frames(&folder.read("out.mp4"), &frames_of(&three()[..2]));

    let all = folder.run(&["clip", "in.mkv", "-o", "all.mp4", "--report", "json"]).done().json();
    let less = (all["output"]["bytes"].as_u64().unwrap() - 1).to_string();
    let arguments = ["clip", "in.mkv", "-o", "less.mp4", "--report", "json", "--max-bytes", &less];
    assert_eq!(folder.run(&arguments).done().json()["cut"]["limit"], "bytes");
    assert_same_frames(&folder.read("less.mp4"), &frames_of(&three()[..2]));
}

#[test]
fn gaps_are_kept_or_closed() {
    let folder = folder_with(&[fragment(0), fragment(9)]);
    for (gaps, duration_s, closed) in [("keep", 10_i64, false), ("close", 2, true)] {
        let arguments = ["clip", "in.mkv", "-o", "out.mp4", "--force", "--report", "json", "--gaps", gaps];
        let report = folder.run(&arguments).done().json();
        assert_eq!(report["duration_ns"], duration_s * 1_000_000_000);
        let gap = &report["events"].as_array().unwrap().iter().find(|event| event["event"] == "gap").unwrap();
        assert_eq!(gap["fragment"], fragment_number(9));
        assert_eq!(gap["duration_ns"], 8_000_000_000_i64);
        assert_eq!(gap["closed"], closed);
    }
}

#[test]
fn the_start_of_the_recording_dates_fragments_without_tags() {
    let folder = folder_with(&[Fragment::new(vec![Track::avc()], pictures(0)).cluster_timestamp(5000)]);
    let arguments =
        ["clip", "in.mkv", "-o", "out.mp4", "--report", "json", "--recording-start", "1700000000"];
    let report = folder.run(&arguments).done().json();
    assert_eq!(report["fragments"][0]["name"], "#1");
    assert_eq!(report["fragments"][0]["producer_timestamp"], "2023-11-14T22:13:25.000Z");
    assert_eq!(report["fragments"][0]["server_timestamp"], Value::Null);
}

#[test]
fn a_change_of_the_picture_size_takes_its_option() {
    let mut second = fragment(1);
    second.tracks = vec![Track::avc().codec_private(media::avcc(media::AVC_SPS_640, media::AVC_PPS))];
    let folder = folder_with(&[fragment(0), second]);
    folder.run(&["clip", "in.mkv", "-o", "out.mp4"]).failed(
        4,
        "in.mkv",
        "[InvalidCodecPrivateDataException]",
    );
    let arguments =
        ["clip", "in.mkv", "-o", "out.mp4", "--report", "json", "--codec-changes", "new-sample-entry"];
    let report = folder.run(&arguments).done().json();
    assert_eq!(report["tracks"][0]["sample_entries"].as_array().unwrap().len(), 2);
}

#[test]
fn the_service_profile_is_narrower() {
    let audio = Fragment::stored(
        0,
        START_MS,
        vec![Track::avc(), Track::mulaw()],
        [
            pictures(0),
            (0..50)
                .map(|i| testkit::mkv::Block::new(2, i * 20, true, media::g711_block(i as u64, 160)))
                .collect(),
        ]
        .concat(),
    );
    let folder = folder_with(&[audio]);
    let report = folder.run(&["clip", "in.mkv", "-o", "out.mp4", "--report", "json"]).done().json();
    assert_eq!(each(&report["tracks"], "codec"), ["h264", "mulaw"]);
    assert_eq!(
        (&report["tracks"][1]["sampling_rate"], &report["tracks"][1]["channels"]),
        (&8000.into(), &1.into())
    );
    let arguments = ["clip", "in.mkv", "-o", "service.mp4", "--profile", "service"];
    folder.run(&arguments).failed(4, "in.mkv", "[UnsupportedStreamMediaTypeException]");
}

#[test]
fn codec_private_data_can_come_from_the_frames() {
    let mut fragment = fragment(0);
    fragment.tracks = vec![Track::avc().without_codec_private()];
    let slices = media::avc_frame(1, 200, true);
    let mut nals = vec![media::AVC_SPS, media::AVC_PPS];
    nals.extend(media::nals(&slices));
    fragment.blocks[0].frames = vec![media::length_prefixed(&nals)];
    let folder = folder_with(&[fragment]);
    folder.run(&["clip", "in.mkv", "-o", "out.mp4"]).failed(
        4,
        "in.mkv",
        "[MissingCodecPrivateDataException]",
    );
    let report = folder
        .run(&["clip", "in.mkv", "-o", "out.mp4", "--report", "json", "--codec-private-from-frames"])
        .done()
        .json();
    assert!(each(&report["events"], "event").contains(&&json!("codec_private_from_frames")));
}

#[test]
fn fragments_that_are_too_many_to_name_are_counted() {
    // 1,500 times the same fragment, of which one stays: the library names 1,000 duplicates.
    let folder = folder_with(&(0..1500).map(|_| fragment(0)).collect::<Vec<_>>());
    let report = folder.run(&["clip", "in.mkv", "-o", "json.mp4", "--report", "json"]).done().json();
    assert_eq!((&report["offered"], &report["unnamed"]), (&json!(1500), &json!(499)));
    let text = folder.run(&["clip", "in.mkv", "-o", "text.mp4"]).done().stderr;
    assert!(text.contains("499 further fragments outside the clip"), "{text}");
    assert!(text.contains("and 995 more events (--verbose lists all)"), "{text}");
}
