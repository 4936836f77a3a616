//! What the descriptions of the fuzz targets are made of: numbers below a bound, values that are rarely there, so many of
//! a kind. When a fuzzer's bytes run out, each is the least it can be.

use arbitrary::{Arbitrary, Result, Unstructured};

/// One of `0..BOUND`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Below<const BOUND: u8>(pub u8);

impl<'a, const BOUND: u8> Arbitrary<'a> for Below<BOUND> {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        bytes.int_in_range(0..=BOUND - 1).map(Self)
    }
}

impl<const BOUND: u8> Below<BOUND> {
    pub fn size(self) -> usize {
        self.0.into()
    }

    pub fn long(self) -> u64 {
        self.0.into()
    }
}

/// A value that is there once in so many times.
#[derive(Debug, Clone)]
pub struct Rarely<const ONCE_IN: u8, T = ()>(pub Option<T>);

impl<const ONCE_IN: u8, T> Rarely<ONCE_IN, T> {
    pub fn is_so(&self) -> bool {
        self.0.is_some()
    }
}

impl<'a, const ONCE_IN: u8, T: Arbitrary<'a>> Arbitrary<'a> for Rarely<ONCE_IN, T> {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let usual = bytes.ratio(ONCE_IN - 1, ONCE_IN)?;
        Ok(Self(if usual { None } else { Some(bytes.arbitrary()?) }))
    }
}

/// At most so many values.
#[derive(Debug, Clone)]
pub struct UpTo<const MOST: u8, T>(pub Vec<T>);

impl<'a, const MOST: u8, T: Arbitrary<'a>> Arbitrary<'a> for UpTo<MOST, T> {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let count = bytes.int_in_range(0..=MOST)?;
        (0..count).map(|_| bytes.arbitrary()).collect::<Result<_>>().map(Self)
    }
}

/// As many values as the bytes hold. A `Vec` would toss a coin for each, and end with the first tail.
#[derive(Debug, Clone)]
pub struct AllThatFollow<T>(pub Vec<T>);

impl<'a, T: Arbitrary<'a>> Arbitrary<'a> for AllThatFollow<T> {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let mut values = Vec::new();
        while !bytes.is_empty() {
            values.push(bytes.arbitrary()?);
        }
        Ok(Self(values))
    }
}

/// At most so many bytes that the fuzzer chooses.
#[derive(Debug, Clone)]
pub struct Bytes<const MOST: u8>(pub Vec<u8>);

impl<'a, const MOST: u8> Arbitrary<'a> for Bytes<MOST> {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let len = usize::from(bytes.int_in_range(0..=MOST)?).min(bytes.len());
        bytes.bytes(len).map(|bytes| Self(bytes.to_vec()))
    }
}

/// One of these values, for fields of a type that says nothing by itself.
pub fn one_of<T: Copy>(values: &'static [T]) -> impl Fn(&mut Unstructured<'_>) -> Result<T> {
    |bytes| bytes.choose(values).copied()
}
