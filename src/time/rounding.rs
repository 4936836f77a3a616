//! [`Rounding`]: how far the recorded times of a run are off an exact one, and where that puts the run.
//!
//! A clock that ticks once a millisecond shows each time up to half a millisecond early or late, or up to a whole one
//! early if it rounds down. So the first time of a run is no better than the others, and the run lies anywhere where
//! no time is off by more than half a tick:
//!
//! ```text
//! recorded   0    21    42    64    85    106        by a clock that rounds down
//! exact      0    21.33 42.67 64    85.33 106.67     off by 0 to -0.67
//! phase     -0.33 ms                                 off by -0.33 to 0.33
//! ```

use crate::time::units::Nanos;

/// How far recorded times are before (negative) and after the times of a run that begins at its first recorded time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rounding {
    least: Nanos,
    most: Nanos,
}

impl Rounding {
    #[inline]
    pub(crate) fn add(&mut self, off: Nanos) {
        self.least = self.least.min(off);
        self.most = self.most.max(off);
    }

    /// The same for a run that is this much later.
    pub(crate) fn shift(&mut self, phase: Nanos) {
        self.least -= phase;
        self.most -= phase;
    }

    /// Whether the rounding of a clock explains it. A nanosecond is for the rounding of our own.
    #[inline]
    pub(crate) fn is_of(&self, tick: Nanos) -> bool {
        self.most - self.least <= tick + Nanos::new(1)
    }

    /// How much later than its first recorded time the run is put: not at all if no time is off by more than half a
    /// tick then, else so that it lies in the middle. What is off by more than rounding stays where it is.
    pub(crate) fn phase(&self, tick: Nanos) -> Nanos {
        if self.allows(Nanos::ZERO, tick) || !self.is_of(tick) {
            return Nanos::ZERO;
        }
        self.least.midpoint(self.most)
    }

    /// Whether no time is off by more than half a tick with this phase.
    pub(crate) fn allows(&self, phase: Nanos, tick: Nanos) -> bool {
        let half = tick.divided_by(2);
        self.most - phase <= half && phase - self.least <= half
    }

    /// How far a time is off at most, with this phase.
    pub(crate) fn most_off(&self, phase: Nanos) -> Nanos {
        (phase - self.least).abs().max((phase - self.most).abs())
    }

    /// The middle of the phases that both runs allow. `None` if there is none.
    fn common_phase(&self, other: &Self, tick: Nanos) -> Option<Nanos> {
        let phase = self.least.min(other.least).midpoint(self.most.max(other.most));
        (self.allows(phase, tick) && other.allows(phase, tick)).then_some(phase)
    }
}

/// Half of a tick, rounded up.
pub(crate) fn half_up(tick: Nanos) -> Nanos {
    tick - tick.divided_by(2)
}

/// The first run of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FirstRun {
    /// Its first recorded time.
    pub(crate) time: Nanos,
    pub(crate) rounding: Rounding,
}

/// The phases of the first runs of both tracks: as they would be alone, or one for both.
///
/// Pictures and sound that begin at one recorded time still do so, without an edit list, if they can. So sound that
/// begins with the pictures or shortly after them does not begin before them for its rounding alone.
pub(crate) fn first_phases(video: Option<FirstRun>, audio: FirstRun, tick: Nanos) -> (Nanos, Nanos) {
    let alone = audio.rounding.phase(tick);
    let Some(video) = video else { return (Nanos::ZERO, alone) };
    let of_video = video.rounding.phase(tick);
    // Not before the pictures, if it does not begin before them anyway.
    let alone_or_with_video =
        if audio.time < video.time { Nanos::ZERO } else { alone.max(video.time - audio.time) };
    if audio.rounding.allows(alone_or_with_video, tick) || !audio.rounding.is_of(tick) {
        return (of_video, alone_or_with_video);
    }
    let common = (audio.time == video.time).then(|| video.rounding.common_phase(&audio.rounding, tick));
    match common.flatten() {
        Some(phase) => (phase, phase),
        None => (of_video, alone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Nanos = Nanos::from_millis(1);

    fn micros(micros: i64) -> Nanos {
        Nanos::new(micros * 1000)
    }

    fn rounding(least_us: i64, most_us: i64) -> Rounding {
        Rounding { least: micros(least_us), most: micros(most_us) }
    }

    #[test]
    fn a_run_is_put_in_the_middle_only_of_what_rounding_explains() {
        let phase = |least_us, most_us| rounding(least_us, most_us).phase(TICK);
        assert_eq!([phase(-500, 500), phase(-400, 200), phase(0, 0)], [Nanos::ZERO; 3], "near enough");
        let middle = [phase(-1000, 0), phase(0, 900), phase(-600, 100)];
        assert_eq!(middle, [micros(-500), micros(450), micros(-250)]);
        let more = [phase(-1001, 0), phase(-600, 600), phase(0, 2000)];
        assert_eq!(more, [Nanos::ZERO; 3], "more than rounding");
        let with_own = Rounding { least: -TICK, most: Nanos::new(1) };
        assert_eq!(with_own.phase(TICK), Nanos::new(-499_999), "a nanosecond of another rounding");
    }

    fn phases(video: (i64, Rounding), audio: (i64, Rounding)) -> (Nanos, Nanos) {
        let run = |(time_us, rounding)| FirstRun { time: micros(time_us), rounding };
        first_phases(Some(run(video)), run(audio), TICK)
    }

    #[test]
    fn tracks_that_begin_together_still_do() {
        let (exact, down) = (rounding(0, 0), rounding(-667, 0));
        assert_eq!(phases((0, exact), (0, rounding(-400, 400))), (micros(0), micros(0)));
        // Sound within 0.333 ms of its blocks, and pictures within 0.334.
        let both = Nanos::new(-333_500);
        assert_eq!(phases((0, exact), (0, down)), (both, both));
        assert_eq!(phases((0, rounding(0, 700)), (0, down)), (micros(350), micros(-333) - Nanos::new(500)));
    }

    #[test]
    fn sound_that_begins_alone_is_put_in_the_middle_of_its_own() {
        let down = rounding(-667, 0);
        let middle = Nanos::new(-333_500);
        assert_eq!(phases((0, rounding(0, 0)), (480_000, down)), (micros(0), middle));
        assert_eq!(phases((5000, rounding(0, 0)), (0, down)), (micros(0), middle));
        let alone = FirstRun { time: micros(0), rounding: down };
        assert_eq!(first_phases(None, alone, TICK), (Nanos::ZERO, middle));
    }
}
