//! Well-formed Kinesis Video Streams files: which frames are where, and where a file can end unnoticed.

use crate::ebml::id;
use crate::frames::Frame;
use crate::recording::{Recording, StoredFrame};

/// All frames of a whole recording in file order.
pub fn stored_frames(file: &[u8]) -> Vec<StoredFrame> {
    Recording::read(file).stored_frames().cloned().collect()
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
