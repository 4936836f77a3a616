//! Which fragments a request is about: `ClipFragmentSelector` and `FragmentSelector`, which have the same members.

use getclip::{ClipFragmentSelectorType, Timestamp};

use super::error::ServiceError;
use super::members::Members;
use super::time::{self, Rounding};

/// Fragments that start in a range of time, both ends inclusive, by one of the two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FragmentSelector {
    clock: ClipFragmentSelectorType,
    start: Timestamp,
    end: Timestamp,
}

impl FragmentSelector {
    /// A selector of fragments that start from `start` to `end`.
    ///
    /// # Errors
    /// [`InvalidArgument`](super::Exception::InvalidArgument) unless `end` is later than `start`.
    pub fn new(
        clock: ClipFragmentSelectorType,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<Self, ServiceError> {
        if end <= start {
            let expected = format!("a time later than StartTimestamp {start}");
            return Err(ServiceError::constraint("EndTimestamp", expected, end));
        }
        Ok(Self { clock, start, end })
    }

    /// The structure `name` of a request.
    pub(crate) fn take(members: &mut Members, name: &str) -> Result<Option<Self>, ServiceError> {
        let Some(mut selector) = members.structure(name)? else { return Ok(None) };
        let clocks = [ClipFragmentSelectorType::ProducerTimestamp, ClipFragmentSelectorType::ServerTimestamp];
        let clock = selector
            .choice("FragmentSelectorType", &clocks.map(|clock| (clock.as_str(), clock)))?
            .ok_or_else(|| selector.missing("FragmentSelectorType"))?;
        let mut range =
            selector.structure("TimestampRange")?.ok_or_else(|| selector.missing("TimestampRange"))?;
        let start = time::take(&mut range, "StartTimestamp", Rounding::Up)?;
        let end = time::take(&mut range, "EndTimestamp", Rounding::Down)?;
        Self::new(clock, start, end).map(Some)
    }

    /// The clock that the fragments' starts are taken from.
    pub const fn clock(&self) -> ClipFragmentSelectorType {
        self.clock
    }

    /// The earliest start of a fragment that is taken.
    pub const fn start(&self) -> Timestamp {
        self.start
    }

    /// The latest start of a fragment that is taken.
    pub const fn end(&self) -> Timestamp {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<FragmentSelector, String> {
        let mut members = Members::parse(body.as_bytes()).unwrap();
        let selector =
            FragmentSelector::take(&mut members, "S").map_err(|error| error.message().to_owned())?;
        selector.ok_or_else(|| "absent".into())
    }

    #[test]
    fn both_clocks() {
        for (name, clock) in [
            ("PRODUCER_TIMESTAMP", ClipFragmentSelectorType::ProducerTimestamp),
            ("SERVER_TIMESTAMP", ClipFragmentSelectorType::ServerTimestamp),
        ] {
            let body = format!(
                r#"{{"S": {{"FragmentSelectorType": "{name}",
                "TimestampRange": {{"StartTimestamp": 1.0015, "EndTimestamp": 2.0015}}}}}}"#
            );
            let (start, end) = (Timestamp::from_millis(1002), Timestamp::from_millis(2001));
            assert_eq!(parse(&body), Ok(FragmentSelector { clock, start, end }));
        }
    }

    #[test]
    fn each_member_is_required() {
        let range = r#""TimestampRange": {"StartTimestamp": 1, "EndTimestamp": 2}"#;
        let clock = r#""FragmentSelectorType": "SERVER_TIMESTAMP""#;
        for (body, message) in [
            ("{}".into(), "absent"),
            (format!(r#"{{"S": {{{range}}}}}"#), "S.FragmentSelectorType is required"),
            (format!(r#"{{"S": {{{clock}}}}}"#), "S.TimestampRange is required"),
            (
                format!(r#"{{"S": {{{clock}, "TimestampRange": {{"EndTimestamp": 2}}}}}}"#),
                "S.TimestampRange.StartTimestamp is required",
            ),
            (
                format!(r#"{{"S": {{{clock}, "TimestampRange": {{"StartTimestamp": 2}}}}}}"#),
                "S.TimestampRange.EndTimestamp is required",
            ),
            (
                format!(r#"{{"S": {{"FragmentSelectorType": "NOW", {range}}}}}"#),
                "S.FragmentSelectorType: expected one of PRODUCER_TIMESTAMP, SERVER_TIMESTAMP, found \"NOW\"",
            ),
            (
                format!(
                    r#"{{"S": {{{clock}, "TimestampRange": {{"StartTimestamp": 2, "EndTimestamp": 2}}}}}}"#
                ),
                "EndTimestamp: expected a time later than StartTimestamp 1970-01-01T00:00:02.000Z, found \
                 1970-01-01T00:00:02.000Z",
            ),
        ] {
            assert_eq!(parse(&body), Err(message.into()));
        }
    }
}
