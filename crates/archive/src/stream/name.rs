//! [`StreamName`]: a name that the service allows and that is not a path.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::Error;

/// Name of a stream: 1 to 256 characters of `[a-zA-Z0-9_.-]` (`StreamName` of the service's model).
///
/// `.` and `..` match the service's pattern too, but are refused: a name is one level of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamName(Arc<str>);

impl StreamName {
    const MAX_LEN: usize = 256;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StreamName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        let valid = (1..=Self::MAX_LEN).contains(&name.len())
            && name.bytes().all(allowed)
            && !matches!(name, "." | "..");
        if !valid {
            return Err(Error::InvalidName { name: name.chars().take(48).collect() });
        }
        Ok(Self(name.into()))
    }
}

impl AsRef<str> for StreamName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_the_service_takes_and_no_path() {
        for name in ["a", "front-door_1.v2", "...", ".a", "-", &"x".repeat(256)] {
            assert_eq!(name.parse::<StreamName>().unwrap().as_str(), name);
        }
        for name in ["", ".", "..", "a/b", "a\\b", "a b", "ä", "a\0", "a#1", "%2e", &"x".repeat(257)] {
            assert!(matches!(name.parse::<StreamName>(), Err(Error::InvalidName { .. })), "{name:?}");
        }
    }
}
