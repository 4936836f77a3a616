//! GetMedia of a stream without retention: what is in memory here, then what arrives.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use getclip_archive::{Archive, Error, Retention, StreamInfo, TailPosition};
use http::{Response, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::archived_media::CONTENT_TYPE;
use super::media::{position_of, trailer};
use crate::http::{State, with_type};
use crate::ingest::RecentFragments;
use crate::model::{ServiceError, StartSelector};

/// How often it is asked whether the stream is still there and without retention, while nothing arrives.
const LOOK: Duration = Duration::from_secs(1);

impl State {
    /// Like GetMedia of a stream that keeps its fragments, except that only this replica has them.
    pub(super) fn recent_media(
        &self,
        stream: StreamInfo,
        start: &StartSelector,
        permit: OwnedSemaphorePermit,
    ) -> Result<Response<Body>, ServiceError> {
        let recent = self.recent_fragments();
        let place = match start {
            StartSelector::Now => recent.place(&stream, |_| false),
            StartSelector::Earliest => recent.place(&stream, |_| true),
            StartSelector::AfterFragment(number) => {
                recent.place(&stream, |fragment| fragment.number > *number)
            }
            StartSelector::ServerTimestamp(time) => {
                recent.place(&stream, |fragment| fragment.server_timestamp >= *time)
            }
            StartSelector::ProducerTimestamp(time) => {
                recent.place(&stream, |fragment| fragment.producer_timestamp >= *time)
            }
            StartSelector::Continuation(token) => {
                let position = position_of(token)?;
                recent.place(&stream, |fragment| fragment.number > *position.number())
            }
        };
        let live = RecentMedia {
            archive: self.archive.clone(),
            arrivals: recent.arrivals(),
            recent,
            stream,
            place,
            sending: VecDeque::new(),
            closing: self.closing(),
            _permit: permit,
        };
        let bytes = stream::unfold(live, |mut live| async move {
            let bytes = live.next().await?;
            Some((Ok::<_, Infallible>(bytes), live))
        });
        Ok(with_type(StatusCode::OK, CONTENT_TYPE, Body::from_stream(bytes)))
    }
}

/// A consumer of a stream without retention.
struct RecentMedia {
    archive: Archive,
    recent: Arc<RecentFragments>,
    arrivals: watch::Receiver<u64>,
    stream: StreamInfo,
    /// After the last fragment that was taken.
    place: u64,
    sending: VecDeque<Bytes>,
    closing: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
}

impl RecentMedia {
    /// The next bytes; `None` when the stream or the server has gone, or the stream has a retention now.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.sending.pop_front() {
                return Some(bytes);
            }
            if *self.closing.borrow() {
                return None;
            }
            self.arrivals.mark_unchanged();
            if let Some((fragment, after)) = self.recent.next(&self.stream, self.place) {
                self.place = after;
                let token = TailPosition::after_number(fragment.server_timestamp, fragment.number.clone());
                self.sending.extend(fragment.document.iter().cloned());
                self.sending.push_back(trailer(fragment.server_timestamp, &token));
                continue;
            }
            tokio::select! {
                _ = self.arrivals.changed() => continue,
                // The sender lives as long as the server.
                _ = self.closing.changed() => continue,
                () = tokio::time::sleep(LOOK) => {}
            }
            match self.archive.stream(self.stream.name()).await {
                Ok(stream) if stream.created() != self.stream.created() => return None,
                Ok(stream) if stream.retention() != Retention::None => return None,
                Err(Error::StreamNotFound { .. }) => return None,
                // The store may come back.
                Ok(_) | Err(_) => {}
            }
        }
    }
}
