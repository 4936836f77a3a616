//! Decode and presentation times of the samples of a clip: from the times of fragments and blocks to `stts`, `ctts` and
//! the edit list.

pub(crate) mod audio;
pub(crate) mod cadence;
pub(crate) mod continuity;
pub(crate) mod runs;
pub(crate) mod timeline;
pub(crate) mod track_times;
mod trim;
pub(crate) mod units;
pub(crate) mod video;

pub use timeline::Gaps;
pub use trim::Trim;

pub(crate) use timeline::Timeline;
pub(crate) use track_times::TrackTimes;
