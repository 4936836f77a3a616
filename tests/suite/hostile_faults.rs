//! Small faults, many of them: real streams with one byte changed, and cut off. What comes out is a clip that an
//! independent reader accepts, with every frame accounted for, or an error.
//!
//! Of each file in `testdata/`:
//!
//! * each byte of the first 4 KiB and of every element header is changed ten times: every bit flipped, all zeros, all
//!   ones. A header is ID and size, and in blocks also track, time and flags;
//! * the file ends at each byte of the first 4 KiB and of every element header, and at forty places between.
//!
//! Three million builds of whole files would take hours. A fragment is a document of its own, or follows a head that all
//! share, so each fault is tried without the fragments around: in the first 6 KiB for the first 4; in a fragment and the
//! next for a header, which may swallow what follows; in a fragment alone for a block and an end. Only the forty ends
//! are those of whole files.

use std::ops::Range;

use getclip_fuzz::{Options, build_with};
use testkit::ebml::id;
use testkit::manifest;
use testkit::mkv_reader::stored_frames;

/// Bytes at the front of each file of which every one is changed.
const FRONT: usize = 4096;

/// Ends of each file, other than those in its front and in element headers.
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
    build_with(OPTIONS, &file);
    for cut in 0..CUTS {
        build_with(OPTIONS, &file[..file.len() * cut / CUTS]);
    }
    let mut front = file[..FRONT + FRONT / 2].to_vec();
    for at in 0..FRONT {
        build_with(OPTIONS, &front[..at]);
        change_byte(&mut front, at);
    }
    let elements = elements(&file);
    let fragments = stored_fragments(&file, &elements);
    let clusters = stored_frames(&file).last().map(|frame| frame.fragment + 1);
    assert_eq!(Some(fragments.len()), clusters);
    for (index, fragment) in fragments.iter().enumerate() {
        let next = fragments.get(index + 1).unwrap_or(fragment);
        let head = &file[fragment.head.clone()];
        let mut alone = [head, &file[fragment.range.clone()]].concat();
        let mut with_next = [head, &file[fragment.range.start..next.range.end]].concat();
        let behind_front = fragment.range.start.max(FRONT)..fragment.range.end;
        for element in elements.iter().filter(|element| behind_front.contains(&element.header.start)) {
            for at in element.header.clone().map(|at| at - fragment.range.start + head.len()) {
                build_with(OPTIONS, &alone[..=at]);
                let input = if element.id == id::SIMPLE_BLOCK { &mut alone } else { &mut with_next };
                change_byte(input, at);
            }
        }
    }
}

/// Builds with each bit of a byte flipped, with all of them zeros, and with all of them ones.
fn change_byte(input: &mut [u8], at: usize) {
    let original = input[at];
    for changed in (0..8).map(|bit| original ^ 1 << bit).chain([0x00, 0xFF]) {
        if changed != original {
            input[at] = changed;
            build_with(OPTIONS, input);
        }
    }
    input[at] = original;
}

/// A fragment of a file.
struct Stored {
    /// What of its document a reader must have seen: nothing if the document begins with the fragment.
    head: Range<usize>,
    /// From its document or the end of the Cluster before to where the next one begins.
    range: Range<usize>,
}

fn stored_fragments(file: &[u8], elements: &[Element]) -> Vec<Stored> {
    let mut fragments: Vec<Stored> = Vec::new();
    let mut begin = |head, start| {
        if let Some(before) = fragments.last_mut() {
            before.range.end = start;
        }
        fragments.push(Stored { head, range: start..file.len() });
    };
    let (mut document, mut head, mut cluster_end) = (0, 0..0, None);
    for element in elements {
        match element.id {
            id::EBML => {
                (document, cluster_end) = (element.header.start, None);
                begin(0..0, document);
            }
            id::TRACKS => head = document..element.end,
            id::CLUSTER => {
                if let Some(end_before) = cluster_end.replace(element.end) {
                    begin(head.clone(), end_before);
                }
            }
            _ => {}
        }
    }
    fragments
}

struct Element {
    id: u32,
    /// ID and size, and of a block also track, time and flags.
    header: Range<usize>,
    end: usize,
}

/// All elements, parents before their children. Only Segments are of unknown size.
fn elements(file: &[u8]) -> Vec<Element> {
    let masters = [id::SEGMENT, id::CLUSTER, id::TRACKS, id::TRACK_ENTRY, id::TAGS, id::TAG, id::SIMPLE_TAG];
    let mut elements = Vec::new();
    let mut at = 0;
    while at < file.len() {
        let (id, id_len) = vint(&file[at..]);
        let (size, size_len) = vint(&file[at + id_len..]);
        let payload = at + id_len + size_len;
        let end = payload + (size & !(1 << (7 * size_len))) as usize;
        let id = u32::try_from(id).expect("an ID of at most 4 bytes");
        let header_end = if id == id::SIMPLE_BLOCK { payload + 4 } else { payload };
        elements.push(Element { id, header: at..header_end, end });
        at = if masters.contains(&id) { payload } else { end };
    }
    elements
}

/// A variable-size integer with its marker, and its width.
fn vint(bytes: &[u8]) -> (u64, usize) {
    let width = bytes[0].leading_zeros() as usize + 1;
    (bytes[..width].iter().fold(0, |value, &byte| value << 8 | u64::from(byte)), width)
}
