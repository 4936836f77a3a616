//! [`MediaResponse`]: a body of media whose length is known before its first byte.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use getclip_archive::{Error, MediaBody};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

/// Media out of the archive, and bytes between it, as one body.
///
/// It has an exact length, which becomes `Content-Length`. If media is lost on the way the body ends with an error, and
/// the connection is closed before that length is reached: every client notices.
pub(crate) struct MediaResponse {
    parts: VecDeque<Part>,
    remaining: u64,
    /// Held until the body has been sent or its client has gone.
    _permit: OwnedSemaphorePermit,
}

/// A part of a body.
pub(crate) enum Part {
    /// Bytes that were made.
    Made(Bytes),
    /// Media that is fetched as it is sent.
    Stored(MediaBody),
}

impl Part {
    fn len(&self) -> u64 {
        match self {
            Self::Made(bytes) => bytes.len() as u64,
            Self::Stored(media) => media.remaining(),
        }
    }
}

impl MediaResponse {
    pub(crate) fn new(parts: impl IntoIterator<Item = Part>, permit: OwnedSemaphorePermit) -> Self {
        let parts: VecDeque<_> = parts.into_iter().collect();
        let remaining = parts.iter().map(Part::len).fold(0, u64::saturating_add);
        Self { parts, remaining, _permit: permit }
    }
}

impl Body for MediaResponse {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        loop {
            let bytes = match self.parts.front_mut() {
                None => return Poll::Ready(None),
                Some(Part::Made(bytes)) => Some(std::mem::take(bytes)).filter(|bytes| !bytes.is_empty()),
                Some(Part::Stored(media)) => ready!(Pin::new(media).poll_next(context)).transpose()?,
            };
            let Some(bytes) = bytes else {
                self.parts.pop_front();
                continue;
            };
            self.remaining = self.remaining.saturating_sub(bytes.len() as u64);
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
    }

    /// HTTP ends where `Content-Length` does, and asks for nothing after that.
    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}
