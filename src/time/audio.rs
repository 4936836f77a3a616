//! Decode times of audio: the codec's frames follow each other by their length.
//!
//! Block timestamps are rounded to milliseconds and stamped by a clock that is not the microphone's; the length of a
//! codec frame is exact. So a frame follows the one before it, and is set to its block's time only when the two are
//! off by more than a tolerance: a hole, or clocks that have drifted apart. From there a new run begins.
//!
//! **The tolerance** is three quarters of a frame. A frame that was lost is then always seen, because the next is
//! off by a whole one; and jitter of up to three quarters of a frame is not taken for a loss. It is at most 40 ms,
//! which is what EBU R37 allows sound to be ahead of the picture, and at least two ticks of the source's clock, below
//! which there is nothing but rounding.
//!
//! **The phase** of a run: its first timestamp is rounded too. If the frames of a run are off their blocks by more
//! than half a tick of the source's clock for that reason alone, the whole run is put in the middle.

use crate::error::{Error, ErrorKind};
use crate::time::TrackTimes;
use crate::time::cadence::middle_of_rounding;
use crate::time::runs::Runs;
use crate::time::units::{TickClock, ns_to_ticks, ticks_to_ns};

/// EBU R37: sound no more than 40 ms ahead of the picture.
const MAX_TOLERANCE_NS: i64 = 40_000_000;

/// Places the frames of an audio track one by one.
#[derive(Debug)]
pub(crate) struct AudioTimes {
    timescale: u32,
    /// Time of the first block, which places count from.
    start_ns: Option<i64>,
    /// How much later than that the first frame is, and the earliest time that it may be.
    phase_ns: i64,
    not_before_ns: i64,
    /// Samples of the runs that have ended, where the last of them begins, and how long it is.
    deltas: Runs<u32>,
    ended: Option<(i64, u32)>,
    run: Option<Run>,
    scale_ns: i64,
    /// What a tolerance was last computed of, frame and source's clock, and what it was: nearly all frames are alike.
    usual_tolerance_ns: Option<(AudioFrame, i64, i64)>,
    /// How often frames were set to their blocks' times, other than behind a gap.
    pub(crate) reanchored: u64,
    /// The largest tolerance that was in force, in nanoseconds.
    pub(crate) tolerance_ns: i64,
    /// How late a frame was at most beyond the tolerance, in nanoseconds.
    pub(crate) late_ns: i64,
}

/// Frames that follow each other by their length. Places are in ticks from the first block's time.
#[derive(Debug)]
struct Run {
    first: i64,
    /// How long the last sample is, and where it ends.
    last_ticks: u32,
    end: TickClock,
    /// Of all samples but the last.
    deltas: Runs<u32>,
    /// How far blocks are ahead of and behind their frames, in nanoseconds.
    least_off_ns: i64,
    most_off_ns: i64,
}

/// A frame of the codec, or a block of PCM frames: `count` samples of `ticks` each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AudioFrame {
    pub(crate) count: u32,
    pub(crate) ticks: u32,
}

impl AudioFrame {
    /// How long it is, in ticks. One of the two is 1.
    pub(crate) fn length(self) -> u32 {
        self.count.saturating_mul(self.ticks)
    }
}

impl AudioTimes {
    pub(crate) fn new(timescale: u32) -> Self {
        Self {
            timescale,
            start_ns: None,
            phase_ns: 0,
            not_before_ns: i64::MAX,
            deltas: Runs::default(),
            ended: None,
            run: None,
            scale_ns: 1,
            usual_tolerance_ns: None,
            reanchored: 0,
            tolerance_ns: 0,
            late_ns: 0,
        }
    }

    pub(crate) fn timescale(&self) -> u32 {
        self.timescale
    }

    /// Says when the clip begins: where the sound begins no earlier, its phase must not make it so.
    pub(crate) fn not_before(&mut self, time_ns: i64) {
        self.not_before_ns = self.not_before_ns.min(time_ns);
    }

    /// When the audio placed so far ends, in nanoseconds on the clip's timeline.
    pub(crate) fn end_ns(&self) -> Option<i64> {
        let end_ns = self.run.as_ref()?.end.ns();
        self.start_ns.map(|start| start.saturating_add(end_ns))
    }

    /// How far a frame may be off its block, in nanoseconds.
    pub(crate) fn tolerance_ns(&self, frame: AudioFrame, scale_ns: i64) -> i64 {
        let three_quarters = ticks_to_ns(frame.length().into(), self.timescale).saturating_mul(3) / 4;
        three_quarters.min(MAX_TOLERANCE_NS).max(scale_ns.saturating_mul(2))
    }

    /// The same, noted as being in force.
    #[inline]
    fn note_tolerance(&mut self, frame: AudioFrame, scale_ns: i64) -> i64 {
        match self.usual_tolerance_ns {
            Some((of_frame, of_scale_ns, tolerance_ns)) if (of_frame, of_scale_ns) == (frame, scale_ns) => {
                tolerance_ns
            }
            _ => {
                let tolerance_ns = self.tolerance_ns(frame, scale_ns);
                self.usual_tolerance_ns = Some((frame, scale_ns, tolerance_ns));
                self.tolerance_ns = self.tolerance_ns.max(tolerance_ns);
                tolerance_ns
            }
        }
    }

    /// Places the frames that come next, all alike, up to the first that must be set to its block's time, which is
    /// for [`anchor`](Self::anchor). Answers how many that are.
    ///
    /// `times_ns` are of their blocks on the clip's timeline. One that nothing tells the time of follows in any case.
    pub(crate) fn follow(
        &mut self,
        frame: AudioFrame,
        times_ns: impl Iterator<Item = Option<i64>>,
        scale_ns: i64,
    ) -> usize {
        let start_ns = self.start_ns.unwrap_or(0);
        let tolerance_ns = self.note_tolerance(frame, scale_ns);
        let Some(run) = &mut self.run else { return 0 };
        self.scale_ns = self.scale_ns.max(scale_ns);
        let length = frame.length();
        let (mut end, mut least_off_ns, mut most_off_ns) = (run.end, run.least_off_ns, run.most_off_ns);
        let mut followed = 0_u32;
        for time_ns in times_ns {
            let expected_ns = start_ns.saturating_add(end.ns());
            let off_ns = time_ns.map_or(0, |time_ns| time_ns.saturating_sub(expected_ns));
            if off_ns.abs() > tolerance_ns {
                break;
            }
            least_off_ns = least_off_ns.min(off_ns);
            most_off_ns = most_off_ns.max(off_ns);
            end.advance(length);
            followed = followed.saturating_add(1);
        }
        (run.end, run.least_off_ns, run.most_off_ns) = (end, least_off_ns, most_off_ns);
        run.note(frame, followed);
        followed as usize
    }

    /// Places the first frame, or one that does not follow: at the time of its block, `behind_gap` if that is no
    /// surprise.
    pub(crate) fn anchor(
        &mut self,
        frame: AudioFrame,
        time_ns: Option<i64>,
        behind_gap: bool,
        scale_ns: i64,
    ) -> Result<(), Error> {
        self.scale_ns = self.scale_ns.max(scale_ns);
        let Some(run) = &self.run else {
            self.start_ns = Some(time_ns.unwrap_or(0));
            self.run = Some(Run::new(0, frame, self.timescale));
            return Ok(());
        };
        let (last, end) = (run.last(), run.end.ticks());
        let block_ns = time_ns.unwrap_or(0).saturating_sub(self.start_ns.unwrap_or(0));
        // Never a decode time that does not increase.
        let place = ns_to_ticks(block_ns, self.timescale).max(last.saturating_add(1));
        let late_ns = ticks_to_ns(place, self.timescale).saturating_sub(block_ns);
        if late_ns > self.note_tolerance(frame, scale_ns) {
            self.late_ns = self.late_ns.max(late_ns);
        }
        if let Some(run) = self.run.as_mut().filter(|_| place == end) {
            run.end.advance(frame.length());
            run.note(frame, 1);
            return Ok(());
        }
        if !behind_gap {
            self.reanchored = self.reanchored.saturating_add(1);
        }
        self.end_run()?;
        self.run = Some(Run::new(place, frame, self.timescale));
        Ok(())
    }

    /// Writes the run down, now that its phase is known.
    fn end_run(&mut self) -> Result<(), Error> {
        let Some(run) = self.run.take() else { return Ok(()) };
        let phase_ns = middle_of_rounding(run.least_off_ns, run.most_off_ns, self.scale_ns);
        let mut phase = ns_to_ticks(phase_ns, self.timescale);
        match self.ended {
            None => {
                let start_ns = self.start_ns.unwrap_or(0);
                let earliest = ns_to_ticks(self.not_before_ns.saturating_sub(start_ns), self.timescale);
                phase = if earliest > 0 { 0 } else { phase.max(earliest) };
                self.phase_ns = ticks_to_ns(phase, self.timescale);
                self.ended = Some((run.last().saturating_add(phase), run.last_ticks));
            }
            Some((last, _)) => {
                let first = run.first.saturating_add(phase).max(last.saturating_add(1));
                let delta =
                    u32::try_from(first.saturating_sub(last)).map_err(|_| self.too_long(first, last))?;
                self.deltas.push(1, delta);
                let moved = first.saturating_sub(run.first);
                self.ended = Some((run.last().saturating_add(moved), run.last_ticks));
            }
        }
        for &(count, ticks) in run.deltas.as_slice() {
            self.deltas.push(count, ticks);
        }
        Ok(())
    }

    fn too_long(&self, place: i64, last: i64) -> Error {
        let gap_s = ticks_to_ns(place.saturating_sub(last), self.timescale) / 1_000_000_000;
        let expected = "expected gaps in the audio below 2^32 ticks of its media timescale";
        ErrorKind::TimeOutOfRange { reason: format!("{expected}, found one of {gap_s} s") }.into()
    }

    /// The times of all samples; `None` if there is none.
    pub(crate) fn finish(mut self) -> Result<Option<TrackTimes>, Error> {
        self.end_run()?;
        let (Some(start_ns), Some((_, ticks))) = (self.start_ns, self.ended) else { return Ok(None) };
        self.deltas.push(1, ticks);
        let duration = self.deltas.sum();
        Ok(Some(TrackTimes {
            timescale: self.timescale,
            start_ns: start_ns.saturating_add(self.phase_ns),
            composition_delay: 0,
            duration,
            played: duration,
            deltas: self.deltas,
            offsets: Runs::default(),
        }))
    }
}

impl Run {
    fn new(place: i64, frame: AudioFrame, timescale: u32) -> Self {
        let mut end = TickClock::new(place, timescale);
        end.advance(frame.length());
        let mut deltas = Runs::default();
        deltas.push(frame.count.saturating_sub(1), frame.ticks);
        Self { first: place, last_ticks: frame.ticks, end, deltas, least_off_ns: 0, most_off_ns: 0 }
    }

    /// Where the last sample begins.
    fn last(&self) -> i64 {
        self.end.ticks().saturating_sub(i64::from(self.last_ticks))
    }

    /// Notes `frames` more frames, all alike, where `end` is behind them already.
    fn note(&mut self, frame: AudioFrame, frames: u32) {
        if frames > 0 {
            // The last sample is as long as what follows says.
            self.deltas.push(1, self.last_ticks);
            self.deltas.push(frame.count.saturating_mul(frames).saturating_sub(1), frame.ticks);
            self.last_ticks = frame.ticks;
        }
    }
}
