//! The server: requests in, responses out.
//!
//! ```text
//! head ─▶ route ─▶ body ─▶ signature ─▶ model ─▶ permission ─▶ operation ─▶ archive
//! ```
//! One path for all of it: a request has an ID and a place among the requests under way before anything else; what goes
//! wrong anywhere, a panic too, is a [`ServiceError`] and a line in the log.

mod access;
mod cors;
mod exchange;
mod media;
mod operation;
mod query;
mod ranges;
mod request_id;
mod response;
mod route;
mod settings;

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use futures_util::FutureExt;
use getclip::Timestamp;
use getclip_archive::Archive;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tracing::error;

pub use self::cors::Cors;
pub(crate) use self::operation::Operation;
pub use self::settings::{Limits, Settings};

pub(crate) use self::access::Caller;
use self::access::not_authorized;
pub(crate) use self::exchange::Exchange;
pub(crate) use self::media::{MediaResponse, Part};
pub(crate) use self::query::Query;
pub(crate) use self::ranges::{Selected, continues, select};
use self::response::REQUEST_ID;
pub(crate) use self::response::{empty, json_response, with_type};
use self::route::Route;
use crate::ingest::{IngestMemory, Memory, RecentFragments};
use crate::metrics::Metrics;
use crate::model::{Exception, ServiceError};
use crate::operations::stream_of;
use crate::page;
use crate::sigv4::Payload;

/// A server over an archive. It keeps nothing that the archive does not: any number of them can run over one.
#[derive(Clone)]
pub struct Server(Arc<State>);

pub(crate) struct State {
    pub(crate) archive: Archive,
    pub(crate) settings: Settings,
    metrics: Arc<Metrics>,
    requests: Arc<Semaphore>,
    clips: Arc<Semaphore>,
    producers: Arc<Semaphore>,
    ingest_memory: IngestMemory,
    recent: Arc<RecentFragments>,
    closing: watch::Sender<bool>,
}

impl Server {
    /// A server over `archive`.
    pub fn new(archive: Archive, settings: Settings) -> Self {
        let metrics = Arc::new(Metrics::new(archive.clone()));
        let requests = Arc::new(Semaphore::new(settings.limits.requests.get()));
        let clips = Arc::new(Semaphore::new(settings.limits.clips.get()));
        let producers = Arc::new(Semaphore::new(settings.limits.producers.get()));
        let ingest_memory = IngestMemory::new(settings.limits.ingest_bytes.get());
        let recent = RecentFragments::new(settings.limits.recent_bytes.get());
        let closing = watch::Sender::new(false);
        let state =
            State { archive, settings, metrics, requests, clips, producers, ingest_memory, recent, closing };
        Self(Arc::new(state))
    }

    /// Ends the responses that have no end of their own, each after a whole fragment: those of GetMedia.
    pub fn close(&self) {
        self.0.closing.send_replace(true);
    }

    /// The server as a router of axum, for [`listener::serve`](crate::listener::serve) or as a part of another one.
    pub fn router(self) -> Router {
        Router::new().fallback(move |request: Request<Body>| {
            let state = Arc::clone(&self.0);
            async move { state.handle(request).await }
        })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("archive", &self.0.archive)
            .field("settings", &self.0.settings)
            .finish()
    }
}

impl State {
    async fn handle(self: Arc<Self>, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let mut exchange = Exchange::new(Arc::clone(&self.metrics), &parts);
        let responded = match Route::of(&parts.method, parts.uri.path()) {
            Ok(route) => {
                let response = self.respond(route, &parts, body, &mut exchange);
                match AssertUnwindSafe(response).catch_unwind().await {
                    Ok(responded) => responded,
                    Err(_) => {
                        exchange.reason = Some("panic".into());
                        Err(ServiceError::new(Exception::InternalFailure, INTERNAL_FAILURE))
                    }
                }
            }
            Err(error) => Err(error),
        };
        let mut response = responded.unwrap_or_else(|error| {
            exchange.exception = Some(error.exception());
            exchange.reason.get_or_insert_with(|| error.message().to_owned());
            response::error(&error)
        });
        if let Ok(id) = HeaderValue::try_from(exchange.id.to_string()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        self.settings.cors.expose(&parts.headers, response.headers_mut());
        if parts.method == Method::HEAD {
            // The length of the body that a GET would have is a header already.
            *response.body_mut() = Body::empty();
        }
        exchange.respond(response)
    }

    async fn respond(
        &self,
        route: Route,
        request: &Parts,
        body: Body,
        exchange: &mut Exchange,
    ) -> Result<Response<Body>, ServiceError> {
        match route {
            Route::Healthy => return Ok(with_type(StatusCode::OK, "text/plain", "ok\n")),
            Route::Ready => return self.ready(exchange).await,
            Route::Metrics => return Ok(with_type(StatusCode::OK, OPEN_METRICS, self.metrics.encode())),
            Route::Page(file) => {
                return page::response(file, self.settings.verifier.is_some(), &request.headers);
            }
            Route::Preflight => {
                let mut response = empty(StatusCode::NO_CONTENT);
                response
                    .headers_mut()
                    .extend(self.settings.cors.preflight(&request.headers).into_iter().flatten());
                return Ok(response);
            }
            Route::Operation(operation) | Route::Stream(operation, _) => exchange.operation = Some(operation),
        }
        exchange.place = Some(self.enter()?);
        match route {
            // Its body has no end that could be waited for, and its stream is named in the head.
            Route::Operation(operation @ Operation::PutMedia) => {
                let caller = self.caller(request, Payload::Unsigned, exchange)?;
                let stream = stream_of(&request.headers)?;
                exchange.stream = Some(stream.name().to_string());
                caller.check(operation.permission(), stream.name().as_str())?;
                self.put_media(&stream, &request.headers, body).await
            }
            Route::Operation(operation) => {
                let body = self.read(body).await?;
                let caller = self.caller(request, Payload::Body(&body), exchange)?;
                self.perform(operation, &body, &caller, request, exchange).await
            }
            Route::Stream(operation, stream) => {
                let caller = self.caller(request, Payload::Unsigned, exchange)?;
                exchange.stream = Some(stream.to_string());
                caller.check(operation.permission(), stream.as_str())?;
                let query = request.uri.query().unwrap_or_default();
                match operation {
                    Operation::ClipFile => self.clip_file(&stream, query, &request.headers).await,
                    Operation::ClipReport => self.clip_report(&stream, query).await,
                    _ => self.timeline(&stream, query).await,
                }
            }
            _ => Err(ServiceError::new(Exception::UnknownOperation, "Nothing is here.")),
        }
    }

    /// A place among the requests under way.
    fn enter(&self) -> Result<InFlight, ServiceError> {
        let permit = Arc::clone(&self.requests).try_acquire_owned().map_err(|_| {
            ServiceError::new(Exception::ServiceUnavailable, "The server is busy: try again.")
        })?;
        self.metrics.in_flight.inc();
        Ok(InFlight { _permit: permit, metrics: Arc::clone(&self.metrics) })
    }

    /// A place among the responses with media, which the response keeps until it has been sent.
    pub(crate) fn media_permit(&self) -> Result<OwnedSemaphorePermit, ServiceError> {
        Arc::clone(&self.clips).try_acquire_owned().map_err(|_| {
            let limit = self.settings.limits.clips;
            let message = format!("The server sends media to {limit} clients at a time: try again later.");
            ServiceError::new(Exception::ClientLimitExceeded, message)
        })
    }

    /// A place among the producers, which the response keeps until the session is over.
    pub(crate) fn producer_permit(&self) -> Result<OwnedSemaphorePermit, ServiceError> {
        Arc::clone(&self.producers).try_acquire_owned().map_err(|_| {
            let limit = self.settings.limits.producers;
            let message = format!("The server takes media of {limit} producers at a time: try again later.");
            ServiceError::new(Exception::ConnectionLimitExceeded, message)
        })
    }

    /// For a session of PutMedia.
    pub(crate) fn ingest_memory(&self) -> Memory {
        self.ingest_memory.session()
    }

    /// Fragments of streams without retention.
    pub(crate) fn recent_fragments(&self) -> Arc<RecentFragments> {
        Arc::clone(&self.recent)
    }

    /// The body of a JSON operation.
    async fn read(&self, body: Body) -> Result<bytes::Bytes, ServiceError> {
        let limits = &self.settings.limits;
        let read = axum::body::to_bytes(body, limits.body_bytes);
        match tokio::time::timeout(limits.body_time, read).await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(error)) => {
                let expected = format!("at most {} bytes, sent whole", limits.body_bytes);
                Err(ServiceError::invalid_argument(format!("request body: expected {expected}: {error}")))
            }
            Err(_) => {
                let expected = format!("all of it within {} s", limits.body_time.as_secs());
                Err(ServiceError::invalid_argument(format!("request body: expected {expected}")))
            }
        }
    }

    fn caller(
        &self,
        request: &Parts,
        payload: Payload<'_>,
        exchange: &mut Exchange,
    ) -> Result<Caller, ServiceError> {
        let verifier = self.settings.verifier.as_ref();
        let caller = Caller::of(verifier, request, payload, now()).map_err(|refusal| {
            exchange.reason = Some(refusal.to_string());
            not_authorized()
        })?;
        exchange.key = caller.key_id().map(str::to_owned);
        Ok(caller)
    }

    async fn ready(&self, exchange: &mut Exchange) -> Result<Response<Body>, ServiceError> {
        self.archive.ready().await.map_err(|error| {
            exchange.reason = Some(error.to_string());
            ServiceError::new(Exception::ServiceUnavailable, "The store cannot be reached.")
        })?;
        Ok(with_type(StatusCode::OK, "text/plain", "ready\n"))
    }

    /// Changes when the server stops.
    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from(std::time::SystemTime::now())
}

/// Media type of what Prometheus scrapes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const INTERNAL_FAILURE: &str = "The server has failed. Its log has the reason under this request ID.";

/// A request under way.
struct InFlight {
    _permit: OwnedSemaphorePermit,
    metrics: Arc<Metrics>,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.metrics.in_flight.dec();
    }
}

/// What the archive cannot do, in the words of the service.
impl From<getclip_archive::Error> for ServiceError {
    fn from(failure: getclip_archive::Error) -> Self {
        use getclip_archive::Error;
        match failure {
            Error::StreamNotFound { .. } => Self::stream_not_found(),
            Error::StreamExists { stream } => {
                Self::new(Exception::ResourceInUse, format!("The stream {stream} already exists."))
            }
            Error::VersionMismatch { expected, found, .. } => {
                let message =
                    format!("CurrentVersion: expected the stream's version {found}, found {expected}");
                Self::new(Exception::VersionMismatch, message)
            }
            Error::NoDataRetention { stream } => Self::new(
                Exception::NoDataRetention,
                format!("The stream {stream} has no data retention: it keeps no fragments."),
            ),
            Error::TooManyTags { count, .. } => Self::new(
                Exception::TagsPerResourceExceededLimit,
                format!("Tags: expected at most 50 on the stream, found {count}"),
            ),
            Error::InvalidToken => Self::invalid_argument("NextToken: not a token of this listing"),
            Error::InvalidName { .. } | Error::InvalidRetention { .. } | Error::InvalidVersion { .. } => {
                Self::invalid_argument(failure.to_string())
            }
            Error::Clip { source, .. } => source.into(),
            _ if failure.is_transient() => {
                error!(%failure, "the store has failed");
                Self::new(Exception::ServiceUnavailable, "The store has failed: try again.")
            }
            _ => {
                error!(%failure, "the archive has failed");
                Self::new(Exception::InternalFailure, INTERNAL_FAILURE)
            }
        }
    }
}
