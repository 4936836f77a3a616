//! When the frames of a fragment are shown.

use std::ops::Range;

use crate::index::FragmentIndex;
use crate::matroska::TrackType;

impl FragmentIndex {
    /// When the frames of the fragment are shown, in nanoseconds from its Cluster's timestamp: from the first picture to
    /// the end of the last, or from the first frame of any track where there are no pictures. `None` without frames.
    ///
    /// The last one lasts as long as the producer declared, else as long as the others do on average.
    pub fn shown_ns(&self) -> Option<Range<i64>> {
        let is_video =
            |track: usize| self.tracks().get(track).is_some_and(|entry| entry.track_type == TrackType::Video);
        let tracks = 0..self.frames.tracks.len();
        let spans = |track| self.track_shown_ns(track);
        let mut video = tracks.clone().filter(|&track| is_video(track)).filter_map(spans);
        video
            .next()
            .or_else(|| tracks.filter_map(spans).reduce(|a, b| a.start.min(b.start)..a.end.max(b.end)))
    }

    fn track_shown_ns(&self, track: usize) -> Option<Range<i64>> {
        let rows = self.frames.rows(track);
        let first = rows.iter().map(|row| row.time_ns).min()?;
        let last = rows.iter().map(|row| row.time_ns).max()?;
        let declared = self.frames.tracks.get(track)?.durations_ns.last().copied().filter(|&ns| ns > 0);
        let declared = declared.or_else(|| self.tracks().get(track)?.default_duration_ns);
        let steps = i64::try_from(rows.len()).ok()?.saturating_sub(1);
        let mean = || last.saturating_sub(first).checked_div(steps).unwrap_or(0);
        let step = declared.and_then(|ns| i64::try_from(ns).ok()).unwrap_or_else(mean);
        Some(first..last.saturating_add(step))
    }
}
