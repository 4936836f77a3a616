//! An exchange: one request, its response, and what is left of them in the log and the metrics.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::body::Body;
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::{Frame, SizeHint};
use tracing::info;

use super::InFlight;
use super::operation::Operation;
use super::request_id::RequestId;
use crate::metrics::Metrics;
use crate::model::Exception;

/// What is known of an exchange while it goes on.
pub(crate) struct Exchange {
    pub(crate) id: RequestId,
    started: Instant,
    metrics: Arc<Metrics>,
    pub(crate) method: http::Method,
    pub(crate) path: String,
    pub(crate) peer: Option<std::net::SocketAddr>,
    pub(crate) operation: Option<Operation>,
    pub(crate) stream: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) exception: Option<Exception>,
    /// What the log has and the client does not.
    pub(crate) reason: Option<String>,
    /// Its place among the requests under way, until the end.
    pub(super) place: Option<InFlight>,
}

impl Exchange {
    pub(crate) fn new(metrics: Arc<Metrics>, request: &http::request::Parts) -> Self {
        let connection = request.extensions.get::<crate::listener::Connection>();
        Self {
            id: RequestId::next(),
            started: Instant::now(),
            metrics,
            method: request.method.clone(),
            path: request.uri.path().to_owned(),
            peer: connection.map(|connection| connection.peer),
            operation: None,
            stream: None,
            key: None,
            exception: None,
            reason: None,
            place: None,
        }
    }

    /// The response, whose body ends the exchange when it has been sent or dropped.
    pub(crate) fn respond(self, response: Response<Body>) -> Response<Body> {
        let latency = self.started.elapsed();
        if let Some(operation) = self.operation {
            self.metrics.responded(operation, self.exception, latency);
        }
        let status = response.status();
        response.map(|body| {
            let ending = Ending { exchange: self, status, latency, bytes: 0, is_whole: false };
            Body::new(Observed { body, ending })
        })
    }
}

/// What there is to say at the end.
struct Ending {
    exchange: Exchange,
    status: StatusCode,
    latency: std::time::Duration,
    bytes: u64,
    is_whole: bool,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let Self { exchange, status, latency, bytes, is_whole } = self;
        if let Some(operation) = exchange.operation {
            let is_success = *is_whole && exchange.exception.is_none();
            exchange.metrics.ended(operation, is_success, *bytes);
        }
        let ms = |duration: std::time::Duration| (duration.as_secs_f64() * 10_000.0).round() / 10.0;
        info!(
            target: "getclip_server::access",
            request_id = %exchange.id,
            peer = exchange.peer.map(tracing::field::display),
            key = exchange.key,
            method = %exchange.method,
            path = exchange.path,
            operation = exchange.operation.map(Operation::name),
            stream = exchange.stream,
            status = status.as_u16(),
            exception = exchange.exception.map(Exception::name),
            reason = exchange.reason,
            first_byte_ms = ms(*latency),
            total_ms = ms(exchange.started.elapsed()),
            bytes,
            whole = is_whole,
            "request"
        );
    }
}

/// A body that is counted.
struct Observed {
    body: Body,
    ending: Ending,
}

impl http_body::Body for Observed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            None => self.ending.is_whole = true,
            Some(Ok(frame)) => {
                let len = frame.data_ref().map_or(0, Bytes::len);
                self.ending.bytes = self.ending.bytes.saturating_add(len as u64);
                self.ending.is_whole = self.body.is_end_stream();
            }
            Some(Err(error)) => self.ending.exchange.reason = Some(error.to_string()),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
