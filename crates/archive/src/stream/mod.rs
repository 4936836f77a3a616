//! Streams: names, states and properties.

mod info;
mod name;
mod registry;
mod retention;
mod version;

pub use info::{NewStream, StreamChange, StreamInfo};
pub use name::StreamName;
pub(crate) use registry::State;
pub use retention::Retention;
pub use version::StreamVersion;
