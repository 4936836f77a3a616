//! Parameter sets as codec private data holds them: in length-prefixed lists, or between start codes.

use std::collections::BTreeSet;

use super::VideoCodec;
use super::parameter_set_id::ParameterSetId;
use crate::annexb::{self, without_trailing_zeros};
use crate::error::Error;

/// NAL units of one type in the order in which they came, none of them twice.
///
/// Of those with the same number the last one is in force.
#[derive(Debug, Clone, Default)]
pub(crate) struct ParameterSets(Vec<ParameterSet>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct ParameterSet {
    /// `None` where it cannot be read, and for NAL units that are no parameter sets.
    id: Option<ParameterSetId>,
    nal: Box<[u8]>,
}

impl ParameterSets {
    /// Adds a NAL unit, and puts it in force. `limit` is the largest count that the record can hold.
    pub(crate) fn add(&mut self, codec: VideoCodec, nal: &[u8], limit: usize) -> Result<(), Error> {
        let nal = without_trailing_zeros(nal);
        if let Some(position) = self.0.iter().position(|held| *held.nal == *nal) {
            let (_, later) = self.0.split_at(position);
            let id = later.first().and_then(|held| held.id);
            // One that was replaced replaces the other in its turn.
            if id.is_some() && later.iter().skip(1).any(|held| held.id == id) {
                let again = self.0.remove(position);
                self.0.push(again);
            }
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
        self.0.push(ParameterSet { id: ParameterSetId::read(codec, nal), nal: nal.into() });
        Ok(())
    }

    /// The parameter set of that number which a decoder uses: the last one.
    pub(crate) fn in_force(&self, id: ParameterSetId) -> Option<&[u8]> {
        self.0.iter().rev().find(|held| held.id == Some(id)).map(|held| &*held.nal)
    }

    /// Whether this very NAL unit is among them.
    pub(crate) fn holds(&self, nal: &[u8]) -> bool {
        let nal = without_trailing_zeros(nal);
        self.0.iter().any(|held| *held.nal == *nal)
    }

    /// Whether a decoder would see no difference: the same NAL units in force, those without a number in the same order.
    pub(crate) fn decode_like(&self, other: &Self) -> bool {
        let all_in_force = |these: &Self, those: &Self| {
            these.0.iter().filter_map(|held| held.id).all(|id| these.in_force(id) == those.in_force(id))
        };
        let without_number = |sets: &'_ Self| {
            sets.0.iter().filter(|held| held.id.is_none()).map(|held| held.nal.clone()).collect::<Vec<_>>()
        };
        all_in_force(self, other)
            && all_in_force(other, self)
            && without_number(self) == without_number(other)
    }

    /// The one in force under the number of the first.
    pub(crate) fn first(&self) -> Option<&[u8]> {
        let first = self.0.first()?;
        first.id.and_then(|id| self.in_force(id)).or(Some(&first.nal))
    }

    /// All of them, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|held| &*held.nal)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Writes each NAL unit after its length of 16 bits, as both configuration records have it.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        for ParameterSet { nal, .. } in &self.0 {
            // `add` let none in whose length does not fit.
            out.extend_from_slice(&(nal.len() as u16).to_be_bytes());
            out.extend_from_slice(nal);
        }
    }
}

/// Of the parameter sets of one access unit those that are in force after it: the last of each number, and all without a
/// number. Their order is reversed.
pub(crate) fn last_of_each<'a>(
    codec: VideoCodec,
    sets: impl DoubleEndedIterator<Item = &'a [u8]>,
) -> impl Iterator<Item = (Option<ParameterSetId>, &'a [u8])> {
    let mut seen = BTreeSet::new();
    sets.rev()
        .map(move |nal| (ParameterSetId::read(codec, nal), without_trailing_zeros(nal)))
        .filter(move |&(id, _)| id.is_none_or(|id| seen.insert(id)))
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
    use super::super::parameter_set_id::ParameterSetKind;
    use super::*;

    fn sets(nals: &[&[u8]]) -> ParameterSets {
        let mut sets = ParameterSets::default();
        nals.iter().for_each(|nal| sets.add(VideoCodec::H264, nal, 255).unwrap());
        sets
    }

    // PPS of H.264, table 9-2: 1 is number 0, 010 is number 1; the rest makes them different.
    const A0: &[u8] = &[0x68, 0b1000_0001];
    const B0: &[u8] = &[0x68, 0b1000_0011];
    const A1: &[u8] = &[0x68, 0b0100_0001];
    const ZERO: ParameterSetId = ParameterSetId { kind: ParameterSetKind::Picture, layer: 0, number: 0 };
    const ONE: ParameterSetId = ParameterSetId { number: 1, ..ZERO };

    #[test]
    fn each_set_once_and_without_trailing_zeros() {
        let mut two = ParameterSets::default();
        for nal in [A0, A1, &[0x68, 0b1000_0001, 0, 0]] {
            two.add(VideoCodec::H264, nal, 2).unwrap();
        }
        assert!(two.holds(&[0x68, 0b0100_0001, 0]));
        assert!(!two.holds(&[0x68]));
        assert_eq!(two.first(), Some(A0));
        let mut out = Vec::new();
        two.write(&mut out);
        assert_eq!(out, [0, 2, 0x68, 0x81, 0, 2, 0x68, 0x41]);
        let mut add = |nal: &[u8], limit| two.add(VideoCodec::H264, nal, limit);
        assert!(add(B0, 2).unwrap_err().to_string().contains("at most 2"));
        assert!(add(A0, 2).is_ok(), "one that is there already adds nothing");
        assert!(add(&[1; 65_536], 9).unwrap_err().to_string().contains("found 65536"));
        assert!(add(&[1; 65_535], 9).is_ok());
    }

    #[test]
    fn the_last_of_a_number_is_in_force() {
        let both = sets(&[A0, B0, A1]);
        assert_eq!((both.in_force(ZERO), both.in_force(ONE)), (Some(B0), Some(A1)));
        assert_eq!(both.first(), Some(B0), "of the first number");
        assert_eq!(both.iter().collect::<Vec<_>>(), [A0, B0, A1]);
        let again = sets(&[A0, B0, A1, A0]);
        assert_eq!(again.in_force(ZERO), Some(A0));
        assert_eq!(again.len(), 3);
        assert_eq!(sets(&[A0]).in_force(ONE), None);
    }

    #[test]
    fn what_is_in_force_decodes_alike() {
        assert!(sets(&[A0, B0]).decode_like(&sets(&[B0])));
        assert!(sets(&[A1, A0]).decode_like(&sets(&[A0, A1])));
        assert!(!sets(&[A0, B0]).decode_like(&sets(&[A0])));
        assert!(!sets(&[A0, A1]).decode_like(&sets(&[A0])));
        assert!(!sets(&[A0]).decode_like(&sets(&[A0, A1])));
        // Number 256 does not exist: such a set has none.
        let (unread, other) = (&[0x68, 0, 0x80, 0x80, 0x80][..], &[0x68, 0, 0x80, 0x80, 0x81][..]);
        assert!(sets(&[A0, unread]).decode_like(&sets(&[unread, A0])));
        assert!(!sets(&[A0, unread]).decode_like(&sets(&[A0, other])));
    }

    #[test]
    fn the_last_of_each_number() {
        let nals = [A0, A1, B0, &[0x09, 0xF0]];
        let last: Vec<_> = last_of_each(VideoCodec::H264, nals.into_iter()).collect();
        assert_eq!(last, [(None, &[0x09, 0xF0][..]), (Some(ZERO), B0), (Some(ONE), A1)]);
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
