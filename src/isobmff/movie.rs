//! Everything in front of the media: `ftyp`, `moov`, and the header of `mdat`.

use crate::codec::Codec;
use crate::error::Error;
use crate::isobmff::layout::{Layout, SampleSizes, TrackLayout};
use crate::isobmff::sample_entry::{code, dimensions, pixel_aspect};
use crate::isobmff::sample_table::{ChunkOffsets, write_sample_table};
use crate::isobmff::writer::{BoxWriter, version_for};
use crate::report::TrackReport;
use crate::time::units::ns_to_ticks;
use crate::timestamp::Timestamp;
use crate::track::Entry;

/// Ticks per second of the movie: a millisecond is whole in it, and the offset between the tracks is exact to 6 µs.
const MOVIE_TIMESCALE: u32 = 90_000;

/// Seconds from 1904, where the file's clock begins (section 8.2.2), to 1970.
const UNIX_EPOCH_FROM_1904: i64 = 2_082_844_800;

const UNITY_MATRIX: [u32; 9] = [0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000];

/// The bytes in front of the media of `layout`. Chunk offsets have 64 bits only if they must.
pub(crate) fn write_head(layout: &Layout<'_>, creation_time: Timestamp) -> Result<Vec<u8>, Error> {
    match write_head_with(layout, creation_time, layout.len > u64::from(u32::MAX))? {
        Some(head) => Ok(head),
        None => write_head_with(layout, creation_time, true).map(Option::unwrap_or_default),
    }
}

/// `None` if the chunk offsets need 64 bits.
fn write_head_with(
    layout: &Layout<'_>,
    creation_time: Timestamp,
    wide: bool,
) -> Result<Option<Vec<u8>>, Error> {
    let mut w = BoxWriter::with_capacity(expected_size(layout));
    write_file_type(&mut w, layout);
    let mut chunk_offsets = Vec::new();
    w.write_box(b"moov", |w| {
        write_movie_header(w, layout, creation_time);
        for track in &layout.tracks {
            chunk_offsets.push(write_track(w, track, creation_time, wide));
        }
    });
    write_media_data_header(&mut w, layout.len);
    let media_start = w.len() as u64;
    let fits = chunk_offsets.iter().all(|offsets: &ChunkOffsets| offsets.patch(&mut w, media_start));
    let head = w.finish()?;
    Ok(fits.then_some(head))
}

/// Room for the tables, which are all but a few hundred bytes.
fn expected_size(layout: &Layout<'_>) -> usize {
    let of_track = |track: &TrackLayout<'_>| {
        let runs = track.times.deltas.as_slice().len().saturating_add(track.times.offsets.as_slice().len());
        let sizes = match &track.sizes {
            SampleSizes::Constant(_) => 0,
            SampleSizes::Each(sizes) => sizes.len(),
        };
        let words = runs.saturating_mul(2).saturating_add(sizes).saturating_add(track.sync_samples.len());
        words.saturating_add(track.chunks.len().saturating_mul(4)).saturating_mul(4)
    };
    layout.tracks.iter().map(of_track).fold(4096, usize::saturating_add)
}

/// FileTypeBox (section 4.3).
fn write_file_type(w: &mut BoxWriter, layout: &Layout<'_>) {
    let has_h264 = layout.tracks.iter().any(|track| track.codec == Codec::H264);
    w.write_box(b"ftyp", |w| {
        w.bytes(b"isom");
        w.u32(0x200);
        w.bytes(b"isomiso2");
        if has_h264 {
            w.bytes(b"avc1");
        }
        w.bytes(b"mp41");
    });
}

/// MovieHeaderBox (section 8.2.2).
fn write_movie_header(w: &mut BoxWriter, layout: &Layout<'_>, creation_time: Timestamp) {
    let created = file_time(creation_time);
    let duration = layout.tracks.iter().map(|track| Edits::of(track).end).max().unwrap_or(0);
    let version = version_for(&[created, duration]);
    w.write_full_box(b"mvhd", version, 0, |w| {
        w.sized(version, created);
        w.sized(version, created);
        w.u32(MOVIE_TIMESCALE);
        w.sized(version, duration);
        w.u32(0x0001_0000);
        w.u16(0x0100);
        w.zeros(10);
        for value in UNITY_MATRIX {
            w.u32(value);
        }
        w.zeros(24);
        let last_track = layout.tracks.iter().map(|track| track.track.number).max().unwrap_or(0);
        w.u32((last_track as u32).saturating_add(1));
    });
}

fn write_track(
    w: &mut BoxWriter,
    track: &TrackLayout<'_>,
    creation_time: Timestamp,
    wide: bool,
) -> ChunkOffsets {
    let edits = Edits::of(track);
    let mut chunk_offsets = None;
    w.write_box(b"trak", |w| {
        write_track_header(w, track, edits, creation_time);
        edits.write(w);
        w.write_box(b"mdia", |w| {
            write_media_header(w, track, creation_time);
            write_handler(w, track.codec);
            w.write_box(b"minf", |w| {
                write_media_information_header(w, track.codec);
                write_data_information(w);
                chunk_offsets = Some(write_sample_table(w, track, wide));
            });
        });
    });
    chunk_offsets.unwrap_or_default()
}

/// TrackHeaderBox (section 8.3.2): enabled, in the movie.
fn write_track_header(w: &mut BoxWriter, track: &TrackLayout<'_>, edits: Edits, creation_time: Timestamp) {
    let created = file_time(creation_time);
    let version = version_for(&[created, edits.end]);
    let is_video = track.codec.is_video();
    w.write_full_box(b"tkhd", version, 3, |w| {
        w.sized(version, created);
        w.sized(version, created);
        w.u32(track.track.number as u32);
        w.zeros(4);
        w.sized(version, edits.end);
        w.zeros(8);
        w.u16(0);
        w.u16(0);
        w.u16(if is_video { 0 } else { 0x0100 });
        w.zeros(2);
        for value in UNITY_MATRIX {
            w.u32(value);
        }
        let (width, height) = shown_size(track);
        w.u32(width);
        w.u32(height);
    });
}

/// Size as shown in 16.16 bits, pixels made square.
fn shown_size(track: &TrackLayout<'_>) -> (u32, u32) {
    let Some(entry) = track.track.entries.first() else { return (0, 0) };
    let (width, height) = dimensions(entry);
    let (horizontal, vertical) = pixel_aspect(entry).unwrap_or((1, 1));
    let fixed = |pixels: u32| u64::from(pixels).saturating_mul(0x0001_0000);
    let width =
        fixed(width).saturating_mul(u64::from(horizontal)).checked_div(u64::from(vertical)).unwrap_or(0);
    let clamp = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    (clamp(width), clamp(fixed(height)))
}

/// What of a track is played when, in ticks of the movie. Points are rounded, so that the tracks stay together.
#[derive(Debug, Clone, Copy)]
struct Edits {
    start: u64,
    end: u64,
    /// Composition time of the first picture, in ticks of the media.
    media_time: u64,
}

impl Edits {
    fn of(track: &TrackLayout<'_>) -> Self {
        let ticks = |ns| u64::try_from(ns_to_ticks(ns, MOVIE_TIMESCALE)).unwrap_or(0);
        let start = ticks(track.times.start_ns);
        // Points that are rounded can be a tick too close: a last picture of one tick would not be shown.
        let before_last_tick = track.times.duration.saturating_sub(1).saturating_mul(MOVIE_TIMESCALE.into());
        let shows_all =
            before_last_tick.checked_div(track.times.timescale.into()).unwrap_or(0).saturating_add(1);
        Self {
            start,
            end: ticks(track.times.end_ns()).max(start.saturating_add(shows_all)),
            media_time: track.times.composition_delay,
        }
    }

    /// EditListBox (section 8.6.6), unless it would say what its absence does.
    fn write(self, w: &mut BoxWriter) {
        if self.start == 0 && self.media_time == 0 {
            return;
        }
        let duration = self.end.saturating_sub(self.start);
        // The media time is signed.
        let version = version_for(&[self.start, duration, self.media_time.saturating_mul(2)]);
        w.write_box(b"edts", |w| {
            w.write_full_box(b"elst", version, 0, |w| {
                let starts_late = self.start > 0;
                w.u32(if starts_late { 2 } else { 1 });
                if starts_late {
                    write_edit(w, version, self.start, u64::MAX);
                }
                write_edit(w, version, duration, self.media_time);
            });
        });
    }
}

/// One edit, at normal rate. A media time of -1 is an empty edit.
fn write_edit(w: &mut BoxWriter, version: u8, duration: u64, media_time: u64) {
    w.sized(version, duration);
    w.sized(version, media_time);
    w.u16(1);
    w.u16(0);
}

/// MediaHeaderBox (section 8.4.2): the sum of the deltas, no language.
fn write_media_header(w: &mut BoxWriter, track: &TrackLayout<'_>, creation_time: Timestamp) {
    const UNDETERMINED: u16 = 0x55C4;
    let created = file_time(creation_time);
    let version = version_for(&[created, track.times.duration]);
    w.write_full_box(b"mdhd", version, 0, |w| {
        w.sized(version, created);
        w.sized(version, created);
        w.u32(track.times.timescale);
        w.sized(version, track.times.duration);
        w.u16(UNDETERMINED);
        w.zeros(2);
    });
}

/// HandlerBox (section 8.4.3).
fn write_handler(w: &mut BoxWriter, codec: Codec) {
    let (handler, name) =
        if codec.is_video() { (b"vide", &b"VideoHandler\0"[..]) } else { (b"soun", &b"SoundHandler\0"[..]) };
    w.write_full_box(b"hdlr", 0, 0, |w| {
        w.zeros(4);
        w.bytes(handler);
        w.zeros(12);
        w.bytes(name);
    });
}

/// VideoMediaHeaderBox (section 12.1.2) or SoundMediaHeaderBox (section 12.2.2).
fn write_media_information_header(w: &mut BoxWriter, codec: Codec) {
    if codec.is_video() {
        w.write_full_box(b"vmhd", 0, 1, |w| w.zeros(8));
    } else {
        w.write_full_box(b"smhd", 0, 0, |w| w.zeros(4));
    }
}

/// DataInformationBox (section 8.7.1): the media is in this file.
fn write_data_information(w: &mut BoxWriter) {
    w.write_box(b"dinf", |w| {
        w.write_full_box(b"dref", 0, 0, |w| {
            w.u32(1);
            w.write_full_box(b"url ", 0, 1, |_| {});
        });
    });
}

/// MediaDataBox (section 8.1.1), with a size of 64 bits only if it must.
fn write_media_data_header(w: &mut BoxWriter, len: u64) {
    match u32::try_from(len.saturating_add(8)) {
        Ok(size) => {
            w.u32(size);
            w.bytes(b"mdat");
        }
        Err(_) => {
            w.u32(1);
            w.bytes(b"mdat");
            w.u64(len.saturating_add(16));
        }
    }
}

/// Seconds since 1904, or 0 for a time before.
fn file_time(time: Timestamp) -> u64 {
    let seconds = time.as_millis().div_euclid(1000).saturating_add(UNIX_EPOCH_FROM_1904);
    u64::try_from(seconds).unwrap_or(0)
}

/// What the report says of a track.
pub(crate) fn report(layout: &TrackLayout<'_>) -> TrackReport {
    let track = layout.track;
    let codes = layout.entries.iter().map(|&(entry, parameter_sets)| code(entry, parameter_sets));
    let audio = match track.entries.first() {
        Some(Entry::Audio(config)) => Some(config),
        _ => None,
    };
    let samples = u64::from(layout.samples);
    TrackReport {
        number: track.number,
        codec: layout.codec,
        sample_entries: codes.collect(),
        samples,
        bytes: layout.bytes,
        sync_samples: if layout.codec.is_video() { layout.sync_samples.len() as u64 } else { samples },
        dimensions: track.entries.first().map_or((0, 0), dimensions),
        sampling_rate: audio.map_or(0, |config| config.sampling_rate()),
        channels: audio.map_or(0, |config| config.channels()),
    }
}
