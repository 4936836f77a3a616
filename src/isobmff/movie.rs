//! Everything before the media: `ftyp`, `moov`, and the header of `mdat`.
//!
//! Above each write stands its line of the clause's syntax.

use crate::codec::{AudioCodec, Codec, VideoCodec};
use crate::error::Error;
use crate::isobmff::display::{UNITY_MATRIX, track_matrix};
use crate::isobmff::layout::Layout;
use crate::isobmff::sample_entry::dimensions;
use crate::isobmff::sample_table::{ChunkOffsets, write_sample_table};
use crate::isobmff::track_layout::{SampleSizes, TrackLayout};
use crate::isobmff::writer::{BoxWriter, version_for};
use crate::plan::SampleDescription;
use crate::plan::display::Orientation;
use crate::time::track_times::Edit;
use crate::time::units::MovieTicks;
use crate::timestamp::Timestamp;

/// Seconds from 1904, where the file's clock begins (section 8.2.2), to 1970.
const UNIX_EPOCH_FROM_1904: i64 = 2_082_844_800;

/// The bytes in front of the media of `layout`. Chunk offsets have 64 bits only if they must.
pub(crate) fn write_head(layout: &Layout<'_>, creation_time: Timestamp) -> Result<Vec<u8>, Error> {
    match write_head_with(layout, creation_time, layout.body.len() > u64::from(u32::MAX))? {
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
    write_media_data_header(&mut w, layout.body.len());
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
        let words = runs
            .saturating_mul(2)
            .saturating_add(sizes)
            .saturating_add(track.random_access.sync_samples.len());
        words.saturating_add(track.chunks.len().saturating_mul(4)).saturating_mul(4)
    };
    layout.tracks.iter().map(of_track).fold(4096, usize::saturating_add)
}

/// FileTypeBox (section 4.3).
fn write_file_type(w: &mut BoxWriter, layout: &Layout<'_>) {
    let has_h264 = layout.tracks.iter().any(|track| track.codec == Codec::Video(VideoCodec::H264));
    // What players of music know a file of AAC alone by.
    let is_music = layout.tracks.iter().all(|track| track.codec == Codec::Audio(AudioCodec::Aac));
    w.write_box(b"ftyp", |w| {
        // unsigned int(32) major_brand;
        w.bytes(if is_music { b"M4A " } else { b"isom" });
        // unsigned int(32) minor_version;
        w.u32(0x200);
        // unsigned int(32) compatible_brands[];
        if is_music {
            w.bytes(b"M4A ");
        }
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
    let duration = layout.tracks.iter().map(|track| track.times.edit().end.get()).max().unwrap_or(0);
    let version = version_for(&[created, duration]);
    let last_track = layout.tracks.iter().map(|track| track.run.track.number).max().unwrap_or(0);
    w.write_full_box(b"mvhd", version, 0, |w| {
        // unsigned int(32|64) creation_time;
        w.sized(version, created);
        // unsigned int(32|64) modification_time;
        w.sized(version, created);
        // unsigned int(32) timescale;
        w.u32(MovieTicks::PER_SECOND);
        // unsigned int(32|64) duration;
        w.sized(version, duration);
        // template int(32) rate = 0x00010000;
        w.u32(0x0001_0000);
        // template int(16) volume = 0x0100;
        w.u16(0x0100);
        // const bit(16) reserved = 0;
        w.zeros(2);
        // const unsigned int(32)[2] reserved = 0;
        w.zeros(8);
        // template int(32)[9] matrix;
        for value in UNITY_MATRIX {
            w.u32(value);
        }
        // bit(32)[6] pre_defined = 0;
        w.zeros(24);
        // unsigned int(32) next_track_ID;
        w.u32((last_track as u32).saturating_add(1));
    });
}

fn write_track(
    w: &mut BoxWriter,
    track: &TrackLayout<'_>,
    creation_time: Timestamp,
    wide: bool,
) -> ChunkOffsets {
    let edit = track.times.edit();
    let mut chunk_offsets = None;
    w.write_box(b"trak", |w| {
        write_track_header(w, track, edit, creation_time);
        write_edits(w, edit);
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

/// TrackHeaderBox (section 8.3.2).
fn write_track_header(w: &mut BoxWriter, track: &TrackLayout<'_>, edit: Edit, creation_time: Timestamp) {
    const ENABLED: u32 = 1;
    const IN_MOVIE: u32 = 2;
    let created = file_time(creation_time);
    let version = version_for(&[created, edit.end.get()]);
    let is_video = track.codec.is_video();
    let description = track.run.track.descriptions.first();
    let (width, height) = description.map_or((0, 0), shown_size);
    let orientation =
        description.map_or(Orientation::default(), |description| description.display().orientation);
    w.write_full_box(b"tkhd", version, ENABLED | IN_MOVIE, |w| {
        // unsigned int(32|64) creation_time;
        w.sized(version, created);
        // unsigned int(32|64) modification_time;
        w.sized(version, created);
        // unsigned int(32) track_ID;
        w.u32(track.run.track.number as u32);
        // const unsigned int(32) reserved = 0;
        w.zeros(4);
        // unsigned int(32|64) duration;
        w.sized(version, edit.end.get());
        // const unsigned int(32)[2] reserved = 0;
        w.zeros(8);
        // template int(16) layer = 0;
        w.u16(0);
        // template int(16) alternate_group = 0;
        w.u16(0);
        // template int(16) volume = {if track_is_audio 0x0100 else 0};
        w.u16(if is_video { 0 } else { 0x0100 });
        // const unsigned int(16) reserved = 0;
        w.zeros(2);
        // template int(32)[9] matrix;
        for value in track_matrix(orientation, (width, height)) {
            w.u32(value);
        }
        // unsigned int(32) width;
        w.u32(width);
        // unsigned int(32) height;
        w.u32(height);
    });
}

/// Width and height as shown before the picture is turned, in 16.16 bits: with square pixels.
fn shown_size(description: &SampleDescription) -> (u32, u32) {
    let (width, height) = dimensions(description);
    let (horizontal, vertical) = description.display().pixel_aspect.unwrap_or((1, 1));
    let fixed = |pixels: u32| u64::from(pixels).saturating_mul(0x0001_0000);
    let width =
        fixed(width).saturating_mul(u64::from(horizontal)).checked_div(u64::from(vertical)).unwrap_or(0);
    let clamp = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    (clamp(width), clamp(fixed(height)))
}

/// EditListBox (section 8.6.6), unless it would mean what its absence means.
fn write_edits(w: &mut BoxWriter, edit: Edit) {
    if edit.is_identity() {
        return;
    }
    let start = edit.start.get();
    let duration = edit.end.get().saturating_sub(start);
    // The media time is signed.
    let version = version_for(&[start, duration, edit.media_time.saturating_mul(2)]);
    w.write_box(b"edts", |w| {
        w.write_full_box(b"elst", version, 0, |w| {
            let starts_late = start > 0;
            // unsigned int(32) entry_count;
            w.u32(if starts_late { 2 } else { 1 });
            if starts_late {
                write_edit(w, version, start, u64::MAX);
            }
            write_edit(w, version, duration, edit.media_time);
        });
    });
}

/// One edit, at normal rate. A media time of -1 is an empty edit.
fn write_edit(w: &mut BoxWriter, version: u8, duration: u64, media_time: u64) {
    // unsigned int(32|64) segment_duration;
    w.sized(version, duration);
    // int(32|64) media_time;
    w.sized(version, media_time);
    // int(16) media_rate_integer;
    w.u16(1);
    // int(16) media_rate_fraction = 0;
    w.u16(0);
}

/// MediaHeaderBox (section 8.4.2): the sum of the deltas, no language.
fn write_media_header(w: &mut BoxWriter, track: &TrackLayout<'_>, creation_time: Timestamp) {
    /// `und` (ISO 639-2/T), each letter less 0x60.
    const UNDETERMINED: u16 = 0x55C4;
    let created = file_time(creation_time);
    let version = version_for(&[created, track.times.duration]);
    w.write_full_box(b"mdhd", version, 0, |w| {
        // unsigned int(32|64) creation_time;
        w.sized(version, created);
        // unsigned int(32|64) modification_time;
        w.sized(version, created);
        // unsigned int(32) timescale;
        w.u32(track.times.timescale.get());
        // unsigned int(32|64) duration;
        w.sized(version, track.times.duration);
        // bit(1) pad = 0; unsigned int(5)[3] language;
        w.u16(UNDETERMINED);
        // unsigned int(16) pre_defined = 0;
        w.zeros(2);
    });
}

/// HandlerBox (section 8.4.3).
fn write_handler(w: &mut BoxWriter, codec: Codec) {
    let (handler, name) =
        if codec.is_video() { (b"vide", &b"VideoHandler\0"[..]) } else { (b"soun", &b"SoundHandler\0"[..]) };
    w.write_full_box(b"hdlr", 0, 0, |w| {
        // unsigned int(32) pre_defined = 0;
        w.zeros(4);
        // unsigned int(32) handler_type;
        w.bytes(handler);
        // const unsigned int(32)[3] reserved = 0;
        w.zeros(12);
        // utf8string name;
        w.bytes(name);
    });
}

/// VideoMediaHeaderBox (section 12.1.2) or SoundMediaHeaderBox (section 12.2.2).
fn write_media_information_header(w: &mut BoxWriter, codec: Codec) {
    if codec.is_video() {
        w.write_full_box(b"vmhd", 0, 1, |w| {
            // template unsigned int(16) graphicsmode = 0;
            w.u16(0);
            // template unsigned int(16)[3] opcolor = {0, 0, 0};
            w.zeros(6);
        });
    } else {
        w.write_full_box(b"smhd", 0, 0, |w| {
            // template int(16) balance = 0;
            w.u16(0);
            // const unsigned int(16) reserved = 0;
            w.zeros(2);
        });
    }
}

/// DataInformationBox (section 8.7.1) with a DataReferenceBox (section 8.7.2): the media is in this file.
fn write_data_information(w: &mut BoxWriter) {
    const SELF_CONTAINED: u32 = 1;
    w.write_box(b"dinf", |w| {
        w.write_full_box(b"dref", 0, 0, |w| {
            // unsigned int(32) entry_count;
            w.u32(1);
            w.write_full_box(b"url ", 0, SELF_CONTAINED, |_| {});
        });
    });
}

/// MediaDataBox (section 8.1.1), with a size of 64 bits only if it must.
fn write_media_data_header(w: &mut BoxWriter, len: u64) {
    match u32::try_from(len.saturating_add(8)) {
        Ok(size) => {
            // unsigned int(32) size; unsigned int(32) type;
            w.u32(size);
            w.bytes(b"mdat");
        }
        Err(_) => {
            // unsigned int(32) size = 1; unsigned int(32) type; unsigned int(64) largesize;
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
