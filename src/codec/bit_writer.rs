//! Writes syntax elements, for tests.

/// Bits in the order in which they were written.
#[derive(Default)]
pub(super) struct BitWriter(Vec<bool>);

impl BitWriter {
    pub(super) fn u(&mut self, count: u32, value: u32) -> &mut Self {
        self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
        self
    }

    pub(super) fn ue(&mut self, values: &[u32]) -> &mut Self {
        for value in values {
            let len = (value + 1).ilog2();
            self.u(len, 0).u(len + 1, value + 1);
        }
        self
    }

    pub(super) fn se(&mut self, values: &[i32]) -> &mut Self {
        for value in values {
            self.ue(&[value.unsigned_abs() * 2 - u32::from(*value > 0)]);
        }
        self
    }

    /// The NAL unit with that header: stop bit and emulation prevention added.
    pub(super) fn nal(&mut self, header: &[u8]) -> Vec<u8> {
        self.u(1, 1);
        let mut nal = header.to_vec();
        for bits in self.0.chunks(8) {
            let byte = bits.iter().zip(0..).fold(0, |byte, (&bit, i)| byte | u8::from(bit) << (7 - i));
            if nal.ends_with(&[0, 0]) && byte <= 3 {
                nal.push(3);
            }
            nal.push(byte);
        }
        nal
    }
}
