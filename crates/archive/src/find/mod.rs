//! Finding fragments: by either clock, by number, as they arrive.

mod by_number;
mod coverage;
mod finder;
mod list;
mod tail;

pub use coverage::{Span, StreamStatistics};
pub(crate) use finder::{Finder, TimeRange};
pub use tail::{TailPosition, TailStart};
