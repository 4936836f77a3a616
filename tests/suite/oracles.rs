//! Readers that others wrote, over all of `testdata/`: what they see in the clips is what the manifests say, and what they
//! see in the input is what the library sees.

use std::collections::BTreeMap;
use std::io::Cursor;

use crate::clips::{clip_with, everything};
use getclip::CodecChanges;
use mp4_atom::{Any, Codec, DecodeMaybe, StszSamples};
use shiguredo_mp4::demux::{Input, Mp4FileDemuxer};
use testkit::boxes;
use testkit::manifest::{self, Line, Manifest};
use testkit::sha256;
use webm_iterable::WebmIterator;
use webm_iterable::matroska_spec::{MatroskaSpec, SimpleBlock};

fn clip_of(name: &str) -> Vec<u8> {
    clip_with(&everything().codec_changes(CodecChanges::NewSampleEntry), manifest::mkv(name)).0
}

/// Whether the file has a track of G.711, whose samples are PCM frames.
fn has_g711(name: &str) -> bool {
    name.ends_with("law")
}

/// A sample as a reader sees it.
struct Sample {
    track: u64,
    /// Composition time on the media's own timeline.
    time_ns: i128,
    key: bool,
    bytes: Vec<u8>,
}

/// Nanoseconds of a media time.
fn nanoseconds(ticks: i64, timescale: u32) -> i128 {
    i128::from(ticks) * 1_000_000_000 / i128::from(timescale)
}

/// The samples are the frames of the manifest: count, bytes, key flags, and times from the first of their track.
#[track_caller]
fn assert_is_manifest(name: &str, samples: Vec<Sample>) {
    let manifest = Manifest::load(name);
    let mut tracks: BTreeMap<u64, Vec<Sample>> = BTreeMap::new();
    for sample in samples {
        tracks.entry(sample.track).or_default().push(sample);
    }
    assert_eq!(tracks.len(), if manifest.track(2).next().is_some() { 2 } else { 1 }, "{name}");
    for (number, samples) in tracks {
        let lines: Vec<&Line> = manifest.track(number).collect();
        let place = |index: usize| format!("{name}, track {number}, frame {index}");
        if samples.iter().all(|sample| sample.bytes.len() == 1) {
            let pcm: Vec<u8> = samples.iter().flat_map(|sample| sample.bytes.clone()).collect();
            let mut rest = &pcm[..];
            for (index, line) in lines.iter().enumerate() {
                let (block, behind) = rest.split_at(line.size);
                assert!(sha256::hex(block).starts_with(&line.sha256), "{}", place(index));
                rest = behind;
            }
            assert!(rest.is_empty(), "{name}, track {number}: {} bytes too many", rest.len());
            continue;
        }
        assert_eq!(samples.len(), lines.len(), "{name}, track {number}");
        let first_ns = samples.iter().map(|sample| sample.time_ns).min().expect("a sample");
        let first_ms = lines.iter().map(|line| line.pts_ms).min().expect("a line");
        for (index, (sample, line)) in samples.iter().zip(&lines).enumerate() {
            assert_eq!(sample.bytes.len(), line.size, "{}", place(index));
            assert!(sha256::hex(&sample.bytes).starts_with(&line.sha256), "{}", place(index));
            assert!(line.key.is_none_or(|key| key == sample.key), "{}: {}", place(index), sample.key);
            let off = sample.time_ns - first_ns - i128::from(line.pts_ms - first_ms) * 1_000_000;
            // The millisecond that a pair of rounded times can be off; aac_20ms has wrong times.
            assert!(
                off.abs() <= 1_000_000 || name == "aac_20ms" && number == 2,
                "{}: {off} ns",
                place(index)
            );
        }
    }
}

#[test]
fn mp4san_finds_a_sane_progressive_file() {
    for name in manifest::names() {
        let mp4 = clip_of(&name);
        let sanitized = mp4san::sanitize(Cursor::new(&mp4)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(sanitized.metadata, None, "{name}: nothing to repair");
        let mdat = boxes::find(&mp4, "mdat").unwrap();
        assert_eq!(sanitized.data.offset, mdat.range.start as u64, "{name}");
        assert_eq!(sanitized.data.len, mdat.range.len() as u64, "{name}");
    }
}

#[test]
fn shiguredo_mp4_reads_every_sample() {
    for name in manifest::names() {
        let mp4 = clip_of(&name);
        let mut demuxer = Mp4FileDemuxer::new();
        demuxer.handle_input(Input { position: 0, data: &mp4 });
        let mut samples = Vec::new();
        while let Some(sample) = demuxer.next_sample().unwrap_or_else(|error| panic!("{name}: {error:?}")) {
            let start = sample.data_offset as usize;
            let time = sample.timestamp as i64 + sample.composition_time_offset.unwrap_or(0);
            samples.push(Sample {
                track: sample.track.track_id.into(),
                time_ns: nanoseconds(time, sample.track.timescale.get()),
                key: sample.keyframe,
                bytes: mp4[start..start + sample.data_size].to_vec(),
            });
        }
        assert_is_manifest(&name, samples);
    }
}

/// Its strict form refuses what it does not know in a box. It knows no G.711: the sample entry stays opaque.
#[test]
fn mp4_atom_decodes_every_box_strictly() {
    for name in manifest::names() {
        let mp4 = clip_of(&name);
        let mut rest = &mp4[..];
        let mut top = Vec::new();
        while let Some(atom) = Any::decode_maybe(&mut rest).unwrap_or_else(|error| panic!("{name}: {error}"))
        {
            top.push(atom);
        }
        assert!(rest.is_empty(), "{name}");
        let [Any::Ftyp(_), Any::Moov(moov), Any::Mdat(_)] = &top[..] else {
            panic!("{name}: {} boxes", top.len())
        };
        let manifest = Manifest::load(&name);
        for trak in &moov.trak {
            let number = u64::from(trak.tkhd.track_id);
            let stbl = &trak.mdia.minf.stbl;
            let is_known = stbl.stsd.codecs.iter().all(|codec| !matches!(codec, Codec::Unknown(..)));
            assert_eq!(is_known, !(has_g711(&name) && number == 2), "{name}: {:?}", stbl.stsd.codecs);
            let bytes: u64 = manifest.track(number).map(|line| line.size as u64).sum();
            let (count, total) = match &stbl.stsz.samples {
                StszSamples::Identical { count, size } => (*count, u64::from(*count) * u64::from(*size)),
                StszSamples::Different { sizes } => {
                    (sizes.len() as u32, sizes.iter().copied().map(u64::from).sum())
                }
            };
            assert_eq!(total, bytes, "{name}, track {number}");
            let in_stts: u32 = stbl.stts.entries.iter().map(|entry| entry.sample_count).sum();
            assert_eq!(in_stts, count, "{name}, track {number}");
            let duration: u64 =
                stbl.stts.entries.iter().map(|e| u64::from(e.sample_count) * u64::from(e.sample_delta)).sum();
            assert_eq!(duration, trak.mdia.mdhd.duration, "{name}, track {number}");
        }
    }
}

/// It knows H.264 with AAC, and no edit lists.
#[test]
fn the_mp4_crate_reads_h264_with_aac() {
    let names = manifest::names();
    for name in names.iter().filter(|name| !name.starts_with("h265") && !has_g711(name)) {
        // It takes the first sample entry for all, and reads no more than that of a description.
        let mp4 = clip_of(name);
        let mut reader = mp4::Mp4Reader::read_header(Cursor::new(&mp4), mp4.len() as u64)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let tracks: Vec<(u32, u32)> =
            reader.tracks().iter().map(|(id, track)| (*id, track.timescale())).collect();
        let mut samples = Vec::new();
        for (id, timescale) in tracks {
            for index in 1..=reader.sample_count(id).unwrap() {
                let sample = reader.read_sample(id, index).unwrap().expect("a sample");
                samples.push(Sample {
                    track: id.into(),
                    time_ns: nanoseconds(
                        sample.start_time as i64 + i64::from(sample.rendering_offset),
                        timescale,
                    ),
                    // It knows no `stss` for audio, where every sample is one.
                    key: sample.is_sync,
                    bytes: sample.bytes.to_vec(),
                });
            }
        }
        assert_is_manifest(name, samples);
    }
}

/// A frame of the input: track, time in its Cluster in milliseconds, key flag, bytes.
type InputFrame = (u64, i64, bool, Vec<u8>);

fn frames_of_the_library(name: &str) -> Vec<InputFrame> {
    let mut frames = Vec::new();
    for fragment in getclip::fragments(manifest::mkv(name).into()) {
        let fragment = fragment.unwrap_or_else(|error| panic!("{name}: {error}"));
        frames.extend(fragment.frames().map(|(frame, bytes)| {
            (frame.track().number, frame.time_ns() / 1_000_000, frame.is_key(), bytes.to_vec())
        }));
    }
    frames
}

#[test]
fn webm_iterable_finds_the_same_frames_in_the_input() {
    for name in manifest::names() {
        let mut input = Cursor::new(manifest::mkv(&name));
        let mut tags = WebmIterator::new(&mut input, &[]);
        tags.set_max_allowable_tag_size(Some(1 << 20));
        let mut frames = Vec::new();
        for tag in tags {
            let tag = tag.unwrap_or_else(|error| panic!("{name}: {error}"));
            if !matches!(tag, MatroskaSpec::SimpleBlock(_)) {
                continue;
            }
            let block = SimpleBlock::try_from(&tag).unwrap_or_else(|error| panic!("{name}: {error}"));
            let bytes = block.raw_frame_data().to_vec();
            frames.push((block.track, i64::from(block.timestamp), block.keyframe, bytes));
        }
        assert!(frames == frames_of_the_library(&name), "{name}");
    }
}

/// It opens plain files alone: one document, nothing stale.
#[test]
fn matroska_demuxer_finds_the_same_frames_in_an_upload() {
    let name = "h264_upload";
    let mut file = matroska_demuxer::MatroskaFile::open(Cursor::new(manifest::mkv(name))).unwrap();
    assert_eq!(file.tracks()[0].codec_id(), "V_MPEG4/ISO/AVC");
    let (mut frame, mut frames) = (matroska_demuxer::Frame::default(), Vec::new());
    while file.next_frame(&mut frame).unwrap() {
        frames.push((
            frame.track,
            frame.timestamp as i64,
            frame.is_keyframe == Some(true),
            frame.data.clone(),
        ));
    }
    // Its times count from the start of the Segment: the Cluster's and the block's.
    let lines = Manifest::load(name).lines;
    let times: Vec<i64> = lines.iter().map(|line| line.pts_ms).collect();
    assert_eq!(frames.iter().map(|frame| frame.1).collect::<Vec<_>>(), times);
    let without_times = |frames: Vec<InputFrame>| -> Vec<(u64, bool, Vec<u8>)> {
        frames.into_iter().map(|(track, _, key, bytes)| (track, key, bytes)).collect()
    };
    assert!(without_times(frames) == without_times(frames_of_the_library(name)));
}
