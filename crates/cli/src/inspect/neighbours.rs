//! [`Neighbours`]: how a fragment goes on from the one in front of it.

use getclip::{FragmentIndex, TrackEntry};

use crate::frame_times::FrameTimes;
use crate::inspect::row::{TrackSummary, Unusual};

/// What is to be remembered of the fragment before.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    tracks: Vec<TrackEntry>,
    end: Option<End>,
}

/// Where the fragment before ends.
#[derive(Debug)]
struct End {
    clock: Clock,
    /// Per track number, the times of its frames on that clock.
    tracks: Vec<(u64, FrameTimes)>,
}

/// What the times of a fragment count from. FrameTimes of different clocks do not compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    Producer,
    Cluster,
}

impl Neighbours {
    /// What is unusual between the fragment before and this one, which takes its place.
    pub(super) fn compare(&mut self, fragment: &FragmentIndex, tracks: &[TrackSummary]) -> Vec<Unusual> {
        let mut unusual = self.compare_tracks(fragment.tracks());
        // What is left of a cut-off document has no times, and stands between fragments that may well fit.
        if let Some(end) = End::of(fragment, tracks) {
            unusual.extend(self.end.as_ref().and_then(|before| before.compare(&end)));
            self.end = Some(end);
        }
        unusual
    }

    fn compare_tracks(&mut self, tracks: &[TrackEntry]) -> Vec<Unusual> {
        // A copy: codec private data shares the memory of the whole file, which need not stay.
        let tracks: Vec<TrackEntry> = tracks
            .iter()
            .cloned()
            .map(|mut track| {
                track.codec_private = track.codec_private.map(|private| private.to_vec().into());
                track
            })
            .collect();
        let before = std::mem::replace(&mut self.tracks, tracks);
        if before.is_empty() || self.tracks.is_empty() {
            return Vec::new();
        }
        let same_tracks = before.len() == self.tracks.len()
            && before
                .iter()
                .zip(&self.tracks)
                .all(|(before, now)| (before.number, &before.codec_id) == (now.number, &now.codec_id));
        if !same_tracks {
            return vec![Unusual::TracksChanged];
        }
        let pairs = before.iter().zip(&self.tracks);
        pairs
            .filter(|(before, now)| before.codec_private != now.codec_private)
            .map(|(_, now)| Unusual::CodecPrivateChanged { track: now.number })
            .collect()
    }
}

impl End {
    fn of(fragment: &FragmentIndex, tracks: &[TrackSummary]) -> Option<Self> {
        let (clock, start_ns) = match fragment.producer_timestamp() {
            Some(time) => (Clock::Producer, time.as_millis().checked_mul(1_000_000)?),
            None => (Clock::Cluster, fragment.cluster_timestamp_ns()?),
        };
        let on_clock = |times: FrameTimes| {
            let (first, last) = (start_ns.checked_add(times.first)?, start_ns.checked_add(times.last)?);
            Some(FrameTimes { first, last, ..times })
        };
        let tracks: Vec<(u64, FrameTimes)> =
            tracks.iter().filter_map(|track| Some((track.number, on_clock(track.times?)?))).collect();
        (!tracks.is_empty()).then_some(Self { clock, tracks })
    }

    /// An overlap, if on some track the next fragment begins no later than the last frame of this one; a gap, if on
    /// every track it begins later than the end of this one by more than a frame. Less is jitter, or one frame lost.
    /// The timeline of a clip goes by the same rule.
    fn compare(&self, next: &Self) -> Option<Unusual> {
        if self.clock != next.clock {
            return None;
        }
        let of_both = || {
            next.tracks.iter().filter_map(|(number, next)| {
                let (_, before) = self.tracks.iter().find(|(before, _)| before == number)?;
                Some((before, next))
            })
        };
        let overlaps = of_both().filter(|(before, next)| next.first <= before.last);
        let overlap = overlaps.map(|(before, next)| before.end().saturating_sub(next.first)).max();
        if let Some(duration_ns) = overlap {
            return Some(Unusual::Overlap { duration_ns });
        }
        let missing = |(before, next): (&FrameTimes, &FrameTimes)| next.first.saturating_sub(before.end());
        let is_gap = of_both().all(|(before, next)| missing((before, next)) > before.step);
        let duration_ns = of_both().map(missing).min().filter(|_| is_gap)?;
        Some(Unusual::Gap { duration_ns })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn end(first: i64, last: i64) -> End {
        let times = FrameTimes { first: first * MS, last: last * MS, step: 40 * MS };
        End { clock: Clock::Producer, tracks: vec![(1, times)] }
    }

    #[test]
    fn jitter_of_less_than_a_frame_is_usual() {
        let before = end(0, 960);
        for (first, expected) in [
            (960, Some(Unusual::Overlap { duration_ns: 40 * MS })),
            (961, None),
            (1000, None),
            (1040, None),
            (1041, Some(Unusual::Gap { duration_ns: 41 * MS })),
            (-500, Some(Unusual::Overlap { duration_ns: 1500 * MS })),
        ] {
            assert_eq!(before.compare(&end(first, first + 960)), expected, "{first}");
        }
    }

    #[test]
    fn clocks_do_not_compare() {
        let cluster = End { clock: Clock::Cluster, ..end(0, 960) };
        assert_eq!(end(0, 960).compare(&cluster), None);
    }
}
