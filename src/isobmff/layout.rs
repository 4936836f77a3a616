//! Where each sample goes: chunks of at most half a second, the tracks in turn, and the pieces they are made of.

use crate::codec::Codec;
use crate::codec::nal::{NAL_LENGTH_SIZE, Nal};
use crate::error::Error;
use crate::isobmff::too_large;
use crate::time::runs::RunCursor;
use crate::time::units::{ns_to_ticks, ticks_to_ns};
use crate::time::{Timeline, TrackTimes};
use crate::track::plan::TrackPlan;
use crate::track::{Entry, ParameterSets, Piece, Sample, Segment, Track};

/// Players read a track ahead by about this much; a chunk is not longer, unless a single sample is.
const CHUNK_NS: i64 = 500_000_000;

/// The media of the clip in its order, and what the sample tables say of it.
#[derive(Debug)]
pub(crate) struct Layout<'a> {
    pub(crate) tracks: Vec<TrackLayout<'a>>,
    pub(crate) pieces: Vec<Piece>,
    /// The 4-byte NAL lengths of samples that are not verbatim.
    pub(crate) nal_lengths: Vec<u8>,
    /// Bytes of the media.
    pub(crate) len: u64,
}

/// A track with its samples laid out.
#[derive(Debug)]
pub(crate) struct TrackLayout<'a> {
    pub(crate) track: &'a Track,
    pub(crate) codec: Codec,
    pub(crate) times: &'a TrackTimes,
    /// Its entries, each with what the samples under it carry.
    pub(crate) entries: Vec<(&'a Entry, ParameterSets)>,
    /// Number of samples, PCM frames counted one by one.
    pub(crate) samples: u32,
    pub(crate) sizes: SampleSizes,
    /// The numbers, from 1, of the pictures that are sync samples.
    pub(crate) sync_samples: Vec<u32>,
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) bytes: u64,
    pub(crate) largest_sample: u32,
    /// Bytes in the second that has the most.
    pub(crate) busiest_second: u64,
}

/// Sizes of the samples of a track.
#[derive(Debug)]
pub(crate) enum SampleSizes {
    Constant(u32),
    Each(Vec<u32>),
}

/// Samples of one track that stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// From the start of the media.
    pub(crate) offset: u64,
    pub(crate) samples: u32,
    /// In the track's entries.
    pub(crate) entry: usize,
}

impl<'a> Layout<'a> {
    /// Lays out the first `fragments` fragments of a plan.
    pub(crate) fn new(plan: &'a TrackPlan, timeline: &'a Timeline, fragments: usize) -> Result<Self, Error> {
        let video = timeline.video.as_ref().and_then(|times| Feed::new(&plan.video, times, fragments));
        let audio = timeline.audio.as_ref().and_then(|times| Feed::new(&plan.audio, times, fragments));
        let mut feeds: Vec<Feed<'_>> = video.into_iter().chain(audio).collect();
        let segments = || feeds.iter().flat_map(|feed| feed.segments.as_slice());
        let samples: usize = segments().map(|segment| segment.samples.len()).sum();
        let nals: usize = segments().map(|segment| segment.nals.len()).sum();
        let mut media = Media {
            pieces: Vec::with_capacity(samples.saturating_add(nals.saturating_mul(2))),
            nal_lengths: Vec::with_capacity(nals.saturating_mul(NAL_LENGTH_SIZE)),
            len: 0,
        };
        feeds.iter_mut().for_each(Feed::enter_segment);
        while let Some(feed) =
            feeds.iter_mut().filter(|feed| !feed.is_done()).min_by_key(|feed| feed.time_ns())
        {
            feed.lay_chunk(&mut media)?;
        }
        let Media { pieces, nal_lengths, len } = media;
        Ok(Self { tracks: feeds.into_iter().map(Feed::finish).collect(), pieces, nal_lengths, len })
    }
}

/// The media as far as it is laid out.
struct Media {
    pieces: Vec<Piece>,
    nal_lengths: Vec<u8>,
    len: u64,
}

impl Media {
    /// Adds pieces of one source, each by its offset and length.
    #[inline]
    fn extend(&mut self, source: usize, ranges: impl Iterator<Item = (u32, u32)>) {
        let mut end = self.len;
        self.pieces.extend(ranges.map(|(offset, len)| {
            end = end.saturating_add(u64::from(len));
            Piece { end, source: source as u32, offset }
        }));
        self.len = end;
    }

    /// Adds a NAL unit of a source behind its length.
    #[inline]
    fn push_nal(&mut self, source: usize, nal: &Nal) -> Result<(), Error> {
        let lengths = self.nal_lengths.len();
        let offset =
            u32::try_from(lengths).map_err(|_| too_large("the size of all NAL lengths", lengths as u64))?;
        self.nal_lengths.extend_from_slice(&nal.len.to_be_bytes());
        let begin = self.len.saturating_add(NAL_LENGTH_SIZE as u64);
        self.len = begin.saturating_add(u64::from(nal.len));
        self.pieces.extend([
            Piece { end: begin, source: 0, offset },
            Piece { end: self.len, source: source as u32, offset: nal.offset },
        ]);
        Ok(())
    }
}

/// A track whose samples are being laid out in order.
struct Feed<'a> {
    track: &'a Track,
    codec: Codec,
    times: &'a TrackTimes,
    entries: Vec<(&'a Entry, ParameterSets)>,
    /// The segments that come next.
    segments: std::slice::Iter<'a, Segment>,
    /// How many of them were entered: the place in the clip, from 1, of the fragment that `samples_left` are of.
    source: usize,
    segment: Option<&'a Segment>,
    samples_left: &'a [Sample],
    ticks: u64,
    deltas: RunCursor<'a, u32>,
    chunk_ticks: u64,
    /// Bytes of a PCM frame, where samples are such.
    pcm_frame: Option<u32>,
    sizes: Vec<u32>,
    sync_samples: Vec<u32>,
    samples: u32,
    chunks: Vec<Chunk>,
    bytes: u64,
    /// Where the second that is being counted ends, in ticks.
    second_end: u64,
    bytes_in_second: u64,
    busiest_second: u64,
}

/// What a track lays out at a time: frames of one segment in one chunk, all decoded in the same second.
struct Stretch<'a> {
    frames: &'a [Sample],
    /// Their samples, and how long they last.
    samples: u32,
    ticks: u64,
}

impl<'a> Feed<'a> {
    fn new(track: &'a Track, times: &'a TrackTimes, fragments: usize) -> Option<Self> {
        let segments = track.segments.get(..fragments)?;
        let samples = segments.iter().map(|segment| segment.samples.len()).sum();
        let codec = track.codec()?;
        let pcm_frame = track.pcm_frame_size();
        Some(Self {
            track,
            codec,
            times,
            entries: track.entries_of(fragments),
            segments: segments.iter(),
            source: 0,
            segment: None,
            samples_left: &[],
            ticks: 0,
            deltas: times.deltas.cursor(),
            chunk_ticks: u64::try_from(ns_to_ticks(CHUNK_NS, times.timescale)).unwrap_or(0),
            pcm_frame,
            sizes: Vec::with_capacity(if pcm_frame.is_some() { 0 } else { samples }),
            sync_samples: Vec::new(),
            samples: 0,
            chunks: Vec::new(),
            bytes: 0,
            second_end: u64::from(times.timescale),
            bytes_in_second: 0,
            busiest_second: 0,
        })
    }

    fn is_done(&self) -> bool {
        self.samples_left.is_empty()
    }

    /// Goes to the next segment that has samples, if this one has no more.
    fn enter_segment(&mut self) {
        while self.samples_left.is_empty()
            && let Some(segment) = self.segments.next()
        {
            self.source = self.source.saturating_add(1);
            self.segment = Some(segment);
            self.samples_left = &segment.samples;
        }
    }

    /// Decode time of the next sample on the clip's timeline.
    fn time_ns(&self) -> i64 {
        let ticks = i64::try_from(self.ticks).unwrap_or(i64::MAX);
        self.times.start_ns.saturating_add(ticks_to_ns(ticks, self.times.timescale))
    }

    fn entry(&self) -> usize {
        self.segment.map_or(0, |segment| segment.entry)
    }

    /// Lays out samples until half a second is full, or the sample entry changes.
    fn lay_chunk(&mut self, media: &mut Media) -> Result<(), Error> {
        let entry = self.entry();
        let parameter_sets = self.entries.get(entry).map_or(ParameterSets::Absent, |(_, carried)| *carried);
        let mut chunk = Chunk { offset: media.len, samples: 0, entry };
        let mut room = self.chunk_ticks;
        while self.entry() == entry
            && let Some(stretch) = self.next_stretch(room, chunk.samples == 0)
        {
            self.lay_stretch(&stretch, parameter_sets, media)?;
            chunk.samples = chunk.samples.saturating_add(stretch.samples);
            room = room.saturating_sub(stretch.ticks);
            self.enter_segment();
        }
        self.chunks.push(chunk);
        Ok(())
    }

    /// Takes the frames that come next, as many as `room` ticks have room for; one at the least if it is the first.
    fn next_stretch(&mut self, room: u64, is_first: bool) -> Option<Stretch<'a>> {
        self.enter_second();
        let first = self.samples_left.first()?;
        let (count, samples) = match self.pcm_frame {
            Some(size) => (1, first.len.checked_div(size).unwrap_or(0)),
            None => self.frames_alike(room),
        };
        let mut after = self.deltas.clone();
        let ticks = after.advance(samples);
        if !is_first && ticks > room {
            return None;
        }
        self.deltas = after;
        let (frames, left) = self.samples_left.split_at_checked(count)?;
        self.samples_left = left;
        Some(Stretch { frames, samples, ticks })
    }

    /// How many frames come next of which each lasts as long as the first, begins in the same second, and fits in
    /// `room` ticks; at least 1.
    fn frames_alike(&self, room: u64) -> (usize, u32) {
        let (alike, delta) = self.deltas.run().unwrap_or((1, 1));
        let delta = u64::from(delta.max(1));
        let in_second = self.second_end.saturating_sub(self.ticks).div_ceil(delta);
        let in_room = room.checked_div(delta).unwrap_or(0);
        let left = self.samples_left.len() as u64;
        let count = left.min(alike.into()).min(in_second).min(in_room).max(1) as u32;
        (count as usize, count)
    }

    /// Begins to count another second if the one before it is over.
    fn enter_second(&mut self) {
        if self.ticks >= self.second_end {
            let timescale = u64::from(self.times.timescale);
            let second = self.ticks.checked_div(timescale).unwrap_or(0);
            self.second_end = second.saturating_add(1).saturating_mul(timescale);
            self.bytes_in_second = 0;
        }
    }

    fn lay_stretch(
        &mut self,
        stretch: &Stretch<'_>,
        parameter_sets: ParameterSets,
        media: &mut Media,
    ) -> Result<(), Error> {
        let samples = u64::from(self.samples).saturating_add(stretch.samples.into());
        let samples = u32::try_from(samples).map_err(|_| too_large("the number of samples", samples))?;
        let before = media.len;
        for frames in stretch.frames.chunk_by(|a, b| a.is_verbatim() == b.is_verbatim()) {
            if frames.first().is_some_and(Sample::is_verbatim) {
                self.lay_verbatim(frames, media);
            } else {
                frames.iter().try_for_each(|frame| self.lay_nals(frame, parameter_sets, media))?;
            }
        }
        if self.codec.is_video() {
            let numbered = (self.samples.saturating_add(1)..).zip(stretch.frames);
            self.sync_samples.extend(numbered.filter(|(_, frame)| frame.sync).map(|(number, _)| number));
        }
        let size = media.len.saturating_sub(before);
        self.samples = samples;
        self.ticks = self.ticks.saturating_add(stretch.ticks);
        self.bytes = self.bytes.saturating_add(size);
        self.bytes_in_second = self.bytes_in_second.saturating_add(size);
        self.busiest_second = self.busiest_second.max(self.bytes_in_second);
        Ok(())
    }

    /// Lays out frames that are samples as they stand.
    fn lay_verbatim(&mut self, frames: &[Sample], media: &mut Media) {
        media.extend(self.source, frames.iter().map(|frame| (frame.offset, frame.len)));
        if self.pcm_frame.is_none() {
            self.sizes.extend(frames.iter().map(|frame| frame.len));
        }
    }

    /// Lays out the NAL units of a frame.
    fn lay_nals(
        &mut self,
        frame: &Sample,
        parameter_sets: ParameterSets,
        media: &mut Media,
    ) -> Result<(), Error> {
        let before = media.len;
        let nals = self.segment.into_iter().flat_map(|segment| segment.nals_of(frame, parameter_sets));
        for nal in nals {
            media.push_nal(self.source, nal)?;
        }
        let size = media.len.saturating_sub(before);
        self.sizes.push(u32::try_from(size).map_err(|_| too_large("the size of a sample", size))?);
        Ok(())
    }

    fn finish(self) -> TrackLayout<'a> {
        let constant = self.pcm_frame.or_else(|| {
            let (&first, others) = self.sizes.split_first()?;
            others.iter().all(|&size| size == first).then_some(first)
        });
        let largest_sample = self.pcm_frame.or(self.sizes.iter().copied().max()).unwrap_or(0);
        TrackLayout {
            track: self.track,
            codec: self.codec,
            times: self.times,
            entries: self.entries,
            samples: self.samples,
            sizes: match constant {
                // A constant size of 0 would mean that sizes follow.
                Some(size) if size > 0 => SampleSizes::Constant(size),
                _ => SampleSizes::Each(self.sizes),
            },
            sync_samples: self.sync_samples,
            chunks: self.chunks,
            bytes: self.bytes,
            largest_sample,
            busiest_second: self.busiest_second,
        }
    }
}
