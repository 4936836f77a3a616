//! Which of the fragments offered are in the clip, and in which order.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::error::{Error, ErrorKind};
use crate::incomplete_input::IncompleteInput;
use crate::index::{FragmentIndex, FragmentState};
use crate::number::{FragmentName, FragmentNumber};
use crate::plan::fragments::{self, FragmentToPlan};
use crate::plan::{ChosenTracks, TrackChoices};
use crate::report::{Cut, Event, Limit, Report};
use crate::selector::{ClipFragmentSelector, ClipFragmentSelectorType, RangeStart};
use crate::timestamp::Timestamp;

/// A fragment that is offered.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) index: FragmentIndex,
    /// Its media, if that is held in memory until the clip is planned.
    pub(crate) media: Option<Bytes>,
    /// What the caller identifies its media by.
    pub(crate) identity: Option<Box<[u8]>>,
}

/// A fragment in the range.
#[derive(Debug, Clone)]
pub(crate) struct Selected {
    index: FragmentIndex,
    /// Its place among the fragments that were offered.
    offered: usize,
    identity: Option<Box<[u8]>>,
    pub(crate) media: Media,
    start: Start,
    /// Frames that were left out because they are outside the range.
    left_out: u64,
    /// Bytes that its samples have at least.
    pub(crate) least_len: u64,
}

/// Where the media of a selected fragment is.
#[derive(Debug, Clone)]
pub(crate) enum Media {
    /// With the caller.
    Elsewhere,
    Here(Bytes),
    /// It was given up: the fragments before this one fill the clip.
    Dropped,
}

/// When a fragment starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    /// By the producer's clock, in nanoseconds: the tag, else the caller's origin and the Cluster's timestamp. The
    /// timeline is built on it, whichever clock the selection was by.
    pub(crate) producer_ns: i64,
    /// By the clock of the selection.
    selected_by: Timestamp,
    is_tagged: bool,
}

impl Selected {
    /// From where a caller can continue when the clip ends before this fragment.
    pub(crate) fn cut(&self, limit: Limit) -> Cut {
        let continue_from = self.start.is_tagged.then_some(self.start.selected_by);
        Cut { limit, fragment: self.index.name(), continue_from }
    }

    /// The fragment for the plan, and its media.
    pub(crate) fn into_plan(self) -> (FragmentToPlan, Media) {
        let Self { index, offered, identity, media, start, left_out, .. } = self;
        let Start { producer_ns: start_ns, selected_by, .. } = start;
        (FragmentToPlan { index, offered, identity, start_ns, selected_by, left_out }, media)
    }
}

/// Order of the fragments: by the clock of the selection, then by number, then as they came.
///
/// Untagged fragments have no identity and keep their input order, whatever their Clusters' timestamps do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    time: Timestamp,
    number: Option<FragmentNumber>,
    arrival: u64,
}

/// Takes fragments one by one and keeps the first of them: as many as the limit, and one to tell where to continue.
///
/// Of media that is held in memory, it keeps that of the leading run whose samples are within `max_bytes`, and of one
/// fragment more. What a late duplicate makes room for has lost its media by then: the clip ends before it.
#[derive(Debug)]
pub(crate) struct Selection {
    selector: ClipFragmentSelector,
    options: SelectionOptions,
    kept: BTreeMap<Key, Selected>,
    last_key: Key,
    /// Bytes that the samples of the fragments whose media is here have at least.
    held: u64,
    /// The first fragment whose media was dropped.
    dropped_from: Option<Key>,
    /// The fragment that is taken because it covers the start of the range, and its own start.
    covering: Option<(Timestamp, Key)>,
    /// What a clip is refused for if there is nothing else.
    first_damage: Option<Error>,
}

/// What the caller decides of the selection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SelectionOptions {
    pub(crate) recording_start: Timestamp,
    pub(crate) range_start: RangeStart,
    /// Frames outside the range are left out as far as decoding allows.
    pub(crate) trims_frames: bool,
    pub(crate) tracks: TrackChoices,
    pub(crate) max_fragments: usize,
    pub(crate) max_bytes: u64,
    pub(crate) incomplete_input: IncompleteInput,
}

impl Selection {
    pub(crate) fn new(selector: ClipFragmentSelector, options: SelectionOptions) -> Self {
        let last_key = Key { time: Timestamp::from_millis(i64::MIN), number: None, arrival: 0 };
        Self {
            selector,
            options,
            kept: BTreeMap::new(),
            last_key,
            held: 0,
            dropped_from: None,
            covering: None,
            first_damage: None,
        }
    }

    /// Looks at one more fragment.
    pub(crate) fn offer(&mut self, offer: Offer, report: &mut Report) -> Result<(), Error> {
        let Offer { mut index, media, identity } = offer;
        let offered = usize::try_from(report.offered).unwrap_or(usize::MAX);
        report.offered = report.offered.saturating_add(1);
        self.check_damages(&index, report)?;
        match &index.state {
            FragmentState::PassedOver => {
                report.out_of_range = report.out_of_range.saturating_add(1);
                return Ok(());
            }
            FragmentState::Incomplete(incomplete) => {
                if self.options.incomplete_input == IncompleteInput::Refuse {
                    let offset = incomplete.offset;
                    let kind = ErrorKind::Truncated { incomplete: incomplete.clone() };
                    return Err(Error::new(kind).in_fragment(index.name()).at(offset));
                }
                push_event(report, || Event::Incomplete {
                    fragment: index.name(),
                    incomplete: incomplete.clone(),
                    frames: index.frames.len() as u64,
                });
            }
            FragmentState::Absent => return Ok(()),
            FragmentState::Whole => {}
        }
        let chosen = self.options.tracks.choose(&index.tracks);
        let has_only_faults =
            self.options.incomplete_input == IncompleteInput::Keep && has_only_faults(&index, chosen);
        if has_only_faults {
            self.leave_out(&index, chosen, report);
        }
        if has_only_faults || is_empty(&index, chosen) {
            if index.state == FragmentState::Whole {
                push_event(report, || Event::Empty { fragment: index.name() });
            }
            return Ok(());
        }
        let start = self.locate(&index)?;
        let key = self.key(&index, start);
        let is_in_range = self.selector.contains(start.selected_by);
        if !is_in_range && !self.covers_range_start(&index, start) {
            report.out_of_range = report.out_of_range.saturating_add(1);
            return Ok(());
        }
        let left_out = self.trim(&mut index, start);
        if left_out > 0 && !chosen.indices().any(|track| index.frames.has_samples(track)) {
            // It starts where the range ends.
            report.out_of_range = report.out_of_range.saturating_add(1);
            return Ok(());
        }
        let least_len = fragments::least_len(&index, chosen);
        let media = media.map_or(Media::Elsewhere, Media::Here);
        let selected = Selected { index, offered, identity, media, start, left_out, least_len };
        if is_in_range {
            self.insert(key, selected, report);
        } else {
            self.insert_covering(key, selected, report);
        }
        Ok(())
    }

    /// Leaves out the frames outside the range, if the clip is to play exactly that.
    fn trim(&self, fragment: &mut FragmentIndex, start: Start) -> u64 {
        let Some(range) = self.selector.range().filter(|_| self.options.trims_frames) else { return 0 };
        let since_start_ns = |time: Timestamp| {
            time.as_millis().saturating_sub(start.selected_by.as_millis()).saturating_mul(1_000_000)
        };
        fragment.trim(since_start_ns(range.start()), since_start_ns(range.end()))
    }

    /// Whether a fragment that starts before the range is to be taken because it ends in it.
    fn covers_range_start(&self, fragment: &FragmentIndex, start: Start) -> bool {
        let Some(range) = self.selector.range().filter(|_| self.options.range_start == RangeStart::Covering)
        else {
            return false;
        };
        let before_ms = range.start().as_millis().saturating_sub(start.selected_by.as_millis());
        let end_ns = fragment.shown_ns().map_or(0, |shown| shown.end);
        before_ms > 0 && end_ns > before_ms.saturating_mul(1_000_000)
    }

    /// Takes the fragment that covers the start of the range, unless one that starts later does too.
    fn insert_covering(&mut self, key: Key, selected: Selected, report: &mut Report) {
        let start = selected.start.selected_by;
        match self.covering.take() {
            Some((time, other)) if time < start => {
                report.out_of_range = report.out_of_range.saturating_add(1);
                self.remove(&other);
            }
            Some((time, other)) if time > start || self.twin(&key, &selected).is_none() => {
                report.out_of_range = report.out_of_range.saturating_add(1);
                self.covering = Some((time, other));
                return;
            }
            other => self.covering = other,
        }
        self.insert(key.clone(), selected, report);
        if self.kept.contains_key(&key) {
            self.covering = Some((start, key));
        }
    }

    /// Reports what could not be read in a fragment or before it.
    fn check_damages(&mut self, index: &FragmentIndex, report: &mut Report) -> Result<(), Error> {
        for damage in &index.damages {
            let fragment = index.is_inside(damage).then(|| index.name());
            if self.options.incomplete_input == IncompleteInput::Refuse || self.first_damage.is_none() {
                let error = Error::from(damage);
                let error = match &fragment {
                    Some(fragment) => error.in_fragment(fragment.clone()),
                    None => error,
                };
                if self.options.incomplete_input == IncompleteInput::Refuse {
                    return Err(error);
                }
                self.first_damage = Some(error);
            }
            push_event(report, || Event::Damaged { fragment, damage: damage.clone() });
        }
        Ok(())
    }

    /// Reports the frames of a fragment that has none but such as cannot be parsed.
    fn leave_out(&mut self, index: &FragmentIndex, chosen: ChosenTracks, report: &mut Report) {
        for event in fragments::frames_left_out(index, chosen) {
            if let (Event::FrameLeftOut { track, time_ns, offset, fault, .. }, None) =
                (&event, &self.first_damage)
            {
                let kind =
                    ErrorKind::InvalidMediaFrame { time_ms: time_ns.div_euclid(1_000_000), fault: *fault };
                self.first_damage =
                    Some(Error::new(kind).on_track(*track).at(*offset).in_fragment(index.name()));
            }
            push_event(report, || event);
        }
    }

    /// The fragments of the clip in order. What the limit on fragments cut off is in the report.
    pub(crate) fn finish(mut self, report: &mut Report) -> Result<Vec<Selected>, Error> {
        if self.kept.len() > self.options.max_fragments
            && let Some((_, first_left_out)) = self.kept.pop_last()
        {
            report.cut = Some(first_left_out.cut(Limit::Fragments));
        }
        if self.kept.is_empty() {
            if let Some(damage) = self.first_damage.filter(|_| report.out_of_range == 0) {
                return Err(damage);
            }
            return Err(ErrorKind::NoFragments { offered: report.offered }.into());
        }
        Ok(self.kept.into_values().collect())
    }

    fn locate(&self, fragment: &FragmentIndex) -> Result<Start, Error> {
        let out_of_range = || {
            let kind = ErrorKind::TimeOutOfRange { reason: "expected a start between 1678 and 2262".into() };
            Error::new(kind).in_fragment(fragment.name()).at(fragment.offset())
        };
        let producer_ns = match fragment.producer_timestamp() {
            Some(tag) => tag.as_millis().checked_mul(1_000_000),
            None => self
                .options
                .recording_start
                .as_millis()
                .checked_mul(1_000_000)
                .and_then(|start| start.checked_add(fragment.cluster_timestamp_ns()?)),
        }
        .ok_or_else(out_of_range)?;
        let is_tagged;
        let selected_by = match self.selector.selector_type() {
            ClipFragmentSelectorType::ProducerTimestamp => {
                is_tagged = fragment.producer_timestamp().is_some();
                Timestamp::from_millis(producer_ns.div_euclid(1_000_000))
            }
            ClipFragmentSelectorType::ServerTimestamp => {
                is_tagged = fragment.server_timestamp().is_some();
                match (fragment.server_timestamp(), self.selector.range()) {
                    (Some(time), _) => time,
                    // Without a range the clock only orders, and fragments without tags keep their order.
                    (None, None) => self.last_key.time,
                    (None, Some(_)) => {
                        let kind = ErrorKind::MissingTimestamp { tag: "AWS_KINESISVIDEO_SERVER_TIMESTAMP" };
                        return Err(Error::new(kind).in_fragment(fragment.name()).at(fragment.offset()));
                    }
                }
            }
        };
        Ok(Start { producer_ns, selected_by, is_tagged })
    }

    fn key(&mut self, fragment: &FragmentIndex, start: Start) -> Key {
        if start.is_tagged {
            self.last_key.time = start.selected_by;
            self.last_key.number = fragment.number().cloned();
        }
        self.last_key.arrival = self.last_key.arrival.saturating_add(1);
        self.last_key.clone()
    }

    fn insert(&mut self, key: Key, selected: Selected, report: &mut Report) {
        if let Some(twin) = self.twin(&key, &selected) {
            // The same fragment twice: the one that is whole stays, else the first.
            let is_whole = |selected: &Selected| selected.index.is_whole();
            let replaces = twin.number < key.number
                || self
                    .kept
                    .get(&twin)
                    .is_some_and(|kept| twin.number == key.number && !is_whole(kept) && is_whole(&selected));
            let (dropped, kept) = if replaces { (&twin, &key) } else { (&key, &twin) };
            let name = |key: &Key| match &key.number {
                Some(number) => FragmentName::Number(number.clone()),
                None => FragmentName::Position(key.arrival.saturating_sub(1)),
            };
            push_event(report, || Event::DuplicateDropped { fragment: name(dropped), kept: name(kept) });
            if !replaces {
                return;
            }
            self.remove(&twin);
        }
        if matches!(selected.media, Media::Here(_)) {
            self.held = self.held.saturating_add(selected.least_len);
        }
        self.kept.insert(key.clone(), selected);
        if self.dropped_from.as_ref().is_some_and(|from| key >= *from) {
            self.drop_media(&key);
        }
        if self.kept.len() > self.options.max_fragments.saturating_add(1)
            && let Some(last) = self.kept.last_key_value().map(|(key, _)| key.clone())
        {
            self.remove(&last);
        }
        self.drop_media_beyond_limit();
    }

    /// Gives up media that cannot be in the clip: the fragments before it fill it.
    fn drop_media_beyond_limit(&mut self) {
        while let Some((last, least_len)) = self.last_held()
            && self.held.saturating_sub(least_len) > self.options.max_bytes
        {
            self.drop_media(&last);
            self.dropped_from = Some(last);
        }
    }

    /// The last fragment whose media is here, if that of any is.
    fn last_held(&self) -> Option<(Key, u64)> {
        let mut held = match &self.dropped_from {
            Some(from) => self.kept.range(..from.clone()),
            None => self.kept.range(..),
        };
        let (key, last) = held.next_back()?;
        matches!(last.media, Media::Here(_)).then(|| (key.clone(), last.least_len))
    }

    fn drop_media(&mut self, key: &Key) {
        if let Some(selected) = self.kept.get_mut(key)
            && matches!(selected.media, Media::Here(_))
        {
            selected.media = Media::Dropped;
            self.held = self.held.saturating_sub(selected.least_len);
        }
    }

    fn remove(&mut self, key: &Key) {
        self.drop_media(key);
        self.kept.remove(key);
    }

    /// The kept fragment that `selected` is a duplicate of: the same start by the producer's clock, or the same
    /// number. Only fragments with a number and a time have an identity.
    fn twin(&self, key: &Key, selected: &Selected) -> Option<Key> {
        let number = selected.index.number().filter(|_| selected.start.is_tagged)?;
        let by_producer = self.selector.selector_type() == ClipFragmentSelectorType::ProducerTimestamp;
        let first = if by_producer { None } else { Some(number.clone()) };
        let from = Key { time: key.time, number: first, arrival: 0 };
        let same =
            |other: &Key| other.time == key.time && (by_producer || other.number.as_ref() == Some(number));
        self.kept
            .range(from..)
            .take_while(|(other, _)| same(other))
            .find(|(other, kept)| kept.start.is_tagged && other.number.is_some())
            .map(|(other, _)| other.clone())
    }
}

/// How many of the fragments that are not in the clip the report names. Input can hold any number of them.
const MAX_NAMED: usize = 1000;

fn push_event(report: &mut Report, event: impl FnOnce() -> Event) {
    if report.events.len() < MAX_NAMED {
        report.events.push(event());
    } else {
        report.unnamed = report.unnamed.saturating_add(1);
    }
}

/// Whether a fragment has frames that cannot be parsed, and no sample of the tracks of the clip.
fn has_only_faults(fragment: &FragmentIndex, chosen: ChosenTracks) -> bool {
    let table = &fragment.frames;
    let is_refused =
        [chosen.video, chosen.audio].iter().any(|track| track.is_required && track.index.is_none());
    !is_refused
        && !table.faults.is_empty()
        && chosen.indices().next().is_some()
        && !chosen.indices().any(|track| table.has_samples(track))
}

/// Whether a fragment has no frame of the tracks of the clip, or none that makes a sample. One that does not declare a track that must be there is
/// refused with its reason where tracks are planned.
fn is_empty(fragment: &FragmentIndex, chosen: ChosenTracks) -> bool {
    let table = &fragment.frames;
    let has_frame = |track: usize| {
        table.has_samples(track) || table.faults.iter().any(|faulty| usize::from(faulty.track) == track)
    };
    let is_refused =
        [chosen.video, chosen.audio].iter().any(|track| track.is_required && track.index.is_none());
    let is_without_frames = table.is_empty() && table.faults.is_empty();
    is_without_frames
        || (!is_refused && chosen.indices().next().is_some() && !chosen.indices().any(has_frame))
}
