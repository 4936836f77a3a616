//! [`Coverage`]: which time the input covers, and what of it a range misses.

use std::fmt;

use getclip::{ClipFragmentSelectorType, FragmentIndex, FragmentName, Timestamp};

use crate::recording::ReadOptions;
use crate::text::seconds;

/// The time that the fragments of the input cover, on the clocks that they carry.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    pub(crate) producer: Option<Span>,
    pub(crate) server: Option<Span>,
    /// The fragment inside which the range starts, on the clock of the range.
    pub(crate) split: Option<Split>,
}

/// From the earliest start of a fragment to the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

/// A fragment that starts before the range and ends in it. It is not in the clip, since it does not start in the range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) fragment: FragmentName,
    pub(crate) start: Timestamp,
    /// How much of it is in the range.
    pub(crate) lost_ns: i64,
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fragment, lost_ns, .. } = self;
        write!(
            f,
            "the range starts inside fragment {fragment}, whose last {} are not in the clip (--cover takes it, --exact trims it)",
            seconds(*lost_ns)
        )
    }
}

impl Span {
    fn extend(span: &mut Option<Self>, time: Timestamp) {
        let span = span.get_or_insert(Self { first: time, last: time });
        span.first = span.first.min(time);
        span.last = span.last.max(time);
    }
}

impl Coverage {
    /// Adds a fragment.
    pub(crate) fn add(&mut self, fragment: &FragmentIndex, options: &ReadOptions) {
        if fragment.media_len() == 0 {
            return;
        }
        let range = &options.range;
        let producer = producer_start(fragment, options.recording_start);
        let server = fragment.server_timestamp();
        if let Some(time) = producer {
            Span::extend(&mut self.producer, time);
        }
        if let Some(time) = server {
            Span::extend(&mut self.server, time);
        }
        let start = match range.by {
            ClipFragmentSelectorType::ProducerTimestamp => producer,
            ClipFragmentSelectorType::ServerTimestamp => server,
        };
        let (Some(start), Some(range_start)) = (start, range.start) else { return };
        if options.covers_start
            || start >= range_start
            || self.split.as_ref().is_some_and(|split| split.start > start)
        {
            return;
        }
        let before_ms = range_start.as_millis().saturating_sub(start.as_millis());
        let end_ns = fragment.shown_ns().map_or(0, |shown| shown.end);
        let lost_ns = end_ns.saturating_sub(before_ms.saturating_mul(1_000_000));
        if lost_ns > 0 {
            self.split = Some(Split { fragment: fragment.name(), start, lost_ns });
        }
    }
}

/// When a fragment starts by the producer's clock: as its tag states, else as its Cluster counts from the start of the
/// recording.
pub(super) fn producer_start(
    fragment: &FragmentIndex,
    recording_start: Option<Timestamp>,
) -> Option<Timestamp> {
    fragment.producer_timestamp().or_else(|| {
        let millis = fragment.cluster_timestamp_ns()?.div_euclid(1_000_000);
        Some(recording_start.unwrap_or_default().saturating_add_millis(millis))
    })
}
