//! [`Neighbours`]: how a fragment continues the one before it.
//!
//! Gaps and overlaps are those that a clip of the two would report: one rule for both.

use getclip::{
    ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, CodecChanges, Event, FragmentIndex, Limits,
    MissingCodecPrivate, TrackChoice, TrackEntry,
};

use crate::inspect::row::Unusual;

/// Most fragments that are kept. Several are kept while each has a single frame, whose duration only the others show.
const MOST_KEPT: usize = 4;

/// What is to be remembered of the fragments before.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    tracks: Vec<TrackEntry>,
    before: Vec<FragmentIndex>,
}

impl Neighbours {
    /// What is unusual between the fragments before and this one, which takes its place among them.
    pub(super) fn compare(&mut self, fragment: &FragmentIndex) -> Vec<Unusual> {
        let mut unusual = self.compare_tracks(fragment.tracks());
        // What is left of a cut-off document has no times, and stands between fragments that may well fit.
        if fragment.frames().next().is_none() {
            return unusual;
        }
        let found = self.continuity(fragment);
        if matches!(found, Some(Unusual::OutOfOrder)) {
            self.before.clear();
        }
        if !matches!(found, Some(Unusual::Duplicate | Unusual::Empty)) {
            self.remember(fragment);
        }
        unusual.extend(found);
        unusual
    }

    fn remember(&mut self, fragment: &FragmentIndex) {
        if fragment.frames().count() > 1 || self.before.len() == MOST_KEPT {
            self.before.clear();
        }
        self.before.push(fragment.clone());
    }

    /// What a clip of the fragments before and this one would report of it. `None` also where they make none.
    fn continuity(&self, fragment: &FragmentIndex) -> Option<Unusual> {
        // Times of a producer's clock and of a Cluster do not compare.
        let is_dated = |fragment: &FragmentIndex| fragment.producer_timestamp().is_some();
        if self.before.last().is_none_or(|before| is_dated(before) != is_dated(fragment)) {
            return None;
        }
        let everything = ClipFragmentSelector::all(ClipFragmentSelectorType::ProducerTimestamp);
        let mut planner = ClipBuilder::new(everything)
            .limits(Limits::NONE)
            .codec_changes(CodecChanges::NewSampleEntry)
            .missing_codec_private(MissingCodecPrivate::FromFrames)
            .video_track(TrackChoice::Available)
            .audio_track(TrackChoice::Available)
            .planner();
        for fragment in self.before.iter().chain([fragment]) {
            planner.offer(fragment.clone()).ok()?;
        }
        let plan = planner.finish().ok()?;
        let this = self.before.len();
        match plan.fragments() {
            [.., last] if *last == this => {
                let events = plan.report().events.iter().rev();
                events.filter_map(|event| transition(event, fragment)).next()
            }
            fragments if fragments.contains(&this) => Some(Unusual::OutOfOrder),
            _ => {
                let events = &plan.report().events;
                let is_empty = events.iter().any(|event| matches!(event, Event::Empty { .. }));
                Some(if is_empty { Unusual::Empty } else { Unusual::Duplicate })
            }
        }
    }

    fn compare_tracks(&mut self, tracks: &[TrackEntry]) -> Vec<Unusual> {
        // A copy: codec private data shares the memory of the whole file, which need not stay.
        let tracks: Vec<TrackEntry> = tracks
            .iter()
            .cloned()
            .map(|mut track| {
                track.codec_private = track.codec_private.map(|private| private.to_vec().into());
                track
            })
            .collect();
        let before = std::mem::replace(&mut self.tracks, tracks);
        if before.is_empty() || self.tracks.is_empty() {
            return Vec::new();
        }
        let same_tracks = before.len() == self.tracks.len()
            && before
                .iter()
                .zip(&self.tracks)
                .all(|(before, now)| (before.number, &before.codec_id) == (now.number, &now.codec_id));
        if !same_tracks {
            return vec![Unusual::TracksChanged];
        }
        let pairs = before.iter().zip(&self.tracks);
        pairs
            .filter(|(before, now)| before.codec_private != now.codec_private)
            .map(|(_, now)| Unusual::CodecPrivateChanged { track: now.number })
            .collect()
    }
}

/// The gap or overlap before this fragment, if that is what an event reports.
fn transition(event: &Event, fragment: &FragmentIndex) -> Option<Unusual> {
    match event {
        Event::Gap { fragment: name, duration_ns, .. } if *name == fragment.name() => {
            Some(Unusual::Gap { duration_ns: *duration_ns })
        }
        Event::Moved { fragment: name, by_ns, .. } if *name == fragment.name() => {
            Some(Unusual::Overlap { duration_ns: by_ns.unsigned_abs() })
        }
        _ => None,
    }
}
