//! [`FragmentStream`]: fragments out of a buffer, or out of what a Python callable reads.

use bytes::Bytes;
use getclip::{Fragment, FragmentReader};
use pyo3::prelude::*;
use pyo3::types::PyIterator;

use crate::buffer::borrow;
use crate::error::Failure;
use crate::fragment::PyFragment;

/// Bytes asked for at a time. `StreamingBody.read` waits until it has as many: at 1 Mbit/s, for half a second.
const READ_SIZE: usize = 64 << 10;

/// The fragments of one input. Python is attached to only while it reads.
pub(crate) struct FragmentStream {
    reader: Box<FragmentReader>,
    /// `read(size)`, until it returns nothing more.
    read: Option<Py<PyAny>>,
}

impl FragmentStream {
    /// The fragments of a buffer that holds a whole recording.
    pub(crate) fn of_buffer(bytes: Bytes) -> Self {
        let mut reader = Box::new(FragmentReader::new());
        reader.push(bytes);
        reader.finish();
        Self { reader, read: None }
    }

    /// The fragments of what `read(size)` returns until it returns no bytes.
    pub(crate) fn of_reader(read: Py<PyAny>) -> Self {
        Self { reader: Box::default(), read: Some(read) }
    }

    /// A stream that has come to its end.
    pub(crate) fn ended() -> Self {
        Self::of_buffer(Bytes::new())
    }

    /// Reads on. Returns whether there was anything left to do.
    fn fill(&mut self) -> PyResult<bool> {
        let Some(read) = &self.read else { return Ok(false) };
        let chunk = Python::attach(|py| borrow(&read.bind(py).call1((READ_SIZE,))?))?;
        if chunk.is_empty() {
            self.read = None;
            self.reader.finish();
        } else {
            self.reader.push(chunk);
        }
        Ok(true)
    }
}

impl Iterator for FragmentStream {
    type Item = Result<Fragment, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let failure = match self.reader.next_fragment() {
                Some(Ok(fragment)) => return Some(Ok(fragment)),
                Some(Err(error)) => Failure::from(error),
                None => match self.fill() {
                    Ok(true) => continue,
                    Ok(false) => return None,
                    Err(error) => error.into(),
                },
            };
            self.read = None;
            return Some(Err(failure));
        }
    }
}

/// What `getclip.clip()` takes fragments from.
pub(crate) enum FragmentSource {
    /// Of `getclip.fragments()`: read without a detour through Python.
    Stream(FragmentStream),
    /// Any other iterator of fragments, such as a filter of them.
    Iterator(Py<PyIterator>),
}

impl Iterator for FragmentSource {
    type Item = Result<Fragment, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let fragments = match self {
            Self::Stream(stream) => return stream.next(),
            Self::Iterator(fragments) => fragments,
        };
        Python::attach(|py| {
            let item = fragments.bind(py).clone().next()?;
            let fragment = item.and_then(|item| Ok(item.cast::<PyFragment>()?.get().0.clone()));
            Some(fragment.map_err(Failure::from))
        })
    }
}
