//! [`Reference`]: stored in place of the media, if that is in a recording elsewhere.

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use crate::store::Expected;

/// Place of a Cluster in a recording, and the identity that the recording must still have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reference {
    /// URL of the recording.
    pub(crate) url: String,
    /// Offset of the Cluster in the recording.
    pub(crate) offset: u64,
    /// Size of the Cluster.
    pub(crate) len: u64,
    /// Size of the recording.
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    e_tag: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_ns: Option<i64>,
}

impl Reference {
    pub(crate) fn new(url: String, offset: u64, len: u64, recording: &Expected) -> Self {
        let Expected { size, e_tag, modified_ns } = recording.clone();
        Self { url, offset, len, size: size.unwrap_or(0), e_tag, modified_ns }
    }

    /// Identity of the recording when it was indexed.
    pub(crate) fn recording(&self) -> Expected {
        Expected { size: Some(self.size), e_tag: self.e_tag.clone(), modified_ns: self.modified_ns }
    }

    /// Bytes of the object after its index: length of the header in four bytes, header, reference.
    pub(crate) fn encode(&self, header: &Bytes) -> Option<Bytes> {
        let json = serde_json::to_vec(self).ok()?;
        let mut out = BytesMut::with_capacity(4 + header.len() + json.len());
        out.put_u32(u32::try_from(header.len()).ok()?);
        out.put_slice(header);
        out.put_slice(&json);
        Some(out.freeze())
    }

    /// Reads the header and the reference from the bytes after the index.
    pub(crate) fn decode(bytes: &Bytes) -> Option<(Bytes, Self)> {
        let header_len = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?);
        let header_end = 4_usize.checked_add(usize::try_from(header_len).ok()?)?;
        let json = bytes.get(header_end..)?;
        Some((bytes.slice(4..header_end), serde_json::from_slice(json).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_its_bytes() {
        let header = Bytes::from_static(b"header");
        for expected in [
            Expected { size: Some(9), e_tag: Some("\"tag\"".into()), modified_ns: None },
            Expected { size: Some(9), e_tag: None, modified_ns: Some(7) },
        ] {
            let reference = Reference::new("file:///x.mkv".to_owned(), 3, 4, &expected);
            let bytes = reference.encode(&header).unwrap();
            assert_eq!(Reference::decode(&bytes), Some((header.clone(), reference.clone())));
            assert_eq!(reference.recording(), expected);
            for end in 0..bytes.len() {
                assert_eq!(Reference::decode(&bytes.slice(..end)), None);
            }
        }
    }
}
