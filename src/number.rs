//! [`FragmentNumber`]: the service's name for a fragment; [`FragmentName`]: what a message calls one.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The number that the service gives a fragment: a decimal of up to 47 digits, larger for later fragments.
///
/// Numbers compare by value, however many leading zeros they are written with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FragmentNumber(Box<str>);

impl FragmentNumber {
    /// The service allows 128 characters.
    const MAX_DIGITS: usize = 128;

    /// The decimal digits, without leading zeros.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Text that is no fragment number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a fragment number of 1 to 128 digits, found {text:?}")]
pub struct ParseFragmentNumberError {
    text: String,
}

impl FromStr for FragmentNumber {
    type Err = ParseFragmentNumberError;

    fn from_str(text: &str) -> Result<Self, ParseFragmentNumberError> {
        let is_number =
            (1..=Self::MAX_DIGITS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number {
            return Err(ParseFragmentNumberError { text: text.chars().take(48).collect() });
        }
        let significant = text.trim_start_matches('0');
        Ok(Self(if significant.is_empty() { "0" } else { significant }.into()))
    }
}

/// Without leading zeros, the longer number is the larger, and equally long ones compare as text.
impl Ord for FragmentNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for FragmentNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for FragmentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a report or an error calls a fragment.
///
/// Displayed as the number, or as the place in the input counted from 1: `#3`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FragmentName {
    /// The number that the service gave it.
    Number(FragmentNumber),
    /// Its place in the input, counted from 0, where the service gave it no number.
    Position(u64),
}

/// As it is displayed.
#[cfg(feature = "serde")]
impl serde::Serialize for FragmentNumber {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// As it is displayed.
#[cfg(feature = "serde")]
impl serde::Serialize for FragmentName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for FragmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Position(position) => write!(f, "#{}", position.saturating_add(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_by_value() {
        let number = |text: &str| text.parse::<FragmentNumber>().unwrap();
        assert!(number("9") < number("10"));
        assert!(
            number("91343852333181432392682062607743920146264094900")
                < number("91343852333181432392682062607743920146264094901")
        );
        assert_eq!(number("007"), number("7"));
        assert_eq!(number("000").as_str(), "0");
    }

    #[test]
    fn a_name_is_the_number_or_the_place() {
        assert_eq!(FragmentName::Number("0042".parse().unwrap()).to_string(), "42");
        assert_eq!(FragmentName::Position(2).to_string(), "#3");
    }

    #[test]
    fn takes_digits_only() {
        for wrong in ["", "-1", "1e5", "0x1", " 1", "١"] {
            assert!(wrong.parse::<FragmentNumber>().is_err(), "{wrong:?}");
        }
        assert!("1".repeat(128).parse::<FragmentNumber>().is_ok());
        assert!("1".repeat(129).parse::<FragmentNumber>().is_err());
    }
}
