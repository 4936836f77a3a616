//! Values as they are shown to people and to programs.

use getclip::Timestamp;
use serde_json::{Value, json};

const NANOS_PER_MILLI: i64 = 1_000_000;

/// `text` without control characters: codec IDs and messages come from the input, and may hold what would steer a
/// terminal or break a line.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Nanoseconds as seconds with three decimals, rounded to the nearest.
pub(crate) fn seconds(nanos: i64) -> String {
    let millis = (nanos.unsigned_abs().saturating_add(NANOS_PER_MILLI as u64 / 2)) / NANOS_PER_MILLI as u64;
    let sign = if nanos < 0 && millis > 0 { "-" } else { "" };
    format!("{sign}{}.{:03} s", millis / 1000, millis % 1000)
}

/// `1 frame`, `2 frames`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Nanoseconds as a JSON number of milliseconds, an integer where it is whole.
pub(crate) fn json_millis(nanos: i64) -> Value {
    if nanos % NANOS_PER_MILLI == 0 {
        json!(nanos / NANOS_PER_MILLI)
    } else {
        json!(nanos as f64 / NANOS_PER_MILLI as f64)
    }
}

/// A timestamp as RFC 3339, `null` where there is none.
pub(crate) fn json_timestamp(time: Option<Timestamp>) -> Value {
    json!(time.map(|time| time.to_string()))
}

/// A timestamp as Unix seconds, as AWS's interfaces write it. Exact to the millisecond for any year before 280000.
pub(crate) fn json_seconds(time: Option<Timestamp>) -> Value {
    match time.map(Timestamp::as_millis) {
        None => Value::Null,
        Some(millis) if millis % 1000 == 0 => json!(millis / 1000),
        Some(millis) => json!(millis as f64 / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_not_passed_on() {
        assert_eq!(printable("V_\u{1b}[31mX\nY\0"), "V_\u{fffd}[31mX\u{fffd}Y\u{fffd}");
        assert_eq!(printable("größe 日本"), "größe 日本");
    }

    #[test]
    fn seconds_round_to_the_nearest_millisecond() {
        assert_eq!(seconds(1_999_499_999), "1.999 s");
        assert_eq!(seconds(1_999_500_000), "2.000 s");
        assert_eq!(seconds(-33_333_333), "-0.033 s");
        assert_eq!(seconds(-1), "0.000 s");
        let _ = (seconds(i64::MIN), seconds(i64::MAX));
    }

    #[test]
    fn numbers_in_json() {
        assert_eq!(json_millis(10_000_000_000).to_string(), "10000");
        assert_eq!(json_millis(33_333_333).to_string(), "33.333333");
        let time = Some(Timestamp::from_millis(1_511_852_109_126));
        assert_eq!(json_seconds(time).to_string(), "1511852109.126");
        assert_eq!(json_seconds(Some(Timestamp::from_millis(-2000))).to_string(), "-2");
        assert_eq!(json_timestamp(time), "2017-11-28T06:55:09.126Z");
        assert_eq!((json_timestamp(None), json_seconds(None)), (Value::Null, Value::Null));
    }
}
