//! Times as numbers: Unix seconds, and finer units recognised by their size.

use crate::time::Bound;

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// A number of seconds since 1970 or of a finer unit, as a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnixTime {
    /// Nanoseconds since the Unix epoch, rounded into the range.
    pub(super) nanos: i128,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Seconds,
    Millis,
    Micros,
    Nanos,
}

impl Unit {
    /// The unit of a time between 1973 and 5138, by its size: 10^11 seconds are the year 5138, 10^11 milliseconds 1973.
    fn by_size(whole: i128) -> Option<Self> {
        const LARGEST: [(u32, Unit); 4] =
            [(11, Unit::Seconds), (14, Unit::Millis), (17, Unit::Micros), (20, Unit::Nanos)];
        let unit = LARGEST.into_iter().find(|(digits, _)| whole < 10_i128.pow(*digits));
        unit.map(|(_, unit)| unit)
    }

    fn nanos(self) -> i128 {
        match self {
            Self::Seconds => NANOS_PER_SECOND,
            Self::Millis => 1_000_000,
            Self::Micros => 1000,
            Self::Nanos => 1,
        }
    }
}

impl UnixTime {
    /// Reads `1714564800`, `@1714564800.5`, `-1.5` or `1714564800000`, and nothing else.
    pub(super) fn parse(text: &str, bound: Bound) -> Option<Self> {
        let text = text.strip_prefix('@').unwrap_or(text);
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let Decimal { whole, billionths, is_finer } = Decimal::parse(text)?;
        let unit = Unit::by_size(whole)?;
        let fraction = billionths.checked_mul(unit.nanos())?;
        let partial = fraction % NANOS_PER_SECOND != 0 || is_finer;
        let nanos = whole.checked_mul(unit.nanos())?.checked_add(fraction / NANOS_PER_SECOND)?;
        // Away from zero is into the range for a start after 1970, and for an end before it.
        let is_away_from_zero = (bound == Bound::Start) != is_negative;
        let nanos = nanos.checked_add(i128::from(partial && is_away_from_zero))?;
        Some(Self { nanos: if is_negative { nanos.checked_neg()? } else { nanos }, unit })
    }

    /// The unit, unless it is the usual one.
    pub(super) fn unit_by_size(self) -> Option<&'static str> {
        match self.unit {
            Unit::Seconds => None,
            Unit::Millis => Some("milliseconds"),
            Unit::Micros => Some("microseconds"),
            Unit::Nanos => Some("nanoseconds"),
        }
    }
}

/// Decimal seconds in nanoseconds, rounded down.
pub(super) fn decimal_seconds(text: &str) -> Option<i128> {
    let Decimal { whole, billionths, .. } = Decimal::parse(text)?;
    whole.checked_mul(NANOS_PER_SECOND)?.checked_add(billionths)
}

/// Digits, perhaps with a point and further digits.
struct Decimal {
    whole: i128,
    /// The first nine decimals.
    billionths: i128,
    /// Whether later decimals are not all 0.
    is_finer: bool,
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let is_number =
            |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        if !is_number(whole) || !is_number(decimals) {
            return None;
        }
        let (first, later) = decimals.split_at_checked(9).unwrap_or((decimals, ""));
        Some(Self {
            whole: whole.parse().ok()?,
            billionths: format!("{first:0<9}").parse().ok()?,
            is_finer: later.bytes().any(|digit| digit != b'0'),
        })
    }
}
