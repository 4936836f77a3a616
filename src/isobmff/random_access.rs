//! Where decoding can begin: the sync samples (`stss`), and the pictures from which it recovers (sample group `roll`).

use crate::plan::RecoveryPoint;
use crate::time::TrackTimes;

/// The places of a video track at which decoding can begin. Samples are numbered from 1.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RandomAccess {
    /// Never empty.
    pub(crate) sync_samples: Vec<u32>,
    pub(crate) recoveries: Vec<Recovery>,
}

/// A sample at which decoding can begin, but does not produce right pictures at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recovery {
    pub(crate) sample: u32,
    /// How many of the samples after it must be decoded until all that follow are right, at least 1.
    pub(crate) distance: i16,
}

/// A picture is shown before at most this many that are decoded before it (`max_dec_frame_buffering` of H.264 and H.265).
const MAX_REORDERED: usize = 16;

impl RandomAccess {
    /// Sorts out the sync samples, as far as the bitstream has any, and the recovery points of a track.
    ///
    /// A player can only begin at a sync sample. So the first sample is one where it is a recovery point, since nothing
    /// before it could make its group right, and where the track has no other.
    pub(super) fn new(mut sync_samples: Vec<u32>, points: &[NumberedPoint], times: &TrackTimes) -> Self {
        let begins_with_point = points.first().is_some_and(|point| point.sample == 1);
        if sync_samples.first() != Some(&1) && (begins_with_point || sync_samples.is_empty()) {
            sync_samples.insert(0, 1);
        }
        let recoveries = match points {
            [] => Vec::new(),
            _ => {
                let shown = composition_times(times);
                points.iter().filter_map(|point| point.recovery(&shown)).collect()
            }
        };
        Self { sync_samples, recoveries }
    }
}

/// A recovery point, with the number of its sample in the track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NumberedPoint {
    pub(super) sample: u32,
    pub(super) later_samples: u32,
}

impl NumberedPoint {
    /// `first` is the number of the first sample of the point's fragment.
    pub(super) fn new(point: &RecoveryPoint, first: u32) -> Self {
        Self { sample: first.saturating_add(point.sample), later_samples: point.later_samples }
    }

    /// `None` if the recovery takes longer than a `roll` group can say.
    fn recovery(&self, shown: &[i64]) -> Option<Recovery> {
        let leading = u32::try_from(self.leading_samples(shown)).ok()?;
        let distance = i16::try_from(self.later_samples.max(leading).max(1)).ok()?;
        Some(Recovery { sample: self.sample, distance })
    }

    /// How many samples after it, in decode order, are or stand before one that is shown before it. These may refer to
    /// pictures before the recovery point.
    fn leading_samples(&self, shown: &[i64]) -> usize {
        let index = self.sample.saturating_sub(1) as usize;
        let Some((at, later)) = shown.get(index..).and_then(<[i64]>::split_first) else { return 0 };
        let leading = later.iter().take(MAX_REORDERED).rposition(|time| time < at);
        leading.map_or(0, |last| last.saturating_add(1))
    }
}

/// The composition time of each sample, in ticks of the media, in decode order. Empty where none differs from the decode
/// time, so that no sample is shown before one that is decoded before it.
fn composition_times(times: &TrackTimes) -> Vec<i64> {
    let each = |runs: &'_ [(u32, u32)]| -> Vec<i64> {
        let runs = runs.iter();
        runs.flat_map(|&(count, value)| (0..count).map(move |_| i64::from(value))).collect()
    };
    let offsets = each(times.offsets.as_slice());
    let mut decoded = 0_i64;
    let deltas = each(times.deltas.as_slice());
    deltas
        .iter()
        .zip(offsets)
        .map(|(delta, offset)| {
            let shown = decoded.saturating_add(offset);
            decoded = decoded.saturating_add(*delta);
            shown
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::runs::Runs;
    use crate::time::units::{MediaTicks, Nanos, Timescale};

    /// Times of samples that are shown at these places, one tick each.
    fn times(shown: &[u32]) -> TrackTimes {
        let delay = shown.iter().zip(0..).map(|(&shown, decoded)| i64::from(decoded) - i64::from(shown));
        let delay = delay.max().unwrap_or(0).max(0);
        let (mut deltas, mut offsets) = (Runs::default(), Runs::default());
        for (&shown, decoded) in shown.iter().zip(0..) {
            deltas.push(1, 1);
            if delay > 0 {
                offsets.push(1, u32::try_from(i64::from(shown) + delay - decoded).unwrap());
            }
        }
        let duration = deltas.sum();
        TrackTimes {
            timescale: Timescale::new(25),
            start: Nanos::ZERO,
            composition_delay: MediaTicks::new(delay),
            skipped: MediaTicks::ZERO,
            played: duration,
            deltas,
            offsets,
            duration,
        }
    }

    fn point(sample: u32, later_samples: u32) -> NumberedPoint {
        NumberedPoint { sample, later_samples }
    }

    fn recovery(sample: u32, distance: i16) -> Recovery {
        Recovery { sample, distance }
    }

    fn random_access(sync: &[u32], points: &[NumberedPoint], shown: &[u32]) -> RandomAccess {
        RandomAccess::new(sync.into(), points, &times(shown))
    }

    #[test]
    fn a_track_has_a_sync_sample_even_if_its_bitstream_has_none() {
        let in_order = [0, 1, 2, 3, 4, 5];
        let sync_samples =
            |sync: &[u32], points: &[NumberedPoint]| random_access(sync, points, &in_order).sync_samples;
        assert_eq!(sync_samples(&[], &[]), [1]);
        assert_eq!(sync_samples(&[], &[point(3, 0)]), [1]);
        assert_eq!(sync_samples(&[1, 4], &[]), [1, 4]);
        assert_eq!(sync_samples(&[4], &[]), [4], "it begins inside a group of pictures");
        assert_eq!(sync_samples(&[4], &[point(1, 0)]), [1, 4]);
        assert_eq!(sync_samples(&[1, 4], &[point(1, 0)]), [1, 4]);
    }

    #[test]
    fn recovery_takes_as_long_as_leading_pictures_last() {
        // I P B B, then I of the next group, two leading pictures, and P B.
        let open = [0, 3, 1, 2, 6, 4, 5, 8, 7];
        assert_eq!(random_access(&[1], &[point(5, 0)], &open).recoveries, [recovery(5, 2)]);
        assert_eq!(random_access(&[1], &[point(5, 1)], &open).recoveries, [recovery(5, 2)]);
        assert_eq!(random_access(&[1], &[point(5, 3)], &open).recoveries, [recovery(5, 3)]);
        // The same without leading pictures, where the one after the recovery point is shown after it.
        let closed = [0, 3, 1, 2, 4, 6, 5];
        assert_eq!(random_access(&[1], &[point(5, 0)], &closed).recoveries, [recovery(5, 1)]);
    }

    #[test]
    fn gradual_recovery_takes_as_long_as_the_bitstream_says() {
        let in_order: Vec<u32> = (0..9).collect();
        let points = [point(2, 4), point(6, 32_767), point(7, 32_768)];
        let found = random_access(&[1], &points, &in_order).recoveries;
        assert_eq!(found, [recovery(2, 4), recovery(6, 32_767)], "a distance has 16 bits");
    }

    #[test]
    fn samples_are_numbered_through_the_fragments() {
        let in_fragment = RecoveryPoint { sample: 2, later_samples: 7 };
        assert_eq!(NumberedPoint::new(&in_fragment, 51), point(53, 7));
    }
}
