//! Every file of `testdata/` and every capture beside the repository: the clip holds each frame of the input once, byte
//! for byte, at its time.

use std::fs;
use std::path::Path;

use crate::clips::{clip, clip_with, everything, lines, sound};
use getclip::{AudioCodec, CodecChanges, Event, Gaps};
use testkit::frames::{self, Frame, Tolerance};
use testkit::manifest::{self, Manifest};
use testkit::media;
use testkit::mkv_reader::{stored_frames, unadapted};
use testkit::mp4::Movie;

/// Files whose manifest does not hold for the video and audio times alike.
fn tolerance(name: &str) -> Tolerance {
    match name {
        // Frames of 21.33 ms that are stamped every 20 ms: the stamps are the defect.
        "aac_20ms" => Tolerance::ANY_AUDIO_TIME,
        _ => Tolerance::HALF_MILLISECOND,
    }
}

#[test]
fn every_frame_comes_out_once_unchanged_and_on_time() {
    let builder = everything().codec_changes(CodecChanges::NewSampleEntry);
    for name in manifest::names() {
        println!("{name}");
        let manifest = Manifest::load(&name);
        let (mp4, report) = clip_with(&builder, manifest::mkv(&name));
        manifest.assert_same_frames_within(&mp4, tolerance(&name));
        assert_eq!(report.fragments.len(), manifest.fragment_count(), "{name}");
        assert_eq!(report.offered, manifest.fragment_count() as u64, "{name}");
        let frames: u64 = report.fragments.iter().map(|fragment| fragment.frames).sum();
        assert_eq!(frames, manifest.lines.len() as u64, "{name}");
        assert_eq!(report.cut, None, "{name}");
    }
}

#[test]
fn sample_entries_are_those_of_the_codecs() {
    for (name, codes) in [
        ("h264_aac", &["avc1", "mp4a"][..]),
        ("h264_only", &["avc1"]),
        ("h264_annexb", &["avc1"]),
        ("h264_annexb_private", &["avc1"]),
        ("h264_alaw", &["avc1", "alaw"]),
        ("h264_mulaw", &["avc1", "ulaw"]),
        ("aac_sbr", &["avc1", "mp4a"]),
        ("h265_aac", &["hvc1", "mp4a"]),
        ("h265_annexb", &["hvc1"]),
        ("h265_10bit", &["hvc1"]),
        ("h265_alaw", &["hvc1", "alaw"]),
    ] {
        let (mp4, report) = clip(manifest::mkv(name));
        let movie = Movie::parse(&mp4);
        let found: Vec<String> =
            movie.tracks.iter().flat_map(|t| &t.entries).map(|entry| entry.fourcc.to_string()).collect();
        assert_eq!(found, codes, "{name}");
        let reported: Vec<&str> =
            report.tracks.iter().flat_map(|track| &track.sample_entries).copied().collect();
        assert_eq!(reported, codes, "{name}");
    }
}

/// Exact cadences that the millisecond times are the rounding of: frames per second, and frames.
#[test]
fn a_steady_cadence_is_one_run_of_exact_durations() {
    for (name, numerator, denominator, frames) in [
        ("h264_aac", 30, 1, 300),
        ("h264_only", 30, 1, 300),
        ("h264_upload", 30, 1, 300),
        ("h264_merged", 30, 1, 300),
        ("h264_annexb", 30, 1, 300),
        ("h264_bframes", 30, 1, 1800),
        ("h264_2997", 30_000, 1001, 299),
        ("h264_23976", 24_000, 1001, 239),
        ("h264_alaw", 15, 1, 150),
        ("h265_aac", 30, 1, 300),
        ("h265_10bit", 30, 1, 120),
        ("h265_alaw", 25, 1, 250),
        ("h265_bframes", 30, 1, 1800),
    ] {
        let (mp4, _) = clip(manifest::mkv(name));
        let movie = Movie::parse(&mp4);
        let video = movie.video();
        let [(count, delta)] = video.table.time_to_sample[..] else {
            panic!("{name}: {} runs", video.table.time_to_sample.len())
        };
        assert_eq!(count, frames, "{name}");
        let (ticks, rate) = (u64::from(delta) * numerator, u64::from(video.timescale) * denominator);
        assert_eq!(ticks, rate, "{name}: {delta} ticks at {} per second", video.timescale);
    }
}

/// AAC has 1024 samples in a frame (ISO/IEC 14496-3 section 4.5.1.1), with SBR 2048 at the doubled rate; G.711 one.
#[test]
fn audio_runs_at_its_sampling_rate() {
    for (name, rate, frames, ticks) in [
        ("h264_aac", 48_000, 470, 1024),
        ("h264_merged", 48_000, 470, 1024),
        ("h264_aac_44100", 44_100, 432, 1024),
        ("h265_aac", 48_000, 470, 1024),
        ("aac_sbr", 48_000, 236, 2048),
        ("h264_alaw", 8_000, 80_000, 1),
        ("h264_mulaw", 8_000, 80_000, 1),
        ("h265_alaw", 8_000, 80_000, 1),
    ] {
        let (mp4, report) = clip(manifest::mkv(name));
        let movie = Movie::parse(&mp4);
        let audio = movie.audio();
        assert_eq!(audio.table.time_to_sample, [(frames, ticks)], "{name}");
        assert_eq!(audio.timescale, rate, "{name}");
        assert_eq!(sound(&report.tracks[1]).1, rate, "{name}");
        assert_eq!(report.tracks[1].samples, u64::from(frames), "{name}");
    }
}

#[test]
fn b_frames_are_delayed_by_the_edit_list_and_shown_from_0() {
    for name in ["h264_bframes", "h265_bframes"] {
        let (mp4, _) = clip(manifest::mkv(name));
        let movie = Movie::parse(&mp4);
        let video = movie.video();
        let first_shown = video.samples.iter().map(|sample| sample.dts as i64 + sample.cts_offset).min();
        let [edit] = video.edits[..] else { panic!("{name}: {:?}", video.edits) };
        assert_eq!(Some(edit.media_time), first_shown, "{name}");
        assert!(video.samples.iter().any(|sample| sample.cts_offset > 0), "{name}");
        assert_eq!(movie.duration_ns(), 60_000_000_000, "{name}");
    }
}

#[test]
fn movies_last_as_long_as_what_was_recorded() {
    // 5 s from 0 s and from 786 s.
    let (mp4, report) = clip(manifest::mkv("getmedia_twice"));
    assert_eq!(Movie::parse(&mp4).duration_ns(), 791_000_000_000);
    assert_eq!(report.duration_ns, 791_000_000_000);
    let gaps: Vec<u64> = report
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Gap { duration_ns, closed: false, .. } => Some(*duration_ns),
            _ => None,
        })
        .collect();
    assert_eq!(gaps.len(), 1, "{:?}", lines(&report));
    // The frame in front of it is stamped in whole milliseconds.
    assert!(gaps[0].abs_diff(781_000_000_000) <= 1_000_000, "{gaps:?}");

    let (mp4, report) = clip_with(&everything().gaps(Gaps::Close), manifest::mkv("getmedia_twice"));
    assert!(Movie::parse(&mp4).duration_ns().abs_diff(10_000_000_000) <= 1_000_000);
    assert!(lines(&report).iter().any(|line| line.ends_with(", closed")), "{:?}", lines(&report));

    let (mp4, _) = clip(manifest::mkv("timecode_reset"));
    let last = Manifest::load("timecode_reset").lines.last().unwrap().pts_ms;
    let first = Manifest::load("timecode_reset").lines.first().unwrap().pts_ms;
    let frame_ns = 1_000_000_000 / 30;
    let expected = i128::from(last - first) * 1_000_000 + frame_ns;
    assert!(Movie::parse(&mp4).duration_ns().abs_diff(expected) <= 1_000_000);
}

#[test]
fn the_movie_is_dated_by_the_first_fragment() {
    let (mp4, report) = clip(manifest::mkv("h264_aac"));
    let first_ms = Manifest::load("h264_aac").lines[0].pts_ms;
    assert_eq!(report.fragments[0].producer_timestamp.as_millis(), first_ms);
    // Seconds from 1904-01-01 to 1970-01-01: 66 years with 17 leap days.
    let epoch = (66 * 365 + 17) * 86_400;
    assert_eq!(Movie::parse(&mp4).creation_time, first_ms as u64 / 1000 + epoch);
}

/// The three forms of one encoder's stream differ in framing alone.
#[test]
fn one_stream_in_three_framings_gives_the_same_samples() {
    let samples = |name| {
        let (mp4, _) = clip(manifest::mkv(name));
        let movie = Movie::parse(&mp4);
        let video = movie.video();
        let configuration = video.entries[0].view.expect("avcC").payload().to_vec();
        (configuration, video.samples.iter().map(|sample| sample.bytes.to_vec()).collect::<Vec<_>>())
    };
    let length_prefixed = samples("h264_only");
    assert_eq!(length_prefixed.1.len(), 300);
    assert!(length_prefixed == samples("h264_annexb"));
    assert!(length_prefixed == samples("h264_annexb_private"));
}

/// A capture in `../shared/samples`, which is not part of the project; `None` where there is none.
fn capture(file: &str) -> Option<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?.join("shared/samples");
    fs::read(folder.join(file)).ok()
}

#[test]
fn captures() {
    for (file, fragments, video, audio) in [
        ("output_get_media.mkv", 5, 300, 0),
        ("kinesis_video_renderer_example_output.mkv", 8, 444, 0),
        ("vogels_480.mkv", 9, 909, 1425),
    ] {
        let Some(mkv) = capture(file) else { continue };
        let (mp4, report) = clip(mkv.clone());
        assert_eq!(report.fragments.len(), fragments, "{file}");
        let movie = Movie::parse(&mp4);
        assert_eq!(movie.video().samples.len(), video, "{file}");
        assert_eq!(
            movie.tracks.iter().map(|track| track.samples.len()).sum::<usize>(),
            video + audio,
            "{file}"
        );
        frames::assert_same_frames(&mp4, &unadapted(&mkv, &stored_frames(&mkv)));
    }
}

#[test]
fn capture_of_h265_and_a_law() {
    let Some(mkv) = capture("aws_h265_alaw.kvs.mkv") else { return };
    let (mp4, report) = clip(mkv.clone());
    assert_eq!(report.fragments.len(), 9);
    let movie = Movie::parse(&mp4);
    assert_eq!(movie.video().samples.len(), 400);
    assert_eq!(movie.video().entries[0].fourcc, "hvc1");
    assert_eq!(movie.audio().entries[0].fourcc, "alaw");
    assert_eq!(movie.audio().pcm_bytes().len(), 128_000);
    assert_eq!(sound(&report.tracks[1]).0, AudioCodec::ALaw);
    // The frames carry VPS, SPS and PPS (NAL unit types 32 to 34 of H.265 table 7-1) that the sample entry has too.
    let mut expected: Vec<Frame> = unadapted(&mkv, &stored_frames(&mkv));
    for frame in expected.iter_mut().filter(|frame| frame.track == 1) {
        let is_parameter_set = |nal: &[u8]| (32..=34).contains(&(nal[0] >> 1 & 0x3F));
        let kept: Vec<&[u8]> =
            media::nals(&frame.bytes).into_iter().filter(|nal| !is_parameter_set(nal)).collect();
        frame.bytes = media::length_prefixed(&kept);
    }
    frames::assert_same_frames(&mp4, &expected);
}

/// Players read the file from front to back: the tracks take turns by time, half a second each.
#[test]
fn chunks_are_half_a_second_and_in_order_of_time() {
    for name in manifest::names() {
        let builder = everything().codec_changes(CodecChanges::NewSampleEntry);
        let (mp4, _) = clip_with(&builder, manifest::mkv(&name));
        let movie = Movie::parse(&mp4);
        let mut starts = Vec::new();
        for track in &movie.tracks {
            let late = track.edits.first().filter(|edit| edit.media_time < 0).map_or(0, |edit| edit.duration);
            let late_ns = u128::from(late) * 1_000_000_000 / u128::from(movie.timescale);
            let time = |sample| track.table.decode_time(sample);
            let half = u64::from(track.timescale) / 2;
            for (index, chunk) in track.chunks().iter().enumerate() {
                let (first, end) = (chunk.first_sample, chunk.first_sample + chunk.samples);
                let start_ns = u128::from(time(first)) * 1_000_000_000 / u128::from(track.timescale);
                starts.push((chunk.offset, late_ns + start_ns));
                assert!(chunk.samples == 1 || time(end) - time(first) <= half, "{name}: {chunk:?}");
                // One more sample would not fit. Blocks of PCM hold many.
                if let Some(next) = track.chunks().get(index + 1)
                    && next.description_index == chunk.description_index
                    && !track.is_pcm()
                {
                    assert!(time(end + 1) - time(first) > half, "{name}: {chunk:?}");
                }
            }
        }
        starts.sort_unstable();
        // The edit list rounds to a tick of the movie.
        let tick_ns = 1_000_000_000 / u128::from(movie.timescale) + 1;
        assert!(starts.is_sorted_by(|a, b| a.1 <= b.1 + tick_ns), "{name}: {starts:?}");
    }
}
