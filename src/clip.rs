//! [`Clip`]: the finished MP4 as a virtual file, whose bytes are handed out where they are.

use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use bytes::{Buf, Bytes};

use crate::report::Report;
use crate::track::Piece;

/// A finished clip: a progressive MP4 that is not written anywhere yet.
///
/// Its index is in memory; its media stays in the buffers that the fragments came in, and is referred to piece by
/// piece. So a clip is cheap to clone and to keep, and every way of reading it gives the same bytes without a copy:
/// [`write_to`](Self::write_to) a file or socket, [`chunks`](Self::chunks) for a response body,
/// [`slice`](Self::slice) for an HTTP range, [`reader`](Self::reader) for everything else.
#[derive(Debug, Clone)]
pub struct Clip(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    /// `ftyp`, `moov`, and the header of `mdat`.
    head: Bytes,
    /// What the pieces are parts of: NAL lengths, then the fragments.
    sources: Vec<Bytes>,
    pieces: Vec<Piece>,
    report: Report,
}

/// A place in a clip: an offset, and the part that it lies in. Part 0 is the head, part `n` is piece `n - 1`.
#[derive(Debug, Clone, Copy)]
struct Place {
    offset: u64,
    part: usize,
}

impl Clip {
    pub(crate) fn new(head: Bytes, sources: Vec<Bytes>, pieces: Vec<Piece>, report: Report) -> Self {
        Self(Arc::new(Parts { head, sources, pieces, report }))
    }

    /// Size of the MP4 in bytes: the `Content-Length` of a response.
    #[expect(clippy::len_without_is_empty, reason = "a clip is never empty")]
    pub fn len(&self) -> u64 {
        let media = self.0.pieces.last().map_or(0, |piece| piece.end);
        (self.0.head.len() as u64).saturating_add(media)
    }

    /// The `Content-Type` of a response: `video/mp4`.
    pub fn content_type(&self) -> &'static str {
        "video/mp4"
    }

    /// What the clip holds, and what was done to get there.
    pub fn report(&self) -> &Report {
        &self.0.report
    }

    /// All bytes in order, in pieces that share the memory they are in.
    pub fn chunks(&self) -> Chunks {
        self.slice(..)
    }

    /// The bytes in a range, which is cut to the length of the clip, in pieces that share the memory they are in.
    ///
    /// Finding the start takes a binary search, whatever the size of the clip.
    pub fn slice(&self, range: impl RangeBounds<u64>) -> Chunks {
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
        Chunks { place: self.0.find(start), end: end.min(self.len()), clip: self.clone() }
    }

    /// A reader at the start of the clip.
    pub fn reader(&self) -> ClipReader {
        ClipReader { place: self.0.find(0), clip: self.clone() }
    }

    /// Writes the whole clip, with vectored writes straight from the input's buffers, and answers its length.
    ///
    /// # Errors
    /// Those of the writer; a writer that takes no more bytes is [`io::ErrorKind::WriteZero`].
    pub fn write_to<W: Write>(&self, mut writer: W) -> io::Result<u64> {
        /// `IOV_MAX` of Linux and the BSDs.
        const BATCH: usize = 1024;
        let mut place = self.0.find(0);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            batch.clear();
            while batch.len() < BATCH
                && let Some(bytes) = self.0.bytes_at(place)
            {
                batch.push(IoSlice::new(bytes));
                place = place.behind(bytes);
            }
            if batch.is_empty() {
                return Ok(place.offset);
            }
            write_all_vectored(&mut writer, &mut batch)?;
        }
    }
}

fn write_all_vectored(writer: &mut impl Write, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
    while !slices.is_empty() {
        match writer.write_vectored(slices) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Parts {
    fn find(&self, offset: u64) -> Place {
        let part = match offset.checked_sub(self.head.len() as u64) {
            None => 0,
            Some(in_media) => self.pieces.partition_point(|piece| piece.end <= in_media).saturating_add(1),
        };
        Place { offset, part }
    }

    /// The bytes from a place to the end of its part, and what they are a part of. `None` at the end of the clip.
    fn locate(&self, place: Place) -> Option<(&Bytes, usize, usize)> {
        let Some(index) = place.part.checked_sub(1) else {
            let from = usize::try_from(place.offset).ok()?;
            return Some((&self.head, from, self.head.len()));
        };
        let piece = self.pieces.get(index)?;
        let in_media = place.offset.checked_sub(self.head.len() as u64)?;
        let begin =
            index.checked_sub(1).and_then(|before| self.pieces.get(before)).map_or(0, |before| before.end);
        let at = |media_offset: u64| {
            (piece.offset as usize).checked_add(usize::try_from(media_offset.checked_sub(begin)?).ok()?)
        };
        Some((self.sources.get(piece.source as usize)?, at(in_media)?, at(piece.end)?))
    }

    fn bytes_at(&self, place: Place) -> Option<&[u8]> {
        let (source, from, to) = self.locate(place)?;
        source.get(from..to)
    }
}

impl Place {
    /// Where `bytes`, which begin here and end with a part, end.
    fn behind(self, bytes: &[u8]) -> Self {
        Self { offset: self.offset.saturating_add(bytes.len() as u64), part: self.part.saturating_add(1) }
    }
}

/// The bytes of a clip or of a range of it, piece by piece. See [`Clip::chunks`] and [`Clip::slice`].
#[derive(Debug, Clone)]
pub struct Chunks {
    clip: Clip,
    place: Place,
    end: u64,
}

impl Chunks {
    /// How many bytes are left: the `Content-Length` of a partial response.
    pub fn remaining(&self) -> u64 {
        self.end.saturating_sub(self.place.offset)
    }
}

impl Iterator for Chunks {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let remaining = usize::try_from(self.remaining()).unwrap_or(usize::MAX);
        let (source, from, to) = self.clip.0.locate(self.place).filter(|_| remaining > 0)?;
        let to = to.min(from.saturating_add(remaining));
        let bytes = source.slice(from..to);
        self.place = self.place.behind(&bytes);
        Some(bytes)
    }
}

/// Reads a clip as if it were a file, and as a [`Buf`].
#[derive(Debug, Clone)]
pub struct ClipReader {
    clip: Clip,
    place: Place,
}

impl Read for ClipReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut read = 0_usize;
        while let Some(space) = buffer.get_mut(read..).filter(|space| !space.is_empty()) {
            let chunk = self.chunk();
            let len = chunk.len().min(space.len());
            if len == 0 {
                break;
            }
            for (to, from) in space.iter_mut().zip(chunk) {
                *to = *from;
            }
            self.advance(len);
            read = read.saturating_add(len);
        }
        Ok(read)
    }
}

impl Seek for ClipReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let offset = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(distance) => self.clip.len().checked_add_signed(distance),
            SeekFrom::Current(distance) => self.place.offset.checked_add_signed(distance),
        };
        let offset =
            offset.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "seek to a negative offset"))?;
        self.place = self.clip.0.find(offset);
        Ok(offset)
    }
}

impl Buf for ClipReader {
    fn remaining(&self) -> usize {
        usize::try_from(self.clip.len().saturating_sub(self.place.offset)).unwrap_or(usize::MAX)
    }

    fn chunk(&self) -> &[u8] {
        self.clip.0.bytes_at(self.place).unwrap_or_default()
    }

    /// # Panics
    /// If fewer than `count` bytes remain, as [`Buf`] wants it.
    fn advance(&mut self, count: usize) {
        assert!(count <= self.remaining(), "cannot advance past the end of the clip");
        let chunk = self.chunk();
        self.place = if count == chunk.len() && count > 0 {
            self.place.behind(chunk)
        } else if count < chunk.len() {
            Place { offset: self.place.offset.saturating_add(count as u64), part: self.place.part }
        } else {
            self.clip.0.find(self.place.offset.saturating_add(count as u64))
        };
    }
}
