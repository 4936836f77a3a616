//! Archived Kinesis Video Streams fragments in, one progressive MP4 out.
#![allow(dead_code, unused_imports, reason = "the stages that use these come next")]
mod codec;
mod error;
mod fragment;
mod matroska;
mod timestamp;

pub use codec::Codec;
pub use error::{Error, ErrorKind, Exception, Location};
pub use fragment::{Block, Fragment, FragmentNumber, FragmentReader, Incomplete, fragments};
pub use matroska::{AudioSettings, TrackEntry, TrackType, VideoSettings};
pub use timestamp::Timestamp;
