//! What cannot be done is reported in one line that a stranger understands, and with the right exit code.

mod program;

use program::{Folder, Run, fragment, pictures};
use testkit::ebml::{self, id};
use testkit::mkv::{Block, Fragment, Track};
use testkit::{manifest, media};

/// Clips a file with this content.
fn clip(bytes: &[u8]) -> Run {
    clip_with(bytes, &[])
}

/// Clips a file with this content, which must be whole.
fn clip_strictly(bytes: &[u8]) -> Run {
    clip_with(bytes, &["--strict"])
}

fn clip_with(bytes: &[u8], options: &[&str]) -> Run {
    let folder = Folder::new();
    folder.write("in.mkv", bytes);
    let run = folder.run(&[&["clip", "in.mkv", "-o", "out.mp4"], options].concat());
    assert_eq!(folder.names(), ["in.mkv"], "something was left behind");
    run
}

fn clip_fragment(fragment: Fragment) -> Run {
    clip(&fragment.to_bytes())
}

#[test]
fn input_without_a_fragment() {
    clip(b"").failed(3, "in.mkv", "no fragments found");
    clip_fragment(Fragment { without_cluster: true, ..fragment(0) }).failed(
        3,
        "in.mkv",
        "no fragments found",
    );
    let folder = Folder::new();
    folder.write("empty/.hidden", b"");
    folder.run(&["clip", "empty", "-o", "out.mp4"]).failed(3, "empty", "no fragments found");
    folder.run_with(&["clip", "-", "-o", "out.mp4"], b"").failed(3, "standard input", "no fragments found");
    folder.write("in.mkv", &fragment(0).to_bytes());
    let range = ["clip", "in.mkv", "-o", "out.mp4", "--start", "1800000000"];
    folder.run(&range).failed(3, "in.mkv", "not in the range").failed(
        3,
        "in.mkv",
        "[ResourceNotFoundException]",
    );
}

#[test]
fn files_of_another_kind() {
    let jpeg = [&[0xFF, 0xD8, 0xFF, 0xE0, 0, 16], b"JFIF\0".as_slice(), &[1; 100]].concat();
    clip(&jpeg).failed(4, "in.mkv", "expected an EBML header");
    let mp4 = std::fs::read(manifest::path("reference.mp4")).unwrap();
    clip(&mp4).failed(4, "in.mkv", "expected an EBML header");
    clip(b"{\"fragments\": []}\n").failed(4, "in.mkv", "expected an EBML header");
}

#[test]
fn media_that_is_not_carried() {
    let mut webm = Fragment { doc_type: "webm".into(), ..fragment(0) };
    webm.tracks = vec![Track { codec_private: None, ..Track::avc() }.codec_id("V_VP8")];
    clip_fragment(webm).failed(4, "in.mkv", "V_VP8").failed(
        4,
        "in.mkv",
        "[UnsupportedStreamMediaTypeException]",
    );

    let bare = Fragment { tracks: vec![Track::avc().without_codec_private()], ..fragment(0) };
    clip_fragment(bare)
        .failed(4, "in.mkv", "missing codec private data")
        .failed(4, "in.mkv", "track 1")
        .failed(4, "in.mkv", "[MissingCodecPrivateDataException]");

    let garbage = Fragment { tracks: vec![Track::avc().codec_private([1, 2, 3])], ..fragment(0) };
    clip_fragment(garbage).failed(4, "in.mkv", "[InvalidCodecPrivateDataException]");
}

#[test]
fn frames_that_cannot_be() {
    let mut stray = fragment(0);
    stray.blocks.push(Block::new(7, 990, false, media::avc_frame(1, 100, false)));
    clip_strictly(&stray.to_bytes()).failed(4, "in.mkv", "track 7");

    let mut past_the_end = fragment(0);
    // A NAL unit of 0xFFFF bytes in a frame of 8.
    past_the_end.blocks[3].frames = vec![vec![0, 0, 0xFF, 0xFF, 0x41, 1, 2, 3]];
    clip_strictly(&past_the_end.to_bytes())
        .failed(4, "in.mkv", "120 ms")
        .failed(4, "in.mkv", "without --strict what is whole is kept")
        .failed(4, "in.mkv", "[InvalidMediaFrameException]");
}

#[test]
fn an_error_of_the_service_is_told_in_its_words() {
    let mut bytes = fragment(0).to_bytes();
    bytes.extend(testkit::mkv::service_error("3002", "internal error").to_bytes());
    clip_strictly(&bytes).failed(4, "in.mkv", "3002");
}

#[test]
fn what_would_steer_a_terminal_is_not_printed() {
    let mut odd = fragment(0);
    odd.tracks = vec![Track { codec_private: None, ..Track::avc() }.codec_id("V_\u{1b}[2J\nX")];
    let run = clip_fragment(odd).failed(4, "in.mkv", "V_");
    assert!(!run.stderr.contains('\u{1b}'), "{}", run.stderr);
}

#[test]
fn the_file_at_fault_is_named() {
    let folder = Folder::new();
    folder.write("in/1.mkv", &fragment(0).to_bytes());
    folder.write("in/2.mkv", b"no Matroska");
    // One that was named has to be a recording.
    folder.run(&["clip", "in/1.mkv", "in/2.mkv", "-o", "out.mp4"]).failed(
        4,
        "in/2.mkv",
        "expected an EBML header",
    );

    // Found only when the fragments are put together.
    let mut broken = fragment(1);
    broken.blocks[3].frames = vec![vec![0, 0, 0xFF, 0xFF, 0x41, 1, 2, 3]];
    folder.write("in/2.mkv", &broken.to_bytes());
    folder.run(&["clip", "in", "-o", "out.mp4", "--strict"]).failed(4, "in/2.mkv", "120 ms");
    folder
        .run(&["clip", "in/1.mkv", "in/2.mkv", "-o", "out.mp4", "--strict"])
        .failed(4, "in/2.mkv", "120 ms");

    // No file is named where it could be either.
    let untagged = |index| Fragment::new(vec![Track::avc()], pictures(index));
    let bare = Fragment { tracks: vec![Track::avc().without_codec_private()], ..untagged(0) };
    folder.write("in/1.mkv", &untagged(0).to_bytes());
    folder.write("in/2.mkv", &bare.to_bytes());
    folder.run(&["clip", "in", "-o", "out.mp4"]).failed(4, "in", "missing codec private data");
    folder.run(&["clip", "in/1.mkv", "in/2.mkv", "-o", "out.mp4"]).failed(
        4,
        "2 inputs",
        "missing codec private data",
    );
}

#[test]
fn input_that_cannot_be_read() {
    let folder = Folder::new();
    folder.write("in.mkv", &fragment(0).to_bytes());
    folder.run(&["clip", "missing.mkv", "-o", "out.mp4"]).failed(1, "missing.mkv", "No such file");
    folder.run(&["clip", "in.mkv", "missing", "-o", "out.mp4"]).failed(1, "missing", "No such file");
    assert_eq!(folder.names(), ["in.mkv"]);
}

#[test]
fn command_lines_that_are_wrong() {
    let folder = Folder::new();
    folder.write("in.mkv", &fragment(0).to_bytes());
    for arguments in [
        &[][..],
        &["cut"],
        &["clip"],
        &["clip", "in.mkv"],
        &["clip", "-o", "out.mp4"],
        &["clip", "in.mkv", "-o", "out.mp4", "--start", "yesterday"],
        &["clip", "in.mkv", "-o", "out.mp4", "--start", "--end", "10"],
        &["clip", "in.mkv", "-o", "out.mp4", "--start", "10m"],
        &["clip", "in.mkv", "-o", "out.mp4", "--duration", "10m"],
        &["clip", "in.mkv", "-o", "out.mp4", "--start", "10", "--duration", "-10m"],
        &["clip", "in.mkv", "-o", "out.mp4", "--start", "10", "--end", "20", "--duration", "10"],
        &["clip", "in.mkv", "-o", "out.mp4", "--start", "10", "--end", "10"],
        &["clip", "in.mkv", "-o", "out.mp4", "--start", "10", "--end", "9"],
        &["clip", "in.mkv", "-o", "out.mp4", "--by", "camera"],
        &["clip", "in.mkv", "-o", "out.mp4", "--max-fragments", "-1"],
        &["clip", "in.mkv", "-o", "out.mp4", "--max-fragments", "0"],
        &["clip", "in.mkv", "-o", "out.mp4", "--max-bytes", "0"],
        &["clip", "in.mkv", "-o", "out.mp4", "--max-bytes", "100 MBit"],
        &["clip", "in.mkv", "-o", "out.mp4", "--quiet", "--verbose"],
        &["clip", "in.mkv", "-o", "out.mp4", "--report", "xml"],
        &["clip", "-", "-", "-o", "out.mp4"],
        &["inspect"],
        &["inspect", "in.mkv", "--force"],
        &["inspect", "in.mkv", "--json", "--json-lines"],
        &["completions"],
        &["completions", "cmd.exe"],
        &["man", "cut"],
    ] {
        let run = folder.run(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert!(!run.stderr.is_empty(), "{arguments:?}");
        assert!(run.stdout.is_empty(), "{arguments:?}");
    }
    assert_eq!(folder.names(), ["in.mkv"]);
}

#[test]
fn help_has_an_example_for_each_command() {
    let folder = Folder::new();
    for (arguments, example) in [
        (&["--help"][..], "getclip clip response.mkv -o clip.mp4"),
        (&["--help"], "getclip inspect response.mkv"),
        (&["clip", "--help"], "getclip clip response.mkv -o clip.mp4"),
        (&["inspect", "--help"], "getclip inspect response.mkv"),
    ] {
        let run = folder.run(arguments).done();
        assert!(run.text().contains(example), "{arguments:?}");
        assert!(run.text().contains("3  no fragment is in the range"), "{arguments:?}");
    }
}

#[test]
fn an_element_that_is_no_element() {
    let mut bytes = fragment(0).to_bytes();
    bytes.extend(ebml::element(id::CLUSTER, &[0x00; 16]));
    clip_strictly(&bytes).failed(4, "in.mkv", "malformed Matroska");
}
