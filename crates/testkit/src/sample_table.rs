//! SampleTableBox (ISO/IEC 14496-12 section 8.5) read and cross-checked.

use crate::boxes::{BoxView, Fields};

/// Sizes of the samples, section 8.7.3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SampleSizes {
    /// All have one size.
    Constant {
        /// Size of each sample in bytes.
        size: u32,
        /// Number of samples.
        count: u32,
    },
    /// The size of each sample in bytes.
    Each(Vec<u32>),
}

impl SampleSizes {
    /// Number of samples.
    pub fn count(&self) -> usize {
        match self {
            Self::Constant { count, .. } => *count as usize,
            Self::Each(sizes) => sizes.len(),
        }
    }

    /// Size of one sample, counted from 0.
    pub fn get(&self, sample: usize) -> usize {
        match self {
            Self::Constant { size, .. } => *size as usize,
            Self::Each(sizes) => sizes[sample] as usize,
        }
    }

    /// Bytes of `count` samples from `first` on.
    pub fn sum(&self, first: usize, count: usize) -> usize {
        match self {
            Self::Constant { size, .. } => *size as usize * count,
            Self::Each(sizes) => sizes[first..first + count].iter().map(|size| *size as usize).sum(),
        }
    }
}

/// A chunk: samples that lie one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkView {
    /// From the start of the file.
    pub offset: usize,
    /// Size of the chunk in bytes.
    pub size: usize,
    /// Zero-based.
    pub first_sample: usize,
    /// Number of samples in the chunk.
    pub samples: usize,
    /// One-based, as stored.
    pub description_index: u32,
}

/// The tables of one track, each expanded except the runs of equal values.
#[derive(Debug, Clone)]
pub struct SampleTable {
    /// `(sample_count, sample_delta)`, section 8.6.1.2.
    pub time_to_sample: Vec<(u32, u32)>,
    /// `(sample_count, sample_offset)`, section 8.6.1.3; empty without the box.
    pub composition_offsets: Vec<(u32, i64)>,
    /// Sizes of the samples.
    pub sizes: SampleSizes,
    /// One-based sample numbers, section 8.6.2; `None` without the box, where every sample is a sync sample.
    pub sync_samples: Option<Vec<u32>>,
    /// The chunks in file order.
    pub chunks: Vec<ChunkView>,
}

impl SampleTable {
    /// Reads a `stbl` and panics where its tables contradict each other.
    pub fn parse(stbl: &BoxView<'_>, description_count: usize) -> Self {
        let sizes = sample_sizes(stbl);
        let count = sizes.count();

        let time_to_sample = runs(&stbl.expect("stts"), |fields, _| fields.u32());
        assert_eq!(total(&time_to_sample), count, "{stbl}: samples in stts and in stsz");
        assert!(time_to_sample.iter().all(|run| run.1 > 0), "{stbl}: a sample_delta of 0 in stts");

        let composition_offsets = stbl.child("ctts").map_or(Vec::new(), |ctts| {
            runs(&ctts, |fields, version| match version {
                0 => i64::from(fields.u32()),
                _ => i64::from(fields.i32()),
            })
        });
        if stbl.child("ctts").is_some() {
            assert_eq!(total(&composition_offsets), count, "{stbl}: samples in ctts and in stsz");
        }

        let sync_samples = stbl.child("stss").map(|stss| {
            let (_, _, mut fields) = stss.full_box();
            let numbers: Vec<u32> = (0..fields.u32()).map(|_| fields.u32()).collect();
            fields.end();
            assert!(numbers.is_sorted_by(|a, b| a < b), "{stss}: not in strictly increasing order");
            let in_range = numbers.iter().all(|number| (1..=count).contains(&(*number as usize)));
            assert!(in_range, "{stss}: a number outside 1..={count}");
            numbers
        });

        let chunks = chunks(stbl, &sizes, description_count);
        Self { time_to_sample, composition_offsets, sizes, sync_samples, chunks }
    }

    /// The sum of all sample durations, in the media timescale.
    pub fn duration(&self) -> u64 {
        self.time_to_sample.iter().map(|(count, delta)| u64::from(*count) * u64::from(*delta)).sum()
    }

    /// Decode time of a sample, in the media timescale.
    pub fn decode_time(&self, sample: usize) -> u64 {
        let mut left = sample as u64;
        let mut time = 0;
        for (count, delta) in &self.time_to_sample {
            let taken = left.min(u64::from(*count));
            time += taken * u64::from(*delta);
            left -= taken;
        }
        assert_eq!(left, 0, "sample {sample} is beyond the table");
        time
    }
}

fn total<T>(runs: &[(u32, T)]) -> usize {
    runs.iter().map(|run| run.0 as usize).sum()
}

/// A table of `(count, value)` behind an entry count.
fn runs<T>(table: &BoxView<'_>, value: impl Fn(&mut Fields<'_>, u8) -> T) -> Vec<(u32, T)> {
    let (version, _, mut fields) = table.full_box();
    let runs = (0..fields.u32()).map(|_| (fields.u32(), value(&mut fields, version))).collect();
    fields.end();
    runs
}

fn sample_sizes(stbl: &BoxView<'_>) -> SampleSizes {
    let (_, _, mut fields) = stbl.expect("stsz").full_box();
    let (size, count) = (fields.u32(), fields.u32());
    let sizes = match size {
        0 => SampleSizes::Each((0..count).map(|_| fields.u32()).collect()),
        size => SampleSizes::Constant { size, count },
    };
    fields.end();
    sizes
}

/// Joins `stsc` (section 8.7.4) with `stco` or `co64` (section 8.7.5).
fn chunks(stbl: &BoxView<'_>, sizes: &SampleSizes, description_count: usize) -> Vec<ChunkView> {
    let offsets: Vec<u64> = match (stbl.child("stco"), stbl.child("co64")) {
        (Some(stco), None) => {
            let (_, _, mut fields) = stco.full_box();
            let offsets = (0..fields.u32()).map(|_| fields.u32().into()).collect();
            fields.end();
            offsets
        }
        (None, Some(co64)) => {
            let (_, _, mut fields) = co64.full_box();
            let offsets = (0..fields.u32()).map(|_| fields.u64()).collect();
            fields.end();
            offsets
        }
        _ => panic!("{stbl}: expected either stco or co64"),
    };

    let stsc = stbl.expect("stsc");
    let (_, _, mut fields) = stsc.full_box();
    let entries: Vec<[u32; 3]> =
        (0..fields.u32()).map(|_| [fields.u32(), fields.u32(), fields.u32()]).collect();
    fields.end();
    assert!(entries.is_sorted_by(|a, b| a[0] < b[0]), "{stsc}: first_chunk not increasing");
    if let Some(first) = entries.first() {
        assert_eq!(first[0], 1, "{stsc}: first_chunk of the first entry");
        assert!(entries.last().unwrap()[0] as usize <= offsets.len(), "{stsc}: more chunks than offsets");
    }

    let mut chunks = Vec::with_capacity(offsets.len());
    let mut first_sample = 0;
    let mut entry = 0;
    for (index, offset) in offsets.iter().enumerate() {
        if entries.get(entry + 1).is_some_and(|next| next[0] as usize == index + 1) {
            entry += 1;
        }
        let [_, samples, description_index] = *entries.get(entry).expect("an stsc entry for every chunk");
        assert!(samples > 0, "{stsc}: chunk {} is empty", index + 1);
        assert!(
            (1..=description_count).contains(&(description_index as usize)),
            "{stsc}: sample_description_index {description_index} of {description_count}"
        );
        let samples = samples as usize;
        assert!(first_sample + samples <= sizes.count(), "{stsc}: more samples in the chunks than in stsz");
        chunks.push(ChunkView {
            offset: usize::try_from(*offset).unwrap(),
            size: sizes.sum(first_sample, samples),
            first_sample,
            samples,
            description_index,
        });
        first_sample += samples;
    }
    assert_eq!(first_sample, sizes.count(), "{stsc}: samples in the chunks and in stsz");
    chunks
}
