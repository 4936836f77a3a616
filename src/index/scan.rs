//! From a frame's bytes to its row, while the Cluster is walked.
//!
//! The walk is where memory is read first and in order: looking at the frames later takes twice as long. A frame in
//! Annex B is searched from end to end here; of any other, only NAL lengths and NAL headers are read.

use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};
use memchr::memmem::Finder;

use crate::annexb;
use crate::codec::aac::AacConfig;
use crate::codec::adts::{AacFraming, access_units};
use crate::codec::g711::G711Config;
use crate::codec::nal::{FoundNal, FrameScan, NalKind, NalScanner};
use crate::codec::{VideoCodec, VideoConfig};
use crate::frame_fault::FrameFault;
use crate::index::frame_table::{FaultyFrame, FrameFlags, FrameRow, FrameTable, Nal, Restored};
use crate::index::track_set::{self, TrackCodec, TrackSet};

/// Reads the frames of fragments that declare the same tracks.
#[derive(Debug)]
pub(crate) struct FrameScanner {
    tracks: Vec<TrackScanner>,
    start_code: Finder<'static>,
}

#[derive(Debug)]
struct TrackScanner {
    frames: FrameKind,
    codec: Option<TrackCodec>,
    /// What was cut off the front of each frame.
    stripped: Bytes,
}

/// How the frames of a track are looked at.
#[derive(Debug)]
enum FrameKind {
    Nals(NalScanner),
    Aac {
        is_error_resilient: bool,
    },
    Pcm {
        channels: u16,
    },
    /// Not at all: the track is none that a clip can carry.
    Opaque,
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

/// A [`FrameTable`] that is being filled.
#[derive(Debug)]
pub(crate) struct TableBuilder {
    table: FrameTable,
    /// Where each parameter set stands in the table.
    sets: BTreeMap<Bytes, u16>,
    hint: CapacityHint,
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
        Self { table, sets: BTreeMap::new(), hint }
    }

    pub(crate) fn table(&self) -> &FrameTable {
        &self.table
    }

    /// Drops the frames that end after `end`, in bytes from the Cluster's ID.
    pub(crate) fn truncate(&mut self, end: u64) {
        self.table.truncate(end);
    }

    pub(crate) fn finish(self) -> FrameTable {
        self.table
    }

    #[inline]
    fn push(&mut self, block: BlockFrame, row: FrameRow, empty_nals: u32) {
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
    fn set_durations(&mut self, block: BlockFrame, count: usize) {
        let Some(track) = self.table.track_mut(block.track) else { return };
        let last = track.durations_ns.iter_mut().rev().take(count);
        last.for_each(|duration| *duration = block.duration_ns);
    }

    /// Index of a parameter set in the table, to which it is added if it is new.
    fn set(&mut self, bytes: &[u8]) -> Result<u16, FrameFault> {
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
}

impl FrameScanner {
    pub(crate) fn new(tracks: &TrackSet) -> Self {
        let tracks = tracks.entries().iter().map(|entry| {
            let codec = track_set::codec(entry);
            let frames = match (codec, entry.usable_codec_private()) {
                (_, Err(_)) | (None, _) => FrameKind::Opaque,
                (Some(TrackCodec::Video(codec)), Ok(private)) => {
                    let config = private.map(|private| VideoConfig::parse(codec, private)).transpose();
                    match config {
                        // Without codec private data the length is taken to have 4 bytes, as in practice.
                        Ok(config) => {
                            let length_size = config.as_ref().map_or(4, VideoConfig::length_size);
                            FrameKind::Nals(NalScanner::new(codec, length_size))
                        }
                        Err(_) => FrameKind::Opaque,
                    }
                }
                (Some(TrackCodec::Aac), private) => {
                    let config = private.ok().flatten().and_then(|private| AacConfig::parse(private).ok());
                    FrameKind::Aac {
                        is_error_resilient: config.is_some_and(|config| config.is_error_resilient()),
                    }
                }
                (Some(TrackCodec::G711), private) => {
                    let config = private.ok().flatten().and_then(|private| G711Config::parse(private).ok());
                    config.map_or(FrameKind::Opaque, |config| FrameKind::Pcm { channels: config.channels() })
                }
            };
            TrackScanner { frames, codec, stripped: entry.stripped_header().clone() }
        });
        Self { tracks: tracks.collect(), start_code: annexb::finder() }
    }

    /// Adds a frame to a table.
    #[inline]
    pub(crate) fn add(&self, builder: &mut TableBuilder, block: BlockFrame, frame: &[u8]) {
        let Some(track) = self.tracks.get(usize::from(block.track)) else { return };
        let added = if track.stripped.is_empty() {
            self.add_frame(track, builder, block, frame, 0)
        } else {
            let mut whole = BytesMut::with_capacity(track.stripped.len().saturating_add(frame.len()));
            whole.put_slice(&track.stripped);
            whole.put_slice(frame);
            self.add_frame(track, builder, block, &whole, track.stripped.len())
        };
        if let Err(fault) = added {
            builder.table.faults.push(FaultyFrame {
                track: block.track,
                time_ns: block.time_ns,
                offset: block.offset,
                len: frame.len() as u32,
                fault,
            });
        }
    }

    /// Adds a frame whose first `stripped` bytes are not in the media.
    #[inline]
    fn add_frame(
        &self,
        track: &TrackScanner,
        builder: &mut TableBuilder,
        block: BlockFrame,
        frame: &[u8],
        stripped: usize,
    ) -> Result<(), FrameFault> {
        let flags = FrameFlags::default()
            .with(FrameFlags::KEY, block.key)
            .with(FrameFlags::INHERITS_TIME, block.inherits_time)
            .with(FrameFlags::STRIPPED, stripped > 0);
        let len = frame.len().saturating_sub(stripped) as u32;
        let first_nal = builder.table.nals.len() as u32;
        let mut row =
            FrameRow { time_ns: block.time_ns, offset: block.offset, len, first_nal, nals: 0, flags };
        let mut empty_nals = 0;
        match &track.frames {
            FrameKind::Nals(scanner) => {
                let scan = self.scan_nals(scanner, builder, block, frame, stripped)?;
                if !scan.verbatim {
                    row.nals = nal_count(builder, first_nal)?;
                    empty_nals = scan.empty_nals;
                }
                // A producer's key flag is what it promises of an H.264 frame. In H.265 the NAL units themselves tell.
                let sync = if track.codec == Some(TrackCodec::Video(VideoCodec::H265)) {
                    scan.has_random_access
                } else {
                    block.key
                };
                row.flags = flags
                    .with(FrameFlags::SYNC, sync)
                    .with(FrameFlags::PARAMETER_SETS, scan.has_parameter_sets)
                    .with(FrameFlags::CONVERTED_FRAMING, scan.converted);
            }
            &FrameKind::Aac { is_error_resilient } => {
                return add_access_units(builder, block, frame, stripped, is_error_resilient);
            }
            &FrameKind::Pcm { channels } => {
                let len = frame.len() as u32;
                if !len.is_multiple_of(u32::from(channels)) {
                    return Err(FrameFault::PartialPcmFrame { channels, len });
                }
                if len == 0 {
                    return Err(FrameFault::Empty);
                }
                row.flags = flags.with(FrameFlags::SYNC, true);
            }
            FrameKind::Opaque => {}
        }
        builder.push(block, row, empty_nals);
        Ok(())
    }

    /// Lists the NAL units of a frame that cannot stay as it is.
    #[inline]
    fn scan_nals(
        &self,
        scanner: &NalScanner,
        builder: &mut TableBuilder,
        block: BlockFrame,
        frame: &[u8],
        stripped: usize,
    ) -> Result<FrameScan, FrameFault> {
        let before = builder.table.nals.len();
        let mut fault = None;
        let scan = scanner.scan(frame, &self.start_code, |found| {
            let set = match found.kind {
                NalKind::ParameterSet => builder.set(found.bytes),
                _ => Ok(0),
            };
            match set {
                Ok(set) => builder.table.nals.push(nal(block.offset, &found, stripped, set)),
                Err(found) => fault = Some(found),
            }
        });
        let scan = fault.map_or(scan, Err);
        if scan.is_err() {
            builder.table.nals.truncate(before);
        }
        scan
    }
}

/// Bytes of an ADTS header without a CRC.
const ADTS_HEADER_LEN: usize = 7;

/// Adds the access units of an AAC block, whose first `stripped` bytes are not in the media.
#[inline]
fn add_access_units(
    builder: &mut TableBuilder,
    mut block: BlockFrame,
    frame: &[u8],
    stripped: usize,
    is_error_resilient: bool,
) -> Result<(), FrameFault> {
    let flags = FrameFlags::default().with(FrameFlags::SYNC, true).with(FrameFlags::KEY, block.key);
    let mut units = 0_u32;
    let first_nal = builder.table.nals.len() as u32;
    let mut push = |at: usize, unit: &[u8]| {
        let is_raw = unit.len() == frame.len();
        let (offset, len) = match is_raw {
            true => (0, unit.len().saturating_sub(stripped)),
            false => (at.saturating_sub(stripped), unit.len()),
        };
        let flags = flags
            .with(FrameFlags::STRIPPED, is_raw && stripped > 0)
            .with(FrameFlags::INHERITS_TIME, block.inherits_time || units > 0)
            .with(FrameFlags::ADTS, !is_raw);
        let offset = block.offset.saturating_add(offset as u32);
        let (time_ns, len) = (block.time_ns, len as u32);
        builder.push(block, FrameRow { time_ns, offset, len, first_nal, nals: 0, flags }, 0);
        units = units.saturating_add(1);
    };
    // More than an ADTS header is stripped off no frames that have one: their first bytes differ.
    if stripped > ADTS_HEADER_LEN {
        push(0, frame);
        return Ok(());
    }
    let framing = access_units(frame, is_error_resilient, push)?;
    if framing == AacFraming::Adts && block.duration_ns > 0 && units > 1 {
        block.duration_ns = block.duration_ns.checked_div(units.into()).unwrap_or(0);
        builder.set_durations(block, units as usize);
    }
    Ok(())
}

/// The number of NAL units from `first` to the end of the table, which are those of one frame.
fn nal_count(builder: &mut TableBuilder, first: u32) -> Result<u16, FrameFault> {
    let count = builder.table.nals.len().saturating_sub(first as usize);
    u16::try_from(count).map_err(|_| {
        builder.table.nals.truncate(first as usize);
        FrameFault::TooManyNalUnits { limit: u16::MAX.into() }
    })
}

/// The entry of a NAL unit in a frame at `frame_offset`, whose first `stripped` bytes are not in the media.
fn nal(frame_offset: u32, found: &FoundNal<'_>, stripped: usize, set: u16) -> Nal {
    let restored = stripped.saturating_sub(found.at).min(found.bytes.len());
    let in_media = found.at.saturating_add(restored).saturating_sub(stripped);
    Nal {
        offset: frame_offset.saturating_add(in_media as u32),
        media_len: found.bytes.len().saturating_sub(restored) as u32,
        kind: found.kind,
        restored: match restored {
            0 => Restored::default(),
            // A stripped header has at most 16 bytes.
            len => Restored { start: found.at as u8, len: len as u8 },
        },
        set,
    }
}
