//! What the URLs of a stream ask for, parsed.

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use getclip::{ClipFragmentSelectorType, Gaps, Timestamp};

use crate::http::Query;
use crate::model::{FragmentSelector, ServiceError};

const TIME: &str = "RFC 3339 or Unix seconds";
const COUNT: &str = "a number of at least 1";

/// A clip: `/streams/{name}/clip.mp4` and `/streams/{name}/clip.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClipUrl {
    /// `start`, `end`, and `by`, which is `producer` or `server`.
    pub(super) selector: FragmentSelector,
    /// `gaps`, which is `keep` or `close`.
    pub(super) gaps: Gaps,
    /// `max_fragments`; without it as many as GetClip takes.
    pub(super) max_fragments: Option<NonZeroUsize>,
    /// `max_bytes`; without it as many as GetClip takes.
    pub(super) max_bytes: Option<NonZeroU64>,
    /// `download`: whether a browser saves the clip instead of playing it.
    pub(super) is_download: bool,
}

impl ClipUrl {
    pub(super) fn parse(query: &str) -> Result<Self, ServiceError> {
        let mut query = Query::parse(query)?;
        let clock = match query.take("by").as_deref() {
            None | Some("producer") => ClipFragmentSelectorType::ProducerTimestamp,
            Some("server") => ClipFragmentSelectorType::ServerTimestamp,
            Some(other) => {
                return Err(ServiceError::constraint("by", "producer or server", format!("{other:?}")));
            }
        };
        let gaps = match query.take("gaps").as_deref() {
            None | Some("keep") => Gaps::Keep,
            Some("close") => Gaps::Close,
            Some(other) => {
                return Err(ServiceError::constraint("gaps", "keep or close", format!("{other:?}")));
            }
        };
        let url = Self {
            selector: FragmentSelector::new(
                clock,
                required(&mut query, "start")?,
                required(&mut query, "end")?,
            )?,
            gaps,
            max_fragments: query.parsed("max_fragments", COUNT)?,
            max_bytes: query.parsed("max_bytes", COUNT)?,
            is_download: query.take("download").is_some(),
        };
        query.finish("start, end, by, gaps, max_fragments, max_bytes and download")?;
        Ok(url)
    }
}

/// A time line: `/streams/{name}/timeline.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimelineUrl {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// Shorter gaps are closed: `resolution` in milliseconds, and at least what leaves a bounded number of spans.
    pub(super) resolution: Duration,
}

impl TimelineUrl {
    /// The most spans that a time line tells apart.
    const MOST_SPANS: u64 = 10_000;

    pub(super) fn parse(query: &str) -> Result<Self, ServiceError> {
        let mut query = Query::parse(query)?;
        let (start, end) = (required(&mut query, "start")?, required(&mut query, "end")?);
        let resolution: Option<u32> = query.parsed("resolution", "a number of milliseconds")?;
        query.finish("start, end and resolution")?;
        if end <= start {
            return Err(ServiceError::constraint("end", format!("a time later than {start}"), end));
        }
        let least = end.as_millis().abs_diff(start.as_millis()) / Self::MOST_SPANS;
        let resolution = Duration::from_millis(u64::from(resolution.unwrap_or(0)).max(least));
        Ok(Self { start, end, resolution })
    }
}

fn required(query: &mut Query, name: &str) -> Result<Timestamp, ServiceError> {
    query
        .parsed(name, TIME)?
        .ok_or_else(|| ServiceError::invalid_argument(format!("query: {name} is required")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<T>(parsed: Result<T, ServiceError>) -> String {
        parsed.err().map(|error| error.message().to_owned()).unwrap_or_default()
    }

    #[test]
    fn clips() {
        let url = ClipUrl::parse("start=1970-01-01T00:00:01Z&end=2.5").unwrap();
        let (start, end) = (Timestamp::from_millis(1000), Timestamp::from_millis(2500));
        let by = |clock| FragmentSelector::new(clock, start, end).unwrap();
        let plain = ClipUrl {
            selector: by(ClipFragmentSelectorType::ProducerTimestamp),
            gaps: Gaps::Keep,
            max_fragments: None,
            max_bytes: None,
            is_download: false,
        };
        assert_eq!(url, plain);
        let query =
            "start=1&end=2.5&by=server&gaps=close&max_fragments=43200&max_bytes=1&download&X-Amz-Date=x";
        let full = ClipUrl {
            selector: by(ClipFragmentSelectorType::ServerTimestamp),
            gaps: Gaps::Close,
            max_fragments: NonZeroUsize::new(43_200),
            max_bytes: NonZeroU64::new(1),
            is_download: true,
        };
        assert_eq!(ClipUrl::parse(query), Ok(full));
    }

    #[test]
    fn mistakes_in_clips() {
        for (query, message) in [
            ("end=2", "query: start is required"),
            ("start=1", "query: end is required"),
            ("start=x&end=2", "start: expected RFC 3339 or Unix seconds, found \"x\""),
            ("start=1&end=2&by=me", "by: expected producer or server, found \"me\""),
            ("start=1&end=2&gaps=no", "gaps: expected keep or close, found \"no\""),
            ("start=1&end=2&max_fragments=0", "max_fragments: expected a number of at least 1, found \"0\""),
            ("start=1&end=2&max_bytes=-1", "max_bytes: expected a number of at least 1, found \"-1\""),
            (
                "start=1&end=2&max_fragment=9",
                "query: expected only start, end, by, gaps, max_fragments, max_bytes and download, found \"max_fragment\"",
            ),
        ] {
            assert_eq!(refused(ClipUrl::parse(query)), message);
        }
        assert!(
            refused(ClipUrl::parse("start=2&end=2")).starts_with("EndTimestamp: expected a time later than")
        );
    }

    #[test]
    fn time_lines() {
        let day = TimelineUrl::parse("start=0&end=86400&resolution=60000").unwrap();
        assert_eq!(day.resolution, Duration::from_secs(60));
        let fine = TimelineUrl::parse("start=0&end=86400").unwrap();
        assert_eq!(fine.resolution, Duration::from_millis(8640));
        assert_eq!(
            refused(TimelineUrl::parse("start=1&end=1")),
            "end: expected a time later than 1970-01-01T00:00:01.000Z, found 1970-01-01T00:00:01.000Z"
        );
        assert_eq!(
            refused(TimelineUrl::parse("start=0&end=1&resolution=-1")),
            "resolution: expected a number of milliseconds, found \"-1\""
        );
    }
}
