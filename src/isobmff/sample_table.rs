//! SampleTableBox (ISO/IEC 14496-12 section 8.5.1) and the tables in it.
//!
//! Above each write stands its line of the clause's syntax.

use crate::isobmff::random_access::Recovery;
use crate::isobmff::sample_entry::write_sample_description;
use crate::isobmff::track_layout::{Chunk, SampleSizes, TrackLayout};
use crate::isobmff::writer::BoxWriter;
use crate::time::runs::Runs;

/// A chunk offset table whose offsets still count from the start of the media.
#[derive(Debug, Default)]
pub(super) struct ChunkOffsets {
    /// Where its first entry is in the bytes written.
    at: usize,
    wide: bool,
    offsets: Vec<u64>,
}

pub(super) fn write_sample_table(w: &mut BoxWriter, layout: &TrackLayout<'_>, wide: bool) -> ChunkOffsets {
    let mut chunk_offsets = ChunkOffsets { at: 0, wide, offsets: Vec::new() };
    w.write_box(b"stbl", |w| {
        write_sample_description(w, layout);
        write_runs(w, b"stts", &layout.times.deltas);
        if !layout.times.offsets.as_slice().is_empty() {
            write_runs(w, b"ctts", &layout.times.offsets);
        }
        write_sync_samples(w, layout);
        write_samples_per_chunk(w, &layout.chunks);
        write_sample_sizes(w, layout);
        chunk_offsets = write_chunk_offsets(w, &layout.chunks, wide);
        write_sample_groups(w, &layout.random_access.recoveries);
    });
    chunk_offsets
}

/// TimeToSampleBox (section 8.6.1.2) and CompositionOffsetBox version 0 (section 8.6.1.3).
fn write_runs(w: &mut BoxWriter, kind: &[u8; 4], runs: &Runs<u32>) {
    w.write_full_box(kind, 0, 0, |w| {
        // unsigned int(32) entry_count;
        w.u32(runs.as_slice().len() as u32);
        for &(count, value) in runs.as_slice() {
            // unsigned int(32) sample_count;
            w.u32(count);
            // unsigned int(32) sample_delta; or unsigned int(32) sample_offset;
            w.u32(value);
        }
    });
}

/// SyncSampleBox (section 8.6.2). Without it, every sample is a sync sample.
fn write_sync_samples(w: &mut BoxWriter, layout: &TrackLayout<'_>) {
    let sync_samples = &layout.random_access.sync_samples;
    if layout.codec.is_video() && sync_samples.len() != layout.samples as usize {
        w.write_full_box(b"stss", 0, 0, |w| {
            // unsigned int(32) entry_count;
            w.u32(sync_samples.len() as u32);
            // unsigned int(32) sample_number;
            w.u32s(sync_samples);
        });
    }
}

/// SampleToChunkBox (section 8.7.4), an entry for each run of chunks that are alike.
fn write_samples_per_chunk(w: &mut BoxWriter, chunks: &[Chunk]) {
    w.write_full_box(b"stsc", 0, 0, |w| {
        let count_at = w.len();
        // unsigned int(32) entry_count;
        w.u32(0);
        let mut count = 0_u32;
        let mut last = None;
        for (number, chunk) in (1_u32..).zip(chunks) {
            if last != Some((chunk.samples, chunk.entry)) {
                // unsigned int(32) first_chunk;
                w.u32(number);
                // unsigned int(32) samples_per_chunk;
                w.u32(chunk.samples);
                // unsigned int(32) sample_description_index;
                w.u32((chunk.entry as u32).saturating_add(1));
                count = count.saturating_add(1);
            }
            last = Some((chunk.samples, chunk.entry));
        }
        w.patch_u32(count_at, count);
    });
}

/// SampleSizeBox (section 8.7.3.2).
fn write_sample_sizes(w: &mut BoxWriter, layout: &TrackLayout<'_>) {
    w.write_full_box(b"stsz", 0, 0, |w| match &layout.sizes {
        SampleSizes::Constant(size) => {
            // unsigned int(32) sample_size; unsigned int(32) sample_count;
            w.u32(*size);
            w.u32(layout.samples);
        }
        SampleSizes::Each(sizes) => {
            // unsigned int(32) sample_size = 0; unsigned int(32) sample_count;
            w.u32(0);
            w.u32(layout.samples);
            // unsigned int(32) entry_size;
            w.u32s(sizes);
        }
    });
}

/// ChunkOffsetBox (section 8.7.5), in 32 or 64 bits.
fn write_chunk_offsets(w: &mut BoxWriter, chunks: &[Chunk], wide: bool) -> ChunkOffsets {
    let mut at = 0;
    w.write_full_box(if wide { b"co64" } else { b"stco" }, 0, 0, |w| {
        // unsigned int(32) entry_count;
        w.u32(chunks.len() as u32);
        // unsigned int(32|64) chunk_offset;
        at = w.len();
        w.zeros(chunks.len().saturating_mul(if wide { 8 } else { 4 }));
    });
    ChunkOffsets { at, wide, offsets: chunks.iter().map(|chunk| chunk.offset).collect() }
}

/// The sample group `roll` (section 10.1): a SampleGroupDescriptionBox (section 8.9.3) with a VisualRollRecoveryEntry
/// (section 10.1.1.2) for each distance, and a SampleToGroupBox (section 8.9.2).
fn write_sample_groups(w: &mut BoxWriter, recoveries: &[Recovery]) {
    if recoveries.is_empty() {
        return;
    }
    let mut distances: Vec<i16> = recoveries.iter().map(|recovery| recovery.distance).collect();
    distances.sort_unstable();
    distances.dedup();
    w.write_full_box(b"sgpd", 1, 0, |w| {
        // unsigned int(32) grouping_type;
        w.bytes(b"roll");
        // unsigned int(32) default_length;
        w.u32(2);
        // unsigned int(32) entry_count;
        w.u32(distances.len() as u32);
        for &distance in &distances {
            // signed int(16) roll_distance;
            w.bytes(&distance.to_be_bytes());
        }
    });
    let mut groups = Runs::default();
    let mut before = 0_u32;
    for recovery in recoveries {
        groups.push(recovery.sample.saturating_sub(before).saturating_sub(1), 0);
        let index = distances.binary_search(&recovery.distance).unwrap_or(0) as u32;
        groups.push(1, index.saturating_add(1));
        before = recovery.sample;
    }
    w.write_full_box(b"sbgp", 0, 0, |w| {
        // unsigned int(32) grouping_type;
        w.bytes(b"roll");
        // unsigned int(32) entry_count;
        w.u32(groups.as_slice().len() as u32);
        for &(count, index) in groups.as_slice() {
            // unsigned int(32) sample_count;
            w.u32(count);
            // unsigned int(32) group_description_index;
            w.u32(index);
        }
    });
}

impl ChunkOffsets {
    /// Writes the table, now that it is known where the media starts. Returns whether every offset fits.
    pub(super) fn patch(&self, w: &mut BoxWriter, media_start: u64) -> bool {
        let width = if self.wide { 8 } else { 4 };
        let mut at = self.at;
        for offset in &self.offsets {
            let offset = offset.saturating_add(media_start);
            match (self.wide, u32::try_from(offset)) {
                (true, _) => w.patch_u64(at, offset),
                (false, Ok(offset)) => w.patch_u32(at, offset),
                (false, Err(_)) => return false,
            }
            at = at.saturating_add(width);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sections 8.9.2, 8.9.3 and 10.1.1.2: samples after the last member belong to no group, and need no entry.
    #[test]
    fn recovery_points_are_a_roll_group() {
        let recovery = |sample, distance| Recovery { sample, distance };
        let mut w = BoxWriter::default();
        write_sample_groups(&mut w, &[]);
        write_sample_groups(&mut w, &[recovery(1, 5), recovery(4, 300), recovery(5, 5)]);
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>();
        let want = [
            &words(&[28])[..],
            b"sgpd",
            &[1, 0, 0, 0],
            b"roll",
            &words(&[2, 2]),
            &[0, 5, 1, 44],
            &words(&[52]),
            b"sbgp",
            &[0; 4],
            b"roll",
            &words(&[4, 1, 1, 2, 0, 1, 2, 1, 1]),
        ];
        assert_eq!(w.finish().unwrap(), want.concat());
    }

    /// Sections 8.7.5.2 and 8.7.5.3, around the largest offset of 32 bits.
    #[test]
    fn chunk_offsets_have_64_bits_where_they_must() {
        const MEDIA_START: u64 = 100;
        let table = |offset: u64, wide: bool| {
            let chunks = [0, offset - MEDIA_START].map(|offset| Chunk { offset, samples: 1, entry: 0 });
            let mut w = BoxWriter::default();
            let fits = write_chunk_offsets(&mut w, &chunks, wide).patch(&mut w, MEDIA_START);
            fits.then(|| w.finish().unwrap())
        };
        let narrow =
            [&[0, 0, 0, 24][..], b"stco", &[0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 100], &[0xFF; 4]].concat();
        assert_eq!(table(0xFFFF_FFFF, false), Some(narrow));
        assert_eq!(table(0x1_0000_0000, false), None);
        let head = [&[0, 0, 0, 32][..], b"co64", &[0, 0, 0, 0, 0, 0, 0, 2]].concat();
        let wide = [head, 100_u64.to_be_bytes().into(), 0x0001_0000_0002_u64.to_be_bytes().into()].concat();
        assert_eq!(table(0x0001_0000_0002, true), Some(wide));
    }
}
