//! Reader of well-formed Kinesis Video Streams files: which frames are where. It panics on anything else, and knows no
//! lacing: it is an oracle for tests.

use std::ops::Range;

use crate::ebml::id;
use crate::frames::Frame;

/// One frame of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFrame {
    /// Matroska track number.
    pub track: u64,
    /// Clusters count from 0, in file order.
    pub fragment: usize,
    /// On the timeline of the producer timestamps, or of the Cluster timestamps where there are none.
    pub time_ns: i128,
    /// The key flag of the SimpleBlock.
    pub key: bool,
    /// Where its bytes are in the file.
    pub range: Range<usize>,
}

/// All frames in file order. Masters are walked into, whether their size is known or not, and everything else is passed
/// over by its size; so nothing needs to know where a Cluster ends.
pub fn stored_frames(file: &[u8]) -> Vec<StoredFrame> {
    let mut frames = Vec::new();
    let (mut scale, mut producer_ns, mut tag_name) = (1_000_000, None, "");
    let (mut clusters, mut cluster_producer_ns, mut cluster_ns) = (0, None, 0);
    let mut at = 0;
    while at < file.len() {
        let (element, header_length) = element_id(&file[at..]);
        let (size, size_length) = element_size(&file[at + header_length..]);
        let start = at + header_length + size_length;
        at = start;
        match element {
            id::CLUSTER => {
                clusters += 1;
                cluster_producer_ns = producer_ns.take();
                continue;
            }
            id::SEGMENT | id::INFO | id::TAGS | id::TAG | id::SIMPLE_TAG => continue,
            _ => {}
        }
        let end = start + size.unwrap_or_else(|| panic!("element {element:X} at byte {start}: unknown size"));
        let payload = &file[start..end];
        let text = || std::str::from_utf8(payload).expect("text");
        match element {
            id::EBML => scale = 1_000_000,
            id::TIMESTAMP_SCALE => scale = uint(payload),
            id::TAG_NAME => tag_name = text(),
            id::TAG_STRING if tag_name == "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP" => {
                producer_ns =
                    Some(text().replace('.', "").parse::<i128>().expect("three decimals") * 1_000_000);
            }
            id::TIMESTAMP => cluster_ns = uint(payload) * scale,
            id::SIMPLE_BLOCK => {
                assert_eq!(payload[3] & 0x06, 0, "no lacing");
                let offset = i128::from(i16::from_be_bytes([payload[1], payload[2]]));
                frames.push(StoredFrame {
                    track: u64::from(payload[0] & 0x7F),
                    fragment: clusters - 1,
                    time_ns: cluster_producer_ns.unwrap_or(cluster_ns) + offset * scale,
                    key: payload[3] & 0x80 != 0,
                    range: start + 4..end,
                });
            }
            id::BLOCK_GROUP => panic!("SimpleBlocks only"),
            _ => {}
        }
        at = end;
    }
    frames
}

/// Where a file can end without anything to show that it is not whole: at its beginning; behind an element of the Segment
/// that follows a Cluster; and behind each element in a Cluster of unknown size.
///
/// A Segment of known size shows it everywhere but at its own end.
pub fn clean_ends(file: &[u8]) -> Vec<usize> {
    let (mut ends, mut at) = (vec![0], 0);
    let (mut segment_end, mut cluster_end, mut behind_cluster) = (None, None, false);
    let mut in_unknown_cluster = false;
    while at < file.len() {
        let (element, header_length) = element_id(&file[at..]);
        let (size, size_length) = element_size(&file[at + header_length..]);
        let start = at + header_length + size_length;
        let end = size.map(|size| start + size);
        match element {
            id::EBML => (behind_cluster, in_unknown_cluster, segment_end) = (false, false, None),
            id::SEGMENT => segment_end = end,
            id::CLUSTER => (behind_cluster, in_unknown_cluster, cluster_end) = (true, end.is_none(), end),
            // Children of the Segment end a Cluster of unknown size.
            id::TAGS | id::CUES => in_unknown_cluster = false,
            _ => {}
        }
        at = match element {
            id::SEGMENT => start,
            id::CLUSTER if in_unknown_cluster => start,
            _ => end.expect("a known size"),
        };
        let is_clean =
            behind_cluster && element != id::SEGMENT && (in_unknown_cluster || Some(at) >= cluster_end);
        if is_clean && segment_end.is_none_or(|end| at == end) {
            ends.push(at);
        }
    }
    ends
}

/// The frames as they must come out when they need no adaptation: times from the first, no key flags for audio.
pub fn unadapted(file: &[u8], stored: &[StoredFrame]) -> Vec<Frame> {
    let first = stored.iter().map(|frame| frame.time_ns).min().unwrap_or(0);
    let frame = |frame: &StoredFrame| Frame {
        track: frame.track,
        time_ns: frame.time_ns - first,
        key: (frame.track == 1).then_some(frame.key),
        bytes: file[frame.range.clone()].to_vec(),
    };
    stored.iter().map(frame).collect()
}

fn element_id(bytes: &[u8]) -> (u32, usize) {
    let length = bytes[0].leading_zeros() as usize + 1;
    (uint(&bytes[..length]).try_into().expect("an element ID of 1 to 4 bytes"), length)
}

/// `None` is an unknown size.
fn element_size(bytes: &[u8]) -> (Option<usize>, usize) {
    let length = bytes[0].leading_zeros() as usize + 1;
    let all_ones = (1_i128 << (7 * length)) - 1;
    let value = uint(&bytes[..length]) & all_ones;
    ((value != all_ones).then_some(value as usize), length)
}

fn uint(bytes: &[u8]) -> i128 {
    bytes.iter().fold(0, |value, byte| value << 8 | i128::from(*byte))
}
