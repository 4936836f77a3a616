//! [`Session`]: one call of PutMedia.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::StreamExt;
use getclip::{Fragment, FragmentNumber, FragmentReader, Timestamp};
use getclip_archive::{Archive, Error, Identity, Numbering, Retention, StreamInfo};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tracing::{error, info};

use super::acknowledgement::{self, ErrorCode, IDLE, Stage};
use super::check::{check, code_of};
use super::memory::Memory;
use super::recent::{RecentFragment, RecentFragments};

/// Limits of PutMedia.
#[derive(Debug, Clone)]
pub(crate) struct IngestLimits {
    /// The most bytes of a fragment: the service takes 50 MB.
    pub(crate) fragment_bytes: u64,
    /// The longest fragment: the service takes 20 s.
    pub(crate) fragment_time: Duration,
    /// After so long without a byte a fragment of unknown size ends: producers wait for it to be stored.
    pub(crate) close_after: Duration,
    /// After so long without a byte there is an IDLE acknowledgement, and another each time.
    pub(crate) idle_after: Duration,
    /// After so long without a byte the session ends.
    pub(crate) end_after: Duration,
    /// How long a session waits for memory.
    pub(crate) memory_wait: Duration,
}

impl Default for IngestLimits {
    fn default() -> Self {
        Self {
            fragment_bytes: 50_000_000,
            fragment_time: Duration::from_secs(20),
            close_after: Duration::from_secs(2),
            idle_after: Duration::from_secs(10),
            end_after: Duration::from_secs(30),
            memory_wait: Duration::from_secs(10),
        }
    }
}

/// For so long the rest of a session that has failed is taken and dropped.
const LINGER: Duration = Duration::from_secs(2);

/// `x-amzn-fragment-timecode-type`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimecodeType {
    /// Timecodes are times.
    Absolute,
    /// Timecodes count from the time that the producer started.
    Relative {
        /// When that was.
        start: Timestamp,
    },
}

/// One producer that sends fragments.
pub(crate) struct Session {
    pub(crate) archive: Archive,
    pub(crate) stream: StreamInfo,
    pub(crate) numbering: Numbering,
    pub(crate) timecodes: TimecodeType,
    pub(crate) limits: IngestLimits,
    pub(crate) memory: Memory,
    pub(crate) recent: Arc<RecentFragments>,
    pub(crate) closing: watch::Receiver<bool>,
    pub(crate) acknowledgements: mpsc::Sender<Bytes>,
}

/// How far a session is.
#[derive(Default)]
struct Progress {
    /// The fragment that is arriving.
    arriving: Option<Arriving>,
    last_timecode: Option<i64>,
}

/// A fragment that has been acknowledged as BUFFERING.
#[derive(Clone)]
struct Arriving {
    timecode_ms: i64,
    number: FragmentNumber,
    server_timestamp: Timestamp,
}

/// Why a session ends early.
enum End {
    /// With an ERROR acknowledgement.
    Failed(ErrorCode),
    /// Nobody takes acknowledgements any more.
    Gone,
}

impl From<ErrorCode> for End {
    fn from(code: ErrorCode) -> Self {
        Self::Failed(code)
    }
}

impl Session {
    /// Takes what the producer sends, until it ends, fails, or the server stops. What was acknowledged as persisted is
    /// stored; what was not, the producer sends again.
    pub(crate) async fn run(mut self, body: Body) {
        let mut progress = Progress::default();
        let mut body = body.into_data_stream();
        if let Err(End::Failed(code)) = self.take(&mut body, &mut progress).await {
            info!(stream = %self.stream.name(), ?code, "a session of PutMedia failed");
            let fragment = progress.arriving.as_ref().map(|now| (now.timecode_ms, &now.number));
            // The producer may have gone.
            let _ = self.acknowledgements.send(acknowledgement::error(code, fragment)).await;
            drop(self);
            // A connection that is closed while bytes arrive is reset, and the producer might not see why.
            let rest = async { while let Some(Ok(_)) = body.next().await {} };
            let _ = tokio::time::timeout(LINGER, rest).await;
        }
    }

    async fn take(&mut self, body: &mut BodyDataStream, progress: &mut Progress) -> Result<(), End> {
        let mut reader = FragmentReader::live();
        let mut heard = Instant::now();
        let mut idle_at = heard + self.limits.idle_after;
        let mut may_end = false;
        loop {
            let chunk = tokio::select! {
                chunk = body.next() => chunk,
                () = tokio::time::sleep_until(heard + self.limits.close_after), if may_end => {
                    may_end = false;
                    if reader.end_fragment() {
                        self.advance(&mut reader, progress).await?;
                        self.memory.keep(reader.buffered_bytes());
                    }
                    continue;
                }
                () = tokio::time::sleep_until(idle_at) => {
                    if heard.elapsed() >= self.limits.end_after {
                        return Ok(());
                    }
                    self.send(IDLE).await?;
                    idle_at += self.limits.idle_after;
                    continue;
                }
                _ = self.closing.changed() => return Ok(()),
            };
            let chunk = match chunk {
                None => break,
                Some(Ok(chunk)) => chunk,
                // What is half here is sent again by the producer.
                Some(Err(_)) => return Err(ErrorCode::StreamRead.into()),
            };
            // Meanwhile nothing is read of the producer.
            if !self.memory.reserve(reader.buffered_bytes() + chunk.len(), self.limits.memory_wait).await {
                return Err(ErrorCode::Internal.into());
            }
            heard = Instant::now();
            idle_at = heard + self.limits.idle_after;
            may_end = true;
            reader.push(chunk);
            self.advance(&mut reader, progress).await?;
            self.memory.keep(reader.buffered_bytes());
        }
        reader.finish();
        self.advance(&mut reader, progress).await
    }

    /// Takes what has arrived.
    async fn advance(&self, reader: &mut FragmentReader, progress: &mut Progress) -> Result<(), End> {
        while let Some(fragment) = reader.next_fragment() {
            let fragment = fragment.map_err(|error| code_of(&error))?;
            self.fragment(fragment, progress).await?;
        }
        if let Some(arriving) = reader.arriving() {
            if let (Some(ns), None) = (arriving.cluster_timestamp_ns, &progress.arriving) {
                self.begin(ns.div_euclid(1_000_000), progress).await?;
            }
            if arriving.media_len > self.limits.fragment_bytes {
                return Err(ErrorCode::MaxFragmentSize.into());
            }
        }
        reader.resynchronizing().map_or(Ok(()), |error| Err(code_of(error).into()))
    }

    /// A fragment begins.
    async fn begin(&self, timecode_ms: i64, progress: &mut Progress) -> Result<Arriving, End> {
        let (number, server_timestamp) = self.numbering.next();
        let now = progress.arriving.insert(Arriving { timecode_ms, number, server_timestamp }).clone();
        if progress.last_timecode.is_some_and(|last| timecode_ms < last) {
            return Err(ErrorCode::TimecodeLesserThanPrevious.into());
        }
        progress.last_timecode = Some(timecode_ms);
        self.send(acknowledgement::fragment(Stage::Buffering, timecode_ms, &now.number)).await?;
        Ok(now)
    }

    /// All of a fragment has arrived.
    async fn fragment(&self, fragment: Fragment, progress: &mut Progress) -> Result<(), End> {
        if fragment.media().is_empty() && fragment.damages().is_empty() {
            // The producer has ended before a Cluster.
            return Ok(());
        }
        let now = match (&progress.arriving, fragment.index().cluster_timestamp_ns()) {
            (Some(now), _) => now.clone(),
            (None, Some(ns)) if !fragment.media().is_empty() => {
                self.begin(ns.div_euclid(1_000_000), progress).await?
            }
            (None, _) => return Err(ErrorCode::InvalidMkvData.into()),
        };
        if fragment.incomplete().is_some() || !fragment.damages().is_empty() {
            return Err(ErrorCode::InvalidMkvData.into());
        }
        self.send(acknowledgement::fragment(Stage::Received, now.timecode_ms, &now.number)).await?;
        check(&fragment, &self.limits)?;
        if self.keep(fragment, &now).await? {
            self.send(acknowledgement::fragment(Stage::Persisted, now.timecode_ms, &now.number)).await?;
        }
        progress.arriving = None;
        Ok(())
    }

    /// Keeps a fragment. Returns whether it is stored: fragments of a stream without retention stay in memory.
    async fn keep(&self, fragment: Fragment, now: &Arriving) -> Result<bool, ErrorCode> {
        let producer_timestamp = match self.timecodes {
            TimecodeType::Absolute => Timestamp::from_millis(now.timecode_ms),
            TimecodeType::Relative { start } => start.saturating_add_millis(now.timecode_ms),
        };
        let (number, server_timestamp) = (now.number.clone(), now.server_timestamp);
        if self.stream.retention() == Retention::None {
            let recent = RecentFragment::new(&fragment, number, producer_timestamp, server_timestamp);
            self.recent.add(&self.stream, recent);
            return Ok(false);
        }
        let identity = Identity::Assigned { number, producer_timestamp, server_timestamp };
        match self.archive.append(&self.stream, fragment, identity).await {
            Ok(_) => Ok(true),
            Err(Error::EmptyFragment { .. }) => Err(ErrorCode::FramesMissing),
            Err(Error::OutOfRange { .. }) => Err(ErrorCode::InvalidProducerTimestamp),
            Err(Error::StreamNotFound { .. }) => Err(ErrorCode::StreamNotActive),
            Err(failure) => {
                error!(%failure, stream = %self.stream.name(), "a fragment could not be stored");
                Err(ErrorCode::Archival)
            }
        }
    }

    async fn send(&self, line: Bytes) -> Result<(), End> {
        self.acknowledgements.send(line).await.map_err(|_| End::Gone)
    }
}
