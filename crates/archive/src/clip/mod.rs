//! Clips: find the fragments, read their indexes, plan, send.

mod heads;
mod plans;
mod request;
mod select;
mod stored;

pub(crate) use plans::Plans;
pub use request::ClipRequest;
pub use stored::StoredClip;
