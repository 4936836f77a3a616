//! [`VirtualFile`]: a file that is stored nowhere. Its size is known first; its bytes are located on demand.
//!
//! ```text
//!              |<------- head ------->|<---------------------- body ---------------------- ...
//! file         | ftyp moov mdat header| piece 0             | piece 1   | piece 2             ...
//! comes from   | bytes that were made | fragment 0, 64..4064| inline 0..4| fragment 0, 4070..9000
//! ```
//!
//! A piece is a range of one source: the media of a fragment, which may be anywhere, or the inline bytes that were made
//! while the body was laid out. Pieces are kept by where they end in the body, so that any offset is found by binary
//! search. Pieces that continue each other in their source are one.

use std::hash::Hasher;
use std::iter::FusedIterator;
use std::ops::{Bound, Range, RangeBounds};
use std::sync::Arc;

use bytes::Bytes;

/// Bytes of a planned clip that stand together: what to send next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// Bytes that the plan itself holds: the boxes before the media, and lengths of NAL units.
    Inline(Bytes),
    /// A range of the media of a fragment.
    Media {
        /// Place of the fragment in the clip, counted from 0: an index into
        /// [`ClipPlan::fragments`](crate::ClipPlan::fragments).
        fragment: usize,
        /// Bytes of its media, counted from the ID of its Cluster. Never empty, and never beyond the media's length.
        range: Range<u64>,
    },
}

impl Extent {
    /// Number of bytes, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "an extent is never empty")]
    pub fn len(&self) -> u64 {
        match self {
            Self::Inline(bytes) => bytes.len() as u64,
            Self::Media { range, .. } => range.end.saturating_sub(range.start),
        }
    }
}

/// Where bytes of the file come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The head, which was made.
    Head,
    /// The inline bytes of the body, which were made too.
    Inline,
    /// The media of the fragment at this place in the clip.
    Fragment(usize),
}

/// A source of the body and an offset in it, in 64 bits: 24 for the source, 40 for the offset.
///
/// A place beyond these is [`Origin::NOWHERE`], which [`VirtualFile::new`] refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Origin(u64);

impl Origin {
    const OFFSET_BITS: u32 = 40;
    const MAX_OFFSET: u64 = (1 << Self::OFFSET_BITS) - 1;
    const INLINE: u64 = 0;
    const NOWHERE: Self = Self(u64::MAX);
    /// The first source is that of the inline bytes, and `NOWHERE` is in the last one.
    const MAX_FRAGMENTS: usize = (u64::MAX >> Self::OFFSET_BITS) as usize - 1;

    fn inline(offset: usize) -> Self {
        Self::new(Self::INLINE, offset as u64)
    }

    fn fragment(place: usize, offset: u64) -> Self {
        match place {
            0..Self::MAX_FRAGMENTS => Self::new((place as u64).saturating_add(1), offset),
            _ => Self::NOWHERE,
        }
    }

    #[inline]
    fn new(source: u64, offset: u64) -> Self {
        if offset > Self::MAX_OFFSET { Self::NOWHERE } else { Self(source << Self::OFFSET_BITS | offset) }
    }

    fn source(self) -> Source {
        match (self.0 >> Self::OFFSET_BITS).checked_sub(1) {
            None => Source::Inline,
            Some(place) => Source::Fragment(usize::try_from(place).unwrap_or(usize::MAX)),
        }
    }

    fn offset(self) -> u64 {
        self.0 & Self::MAX_OFFSET
    }

    /// The place `len` bytes later. Runs over into the next source only where the source is too long to be valid.
    fn after(self, len: u64) -> Self {
        Self(self.0.saturating_add(len))
    }
}

/// A range of one source that is part of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    /// Where it ends, counted from the start of the body.
    end: u64,
    origin: Origin,
}

/// Everything after the head, laid out piece by piece.
#[derive(Debug)]
pub(crate) struct Body {
    pieces: Vec<Piece>,
    inline: Vec<u8>,
    len: u64,
    /// Where the last piece ends in its source.
    continued_at: Origin,
}

impl Body {
    /// An empty body with room for `pieces` pieces and `inline` inline bytes.
    pub(crate) fn with_capacity(pieces: usize, inline: usize) -> Self {
        let (pieces, inline) = (Vec::with_capacity(pieces), Vec::with_capacity(inline));
        Self { pieces, inline, len: 0, continued_at: Origin::NOWHERE }
    }

    /// Number of bytes laid out so far.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Adds bytes that are in no source.
    pub(crate) fn push_inline(&mut self, bytes: &[u8]) {
        let origin = Origin::inline(self.inline.len());
        self.inline.extend_from_slice(bytes);
        self.push(origin, bytes.len() as u64);
    }

    /// Adds a range of the media of the fragment at `place` in the clip.
    #[inline]
    pub(crate) fn push_media(&mut self, place: usize, offset: u64, len: u64) {
        self.push(Origin::fragment(place, offset), len);
    }

    #[inline]
    fn push(&mut self, origin: Origin, len: u64) {
        if len == 0 {
            return;
        }
        self.len = self.len.saturating_add(len);
        match self.pieces.last_mut() {
            Some(last) if self.continued_at == origin => last.end = self.len,
            _ => self.pieces.push(Piece { end: self.len, origin }),
        }
        self.continued_at = origin.after(len);
    }
}

/// A piece would be outside the media of its fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutsideMedia {
    /// Place of the fragment in the clip.
    pub(crate) fragment: usize,
    /// Least number of bytes that its media must have.
    pub(crate) needed: u64,
}

/// A head and a body, every piece of which is within its source.
#[derive(Debug)]
pub(crate) struct VirtualFile {
    head: Bytes,
    inline: Bytes,
    pieces: Vec<Piece>,
    len: u64,
}

/// A place in the file: an offset, and the part that it is in. Part 0 is the head, part `n` is piece `n - 1`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    offset: u64,
    part: usize,
}

/// The bytes from a place to the end of its part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) source: Source,
    /// In the source.
    pub(crate) range: Range<u64>,
}

impl VirtualFile {
    /// Puts a file together. `media_lens` are the lengths of the fragments' media, in the order of the clip.
    pub(crate) fn new(
        head: Bytes,
        body: Body,
        media_lens: impl IntoIterator<Item = u64>,
    ) -> Result<Self, OutsideMedia> {
        let Body { pieces, inline, len, .. } = body;
        let media_lens: Vec<u64> = media_lens.into_iter().take(Origin::MAX_FRAGMENTS).collect();
        let mut begin = 0;
        for piece in &pieces {
            let needed = piece.origin.offset().saturating_add(piece.end.saturating_sub(begin));
            if let Source::Fragment(fragment) = piece.origin.source()
                && media_lens.get(fragment).is_none_or(|&len| needed > len.min(Origin::MAX_OFFSET))
            {
                return Err(OutsideMedia { fragment, needed });
            }
            begin = piece.end;
        }
        let len = len.saturating_add(head.len() as u64);
        Ok(Self { head, inline: inline.into(), pieces, len })
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// The bytes of a source that the file holds itself.
    pub(crate) fn made(&self, source: Source) -> Option<&Bytes> {
        match source {
            Source::Head => Some(&self.head),
            Source::Inline => Some(&self.inline),
            Source::Fragment(_) => None,
        }
    }

    /// The place of an offset, found by binary search.
    pub(crate) fn find(&self, offset: u64) -> Place {
        let part = match offset.checked_sub(self.head.len() as u64) {
            None => 0,
            Some(in_body) => self.pieces.partition_point(|piece| piece.end <= in_body).saturating_add(1),
        };
        Place { offset, part }
    }

    /// What stands at a place; `None` at the end of the file.
    pub(crate) fn run_at(&self, place: Place) -> Option<Run> {
        let head_len = self.head.len() as u64;
        let Some(index) = place.part.checked_sub(1) else {
            return Some(Run { source: Source::Head, range: place.offset..head_len });
        };
        let piece = self.pieces.get(index)?;
        let before = index.checked_sub(1).and_then(|before| self.pieces.get(before));
        let begin = before.map_or(0, |before| before.end);
        let skipped = place.offset.checked_sub(head_len)?.checked_sub(begin)?;
        let len = piece.end.saturating_sub(begin);
        let offset = piece.origin.offset();
        let range = offset.saturating_add(skipped)..offset.saturating_add(len);
        Some(Run { source: piece.origin.source(), range })
    }

    /// The extents of a range that was [resolved](resolve).
    pub(crate) fn extents(self: &Arc<Self>, range: Range<u64>) -> Extents {
        Extents { place: self.find(range.start), end: range.end, file: self.clone() }
    }

    /// Feeds everything that the file is made of to a hash, the same way on every machine.
    pub(crate) fn hash(&self, hasher: &mut impl Hasher) {
        for made in [&self.head, &self.inline] {
            hasher.write(&(made.len() as u64).to_le_bytes());
            hasher.write(made);
        }
        for piece in &self.pieces {
            hasher.write(&piece.end.to_le_bytes());
            hasher.write(&piece.origin.0.to_le_bytes());
        }
    }
}

impl Run {
    pub(crate) fn len(&self) -> u64 {
        self.range.end.saturating_sub(self.range.start)
    }

    /// Cuts the run to at most `len` bytes.
    pub(crate) fn truncate(&mut self, len: u64) {
        self.range.end = self.range.end.min(self.range.start.saturating_add(len));
    }

    /// The range in memory. Empty where the source is too long for the address space, and so is not in it.
    pub(crate) fn range_in_memory(&self) -> Range<usize> {
        match (usize::try_from(self.range.start), usize::try_from(self.range.end)) {
            (Ok(start), Ok(end)) => start..end,
            _ => 0..0,
        }
    }
}

impl Place {
    pub(crate) fn offset(self) -> u64 {
        self.offset
    }

    /// The place after a run that begins here and ends with its part.
    pub(crate) fn after(self, len: u64) -> Self {
        Self { offset: self.offset.saturating_add(len), part: self.part.saturating_add(1) }
    }

    /// The place `len` bytes later, where that is in the same part.
    pub(crate) fn within(self, len: u64) -> Self {
        Self { offset: self.offset.saturating_add(len), part: self.part }
    }
}

/// The range of offsets that `range` means in a file of `len` bytes. It ends with the file, and may be empty.
pub(crate) fn resolve(range: impl RangeBounds<u64>, len: u64) -> Range<u64> {
    let start = match range.start_bound() {
        Bound::Included(&start) => start,
        Bound::Excluded(&start) => start.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(&end) => end.saturating_add(1),
        Bound::Excluded(&end) => end,
        Bound::Unbounded => u64::MAX,
    };
    start..end.min(len)
}

/// The extents of a range of a planned clip, in order. See [`ClipPlan::extents`](crate::ClipPlan::extents).
#[derive(Debug, Clone)]
pub struct Extents {
    file: Arc<VirtualFile>,
    place: Place,
    end: u64,
}

impl Extents {
    /// Number of bytes left: the `Content-Length` of a partial response.
    pub fn remaining(&self) -> u64 {
        self.end.saturating_sub(self.place.offset)
    }
}

impl Iterator for Extents {
    type Item = Extent;

    fn next(&mut self) -> Option<Extent> {
        let remaining = Some(self.remaining()).filter(|&remaining| remaining > 0)?;
        let mut run = self.file.run_at(self.place)?;
        run.truncate(remaining);
        self.place = self.place.after(run.len());
        Some(match (run.source, self.file.made(run.source)) {
            (Source::Fragment(fragment), _) => Extent::Media { fragment, range: run.range },
            (_, Some(made)) => Extent::Inline(made.slice(run.range_in_memory())),
            (_, None) => return None,
        })
    }
}

impl FusedIterator for Extents {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(head: &[u8], body: Body, media_lens: &[u64]) -> Arc<VirtualFile> {
        let head = Bytes::copy_from_slice(head);
        Arc::new(VirtualFile::new(head, body, media_lens.iter().copied()).unwrap())
    }

    fn extents(file: &Arc<VirtualFile>, range: impl RangeBounds<u64>) -> Vec<Extent> {
        file.extents(resolve(range, file.len())).collect()
    }

    fn inline(bytes: &'static [u8]) -> Extent {
        Extent::Inline(Bytes::from_static(bytes))
    }

    fn media(fragment: usize, range: Range<u64>) -> Extent {
        Extent::Media { fragment, range }
    }

    #[test]
    fn pieces_that_continue_each_other_are_one_extent() {
        let mut body = Body::with_capacity(0, 0);
        body.push_media(0, 10, 5);
        body.push_media(0, 15, 5);
        body.push_media(0, 15, 0);
        body.push_inline(b"ab");
        body.push_inline(b"cd");
        body.push_media(1, 20, 1);
        body.push_media(0, 21, 1);
        let file = file(b"head", body, &[22, 21]);
        let all = [inline(b"head"), media(0, 10..20), inline(b"abcd"), media(1, 20..21), media(0, 21..22)];
        assert_eq!(extents(&file, ..), all);
        assert_eq!(all.iter().map(Extent::len).sum::<u64>(), file.len());
        assert_eq!(extents(&file, 2..=4), [inline(b"ad"), media(0, 10..11)]);
        assert_eq!(extents(&file, 13..16), [media(0, 19..20), inline(b"ab")]);
        assert_eq!(extents(&file, (Bound::Excluded(18), Bound::Unbounded)), [media(0, 21..22)]);
        assert_eq!(extents(&file, 5..5), []);
        assert_eq!(extents(&file, 20..), []);
        assert_eq!(extents(&file, u64::MAX..), []);
    }

    #[test]
    fn remaining_is_what_the_extents_add_up_to() {
        let mut body = Body::with_capacity(0, 0);
        body.push_media(0, 0, 7);
        let file = file(b"head", body, &[7]);
        let mut extents = file.extents(resolve(1..9, file.len()));
        assert_eq!(extents.remaining(), 8);
        assert_eq!(extents.next(), Some(inline(b"ead")));
        assert_eq!(extents.remaining(), 5);
        assert_eq!(extents.next(), Some(media(0, 0..5)));
        assert_eq!((extents.remaining(), extents.next()), (0, None));
    }

    #[test]
    fn offsets_of_more_than_32_bits() {
        const FAR: u64 = 1 << 39;
        let mut body = Body::with_capacity(0, 0);
        body.push_media(7, FAR, FAR - 1);
        body.push_media(8, 0, 1 << 33);
        let mut media_lens = [0; 9];
        (media_lens[7], media_lens[8]) = ((1 << 40) - 1, 1 << 33);
        let file = file(b"", body, &media_lens);
        assert_eq!(extents(&file, ..), [media(7, FAR..(1 << 40) - 1), media(8, 0..1 << 33)]);
        assert_eq!(extents(&file, FAR..FAR + 9), [media(8, 1..10)]);
    }

    fn refusal(pieces: &[(usize, u64, u64)], media_lens: &[u64]) -> Option<OutsideMedia> {
        let mut body = Body::with_capacity(0, 0);
        body.push_inline(&[0; 9]);
        for &(place, offset, len) in pieces {
            body.push_media(place, offset, len);
        }
        VirtualFile::new(Bytes::new(), body, media_lens.iter().copied()).err()
    }

    #[test]
    fn a_piece_outside_its_source_is_refused() {
        assert_eq!(refusal(&[(0, 0, 10), (1, 5, 5)], &[10, 10]), None);
        let outside = |fragment, needed| Some(OutsideMedia { fragment, needed });
        assert_eq!(refusal(&[(0, 0, 11), (1, 5, 5)], &[10, 10]), outside(0, 11));
        assert_eq!(refusal(&[(0, 0, 5), (0, 5, 6), (1, 5, 5)], &[10, 10]), outside(0, 11));
        assert_eq!(refusal(&[(0, 0, 1), (1, 5, 6)], &[10, 10]), outside(1, 11));
        assert_eq!(refusal(&[(2, 0, 1)], &[10, 10]), outside(2, 1));
    }

    #[test]
    fn a_place_beyond_what_a_piece_can_hold_is_refused() {
        const TERABYTE: u64 = 1 << 40;
        const NOWHERE: usize = (1 << 24) - 2;
        let outside = |fragment, needed| Some(OutsideMedia { fragment, needed });
        assert_eq!(refusal(&[(0, TERABYTE, 1)], &[u64::MAX]), outside(NOWHERE, TERABYTE));
        assert_eq!(refusal(&[(usize::MAX, 0, 1)], &[1]), outside(NOWHERE, TERABYTE));
        // What ends with the largest offset must not be taken to go on in the next fragment.
        let pieces = [(0, TERABYTE - 1, 1), (1, 0, 1)];
        assert_eq!(refusal(&pieces, &[u64::MAX; 2]), outside(0, TERABYTE + 1));
        // More fragments than a piece can tell apart.
        let media_lens = vec![1; NOWHERE + 9];
        assert_eq!(refusal(&[(NOWHERE - 1, 0, 1)], &media_lens), None);
        assert_eq!(refusal(&[(NOWHERE, 0, 1)], &media_lens), outside(NOWHERE, TERABYTE));
    }

    /// What a body is made of: inline bytes, or a range of a fragment.
    #[derive(Debug, Clone)]
    enum Part {
        Inline(Vec<u8>),
        Media(usize, Range<u64>),
    }

    const MEDIA_LEN: u64 = 40;

    fn parts() -> impl Strategy<Value = Vec<Part>> {
        let inline = prop::collection::vec(any::<u8>(), 0..5).prop_map(Part::Inline);
        let media = (0..3_usize, 0..=MEDIA_LEN, 0..=MEDIA_LEN)
            .prop_map(|(fragment, a, b)| Part::Media(fragment, a.min(b)..a.max(b)));
        prop::collection::vec(prop_oneof![inline, media], 0..20)
    }

    proptest! {
        /// The definition, byte by byte.
        #[test]
        fn extents_are_the_bytes_of_the_range(
            head in prop::collection::vec(any::<u8>(), 0..8),
            parts in parts(),
    (start, end) in (0..300_u64, 0..300_u64),
        ) {
            let sources: [Vec<u8>; 3] = [0, 50, 100].map(|first| (first..first + MEDIA_LEN as u8).collect());
            let (mut want, mut body) = (head.clone(), Body::with_capacity(0, 0));
            for part in parts {
                match part {
                    Part::Inline(bytes) => {
                        body.push_inline(&bytes);
                        want.extend(bytes);
                    }
                    Part::Media(fragment, range) => {
                        body.push_media(fragment, range.start, range.end - range.start);
                        want.extend(&sources[fragment][range.start as usize..range.end as usize]);
                    }
                }
            }
            let file = file(&head, body, &[MEDIA_LEN; 3]);
            prop_assert_eq!(file.len(), want.len() as u64);
            let extents = extents(&file, start..end);
            let mut found: Vec<u8> = Vec::new();
            for extent in &extents {
                prop_assert!(extent.len() > 0);
                match extent {
                    Extent::Inline(bytes) => found.extend(bytes),
                    Extent::Media { fragment, range } => {
                        found.extend(&sources[*fragment][range.start as usize..range.end as usize]);
                    }
                }
            }
            let (start, end) = (start.min(file.len()), end.min(file.len()));
            prop_assert_eq!(&found, want.get(start as usize..end as usize).unwrap_or_default());
            for pair in extents.windows(2) {
                if let [Extent::Media { fragment: a, range: before }, Extent::Media { fragment: b, range: after }] = pair {
                    prop_assert!(a != b || before.end != after.start, "{:?} continue each other", pair);
                }
            }
        }
    }
}
