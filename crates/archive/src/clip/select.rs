//! Selecting the fragments of a clip by their keys alone.

use std::collections::HashSet;
use std::pin::pin;

use futures_util::TryStreamExt;
use getclip::{ClipFragmentSelectorType, RangeStart};

use crate::Error;
use crate::clip::ClipRequest;
use crate::find::{Finder, TimeRange};
use crate::fragment::StoredFragment;

/// Longest time before a range at which a fragment that covers its start may begin.
const LONGEST_MS: i64 = 600_000;

/// Fragments that may be selected and dropped again: those at the ends of a trimmed range that have no frame in it.
const TRIMMED: usize = 2;

/// The fragments of a range in order, up to the first one that the limit of fragments leaves out: the report names it as
/// the place to continue from.
pub(super) async fn select(finder: &Finder, request: &ClipRequest) -> Result<Vec<StoredFragment>, Error> {
    let clock = request.selector.selector_type();
    let mut range = TimeRange::of(&request.selector);
    let mut selection = Selection {
        clock,
        start_ms: range.start_ms,
        room: request.limits.max_fragments.get().saturating_add(1 + TRIMMED),
        covering: Vec::new(),
        found: Vec::new(),
        starts: HashSet::new(),
    };
    if request.range_start == RangeStart::Covering {
        range.start_ms = range.start_ms.saturating_sub(LONGEST_MS);
    }
    let mut buckets = pin!(finder.fragments(clock, range));
    while let Some(bucket) = buckets.try_next().await? {
        for fragment in bucket {
            if !selection.look_at(fragment) {
                return Ok(selection.found);
            }
        }
    }
    selection.take_covering();
    Ok(selection.found)
}

#[derive(Debug)]
struct Selection {
    clock: ClipFragmentSelectorType,
    start_ms: i64,
    room: usize,
    /// Fragments that cover the start of the range: of those, the ones with the latest start.
    covering: Vec<StoredFragment>,
    found: Vec<StoredFragment>,
    /// Starts by the producer's clock. A fragment with a start that is known already is a duplicate.
    starts: HashSet<i64>,
}

impl Selection {
    /// Looks at the next fragment. Returns whether there is room for more.
    fn look_at(&mut self, fragment: StoredFragment) -> bool {
        let ms = fragment.time(self.clock).as_millis();
        if ms >= self.start_ms {
            return self.take_covering() && self.add(fragment);
        }
        if ms.saturating_add_unsigned(fragment.length_ms()) > self.start_ms {
            self.covering.retain(|other| other.time(self.clock).as_millis() == ms);
            self.covering.push(fragment);
        }
        true
    }

    fn take_covering(&mut self) -> bool {
        let covering = std::mem::take(&mut self.covering);
        covering.into_iter().all(|fragment| self.add(fragment))
    }

    /// Adds a fragment, unless there is no room for another one.
    fn add(&mut self, fragment: StoredFragment) -> bool {
        let is_duplicate = self.clock == ClipFragmentSelectorType::ProducerTimestamp
            && !self.starts.insert(fragment.key.producer_ms);
        if !is_duplicate {
            if self.room == 0 {
                return false;
            }
            self.room -= 1;
        }
        self.found.push(fragment);
        true
    }
}
