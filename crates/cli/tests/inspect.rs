//! `getclip inspect`: what it prints of fragments, plain and odd.

mod program;

use program::{Folder, START_MS, each, fragment, pictures};
use serde_json::{Value, json};
use testkit::media;
use testkit::mkv::{Block, Fragment, Track, documents, fragment_number};

/// The JSON of a file with these fragments.
fn inspect(fragments: &[Fragment]) -> Value {
    let folder = Folder::new();
    folder.write("in.mkv", &documents(fragments));
    folder.run(&["inspect", "in.mkv", "--json"]).done().json()
}

/// What is unusual about the last of these fragments.
fn unusual(fragments: &[Fragment]) -> Value {
    let report = inspect(fragments);
    let fragments = report["fragments"].as_array().unwrap();
    fragments.last().unwrap()["unusual"].clone()
}

#[test]
fn a_table_to_read() {
    let folder = Folder::new();
    folder.write("in.mkv", &documents(&[fragment(0), fragment(3)]));
    let run = folder.run(&["inspect", "in.mkv"]).done();
    let lines: Vec<Vec<&str>> = run.text().lines().map(|line| line.split_whitespace().collect()).collect();
    let cluster = fragment(0).cluster().len().to_string();
    assert_eq!(lines[0].join(" "), "FRAGMENT PRODUCER TIMESTAMP SERVER TIMESTAMP DURATION BYTES TRACKS");
    assert_eq!(
        lines[1].join(" "),
        format!(
            "{} 2023-11-14T22:13:20.000Z 2023-11-14T22:13:20.613Z 1.000 s {cluster} 1 V_MPEG4/ISO/AVC 25 blocks, 1 key",
            fragment_number(0)
        )
    );
    assert_eq!(lines[3].join(" "), "! gap of 2.000 s before it");
    assert!(lines[4].join(" ").starts_with("2 fragments, 2.000 s of media, "), "{}", run.text());
    assert_eq!(run.stderr, "");
}

#[test]
fn an_object_to_process() {
    let mut with_audio = fragment(0);
    with_audio.tracks.push(Track::aac());
    with_audio.blocks.push(Block::new(2, 0, false, media::aac_frame(1, 300)));
    with_audio.blocks.push(Block::new(2, 21, false, media::aac_frame(2, 300)));
    let report = inspect(std::slice::from_ref(&with_audio));
    let bytes = with_audio.to_bytes();
    let offset = bytes.windows(4).position(|four| four == [0x1F, 0x43, 0xB6, 0x75]).unwrap();
    assert_eq!(
        report,
        json!({
            "errors": [],
            "left_out": [],
            "documents": [{"file": "in.mkv", "offset": 0, "length": bytes.len(), "fragments": 1}],
            "fragments": [{
                "file": "in.mkv",
                "name": fragment_number(0),
                "number": fragment_number(0),
                "producer_timestamp": "2023-11-14T22:13:20.000Z",
                "server_timestamp": "2023-11-14T22:13:20.613Z",
                "cluster_timestamp_ns": START_MS * 1_000_000,
                "document_offset": 0,
                "offset": offset,
                "bytes": with_audio.cluster().len(),
                "duration_ns": 1_000_000_000,
                "tracks": [
                    {
                        "number": 1,
                        "type": "video",
                        "codec_id": "V_MPEG4/ISO/AVC",
                        "codec_private_bytes": media::avcc(media::AVC_SPS, media::AVC_PPS).len(),
                        "blocks": 25,
                        "key_frames": 1,
                        "bytes": 25 * 200,
                    },
                    {
                        "number": 2,
                        "type": "audio",
                        "codec_id": "A_AAC",
                        "codec_private_bytes": 2,
                        "blocks": 2,
                        "key_frames": null,
                        "bytes": 600,
                    },
                ],
                "unusual": [],
            }],
        })
    );
}

#[test]
fn fragments_without_tags() {
    let report = inspect(&[Fragment::new(vec![Track::avc()], pictures(0))]);
    let fragment = &report["fragments"][0];
    assert_eq!(fragment["name"], "#1");
    for absent in ["number", "producer_timestamp", "server_timestamp"] {
        assert_eq!(fragment[absent], Value::Null, "{absent}");
    }
}

#[test]
fn gaps_and_overlaps() {
    assert_eq!(unusual(&[fragment(0), fragment(1)]), json!([]));
    let gap = unusual(&[fragment(0), fragment(10)]);
    assert_eq!(
        gap,
        json!([{"what": "gap", "text": "gap of 9.000 s before it", "duration_ns": 9_000_000_000_i64}])
    );
    let mut early = fragment(1);
    early.producer = Some("1700000000.500".into());
    let overlap = unusual(&[fragment(0), early]);
    assert_eq!((&overlap[0]["what"], &overlap[0]["duration_ns"]), (&json!("overlap"), &json!(500_000_000)));
}

#[test]
fn tracks_that_change() {
    let mut other_sps = fragment(1);
    other_sps.tracks = vec![Track::avc().codec_private(media::avcc(media::AVC_SPS_640, media::AVC_PPS))];
    let changed = unusual(&[fragment(0), other_sps]);
    assert_eq!((&changed[0]["what"], &changed[0]["track"]), (&json!("codec_private_changed"), &json!(1)));
    let pictures = vec![Block::new(1, 0, true, media::hevc_frame(1, 200, true))];
    let other_codec = Fragment { tracks: vec![Track::hevc()], blocks: pictures, ..fragment(1) };
    assert_eq!(each(&unusual(&[fragment(0), other_codec]), "what"), ["tracks_changed"]);
    // Read as H.265, slices of H.264 are no pictures.
    let no_picture = Fragment { tracks: vec![Track::hevc()], ..fragment(1) };
    assert_eq!(each(&unusual(&[fragment(0), no_picture]), "what"), ["tracks_changed", "empty"]);
    let bare = Fragment { tracks: vec![Track::avc().without_codec_private()], ..fragment(0) };
    assert_eq!(each(&unusual(&[bare]), "what"), ["no_codec_private"]);
}

#[test]
fn frames_that_are_missing() {
    let mut headless = fragment(0);
    headless.blocks.remove(0);
    assert_eq!(each(&unusual(&[headless]), "what"), ["no_key_frame_first"]);
    let empty = Fragment { blocks: Vec::new(), ..fragment(0) };
    assert_eq!(each(&unusual(&[empty]), "what"), ["empty"]);

    let folder = Folder::new();
    let whole = documents(&[fragment(0), fragment(1)]);
    folder.write("in.mkv", &whole[..whole.len() - 10]);
    let report = folder.run(&["inspect", "in.mkv", "--json"]).done().json();
    let last = &report["fragments"][1];
    assert_eq!(last["unusual"][0]["what"], "incomplete");
    assert!(last["unusual"][0]["text"].as_str().unwrap().ends_with("10 bytes are missing"));
    assert_eq!(last["tracks"][0]["blocks"], 24);
}

#[test]
fn damage_is_shown_where_it_is_and_keeps_nothing_else_from_being_read() {
    let folder = Folder::new();
    let mut bytes = fragment(0).to_bytes();
    let end = bytes.len();
    bytes.extend(testkit::mkv::service_error("3002", "internal error").to_bytes());
    folder.write("1.mkv", &bytes);
    folder.write("2.mkv", &fragment(1).to_bytes());
    let run = folder.run(&["inspect", "1.mkv", "2.mkv"]).done();
    assert!(run.text().starts_with("FILE "), "{}", run.text());
    assert!(run.text().contains("! damaged at byte "), "{}", run.text());
    for part in [fragment_number(0), fragment_number(1), "error 3002: internal error".to_owned()] {
        assert!(run.text().contains(&part), "{}", run.text());
    }
    let report = folder.run(&["inspect", "1.mkv", "2.mkv", "--json"]).done().json();
    let fragments = report["fragments"].as_array().unwrap();
    let damage = &fragments[1]["unusual"][0];
    assert_eq!((&damage["what"], &damage["damage"]["fault"]["code"]), (&json!("damaged"), &json!("3002")));
    assert!(damage["damage"]["offset"].as_u64().unwrap() as usize >= end);
    assert_eq!(fragments.last().unwrap()["name"], fragment_number(1));
}

#[test]
fn an_error_comes_after_what_could_be_read() {
    let folder = Folder::new();
    folder.write("1.mkv", b"\xFF\xD8\xFF\xE0 a picture");
    folder.write("2.mkv", &fragment(1).to_bytes());
    let run = folder.run(&["inspect", "1.mkv", "2.mkv"]).failed(4, "1.mkv", "a JPEG picture");
    assert!(run.text().contains(&fragment_number(1)), "the second file was not read");
    let run = folder.run(&["inspect", "1.mkv", "2.mkv", "--json"]).failed(4, "1.mkv", "a JPEG picture");
    let report = run.json();
    assert_eq!(each(&report["fragments"], "name"), [&json!(fragment_number(1))]);
    assert_eq!(report["errors"][0]["file"], "1.mkv");
    assert_eq!(report["errors"][0]["exception"], "InvalidMediaFrameException");
}

#[test]
fn nothing_to_inspect() {
    let folder = Folder::new();
    folder.write("in.mkv", b"");
    folder.run(&["inspect", "in.mkv"]).failed(3, "in.mkv", "no fragments");
    folder.run_with(&["inspect", "-"], b"").failed(3, "standard input", "no fragments");
    folder.run(&["inspect", "missing"]).failed(1, "missing", "No such file");
    folder.run_with(&["inspect", "-"], b"\xFF\xD8\xFF\xE0").failed(4, "standard input", "EBML header");
}

#[test]
fn standard_input() {
    let folder = Folder::new();
    let input = documents(&[fragment(0), fragment(1)]);
    let report = folder.run_with(&["inspect", "-", "--json"], &input).done().json();
    assert_eq!(each(&report["fragments"], "file"), ["standard input"; 2]);
}

/// The gaps that `inspect` and `clip` find in a recording: before which fragment, and how long.
fn gaps(folder: &Folder, file: &str) -> [Vec<(Value, Value)>; 2] {
    let inspected = folder.run(&["inspect", file, "--json"]).done().json();
    let of_fragment = |fragment: &Value| {
        let found = fragment["unusual"].as_array().unwrap().clone().into_iter();
        let name = fragment["name"].clone();
        found
            .filter(|found| found["what"] == "gap")
            .map(move |gap| (name.clone(), gap["duration_ns"].clone()))
    };
    let inspected = inspected["fragments"].as_array().unwrap().iter().flat_map(of_fragment).collect();
    let options = ["--limits=none", "--codec-changes=new-sample-entry", "--report=json", "--force"];
    let clipped = folder.run(&[&["clip", file, "-o", "out.mp4"], &options[..]].concat()).done().json();
    let events = clipped["events"].as_array().unwrap().iter().filter(|event| event["event"] == "gap");
    [inspected, events.map(|gap| (gap["fragment"].clone(), gap["duration_ns"].clone())).collect()]
}

#[test]
fn a_gap_is_what_a_clip_calls_a_gap() {
    let folder = Folder::new();
    // Steps of 20 and 60 ms, whose mean is not their median, and 60 ms more than that before the last fragment.
    let jittery = |index: u64, at: u64| {
        let times = (0..25).map(|i| i / 2 * 80 + i % 2 * 20);
        let blocks = times.zip(pictures(index)).map(|(time, block)| Block { time, ..block });
        Fragment::stored(index, START_MS + at, vec![Track::avc()], blocks.collect())
    };
    folder.write("jittery.mkv", &documents(&[jittery(0, 0), jittery(1, 1000), jittery(2, 2100)]));
    let [inspected, clipped] = gaps(&folder, "jittery.mkv");
    assert_eq!(inspected, clipped);

    let mut found = 0;
    for name in [
        "h264_gaps",
        "h264_aac",
        "getmedia_twice",
        "timecode_reset",
        "merged_holes",
        "h265_bframes",
        "h264_upload",
    ] {
        folder.write("in.mkv", &std::fs::read(testkit::manifest::path(&format!("{name}.mkv"))).unwrap());
        let [inspected, clipped] = gaps(&folder, "in.mkv");
        assert_eq!(inspected, clipped, "{name}");
        found += clipped.len();
    }
    assert!(found >= 6, "{found} gaps: the test has lost its way");
}

#[test]
fn order_and_duplicates() {
    let early = unusual(&[fragment(3), fragment(1)]);
    assert_eq!(each(&early, "what"), ["out_of_order"]);
    assert_eq!(each(&unusual(&[fragment(3), fragment(1), fragment(2)]), "what"), [""; 0]);
    assert_eq!(each(&unusual(&[fragment(1), fragment(1)]), "what"), ["duplicate"]);
    assert_eq!(each(&unusual(&[fragment(1), fragment(1), fragment(2)]), "what"), [""; 0]);
}

#[test]
fn documents_are_files_of_their_own() {
    let folder = Folder::new();
    let whole = documents(&(0..3).map(fragment).collect::<Vec<_>>());
    folder.write("in.mkv", &whole);
    let report = folder.run(&["inspect", "in.mkv", "--json"]).done().json();
    let found = report["documents"].as_array().unwrap();
    assert_eq!(each(&report["documents"], "fragments"), [1, 1, 1]);
    let mut end = 0;
    for (index, document) in (0..).zip(found) {
        let number = |name: &str| document[name].as_u64().unwrap() as usize;
        assert_eq!(number("offset"), end, "nothing is between documents");
        end = number("offset") + number("length");
        folder.write("cut.mkv", &whole[number("offset")..end]);
        let cut = folder.run(&["inspect", "cut.mkv", "--json"]).done().json();
        assert_eq!(each(&cut["fragments"], "name"), [&json!(fragment_number(index))]);
        assert_eq!(each(&cut["fragments"], "unusual"), [&json!([])]);
    }
    assert_eq!(end, whole.len());

    // One object a line, each as soon as it is known.
    let run = folder.run_with(&["inspect", "-", "--json-lines"], &whole).done();
    let lines: Vec<Value> = run.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&Value> = lines.iter().map(|line| &line["type"]).collect();
    assert_eq!(kinds, ["fragment", "document", "fragment", "document", "fragment", "document"]);
    let in_lines: Vec<&Value> =
        lines.iter().filter(|line| line["type"] == "document").map(|line| &line["length"]).collect();
    assert_eq!(in_lines, each(&report["documents"], "length"));

    // A producer's upload is one document.
    folder.write("upload.mkv", &testkit::mkv::upload(&[fragment(0), fragment(1)]));
    let report = folder.run(&["inspect", "upload.mkv", "--json"]).done().json();
    assert_eq!(each(&report["documents"], "fragments"), [2]);
    assert_eq!(report["documents"][0]["length"], folder.read("upload.mkv").len());
}
