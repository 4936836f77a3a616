//! `Clip`: the finished MP4 as Python sees it.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;

use getclip::Clip;
use pyo3::exceptions::{PyBlockingIOError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyMemoryView, PySlice};

use crate::buffer::lend;
use crate::error::Failure;
use crate::fragment::PyFragments;
use crate::options::builder;
use crate::plan::PyClipPlan;
use crate::report;
use crate::save::save;
use crate::stream::FragmentSource;

/// Bytes handed to a Python writer at a time.
const BLOCK: u64 = 1 << 20;

/// A finished clip: a progressive MP4 that is not written anywhere yet. Its media stays in the input's buffers.
#[pyclass(frozen, name = "Clip", module = "getclip")]
pub(crate) struct PyClip(pub(crate) Clip);

#[pymethods]
impl PyClip {
    /// Size of the MP4 in bytes: the Content-Length of a response.
    fn __len__(&self) -> PyResult<usize> {
        Ok(usize::try_from(self.0.len())?)
    }

    /// The Content-Type of a response: "video/mp4".
    #[getter]
    fn content_type(&self) -> &'static str {
        self.0.content_type()
    }

    /// What the clip holds, and everything that is not plain.
    #[getter]
    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        report::report(py, self.0.report())
    }

    /// The clip without its media.
    #[getter]
    fn plan(&self) -> PyClipPlan {
        PyClipPlan(self.0.plan().clone())
    }

    /// Writes the MP4 to a file, which appears whole or not at all, and returns its size in bytes.
    ///
    /// An existing file is replaced. It may be the recording that the clip was made of.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<u64> {
        py.detach(|| save(&self.0, &path)).map_err(PyErr::from)
    }

    /// Writes the MP4 to a file-like object, in blocks of 1 MiB, and returns its size in bytes.
    fn write_to(&self, py: Python<'_>, file: &Bound<'_, PyAny>) -> PyResult<u64> {
        let mut offset = 0;
        while offset < self.0.len() {
            let end = self.0.len().min(offset + BLOCK);
            write_all(file, &self.copy(py, offset..end)?)?;
            offset = end;
        }
        Ok(offset)
    }

    /// The bytes from start to stop, in pieces: read-only memoryviews of the memory they are in, without a copy.
    #[pyo3(signature = (start = 0, stop = None))]
    fn chunks(&self, start: u64, stop: Option<u64>) -> Chunks {
        Chunks(self.0.slice(start..stop.unwrap_or(u64::MAX)))
    }

    /// A copy of the bytes from start to stop.
    fn __getitem__<'py>(&self, slice: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let py = slice.py();
        let slice = slice
            .cast::<PySlice>()
            .map_err(|_| PyTypeError::new_err("expected a slice, such as clip[0:1024]"))?;
        let indices = slice.indices(isize::try_from(self.0.len())?)?;
        if indices.step != 1 {
            return Err(PyValueError::new_err("expected a slice without a step"));
        }
        let start = u64::try_from(indices.start)?;
        self.copy(py, start..u64::try_from(indices.stop)?.max(start))
    }

    /// A copy of all bytes.
    fn __bytes__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.copy(py, 0..self.0.len())
    }

    fn __repr__(&self) -> String {
        format!("<getclip.Clip of {} bytes>", self.0.len())
    }
}

impl PyClip {
    fn copy<'py>(&self, py: Python<'py>, range: Range<u64>) -> PyResult<Bound<'py, PyBytes>> {
        let len = usize::try_from(range.end - range.start)?;
        PyBytes::new_with(py, len, |bytes| {
            py.detach(|| {
                let mut reader = self.0.reader();
                reader.seek(SeekFrom::Start(range.start))?;
                reader.read_exact(bytes)
            })
            .map_err(PyErr::from)
        })
    }
}

/// Writes a block, in as many calls as it takes: a raw stream returns how many bytes it took. What returns no number, as
/// the writers of many libraries, takes all.
fn write_all(file: &Bound<'_, PyAny>, block: &Bound<'_, PyBytes>) -> PyResult<()> {
    let py = file.py();
    let len = isize::try_from(block.as_bytes().len())?;
    let view = PyMemoryView::from(block)?;
    let mut done = 0;
    while done < len {
        let rest = view.get_item(PySlice::new(py, done, len, 1))?;
        let written = file.call_method1(intern!(py, "write"), (rest,))?;
        done = match written.extract::<isize>() {
            Ok(written) if written > 0 => done.saturating_add(written),
            Err(_) if !is_raw(file)? => len,
            _ => return Err(PyBlockingIOError::new_err("the file took no bytes")),
        };
    }
    Ok(())
}

/// Whether `None` from `write` means that nothing could be written without blocking.
fn is_raw(file: &Bound<'_, PyAny>) -> PyResult<bool> {
    file.is_instance(&file.py().import("io")?.getattr("RawIOBase")?)
}

/// The iterator of `Clip.chunks()`.
#[pyclass(name = "_Chunks", module = "getclip")]
pub(crate) struct Chunks(getclip::Chunks);

#[pymethods]
impl Chunks {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyMemoryView>>> {
        self.0.next().map(|bytes| lend(py, bytes)).transpose()
    }
}

/// Makes a clip of fragments: see `getclip.clip()`.
#[pyfunction]
#[pyo3(signature = (fragments, start, end, by, **options))]
pub(crate) fn clip(
    py: Python<'_>,
    fragments: &Bound<'_, PyAny>,
    start: Option<&Bound<'_, PyAny>>,
    end: Option<&Bound<'_, PyAny>>,
    by: &Bound<'_, PyAny>,
    options: Option<&Bound<'_, PyDict>>,
) -> PyResult<PyClip> {
    let builder = builder(start, end, by, options)?;
    let source = match fragments.cast::<PyFragments>() {
        Ok(stream) => FragmentSource::Stream(stream.borrow_mut().take()),
        Err(_) => FragmentSource::Iterator(fragments.try_iter()?.unbind()),
    };
    let clip = py.detach(|| builder.build::<_, Failure>(source))?;
    Ok(PyClip(clip))
}
