//! Which of the fragments offered are in the clip, and in which order.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind};
use crate::fragment::{Fragment, FragmentNumber};
use crate::report::{Cut, Event, Limit, Report};
use crate::selector::{ClipFragmentSelector, ClipFragmentSelectorType};
use crate::timestamp::Timestamp;
use crate::track::scan::{FragmentScan, Scanner};
use crate::track::tracks::{AUDIO_TRACK, Profile, VIDEO_TRACK};

/// A fragment in the range.
#[derive(Debug, Clone)]
pub(crate) struct Selected {
    /// Without its blocks, which the scan has.
    pub(crate) fragment: Fragment,
    pub(crate) scan: FragmentScan,
    pub(crate) start: Start,
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
    /// From where a caller can continue when the clip ends in front of this fragment.
    pub(crate) fn cut(&self, limit: Limit) -> Cut {
        let continue_from = self.start.is_tagged.then_some(self.start.selected_by);
        Cut { limit, fragment: self.fragment.name(), continue_from }
    }
}

/// Order of the fragments: by the clock of the selection, then by number, then as they came.
///
/// A fragment without tags has no identity: it sorts behind the one it followed in the input. So a recording
/// without tags keeps its order, whatever its Clusters' timestamps do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    time: Timestamp,
    number: Option<FragmentNumber>,
    arrival: u64,
}

/// Takes fragments one by one and keeps the first of them: as many as the limit, and one to tell where to continue.
#[derive(Debug)]
pub(crate) struct Selection {
    selector: ClipFragmentSelector,
    origin: Timestamp,
    max_fragments: usize,
    kept: BTreeMap<Key, Selected>,
    last_key: Key,
    strict: bool,
    scanner: Scanner,
}

impl Selection {
    pub(crate) fn new(
        selector: ClipFragmentSelector,
        origin: Timestamp,
        max_fragments: usize,
        strict: bool,
        profile: Profile,
    ) -> Self {
        let last_key = Key { time: Timestamp::from_millis(i64::MIN), number: None, arrival: 0 };
        let scanner = Scanner::new(profile);
        Self { selector, origin, max_fragments, kept: BTreeMap::new(), last_key, strict, scanner }
    }

    /// Looks at one more fragment.
    pub(crate) fn offer(&mut self, mut fragment: Fragment, report: &mut Report) -> Result<(), Error> {
        report.offered = report.offered.saturating_add(1);
        if let Some(incomplete) = fragment.incomplete() {
            if self.strict {
                let kind = ErrorKind::Truncated { reason: incomplete.to_string() };
                return Err(Error::new(kind).in_fragment(fragment.name()).at(incomplete.offset));
            }
            note(report, || Event::Incomplete {
                fragment: fragment.name(),
                reason: incomplete.to_string(),
                frames: fragment.blocks().len() as u64,
            });
        }
        if is_empty(&fragment) {
            if fragment.incomplete().is_none() {
                note(report, || Event::Empty { fragment: fragment.name() });
            }
            return Ok(());
        }
        let start = self.locate(&fragment)?;
        let key = self.key(&fragment, start);
        if !self.selector.contains(start.selected_by) {
            report.out_of_range = report.out_of_range.saturating_add(1);
            return Ok(());
        }
        let scan = self.scanner.scan(&fragment);
        fragment.drop_blocks();
        self.insert(key, Selected { fragment, scan, start }, report);
        Ok(())
    }

    /// The fragments of the clip in order. What the limit on fragments cut off is in the report.
    pub(crate) fn finish(mut self, report: &mut Report) -> Result<Vec<Selected>, Error> {
        if self.kept.len() > self.max_fragments
            && let Some((_, first_left_out)) = self.kept.pop_last()
        {
            report.cut = Some(first_left_out.cut(Limit::Fragments));
        }
        if self.kept.is_empty() {
            return Err(ErrorKind::NoFragments { offered: report.offered }.into());
        }
        Ok(self.kept.into_values().collect())
    }

    fn locate(&self, fragment: &Fragment) -> Result<Start, Error> {
        let out_of_range = || {
            let kind = ErrorKind::TimeOutOfRange { reason: "expected a start between 1678 and 2262".into() };
            Error::new(kind).in_fragment(fragment.name()).at(fragment.offset())
        };
        let producer_ns = match fragment.producer_timestamp() {
            Some(tag) => tag.as_millis().checked_mul(1_000_000),
            None => self
                .origin
                .as_millis()
                .checked_mul(1_000_000)
                .and_then(|origin| origin.checked_add(fragment.cluster_timestamp_ns()?)),
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

    fn key(&mut self, fragment: &Fragment, start: Start) -> Key {
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
            let replaces = twin.number < key.number
                || self.kept.get(&twin).is_some_and(|kept| {
                    twin.number == key.number
                        && kept.fragment.incomplete().is_some()
                        && selected.fragment.incomplete().is_none()
                });
            let (dropped, kept) = if replaces { (&twin, &key) } else { (&key, &twin) };
            let name = |key: &Key| key.number.as_ref().map(ToString::to_string).unwrap_or_default();
            note(report, || Event::DuplicateDropped { fragment: name(dropped), kept: name(kept) });
            if !replaces {
                return;
            }
            self.kept.remove(&twin);
        }
        self.kept.insert(key, selected);
        if self.kept.len() > self.max_fragments.saturating_add(1) {
            self.kept.pop_last();
        }
    }

    /// The kept fragment that `selected` is a duplicate of: the same start by the producer's clock, or the same
    /// number. Only fragments with a number and a time have an identity.
    fn twin(&self, key: &Key, selected: &Selected) -> Option<Key> {
        let number = selected.fragment.number().filter(|_| selected.start.is_tagged)?;
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

fn note(report: &mut Report, event: impl FnOnce() -> Event) {
    if report.events.len() < MAX_NAMED {
        report.events.push(event());
    } else {
        report.unnamed = report.unnamed.saturating_add(1);
    }
}

/// Whether a fragment declares the video track and has no frame, of it or of the audio track. One that does not
/// declare it is refused with its reason where tracks are planned.
fn is_empty(fragment: &Fragment) -> bool {
    let is_of_clip = |number: u64| matches!(number, VIDEO_TRACK | AUDIO_TRACK);
    let mut blocks = fragment.blocks().iter();
    let has_frame =
        blocks.any(|block| fragment.track_of(block).is_some_and(|track| is_of_clip(track.number)));
    let declares_video = fragment.tracks().iter().any(|track| track.number == VIDEO_TRACK);
    fragment.blocks().is_empty() || (declares_video && !has_frame)
}
