//! What of a clip is played, if it is trimmed to the range that was asked for.
//!
//! ```text
//! media   [sync sample, pictures that are only decoded][on the screen at the start ... last picture]
//! edit                                                 [start                              ... end]
//! ```
//! Decoding begins at a sync sample, and an edit begins at the picture that is on the screen when the range starts. All
//! tracks begin with it, and end with the range. The pictures before it are a tick long each, so that a player which
//! ignores edit lists is done with them in an instant.

use crate::named::named;
use crate::plan::{LeadingRun, PlannedFragment};
use crate::report::Event;
use crate::selector::ClipTimestampRange;
use crate::time::runs::Runs;
use crate::time::units::{ns_to_ticks, ticks_to_ns};
use crate::time::{Timeline, TrackTimes};

const NANOS_PER_MILLI: i64 = 1_000_000;

/// What a clip plays of its range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trim {
    /// Every frame of the fragments that were taken, as GetClip does.
    #[default]
    WholeFragments,
    /// From the picture that is on the screen at the start of the range to the end of the range, without re-encoding.
    ///
    /// Frames outside the range are left out, but for the pictures that decoding needs: an edit list skips these.
    ToRange,
}

named!(Trim, "what a clip plays of its range", {
    WholeFragments => "whole-fragments",
    ToRange => "to-range",
});

impl Timeline {
    /// Plays what is in `range`, which is on the clock of the selection.
    pub(crate) fn trim(&mut self, range: ClipTimestampRange, run: LeadingRun<'_>) {
        let (Some(first), Some(last)) = (run.fragments.first(), run.fragments.last()) else { return };
        let since = |time: i64, fragment: &PlannedFragment| {
            time.saturating_sub(fragment.selected_by.as_millis()).saturating_mul(NANOS_PER_MILLI)
        };
        let into_ns = since(range.start().as_millis(), first);
        let last_start_ns = self.base_ns(last, run.fragments.len().saturating_sub(1));
        let end_ns = last_start_ns.saturating_add(since(range.end().as_millis(), last));
        // Of pictures of one time, the last to be decoded is the last to be shown.
        let shown = first.video.samples.iter().enumerate().filter(|(_, picture)| picture.time_ns <= into_ns);
        let picture = shown.max_by_key(|(index, picture)| (picture.time_ns, *index)).map(|(index, _)| index);
        let start_ns = match (picture, &self.video) {
            (Some(picture), Some(video)) => video.shown_at_ns(picture),
            // Before the first picture there is nothing to leave out, and sound alone can begin anywhere.
            (None, Some(_)) => 0,
            (_, None) => self.base_ns(first, 0).saturating_add(into_ns).max(0),
        };
        for times in self.video.iter_mut().chain(&mut self.audio) {
            times.play(start_ns, end_ns);
        }
        let not_shown = self.video.as_mut().map_or(0, TrackTimes::hurry_to_start);
        for start in &mut self.fragment_starts_ns {
            *start = start.saturating_sub(start_ns);
        }
        let left_out = run.fragments.iter().map(|fragment| fragment.left_out).sum();
        if left_out > 0 || not_shown > 0 {
            self.events.push(Event::Trimmed { left_out, not_shown });
        }
    }

    /// Where the `place`-th fragment's own times count from, on the clip's timeline.
    fn base_ns(&self, fragment: &PlannedFragment, place: usize) -> i64 {
        let samples = fragment.video.samples.iter().chain(&fragment.audio.samples);
        let first_ns = samples.filter(|sample| !sample.inherits_time()).map(|sample| sample.time_ns).min();
        let start_ns = self.fragment_starts_ns.get(place).copied().unwrap_or(0);
        start_ns.saturating_sub(first_ns.unwrap_or(0))
    }
}

impl TrackTimes {
    /// When a sample is shown, in nanoseconds on the clip's timeline.
    fn shown_at_ns(&self, index: usize) -> i64 {
        let count = u32::try_from(index).unwrap_or(u32::MAX);
        let decoded = self.deltas.cursor().advance(count);
        let mut offsets = self.offsets.cursor();
        offsets.advance(count);
        let offset = offsets.run().map_or(0, |(_, offset)| u64::from(offset));
        let since_first = decoded.saturating_add(offset).saturating_sub(self.composition_delay);
        let since_first = i64::try_from(since_first).unwrap_or(i64::MAX);
        self.start_ns.saturating_add(ticks_to_ns(since_first, self.timescale))
    }

    /// Plays what lies between two times on the clip's timeline, the first of which becomes its zero.
    fn play(&mut self, start_ns: i64, end_ns: i64) {
        let end_ns = self.end_ns().min(end_ns);
        let skipped_ns = start_ns.saturating_sub(self.start_ns).max(0);
        let ticks = |ns: i64| u64::try_from(ns_to_ticks(ns, self.timescale)).unwrap_or(0);
        let skipped = ticks(skipped_ns).min(self.played);
        let shown_from_ns = self.start_ns.saturating_add(skipped_ns);
        let played = ticks(end_ns.saturating_sub(shown_from_ns).max(0));
        self.played = played.min(self.played.saturating_sub(skipped));
        self.composition_delay = self.composition_delay.saturating_add(skipped);
        self.start_ns = shown_from_ns.min(end_ns).saturating_sub(start_ns).max(0);
    }

    /// Makes the pictures before the edit a tick long each, and returns how many there are.
    fn hurry_to_start(&mut self) -> u64 {
        let mut shown = self.composition_times();
        let mut hurried: Vec<(u64, usize)> = shown.iter().copied().zip(0..).collect();
        hurried.retain(|(time, _)| *time < self.composition_delay);
        hurried.sort_unstable();
        let count = hurried.len() as u64;
        // Decode times are the composition times in their order, less a delay that lets every picture be decoded before
        // it is shown: as in `video`. What was before the first picture is cut off.
        let Some(cut) = self.composition_delay.checked_sub(count).filter(|_| count > 0) else { return 0 };
        for time in &mut shown {
            *time = time.saturating_sub(cut);
        }
        for ((_, place), rank) in hurried.iter().zip(0..) {
            if let Some(time) = shown.get_mut(*place) {
                *time = rank;
            }
        }
        let mut decoded = shown.clone();
        decoded.sort_unstable();
        let delay = decoded.iter().zip(&shown).map(|(decoded, shown)| decoded.saturating_sub(*shown)).max();
        let delay = delay.unwrap_or(0);
        let last = self.deltas.as_slice().last().map_or(0, |&(_, delta)| delta);
        let narrow = |ticks: u64| u32::try_from(ticks).unwrap_or(u32::MAX);
        (self.deltas, self.offsets) = (Runs::default(), Runs::default());
        for (&time, next) in decoded.iter().zip(decoded.iter().skip(1)) {
            self.deltas.push(1, narrow(next.saturating_sub(time)));
        }
        self.deltas.push(1, last);
        if delay > 0 {
            for (&decoded, &shown) in decoded.iter().zip(&shown) {
                self.offsets.push(1, narrow(shown.saturating_add(delay).saturating_sub(decoded)));
            }
        }
        self.duration = self.deltas.sum();
        self.composition_delay = count.saturating_add(delay);
        count
    }

    /// The composition times of all samples in decode order.
    fn composition_times(&self) -> Vec<u64> {
        let unrolled = |runs: &Runs<u32>| -> Vec<u32> {
            let runs = runs.as_slice().iter();
            runs.flat_map(|&(count, value)| std::iter::repeat_n(value, count as usize)).collect()
        };
        let offsets = unrolled(&self.offsets).into_iter().chain(std::iter::repeat(0));
        let mut decoded = 0_u64;
        let times = unrolled(&self.deltas).into_iter().zip(offsets).map(|(delta, offset)| {
            let shown = decoded.saturating_add(offset.into());
            decoded = decoded.saturating_add(delta.into());
            shown
        });
        times.collect()
    }
}
