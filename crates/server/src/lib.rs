//! GetClip on the wire: streams of fragments kept in an object store, served to unmodified AWS clients.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

pub mod listener;
pub mod model;
pub mod sigv4;
