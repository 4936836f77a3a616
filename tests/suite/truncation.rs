//! Input that ends early, at any byte: what is whole is kept and the report says what is missing, or there is a clear
//! error. Never a silent loss, never a panic.

use crate::clips::{build, build_with, clip_with, everything, file};
use bytes::Bytes;
use getclip::{CodecChanges, ErrorKind, Event, IncompleteInput};
use testkit::ebml::Size;
use testkit::manifest;
use testkit::mkv::{self, Fragment, TagPlace, Track, aac_blocks, avc_blocks, g711_blocks};
use testkit::mkv_reader::{clean_ends, stored_frames};
use testkit::mp4::Movie;
use testkit::recording::StoredFrame;

/// Bytes of the samples of each track, one after the other, with their ends.
type Samples = Vec<(u32, Vec<Vec<u8>>)>;

fn samples(mp4: &[u8]) -> Samples {
    let movie = Movie::parse(mp4);
    let of_track = |track: &testkit::mp4::TrackView<'_>| match track.is_pcm() {
        true => vec![track.pcm_bytes()],
        false => track.samples.iter().map(|sample| sample.bytes.to_vec()).collect(),
    };
    movie.tracks.iter().map(|track| (track.id, of_track(track))).collect()
}

/// A stream and all that is known of it when it is whole.
struct Stream {
    name: String,
    bytes: Bytes,
    frames: Vec<StoredFrame>,
    clean_ends: Vec<usize>,
    whole: Samples,
}

impl Stream {
    fn new(name: &str, bytes: Vec<u8>) -> Self {
        let builder = everything().codec_changes(CodecChanges::NewSampleEntry);
        Self {
            name: name.into(),
            frames: stored_frames(&bytes),
            clean_ends: clean_ends(&bytes),
            whole: samples(&clip_with(&builder, bytes.clone()).0),
            bytes: bytes.into(),
        }
    }

    /// What the clip of the first `length` bytes must hold: of each track as many samples as have arrived whole.
    fn expected(&self, length: usize) -> Samples {
        let arrived = |number: u64| {
            let frames =
                self.frames.iter().filter(move |frame| frame.track == number && frame.range.end <= length);
            (frames.clone().count(), frames.map(|frame| frame.range.len()).sum::<usize>())
        };
        let of_track = |(id, whole): &(u32, Vec<Vec<u8>>)| {
            let (count, bytes) = arrived(u64::from(*id));
            // The samples of G.711 stand here as one.
            let is_pcm = whole.len() == 1 && self.frames.iter().filter(|frame| frame.track == 2).count() > 1;
            let samples = match is_pcm {
                true => vec![whole[0][..bytes].to_vec()],
                false => whole[..count].to_vec(),
            };
            (count > 0).then_some((*id, samples))
        };
        self.whole.iter().filter_map(of_track).collect()
    }

    fn check(&self, length: usize) {
        let place = || format!("the first {length} of {} bytes of {}", self.bytes.len(), self.name);
        let builder = everything().codec_changes(CodecChanges::NewSampleEntry);
        let prefix = self.bytes.slice(..length);
        let expected = self.expected(length);
        let strict = build_with(&builder.clone().incomplete_input(IncompleteInput::Refuse), prefix.clone());
        let clip = match build_with(&builder, prefix) {
            Ok(clip) => clip,
            Err(error) => {
                assert!(expected.is_empty(), "{}: {error}", place());
                assert!(matches!(error.kind(), ErrorKind::NoFragments { .. }), "{}: {error}", place());
                assert!(strict.is_err());
                return;
            }
        };
        assert!(samples(&file(&clip)) == expected, "{}: other samples than arrived", place());

        let missing: Vec<&Event> =
            clip.report().events.iter().filter(|event| matches!(event, Event::Incomplete { .. })).collect();
        match missing[..] {
            [] => {
                assert!(self.clean_ends.contains(&length), "{}: nothing is reported", place());
                let strict = strict.unwrap_or_else(|error| panic!("{}: {error}", place()));
                assert_eq!(strict.len(), clip.len());
            }
            [Event::Incomplete { incomplete, frames, .. }] => {
                assert_eq!(incomplete.offset, length as u64, "{}: {incomplete}", place());
                let error = strict.expect_err("a refusal");
                assert!(matches!(error.kind(), ErrorKind::Truncated { .. }), "{}: {error}", place());
                assert_eq!(error.location().offset, Some(length as u64));
                let last = self.frames.iter().rfind(|frame| frame.range.end <= length);
                let of_last = |frame: &&StoredFrame| Some(frame.fragment) == last.map(|last| last.fragment);
                let arrived = self.frames.iter().filter(of_last).filter(|frame| frame.range.end <= length);
                assert!([0, arrived.count() as u64].contains(frames), "{}: {frames} frames", place());
            }
            _ => panic!("{}: {missing:?}", place()),
        }
    }
}

#[test]
fn every_file_of_testdata_cut_off_anywhere() {
    const CUTS: usize = 40;
    for name in manifest::names() {
        let stream = Stream::new(&name, manifest::mkv(&name));
        let step = stream.bytes.len() / CUTS;
        // Another place of its elements in each file.
        (name.len()..=stream.bytes.len()).step_by(step).for_each(|length| stream.check(length));
        // Around the ends of frames, in the middle of the file and at its end.
        for frame in stream.frames.iter().step_by(stream.frames.len() / 4).chain(stream.frames.last()) {
            for length in frame.range.end - 1..=(frame.range.end + 1).min(stream.bytes.len()) {
                stream.check(length);
            }
        }
        stream.check(stream.bytes.len());
    }
}

/// Two fragments of a few frames, cut off at every single byte.
#[test]
fn every_form_cut_off_at_every_byte() {
    let fragment = |index: u64| {
        let blocks = [avc_blocks(index, [0, 40, 80]), aac_blocks(index, [0, 21])].concat();
        let stored = Fragment::stored(
            index,
            1_700_000_000_000 + index * 1000,
            vec![Track::avc(), Track::aac()],
            blocks,
        );
        stored.trailing_tags(&mkv::get_media_trailer("9134385"))
    };
    let known = |fragment: Fragment| fragment.segment_size(Size::Known);
    let unknown = |fragment: Fragment| fragment.cluster_size(Size::Unknown(8));
    let with_noise = |mut fragment: Fragment| {
        (fragment.crc32, fragment.void, fragment.stale_index) = (true, Some(7), true);
        fragment
    };
    let two = || vec![fragment(0), fragment(1)];
    let as_form = |form: &dyn Fn(Fragment) -> Fragment| two().into_iter().map(form).collect::<Vec<_>>();
    for (name, bytes) in [
        ("documents", mkv::documents(&two())),
        ("known Segments", mkv::documents(&as_form(&known))),
        ("unknown Clusters", mkv::documents(&as_form(&unknown))),
        ("tags behind", mkv::documents(&as_form(&|fragment| fragment.tag_place(TagPlace::AfterCluster)))),
        ("noise", mkv::documents(&as_form(&with_noise))),
        ("merged", mkv::merged(&two())),
        ("merged, unknown Clusters", mkv::merged(&as_form(&unknown))),
        ("upload", mkv::upload(&two())),
        ("upload, unknown Clusters", mkv::upload(&as_form(&unknown))),
    ] {
        let stream = Stream::new(name, bytes);
        (0..=stream.bytes.len()).for_each(|length| stream.check(length));
    }
}

#[test]
fn g711_keeps_whole_blocks() {
    let blocks = [avc_blocks(0, [0, 40]), g711_blocks(0, 160, [0, 20, 40])].concat();
    let fragment = Fragment::stored(0, 1_700_000_000_000, vec![Track::avc(), Track::alaw()], blocks);
    let stream = Stream::new("G.711", fragment.to_bytes());
    (0..=stream.bytes.len()).for_each(|length| stream.check(length));
}

#[test]
fn a_truncated_fragment_outside_of_the_range_is_reported_and_loses_nothing() {
    let fragment = |index: u64| {
        Fragment::stored(
            index,
            1_700_000_000_000 + index * 1000,
            vec![Track::avc()],
            avc_blocks(index, [0, 40]),
        )
    };
    let mut bytes = mkv::documents(&[fragment(0), fragment(1)]);
    bytes.truncate(bytes.len() - 3);
    let at = |ms: i64| getclip::Timestamp::from_millis(1_700_000_000_000 + ms);
    let range = getclip::ClipTimestampRange::new(at(0), at(999)).unwrap();
    let selector = getclip::ClipFragmentSelector::producer(range);
    let clip = build_with(&getclip::ClipBuilder::new(selector), bytes).unwrap();
    assert_eq!(clip.report().fragments.len(), 1);
    let whole = build(fragment(0).to_bytes()).unwrap();
    assert!(file(&clip) == file(&whole));
}
