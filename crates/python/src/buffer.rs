//! Bytes across the border to Python without a copy: borrowed from its buffers, lent to it as buffers.
//!
//! All `unsafe` code of this package is here.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::slice;

use bytes::Bytes;
use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::PyOverflowError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyMemoryView;

/// The bytes of a Python buffer: borrowed where the object that owns them hands them out for reading only (`bytes`, a
/// read-only `mmap`), copied otherwise.
pub(crate) fn borrow(source: &Bound<'_, PyAny>) -> PyResult<Bytes> {
    let buffer = PyUntypedBuffer::get(source)?;
    if buffer.is_c_contiguous() && is_read_only(source, &buffer)? {
        return Ok(Bytes::from_owner(Borrowed(buffer)));
    }
    let copy = PyMemoryView::from(source)?.call_method0("tobytes")?;
    Ok(Bytes::from_owner(Borrowed(PyUntypedBuffer::get(&copy)?)))
}

/// A view of a `bytearray` may be read-only while the array itself changes: the owner of the bytes decides.
fn is_read_only(source: &Bound<'_, PyAny>, buffer: &PyUntypedBuffer) -> PyResult<bool> {
    if !buffer.readonly() || !source.is_instance_of::<PyMemoryView>() {
        return Ok(buffer.readonly());
    }
    let owner = source.getattr("obj")?;
    // Memory that some library made a view of belongs to no object.
    Ok(!owner.is_none() && PyUntypedBuffer::get(&owner)?.readonly())
}

/// A contiguous buffer whose owner does not let anyone write to it. The owner is kept alive, and the buffer exported.
struct Borrowed(PyUntypedBuffer);

impl AsRef<[u8]> for Borrowed {
    fn as_ref(&self) -> &[u8] {
        if self.0.len_bytes() == 0 {
            return &[];
        }
        // SAFETY: the buffer protocol keeps `len_bytes` bytes from `buf_ptr` on in place until the buffer is released,
        // which happens when `self` is dropped; contiguous means that all of them belong to it. Nobody writes to them:
        // the owner exports them read-only (`borrow`). What is left breaks a promise: an owner that changes what it hands
        // out for reading only, and a file that another process changes while it is mapped, as with every mapped file.
        unsafe { slice::from_raw_parts(self.0.buf_ptr().cast(), self.0.len_bytes()) }
    }
}

/// A read-only `memoryview` of `bytes`, which shares their memory and keeps them alive.
pub(crate) fn lend(py: Python<'_>, bytes: Bytes) -> PyResult<Bound<'_, PyMemoryView>> {
    PyMemoryView::from(Bound::new(py, Lent(bytes))?.as_any())
}

/// The owner of bytes that Python looks at: what `memoryview.obj` is.
#[pyclass(frozen, name = "_Bytes", module = "getclip")]
struct Lent(Bytes);

#[pymethods]
impl Lent {
    /// # Safety
    /// Python calls it with a `view` to fill.
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        const READ_ONLY: c_int = 1;
        let bytes = &slf.get().0;
        let len = isize::try_from(bytes.len())
            .map_err(|_| PyOverflowError::new_err("more than a buffer can hold"))?;
        let start = bytes.as_ptr().cast_mut().cast::<c_void>();
        // SAFETY: `view` is Python's to be filled. It gets a reference to `slf`, whose bytes never move or change: the
        // class is frozen, and `Bytes` is immutable. Read-only, so that the mutable pointer is never written through.
        unsafe {
            if ffi::PyBuffer_FillInfo(view, slf.as_ptr(), start, len, READ_ONLY, flags) == 0 {
                return Ok(());
            }
            (*view).obj = ptr::null_mut();
        }
        Err(PyErr::fetch(slf.py()))
    }
}
