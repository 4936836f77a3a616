//! Damage anywhere in the input: every whole frame before and after it comes out, and nothing that is no frame.

use bytes::Bytes;
use getclip::{DamageFault, Fragment as Read, FragmentReader, IncompleteElement};
use testkit::ebml::{self, Size, id};
use testkit::media;
use testkit::mkv::{self, Block, Fragment, Track, aac_blocks, avc_blocks};

use crate::clips::{build_with, clip, lines, ready, refusal, refusal_with, strict};

const EBML: [u8; 4] = [0x1A, 0x45, 0xDF, 0xA3];
const START: u64 = 1_700_000_000_000;

/// The document of the fragment at an index.
type Make = fn(u64) -> Vec<u8>;

/// Track, time from 1970, bytes.
type Frame = (u64, i64, Vec<u8>);

/// Small frames of two tracks, each smaller than the header of a document.
fn small(index: u64) -> Fragment {
    let times = || (0..12).map(|i| i * 40);
    let mut blocks = [avc_blocks(index, times()), aac_blocks(index, times().map(|time| time + 7))].concat();
    blocks.sort_by_key(|block| block.time);
    stored(index, vec![Track::avc(), Track::aac()], blocks)
}

/// Frames that can swallow the header of a document and some of its frames.
fn large(index: u64) -> Fragment {
    let block = |i: u64| {
        let len = if i == 0 { 3000 } else { 1500 + i as usize * 37 };
        Block::new(1, i as i16 * 40, i == 0, media::avc_frame(index * 1000 + i, len, i == 0))
    };
    stored(index, vec![Track::avc()], (0..5).map(block).collect())
}

fn stored(index: u64, tracks: Vec<Track>, blocks: Vec<Block>) -> Fragment {
    Fragment::stored(index, START + index * 1000, tracks, blocks)
}

/// Both, with Clusters of known and of unknown size.
fn kinds() -> Vec<(&'static str, Make)> {
    vec![
        ("small, known", |index| small(index).to_bytes()),
        ("small, unknown", |index| small(index).cluster_size(Size::Unknown(8)).to_bytes()),
        ("small, unknown in a byte", |index| small(index).cluster_size(Size::Unknown(1)).to_bytes()),
        ("small, known Segment", |index| small(index).segment_size(Size::Known).to_bytes()),
        ("large, known", |index| large(index).to_bytes()),
        ("large, unknown", |index| large(index).cluster_size(Size::Unknown(8)).to_bytes()),
        ("large, known Segment", |index| large(index).segment_size(Size::Known).to_bytes()),
    ]
}

fn read(input: &[u8]) -> Vec<Read> {
    getclip::fragments(Bytes::copy_from_slice(input)).map(Result::unwrap).collect()
}

fn frames_of(fragments: &[Read]) -> Vec<Frame> {
    let of_fragment = |fragment: &Read| {
        let tag = fragment.producer_timestamp().map(|time| time.as_millis() * 1_000_000);
        let start = tag.or(fragment.index().cluster_timestamp_ns()).expect("a time");
        let frame = |(frame, bytes): (getclip::Frame<'_>, Bytes)| {
            (frame.track().number, start + frame.time_ns(), bytes.to_vec())
        };
        fragment.frames().map(frame).collect::<Vec<_>>()
    };
    fragments.iter().filter(|fragment| fragment.index().frames().count() > 0).flat_map(of_fragment).collect()
}

/// Where the bytes of each frame stand. They are all different.
fn places(input: &[u8], frames: &[Frame]) -> Vec<std::ops::Range<usize>> {
    let mut at = 0;
    let place = |(_, _, bytes): &Frame| {
        let start = at + input[at..].windows(bytes.len()).position(|window| window == bytes).unwrap();
        at = start + bytes.len();
        start..at
    };
    frames.iter().map(place).collect()
}

/// A capture that was cut off at any byte, with two more documents appended.
#[test]
fn every_cut_point_with_another_capture_appended() {
    for (name, make) in kinds() {
        let (first, rest) = (make(0), [make(1), make(2)].concat());
        let whole = frames_of(&read(&first));
        let after = frames_of(&read(&rest));
        let places = places(&first, &whole);
        for cut in 0..=first.len() {
            let input = [&first[..cut], &rest].concat();
            let kept = places.iter().filter(|place| place.end <= cut).count();
            let fragments = read(&input);
            let expected = [&whole[..kept], &after].concat();
            assert!(frames_of(&fragments) == expected, "{name}: cut at {cut} of {}", first.len());
            let is_said =
                fragments.iter().any(|read| read.incomplete().is_some() || !read.damages().is_empty());
            // A Cluster of unknown size may end after any element.
            let is_clean = cut == 0
                || cut == first.len()
                || name.contains("unknown") && (kept == 0 || places[kept - 1].end == cut);
            assert!(is_said || is_clean, "{name}: cut at {cut} of {} without a word", first.len());
        }
    }
}

/// A stretch overwritten anywhere in the second of three fragments, after its Tracks: all frames that it does not touch
/// come out, at their times; those that nothing tells the time of do not.
#[test]
fn every_stretch_overwritten() {
    for (name, make) in kinds() {
        let (before, damaged, after) = (make(0), make(1), make(2));
        let input = [&before[..], &damaged, &after].concat();
        let whole = frames_of(&read(&input));
        let places = places(&input, &whole);
        let tags = ebml::id_bytes(id::TAGS);
        let first = damaged.windows(4).position(|window| window == tags).unwrap();
        let cluster_id = ebml::id_bytes(id::CLUSTER);
        let cluster = damaged.windows(4).position(|window| window == cluster_id).unwrap();
        let timestamp = cluster + damaged[cluster..].iter().position(|&byte| byte == 0xE7).unwrap();
        // Headers of large frames, and whole small ones; the rest of large frames is nothing but media.
        let media = places[whole.len() / 3].start - before.len();
        for at in (first..damaged.len()).filter(|&at| at < media || name.contains("small") || at % 1523 < 40)
        {
            for bytes in [&[0; 4][..], &[0xFF; 4], &EBML, &[0; 33], &[0xFF; 60]] {
                if bytes == EBML && at < media {
                    // In place of a header, the ID of a document ends what is there.
                    continue;
                }
                let start = before.len() + at;
                let end = (start + bytes.len()).min(before.len() + damaged.len());
                let mut input = input.clone();
                input[start..end].copy_from_slice(&bytes[..end - start]);
                let frames = frames_of(&read(&input));
                // Zeros end a text, and what is left of a timestamp is another.
                let is_time_sure = at >= media || bytes[0] != 0;
                // Neither the tags nor the Cluster tell when its frames are shown.
                let is_timeless = at < cluster && at + bytes.len() > timestamp;
                let is_of_damaged = |at: usize| (before.len()..before.len() + damaged.len()).contains(&at);
                for (frame, place) in whole.iter().zip(&places) {
                    // The block's header has 13 bytes.
                    let is_touched = place.start < end + 13 && start < place.end;
                    let is_it = |read: &Frame| {
                        (read.0, &read.2) == (frame.0, &frame.2) && (read.1 == frame.1 || !is_time_sure)
                    };
                    let is_here = frames.iter().any(is_it);
                    let is_lost = is_touched || is_timeless && is_of_damaged(place.start);
                    let place = place.start - before.len().min(place.start);
                    assert!(is_here || is_lost, "{name}: {bytes:X?} at {at} lost the frame at {place}");
                }
            }
        }
    }
}

/// What looks like a document in a frame is payload as long as the sizes agree.
#[test]
fn a_document_in_a_frame() {
    let inner = small(7).to_bytes();
    for size in [Size::Width(8), Size::Unknown(8)] {
        let mut outer = small(0).cluster_size(size);
        let mut frame = media::avc_frame(5, 40, false);
        let len = u32::from_be_bytes(frame[..4].try_into().unwrap()) + inner.len() as u32 + 9;
        frame[..4].copy_from_slice(&len.to_be_bytes());
        frame.extend(&inner);
        frame.extend([0x80; 9]);
        outer.blocks[2].frames = vec![frame.clone()];
        let last = outer.blocks.len() - 1;
        outer.blocks[last].track = 1;
        outer.blocks[last].frames = vec![frame.clone()];
        let input = [outer.to_bytes(), small(1).to_bytes()].concat();
        let fragments = read(&input);
        assert_eq!(fragments.len(), 2);
        assert!(fragments.iter().all(|fragment| fragment.index().is_whole()));
        let with_inner = frames_of(&fragments).into_iter().filter(|(_, _, bytes)| *bytes == frame);
        assert_eq!(with_inner.count(), 2);
    }
}

/// Damage is where it is said to be, and strict callers are refused for it.
#[test]
fn bytes_between_documents_have_a_place() {
    let (first, second) = (small(0).to_bytes(), small(1).to_bytes());
    for junk in [&b"\n"[..], b"\r\n", &[0; 1000], b"HTTP/1.1 200 OK\r\n\r\n", &[0xFF; 17]] {
        let input = [&first, junk, &second, junk].concat();
        let fragments = read(&input);
        assert_eq!(frames_of(&fragments).len(), 48);
        let damages: Vec<_> = fragments.iter().flat_map(Read::damages).collect();
        let places: Vec<_> = damages.iter().map(|damage| (damage.offset, damage.skipped_bytes)).collect();
        let len = junk.len() as u64;
        let last = input.len() as u64 - len;
        assert_eq!(places, [(first.len() as u64, len), (last, len)], "{junk:?}");
        let (_, report) = clip(input.clone());
        assert_eq!(lines(&report).iter().filter(|line| line.contains(&format!("{len} byte"))).count(), 2);
        assert_eq!(refusal_with(&strict(), input).location().offset, Some(first.len() as u64));
    }
}

#[test]
fn input_that_begins_in_the_middle() {
    let input = [&small(0).to_bytes()[500..], &small(1).to_bytes()].concat();
    let fragments = read(&input);
    assert_eq!(frames_of(&fragments).len(), 24);
    let [damage] = fragments[0].damages() else { panic!("{:?}", fragments[0].damages()) };
    assert!(matches!(damage.fault, DamageFault::NotMatroska { .. }), "{damage}");
    assert_eq!(damage.offset, 0);
}

#[test]
fn nothing_that_is_matroska() {
    let error = refusal(vec![0x55; 100_000]);
    assert!(error.to_string().contains("55 55 55 55"), "{error}");
    assert_eq!(error.location().offset, Some(0));
}

/// The Cluster's size is wrong: larger than its blocks, smaller, and larger than any can be.
#[test]
fn a_cluster_of_another_size() {
    let fragment = small(1);
    let (before, after) = (small(0).to_bytes(), small(2).to_bytes());
    let bytes = fragment.to_bytes();
    let cluster = ebml::id_bytes(id::CLUSTER);
    let at = bytes.windows(4).position(|window| window == cluster).unwrap() + 4;
    let size = fragment.cluster().len() as u64 - 12;
    for wrong in [size + 1, size + 400, size - 1, size - 100, size / 2, 1 << 40] {
        let mut bytes = bytes.clone();
        bytes[at..at + 8].copy_from_slice(&ebml::vint(wrong, 8));
        let input = [&before[..], &bytes, &after].concat();
        let fragments = read(&input);
        assert_eq!(frames_of(&fragments).len(), 72, "{wrong} for {size}");
        assert!(fragments.iter().any(|fragment| !fragment.index().is_whole()));
    }
}

/// One bad fragment does not refuse a clip of others.
#[test]
fn damage_outside_of_the_range() {
    let mut input: Vec<u8> = (0..20).flat_map(|index| small(index).to_bytes()).collect();
    let at = input.len() * 3 / 4;
    input[at..at + 4].fill(0);
    let range = getclip::ClipTimestampRange::new(
        getclip::Timestamp::from_millis(START as i64),
        getclip::Timestamp::from_millis(START as i64 + 9000),
    );
    let builder = getclip::ClipBuilder::new(getclip::ClipFragmentSelector::producer(range.unwrap()));
    let clip = build_with(&builder, input).unwrap();
    assert_eq!(clip.report().fragments.len(), 10);
}

/// The cut is told with its place and with how much is missing.
#[test]
fn a_cut_has_a_place() {
    let first = small(0).to_bytes();
    let cut = first.len() - 20;
    let fragments = read(&[&first[..cut], &small(1).to_bytes()].concat());
    let incomplete = fragments[0].incomplete().unwrap();
    assert_eq!((incomplete.offset, incomplete.missing_bytes), (cut as u64, Some(20)));
    assert_eq!(incomplete.element, IncompleteElement::Cluster);
}

/// A reader that keeps no media sees the same, however the input arrives.
#[test]
fn indexes_of_damaged_input() {
    for (name, make) in kinds() {
        let (first, rest) = (make(0), make(1));
        for cut in (0..first.len()).step_by(first.len() / 97) {
            let input = Bytes::from([&first[..cut], &rest].concat());
            let expected: Vec<_> = read(&input).into_iter().map(|read| read.into_parts().0).collect();
            for chunk in [7, 512, usize::MAX] {
                let mut reader = FragmentReader::indexing();
                let mut indexes = Vec::new();
                for chunk in input.chunks(chunk.min(input.len())) {
                    reader.push(Bytes::copy_from_slice(chunk));
                    indexes.extend(ready(&mut reader).map(|read| read.unwrap().into_parts().0));
                }
                reader.finish();
                indexes.extend(ready(&mut reader).map(|read| read.unwrap().into_parts().0));
                assert!(indexes == expected, "{name}: cut at {cut} in chunks of {chunk}");
            }
        }
    }
}

#[test]
fn merged_fragments_with_damage_between() {
    let fragments = [small(0), small(1), small(2)];
    let input = mkv::merged(&fragments);
    let tags = ebml::id_bytes(id::TAGS);
    let places: Vec<_> = (0..input.len()).filter(|&at| input[at..].starts_with(&tags)).collect();
    for junk in [&[0; 10][..], b"junk"] {
        let at = places[1];
        let input = [&input[..at], junk, &input[at..]].concat();
        assert_eq!(frames_of(&read(&input)).len(), 72, "{junk:?}");
    }
}

/// Where a tag cannot be read, a fragment whose Cluster counts from the start of the session keeps its time.
#[test]
fn a_time_that_cannot_be_read() {
    let relative = |index: u64| small(index).cluster_timestamp(index * 1000);
    let mut input: Vec<u8> = (0..3).flat_map(|index| relative(index).to_bytes()).collect();
    let time = mkv::decimal_seconds(START + 1000);
    let at = input.windows(time.len()).position(|window| window == time.as_bytes()).unwrap();
    input[at + 2..at + 6].fill(0xFF);
    let fragments = read(&input);
    assert_eq!(fragments[1].producer_timestamp().map(|time| time.as_millis()), Some(START as i64 + 1000));
    let [damage] = fragments[1].damages() else { panic!("{:?}", fragments[1].damages()) };
    assert!(matches!(damage.fault, DamageFault::InvalidTimestamp { .. }), "{damage}");
    assert_eq!(frames_of(&fragments).len(), 72);
}
