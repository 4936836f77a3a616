//! Points in time: `datetime` and what else people have, to and from [`Timestamp`].

use getclip::Timestamp;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyDelta, PyDeltaAccess, PyTzInfo};

const MICROS_PER_DAY: i64 = 86_400_000_000;
const MILLIS_PER_DAY: i64 = 86_400_000;

/// Where a time between two milliseconds goes. The ends of a range go inwards, so that nothing outside it is taken.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rounding {
    Down,
    Up,
}

/// A time from a `datetime` (without a zone it is local time, as botocore takes it), a number of Unix seconds, or text.
pub(crate) fn timestamp(time: &Bound<'_, PyAny>, rounding: Rounding) -> PyResult<Timestamp> {
    if let Ok(text) = time.extract::<&str>() {
        return text.parse().map_err(|error| crate::error::exception(time.py(), &error));
    }
    let micros = if time.is_instance_of::<PyDateTime>() {
        micros(time)?
    } else if let Some(seconds) = time.extract::<f64>().ok().filter(|seconds| !seconds.is_nan()) {
        // A float of Unix seconds is exact to less than a microsecond until the year 2242.
        (seconds * 1e6).round() as i64
    } else {
        let found = time.repr()?;
        let message = format!("expected a datetime, Unix seconds, or RFC 3339 text, found {found}");
        return Err(PyTypeError::new_err(message));
    };
    let millis = match rounding {
        Rounding::Down => micros.div_euclid(1000),
        Rounding::Up => micros.div_euclid(1000) + i64::from(micros.rem_euclid(1000) > 0),
    };
    Ok(Timestamp::from_millis(millis))
}

/// Microseconds since the Unix epoch.
fn micros(time: &Bound<'_, PyAny>) -> PyResult<i64> {
    let aware = if time.getattr("tzinfo")?.is_none() { &time.call_method0("astimezone")? } else { time };
    let since = aware.sub(epoch(time.py())?)?.cast_into::<PyDelta>()?;
    let (days, seconds) = (i64::from(since.get_days()), i64::from(since.get_seconds()));
    Ok(days * MICROS_PER_DAY + seconds * 1_000_000 + i64::from(since.get_microseconds()))
}

/// The `datetime` of a time, in UTC. An `OverflowError` beyond the years 1 to 9999.
pub(crate) fn datetime(py: Python<'_>, time: Timestamp) -> PyResult<Bound<'_, PyAny>> {
    let millis = time.as_millis();
    // Beyond what a `datetime` holds, `timedelta` still can, and the sum is refused with Python's own words.
    let days = i32::try_from(millis.div_euclid(MILLIS_PER_DAY)).unwrap_or(i32::MAX);
    let rest = i32::try_from(millis.rem_euclid(MILLIS_PER_DAY)).unwrap_or_default();
    let since = PyDelta::new(py, days, rest / 1000, rest % 1000 * 1000, false)?;
    epoch(py)?.add(since)
}

fn epoch(py: Python<'_>) -> PyResult<Bound<'_, PyDateTime>> {
    PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, Some(&PyTzInfo::utc(py)?.to_owned()))
}
