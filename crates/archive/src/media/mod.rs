//! Where the media of a fragment is, and how it is sent.

mod body;
mod recording;
mod reference;
mod source;
mod windows;

pub use body::MediaBody;
pub(crate) use body::Parts;
pub use recording::RecordingUrl;
pub(crate) use recording::{RecordingReader, Recordings};
pub(crate) use reference::Reference;
pub(crate) use source::Source;
