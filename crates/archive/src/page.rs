//! [`Page`] and [`PageToken`]: long lists in parts.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use getclip::{
    ClipFragmentSelector, ClipFragmentSelectorType, ClipTimestampRange, FragmentNumber, Timestamp,
};

use crate::Error;
use crate::stream::StreamName;

/// Part of a list: the first, or the one after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    token: Option<PageToken>,
    limit: NonZeroUsize,
}

impl Page {
    /// The first part, of at most `limit` members.
    pub const fn first(limit: NonZeroUsize) -> Self {
        Self { token: None, limit }
    }

    /// The part after the one that came with `token`.
    pub fn after(token: PageToken, limit: NonZeroUsize) -> Self {
        Self { token: Some(token), limit }
    }

    pub(crate) fn token(&self) -> Option<&PageToken> {
        self.token.as_ref()
    }

    pub(crate) fn limit(&self) -> NonZeroUsize {
        self.limit
    }
}

/// Where the next part of a list begins: `NextToken` of the service.
///
/// Its text is opaque: at most 600 characters of `[a-zA-Z0-9]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageToken(String);

impl PageToken {
    /// The selector of the list of fragments that the token continues: a request with a token may leave it out.
    pub fn selector(&self) -> Option<ClipFragmentSelector> {
        FragmentCursor::try_from(self).ok().map(|cursor| cursor.selector)
    }
}

impl FromStr for PageToken {
    type Err = Error;

    fn from_str(token: &str) -> Result<Self, Error> {
        let text = unhex(token).filter(|text| text.starts_with(['s', 'f'])).ok_or(Error::InvalidToken)?;
        let token = Self(text);
        match token.0.as_bytes().first() {
            Some(b's') => StreamCursor::try_from(&token).map(drop)?,
            _ => FragmentCursor::try_from(&token).map(drop)?,
        }
        Ok(token)
    }
}

impl fmt::Display for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// A list of streams after the stream `name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamCursor {
    pub(crate) name: StreamName,
}

impl From<StreamCursor> for PageToken {
    fn from(cursor: StreamCursor) -> Self {
        Self(format!("s {}", cursor.name))
    }
}

impl TryFrom<&PageToken> for StreamCursor {
    type Error = Error;

    fn try_from(token: &PageToken) -> Result<Self, Error> {
        let name = token.0.strip_prefix("s ").and_then(|name| name.parse().ok());
        Ok(Self { name: name.ok_or(Error::InvalidToken)? })
    }
}

/// A list of fragments after the one of this start and number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FragmentCursor {
    pub(crate) selector: ClipFragmentSelector,
    pub(crate) created_ms: i64,
    pub(crate) time: Timestamp,
    pub(crate) number: FragmentNumber,
}

impl From<FragmentCursor> for PageToken {
    fn from(cursor: FragmentCursor) -> Self {
        let clock = match cursor.selector.selector_type() {
            ClipFragmentSelectorType::ProducerTimestamp => 'p',
            ClipFragmentSelectorType::ServerTimestamp => 's',
        };
        let range = match cursor.selector.range() {
            Some(range) => format!("{} {}", range.start().as_millis(), range.end().as_millis()),
            None => "- -".to_owned(),
        };
        let FragmentCursor { created_ms, time, number, .. } = cursor;
        Self(format!("f {clock} {range} {created_ms} {} {number}", time.as_millis()))
    }
}

impl TryFrom<&PageToken> for FragmentCursor {
    type Error = Error;

    fn try_from(token: &PageToken) -> Result<Self, Error> {
        Self::parse(&token.0).ok_or(Error::InvalidToken)
    }
}

impl FragmentCursor {
    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split(' ').collect();
        let ["f", clock, start, end, created_ms, time, number] = fields[..] else { return None };
        let timestamp = |text: &str| text.parse().ok().map(Timestamp::from_millis);
        let clock = match clock {
            "p" => ClipFragmentSelectorType::ProducerTimestamp,
            "s" => ClipFragmentSelectorType::ServerTimestamp,
            _ => return None,
        };
        let selector = match (start, end, clock) {
            ("-", "-", clock) => ClipFragmentSelector::all(clock),
            (start, end, clock) => {
                let range = ClipTimestampRange::unlimited(timestamp(start)?, timestamp(end)?).ok()?;
                match clock {
                    ClipFragmentSelectorType::ProducerTimestamp => ClipFragmentSelector::producer(range),
                    ClipFragmentSelectorType::ServerTimestamp => ClipFragmentSelector::server(range),
                }
            }
        };
        Some(Self {
            selector,
            created_ms: created_ms.parse().ok()?,
            time: timestamp(time)?,
            number: number.parse().ok()?,
        })
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(hex: &str) -> Option<String> {
    // Only what `hex` writes: digits and small letters, two for each byte.
    let digit = |byte: u8| char::from(byte).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
    let pairs = hex.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
        _ => None,
    });
    String::from_utf8(pairs.collect::<Option<Vec<u8>>>()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment_cursor(selector: ClipFragmentSelector) -> FragmentCursor {
        FragmentCursor {
            selector,
            created_ms: 1_700_000_000_000,
            time: Timestamp::from_millis(1_700_000_000_123),
            number: "91343852333181432392682062607743920146264094900".parse().unwrap(),
        }
    }

    #[test]
    fn tokens_survive_their_text() {
        let at = Timestamp::from_millis;
        let range = ClipTimestampRange::new(at(1000), at(2000)).unwrap();
        for selector in [
            ClipFragmentSelector::producer(range),
            ClipFragmentSelector::server(range),
            ClipFragmentSelector::all(ClipFragmentSelectorType::ServerTimestamp),
        ] {
            let token = PageToken::from(fragment_cursor(selector));
            let text = token.to_string();
            assert!(text.len() <= 600 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{text}");
            let parsed: PageToken = text.parse().unwrap();
            assert_eq!(FragmentCursor::try_from(&parsed).unwrap(), fragment_cursor(selector));
            assert_eq!(parsed.selector(), Some(selector));
            assert!(StreamCursor::try_from(&parsed).is_err());
        }
        let longest = StreamCursor { name: "x".repeat(256).parse().unwrap() };
        let text = PageToken::from(longest.clone()).to_string();
        assert!(text.len() <= 600, "{}", text.len());
        assert_eq!(StreamCursor::try_from(&text.parse::<PageToken>().unwrap()).unwrap(), longest);
    }

    #[test]
    fn what_was_not_made_here_is_refused() {
        let good = PageToken::from(fragment_cursor(ClipFragmentSelector::all(
            ClipFragmentSelectorType::ProducerTimestamp,
        )))
        .to_string();
        for wrong in [
            "",
            "x",
            "zz",
            "é",
            &good[1..],
            &good[..good.len() - 1],
            &good.to_uppercase(),
            &hex("s .."),
            &hex("f p 2 1 0 0 0"),
            &hex("f q - - 0 0 0"),
            &hex("f p - - 0 0"),
        ] {
            assert_eq!(wrong.parse::<PageToken>().ok(), None, "{wrong:?}");
        }
    }
}
