//! [`Timeline`]: when each fragment and each sample is due in the clip.
//!
//! The input time of a frame is its fragment's start by the producer's clock and the block's offset in its Cluster.
//! From there:
//!
//! 1. A fragment that overlaps is moved, all its tracks together, by the least amount that puts it one sample
//!    duration behind what is there. It overlaps when on some track its first frame is not later than that track's
//!    last so far: fragments of two sessions, a clock that was set back or that starts at 0 again. Less than a frame
//!    too close is no overlap; the sample in front is shortened.
//! 2. A gap stays, or is closed, as the caller wants: [`Gaps`].
//! 3. The frames get decode times: [`video`](super::video), [`audio`](super::audio).
//!
//! Points in time are rounded, never durations, so nothing adds up.

use crate::codec::AudioConfig;
use crate::error::Error;
use crate::named::named;
use crate::plan::{FragmentSamples, LeadingRun, PlannedFragment, Sample, SampleDescription};
use crate::report::Event;
use crate::time::TrackTimes;
use crate::time::audio::{AudioFrame, AudioTimes};
use crate::time::continuity::Span;
use crate::time::units::ticks_to_ns;
use crate::time::video::{Presentation, VideoTimes};

/// What becomes of time in which nothing was recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Gaps {
    /// It stays: the last picture in front of it is shown until the next, and there is no sound.
    #[default]
    Keep,
    /// The fragment behind it follows at once.
    Close,
}

named!(Gaps, "what becomes of gaps", { Keep => "keep", Close => "close" });

/// The times of all tracks.
#[derive(Debug)]
pub(crate) struct Timeline {
    pub(crate) video: Option<TrackTimes>,
    pub(crate) audio: Option<TrackTimes>,
    /// When the first frame of each fragment is shown, in nanoseconds on the clip's timeline.
    pub(crate) fragment_starts_ns: Vec<i64>,
    pub(crate) events: Vec<Event>,
}

/// Where a track is: the last frame so far, by its block, on the clip's timeline.
#[derive(Debug, Clone, Copy)]
struct Reached {
    last_ns: i64,
    sample_ns: i64,
    is_guess: bool,
}

/// Where a fragment is put.
struct Placement {
    /// From its own times to the clip's timeline.
    base_ns: i64,
    behind_gap: bool,
}

impl Timeline {
    /// Times for the first fragments of a plan.
    pub(crate) fn new(run: LeadingRun<'_>, gaps: Gaps) -> Result<Self, Error> {
        Builder::new(run, gaps).build()
    }

    /// How long the clip plays, in nanoseconds.
    pub(crate) fn duration_ns(&self) -> u64 {
        let tracks = self.video.iter().chain(&self.audio);
        let ends = tracks.map(TrackTimes::end_ns);
        u64::try_from(ends.max().unwrap_or(0)).unwrap_or(0)
    }
}

struct Builder<'a> {
    run: LeadingRun<'a>,
    gaps: Gaps,
    video: VideoTimes,
    audio: AudioTimes,
    video_reached: Option<Reached>,
    audio_reached: Option<Reached>,
    /// How much earlier everything is because of gaps that were closed.
    closed_ns: i64,
    fragment_starts_ns: Vec<i64>,
    events: Vec<Event>,
}

impl<'a> Builder<'a> {
    fn new(run: LeadingRun<'a>, gaps: Gaps) -> Self {
        Self {
            run,
            gaps,
            video: VideoTimes::default(),
            audio: AudioTimes::new(audio_timescale(run)),
            video_reached: None,
            audio_reached: None,
            closed_ns: 0,
            fragment_starts_ns: Vec::with_capacity(run.fragments.len()),
            events: Vec::new(),
        }
    }

    fn build(mut self) -> Result<Timeline, Error> {
        let origin_ns = self.run.fragments.first().map_or(0, |fragment| fragment.start_ns);
        let mut order = Presentation::default();
        for fragment in self.run.fragments {
            self.add(fragment, origin_ns, &mut order)
                .map_err(|error| error.in_fragment(fragment.name.clone()))?;
        }
        self.finish()
    }

    fn add(
        &mut self,
        fragment: &PlannedFragment,
        origin_ns: i64,
        order: &mut Presentation,
    ) -> Result<(), Error> {
        let PlannedFragment { video, audio, .. } = fragment;
        let scale_ns = fragment.timestamp_scale_ns;
        order.sort(&video.samples).map_err(|error| error.on_track(self.run.video.track.number))?;
        let recorded_ns = fragment.start_ns.saturating_sub(origin_ns).saturating_sub(self.closed_ns);
        let usual_ns =
            self.video_reached.filter(|reached| !reached.is_guess).map(|reached| reached.sample_ns);
        let mut video_span = order.span(video.frame_duration_ns, scale_ns, usual_ns);
        self.learn_step(recorded_ns, &mut video_span);
        let audio_span = self.audio_span(audio);
        let placement = self.place(fragment, recorded_ns, video_span, audio_span, audio);
        let first_ns = [video_span, audio_span].into_iter().flatten().map(|span| span.first_ns).min();
        self.fragment_starts_ns.push(placement.base_ns.saturating_add(first_ns.unwrap_or(0)));
        if let Some(span) = video_span {
            self.audio.not_before(span.first_ns.saturating_add(placement.base_ns));
            self.video.push(order, placement.base_ns, span, scale_ns, video.frame_duration_ns);
            self.video_reached = Some(span.reached(placement.base_ns));
        }
        if let Some(span) = audio_span {
            self.audio_reached = Some(span.reached(placement.base_ns));
        }
        self.add_audio(audio, &placement, scale_ns)
            .map_err(|error| error.on_track(self.run.audio.track.number))
    }

    /// A frame that was alone so far lasts as long as those of the next fragment do; if that one is alone too, until
    /// it.
    fn learn_step(&mut self, recorded_ns: i64, span: &mut Option<Span>) {
        let (Some(reached), Some(span)) = (&mut self.video_reached, span) else { return };
        let until_this_ns = recorded_ns.saturating_add(span.first_ns).saturating_sub(reached.last_ns);
        let step_ns = if span.is_guess { until_this_ns } else { span.sample_ns };
        if reached.is_guess && step_ns > 0 {
            (reached.sample_ns, reached.is_guess) = (step_ns, false);
            (span.sample_ns, span.is_guess) = (step_ns, false);
        }
    }

    /// Decides where a fragment goes that was recorded `recorded_ns` behind the start of the clip.
    fn place(
        &mut self,
        fragment: &PlannedFragment,
        recorded_ns: i64,
        video: Option<Span>,
        audio: Option<Span>,
        samples: &FragmentSamples,
    ) -> Placement {
        let tracks = [(video, self.video_reached), (audio, self.audio_reached)];
        let pairs = || tracks.iter().filter_map(|&(span, reached)| Some((span?, reached?)));
        let overlaps = pairs().filter_map(|(span, reached)| {
            let first_ns = recorded_ns.saturating_add(span.first_ns);
            let is_overlap = first_ns <= reached.last_ns;
            is_overlap.then(|| reached.end_ns().saturating_sub(first_ns))
        });
        let moved_ns = overlaps.chain(self.pcm_overlap(recorded_ns, audio, samples, fragment)).max();
        if let Some(by_ns) = moved_ns.filter(|&by_ns| by_ns > 0) {
            self.events.push(Event::Moved { fragment: fragment.name.clone(), by_ns });
            return Placement { base_ns: recorded_ns.saturating_add(by_ns), behind_gap: true };
        }
        // It is a gap if on every track more is missing than one sample: less is jitter, or one frame lost.
        let missing = || {
            pairs().map(|(span, reached)| {
                let missing_ns = recorded_ns.saturating_add(span.first_ns).saturating_sub(reached.end_ns());
                (missing_ns, missing_ns > reached.sample_ns)
            })
        };
        let gap_ns =
            missing().map(|(missing_ns, _)| missing_ns).min().filter(|_| missing().all(|(_, is_gap)| is_gap));
        let Some(gap_ns) = gap_ns else { return Placement { base_ns: recorded_ns, behind_gap: false } };
        let closed = self.gaps == Gaps::Close;
        let duration_ns = gap_ns.unsigned_abs();
        self.events.push(Event::Gap { fragment: fragment.name.clone(), duration_ns, closed });
        let base_ns = if closed { recorded_ns.saturating_sub(gap_ns) } else { recorded_ns };
        if closed {
            self.closed_ns = self.closed_ns.saturating_add(gap_ns);
        }
        Placement { base_ns, behind_gap: true }
    }

    /// PCM cannot be squeezed. Where the audio in front runs longer than its timestamps say, and further into this
    /// fragment than the tolerance, the fragment is moved behind it, so that sound and picture stay together.
    fn pcm_overlap(
        &self,
        recorded_ns: i64,
        audio: Option<Span>,
        samples: &FragmentSamples,
        fragment: &PlannedFragment,
    ) -> Option<i64> {
        let Some(SampleDescription::Audio(AudioConfig::G711(_))) = self.run.audio.track.descriptions.first()
        else {
            return None;
        };
        let late_ns = self.audio.end_ns()?.saturating_sub(recorded_ns.saturating_add(audio?.first_ns));
        let first = samples.samples.first()?;
        let frame = audio_frame(self.run.audio.track.descriptions.get(samples.description), first.len);
        (late_ns > self.audio.tolerance_ns(frame, fragment.timestamp_scale_ns)).then_some(late_ns)
    }

    fn audio_span(&self, samples: &FragmentSamples) -> Option<Span> {
        let times =
            samples.samples.iter().filter(|sample| !sample.inherits_time()).map(|sample| sample.time_ns);
        let (first_ns, last_ns) = times
            .fold((i64::MAX, i64::MIN), |(first, last), time_ns| (time_ns.min(first), time_ns.max(last)));
        let last = samples.samples.last()?;
        let config = self.run.audio.track.descriptions.get(samples.description);
        let frame = audio_frame(config, last.len);
        let rate = config.map_or(1, |entry| entry_sampling_rate(entry).max(1));
        let sample_ns = ticks_to_ns(frame.length().into(), rate);
        (first_ns <= last_ns).then_some(Span { first_ns, last_ns, sample_ns, is_guess: false })
    }

    fn add_audio(
        &mut self,
        samples: &FragmentSamples,
        placement: &Placement,
        scale_ns: i64,
    ) -> Result<(), Error> {
        let entry = self.run.audio.track.descriptions.get(samples.description);
        let rate = entry.map_or(1, entry_sampling_rate);
        let divisor = rate.checked_div(self.audio.timescale()).unwrap_or(1);
        let ticks = audio_frame(entry, 1).ticks;
        let ticks = ticks.checked_div(divisor).unwrap_or(ticks);
        let mut behind_gap = placement.behind_gap;
        let time_ns = |sample: &Sample| {
            (!sample.inherits_time()).then(|| sample.time_ns.saturating_add(placement.base_ns))
        };
        // Every frame of AAC is like the next; a block of PCM is like the next if it is as long.
        let is_pcm = self.run.audio.track.pcm_frame_size().is_some();
        for alike in samples.samples.chunk_by(|a, b| !is_pcm || a.len == b.len) {
            let Some(first) = alike.first() else { continue };
            let frame = AudioFrame { count: audio_frame(entry, first.len).count, ticks };
            let mut left = alike;
            loop {
                let followed = self.audio.follow(frame, left.iter().map(time_ns), scale_ns);
                behind_gap &= followed == 0;
                let Some((sample, behind)) = left.get(followed..).and_then(<[_]>::split_first) else { break };
                self.audio.anchor(frame, time_ns(sample), behind_gap, scale_ns)?;
                (left, behind_gap) = (behind, false);
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Timeline, Error> {
        let (video_track, audio_track) = (self.run.video.track.number, self.run.audio.track.number);
        let (reanchored, late_ns, tolerance_ns) =
            (self.audio.reanchored, self.audio.late_ns, self.audio.tolerance_ns);
        if let Some(times) = u64::try_from(tolerance_ns).ok().filter(|_| reanchored > 0) {
            let tolerance_ns = times;
            self.events.push(Event::AudioReanchored { track: audio_track, times: reanchored, tolerance_ns });
        }
        if late_ns > 0 {
            self.events.push(Event::AudioLate { track: audio_track, by_ns: late_ns });
        }
        let timed = self.video.finish().map_err(|error| error.on_track(video_track))?;
        if let Some(timed) = &timed {
            let track = video_track;
            if let Some(cadence) = timed.cadence {
                self.events.push(Event::CadenceRestored { track, rate: cadence.rate() });
            }
            if timed.spread > 0 {
                self.events.push(Event::CollisionsSpread { track, frames: timed.spread });
            }
        }
        let mut video = timed.map(|timed| timed.times);
        let mut audio = self.audio.finish().map_err(|error| error.on_track(audio_track))?;
        // The clip begins where the first of its tracks does.
        let zero_ns = video.iter().chain(&audio).map(|times| times.start_ns).min().unwrap_or(0);
        for times in video.iter_mut().chain(&mut audio) {
            times.start_ns = times.start_ns.saturating_sub(zero_ns);
        }
        for start in &mut self.fragment_starts_ns {
            *start = start.saturating_sub(zero_ns);
        }
        Ok(Timeline { video, audio, fragment_starts_ns: self.fragment_starts_ns, events: self.events })
    }
}

impl Span {
    fn reached(self, base_ns: i64) -> Reached {
        Reached {
            last_ns: self.last_ns.saturating_add(base_ns),
            sample_ns: self.sample_ns,
            is_guess: self.is_guess,
        }
    }
}

impl Reached {
    fn end_ns(&self) -> i64 {
        self.last_ns.saturating_add(self.sample_ns)
    }
}

/// A frame of AAC is one sample; a block of PCM is as many as it has PCM frames.
fn audio_frame(entry: Option<&SampleDescription>, len: u32) -> AudioFrame {
    match entry {
        Some(SampleDescription::Audio(AudioConfig::Aac(config))) => {
            AudioFrame { count: 1, ticks: config.frame_length() }
        }
        Some(SampleDescription::Audio(AudioConfig::G711(config))) => {
            AudioFrame { count: len.checked_div(u32::from(config.channels())).unwrap_or(0), ticks: 1 }
        }
        _ => AudioFrame { count: 1, ticks: 1 },
    }
}

fn entry_sampling_rate(entry: &SampleDescription) -> u32 {
    match entry {
        SampleDescription::Audio(config) => config.sampling_rate(),
        SampleDescription::Video { .. } => 0,
    }
}

/// The media timescale of the audio: its sampling rate, or the half, quarter, ... of it where a gap would not fit an
/// `stts` entry of 32 bits otherwise (at 48 kHz, one of more than a day). PCM counts every frame, so it has no half.
fn audio_timescale(run: LeadingRun<'_>) -> u32 {
    let fragments = run.fragments;
    let Some(entry) = run.audio.track.descriptions.first() else { return 1 };
    let rate = entry_sampling_rate(entry).max(1);
    let starts = fragments.iter().zip(fragments.iter().skip(1));
    let longest_ns = starts.map(|(a, b)| b.start_ns.saturating_sub(a.start_ns)).max().unwrap_or(0);
    // A minute for the audio of the fragment in front, whose start the step is counted from.
    let longest_s = (longest_ns / 1_000_000_000).saturating_add(60);
    let fits = |timescale: u32| longest_s.saturating_mul(i64::from(timescale)) <= i64::from(u32::MAX);
    let ticks = audio_frame(Some(entry), 1).ticks;
    let halved = [1, 2, 4, 8, 16, 32].into_iter().filter(|&divisor| ticks.is_multiple_of(divisor));
    let mut timescales = halved
        .filter(|&divisor| rate.is_multiple_of(divisor))
        .filter_map(|divisor| rate.checked_div(divisor));
    timescales.find(|&timescale| fits(timescale)).unwrap_or(rate)
}
