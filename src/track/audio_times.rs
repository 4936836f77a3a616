//! Decode times of audio: the codec's frames follow each other by their length.
//!
//! Block timestamps are rounded to milliseconds and stamped by a clock that is not the microphone's; the length of a
//! codec frame is exact. So a frame follows the one before it, and is set to its block's time only when the two are
//! off by more than a tolerance: a hole, or clocks that have drifted apart.
//!
//! **The tolerance** is three quarters of a frame. A frame that was lost is then always seen, because the next is
//! off by a whole one; and jitter of up to three quarters of a frame is not taken for a loss. It is at most 40 ms,
//! which is what EBU R37 allows sound to be ahead of the picture, and at least two ticks of the source's clock, below
//! which there is nothing but rounding.

use crate::error::{Error, ErrorKind};
use crate::track::cadence::{ns_to_ticks, ticks_to_ns};
use crate::track::runs::Runs;
use crate::track::timeline::TrackTimes;

/// EBU R37: sound no more than 40 ms ahead of the picture.
const MAX_TOLERANCE_NS: i64 = 40_000_000;

/// Places the frames of an audio track one by one.
#[derive(Debug)]
pub(crate) struct AudioTimes {
    timescale: u32,
    start_ns: Option<i64>,
    /// Ticks from the start at which the last sample begins, and how long it is.
    last: Option<(i64, u32)>,
    deltas: Runs<u32>,
    duration: u64,
    /// How often frames were set to their blocks' times, other than behind a gap.
    pub(crate) reanchored: u64,
    /// The largest tolerance that was in force, in nanoseconds.
    pub(crate) tolerance_ns: i64,
    /// How late a frame was at most beyond the tolerance, in nanoseconds.
    pub(crate) late_ns: i64,
}

/// A frame of the codec, or a block of PCM frames: `count` samples of `ticks` each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AudioFrame {
    pub(crate) count: u32,
    pub(crate) ticks: u32,
}

/// What tells when a frame is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Its block, in nanoseconds on the clip's timeline.
    At(i64),
    /// The same, and a jump is expected here: the fragment stands behind a gap.
    BehindGap(i64),
    /// Nothing: it follows the frame before it.
    Next,
}

impl AudioTimes {
    pub(crate) fn new(timescale: u32) -> Self {
        Self {
            timescale,
            start_ns: None,
            last: None,
            deltas: Runs::default(),
            duration: 0,
            reanchored: 0,
            tolerance_ns: 0,
            late_ns: 0,
        }
    }

    pub(crate) fn timescale(&self) -> u32 {
        self.timescale
    }

    /// When the audio placed so far ends, in nanoseconds on the clip's timeline.
    pub(crate) fn end_ns(&self) -> Option<i64> {
        let (last, ticks) = self.last?;
        let end = ticks_to_ns(last.saturating_add(i64::from(ticks)), self.timescale);
        self.start_ns.map(|start| start.saturating_add(end))
    }

    /// How far a frame may be off its block, in nanoseconds.
    pub(crate) fn tolerance_ns(&self, frame: AudioFrame, scale_ns: i64) -> i64 {
        let ticks = i64::from(frame.count).saturating_mul(i64::from(frame.ticks));
        let three_quarters = ticks_to_ns(ticks, self.timescale).saturating_mul(3) / 4;
        three_quarters.min(MAX_TOLERANCE_NS).max(scale_ns.saturating_mul(2))
    }

    /// Places the next frame.
    pub(crate) fn push(&mut self, frame: AudioFrame, due: Due, scale_ns: i64) -> Result<(), Error> {
        let Some((last, last_ticks)) = self.last else {
            self.start_ns = Some(match due {
                Due::At(time_ns) | Due::BehindGap(time_ns) => time_ns,
                Due::Next => 0,
            });
            self.add(0, frame);
            return Ok(());
        };
        let expected = last.saturating_add(i64::from(last_ticks));
        let place = self.place(expected, last, frame, due, scale_ns);
        let delta = u32::try_from(place.saturating_sub(last)).map_err(|_| {
            let reason = format!(
                "expected gaps in the audio below 2^32 ticks of its media timescale, found one of {} s",
                ticks_to_ns(place.saturating_sub(last), self.timescale) / 1_000_000_000
            );
            Error::new(ErrorKind::TimeOutOfRange { reason })
        })?;
        self.deltas.push(1, delta);
        self.duration = self.duration.saturating_add(u64::from(delta));
        self.add(place, frame);
        Ok(())
    }

    fn place(&mut self, expected: i64, last: i64, frame: AudioFrame, due: Due, scale_ns: i64) -> i64 {
        let (Due::At(time_ns) | Due::BehindGap(time_ns)) = due else { return expected };
        let tolerance_ns = self.tolerance_ns(frame, scale_ns);
        self.tolerance_ns = self.tolerance_ns.max(tolerance_ns);
        let tolerance = ns_to_ticks(tolerance_ns, self.timescale);
        let block = ns_to_ticks(time_ns.saturating_sub(self.start_ns.unwrap_or(0)), self.timescale);
        if block.abs_diff(expected) <= tolerance.unsigned_abs() {
            return expected;
        }
        // Never a decode time that does not increase.
        let place = block.max(last.saturating_add(1));
        if place != expected && !matches!(due, Due::BehindGap(_)) {
            self.reanchored = self.reanchored.saturating_add(1);
        }
        let late = place.saturating_sub(block);
        if late > tolerance {
            self.late_ns = self.late_ns.max(ticks_to_ns(late, self.timescale));
        }
        place
    }

    /// Writes all samples of a frame down but the last, whose delta the next frame tells.
    fn add(&mut self, place: i64, frame: AudioFrame) {
        let before_last = frame.count.saturating_sub(1);
        let ticks = u64::from(before_last).saturating_mul(u64::from(frame.ticks));
        self.deltas.push(before_last, frame.ticks);
        self.duration = self.duration.saturating_add(ticks);
        self.last = Some((place.saturating_add_unsigned(ticks), frame.ticks));
    }

    /// The times of all samples; `None` if there is none.
    pub(crate) fn finish(mut self) -> Option<TrackTimes> {
        let (start_ns, (_, ticks)) = (self.start_ns?, self.last?);
        self.deltas.push(1, ticks);
        Some(TrackTimes {
            timescale: self.timescale,
            start_ns,
            composition_delay: 0,
            deltas: self.deltas,
            offsets: Runs::default(),
            duration: self.duration.saturating_add(u64::from(ticks)),
        })
    }
}
