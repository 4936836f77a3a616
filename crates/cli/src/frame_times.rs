//! [`FrameTimes`]: when the frames of a fragment are shown.

use getclip::{FragmentIndex, TrackEntry};

/// When the frames of one track are shown, in nanoseconds from the Cluster's timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameTimes {
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// Duration of a frame: what the producer declared, else the mean step, else 0.
    pub(crate) step: i64,
}

impl FrameTimes {
    /// The times of one track; `None` if it has no frame.
    pub(crate) fn of_track(fragment: &FragmentIndex, track: &TrackEntry) -> Option<Self> {
        let mut times: Option<Self> = None;
        let (mut frames, mut last_duration): (i64, _) = (0, None);
        for frame in fragment.frames().filter(|frame| frame.track().number == track.number) {
            frames = frames.saturating_add(1);
            let time = frame.time_ns();
            let times = times.get_or_insert(Self { first: time, last: time, step: 0 });
            times.first = times.first.min(time);
            times.last = times.last.max(time);
            last_duration = frame.duration_ns();
        }
        let mut times = times?;
        let mean = || times.last.saturating_sub(times.first).checked_div(frames.checked_sub(1)?);
        let declared = last_duration.or(track.default_duration_ns).and_then(|ns| i64::try_from(ns).ok());
        times.step = declared.or_else(mean).unwrap_or(0);
        Some(times)
    }

    /// When the last frame is over.
    pub(crate) fn end(self) -> i64 {
        self.last.saturating_add(self.step)
    }
}
