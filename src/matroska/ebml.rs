//! EBML (RFC 8794): variable-size integers, element headers, and the bounded cursor that all parsing goes through.

use std::borrow::Cow;

use memchr::memchr;

use crate::error::Error;
use crate::matroska::ids::{self, ElementId};

/// A bounded view of the input that knows where it stands in the whole of it.
///
/// It only moves forward, never past its end, and hands out children that end no later than it does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    /// Offset of `bytes` in the input.
    offset: u64,
}

/// ID and size of an element (RFC 8794 section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ElementHeader {
    pub(crate) id: ElementId,
    /// Size of the payload; `None` for unknown size, which is all ones at any width (RFC 8794 section 6.2).
    pub(crate) size: Option<u64>,
    /// Bytes that the ID and the size take, 2 to 12.
    pub(crate) len: u8,
}

/// What stands at the front of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderRead {
    /// A whole element header.
    Header(ElementHeader),
    /// The beginning of one.
    Incomplete,
    /// Bytes that begin no element: an ID of more than four bytes, or a size of more than eight.
    Invalid {
        /// How many of the bytes tell.
        len: usize,
    },
}

impl ElementHeader {
    /// The longest: an ID of four bytes and a size of eight.
    const MAX_LEN: usize = 12;

    /// Reads a header off the front of `bytes`, without consuming it.
    pub(crate) fn read(bytes: &[u8]) -> HeaderRead {
        // What is shorter than the longest header is made as long. What then reads bytes that are not here waits for
        // them.
        let front = bytes.first_chunk().copied().unwrap_or_else(|| {
            let mut front = [0; Self::MAX_LEN];
            front.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            front
        });
        let id_len = width(front[0]);
        let invalid_at = if id_len > 4 { 1 } else { id_len.saturating_add(1) };
        match Self::read_front(&front) {
            Some(header) if usize::from(header.len) <= bytes.len() => HeaderRead::Header(header),
            None if invalid_at <= bytes.len() => HeaderRead::Invalid { len: invalid_at },
            _ => HeaderRead::Incomplete,
        }
    }

    /// The header at the front of bytes that are enough for any. `None` if there is none.
    fn read_front(front: &[u8; Self::MAX_LEN]) -> Option<Self> {
        let id_len = width(front[0]);
        let [a, b, c, d, ..] = *front;
        let id = u32::from_be_bytes([a, b, c, d])
            .checked_shr(32_u32.checked_sub((id_len as u32).saturating_mul(8))?)?;
        let (size, size_len) = vint(*front.get(id_len..)?.first_chunk()?)?;
        Some(Self { id, size, len: (id_len as u8).saturating_add(size_len) })
    }
}

/// Bytes of a VINT by the first: one, and one for each zero in front of the marker bit. 9 has no marker.
#[inline]
fn width(first: u8) -> usize {
    (first.leading_zeros() as usize).saturating_add(1)
}

/// The VINT at the front of 8 bytes: its value, `None` when all its bits are ones, and its width. `None` if the first
/// byte has no marker.
#[inline]
pub(crate) fn vint(front: [u8; 8]) -> Option<(Option<u64>, u8)> {
    let width = width(front[0]);
    if width > 8 {
        return None;
    }
    // 7 bits of each byte are behind the marker.
    let bytes = width as u32;
    let mask = u64::MAX.wrapping_shr(64_u32.wrapping_sub(bytes.wrapping_mul(7)));
    let value = u64::from_be_bytes(front).wrapping_shr(64_u32.wrapping_sub(bytes.wrapping_mul(8))) & mask;
    Some(((value != mask).then_some(value), width as u8))
}

/// Reads a VINT of 1 to 8 bytes: its value, `None` when all its bits are ones, and its width.
pub(crate) fn read_vint(bytes: &[u8]) -> Option<(Option<u64>, u8)> {
    let mut front = [0; 8];
    front.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    vint(front).filter(|&(_, width)| usize::from(width) <= bytes.len())
}

impl<'a> Cursor<'a> {
    /// A cursor over `bytes`, which stand at `offset` of the input.
    pub(crate) const fn new(bytes: &'a [u8], offset: u64) -> Self {
        Self { bytes, offset }
    }

    /// Offset in the input of the next byte.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// All that is left.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// The next `len` bytes, or `None` when fewer are left.
    #[inline]
    pub(crate) fn take(&mut self, len: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(usize::try_from(len).ok()?)?;
        self.bytes = rest;
        self.offset = self.offset.saturating_add(len);
        Some(taken)
    }

    /// The next element of a parent that is here as a whole: its ID, and a cursor over its payload.
    pub(crate) fn element(&mut self) -> Result<Option<(ElementId, Cursor<'a>)>, Error> {
        if self.is_empty() {
            return Ok(None);
        }
        let at = self.offset;
        let header = match ElementHeader::read(self.bytes) {
            HeaderRead::Header(header) => header,
            HeaderRead::Incomplete => {
                return Err(Error::malformed("an element header", "the end of its parent").at(at));
            }
            HeaderRead::Invalid { len } => return Err(invalid_element(self.bytes, len).at(at)),
        };
        let Some(size) = header.size else {
            let found = format!("unknown size in {}", ids::name(header.id));
            return Err(Error::malformed("an element of known size", found).at(at));
        };
        let left = self.bytes.len();
        self.take(u64::from(header.len));
        let payload_offset = self.offset;
        let payload = self.take(size).ok_or_else(|| {
            let expected = format!("{} inside its parent, which has {left} bytes left", ids::name(header.id));
            Error::malformed(expected, format!("a size of {size}")).at(at)
        })?;
        Ok(Some((header.id, Cursor::new(payload, payload_offset))))
    }

    /// The whole payload as an unsigned integer of 0 to 8 bytes (RFC 8794 section 7.2).
    pub(crate) fn uint(self) -> Result<u64, Error> {
        if self.bytes.len() > 8 {
            let found = format!("{} bytes", self.bytes.len());
            return Err(Error::malformed("an integer of at most 8 bytes", found).at(self.offset));
        }
        Ok(self.bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    /// The whole payload as a float of 0, 4 or 8 bytes (RFC 8794 section 7.3).
    pub(crate) fn float(self) -> Result<f64, Error> {
        if let Ok(bytes) = self.bytes.try_into() {
            return Ok(f64::from_be_bytes(bytes));
        }
        match self.bytes.try_into() {
            Ok(bytes) => Ok(f64::from(f32::from_be_bytes(bytes))),
            Err(_) if self.is_empty() => Ok(0.0),
            Err(_) => {
                let found = format!("{} bytes", self.bytes.len());
                Err(Error::malformed("a float of 0, 4 or 8 bytes", found).at(self.offset))
            }
        }
    }

    /// The whole payload as a string. Old SDKs pad with NULs or spaces, so both are trimmed at the end.
    pub(crate) fn text(self) -> Cow<'a, str> {
        let text = memchr(0, self.bytes).and_then(|padding| self.bytes.get(..padding)).unwrap_or(self.bytes);
        match std::str::from_utf8(text) {
            Ok(text) => Cow::Borrowed(text.trim_end()),
            Err(_) => Cow::Owned(String::from_utf8_lossy(text).trim_end().to_owned()),
        }
    }

    /// The same, owned.
    pub(crate) fn string(self) -> String {
        self.text().into_owned()
    }
}

/// The error for bytes of which the first `len` show that they begin no element.
#[cold]
pub(crate) fn invalid_element(bytes: &[u8], len: usize) -> Error {
    let telling = bytes.get(..len).unwrap_or(bytes);
    Error::malformed("an element ID of 1 to 4 bytes and a size of 1 to 8", hex(telling))
}

/// The first bytes of `bytes`, for an error message.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let shown: Vec<String> = bytes.iter().take(5).map(|byte| format!("{byte:02X}")).collect();
    if shown.is_empty() { "nothing".into() } else { shown.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(bytes: &[u8]) -> HeaderRead {
        ElementHeader::read(bytes)
    }

    // RFC 8794 section 4.4: the value 2 at each width; section 6.2: unknown size at each width.
    #[test]
    fn vints_at_every_width() {
        for width in 1..=8_usize {
            let mut two = vec![0; width];
            two[0] = 1 << (8 - width);
            two[width - 1] |= 2;
            assert_eq!(read_vint(&two), Some((Some(2), width as u8)));
            assert_eq!(read_vint(&two[..width - 1]), None);
            let mut unknown = vec![0xFF; width];
            unknown[0] = (0xFF_u16 >> (width - 1)) as u8;
            assert_eq!(read_vint(&unknown), Some((None, width as u8)));
        }
        assert_eq!(read_vint(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), None);
        assert_eq!(
            read_vint(&[0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE]),
            Some((Some((1 << 56) - 2), 8))
        );
    }

    #[test]
    fn element_headers() {
        let ebml = ElementHeader { id: 0x1A45_DFA3, size: Some(3), len: 5 };
        assert_eq!(header(&[0x1A, 0x45, 0xDF, 0xA3, 0x83, 1]), HeaderRead::Header(ebml));
        assert_eq!(header(&[0x1A, 0x45, 0xDF, 0xA3]), HeaderRead::Incomplete);
        assert_eq!(header(&[0x1A, 0x45]), HeaderRead::Incomplete);
        assert_eq!(header(&[]), HeaderRead::Incomplete);
        assert_eq!(header(&[0x08, 0, 0, 0, 0]), HeaderRead::Invalid { len: 1 });
        assert_eq!(header(&[0xEC, 0x00]), HeaderRead::Invalid { len: 2 });
    }

    #[test]
    fn a_child_never_outlives_its_parent() {
        let mut cursor = Cursor::new(&[0xEC, 0x82, 7, 8, 0xBF, 0x82, 9], 100);
        let (id, payload) = cursor.element().unwrap().unwrap();
        assert_eq!((id, payload.rest(), payload.offset()), (0xEC, &[7, 8][..], 102));
        let error = cursor.element().unwrap_err();
        assert_eq!(error.location().offset, Some(104));
        assert!(error.to_string().contains("a size of 2"), "{error}");
    }

    #[test]
    fn numbers_and_strings() {
        let cursor = |bytes| Cursor::new(bytes, 0);
        assert_eq!(cursor(&[]).uint(), Ok(0));
        assert_eq!(cursor(&[0x0F, 0x42, 0x40]).uint(), Ok(1_000_000));
        assert!(cursor(&[0; 9]).uint().is_err());
        assert_eq!(cursor(&[0x47, 0x3B, 0x80, 0x00]).float(), Ok(48_000.0));
        assert_eq!(cursor(&[0x40, 0xE7, 0x70, 0, 0, 0, 0, 0]).float(), Ok(48_000.0));
        assert_eq!(cursor(b"A_AAC\0\0junk").string(), "A_AAC");
        assert_eq!(cursor(b"A_AAC   ").string(), "A_AAC");
    }
}
