//! `Fragments`, `Fragment`: what `getclip.fragments()` yields.

use getclip::Fragment;
use pyo3::prelude::*;
use pyo3::types::PyMemoryView;

use crate::buffer::{borrow, lend};
use crate::index::PyFragmentIndex;
use crate::stream::FragmentStream;
use crate::time::datetime;

/// The iterator of `getclip.fragments()`.
#[pyclass(name = "Fragments", module = "getclip")]
pub(crate) struct PyFragments(FragmentStream);

#[pymethods]
impl PyFragments {
    /// The fragments of a buffer that holds a whole recording.
    #[staticmethod]
    fn of_buffer(buffer: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(FragmentStream::of_buffer(borrow(buffer)?)))
    }

    /// The fragments of what `read(size)` returns until it returns no bytes.
    #[staticmethod]
    fn of_reader(read: Py<PyAny>) -> Self {
        Self(FragmentStream::of_reader(read))
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<PyFragment>> {
        let fragment = py.detach(|| self.0.next()).transpose()?;
        Ok(fragment.map(PyFragment))
    }
}

impl PyFragments {
    /// Gives up the stream, of which nothing is left here.
    pub(crate) fn take(&mut self) -> FragmentStream {
        std::mem::replace(&mut self.0, FragmentStream::ended())
    }
}

/// One stored fragment: a Cluster, the tracks that its document declares, and the service's tags.
#[pyclass(frozen, name = "Fragment", module = "getclip")]
pub(crate) struct PyFragment(pub(crate) Fragment);

#[pymethods]
impl PyFragment {
    /// Everything that planning a clip needs of the fragment.
    #[getter]
    fn index(&self) -> PyFragmentIndex {
        PyFragmentIndex(self.0.index().clone())
    }

    /// The Cluster, from its ID on: what the ranges of `MediaRange` count from. A read-only view, without a copy.
    #[getter]
    fn media<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyMemoryView>> {
        lend(py, self.0.media().clone())
    }

    /// The producer's bytes before the Cluster, from EBML to Tracks: followed by `media`, a document of its own.
    #[getter]
    fn header<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyMemoryView>> {
        lend(py, self.0.header().clone())
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

    /// What is missing, if the input ended inside the fragment.
    #[getter]
    fn incomplete(&self) -> Option<String> {
        self.0.incomplete().map(ToString::to_string)
    }

    fn __repr__(&self) -> String {
        format!("<getclip.Fragment {} of {} bytes>", self.0.name(), self.0.media().len())
    }
}
