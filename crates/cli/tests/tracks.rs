//! Which tracks a clip has: pictures alone, sound alone, or by their numbers.

mod program;

use program::{Folder, START_MS, each, pictures};
use serde_json::json;
use testkit::mkv::{Fragment, Track, aac_blocks};

/// A fragment of a second with these tracks, each with frames.
fn folder_with(tracks: Vec<Track>) -> Folder {
    let blocks = tracks.iter().flat_map(|track| {
        let is_sound = track.codec_id.starts_with("A_");
        let blocks =
            if is_sound { aac_blocks(track.number, (0..1000).step_by(21)) } else { pictures(track.number) };
        blocks.into_iter().map(|mut block| {
            block.track = track.number;
            block
        })
    });
    let blocks = blocks.collect();
    let folder = Folder::new();
    folder.write("in.mkv", &Fragment::stored(0, START_MS, tracks, blocks).to_bytes());
    folder
}

fn number(track: Track, number: u64) -> Track {
    Track { number, ..track }
}

const CLIP: [&str; 6] = ["clip", "in.mkv", "-o", "out.mp4", "--report=json", "--force"];

/// Numbers and codecs of the tracks of a clip.
fn tracks(folder: &Folder, options: &[&str]) -> Vec<(u64, String)> {
    let report = folder.run(&[&CLIP[..], options].concat()).done().json();
    let tracks = report["tracks"].as_array().unwrap().iter();
    tracks
        .map(|track| (track["number"].as_u64().unwrap(), track["codec"].as_str().unwrap().to_owned()))
        .collect()
}

fn list(tracks: &[(u64, &str)]) -> Vec<(u64, String)> {
    tracks.iter().map(|(number, codec)| (*number, (*codec).to_owned())).collect()
}

#[test]
fn tracks_by_their_numbers() {
    let all = vec![Track::avc(), Track::aac(), number(Track::avc(), 3), number(Track::aac(), 4)];
    let folder = folder_with(all);
    assert_eq!(tracks(&folder, &[]), list(&[(1, "h264"), (2, "aac")]));
    assert_eq!(tracks(&folder, &["--video-track", "3"]), list(&[(3, "h264"), (2, "aac")]));
    assert_eq!(tracks(&folder, &["--audio-track", "4"]), list(&[(1, "h264"), (4, "aac")]));
    assert_eq!(tracks(&folder, &["--no-audio"]), list(&[(1, "h264")]));
    assert_eq!(tracks(&folder, &["--no-video"]), list(&[(2, "aac")]));
    folder.run(&[&CLIP[..], &["--video-track", "7"]].concat()).failed(
        4,
        "in.mkv",
        "a video track with number 7",
    );
    for wrong in
        [&["--video-track", "0"][..], &["--no-audio", "--audio-track", "2"], &["--no-audio", "--no-video"]]
    {
        assert_eq!(folder.run(&[&CLIP[..], wrong].concat()).code, 2, "{wrong:?}");
    }
}

#[test]
fn the_picture_alone_where_the_sound_cannot_be_held() {
    let opus = Track { codec_private: None, ..Track::aac() }.codec_id("A_OPUS");
    let folder = folder_with(vec![Track::avc(), opus]);
    folder.run(&CLIP).failed(4, "in.mkv", "--no-audio takes the pictures alone");
    let report = folder.run(&[&CLIP[..], &["--no-audio"]].concat()).done().json();
    assert_eq!(each(&report["tracks"], "codec"), ["h264"]);
    assert_eq!(report["events"][0]["text"], "track 2: A_OPUS left out");
}

#[test]
fn sound_alone_is_an_m4a() {
    let folder = folder_with(vec![number(Track::aac(), 1), Track::aac()]);
    assert_eq!(tracks(&folder, &[]), list(&[(1, "aac")]));
    assert_eq!(&folder.read("out.mp4")[8..12], b"M4A ");
    assert_eq!(tracks(&folder, &["--audio-track", "2"]), list(&[(2, "aac")]));
    let text = folder.run(&["clip", "in.mkv", "-o", "2.m4a"]).done().stderr;
    assert!(text.contains("  track 1: AAC (mp4a), 48000 Hz, 2 channels, 48 samples"), "{text}");
    let refused = folder.run(&[&CLIP[..], &["--profile", "service"]].concat());
    refused.failed(4, "in.mkv", "[UnsupportedStreamMediaTypeException]");
}

#[test]
fn a_recording_that_was_generated_without_pictures() {
    for (audio, brand) in [("aac", b"M4A "), ("alaw", b"isom")] {
        let folder = Folder::new();
        folder.run(&["generate", "-o", "in.mkv", "--video", "none", "--audio", audio]).done();
        let report = folder.run(&CLIP).done().json();
        assert_eq!(
            (&report["tracks"][0]["codec"], &report["tracks"][0]["number"]),
            (&json!(audio), &json!(2))
        );
        assert_eq!(&folder.read("out.mp4")[8..12], brand);
    }
}
