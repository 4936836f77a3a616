//! Which fragments a clip may be made of, by their keys alone.

use std::collections::HashSet;
use std::pin::pin;

use futures_util::TryStreamExt;
use getclip::ClipFragmentSelectorType;

use crate::Error;
use crate::clip::ClipRequest;
use crate::find::{Finder, TimeRange};
use crate::fragment::StoredFragment;

/// The fragments of a range in order, up to the first that the limit of fragments leaves out. That one is needed too:
/// the report names it as the one to continue from.
pub(super) async fn select(finder: &Finder, request: &ClipRequest) -> Result<Vec<StoredFragment>, Error> {
    let clock = request.selector.selector_type();
    let mut buckets = pin!(finder.fragments(clock, TimeRange::of(&request.selector)));
    let mut selection = Selection {
        clock,
        room: request.limits.max_fragments.get().saturating_add(1),
        ..Selection::default()
    };
    while let Some(bucket) = buckets.try_next().await? {
        for fragment in bucket {
            if !selection.add(fragment) {
                return Ok(selection.found);
            }
        }
    }
    Ok(selection.found)
}

#[derive(Debug)]
struct Selection {
    clock: ClipFragmentSelectorType,
    room: usize,
    found: Vec<StoredFragment>,
    /// Starts by the producer's clock, of which each counts once: the others are duplicates.
    starts: HashSet<i64>,
}

impl Default for Selection {
    fn default() -> Self {
        let clock = ClipFragmentSelectorType::ProducerTimestamp;
        Self { clock, room: 0, found: Vec::new(), starts: HashSet::new() }
    }
}

impl Selection {
    /// Adds the next fragment, unless there is no room for another one.
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
