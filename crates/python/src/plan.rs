//! `ClipPlan`: a clip whose media is elsewhere.

use getclip::{ClipPlan, Extent, Extents};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::buffer::{borrow, lend};
use crate::clip::PyClip;
use crate::error::{Failure, exception};
use crate::index::PyFragmentIndex;
use crate::options::builder;
use crate::report;

/// A finished clip whose media is elsewhere: its length, entity tag and report, and what to send for any range of it.
#[pyclass(frozen, name = "ClipPlan", module = "getclip")]
pub(crate) struct PyClipPlan(pub(crate) ClipPlan);

#[pymethods]
impl PyClipPlan {
    /// Size of the MP4 in bytes: the Content-Length of a response.
    fn __len__(&self) -> PyResult<usize> {
        Ok(usize::try_from(self.0.len())?)
    }

    /// The Content-Type of a response: "video/mp4".
    #[getter]
    fn content_type(&self) -> &'static str {
        self.0.content_type()
    }

    /// The ETag of a response, quotes and all. It is weak, W/"...", unless every index was given with an identity.
    #[getter]
    fn etag(&self) -> String {
        self.0.etag().to_string()
    }

    /// What the clip holds, and everything that is not plain.
    #[getter]
    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        report::report(py, self.0.report())
    }

    /// For each fragment of the clip, in its order, its place among those that were offered, counted from 0.
    #[getter]
    fn fragments<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.0.fragments())
    }

    /// What to send for the bytes from start to stop: a memoryview of bytes that were made, or a MediaRange.
    #[pyo3(signature = (start = 0, stop = None))]
    fn extents(&self, start: u64, stop: Option<u64>) -> PyExtents {
        PyExtents(self.0.extents(start..stop.unwrap_or(u64::MAX)))
    }

    /// The clip, with the media of each of its fragments, in the order of the clip.
    fn with_media(&self, media: &Bound<'_, PyAny>) -> PyResult<PyClip> {
        let bytes = media.try_iter()?.map(|media| borrow(&media?)).collect::<PyResult<Vec<_>>>()?;
        let clip = self.0.clone().with_media(bytes);
        clip.map(PyClip).map_err(|error| exception(media.py(), &error))
    }

    fn __repr__(&self) -> String {
        format!("<getclip.ClipPlan of {} bytes>", self.0.len())
    }
}

/// A range of the media of a fragment of the clip.
#[pyclass(frozen, eq, hash, get_all, name = "MediaRange", module = "getclip")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct MediaRange {
    /// Place of the fragment in the clip, counted from 0: an index into `ClipPlan.fragments`.
    fragment: usize,
    /// First byte, counted from the start of `Fragment.media`.
    start: u64,
    /// First byte that does not belong to it.
    stop: u64,
}

#[pymethods]
impl MediaRange {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str, &'static str, &'static str) = ("fragment", "start", "stop");

    fn __len__(&self) -> PyResult<usize> {
        Ok(usize::try_from(self.stop - self.start)?)
    }

    fn __repr__(&self) -> String {
        format!("MediaRange(fragment={}, start={}, stop={})", self.fragment, self.start, self.stop)
    }
}

/// The iterator of `ClipPlan.extents()`.
#[pyclass(name = "_Extents", module = "getclip")]
pub(crate) struct PyExtents(Extents);

#[pymethods]
impl PyExtents {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(Some(match self.0.next() {
            Some(Extent::Inline(bytes)) => lend(py, bytes)?.into_any(),
            Some(Extent::Media { fragment, range }) => {
                let range = MediaRange { fragment, start: range.start, stop: range.end };
                Bound::new(py, range)?.into_any()
            }
            None => return Ok(None),
        }))
    }
}

/// Plans a clip of indexes: see `getclip.plan()`.
#[pyfunction]
#[pyo3(signature = (indexes, start, end, by, **options))]
pub(crate) fn plan(
    py: Python<'_>,
    indexes: &Bound<'_, PyAny>,
    start: Option<&Bound<'_, PyAny>>,
    end: Option<&Bound<'_, PyAny>>,
    by: &Bound<'_, PyAny>,
    options: Option<&Bound<'_, PyDict>>,
) -> PyResult<PyClipPlan> {
    let mut planner = builder(start, end, by, options)?.planner();
    for item in indexes.try_iter()? {
        let item = item?;
        let offered = match item.cast::<PyTuple>() {
            Ok(pair) => {
                let (index, identity): (Bound<'_, PyFragmentIndex>, Bound<'_, PyAny>) = pair.extract()?;
                planner.offer_identified(index.get().0.clone(), &borrow(&identity)?)
            }
            Err(_) => planner.offer(item.cast::<PyFragmentIndex>()?.get().0.clone()),
        };
        offered.map_err(|error| exception(py, &error))?;
    }
    let plan = py.detach(|| planner.finish()).map_err(Failure::from)?;
    Ok(PyClipPlan(plan))
}
