//! [`TimeRange`]: which fragments `--start`, `--end` and `--duration` select.

use std::fmt;

use getclip::{ClipFragmentSelector, ClipFragmentSelectorType, ClipTimestampRange, Timestamp};

use crate::args::ClipArguments;
use crate::failure::Failure;
use crate::time::{Bound, Moment, Now, parse_duration};

/// The service takes fragments of up to 20 s, and a block is at most 32.767 s after its Cluster in steps of 1 ms.
const LONGEST_FRAGMENT_MS: i64 = 33_000;

/// The range of a clip. Either end can be open: whatever the input holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TimeRange {
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
    pub(crate) by: ClipFragmentSelectorType,
    /// How times were understood, where that is not plain.
    pub(crate) notes: Vec<String>,
}

impl TimeRange {
    /// The range that the arguments ask for.
    pub(crate) fn new(arguments: &ClipArguments, now: &Now) -> Result<Self, Failure> {
        let read = |text: &Option<String>, option: &str, bound| {
            let moment = text.as_deref().map(|text| Moment::parse(text, bound, now)).transpose();
            moment.map_err(|refusal| Failure::usage(format!("{option}: {refusal}")))
        };
        let start = read(&arguments.start, "--start", Bound::Start)?;
        let end = read(&arguments.end, "--end", Bound::End)?;
        let duration = arguments.duration.as_deref().map(parse_duration).transpose();
        let duration = duration.map_err(|refusal| Failure::usage(format!("--duration: {refusal}")))?;
        let time = |moment: &Option<Moment>| moment.as_ref().map(|moment| moment.time);
        let (mut from, mut to) = (time(&start), time(&end));
        if let Some(millis) = duration {
            match (from, to) {
                (Some(start), None) => to = Some(start.saturating_add_millis(millis)),
                (None, Some(end)) => from = Some(end.saturating_add_millis(-millis)),
                (None, None) => {
                    return Err(Failure::usage(
                        "--duration: expected --start or --end beside it, found neither",
                    ));
                }
                (Some(_), Some(_)) => {
                    return Err(Failure::usage(
                        "--duration: expected --start or --end beside it, found both",
                    ));
                }
            }
        }
        if let (Some(start), Some(end)) = (from, to)
            && end <= start
        {
            let text = format!("--end: expected a time later than the start {start}, found {end}");
            return Err(Failure::usage(text));
        }
        let notes = [start, end].into_iter().flatten().filter_map(|moment| moment.note).collect();
        Ok(Self { start: from, end: to, by: arguments.by, notes })
    }

    /// Whether a range was asked for at all.
    pub(crate) fn is_bounded(&self) -> bool {
        self.start.is_some() || self.end.is_some()
    }

    /// The range as the library takes it.
    pub(crate) fn selector(&self) -> Result<ClipFragmentSelector, Failure> {
        self.selector_from(self.start)
    }

    /// The fragments whose frames are worth reading: those in the range, and those before it that may reach into it.
    /// `None` where that is all.
    pub(crate) fn reading(&self) -> Result<Option<ClipFragmentSelector>, Failure> {
        if !self.is_bounded() {
            return Ok(None);
        }
        self.selector_from(self.start.map(|start| start.saturating_add_millis(-LONGEST_FRAGMENT_MS)))
            .map(Some)
    }

    fn selector_from(&self, start: Option<Timestamp>) -> Result<ClipFragmentSelector, Failure> {
        if !self.is_bounded() {
            return Ok(ClipFragmentSelector::all(self.by));
        }
        let start = start.unwrap_or(Timestamp::from_millis(i64::MIN));
        let end = self.end.unwrap_or(Timestamp::from_millis(i64::MAX));
        let range = ClipTimestampRange::unlimited(start, end).map_err(Failure::usage)?;
        Ok(match self.by {
            ClipFragmentSelectorType::ProducerTimestamp => ClipFragmentSelector::producer(range),
            ClipFragmentSelectorType::ServerTimestamp => ClipFragmentSelector::server(range),
        })
    }
}

/// The range as a message states it.
impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.start, self.end) {
            (Some(start), Some(end)) => write!(f, "from {start} to {end}")?,
            (Some(start), None) => write!(f, "from {start} on")?,
            (None, Some(end)) => write!(f, "up to {end}")?,
            (None, None) => f.write_str("everything")?,
        }
        write!(f, " by {} timestamp", self.by)
    }
}
