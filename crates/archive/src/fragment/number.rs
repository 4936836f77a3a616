//! Fragment numbers of this archive: 47 digits that begin with the time.

use getclip::FragmentNumber;

/// A number in 47 digits.
pub(crate) fn padded(number: &FragmentNumber) -> String {
    format!("{:0>47}", number.as_str())
}

/// Parts of one of our numbers: a digit for its source, 14 digits of milliseconds since 1970, and 32 digits that are
/// unique in that millisecond.
///
/// Numbers of the service begin with 9. A number that reads as ours may still be another service's, so a fragment whose
/// server time is not the time in its number has an entry in `n/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NumberParts {
    pub(crate) source: NumberSource,
    pub(crate) ms: i64,
    pub(crate) rest: u128,
}

/// Source of a number. By its digit, an import sorts before what was sent live at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberSource {
    /// An import of a fragment without a number.
    Content = 1,
    /// [`Numbering`](crate::Numbering).
    Session = 2,
}

impl NumberParts {
    const REST: u128 = 10_u128.pow(32);
    const HASH: u128 = 10_u128.pow(22);

    pub(crate) fn number(self) -> FragmentNumber {
        let ms = self.ms.clamp(0, 99_999_999_999_999);
        let digits = format!("{}{ms:014}{:032}", self.source as u8, self.rest % Self::REST);
        match digits.parse() {
            Ok(number) => number,
            Err(_) => unreachable!("47 digits are a fragment number"),
        }
    }

    /// Number for a fragment without one: the time of its start, its length, and a hash of its bytes. If a recording has
    /// grown since it was imported, the longer last fragment has the larger number, and clips take that one.
    pub(crate) fn of_content(producer_ms: i64, media_len: u64, sha256: [u8; 32]) -> Self {
        let mut high = [0; 16];
        high.copy_from_slice(&sha256[..16]);
        let hash = u128::from_be_bytes(high) % Self::HASH;
        let rest = u128::from(media_len) % (Self::REST / Self::HASH) * Self::HASH + hash;
        Self { source: NumberSource::Content, ms: producer_ms, rest }
    }

    pub(crate) fn parse(number: &FragmentNumber) -> Option<Self> {
        let digits = number.as_str();
        let source = match digits.as_bytes().first()? {
            b'1' => NumberSource::Content,
            b'2' => NumberSource::Session,
            _ => return None,
        };
        if digits.len() != 47 {
            return None;
        }
        Some(Self { source, ms: digits[1..15].parse().ok()?, rest: digits[15..].parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_tell_their_time_and_rise_with_it() {
        let parts = NumberParts { source: NumberSource::Session, ms: 1_700_000_000_123, rest: 42 };
        let number = parts.number();
        assert_eq!(number.as_str(), "20170000000012300000000000000000000000000000042");
        assert_eq!(NumberParts::parse(&number), Some(parts));
        let later = NumberParts { ms: 1_700_000_000_124, rest: 0, ..parts }.number();
        assert!(later > number);
    }

    #[test]
    fn numbers_of_others_are_not_ours() {
        for other in ["91343852333181432392682062607743920146264094900", "1", &"1".repeat(48), "0"] {
            assert_eq!(NumberParts::parse(&other.parse().unwrap()), None, "{other}");
        }
    }

    #[test]
    fn of_one_time_the_longer_content_has_the_larger_number() {
        let number = |len, hash| NumberParts::of_content(5, len, [hash; 32]).number();
        assert!(number(1001, 0) > number(1000, 0xff));
        assert_ne!(number(1000, 1), number(1000, 2));
        assert_eq!(number(9_999_999_999, 0xff).as_str().len(), 47);
        assert_eq!(NumberParts::parse(&number(1000, 1)).unwrap().ms, 5);
        assert_eq!(padded(&"12".parse().unwrap()), format!("{}12", "0".repeat(45)));
    }
}
