//! [`BitRates`] of a track that was laid out, for `btrt` and `esds`.

use crate::isobmff::track_layout::{SampleSizes, TrackLayout};
use crate::plan::TrackRun;
use crate::time::TrackTimes;

/// What a decoder may expect of a track (ISO/IEC 14496-12 section 8.5.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BitRates {
    /// Size of the largest sample, in bytes.
    pub(super) largest_sample: u32,
    /// Bits in the second of the decode timeline that has the most.
    pub(super) max: u32,
    /// Bits per second over the whole track.
    pub(super) average: u32,
}

/// A frame as far as its rate goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FrameSize {
    samples: u32,
    bytes: u32,
}

impl BitRates {
    /// The rates of a track.
    pub(super) fn of(layout: &TrackLayout<'_>) -> Self {
        let bits = u128::from(layout.bytes).saturating_mul(8);
        let duration_ns = u128::from(layout.times.media_duration().unsigned_abs());
        let average = bits.saturating_mul(1_000_000_000).checked_div(duration_ns).unwrap_or(0);
        let average = u32::try_from(average).unwrap_or(u32::MAX);
        let busiest = match (layout.run.track.pcm_frame_size(), &layout.sizes) {
            (Some(size), _) => busiest_second(pcm_frames(layout.run, size), layout.times),
            (None, SampleSizes::Constant(size)) => {
                busiest_second((0..layout.samples).map(|_| FrameSize::of_sample(*size)), layout.times)
            }
            (None, SampleSizes::Each(sizes)) => {
                busiest_second(sizes.iter().copied().map(FrameSize::of_sample), layout.times)
            }
        };
        let busiest = u32::try_from(busiest.saturating_mul(8)).unwrap_or(u32::MAX);
        let largest_sample = match &layout.sizes {
            SampleSizes::Constant(size) => *size,
            SampleSizes::Each(sizes) => sizes.iter().copied().max().unwrap_or(0),
        };
        Self { largest_sample, max: busiest.max(average), average }
    }
}

impl FrameSize {
    fn of_sample(bytes: u32) -> Self {
        Self { samples: 1, bytes }
    }
}

/// PCM comes in frames of many samples, whose bytes count together.
fn pcm_frames(run: TrackRun<'_>, sample_size: u32) -> impl Iterator<Item = FrameSize> {
    let lens = run
        .samples()
        .flat_map(|fragment| fragment.samples.iter().map(move |frame| fragment.verbatim_len(frame)));
    lens.map(move |len| FrameSize { samples: len.checked_div(sample_size).unwrap_or(0), bytes: len })
}

/// Bytes of the frames whose decoding begins in the same whole second, in the second that has the most.
fn busiest_second(frames: impl Iterator<Item = FrameSize>, times: &TrackTimes) -> u64 {
    let second = u64::from(times.timescale.get());
    let mut deltas = times.deltas.cursor();
    let (mut ticks, mut second_end) = (0_u64, second);
    let (mut in_second, mut busiest) = (0_u64, 0_u64);
    for frame in frames {
        if ticks >= second_end {
            let seconds = ticks.checked_div(second).unwrap_or(0);
            second_end = seconds.saturating_add(1).saturating_mul(second);
            in_second = 0;
        }
        in_second = in_second.saturating_add(frame.bytes.into());
        busiest = busiest.max(in_second);
        ticks = ticks.saturating_add(deltas.advance(frame.samples));
    }
    busiest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::runs::Runs;
    use crate::time::units::{MediaTicks, Nanos, Timescale};

    fn busiest(timescale: u32, frames: &[(u32, u32, u32)]) -> u64 {
        let mut deltas = Runs::default();
        for &(samples, delta, _) in frames {
            deltas.push(samples, delta);
        }
        let duration = deltas.sum();
        let offsets = Runs::default();
        let times = TrackTimes {
            timescale: Timescale::new(timescale),
            start: Nanos::ZERO,
            composition_delay: MediaTicks::ZERO,
            skipped: MediaTicks::ZERO,
            played: duration,
            deltas,
            offsets,
            duration,
        };
        let frames = frames.iter().map(|&(samples, _, bytes)| FrameSize { samples, bytes });
        busiest_second(frames, &times)
    }

    #[test]
    fn seconds_are_counted_from_the_start_of_the_track() {
        // At 0, 0.4, 0.8 | 1.2, 1.6 | 2.0: 6, 90, 50 bytes.
        let frames = [1, 2, 3, 40, 50, 50].map(|bytes| (1, 4, bytes));
        assert_eq!(busiest(10, &frames), 90);
        assert_eq!(busiest(4, &frames), 50, "one frame a second");
        assert_eq!(busiest(40, &frames), 146, "all in one second");
    }

    #[test]
    fn a_gap_ends_a_second() {
        assert_eq!(busiest(10, &[(1, 1, 5), (1, 99, 6), (1, 1, 7), (1, 1, 8)]), 15);
    }

    #[test]
    fn pcm_counts_where_its_frame_begins() {
        // Three frames of 0.6 s: at 0, 0.6 | 1.2.
        assert_eq!(busiest(8000, &[(4800, 1, 4800); 3]), 9600);
    }
}
