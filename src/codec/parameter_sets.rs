//! Parameter sets as codec private data holds them: in length-prefixed lists, or between start codes.

use crate::annexb::{self, without_trailing_zeros};
use crate::error::Error;

/// NAL units of one type, each one once, in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ParameterSets(Vec<Box<[u8]>>);

impl ParameterSets {
    /// Adds a NAL unit, unless it is there already. `limit` is the largest count that the record can say.
    pub(crate) fn add(&mut self, nal: &[u8], limit: usize) -> Result<(), Error> {
        let nal = without_trailing_zeros(nal);
        if self.holds(nal) {
            return Ok(());
        }
        if self.0.len() >= limit {
            return Err(Error::codec_private(format!(
                "expected at most {limit} parameter sets of one type, found more"
            )));
        }
        if nal.len() > usize::from(u16::MAX) {
            return Err(Error::codec_private(format!(
                "expected a parameter set of at most 65535 bytes, found {}",
                nal.len()
            )));
        }
        self.0.push(nal.into());
        Ok(())
    }

    /// Whether this very NAL unit is among them.
    pub(crate) fn holds(&self, nal: &[u8]) -> bool {
        let nal = without_trailing_zeros(nal);
        self.0.iter().any(|held| **held == *nal)
    }

    pub(crate) fn first(&self) -> Option<&[u8]> {
        self.0.first().map(|nal| &**nal)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Writes each NAL unit behind its length of 16 bits, as both configuration records have it.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        for nal in &self.0 {
            // `add` let none in whose length does not fit.
            out.extend_from_slice(&(nal.len() as u16).to_be_bytes());
            out.extend_from_slice(nal);
        }
    }
}

/// The NAL units of a byte stream.
pub(crate) fn annex_b_nals(stream: &[u8]) -> Vec<&[u8]> {
    let mut nals = Vec::new();
    annexb::split(stream, |_, nal| nals.push(nal));
    nals
}

/// Takes the next `N` bytes off a configuration record; `what` names them in the error.
pub(crate) fn take<const N: usize>(record: &mut &[u8], what: &str) -> Result<[u8; N], Error> {
    let (bytes, rest) = record.split_first_chunk().ok_or_else(|| {
        Error::codec_private(format!("expected {what} of {N} bytes, found the end after {}", record.len()))
    })?;
    *record = rest;
    Ok(*bytes)
}

/// Takes a NAL unit off a configuration record, behind its length of 16 bits.
pub(crate) fn take_nal<'a>(record: &mut &'a [u8], what: &str) -> Result<&'a [u8], Error> {
    let len = usize::from(u16::from_be_bytes(take(record, what)?));
    let left = record.len();
    record.split_off(..len).ok_or_else(|| {
        Error::codec_private(format!("expected {what} of {len} bytes, found the end after {left}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_set_once_and_without_trailing_zeros() {
        let mut sets = ParameterSets::default();
        for nal in [&[0x68, 1][..], &[0x68, 2], &[0x68, 1, 0, 0]] {
            sets.add(nal, 2).unwrap();
        }
        assert!(sets.holds(&[0x68, 2, 0]));
        assert!(!sets.holds(&[0x68]));
        assert_eq!(sets.first(), Some(&[0x68, 1][..]));
        let mut out = Vec::new();
        sets.write(&mut out);
        assert_eq!(out, [0, 2, 0x68, 1, 0, 2, 0x68, 2]);
        assert!(sets.add(&[0x68, 3], 2).unwrap_err().to_string().contains("at most 2"));
        assert!(sets.add(&[0x68, 1], 2).is_ok(), "one that is there already adds nothing");
        assert!(sets.add(&[1; 65_536], 9).unwrap_err().to_string().contains("found 65536"));
        assert!(sets.add(&[1; 65_535], 9).is_ok());
    }

    #[test]
    fn byte_stream() {
        let stream = [9, 0, 0, 0, 1, 0x67, 0, 0, 3, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0x68, 5, 0];
        assert_eq!(annex_b_nals(&stream), [&[0x67, 0, 0, 3, 1][..], &[], &[0x68, 5]]);
        assert!(annex_b_nals(&[0, 0]).is_empty());
    }

    #[test]
    fn the_end_of_a_record() {
        let mut record = &[0, 3, 1, 2][..];
        let error = take_nal(&mut record, "an SPS").unwrap_err();
        let reason = "expected an SPS of 3 bytes, found the end after 2";
        assert_eq!(error, Error::codec_private(reason));
        assert_eq!(take(&mut record, "a pair").unwrap(), [1, 2]);
        assert!(take::<1>(&mut record, "a byte").is_err());
    }
}
