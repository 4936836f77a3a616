//! Ticks of a media timescale and nanoseconds, each out of the other.

/// The time of a tick, halves up, kept within `i64`.
pub(crate) fn ticks_to_ns(ticks: i64, timescale: u32) -> i64 {
    rescale(ticks, NS_PER_S, timescale).0
}

/// The tick that is nearest to a time, halves up, kept within `i64`.
pub(crate) fn ns_to_ticks(ns: i64, timescale: u32) -> i64 {
    rescale(ns, timescale, NS_PER_S).0
}

const NS_PER_S: u32 = 1_000_000_000;

/// `value * factor / divisor`, halves up, and what is left over: 0 to `divisor` exclusive.
#[inline]
fn rescale(value: i64, factor: u32, divisor: u32) -> (i64, i64) {
    divide(value, factor, divisor, divisor / 2)
}

/// `(value * factor + add) / divisor`, rounded down and kept within `i64`, and what is left over.
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

/// A tick that moves forward, and its time: at each place what [`ticks_to_ns`] says, without a division at each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TickClock {
    timescale: u32,
    ticks: i64,
    ns: i64,
    /// How far the time was rounded, in parts of a nanosecond, `timescale` of which are one.
    rest: i64,
    /// The last step, and how long it is. Nearly all steps are alike.
    step: u32,
    step_ns: i64,
    step_rest: i64,
}

impl TickClock {
    pub(crate) fn new(ticks: i64, timescale: u32) -> Self {
        let (ns, rest) = rescale(ticks, NS_PER_S, timescale);
        Self { timescale, ticks, ns, rest, step: 0, step_ns: 0, step_rest: 0 }
    }

    #[inline]
    pub(crate) fn ticks(&self) -> i64 {
        self.ticks
    }

    #[inline]
    pub(crate) fn ns(&self) -> i64 {
        self.ns
    }

    #[inline]
    pub(crate) fn advance(&mut self, step: u32) {
        if step != self.step {
            self.step = step;
            (self.step_ns, self.step_rest) = divide(step.into(), NS_PER_S, self.timescale, 0);
        }
        self.ticks = self.ticks.saturating_add(step.into());
        self.ns = self.ns.saturating_add(self.step_ns);
        // Both are below 2^32.
        self.rest = self.rest.wrapping_add(self.step_rest);
        let timescale = i64::from(self.timescale.max(1));
        if self.rest >= timescale {
            self.rest = self.rest.wrapping_sub(timescale);
            self.ns = self.ns.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_rounded_up() {
        assert_eq!([ns_to_ticks(500_000, 1000), ns_to_ticks(499_999, 1000)], [1, 0]);
        assert_eq!([ns_to_ticks(-500_000, 1000), ns_to_ticks(-500_001, 1000)], [0, -1]);
        assert_eq!(
            [ticks_to_ns(1, 3), ticks_to_ns(2, 3), ticks_to_ns(-1, 3)],
            [333_333_333, 666_666_667, -333_333_333]
        );
    }

    #[test]
    fn beyond_64_bits() {
        assert_eq!(ns_to_ticks(i64::MAX, 90_000), 830_103_483_316_930);
        assert_eq!(ticks_to_ns(i64::MAX, 1), i64::MAX);
        assert_eq!(ticks_to_ns(i64::MIN, 1), i64::MIN);
    }

    #[test]
    fn a_clock_says_what_a_division_at_each_step_says() {
        for timescale in [1, 7, 8000, 30_000, 44_100, 48_000, 90_000, u32::MAX] {
            for start in [0, 5, -1_000_003, 1 << 40] {
                let mut clock = TickClock::new(start, timescale);
                let mut ticks = start;
                for step in [1024, 1024, 1001, 0, 1, 3600, 3600, 3600, 960].into_iter().cycle().take(5000) {
                    clock.advance(step);
                    ticks += i64::from(step);
                    assert_eq!((clock.ticks(), clock.ns()), (ticks, ticks_to_ns(ticks, timescale)));
                }
            }
        }
    }
}
