//! [`StoredFragment`]: a fragment as described by the key of its object.

use std::cmp::Ordering;

use getclip::{ClipFragmentSelectorType, FragmentIndex, FragmentNumber, Timestamp};
use object_store::ObjectMeta;
use object_store::path::Path;

use crate::Error;
use crate::fragment::padded;
use crate::layout::{Bucket, Shelf, digits};
use crate::store::Expected;

/// Name of the object of a fragment, with everything that a listing must return.
///
/// `{producer ms}-{number}-{server ms}-{length ms}-{document bytes}-{index version}-{index bytes}`, with `-r` appended if
/// the media is in a recording elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FragmentKey {
    pub(crate) producer_ms: i64,
    pub(crate) number: FragmentNumber,
    pub(crate) server_ms: i64,
    pub(crate) length_ms: u64,
    pub(crate) document_len: u64,
    pub(crate) index_version: u8,
    pub(crate) index_len: u64,
    pub(crate) is_reference: bool,
}

impl FragmentKey {
    /// The last millisecond that fits into 14 digits, in the year 5138.
    const LAST_MS: i64 = 99_999_999_999_999;
    /// The largest value of 10 digits.
    const MAX_LEN: u64 = 9_999_999_999;

    /// Checks that every part fits into its width.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let out_of_range =
            |what, found: i128| Error::OutOfRange { fragment: self.number.to_string(), what, found };
        let ms = 0..=Self::LAST_MS;
        if self.number.as_str().len() > 47 {
            return Err(Error::NumberTooLong { number: self.number.clone() });
        }
        if !ms.contains(&self.producer_ms) {
            return Err(out_of_range("producer timestamp in milliseconds", self.producer_ms.into()));
        }
        if !ms.contains(&self.server_ms) {
            return Err(out_of_range("server timestamp in milliseconds", self.server_ms.into()));
        }
        for (what, found) in [
            ("length in milliseconds", self.length_ms),
            ("document size in bytes", self.document_len),
            ("index size in bytes", self.index_len),
        ] {
            if found > Self::MAX_LEN {
                return Err(out_of_range(what, found.into()));
            }
        }
        Ok(())
    }

    pub(crate) fn name(&self) -> String {
        format!(
            "{:014}-{}-{:014}-{:010}-{:010}-{:03}-{:010}{}",
            self.producer_ms,
            padded(&self.number),
            self.server_ms,
            self.length_ms,
            self.document_len,
            self.index_version,
            self.index_len,
            if self.is_reference { "-r" } else { "" },
        )
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        let fields: Vec<&str> = name.split('-').collect();
        let (fields, is_reference) = match fields.split_last()? {
            (&"r", rest) => (rest, true),
            _ => (&fields[..], false),
        };
        let &[producer_ms, number, server_ms, length_ms, document_len, index_version, index_len] = fields
        else {
            return None;
        };
        digits::<u128>(number.get(..30)?, 30)?;
        digits::<u128>(number.get(30..)?, 17)?;
        Some(Self {
            producer_ms: digits(producer_ms, 14)?,
            number: number.parse().ok()?,
            server_ms: digits(server_ms, 14)?,
            length_ms: digits(length_ms, 10)?,
            document_len: digits(document_len, 10)?,
            index_version: digits(index_version, 3)?,
            index_len: digits(index_len, 10)?,
            is_reference,
        })
    }

    pub(crate) fn path(&self, shelf: &Shelf) -> Path {
        shelf.bucket(Bucket::of(self.producer_ms)).join(self.name())
    }

    /// Size of the object, if it has the media.
    pub(crate) fn object_len(&self) -> Option<u64> {
        (!self.is_reference).then_some(self.index_len + self.document_len)
    }
}

/// A fragment of a stream, as found in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StoredFragment {
    pub(crate) key: FragmentKey,
    pub(crate) object_len: u64,
    pub(crate) e_tag: Option<Box<str>>,
}

impl StoredFragment {
    /// The fragment in a listed object, or `None` if the object is something else.
    pub(crate) fn listed(meta: &ObjectMeta) -> Option<Self> {
        let key = FragmentKey::parse(meta.location.filename()?)?;
        Some(Self { key, object_len: meta.size, e_tag: meta.e_tag.as_deref().map(Box::from) })
    }

    /// `FragmentNumber`.
    pub fn number(&self) -> &FragmentNumber {
        &self.key.number
    }

    /// `ProducerTimestamp`: when the fragment starts, by the producer's clock.
    pub fn producer_timestamp(&self) -> Timestamp {
        Timestamp::from_millis(self.key.producer_ms)
    }

    /// `ServerTimestamp`: when it was received.
    pub fn server_timestamp(&self) -> Timestamp {
        Timestamp::from_millis(self.key.server_ms)
    }

    /// `FragmentLengthInMilliseconds`.
    pub fn length_ms(&self) -> u64 {
        self.key.length_ms
    }

    /// `FragmentSizeInBytes`: size of the fragment as a document of its own.
    pub fn document_len(&self) -> u64 {
        self.key.document_len
    }

    /// Whether its media is in a recording elsewhere.
    pub fn is_reference(&self) -> bool {
        self.key.is_reference
    }

    /// Start of the fragment by a clock.
    pub(crate) fn time(&self, clock: ClipFragmentSelectorType) -> Timestamp {
        match clock {
            ClipFragmentSelectorType::ProducerTimestamp => self.producer_timestamp(),
            ClipFragmentSelectorType::ServerTimestamp => self.server_timestamp(),
        }
    }

    pub(crate) fn path(&self, shelf: &Shelf) -> Path {
        self.key.path(shelf)
    }

    /// Number of bytes of the object that planning a clip needs.
    pub(crate) fn head_len(&self) -> u64 {
        if self.is_reference() { self.object_len } else { self.key.index_len }
    }

    pub(crate) fn expected(&self) -> Expected {
        Expected { size: Some(self.object_len), e_tag: self.e_tag.clone(), modified_ns: None }
    }

    /// Order of objects with one number, of which the greatest counts: the newest index that this program can read, then
    /// the object that has the media, then any, but always the same.
    pub(crate) fn precedence(&self, other: &Self) -> Ordering {
        let rank = |fragment: &Self| {
            let version = Some(fragment.key.index_version).filter(|_| !fragment.is_of_later_program());
            (version, !fragment.key.is_reference)
        };
        rank(self).cmp(&rank(other)).then_with(|| self.key.name().cmp(&other.key.name()))
    }

    /// Whether its index has a version that only a later program can read.
    pub(crate) fn is_of_later_program(&self) -> bool {
        self.key.index_version > FragmentIndex::VERSION
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> FragmentKey {
        FragmentKey {
            producer_ms: 1_700_000_400_123,
            number: "91343852333181432392682062607743920146264094900".parse().unwrap(),
            server_ms: 1_700_000_402_456,
            length_ms: 2002,
            document_len: 476_123,
            index_version: 1,
            index_len: 376,
            is_reference: false,
        }
    }

    #[test]
    fn names_are_digits_of_fixed_width() {
        let name = "01700000400123-91343852333181432392682062607743920146264094900-01700000402456-0000002002-\
                    0000476123-001-0000000376";
        assert_eq!(key().name(), name);
        assert_eq!(FragmentKey::parse(name), Some(key()));
        let reference = FragmentKey { is_reference: true, number: "7".parse().unwrap(), ..key() };
        assert_eq!(FragmentKey::parse(&reference.name()), Some(reference.clone()));
        assert_eq!(reference.name().len(), name.len() + 2);
        let shelf = Shelf::new(&"s".parse().unwrap(), 5);
        assert_eq!(key().path(&shelf).as_ref(), format!("streams/s/00000000000005/f/01700000400/{name}"));
    }

    #[test]
    fn other_names_are_no_fragments() {
        let name = key().name();
        for wrong in [
            "",
            "-r",
            &name[1..],
            &name[..name.len() - 1],
            &format!("{name}-x"),
            &format!("{name}-r-r"),
            &format!("+{}", &name[1..]),
            &name.replace("9134", "-134"),
            &name.replace("9134", "a134"),
            &name.replace('-', "_"),
            &"é".repeat(47),
        ] {
            assert_eq!(FragmentKey::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(key().check().is_ok());
        let last = FragmentKey { producer_ms: FragmentKey::LAST_MS, ..key() };
        assert!(last.check().is_ok());
        assert_eq!(FragmentKey::parse(&last.name()), Some(last.clone()));
        for wrong in [
            FragmentKey { producer_ms: FragmentKey::LAST_MS + 1, ..key() },
            FragmentKey { producer_ms: -1, ..key() },
            FragmentKey { server_ms: -1, ..key() },
            FragmentKey { document_len: 10_000_000_000, ..key() },
        ] {
            assert!(matches!(wrong.check(), Err(Error::OutOfRange { .. })), "{wrong:?}");
        }
        let long = FragmentKey { number: "1".repeat(48).parse().unwrap(), ..key() };
        assert!(matches!(long.check(), Err(Error::NumberTooLong { .. })));
    }

    #[test]
    fn what_can_be_read_counts_then_the_media() {
        let stored = |key| StoredFragment { key, object_len: 0, e_tag: None };
        let version = FragmentIndex::VERSION;
        let ours = stored(FragmentKey { index_version: version, ..key() });
        let reference = stored(FragmentKey { index_version: version, is_reference: true, ..key() });
        let later = stored(FragmentKey { index_version: version + 1, ..key() });
        assert_eq!(ours.precedence(&later), Ordering::Greater);
        assert_eq!(reference.precedence(&later), Ordering::Greater);
        assert_eq!(ours.precedence(&reference), Ordering::Greater);
        assert_eq!(ours.precedence(&ours), Ordering::Equal);
    }
}
