//! [`Writer`] and [`Reader`]: numbers and bytes, one after the other.

use std::fmt::Display;

use crate::error::{Error, ErrorKind};

/// Bytes that are being written.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn number(&mut self, mut value: u64) {
        while value > 0x7F {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub(super) fn signed(&mut self, value: i64) {
        self.number(zigzag(value));
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.raw(bytes);
    }

    pub(super) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.byte(value.is_some().into());
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// 0, -1, 1, -2, ... as 0, 1, 2, 3, ...
pub(super) fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

pub(super) fn unzigzag(code: u64) -> i64 {
    (code >> 1) as i64 ^ ((code & 1) as i64).wrapping_neg()
}

/// Bytes that are being read, which only get fewer.
#[derive(Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (array, rest) = self.0.split_first_chunk().ok_or_else(|| self.ended())?;
        self.0 = rest;
        Ok(*array)
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, Error> {
        let (&byte, rest) = self.0.split_first().ok_or_else(|| self.ended())?;
        self.0 = rest;
        Ok(byte)
    }

    #[inline]
    pub(super) fn number(&mut self) -> Result<u64, Error> {
        match self.0 {
            [byte @ ..=0x7F, rest @ ..] => {
                self.0 = rest;
                Ok((*byte).into())
            }
            [low, high @ ..=0x7F, rest @ ..] => {
                self.0 = rest;
                Ok(u64::from(low & 0x7F) | u64::from(*high) << 7)
            }
            _ => self.long_number(),
        }
    }

    fn long_number(&mut self) -> Result<u64, Error> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7F);
            if bits.leading_zeros() < shift {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.damaged("a number of at most 64 bits", "a longer one"))
    }

    pub(super) fn signed(&mut self) -> Result<i64, Error> {
        self.number().map(unzigzag)
    }

    /// A number of 32 bits.
    #[inline]
    pub(super) fn small(&mut self) -> Result<u32, Error> {
        let value = self.number()?;
        u32::try_from(value).map_err(|_| self.damaged("a number of at most 32 bits", value))
    }

    /// The number of things that follow, each of which takes at least one byte.
    pub(super) fn count(&mut self) -> Result<usize, Error> {
        let count = self.number()?;
        match usize::try_from(count) {
            Ok(count) if count <= self.0.len() => Ok(count),
            _ => Err(self.damaged("a count of what is left", count)),
        }
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let len = self.count()?;
        let (bytes, rest) = self.0.split_at_checked(len).ok_or_else(|| self.ended())?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Error> {
        str::from_utf8(self.bytes()?).map_err(|_| self.damaged("text in UTF-8", "other bytes"))
    }

    pub(super) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match self.byte()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            other => Err(self.damaged("0 or 1 before an option", other)),
        }
    }

    pub(super) fn end(&self) -> Result<(), Error> {
        match self.0.len() {
            0 => Ok(()),
            left => Err(self.damaged("the end of the index", format_args!("{left} bytes more"))),
        }
    }

    #[cold]
    pub(super) fn damaged(&self, expected: &'static str, found: impl Display) -> Error {
        ErrorKind::DamagedIndex { expected, found: found.to_string() }.into()
    }

    #[cold]
    fn ended(&self) -> Error {
        self.damaged("more bytes", "the end")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_size() {
        let values = (0..64).flat_map(|bits| [(1_u64 << bits) - 1, 1 << bits, u64::MAX >> bits]);
        for value in values {
            let mut w = Writer::default();
            w.number(value);
            w.signed(value as i64);
            let bytes = w.finish();
            let mut r = Reader::new(&bytes);
            assert_eq!((r.number().unwrap(), r.signed().unwrap()), (value, value as i64));
            r.end().unwrap();
        }
        assert_eq!([0, -1, 1, -2, 2].map(zigzag), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn too_long_and_too_short() {
        assert!(Reader::new(&[0xFF; 11]).number().is_err());
        assert!(Reader::new(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2]).number().is_err());
        assert!(Reader::new(&[0x80]).number().is_err());
        assert!(Reader::new(&[3, 1, 2]).bytes().is_err(), "a count beyond the end");
        assert!(Reader::new(&[2]).option(Reader::number).is_err());
        assert!(Reader::new(&[0]).end().is_err());
    }
}
