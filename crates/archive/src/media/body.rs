//! [`MediaBody`]: bytes of a clip or of fragments, fetched as they are sent.
//!
//! Frames are stored nearly in the order in which they are sent, but the sound of half a second follows its pictures. So
//! media is fetched in [`Windows`] of a fragment, which are kept while pieces ahead need them.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use futures_core::Stream;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use getclip::{ClipPlan, Extent};

use crate::Error;
use crate::media::Source;
use crate::media::windows::{WindowId, Windows};

/// Body of a response: bytes that are fetched as the stream is polled, some ahead.
///
/// Dropping it stops its requests. An error ends it before its length is reached: close the connection.
pub struct MediaBody {
    remaining: u64,
    bytes: BoxStream<'static, Result<Bytes, Error>>,
}

impl MediaBody {
    pub(crate) fn new(len: u64, parts: Parts) -> Self {
        let sender = Sender { parts: Some(parts), ..Sender::default() };
        let bytes = stream::try_unfold(sender, |mut sender| async move {
            Ok(sender.next().await?.map(|bytes| (bytes, sender)))
        });
        Self { remaining: len, bytes: bytes.boxed() }
    }

    /// Number of bytes still to come.
    pub fn remaining(&self) -> u64 {
        self.remaining
    }
}

impl Stream for MediaBody {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.bytes.poll_next_unpin(cx);
        match &polled {
            Poll::Ready(Some(Ok(bytes))) => {
                self.remaining = self.remaining.saturating_sub(bytes.len() as u64)
            }
            Poll::Ready(Some(Err(_)) | None) => self.bytes = stream::empty().boxed(),
            Poll::Pending => {}
        }
        polled
    }
}

impl fmt::Debug for MediaBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaBody").field("remaining", &self.remaining).finish_non_exhaustive()
    }
}

/// Content of a body.
pub(crate) enum Parts {
    /// A range of a clip.
    Clip { plan: ClipPlan, sources: Arc<[Arc<Source>]>, range: Range<u64> },
    /// Whole fragments as documents: the first bytes of each, and the source of the others.
    Documents(BoxStream<'static, Result<(Bytes, Source), Error>>),
}

/// A piece that is sent next.
#[derive(Debug)]
enum Piece {
    Inline(Bytes),
    Media(WindowId, Range<u64>),
}

/// A piece before it is assigned to windows.
#[derive(Debug)]
enum Part {
    Inline(Bytes),
    Media(Arc<Source>, Range<u64>),
}

impl Parts {
    /// Number of bytes of a clip whose extents are looked up at a time.
    const STEP: u64 = 1 << 20;

    /// The next parts; empty after the last.
    async fn next(&mut self) -> Result<Vec<Part>, Error> {
        match self {
            Self::Clip { plan, sources, range } => {
                let end = range.start.saturating_add(Self::STEP).min(range.end);
                let extents = plan.extents(range.start..end);
                range.start = end;
                Ok(extents
                    .map(|extent| match extent {
                        Extent::Inline(bytes) => Part::Inline(bytes),
                        Extent::Media { fragment, range } => {
                            Part::Media(Arc::clone(&sources[fragment]), range)
                        }
                    })
                    .collect())
            }
            Self::Documents(documents) => {
                let Some((head, source)) = documents.try_next().await? else { return Ok(Vec::new()) };
                let range = 0..source.len();
                Ok(vec![Part::Inline(head), Part::Media(Arc::new(source), range)])
            }
        }
    }
}

#[derive(Default)]
struct Sender {
    parts: Option<Parts>,
    pieces: VecDeque<Piece>,
    /// Number of bytes in the pieces.
    queued: u64,
    windows: Windows,
    /// Small pieces that are sent together.
    small: BytesMut,
}

impl Sender {
    /// Number of bytes that are queued ahead.
    const AHEAD: u64 = 2 << 20;
    /// Pieces shorter than this are sent together, up to the same size.
    const SMALL: usize = 64 << 10;

    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            self.look_ahead().await?;
            let Some(piece) = self.pieces.pop_front() else {
                return Ok(Some(self.small.split().freeze()).filter(|bytes| !bytes.is_empty()));
            };
            let bytes = match piece {
                Piece::Inline(bytes) => bytes,
                Piece::Media(window, range) => self.windows.take(window, range).await?,
            };
            self.queued = self.queued.saturating_sub(bytes.len() as u64);
            if bytes.len() < Self::SMALL {
                if self.small.is_empty() {
                    self.small.reserve(2 * Self::SMALL);
                }
                self.small.put_slice(&bytes);
                if self.small.len() >= Self::SMALL {
                    return Ok(Some(self.small.split().freeze()));
                }
            } else if self.small.is_empty() {
                return Ok(Some(bytes));
            } else {
                self.queued += bytes.len() as u64;
                self.pieces.push_front(Piece::Inline(bytes));
                return Ok(Some(self.small.split().freeze()));
            }
        }
    }

    /// Fills the queue of pieces and starts the requests that they need.
    async fn look_ahead(&mut self) -> Result<(), Error> {
        while self.queued < Self::AHEAD
            && let Some(parts) = &mut self.parts
        {
            let next = parts.next().await?;
            if next.is_empty() {
                self.parts = None;
            }
            for part in next {
                match part {
                    Part::Inline(bytes) => {
                        self.queued += bytes.len() as u64;
                        self.pieces.push_back(Piece::Inline(bytes));
                    }
                    Part::Media(source, range) => {
                        self.queued += range.end - range.start;
                        let pieces = self.windows.need(&source, range);
                        self.pieces.extend(pieces.map(|(window, range)| Piece::Media(window, range)));
                    }
                }
            }
        }
        self.windows.fetch(self.parts.is_none());
        Ok(())
    }
}
