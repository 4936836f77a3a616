//! What bytes declare to be, and whether they are: how a place to go on from is told from media that looks like one.
//!
//! Every check follows what is declared for a bounded number of elements, so that a search costs a constant per byte.

use memchr::memmem::Finder;

use crate::index::frame_table::FrameTable;
use crate::matroska::ids::{self, ElementId};
use crate::matroska::{ElementHeader, HeaderRead, TrackEntry, ebml};

/// An EBML header has some 40 bytes. A larger one is not taken for one where a document was not expected.
pub(super) const MAX_EBML_HEADER: u64 = 4096;

/// A key frame of 8K video has some 5 MB. What declares more is not taken for a block where none was expected.
const MAX_BLOCK: u64 = 16 << 20;

/// Block headers in a row that cannot be chance: each of them has an ID of its own, a declared track and zeros where the
/// format reserves bits, about 18 bits together.
const ENOUGH_BLOCKS: u32 = 3;

/// How many elements are followed for one check.
const MAX_STEPS: u32 = 64;

/// Whether bytes are what they declare to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Yes,
    No,
    /// More bytes are needed to tell.
    Unknown,
}

impl Verdict {
    pub(super) fn of(is: bool) -> Self {
        if is { Self::Yes } else { Self::No }
    }
}

/// The bytes of the input that are here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lookahead<'a> {
    bytes: &'a [u8],
    /// Offset in the input of the first of them.
    offset: u64,
    /// Whether the input ends with them.
    is_final: bool,
}

/// What stands at a place.
enum Look {
    Header(ElementHeader),
    /// The end of the input.
    End,
    /// Part of a header that the input's end cuts off, or a place beyond the end.
    CutOff,
    Invalid,
    Unknown,
}

/// Which blocks are expected in a Cluster.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlockContext<'a> {
    pub(super) tracks: &'a [TrackEntry],
    /// Offset in the input of the end of the Cluster, where it is known.
    pub(super) end: Option<u64>,
    /// How many blocks in a row must end with the input.
    pub(super) at_end: u32,
}

/// Where a chain of blocks leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chain {
    /// To other blocks, or to the end of the Cluster.
    Good,
    Bad,
    /// Beyond the end of the Cluster.
    Crosses,
    Unknown,
}

/// A document in what sizes say is media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hidden {
    None,
    At(u64),
    /// Perhaps here: more bytes are needed to tell.
    Unknown(u64),
}

impl<'a> Lookahead<'a> {
    pub(super) fn new(bytes: &'a [u8], offset: u64, is_final: bool) -> Self {
        Self { bytes, offset, is_final }
    }

    pub(super) fn is_final(&self) -> bool {
        self.is_final
    }

    /// Offset in the input of the first byte.
    pub(super) fn start(&self) -> u64 {
        self.offset
    }

    /// Offset in the input of the end of the bytes.
    pub(super) fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes.len() as u64)
    }

    pub(super) fn byte(&self, at: u64) -> Option<u8> {
        self.from(at)?.first().copied()
    }

    /// The bytes from `at` on. `None` if that is not among or right after them.
    pub(super) fn from(&self, at: u64) -> Option<&'a [u8]> {
        self.bytes.get(usize::try_from(at.checked_sub(self.offset)?).ok()?..)
    }

    fn look(&self, at: u64) -> Look {
        let Some(rest) = self.from(at) else {
            return if self.is_final { Look::CutOff } else { Look::Unknown };
        };
        match ElementHeader::read(rest) {
            HeaderRead::Header(header) => Look::Header(header),
            HeaderRead::Invalid { .. } => Look::Invalid,
            HeaderRead::Incomplete if !self.is_final => Look::Unknown,
            HeaderRead::Incomplete if rest.is_empty() => Look::End,
            HeaderRead::Incomplete => Look::CutOff,
        }
    }

    /// Whether a document begins here: an EBML header, and then a Segment or the end of the input.
    pub(super) fn document(&self, at: u64) -> Verdict {
        let header = match self.look(at) {
            Look::Header(header) => header,
            Look::Unknown => return Verdict::Unknown,
            Look::End | Look::CutOff | Look::Invalid => return Verdict::No,
        };
        let Some(size) = header.size.filter(|&size| header.id == ids::EBML && size <= MAX_EBML_HEADER) else {
            return Verdict::No;
        };
        let payload = at.saturating_add(header.len.into());
        if size > 0 {
            match self.look(payload) {
                Look::Header(child) if is_child_of_ebml(child.id) => {}
                Look::Unknown => return Verdict::Unknown,
                _ => return Verdict::No,
            }
        }
        match self.look(payload.saturating_add(size)) {
            Look::Header(next) => Verdict::of(next.id == ids::SEGMENT),
            Look::End | Look::CutOff => Verdict::Yes,
            Look::Unknown => Verdict::Unknown,
            Look::Invalid => Verdict::No,
        }
    }

    /// Whether a Segment begins here.
    pub(super) fn segment(&self, at: u64) -> Verdict {
        match self.look(at) {
            Look::Header(header) if header.id == ids::SEGMENT => {
                self.is_child(at.saturating_add(header.len.into()), header.size, ids::is_child_of_segment)
            }
            Look::Unknown => Verdict::Unknown,
            _ => Verdict::No,
        }
    }

    /// Whether a child of the Segment that matters begins here: Info, Tracks, Tags or Cluster.
    pub(super) fn child_of_segment(&self, at: u64) -> Verdict {
        let header = match self.look(at) {
            Look::Header(header) => header,
            Look::Unknown => return Verdict::Unknown,
            _ => return Verdict::No,
        };
        let payload = at.saturating_add(header.len.into());
        match header.id {
            ids::CLUSTER => self.is_child(payload, header.size, ids::is_child_of_cluster),
            ids::TAGS => self.is_child(payload, header.size, |id| is_global(id) || id == ids::TAG),
            ids::TRACKS => self.is_child(payload, header.size, |id| is_global(id) || id == ids::TRACK_ENTRY),
            ids::INFO => self.is_child(payload, header.size, |id| is_global(id) || is_child_of_info(id)),
            _ => Verdict::No,
        }
    }

    /// The end of the Timestamp of a Cluster that stands here.
    pub(super) fn after_timestamp(&self, at: u64) -> Result<u64, Verdict> {
        match self.look(at) {
            Look::Header(ElementHeader { id: ids::TIMESTAMP, size: Some(size @ 1..=8), len }) => {
                Ok(at.saturating_add(len.into()).saturating_add(size))
            }
            Look::Unknown => Err(Verdict::Unknown),
            _ => Err(Verdict::No),
        }
    }

    /// Whether an element that is not known and ends before `limit` stands here.
    pub(super) fn element(&self, at: u64, limit: u64) -> Verdict {
        match self.look(at) {
            Look::Header(header) => {
                let end = |size: u64| at.saturating_add(header.len.into()).saturating_add(size);
                Verdict::of(header.size.is_some_and(|size| end(size) <= limit))
            }
            Look::Unknown => Verdict::Unknown,
            _ => Verdict::No,
        }
    }

    /// Whether the first child of a Cluster stands here.
    pub(super) fn starts_cluster(&self, at: u64) -> Verdict {
        self.is_child(at, None, ids::is_child_of_cluster)
    }

    /// Whether what stands after an element of the Segment can stand there.
    pub(super) fn after_child_of_segment(&self, at: u64) -> Verdict {
        match self.look(at) {
            Look::Header(header) => match header.id {
                ids::EBML => self.document(at),
                ids::SEGMENT => self.segment(at),
                ids::INFO | ids::TRACKS | ids::TAGS | ids::CLUSTER => self.child_of_segment(at),
                // Their IDs have one byte, which payload may have too.
                ids::VOID | ids::CRC_32 => match header.size {
                    Some(size) => {
                        self.after_padding(at.saturating_add(header.len.into()).saturating_add(size))
                    }
                    None => Verdict::No,
                },
                id => Verdict::of(ids::is_child_of_segment(id) && header.size.is_some()),
            },
            Look::End => Verdict::Yes,
            Look::Unknown => Verdict::Unknown,
            Look::CutOff => Verdict::of(self.from(at).is_some()),
            Look::Invalid => Verdict::No,
        }
    }

    /// Whether another document begins here, or the input ends.
    pub(super) fn ends_document(&self, at: u64) -> bool {
        matches!(self.look(at), Look::End | Look::Header(ElementHeader { id: ids::EBML, .. }))
    }

    /// Whether an element that can follow one without meaning in a Segment stands here.
    fn after_padding(&self, at: u64) -> Verdict {
        match self.look(at) {
            Look::Header(ElementHeader { id, .. }) => {
                Verdict::of(matches!(id, ids::EBML | ids::SEGMENT) || ids::is_child_of_segment(id))
            }
            Look::End => Verdict::Yes,
            Look::Unknown => Verdict::Unknown,
            Look::CutOff | Look::Invalid => Verdict::No,
        }
    }

    /// Whether a child with an ID that `is_child` takes stands here and ends inside its parent.
    fn is_child(&self, at: u64, parent: Option<u64>, is_child: impl Fn(ElementId) -> bool) -> Verdict {
        match self.look(at) {
            Look::Header(header) if is_child(header.id) => Verdict::of(match (parent, header.size) {
                (Some(parent), Some(size)) => u64::from(header.len).saturating_add(size) <= parent,
                _ => true,
            }),
            Look::Unknown => Verdict::Unknown,
            _ => Verdict::No,
        }
    }

    /// Whether blocks begin here that follow each other as their sizes say.
    pub(super) fn blocks(&self, start: u64, context: BlockContext<'_>) -> Chain {
        let mut at = start;
        let mut blocks: u32 = 0;
        for _ in 0..MAX_STEPS {
            if context.end == Some(at) {
                return if blocks > 0 { Chain::Good } else { Chain::Bad };
            }
            let header = match self.look(at) {
                Look::Header(header) => header,
                Look::Unknown => return Chain::Unknown,
                Look::End if context.end.is_none() && blocks >= context.at_end => return Chain::Good,
                Look::End | Look::CutOff | Look::Invalid => return Chain::Bad,
            };
            if context.end.is_none() && blocks > 0 && ids::ends_cluster(header.id) {
                return match self.after_child_of_segment(at) {
                    Verdict::Yes => Chain::Good,
                    Verdict::No => Chain::Bad,
                    Verdict::Unknown => Chain::Unknown,
                };
            }
            let is_block = matches!(header.id, ids::SIMPLE_BLOCK | ids::BLOCK_GROUP);
            let Some(size) = header.size.filter(|&size| size <= MAX_BLOCK) else { return Chain::Bad };
            if !is_block && (blocks == 0 || !ids::is_child_of_cluster(header.id)) {
                return Chain::Bad;
            }
            let payload = at.saturating_add(header.len.into());
            if is_block {
                let block = match header.id {
                    ids::BLOCK_GROUP => self.block_of_group(payload, size),
                    _ => Ok((payload, size)),
                };
                match block.map(|(at, size)| self.block_header(at, size, context.tracks)) {
                    Ok(Verdict::Yes) => {}
                    Ok(Verdict::No) | Err(Verdict::No | Verdict::Yes) => return Chain::Bad,
                    Ok(Verdict::Unknown) | Err(Verdict::Unknown) => return Chain::Unknown,
                }
            }
            at = payload.saturating_add(size);
            if context.end.is_some_and(|end| at > end) {
                return Chain::Crosses;
            }
            blocks = blocks.saturating_add(is_block.into());
            if blocks == ENOUGH_BLOCKS {
                return Chain::Good;
            }
        }
        Chain::Bad
    }

    /// The payload of the Block in a BlockGroup, which has few children before it.
    fn block_of_group(&self, group: u64, size: u64) -> Result<(u64, u64), Verdict> {
        const CHILDREN: u32 = 8;
        let end = group.saturating_add(size);
        let mut at = group;
        for _ in 0..CHILDREN {
            let header = match self.look(at) {
                Look::Header(header) => header,
                Look::Unknown => return Err(Verdict::Unknown),
                _ => return Err(Verdict::No),
            };
            let payload = at.saturating_add(header.len.into());
            let size = header.size.ok_or(Verdict::No)?;
            at = payload.saturating_add(size);
            if at > end {
                return Err(Verdict::No);
            }
            if header.id == ids::BLOCK {
                return Ok((payload, size));
            }
        }
        Err(Verdict::No)
    }

    /// Whether the header of a block of a declared track stands here.
    fn block_header(&self, at: u64, size: u64, tracks: &[TrackEntry]) -> Verdict {
        const RESERVED: u8 = 0x70;
        const SHORTEST: u64 = 4;
        let rest = self.from(at).unwrap_or_default();
        let cut = if self.is_final { Verdict::No } else { Verdict::Unknown };
        if size < SHORTEST {
            return Verdict::No;
        }
        let Some((track, width)) = ebml::read_vint(rest) else {
            return if rest.len() < SHORTEST as usize { cut } else { Verdict::No };
        };
        let is_declared = track.is_some_and(|number| tracks.iter().any(|track| track.number == number));
        let flags = usize::from(width).saturating_add(2);
        match rest.get(flags) {
            Some(flags) => Verdict::of(is_declared && flags & RESERVED == 0),
            None if is_declared => cut,
            None => Verdict::No,
        }
    }

    /// The first document that begins in `from..to` inside a frame and goes on beyond it: a capture that was cut off in
    /// that frame, with another one appended.
    ///
    /// A document that ends inside its frame is payload.
    pub(super) fn hidden_document(
        &self,
        finder: &Finder<'_>,
        from: u64,
        to: u64,
        frame_end: impl Fn(u64) -> Option<u64>,
    ) -> Hidden {
        let mut from = from;
        while let Some(found) = self.find(finder, from, to) {
            let at = match found {
                Hidden::At(at) => at,
                other => return other,
            };
            let verdict = match self.document(at) {
                Verdict::Yes => frame_end(at).map_or(Verdict::Yes, |end| self.goes_beyond(at, end)),
                verdict => verdict,
            };
            match verdict {
                Verdict::Yes => return Hidden::At(at),
                Verdict::Unknown => return Hidden::Unknown(at),
                Verdict::No => from = at.saturating_add(1),
            }
        }
        Hidden::None
    }

    /// The next EBML ID that begins in `from..to`, whole or as far as there are bytes.
    fn find(&self, finder: &Finder<'_>, from: u64, to: u64) -> Option<Hidden> {
        const ID: [u8; 4] = ids::EBML.to_be_bytes();
        if from >= to {
            return None;
        }
        let rest = self.from(from)?;
        // An ID that begins before `to` may end after it.
        let len = usize::try_from(to.saturating_sub(from))
            .unwrap_or(usize::MAX)
            .saturating_add(const { ID.len() - 1 });
        let range = rest.get(..len).unwrap_or(rest);
        if let Some(at) = finder.find(range) {
            return Some(Hidden::At(from.saturating_add(at as u64)));
        }
        if self.is_final || range.len() == len {
            return None;
        }
        (1..ID.len()).rev().find_map(|kept| {
            let at = range.len().checked_sub(kept)?;
            let is_start = range.get(at..)? == ID.get(..kept)?;
            let at = from.saturating_add(at as u64);
            (is_start && at < to).then_some(Hidden::Unknown(at))
        })
    }

    /// Whether the document at `at` goes on after `end`, as far as a few dozen elements show.
    fn goes_beyond(&self, at: u64, end: u64) -> Verdict {
        let mut at = at;
        let mut has_cluster = false;
        for _ in 0..MAX_STEPS {
            if at >= end {
                return Verdict::of(at > end || !has_cluster);
            }
            let header = match self.look(at) {
                Look::Header(header) => header,
                Look::Unknown => return Verdict::Unknown,
                Look::End | Look::CutOff => return Verdict::Yes,
                Look::Invalid => return Verdict::No,
            };
            let is_known = header.id == ids::EBML
                || header.id == ids::SEGMENT
                || ids::is_child_of_segment(header.id)
                || ids::is_child_of_cluster(header.id);
            if !is_known {
                return Verdict::No;
            }
            let payload = at.saturating_add(header.len.into());
            at = match (header.id, header.size) {
                (ids::SEGMENT, _) | (ids::CLUSTER, None) => payload,
                (_, Some(size)) => payload.saturating_add(size),
                (_, None) => return Verdict::No,
            };
            has_cluster |= header.id == ids::CLUSTER && header.size.is_some();
        }
        Verdict::Yes
    }
}

/// End of the frame whose bytes hold the place `at`, both in bytes from the Cluster's ID.
pub(super) fn frame_end(table: &FrameTable, at: u64) -> Option<u64> {
    let at = u32::try_from(at).ok()?;
    let holds = |offset: u32, len: u32| {
        let end = offset.saturating_add(len);
        (offset <= at && at < end).then_some(u64::from(end))
    };
    let in_rows = table.tracks.iter().find_map(|track| {
        let next = track.rows.partition_point(|row| row.offset <= at);
        let row = track.rows.get(next.checked_sub(1)?)?;
        holds(row.offset, row.len)
    });
    in_rows.or_else(|| {
        let next = table.faults.partition_point(|faulty| faulty.offset <= at);
        let faulty = table.faults.get(next.checked_sub(1)?)?;
        holds(faulty.offset, faulty.len)
    })
}

fn is_global(id: ElementId) -> bool {
    matches!(id, ids::VOID | ids::CRC_32)
}

fn is_child_of_ebml(id: ElementId) -> bool {
    is_global(id)
        || matches!(
            id,
            ids::EBML_VERSION
                | ids::EBML_READ_VERSION
                | ids::EBML_MAX_ID_LENGTH
                | ids::EBML_MAX_SIZE_LENGTH
                | ids::DOC_TYPE
                | ids::DOC_TYPE_VERSION
                | ids::DOC_TYPE_READ_VERSION
        )
}

fn is_child_of_info(id: ElementId) -> bool {
    matches!(
        id,
        ids::TIMESTAMP_SCALE
            | ids::DURATION
            | ids::DATE_UTC
            | ids::TITLE
            | ids::MUXING_APP
            | ids::WRITING_APP
            | ids::SEGMENT_UUID
    )
}
