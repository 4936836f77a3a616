//! Units of time, and all arithmetic on them.
//!
//! [`Nanos`] measures the input and the timeline of the clip, [`MediaTicks`] a track of the output in its own
//! [`Timescale`], [`MovieTicks`] the edit lists. Values of two units do not mix; [`Timescale`] converts one into
//! another, and rounds points to the nearest tick, halves up.
//!
//! Arithmetic saturates. Times of a clip are far from the limits of 64 bits (292 years); what hostile input brings
//! beyond them is a wrong time and never a panic.

use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};

/// A point in time, or the distance of two, in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Nanos(i64);

/// A time of a track's media, in ticks of its timescale.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MediaTicks(i64);

/// A time of the movie, in ticks of 1/90,000 s.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MovieTicks(u64);

macro_rules! saturating_arithmetic {
    ($unit:ident) => {
        impl Add for $unit {
            type Output = Self;

            #[inline]
            fn add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }
        }

        impl Sub for $unit {
            type Output = Self;

            #[inline]
            fn sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
        }

        impl AddAssign for $unit {
            #[inline]
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }

        impl SubAssign for $unit {
            #[inline]
            fn sub_assign(&mut self, other: Self) {
                *self = *self - other;
            }
        }
    };
}

macro_rules! signed_arithmetic {
    ($unit:ident) => {
        impl Neg for $unit {
            type Output = Self;

            #[inline]
            fn neg(self) -> Self {
                Self(self.0.saturating_neg())
            }
        }

        impl Mul<i64> for $unit {
            type Output = Self;

            #[inline]
            fn mul(self, factor: i64) -> Self {
                Self(self.0.saturating_mul(factor))
            }
        }
    };
}

saturating_arithmetic!(Nanos);
saturating_arithmetic!(MediaTicks);
saturating_arithmetic!(MovieTicks);
signed_arithmetic!(Nanos);
signed_arithmetic!(MediaTicks);

impl Nanos {
    pub(crate) const ZERO: Self = Self(0);
    pub(crate) const MAX: Self = Self(i64::MAX);

    pub(crate) const fn new(nanos: i64) -> Self {
        Self(nanos)
    }

    pub(crate) const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    pub(crate) const fn from_secs(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000))
    }

    #[inline]
    pub(crate) const fn get(self) -> i64 {
        self.0
    }

    /// Whole milliseconds, rounded down.
    pub(crate) const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Whole seconds, rounded down.
    pub(crate) const fn as_secs(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// The length of a distance, whatever its direction.
    #[inline]
    pub(crate) const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// The length of a distance as a report states it.
    pub(crate) const fn unsigned_abs(self) -> u64 {
        self.0.unsigned_abs()
    }

    /// A `divisor`-th of it, rounded toward zero; itself where `divisor` is 0.
    #[inline]
    pub(crate) fn divided_by(self, divisor: i64) -> Self {
        Self(self.0.checked_div(divisor).unwrap_or(self.0))
    }

    /// The nearest multiple of `tick`, halves up; itself where `tick` is 0.
    pub(crate) fn rounded_to(self, tick: Self) -> Self {
        let half_up = self + tick.divided_by(2);
        half_up.0.checked_rem_euclid(tick.0).map_or(self, |rest| half_up - Self(rest))
    }

    pub(crate) fn midpoint(self, other: Self) -> Self {
        Self(self.0.midpoint(other.0))
    }
}

impl MediaTicks {
    pub(crate) const ZERO: Self = Self(0);
    pub(crate) const ONE: Self = Self(1);

    #[inline]
    pub(crate) const fn new(ticks: i64) -> Self {
        Self(ticks)
    }

    /// A time as a field of 64 bits holds it, or a sum of samples.
    #[inline]
    pub(crate) fn of(ticks: u64) -> Self {
        Self(i64::try_from(ticks).unwrap_or(i64::MAX))
    }

    /// As a field of 64 bits without a sign holds it; a time before 0 is 0.
    pub(crate) fn unsigned(self) -> u64 {
        u64::try_from(self.0).unwrap_or(0)
    }

    /// As an entry of `stts` or `ctts` holds it; `None` if it is negative or takes more than 32 bits.
    #[inline]
    pub(crate) fn entry(self) -> Option<u32> {
        u32::try_from(self.0).ok()
    }
}

impl From<u32> for MediaTicks {
    #[inline]
    fn from(ticks: u32) -> Self {
        Self(ticks.into())
    }
}

impl MovieTicks {
    /// Ticks per second of the movie: a millisecond is whole in it, and the offset between the tracks is exact to
    /// 6 µs.
    pub(crate) const PER_SECOND: u32 = 90_000;

    /// The nearest tick; a time before 0 is 0.
    pub(crate) fn at(time: Nanos) -> Self {
        Self(Timescale::new(Self::PER_SECOND).ticks(time).unsigned())
    }

    pub(crate) const fn new(ticks: u64) -> Self {
        Self(ticks)
    }

    pub(crate) const fn get(self) -> u64 {
        self.0
    }
}

/// Ticks per second of a track's media; 1 or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timescale(u32);

impl Timescale {
    /// 0 is taken as 1.
    pub(crate) const fn new(ticks_per_second: u32) -> Self {
        Self(if ticks_per_second == 0 { 1 } else { ticks_per_second })
    }

    #[inline]
    pub(crate) const fn get(self) -> u32 {
        self.0
    }

    /// The tick that is nearest to a time, halves up, kept within 64 bits.
    #[inline]
    pub(crate) fn ticks(self, time: Nanos) -> MediaTicks {
        MediaTicks(rescale(time.0, self.0, NANOS_PER_SECOND).0)
    }

    /// The time of a tick, halves up, kept within 64 bits.
    #[inline]
    pub(crate) fn nanos(self, ticks: MediaTicks) -> Nanos {
        Nanos(rescale(ticks.0, NANOS_PER_SECOND, self.0).0)
    }

    /// The last tick of a movie that is not after a tick of the media.
    pub(crate) fn whole_movie_ticks(self, ticks: MediaTicks) -> MovieTicks {
        let (whole, _) = divide(ticks.0, MovieTicks::PER_SECOND, self.0, 0);
        MovieTicks(u64::try_from(whole).unwrap_or(0))
    }
}

const NANOS_PER_SECOND: u32 = 1_000_000_000;

/// `value * factor / divisor`, halves up, and the remainder: 0 to `divisor` exclusive.
#[inline]
fn rescale(value: i64, factor: u32, divisor: u32) -> (i64, i64) {
    divide(value, factor, divisor, divisor / 2)
}

/// `(value * factor + add) / divisor`, rounded down and kept within `i64`, and the remainder.
#[inline]
fn divide(value: i64, factor: u32, divisor: u32, add: u32) -> (i64, i64) {
    let divisor = i64::from(divisor.max(1));
    // Times of a clip fit 64 bits, in which a division takes a tenth of what it takes in 128.
    match value.checked_mul(i64::from(factor)).and_then(|product| product.checked_add(i64::from(add))) {
        Some(product) => (product.div_euclid(divisor), product.rem_euclid(divisor)),
        None => {
            let product =
                i128::from(value).saturating_mul(i128::from(factor)).saturating_add(i128::from(add));
            let (quotient, rest) =
                (product.div_euclid(i128::from(divisor)), product.rem_euclid(i128::from(divisor)));
            (i64::try_from(quotient).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX }), rest as i64)
        }
    }
}

/// A tick that moves forward, and its time: at each place what [`Timescale::nanos`] gives, without a division at each
/// step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TickClock {
    timescale: Timescale,
    ticks: i64,
    nanos: i64,
    /// How far the time was rounded, in parts of a nanosecond, of which there are as many as ticks per second.
    rest: i64,
    /// The last step, and how long it is. Nearly all steps are alike.
    step: u32,
    step_nanos: i64,
    step_rest: i64,
}

impl TickClock {
    pub(crate) fn new(ticks: MediaTicks, timescale: Timescale) -> Self {
        let (nanos, rest) = rescale(ticks.0, NANOS_PER_SECOND, timescale.0);
        Self { timescale, ticks: ticks.0, nanos, rest, step: 0, step_nanos: 0, step_rest: 0 }
    }

    #[inline]
    pub(crate) fn ticks(&self) -> MediaTicks {
        MediaTicks(self.ticks)
    }

    #[inline]
    pub(crate) fn time(&self) -> Nanos {
        Nanos(self.nanos)
    }

    #[inline]
    pub(crate) fn advance(&mut self, step: u32) {
        if step != self.step {
            self.step = step;
            (self.step_nanos, self.step_rest) = divide(step.into(), NANOS_PER_SECOND, self.timescale.0, 0);
        }
        self.ticks = self.ticks.saturating_add(step.into());
        self.nanos = self.nanos.saturating_add(self.step_nanos);
        // Both are below 2^32.
        self.rest = self.rest.wrapping_add(self.step_rest);
        let timescale = i64::from(self.timescale.0);
        if self.rest >= timescale {
            self.rest = self.rest.wrapping_sub(timescale);
            self.nanos = self.nanos.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_rounded_up() {
        let ticks = |nanos| Timescale::new(1000).ticks(Nanos::new(nanos)).0;
        assert_eq!([ticks(500_000), ticks(499_999)], [1, 0]);
        assert_eq!([ticks(-500_000), ticks(-500_001)], [0, -1]);
        let nanos = |ticks| Timescale::new(3).nanos(MediaTicks(ticks)).0;
        assert_eq!([nanos(1), nanos(2), nanos(-1)], [333_333_333, 666_666_667, -333_333_333]);
    }

    #[test]
    fn multiples_of_a_tick() {
        let rounded = |nanos| Nanos::new(nanos).rounded_to(Nanos::new(100)).0;
        assert_eq!([rounded(149), rounded(150), rounded(-150), rounded(-151)], [100, 200, -100, -200]);
        assert_eq!(Nanos::new(7).rounded_to(Nanos::ZERO), Nanos::new(7));
    }

    #[test]
    fn beyond_64_bits() {
        assert_eq!(Timescale::new(90_000).ticks(Nanos::MAX).0, 830_103_483_316_930);
        let seconds = Timescale::new(0);
        assert_eq!(seconds.nanos(MediaTicks(i64::MAX)), Nanos::MAX);
        assert_eq!(seconds.nanos(MediaTicks(i64::MIN)), Nanos(i64::MIN));
        assert_eq!(Nanos::MAX + Nanos::new(1), Nanos::MAX);
        assert_eq!(-Nanos(i64::MIN), Nanos::MAX);
        assert_eq!(Nanos::from_secs(i64::MAX) * 2, Nanos::MAX);
    }

    /// ISO/IEC 14496-12 section 8.6.1: entries of `stts` and `ctts` have 32 bits.
    #[test]
    fn an_entry_has_32_bits_and_no_sign() {
        let entry = |ticks| MediaTicks(ticks).entry();
        assert_eq!([entry(-1), entry(0), entry(1 << 32)], [None, Some(0), None]);
        assert_eq!(entry((1 << 32) - 1), Some(u32::MAX));
    }

    #[test]
    fn ticks_of_the_movie() {
        assert_eq!(MovieTicks::at(Nanos::from_millis(100)), MovieTicks(9000));
        assert_eq!(MovieTicks::at(Nanos::new(-1)), MovieTicks(0));
        assert_eq!(Timescale::new(48_000).whole_movie_ticks(MediaTicks(1023)), MovieTicks(1918));
    }

    #[test]
    fn a_clock_gives_what_a_division_at_each_step_gives() {
        for timescale in [1, 7, 8000, 30_000, 44_100, 48_000, 90_000, u32::MAX].map(Timescale::new) {
            for start in [0, 5, -1_000_003, 1 << 40] {
                let mut clock = TickClock::new(MediaTicks(start), timescale);
                let mut ticks = MediaTicks(start);
                for step in [1024, 1024, 1001, 0, 1, 3600, 3600, 3600, 960].into_iter().cycle().take(5000) {
                    clock.advance(step);
                    ticks += step.into();
                    assert_eq!((clock.ticks(), clock.time()), (ticks, timescale.nanos(ticks)));
                }
            }
        }
    }
}
