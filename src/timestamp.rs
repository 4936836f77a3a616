//! [`Timestamp`]: a point in time as the service gives it, in whole milliseconds.
#![cfg_attr(
    not(test),
    expect(
        clippy::arithmetic_side_effects,
        reason = "a date has a year of 4 digits and fields of 2; days come from dividing an i64 by 86,400,000. Only a \
                  run of digits of any length could overflow, and `Scanner::digits` and `timestamp` check it"
    )
)]

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Error, ErrorKind};

const MILLIS_PER_DAY: i64 = 86_400_000;

/// A point in time: integer milliseconds since the Unix epoch, as Kinesis Video Streams counts.
///
/// It is parsed from RFC 3339 (`2017-11-28T06:55:09.126Z`) and from Unix seconds with up to three decimals
/// (`1511852109.126`, the form of the `AWS_KINESISVIDEO_*_TIMESTAMP` tags and of the SDKs), always in integers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The time `millis` milliseconds after the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The time `millis` milliseconds later, at the end of the range of `i64` at the latest.
    pub const fn saturating_add_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

/// RFC 3339 in formats that people read, milliseconds since 1970 in others.
#[cfg(feature = "serde")]
impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

/// Rounds towards the past, to whole milliseconds.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let clamp = |d: Duration| i64::try_from(d.as_millis()).unwrap_or(i64::MAX);
        Self(match time.duration_since(UNIX_EPOCH) {
            Ok(since) => clamp(since),
            Err(before) => {
                let before = before.duration();
                let partial = i64::from(!before.subsec_nanos().is_multiple_of(1_000_000));
                clamp(before).saturating_neg().saturating_sub(partial)
            }
        })
    }
}

/// Fails where the platform's `SystemTime` cannot hold the time.
impl TryFrom<Timestamp> for SystemTime {
    type Error = Error;

    fn try_from(time: Timestamp) -> Result<Self, Error> {
        let distance = Duration::from_millis(time.0.unsigned_abs());
        if time.0 < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
            .ok_or_else(|| {
                ErrorKind::TimeOutOfRange { reason: format!("{time} is beyond the system's clock") }.into()
            })
    }
}

/// RFC 3339 in UTC with three decimals.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, ms) = (self.0.div_euclid(MILLIS_PER_DAY), self.0.rem_euclid(MILLIS_PER_DAY));
        let (year, month, day) = civil_from_days(day);
        let (hour, minute, second, ms) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut scanner = Scanner(text.trim().as_bytes());
        scanner
            .timestamp()
            .filter(|_| scanner.0.is_empty())
            .ok_or_else(|| ErrorKind::InvalidTimestamp { text: text.to_owned() }.into())
    }
}

/// Reads off the front of a text; every step is `None` where the text does not go on as expected.
struct Scanner<'a>(&'a [u8]);

impl Scanner<'_> {
    fn timestamp(&mut self) -> Option<Timestamp> {
        let negative = self.take(b"-");
        let (digits, leading) = self.digits()?;
        let millis = if digits == 4 && !negative && self.take(b"-") {
            self.date_time(leading)?
        } else {
            let whole = leading.checked_mul(1000)?.checked_add(self.fraction()?)?;
            if negative { whole.checked_neg()? } else { whole }
        };
        Some(Timestamp(millis))
    }

    /// RFC 3339 section 5.6 `date-time`, after the year and its hyphen. A leap second counts as the second after it.
    fn date_time(&mut self, year: i64) -> Option<i64> {
        let month = self.two_digits(1, 12)?;
        self.take(b"-").then_some(())?;
        let day = self.two_digits(1, days_in_month(year, month))?;
        self.take(b"Tt ").then_some(())?;
        let hour = self.two_digits(0, 23)?;
        self.take(b":").then_some(())?;
        let minute = self.two_digits(0, 59)?;
        self.take(b":").then_some(())?;
        let second = self.two_digits(0, 60)?;
        let fraction = self.fraction()?;
        let offset_minutes = self.offset_minutes()?;
        let seconds = hour * 3600 + (minute - offset_minutes) * 60 + second;
        Some(days_from_civil(year, month, day) * MILLIS_PER_DAY + seconds * 1000 + fraction)
    }

    fn offset_minutes(&mut self) -> Option<i64> {
        if self.take(b"Zz") {
            return Some(0);
        }
        let east = self.take(b"+");
        (east || self.take(b"-")).then_some(())?;
        let hours = self.two_digits(0, 23)?;
        self.take(b":").then_some(())?;
        let minutes = hours * 60 + self.two_digits(0, 59)?;
        Some(if east { minutes } else { -minutes })
    }

    /// Nothing, or a point and decimals: those after the third must be 0, because a millisecond is the finest step.
    fn fraction(&mut self) -> Option<i64> {
        if !self.take(b".") {
            return Some(0);
        }
        let mut millis = 0;
        let mut unit = 100;
        let mut any = false;
        while let Some(digit) = self.digit() {
            if unit == 0 && digit != 0 {
                return None;
            }
            millis += digit * unit;
            unit /= 10;
            any = true;
        }
        any.then_some(millis)
    }

    /// A run of digits: how many, and their value.
    fn digits(&mut self) -> Option<(usize, i64)> {
        let mut count = 0;
        let mut value: i64 = 0;
        while let Some(digit) = self.digit() {
            value = value.checked_mul(10)?.checked_add(digit)?;
            count += 1;
        }
        (count > 0).then_some((count, value))
    }

    fn two_digits(&mut self, least: i64, most: i64) -> Option<i64> {
        let value = self.digit()? * 10 + self.digit()?;
        (least..=most).contains(&value).then_some(value)
    }

    fn digit(&mut self) -> Option<i64> {
        let (first, rest) = self.0.split_first()?;
        let digit = first.is_ascii_digit().then(|| i64::from(first - b'0'))?;
        self.0 = rest;
        Some(digit)
    }

    fn take(&mut self, any_of: &[u8]) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if any_of.contains(first) => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

// The proleptic Gregorian calendar in eras of 400 years that begin on 1 March, so that the leap day comes last.
const DAYS_PER_ERA: i64 = 146_097;
const EPOCH_FROM_ERA: i64 = 719_468;

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year
        - EPOCH_FROM_ERA
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH_FROM_ERA;
    let (era, day_of_era) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / (DAYS_PER_ERA - 1)) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<i64> {
        text.parse::<Timestamp>().ok().map(Timestamp::as_millis)
    }

    // The dates were computed with GNU date (`date -u -d ... +%s%3N`).
    #[test]
    fn rfc_3339() {
        assert_eq!(parse("2017-11-28T06:55:09.126Z"), Some(1_511_852_109_126));
        assert_eq!(parse("2017-11-28T07:55:09.126+01:00"), Some(1_511_852_109_126));
        assert_eq!(parse("2017-11-28 06:55:09z"), Some(1_511_852_109_000));
        assert_eq!(parse("2000-02-29T23:59:59Z"), Some(951_868_799_000));
        assert_eq!(parse("1969-12-31T23:59:59.999Z"), Some(-1));
        for wrong in
            ["2017-02-29T00:00:00Z", "2017-13-01T00:00:00Z", "2017-11-28T24:00:00Z", "2017-11-28T06:55:09"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn unix_seconds() {
        assert_eq!(parse("1511852109.126"), Some(1_511_852_109_126));
        assert_eq!(parse("1511852109"), Some(1_511_852_109_000));
        assert_eq!(parse("0.000"), Some(0));
        assert_eq!(parse("0.05"), Some(50));
        assert_eq!(parse("-1.5"), Some(-1500));
        assert_eq!(parse("1511852109.126000"), Some(1_511_852_109_126));
        for wrong in ["", "1.", ".5", "1.1234", "1e3", "abc", "9223372036854775807", "1 2"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn display_is_what_is_parsed() {
        assert_eq!(Timestamp(1_511_852_109_126).to_string(), "2017-11-28T06:55:09.126Z");
        assert_eq!(Timestamp(0).to_string(), "1970-01-01T00:00:00.000Z");
        let mut millis = -60_000_000_000_000;
        while millis < 250_000_000_000_000 {
            assert_eq!(parse(&Timestamp(millis).to_string()), Some(millis));
            millis += 7_777_777_777_777;
        }
        // No time is so far away that showing it panics.
        let _ = (Timestamp(i64::MIN).to_string(), Timestamp(i64::MAX).to_string());
    }

    #[test]
    fn system_time_rounds_to_the_past() {
        let half = Duration::from_micros(1500);
        assert_eq!(Timestamp::from(UNIX_EPOCH + half), Timestamp(1));
        assert_eq!(Timestamp::from(UNIX_EPOCH - half), Timestamp(-2));
        assert_eq!(SystemTime::try_from(Timestamp(-2)).unwrap(), UNIX_EPOCH - Duration::from_millis(2));
    }

    #[test]
    fn days_that_months_have() {
        for (day, seconds) in [
            ("2023-01-31", 1_675_123_200),
            ("2023-03-01", 1_677_628_800),
            ("2023-12-31", 1_703_980_800),
            ("2024-02-29", 1_709_164_800),
            ("2000-02-29", 951_782_400),
        ] {
            let time = Timestamp::from_millis(seconds * 1000);
            assert_eq!(format!("{day}T00:00:00Z").parse(), Ok(time));
            assert!(time.to_string().starts_with(day), "{time}");
        }
        for day in ["2023-02-29", "1900-02-29", "2023-04-31", "2023-06-31", "2023-09-31", "2023-11-31"] {
            assert!(format!("{day}T00:00:00Z").parse::<Timestamp>().is_err(), "{day}");
        }
    }

    #[test]
    fn offsets_with_minutes() {
        for text in ["2023-11-15T03:43:20+05:30", "2023-11-14T18:43:20-03:30"] {
            assert_eq!(text.parse(), Ok(Timestamp::from_millis(1_700_000_000_000)), "{text}");
        }
    }
}
