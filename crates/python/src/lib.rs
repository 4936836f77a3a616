//! The extension module of the Python package `getclip`: what `python/getclip/__init__.py` puts before people.

#[expect(unsafe_code, reason = "buffers of Python are pointers and lengths: see the comments there")]
mod buffer;
mod clip;
mod error;
mod fragment;
mod index;
mod options;
mod plan;
mod report;
mod save;
mod stream;
mod time;

use pyo3::prelude::*;

#[pymodule]
mod _getclip {
    #[pymodule_export]
    use crate::clip::{PyClip, clip};
    #[pymodule_export]
    use crate::fragment::{PyFragment, PyFragments};
    #[pymodule_export]
    use crate::index::PyFragmentIndex;
    #[pymodule_export]
    use crate::plan::{MediaRange, PyClipPlan, plan};
}
