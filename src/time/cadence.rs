//! Exact cadence out of rounded times.
//!
//! A file whose clock ticks in milliseconds shows 30 frames per second as steps of 33, 33 and 34. Where all times lie
//! within that rounding of an exact cadence, the cadence is what was meant, and one `stts` run holds it. A clock that
//! ticks less often than there are frames is no evidence of a cadence.

use crate::time::rounding::{Rounding, half_up};
use crate::time::runs::Runs;
use crate::time::units::{MediaTicks, Nanos, TickClock, Timescale};

/// A cadence, as the media timescale and the ticks of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cadence {
    pub(crate) timescale: Timescale,
    pub(crate) frame_ticks: u32,
}

/// The cadence that was found, and the times on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OnCadence {
    pub(crate) cadence: Cadence,
    /// When the first picture is shown: at most half a tick of the source from its own time.
    pub(crate) start: Nanos,
    /// How far the pictures up to the first gap are before and after the cadence that begins with the first of them.
    pub(crate) first_run: Rounding,
    stretches: Vec<Stretch>,
    /// Whether any time differs from the source's.
    pub(crate) moved: bool,
}

/// Pictures without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    /// Presentation time of the first, in ticks of the timescale from the first of all.
    first: MediaTicks,
    count: u32,
}

/// Frame rates of cameras and encoders, beside whole frames per second: (numerator, denominator) per second.
const FRACTIONAL_RATES: [(u32, u32); 6] =
    [(24_000, 1001), (30_000, 1001), (60_000, 1001), (120_000, 1001), (25, 2), (15, 2)];

/// Up to this many whole frames per second are looked for.
const MAX_WHOLE_RATE: u32 = 240;

/// A whole rate gets a media timescale of this many ticks per frame or more, so that the phase of a run after a gap is
/// kept to 50 µs.
const FRAME_TICKS: u32 = 1000;
const FRAME_TICKS_BELOW_10_HZ: u32 = 10_000;

/// A first cut at gaps, before the cadence is known: no camera with a steady cadence is slower than this.
const LONG_STEP: Nanos = Nanos::from_millis(1500);

impl Cadence {
    fn of_rate(numerator: u32, denominator: u32) -> Self {
        let factor = match (numerator, denominator) {
            (_, 1001) => 1,
            (0..10, _) => FRAME_TICKS_BELOW_10_HZ,
            _ => FRAME_TICKS,
        };
        let timescale = Timescale::new(numerator.saturating_mul(factor));
        Self { timescale, frame_ticks: denominator.saturating_mul(factor) }
    }

    /// The cadence of a DefaultDuration, which is whole nanoseconds: that of a known rate that rounds to it, else
    /// itself where it is whole microseconds.
    fn of_duration(duration: Nanos) -> Option<Self> {
        let known = Self::known().find(|cadence| (cadence.time_of(1) - duration).abs() <= Nanos::new(1));
        known.or_else(|| {
            let micros = u32::try_from(duration.get().checked_div(1000)?).ok()?;
            let is_whole = micros > 0 && duration.get().checked_rem(1000)? == 0;
            is_whole.then_some(Self { timescale: Timescale::new(1_000_000), frame_ticks: micros })
        })
    }

    fn known() -> impl Iterator<Item = Self> {
        let whole = (1..=MAX_WHOLE_RATE).map(|rate| (rate, 1));
        whole.chain(FRACTIONAL_RATES).map(|(numerator, denominator)| Self::of_rate(numerator, denominator))
    }

    /// Time of frame `index`, rounded.
    fn time_of(self, index: i64) -> Nanos {
        self.timescale.nanos(MediaTicks::from(self.frame_ticks) * index)
    }

    /// Presentation time of the last picture of a stretch.
    fn last_of(self, stretch: Stretch) -> MediaTicks {
        stretch.first + MediaTicks::from(self.frame_ticks) * stretch.count.saturating_sub(1).into()
    }

    /// Frames per second: numerator and denominator.
    pub(crate) fn rate(self) -> (u32, u32) {
        let timescale = self.timescale.get();
        let (mut divisor, mut rest) = (timescale, self.frame_ticks);
        while let Some(next) = divisor.checked_rem(rest) {
            (divisor, rest) = (rest, next);
        }
        let reduced = |value: u32| value.checked_div(divisor).unwrap_or(0);
        (reduced(timescale), reduced(self.frame_ticks))
    }
}

/// Finds the cadence that all of `times` lie on, within half a tick of the source's clock.
///
/// `times` are in presentation order and do not decrease. A step of more than one and a half frames ends a run: each
/// run has a phase of its own, all have one cadence.
pub(crate) fn find(times: &[Nanos], tick: Nanos, default_duration: Option<Nanos>) -> Option<OnCadence> {
    let longest_step = longest_step(times);
    let longest = longest_run(times, longest_step, tick)?;
    let (steps, span) = steps_and_span(longest)?;
    // Whatever the phase, the ends of a run are off by less than a tick together.
    let off = |cadence: &Cadence| (cadence.time_of(steps) - span).abs();
    let is_near = |cadence: &Cadence| off(cadence) <= tick && cadence.time_of(1) >= tick;
    let hinted = default_duration.and_then(Cadence::of_duration);
    let mut candidates: Vec<Cadence> = hinted.into_iter().chain(Cadence::known()).filter(is_near).collect();
    // The hint first, then the nearest: over a short run, neighbours such as 30 and 29.97 both fit.
    candidates.sort_by_key(|cadence| (Some(*cadence) != hinted, off(cadence)));
    candidates.into_iter().take(4).find_map(|cadence| fit(times, longest_step, tick, cadence, None))
}

/// The longest run of frames of which none is lost, as far as that can be told before the cadence is known.
fn longest_run(times: &[Nanos], longest_step: Nanos, tick: Nanos) -> Option<&[Nanos]> {
    let longest =
        |times, limit| cut_at_gaps(times, longest_step, limit).max_by_key(|run: &&[Nanos]| run.len());
    let without_gap = longest(times, LONG_STEP)?;
    let (steps, span) = steps_and_span(without_gap)?;
    let mean = span.divided_by(steps);
    longest(without_gap, mean + tick.max(mean.divided_by(2)))
}

/// How many steps there are, and how long they are together. `None` if there is none.
fn steps_and_span(times: &[Nanos]) -> Option<(i64, Nanos)> {
    let steps = i64::try_from(times.len()).ok()?.checked_sub(1).filter(|&steps| steps > 0)?;
    Some((steps, *times.last()? - *times.first()?))
}

/// The longest step from one time to the next.
pub(crate) fn longest_step(times: &[Nanos]) -> Nanos {
    let steps = times.iter().zip(times.iter().skip(1)).map(|(a, b)| *b - *a);
    steps.max().unwrap_or_default()
}

/// Times without a step of more than `limit`. Where the longest one is not, as in most clips, nothing is cut.
fn cut_at_gaps(times: &[Nanos], longest_step: Nanos, limit: Nanos) -> impl Iterator<Item = &[Nanos]> {
    let (whole, cut) = if longest_step <= limit { (times, &[][..]) } else { (&[][..], times) };
    let cut = cut.chunk_by(move |a, b| *b - *a <= limit);
    std::iter::once(whole).filter(|whole| !whole.is_empty()).chain(cut)
}

/// Puts times on a cadence, if they are on it within half a tick. `phase` tells how much later than its own time the
/// first picture is; else the first run is [placed](Rounding::phase) as the others are.
fn fit(
    times: &[Nanos],
    longest_step: Nanos,
    tick: Nanos,
    cadence: Cadence,
    phase: Option<Nanos>,
) -> Option<OnCadence> {
    let frame = cadence.time_of(1);
    let limit = frame + frame.divided_by(2);
    let mut first_run = None;
    let mut start = None;
    let mut stretches = Vec::<Stretch>::new();
    let mut moved = false;
    for stretch in cut_at_gaps(times, longest_step, limit) {
        let first = *stretch.first()?;
        let rounding = off_cadence(stretch, tick, cadence)?;
        first_run = first_run.or(Some(rounding));
        // When the first frame is due so that no frame is off by more than half a tick.
        let asked = phase.filter(|_| start.is_none());
        let phase = asked.unwrap_or_else(|| rounding.phase(tick));
        let start = *start.get_or_insert(first + phase);
        let first_tick = cadence.timescale.ticks(first + phase - start);
        let first_moved = start + cadence.timescale.nanos(first_tick) - first;
        let moved_by = rounding.most_off(first_moved);
        // Half a tick, and the rounding of a nanosecond.
        if moved_by > half_up(tick) + Nanos::new(1) {
            return None;
        }
        // A clock that ticks less often than there are frames can put a stretch into the one before it.
        if stretches.last().is_some_and(|before| first_tick <= cadence.last_of(*before)) {
            return None;
        }
        moved |= rounding.most_off(first_moved - asked.unwrap_or_default()) > Nanos::new(1);
        stretches.push(Stretch { first: first_tick, count: u32::try_from(stretch.len()).ok()? });
    }
    Some(OnCadence { cadence, start: start?, first_run: first_run?, stretches, moved })
}

/// How far the times of a stretch are before and after a cadence that begins with the first of them. `None` if the
/// rounding of a clock cannot be why.
fn off_cadence(stretch: &[Nanos], tick: Nanos, cadence: Cadence) -> Option<Rounding> {
    let first = *stretch.first()?;
    let mut due = TickClock::new(MediaTicks::ZERO, cadence.timescale);
    let mut rounding = Rounding::default();
    for &time in stretch {
        rounding.add(time - first - due.time());
        if !rounding.is_of(tick) {
            return None;
        }
        due.advance(cadence.frame_ticks);
    }
    Some(rounding)
}

impl OnCadence {
    /// The same with another phase of the first run, if that can be.
    pub(crate) fn with_phase(&self, times: &[Nanos], tick: Nanos, phase: Nanos) -> Option<Self> {
        fit(times, longest_step(times), tick, self.cadence, Some(phase))
    }

    /// Presentation times, from the first.
    pub(crate) fn ticks(&self) -> impl Iterator<Item = MediaTicks> {
        let step = MediaTicks::from(self.cadence.frame_ticks);
        self.stretches.iter().flat_map(move |&Stretch { first, count }| {
            (0..i64::from(count)).map(move |index| first + step * index)
        })
    }

    /// From each presentation time to the next, and from the last a frame further. `None` if one takes 2^32 ticks.
    pub(crate) fn deltas(&self) -> Option<Runs<u32>> {
        let frame_ticks = self.cadence.frame_ticks;
        let mut deltas = Runs::default();
        let mut before = None;
        for &stretch in &self.stretches {
            if let Some(before) = before {
                deltas.push(1, (stretch.first - self.cadence.last_of(before)).entry()?);
            }
            deltas.push(stretch.count.saturating_sub(1), frame_ticks);
            before = Some(stretch);
        }
        deltas.push(1, frame_ticks);
        Some(deltas)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;
    const TICK: Nanos = Nanos::new(MS);

    /// Times of a cadence as a millisecond clock shows them.
    fn rounded(rate: (i64, i64), frames: i64, round: impl Fn(i64) -> i64) -> Vec<Nanos> {
        (0..frames).map(|i| Nanos::new(round(i * rate.1 * 1_000_000_000 / rate.0))).collect()
    }

    fn later(times: &[Nanos], millis: i64) -> Vec<Nanos> {
        times.iter().map(|time| *time + Nanos::from_millis(millis)).collect()
    }

    /// How far a picture is off its time.
    fn off(found: &OnCadence, tick: MediaTicks, time: Nanos) -> i64 {
        (found.cadence.timescale.nanos(tick) + found.start - time).get().abs()
    }

    fn nearest(ns: i64) -> i64 {
        (ns + MS / 2).div_euclid(MS) * MS
    }

    fn down(ns: i64) -> i64 {
        ns.div_euclid(MS) * MS
    }

    #[test]
    fn known_rates_are_found_however_the_clock_rounds() {
        for rate in [
            (30, 1),
            (30_000, 1001),
            (25, 1),
            (24_000, 1001),
            (24, 1),
            (15, 1),
            (60, 1),
            (60_000, 1001),
            (25, 2),
        ] {
            for times in [rounded(rate, 3000, nearest), rounded(rate, 3000, down)] {
                let found = find(&times, TICK, None).unwrap();
                assert_eq!(found.cadence.rate(), (rate.0 as u32, rate.1 as u32));
                for (tick, time) in found.ticks().zip(&times) {
                    assert!(off(&found, tick, *time) <= MS / 2 + 1, "{rate:?}: {time:?}");
                }
            }
        }
    }

    #[test]
    fn the_timescale_is_that_of_the_rate() {
        let cadence = |rate| find(&rounded(rate, 300, nearest), TICK, None).unwrap().cadence;
        assert_eq!(cadence((30_000, 1001)), Cadence { timescale: Timescale::new(30_000), frame_ticks: 1001 });
        assert_eq!(cadence((24_000, 1001)), Cadence { timescale: Timescale::new(24_000), frame_ticks: 1001 });
        assert_eq!(cadence((30, 1)), Cadence { timescale: Timescale::new(30_000), frame_ticks: 1000 });
    }

    #[test]
    fn a_gap_has_two_phases() {
        let mut times = rounded((30, 1), 60, nearest);
        times.extend(later(&rounded((30, 1), 60, nearest), 5_017));
        let found = find(&times, TICK, None).unwrap();
        let ticks: Vec<MediaTicks> = found.ticks().collect();
        let second = found.cadence.timescale.nanos(ticks[60]).get();
        assert!((second - 5_017 * MS).abs() <= 50_000, "{second}");
        assert_eq!((ticks[61] - ticks[60]).entry(), Some(found.cadence.frame_ticks));
        let deltas: Vec<i64> =
            ticks.windows(2).map(|pair| i64::from((pair[1] - pair[0]).entry().unwrap())).collect();
        let runs = found.deltas().unwrap();
        let unrolled =
            runs.as_slice().iter().flat_map(|&(count, delta)| vec![i64::from(delta); count as usize]);
        assert_eq!(unrolled.collect::<Vec<_>>(), [deltas, vec![1000]].concat());
    }

    /// A frame that was lost is a gap, not jitter: one of 60, one of each ten, and where there is a long gap too.
    #[test]
    fn lost_frames_do_not_hide_the_cadence() {
        let whole = rounded((30, 1), 60, nearest);
        let without = |lost: fn(usize) -> bool| {
            whole.iter().enumerate().filter(|(index, _)| !lost(*index)).map(|(_, time)| *time).collect()
        };
        let one: Vec<Nanos> = without(|index| index == 20);
        for times in
            [one.clone(), without(|index| index % 10 == 9), [one.clone(), later(&one, 9000)].concat()]
        {
            let found = find(&times, TICK, None).expect("a cadence");
            assert_eq!(found.cadence.rate(), (30, 1));
            for (tick, time) in found.ticks().zip(&times) {
                assert!(off(&found, tick, *time) <= MS / 2 + 17_000, "{time:?}");
            }
        }
    }

    /// 30 pictures a second by a clock of seconds, and of 20 ms: what they are apart is not to be seen.
    #[test]
    fn a_clock_that_is_coarser_than_the_frames_is_no_evidence() {
        for (tick_ms, found) in [(1000, None), (50, None), (20, Some((30, 1)))] {
            let tick = Nanos::from_millis(tick_ms);
            let down = |ns: i64| ns.div_euclid(tick.get()) * tick.get();
            let cadence = find(&rounded((30, 1), 2500, down), tick, None).map(|found| found.cadence.rate());
            assert_eq!(cadence, found, "{tick_ms}");
        }
    }

    #[test]
    fn jitter_is_no_cadence() {
        let times: Vec<Nanos> =
            (0..300).map(|i| Nanos::from_millis(i * 33 + [0, 3, -2, 1][i as usize % 4])).collect();
        assert_eq!(find(&times, TICK, None), None);
        assert_eq!(find(&[Nanos::ZERO], TICK, None), None);
        assert_eq!(find(&[], TICK, None), None);
    }

    #[test]
    fn a_default_duration_is_a_hint_that_must_fit() {
        let odd: Vec<Nanos> = (0..100).map(|i| Nanos::new(nearest(i * 71_428_000))).collect();
        let found = find(&odd, TICK, Some(Nanos::new(71_428_000))).unwrap();
        assert_eq!(found.cadence, Cadence { timescale: Timescale::new(1_000_000), frame_ticks: 71_428 });
        assert_eq!(
            find(&rounded((30, 1), 90, nearest), TICK, Some(Nanos::from_millis(40))).unwrap().cadence.rate(),
            (30, 1)
        );
    }

    /// What is half a tick of the source off at one end of a stretch only is put in the middle, in each stretch by
    /// itself.
    #[test]
    fn each_stretch_is_put_in_the_middle_of_its_rounding() {
        for (before, after) in [(nearest as fn(i64) -> i64, down as fn(i64) -> i64), (down, nearest)] {
            let mut times = rounded((30, 1), 60, before);
            times.extend(later(&rounded((30, 1), 60, after), 5_017));
            let found = find(&times, TICK, None).unwrap();
            for (tick, time) in found.ticks().zip(&times) {
                // 17 us are half a tick of 30,000 Hz.
                assert!(off(&found, tick, *time) <= MS / 2 + 17_000, "{time:?}");
            }
        }
    }

    /// By a clock that ticks once a second, 26 pictures in each of two seconds can be 25 Hz, each half a tick off at
    /// the most; but the first of the second stretch is then where the last of the first is.
    #[test]
    fn stretches_that_meet_are_no_cadence() {
        let second = Nanos::from_secs(1);
        let fits = |count: usize| {
            let times = [vec![Nanos::ZERO; 26], vec![second; count]].concat();
            fit(&times, longest_step(&times), second, Cadence::of_rate(25, 1), None).is_some()
        };
        assert!(fits(25));
        assert!(!fits(26));
    }

    /// The first run can be asked to be elsewhere, and what follows stays where it is.
    #[test]
    fn another_phase_of_the_first_run() {
        let mut times = rounded((30, 1), 60, down);
        times.extend(later(&rounded((30, 1), 60, nearest), 5_017));
        let found = find(&times, TICK, None).unwrap();
        let phase = Nanos::new(-200_000);
        assert!(found.first_run.allows(phase, TICK));
        let moved = found.with_phase(&times, TICK, phase).unwrap();
        assert_eq!(moved.start, phase);
        for (tick, time) in moved.ticks().zip(&times) {
            assert!(off(&moved, tick, *time) <= MS / 2 + 17_000, "{time:?}");
        }
        assert_eq!(found.with_phase(&times, TICK, Nanos::from_millis(2)), None, "too far");
    }

    #[test]
    fn a_tick_of_a_whole_rate_is_at_most_100_us() {
        for rate in [1, 5, 9, 10, 11, 30, 240] {
            let found = find(&rounded((rate, 1), 300, nearest), TICK, None).unwrap().cadence;
            assert_eq!(found.rate(), (rate as u32, 1));
            assert!(found.timescale >= Timescale::new(10_000), "{found:?}");
        }
    }

    #[test]
    fn a_default_duration_that_is_no_whole_microseconds_is_no_hint() {
        // Whole microseconds would be off by less than rounding here.
        let times = |step_ns: i64| (0..50).map(|i| Nanos::new(nearest(i * step_ns))).collect::<Vec<_>>();
        let hinted = |step_ns| find(&times(step_ns), TICK, Some(Nanos::new(step_ns)));
        assert_eq!(hinted(37_123_001), None);
        assert!(hinted(37_123_000).is_some());
    }
}
