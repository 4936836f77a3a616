//! [`TrackTimes`]: the times of a track's samples, as its tables and its edit list hold them.

use crate::time::runs::Runs;
use crate::time::units::{MediaTicks, MovieTicks, Nanos, Timescale};

/// The times of a track's samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrackTimes {
    /// Of all ticks that follow.
    pub(crate) timescale: Timescale,
    /// When the track begins to be presented, on the clip's timeline, whose zero is where its first track begins.
    pub(crate) start: Nanos,
    /// Composition time of the sample that is first in presentation order.
    pub(crate) composition_delay: MediaTicks,
    /// How much of the media from its first sample in presentation order on is not presented: leading pictures that cannot be decoded, the priming of
    /// an audio encoder.
    pub(crate) skipped: MediaTicks,
    /// From the decode time of each sample to the next.
    pub(crate) deltas: Runs<u32>,
    /// From the decode time of each sample to its composition time. None if all are 0.
    pub(crate) offsets: Runs<u32>,
    /// Sum of the deltas.
    pub(crate) duration: u64,
    /// How much is presented from there on: the rest of the media, unless the clip is trimmed.
    pub(crate) played: u64,
}

/// Which part of a track is presented when (EditBox, ISO/IEC 14496-12 section 8.6.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edit {
    /// An empty edit stands before it, unless it is 0.
    pub(crate) start: MovieTicks,
    pub(crate) end: MovieTicks,
    /// Composition time of the media that is presented at the start.
    pub(crate) media_time: u64,
    /// All of the media is presented.
    is_whole: bool,
}

impl TrackTimes {
    /// When it ends, on the clip's timeline.
    pub(crate) fn end(&self) -> Nanos {
        self.start + self.timescale.nanos(MediaTicks::of(self.played))
    }

    /// How long all samples last.
    pub(crate) fn media_duration(&self) -> Nanos {
        self.timescale.nanos(MediaTicks::of(self.duration))
    }

    /// When a decode time is due on the clip's timeline, the composition delay aside.
    pub(crate) fn due(&self, decode_time: u64) -> Nanos {
        self.start + self.timescale.nanos(MediaTicks::of(decode_time) - self.skipped)
    }

    /// Composition time of the media that is presented at the start.
    pub(crate) fn media_time(&self) -> MediaTicks {
        self.composition_delay + self.skipped
    }

    /// The edit that presents the track. Points are rounded, not distances, so that the tracks stay together.
    pub(crate) fn edit(&self) -> Edit {
        let start = MovieTicks::at(self.start);
        // Points that are rounded can be a tick too close: a last picture of one tick would not be shown.
        let shows_all = self.timescale.whole_movie_ticks(MediaTicks::of(self.played) - MediaTicks::ONE);
        Edit {
            start,
            end: MovieTicks::at(self.end()).max(start + shows_all + MovieTicks::new(1)),
            media_time: self.media_time().unsigned(),
            is_whole: self.played == self.duration,
        }
    }
}

impl Edit {
    /// Whether it presents what would be presented without an edit list.
    pub(crate) fn is_identity(&self) -> bool {
        self.start == MovieTicks::new(0) && self.media_time == 0 && self.is_whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(start_ms: i64, skipped: u32) -> TrackTimes {
        let mut deltas = Runs::default();
        deltas.push(4, 1024);
        TrackTimes {
            timescale: Timescale::new(48_000),
            start: Nanos::from_millis(start_ms),
            composition_delay: MediaTicks::ZERO,
            skipped: skipped.into(),
            duration: deltas.sum(),
            played: deltas.sum() - u64::from(skipped),
            deltas,
            offsets: Runs::default(),
        }
    }

    #[test]
    fn what_is_skipped_is_not_presented() {
        let whole = track(100, 0).edit();
        assert_eq!((whole.start.get(), whole.end.get(), whole.media_time), (9000, 9000 + 7680, 0));
        assert!(!whole.is_identity());
        assert!(track(0, 0).edit().is_identity());
        // 1024 of 4096 ticks of 48 kHz: 64 ms are left, which are 5760 ticks of 90 kHz.
        let cut = track(100, 1024);
        assert_eq!((cut.edit().end.get(), cut.edit().media_time), (9000 + 5760, 1024));
        assert_eq!((cut.due(1024), cut.end()), (Nanos::from_millis(100), Nanos::from_millis(164)));
        assert!(!track(0, 1024).edit().is_identity());
        assert!(!TrackTimes { played: 2048, ..track(0, 0) }.edit().is_identity(), "its end is left out");
    }
}
