//! A fragment as a document of its own, in the form of GetMedia (RFC 8794, RFC 9559): the producer's header, the
//! service's tags, the Cluster.

use bytes::{BufMut, Bytes, BytesMut};
use getclip::{FragmentNumber, Timestamp};

const EBML: &[u8] = &[0x1A, 0x45, 0xDF, 0xA3];
const SEGMENT: &[u8] = &[0x18, 0x53, 0x80, 0x67];
const TAGS: &[u8] = &[0x12, 0x54, 0xC3, 0x67];
const TAG: &[u8] = &[0x73, 0x73];
const SIMPLE_TAG: &[u8] = &[0x67, 0xC8];
const TAG_NAME: &[u8] = &[0x45, 0xA3];
const TAG_STRING: &[u8] = &[0x44, 0x87];
/// All ones in eight bytes: the form of the service.
const UNKNOWN_SIZE: &[u8] = &[0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];

/// A Matroska Tags element as the service writes it: a Tag with a SimpleTag for each name and value.
pub fn tags_element(tags: &[(&str, &str)]) -> Bytes {
    let mut simple_tags = BytesMut::new();
    for (name, value) in tags {
        let mut simple_tag = BytesMut::new();
        put_element(&mut simple_tag, TAG_NAME, name.as_bytes());
        put_element(&mut simple_tag, TAG_STRING, value.as_bytes());
        put_element(&mut simple_tags, SIMPLE_TAG, &simple_tag);
    }
    let mut tag = BytesMut::new();
    put_element(&mut tag, TAG, &simple_tags);
    let mut element = BytesMut::new();
    put_element(&mut element, TAGS, &tag);
    element.freeze()
}

/// A document without a Cluster that has tags: what GetMediaForFragmentList returns for a fragment that is not found.
pub fn tags_document(tags: &[(&str, &str)]) -> Bytes {
    let mut header = BytesMut::new();
    for (id, value) in [
        (&[0x42, 0x86], &[1][..]),
        (&[0x42, 0xF7], &[1]),
        (&[0x42, 0xF2], &[4]),
        (&[0x42, 0xF3], &[8]),
        (&[0x42, 0x82], b"matroska"),
        (&[0x42, 0x87], &[2]),
        (&[0x42, 0x85], &[2]),
    ] {
        put_element(&mut header, id, value);
    }
    let mut document = BytesMut::new();
    put_element(&mut document, EBML, &header);
    document.put_slice(SEGMENT);
    document.put_slice(UNKNOWN_SIZE);
    document.put_slice(&tags_element(tags));
    document.freeze()
}

/// The tags that name a fragment.
pub(crate) fn identity_tags(number: &FragmentNumber, server: Timestamp, producer: Timestamp) -> Bytes {
    tags_element(&[
        ("AWS_KINESISVIDEO_FRAGMENT_NUMBER", number.as_str()),
        ("AWS_KINESISVIDEO_SERVER_TIMESTAMP", &seconds(server)),
        ("AWS_KINESISVIDEO_PRODUCER_TIMESTAMP", &seconds(producer)),
    ])
}

/// A time as the service's tags spell it: Unix seconds with three decimals. Stored times are not before 1970.
pub fn seconds(time: Timestamp) -> String {
    let ms = time.as_millis().max(0);
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// Appends an element (RFC 8794 section 4) with the shortest form of its size.
fn put_element(out: &mut BytesMut, id: &[u8], payload: &[u8]) {
    out.put_slice(id);
    let len = payload.len() as u64;
    // All ones means an unknown size, so a size of n bytes holds less than 2^(7n) - 1.
    let width = (1..8).find(|width| len < (1 << (7 * width)) - 1).unwrap_or(8);
    let vint = len | (1 << (7 * width));
    out.put_slice(&vint.to_be_bytes()[8 - width..]);
    out.put_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_written_as_the_service_does() {
        let tags = tags_element(&[("AB", "c")]);
        let expected = [
            0x12, 0x54, 0xC3, 0x67, 0x8F, // Tags, 15 bytes
            0x73, 0x73, 0x8C, // Tag, 12 bytes
            0x67, 0xC8, 0x89, // SimpleTag, 9 bytes
            0x45, 0xA3, 0x82, b'A', b'B', 0x44, 0x87, 0x81, b'c',
        ];
        assert_eq!(tags[..], expected);
    }

    #[test]
    fn sizes_take_as_many_bytes_as_they_need() {
        for (len, size) in
            [(0, vec![0x80]), (126, vec![0xFE]), (127, vec![0x40, 0x7F]), (16_382, vec![0x7F, 0xFE])]
        {
            let mut out = BytesMut::new();
            put_element(&mut out, &[0xEC], &vec![0; len]);
            assert_eq!(out[1..out.len() - len], size, "{len}");
        }
    }

    #[test]
    fn times_have_three_decimals() {
        assert_eq!(seconds(Timestamp::from_millis(1_511_852_109_126)), "1511852109.126");
        assert_eq!(seconds(Timestamp::from_millis(5)), "0.005");
        assert_eq!(seconds(Timestamp::from_millis(0)), "0.000");
    }
}
