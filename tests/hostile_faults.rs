//! Small faults, many of them: bytes of real streams are changed one at a time, and the streams are cut off. What comes
//! out is a clip that an independent reader accepts, with every frame accounted for, or an error.

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::ops::Range;

use targets::support::ebml::id;
use targets::support::manifest;
use targets::{Options, build_with};

/// Bytes at the front of each file of which every one is changed.
const FRONT: usize = 4096;

/// How many blocks are hit at the start and at the end of each Cluster.
const BLOCKS: usize = 2;

/// Cuts of each file, other than those at element headers.
const CUTS: usize = 40;

/// All that widens what is taken, so that a fault is not refused for another reason.
const OPTIONS: Options = Options {
    new_sample_entries: true,
    close_gaps: false,
    codec_private_from_frames: true,
    strict: false,
    service_profile: false,
    by_server: false,
    few_fragments: false,
    few_bytes: false,
};

macro_rules! files {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            faults_in(stringify!($name));
        })*

        #[test]
        fn every_file_is_here() {
            assert_eq!(manifest::names(), [$(stringify!($name)),*]);
        }
    };
}

// One test each, so that they run side by side.
files! {
    aac_20ms
    aac_sbr
    getmedia_twice
    h264_23976
    h264_2997
    h264_aac
    h264_aac_44100
    h264_alaw
    h264_annexb
    h264_annexb_private
    h264_bframes
    h264_gaps
    h264_merged
    h264_mulaw
    h264_only
    h264_resolution_change
    h264_upload
    h265_10bit
    h265_aac
    h265_alaw
    h265_annexb
    h265_bframes
    merged_holes
    timecode_reset
}

fn faults_in(name: &str) {
    let file = manifest::mkv(name);
    let headers = element_headers(&file);
    build_with(OPTIONS, &file);

    // The rest of the file does not see what happens in its front.
    let mut front = file[..FRONT + FRONT / 2].to_vec();
    for at in 0..FRONT {
        change_byte(&mut front, at);
    }
    let mut whole = file.clone();
    for at in headers.iter().flat_map(Clone::clone).filter(|at| *at >= FRONT) {
        change_byte(&mut whole, at);
    }
    let even = (0..CUTS).map(|cut| file.len() * cut / CUTS);
    for end in headers.iter().step_by(7).map(|header| header.start + 1).chain(even) {
        build_with(OPTIONS, &file[..end]);
    }
}

/// Builds with a byte of all zeros, of all ones, and with a bit that differs.
fn change_byte(input: &mut [u8], at: usize) {
    let original = input[at];
    for changed in [0x00, 0xFF, original ^ 1 << (at % 8)] {
        if changed != original {
            input[at] = changed;
            build_with(OPTIONS, input);
        }
    }
    input[at] = original;
}

/// Where IDs and sizes stand, and in blocks also track, time and flags: of all elements but the blocks in the midst of
/// a Cluster.
fn element_headers(file: &[u8]) -> Vec<Range<usize>> {
    let (mut headers, mut blocks) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < file.len() {
        let (element, id_len) = vint(&file[at..]);
        let (size, size_len) = vint(&file[at + id_len..]);
        let payload = at + id_len + size_len;
        if element == u64::from(id::SIMPLE_BLOCK) {
            blocks.push(at..payload + 4);
        } else {
            headers.append(&mut ends(&mut blocks));
            headers.push(at..payload);
        }
        let is_master =
            [id::SEGMENT, id::CLUSTER, id::TRACKS, id::TRACK_ENTRY, id::TAGS, id::TAG, id::SIMPLE_TAG]
                .map(u64::from)
                .contains(&element);
        let size = size & !(1 << (7 * size_len));
        at = if is_master { payload } else { payload + size as usize };
    }
    headers.append(&mut ends(&mut blocks));
    headers
}

/// The first and the last of the blocks.
fn ends(blocks: &mut Vec<Range<usize>>) -> Vec<Range<usize>> {
    let last = blocks.split_off(blocks.len().saturating_sub(BLOCKS));
    blocks.truncate(BLOCKS);
    blocks.drain(..).chain(last).collect()
}

/// A variable-size integer with its marker, and its width.
fn vint(bytes: &[u8]) -> (u64, usize) {
    let width = bytes[0].leading_zeros() as usize + 1;
    (bytes[..width].iter().fold(0, |value, &byte| value << 8 | u64::from(byte)), width)
}
