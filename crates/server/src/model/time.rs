//! Timestamps in JSON: Unix seconds as a number, whole or with decimals.

use getclip::Timestamp;
use serde_json::Value;

use super::error::ServiceError;
use super::members::Members;

const MICROS_PER_SECOND: f64 = 1_000_000.0;

/// To which whole millisecond a time between two of them is moved, so that `start <= t <= end` decides about each
/// fragment (whose times are whole milliseconds) as it would without rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// For the start of a range.
    Up,
    /// For the end of a range.
    Down,
}

/// A required timestamp. SDKs send whole seconds, milliseconds or microseconds.
pub(crate) fn take(members: &mut Members, name: &str, rounding: Rounding) -> Result<Timestamp, ServiceError> {
    take_optional(members, name, rounding)?.ok_or_else(|| members.missing(name))
}

pub(crate) fn take_optional(
    members: &mut Members,
    name: &str,
    rounding: Rounding,
) -> Result<Option<Timestamp>, ServiceError> {
    let Some(value) = members.take(name) else { return Ok(None) };
    let Value::Number(number) = &value else {
        return Err(members.mistyped(name, "Unix seconds as a number", &value));
    };
    // The nearest microsecond is exact for what SDKs send: an f64 holds today's seconds in steps of 0.24 us.
    number
        .as_f64()
        .map(|seconds| (seconds * MICROS_PER_SECOND).round())
        .filter(|micros| micros.abs() < LARGEST_MICROS)
        .map(|micros| Some(from_micros(micros as i64, rounding)))
        .ok_or_else(|| {
            ServiceError::constraint(&members.name_of(name), "Unix seconds before the year 10000", number)
        })
}

/// 9999-12-31T23:59:59.999999Z, the last time that RFC 3339 can write.
const LARGEST_MICROS: f64 = 253_402_300_800.0 * MICROS_PER_SECOND;

fn from_micros(micros: i64, rounding: Rounding) -> Timestamp {
    let down = micros.div_euclid(1000);
    let is_between = micros.rem_euclid(1000) != 0;
    Timestamp::from_millis(down.saturating_add(i64::from(is_between && rounding == Rounding::Up)))
}

/// A timestamp as the service writes it: exact to the millisecond.
pub(crate) fn to_json(time: Timestamp) -> Value {
    let millis = time.as_millis();
    if millis % 1000 == 0 { Value::from(millis / 1000) } else { Value::from(millis as f64 / 1000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(number: &str, rounding: Rounding) -> Result<i64, String> {
        let mut members = Members::parse(format!(r#"{{"T": {number}}}"#).as_bytes()).unwrap();
        take(&mut members, "T", rounding)
            .map(Timestamp::as_millis)
            .map_err(|error| error.message().to_owned())
    }

    #[test]
    fn decimals_are_exact() {
        for millis in [1_511_852_109_126, 1_763_999_999_999, 1, 0, -1, 2_524_608_000_001] {
            let text = to_json(Timestamp::from_millis(millis)).to_string();
            assert_eq!(parse(&text, Rounding::Up), Ok(millis), "{text}");
            assert_eq!(parse(&text, Rounding::Down), Ok(millis), "{text}");
        }
        assert_eq!(to_json(Timestamp::from_millis(1_511_852_109_126)).to_string(), "1511852109.126");
        assert_eq!(parse("1.511852109126E9", Rounding::Up), Ok(1_511_852_109_126));
    }

    #[test]
    fn microseconds_shrink_the_range() {
        assert_eq!(parse("1511852109.126001", Rounding::Up), Ok(1_511_852_109_127));
        assert_eq!(parse("1511852109.126999", Rounding::Down), Ok(1_511_852_109_126));
        assert_eq!(parse("-0.0005", Rounding::Up), Ok(0));
        assert_eq!(parse("-0.0005", Rounding::Down), Ok(-1));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        assert_eq!(
            parse(r#""2024-01-01""#, Rounding::Up),
            Err("T: expected Unix seconds as a number, found a string".into())
        );
        assert_eq!(parse("null", Rounding::Up), Err("T is required".into()));
        for number in ["253402300800", "1e300", "-1e18"] {
            let message = parse(number, Rounding::Up).unwrap_err();
            assert!(
                message.starts_with("T: expected Unix seconds before the year 10000, found "),
                "{message}"
            );
        }
        assert_eq!(parse("253402300799", Rounding::Up), Ok(253_402_300_799_000));
    }
}
