//! Reports and indexes as plain Python objects.

use getclip::{FragmentIndex, Report};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde::Serialize;

/// The report as `getclip._report.Report`.
pub(crate) fn report<'py>(py: Python<'py>, report: &Report) -> PyResult<Bound<'py, PyAny>> {
    let texts: Vec<String> = report.events.iter().map(ToString::to_string).collect();
    py.import("getclip._report")?.call_method1("report", (json(report)?, texts))
}

/// The readable form of an index, as a dict.
pub(crate) fn index<'py>(py: Python<'py>, index: &FragmentIndex) -> PyResult<Bound<'py, PyAny>> {
    py.import("getclip._report")?.call_method1("load", (json(index)?,))
}

fn json(value: &impl Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| PyValueError::new_err(error.to_string()))
}
