//! Matroska as it is on the wire: EBML elements (RFC 8794), track entries and blocks (RFC 9559).
//!
//! Nothing here knows of fragments, AWS tags or codecs. Everything is read through one bounded [`Cursor`], whose
//! offsets are those of the whole input, so that an error can name the byte.

pub(crate) mod block;
pub(crate) mod ebml;
pub(crate) mod ids;
pub(crate) mod track_entry;

pub(crate) use block::{BlockHeader, PlainBlock};
pub(crate) use ebml::{Cursor, ElementHeader, HeaderRead};
pub use track_entry::{AudioSettings, TrackEntry, TrackType, VideoSettings};
