//! [`AudioRuns`]: audio frames that follow each other by their length, run after run, as one table.

use crate::error::{Error, ErrorKind};
use crate::time::input::AudioFrame;
use crate::time::rounding::Rounding;
use crate::time::runs::Runs;
use crate::time::units::{MediaTicks, Nanos, TickClock, Timescale};

/// The runs so far. Places are in ticks from the start of the first.
#[derive(Debug)]
pub(crate) struct AudioRuns {
    timescale: Timescale,
    tick: Nanos,
    /// When the first run starts, on the clip's timeline.
    start: Nanos,
    /// Of all samples of the runs that have ended, but the last.
    deltas: Runs<u32>,
    ended: Option<LastSample>,
    current: Run,
    /// How far frames are off their blocks at most.
    most_off: Nanos,
}

/// A sample that is as long as it is until the next.
#[derive(Debug, Clone, Copy)]
struct LastSample {
    place: MediaTicks,
    ticks: u32,
}

/// Frames that follow each other by their length.
#[derive(Debug)]
struct Run {
    first: MediaTicks,
    /// Where the last sample ends, and how long it is.
    end: TickClock,
    last_ticks: u32,
    /// Of all samples but the last.
    deltas: Runs<u32>,
    /// How far blocks are before and after their frames.
    rounding: Rounding,
}

/// The table of all runs.
pub(crate) struct AudioTable {
    pub(crate) start: Nanos,
    pub(crate) deltas: Runs<u32>,
    pub(crate) most_off: Nanos,
}

impl AudioRuns {
    /// Begins the first run at `start`, with a frame whose block is `off` after that.
    pub(crate) fn new(
        timescale: Timescale,
        tick: Nanos,
        start: Nanos,
        frame: AudioFrame,
        off: Nanos,
    ) -> Self {
        Self {
            timescale,
            tick,
            start,
            deltas: Runs::default(),
            ended: None,
            current: Run::new(MediaTicks::ZERO, frame, timescale, off),
            most_off: Nanos::ZERO,
        }
    }

    /// When the first run starts, on the clip's timeline.
    pub(crate) fn start(&self) -> Nanos {
        self.start
    }

    /// When the frame that comes next is due, on the clip's timeline.
    #[inline]
    pub(crate) fn end(&self) -> Nanos {
        self.start + self.current.end.time()
    }

    /// The rounding of the first run, if that is still the current one.
    pub(crate) fn first_rounding(&self) -> Option<Rounding> {
        self.ended.is_none().then_some(self.current.rounding)
    }

    /// Adds frames, all alike, whose blocks are at `times`, up to the first whose block is further off than the
    /// tolerance. One that nothing tells the time of follows in any case. Returns how many followed.
    #[inline]
    pub(crate) fn follow(
        &mut self,
        frame: AudioFrame,
        times: impl Iterator<Item = Option<Nanos>>,
        tolerance: Nanos,
    ) -> usize {
        let run = &mut self.current;
        let length = frame.length();
        let (mut end, mut rounding) = (run.end, run.rounding);
        let mut followed = 0_u32;
        for time in times {
            let expected = self.start + end.time();
            let off = time.map_or(Nanos::ZERO, |time| time - expected);
            if off.abs() > tolerance {
                break;
            }
            rounding.add(off);
            end.advance(length);
            followed = followed.saturating_add(1);
        }
        (run.end, run.rounding) = (end, rounding);
        run.record(frame, followed);
        followed as usize
    }

    /// Adds a frame whose block is `off` after it, however far that is.
    pub(crate) fn lay(&mut self, frame: AudioFrame, off: Nanos) {
        self.current.rounding.add(off);
        self.current.end.advance(frame.length());
        self.current.record(frame, 1);
    }

    /// Puts the first run `phase` later than its first block, which can be done as long as there is no other.
    pub(crate) fn set_first_phase(&mut self, phase: Nanos) {
        self.start += phase;
        self.current.rounding.shift(phase);
    }

    /// Begins another run at `time`, or as early as can be, with a frame whose block is `off` after that. Returns how
    /// long nothing is there in front of it; negative where the sample before it is shortened.
    pub(crate) fn begin(&mut self, time: Nanos, frame: AudioFrame, off: Nanos) -> Result<Nanos, Error> {
        let missing = time - self.end();
        // Never a decode time that does not increase.
        let place = self.timescale.ticks(time - self.start).max(self.current.last() + MediaTicks::ONE);
        if place == self.current.end.ticks() {
            self.lay(frame, off);
            return Ok(missing);
        }
        let next = Run::new(place, frame, self.timescale, off);
        let ended = std::mem::replace(&mut self.current, next);
        self.end_run(ended)?;
        Ok(missing)
    }

    /// Writes a run down, now that its phase is known.
    fn end_run(&mut self, run: Run) -> Result<(), Error> {
        let phase = match self.ended {
            None => Nanos::ZERO,
            Some(_) => run.rounding.phase(self.tick),
        };
        self.most_off = self.most_off.max(run.rounding.most_off(phase));
        let first = match self.ended {
            None => run.first,
            Some(before) => {
                let first = run.first + self.timescale.ticks(phase);
                let first = first.max(before.place + MediaTicks::ONE);
                let step = first - before.place;
                self.deltas.push(1, step.entry().ok_or_else(|| too_long(self.timescale.nanos(step)))?);
                first
            }
        };
        let place = run.last() + first - run.first;
        self.ended = Some(LastSample { place, ticks: run.last_ticks });
        for &(count, ticks) in run.deltas.as_slice() {
            self.deltas.push(count, ticks);
        }
        Ok(())
    }

    /// The table of all samples.
    pub(crate) fn finish(mut self) -> Result<AudioTable, Error> {
        let next = Run::new(MediaTicks::ZERO, AudioFrame { count: 0, ticks: 0 }, self.timescale, Nanos::ZERO);
        let last = std::mem::replace(&mut self.current, next);
        self.end_run(last)?;
        let mut deltas = self.deltas;
        deltas.push(1, self.ended.map_or(0, |last| last.ticks));
        Ok(AudioTable { start: self.start, deltas, most_off: self.most_off })
    }
}

fn too_long(gap: Nanos) -> Error {
    let expected = "expected gaps in the audio below 2^32 ticks of its media timescale";
    ErrorKind::TimeOutOfRange { reason: format!("{expected}, found one of {} s", gap.as_secs()) }.into()
}

impl Run {
    fn new(first: MediaTicks, frame: AudioFrame, timescale: Timescale, off: Nanos) -> Self {
        let mut end = TickClock::new(first, timescale);
        end.advance(frame.length());
        let mut deltas = Runs::default();
        deltas.push(frame.count.saturating_sub(1), frame.ticks);
        let mut rounding = Rounding::default();
        rounding.add(off);
        Self { first, end, last_ticks: frame.ticks, deltas, rounding }
    }

    /// Where the last sample begins.
    fn last(&self) -> MediaTicks {
        self.end.ticks() - self.last_ticks.into()
    }

    /// Records `frames` more frames, all alike, where `end` is after them already.
    fn record(&mut self, frame: AudioFrame, frames: u32) {
        if frames > 0 {
            // The last sample is as long as what follows tells.
            self.deltas.push(1, self.last_ticks);
            self.deltas.push(frame.count.saturating_mul(frames).saturating_sub(1), frame.ticks);
            self.last_ticks = frame.ticks;
        }
    }
}
