//! [`TrackLayout`]: a track as its sample tables describe it.

use crate::codec::Codec;
use crate::isobmff::random_access::RandomAccess;
use crate::plan::{InBandParameterSets, SampleDescription, TrackRun};
use crate::time::TrackTimes;

/// A track with its samples laid out.
#[derive(Debug)]
pub(crate) struct TrackLayout<'a> {
    pub(crate) run: TrackRun<'a>,
    pub(crate) codec: Codec,
    pub(crate) times: &'a TrackTimes,
    /// Its entries, each with what the samples under it carry.
    pub(crate) entries: Vec<(&'a SampleDescription, InBandParameterSets)>,
    /// Number of samples, PCM frames counted one by one.
    pub(crate) samples: u32,
    pub(crate) sizes: SampleSizes,
    /// Where decoding can begin. Empty for audio, where it can begin anywhere.
    pub(crate) random_access: RandomAccess,
    pub(crate) chunks: Vec<Chunk>,
    /// Number of bytes of all samples.
    pub(crate) bytes: u64,
}

/// Sizes of the samples of a track, in bytes.
#[derive(Debug)]
pub(crate) enum SampleSizes {
    Constant(u32),
    Each(Vec<u32>),
}

/// Samples of one track that stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Where it begins, counted from the start of the media.
    pub(crate) offset: u64,
    pub(crate) samples: u32,
    /// Index of its sample entry in the track's entries.
    pub(crate) entry: usize,
}
