//! [`TrackTimes`]: the times of a track's samples, as its tables and its edit list hold them.

use crate::time::runs::Runs;
use crate::time::units::ticks_to_ns;

/// The times of a track's samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrackTimes {
    /// Ticks per second of all that follows.
    pub(crate) timescale: u32,
    /// When its first sample is shown, in nanoseconds on the clip's timeline, whose zero is where the first track
    /// begins.
    pub(crate) start_ns: i64,
    /// Composition time of the sample that is shown first.
    pub(crate) composition_delay: u64,
    /// From the decode time of each sample to the next.
    pub(crate) deltas: Runs<u32>,
    /// From the decode time of each sample to its composition time. None if all are 0.
    pub(crate) offsets: Runs<u32>,
    /// Sum of the deltas.
    pub(crate) duration: u64,
    /// How much is played from the first sample that is shown on: the duration, unless the clip is trimmed.
    pub(crate) played: u64,
}

impl TrackTimes {
    /// How long the media plays, in nanoseconds.
    pub(crate) fn duration_ns(&self) -> i64 {
        ticks_to_ns(i64::try_from(self.duration).unwrap_or(i64::MAX), self.timescale)
    }

    /// When it ends, in nanoseconds on the clip's timeline.
    pub(crate) fn end_ns(&self) -> i64 {
        let played = i64::try_from(self.played).unwrap_or(i64::MAX);
        self.start_ns.saturating_add(ticks_to_ns(played, self.timescale))
    }
}
