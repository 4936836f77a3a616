//! How reading goes on after something did not fit: what is kept, what is passed over, and what is said of it.

use crate::damage::Damage;
use crate::error::{Error, ErrorKind};
use crate::fragment::cluster::{ClusterContext, Misfit, OpenCluster};
use crate::fragment::plausible::{Hidden, Lookahead};
use crate::fragment::reader::{FragmentReader, InputState, Level, Step};
use crate::fragment::search::{Outcome, Search, Surroundings, Why};
use crate::incomplete::{Incomplete, IncompleteElement};
use crate::matroska::{ElementHeader, HeaderRead, ids};

/// Reading may go back as often as it likes by this much in all.
const FREE_GOING_BACK: u64 = 1 << 16;

impl FragmentReader {
    /// Starts a search.
    pub(super) fn search(&mut self, search: Search) -> Step {
        self.search = Some(search);
        Step::Forward
    }

    /// Something outside of Clusters does not fit here, in an element that ends at `element_end` if only its content is
    /// wrong.
    pub(super) fn misfit(&mut self, error: Error, element_end: Option<u64>) -> Step {
        let offset = self.window.offset();
        if let (ErrorKind::Service { .. }, Some(end)) = (error.kind(), element_end) {
            self.push_damage(&error, offset, 0);
            self.discard_to(end);
            return Step::Forward;
        }
        self.document.is_damaged = true;
        self.document.has_damaged_tags = true;
        self.search(Search::outside(Why::Misfit(error), offset, element_end))
    }

    pub(super) fn push_damage(&mut self, error: &Error, offset: u64, skipped_bytes: u64) {
        Damage::push(&mut self.damages, Damage::of(error, offset, skipped_bytes));
    }

    /// Goes on in a Cluster.
    pub(super) fn step_in_cluster(&mut self) -> Step {
        let Some(cluster) = &mut self.cluster else { return Step::NeedsInput };
        match cluster.read(self.window.bytes(), ClusterContext::new(&self.document)) {
            Ok(true) => self.end_cluster(),
            Ok(false) => {
                if !self.keeps_media {
                    self.drop_read_media();
                }
                Step::NeedsInput
            }
            Err(Misfit { error, element_end, is_unfamiliar }) => {
                let why = if is_unfamiliar { Why::Unfamiliar(error) } else { Why::Misfit(error) };
                let search = Search::in_cluster(why, cluster.position(), element_end);
                self.search(search)
            }
        }
    }

    /// Closes a Cluster whose end was reached, unless it was cut off in a frame that seems to be whole by chance.
    fn end_cluster(&mut self) -> Step {
        let earliest = self.earliest(self.cluster.as_ref().map_or(0, |cluster| cluster.position()));
        let Some(cluster) = &mut self.cluster else { return Step::Forward };
        let look = Lookahead::new(self.window.bytes(), self.window.offset(), self.input != InputState::Open);
        let from = cluster.searched_to().max(look.start());
        let in_range = |start: u64, end: u64| {
            look.hidden_document(&self.finder, start.max(from), end, |at| cluster.frame_end(at))
        };
        if cluster.awaits_document() && matches!(in_range(from, from.saturating_add(1)), Hidden::Unknown(_)) {
            return Step::NeedsInput;
        }
        let mut hidden = Hidden::None;
        if cluster.end().is_none() {
            hidden = cluster
                .suspects()
                .map(|(start, end)| in_range(start, end))
                .find(|hidden| *hidden != Hidden::None)
                .unwrap_or(Hidden::None);
        }
        if hidden == Hidden::None {
            hidden = in_range(cluster.last_frame(), cluster.position());
        }
        match hidden {
            Hidden::At(at) if at >= earliest => self.cut_cluster(at),
            Hidden::Unknown(at) if at >= earliest => {
                cluster.await_document(at);
                return Step::NeedsInput;
            }
            _ => self.close_cluster(None),
        }
        Step::Forward
    }

    /// Drops media that was read and need not be read again: all before the last frame, and before what may be a
    /// document.
    fn drop_read_media(&mut self) {
        let Some(cluster) = &mut self.cluster else { return };
        let look = Lookahead::new(self.window.bytes(), self.window.offset(), false);
        let from = cluster.searched_to().max(look.start());
        let to = cluster.last_frame();
        let kept_from = match look.hidden_document(&self.finder, from, to, |at| cluster.frame_end(at)) {
            Hidden::None => to,
            Hidden::At(at) | Hidden::Unknown(at) => at,
        };
        let dropped = self.window.discard(kept_from.saturating_sub(self.window.offset()));
        cluster.drop_kept(dropped);
    }

    /// The earliest place that reading may go back to from `from`, so that all that is read again is in proportion to the
    /// input.
    fn earliest(&self, from: u64) -> u64 {
        let left = from.saturating_mul(2).saturating_add(FREE_GOING_BACK).saturating_sub(self.went_back);
        from.saturating_sub(left)
    }

    fn go_back(&mut self, from: u64, to: u64) {
        self.went_back = self.went_back.saturating_add(from.saturating_sub(to));
    }

    /// Goes on with a search.
    pub(super) fn step_search(&mut self) -> Result<Step, Error> {
        let Some(mut search) = self.search.take() else { return Ok(Step::Forward) };
        let earliest = self.earliest(search.from);
        let look = Lookahead::new(self.window.bytes(), self.window.offset(), self.input != InputState::Open);
        if let Some(cluster) = &mut self.cluster {
            let tracks = self.document.tracks.set.entries();
            let outcome = search.step_in_cluster(look, cluster, tracks, &self.finder, earliest);
            return Ok(self.go_on_in_cluster(search, outcome));
        }
        let has_start = self.tags.producer_timestamp.is_some();
        let surroundings = match self.level {
            Level::Segment { end } => {
                let tracks = self.document.tracks_or_last(&self.last_document);
                Surroundings { segment_end: end, tracks, has_start }
            }
            Level::Top | Level::Document => Surroundings { segment_end: None, tracks: &[], has_start },
        };
        let outcome = search.step_outside(look, surroundings, &self.finder);
        self.go_on_outside(search, outcome)
    }

    fn go_on_in_cluster(&mut self, search: Search, outcome: Outcome) -> Step {
        let Search { why, from, .. } = &search;
        let from = *from;
        let Some(cluster) = &mut self.cluster else { return Step::Forward };
        let input_end = self.window.offset().saturating_add(self.window.bytes().len() as u64);
        let damage = |cluster: &OpenCluster, to: u64| {
            let start = if to < from { cluster.last_frame().min(to) } else { from.min(cluster.frames_end()) };
            let skipped = to.saturating_sub(start);
            match why {
                Why::Misfit(error) | Why::Unfamiliar(error) => Damage::of(error, start, skipped),
                Why::InputEnds => {
                    let found = format!("an element that ends after byte {input_end}");
                    Damage::of(&Error::malformed("an element inside the input", found), start, skipped)
                }
            }
        };
        match outcome {
            Outcome::Wait => {
                self.search = Some(search);
                return Step::NeedsInput;
            }
            Outcome::Cut(at) => self.cut_cluster(at),
            Outcome::Resume { at, .. }
                if matches!(why, Why::Unfamiliar(_)) && search.element_end == Some(at) =>
            {
                cluster.skip_to(at);
            }
            Outcome::Resume { at, forget_end } => {
                let damage = damage(cluster, at);
                cluster.resume(at, damage);
                if forget_end {
                    cluster.forget_end();
                }
                self.go_back(from, at);
            }
            Outcome::Leave(at) | Outcome::End(at) => {
                let damage = damage(cluster, at);
                cluster.push_damage(damage);
                cluster.cut(at);
                self.go_back(from, at);
                self.close_cluster(None);
                self.discard_to(at);
                if outcome == Outcome::Leave(at) {
                    self.enter(at);
                }
            }
            Outcome::Nothing => {
                let incomplete = match why {
                    Why::InputEnds => cluster.missing(self.window.bytes(), input_end),
                    Why::Misfit(_) | Why::Unfamiliar(_) => {
                        let damage = damage(cluster, input_end);
                        cluster.push_damage(damage);
                        cluster.end().and_then(|end| end.checked_sub(input_end)).map(|missing| Incomplete {
                            offset: input_end,
                            element: IncompleteElement::Cluster,
                            missing_bytes: Some(missing),
                        })
                    }
                };
                self.close_cluster(incomplete);
                self.discard_to(input_end);
                // What the Segment lacks is what the Cluster lacks.
                self.forget_segment_end();
                self.end_document();
            }
        }
        Step::Forward
    }

    /// Ends the Cluster where another document begins.
    fn cut_cluster(&mut self, at: u64) {
        let Some(cluster) = &mut self.cluster else { return };
        let (element, missing_bytes) = match cluster.end() {
            Some(end) => (IncompleteElement::Cluster, end.checked_sub(at)),
            None => (IncompleteElement::Block, None),
        };
        let from = cluster.position();
        cluster.cut(at);
        self.go_back(from, at);
        self.close_cluster(Some(Incomplete { offset: at, element, missing_bytes }));
        self.discard_to(at);
        // What the Segment lacks is what the Cluster lacks.
        self.forget_segment_end();
    }

    fn go_on_outside(&mut self, search: Search, outcome: Outcome) -> Result<Step, Error> {
        let from = search.from;
        match outcome {
            Outcome::Wait => {
                self.discard_to(search.keeps_from());
                self.search = Some(search);
                return Ok(Step::NeedsInput);
            }
            Outcome::Resume { at, .. } => {
                if let Why::Misfit(error) = &search.why {
                    self.push_damage(error, from, at.saturating_sub(from));
                }
                self.discard_to(at);
            }
            Outcome::Leave(at) | Outcome::Cut(at) | Outcome::End(at) => {
                let skipped = at.saturating_sub(from);
                match &search.why {
                    Why::Misfit(error) | Why::Unfamiliar(error) => self.push_damage(error, from, skipped),
                    Why::InputEnds => {
                        let error = Error::malformed("an element inside the input", "one that ends after it");
                        self.push_damage(&error, from, skipped);
                    }
                }
                self.document.is_damaged = true;
                self.discard_to(at);
                if at == from {
                    self.forget_segment_end();
                }
                self.enter(at);
            }
            Outcome::Nothing => return self.nothing_more(search),
        }
        Ok(Step::Forward)
    }

    /// Nothing was found up to the end of the input.
    fn nothing_more(&mut self, search: Search) -> Result<Step, Error> {
        let input_end = self.lookahead().end();
        match search.why {
            Why::InputEnds => {
                self.end_of_input();
                return Ok(Step::Forward);
            }
            Why::Misfit(error) if !self.has_document => return Err(error),
            Why::Misfit(error) | Why::Unfamiliar(error) => {
                self.push_damage(&error, search.from, input_end.saturating_sub(search.from));
            }
        }
        self.discard_to(input_end);
        Ok(Step::Forward)
    }

    pub(super) fn forget_segment_end(&mut self) {
        if let Level::Segment { end } = &mut self.level {
            *end = None;
        }
    }

    /// Makes a document of what begins here, if it is none of the one that is being read.
    fn enter(&mut self, at: u64) {
        let HeaderRead::Header(ElementHeader { id, .. }) =
            ElementHeader::read(self.lookahead().from(at).unwrap_or_default())
        else {
            return;
        };
        match id {
            ids::EBML => {}
            ids::TIMESTAMP | ids::SIMPLE_BLOCK | ids::BLOCK_GROUP => self.open_implied_cluster(at),
            // The header of the document is what was damaged.
            ids::SEGMENT => {
                self.end_document();
                self.begin_document();
            }
            ids::INFO | ids::TRACKS if self.document.has_cluster => {
                self.end_document();
                self.begin_document();
                self.level = Level::Segment { end: None };
            }
            _ if self.level == Level::Top => {
                self.begin_document();
                self.level = Level::Segment { end: None };
            }
            _ if self.level == Level::Document => self.level = Level::Segment { end: None },
            _ => {}
        }
        self.document.is_damaged |= id != ids::EBML;
    }
}
