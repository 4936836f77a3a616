//! Values as they are shown to people.

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
}
