//! [`Session`]: one call of PutMedia.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::StreamExt;
use getclip::{Fragment, FragmentNumber, FragmentReader, Timestamp};
use getclip_archive::{Archive, Error, Identity, Numbering, StreamInfo};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::Instant;
use tracing::{error, info};

use super::acknowledgement::{self, ErrorCode, IDLE, Stage};
use super::splitter::{Event, Splitter};

/// Limits of PutMedia.
#[derive(Debug, Clone)]
pub(crate) struct IngestLimits {
    /// The most bytes of a fragment: the service takes 50 MB.
    pub(crate) fragment_bytes: usize,
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

/// The most tracks of a fragment.
const MAX_TRACKS: usize = 3;

/// Memory is counted in units of this many bytes.
pub(crate) const MEMORY_UNIT: usize = 1024;

/// One producer that sends fragments.
pub(crate) struct Session {
    pub(crate) archive: Archive,
    pub(crate) stream: StreamInfo,
    pub(crate) numbering: Numbering,
    pub(crate) timecodes: TimecodeType,
    pub(crate) limits: IngestLimits,
    /// Bytes that all sessions may hold, in units.
    pub(crate) memory: Arc<Semaphore>,
    pub(crate) closing: watch::Receiver<bool>,
    pub(crate) acknowledgements: mpsc::Sender<Bytes>,
}

/// The fragment that is arriving.
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
        let mut arriving = None;
        if let Err(End::Failed(code)) = self.take(body.into_data_stream(), &mut arriving).await {
            info!(stream = %self.stream.name(), ?code, "a session of PutMedia failed");
            let fragment = arriving.as_ref().map(|now: &Arriving| (now.timecode_ms, &now.number));
            // The producer may have gone.
            let _ = self.acknowledgements.send(acknowledgement::error(code, fragment)).await;
        }
    }

    async fn take(&mut self, mut body: BodyDataStream, arriving: &mut Option<Arriving>) -> Result<(), End> {
        let mut splitter = Splitter::new(self.limits.fragment_bytes);
        let mut memory: Option<OwnedSemaphorePermit> = None;
        let mut last_timecode = None;
        let mut heard = Instant::now();
        let mut idle_at = heard + self.limits.idle_after;
        loop {
            let close_at = heard + self.limits.close_after;
            let chunk = tokio::select! {
                chunk = body.next() => chunk,
                () = tokio::time::sleep_until(close_at), if splitter.can_close() => {
                    if let Some(event) = splitter.close() {
                        self.event(event, arriving, &mut last_timecode).await?;
                        memory = None;
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
            heard = Instant::now();
            idle_at = heard + self.limits.idle_after;
            self.reserve(&mut memory, splitter.len() + chunk.len()).await?;
            splitter.push(&chunk);
            while let Some(event) = splitter.next()? {
                let is_end = matches!(event, Event::End { .. });
                self.event(event, arriving, &mut last_timecode).await?;
                if is_end {
                    memory = None;
                }
            }
        }
        match splitter.close() {
            Some(event) => self.event(event, arriving, &mut last_timecode).await,
            None => Ok(()),
        }
    }

    /// Waits until this session may hold `bytes`. Meanwhile nothing is read of the producer.
    async fn reserve(&self, memory: &mut Option<OwnedSemaphorePermit>, bytes: usize) -> Result<(), End> {
        let held = memory.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = bytes.div_ceil(MEMORY_UNIT).saturating_sub(held);
        let more = u32::try_from(more).map_err(|_| ErrorCode::Internal)?;
        let acquired = Arc::clone(&self.memory).acquire_many_owned(more);
        let Ok(Ok(permit)) = tokio::time::timeout(self.limits.memory_wait, acquired).await else {
            return Err(ErrorCode::Internal.into());
        };
        match memory {
            Some(memory) => memory.merge(permit),
            None => *memory = Some(permit),
        }
        Ok(())
    }

    async fn event(
        &self,
        event: Event,
        arriving: &mut Option<Arriving>,
        last_timecode: &mut Option<i64>,
    ) -> Result<(), End> {
        match event {
            Event::Begin { timecode_ms } => {
                let (number, server_timestamp) = self.numbering.next();
                let now = arriving.insert(Arriving { timecode_ms, number, server_timestamp });
                if last_timecode.is_some_and(|last| timecode_ms < last) {
                    return Err(ErrorCode::TimecodeLesserThanPrevious.into());
                }
                *last_timecode = Some(timecode_ms);
                self.send(acknowledgement::fragment(Stage::Buffering, timecode_ms, &now.number)).await
            }
            Event::End { document } => {
                let Some(now) = arriving.as_ref() else { return Err(ErrorCode::InvalidMkvData.into()) };
                self.send(acknowledgement::fragment(Stage::Received, now.timecode_ms, &now.number)).await?;
                let fragment = read(document)?;
                self.check(&fragment)?;
                if self.store(fragment, now).await? {
                    self.send(acknowledgement::fragment(Stage::Persisted, now.timecode_ms, &now.number))
                        .await?;
                }
                *arriving = None;
                Ok(())
            }
        }
    }

    /// The limits of ingestion that only a whole fragment tells.
    fn check(&self, fragment: &Fragment) -> Result<(), ErrorCode> {
        let index = fragment.index();
        if index.tracks().len() > MAX_TRACKS {
            return Err(ErrorCode::TooManyTracks);
        }
        let times = || index.frames().map(|frame| frame.time_ns());
        let longest = i64::try_from(self.limits.fragment_time.as_nanos()).unwrap_or(i64::MAX);
        match times().min().zip(times().max()) {
            Some((first, last)) if last.saturating_sub(first) > longest => {
                Err(ErrorCode::MaxFragmentDuration)
            }
            _ => Ok(()),
        }
    }

    /// Stores a fragment. Returns whether it is stored for good: a stream without retention keeps nothing.
    async fn store(&self, fragment: Fragment, now: &Arriving) -> Result<bool, ErrorCode> {
        let producer_timestamp = match self.timecodes {
            TimecodeType::Absolute => Timestamp::from_millis(now.timecode_ms),
            TimecodeType::Relative { start } => start.saturating_add_millis(now.timecode_ms),
        };
        let identity = Identity::Assigned {
            number: now.number.clone(),
            producer_timestamp,
            server_timestamp: now.server_timestamp,
        };
        match self.archive.append(&self.stream, fragment, identity).await {
            Ok(_) => Ok(true),
            Err(Error::NoDataRetention { .. }) => Ok(false),
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

/// The one fragment of a document.
fn read(document: Bytes) -> Result<Fragment, ErrorCode> {
    let mut reader = FragmentReader::new();
    reader.push(document);
    reader.finish();
    match reader.next_fragment() {
        Some(Ok(fragment)) => Ok(fragment),
        _ => Err(ErrorCode::InvalidMkvData),
    }
}
