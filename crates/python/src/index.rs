//! `FragmentIndex`: a fragment without its media, for those who keep their own.

use getclip::{FragmentIndex, FragmentNumber, ParseFragmentNumberError};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::buffer::borrow;
use crate::error::exception;
use crate::report;
use crate::time::{Rounding, datetime, timestamp};

/// Everything that planning a clip needs of a fragment. Small: about 3 bytes a frame.
#[pyclass(frozen, eq, name = "FragmentIndex", module = "getclip")]
#[derive(PartialEq)]
pub(crate) struct PyFragmentIndex(pub(crate) FragmentIndex);

#[pymethods]
impl PyFragmentIndex {
    /// The index as bytes to keep. Every published version is read.
    fn encode<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.encode())
    }

    /// The index that was encoded.
    #[staticmethod]
    fn decode(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        let index = FragmentIndex::decode(&borrow(data)?);
        index.map(Self).map_err(|error| exception(data.py(), &error))
    }

    /// Fragment number, or "#3" for the third fragment of input that has no numbers.
    #[getter]
    fn name(&self) -> String {
        self.0.name().to_string()
    }

    /// Fragment number, if the service gave it one.
    #[getter]
    fn number(&self) -> Option<String> {
        self.0.number().map(ToString::to_string)
    }

    /// When the fragment starts by the producer's clock, in UTC.
    #[getter]
    fn producer_timestamp<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.producer_timestamp().map(|time| datetime(py, time)).transpose()
    }

    /// When the service received the fragment, in UTC.
    #[getter]
    fn server_timestamp<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.server_timestamp().map(|time| datetime(py, time)).transpose()
    }

    /// Offset of the Cluster in the input, in bytes.
    #[getter]
    fn offset(&self) -> u64 {
        self.0.offset()
    }

    /// Size of the Cluster in bytes.
    #[getter]
    fn media_len(&self) -> u64 {
        self.0.media_len()
    }

    /// The tags, tracks and frames as plain dicts, to look at.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        report::index(py, &self.0)
    }

    /// The same fragment with another identity.
    fn with_tags(
        &self,
        number: &str,
        producer_timestamp: &Bound<'_, PyAny>,
        server_timestamp: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let number: FragmentNumber = number
            .parse()
            .map_err(|error: ParseFragmentNumberError| PyValueError::new_err(error.to_string()))?;
        let producer = timestamp(producer_timestamp, Rounding::Down)?;
        let server = timestamp(server_timestamp, Rounding::Down)?;
        Ok(Self(self.0.clone().with_tags(number, producer, server)))
    }

    fn __repr__(&self) -> String {
        format!("<getclip.FragmentIndex {} of {} bytes of media>", self.0.name(), self.0.media_len())
    }
}
