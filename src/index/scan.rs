//! From a frame's bytes to its row, while the Cluster is walked.
//!
//! The walk is where memory is read first and in order: looking at the frames later takes twice as long. A frame in
//! Annex B is searched from end to end here; of any other, only NAL lengths and NAL headers are read.

use bytes::{BufMut, Bytes, BytesMut};
use memchr::memmem::Finder;

use crate::annexb;
use crate::codec::aac::AacConfig;
use crate::codec::adts::{AacFraming, access_units};
use crate::codec::framing::Framing;
use crate::codec::g711::G711Config;
use crate::codec::nal::{FoundNal, FrameScan, NalScanner};
use crate::codec::nal_role::NalRole;
use crate::codec::nal_unit::Leading;
use crate::codec::{VideoCodec, VideoConfig};
use crate::frame_fault::FrameFault;
use crate::index::doubtful::{DoubtfulFrame, OtherReading};
use crate::index::frame_table::{FaultyFrame, FrameFlags, FrameRow, Nal, Restored};
use crate::index::table_builder::{BlockFrame, TableBuilder};
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
    /// What was cut off the front of each frame.
    stripped: Bytes,
}

/// How the frames of a track are looked at.
#[derive(Debug)]
enum FrameKind {
    Nals(Box<VideoScanner>),
    Aac {
        is_error_resilient: bool,
    },
    Pcm {
        channels: u16,
    },
    /// Not at all: the track is none that a clip can carry.
    Opaque,
}

#[derive(Debug)]
struct VideoScanner {
    codec: VideoCodec,
    nals: NalScanner,
    /// How the codec private data has its own NAL units.
    declared: Option<Framing>,
}

/// A frame whose first `stripped` bytes are not in the media.
#[derive(Debug, Clone, Copy)]
struct WholeFrame<'a> {
    block: BlockFrame,
    bytes: &'a [u8],
    stripped: usize,
}

impl FrameScanner {
    pub(crate) fn new(tracks: &TrackSet) -> Self {
        let tracks = tracks.entries().iter().map(|entry| {
            let codec = track_set::codec(entry);
            let frames = match (codec, entry.usable_codec_private()) {
                (_, Err(_)) | (None, _) => FrameKind::Opaque,
                (Some(TrackCodec::Video(codec)), Ok(private)) => {
                    let scanner = VideoScanner::new(codec, private);
                    scanner.map_or(FrameKind::Opaque, |scanner| FrameKind::Nals(Box::new(scanner)))
                }
                (Some(TrackCodec::Aac), Ok(private)) => {
                    let config = private.and_then(|private| AacConfig::parse(private).ok());
                    FrameKind::Aac {
                        is_error_resilient: config.is_some_and(|config| config.is_error_resilient()),
                    }
                }
                (Some(TrackCodec::G711), Ok(private)) => {
                    let config = private.and_then(|private| G711Config::parse(private).ok());
                    config.map_or(FrameKind::Opaque, |config| FrameKind::Pcm { channels: config.channels() })
                }
            };
            TrackScanner { frames, stripped: entry.stripped_header().clone() }
        });
        Self { tracks: tracks.collect(), start_code: annexb::finder() }
    }

    /// Adds a frame to a table.
    #[inline]
    pub(crate) fn add(&self, builder: &mut TableBuilder, block: BlockFrame, frame: &[u8]) {
        let Some(track) = self.tracks.get(usize::from(block.track)) else { return };
        let added = if track.stripped.is_empty() {
            self.add_frame(track, builder, WholeFrame { block, bytes: frame, stripped: 0 })
        } else {
            let mut whole = BytesMut::with_capacity(track.stripped.len().saturating_add(frame.len()));
            whole.put_slice(&track.stripped);
            whole.put_slice(frame);
            let stripped = track.stripped.len();
            self.add_frame(track, builder, WholeFrame { block, bytes: &whole, stripped })
        };
        if let Err(fault) = added {
            builder.push_fault(FaultyFrame::new(block, frame.len(), fault));
        }
    }

    #[inline]
    fn add_frame(
        &self,
        track: &TrackScanner,
        builder: &mut TableBuilder,
        frame: WholeFrame<'_>,
    ) -> Result<(), FrameFault> {
        match &track.frames {
            FrameKind::Nals(scanner) => self.add_picture(scanner, builder, frame),
            &FrameKind::Aac { is_error_resilient } => add_access_units(builder, frame, is_error_resilient),
            &FrameKind::Pcm { channels } => add_pcm_frames(builder, frame, channels),
            FrameKind::Opaque => {
                builder.push(frame.block, frame.row(builder), 0);
                Ok(())
            }
        }
    }

    #[inline]
    fn add_picture(
        &self,
        scanner: &VideoScanner,
        builder: &mut TableBuilder,
        frame: WholeFrame<'_>,
    ) -> Result<(), FrameFault> {
        let mut row = frame.row(builder);
        let mut lister = NalLister::new(builder, frame);
        let scan = scanner.nals.scan(frame.bytes, &self.start_code, |found| lister.add(&found));
        let scan = lister.finish(scan)?;
        row.add_scan(builder, &scan)?;
        if scan.has_sei || scan.is_doubtful || scan.is_padded || builder.counts_pictures() {
            self.look_closer(scanner, builder, frame, &scan);
        }
        builder.push(frame.block, row, scan.empty_nals);
        Ok(())
    }

    /// What is rare in frames: messages, padding, two ways of reading one.
    #[cold]
    fn look_closer(
        &self,
        scanner: &VideoScanner,
        builder: &mut TableBuilder,
        frame: WholeFrame<'_>,
        scan: &FrameScan,
    ) {
        let VideoScanner { codec, nals, declared } = scanner;
        let track = frame.block.track;
        if scan.is_padded {
            builder.add_padded(track);
        }
        if scan.has_sei {
            builder.add_messages(track, *codec, &nals.sei_messages(scan, frame.bytes, &self.start_code));
        }
        if scan.has_picture {
            let is_reference = nals.is_reference(scan, frame.bytes, &self.start_code);
            builder.add_picture(track, *codec, scan.has_random_access, is_reference);
        }
        if scan.is_doubtful {
            let (read_as, framing) = match scan.is_byte_stream {
                true => (Framing::ByteStream, Framing::LengthPrefixed),
                false => (Framing::LengthPrefixed, Framing::ByteStream),
            };
            let other = self.read_otherwise(scanner, builder, frame, framing);
            let row = builder.next_row(track);
            builder.add_doubtful(track, *codec, *declared, DoubtfulFrame { row, read_as, other });
        }
    }

    fn read_otherwise(
        &self,
        scanner: &VideoScanner,
        builder: &mut TableBuilder,
        frame: WholeFrame<'_>,
        framing: Framing,
    ) -> Result<OtherReading, FaultyFrame> {
        let mut row = frame.row(builder);
        let (first, first_set) = (builder.nals(), builder.sets());
        let mut lister = NalLister::new(builder, frame);
        let scan = scanner.nals.scan_as(framing, frame.bytes, &self.start_code, |found| lister.add(&found));
        let read = lister.finish(scan).and_then(|scan| row.add_scan(builder, &scan));
        let (nals, new_sets) = builder.split_off(first, first_set);
        let len = frame.bytes.len().saturating_sub(frame.stripped);
        read.map(|()| OtherReading { row, nals, first_set, new_sets })
            .map_err(|fault| FaultyFrame::new(frame.block, len, fault))
    }
}

impl VideoScanner {
    /// `None` for codec private data that cannot be read.
    fn new(codec: VideoCodec, private: Option<&[u8]>) -> Option<Self> {
        let declared = private.map(|private| match annexb::begins_with_start_code(private) {
            true => Framing::ByteStream,
            false => Framing::LengthPrefixed,
        });
        let config = private.map(|private| VideoConfig::parse(codec, private)).transpose().ok()?;
        Some(Self { codec, nals: NalScanner::new(codec, config), declared })
    }
}

impl WholeFrame<'_> {
    /// The row of the frame as it stands, after the NAL units that are in the table.
    #[inline]
    fn row(&self, builder: &TableBuilder) -> FrameRow {
        let BlockFrame { time_ns, offset, key, inherits_time, .. } = self.block;
        FrameRow {
            time_ns,
            offset,
            len: self.bytes.len().saturating_sub(self.stripped) as u32,
            first_nal: builder.nals() as u32,
            nals: 0,
            flags: FrameFlags::default()
                .with(FrameFlags::KEY, key)
                .with(FrameFlags::INHERITS_TIME, inherits_time)
                .with(FrameFlags::STRIPPED, self.stripped > 0),
        }
    }

    /// The entry of a NAL unit.
    #[inline]
    fn nal(&self, builder: &mut TableBuilder, found: &FoundNal<'_>) -> Result<Nal, FrameFault> {
        let set = match found.role {
            NalRole::ParameterSet => builder.set(found.bytes)?,
            _ => 0,
        };
        let restored = self.stripped.saturating_sub(found.at).min(found.bytes.len());
        let in_media = found.at.saturating_add(restored).saturating_sub(self.stripped);
        Ok(Nal {
            offset: self.block.offset.saturating_add(in_media as u32),
            media_len: found.bytes.len().saturating_sub(restored) as u32,
            role: found.role,
            restored: match restored {
                0 => Restored::default(),
                // A stripped header has at most 16 bytes.
                len => Restored { start: found.at as u8, len: len as u8 },
            },
            set,
        })
    }
}

/// Adds the NAL units of a frame to the table.
struct NalLister<'a> {
    builder: &'a mut TableBuilder,
    frame: WholeFrame<'a>,
    /// How many were in the table before.
    before: usize,
    fault: Option<FrameFault>,
}

impl<'a> NalLister<'a> {
    #[inline]
    fn new(builder: &'a mut TableBuilder, frame: WholeFrame<'a>) -> Self {
        let before = builder.nals();
        Self { builder, frame, before, fault: None }
    }

    #[inline]
    fn add(&mut self, found: &FoundNal<'_>) {
        match self.frame.nal(self.builder, found) {
            Ok(nal) => self.builder.push_nal(nal),
            Err(fault) => self.fault = Some(fault),
        }
    }

    /// Forgets them again if the frame is a sample as it stands, or none.
    #[inline]
    fn finish(self, scan: Result<FrameScan, FrameFault>) -> Result<FrameScan, FrameFault> {
        let scan = self.fault.map_or(scan, Err);
        if !matches!(scan, Ok(FrameScan { verbatim: false, .. })) {
            self.builder.truncate_nals(self.before);
        }
        scan
    }
}

impl FrameRow {
    /// Adds what was found in the frame, whose NAL units are the last of the table.
    #[inline]
    fn add_scan(&mut self, builder: &mut TableBuilder, scan: &FrameScan) -> Result<(), FrameFault> {
        if !scan.verbatim {
            let first = self.first_nal as usize;
            self.nals = u16::try_from(builder.nals().saturating_sub(first)).map_err(|_| {
                builder.truncate_nals(first);
                FrameFault::TooManyNalUnits { limit: u16::MAX.into() }
            })?;
        }
        self.flags = self
            .flags
            .with(FrameFlags::SYNC, scan.has_random_access)
            .with(FrameFlags::LEADING, scan.leading.is_some())
            .with(FrameFlags::SKIPPED, scan.leading == Some(Leading::Skipped))
            .with(FrameFlags::PARAMETER_SETS, scan.has_parameter_sets)
            .with(FrameFlags::CONVERTED_FRAMING, scan.converted)
            .with(FrameFlags::BYTE_STREAM, scan.is_byte_stream)
            .with(FrameFlags::IRREGULAR, scan.is_irregular)
            .with(FrameFlags::DELIMITER, scan.begins_with_delimiter);
        Ok(())
    }
}

impl FaultyFrame {
    fn new(block: BlockFrame, len: usize, fault: FrameFault) -> Self {
        let BlockFrame { track, time_ns, offset, .. } = block;
        Self { track, time_ns, offset, len: len as u32, fault }
    }
}

/// Bytes of an ADTS header without a CRC.
const ADTS_HEADER_LEN: usize = 7;

/// Adds the access units of an AAC block.
#[inline]
fn add_access_units(
    builder: &mut TableBuilder,
    frame: WholeFrame<'_>,
    is_error_resilient: bool,
) -> Result<(), FrameFault> {
    let WholeFrame { mut block, bytes, stripped } = frame;
    let whole = frame.row(builder);
    let mut units = 0_u32;
    let mut push = |at: usize, unit: &[u8]| {
        let mut row = whole;
        row.flags = row.flags.with(FrameFlags::SYNC, true);
        if unit.len() != bytes.len() {
            row.offset = block.offset.saturating_add(at.saturating_sub(stripped) as u32);
            row.len = unit.len() as u32;
            row.flags = FrameFlags::default()
                .with(FrameFlags::SYNC, true)
                .with(FrameFlags::KEY, block.key)
                .with(FrameFlags::INHERITS_TIME, block.inherits_time || units > 0)
                .with(FrameFlags::ADTS, true);
        }
        builder.push(block, row, 0);
        units = units.saturating_add(1);
    };
    // More than an ADTS header is stripped off no frames that have one: their first bytes differ.
    if stripped > ADTS_HEADER_LEN {
        push(0, bytes);
        return Ok(());
    }
    let framing = access_units(bytes, is_error_resilient, push)?;
    if framing == AacFraming::Adts && block.duration_ns > 0 && units > 1 {
        block.duration_ns = block.duration_ns.checked_div(units.into()).unwrap_or(0);
        builder.set_durations(block, units as usize);
    }
    Ok(())
}

/// Adds a block of G.711.
fn add_pcm_frames(
    builder: &mut TableBuilder,
    frame: WholeFrame<'_>,
    channels: u16,
) -> Result<(), FrameFault> {
    let len = frame.bytes.len() as u32;
    if !len.is_multiple_of(u32::from(channels)) {
        return Err(FrameFault::PartialPcmFrame { channels, len });
    }
    if len == 0 {
        return Err(FrameFault::Empty);
    }
    let mut row = frame.row(builder);
    row.flags = row.flags.with(FrameFlags::SYNC, true);
    builder.push(frame.block, row, 0);
    Ok(())
}
