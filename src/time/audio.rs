//! Decode times of audio: the codec's frames follow each other by their length.
//!
//! Block timestamps are rounded to milliseconds and stamped by a clock that is not the microphone's; the length of a
//! codec frame is exact. So a frame follows the one before it, whatever its block's time, as long as nothing tells
//! otherwise:
//!
//! | a block that is off by more than the tolerance | is taken for | and its frame |
//! |---|---|---|
//! | and one of the next is not | jitter of its arrival | follows |
//! | late, as all of the next | a hole, or clocks that have drifted apart | is set to its block's time: another run |
//! | early by less than a frame, as all of the next | clocks that have drifted apart | the same; the frame before it is shortened |
//! | early by more, or PCM, which cannot be shortened | sound that overlaps what is there | follows, later than its block |
//!
//! **The tolerance** is three quarters of a frame. A frame that was lost is then always seen, because the next is off
//! by a whole one; and jitter of up to three quarters of a frame is not taken for a loss. It is at most 40 ms, which is
//! what EBU R37 allows sound to be ahead of the picture, and at least two ticks of the source's clock, below which
//! there is nothing but rounding.

use crate::error::Error;
use crate::number::FragmentName;
use crate::time::audio_run::AudioRuns;
use crate::time::holes::Hole;
use crate::time::input::{AudioFrame, Sound};
use crate::time::rounding::{FirstRun, first_phases};
use crate::time::runs::Runs;
use crate::time::track_times::TrackTimes;
use crate::time::units::{MediaTicks, Nanos, TickClock, Timescale};

/// EBU R37: sound no more than 40 ms ahead of the picture.
const MAX_TOLERANCE: Nanos = Nanos::from_millis(40);

/// How many of the next frames are looked at where one is off its block.
const LOOKAHEAD: usize = 64;

/// The sound of a fragment, and where the fragment is on the clip's timeline.
#[derive(Debug)]
pub(crate) struct PlacedSound<'a> {
    pub(crate) name: &'a FragmentName,
    pub(crate) sound: Sound<'a>,
    pub(crate) tick: Nanos,
    pub(crate) base: Nanos,
    /// By how much the pictures of the fragment were moved after each step back of its clock, all steps together.
    pub(crate) steps: Vec<Nanos>,
    /// How long nothing is there in front of the fragment, or by how much it was moved: a hole that is no surprise.
    pub(crate) hole: Option<Nanos>,
}

/// The times of the track, and what the report states of them.
pub(crate) struct TimedAudio {
    pub(crate) times: TrackTimes,
    /// How much later than recorded the pictures must be for both tracks to have one origin.
    pub(crate) video_phase: Nanos,
    pub(crate) reanchors: Vec<Reanchors>,
    /// The largest tolerance that was in force.
    pub(crate) tolerance: Nanos,
    /// How much later than their blocks frames are that overlap, at most.
    pub(crate) late: Nanos,
    /// How far any frame is off its block.
    pub(crate) most_off: Nanos,
    /// Half of the largest tick of the source's clock: what rounding explains.
    pub(crate) half_tick: Nanos,
}

/// Frames of a fragment that were set to their blocks' times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reanchors {
    /// Place of the fragment in the clip.
    pub(crate) fragment: usize,
    /// When the sound before the first of them ends.
    pub(crate) at: Nanos,
    /// How many there are, other than behind a gap of the clip.
    pub(crate) times: u64,
    /// The longest hole in front of one, beside the gaps of the clip.
    pub(crate) hole: Option<Hole>,
}

/// Places audio frames one by one.
struct Placer<'a> {
    sounds: &'a [PlacedSound<'a>],
    timescale: Timescale,
    tick: Nanos,
    /// How much of the first sound is not presented.
    priming: MediaTicks,
    video: Option<FirstRun>,
    video_phase: Nanos,
    runs: Option<AudioRuns>,
    is_first_run: bool,
    /// The sound is later than its blocks because it overlaps.
    is_behind: bool,
    /// So many of the next frames are known to be off by jitter.
    jitter: usize,
    /// How far frames were off by jitter, at most.
    jitter_so_far: Nanos,
    reanchors: Vec<Reanchors>,
    tolerance: Nanos,
    late: Nanos,
}

/// Where in the sound a frame is.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// Of its fragment in the clip.
    fragment: usize,
    /// Where times count from.
    base: Nanos,
    /// The sound of the fragment after it.
    after: Sound<'a>,
    frame: AudioFrame,
    /// It cannot be shortened.
    is_pcm: bool,
    tolerance: Nanos,
    /// A hole in front of it that is no surprise.
    hole: Option<Nanos>,
}

/// The times of the sound of a clip. `None` if there is none.
pub(crate) fn times(
    sounds: &[PlacedSound<'_>],
    timescale: Timescale,
    video: Option<FirstRun>,
) -> Result<Option<TimedAudio>, Error> {
    let priming = sounds.iter().find(|placed| !placed.sound.is_empty());
    let mut placer = Placer {
        sounds,
        timescale,
        tick: sounds.iter().map(|placed| placed.tick).max().unwrap_or_default(),
        priming: timescale.ticks(priming.map_or(Nanos::ZERO, |placed| placed.sound.codec_delay)),
        video,
        video_phase: Nanos::ZERO,
        runs: None,
        is_first_run: true,
        is_behind: false,
        jitter: 0,
        jitter_so_far: Nanos::ZERO,
        reanchors: Vec::new(),
        tolerance: Nanos::ZERO,
        late: Nanos::ZERO,
    };
    for (fragment, placed) in sounds.iter().enumerate() {
        placer.add(fragment, placed).map_err(|error| error.in_fragment(placed.name.clone()))?;
    }
    placer.finish()
}

/// How far a frame may be off its block.
fn tolerance(frame: AudioFrame, timescale: Timescale, tick: Nanos) -> Nanos {
    let three_quarters = (timescale.nanos(frame.length().into()) * 3).divided_by(4);
    three_quarters.min(MAX_TOLERANCE).max(tick * 2)
}

impl<'a> Placer<'a> {
    /// Adds the sound of a fragment.
    fn add(&mut self, fragment: usize, placed: &'a PlacedSound<'a>) -> Result<(), Error> {
        let divisor = placed.sound.sampling_rate().checked_div(self.timescale.get()).unwrap_or(1).max(1);
        let (mut base, mut steps) = (placed.base, placed.steps.as_slice());
        let mut hole = placed.hole;
        let mut left = placed.sound;
        while let Some((frame, alike)) = left.alike() {
            let ticks = frame.ticks.checked_div(divisor).unwrap_or(frame.ticks);
            let frame = AudioFrame { ticks, ..frame };
            let tolerance = tolerance(frame, self.timescale, placed.tick);
            self.tolerance = self.tolerance.max(tolerance);
            let end = left.len().saturating_sub(alike);
            while left.len() > end {
                let frames_left = left.len().saturating_sub(end);
                let times = left.take(frames_left).times().map(|time| time.map(|time| time + base));
                let followed = self.runs.as_mut().map_or(0, |runs| runs.follow(frame, times, tolerance));
                left = left.skip(followed);
                if followed > 0 {
                    (hole, self.is_behind) = (None, false);
                }
                if left.len() <= end {
                    break;
                }
                let time = left.times().next().flatten().map(|time| time + base);
                let after = left.skip(1);
                let is_pcm = left.is_pcm();
                let place = Place { fragment, base, after, frame, is_pcm, tolerance, hole };
                if let Some(count) = self.steps_back(time, place, steps) {
                    let (taken, later) = steps.split_at_checked(count).unwrap_or_default();
                    base = placed.base + taken.last().copied().unwrap_or_default();
                    steps = later;
                    continue;
                }
                self.place(time, place)?;
                (left, hole) = (after, None);
            }
        }
        Ok(())
    }

    /// How many steps back of the fragment's clock there are up to one that explains that a frame is early. What
    /// follows is moved with the pictures.
    fn steps_back(&self, time: Option<Nanos>, place: Place<'_>, steps: &[Nanos]) -> Option<usize> {
        let early = self.runs.as_ref()?.end() - time?;
        let base = self.sounds.get(place.fragment)?.base;
        let explains = |step: &Nanos| (base + *step - place.base - early).abs() <= place.tolerance;
        let index = steps.iter().position(explains).filter(|_| early > Nanos::ZERO)?;
        Some(index.saturating_add(1))
    }

    /// Places a frame that does not follow, or the first.
    fn place(&mut self, time: Option<Nanos>, place: Place<'_>) -> Result<(), Error> {
        let Place { frame, tolerance, .. } = place;
        let Some(runs) = &mut self.runs else {
            let time = time.unwrap_or(place.base);
            let start = time + self.least_jitter(time, place);
            self.runs = Some(AudioRuns::new(self.timescale, self.tick, start, frame, time - start));
            return Ok(());
        };
        let end = runs.end();
        let time = time.unwrap_or(end);
        let off = time - end;
        if self.jitter > 0 || (self.is_behind && off < Nanos::ZERO) {
            self.jitter = self.jitter.saturating_sub(1);
            if self.is_behind {
                self.late = self.late.max(-off);
            }
            runs.lay(frame, off);
            return Ok(());
        }
        if place.hole.is_none()
            && let Some(more) = self.jitter_after(off, place)
        {
            self.jitter = more;
            self.jitter_so_far = self.jitter_so_far.max(off.abs());
            if let Some(runs) = &mut self.runs {
                runs.lay(frame, off);
            }
            return Ok(());
        }
        let length = self.timescale.nanos(frame.length().into());
        if off < Nanos::ZERO && (place.is_pcm || off <= -length) {
            self.is_behind = true;
            self.late = self.late.max(-off);
            if let Some(runs) = &mut self.runs {
                runs.lay(frame, off);
            }
            return Ok(());
        }
        self.is_behind = false;
        let start = if off > tolerance { time + self.least_jitter(time, place) } else { time };
        self.end_first_run();
        let Some(runs) = &mut self.runs else { return Ok(()) };
        let by = runs.begin(start, frame, time - start)?;
        let missing = by - place.hole.unwrap_or_default();
        let hole = (missing > length.max(self.tick)).then_some(Hole { at: end, duration: missing });
        self.record(place, end, hole);
        Ok(())
    }

    /// Records that a frame was set to its block's time.
    fn record(&mut self, place: Place<'_>, at: Nanos, hole: Option<Hole>) {
        let is_expected = place.hole.is_some();
        if is_expected && hole.is_none() {
            return;
        }
        let fragment = place.fragment;
        if self.reanchors.last().is_none_or(|last| last.fragment != fragment) {
            self.reanchors.push(Reanchors { fragment, at, times: 0, hole: None });
        }
        let Some(last) = self.reanchors.last_mut() else { return };
        last.times = last.times.saturating_add(u64::from(!is_expected));
        last.hole = last.hole.into_iter().chain(hole).max_by_key(|hole| hole.duration);
    }

    /// How many frames after one that is off are off by jitter too, before one that is not any more, if there is one
    /// among the next.
    fn jitter_after(&self, off: Nanos, place: Place<'_>) -> Option<usize> {
        let is_late = off > Nanos::ZERO;
        let end = self.runs.as_ref()?.end();
        // Clearly, and not by the rounding of its time.
        let near = place.tolerance - self.tick;
        let mut ahead = 0_usize;
        let returns = self
            .offs(end, place)
            .inspect(|_| ahead = ahead.saturating_add(1))
            .position(|next| if is_late { next <= near } else { next >= -near });
        // Shortly before the end, what was jitter so far still is.
        let is_usual = ahead < LOOKAHEAD && off.abs() <= self.jitter_so_far + place.tolerance;
        returns.or_else(|| (is_usual && self.jitter_so_far > Nanos::ZERO).then_some(0))
    }

    /// How much earlier than its block a run begins whose first block arrived late: as much as most of the next are
    /// early, if they are so steadily; a clock that drifts is another matter.
    fn least_jitter(&self, time: Nanos, place: Place<'_>) -> Nanos {
        let mut offs: Vec<Nanos> = self.offs(time, place).collect();
        if offs.len() < 8 || offs.iter().all(|off| *off >= -place.tolerance) {
            return Nanos::ZERO;
        }
        let middle = offs.len() / 2;
        let median = |offs: &mut [Nanos]| {
            let middle = offs.len() / 2;
            *offs.select_nth_unstable(middle).1
        };
        let (first, second) = offs.split_at_mut(middle);
        let drift = (median(first) - median(second)).abs();
        let early = median(&mut offs);
        if drift <= place.tolerance && early < -place.tolerance { early } else { Nanos::ZERO }
    }

    /// How far the blocks after a frame are off, if its frame starts at `start` and the next follow it: up to where
    /// nothing is there in front of a fragment.
    fn offs(&self, start: Nanos, place: Place<'_>) -> impl Iterator<Item = Nanos> {
        let later = self.sounds.get(place.fragment.saturating_add(1)..).unwrap_or_default();
        let later = later.iter().take_while(|placed| placed.hole.is_none());
        let later = later.flat_map(|placed| {
            placed.sound.frames().map(move |(time, frame)| (time.map(|time| time + placed.base), frame))
        });
        let here = place.after.frames().map(move |(time, frame)| (time.map(|time| time + place.base), frame));
        let mut due = TickClock::new(MediaTicks::ZERO, self.timescale);
        due.advance(place.frame.length());
        let divisor = place.after.sampling_rate().checked_div(self.timescale.get()).unwrap_or(1).max(1);
        here.chain(later).take(LOOKAHEAD).map(move |(time, frame)| {
            let expected = start + due.time();
            due.advance(frame.length().checked_div(divisor).unwrap_or(1));
            time.map_or(Nanos::ZERO, |time| time - expected)
        })
    }

    /// Settles where the first run is, now that it has ended.
    fn end_first_run(&mut self) {
        let Some(runs) = self.runs.as_mut().filter(|_| self.is_first_run) else { return };
        self.is_first_run = false;
        if let Some(rounding) = runs.first_rounding() {
            let presented = runs.start() + self.timescale.nanos(self.priming);
            let run = FirstRun { time: presented, rounding };
            let (video_phase, phase) = first_phases(self.video, run, self.tick);
            self.video_phase = video_phase;
            runs.set_first_phase(phase);
        }
    }

    fn finish(mut self) -> Result<Option<TimedAudio>, Error> {
        self.end_first_run();
        let Some(runs) = self.runs else { return Ok(None) };
        let table = runs.finish()?;
        let duration = table.deltas.sum();
        // Something is left to be heard.
        let skipped = if self.priming.unsigned() < duration { self.priming } else { MediaTicks::ZERO };
        let times = TrackTimes {
            timescale: self.timescale,
            start: table.start + self.timescale.nanos(skipped),
            composition_delay: MediaTicks::ZERO,
            skipped,
            duration,
            played: duration.saturating_sub(skipped.unsigned()),
            deltas: table.deltas,
            offsets: Runs::default(),
        };
        Ok(Some(TimedAudio {
            times,
            video_phase: self.video_phase,
            reanchors: self.reanchors,
            tolerance: self.tolerance,
            late: self.late,
            most_off: table.most_off,
            half_tick: self.tick.divided_by(2),
        }))
    }
}
