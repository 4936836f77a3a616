//! Numbers as a person would say them, for messages.

use std::fmt;

/// A number of things: `1 frame`, `2 frames`.
pub(crate) struct Count(pub(crate) u64, pub(crate) &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, noun) = self;
        write!(f, "{count} {noun}{}", if *count == 1 { "" } else { "s" })
    }
}

/// A length of time in nanoseconds, rounded: `0.4 ms`, `60 ms`, `1.5 s`, `90 s`, `5 min 20 s`, `3 h 10 min`, `49 days`.
pub(crate) struct Length(pub(crate) u64);

const MS: u64 = 1_000_000;
const S: u64 = 1000 * MS;
const MIN: u64 = 60 * S;
const H: u64 = 60 * MIN;
const DAY: u64 = 24 * H;

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(ns) = *self;
        let in_tenths = |unit: u64| rounded(ns, unit / 10);
        match ns {
            0..10_000_000 => write!(f, "{} ms", Tenths(in_tenths(MS))),
            10_000_000..999_500_000 => write!(f, "{} ms", rounded(ns, MS)),
            999_500_000..100_000_000_000 => write!(f, "{} s", Tenths(in_tenths(S))),
            100_000_000_000..MIN_RANGE => pair(f, rounded(ns, S), 60, ["min", "s"]),
            MIN_RANGE..DAY_RANGE => pair(f, rounded(ns, MIN), 60, ["h", "min"]),
            _ => write!(f, "{} days", rounded(ns, DAY)),
        }
    }
}

const MIN_RANGE: u64 = 2 * H;
const DAY_RANGE: u64 = 2 * DAY;

fn rounded(ns: u64, unit: u64) -> u64 {
    let (whole, rest) = (ns.checked_div(unit).unwrap_or(0), ns.checked_rem(unit).unwrap_or(0));
    whole.saturating_add(u64::from(rest >= unit.div_ceil(2)))
}

fn pair(
    f: &mut fmt::Formatter<'_>,
    small: u64,
    factor: u64,
    [large_unit, small_unit]: [&str; 2],
) -> fmt::Result {
    let large = small.checked_div(factor).unwrap_or(0);
    write!(f, "{large} {large_unit}")?;
    match small.checked_rem(factor) {
        Some(rest @ 1..) => write!(f, " {rest} {small_unit}"),
        _ => Ok(()),
    }
}

/// A number of tenths, with a decimal only if it is not 0.
struct Tenths(u64);

impl fmt::Display for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 % 10 {
            0 => write!(f, "{}", self.0 / 10),
            tenth => write!(f, "{}.{tenth}", self.0 / 10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for (ns, shown) in [
            (0, "0 ms"),
            (400_000, "0.4 ms"),
            (2_500_000, "2.5 ms"),
            (33_333_333, "33 ms"),
            (60 * MS, "60 ms"),
            (999_400_000, "999 ms"),
            (999_600_000, "1 s"),
            (1_500 * MS, "1.5 s"),
            (89_999_661_017, "90 s"),
            (320 * S, "5 min 20 s"),
            (H, "60 min"),
            (3 * H + 10 * MIN, "3 h 10 min"),
            (49 * DAY, "49 days"),
        ] {
            assert_eq!(Length(ns).to_string(), shown);
        }
        assert_eq!(Length(u64::MAX).to_string(), "213504 days");
    }

    #[test]
    fn counts() {
        assert_eq!(
            [0, 1, 2].map(|count| Count(count, "frame").to_string()),
            ["0 frames", "1 frame", "2 frames"]
        );
    }
}
