//! The part of the input that is here and not yet handed out.

use bytes::{Buf, Bytes, BytesMut};

/// Bytes between what was consumed and what has arrived.
///
/// As long as nothing is left over when a chunk arrives, that chunk is used where it is. Only what straddles two
/// chunks is copied, once, so that a fragment is contiguous.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// A chunk used in place. At most one of `shared` and `joined` has bytes.
    shared: Bytes,
    joined: BytesMut,
    /// Offset in the input of the first byte.
    offset: u64,
}

impl Window {
    pub(super) fn push(&mut self, chunk: Bytes) {
        if self.bytes().is_empty() {
            self.shared = chunk;
            self.joined = BytesMut::new();
            return;
        }
        if !self.shared.is_empty() {
            let rest = std::mem::take(&mut self.shared);
            self.joined.reserve(rest.len().saturating_add(chunk.len()));
            self.joined.extend_from_slice(&rest);
        }
        self.joined.extend_from_slice(&chunk);
    }

    pub(super) fn bytes(&self) -> &[u8] {
        if self.joined.is_empty() { &self.shared } else { &self.joined }
    }

    /// Offset in the input of the first byte.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Drops up to `len` bytes, and says how many were here.
    pub(super) fn discard(&mut self, len: u64) -> u64 {
        let here = self.bytes().len();
        let len = usize::try_from(len).map_or(here, |len| len.min(here));
        if self.joined.is_empty() {
            self.shared.advance(len)
        } else {
            self.joined.advance(len)
        }
        self.offset = self.offset.saturating_add(len as u64);
        len as u64
    }

    /// Hands out the first `len` bytes, or all when fewer are here.
    pub(super) fn split(&mut self, len: usize) -> Bytes {
        let len = len.min(self.bytes().len());
        self.offset = self.offset.saturating_add(len as u64);
        if self.joined.is_empty() { self.shared.split_to(len) } else { self.joined.split_to(len).freeze() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_used_in_place_until_one_straddles() {
        let mut window = Window::default();
        let chunk = Bytes::from_static(b"abcdef");
        window.push(chunk.clone());
        assert_eq!(window.split(4).as_ptr(), chunk.as_ptr());
        window.push(Bytes::from_static(b"ghi"));
        assert_eq!(window.bytes(), b"efghi");
        assert_eq!(window.offset(), 4);
        assert_eq!(window.discard(100), 5);
        let next = Bytes::from_static(b"jkl");
        window.push(next.clone());
        assert_eq!(window.split(3).as_ptr(), next.as_ptr());
        assert_eq!(window.offset(), 12);
    }
}
