//! [`Failure`]: what stops a clip, and the Python exception that tells it.

use getclip::Error;
use pyo3::prelude::*;

/// What ends a stream of fragments: the media, or the Python code that it is read with.
#[derive(Debug)]
pub(crate) enum Failure {
    Clip(Error),
    Python(PyErr),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Clip(error)
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Python(error) => error,
            Failure::Clip(error) => Python::attach(|py| exception(py, &error)),
        }
    }
}

/// The exception of `getclip._errors` that GetClip's is called, or their base class where it has none of its own.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    raise(py, error).unwrap_or_else(|failure| failure)
}

fn raise(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let errors = py.import("getclip._errors")?;
    let (exception, location) = (error.exception(), error.location());
    let class = match errors.getattr_opt(exception.name())? {
        Some(class) => class,
        None => errors.getattr("GetClipError")?,
    };
    let fragment = location.fragment.as_ref().map(ToString::to_string);
    let arguments = (
        error.to_string(),
        exception.name(),
        exception.http_status(),
        error.aws_message(),
        fragment,
        location.track,
        location.offset,
    );
    Ok(PyErr::from_value(class.call1(arguments)?))
}
