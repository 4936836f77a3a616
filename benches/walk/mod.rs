//! The bare walk over element headers: the least that reading Matroska takes.

/// Segment, Cluster and BlockGroup, whose children are walked too.
const MASTERS: [u64; 3] = [0x1853_8067, 0x1F43_B675, 0xA0];

/// Visits the header of every element of a buffer of whole documents, and adds up what it read so that it is read.
///
/// Headers of masters are stepped over, so that their children come next, whatever their size says. The payload of a
/// block is not looked at.
pub(crate) fn element_headers(bytes: &[u8]) -> u64 {
    let (mut at, mut sum) = (0, 0);
    while at < bytes.len() {
        let id_width = bytes[at].leading_zeros() as usize + 1;
        let id = big_endian(&bytes[at..], id_width);
        at += id_width;
        let size_width = bytes[at].leading_zeros() as usize + 1;
        let size = big_endian(&bytes[at..], size_width) & ((1 << (7 * size_width)) - 1);
        at += size_width;
        sum += id ^ size;
        if !MASTERS.contains(&id) {
            at += size as usize;
        }
    }
    sum
}

fn big_endian(bytes: &[u8], width: usize) -> u64 {
    match bytes.first_chunk() {
        Some(word) => u64::from_be_bytes(*word) >> (64 - 8 * width),
        None => bytes[..width].iter().fold(0, |value, &byte| value << 8 | u64::from(byte)),
    }
}
