//! Clips out of the archive: find, read the indexes, plan, and send.

mod heads;
mod plans;
mod request;
mod select;
mod stored;

pub(crate) use plans::Plans;
pub use request::ClipRequest;
pub use stored::StoredClip;
