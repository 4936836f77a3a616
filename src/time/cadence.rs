//! Exact cadence out of rounded times.
//!
//! A file whose clock ticks in milliseconds shows 30 frames per second as steps of 33, 33 and 34. Where all times lie
//! within that rounding of an exact cadence, the cadence is what was meant, and one `stts` run says it.

use crate::time::runs::Runs;
use crate::time::units::{TickClock, ns_to_ticks, ticks_to_ns};

/// A cadence, as the media timescale and the ticks of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cadence {
    pub(crate) timescale: u32,
    pub(crate) frame_ticks: u32,
}

/// The cadence that was found, and the times on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OnCadence {
    pub(crate) cadence: Cadence,
    /// When the first picture is shown, in nanoseconds: at most half a tick of the source from what it says.
    pub(crate) start_ns: i64,
    stretches: Vec<Stretch>,
    /// Whether any time differs from the source's.
    pub(crate) moved: bool,
}

/// Pictures without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    /// Presentation time of the first, in ticks of the timescale from the first of all.
    first: i64,
    count: u32,
}

/// What cameras and encoders are set to, besides whole frames per second: (numerator, denominator) per second.
const FRACTIONAL_RATES: [(u32, u32); 6] =
    [(24_000, 1001), (30_000, 1001), (60_000, 1001), (120_000, 1001), (25, 2), (15, 2)];

/// Up to this many whole frames per second are looked for.
const MAX_WHOLE_RATE: u32 = 240;

/// A whole rate gets a media timescale of this many ticks per frame or more, so that the phase of a run behind a gap
/// is kept to 50 µs.
const FRAME_TICKS: u32 = 1000;
const FRAME_TICKS_BELOW_10_HZ: u32 = 10_000;

impl Cadence {
    fn of_rate(numerator: u32, denominator: u32) -> Self {
        let factor = match (numerator, denominator) {
            (_, 1001) => 1,
            (0..10, _) => FRAME_TICKS_BELOW_10_HZ,
            _ => FRAME_TICKS,
        };
        Self { timescale: numerator.saturating_mul(factor), frame_ticks: denominator.saturating_mul(factor) }
    }

    /// The cadence of a DefaultDuration, which is whole nanoseconds: that of a known rate that rounds to it, else
    /// itself where it is whole microseconds.
    fn of_duration(duration_ns: i64) -> Option<Self> {
        let known = Self::known().find(|cadence| cadence.ns(1).abs_diff(duration_ns) <= 1);
        known.or_else(|| {
            let micros = u32::try_from(duration_ns.checked_div(1000)?).ok()?;
            let is_whole = micros > 0 && duration_ns.checked_rem(1000)? == 0;
            is_whole.then_some(Self { timescale: 1_000_000, frame_ticks: micros })
        })
    }

    fn known() -> impl Iterator<Item = Self> {
        let whole = (1..=MAX_WHOLE_RATE).map(|rate| (rate, 1));
        whole.chain(FRACTIONAL_RATES).map(|(numerator, denominator)| Self::of_rate(numerator, denominator))
    }

    /// Time of frame `index`, in nanoseconds, rounded.
    fn ns(self, index: i64) -> i64 {
        ticks_to_ns(index.saturating_mul(i64::from(self.frame_ticks)), self.timescale)
    }

    /// Presentation time of the last picture of a stretch, in ticks.
    fn last_of(self, stretch: Stretch) -> i64 {
        let steps = i64::from(stretch.count.saturating_sub(1));
        stretch.first.saturating_add(steps.saturating_mul(self.frame_ticks.into()))
    }

    /// Frames per second: numerator and denominator.
    pub(crate) fn rate(self) -> (u32, u32) {
        let (mut divisor, mut rest) = (self.timescale, self.frame_ticks);
        while let Some(next) = divisor.checked_rem(rest) {
            (divisor, rest) = (rest, next);
        }
        let reduced = |value: u32| value.checked_div(divisor).unwrap_or(0);
        (reduced(self.timescale), reduced(self.frame_ticks))
    }
}

/// Finds the cadence that all of `times_ns` lie on, within half a tick of the source's `scale_ns`.
///
/// `times_ns` are in presentation order and do not decrease. A step of more than one and a half frames ends a run: each
/// run has a phase of its own, all have one cadence.
pub(crate) fn find(times_ns: &[i64], scale_ns: i64, default_duration_ns: Option<i64>) -> Option<OnCadence> {
    let longest_step_ns = longest_step(times_ns);
    let longest = longest_run(times_ns, longest_step_ns, scale_ns)?;
    let (steps, span) = steps_and_span(longest)?;
    // Whatever the phase, the ends of a run are off by less than a tick together.
    let near = |cadence: &Cadence| cadence.ns(steps).abs_diff(span) <= scale_ns.unsigned_abs();
    let hinted = default_duration_ns.and_then(Cadence::of_duration);
    let mut candidates: Vec<Cadence> = hinted.into_iter().chain(Cadence::known()).filter(near).collect();
    // The hint first, then the nearest: over a short run, neighbours such as 30 and 29.97 both fit.
    candidates.sort_by_key(|cadence| (Some(*cadence) != hinted, cadence.ns(steps).abs_diff(span)));
    candidates.into_iter().take(4).find_map(|cadence| fit(times_ns, longest_step_ns, scale_ns, cadence))
}

/// The longest run of frames of which none is lost, as far as that can be told before the cadence is known.
fn longest_run(times_ns: &[i64], longest_step_ns: i64, scale_ns: i64) -> Option<&[i64]> {
    let longest = |times_ns, limit_ns| {
        cut_at_gaps(times_ns, longest_step_ns, limit_ns).max_by_key(|run: &&[i64]| run.len())
    };
    let without_gap = longest(times_ns, LONG_STEP_NS)?;
    let (steps, span) = steps_and_span(without_gap)?;
    let mean = span.checked_div(steps)?;
    longest(without_gap, mean.saturating_add(scale_ns.max(mean / 2)))
}

/// How many steps there are, and how long they are together. `None` if there is none.
fn steps_and_span(times_ns: &[i64]) -> Option<(i64, i64)> {
    let steps = i64::try_from(times_ns.len()).ok()?.checked_sub(1).filter(|&steps| steps > 0)?;
    Some((steps, times_ns.last()?.checked_sub(*times_ns.first()?)?))
}

/// The longest step from one time to the next.
pub(crate) fn longest_step(times_ns: &[i64]) -> i64 {
    let steps = times_ns.iter().zip(times_ns.iter().skip(1)).map(|(a, b)| b.saturating_sub(*a));
    steps.max().unwrap_or(0)
}

/// Times without a step of more than `limit_ns`. Where the longest one is not, as in most clips, nothing is cut.
fn cut_at_gaps(times_ns: &[i64], longest_step_ns: i64, limit_ns: i64) -> impl Iterator<Item = &[i64]> {
    let (whole, cut) = if longest_step_ns <= limit_ns { (times_ns, &[][..]) } else { (&[][..], times_ns) };
    let cut = cut.chunk_by(move |a, b| b.saturating_sub(*a) <= limit_ns);
    std::iter::once(whole).filter(|whole| !whole.is_empty()).chain(cut)
}

/// A first cut at gaps, before the cadence is known: no camera with a steady cadence is slower than this.
const LONG_STEP_NS: i64 = 1_500_000_000;

fn fit(times_ns: &[i64], longest_step_ns: i64, scale_ns: i64, cadence: Cadence) -> Option<OnCadence> {
    let frame_ns = cadence.ns(1);
    let limit_ns = frame_ns.saturating_add(frame_ns / 2);
    let mut start_ns = None;
    let mut stretches = Vec::<Stretch>::new();
    let mut moved = false;
    for stretch in cut_at_gaps(times_ns, longest_step_ns, limit_ns) {
        let first_ns = *stretch.first()?;
        let (least_ns, most_ns) = off_cadence(stretch, scale_ns, cadence)?;
        // When the first frame is due so that no frame is off by more than half a tick: on its own time if that will
        // do, else in the middle of what will.
        let due_ns = first_ns.checked_add(middle_of_rounding(least_ns, most_ns, scale_ns))?;
        let start_ns = *start_ns.get_or_insert(due_ns);
        let first_tick = ns_to_ticks(due_ns.checked_sub(start_ns)?, cadence.timescale);
        let first_moved =
            ticks_to_ns(first_tick, cadence.timescale).checked_add(start_ns)?.checked_sub(first_ns)?;
        let moved_by = first_moved.abs_diff(least_ns).max(first_moved.abs_diff(most_ns));
        // Half a tick, and the rounding of a nanosecond.
        if moved_by > scale_ns.unsigned_abs().div_ceil(2).saturating_add(1) {
            return None;
        }
        // A clock that ticks less often than there are frames can put a stretch into the one before it.
        if stretches.last().is_some_and(|before| first_tick <= cadence.last_of(*before)) {
            return None;
        }
        moved |= moved_by > 1;
        stretches.push(Stretch { first: first_tick, count: u32::try_from(stretch.len()).ok()? });
    }
    Some(OnCadence { cadence, start_ns: start_ns?, stretches, moved })
}

/// How far the times of a stretch are before and behind a cadence that begins with the first of them. `None` if the
/// rounding of a clock cannot be why.
fn off_cadence(stretch: &[i64], scale_ns: i64, cadence: Cadence) -> Option<(i64, i64)> {
    let first = *stretch.first()?;
    let mut due = TickClock::new(0, cadence.timescale);
    let (mut least, mut most) = (0, 0);
    for &time_ns in stretch {
        let off = time_ns.checked_sub(first)?.checked_sub(due.ns())?;
        least = off.min(least);
        most = off.max(most);
        if most.saturating_sub(least) > scale_ns.saturating_add(1) {
            return None;
        }
        due.advance(cadence.frame_ticks);
    }
    Some((least, most))
}

impl OnCadence {
    /// Presentation times, in ticks of the timescale from the first.
    pub(crate) fn ticks(&self) -> impl Iterator<Item = i64> {
        let step = i64::from(self.cadence.frame_ticks);
        self.stretches.iter().flat_map(move |&Stretch { first, count }| {
            (0..i64::from(count)).map(move |index| first.saturating_add(index.saturating_mul(step)))
        })
    }

    /// From each presentation time to the next, and from the last a frame further. `None` if one takes 2^32 ticks.
    pub(crate) fn deltas(&self) -> Option<Runs<u32>> {
        let frame_ticks = self.cadence.frame_ticks;
        let mut deltas = Runs::default();
        let mut before = None;
        for &stretch in &self.stretches {
            if let Some(before) = before {
                let step = stretch.first.saturating_sub(self.cadence.last_of(before));
                deltas.push(1, u32::try_from(step).ok()?);
            }
            deltas.push(stretch.count.saturating_sub(1), frame_ticks);
            before = Some(stretch);
        }
        deltas.push(1, frame_ticks);
        Some(deltas)
    }
}

/// Where a run must be put whose times are between `least_ns` and `most_ns` off, all by the rounding of a clock with
/// ticks of `scale_ns`: where it is if none is off by more than half a tick, else in the middle. What is off by more
/// than rounding stays where it is.
pub(crate) fn middle_of_rounding(least_ns: i64, most_ns: i64, scale_ns: i64) -> i64 {
    let half = scale_ns / 2;
    let is_near = most_ns <= half && least_ns.saturating_neg() <= half;
    if is_near || most_ns.saturating_sub(least_ns) > scale_ns.saturating_add(1) {
        return 0;
    }
    least_ns.midpoint(most_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    /// Times of a cadence as a millisecond clock shows them.
    fn rounded(rate: (i64, i64), frames: i64, round: impl Fn(i64) -> i64) -> Vec<i64> {
        (0..frames).map(|i| round(i * rate.1 * 1_000_000_000 / rate.0)).collect()
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
                let found = find(&times, MS, None).unwrap();
                assert_eq!(found.cadence.rate(), (rate.0 as u32, rate.1 as u32));
                for (tick, time) in found.ticks().zip(&times) {
                    let off = ticks_to_ns(tick, found.cadence.timescale) + found.start_ns - time;
                    assert!(off.abs() <= MS / 2 + 1, "{rate:?}: {off}");
                }
            }
        }
    }

    #[test]
    fn the_timescale_is_that_of_the_rate() {
        let cadence = |rate| find(&rounded(rate, 300, nearest), MS, None).unwrap().cadence;
        assert_eq!(cadence((30_000, 1001)), Cadence { timescale: 30_000, frame_ticks: 1001 });
        assert_eq!(cadence((24_000, 1001)), Cadence { timescale: 24_000, frame_ticks: 1001 });
        assert_eq!(cadence((30, 1)), Cadence { timescale: 30_000, frame_ticks: 1000 });
    }

    #[test]
    fn a_gap_has_two_phases() {
        let mut times = rounded((30, 1), 60, nearest);
        times.extend(rounded((30, 1), 60, nearest).iter().map(|t| t + 5_017 * MS));
        let found = find(&times, MS, None).unwrap();
        let ticks: Vec<i64> = found.ticks().collect();
        let second = ticks_to_ns(ticks[60], found.cadence.timescale);
        assert!((second - 5_017 * MS).abs() <= 50_000, "{second}");
        assert_eq!(ticks[61] - ticks[60], i64::from(found.cadence.frame_ticks));
        let deltas: Vec<i64> = ticks.windows(2).map(|pair| pair[1] - pair[0]).collect();
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
        let later = |times: Vec<i64>| times.iter().map(|time| time + 9_000 * MS).collect();
        let one: Vec<i64> = without(|index| index == 20);
        for times in [one.clone(), without(|index| index % 10 == 9), [one.clone(), later(one)].concat()] {
            let found = find(&times, MS, None).expect("a cadence");
            assert_eq!(found.cadence.rate(), (30, 1));
            for (tick, time) in found.ticks().zip(&times) {
                let off = ticks_to_ns(tick, found.cadence.timescale) + found.start_ns - time;
                assert!(off.abs() <= MS / 2 + 17_000, "{off}");
            }
        }
    }

    /// 25 pictures a second by a clock of seconds: the jump from second to second is no gap.
    #[test]
    fn a_clock_that_is_coarser_than_the_frames() {
        let second = |index: i64| 1000 * MS * (index / 25);
        let times: Vec<i64> = (0..2500).map(second).collect();
        assert_eq!(find(&times, 1000 * MS, None).unwrap().cadence.rate(), (25, 1));
    }

    #[test]
    fn a_run_is_put_in_the_middle_only_of_what_rounding_explains() {
        let middle = |least_us: i64, most_us: i64| middle_of_rounding(least_us * 1000, most_us * 1000, MS);
        assert_eq!([middle(-500, 500), middle(-400, 200), middle(0, 0)], [0; 3], "near enough");
        assert_eq!([middle(-1000, 0), middle(0, 900), middle(-600, 100)], [-500_000, 450_000, -250_000]);
        assert_eq!([middle(-1001, 0), middle(-600, 600), middle(0, 2000)], [0; 3], "more than rounding");
        assert_eq!(middle_of_rounding(-MS, 1, MS), (1 - MS) / 2, "and a nanosecond of another rounding");
    }

    #[test]
    fn jitter_is_no_cadence() {
        let times: Vec<i64> = (0..300).map(|i| (i * 33 + [0, 3, -2, 1][i as usize % 4]) * MS).collect();
        assert_eq!(find(&times, MS, None), None);
        assert_eq!(find(&[0], MS, None), None);
        assert_eq!(find(&[], MS, None), None);
    }

    #[test]
    fn a_default_duration_is_a_hint_that_must_fit() {
        let odd: Vec<i64> = (0..100).map(|i| nearest(i * 71_428_000)).collect();
        let found = find(&odd, MS, Some(71_428_000)).unwrap();
        assert_eq!(found.cadence, Cadence { timescale: 1_000_000, frame_ticks: 71_428 });
        assert_eq!(find(&rounded((30, 1), 90, nearest), MS, Some(40 * MS)).unwrap().cadence.rate(), (30, 1));
    }

    /// What is half a tick of the source off at one end of a stretch only is put in the middle, in each stretch by
    /// itself.
    #[test]
    fn each_stretch_is_put_in_the_middle_of_its_rounding() {
        for (before, after) in [(nearest as fn(i64) -> i64, down as fn(i64) -> i64), (down, nearest)] {
            let mut times = rounded((30, 1), 60, before);
            times.extend(rounded((30, 1), 60, after).iter().map(|t| t + 5_017 * MS));
            let found = find(&times, MS, None).unwrap();
            for (tick, time) in found.ticks().zip(&times) {
                let off = ticks_to_ns(tick, found.cadence.timescale) + found.start_ns - time;
                // 17 us are half a tick of 30,000 Hz.
                assert!(off.abs() <= MS / 2 + 17_000, "{off}");
            }
        }
    }

    /// By a clock that ticks once a second, 26 pictures in each of two seconds can be 25 Hz, each half a tick off at
    /// the most; but the first of the second stretch is then where the last of the first is.
    #[test]
    fn stretches_that_meet_are_no_cadence() {
        const S: i64 = 1000 * MS;
        let fits = |second: usize| {
            let times = [vec![0; 26], vec![S; second]].concat();
            fit(&times, longest_step(&times), S, Cadence::of_rate(25, 1)).is_some()
        };
        assert!(fits(25));
        assert!(!fits(26));
    }

    #[test]
    fn a_tick_of_a_whole_rate_is_at_most_100_us() {
        for rate in [1, 5, 9, 10, 11, 30, 240] {
            let found = find(&rounded((rate, 1), 300, nearest), MS, None).unwrap().cadence;
            assert_eq!(found.rate(), (rate as u32, 1));
            assert!(found.timescale >= 10_000, "{found:?}");
        }
    }

    #[test]
    fn a_default_duration_that_is_no_whole_microseconds_is_no_hint() {
        // Whole microseconds would be off by less than rounding here.
        let times = |step_ns: i64| (0..50).map(|i| nearest(i * step_ns)).collect::<Vec<i64>>();
        assert_eq!(find(&times(37_123_001), MS, Some(37_123_001)), None);
        assert!(find(&times(37_123_000), MS, Some(37_123_000)).is_some());
    }
}
