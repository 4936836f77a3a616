//! Contents of a stream for people: its size, and the spans of time with media.

use std::ops::RangeInclusive;
use std::pin::pin;
use std::time::Duration;

use futures_util::TryStreamExt;
use getclip::{ClipFragmentSelectorType, Timestamp};

use crate::find::TimeRange;
use crate::layout::Bucket;
use crate::stream::StreamInfo;
use crate::{Archive, Error};

/// Contents of a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamStatistics {
    /// Fragments that are retained.
    pub fragments: u64,
    /// Of these, those whose media is in recordings elsewhere.
    pub references: u64,
    /// Size of the fragments as documents, wherever they are.
    pub document_bytes: u64,
    /// Size of their objects in the store.
    pub stored_bytes: u64,
    /// Length of the fragments, in milliseconds.
    pub length_ms: u64,
    /// Producer timestamp of the earliest.
    pub first: Option<Timestamp>,
    /// Producer timestamp of the latest.
    pub last: Option<Timestamp>,
}

/// A span of producer time with media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Start of its first fragment.
    pub start: Timestamp,
    /// End of its last fragment.
    pub end: Timestamp,
}

/// Longest range whose spans are those of the fragments. Beyond, they are buckets with any fragment.
const EXACT_MS: i64 = 26 * 3_600_000;

impl Archive {
    /// Counts the fragments that a stream retains.
    pub async fn statistics(&self, stream: &StreamInfo) -> Result<StreamStatistics, Error> {
        let finder = self.finder(stream);
        let clock = ClipFragmentSelectorType::ProducerTimestamp;
        let mut buckets = pin!(finder.fragments(clock, TimeRange::ALL));
        let mut statistics = StreamStatistics::default();
        while let Some(bucket) = buckets.try_next().await? {
            for fragment in bucket {
                statistics.fragments += 1;
                statistics.references += u64::from(fragment.is_reference());
                statistics.document_bytes += fragment.document_len();
                statistics.stored_bytes += fragment.object_len;
                statistics.length_ms += fragment.length_ms();
                statistics.first = statistics.first.or(Some(fragment.producer_timestamp()));
                statistics.last = Some(fragment.producer_timestamp());
            }
        }
        Ok(statistics)
    }

    /// Lists the spans of producer time in `range` with media. Gaps of at most `resolution` do not end a span.
    ///
    /// In a range of up to 26 hours the spans are those of the fragments; in longer ones they are whole units of ten
    /// minutes in which a fragment starts.
    pub async fn coverage(
        &self,
        stream: &StreamInfo,
        range: RangeInclusive<Timestamp>,
        resolution: Duration,
    ) -> Result<Vec<Span>, Error> {
        let range = TimeRange { start_ms: range.start().as_millis(), end_ms: range.end().as_millis() };
        let resolution_ms = i64::try_from(resolution.as_millis()).unwrap_or(i64::MAX);
        let mut spans = Spans { spans: Vec::new(), resolution_ms };
        let finder = self.finder(stream);
        let clock = ClipFragmentSelectorType::ProducerTimestamp;
        if range.end_ms.saturating_sub(range.start_ms) > EXACT_MS {
            let (first, last) = (Bucket::of(range.start_ms), Bucket::of(range.end_ms));
            for bucket in finder.folders(clock).await? {
                if (first..=last).contains(&bucket) {
                    spans.add(bucket.start_ms(), bucket.end_ms());
                }
            }
            return Ok(spans.spans);
        }
        let mut buckets = pin!(finder.fragments(clock, range));
        while let Some(bucket) = buckets.try_next().await? {
            for fragment in bucket {
                let start_ms = fragment.key.producer_ms;
                spans.add(start_ms, start_ms.saturating_add_unsigned(fragment.length_ms()));
            }
        }
        Ok(spans.spans)
    }
}

struct Spans {
    spans: Vec<Span>,
    resolution_ms: i64,
}

impl Spans {
    /// Adds a span that starts no earlier than those before it.
    fn add(&mut self, start_ms: i64, end_ms: i64) {
        let (start, end) = (Timestamp::from_millis(start_ms), Timestamp::from_millis(end_ms));
        match self.spans.last_mut() {
            Some(last) if start <= last.end.saturating_add_millis(self.resolution_ms) => {
                last.end = last.end.max(end);
            }
            _ => self.spans.push(Span { start, end }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_longer_than_the_resolution_end_a_span() {
        let mut spans = Spans { spans: Vec::new(), resolution_ms: 10 };
        for (start, end) in [(0, 100), (100, 200), (150, 160), (210, 300), (311, 400)] {
            spans.add(start, end);
        }
        let at = Timestamp::from_millis;
        let expected = [Span { start: at(0), end: at(300) }, Span { start: at(311), end: at(400) }];
        assert_eq!(spans.spans, expected);
    }
}
