//! Fragments as they arrive: what GetMedia sends.

use std::fmt;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::str::FromStr;

use futures_util::TryStreamExt;
use getclip::{ClipFragmentSelectorType, FragmentNumber, Timestamp};

use crate::find::TimeRange;
use crate::fragment::{NumberParts, StoredFragment, padded};
use crate::layout::digits;
use crate::stream::StreamInfo;
use crate::{Archive, Error};

/// Position of a consumer of a stream, which has had everything up to it. Its text, 61 digits, is a `ContinuationToken` of
/// the service.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TailPosition {
    server_ms: i64,
    /// Largest number in that millisecond that the consumer has had.
    number: FragmentNumber,
}

/// Start of a consumer: `StartSelector` of GetMedia.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TailStart {
    /// `EARLIEST`: the oldest fragment that is retained.
    Earliest,
    /// `NOW`: what arrives from now on.
    Now,
    /// `FRAGMENT_NUMBER`: after the fragment of this number.
    AfterFragment(FragmentNumber),
    /// `SERVER_TIMESTAMP`: fragments received at this time or later.
    ServerTimestamp(Timestamp),
    /// `PRODUCER_TIMESTAMP`: in order of arrival, from the first one that the producer recorded at this time or later.
    ProducerTimestamp(Timestamp),
}

impl TailPosition {
    /// The position after a fragment.
    pub fn after(fragment: &StoredFragment) -> Self {
        Self { server_ms: fragment.key.server_ms, number: fragment.number().clone() }
    }

    /// The position after the fragment of a number, which was received at a time.
    pub fn after_number(server_timestamp: Timestamp, number: FragmentNumber) -> Self {
        Self { server_ms: server_timestamp.as_millis(), number }
    }

    /// Number of the last fragment that the consumer has had, or the largest one.
    pub fn number(&self) -> &FragmentNumber {
        &self.number
    }

    /// The position after everything received before a time.
    fn before_ms(ms: i64) -> Self {
        Self::after_ms(ms.saturating_sub(1))
    }

    /// The position after everything received at a time or before.
    fn after_ms(ms: i64) -> Self {
        Self { server_ms: ms.clamp(-1, 99_999_999_999_998), number: largest() }
    }
}

fn largest() -> FragmentNumber {
    match "9".repeat(47).parse() {
        Ok(number) => number,
        Err(_) => unreachable!("47 digits are a fragment number"),
    }
}

impl fmt::Display for TailPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One more, so that the position before all times has digits only.
        write!(f, "{:014}{}", self.server_ms + 1, padded(&self.number))
    }
}

impl FromStr for TailPosition {
    type Err = Error;

    fn from_str(token: &str) -> Result<Self, Error> {
        let parse = || {
            let (time, number) = token.split_at_checked(14)?;
            let valid = number.len() == 47;
            let server_ms = digits::<i64>(time, 14)? - 1;
            Some(Self { server_ms, number: number.parse().ok().filter(|_| valid)? })
        };
        parse().ok_or(Error::InvalidToken)
    }
}

impl Archive {
    /// Finds the position at which a consumer begins; `None` for a fragment number that the stream does not have.
    pub async fn tail_start(
        &self,
        stream: &StreamInfo,
        start: &TailStart,
    ) -> Result<Option<TailPosition>, Error> {
        Ok(Some(match start {
            TailStart::Earliest => TailPosition::before_ms(0),
            TailStart::Now => TailPosition::before_ms(self.settled_ms().saturating_add(1)),
            TailStart::ServerTimestamp(time) => TailPosition::before_ms(time.as_millis()),
            TailStart::AfterFragment(number) => {
                let found = self.fragments_by_number(stream, std::slice::from_ref(number)).await?;
                match (found.into_iter().next().flatten(), NumberParts::parse(number)) {
                    (Some(fragment), _) => TailPosition::after(&fragment),
                    // It may be past retention: its number still contains the time.
                    (None, Some(parts)) => TailPosition { server_ms: parts.ms, number: number.clone() },
                    (None, None) => return Ok(None),
                }
            }
            TailStart::ProducerTimestamp(time) => {
                let range = TimeRange { start_ms: time.as_millis(), end_ms: i64::MAX };
                let finder = self.finder(stream);
                let mut buckets = pin!(finder.fragments(ClipFragmentSelectorType::ProducerTimestamp, range));
                loop {
                    match buckets.try_next().await?.map(|bucket| bucket.into_iter().next()) {
                        Some(Some(first)) => break TailPosition::before(&first),
                        Some(None) => {}
                        None => break TailPosition::before_ms(self.settled_ms().saturating_add(1)),
                    }
                }
            }
        }))
    }

    /// Lists the fragments after a position, in order of server time and number. Returns them with the position after them.
    ///
    /// Only fragments older than the settle time are returned, so that those of a slower replica are not overtaken. Call it
    /// again about once a second.
    pub async fn tail(
        &self,
        stream: &StreamInfo,
        after: &TailPosition,
        limit: NonZeroUsize,
    ) -> Result<(Vec<StoredFragment>, TailPosition), Error> {
        let settled_ms = self.settled_ms();
        let range = TimeRange { start_ms: after.server_ms, end_ms: settled_ms };
        let finder = self.finder(stream);
        let mut buckets = pin!(finder.fragments(ClipFragmentSelectorType::ServerTimestamp, range));
        let mut found = Vec::new();
        while let Some(bucket) = buckets.try_next().await? {
            let new = |fragment: &StoredFragment| {
                (fragment.key.server_ms, fragment.number()) > (after.server_ms, &after.number)
            };
            found.extend(bucket.into_iter().filter(new));
            if found.len() >= limit.get() {
                found.truncate(limit.get());
                let position = found.last().map_or_else(|| after.clone(), TailPosition::after);
                return Ok((found, position));
            }
        }
        // Nothing older than the settle time will arrive: the next search begins there.
        let position =
            if settled_ms > after.server_ms { TailPosition::after_ms(settled_ms) } else { after.clone() };
        Ok((found, position))
    }

    /// The latest server time, in milliseconds, at which nothing more will arrive.
    fn settled_ms(&self) -> i64 {
        let settle_ms = i64::try_from(self.settings().settle.as_millis()).unwrap_or(i64::MAX);
        self.now().as_millis().saturating_sub(settle_ms)
    }
}

impl TailPosition {
    /// The position just before a fragment.
    fn before(fragment: &StoredFragment) -> Self {
        let smaller = smaller(fragment.number());
        match smaller {
            Some(number) => Self { server_ms: fragment.key.server_ms, number },
            None => Self::before_ms(fragment.key.server_ms),
        }
    }
}

/// The number before a number.
fn smaller(number: &FragmentNumber) -> Option<FragmentNumber> {
    let value = padded(number);
    let mut digits = value.into_bytes();
    for digit in digits.iter_mut().rev() {
        if *digit > b'0' {
            *digit -= 1;
            return String::from_utf8(digits).ok()?.parse().ok();
        }
        *digit = b'9';
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_survive_their_text() {
        let number = "91343852333181432392682062607743920146264094900".parse().unwrap();
        for position in [
            TailPosition { server_ms: 1_700_000_000_000, number },
            TailPosition::before_ms(0),
            TailPosition::after_ms(i64::MAX),
        ] {
            let text = position.to_string();
            assert_eq!(text.len(), 61);
            assert!(text.bytes().all(|byte| byte.is_ascii_digit()), "{text}");
            assert_eq!(text.parse::<TailPosition>().unwrap(), position);
        }
        for wrong in ["", "1", &"1".repeat(60), &"1".repeat(62), &format!("{}x", "1".repeat(60)), "é"] {
            assert!(matches!(wrong.parse::<TailPosition>(), Err(Error::InvalidToken)), "{wrong:?}");
        }
    }

    #[test]
    fn the_number_before() {
        for (number, before) in [("1", Some("0")), ("1000", Some("999")), ("0", None)] {
            let found = smaller(&number.parse().unwrap());
            assert_eq!(found, before.map(|text| text.parse().unwrap()), "{number}");
        }
    }
}
