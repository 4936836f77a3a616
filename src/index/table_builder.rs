//! [`TableBuilder`]: a [`FrameTable`] that is being filled.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::codec::VideoCodec;
use crate::codec::framing::Framing;
use crate::codec::sei::SeiMessage;
use crate::frame_fault::FrameFault;
use crate::index::doubtful::{Doubt, DoubtfulFrame};
use crate::index::frame_table::{FaultyFrame, FrameRow, FrameTable, Nal};
use crate::index::recovery::RecoveryTracker;

/// A table that is being filled, and what is not known of it before its last frame.
#[derive(Debug)]
pub(crate) struct TableBuilder {
    table: FrameTable,
    /// Where each parameter set stands in the table.
    sets: BTreeMap<Bytes, u16>,
    hint: CapacityHint,
    tracks: Vec<OpenTrack>,
    /// The recovery of one of the tracks takes time, so that its pictures are counted.
    counts_pictures: bool,
}

/// What a block says of a frame in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockFrame {
    /// Index of the track among those that the fragment declares.
    pub(crate) track: u8,
    /// Presentation time from the Cluster's timestamp, in nanoseconds.
    pub(crate) time_ns: i64,
    /// From BlockDuration, in nanoseconds; 0 if there is none.
    pub(crate) duration_ns: u64,
    /// Offset of the frame in the media, in bytes from the Cluster's ID.
    pub(crate) offset: u32,
    pub(crate) key: bool,
    /// A frame of a lace, after the first, whose time nothing tells.
    pub(crate) inherits_time: bool,
}

/// A video track whose frames are not all plain.
#[derive(Debug)]
struct OpenTrack {
    track: u8,
    codec: VideoCodec,
    doubt: Doubt,
    recoveries: RecoveryTracker,
    /// How many of its rows were searched for a random access point, and whether there was one.
    searched: usize,
    has_begun: bool,
}

/// How much the fragment before had: fragments of a stream are alike. So memory that is taken for more than there is
/// remains in proportion to the input.
#[derive(Debug, Clone, Default)]
pub(crate) struct CapacityHint {
    /// Track and number of rows.
    rows: Vec<(u8, usize)>,
    nals: usize,
}

impl CapacityHint {
    pub(crate) fn of(table: &FrameTable) -> Self {
        Self {
            rows: table.tracks.iter().map(|frames| (frames.track, with_slack(frames.rows.len()))).collect(),
            nals: with_slack(table.nals.len()),
        }
    }
}

fn with_slack(count: usize) -> usize {
    count.saturating_add(count / 8)
}

impl TableBuilder {
    /// An empty table.
    pub(crate) fn new(hint: CapacityHint) -> Self {
        let mut table = FrameTable::default();
        table.nals.reserve_exact(hint.nals);
        Self { table, sets: BTreeMap::new(), hint, tracks: Vec::new(), counts_pictures: false }
    }

    pub(crate) fn table(&self) -> &FrameTable {
        &self.table
    }

    /// Drops the frames that end after `end`, in bytes from the Cluster's ID.
    pub(crate) fn truncate(&mut self, end: u64) {
        self.table.truncate(end);
    }

    /// The table, once all frames are in it.
    pub(crate) fn finish(mut self) -> FrameTable {
        for open in self.tracks {
            if let Some(frames) = self.table.tracks.iter_mut().find(|frames| frames.track == open.track) {
                frames.recoveries = open.recoveries.finish(open.codec);
                frames.recoveries.retain(|recovery| (recovery.row as usize) < frames.rows.len());
                open.doubt.resolve(&mut self.table, open.track);
            }
        }
        // Doubtful frames may have been all that a track had.
        self.table.tracks.retain(|track| !track.rows.is_empty());
        // Tracks stand in the order of their first rows, which may have been among them too.
        self.table.tracks.sort_by_key(|track| track.rows.first().map_or(u32::MAX, |row| row.offset));
        self.table
    }

    #[inline]
    pub(super) fn push(&mut self, block: BlockFrame, row: FrameRow, empty_nals: u32) {
        let Some(track) = self.table.track_mut(block.track) else { return };
        if track.rows.is_empty()
            && let Some((_, rows)) = self.hint.rows.iter().find(|(track, _)| *track == block.track)
        {
            track.rows.reserve_exact(*rows);
        }
        track.empty_nals = track.empty_nals.saturating_add(empty_nals);
        if block.duration_ns > 0 || !track.durations_ns.is_empty() {
            track.durations_ns.resize(track.rows.len(), 0);
            track.durations_ns.push(block.duration_ns);
        }
        track.rows.push(row);
    }

    /// Gives the last `count` frames of a block's track the duration of the block.
    pub(super) fn set_durations(&mut self, block: BlockFrame, count: usize) {
        let Some(track) = self.table.track_mut(block.track) else { return };
        let last = track.durations_ns.iter_mut().rev().take(count);
        last.for_each(|duration| *duration = block.duration_ns);
    }

    pub(super) fn push_fault(&mut self, fault: FaultyFrame) {
        self.table.faults.push(fault);
    }

    /// Index of the next row of a track.
    pub(super) fn next_row(&self, track: u8) -> usize {
        self.table.rows(track.into()).len()
    }

    /// Number of NAL units in the table.
    #[inline]
    pub(super) fn nals(&self) -> usize {
        self.table.nals.len()
    }

    #[inline]
    pub(super) fn push_nal(&mut self, nal: Nal) {
        self.table.nals.push(nal);
    }

    /// Forgets the NAL units from `first` on.
    #[inline]
    pub(super) fn truncate_nals(&mut self, first: usize) {
        self.table.nals.truncate(first);
    }

    /// Takes the NAL units from `first` on out of the table, and the parameter sets from `first_set` on.
    pub(super) fn split_off(&mut self, first: usize, first_set: usize) -> (Vec<Nal>, Vec<Bytes>) {
        let nals = self.table.nals.split_off(first.min(self.table.nals.len()));
        let sets = &mut self.table.parameter_sets;
        let sets = sets.split_off(first_set.min(sets.len()));
        sets.iter().for_each(|set| {
            self.sets.remove(set);
        });
        (nals, sets)
    }

    /// Number of parameter sets in the table.
    pub(super) fn sets(&self) -> usize {
        self.table.parameter_sets.len()
    }

    /// Index of a parameter set in the table, to which it is added if it is new.
    pub(super) fn set(&mut self, bytes: &[u8]) -> Result<u16, FrameFault> {
        if let Some(&set) = self.sets.get(bytes) {
            return Ok(set);
        }
        let too_many = |_| FrameFault::TooManyParameterSets { limit: u16::MAX.into() };
        let set = u16::try_from(self.table.parameter_sets.len()).map_err(too_many)?;
        let bytes = Bytes::copy_from_slice(bytes);
        self.table.parameter_sets.push(bytes.clone());
        self.sets.insert(bytes, set);
        Ok(set)
    }

    #[inline]
    pub(super) fn counts_pictures(&self) -> bool {
        self.counts_pictures
    }

    /// Counts a frame without its padding.
    pub(super) fn add_padded(&mut self, track: u8) {
        if let Some(frames) = self.table.track_mut(track) {
            frames.padded = frames.padded.saturating_add(1);
        }
    }

    /// Takes over the messages in the frame that is the next row of a track.
    pub(super) fn add_messages(&mut self, track: u8, codec: VideoCodec, messages: &[SeiMessage]) {
        let has_begun = self.has_begun(track, codec);
        if !has_begun && let Some(frames) = self.table.track_mut(track) {
            messages.iter().for_each(|message| frames.display.add(*message));
        }
        if let Some(open) = self.open(track, codec) {
            messages.iter().for_each(|message| open.recoveries.add_message(*message));
        }
    }

    /// Counts a picture that begins in the next row of a track.
    pub(super) fn add_picture(
        &mut self,
        track: u8,
        codec: VideoCodec,
        is_random_access: bool,
        is_reference: bool,
    ) {
        let row = self.next_row(track) as u32;
        if let Some(open) = self.open(track, codec) {
            open.recoveries.add_picture(row, is_random_access, is_reference);
            self.counts_pictures |= open.recoveries.is_counting();
        }
    }

    /// Remembers that the next row of a track can be read in another way.
    pub(super) fn add_doubtful(
        &mut self,
        track: u8,
        codec: VideoCodec,
        declared: Option<Framing>,
        frame: DoubtfulFrame,
    ) {
        if let Some(open) = self.open(track, codec) {
            open.doubt.declared = declared;
            open.doubt.add(frame);
        }
    }

    /// Whether a random access point is among the rows of a track.
    fn has_begun(&mut self, track: u8, codec: VideoCodec) -> bool {
        let rows = self.next_row(track);
        let Some(open) = self.open(track, codec) else { return false };
        let (searched, mut has_begun) = (open.searched, open.has_begun);
        let new = self.table.rows(track.into()).get(searched..).unwrap_or_default();
        has_begun |= new.iter().any(FrameRow::is_sync);
        if let Some(open) = self.open(track, codec) {
            (open.searched, open.has_begun) = (rows, has_begun);
        }
        has_begun
    }

    fn open(&mut self, track: u8, codec: VideoCodec) -> Option<&mut OpenTrack> {
        match self.tracks.iter().position(|open| open.track == track) {
            Some(known) => self.tracks.get_mut(known),
            None => {
                self.tracks.push(OpenTrack {
                    track,
                    codec,
                    doubt: Doubt::default(),
                    recoveries: RecoveryTracker::default(),
                    searched: 0,
                    has_begun: false,
                });
                self.tracks.last_mut()
            }
        }
    }
}
