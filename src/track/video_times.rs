//! Decode and composition times of video (ISO/IEC 14496-12 sections 8.6.1.2 and 8.6.1.3).
//!
//! Matroska tells when a frame is shown, in the order in which frames are decoded. Decode times are derived: the
//! i-th frame to be decoded is decoded when the i-th frame to be shown is due, less a delay `D` that lets every
//! frame be decoded before it is shown. The delay does not stand in the table; the whole track is that much later,
//! and the edit list starts at `D`.

use crate::error::{Error, ErrorKind};
use crate::track::Sample;
use crate::track::cadence::{self, Cadence, ns_to_ticks};
use crate::track::runs::Runs;
use crate::track::timeline::{Span, TrackTimes};

/// A picture is at most this many frames later in decode order than in presentation order: the largest
/// `max_num_reorder_frames` of H.264 and `sps_max_num_reorder_pics` of H.265.
const MAX_REORDERED: usize = 16;

/// Media timescales to try where there is no exact cadence: that of MPEG-2 systems, in which a millisecond is whole;
/// and coarser ones, in which longer gaps fit an `stts` entry of 32 bits: 13 hours, 4 days, 49 days.
const TIMESCALES: [u32; 3] = [90_000, 10_000, 1000];

/// How long a frame is taken to last when nothing tells: the only one of a clip.
const LONE_FRAME_NS: i64 = 33_333_333;

/// The frames of one fragment in presentation order: time, and index in decode order.
pub(crate) type Presentation = Vec<(i64, u32)>;

/// Sorts the frames of a fragment by presentation time; of equal ones, the first to be decoded is the first.
///
/// Fails on the frame that is shown before more than 16 frames which are decoded before it.
pub(crate) fn presentation_order(samples: &[Sample], order: &mut Presentation) -> Result<(), Error> {
    order.clear();
    order.reserve(samples.len());
    for (index, sample) in samples.iter().enumerate() {
        let later = order.iter().rev().take(MAX_REORDERED.saturating_add(1));
        let later = later.take_while(|(time, _)| *time > sample.time_ns).count();
        if later > MAX_REORDERED {
            let reason = format!(
                "expected a frame that is shown before at most {MAX_REORDERED} frames decoded before it, found more"
            );
            return Err(ErrorKind::InvalidMediaFrame {
                time_ms: sample.time_ns.div_euclid(1_000_000),
                reason,
            }
            .into());
        }
        order.insert(order.len().saturating_sub(later), (sample.time_ns, index as u32));
    }
    Ok(())
}

/// Where the frames of a fragment begin and end. One lasts as long as the producer says, else the usual step.
pub(crate) fn span(
    order: &Presentation,
    frame_duration_ns: Option<i64>,
    scale_ns: i64,
    before: Option<i64>,
) -> Option<Span> {
    let (first_ns, last_ns) = (order.first()?.0, order.last()?.0);
    let known_ns =
        frame_duration_ns.or_else(|| usual_step(order, scale_ns)).filter(|&duration| duration > 0).or(before);
    let sample_ns = known_ns.unwrap_or(LONE_FRAME_NS);
    Some(Span { first_ns, last_ns, sample_ns, is_guess: known_ns.is_none() })
}

/// The mean step, which undoes the rounding of the single ones, unless a hole puts it off the median step.
fn usual_step(order: &Presentation, scale_ns: i64) -> Option<i64> {
    let mut steps: Vec<i64> =
        order.iter().zip(order.iter().skip(1)).map(|(a, b)| b.0.saturating_sub(a.0)).collect();
    let count = i64::try_from(steps.len()).ok()?;
    let mean = order.last()?.0.saturating_sub(order.first()?.0).checked_div(count)?;
    let middle = steps.len() / 2;
    let (_, &mut median, _) = steps.select_nth_unstable(middle);
    Some(if mean.abs_diff(median) < scale_ns.unsigned_abs() { mean } else { median })
}

/// Collects the frames of the clip, fragment by fragment, and gives them times.
#[derive(Debug, Default)]
pub(crate) struct VideoTimes {
    /// Presentation times on the clip's timeline in presentation order, in nanoseconds.
    shown_ns: Vec<i64>,
    /// For each frame in decode order, its place in presentation order.
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
        order: &Presentation,
        base_ns: i64,
        span: Span,
        scale_ns: i64,
        hint: Option<i64>,
    ) {
        let first = self.shown_ns.len();
        self.place.resize(first.saturating_add(order.len()), 0);
        for &(time_ns, decode_index) in order {
            let place = self.shown_ns.len() as u32;
            self.shown_ns.push(time_ns.saturating_add(base_ns));
            if let Some(entry) = self.place.get_mut(first.saturating_add(decode_index as usize)) {
                *entry = place;
            }
        }
        self.frame_ns = span.sample_ns;
        self.scale_ns = self.scale_ns.max(scale_ns);
        self.default_duration_ns = hint;
    }

    /// The times of all frames; `None` if there is no frame.
    pub(crate) fn finish(self) -> Result<Option<TimedVideo>, Error> {
        let Some(&first_ns) = self.shown_ns.first() else { return Ok(None) };
        let longest_step = self.longest_step();
        let on_cadence = cadence::find(&self.shown_ns, self.scale_ns, self.default_duration_ns)
            .filter(|found| fits(longest_step, found.cadence.timescale));
        let (timescale, start_ns, mut shown, last_delta, cadence) = match on_cadence {
            Some(found) => {
                let Cadence { timescale, frame_ticks } = found.cadence;
                (
                    timescale,
                    found.start_ns,
                    found.ticks,
                    i64::from(frame_ticks),
                    found.moved.then_some(found.cadence),
                )
            }
            None => {
                let timescale = TIMESCALES.into_iter().find(|&t| fits(longest_step, t)).ok_or_else(|| {
                    let reason = format!(
                        "expected gaps below 49 days, found one of {} s",
                        longest_step / 1_000_000_000
                    );
                    Error::new(ErrorKind::TimeOutOfRange { reason })
                })?;
                let ticks = |ns: &i64| ns_to_ticks(ns.saturating_sub(first_ns), timescale);
                let shown = self.shown_ns.iter().map(ticks).collect();
                (timescale, first_ns, shown, ns_to_ticks(self.frame_ns, timescale).max(1), None)
            }
        };
        let spread = spread_collisions(&mut shown);
        let times = self.tables(timescale, start_ns, &shown, last_delta)?;
        Ok(Some(TimedVideo { times, cadence, spread }))
    }

    fn tables(
        &self,
        timescale: u32,
        start_ns: i64,
        shown: &[i64],
        last_delta: i64,
    ) -> Result<TrackTimes, Error> {
        let too_long = || {
            let reason = "expected a frame that lasts below 2^32 ticks of the media timescale".into();
            Error::new(ErrorKind::TimeOutOfRange { reason })
        };
        let shown_at = |place: &u32| shown.get(*place as usize).copied().unwrap_or(0);
        let ahead = |(decoded, place): (&i64, &u32)| decoded.saturating_sub(shown_at(place));
        let delay = shown.iter().zip(&self.place).map(ahead).max().unwrap_or(0);
        let mut deltas = Runs::default();
        let mut offsets = Runs::default();
        // Frames that are shown in the order in which they are decoded are shown when they are decoded.
        let reordered = delay > 0;
        let ends = shown
            .iter()
            .skip(1)
            .copied()
            .chain([shown.last().map_or(0, |last| last.saturating_add(last_delta))]);
        let mut duration = 0_u64;
        for ((&decoded, end), place) in shown.iter().zip(ends).zip(&self.place) {
            let delta = u32::try_from(end.saturating_sub(decoded)).map_err(|_| too_long())?;
            duration = duration.saturating_add(u64::from(delta));
            deltas.push(1, delta);
            if reordered {
                let offset = shown_at(place).saturating_add(delay).saturating_sub(decoded);
                offsets.push(1, u32::try_from(offset).map_err(|_| too_long())?);
            }
        }
        Ok(TrackTimes {
            timescale,
            start_ns,
            composition_delay: u64::try_from(delay).unwrap_or(0),
            deltas,
            offsets,
            duration,
        })
    }

    fn longest_step(&self) -> i64 {
        let steps = self.shown_ns.iter().zip(self.shown_ns.iter().skip(1)).map(|(a, b)| b.saturating_sub(*a));
        steps.max().unwrap_or(0).max(self.frame_ns)
    }
}

/// Whether a step fits an `stts` entry.
fn fits(step_ns: i64, timescale: u32) -> bool {
    ns_to_ticks(step_ns, timescale) <= i64::from(u32::MAX)
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
