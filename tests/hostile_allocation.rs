//! Memory is bounded by the input: n bytes of any input cost at most a multiple of n and a constant, and what is only
//! declared costs nothing.
//!
//! The allocator of this test counts what each thread holds. The library has no threads of its own.

// Nothing but a global allocator can count, and only `unsafe` makes one.
#![allow(unsafe_code)]

mod hostile_run;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytes::Bytes;
use getclip::{ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, fragments};

use hostile_run::run;
use testkit::hostile::KINDS;
use testkit::media;
use testkit::mkv::{Block, Fragment, Track};

/// Bytes of heap beyond the input for each byte of it. The dearest bytes are frames of a byte in laces: each is a
/// block, a sample and a piece, each in a vector that doubles, so that half of it may be empty while the other half is
/// copied.
const PER_BYTE: usize = 200;

/// Bytes of heap beyond that, whatever the input.
const CONSTANT: usize = 1 << 20;

struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

fn count(add: usize, remove: usize) {
    let held = HELD.get().saturating_add(add).saturating_sub(remove);
    HELD.set(held);
    PEAK.set(PEAK.get().max(held));
}

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(0, layout.size());
        unsafe { System.dealloc(block, layout) }
    }

    // Counted as if the block had to be moved: the old and the new one at once.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size, 0);
        count(0, layout.size());
        unsafe { System.realloc(block, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most heap that was held at once while `run` ran, beyond what was held before it. What it answers is held to the
/// end.
fn peak_of<T>(run: impl FnOnce() -> T) -> usize {
    let before = HELD.get();
    PEAK.set(before);
    let answer = run();
    let peak = PEAK.get() - before;
    drop(answer);
    peak
}

#[test]
fn a_multiple_of_the_input() {
    // Frames of a byte then go just beyond a power of two: vectors that double are half empty.
    const LEN: usize = 140_000;
    let mut dearest = (0, "");
    for kind in KINDS {
        let input = Bytes::from((kind.make)(LEN));
        let len = input.len();
        let peak = peak_of(|| run(kind, input));
        assert!(peak <= PER_BYTE * len + CONSTANT, "{}: {peak} bytes for {len}", kind.name);
        dearest = dearest.max((peak / len, kind.name));
        println!("{:4} bytes for a byte: {}", peak / len, kind.name);
    }
    assert!(dearest.0 > PER_BYTE / 2, "the multiple could be smaller: {dearest:?}");
}

/// A header that promises a gigabyte, a lace that promises 256 frames, a record that promises 255 parameter sets.
#[test]
fn what_is_declared_costs_nothing_until_it_is_there() {
    const GIGABYTE: u64 = 1 << 30;
    let huge = |id: u32| [testkit::ebml::id_bytes(id), testkit::ebml::vint(GIGABYTE, 8)].concat();
    use testkit::ebml::id;
    let video = || vec![Track::avc()];
    let in_segment = |element: Vec<u8>| Fragment { in_segment: element, ..Fragment::new(video(), vec![]) };
    let in_cluster = |element: Vec<u8>| Fragment { in_cluster: element, ..Fragment::new(video(), vec![]) };
    let promises = [
        huge(id::EBML),
        in_segment(huge(id::CLUSTER)).to_bytes(),
        in_segment(huge(id::TRACKS)).to_bytes(),
        in_segment(huge(id::TAGS)).to_bytes(),
        in_segment(huge(id::VOID)).to_bytes(),
        in_cluster(huge(id::SIMPLE_BLOCK)).to_bytes(),
        in_cluster(huge(id::BLOCK_GROUP)).to_bytes(),
        // Lacing of 256 frames in a block of 6 bytes, each way.
        in_cluster(vec![0xA3, 0x85, 0x81, 0, 0, 0x02, 0xFF]).to_bytes(),
        in_cluster(vec![0xA3, 0x85, 0x81, 0, 0, 0x04, 0xFF]).to_bytes(),
        in_cluster(vec![0xA3, 0x85, 0x81, 0, 0, 0x06, 0xFF]).to_bytes(),
        with_codec_private(&[1, 100, 0, 13, 0xFF, 0xFF, 0xFF, 0xFF]),
        with_frame(&[0xFF, 0xFF, 0xFF, 0xFF, 0x65]),
    ];
    for input in promises {
        let len = input.len();
        let peak = peak_of(|| {
            let clock = ClipFragmentSelectorType::ProducerTimestamp;
            let clip = ClipBuilder::new(ClipFragmentSelector::all(clock)).build(fragments(input.into()));
            assert!(clip.is_err());
        });
        assert!(peak < 16 * 1024, "{peak} bytes for {len}");
    }
}

fn with_codec_private(codec_private: &[u8]) -> Vec<u8> {
    let tracks = vec![Track::avc().codec_private(codec_private)];
    Fragment::new(tracks, vec![Block::new(1, 0, true, media::avc_frame(1, 20, true))]).to_bytes()
}

fn with_frame(frame: &[u8]) -> Vec<u8> {
    Fragment::new(vec![Track::avc()], vec![Block::new(1, 0, true, frame)]).to_bytes()
}

/// GetClip's largest clip: 95 MB in 200 fragments of 2 s, H.264 of 30 fps and AAC of 48 kHz.
#[test]
fn the_largest_clip_of_the_service() {
    let input = Bytes::from(largest_clip());
    let len = input.len();
    assert!((94_000_000..96_000_000).contains(&len), "{len}");
    let peak = peak_of(|| {
        let clock = ClipFragmentSelectorType::ProducerTimestamp;
        let clip =
            ClipBuilder::new(ClipFragmentSelector::all(clock)).build(fragments(input)).expect("a clip");
        assert_eq!(clip.report().fragments.len(), 200);
        clip
    });
    println!("{peak} bytes beyond the input of {len}");
    assert!(peak <= 4 << 20, "{peak} bytes beyond the input");
}

fn largest_clip() -> Vec<u8> {
    const FRAGMENTS: u64 = 200;
    // Frames of the same sizes can be the same frames.
    let [key, other] = [40_000, 6_800].map(|len| media::avc_frame(len as u64, len, len == 40_000));
    let sound = media::aac_frame(1, 341);
    let mut file = Vec::with_capacity(96_000_000);
    for index in 0..FRAGMENTS {
        let frame = |i: i64| if i == 0 { key.clone() } else { other.clone() };
        let video = (0..60).map(|i| Block::new(1, (i * 1000 / 30) as i16, i == 0, frame(i)));
        let first = (index * 96_000).div_ceil(1024);
        let behind = ((index + 1) * 96_000).div_ceil(1024);
        let audio = (first..behind).map(|i| {
            let time = (i * 1024 / 48 - index * 2000) as i16;
            Block::new(2, time, true, sound.clone())
        });
        let mut blocks: Vec<Block> = video.chain(audio).collect();
        blocks.sort_by_key(|block| block.time);
        let tracks = vec![Track::avc(), Track::aac()];
        file.extend(Fragment::stored(index, 1_700_000_000_000 + index * 2000, tracks, blocks).to_bytes());
    }
    file
}
