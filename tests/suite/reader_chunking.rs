//! However the input is cut into chunks, the fragments are the same; each comes out as soon as its end is known; and what
//! arrives in one buffer is not copied.

use crate::clips::ready;
use bytes::Bytes;
use getclip::{Error, Fragment as Read, FragmentReader};
use proptest::prelude::*;
use testkit::ebml::Size;
use testkit::manifest;
use testkit::mkv::{self, Fragment, Lacing, TagPlace, Track, aac_blocks, avc_blocks, fragment_number};

/// All that the public interface tells of a fragment.
#[derive(Debug, PartialEq)]
struct Told {
    fragment: Read,
    frames: Vec<Frame>,
}

/// Track number, time, duration, key flag, bytes.
type Frame = (u64, i64, Option<u64>, bool, Bytes);

impl Told {
    fn of(fragment: &Read) -> Self {
        let frame = |(frame, bytes): (getclip::Frame<'_>, Bytes)| {
            (frame.track().number, frame.time_ns(), frame.duration_ns(), frame.is_key(), bytes)
        };
        Self { frames: fragment.frames().map(frame).collect(), fragment: fragment.clone() }
    }
}

type Items = Vec<Result<Told, Error>>;

fn told(items: impl IntoIterator<Item = Result<Read, Error>>) -> Items {
    items.into_iter().map(|item| item.as_ref().map(Told::of).map_err(Clone::clone)).collect()
}

fn whole(input: &Bytes) -> Items {
    told(getclip::fragments(input.clone()))
}

/// The items when the chunks arrive one by one, and are asked for after each.
fn chunked(input: &Bytes, lengths: impl IntoIterator<Item = usize>) -> Items {
    let mut reader = FragmentReader::new();
    let mut items = Vec::new();
    let mut rest = input.clone();
    let mut lengths = lengths.into_iter();
    while !rest.is_empty() {
        let length = lengths.next().expect("chunks to the end").min(rest.len());
        reader.push(rest.split_to(length));
        items.extend(told(ready(&mut reader)));
    }
    assert!(reader.bytes_consumed() <= input.len() as u64);
    reader.finish();
    items.extend(told(ready(&mut reader)));
    items
}

/// A fragment of some frames.
fn fragment(index: u64) -> Fragment {
    let blocks = [avc_blocks(index, [0, 40, 80]), aac_blocks(index, [0, 21, 43])].concat();
    Fragment::stored(index, 1_700_000_000_000 + index * 1000, vec![Track::avc(), Track::aac()], blocks)
}

/// Streams of every shape, small enough to be cut anywhere.
fn streams() -> Vec<(&'static str, Bytes)> {
    let some = || (0..2).map(fragment).collect::<Vec<_>>();
    let with = |form: &dyn Fn(Fragment) -> Fragment| some().into_iter().map(form).collect::<Vec<_>>();
    let laced = with(&|mut fragment| {
        let frames = (0..3).map(|seed| testkit::media::aac_frame(seed, 300)).collect();
        fragment.blocks.push(mkv::Block::laced(2, 90, Lacing::Xiph, frames));
        fragment
    });
    let mut bad = mkv::documents(&some());
    let middle = bad.len() * 2 / 3;
    bad.splice(middle..middle + 40, [0; 40]);
    let mut cut = mkv::documents(&some());
    cut.truncate(cut.len() - 37);
    let streams = [
        ("documents", mkv::documents(&some())),
        ("known", mkv::documents(&with(&|f| f.segment_size(Size::Known).cluster_size(Size::Known)))),
        ("unknown", mkv::documents(&with(&|f| f.cluster_size(Size::Unknown(1))))),
        ("tags behind", mkv::documents(&with(&|f| f.tag_place(TagPlace::AfterCluster)))),
        (
            "noise",
            mkv::documents(&with(&|f| Fragment { crc32: true, void: Some(500), stale_index: true, ..f })),
        ),
        ("merged", mkv::merged(&some())),
        ("upload", mkv::upload(&some())),
        ("laced", mkv::documents(&laced)),
        ("error of the service", mkv::documents(&[fragment(0), mkv::service_error("4006", "io")])),
        ("malformed", bad),
        ("cut off", cut),
        ("not Matroska", b"\0\0\0\x20ftypisom".to_vec()),
        ("empty", Vec::new()),
    ];
    streams.map(|(name, bytes)| (name, bytes.into())).into()
}

#[test]
fn chunks_of_one_size() {
    for (name, input) in streams() {
        let expected = whole(&input);
        for size in [1, 2, 7, 64, 4096] {
            assert!(chunked(&input, std::iter::repeat(size)) == expected, "{name} by {size}");
        }
    }
}

#[test]
fn two_chunks_cut_anywhere() {
    for (name, input) in streams() {
        let expected = whole(&input);
        for cut in 1..input.len() {
            assert!(chunked(&input, [cut, usize::MAX]) == expected, "{name} at {cut}");
        }
    }
}

#[test]
fn files_of_real_encoders_in_chunks_of_a_network() {
    for name in ["h264_aac", "h264_merged", "h264_upload", "h265_alaw"] {
        let input = Bytes::from(manifest::mkv(name));
        let expected = whole(&input);
        assert_eq!(expected.len(), 5);
        for size in [1447, 4096, 65_536] {
            assert!(chunked(&input, std::iter::repeat(size)) == expected, "{name} by {size}");
        }
    }
}

/// How many bytes must have arrived before each fragment comes out.
fn arrivals(input: &[u8]) -> Vec<usize> {
    let mut reader = FragmentReader::new();
    let mut arrivals = Vec::new();
    for (index, byte) in input.iter().enumerate() {
        reader.push(Bytes::copy_from_slice(&[*byte]));
        arrivals.extend(ready(&mut reader).map(|_| index + 1));
    }
    reader.finish();
    arrivals.extend(ready(&mut reader).map(|_| usize::MAX));
    arrivals
}

#[test]
fn a_fragment_comes_out_with_the_last_byte_of_its_cluster() {
    let trailer = mkv::get_media_trailer("9134");
    let three: Vec<Fragment> = (0..3).map(|index| fragment(index).trailing_tags(&trailer)).collect();
    for bytes in [mkv::documents(&three), mkv::merged(&three)] {
        let ends = three.iter().map(|fragment| {
            let cluster = fragment.cluster();
            let at = bytes.windows(cluster.len()).position(|window| window == cluster).expect("the Cluster");
            at + cluster.len()
        });
        assert_eq!(arrivals(&bytes), ends.collect::<Vec<_>>());
    }
}

/// The end of a Cluster of unknown size is known from the ID of what follows.
#[test]
fn a_cluster_of_unknown_size_comes_out_with_the_next_element() {
    let unknown = |index| fragment(index).cluster_size(Size::Unknown(8));
    let (first, second) = (unknown(0).to_bytes(), unknown(1).to_bytes());
    // The EBML header: an ID of 4 bytes and a size of 8.
    let expected = [first.len() + 4..=first.len() + 12, usize::MAX..=usize::MAX];
    let found = arrivals(&[first, second].concat());
    assert!(
        found.len() == 2 && found.iter().zip(&expected).all(|(found, range)| range.contains(found)),
        "{found:?}"
    );
}

/// Its tags may stand behind it.
#[test]
fn a_fragment_without_a_name_waits_for_the_next() {
    let behind = |index| fragment(index).tag_place(TagPlace::AfterCluster);
    let first = behind(0).to_bytes();
    let found = arrivals(&mkv::documents(&[behind(0), behind(1)]));
    assert!(found[0] > first.len() && found[0] <= first.len() + 12, "{found:?}");
    let fragments: Vec<Read> =
        getclip::fragments(mkv::documents(&[behind(0), behind(1)]).into()).map(Result::unwrap).collect();
    assert_eq!(fragments[1].number().map(ToString::to_string), Some(fragment_number(1)));
}

#[test]
fn frames_are_ranges_of_a_whole_buffer() {
    for name in ["h264_aac", "h264_annexb", "h264_merged", "h264_upload", "h265_alaw"] {
        let input = Bytes::from(manifest::mkv(name));
        let within = input.as_ptr_range();
        for fragment in getclip::fragments(input.clone()).map(Result::unwrap) {
            for (frame, bytes) in fragment.frames() {
                assert_eq!(bytes.len() as u64, frame.len());
                let range = bytes.as_ptr_range();
                assert!(within.start <= range.start && range.end <= within.end, "{name}");
            }
        }
    }
}

/// A chunk that holds whole fragments is used where it is.
#[test]
fn frames_are_ranges_of_the_chunks_that_hold_them() {
    let mut reader = FragmentReader::new();
    for index in 0..3 {
        let chunk = Bytes::from(fragment(index).to_bytes());
        let within = chunk.as_ptr_range();
        reader.push(chunk.clone());
        let read = reader.next_fragment().unwrap().unwrap();
        assert!(read.frames().all(|(_, bytes)| within.contains(&bytes.as_ptr())));
        assert!(reader.next_fragment().is_none());
    }
}

#[test]
fn nothing_comes_after_the_end_or_an_error() {
    let mut reader = FragmentReader::new();
    reader.push(Bytes::from_static(b"\0\0\0\x20ftypisom"));
    assert!(reader.next_fragment().unwrap().is_err());
    reader.push(fragment(0).to_bytes().into());
    reader.finish();
    assert!(reader.next_fragment().is_none());

    let mut finished = FragmentReader::new();
    finished.finish();
    finished.push(fragment(0).to_bytes().into());
    assert!(finished.next_fragment().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chunks_of_any_sizes(stream in 0..13_usize, lengths in prop::collection::vec(1..900_usize, 1..60)) {
        let (name, input) = streams().swap_remove(stream);
        let found = chunked(&input, lengths.iter().copied().cycle());
        prop_assert!(found == whole(&input), "{}", name);
    }
}
