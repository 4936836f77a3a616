//! PutMedia's side of the wire: a stream of Matroska in, acknowledgements out.

mod acknowledgement;
mod check;
mod memory;
mod recent;
mod session;

pub(crate) use memory::{IngestMemory, Memory};
pub(crate) use recent::RecentFragments;
pub(crate) use session::{IngestLimits, Session, TimecodeType};
