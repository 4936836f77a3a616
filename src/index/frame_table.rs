//! [`FrameTable`]: a row a frame, made while the Cluster is walked, and all that a clip needs to know of its frames.
//!
//! A frame that is a sample as it stands is one row. Of any other, the row names its NAL units, so that nobody has to
//! look at the media again.

use bytes::Bytes;

use crate::codec::nal_role::NalRole;
use crate::codec::sei::DisplayMessages;
use crate::frame_fault::FrameFault;

/// The frames of a fragment, by track.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FrameTable {
    /// One for each track that has a frame, in the order of the first frames.
    pub(crate) tracks: Vec<TrackFrames>,
    /// NAL units of the frames that are not samples as they stand, in the order of the rows of their track.
    pub(crate) nals: Vec<Nal>,
    /// The distinct parameter sets found in frames, in the order in which they were found.
    pub(crate) parameter_sets: Vec<Bytes>,
    /// Frames that cannot be parsed, in the order of the file. They have no row.
    pub(crate) faults: Vec<FaultyFrame>,
}

/// The frames of one track, in the order of the file, which is decode order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TrackFrames {
    /// Index of the track among those that the fragment declares.
    pub(crate) track: u8,
    pub(crate) rows: Vec<FrameRow>,
    /// Duration of each frame in nanoseconds from its BlockDuration, 0 where it has none. Empty if none has one.
    pub(crate) durations_ns: Vec<u64>,
    /// NAL units without a byte, which are not listed.
    pub(crate) empty_nals: u32,
    /// Frames whose padding, zero bytes after the last NAL unit, was left out.
    pub(crate) padded: u32,
    /// The rows at which decoding recovers though they are no random access points, in their order.
    pub(crate) recoveries: Vec<Recovery>,
    /// What the SEI messages up to the first random access point say.
    pub(crate) display: DisplayMessages,
}

/// A picture from which decoding recovers though it is no random access point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recovery {
    /// Index of the row in which the picture begins.
    pub(crate) row: u32,
    /// How many pictures after it, in decode order, must be decoded until all that follow are right: 0 if it is right itself.
    pub(crate) later_pictures: u32,
}

/// A frame: when it is shown and where its bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameRow {
    /// Presentation time from the Cluster's timestamp, in nanoseconds.
    pub(crate) time_ns: i64,
    /// Offset of the frame in the media, in bytes from the Cluster's ID.
    pub(crate) offset: u32,
    /// Size of the frame in the media, in bytes.
    pub(crate) len: u32,
    /// Index of the frame's first NAL unit in the table.
    pub(crate) first_nal: u32,
    /// Number of NAL units; 0 for a frame that is a sample as it stands.
    pub(crate) nals: u16,
    pub(crate) flags: FrameFlags,
}

/// What is known of a frame besides its time and place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FrameFlags(u16);

impl FrameFlags {
    /// Decoding can start here.
    pub(crate) const SYNC: Self = Self(1);
    /// The producer marked the frame as one that decoding can start at.
    pub(crate) const KEY: Self = Self(1 << 1);
    /// Nothing tells the frame's time; it follows the frame before it.
    pub(crate) const INHERITS_TIME: Self = Self(1 << 2);
    /// The frame lacks the header that was stripped off all frames of its track.
    pub(crate) const STRIPPED: Self = Self(1 << 3);
    /// The frame carries parameter sets.
    pub(crate) const PARAMETER_SETS: Self = Self(1 << 4);
    /// The frame was framed by start codes, or by lengths of 1 or 2 bytes.
    pub(crate) const CONVERTED_FRAMING: Self = Self(1 << 5);
    /// The frame's ADTS header was left out.
    pub(crate) const ADTS: Self = Self(1 << 6);
    /// The picture follows a random access point of H.265 and is shown before it.
    pub(crate) const LEADING: Self = Self(1 << 7);
    /// It refers to pictures before that random access point: it cannot be decoded if decoding starts there.
    pub(crate) const SKIPPED: Self = Self(1 << 8);
    /// The frame is not one whole picture: it has none or several, or goes on with the one before it.
    pub(crate) const IRREGULAR: Self = Self(1 << 9);
    /// An access unit delimiter of the usual size is its first NAL unit.
    pub(crate) const DELIMITER: Self = Self(1 << 10);
    /// The frame was framed by start codes.
    pub(crate) const BYTE_STREAM: Self = Self(1 << 11);
    /// All flags above.
    const ALL: u16 = (1 << 12) - 1;

    pub(crate) fn contains(self, flag: Self) -> bool {
        self.0 & flag.0 == flag.0
    }

    #[must_use]
    pub(crate) fn with(self, flag: Self, set: bool) -> Self {
        if set { Self(self.0 | flag.0) } else { self }
    }

    /// Those that hold for each sample that is made of NAL units of a frame.
    pub(crate) fn of_block(self) -> Self {
        const OF_BLOCK: u16 =
            FrameFlags::KEY.0 | FrameFlags::INHERITS_TIME.0 | FrameFlags::CONVERTED_FRAMING.0;
        Self(self.0 & OF_BLOCK)
    }

    pub(crate) fn bits(self) -> u16 {
        self.0
    }

    /// `None` for bits that have no meaning.
    pub(crate) fn from_bits(bits: u16) -> Option<Self> {
        (bits & !Self::ALL == 0).then_some(Self(bits))
    }
}

impl FrameRow {
    pub(crate) fn has(&self, flag: FrameFlags) -> bool {
        self.flags.contains(flag)
    }

    pub(crate) fn is_sync(&self) -> bool {
        self.has(FrameFlags::SYNC)
    }

    pub(crate) fn is_leading(&self) -> bool {
        self.has(FrameFlags::LEADING)
    }

    pub(crate) fn is_skipped(&self) -> bool {
        self.has(FrameFlags::SKIPPED)
    }

    pub(crate) fn inherits_time(&self) -> bool {
        self.has(FrameFlags::INHERITS_TIME)
    }

    /// Whether the frame is a sample as it stands.
    pub(crate) fn is_verbatim(&self) -> bool {
        self.nals == 0
    }

    /// Bytes of the frame with what was cut off its front, which is `stripped` bytes where anything was.
    pub(crate) fn verbatim_len(&self, stripped: u32) -> u32 {
        self.len.saturating_add(if self.has(FrameFlags::STRIPPED) { stripped } else { 0 })
    }

    /// Its NAL units, out of those of its table. None where it is verbatim.
    pub(crate) fn nals<'a>(&self, of_table: &'a [Nal]) -> &'a [Nal] {
        let first = self.first_nal as usize;
        of_table.get(first..first.saturating_add(usize::from(self.nals))).unwrap_or_default()
    }
}

/// A NAL unit of a frame, as it will stand in the sample after a 4-byte length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nal {
    /// Offset in the media of what is there of it, in bytes from the Cluster's ID.
    pub(crate) offset: u32,
    /// Bytes of it in the media.
    pub(crate) media_len: u32,
    pub(crate) role: NalRole,
    /// Its first bytes, where they are not in the media but in the header that was stripped off the track's frames.
    pub(crate) restored: Restored,
    /// Index in the fragment's parameter sets; of a parameter set only.
    pub(crate) set: u16,
}

/// A part of a stripped header, which has at most 16 bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Restored {
    /// Offset in the header, in bytes.
    pub(crate) start: u8,
    /// Size in bytes; 0 for a NAL unit that is in the media as a whole.
    pub(crate) len: u8,
}

impl Nal {
    /// Size of the whole NAL unit in bytes, at least 1.
    pub(crate) fn len(&self) -> u32 {
        self.media_len.saturating_add(u32::from(self.restored.len))
    }
}

impl Restored {
    /// The bytes themselves.
    pub(crate) fn of(self, header: &[u8]) -> &[u8] {
        let start = usize::from(self.start);
        header.get(start..start.saturating_add(usize::from(self.len))).unwrap_or_default()
    }
}

/// A frame that cannot be parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FaultyFrame {
    /// Index of its track among those that the fragment declares.
    pub(crate) track: u8,
    /// Presentation time from the Cluster's timestamp, in nanoseconds.
    pub(crate) time_ns: i64,
    /// Offset of the frame in the media, in bytes from the Cluster's ID.
    pub(crate) offset: u32,
    /// Size of the frame in bytes.
    pub(crate) len: u32,
    pub(crate) fault: FrameFault,
}

impl FrameTable {
    /// The frames of a track, to which a frame is to be added. Never `None`.
    #[inline]
    pub(crate) fn track_mut(&mut self, track: u8) -> Option<&mut TrackFrames> {
        match self.tracks.iter().position(|frames| frames.track == track) {
            Some(known) => self.tracks.get_mut(known),
            None => {
                self.tracks.push(TrackFrames { track, ..TrackFrames::default() });
                self.tracks.last_mut()
            }
        }
    }

    /// Number of frames of all tracks that have a row.
    pub(crate) fn len(&self) -> usize {
        self.tracks.iter().map(|track| track.rows.len()).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tracks.iter().all(|track| track.rows.is_empty())
    }

    /// Whether the frames of that track make a sample: blocks that hold no slice of a picture make none.
    pub(crate) fn has_samples(&self, track: usize) -> bool {
        let has_slice = |row: &FrameRow| row.nals(&self.nals).iter().any(|nal| nal.role.is_slice());
        self.rows(track).iter().any(|row| !row.has(FrameFlags::IRREGULAR) || has_slice(row))
    }

    /// Drops the frames that end after `end`, in bytes from the Cluster's ID.
    pub(crate) fn truncate(&mut self, end: u64) {
        let ends_after = |offset: u32, len: u32| u64::from(offset).saturating_add(len.into()) > end;
        let mut nals = self.nals.len();
        for track in &mut self.tracks {
            while let Some(last) = track.rows.pop_if(|last| ends_after(last.offset, last.len)) {
                if !last.is_verbatim() {
                    nals = nals.min(last.first_nal as usize);
                }
            }
            track.durations_ns.truncate(track.rows.len());
        }
        self.nals.truncate(nals);
        self.tracks.retain(|track| !track.rows.is_empty());
        while self.faults.pop_if(|last| ends_after(last.offset, last.len)).is_some() {}
    }

    /// All rows in the order of the file.
    pub(crate) fn in_file_order(&self) -> FileOrder<'_> {
        let tracks = self.tracks.iter().map(|frames| (frames.track, 0, frames.rows.as_slice()));
        FileOrder { tracks: tracks.collect() }
    }

    /// The frames of the track that stands at `track` among those that the fragment declares, if there are any.
    pub(crate) fn track(&self, track: usize) -> Option<&TrackFrames> {
        self.tracks.iter().find(|frames| usize::from(frames.track) == track)
    }

    /// Takes the frames of that track out of the table.
    pub(crate) fn take(&mut self, track: usize) -> Option<TrackFrames> {
        let place = self.tracks.iter().position(|frames| usize::from(frames.track) == track)?;
        Some(self.tracks.remove(place))
    }

    /// The rows of that track.
    pub(crate) fn rows(&self, track: usize) -> &[FrameRow] {
        self.track(track).map_or(&[], |frames| &frames.rows)
    }

    /// Bytes that the samples of a track have at least: all but the parameter sets that may be taken out.
    /// `stripped` is the size of the header that was stripped off its frames.
    pub(crate) fn least_sample_bytes(&self, track: usize, stripped: usize) -> u64 {
        let of_nal = |nal: &Nal| match nal.role {
            NalRole::ParameterSet => 0,
            _ => u64::from(nal.len()).saturating_add(4),
        };
        let of_row = |row: &FrameRow| match row.is_verbatim() {
            true => row.verbatim_len(stripped as u32).into(),
            false => row.nals(&self.nals).iter().map(of_nal).fold(0, u64::saturating_add),
        };
        self.rows(track).iter().map(of_row).fold(0, u64::saturating_add)
    }
}

/// Merges the rows of all tracks by their offset. A track's own rows stand in that order already.
#[derive(Debug, Clone)]
pub(crate) struct FileOrder<'a> {
    /// For each track its index, the index of its next row, and the rows from there on.
    tracks: Vec<(u8, usize, &'a [FrameRow])>,
}

/// A row, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlacedRow<'a> {
    /// Index of the track among those that the fragment declares.
    pub(crate) track: u8,
    /// Index of the row in its track.
    pub(crate) index: usize,
    pub(crate) row: &'a FrameRow,
}

impl<'a> Iterator for FileOrder<'a> {
    type Item = PlacedRow<'a>;

    fn next(&mut self) -> Option<PlacedRow<'a>> {
        let heads = self.tracks.iter().enumerate();
        let first = heads.filter_map(|(at, (_, _, rows))| Some((rows.first()?.offset, at))).min();
        let (_, at) = first?;
        let (track, next, rows) = self.tracks.get_mut(at)?;
        let (row, rest) = rows.split_first()?;
        let index = *next;
        (*next, *rows) = (index.saturating_add(1), rest);
        Some(PlacedRow { track: *track, index, row })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(offset: u32) -> FrameRow {
        FrameRow { time_ns: 0, offset, len: 1, first_nal: 0, nals: 0, flags: FrameFlags::default() }
    }

    #[test]
    fn a_row_is_small() {
        assert_eq!(size_of::<FrameRow>(), 24);
        assert_eq!(size_of::<Nal>(), 16);
    }

    #[test]
    fn tracks_are_merged_by_offset() {
        let mut table = FrameTable::default();
        table.track_mut(0).unwrap().rows = [10, 20, 50].map(row).into();
        table.track_mut(2).unwrap().rows = [5, 30, 40].map(row).into();
        let order: Vec<_> = table.in_file_order().map(|at| (at.track, at.index, at.row.offset)).collect();
        assert_eq!(order, [(2, 0, 5), (0, 0, 10), (0, 1, 20), (2, 1, 30), (2, 2, 40), (0, 2, 50)]);
        assert_eq!(table.len(), 6);
    }

    #[test]
    fn flags() {
        let flags = FrameFlags::default().with(FrameFlags::KEY, true).with(FrameFlags::SYNC, false);
        assert!(flags.contains(FrameFlags::KEY) && !flags.contains(FrameFlags::SYNC));
        assert_eq!(FrameFlags::from_bits(flags.bits()), Some(flags));
        assert_eq!(FrameFlags::from_bits(1 << 15), None);
    }
}
