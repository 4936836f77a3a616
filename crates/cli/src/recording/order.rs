//! [`Order`]: when a pipe has nothing more for the range.
//!
//! A stream of GetMedia comes in the order of fragment numbers, and a camera that never went offline numbers its
//! fragments in the order of time. As long as that holds, a fragment after the end of the range shows that all later
//! ones are after it too. So reading stops at the first fragment that
//!
//! * starts after the end of the range, or is one more in the range than the limit on fragments lets through,
//! * and is the second of its input or a later one,
//! * where every fragment so far carries a number and a timestamp by the clock of the range, and neither ever fell.
//!
//! One fragment out of order, or without tags, and the pipe is read to its end.

use getclip::{ClipFragmentSelectorType, FragmentIndex, FragmentNumber, Timestamp};

use crate::time::TimeRange;

/// The order of the fragments of one input so far.
#[derive(Debug)]
pub(super) struct Order {
    by: ClipFragmentSelectorType,
    end: Option<Timestamp>,
    start: Option<Timestamp>,
    max_fragments: usize,
    last: Option<(FragmentNumber, Timestamp)>,
    /// Fragments in the range, those of one time counted once.
    in_range: usize,
    is_broken: bool,
    /// Some fragment carries a number or a time.
    is_tagged: bool,
}

/// Why nothing more can be in the clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The fragment starts after the end of the range.
    AfterTheEnd,
    /// The limit on fragments was reached before the fragment.
    Limit,
}

impl Order {
    pub(super) fn new(range: &TimeRange, max_fragments: usize) -> Self {
        Self {
            by: range.by,
            end: range.end,
            start: range.start,
            max_fragments,
            last: None,
            in_range: 0,
            is_broken: false,
            is_tagged: false,
        }
    }

    /// Whether all fragments so far came in the order in which they stand in a clip: in that of numbers and times, or
    /// without either, which leaves them in the order of the input.
    pub(super) fn is_kept(&self) -> bool {
        !self.is_broken || !self.is_tagged
    }

    /// Looks at the next fragment. Returns why no later one can be in the clip, if none can.
    pub(super) fn offer(&mut self, fragment: &FragmentIndex) -> Option<Reason> {
        let times = [fragment.producer_timestamp(), fragment.server_timestamp()];
        self.is_tagged |= fragment.number().is_some() || times.iter().any(Option::is_some);
        if self.is_broken {
            return None;
        }
        let time = match self.by {
            ClipFragmentSelectorType::ProducerTimestamp => fragment.producer_timestamp(),
            ClipFragmentSelectorType::ServerTimestamp => fragment.server_timestamp(),
        };
        let (Some(number), Some(time)) = (fragment.number(), time) else {
            self.is_broken = true;
            return None;
        };
        let before = self.last.replace((number.clone(), time));
        let is_in_range =
            self.start.is_none_or(|start| start <= time) && self.end.is_none_or(|end| time <= end);
        let is_new = before.as_ref().is_none_or(|(_, before)| *before < time);
        self.in_range = self.in_range.saturating_add(usize::from(is_in_range && is_new));
        let (number_before, time_before) = before?;
        if *number < number_before || time < time_before {
            self.is_broken = true;
            return None;
        }
        if self.end.is_some_and(|end| time > end) {
            Some(Reason::AfterTheEnd)
        } else if self.in_range > self.max_fragments {
            Some(Reason::Limit)
        } else {
            None
        }
    }
}
