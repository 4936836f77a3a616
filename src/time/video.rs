//! Decode and composition times of video (ISO/IEC 14496-12 sections 8.6.1.2 and 8.6.1.3).
//!
//! Matroska tells when a frame is shown, in the order in which frames are decoded. Decode times are derived: the
//! i-th frame to be decoded is decoded when the i-th frame to be shown is due, less a delay `D` that lets every
//! frame be decoded before it is shown. The delay does not stand in the table; the whole track is that much later,
//! and the edit list starts at `D`.

use crate::error::{Error, ErrorKind};
use crate::frame_fault::FrameFault;
use crate::plan::Sample;
use crate::time::cadence::{self, Cadence, OnCadence};
use crate::time::runs::Runs;
use crate::time::units::ns_to_ticks;
use crate::time::{TrackTimes, continuity::Span};

/// A picture is at most this many frames later in decode order than in presentation order: the largest
/// `max_num_reorder_frames` of H.264 and `sps_max_num_reorder_pics` of H.265.
const MAX_REORDERED: usize = 16;

/// Media timescales to try where there is no exact cadence: that of MPEG-2 systems, in which a millisecond is whole;
/// and coarser ones, in which longer gaps fit an `stts` entry of 32 bits: 13 hours, 4 days, 49 days.
const TIMESCALES: [u32; 3] = [90_000, 10_000, 1000];

/// How long a frame is taken to last when nothing tells: the only one of a clip.
const LONE_FRAME_NS: i64 = 33_333_333;

/// The frames of one fragment in presentation order.
#[derive(Debug, Default)]
pub(crate) struct Presentation {
    /// Time, and index in decode order.
    order: Vec<(i64, u32)>,
    /// Whether that is another order than decode order.
    is_reordered: bool,
}

impl Presentation {
    /// Sorts the frames of a fragment by presentation time; of equal ones, the first to be decoded is the first.
    ///
    /// Fails on the frame that is shown before more than 16 frames which are decoded before it.
    pub(crate) fn sort(&mut self, samples: &[Sample]) -> Result<(), Error> {
        self.order.clear();
        self.order.reserve(samples.len());
        self.is_reordered = false;
        for (index, sample) in samples.iter().enumerate() {
            let frame = (sample.time_ns, index as u32);
            match self.order.last() {
                Some((last_ns, _)) if *last_ns > sample.time_ns => self.insert(frame)?,
                _ => self.order.push(frame),
            }
        }
        Ok(())
    }

    /// Inserts a frame that is shown before the last.
    fn insert(&mut self, frame: (i64, u32)) -> Result<(), Error> {
        self.is_reordered = true;
        let later = self.order.iter().rev().take(MAX_REORDERED.saturating_add(1));
        let later = later.take_while(|(time_ns, _)| *time_ns > frame.0).count();
        if later > MAX_REORDERED {
            let fault = FrameFault::ReorderedTooFar { limit: MAX_REORDERED as u32 };
            let time_ms = frame.0.div_euclid(1_000_000);
            return Err(ErrorKind::InvalidMediaFrame { time_ms, fault }.into());
        }
        self.order.insert(self.order.len().saturating_sub(later), frame);
        Ok(())
    }

    /// Where the frames begin and end. One lasts as long as the producer says, else the usual step.
    pub(crate) fn span(
        &self,
        frame_duration_ns: Option<i64>,
        scale_ns: i64,
        before: Option<i64>,
    ) -> Option<Span> {
        let (first_ns, last_ns) = (self.order.first()?.0, self.order.last()?.0);
        let known_ns = frame_duration_ns
            .or_else(|| self.usual_step(scale_ns))
            .filter(|&duration| duration > 0)
            .or(before);
        let sample_ns = known_ns.unwrap_or(LONE_FRAME_NS);
        Some(Span { first_ns, last_ns, sample_ns, is_guess: known_ns.is_none() })
    }

    /// The mean step, which undoes the rounding of the single ones, unless a hole puts it off the median step.
    fn usual_step(&self, scale_ns: i64) -> Option<i64> {
        let steps = || self.order.iter().zip(self.order.iter().skip(1)).map(|(a, b)| b.0.saturating_sub(a.0));
        let count = self.order.len().checked_sub(1).filter(|&count| count > 0)?;
        let length = self.order.last()?.0.saturating_sub(self.order.first()?.0);
        let mean = length.checked_div(i64::try_from(count).ok()?)?;
        // The median is near the mean if neither half of the steps is on one side of what is near.
        let (from, to) = (mean.saturating_sub(scale_ns), mean.saturating_add(scale_ns));
        let (mut below, mut above) = (0_usize, 0_usize);
        for step in steps() {
            below = below.saturating_add(usize::from(step <= from));
            above = above.saturating_add(usize::from(step >= to));
        }
        let middle = count / 2;
        if below <= middle && above < count.saturating_sub(middle) {
            return Some(mean);
        }
        let mut steps: Vec<i64> = steps().collect();
        let (_, &mut median, _) = steps.select_nth_unstable(middle);
        Some(median)
    }
}

/// Collects the frames of the clip, fragment by fragment, and gives them times.
#[derive(Debug, Default)]
pub(crate) struct VideoTimes {
    /// Presentation times on the clip's timeline in presentation order, in nanoseconds.
    shown_ns: Vec<i64>,
    /// For each frame in decode order, its place in presentation order. Empty as long as the two are one.
    place: Vec<u32>,
    frame_ns: i64,
    scale_ns: i64,
    default_duration_ns: Option<i64>,
}

/// The times of the track, and what the report says of them.
pub(crate) struct TimedVideo {
    pub(crate) times: TrackTimes,
    pub(crate) cadence: Option<Cadence>,
    /// Frames that were set apart from one of equal time.
    pub(crate) spread: u64,
}

impl VideoTimes {
    /// Adds the frames of a fragment, which were put `base_ns` behind the start of the clip.
    pub(crate) fn push(
        &mut self,
        frames: &Presentation,
        base_ns: i64,
        span: Span,
        scale_ns: i64,
        hint: Option<i64>,
    ) {
        let first = self.shown_ns.len();
        self.shown_ns.extend(frames.order.iter().map(|(time_ns, _)| time_ns.saturating_add(base_ns)));
        if frames.is_reordered || !self.place.is_empty() {
            // Where nothing was reordered so far, each frame is in its own place.
            let known = self.place.len() as u32;
            self.place.extend(known..self.shown_ns.len() as u32);
            let places = self.place.get_mut(first..).unwrap_or_default();
            for (&(_, decode_index), place) in frames.order.iter().zip(first as u32..) {
                if let Some(entry) = places.get_mut(decode_index as usize) {
                    *entry = place;
                }
            }
        }
        self.frame_ns = span.sample_ns;
        self.scale_ns = self.scale_ns.max(scale_ns);
        self.default_duration_ns = hint;
    }

    /// The times of all frames; `None` if there is no frame.
    pub(crate) fn finish(self) -> Result<Option<TimedVideo>, Error> {
        let Some(&first_ns) = self.shown_ns.first() else { return Ok(None) };
        let found = cadence::find(&self.shown_ns, self.scale_ns, self.default_duration_ns);
        match found.and_then(|found| Some((found.deltas()?, found))) {
            Some((deltas, found)) => self.on_cadence(&found, deltas),
            None => self.as_recorded(first_ns),
        }
        .map(Some)
    }

    fn on_cadence(&self, found: &OnCadence, deltas: Runs<u32>) -> Result<TimedVideo, Error> {
        let shown = if self.place.is_empty() { Vec::new() } else { found.ticks().collect() };
        let times = self.tables(found.cadence.timescale, found.start_ns, &shown, deltas)?;
        Ok(TimedVideo { times, cadence: found.moved.then_some(found.cadence), spread: 0 })
    }

    fn as_recorded(&self, first_ns: i64) -> Result<TimedVideo, Error> {
        let longest_ns = cadence::longest_step(&self.shown_ns).max(self.frame_ns);
        let fits = |timescale: &u32| ns_to_ticks(longest_ns, *timescale) <= i64::from(u32::MAX);
        let timescale = TIMESCALES.into_iter().find(fits).ok_or_else(|| {
            let found_s = longest_ns / 1_000_000_000;
            let reason = format!("expected gaps below 49 days, found one of {found_s} s");
            Error::new(ErrorKind::TimeOutOfRange { reason })
        })?;
        let ticks = |ns: &i64| ns_to_ticks(ns.saturating_sub(first_ns), timescale);
        let mut shown: Vec<i64> = self.shown_ns.iter().map(ticks).collect();
        let spread = spread_collisions(&mut shown);
        let mut deltas = Runs::default();
        for (shown, next) in shown.iter().zip(shown.iter().skip(1)) {
            deltas.push(1, u32::try_from(next.saturating_sub(*shown)).map_err(|_| too_long())?);
        }
        let last = ns_to_ticks(self.frame_ns, timescale).max(1);
        deltas.push(1, u32::try_from(last).map_err(|_| too_long())?);
        let times = self.tables(timescale, first_ns, &shown, deltas)?;
        Ok(TimedVideo { times, cadence: None, spread })
    }

    /// The tables of frames that are shown at `shown`, in presentation order, if any is not in decode order.
    fn tables(
        &self,
        timescale: u32,
        start_ns: i64,
        shown: &[i64],
        deltas: Runs<u32>,
    ) -> Result<TrackTimes, Error> {
        let shown_at = |place: &u32| shown.get(*place as usize).copied().unwrap_or(0);
        let ahead = |(decoded, place): (&i64, &u32)| decoded.saturating_sub(shown_at(place));
        let delay = shown.iter().zip(&self.place).map(ahead).max().unwrap_or(0);
        let mut offsets = Runs::default();
        // Frames that are shown in the order in which they are decoded are shown when they are decoded.
        if delay > 0 {
            for (&decoded, place) in shown.iter().zip(&self.place) {
                let offset = shown_at(place).saturating_add(delay).saturating_sub(decoded);
                offsets.push(1, u32::try_from(offset).map_err(|_| too_long())?);
            }
        }
        let duration = deltas.sum();
        Ok(TrackTimes {
            timescale,
            start_ns,
            composition_delay: u64::try_from(delay).unwrap_or(0),
            duration,
            played: duration,
            deltas,
            offsets,
        })
    }
}

fn too_long() -> Error {
    let reason = "expected a frame that lasts below 2^32 ticks of the media timescale".into();
    Error::new(ErrorKind::TimeOutOfRange { reason })
}

/// Makes times increase strictly: one that does not is a tick behind the one before it. Answers how many there were.
fn spread_collisions(ticks: &mut [i64]) -> u64 {
    let mut spread = 0_u64;
    let mut last = None::<i64>;
    for tick in ticks {
        if let Some(last) = last
            && *tick <= last
        {
            *tick = last.saturating_add(1);
            spread = spread.saturating_add(1);
        }
        last = Some(*tick);
    }
    spread
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::frame_table::FrameFlags;

    const MS: i64 = 1_000_000;

    /// How long a frame of these times, in milliseconds, is taken to last.
    fn usual_step(times_ms: &[i64]) -> Option<i64> {
        let sample = |time_ms: &i64| Sample {
            time_ns: time_ms * MS,
            len: 1,
            offset: 0,
            first_nal: 0,
            nals: 0,
            flags: FrameFlags::SYNC,
        };
        let mut frames = Presentation::default();
        frames.sort(&times_ms.iter().map(sample).collect::<Vec<_>>()).unwrap();
        frames.usual_step(MS)
    }

    #[test]
    fn a_frame_lasts_as_long_as_most_do() {
        assert_eq!(usual_step(&[0, 33, 67, 100]), Some(33_333_333), "the rounding is undone");
        assert_eq!(usual_step(&[0, 100, 33, 67]), Some(33_333_333), "in any order");
        assert_eq!(usual_step(&[0, 33, 67, 1100, 1133]), Some(34 * MS), "a hole, of 33 33 34 1033");
        assert_eq!(usual_step(&[0, 1000, 2000, 2001, 3001]), Some(1000 * MS), "one frame twice");
        assert_eq!(usual_step(&[7]), None);
    }
}
