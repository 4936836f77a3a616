//! getclip
mod builder;
mod clip;
mod codec;
mod error;
mod fragment;
mod isobmff;
mod matroska;
mod report;
mod selection;
mod selector;
mod timestamp;
mod track;

pub use builder::{ClipBuilder, Limits};
pub use clip::{Chunks, Clip, ClipReader};
pub use codec::Codec;
pub use error::{Error, ErrorKind, Exception, Location};
pub use fragment::{Block, Fragment, FragmentNumber, FragmentReader, Incomplete, fragments};
pub use matroska::{AudioSettings, TrackEntry, TrackType, VideoSettings};
pub use report::{Cut, Event, FragmentReport, Limit, Report, TrackReport};
pub use selector::{ClipFragmentSelector, ClipFragmentSelectorType, ClipTimestampRange};
pub use timestamp::Timestamp;
pub use track::{plan::CodecChanges, timeline::Gaps, tracks::Profile};
