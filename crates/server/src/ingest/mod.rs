//! PutMedia's side of the wire: a stream of Matroska in, acknowledgements out.

mod acknowledgement;
mod session;
mod splitter;

pub(crate) use session::{IngestLimits, MEMORY_UNIT, Session, TimecodeType};
