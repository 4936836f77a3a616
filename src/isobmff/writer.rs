//! Boxes (ISO/IEC 14496-12 section 4.2), nested as the code that writes them is.

use crate::error::Error;
use crate::isobmff::too_large;

/// Writes boxes into memory.
#[derive(Debug, Default)]
pub(super) struct BoxWriter {
    out: Vec<u8>,
    too_large: bool,
}

impl BoxWriter {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self { out: Vec::with_capacity(capacity), too_large: false }
    }

    /// A box of four-character code `kind`, whose payload `body` writes.
    pub(super) fn write_box(&mut self, kind: &[u8; 4], body: impl FnOnce(&mut Self)) {
        let start = self.out.len();
        self.u32(0);
        self.bytes(kind);
        body(self);
        match u32::try_from(self.out.len().saturating_sub(start)) {
            Ok(size) => self.patch_u32(start, size),
            Err(_) => self.too_large = true,
        }
    }

    /// A FullBox (section 4.2.2).
    pub(super) fn write_full_box(
        &mut self,
        kind: &[u8; 4],
        version: u8,
        flags: u32,
        body: impl FnOnce(&mut Self),
    ) {
        self.write_box(kind, |w| {
            w.u32(u32::from(version) << 24 | flags & 0x00FF_FFFF);
            body(w);
        });
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.out.push(value);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.bytes(&value.to_be_bytes());
    }

    /// A table of 32-bit values, in one go.
    pub(super) fn u32s(&mut self, values: &[u32]) {
        let start = self.out.len();
        self.zeros(values.len().saturating_mul(4));
        let (places, _) = self.out.get_mut(start..).unwrap_or_default().as_chunks_mut();
        for (place, value) in places.iter_mut().zip(values) {
            *place = value.to_be_bytes();
        }
    }

    /// A value that has 32 bits in version 0 of its box and 64 in version 1.
    pub(super) fn sized(&mut self, version: u8, value: u64) {
        match version {
            0 => self.u32(value as u32),
            _ => self.u64(value),
        }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub(super) fn zeros(&mut self, count: usize) {
        self.out.resize(self.out.len().saturating_add(count), 0);
    }

    /// What was written so far, for what can write itself.
    pub(super) fn as_mut_vec(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    pub(super) fn patch_u32(&mut self, at: usize, value: u32) {
        if let Some(place) = self.out.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
            *place = value.to_be_bytes();
        }
    }

    pub(super) fn patch_u64(&mut self, at: usize, value: u64) {
        if let Some(place) = self.out.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
            *place = value.to_be_bytes();
        }
    }

    /// The bytes, unless a box outgrew its 32-bit size.
    pub(super) fn finish(self) -> Result<Vec<u8>, Error> {
        if self.too_large {
            return Err(too_large("the size of the movie box", self.out.len() as u64));
        }
        Ok(self.out)
    }
}

/// Version of a box whose values have 32 bits in version 0 and 64 in version 1.
pub(super) fn version_for(values: &[u64]) -> u8 {
    u8::from(values.iter().any(|&value| value > u64::from(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_more_than_32_bits_need_version_1() {
        assert_eq!(version_for(&[0, u32::MAX.into()]), 0);
        assert_eq!(version_for(&[0, 1 << 32]), 1);
        let mut writer = BoxWriter::default();
        writer.sized(0, 7);
        writer.sized(1, 7);
        writer.u32s(&[1, 0x0203_0405]);
        let want = [&[0, 0, 0, 7][..], &[0, 0, 0, 0, 0, 0, 0, 7], &[0, 0, 0, 1, 2, 3, 4, 5]].concat();
        assert_eq!(writer.finish().unwrap(), want);
    }

    #[test]
    fn boxes_nest() {
        let mut writer = BoxWriter::default();
        writer.write_box(b"edts", |w| w.write_full_box(b"elst", 1, 7, |w| w.u16(0xABCD)));
        let want = [&[0, 0, 0, 22][..], b"edts", &[0, 0, 0, 14], b"elst", &[1, 0, 0, 7, 0xAB, 0xCD]].concat();
        assert_eq!(writer.finish().unwrap(), want);
    }
}
