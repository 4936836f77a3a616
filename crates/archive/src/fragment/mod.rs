//! Fragments in the store: their keys, their numbers, their documents.

pub(crate) mod document;
mod number;
mod numbering;
mod prepared;
mod stored;

pub(crate) use number::{NumberParts, NumberSource, padded};
pub use numbering::Numbering;
pub use prepared::Identity;
pub(crate) use prepared::{Place, Prepared, read_index};
pub(crate) use stored::FragmentKey;
pub use stored::StoredFragment;
