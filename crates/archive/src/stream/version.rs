//! [`StreamVersion`]: one state of a stream.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// Version of a stream: `Version` and `CurrentVersion` of the service, 1 to 64 of `[a-zA-Z0-9]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StreamVersion(Box<str>);

impl StreamVersion {
    /// The version of a generation whose writer chose `nonce`.
    pub(super) fn new(generation: u64, nonce: u64) -> Self {
        Self(format!("{generation:012}{nonce:016x}").into())
    }

    /// The version as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StreamVersion {
    type Err = Error;

    fn from_str(version: &str) -> Result<Self, Error> {
        let valid =
            (1..=64).contains(&version.len()) && version.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !valid {
            return Err(Error::InvalidVersion { version: version.chars().take(48).collect() });
        }
        Ok(Self(version.into()))
    }
}

impl fmt::Display for StreamVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_alphanumeric() {
        let version = StreamVersion::new(7, 0xab);
        assert_eq!(version.as_str(), "00000000000700000000000000ab");
        assert_eq!(version.as_str().parse::<StreamVersion>().unwrap(), version);
        for wrong in ["", "a-b", "ü", &"a".repeat(65)] {
            assert!(wrong.parse::<StreamVersion>().is_err(), "{wrong:?}");
        }
    }
}
