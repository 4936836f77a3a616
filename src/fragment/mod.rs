//! [`Fragment`]: what Kinesis Video Streams stores, one Cluster with its tracks and the tags that name it.

mod cluster;
pub(crate) mod number;
pub(crate) mod reader;
pub(crate) mod tags;
mod window;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::annexb::StartCodes;
use crate::matroska::TrackEntry;
use crate::timestamp::Timestamp;

pub use number::FragmentNumber;
pub use reader::{FragmentReader, fragments};
pub(crate) use tags::FragmentTags;

/// One stored fragment: a Cluster, the tracks that its document declares, and the service's tags.
///
/// The media stays where it was read; a block is a range of it. Cloning copies the table of blocks, not the media.
#[derive(Debug, Clone)]
pub struct Fragment {
    pub(crate) tags: FragmentTags,
    pub(crate) tracks: Arc<[TrackEntry]>,
    pub(crate) timestamp_scale_ns: u32,
    pub(crate) cluster_timestamp: u64,
    pub(crate) blocks: Vec<Block>,
    pub(crate) start_codes: StartCodes,
    pub(crate) data: Bytes,
    pub(crate) offset: u64,
    pub(crate) position: u64,
    pub(crate) incomplete: Option<Incomplete>,
}

/// One frame of a fragment. A block whose frames were laced counts as several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Presentation time from the Cluster's timestamp, in nanoseconds.
    pub(crate) time_ns: i64,
    /// From BlockDuration; 0 where there is none.
    pub(crate) duration_ns: u64,
    /// Of the frame in the fragment's data.
    pub(crate) offset: u32,
    pub(crate) len: u32,
    /// Index in the fragment's tracks.
    pub(crate) track: u8,
    pub(crate) key: bool,
    /// A frame of a lace, behind the first, whose time nothing tells.
    pub(crate) untimed: bool,
}

/// How the input ends where a fragment does not.
///
/// The whole frames in front of the end are in the fragment. One that ends before its first frame has no blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Incomplete {
    /// Offset of the end of the input, or of the document that should have had a Cluster.
    pub offset: u64,
    /// What is not whole, or not there at all.
    pub element: &'static str,
    /// How many bytes of it are missing, where its size is known.
    pub missing_bytes: Option<u64>,
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the input ends at byte {} inside {}", self.offset, self.element)?;
        match self.missing_bytes {
            Some(missing) => write!(f, ", {missing} bytes short"),
            None => Ok(()),
        }
    }
}

impl Fragment {
    /// `AWS_KINESISVIDEO_FRAGMENT_NUMBER`, where the service gave one.
    pub fn number(&self) -> Option<&FragmentNumber> {
        self.tags.number.as_ref()
    }

    /// `AWS_KINESISVIDEO_PRODUCER_TIMESTAMP`: when the fragment starts, by the producer's clock.
    pub fn producer_timestamp(&self) -> Option<Timestamp> {
        self.tags.producer_timestamp
    }

    /// `AWS_KINESISVIDEO_SERVER_TIMESTAMP`: when the service received the fragment.
    pub fn server_timestamp(&self) -> Option<Timestamp> {
        self.tags.server_timestamp
    }

    /// The Cluster's own timestamp in nanoseconds. The service never rewrites it: it may count from 1970 or from
    /// the start of the producer's session. `None` where that is beyond the range of `i64`.
    pub fn cluster_timestamp_ns(&self) -> Option<i64> {
        i64::try_from(u128::from(self.cluster_timestamp).saturating_mul(u128::from(self.timestamp_scale_ns)))
            .ok()
    }

    /// TimestampScale: nanoseconds per tick of the file's timestamps, 1 to 1,000,000,000; 1,000,000 as a rule.
    pub fn timestamp_scale_ns(&self) -> u64 {
        self.timestamp_scale_ns.into()
    }

    /// The tracks that the fragment's document declares.
    pub fn tracks(&self) -> &[TrackEntry] {
        &self.tracks
    }

    /// The frames in the order of the file, which is decode order.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The track that a block of this fragment belongs to.
    pub fn track_of(&self, block: &Block) -> Option<&TrackEntry> {
        self.tracks.get(usize::from(block.track))
    }

    /// The bytes of a frame of this fragment, shared with the input. Empty for a block of another fragment that
    /// reaches beyond this one.
    pub fn frame(&self, block: &Block) -> Bytes {
        self.data.slice_ref(self.frame_bytes(block))
    }

    pub(crate) fn frame_bytes(&self, block: &Block) -> &[u8] {
        let rest = self.data.get(block.offset as usize..);
        rest.and_then(|rest| rest.get(..block.len as usize)).unwrap_or_default()
    }

    /// Gives up the tables of its frames. The media stays.
    pub(crate) fn drop_blocks(&mut self) {
        self.blocks = Vec::new();
        self.start_codes = StartCodes::default();
    }

    /// Offset of the Cluster from the start of the input.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Size of the Cluster in bytes, headers and all.
    pub fn len(&self) -> u64 {
        self.data.len() as u64
    }

    /// Whether there is no Cluster at all: what is left of a document that was cut off.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// What is missing, where the input ended before the fragment did.
    pub fn incomplete(&self) -> Option<&Incomplete> {
        self.incomplete.as_ref()
    }

    /// How to call this fragment in a message: by its number, else by its place in the input, counted from 1.
    pub fn name(&self) -> String {
        name(self.number(), self.position)
    }
}

fn name(number: Option<&FragmentNumber>, position: u64) -> String {
    match number {
        Some(number) => number.to_string(),
        None => format!("#{}", position.saturating_add(1)),
    }
}

impl Block {
    /// Presentation time from the Cluster's timestamp, in nanoseconds.
    pub fn time_ns(&self) -> i64 {
        self.time_ns
    }

    /// Duration in nanoseconds, where a BlockDuration gave one.
    pub fn duration_ns(&self) -> Option<u64> {
        Some(self.duration_ns).filter(|&duration| duration > 0)
    }

    /// Whether the producer marked the frame as one that decoding can start at. Says nothing for audio.
    pub fn is_key(&self) -> bool {
        self.key
    }

    /// Size of the frame in bytes.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether the frame has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}
