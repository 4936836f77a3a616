//! Where a fragment goes on from what is there: one rule for gaps, and for how long a frame lasts.
//!
//! * **A frame lasts** as long as the frames of its fragment are apart: the mean, which undoes the rounding of the
//!   single steps, unless a hole puts it off the median. What a producer declares (DefaultDuration, BlockDuration)
//!   counts where the steps agree with it. A frame that is alone lasts until the next.
//! * **A gap** is in front of a fragment if on every track that both sides have, more is missing than one frame and
//!   more than one tick of the source's clock. Less is jitter, or one frame lost.
//! * **A hole** is the same on one track while the other goes on.

use crate::named::named;
use crate::time::units::Nanos;

/// What becomes of time in which nothing was recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Gaps {
    /// It stays: the last picture before it is shown until the next, and there is no sound.
    #[default]
    Keep,
    /// The fragment after it follows at once.
    Close,
}

named!(Gaps, "what becomes of gaps", { Keep => "keep", Close => "close" });

/// How long a frame is taken to last when nothing tells: the only one of a clip.
const LONE_FRAME: Nanos = Nanos::new(33_333_333);

/// A longer duration is not believed of a frame that is alone: fragments of the service last 20 s at most.
const MAX_DECLARED: Nanos = Nanos::from_secs(20);

/// The frames of a fragment on one track, from the fragment's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first: Nanos,
    pub(crate) last: Nanos,
    /// The longest time from one to the next.
    pub(crate) longest_step: Nanos,
    /// How long a frame lasts.
    pub(crate) frame: Nanos,
    /// There is one frame only, and no step tells how long it lasts.
    pub(crate) is_guess: bool,
    /// What the producer declares.
    pub(crate) declared: Option<Nanos>,
}

/// Where a track ends so far, on the clip's timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TrackEnd {
    last: Nanos,
    frame: Nanos,
    is_guess: bool,
    declared: Option<Nanos>,
    /// Gaps of the clip since.
    gaps: Nanos,
}

/// What there is between a fragment and those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transition {
    /// Nothing, or less than a frame.
    Continues,
    /// Nothing was recorded for this long.
    Gap(Nanos),
    /// The pictures, or the sound of a fragment without pictures before it or in it, begin again by this much too
    /// early.
    Overlap(Nanos),
}

/// The fragments so far.
#[derive(Debug, Default)]
pub(crate) struct Continuity {
    pub(crate) video: Option<TrackEnd>,
    pub(crate) audio: Option<TrackEnd>,
}

impl Span {
    /// The span of pictures at these times, which do not decrease. `usual` is how long frames of the clip last so
    /// far.
    pub(crate) fn of_pictures(
        times: &[Nanos],
        declared: Option<Nanos>,
        tick: Nanos,
        usual: Option<Nanos>,
    ) -> Option<Self> {
        let (&first, &last) = (times.first()?, times.last()?);
        let declared = declared.filter(|&duration| duration > Nanos::ZERO);
        let (shortest_step, longest_step) = shortest_and_longest_step(times);
        let step = usual_step(times, tick, shortest_step, longest_step).filter(|&step| step > Nanos::ZERO);
        let believed = |step| declared.filter(|&declared| agrees(declared, step, tick)).unwrap_or(step);
        let known = step.or(usual).map(believed);
        let guess = declared.filter(|&declared| declared <= MAX_DECLARED).unwrap_or(LONE_FRAME);
        let (frame, is_guess) = (known.unwrap_or(guess), known.is_none());
        Some(Self { first, last, longest_step, frame, is_guess, declared })
    }

    /// The span of audio frames of this length, between the earliest and the latest.
    pub(crate) fn of_sound((first, last): (Nanos, Nanos), frame: Nanos) -> Self {
        Self { first, last, longest_step: frame, frame, is_guess: false, declared: None }
    }

    /// Where the track ends, if its fragment's start is at `base`.
    pub(crate) fn end_at(&self, base: Nanos) -> TrackEnd {
        let Self { last, frame, is_guess, declared, .. } = *self;
        TrackEnd { last: base + last, frame, is_guess, declared, gaps: Nanos::ZERO }
    }
}

/// The shortest and the longest time from one picture to the next.
fn shortest_and_longest_step(times: &[Nanos]) -> (Nanos, Nanos) {
    let steps = times.iter().zip(times.iter().skip(1)).map(|(a, b)| *b - *a);
    steps.fold((Nanos::MAX, Nanos::ZERO), |(least, most), step| (least.min(step), most.max(step)))
}

/// The mean step, which undoes the rounding of the single ones, unless a hole puts it off the median step.
fn usual_step(times: &[Nanos], tick: Nanos, shortest: Nanos, longest: Nanos) -> Option<Nanos> {
    let steps = || times.iter().zip(times.iter().skip(1)).map(|(a, b)| *b - *a);
    let count = times.len().checked_sub(1).filter(|&count| count > 0)?;
    let mean = (*times.last()? - *times.first()?).divided_by(i64::try_from(count).ok()?);
    // The median is near the mean if neither half of the steps is on one side of what is near.
    let (from, to) = (mean - tick, mean + tick);
    if shortest > from && longest < to {
        return Some(mean);
    }
    let (mut below, mut above) = (0_usize, 0_usize);
    for step in steps() {
        below = below.saturating_add(usize::from(step <= from));
        above = above.saturating_add(usize::from(step >= to));
    }
    let middle = count / 2;
    if below <= middle && above < count.saturating_sub(middle) {
        return Some(mean);
    }
    let mut steps: Vec<Nanos> = steps().collect();
    let (_, &mut median, _) = steps.select_nth_unstable(middle);
    Some(median)
}

/// Whether frames that are a step apart can last as long as declared: two thirds of the step to one and a half. Half of
/// it is the duration of a field, twice of it that of frames of which every other one was left out.
fn agrees(declared: Nanos, step: Nanos, tick: Nanos) -> bool {
    let is_near = declared * 3 >= step * 2 && declared * 2 <= step * 3;
    is_near || (declared - step).abs() <= tick
}

impl TrackEnd {
    /// How long the frames of the track last, if that is known.
    pub(crate) fn usual(&self) -> Option<Nanos> {
        (!self.is_guess).then_some(self.frame)
    }

    /// When the last frame starts.
    pub(crate) fn last(&self) -> Nanos {
        self.last
    }

    /// When the last frame ends.
    pub(crate) fn end(&self) -> Nanos {
        self.last + self.frame
    }

    /// Learns from the next frames, the first of them at `next`: a frame that was alone so far lasts as long as those
    /// do; if that one is alone too, until it.
    fn learn(&mut self, next: Nanos, span: &mut Span) {
        let step = if span.is_guess { next - self.last } else { span.frame };
        if self.is_guess && step > Nanos::ZERO {
            (self.frame, self.is_guess) = (step, false);
            (span.frame, span.is_guess) = (step, false);
        }
    }

    /// How much is missing up to `next`, where the track goes on. Nothing, where the last frame was declared to last
    /// until then.
    fn missing(&self, next: Nanos, tick: Nanos) -> Nanos {
        let is_declared = self.declared.is_some_and(|declared| (self.last + declared - next).abs() <= tick);
        if is_declared { Nanos::ZERO } else { next - self.end() }
    }

    /// Whether it is more than a frame, and more than rounding.
    fn is_gap(&self, missing: Nanos, tick: Nanos) -> bool {
        missing > self.frame.max(tick)
    }

    /// How long nothing is there up to `next`, where the track goes on, beside the gaps of the clip.
    pub(crate) fn hole(&self, next: Nanos, tick: Nanos) -> Option<Nanos> {
        let missing = self.missing(next, tick) - self.gaps;
        self.is_gap(missing, tick).then_some(missing)
    }
}

impl Continuity {
    /// What is between what is there and a fragment whose start is at `base`.
    ///
    /// Whether pictures overlap is for the [order](crate::time::order) of pictures to say.
    pub(crate) fn transition(
        &mut self,
        tick: Nanos,
        base: Nanos,
        video: &mut Option<Span>,
        audio: Option<Span>,
    ) -> Transition {
        if let (Some(end), Some(span)) = (&mut self.video, video.as_mut()) {
            end.learn(base + span.first, span);
        }
        let tracks = [(self.video, *video), (self.audio, audio)];
        let pairs = || tracks.iter().filter_map(|&(end, span)| Some((end?, base + span?.first)));
        if (self.video.is_none() || video.is_none())
            && let Some(by) = self.early_sound(base, audio)
        {
            return Transition::Overlap(by);
        }
        let missing = || pairs().map(|(end, next)| end.missing(next, tick));
        let is_gap = pairs().all(|(end, next)| end.is_gap(end.missing(next, tick), tick));
        match missing().min().filter(|_| is_gap) {
            Some(gap) => Transition::Gap(gap),
            None => Transition::Continues,
        }
    }

    /// How much too early the sound of a fragment at `base` is, if that is more than a frame.
    pub(crate) fn early_sound(&self, base: Nanos, sound: Option<Span>) -> Option<Nanos> {
        let end = self.audio?;
        let early = end.end() - (base + sound?.first);
        (early > end.frame).then_some(early)
    }

    /// Notes a gap of the clip in front of the fragment that comes next.
    pub(crate) fn add_gap(&mut self, gap: Nanos) {
        for end in [&mut self.video, &mut self.audio].into_iter().flatten() {
            end.gaps += gap;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;
    const TICK: Nanos = Nanos::from_millis(1);

    fn millis(times: &[i64]) -> Vec<Nanos> {
        times.iter().copied().map(Nanos::from_millis).collect()
    }

    #[test]
    fn a_frame_lasts_as_long_as_most_do() {
        let step = |times: &[i64]| {
            let (shortest, longest) = shortest_and_longest_step(&millis(times));
            usual_step(&millis(times), TICK, shortest, longest).map(Nanos::get)
        };
        assert_eq!(step(&[0, 33, 67, 100]), Some(33_333_333), "the rounding is undone");
        assert_eq!(step(&[0, 33, 67, 1100, 1133]), Some(34 * MS), "a hole, of 33 33 34 1033");
        assert_eq!(step(&[0, 1000, 2000, 2001, 3001]), Some(1000 * MS), "one frame twice");
        assert_eq!(step(&[7]), None);
    }

    fn frame_ms(times: &[i64], declared: Option<Nanos>, usual: Option<i64>) -> f64 {
        let span = Span::of_pictures(&millis(times), declared, TICK, usual.map(Nanos::from_millis)).unwrap();
        span.frame.get() as f64 / 1e6
    }

    /// RFC 9559 sections 5.1.4.1.13 and 5.1.3.5.3, and what producers make of them: a field's duration, the default of
    /// a muxer, microseconds for nanoseconds, an hour.
    #[test]
    fn a_declared_duration_counts_where_the_steps_agree() {
        let times = [4, 30, 69, 96, 136, 167];
        let lasts = |declared_ns| frame_ms(&times, Some(Nanos::new(declared_ns)), None);
        for declared_ns in [11_111, 15_500_000, 62_000_000, 3_600_000_000_000, i64::MAX] {
            assert_eq!(lasts(declared_ns), 31.0, "{declared_ns}: the median of 26, 39, 27, 40 and 31");
        }
        assert_eq!([lasts(33_333_333), lasts(40_000_000)], [33.333333, 40.0]);
        let lone = |declared_ms, usual| frame_ms(&[0], Some(Nanos::from_millis(declared_ms)), usual);
        assert_eq!([lone(40, None), lone(40, Some(42)), lone(40, Some(1000))], [40.0, 40.0, 1000.0]);
        assert_eq!(lone(21_000, None), 33.333333, "longer than a fragment of the service");
    }

    fn transition(continuity: &mut Continuity, tick: Nanos, video: &[i64], audio: &[i64]) -> Transition {
        let usual = continuity.video.and_then(|end| end.usual());
        let mut video = Span::of_pictures(&millis(video), None, tick, usual);
        let ends = audio.iter().min().zip(audio.iter().max());
        let audio = ends.map(|(first, last)| {
            let ends = (Nanos::from_millis(*first), Nanos::from_millis(*last));
            Span::of_sound(ends, Nanos::from_millis(20))
        });
        let transition = continuity.transition(tick, Nanos::ZERO, &mut video, audio);
        continuity.video = video.map(|span| span.end_at(Nanos::ZERO)).or(continuity.video);
        continuity.audio = audio.map(|span| span.end_at(Nanos::ZERO)).or(continuity.audio);
        transition
    }

    #[test]
    fn a_gap_is_longer_than_a_frame_on_every_track() {
        let gap = |video: i64, audio: i64, tick| {
            let mut continuity = Continuity::default();
            transition(&mut continuity, tick, &[0, 40, 80], &[0, 20, 40, 60, 80]);
            transition(&mut continuity, tick, &[video, video + 40], &[audio, audio + 20])
        };
        // The pictures end at 120, the sound at 100.
        assert_eq!(gap(160, 160, TICK), Transition::Continues, "one picture lost");
        assert_eq!(gap(161, 161, TICK), Transition::Gap(Nanos::from_millis(41)));
        assert_eq!(gap(161, 100, TICK), Transition::Continues, "the sound goes on");
        assert_eq!(gap(120, 500, TICK), Transition::Continues, "the pictures go on");
        assert_eq!(gap(500, 500, Nanos::from_secs(1)), Transition::Continues, "within a tick");
        assert_eq!(gap(120, 10, TICK), Transition::Continues, "sound that is early moves no picture");
    }

    #[test]
    fn sound_without_pictures_can_overlap() {
        let mut continuity = Continuity::default();
        transition(&mut continuity, TICK, &[], &[0, 20, 40]);
        assert_eq!(transition(&mut continuity, TICK, &[], &[40, 60]), Transition::Continues, "jitter");
        assert_eq!(transition(&mut continuity, TICK, &[], &[0]), Transition::Overlap(Nanos::from_millis(80)));
    }

    #[test]
    fn frames_that_are_alone_last_until_the_next() {
        let mut continuity = Continuity::default();
        for time in [0, 1000, 2000] {
            assert_eq!(transition(&mut continuity, TICK, &[time], &[]), Transition::Continues, "{time}");
        }
        let gap = Transition::Gap(Nanos::from_millis(5000 - 3000));
        assert_eq!(transition(&mut continuity, TICK, &[5000], &[]), gap);
    }

    #[test]
    fn a_picture_that_was_declared_to_last_until_the_next_leaves_no_gap() {
        let times = millis(&[0, 40, 80]);
        let ends = |declared| {
            let span = Span::of_pictures(&times, Some(Nanos::from_millis(declared)), TICK, None).unwrap();
            assert_eq!(span.frame, Nanos::from_millis(40));
            span.end_at(Nanos::ZERO)
        };
        let next = Nanos::from_millis(580);
        assert_eq!(ends(500).hole(next, TICK), None);
        assert_eq!(ends(400).hole(next, TICK), Some(Nanos::from_millis(460)));
    }

    #[test]
    fn a_hole_is_what_is_missing_beside_the_gaps() {
        let span = Span::of_pictures(&millis(&[0, 40, 80]), None, TICK, None).unwrap();
        let mut continuity = Continuity { video: Some(span.end_at(Nanos::ZERO)), audio: None };
        continuity.add_gap(Nanos::from_secs(3));
        let hole = |next_ms| continuity.video.unwrap().hole(Nanos::from_millis(next_ms), TICK);
        assert_eq!([hole(3120), hole(3160)], [None, None]);
        assert_eq!(hole(5120), Some(Nanos::from_secs(2)));
    }
}
