//! Bits of a header, most significant first, as H.264, H.265 and MPEG-4 Audio write them.

/// Reads bits from a byte slice. Past the end every read gives `None`.
#[derive(Debug, Clone)]
pub(crate) struct BitReader<'a> {
    data: &'a [u8],
    /// Bits read so far.
    position: usize,
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self { data, position: 0 }
    }

    /// One bit: u(1).
    pub(crate) fn flag(&mut self) -> Option<bool> {
        let byte = *self.data.get(self.position / 8)?;
        // The shift of a byte wraps at 8, so it takes the low three bits of the position.
        let mask = 0x80_u8.wrapping_shr(self.position as u32);
        self.position = self.position.checked_add(1)?;
        Some(byte & mask != 0)
    }

    /// `count` bits, at most 32: u(n).
    pub(crate) fn bits(&mut self, count: u32) -> Option<u32> {
        debug_assert!(count <= 32);
        let mut value = 0;
        for _ in 0..count {
            value = value << 1 | u32::from(self.flag()?);
        }
        Some(value)
    }

    /// At most 8 bits, as a byte.
    pub(crate) fn byte(&mut self, count: u32) -> Option<u8> {
        u8::try_from(self.bits(count)?).ok()
    }

    /// An unsigned Exp-Golomb code: ue(v), H.264 and H.265 clause 9.
    pub(crate) fn ue(&mut self) -> Option<u32> {
        let mut zeros = 0_u32;
        while !self.flag()? {
            zeros = zeros.checked_add(1)?;
        }
        let base = 1_u32.checked_shl(zeros)?.checked_sub(1)?;
        base.checked_add(self.bits(zeros)?)
    }

    /// A signed Exp-Golomb code: se(v), clause 9.1.1 of H.264.
    pub(crate) fn se(&mut self) -> Option<i32> {
        let code = self.ue()?;
        let magnitude = i32::try_from(code.div_ceil(2)).ok()?;
        Some(if code.is_multiple_of(2) { magnitude.saturating_neg() } else { magnitude })
    }

    pub(crate) fn skip(&mut self, count: usize) -> Option<()> {
        let position = self.position.checked_add(count)?;
        (position <= self.len()).then(|| self.position = position)
    }

    /// Skips to the next byte boundary, counted from the start of the slice.
    pub(crate) fn align(&mut self) {
        // A position inside a slice is far from the largest number.
        self.position = self.position.next_multiple_of(8);
    }

    fn len(&self) -> usize {
        self.data.len().saturating_mul(8)
    }
}

/// The raw byte sequence payload of a NAL unit: without its header of `header_len` bytes, and without the
/// emulation prevention bytes (the 03 of 00 00 03), H.264 clause 7.3.1 and H.265 clause 7.3.1.1.
pub(crate) fn rbsp(nal: &[u8], header_len: usize) -> Vec<u8> {
    let payload = nal.get(header_len..).unwrap_or_default();
    let mut rbsp = Vec::with_capacity(payload.len());
    let mut zeros = 0_u8;
    for &byte in payload {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros.saturating_add(1) } else { 0 };
        rbsp.push(byte);
    }
    rbsp
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_cross_bytes() {
        let mut reader = BitReader::new(&[0b1010_0000, 0b0000_0011, 0xff]);
        assert_eq!(reader.flag(), Some(true));
        assert_eq!(reader.bits(3), Some(0b010));
        assert_eq!(reader.bits(12), Some(3));
        assert_eq!(reader.byte(8), Some(0xff));
        assert_eq!(reader.flag(), None);
        assert_eq!(reader.bits(0), Some(0));
        assert_eq!(BitReader::new(&[0xff; 4]).bits(32), Some(u32::MAX));
    }

    /// H.264 table 9-2.
    #[test]
    fn exp_golomb() {
        for (byte, value) in [(0b1000_0000, 0), (0b0100_0000, 1), (0b0110_0000, 2), (0b0010_0000, 3)] {
            assert_eq!(BitReader::new(&[byte]).ue(), Some(value));
        }
        let largest = [0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(BitReader::new(&largest).ue(), Some(u32::MAX - 1));
        assert_eq!(BitReader::new(&[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff]).ue(), None);
        assert_eq!(BitReader::new(&[0]).ue(), None);
    }

    /// H.264 table 9-3.
    #[test]
    fn signed_exp_golomb() {
        for (byte, value) in [
            (0b1000_0000, 0),
            (0b0100_0000, 1),
            (0b0110_0000, -1),
            (0b0010_0000, 2),
            (0b0010_1000, -2),
            (0b0011_0000, 3),
        ] {
            assert_eq!(BitReader::new(&[byte]).se(), Some(value));
        }
        let largest = [0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(BitReader::new(&largest).se(), Some(-i32::MAX));
    }

    #[test]
    fn skip_and_align_stay_inside() {
        let mut reader = BitReader::new(&[0, 0x80]);
        assert_eq!(reader.skip(3), Some(()));
        reader.align();
        reader.align();
        assert_eq!(reader.flag(), Some(true), "aligned twice is aligned once");
        assert_eq!(reader.skip(8), None);
        assert_eq!(reader.skip(usize::MAX), None);
        assert_eq!(reader.skip(7), Some(()));
        assert_eq!(reader.flag(), None);
    }

    #[test]
    fn emulation_prevention() {
        assert_eq!(rbsp(&[0x67, 1, 0, 0, 3, 1, 0, 0, 3, 0, 0, 3], 1), [1, 0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(rbsp(&[0x42, 1, 0, 3, 0, 0, 0, 3], 2), [0, 3, 0, 0, 0]);
        assert_eq!(rbsp(&[0x67], 1), []);
        assert_eq!(rbsp(&[], 2), []);
    }
}
