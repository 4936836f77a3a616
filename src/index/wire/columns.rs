//! The frames of an index, column by column.
//!
//! ```text
//! parameter sets  count, then bytes for each
//! frames          count n
//! shapes          what frames have in common: count, then for each its track, gap, flags and NAL units
//! shape runs      for n frames: which shape, and how many frames in a row have it
//! lengths         n numbers
//! times           for each track: unit, first, last, and how far each frame is from the straight line between them
//! durations       for each track: 0, or 1 and a number for each frame
//! NAL units       shapes (gap, role, restored part of a stripped header), shape runs, lengths, indices of sets
//! pictures        for each track: see `pictures`
//! faults          see `faults`
//! ```
//!
//! The *gap* is the number of bytes between the end of the frame (or NAL unit) before and the start of this one: block
//! headers, start codes. Few of them differ, so shapes are few and their runs take less than a byte a frame. Of a live
//! stream the times lie near a line, so most distances are 0. A length of 0 stands for all that is left of the frame.

use bytes::Bytes;

use crate::codec::g711::G711Config;
use crate::codec::nal_role::NalRole;
use crate::error::Error;
use crate::index::frame_table::{FrameFlags, FrameRow, FrameTable, Nal, PlacedRow, Restored};
use crate::index::track_set::{self, TrackCodec, TrackSet};
use crate::index::wire::cursor::{Reader, Writer, unzigzag, zigzag};
use crate::index::wire::line::Line;
use crate::index::wire::shapes::{read_shapes, write_shapes};
use crate::index::wire::{faults, pictures};
use crate::matroska::TrackEntry;

/// Before a distance from the line that needs all 64 bits.
const LONG_DISTANCE: u64 = 0;

/// What frames have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FrameShape {
    track: u8,
    gap: u32,
    flags: u16,
    nals: u16,
}

/// What NAL units have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct NalShape {
    gap: u32,
    role: u8,
    restored: Restored,
}

pub(super) fn write(w: &mut Writer, table: &FrameTable, scale_ns: u32) {
    w.number(table.parameter_sets.len() as u64);
    table.parameter_sets.iter().for_each(|set| w.bytes(set));
    let rows: Vec<PlacedRow<'_>> = table.in_file_order().collect();
    let mut end = 0_u32;
    let shapes = rows.iter().map(|&PlacedRow { track, row, .. }| {
        let gap = row.offset.wrapping_sub(end);
        end = row.offset.wrapping_add(row.len);
        FrameShape { track, gap, flags: row.flags.bits(), nals: row.nals }
    });
    write_shapes(w, shapes.collect(), |w, shape| {
        w.byte(shape.track);
        w.number(shape.gap.into());
        w.number(shape.flags.into());
        w.number(shape.nals.into());
    });
    rows.iter().for_each(|at| w.number(at.row.len.into()));
    for track in &table.tracks {
        write_times(w, &track.rows, scale_ns);
    }
    for track in &table.tracks {
        w.byte((!track.durations_ns.is_empty()).into());
        if !track.durations_ns.is_empty() {
            let missing = track.rows.len().saturating_sub(track.durations_ns.len());
            let durations = track.durations_ns.iter().copied().chain(std::iter::repeat_n(0, missing));
            durations.for_each(|duration| w.number(duration));
        }
    }
    write_nals(w, table, &rows);
    for track in &table.tracks {
        pictures::write(w, track);
    }
    faults::write(w, &table.faults);
}

pub(super) fn read(
    r: &mut Reader<'_>,
    tracks: &TrackSet,
    scale_ns: u32,
    media_len: u64,
) -> Result<FrameTable, Error> {
    let mut table = FrameTable::default();
    for _ in 0..r.count()? {
        table.parameter_sets.push(Bytes::copy_from_slice(r.bytes()?));
    }
    let frames: Vec<FrameKind> = tracks.entries().iter().map(FrameKind::of).collect();
    let shapes = read_shapes(r, |r| read_frame_shape(r, &frames))?;
    let rows = read_rows(r, &shapes, media_len, &mut table)?;
    for track in &mut table.tracks {
        read_times(r, &mut track.rows, scale_ns)?;
    }
    for track in &mut table.tracks {
        if r.option(|_| Ok(()))?.is_some() {
            track.durations_ns = track.rows.iter().map(|_| r.number()).collect::<Result<_, _>>()?;
        }
    }
    read_nals(r, tracks, &rows, &mut table)?;
    for track in &mut table.tracks {
        pictures::read(r, track)?;
    }
    table.faults = faults::read(r, frames.len())?;
    for track in &table.tracks {
        let kind = frames.get(usize::from(track.track));
        track.rows.iter().try_for_each(|row| kind.map_or(Ok(()), |kind| kind.check(r, row)))?;
    }
    Ok(table)
}

/// What must be true of the frames of a track.
struct FrameKind {
    /// Whether only frames of video have NAL units.
    is_video: bool,
    /// Of which number of bytes a frame is a multiple, if it has any and must have some.
    unit: Option<u32>,
    is_stripped: bool,
}

impl FrameKind {
    fn of(entry: &TrackEntry) -> Self {
        let (is_video, unit) = match (track_set::codec(entry), entry.usable_codec_private()) {
            (Some(TrackCodec::Video(_)), _) => (true, None),
            (Some(TrackCodec::Aac), Ok(_)) => (false, Some(1)),
            (Some(TrackCodec::G711), Ok(Some(private))) => {
                (false, G711Config::parse(private).ok().map(|config| config.channels().into()))
            }
            _ => (false, None),
        };
        Self { is_video, unit, is_stripped: !entry.stripped_header().is_empty() }
    }

    fn check(&self, r: &Reader<'_>, row: &FrameRow) -> Result<(), Error> {
        let is_stripped = row.has(FrameFlags::STRIPPED);
        let is_whole = self.unit.is_none_or(|unit| row.len > 0 && row.len.is_multiple_of(unit));
        let is_right = (self.is_video || row.nals == 0)
            && (self.is_stripped || !is_stripped)
            && (is_stripped || is_whole);
        if is_right { Ok(()) } else { Err(r.damaged("a frame of its track's codec", "another")) }
    }
}

fn read_frame_shape(r: &mut Reader<'_>, tracks: &[FrameKind]) -> Result<FrameShape, Error> {
    let track = r.byte()?;
    if usize::from(track) >= tracks.len() {
        return Err(r.damaged("the index of a track", track));
    }
    let gap = r.small()?;
    let small = |r: &mut Reader<'_>| {
        let value = r.number()?;
        u16::try_from(value).map_err(|_| r.damaged("a number of at most 16 bits", value))
    };
    Ok(FrameShape { track, gap, flags: small(r)?, nals: small(r)? })
}

/// Reads the frames without their times. Returns for each, in the order of the file, its track and its index there.
fn read_rows(
    r: &mut Reader<'_>,
    shapes: &[FrameShape],
    media_len: u64,
    table: &mut FrameTable,
) -> Result<Vec<(u8, usize)>, Error> {
    let mut rows = Vec::with_capacity(shapes.len());
    let (mut end, mut nals) = (0_u32, 0_u32);
    for shape in shapes {
        let len = r.small()?;
        let flags =
            FrameFlags::from_bits(shape.flags).ok_or_else(|| r.damaged("known flags", shape.flags))?;
        let offset = end.checked_add(shape.gap);
        let placed = offset.and_then(|offset| Some((offset, offset.checked_add(len)?)));
        let Some((offset, frame_end)) = placed.filter(|&(_, end)| u64::from(end) <= media_len) else {
            return Err(r.damaged("a frame inside the media", "one beyond its end"));
        };
        let first_nal = nals;
        nals = nals.saturating_add(shape.nals.into());
        end = frame_end;
        let Some(track) = table.track_mut(shape.track) else { continue };
        rows.push((shape.track, track.rows.len()));
        track.rows.push(FrameRow { time_ns: 0, offset, len, first_nal, nals: shape.nals, flags });
    }
    Ok(rows)
}

fn write_times(w: &mut Writer, rows: &[FrameRow], scale_ns: u32) {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return };
    let scale = i64::from(scale_ns.max(1));
    let is_whole = rows.iter().all(|row| row.time_ns.checked_rem(scale) == Some(0));
    let unit = if is_whole { scale } else { 1 };
    let ticks = |row: &FrameRow| row.time_ns.checked_div(unit).unwrap_or(0);
    w.byte(is_whole.into());
    w.signed(ticks(first));
    w.signed(ticks(last).wrapping_sub(ticks(first)));
    let mut zeros = 0_u64;
    for (row, on_line) in rows.iter().zip(Line::new(ticks(first), ticks(last), rows.len())) {
        let off = ticks(row).wrapping_sub(on_line);
        if off == 0 {
            zeros = zeros.saturating_add(1);
            continue;
        }
        flush_zeros(w, &mut zeros);
        match zigzag(off).checked_mul(2) {
            Some(code) => w.number(code),
            None => {
                w.number(LONG_DISTANCE);
                w.raw(&off.to_le_bytes());
            }
        }
    }
    flush_zeros(w, &mut zeros);
}

fn flush_zeros(w: &mut Writer, zeros: &mut u64) {
    if *zeros > 0 {
        w.number(zeros.saturating_mul(2).saturating_add(1));
        *zeros = 0;
    }
}

fn read_times(r: &mut Reader<'_>, rows: &mut [FrameRow], scale_ns: u32) -> Result<(), Error> {
    let count = rows.len();
    if count == 0 {
        return Ok(());
    }
    let unit = match r.byte()? {
        0 => 1,
        1 => i64::from(scale_ns),
        other => return Err(r.damaged("a unit of time", other)),
    };
    let first = r.signed()?;
    let last = first.wrapping_add(r.signed()?);
    let line = Line::new(first, last, count);
    let mut zeros = 0_u64;
    for (row, on_line) in rows.iter_mut().zip(line) {
        let mut off = 0;
        if zeros > 0 {
            zeros = zeros.saturating_sub(1);
        } else {
            match r.number()? {
                LONG_DISTANCE => off = i64::from_le_bytes(r.array()?),
                code if code & 1 == 0 => off = unzigzag(code >> 1),
                run => zeros = (run >> 1).saturating_sub(1),
            }
        }
        let ticks = on_line.wrapping_add(off);
        row.time_ns =
            ticks.checked_mul(unit).ok_or_else(|| r.damaged("a time of at most 64 bits", "a longer one"))?;
    }
    match zeros {
        0 => Ok(()),
        more => Err(r.damaged("times of as many frames as there are", format_args!("{more} more"))),
    }
}

fn write_nals(w: &mut Writer, table: &FrameTable, rows: &[PlacedRow<'_>]) {
    let nals_of = |row: &FrameRow| row.nals(&table.nals).iter();
    let mut shapes = Vec::with_capacity(table.nals.len());
    for at in rows {
        let mut end = at.row.offset;
        for nal in nals_of(at.row) {
            let gap = nal.offset.wrapping_sub(end);
            end = nal.offset.wrapping_add(nal.media_len);
            shapes.push(NalShape { gap, role: nal.role.code(), restored: nal.restored });
        }
    }
    write_shapes(w, shapes, |w, shape| {
        w.number(shape.gap.into());
        w.byte(shape.role);
        w.byte(shape.restored.start);
        w.byte(shape.restored.len);
    });
    for at in rows {
        let frame_end = at.row.offset.wrapping_add(at.row.len);
        for nal in nals_of(at.row) {
            let is_last = nal.offset.wrapping_add(nal.media_len) == frame_end;
            w.number(if is_last { 0 } else { u64::from(nal.media_len).saturating_add(1) });
        }
    }
    let sets = rows.iter().flat_map(|at| nals_of(at.row)).filter(|nal| nal.role == NalRole::ParameterSet);
    sets.for_each(|nal| w.number(nal.set.into()));
}

fn read_nals(
    r: &mut Reader<'_>,
    tracks: &TrackSet,
    rows: &[(u8, usize)],
    table: &mut FrameTable,
) -> Result<(), Error> {
    let shapes = read_shapes(r, |r| {
        Ok(NalShape {
            gap: r.small()?,
            role: r.byte()?,
            restored: Restored { start: r.byte()?, len: r.byte()? },
        })
    })?;
    let mut shapes = shapes.into_iter();
    for &(track, index) in rows {
        let Some(&row) = table.rows(track.into()).get(index) else { continue };
        let stripped =
            tracks.entries().get(usize::from(track)).map_or(0, |entry| entry.stripped_header().len());
        let frame_end = row.offset.saturating_add(row.len);
        let mut end = row.offset;
        for _ in 0..row.nals {
            let shape = shapes.next().ok_or_else(|| r.damaged("a shape for each NAL unit", "too few"))?;
            let role = NalRole::from_code(shape.role)
                .ok_or_else(|| r.damaged("a role of a NAL unit", shape.role))?;
            let Restored { start, len } = shape.restored;
            if usize::from(start).saturating_add(usize::from(len)) > stripped {
                return Err(r.damaged("a part of the stripped header", "another"));
            }
            let offset = end.checked_add(shape.gap).filter(|&offset| offset <= frame_end);
            let offset =
                offset.ok_or_else(|| r.damaged("a NAL unit inside its frame", "one beyond its end"))?;
            let media_len = match r.small()?.checked_sub(1) {
                Some(len) => len,
                None => frame_end.saturating_sub(offset),
            };
            let nal = Nal { offset, media_len, role, restored: shape.restored, set: 0 };
            end = offset.saturating_add(media_len);
            if end > frame_end || nal.len() == 0 {
                return Err(r.damaged("a NAL unit inside its frame", "one beyond its end, or empty"));
            }
            table.nals.push(nal);
        }
    }
    if shapes.next().is_some() {
        return Err(r.damaged("a NAL unit for each shape", "too many shapes"));
    }
    let sets = table.parameter_sets.len() as u64;
    for nal in table.nals.iter_mut().filter(|nal| nal.role == NalRole::ParameterSet) {
        nal.set = match r.number()? {
            set if set < sets => u16::try_from(set).unwrap_or(u16::MAX),
            other => return Err(r.damaged("the index of a parameter set", other)),
        };
    }
    Ok(())
}
