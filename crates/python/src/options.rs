//! Keyword arguments of Python to a [`ClipBuilder`].

use std::num::{NonZeroU64, NonZeroUsize};
use std::str::FromStr;

use getclip::{
    ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, ClipTimestampRange, Error, Limits,
    RangeStart, Timestamp, TrackChoice, Trim,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyString};

use crate::error::exception;
use crate::time::{Rounding, timestamp};

/// The builder that the arguments of `clip()` and `plan()` describe. What is not among `options` has GetClip's default.
pub(crate) fn builder(
    start: Option<&Bound<'_, PyAny>>,
    end: Option<&Bound<'_, PyAny>>,
    by: &Bound<'_, PyAny>,
    options: Option<&Bound<'_, PyDict>>,
) -> PyResult<ClipBuilder> {
    let mut builder = ClipBuilder::new(selector(start, end, choice(by)?)?);
    let mut limits = Limits::default();
    let (mut cover, mut exact) = (false, false);
    for (name, value) in options.into_iter().flatten() {
        let name: &str = name.extract()?;
        builder = match name {
            "max_fragments" => {
                limits = limits.with_max_fragments(limit(name, &value)?.unwrap_or(NonZeroUsize::MAX));
                builder
            }
            "max_bytes" => {
                limits = limits.with_max_bytes(limit(name, &value)?.unwrap_or(NonZeroU64::MAX));
                builder
            }
            "cover" => {
                cover = value.extract()?;
                builder
            }
            "exact" => {
                exact = value.extract()?;
                builder
            }
            "video_track" => builder.video_track(track(&value)?),
            "audio_track" => builder.audio_track(track(&value)?),
            "profile" => builder.profile(choice(&value)?),
            "codec_changes" => builder.codec_changes(choice(&value)?),
            "gaps" => builder.gaps(choice(&value)?),
            "incomplete_input" => builder.incomplete_input(choice(&value)?),
            "missing_codec_private" => builder.missing_codec_private(choice(&value)?),
            "recording_start" => builder.recording_start(timestamp(&value, Rounding::Down)?),
            unknown => {
                let message = format!("unexpected keyword argument '{unknown}'");
                return Err(PyTypeError::new_err(message));
            }
        };
    }
    let range_start = if cover || exact { RangeStart::Covering } else { RangeStart::FirstInRange };
    let trim = if exact { Trim::ToRange } else { Trim::WholeFragments };
    Ok(builder.limits(limits).range_start(range_start).trim(trim))
}

fn selector(
    start: Option<&Bound<'_, PyAny>>,
    end: Option<&Bound<'_, PyAny>>,
    clock: ClipFragmentSelectorType,
) -> PyResult<ClipFragmentSelector> {
    let Some(py) = start.or(end).map(Bound::py) else { return Ok(ClipFragmentSelector::all(clock)) };
    let start = start.map(|time| timestamp(time, Rounding::Up)).transpose()?;
    let end = end.map(|time| timestamp(time, Rounding::Down)).transpose()?;
    let range = ClipTimestampRange::unlimited(
        start.unwrap_or(Timestamp::from_millis(i64::MIN)),
        end.unwrap_or(Timestamp::from_millis(i64::MAX)),
    );
    let range = range.map_err(|error| exception(py, &error))?;
    Ok(match clock {
        ClipFragmentSelectorType::ProducerTimestamp => ClipFragmentSelector::producer(range),
        ClipFragmentSelectorType::ServerTimestamp => ClipFragmentSelector::server(range),
    })
}

/// A limit of 1 or more, or `None` for no limit.
fn limit<'py, T>(name: &str, value: &Bound<'py, PyAny>) -> PyResult<Option<T>>
where
    T: for<'a> FromPyObject<'a, 'py>,
{
    value.extract().map_err(|_| {
        let message = format!("{name}: expected 1 or more, or None for no limit, found {value}");
        PyValueError::new_err(message)
    })
}

/// A track by its number or by what it is, or `None` for no track.
fn track(value: &Bound<'_, PyAny>) -> PyResult<TrackChoice> {
    if value.is_none() {
        return Ok(TrackChoice::Absent);
    }
    let is_word = value.is_instance_of::<PyString>();
    if !is_word && !value.is_exact_instance_of::<PyInt>() {
        return Err(PyTypeError::new_err(format!("expected a track number, a word or None, found {value}")));
    }
    let word = value.str()?;
    word.to_str()?.parse().map_err(|error| exception(value.py(), &error))
}

/// A value by the name that it has everywhere: here, in the program, and in the npm package.
fn choice<T: FromStr<Err = Error>>(name: &Bound<'_, PyAny>) -> PyResult<T> {
    let py = name.py();
    name.extract::<&str>()?.parse().map_err(|error| exception(py, &error))
}
