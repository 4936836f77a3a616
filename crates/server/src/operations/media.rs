//! GetMedia: fragments in the order in which they arrived, then as they arrive.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_core::Stream;
use futures_util::{StreamExt, stream};
use getclip::Timestamp;
use getclip_archive::{
    Archive, Error, MediaBody, Retention, StoredFragment, StreamInfo, TailPosition, TailStart, tags_element,
};
use http::{Response, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::archived_media::CONTENT_TYPE;
use crate::http::{State, now, with_type};
use crate::model::{GetMedia, ServiceError, StartSelector};

/// How often a stream is asked for what has arrived.
const POLL: Duration = Duration::from_secs(1);

/// How many fragments are asked for at a time.
const BATCH: usize = 100;

impl State {
    /// The response has no end: it goes on until the client, the stream or the server goes.
    pub(super) async fn get_media(&self, asked: GetMedia) -> Result<Response<Body>, ServiceError> {
        let permit = self.media_permit()?;
        let stream = self.stream(&asked.stream).await?;
        if stream.retention() == Retention::None {
            return self.recent_media(stream, &asked.start, permit);
        }
        let start = match asked.start {
            StartSelector::Now => TailStart::Now,
            StartSelector::Earliest => TailStart::Earliest,
            StartSelector::AfterFragment(number) => TailStart::AfterFragment(number),
            StartSelector::ServerTimestamp(time) => TailStart::ServerTimestamp(time),
            StartSelector::ProducerTimestamp(time) => TailStart::ProducerTimestamp(time),
            StartSelector::Continuation(token) => {
                return Ok(self.live(stream, position_of(&token)?, permit));
            }
        };
        let position = self.archive.tail_start(&stream, &start).await?.ok_or_else(|| {
            ServiceError::invalid_argument("AfterFragmentNumber: not a fragment of this stream")
        })?;
        Ok(self.live(stream, position, permit))
    }

    fn live(
        &self,
        stream: StreamInfo,
        position: TailPosition,
        permit: OwnedSemaphorePermit,
    ) -> Response<Body> {
        let live = Live {
            archive: self.archive.clone(),
            stream,
            position,
            waiting: VecDeque::new(),
            sending: None,
            closing: self.closing(),
            _permit: permit,
        };
        with_type(StatusCode::OK, CONTENT_TYPE, Body::from_stream(live.into_bytes()))
    }
}

/// A consumer of a stream.
struct Live {
    archive: Archive,
    stream: StreamInfo,
    /// After the last fragment that was asked for.
    position: TailPosition,
    waiting: VecDeque<StoredFragment>,
    sending: Option<(StoredFragment, MediaBody)>,
    closing: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
}

impl Live {
    fn into_bytes(self) -> impl Stream<Item = Result<Bytes, Error>> + Send {
        stream::try_unfold(self, |mut live| async move {
            let bytes = live.next().await?;
            Ok(bytes.map(|bytes| (bytes, live)))
        })
    }

    /// The next bytes; `None` when the stream or the server has gone. A response that ends does so between fragments.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some((fragment, media)) = &mut self.sending {
                return match media.next().await {
                    Some(bytes) => bytes.map(Some),
                    None => {
                        let trailer = trailer(fragment.server_timestamp(), &TailPosition::after(fragment));
                        self.sending = None;
                        Ok(Some(trailer))
                    }
                };
            }
            if *self.closing.borrow() {
                return Ok(None);
            }
            if let Some(fragment) = self.waiting.pop_front() {
                let media = self.archive.documents(&self.stream, vec![fragment.clone()]);
                self.sending = Some((fragment, media));
                continue;
            }
            if !self.look().await? {
                return Ok(None);
            }
        }
    }

    /// Looks for fragments that have arrived, and waits where there are none. Returns whether the stream is still there.
    async fn look(&mut self) -> Result<bool, Error> {
        let batch = NonZeroUsize::new(BATCH).unwrap_or(NonZeroUsize::MIN);
        let (found, position) = self.archive.tail(&self.stream, &self.position, batch).await?;
        self.position = position;
        self.waiting.extend(found);
        if !self.waiting.is_empty() {
            return Ok(true);
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            // The sender lives as long as the server.
            _ = self.closing.changed() => {}
        }
        match self.archive.stream(self.stream.name()).await {
            // Another stream may have the name now.
            Ok(stream) if stream.created() != self.stream.created() => Ok(false),
            Ok(stream) => {
                self.stream = stream;
                Ok(true)
            }
            Err(Error::StreamNotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

pub(super) fn position_of(token: &str) -> Result<TailPosition, ServiceError> {
    token.parse().map_err(|_| ServiceError::invalid_argument("ContinuationToken: not a token of this server"))
}

/// What the service writes after each fragment: how far behind the consumer is, and where it goes on.
pub(super) fn trailer(server_timestamp: Timestamp, position: &TailPosition) -> Bytes {
    let behind = now().as_millis().saturating_sub(server_timestamp.as_millis()).max(0);
    tags_element(&[
        ("AWS_KINESISVIDEO_MILLIS_BEHIND_NOW", &behind.to_string()),
        ("AWS_KINESISVIDEO_CONTINUATION_TOKEN", &position.to_string()),
    ])
}
