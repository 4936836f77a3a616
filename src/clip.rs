//! [`Clip`]: the finished MP4 as a virtual file, whose bytes are handed out where they are.

use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::iter::FusedIterator;
use std::ops::RangeBounds;
use std::sync::Arc;

use bytes::{Buf, Bytes};

use crate::clip_plan::ClipPlan;
use crate::error::{Error, ErrorKind};
use crate::report::Report;
use crate::virtual_file::{self, Place, Run, Source, VirtualFile};

/// A finished clip: a progressive MP4 that is not written anywhere yet.
///
/// Its index is in memory; its media stays in the buffers that the fragments came in, and is referred to piece by
/// piece. So a clip is cheap to clone and to keep, and every way of reading it gives the same bytes without a copy:
/// [`write_to`](Self::write_to) a file or socket, [`chunks`](Self::chunks) for a response body,
/// [`slice`](Self::slice) for an HTTP range, [`reader`](Self::reader) for everything else.
///
/// It is a [`ClipPlan`] and the media that the plan refers to.
#[derive(Debug, Clone)]
pub struct Clip(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    plan: ClipPlan,
    /// The media of each fragment of the clip, of the lengths that were planned for.
    media: Vec<Bytes>,
}

impl ClipPlan {
    /// The clip, with its media in memory: the media of each of its [`fragments`](Self::fragments), in that order.
    ///
    /// # Errors
    /// [`ErrorKind::MediaCount`] or [`ErrorKind::MediaLength`] if it is not the media that was planned for, by its
    /// number or by its lengths.
    pub fn with_media(self, media: impl IntoIterator<Item = Bytes>) -> Result<Clip, Error> {
        let planned = self.media();
        // One more than expected is enough to know that there are too many.
        let media: Vec<Bytes> = media.into_iter().take(planned.len().saturating_add(1)).collect();
        if media.len() != planned.len() {
            return Err(ErrorKind::MediaCount { expected: planned.len(), found: media.len() }.into());
        }
        for (planned, media) in planned.iter().zip(&media) {
            let (expected, found) = (planned.len, media.len() as u64);
            if expected != found {
                let error = Error::new(ErrorKind::MediaLength { expected, found });
                return Err(error.in_fragment(planned.name.clone()));
            }
        }
        Ok(Clip(Arc::new(Parts { plan: self, media })))
    }
}

impl Clip {
    /// The clip without its media.
    pub fn plan(&self) -> &ClipPlan {
        &self.0.plan
    }

    /// Size of the MP4 in bytes: the `Content-Length` of a response.
    #[expect(clippy::len_without_is_empty, reason = "a clip is never empty")]
    pub fn len(&self) -> u64 {
        self.plan().len()
    }

    /// The `Content-Type` of a response: `video/mp4`.
    pub fn content_type(&self) -> &'static str {
        self.plan().content_type()
    }

    /// What the clip holds, and what was done to get there.
    pub fn report(&self) -> &Report {
        self.plan().report()
    }

    /// All bytes in order, in pieces that share the memory they are in.
    pub fn chunks(&self) -> Chunks {
        self.slice(..)
    }

    /// The bytes in a range, which is cut to the length of the clip, in pieces that share the memory they are in.
    ///
    /// Finding the start takes a binary search, whatever the size of the clip.
    pub fn slice(&self, range: impl RangeBounds<u64>) -> Chunks {
        let range = virtual_file::resolve(range, self.len());
        Chunks { place: self.file().find(range.start), end: range.end, clip: self.clone() }
    }

    /// A reader at the start of the clip.
    pub fn reader(&self) -> ClipReader {
        ClipReader { place: self.file().find(0), clip: self.clone() }
    }

    /// Writes the whole clip, with vectored writes straight from the input's buffers, and returns its length.
    ///
    /// # Errors
    /// Those of the writer; a writer that takes no more bytes is [`io::ErrorKind::WriteZero`].
    pub fn write_to<W: Write>(&self, mut writer: W) -> io::Result<u64> {
        /// `IOV_MAX` of Linux and the BSDs.
        const BATCH: usize = 1024;
        let mut place = self.file().find(0);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            batch.clear();
            while batch.len() < BATCH
                && let Some(bytes) = self.bytes_at(place)
            {
                batch.push(IoSlice::new(bytes));
                place = place.after(bytes.len() as u64);
            }
            if batch.is_empty() {
                return Ok(place.offset());
            }
            write_all_vectored(&mut writer, &mut batch)?;
        }
    }

    fn file(&self) -> &VirtualFile {
        self.0.plan.file()
    }

    /// What a run is a part of.
    fn memory(&self, run: &Run) -> Option<&Bytes> {
        match run.source {
            Source::Fragment(place) => self.0.media.get(place),
            made => self.file().made(made),
        }
    }

    /// The bytes from a place to the end of its part. `None` at the end of the clip.
    fn bytes_at(&self, place: Place) -> Option<&[u8]> {
        let run = self.file().run_at(place)?;
        self.memory(&run)?.get(run.range_in_memory())
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

/// The bytes of a clip or of a range of it, piece by piece. See [`Clip::chunks`] and [`Clip::slice`].
#[derive(Debug, Clone)]
pub struct Chunks {
    clip: Clip,
    place: Place,
    end: u64,
}

impl Chunks {
    /// Number of bytes left: the `Content-Length` of a partial response.
    pub fn remaining(&self) -> u64 {
        self.end.saturating_sub(self.place.offset())
    }
}

impl Iterator for Chunks {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let remaining = Some(self.remaining()).filter(|&remaining| remaining > 0)?;
        let mut run = self.clip.file().run_at(self.place)?;
        run.truncate(remaining);
        let bytes = self.clip.memory(&run)?.slice(run.range_in_memory());
        self.place = self.place.after(run.len());
        Some(bytes)
    }
}

impl FusedIterator for Chunks {}

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
            SeekFrom::Current(distance) => self.place.offset().checked_add_signed(distance),
        };
        let offset =
            offset.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "seek to a negative offset"))?;
        self.place = self.clip.file().find(offset);
        Ok(offset)
    }
}

impl Buf for ClipReader {
    fn remaining(&self) -> usize {
        usize::try_from(self.clip.len().saturating_sub(self.place.offset())).unwrap_or(usize::MAX)
    }

    fn chunk(&self) -> &[u8] {
        self.clip.bytes_at(self.place).unwrap_or_default()
    }

    /// # Panics
    /// If fewer than `count` bytes remain, as [`Buf`] wants it.
    fn advance(&mut self, count: usize) {
        assert!(count <= self.remaining(), "cannot advance past the end of the clip");
        let chunk = self.chunk();
        let len = count as u64;
        self.place = match count {
            _ if count < chunk.len() => self.place.within(len),
            _ if count == chunk.len() && count > 0 => self.place.after(len),
            _ => self.clip.file().find(self.place.offset().saturating_add(len)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip_plan::PlannedMedia;
    use crate::number::FragmentName;
    use crate::virtual_file::Body;

    fn plan() -> ClipPlan {
        let mut body = Body::with_capacity(0, 0);
        body.push_media(0, 1, 2);
        body.push_media(1, 0, 2);
        let media = [3, 2].into_iter().enumerate().map(|(offered, len)| PlannedMedia {
            name: FragmentName::Position(offered as u64),
            offered,
            len,
            identity: None,
        });
        ClipPlan::new(Bytes::from_static(b"head"), body, Report::default(), media.collect()).unwrap()
    }

    fn with_media(media: &[&'static [u8]]) -> Result<Vec<u8>, Error> {
        let clip = plan().with_media(media.iter().copied().map(Bytes::from_static))?;
        Ok(clip.chunks().flat_map(|chunk| chunk.to_vec()).collect())
    }

    #[test]
    fn a_plan_and_its_media_are_a_clip() {
        assert_eq!(with_media(&[b"abc", b"de"]).unwrap(), b"headbcde");
    }

    #[test]
    fn other_media_is_refused() {
        let length = |expected, found| ErrorKind::MediaLength { expected, found };
        let error = with_media(&[b"abc", b"d"]).unwrap_err();
        assert_eq!(error.kind(), &length(2, 1));
        assert_eq!(error.location().fragment, Some(FragmentName::Position(1)));
        assert_eq!(with_media(&[b"abcd", b"de"]).unwrap_err().kind(), &length(3, 4));
        let count = |found| ErrorKind::MediaCount { expected: 2, found };
        assert_eq!(with_media(&[b"abc"]).unwrap_err().kind(), &count(1));
        assert_eq!(with_media(&[b"abc", b"de", b"f", b"g"]).unwrap_err().kind(), &count(3));
    }
}
