//! Times and durations as people type them.
//!
//! | typed | meaning |
//! |---|---|
//! | `2024-05-01T12:00:00Z`, `2024-05-01 14:00:00+02:00` | RFC 3339, any fraction |
//! | `2024-05-01T14:00[Europe/Berlin]` | RFC 9557 |
//! | `2024-05-01 14:00:00`, `2024-05-01T14:00` | local time |
//! | `2024-05-01` | the local day: its start as a start, its last millisecond as an end |
//! | `now`, `-10m`, `-1h30m`, `2 hours ago` | relative to now |
//! | `1714564800`, `@1714564800.5` | Unix seconds |
//! | `1714564800000` | Unix milliseconds, microseconds or nanoseconds, recognised by size |
//!
//! A time finer than a millisecond is rounded into the range: a start up, an end down.

mod range;
mod unix;

use getclip::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{SignedDuration, Span, SpanRelativeTo, ToSpan, ZonedDateTime};

pub(crate) use range::TimeRange;

/// Which end of the range a time is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    Start,
    End,
}

/// A time, and how it was understood where that is not plain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) time: Timestamp,
    pub(crate) note: Option<String>,
}

/// What times without a date or a zone refer to.
#[derive(Debug, Clone)]
pub(crate) struct Now {
    time: jiff::Timestamp,
    zone: TimeZone,
}

impl Now {
    /// The system's clock and time zone.
    pub(crate) fn from_system() -> Self {
        Self { time: jiff::Timestamp::now(), zone: TimeZone::system() }
    }
}

impl Bound {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::End => "end",
        }
    }

    /// Nanoseconds since the Unix epoch as milliseconds, rounded into the range.
    fn round(self, nanos: i128) -> Option<Timestamp> {
        const NANOS_PER_MILLI: i128 = 1_000_000;
        let floor = nanos.div_euclid(NANOS_PER_MILLI);
        let is_whole = nanos.rem_euclid(NANOS_PER_MILLI) == 0;
        let millis = if self == Self::Start && !is_whole { floor.checked_add(1)? } else { floor };
        i64::try_from(millis).ok().map(Timestamp::from_millis)
    }
}

impl Moment {
    fn plain(time: Timestamp) -> Self {
        Self { time, note: None }
    }

    /// Reads a time. The error is a sentence about `text` that shows what would do.
    pub(crate) fn parse(text: &str, bound: Bound, now: &Now) -> Result<Self, String> {
        let text = text.trim();
        let refused = || {
            format!(
                "{text:?} is not a time; two that would do are 2024-05-01T12:00:00Z and -10m (ten minutes ago)"
            )
        };
        if let Some(unix) = unix::UnixTime::parse(text, bound) {
            let time = bound.round(unix.nanos).ok_or_else(refused)?;
            let note = unix
                .unit_by_size()
                .map(|unit| format!("{} {text} was taken as Unix {unit}: {time}", bound.name()));
            return Ok(Self { time, note });
        }
        if let Some(nanos) = relative(text, now) {
            let time = bound.round(nanos).ok_or_else(refused)?;
            return Ok(Self { time, note: Some(format!("{} {text} is {time}", bound.name())) });
        }
        let (text_9, is_finer) = with_nine_decimals(text);
        let nanos_of = |time: jiff::Timestamp| {
            let finer = i128::from(is_finer && bound == Bound::Start);
            time.as_nanosecond().saturating_add(finer)
        };
        if let Ok(time) = text_9.parse::<jiff::Timestamp>() {
            return bound.round(nanos_of(time)).map(Self::plain).ok_or_else(refused);
        }
        if let Ok(zoned) = text_9.parse::<ZonedDateTime>() {
            return bound.round(nanos_of(zoned.timestamp())).map(Self::plain).ok_or_else(refused);
        }
        let pieces = Pieces::parse(text_9.as_str()).map_err(|_| refused())?;
        if pieces.offset().is_some() || pieces.time_zone_annotation().is_some() {
            return Err(refused());
        }
        let Some(clock_time) = pieces.time() else {
            let day = pieces.date().to_datetime(jiff::civil::Time::midnight());
            return local_day(day, bound, now).ok_or_else(refused);
        };
        let local = pieces.date().to_datetime(clock_time);
        let time = local_time(text, local, now)?;
        let time = bound.round(nanos_of(time)).ok_or_else(refused)?;
        let note =
            format!("{} {text} was taken as local time ({}): {time}", bound.name(), zone_at(local, now));
        Ok(Self { time, note: Some(note) })
    }
}

/// Reads a positive duration: `10m`, `1h 30m`, `PT90S`, or plain seconds. In milliseconds, rounded down.
pub(crate) fn parse_duration(text: &str) -> Result<i64, String> {
    let refused = || {
        format!(
            "{:?} is not a duration longer than 0; two that would do are 10m and 1h30m (a number alone is seconds)",
            text.trim()
        )
    };
    let text = text.trim();
    let nanos = match unix::decimal_seconds(text) {
        Some(nanos) => nanos,
        None => text.parse().ok().and_then(nanos_of_span).ok_or_else(refused)?,
    };
    let millis = i64::try_from(nanos / 1_000_000).ok();
    millis.filter(|&millis| millis > 0).ok_or_else(refused)
}

/// `now`, or a duration before or after it, in nanoseconds since the Unix epoch.
fn relative(text: &str, now: &Now) -> Option<i128> {
    if text.eq_ignore_ascii_case("now") {
        return Some(now.time.as_nanosecond());
    }
    let is_signed = text.starts_with(['-', '+']) || text.ends_with("ago");
    let nanos = nanos_of_span(text.parse().ok().filter(|_| is_signed)?)?;
    now.time.as_nanosecond().checked_add(nanos)
}

/// The length of a span in which a day has 24 hours. Months and years have no length.
fn nanos_of_span(span: Span) -> Option<i128> {
    let duration: SignedDuration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Some(duration.as_nanos())
}

/// Cuts a fraction after the ninth decimal, the finest that jiff reads, and returns whether what was cut was not 0.
fn with_nine_decimals(text: &str) -> (String, bool) {
    let Some((whole, rest)) = text.split_once(['.', ',']) else { return (text.to_owned(), false) };
    let decimals = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (fraction, after) = rest.split_at_checked(decimals).unwrap_or((rest, ""));
    let (kept, cut) = fraction.split_at_checked(9).unwrap_or((fraction, ""));
    (format!("{whole}.{kept}{after}"), cut.bytes().any(|digit| digit != b'0'))
}

/// The first or the last millisecond of a local day.
fn local_day(midnight: DateTime, bound: Bound, now: &Now) -> Option<Moment> {
    let start_of = |day: DateTime| day.to_zoned_datetime(now.zone.clone()).ok();
    let (time, which) = match bound {
        Bound::Start => (start_of(midnight)?.timestamp().as_millisecond(), "the start of that day"),
        Bound::End => {
            let next = start_of(midnight.checked_add(1.day()).ok()?)?;
            (next.timestamp().as_millisecond().checked_sub(1)?, "the end of that day")
        }
    };
    let time = Timestamp::from_millis(time);
    let (name, date, zone) = (bound.name(), midnight.date(), zone_at(midnight, now));
    let note = format!("{name} {date} was taken as {which} in local time ({zone}): {time}");
    Some(Moment { time, note: Some(note) })
}

/// The time at which the local clock shows `local`. Where it does so twice, or never, the error shows the two times
/// that can be meant.
fn local_time(text: &str, local: DateTime, now: &Now) -> Result<jiff::Timestamp, String> {
    let ambiguous = now.zone.to_ambiguous_timestamp(local);
    let (how_often, before, after) = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => {
            return ambiguous.unambiguous().map_err(|_| format!("{text:?} is out of range"));
        }
        AmbiguousOffset::Fold { before, after } => ("occurs twice in local time", before, after),
        AmbiguousOffset::Gap { before, after } => ("does not occur in local time", before, after),
    };
    let (zone, before, after) = (zone_name(&now.zone), hours_and_minutes(before), hours_and_minutes(after));
    Err(format!("{text:?} {how_often} ({zone}); write {local}{before} or {local}{after}"))
}

/// Zone and offset, as the report states them.
fn zone_at(local: DateTime, now: &Now) -> String {
    let offset = match now.zone.to_ambiguous_timestamp(local).compatible() {
        Ok(time) => now.zone.to_offset(time),
        Err(_) => Offset::UTC,
    };
    format!("{}, {}", zone_name(&now.zone), hours_and_minutes(offset))
}

/// An offset as RFC 3339 writes it.
fn hours_and_minutes(offset: Offset) -> String {
    let minutes = offset.seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.unsigned_abs() / 60, minutes.unsigned_abs() % 60)
}

fn zone_name(zone: &TimeZone) -> &str {
    match zone.iana_name() {
        Some(name) => name,
        None if zone.is_unknown() => "unknown zone, taken as UTC",
        None => "system zone",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-05-01T12:00:00.000250Z in Berlin.
    fn now() -> Now {
        Now {
            time: "2024-05-01T12:00:00.000250Z".parse().unwrap(),
            zone: TimeZone::get("Europe/Berlin").unwrap(),
        }
    }

    /// What `text` means as a start and as an end, in RFC 3339.
    fn both(text: &str) -> (String, String) {
        let shown = |bound| Moment::parse(text, bound, &now()).unwrap().time.to_string();
        (shown(Bound::Start), shown(Bound::End))
    }

    fn note(text: &str, bound: Bound) -> String {
        Moment::parse(text, bound, &now()).unwrap().note.unwrap_or_default()
    }

    fn refusal(text: &str) -> String {
        Moment::parse(text, Bound::Start, &now()).unwrap_err()
    }

    #[track_caller]
    fn exactly(text: &str, expected: &str) {
        assert_eq!(both(text), (expected.to_owned(), expected.to_owned()), "{text}");
    }

    #[test]
    fn rfc_3339() {
        for text in [
            "2024-05-01T12:00:00Z",
            "2024-05-01t12:00:00z",
            "2024-05-01 12:00:00Z",
            "2024-05-01T14:00:00+02:00",
            "2024-05-01T12:00:00.000000000000Z",
            " 2024-05-01T12:00:00Z ",
            "2024-05-01T14:00[Europe/Berlin]",
            "2024-05-01T14:00:00+02:00[Europe/Berlin]",
        ] {
            exactly(text, "2024-05-01T12:00:00.000Z");
            assert_eq!(note(text, Bound::Start), "", "{text}");
        }
    }

    #[test]
    fn a_finer_fraction_is_rounded_into_the_range() {
        let inside = ("2024-05-01T12:00:00.124Z".to_owned(), "2024-05-01T12:00:00.123Z".to_owned());
        for text in [
            "2024-05-01T12:00:00.1234Z",
            "2024-05-01T12:00:00.123000001Z",
            "2024-05-01T12:00:00.1230000000001Z",
            "2024-05-01 14:00:00,123999999999999",
            "1714564800.1234",
            "@1714564800.1230000000000000000001",
            "1714564800123.5",
            "1714564800123456",
            "1714564800123456789",
        ] {
            assert_eq!(both(text), inside, "{text}");
        }
        // Before 1970, too.
        assert_eq!(both("-0.0015"), ("1969-12-31T23:59:59.999Z".into(), "1969-12-31T23:59:59.998Z".into()));
    }

    #[test]
    fn local_time_is_stated() {
        for text in ["2024-05-01 14:00:00", "2024-05-01T14:00", "2024-05-01 14:00:00.000"] {
            exactly(text, "2024-05-01T12:00:00.000Z");
        }
        assert_eq!(
            note("2024-05-01 14:00", Bound::End),
            "end 2024-05-01 14:00 was taken as local time (Europe/Berlin, +02:00): 2024-05-01T12:00:00.000Z"
        );
    }

    #[test]
    fn local_times_that_are_ambiguous_are_refused_with_both_meanings() {
        assert_eq!(
            refusal("2024-10-27 02:30:00"),
            "\"2024-10-27 02:30:00\" occurs twice in local time (Europe/Berlin); write \
             2024-10-27T02:30:00+02:00 or 2024-10-27T02:30:00+01:00"
        );
        assert!(refusal("2024-03-31 02:30").contains("does not occur in local time (Europe/Berlin); write "));
    }

    #[test]
    fn a_date_is_the_whole_local_day() {
        assert_eq!(
            both("2024-05-01"),
            ("2024-04-30T22:00:00.000Z".into(), "2024-05-01T21:59:59.999Z".into())
        );
        // The day on which the clock is set back has 25 hours.
        assert_eq!(
            both("2024-10-27"),
            ("2024-10-26T22:00:00.000Z".into(), "2024-10-27T22:59:59.999Z".into())
        );
        assert_eq!(
            note("2024-05-01", Bound::End),
            "end 2024-05-01 was taken as the end of that day in local time (Europe/Berlin, +02:00): \
             2024-05-01T21:59:59.999Z"
        );
    }

    #[test]
    fn relative_to_now() {
        assert_eq!(both("now"), ("2024-05-01T12:00:00.001Z".into(), "2024-05-01T12:00:00.000Z".into()));
        for (text, end) in [
            ("-10m", "2024-05-01T11:50:00.000Z"),
            ("-1h30m", "2024-05-01T10:30:00.000Z"),
            ("-1d", "2024-04-30T12:00:00.000Z"),
            ("-PT90S", "2024-05-01T11:58:30.000Z"),
            ("2 hours ago", "2024-05-01T10:00:00.000Z"),
            ("+5m", "2024-05-01T12:05:00.000Z"),
        ] {
            assert_eq!(both(text).1, end, "{text}");
        }
        assert_eq!(note("-10m", Bound::End), "end -10m is 2024-05-01T11:50:00.000Z");
    }

    #[test]
    fn unix_time() {
        exactly("1714564800", "2024-05-01T12:00:00.000Z");
        exactly("@1714564800", "2024-05-01T12:00:00.000Z");
        exactly("1714564800000", "2024-05-01T12:00:00.000Z");
        exactly("1714564800.126", "2024-05-01T12:00:00.126Z");
        exactly("0", "1970-01-01T00:00:00.000Z");
        exactly("-1.5", "1969-12-31T23:59:58.500Z");
        assert_eq!(note("1714564800", Bound::Start), "");
        assert_eq!(
            note("1714564800000", Bound::Start),
            "start 1714564800000 was taken as Unix milliseconds: 2024-05-01T12:00:00.000Z"
        );
    }

    #[test]
    fn a_refusal_shows_two_that_would_do() {
        for text in [
            "",
            "yesterday",
            "10m",
            "2024-13-01",
            "2023-02-29T00:00:00Z",
            "12:00",
            "-1month",
            "1e3",
            "1.",
            ".5",
            "0x10",
            "--end",
            "2024-05-01T12:00:00+26:00",
            "99999999999999999999999999999999999999999",
        ] {
            let refusal = refusal(text);
            assert!(refusal.contains("2024-05-01T12:00:00Z and -10m"), "{text}: {refusal}");
            assert!(refusal.starts_with(&format!("{text:?} ")), "{refusal}");
        }
        for example in ["2024-05-01T12:00:00Z", "-10m"] {
            assert!(Moment::parse(example, Bound::Start, &now()).is_ok());
        }
    }

    #[test]
    fn durations() {
        for (text, millis) in [
            ("10m", 600_000),
            ("1h30m", 5_400_000),
            ("1h 30m", 5_400_000),
            ("PT90S", 90_000),
            ("2 days", 172_800_000),
            ("600", 600_000),
            ("0.5", 500),
            ("1500ms", 1500),
        ] {
            assert_eq!(parse_duration(text), Ok(millis), "{text}");
        }
        for text in ["", "0", "0s", "-10m", "1month", "ten", "0.0001"] {
            assert!(parse_duration(text).unwrap_err().contains("10m and 1h30m"), "{text}");
        }
    }
}
