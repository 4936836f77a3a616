//! [`TrackCursor`]: a track whose samples are being laid out in order.

use crate::codec::Codec;
use crate::codec::nal_role::NalRole;
use crate::error::Error;
use crate::index::frame_table::FrameFlags;
use crate::isobmff::random_access::{NumberedPoint, RandomAccess};
use crate::isobmff::too_large;
use crate::isobmff::track_layout::{Chunk, SampleSizes, TrackLayout};
use crate::plan::{FragmentSamples, InBandParameterSets, Sample, SampleDescription, TrackRun};
use crate::time::TrackTimes;
use crate::time::runs::RunCursor;
use crate::time::units::Nanos;
use crate::virtual_file::Body;

/// Players read a track ahead by about this much. A chunk is not longer, unless a single sample is.
const CHUNK: Nanos = Nanos::from_millis(500);

/// A track whose samples are being laid out in order: which frame is next, and the tables of those before it.
pub(super) struct TrackCursor<'a> {
    run: TrackRun<'a>,
    codec: Codec,
    times: &'a TrackTimes,
    entries: Vec<(&'a SampleDescription, InBandParameterSets)>,
    /// Bytes of a PCM frame, where the samples are such.
    pcm_frame: Option<u32>,
    /// Room of a chunk.
    chunk_ticks: u64,

    /// Place in the clip of the first fragment after the one that `fragment` is.
    later: usize,
    /// The fragment that the next frame is in, with its place in the clip.
    fragment: Option<(usize, &'a FragmentSamples)>,
    frames: &'a [Sample],
    /// Decode time of the next sample.
    ticks: u64,
    deltas: RunCursor<'a, u32>,

    samples: u32,
    sizes: Vec<u32>,
    sync_samples: Vec<u32>,
    recovery_points: Vec<NumberedPoint>,
    chunks: Vec<Chunk>,
    bytes: u64,
}

/// Frames that are laid out together: of one fragment, in one chunk.
struct SampleRun<'a> {
    frames: &'a [Sample],
    /// Number of samples of the frames: a frame of PCM is several.
    samples: u32,
    /// How long the samples last.
    ticks: u64,
}

impl<'a> TrackCursor<'a> {
    /// A cursor at the first frame of a track.
    pub(super) fn new(run: TrackRun<'a>, times: &'a TrackTimes) -> Option<Self> {
        let frames = run.samples().map(|fragment| fragment.samples.len()).sum();
        let codec = run.track.codec()?;
        let pcm_frame = run.track.pcm_frame_size();
        let mut cursor = Self {
            run,
            codec,
            times,
            entries: run.descriptions(),
            pcm_frame,
            chunk_ticks: times.timescale.ticks(CHUNK).unsigned(),
            later: 0,
            fragment: None,
            frames: &[],
            ticks: 0,
            deltas: times.deltas.cursor(),
            samples: 0,
            sizes: Vec::with_capacity(if pcm_frame.is_some() { 0 } else { frames }),
            sync_samples: Vec::new(),
            recovery_points: Vec::new(),
            chunks: Vec::new(),
            bytes: 0,
        };
        cursor.enter_fragment();
        Some(cursor)
    }

    pub(super) fn is_done(&self) -> bool {
        self.frames.is_empty()
    }

    /// Decode time of the next sample on the clip's timeline.
    pub(super) fn time(&self) -> Nanos {
        self.times.due(self.ticks)
    }

    /// Goes to the next fragment that has frames, if this one has no more.
    fn enter_fragment(&mut self) {
        while self.frames.is_empty()
            && let Some(fragment) = self.run.get(self.later)
        {
            self.fragment = Some((self.later, fragment));
            self.frames = &fragment.samples;
            self.later = self.later.saturating_add(1);
            let first = self.samples.saturating_add(1);
            let points = fragment.recovery_points.iter();
            self.recovery_points.extend(points.map(|point| NumberedPoint::new(point, first)));
        }
    }

    fn entry(&self) -> usize {
        self.fragment.map_or(0, |(_, fragment)| fragment.description)
    }

    /// Lays out samples until half a second is full, or the sample entry changes.
    pub(super) fn lay_chunk(&mut self, body: &mut Body) -> Result<(), Error> {
        let entry = self.entry();
        let in_band = self.entries.get(entry).map_or(InBandParameterSets::Absent, |(_, carried)| *carried);
        let mut chunk = Chunk { offset: body.len(), samples: 0, entry };
        let mut room = self.chunk_ticks;
        while self.entry() == entry
            && let Some(run) = self.next_run(room, chunk.samples == 0)
        {
            self.lay_run(&run, in_band, body)?;
            chunk.samples = chunk.samples.saturating_add(run.samples);
            room = room.saturating_sub(run.ticks);
            self.enter_fragment();
        }
        self.chunks.push(chunk);
        Ok(())
    }

    /// Takes the next frames, as many as fit in `room` ticks; at least one if it is the first of its chunk.
    fn next_run(&mut self, room: u64, is_first: bool) -> Option<SampleRun<'a>> {
        let first = self.frames.first()?;
        let (count, samples) = match self.pcm_frame {
            Some(size) => {
                let len = self.fragment.map_or(first.len, |(_, fragment)| fragment.verbatim_len(first));
                (1, len.checked_div(size).unwrap_or(0))
            }
            None => self.frames_alike(room),
        };
        let mut after = self.deltas.clone();
        let ticks = after.advance(samples);
        if !is_first && ticks > room {
            return None;
        }
        self.deltas = after;
        let (frames, later) = self.frames.split_at_checked(count)?;
        self.frames = later;
        Some(SampleRun { frames, samples, ticks })
    }

    /// How many of the next frames last as long as the first and fit in `room` ticks; at least 1.
    fn frames_alike(&self, room: u64) -> (usize, u32) {
        let (alike, delta) = self.deltas.run().unwrap_or((1, 1));
        let in_room = room.checked_div(u64::from(delta.max(1))).unwrap_or(0);
        let left = self.frames.len() as u64;
        let count = left.min(alike.into()).min(in_room).max(1) as u32;
        (count as usize, count)
    }

    fn lay_run(
        &mut self,
        run: &SampleRun<'_>,
        in_band: InBandParameterSets,
        body: &mut Body,
    ) -> Result<(), Error> {
        let samples = u64::from(self.samples).saturating_add(run.samples.into());
        let samples = u32::try_from(samples).map_err(|_| too_large("the number of samples", samples))?;
        let before = body.len();
        for frames in run.frames.chunk_by(|a, b| a.is_verbatim() == b.is_verbatim()) {
            if frames.first().is_some_and(Sample::is_verbatim) {
                self.lay_verbatim(frames, body);
            } else {
                frames.iter().try_for_each(|frame| self.lay_nals(frame, in_band, body))?;
            }
        }
        if self.codec.is_video() {
            let numbered = (self.samples.saturating_add(1)..).zip(run.frames);
            self.sync_samples.extend(numbered.filter(|(_, frame)| frame.is_sync()).map(|(number, _)| number));
        }
        self.samples = samples;
        self.ticks = self.ticks.saturating_add(run.ticks);
        self.bytes = self.bytes.saturating_add(body.len().saturating_sub(before));
        Ok(())
    }

    /// Lays out frames that are samples as they stand.
    fn lay_verbatim(&mut self, frames: &[Sample], body: &mut Body) {
        let Some((place, fragment)) = self.fragment else { return };
        let stripped = &*fragment.stripped_header;
        for frame in frames {
            if frame.has(FrameFlags::STRIPPED) {
                body.push_inline(stripped);
            }
            body.push_media(place, frame.offset.into(), frame.len.into());
        }
        if self.pcm_frame.is_none() {
            self.sizes.extend(frames.iter().map(|frame| fragment.verbatim_len(frame)));
        }
    }

    /// Lays out the NAL units of a frame, each after its length.
    fn lay_nals(
        &mut self,
        frame: &Sample,
        in_band: InBandParameterSets,
        body: &mut Body,
    ) -> Result<(), Error> {
        let before = body.len();
        if let Some((place, fragment)) = self.fragment {
            for nal in fragment.nals_of(frame, in_band) {
                if nal.role != NalRole::Framed {
                    body.push_inline(&nal.len().to_be_bytes());
                }
                body.push_inline(nal.restored.of(&fragment.stripped_header));
                body.push_media(place, nal.offset.into(), nal.media_len.into());
            }
        }
        let size = body.len().saturating_sub(before);
        self.sizes.push(u32::try_from(size).map_err(|_| too_large("the size of a sample", size))?);
        Ok(())
    }

    /// The track as it was laid out.
    pub(super) fn finish(self) -> TrackLayout<'a> {
        let constant = self.pcm_frame.or_else(|| {
            let (&first, others) = self.sizes.split_first()?;
            others.iter().all(|&size| size == first).then_some(first)
        });
        let random_access = match self.codec.is_video() {
            true => RandomAccess::new(self.sync_samples, &self.recovery_points, self.times),
            false => RandomAccess::default(),
        };
        TrackLayout {
            run: self.run,
            codec: self.codec,
            times: self.times,
            entries: self.entries,
            samples: self.samples,
            sizes: match constant {
                // A constant size of 0 would mean that sizes follow.
                Some(size) if size > 0 => SampleSizes::Constant(size),
                _ => SampleSizes::Each(self.sizes),
            },
            random_access,
            chunks: self.chunks,
            bytes: self.bytes,
        }
    }
}
