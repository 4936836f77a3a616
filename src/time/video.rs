//! Decode and composition times of video (ISO/IEC 14496-12 sections 8.6.1.2 and 8.6.1.3).
//!
//! Matroska holds when a frame is shown, in the order in which frames are decoded. Decode times are derived: the i-th
//! frame to be decoded is decoded when the i-th frame to be shown is due, less a delay `D` that lets every frame be
//! decoded before it is shown. The delay is not in the table; the whole track is that much later, and the edit list
//! starts at `D`.
//!
//! ```text
//! shown, decode order      0  160   80   40  120         D = max(sorted - shown) = 120 - 40 = 80
//! shown, sorted            0   40   80  120  160         the decode times, D later
//! ctts                    80  200   80    0   40         shown + D - sorted
//! ```

use crate::error::{Error, ErrorKind};
use crate::time::cadence::{self, Cadence, OnCadence};
use crate::time::order::PresentationOrder;
use crate::time::rounding::{FirstRun, Rounding};
use crate::time::runs::Runs;
use crate::time::track_times::TrackTimes;
use crate::time::units::{MediaTicks, Nanos, Timescale};

/// Media timescales to try where there is no exact cadence: that of MPEG-2 systems, in which a millisecond is whole;
/// and coarser ones, in which longer gaps fit an `stts` entry of 32 bits: 13 hours, 4 days, 49 days.
const TIMESCALES: [Timescale; 3] = [Timescale::new(90_000), Timescale::new(10_000), Timescale::new(1000)];

/// A longer distance of two frames does not fit an `stts` entry: 2^32 ticks of the coarsest timescale.
pub(crate) const LONGEST_STEP: Nanos = Nanos::from_millis(u32::MAX as i64);

/// The pictures of the clip, whose decode times are to be found.
#[derive(Debug)]
pub(crate) struct VideoTimes {
    order: PresentationOrder,
    /// How long a frame lasts: the last of all.
    frame: Nanos,
    tick: Nanos,
    /// The exact cadence of the frames, if there is one.
    cadence: Option<OnCadence>,
}

/// The times of the track, and what the report states of them.
pub(crate) struct TimedVideo {
    pub(crate) times: TrackTimes,
    /// When the first picture would be shown, decodable or not.
    pub(crate) first: Nanos,
    /// The cadence that times were set to.
    pub(crate) cadence: Option<Cadence>,
    /// Frames that were set apart from one of equal time.
    pub(crate) spread: u64,
    /// Leading pictures at the start that cannot be decoded.
    pub(crate) undecodable: u64,
}

impl VideoTimes {
    /// `frame` is how long the last fragment's frames last, `declared` how long the producer declares it, `tick` that
    /// of the source's clock.
    pub(crate) fn new(order: PresentationOrder, frame: Nanos, declared: Option<Nanos>, tick: Nanos) -> Self {
        let cadence = cadence::find(order.times(), tick, declared);
        Self { order, frame, tick, cadence }
    }

    /// The pictures up to the first gap. `None` if there are none.
    pub(crate) fn first_run(&self) -> Option<FirstRun> {
        let time = *self.order.times().first()?;
        let rounding = self.cadence.as_ref().map_or(Rounding::default(), |found| found.first_run);
        Some(FirstRun { time, rounding })
    }

    /// The times of all frames, the first of which is `phase` later than recorded; `None` if there is no frame.
    pub(crate) fn finish(self, phase: Nanos) -> Result<Option<TimedVideo>, Error> {
        let Some(&first) = self.order.times().first() else { return Ok(None) };
        let found = self.cadence.as_ref().and_then(|found| match found.start == first + phase {
            true => Some(found.clone()),
            false => found.with_phase(self.order.times(), self.tick, phase),
        });
        let with_deltas = found.and_then(|found| Some((found.deltas()?, found)));
        match with_deltas {
            Some((deltas, found)) => self.on_cadence(&found, deltas),
            None => self.as_recorded(first, phase),
        }
        .map(Some)
    }

    fn on_cadence(&self, found: &OnCadence, deltas: Runs<u32>) -> Result<TimedVideo, Error> {
        let cadence = found.moved.then_some(found.cadence);
        let tables =
            self.tables(found.cadence.timescale, found.start, &|| found.ticks().collect(), deltas)?;
        Ok(TimedVideo { cadence, ..tables })
    }

    fn as_recorded(&self, first: Nanos, phase: Nanos) -> Result<TimedVideo, Error> {
        let times = self.order.times();
        let longest = cadence::longest_step(times).max(self.frame);
        let timescale = TIMESCALES.into_iter().find(|scale| scale.ticks(longest).entry().is_some());
        let timescale = timescale.ok_or_else(|| {
            let reason = format!("expected gaps below 49 days, found one of {} s", longest.as_secs());
            Error::new(ErrorKind::TimeOutOfRange { reason })
        })?;
        let (spread, shown) = match self.is_coarser_than_frames() {
            true => spread_over_ticks(times, self.tick, |time| timescale.ticks(time - first)),
            false => spread_collisions(times, |time| timescale.ticks(time - first)),
        };
        let mut deltas = Runs::default();
        let mut last_delta = None;
        for (shown, next) in shown.iter().zip(shown.iter().skip(1)) {
            let delta = (*next - *shown).entry().ok_or_else(too_long)?;
            deltas.push(1, delta);
            last_delta = Some(delta);
        }
        // Where frames are spread over ticks, nothing tells how long the last one lasts but the one before it.
        let usual = timescale.ticks(self.frame).max(MediaTicks::ONE).entry().ok_or_else(too_long)?;
        let last = last_delta.filter(|_| self.is_coarser_than_frames()).unwrap_or(usual);
        deltas.push(1, last);
        let tables = self.tables(timescale, first + phase, &|| shown.clone(), deltas)?;
        Ok(TimedVideo { spread, ..tables })
    }

    /// Whether the source's clock ticks less often than there are frames.
    fn is_coarser_than_frames(&self) -> bool {
        self.frame < self.tick
    }

    /// The tables of frames that are shown at `shown`, in presentation order, which is asked for only if any frame is
    /// not in its place in decode order.
    fn tables(
        &self,
        timescale: Timescale,
        start: Nanos,
        shown: &dyn Fn() -> Vec<MediaTicks>,
        deltas: Runs<u32>,
    ) -> Result<TimedVideo, Error> {
        let places = self.order.places();
        let undecodable = self.order.undecodable();
        let shown = if places.is_empty() && undecodable == 0 { Vec::new() } else { shown() };
        let shown_at = |place: &u32| shown.get(*place as usize).copied().unwrap_or_default();
        let ahead = |(decoded, place): (&MediaTicks, &u32)| *decoded - shown_at(place);
        let delay = shown.iter().zip(&places).map(ahead).max().unwrap_or_default();
        let mut offsets = Runs::default();
        // Frames that are shown in the order in which they are decoded are shown when they are decoded.
        if delay > MediaTicks::ZERO {
            for (decoded, place) in shown.iter().zip(&places) {
                offsets.push(1, (shown_at(place) + delay - *decoded).entry().ok_or_else(too_long)?);
            }
        }
        let skipped = match undecodable {
            0 => MediaTicks::ZERO,
            count => shown.get(count).copied().unwrap_or_default(),
        };
        let duration = deltas.sum();
        let times = TrackTimes {
            timescale,
            start: start + timescale.nanos(skipped),
            composition_delay: delay,
            skipped,
            duration,
            played: duration.saturating_sub(skipped.unsigned()),
            deltas,
            offsets,
        };
        Ok(TimedVideo { times, first: start, cadence: None, spread: 0, undecodable: undecodable as u64 })
    }
}

fn too_long() -> Error {
    let reason = "expected a frame that lasts below 2^32 ticks of the media timescale".into();
    Error::new(ErrorKind::TimeOutOfRange { reason })
}

/// Times in ticks that increase strictly: one that does not is a tick after the one before it. Returns how many there
/// were, and the ticks.
fn spread_collisions(times: &[Nanos], ticks: impl Fn(Nanos) -> MediaTicks) -> (u64, Vec<MediaTicks>) {
    let mut spread = 0_u64;
    let mut last = None::<MediaTicks>;
    let increasing = times.iter().map(|time| {
        let mut tick = ticks(*time);
        if let Some(last) = last
            && tick <= last
        {
            tick = last + MediaTicks::ONE;
            spread = spread.saturating_add(1);
        }
        last = Some(tick);
        tick
    });
    let increasing = increasing.collect();
    (spread, increasing)
}

/// The same where a tick of the source holds several frames: they are spread over it evenly, which is as near to their
/// times as it gets.
fn spread_over_ticks(
    times: &[Nanos],
    tick: Nanos,
    ticks: impl Fn(Nanos) -> MediaTicks,
) -> (u64, Vec<MediaTicks>) {
    let mut even = Vec::with_capacity(times.len());
    let mut spread = 0_u64;
    for equal in times.chunk_by(|a, b| a == b) {
        let count = i64::try_from(equal.len()).unwrap_or(i64::MAX);
        even.extend((0..count).zip(equal).map(|(index, time)| *time + (tick * index).divided_by(count)));
        spread = spread.saturating_add(count.unsigned_abs().saturating_sub(1));
    }
    let (_, increasing) = spread_collisions(&even, ticks);
    (spread, increasing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_one_tick_are_spread_over_it() {
        let scale = Timescale::new(90_000);
        let times = [0, 0, 0, 1, 1, 3].map(Nanos::from_secs);
        let (spread, shown) = spread_over_ticks(&times, Nanos::from_secs(1), |time| scale.ticks(time));
        assert_eq!(spread, 3);
        assert_eq!(shown, [0, 30_000, 60_000, 90_000, 135_000, 270_000].map(MediaTicks::new));
        let (spread, shown) = spread_collisions(&times, |time| scale.ticks(time));
        assert_eq!(spread, 3);
        assert_eq!(shown, [0, 1, 2, 90_000, 90_001, 270_000].map(MediaTicks::new));
    }
}
