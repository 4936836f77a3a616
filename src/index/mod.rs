//! [`FragmentIndex`]: all that a clip needs to know of a fragment, without its media.

mod doubtful;
pub(crate) mod frame_table;
#[cfg(feature = "serde")]
mod readable;
mod recovery;
pub(crate) mod scan;
mod span;
pub(crate) mod table_builder;
pub(crate) mod track_set;
mod trim;
mod wire;

use crate::damage::Damage;
use crate::incomplete::Incomplete;
use crate::matroska::TrackEntry;
use crate::number::{FragmentName, FragmentNumber};
use crate::tags::FragmentTags;
use crate::timestamp::Timestamp;

use frame_table::{FrameFlags, FrameRow, FrameTable};
use track_set::TrackSet;

/// What is in a fragment: its tags, its tracks, and a row for each frame.
///
/// Reading a [`Fragment`](crate::Fragment) makes it. It is small (about 3 bytes a frame when
/// [encoded](Self::encode)), can be kept anywhere, and is enough to plan a clip: see
/// [`ClipBuilder::planner`](crate::ClipBuilder::planner).
#[derive(Debug, Clone, PartialEq)]
pub struct FragmentIndex {
    pub(crate) tags: FragmentTags,
    pub(crate) tracks: TrackSet,
    pub(crate) timestamp_scale_ns: u32,
    pub(crate) cluster_timestamp: u64,
    pub(crate) frames: FrameTable,
    pub(crate) media_len: u64,
    pub(crate) offset: u64,
    pub(crate) position: u64,
    pub(crate) state: FragmentState,
    pub(crate) damages: Vec<Damage>,
}

/// How much of a fragment was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FragmentState {
    /// All of it.
    Whole,
    /// The input ends before the fragment does.
    Incomplete(Incomplete),
    /// Its tags, by which it is out of the range that the reader was given. Its frames were passed over.
    PassedOver,
    /// Nothing of it: it stands for damage that no fragment follows.
    Absent,
}

impl FragmentIndex {
    /// `AWS_KINESISVIDEO_FRAGMENT_NUMBER`, if the fragment has one.
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

    /// The same index under the identity that a service gives the fragment.
    #[must_use]
    pub fn with_tags(
        mut self,
        number: FragmentNumber,
        producer_timestamp: Timestamp,
        server_timestamp: Timestamp,
    ) -> Self {
        self.tags = FragmentTags {
            number: Some(number),
            producer_timestamp: Some(producer_timestamp),
            server_timestamp: Some(server_timestamp),
        };
        self
    }

    /// The Cluster's own timestamp in nanoseconds. The service never rewrites it: it may count from 1970 or from
    /// the start of the producer's session. `None` if that is beyond the range of `i64`.
    pub fn cluster_timestamp_ns(&self) -> Option<i64> {
        i64::try_from(u128::from(self.cluster_timestamp).saturating_mul(u128::from(self.timestamp_scale_ns)))
            .ok()
    }

    /// TimestampScale: nanoseconds per tick of the file's timestamps, 1 to 1,000,000,000; usually 1,000,000.
    pub fn timestamp_scale_ns(&self) -> u64 {
        self.timestamp_scale_ns.into()
    }

    /// The tracks that the fragment's document declares.
    pub fn tracks(&self) -> &[TrackEntry] {
        self.tracks.entries()
    }

    /// The frames in the order of the file, which is decode order. Frames that cannot be parsed are not among them.
    pub fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        self.frames.in_file_order().filter_map(|at| {
            let track = self.tracks().get(usize::from(at.track))?;
            let frames = self.frames.track(usize::from(at.track));
            let durations = frames.map_or(&[][..], |frames| &frames.durations_ns);
            let duration_ns = durations.get(at.index).copied().filter(|&duration| duration > 0);
            Some(Frame { row: at.row, track, duration_ns })
        })
    }

    /// Size of the media in bytes: of the Cluster, with its header.
    pub fn media_len(&self) -> u64 {
        self.media_len
    }

    /// Offset of the Cluster from the start of the input it was read from, in bytes.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// What is missing, if the input ended before the fragment did.
    pub fn incomplete(&self) -> Option<&Incomplete> {
        match &self.state {
            FragmentState::Incomplete(incomplete) => Some(incomplete),
            FragmentState::Whole | FragmentState::PassedOver | FragmentState::Absent => None,
        }
    }

    /// Places of the input that could not be read, in the fragment or before it: between it and the one before. Bytes
    /// after the last fragment are those of an item without frames.
    pub fn damages(&self) -> &[Damage] {
        &self.damages
    }

    /// Whether all of the fragment is there and could be read.
    pub fn is_whole(&self) -> bool {
        let has_damage = self.damages.iter().any(|damage| self.is_inside(damage));
        self.incomplete().is_none() && self.frames.faults.is_empty() && !has_damage
    }

    /// Whether a damage is in the fragment, and not before it.
    pub(crate) fn is_inside(&self, damage: &Damage) -> bool {
        let is_inside = damage.offset >= self.offset || damage.end() > self.offset;
        is_inside && self.state != FragmentState::Absent
    }

    /// What a report calls this fragment.
    pub fn name(&self) -> FragmentName {
        match self.number() {
            Some(number) => FragmentName::Number(number.clone()),
            None => FragmentName::Position(self.position),
        }
    }
}

/// A frame of a fragment. A block whose frames were laced has several, and so has one with several ADTS frames.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    pub(crate) row: &'a FrameRow,
    track: &'a TrackEntry,
    duration_ns: Option<u64>,
}

impl<'a> Frame<'a> {
    /// The track that the frame belongs to.
    pub fn track(&self) -> &'a TrackEntry {
        self.track
    }

    /// Presentation time from the Cluster's timestamp, in nanoseconds.
    pub fn time_ns(&self) -> i64 {
        self.row.time_ns
    }

    /// Duration in nanoseconds, if a BlockDuration gave one.
    pub fn duration_ns(&self) -> Option<u64> {
        self.duration_ns
    }

    /// Size of the frame in bytes, without an ADTS header, and with the header that was stripped off all frames of its
    /// track.
    pub fn len(&self) -> u64 {
        let stripped =
            if self.row.has(FrameFlags::STRIPPED) { self.track.stripped_header().len() } else { 0 };
        u64::from(self.row.len).saturating_add(stripped as u64)
    }

    /// Whether the frame has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the producer marked the frame as one that decoding can start at. Meaningless for audio.
    pub fn is_key(&self) -> bool {
        self.row.has(FrameFlags::KEY)
    }
}
