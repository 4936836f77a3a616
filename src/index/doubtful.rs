//! Frames that read in two ways, until those that read in one way have told how their track is framed.

use bytes::Bytes;

use crate::codec::framing::{Framing, FramingTally};
use crate::codec::nal_role::NalRole;
use crate::index::frame_table::{FaultyFrame, FrameFlags, FrameRow, FrameTable, Nal};

/// A frame that was read in one of two ways.
#[derive(Debug, Clone)]
pub(super) struct DoubtfulFrame {
    /// Index of its row in its track.
    pub(super) row: usize,
    pub(super) read_as: Framing,
    /// What it is when it is read the other way.
    pub(super) other: Result<OtherReading, FaultyFrame>,
}

/// A frame, read the other way.
#[derive(Debug, Clone)]
pub(super) struct OtherReading {
    pub(super) row: FrameRow,
    pub(super) nals: Vec<Nal>,
    /// Parameter sets that the table does not have, and the index of the first of them.
    pub(super) new_sets: Vec<Bytes>,
    pub(super) first_set: usize,
}

/// More doubtful frames in a fragment stay as they were read. Real streams have a few.
const MAX_DOUBTFUL: usize = 1024;

/// The doubtful frames of one track.
#[derive(Debug, Clone, Default)]
pub(super) struct Doubt {
    pub(super) frames: Vec<DoubtfulFrame>,
    /// How the codec private data has its own NAL units.
    pub(super) declared: Option<Framing>,
}

impl Doubt {
    pub(super) fn add(&mut self, frame: DoubtfulFrame) {
        if self.frames.len() < MAX_DOUBTFUL {
            self.frames.push(frame);
        }
    }

    /// Reads the doubtful frames of a track as the others are framed.
    pub(super) fn resolve(self, table: &mut FrameTable, track: u8) {
        if self.frames.is_empty() {
            return;
        }
        let rows = table.rows(track.into());
        let mut tally = FramingTally::default();
        let mut doubtful = self.frames.iter().map(|frame| frame.row).peekable();
        for (index, row) in rows.iter().enumerate() {
            match row.has(FrameFlags::BYTE_STREAM) {
                _ if doubtful.next_if_eq(&index).is_some() => {}
                true => tally.byte_stream = tally.byte_stream.saturating_add(1),
                false => tally.length_prefixed = tally.length_prefixed.saturating_add(1),
            }
        }
        let Some(framing) = tally.framing(self.declared) else { return };
        let wrong: Vec<DoubtfulFrame> = self
            .frames
            .into_iter()
            .filter(|frame| frame.row < rows.len() && frame.read_as != framing)
            .collect();
        if !wrong.is_empty() {
            replace(table, track, wrong);
        }
    }
}

/// Puts other readings in the place of rows, and lists all NAL units anew, since they stand in the order of the rows.
fn replace(table: &mut FrameTable, track: u8, frames: Vec<DoubtfulFrame>) {
    let old = std::mem::take(&mut table.nals);
    let order: Vec<(u8, usize)> = table.in_file_order().map(|at| (at.track, at.index)).collect();
    let mut frames = frames.into_iter().peekable();
    let (mut nals, mut removed) = (Vec::with_capacity(old.len()), Vec::new());
    for (of_track, index) in order {
        let other = frames.next_if(|frame| of_track == track && frame.row == index).map(|frame| frame.other);
        let Some(row) = table.track_mut(of_track).and_then(|frames| frames.rows.get_mut(index)) else {
            continue;
        };
        let first = row.first_nal as usize;
        let listed = old.get(first..first.saturating_add(usize::from(row.nals))).unwrap_or_default();
        let first = nals.len();
        match &other {
            None => nals.extend_from_slice(listed),
            Some(Ok(other)) => {
                *row = other.row;
                nals.extend_from_slice(&other.nals);
            }
            Some(Err(fault)) => removed.push((index, *fault)),
        }
        row.first_nal = first as u32;
        if let Some(Ok(other)) = &other {
            add_sets(&mut table.parameter_sets, other, nals.get_mut(first..).unwrap_or_default());
        }
    }
    table.nals = nals;
    for &(index, fault) in removed.iter().rev() {
        remove(table, track, index);
        table.faults.push(fault);
    }
    table.faults.sort_by_key(|faulty| faulty.offset);
}

/// Adds the new parameter sets of a reading to the table, and puts their place there into its NAL units.
fn add_sets(sets: &mut Vec<Bytes>, other: &OtherReading, nals: &mut [Nal]) {
    for nal in nals.iter_mut().filter(|nal| nal.role == NalRole::ParameterSet) {
        let new = usize::from(nal.set).checked_sub(other.first_set);
        let Some(set) = new.and_then(|new| other.new_sets.get(new)) else { continue };
        let place = sets.iter().position(|known| known == set).unwrap_or_else(|| {
            sets.push(set.clone());
            sets.len().saturating_sub(1)
        });
        nal.set = u16::try_from(place).unwrap_or(u16::MAX);
    }
}

fn remove(table: &mut FrameTable, track: u8, index: usize) {
    let Some(frames) = table.track_mut(track) else { return };
    frames.rows.remove(index);
    if index < frames.durations_ns.len() {
        frames.durations_ns.remove(index);
    }
    frames.recoveries.retain(|recovery| recovery.row as usize != index);
    for recovery in &mut frames.recoveries {
        if recovery.row as usize > index {
            recovery.row = recovery.row.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::nal_role::NalRole;
    use crate::frame_fault::FrameFault;
    use crate::index::frame_table::{Recovery, Restored};

    fn row(offset: u32, first_nal: u32, nals: u16, flags: FrameFlags) -> FrameRow {
        FrameRow { time_ns: 0, offset, len: 10, first_nal, nals, flags }
    }

    fn nal(offset: u32, role: NalRole, set: u16) -> Nal {
        Nal { offset, media_len: 5, role, restored: Restored::default(), set }
    }

    const STREAM: FrameFlags = FrameFlags::BYTE_STREAM;

    /// Frames of 10 bytes: in start codes at 0 and 30, as they stand at 10, 20 and 40; sound of another track at 25.
    fn table() -> FrameTable {
        let mut table = FrameTable::default();
        let plain = FrameFlags::default();
        let pictures = table.track_mut(0).unwrap();
        pictures.rows = vec![
            row(0, 0, 2, STREAM),
            row(10, 2, 0, plain),
            row(20, 2, 0, plain),
            row(30, 2, 1, STREAM),
            row(40, 3, 0, plain),
        ];
        pictures.durations_ns = vec![1, 2, 3, 4, 5];
        pictures.recoveries = [1, 2, 4].map(|row| Recovery { row, later_pictures: 0 }).into();
        table.track_mut(1).unwrap().rows = vec![row(25, 2, 0, plain)];
        table.nals =
            vec![nal(3, NalRole::ParameterSet, 0), nal(8, NalRole::Picture, 0), nal(33, NalRole::Slice, 0)];
        table.parameter_sets = vec![Bytes::from_static(b"a")];
        table
    }

    fn doubtful(row: usize, read_as: Framing, other: Result<OtherReading, FaultyFrame>) -> DoubtfulFrame {
        DoubtfulFrame { row, read_as, other }
    }

    fn fault(offset: u32) -> FaultyFrame {
        FaultyFrame { track: 0, time_ns: 0, offset, len: 10, fault: FrameFault::NoNalUnits }
    }

    fn resolve(frames: Vec<DoubtfulFrame>, declared: Option<Framing>) -> FrameTable {
        let mut table = table();
        let mut doubt = Doubt { declared, ..Doubt::default() };
        frames.into_iter().for_each(|frame| doubt.add(frame));
        doubt.resolve(&mut table, 0);
        table
    }

    #[test]
    fn most_of_the_others_decide() {
        let as_stream = |row: usize, offset| {
            let nals = vec![nal(offset + 4, NalRole::ParameterSet, 1), nal(offset + 9, NalRole::Picture, 0)];
            let reading = OtherReading {
                row: FrameRow { nals: 2, ..self::row(offset, 9, 2, STREAM) },
                nals,
                new_sets: vec![Bytes::from_static(b"b")],
                first_set: 1,
            };
            doubtful(row, Framing::LengthPrefixed, Ok(reading))
        };
        // 2 of start codes, 1 of lengths, 2 in doubt.
        let read = resolve(vec![as_stream(1, 10), as_stream(4, 40)], Some(Framing::LengthPrefixed));
        let rows: Vec<_> = read.rows(0).iter().map(|row| (row.offset, row.first_nal, row.nals)).collect();
        assert_eq!(rows, [(0, 0, 2), (10, 2, 2), (20, 4, 0), (30, 4, 1), (40, 5, 2)]);
        assert_eq!(read.rows(1)[0].first_nal, 4);
        let offsets: Vec<_> = read.nals.iter().map(|nal| (nal.offset, nal.set)).collect();
        assert_eq!(offsets, [(3, 0), (8, 0), (14, 1), (19, 0), (33, 0), (44, 1), (49, 0)]);
        assert_eq!(read.parameter_sets, [&b"a"[..], b"b"]);
        // 2 of lengths, 1 of start codes.
        assert_eq!(
            resolve(vec![as_stream(1, 10), doubtful(3, Framing::ByteStream, Err(fault(30)))], None)
                .nals
                .len(),
            2
        );
    }

    #[test]
    fn a_tie_goes_with_the_codec_private_data() {
        let cut = || vec![doubtful(3, Framing::ByteStream, Err(fault(30)))];
        let without = |read: FrameTable| read.rows(0).len() == 4;
        assert!(without(resolve(cut(), None)), "3 to 1");
        let both = |declared| {
            let mut frames = cut();
            for (row, offset) in [(1, 10), (2, 20)] {
                frames.insert(frames.len() - 1, doubtful(row, Framing::LengthPrefixed, Err(fault(offset))));
            }
            resolve(frames, declared)
        };
        // 1 to 1.
        assert_eq!(both(None), table());
        assert!(without(both(Some(Framing::LengthPrefixed))));
        assert_eq!(both(Some(Framing::ByteStream)).rows(0).len(), 3);
    }

    #[test]
    fn a_cut_frame_is_left_out() {
        let read = resolve(vec![doubtful(3, Framing::ByteStream, Err(fault(30)))], None);
        let pictures = read.track(0).unwrap();
        let rows: Vec<_> = pictures.rows.iter().map(|row| (row.offset, row.first_nal)).collect();
        assert_eq!(rows, [(0, 0), (10, 2), (20, 2), (40, 2)]);
        assert_eq!(pictures.durations_ns, [1, 2, 3, 5]);
        assert_eq!(pictures.recoveries.iter().map(|recovery| recovery.row).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(read.faults, [fault(30)]);
        assert_eq!(read.nals.len(), 2);
    }
}
