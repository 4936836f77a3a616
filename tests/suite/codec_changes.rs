//! Codec private data that changes inside a clip, and tracks that are not in it.

use crate::clips::{build_with, clip, clip_with, everything, file, fragment_name};
use getclip::{CodecChanges, ErrorKind, Event, Limits};
use testkit::frames::{self, Tolerance};
use testkit::media::{self, AVC_PPS, AVC_SPS, AVC_SPS_640};
use testkit::mkv::{self, Block, Fragment, Track, aac_blocks, avc_blocks, g711_blocks};
use testkit::mp4::Movie;

const START: u64 = 1_700_000_000_000;

/// A fragment of H.264 with this SPS.
fn with_sps(index: u64, sps: &[u8]) -> Fragment {
    let track = Track::avc().codec_private(media::avcc(sps, AVC_PPS));
    let audio = aac_blocks(index, (0..46).map(|i| i * 64 / 3));
    let blocks = [avc_blocks(index, (0..25).map(|i| i * 40)), audio].concat();
    Fragment::stored(index, START + index * 1000, vec![track, Track::aac()], blocks)
}

#[test]
fn a_change_of_codec_private_data_is_a_second_sample_entry_on_request() {
    let builder = everything().codec_changes(CodecChanges::NewSampleEntry);
    // A, B, B, A: the entry of A serves again.
    let input =
        [with_sps(0, AVC_SPS), with_sps(1, AVC_SPS_640), with_sps(2, AVC_SPS_640), with_sps(3, AVC_SPS)];
    let (mp4, report) = clip_with(&builder, mkv::documents(&input));
    frames::assert_same_frames_within(
        &mp4,
        &frames::frames_of(&input),
        Tolerance { video_ns: 500_000, audio_ns: 1_500_000 },
    );
    let movie = Movie::parse(&mp4);
    let video = movie.video();
    let records: Vec<&[u8]> = video.entries.iter().map(|entry| entry.view.expect("avcC").payload()).collect();
    assert_eq!(records, [media::avcc(AVC_SPS, AVC_PPS), media::avcc(AVC_SPS_640, AVC_PPS)]);
    let indices: Vec<u32> = video.samples.iter().map(|sample| sample.description_index).collect();
    let expected: Vec<u32> = [1, 2, 2, 1].into_iter().flat_map(|index| vec![index; 25]).collect();
    assert_eq!(indices, expected);
    assert_eq!(movie.audio().entries.len(), 1);
    assert_eq!(report.tracks[0].sample_entries, ["avc1", "avc1"]);
    let added: Vec<&Event> =
        report.events.iter().filter(|event| matches!(event, Event::SampleEntryAdded { .. })).collect();
    let [Event::SampleEntryAdded { fragment, track: 1, difference, .. }] = added[..] else {
        panic!("{added:?}")
    };
    assert_eq!(*fragment, fragment_name(1));
    assert!(difference.contains("320x180") && difference.contains("640x360"), "{difference}");
}

/// What was cut off leaves nothing behind.
#[test]
fn a_change_behind_the_end_of_the_clip_adds_no_entry() {
    let builder = everything().codec_changes(CodecChanges::NewSampleEntry);
    let whole = build_with(&builder, mkv::documents(&[with_sps(0, AVC_SPS)])).unwrap();
    let input = mkv::documents(&[with_sps(0, AVC_SPS), with_sps(1, AVC_SPS_640)]);
    let limits = Limits::default().with_max_bytes((whole.len()).try_into().unwrap());
    let (mp4, report) = clip_with(&builder.clone().limits(limits), input.clone());
    assert_eq!(report.tracks[0].sample_entries, ["avc1"]);
    assert!(mp4 == file(&whole));
}

/// A change that is not inside the clip is not refused.
#[test]
fn a_change_behind_the_end_of_the_clip_is_not_refused() {
    let (expected, _) = clip(with_sps(0, AVC_SPS).to_bytes());
    let limits = Limits::default().with_max_bytes((expected.len() as u64).try_into().unwrap());
    let input = mkv::documents(&[with_sps(0, AVC_SPS), with_sps(1, AVC_SPS_640)]);
    let (mp4, _) = clip_with(&everything().limits(limits), input);
    assert!(mp4 == expected);
}

/// `stsz` has one size for all PCM frames of a track, so their channels cannot change within it.
#[test]
fn a_change_of_the_channels_of_g711_is_always_refused() {
    let fragment = |index: u64, channels: u16| {
        let track = Track::alaw().codec_private(media::wave_format(6, 8000, channels));
        let sound = g711_blocks(index, 160 * usize::from(channels), (0..50).map(|i| i * 20));
        let blocks = [avc_blocks(index, (0..25).map(|i| i * 40)), sound].concat();
        Fragment::stored(index, START + index * 1000, vec![Track::avc(), track], blocks)
    };
    let builder = everything().codec_changes(CodecChanges::NewSampleEntry);
    let error = build_with(&builder, mkv::documents(&[fragment(0, 1), fragment(1, 2)])).unwrap_err();
    let ErrorKind::CodecPrivateDataChanged { difference } = error.kind() else { panic!("{error}") };
    assert!(difference.contains("1 channel") && difference.contains("2 channels"), "{difference}");
    assert_eq!(error.location().fragment, Some(fragment_name(1)));
    assert_eq!(error.location().track, Some(2));
}

#[test]
fn further_tracks_are_left_out() {
    let mut input = with_sps(0, AVC_SPS);
    let expected = clip(input.to_bytes()).0;
    input.tracks.push(Track::hevc().number(3));
    input.tracks.push(Track::alaw().number(4));
    input.blocks.push(Block::new(3, 0, true, media::hevc_frame(1, 90, true)));
    input.blocks.push(Block::new(4, 0, true, media::g711_block(1, 160)));
    let (mp4, report) = clip(input.to_bytes());
    assert!(mp4 == expected);
    for (track, codec_id) in [(3, "V_MPEGH/ISO/HEVC"), (4, "A_MS/ACM")] {
        assert!(report.events.contains(&Event::TrackIgnored { track, codec_id: codec_id.into() }));
    }
}
