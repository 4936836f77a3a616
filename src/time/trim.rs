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
use crate::time::timeline::Timeline;
use crate::time::track_times::TrackTimes;
use crate::time::units::{MediaTicks, Nanos};

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
            Nanos::from_millis(time) - Nanos::from_millis(fragment.selected_by.as_millis())
        };
        let into = since(range.start().as_millis(), first);
        let base_of_last = self.bases.last().copied().unwrap_or_default();
        let end = base_of_last + since(range.end().as_millis(), last);
        // Of pictures of one time, the last to be decoded is the last to be shown.
        let pictures = first.video.samples.iter().enumerate();
        let shown = pictures.filter(|(_, picture)| Nanos::new(picture.time_ns) <= into);
        let picture = shown.max_by_key(|(index, picture)| (picture.time_ns, *index)).map(|(index, _)| index);
        let start = match (picture, &self.video) {
            (Some(picture), Some(video)) => video.presented_at(picture),
            // Before the first picture there is nothing to leave out, and sound alone can begin anywhere.
            (None, Some(_)) => Nanos::ZERO,
            (_, None) => (self.bases.first().copied().unwrap_or_default() + into).max(Nanos::ZERO),
        };
        for times in self.video.iter_mut().chain(&mut self.audio) {
            times.play(start, end);
        }
        let not_shown = self.video.as_mut().map_or(0, TrackTimes::hurry_to_start);
        for fragment_start in &mut self.fragment_starts_ns {
            *fragment_start = (Nanos::new(*fragment_start) - start).get();
        }
        for event in &mut self.events {
            if let Event::SteppedBack { at_ns, .. }
            | Event::TrackGap { at_ns, .. }
            | Event::AudioReanchored { at_ns, .. } = event
            {
                *at_ns = (Nanos::new(*at_ns) - start).get();
            }
        }
        let left_out = run.fragments.iter().map(|fragment| fragment.left_out).sum();
        if left_out > 0 || not_shown > 0 {
            self.events.push(Event::Trimmed { left_out, not_shown });
        }
    }
}

impl TrackTimes {
    /// When a sample is presented, on the clip's timeline.
    fn presented_at(&self, index: usize) -> Nanos {
        let count = u32::try_from(index).unwrap_or(u32::MAX);
        let decoded = self.deltas.cursor().advance(count);
        let mut offsets = self.offsets.cursor();
        offsets.advance(count);
        let offset = offsets.run().map_or(0, |(_, offset)| offset);
        let since_start = MediaTicks::of(decoded) + offset.into() - self.media_time();
        self.start + self.timescale.nanos(since_start)
    }

    /// Plays what lies between two times on the clip's timeline, the first of which becomes its zero.
    fn play(&mut self, start: Nanos, end: Nanos) {
        let end = self.end().min(end);
        let left_out = (start - self.start).max(Nanos::ZERO);
        let skipped = self.timescale.ticks(left_out).min(MediaTicks::of(self.played));
        let shown_from = self.start + left_out;
        let played = self.timescale.ticks((end - shown_from).max(Nanos::ZERO)).unsigned();
        self.played = played.min(self.played.saturating_sub(skipped.unsigned()));
        self.skipped += skipped;
        self.start = (shown_from.min(end) - start).max(Nanos::ZERO);
    }

    /// Makes the pictures before the edit a tick long each, and returns how many there are.
    fn hurry_to_start(&mut self) -> u64 {
        let mut shown = self.composition_times();
        let media_time = self.media_time();
        let mut hurried: Vec<(MediaTicks, usize)> = shown.iter().copied().zip(0..).collect();
        hurried.retain(|(time, _)| *time < media_time);
        hurried.sort_unstable();
        let count = hurried.len() as u64;
        // Decode times are the composition times in their order, less a delay that lets every picture be decoded before
        // it is shown: as in `video`. What was before the first picture is cut off.
        let cut = media_time - MediaTicks::of(count);
        if count == 0 || cut < MediaTicks::ZERO {
            return 0;
        }
        for time in &mut shown {
            *time -= cut;
        }
        for ((_, place), rank) in hurried.iter().zip(0..) {
            if let Some(time) = shown.get_mut(*place) {
                *time = MediaTicks::new(rank);
            }
        }
        let mut decoded = shown.clone();
        decoded.sort_unstable();
        let delay = decoded.iter().zip(&shown).map(|(decoded, shown)| *decoded - *shown).max();
        let delay = delay.unwrap_or_default().max(MediaTicks::ZERO);
        let last = self.deltas.as_slice().last().map_or(0, |&(_, delta)| delta);
        let narrow = |ticks: MediaTicks| ticks.entry().unwrap_or(u32::MAX);
        (self.deltas, self.offsets) = (Runs::default(), Runs::default());
        for (time, next) in decoded.iter().zip(decoded.iter().skip(1)) {
            self.deltas.push(1, narrow(*next - *time));
        }
        self.deltas.push(1, last);
        if delay > MediaTicks::ZERO {
            for (decoded, shown) in decoded.iter().zip(&shown) {
                self.offsets.push(1, narrow(*shown + delay - *decoded));
            }
        }
        self.duration = self.deltas.sum();
        (self.composition_delay, self.skipped) = (delay, MediaTicks::of(count));
        count
    }

    /// The composition times of all samples in decode order.
    fn composition_times(&self) -> Vec<MediaTicks> {
        let unrolled = |runs: &Runs<u32>| -> Vec<u32> {
            let runs = runs.as_slice().iter();
            runs.flat_map(|&(count, value)| std::iter::repeat_n(value, count as usize)).collect()
        };
        let offsets = unrolled(&self.offsets).into_iter().chain(std::iter::repeat(0));
        let mut decoded = MediaTicks::ZERO;
        let times = unrolled(&self.deltas).into_iter().zip(offsets).map(|(delta, offset)| {
            let shown = decoded + offset.into();
            decoded += delta.into();
            shown
        });
        times.collect()
    }
}
