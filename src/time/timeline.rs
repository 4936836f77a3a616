//! [`Timeline`]: when each fragment and each sample is due in the clip.

use crate::error::{Error, ErrorKind};
use crate::human::Length;
use crate::number::FragmentName;
use crate::plan::LeadingRun;
use crate::report::Event;
use crate::time::audio::{self, PlacedSound, TimedAudio};
use crate::time::continuity::{Continuity, Gaps, Span, TrackEnd, Transition};
use crate::time::holes::{self, Hole};
use crate::time::input::{self, AudioFrame, Fragment, TrackNumbers};
use crate::time::order::{MAX_REORDERED, Moves, Placement, PresentationOrder, StepBack};
use crate::time::reordering;
use crate::time::track_times::TrackTimes;
use crate::time::units::{MediaTicks, Nanos, Timescale};
use crate::time::video::{self, TimedVideo, VideoTimes};
use crate::timestamp::Timestamp;

/// The times of all tracks.
#[derive(Debug)]
pub(crate) struct Timeline {
    pub(crate) video: Option<TrackTimes>,
    pub(crate) audio: Option<TrackTimes>,
    /// When the first frame of each fragment is shown, in nanoseconds on the clip's timeline.
    pub(crate) fragment_starts_ns: Vec<i64>,
    /// Where the times of each fragment count from, on the clip's timeline.
    pub(crate) bases: Vec<Nanos>,
    pub(crate) events: Vec<Event>,
}

impl Timeline {
    /// Times for the first fragments of a plan.
    pub(crate) fn new(run: LeadingRun<'_>, gaps: Gaps) -> Result<Self, Error> {
        Self::of(&input::fragments(run), input::track_numbers(run), gaps)
    }

    /// Times for fragments that follow each other.
    pub(crate) fn of(fragments: &[Fragment<'_>], tracks: TrackNumbers, gaps: Gaps) -> Result<Self, Error> {
        let mut builder = Builder::new(fragments, tracks, gaps);
        for (index, fragment) in fragments.iter().enumerate() {
            builder.add(index, fragment).map_err(|error| error.in_fragment(fragment.name.clone()))?;
        }
        builder.finish()
    }

    /// How long the clip plays, in nanoseconds.
    pub(crate) fn duration_ns(&self) -> u64 {
        let ends = self.video.iter().chain(&self.audio).map(TrackTimes::end);
        u64::try_from(ends.max().unwrap_or_default().get()).unwrap_or(0)
    }
}

/// Something to report of a fragment. Times are on a timeline that begins at the start of the first fragment.
enum Note {
    Moved { by: Nanos },
    SteppedBack { at: Nanos, times: usize, by: Nanos },
    Gap { duration: Nanos },
    Hole { track: u64, hole: Hole },
}

struct Builder<'a> {
    fragments: &'a [Fragment<'a>],
    tracks: TrackNumbers,
    gaps: Gaps,
    origin: Nanos,
    audio_timescale: Timescale,
    /// How far pictures of the clip are reordered.
    depth: usize,
    continuity: Continuity,
    /// By how much everything is earlier because of gaps that were closed.
    closed: Nanos,
    pictures: PresentationOrder,
    /// The times of a fragment's pictures in presentation order.
    sorted: Vec<Nanos>,
    /// How long frames of the last fragment with pictures last, and how long the producer declares it.
    frame: Nanos,
    declared: Option<Nanos>,
    sounds: Vec<PlacedSound<'a>>,
    starts: Vec<Nanos>,
    /// Each with the place of its fragment.
    notes: Vec<(usize, Note)>,
}

impl<'a> Builder<'a> {
    fn new(fragments: &'a [Fragment<'a>], tracks: TrackNumbers, gaps: Gaps) -> Self {
        Self {
            fragments,
            tracks,
            gaps,
            origin: fragments.first().map_or(Nanos::ZERO, |first| first.start),
            audio_timescale: audio_timescale(fragments),
            depth: reordering::depth(fragments),
            continuity: Continuity::default(),
            closed: Nanos::ZERO,
            pictures: PresentationOrder::default(),
            sorted: Vec::new(),
            frame: Nanos::ZERO,
            declared: None,
            sounds: Vec::with_capacity(fragments.len()),
            starts: Vec::with_capacity(fragments.len()),
            notes: Vec::new(),
        }
    }

    fn add(&mut self, index: usize, fragment: &Fragment<'a>) -> Result<(), Error> {
        let mut base = fragment.start - self.origin - self.closed;
        let mut video = self.video_span(fragment);
        let audio = sound_span(fragment);
        let mut moved = Nanos::ZERO;
        let mut hole = None;
        match self.continuity.transition(fragment.tick, base, &mut video, audio) {
            Transition::Continues => {}
            Transition::Overlap(by) => moved = by,
            Transition::Gap(gap) => {
                self.notes.push((index, Note::Gap { duration: gap }));
                hole = Some(gap);
                if self.gaps == Gaps::Close {
                    base -= gap;
                    self.closed += gap;
                    hole = Some(Nanos::ZERO);
                } else {
                    self.check_distance(index, base, video, audio)?;
                    self.continuity.add_gap(gap);
                }
            }
        }
        base += moved;
        self.note_video_hole(index, fragment, base, video);
        let moves = self.add_pictures(fragment, base, video, audio);
        (base, moved) = (base + moves.fragment, moved + moves.fragment);
        if moved > Nanos::ZERO {
            hole = Some(moved);
            self.notes.push((index, Note::Moved { by: moved }));
        }
        if let Some(StepBack { at, .. }) = moves.steps.first().copied() {
            let by = moves.steps.iter().fold(Nanos::ZERO, |sum, step| sum + step.by);
            self.notes.push((index, Note::SteppedBack { at, times: moves.steps.len(), by }));
        }
        self.starts.push(base + self.first_shown(fragment, video));
        self.go_on(fragment, base, video, audio);
        let steps = moves.steps.iter().scan(Nanos::ZERO, |sum, step| {
            *sum += step.by;
            Some(*sum)
        });
        let Fragment { name, sound, tick, .. } = *fragment;
        self.sounds.push(PlacedSound { name, sound, tick, base, steps: steps.collect(), hole });
        Ok(())
    }

    fn video_span(&mut self, fragment: &Fragment<'_>) -> Option<Span> {
        self.sorted.clear();
        self.sorted.extend(fragment.pictures.times_from(Nanos::ZERO));
        if !self.sorted.is_sorted() {
            self.sorted.sort_unstable();
        }
        let usual = self.continuity.video.and_then(|end| end.usual());
        Span::of_pictures(&self.sorted, fragment.pictures.declared_duration, fragment.tick, usual)
    }

    /// Puts the pictures of a fragment in order. Returns by how much they had to be moved, all tracks together.
    fn add_pictures(
        &mut self,
        fragment: &Fragment<'_>,
        base: Nanos,
        video: Option<Span>,
        audio: Option<Span>,
    ) -> Moves {
        let Some(span) = video else { return Moves::default() };
        let limit = fragment.pictures.reorder_limit.map_or(MAX_REORDERED, usize::from);
        let first = self.pictures.times().len();
        let depth = limit.min(self.depth);
        let placement = Placement { base, frame: span.frame, tick: fragment.tick, depth };
        let mut moves = self.pictures.add(fragment.pictures, placement);
        // Where pictures are moved anyway, the sound that belongs to them finds room too.
        if moves.fragment > Nanos::ZERO
            && let Some(by) = self.continuity.early_sound(base + moves.fragment, audio)
        {
            self.pictures.move_from(first, by);
            moves.fragment += by;
            moves.steps.iter_mut().for_each(|step| step.at += by);
        }
        moves
    }

    /// When the first frame of a fragment is shown or heard, from its start. Priming is not.
    fn first_shown(&self, fragment: &Fragment<'_>, video: Option<Span>) -> Nanos {
        let is_first_sound = self.continuity.audio.is_none();
        let priming = if is_first_sound { fragment.sound.codec_delay } else { Nanos::ZERO };
        let heard = fragment.sound.times().next().flatten().map(|time| time + priming);
        video.map(|span| span.first).into_iter().chain(heard).min().unwrap_or_default()
    }

    /// Notes where the tracks end, with the pictures of this fragment in order.
    fn go_on(&mut self, fragment: &Fragment<'_>, base: Nanos, video: Option<Span>, audio: Option<Span>) {
        if let Some(span) = video {
            (self.frame, self.declared) = (span.frame, fragment.pictures.declared_duration);
            let last = self.pictures.last().unwrap_or_default();
            self.continuity.video = Some(span.end_at(last - span.last));
        }
        if let Some(span) = audio {
            self.continuity.audio = Some(span.end_at(base));
        }
    }

    /// Notes where no pictures are in front of a fragment, or in it, while the sound goes on.
    fn note_video_hole(&mut self, index: usize, fragment: &Fragment<'_>, base: Nanos, video: Option<Span>) {
        let Some(span) = video else { return };
        let before = self.continuity.video.and_then(|end| {
            let duration = end.hole(base + span.first, fragment.tick)?;
            Some(Hole { at: end.end(), duration })
        });
        let inside = holes::inside(&self.sorted, span, fragment.tick, fragment.sound);
        let inside = inside.map(|hole| Hole { at: hole.at + base, ..hole });
        let (found, track) = (before.into_iter().chain(inside), self.tracks.video);
        self.notes.extend(found.map(|hole| (index, Note::Hole { track, hole })));
    }

    /// Refuses a distance that no entry of `stts` holds.
    fn check_distance(
        &self,
        index: usize,
        base: Nanos,
        video: Option<Span>,
        audio: Option<Span>,
    ) -> Result<(), Error> {
        let longest_in_audio = self.audio_timescale.nanos(MediaTicks::from(u32::MAX));
        let tracks = [
            (self.continuity.video, video, video::LONGEST_STEP, self.tracks.video),
            (self.continuity.audio, audio, longest_in_audio, self.tracks.audio),
        ];
        for (end, span, longest, track) in tracks {
            let distance = |end: TrackEnd, span: Span| base + span.first - end.last();
            if let Some(distance) = end.zip(span).map(|(end, span)| distance(end, span))
                && distance > longest
            {
                return Err(self.too_far(index, distance, longest).on_track(track));
            }
        }
        Ok(())
    }

    fn too_far(&self, index: usize, distance: Nanos, longest: Nanos) -> Error {
        let side = |fragment: &Fragment<'_>| {
            let date = Timestamp::from_millis(fragment.start.as_millis());
            format!("fragment {} of {date}", fragment.name)
        };
        let before = index.checked_sub(1).and_then(|before| self.fragments.get(before));
        let sides: Vec<String> = before.into_iter().chain(self.fragments.get(index)).map(side).collect();
        let reason = format!(
            "expected gaps of at most {}, found one of {} between {}; --gaps close (Gaps::Close) joins them",
            Length(longest.unsigned_abs()),
            Length(distance.unsigned_abs()),
            sides.join(" and "),
        );
        Error::new(ErrorKind::TimeOutOfRange { reason })
    }

    fn finish(self) -> Result<Timeline, Error> {
        let tick = self.fragments.iter().map(|fragment| fragment.tick).max().unwrap_or_default();
        let video = VideoTimes::new(self.pictures, self.frame, self.declared, tick);
        let first_run = video.first_run();
        let audio = audio::times(&self.sounds, self.audio_timescale, first_run)
            .map_err(|error| error.on_track(self.tracks.audio))?;
        let alone = first_run.map(|run| run.rounding.phase(tick)).unwrap_or_default();
        let phase = audio.as_ref().map_or(alone, |audio| audio.video_phase);
        let video = video.finish(phase).map_err(|error| error.on_track(self.tracks.video))?;
        // The clip begins where the first of its tracks does, with pictures that cannot be decoded too.
        let starts = video.iter().map(|video| video.first).chain(audio.iter().map(|audio| audio.times.start));
        let zero = starts.min().unwrap_or_default();
        let mut notes = self.notes;
        let times = (video.as_ref().map(|video| &video.times), audio.as_ref().map(|audio| &audio.times));
        notes.extend(holes_at_the_ends(self.fragments, self.tracks, times, zero));
        notes.sort_by_key(|(fragment, _)| *fragment);
        let (tracks, gaps) = (self.tracks, self.gaps);
        let names: Vec<&FragmentName> = self.fragments.iter().map(|fragment| fragment.name).collect();
        let named =
            |(index, note): (usize, Note)| Some(note.event((*names.get(index)?).clone(), tracks, gaps, zero));
        let mut events: Vec<Event> = notes.into_iter().filter_map(named).collect();
        if let Some(audio) = &audio {
            add_audio_events(&mut events, audio, tracks.audio, &names, zero);
        }
        if let Some(video) = &video {
            add_video_events(&mut events, video, tracks.video);
        }
        let on_timeline = |mut times: TrackTimes| {
            times.start -= zero;
            times
        };
        Ok(Timeline {
            video: video.map(|video| on_timeline(video.times)),
            audio: audio.map(|audio| on_timeline(audio.times)),
            bases: self.sounds.iter().map(|placed| placed.base - zero).collect(),
            fragment_starts_ns: self.starts.iter().map(|start| (*start - zero).get()).collect(),
            events,
        })
    }
}

fn sound_span(fragment: &Fragment<'_>) -> Option<Span> {
    let sound = fragment.sound;
    let length = sound.last_frame().map(AudioFrame::length)?;
    let frame = Timescale::new(sound.sampling_rate()).nanos(length.into());
    Some(Span::of_sound(sound.first_and_last()?, frame))
}

/// The media timescale of the audio: its sampling rate, or the half, quarter, ... of it where a gap would not fit an
/// `stts` entry of 32 bits otherwise (at 48 kHz, one of more than a day). PCM counts every frame, so it has no half.
fn audio_timescale(fragments: &[Fragment<'_>]) -> Timescale {
    let Some((sound, frame)) = fragments.iter().find_map(|f| Some((f.sound, f.sound.last_frame()?))) else {
        return Timescale::new(1);
    };
    let rate = sound.sampling_rate();
    let starts = fragments.iter().zip(fragments.iter().skip(1));
    let longest = starts.map(|(a, b)| b.start - a.start).max().unwrap_or_default();
    // A minute for the audio of the fragment before, whose start the step is counted from.
    let longest = longest + Nanos::from_secs(60);
    let halved = [1, 2, 4, 8, 16, 32].into_iter().filter(|&divisor| frame.ticks.is_multiple_of(divisor));
    let timescales = halved.filter(|&divisor| rate.is_multiple_of(divisor));
    let mut timescales = timescales.filter_map(|divisor| rate.checked_div(divisor)).map(Timescale::new);
    timescales.find(|scale| scale.ticks(longest).entry().is_some()).unwrap_or(Timescale::new(rate))
}

/// Holes at the start and the end of the clip: fragments that have no frame of a track that others have.
fn holes_at_the_ends(
    fragments: &[Fragment<'_>],
    tracks: TrackNumbers,
    (video, audio): (Option<&TrackTimes>, Option<&TrackTimes>),
    zero: Nanos,
) -> Vec<(usize, Note)> {
    let (Some(video), Some(audio)) = (video, audio) else { return Vec::new() };
    let end = video.end().max(audio.end());
    let pictures = |fragment: &Fragment<'_>| !fragment.pictures.is_empty();
    let sound = |fragment: &Fragment<'_>| !fragment.sound.is_empty();
    let of_video = holes_of_track(fragments.iter().map(pictures), tracks.video, video, zero, end);
    let of_audio = holes_of_track(fragments.iter().map(sound), tracks.audio, audio, zero, end);
    of_video.chain(of_audio).collect()
}

/// The same of one track, where `has_frames` holds for each fragment whether it has frames of it.
fn holes_of_track(
    mut has_frames: impl ExactSizeIterator<Item = bool> + DoubleEndedIterator + Clone,
    track: u64,
    times: &TrackTimes,
    zero: Nanos,
    end: Nanos,
) -> impl Iterator<Item = (usize, Note)> {
    let note = move |hole| Note::Hole { track, hole };
    let fragments = has_frames.len();
    let after_last = has_frames.clone().rposition(|has| has).map_or(fragments, |last| last.saturating_add(1));
    let first = has_frames.position(|has| has).filter(|&first| first > 0);
    let at_start = first.map(|first| (first, note(Hole { at: zero, duration: times.start - zero })));
    let hole = Hole { at: times.end(), duration: end - times.end() };
    let at_end = (after_last < fragments).then(|| (after_last, note(hole)));
    at_start.into_iter().chain(at_end)
}

impl Note {
    fn event(self, fragment: FragmentName, tracks: TrackNumbers, gaps: Gaps, zero: Nanos) -> Event {
        match self {
            Self::Moved { by } => Event::Moved { fragment, by_ns: by.get() },
            Self::SteppedBack { at, times, by } => Event::SteppedBack {
                fragment,
                track: tracks.video,
                at_ns: (at - zero).get(),
                times: times as u64,
                by_ns: by.get(),
            },
            Self::Gap { duration } => {
                let closed = gaps == Gaps::Close;
                Event::Gap { fragment, duration_ns: duration.unsigned_abs(), closed }
            }
            Self::Hole { track, hole } => {
                let at_ns = (hole.at - zero).get();
                Event::TrackGap { fragment, track, at_ns, duration_ns: hole.duration.unsigned_abs() }
            }
        }
    }
}

fn add_audio_events(
    events: &mut Vec<Event>,
    audio: &TimedAudio,
    track: u64,
    names: &[&FragmentName],
    zero: Nanos,
) {
    for reanchors in &audio.reanchors {
        let Some(fragment) = names.get(reanchors.fragment).copied().cloned() else { continue };
        if let Some(Hole { at, duration }) = reanchors.hole {
            let (at_ns, duration_ns) = ((at - zero).get(), duration.unsigned_abs());
            events.push(Event::TrackGap { fragment: fragment.clone(), track, at_ns, duration_ns });
        }
        if let times @ 1.. = reanchors.times {
            let (at_ns, tolerance_ns) = ((reanchors.at - zero).get(), audio.tolerance.unsigned_abs());
            events.push(Event::AudioReanchored { fragment, track, at_ns, times, tolerance_ns });
        }
    }
    if audio.late > Nanos::ZERO {
        events.push(Event::AudioLate { track, by_ns: audio.late.get() });
    }
    // Half a tick, and a tick of the track's own.
    let rounding = audio.half_tick + audio.times.timescale.nanos(MediaTicks::ONE);
    if audio.most_off > rounding.max(audio.late) {
        events.push(Event::AudioOffTimestamps { track, by_ns: audio.most_off.unsigned_abs() });
    }
}

fn add_video_events(events: &mut Vec<Event>, video: &TimedVideo, track: u64) {
    if video.undecodable > 0 {
        events.push(Event::LeadingPicturesNotShown { track, frames: video.undecodable });
    }
    if let Some(cadence) = video.cadence {
        events.push(Event::CadenceRestored { track, rate: cadence.rate() });
    }
    if video.spread > 0 {
        events.push(Event::CollisionsSpread { track, frames: video.spread });
    }
}

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;
