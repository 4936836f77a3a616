//! Which fragments a clip is made of, in the words of GetClip's request.

use crate::error::{Error, ErrorKind};
use crate::named::named;
use crate::timestamp::Timestamp;

/// Which fragments to take: `ClipFragmentSelector` of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClipFragmentSelector {
    selector_type: ClipFragmentSelectorType,
    range: Option<ClipTimestampRange>,
}

/// The clock that a fragment's start is taken from: `FragmentSelectorType` of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClipFragmentSelectorType {
    /// `PRODUCER_TIMESTAMP`: when the producer recorded the fragment. Fragments of equal time are duplicates, of
    /// which the one with the larger fragment number is taken.
    ProducerTimestamp,
    /// `SERVER_TIMESTAMP`: when the service received it.
    ServerTimestamp,
}

named!(ClipFragmentSelectorType, "the clock of a selection", {
    ProducerTimestamp => "producer",
    ServerTimestamp => "server",
});

/// Which fragment a clip of a range begins with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RangeStart {
    /// The first that starts in the range, as GetClip has it: what a fragment that started earlier has in the range is
    /// not in the clip.
    #[default]
    FirstInRange,
    /// The fragment that was being recorded when the range starts, where there is one: nothing of the range is missing,
    /// and the clip begins up to the length of a fragment before it.
    ///
    /// A reader [for the selector](crate::FragmentReader::for_selector) must be given a range that starts earlier by the
    /// length of a fragment, which is 20 s at most in the service: it tells by its frames where one ends.
    Covering,
}

named!(RangeStart, "the start of a clip", {
    FirstInRange => "first-in-range",
    Covering => "covering",
});

/// A range of time, both ends inclusive: `ClipTimestampRange` of the service.
///
/// [`new`](Self::new) enforces the service's limit of 24 hours, [`unlimited`](Self::unlimited) does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClipTimestampRange {
    start: Timestamp,
    end: Timestamp,
}

impl ClipFragmentSelectorType {
    /// The service's name for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProducerTimestamp => "PRODUCER_TIMESTAMP",
            Self::ServerTimestamp => "SERVER_TIMESTAMP",
        }
    }
}

impl ClipFragmentSelector {
    /// Fragments that start in `range` by the producer's clock.
    pub const fn producer(range: ClipTimestampRange) -> Self {
        Self { selector_type: ClipFragmentSelectorType::ProducerTimestamp, range: Some(range) }
    }

    /// Fragments that start in `range` by the service's clock.
    pub const fn server(range: ClipTimestampRange) -> Self {
        Self { selector_type: ClipFragmentSelectorType::ServerTimestamp, range: Some(range) }
    }

    /// All fragments, in the order of a clock. The service has no such selector; a program that was handed a
    /// recording has.
    pub const fn all(selector_type: ClipFragmentSelectorType) -> Self {
        Self { selector_type, range: None }
    }

    /// The clock that the fragments' starts are taken from.
    pub const fn selector_type(&self) -> ClipFragmentSelectorType {
        self.selector_type
    }

    /// The range, or `None` for all fragments.
    pub const fn range(&self) -> Option<ClipTimestampRange> {
        self.range
    }

    pub(crate) fn contains(&self, start: Timestamp) -> bool {
        self.range.is_none_or(|range| range.contains(start))
    }
}

impl ClipTimestampRange {
    /// GetClip takes at most 24 hours.
    const MAX_MILLIS: i64 = 24 * 60 * 60 * 1000;

    /// A range from `start` to `end`, both included.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRange`] unless `end` is later than `start`, and by at most 24 hours, as GetClip requires
    /// (API reference, `ClipTimestampRange`).
    pub fn new(start: Timestamp, end: Timestamp) -> Result<Self, Error> {
        let range = Self::unlimited(start, end)?;
        if end.as_millis().saturating_sub(start.as_millis()) > Self::MAX_MILLIS {
            return Err(invalid(format!(
                "expected an end within 24 hours of the start {start}, found {end}"
            )));
        }
        Ok(range)
    }

    /// A range of any length from `start` to `end`, both included. For callers that are not bound by the service's 24
    /// hours; the limits on fragments and bytes still apply to the clip. `Timestamp::from_millis(i64::MIN)` and
    /// `i64::MAX` leave an end open.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRange`] unless `end` is later than `start`.
    pub fn unlimited(start: Timestamp, end: Timestamp) -> Result<Self, Error> {
        if end <= start {
            return Err(invalid(format!("expected an end later than the start {start}, found {end}")));
        }
        Ok(Self { start, end })
    }

    /// Checks what GetClip requires of a range by server timestamp: an end in the past, and a start that is later
    /// than the stream head, the oldest fragment that the stream retains (API reference, `ClipTimestampRange`).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRange`] naming the rule that is broken.
    pub fn check_server(&self, now: Timestamp, stream_head: Timestamp) -> Result<(), Error> {
        if self.end >= now {
            return Err(invalid(format!("expected an end before now, {now}, found {}", self.end)));
        }
        if self.start <= stream_head {
            let found = self.start;
            return Err(invalid(format!(
                "expected a start later than the stream head {stream_head}, found {found}"
            )));
        }
        Ok(())
    }

    /// The earliest start of a fragment that is taken.
    pub const fn start(&self) -> Timestamp {
        self.start
    }

    /// The latest start of a fragment that is taken.
    pub const fn end(&self) -> Timestamp {
        self.end
    }

    /// Whether a fragment that starts at `time` is taken.
    pub fn contains(&self, time: Timestamp) -> bool {
        (self.start..=self.end).contains(&time)
    }
}

fn invalid(reason: String) -> Error {
    ErrorKind::InvalidRange { reason }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn both_ends_are_included() {
        let range = ClipTimestampRange::new(at(1000), at(2000)).unwrap();
        for (millis, taken) in
            [(999, false), (1000, true), (1001, true), (1999, true), (2000, true), (2001, false)]
        {
            assert_eq!(range.contains(at(millis)), taken, "{millis}");
        }
    }

    #[test]
    fn getclip_rules() {
        let day = ClipTimestampRange::MAX_MILLIS;
        assert!(ClipTimestampRange::new(at(0), at(day)).is_ok());
        assert!(ClipTimestampRange::new(at(0), at(1)).is_ok());
        for (start, end) in [(0, day + 1), (0, 0), (1, 0), (i64::MIN, i64::MAX)] {
            let error = ClipTimestampRange::new(at(start), at(end)).unwrap_err();
            assert_eq!(error.exception().name(), "InvalidArgumentException");
        }
    }

    #[test]
    fn a_range_without_the_limit() {
        let year = 365 * ClipTimestampRange::MAX_MILLIS;
        assert!(ClipTimestampRange::unlimited(at(0), at(year)).unwrap().contains(at(year)));
        let open = ClipTimestampRange::unlimited(at(i64::MIN), at(7)).unwrap();
        assert!(open.contains(at(i64::MIN)) && open.contains(at(7)) && !open.contains(at(8)));
        for (start, end) in [(0, 0), (1, 0)] {
            let error = ClipTimestampRange::unlimited(at(start), at(end)).unwrap_err();
            assert_eq!(error.exception().name(), "InvalidArgumentException");
        }
    }

    #[test]
    fn a_server_range_lies_between_the_head_and_now() {
        let range = ClipTimestampRange::new(at(1000), at(2000)).unwrap();
        assert!(range.check_server(at(2001), at(999)).is_ok());
        assert!(range.check_server(at(2000), at(999)).is_err());
        assert!(range.check_server(at(2001), at(1000)).is_err());
    }
}
