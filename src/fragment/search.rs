//! [`Search`]: where reading can go on after something did not fit.
//!
//! ```text
//! in a Cluster   1. a document that begins in a frame before the misfit: the capture was cut off there
//!                2. the misfit itself, if it is a document or a child of the Segment
//!                3. what follows the misfit by its size, if only its content is wrong
//!                4. the next place from the last frame on that is a block, a child of the Segment, or a document
//! elsewhere      3. and 4., where blocks are those of a Cluster whose header could not be read
//! ```
//!
//! A place is taken only if it is what it declares to be (see `plausible`). The places of a search are looked at once and
//! in order, and how far reading may go back is limited by the caller, so that work is linear in the input.

use memchr::memmem::Finder;

use crate::error::Error;
use crate::fragment::cluster::{IMPLIED_HEADER, OpenCluster};
use crate::fragment::plausible::{BlockContext, Chain, Hidden, Lookahead, Verdict};
use crate::matroska::{TrackEntry, ids};

/// First bytes of the IDs of documents, of what holds the rest, and of blocks.
const EBML: u8 = (ids::EBML >> 24) as u8;
const SEGMENT: u8 = (ids::SEGMENT >> 24) as u8;
const INFO: u8 = (ids::INFO >> 24) as u8;
const TRACKS: u8 = (ids::TRACKS >> 24) as u8;
const TAGS: u8 = (ids::TAGS >> 24) as u8;
const CLUSTER: u8 = (ids::CLUSTER >> 24) as u8;
const TIMESTAMP: u8 = ids::TIMESTAMP as u8;
const SIMPLE_BLOCK: u8 = ids::SIMPLE_BLOCK as u8;
const BLOCK_GROUP: u8 = ids::BLOCK_GROUP as u8;

/// A search, as far as there were bytes.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) why: Why,
    /// Offset in the input of what does not fit.
    pub(super) from: u64,
    /// Where its element ends, if only the content is wrong.
    pub(super) element_end: Option<u64>,
    phase: Phase,
}

/// Why there is a search.
#[derive(Debug)]
pub(super) enum Why {
    Misfit(Error),
    /// An element that is not known, and is none if what follows it does not fit.
    Unfamiliar(Error),
    /// The input ends inside an element.
    InputEnds,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Hidden,
    Here,
    After(u64),
    /// The same, in which no document begins.
    WholeBefore(u64),
    /// From this place on.
    Forward(u64),
}

/// What a search has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing so far: more bytes are needed.
    Wait,
    /// Another document begins here, in a Cluster.
    Cut(u64),
    /// Reading goes on here, in the same parent. `forget_end`: its size is wrong.
    Resume { at: u64, forget_end: bool },
    /// Something else begins here, outside the Cluster if there is one.
    Leave(u64),
    /// The Cluster ends here, and nothing in it can be read.
    End(u64),
    /// Nothing up to the end of the input.
    Nothing,
}

impl Search {
    /// A search inside a Cluster.
    pub(super) fn in_cluster(why: Why, from: u64, element_end: Option<u64>) -> Self {
        Self { why, from, element_end, phase: Phase::Hidden }
    }

    /// A search outside of Clusters. What follows the element, if its end is known, is looked at first.
    pub(super) fn outside(why: Why, from: u64, element_end: Option<u64>) -> Self {
        let phase = element_end.map_or(Phase::Forward(from.saturating_add(1)), Phase::After);
        Self { why, from, element_end, phase }
    }

    /// A search outside of Clusters for what stands in the wrong place, but can be read.
    pub(super) fn misplaced(error: Error, from: u64) -> Self {
        Self { why: Why::Misfit(error), from, element_end: None, phase: Phase::Forward(from) }
    }

    /// The next place that need not be kept.
    pub(super) fn keeps_from(&self) -> u64 {
        match self.phase {
            Phase::Hidden | Phase::Here | Phase::After(_) | Phase::WholeBefore(_) => self.from,
            Phase::Forward(at) => at,
        }
    }

    /// Goes on with a search in a Cluster, which may not go back beyond `earliest`.
    pub(super) fn step_in_cluster(
        &mut self,
        look: Lookahead<'_>,
        cluster: &mut OpenCluster,
        tracks: &[TrackEntry],
        finder: &Finder<'_>,
        earliest: u64,
    ) -> Outcome {
        loop {
            match self.phase {
                Phase::Hidden => {
                    let to = self.from;
                    let from = cluster.searched_to().max(look.start());
                    match look.hidden_document(finder, from, to, |at| cluster.frame_end(at)) {
                        Hidden::At(at) if at >= earliest => return Outcome::Cut(at),
                        Hidden::Unknown(at) if at >= earliest => {
                            cluster.set_searched_to(at);
                            return Outcome::Wait;
                        }
                        _ => cluster.set_searched_to(to),
                    }
                    self.phase = Phase::Here;
                }
                Phase::Here => {
                    match (look.document(self.from), other_than_block(look, self.from)) {
                        (Verdict::Yes, _) => return Outcome::Cut(self.from),
                        (_, Verdict::Yes) => return Outcome::Leave(self.from),
                        (Verdict::Unknown, _) | (_, Verdict::Unknown) => return Outcome::Wait,
                        (Verdict::No, Verdict::No) => {}
                    }
                    let from = match self.why {
                        Why::InputEnds => cluster.frames_end(),
                        Why::Misfit(_) | Why::Unfamiliar(_) => cluster.last_frame().saturating_add(1),
                    };
                    let forward = Phase::Forward(from.max(earliest).max(look.start()));
                    self.phase = self.element_end.map_or(forward, Phase::After);
                }
                Phase::After(at) => match self.holds_document(look, finder, at) {
                    Verdict::No => self.phase = Phase::WholeBefore(at),
                    Verdict::Unknown => return Outcome::Wait,
                    Verdict::Yes => self.phase = Phase::Forward(forward_from(cluster, look, earliest)),
                },
                Phase::WholeBefore(at) => {
                    let context = self.block_context(cluster, tracks);
                    let ends = if context.end.is_none() {
                        look.after_child_of_segment(at)
                    } else {
                        Verdict::of(context.end == Some(at))
                    };
                    let is_one_of_many = matches!(self.why, Why::Unfamiliar(_));
                    let ends = match ends {
                        Verdict::No if is_one_of_many => look.element(at, cluster.limit()),
                        ends => ends,
                    };
                    match (look.blocks(at, context), ends) {
                        (Chain::Good, _) | (_, Verdict::Yes) => {
                            return Outcome::Resume { at, forget_end: false };
                        }
                        (Chain::Unknown, _) | (_, Verdict::Unknown) => return Outcome::Wait,
                        _ => {}
                    }
                    self.phase = Phase::Forward(forward_from(cluster, look, earliest));
                }
                Phase::Forward(at) => return self.forward_in_cluster(look, cluster, tracks, at),
            }
        }
    }

    /// Whether the element was cut off in another document, and seems to be whole by chance.
    fn holds_document(&self, look: Lookahead<'_>, finder: &Finder<'_>, end: u64) -> Verdict {
        match look.hidden_document(finder, self.from, end, |_| Some(end)) {
            Hidden::At(_) => Verdict::Yes,
            Hidden::Unknown(_) => Verdict::Unknown,
            // An ID that begins before the end may end after it.
            Hidden::None if !look.is_final() && look.end() < end.saturating_add(3) => Verdict::Unknown,
            Hidden::None => Verdict::No,
        }
    }

    fn block_context<'a>(&self, cluster: &OpenCluster, tracks: &'a [TrackEntry]) -> BlockContext<'a> {
        // A block that ends with the input may do so by chance.
        let at_end = if matches!(self.why, Why::InputEnds) { 2 } else { 1 };
        BlockContext { tracks, end: cluster.end(), at_end }
    }

    fn forward_in_cluster(
        &mut self,
        look: Lookahead<'_>,
        cluster: &OpenCluster,
        tracks: &[TrackEntry],
        start: u64,
    ) -> Outcome {
        let context = self.block_context(cluster, tracks);
        let limit = cluster.limit();
        let mut at = start;
        let found = loop {
            if at >= limit {
                return Outcome::End(limit);
            }
            let verdict = match look.byte(at) {
                None if look.is_final() => return Outcome::Nothing,
                None => break Outcome::Wait,
                Some(SIMPLE_BLOCK | BLOCK_GROUP) => match look.blocks(at, context) {
                    // What does not fit has been read as what it says it is.
                    Chain::Good if at != self.from => break Outcome::Resume { at, forget_end: false },
                    Chain::Crosses => match look.after_child_of_segment(limit) {
                        Verdict::No => {
                            let unbounded = BlockContext { end: None, ..context };
                            match look.blocks(at, unbounded) {
                                Chain::Good => break Outcome::Resume { at, forget_end: true },
                                Chain::Unknown => Verdict::Unknown,
                                Chain::Bad | Chain::Crosses => Verdict::No,
                            }
                        }
                        Verdict::Unknown => Verdict::Unknown,
                        Verdict::Yes => Verdict::No,
                    },
                    Chain::Unknown => Verdict::Unknown,
                    Chain::Good | Chain::Bad => Verdict::No,
                },
                Some(EBML) if at >= self.from => match look.document(at) {
                    Verdict::Yes => break Outcome::Cut(at),
                    verdict => verdict,
                },
                // Where the Cluster's size is known, nothing else stands in what has been read of it.
                Some(SEGMENT | INFO | TRACKS | TAGS | CLUSTER)
                    if at >= self.from || context.end.is_none() =>
                {
                    match other_than_block(look, at) {
                        Verdict::Yes => break Outcome::Leave(at),
                        verdict => verdict,
                    }
                }
                Some(_) => Verdict::No,
            };
            if verdict == Verdict::Unknown {
                break Outcome::Wait;
            }
            at = at.saturating_add(1);
        };
        self.phase = Phase::Forward(at);
        found
    }

    /// Goes on with a search outside of Clusters.
    pub(super) fn step_outside(
        &mut self,
        look: Lookahead<'_>,
        surroundings: Surroundings<'_>,
        finder: &Finder<'_>,
    ) -> Outcome {
        let next = self.from.saturating_add(1);
        if let Phase::After(at) = self.phase {
            self.phase = match self.holds_document(look, finder, at) {
                Verdict::Yes => Phase::Forward(next),
                Verdict::Unknown => return Outcome::Wait,
                Verdict::No => Phase::WholeBefore(at),
            };
        }
        let mut at = match self.phase {
            Phase::WholeBefore(at) => {
                let fits = match surroundings.segment_end {
                    Some(end) if end == at => Verdict::Yes,
                    _ => look.after_child_of_segment(at),
                };
                match fits {
                    Verdict::Yes => return Outcome::Resume { at, forget_end: false },
                    Verdict::Unknown => return Outcome::Wait,
                    Verdict::No => next,
                }
            }
            Phase::Forward(at) => at,
            Phase::Hidden | Phase::Here | Phase::After(_) => next,
        };
        let first_block = self.from.saturating_add(IMPLIED_HEADER.len() as u64);
        let found = loop {
            let verdict = match look.byte(at) {
                None if look.is_final() => return Outcome::Nothing,
                None => break Outcome::Wait,
                Some(EBML) => look.document(at),
                Some(SEGMENT | INFO | TRACKS | TAGS | CLUSTER) => other_than_block(look, at),
                Some(byte) if at >= first_block => surroundings.lost_cluster(look, at, byte),
                Some(_) => Verdict::No,
            };
            match verdict {
                Verdict::Yes => break Outcome::Leave(at),
                Verdict::Unknown => break Outcome::Wait,
                Verdict::No => at = at.saturating_add(1),
            }
        };
        self.phase = Phase::Forward(at);
        found
    }
}

/// What is known where a search outside of Clusters is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) segment_end: Option<u64>,
    /// The tracks that blocks can be of; none if there is no Segment.
    pub(super) tracks: &'a [TrackEntry],
    /// Whether tags tell when the next fragment starts.
    pub(super) has_start: bool,
}

impl Surroundings<'_> {
    /// Whether the children of a Cluster begin here, whose header could not be read: its Timestamp, or blocks if it is
    /// known when they start.
    fn lost_cluster(self, look: Lookahead<'_>, at: u64, byte: u8) -> Verdict {
        let blocks = match byte {
            TIMESTAMP => look.after_timestamp(at),
            SIMPLE_BLOCK | BLOCK_GROUP if self.has_start => Ok(at),
            _ => return Verdict::No,
        };
        let context = BlockContext { tracks: self.tracks, end: None, at_end: 1 };
        match blocks.map(|blocks| look.blocks(blocks, context)) {
            Ok(Chain::Good) => Verdict::Yes,
            Ok(Chain::Unknown) => Verdict::Unknown,
            Ok(Chain::Bad | Chain::Crosses) => Verdict::No,
            Err(verdict) => verdict,
        }
    }
}

/// Where a search for something else in a Cluster begins: after the start of the last frame, whose size may be wrong.
fn forward_from(cluster: &OpenCluster, look: Lookahead<'_>, earliest: u64) -> u64 {
    cluster.last_frame().saturating_add(1).max(earliest).max(look.start())
}

/// Whether a Segment or a child of one that matters begins here.
fn other_than_block(look: Lookahead<'_>, at: u64) -> Verdict {
    match look.segment(at) {
        Verdict::No => look.child_of_segment(at),
        verdict => verdict,
    }
}
