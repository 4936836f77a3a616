//! Importing whole recordings, as copies or as references.

use std::error::Error as StdError;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use bytes::Bytes;
use futures_core::Stream;
use futures_core::stream::BoxStream;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt, TryFutureExt, TryStreamExt};
use getclip::{Fragment, FragmentName, FragmentReader, Timestamp};

use crate::append::{AppendOutcome, Appended};
use crate::fragment::{Identity, Place, Prepared};
use crate::media::{RecordingReader, RecordingUrl};
use crate::stream::StreamInfo;
use crate::{Archive, Error};

/// Number of bytes of fragments held in memory while they are stored, unless a single one is larger.
const MAX_HELD: u64 = 64 << 20;

/// Options of an import.
#[derive(Clone)]
#[non_exhaustive]
pub struct ImportOptions {
    recording_start: Option<Timestamp>,
    keep_incomplete: bool,
    concurrency: NonZeroUsize,
    progress: Option<Arc<dyn Fn(ImportProgress) + Send + Sync>>,
}

impl Default for ImportOptions {
    fn default() -> Self {
        let concurrency = NonZeroUsize::new(8).unwrap_or(NonZeroUsize::MIN);
        Self { recording_start: None, keep_incomplete: false, concurrency, progress: None }
    }
}

impl fmt::Debug for ImportOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportOptions")
            .field("recording_start", &self.recording_start)
            .field("keep_incomplete", &self.keep_incomplete)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

impl ImportOptions {
    /// Start of the recording, if it has no tags of the service and its times count from 0.
    pub fn recording_start(mut self, start: Timestamp) -> Self {
        self.recording_start = Some(start);
        self
    }

    /// Whether to store an incomplete fragment at the end of the recording. By default it is skipped: once the recording has
    /// grown, the whole fragment can be imported.
    pub fn keep_incomplete(mut self, keep: bool) -> Self {
        self.keep_incomplete = keep;
        self
    }

    /// Number of fragments that are stored at the same time. Default: 8.
    pub fn concurrency(mut self, fragments: NonZeroUsize) -> Self {
        self.concurrency = fragments;
        self
    }

    /// Callback after each fragment.
    pub fn progress(mut self, progress: Arc<dyn Fn(ImportProgress) + Send + Sync>) -> Self {
        self.progress = Some(progress);
        self
    }
}

/// Progress of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportProgress {
    /// Number of bytes of the recording that have been read.
    pub bytes_read: u64,
    /// Number of fragments that are stored, now or before.
    pub fragments: u64,
}

/// Result of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportSummary {
    /// Number of fragments that were stored.
    pub stored: u64,
    /// Number of fragments that existed already.
    pub already_stored: u64,
    /// Fragments that were not stored.
    pub skipped: Vec<Skipped>,
    /// Size of the fragments as documents, in bytes.
    pub document_bytes: u64,
    /// Producer timestamp of the earliest fragment.
    pub first: Option<Timestamp>,
    /// Producer timestamp of the latest fragment.
    pub last: Option<Timestamp>,
}

/// A fragment that was not imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The fragment.
    pub fragment: FragmentName,
    /// Why.
    pub reason: SkipReason,
}

/// Why a fragment was not imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SkipReason {
    /// It has no frames.
    Empty,
    /// The recording ends inside it.
    Incomplete,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.reason {
            SkipReason::Empty => "it has no frames",
            SkipReason::Incomplete => "the recording ends inside it",
        };
        write!(f, "fragment {}: not imported, {reason}", self.fragment)
    }
}

impl Archive {
    /// Imports a recording that comes in chunks of any size.
    ///
    /// Each fragment is durable when it is counted. Repeating an import that was stopped completes it, without duplicates.
    ///
    /// # Errors
    /// [`Error::Input`] with the error of the input, [`Error::Recording`] for bytes that are not fragments, and
    /// the errors of [`Archive::append`].
    pub async fn import<E>(
        &self,
        stream: &StreamInfo,
        input: impl Stream<Item = Result<Bytes, E>> + Send + Unpin,
        options: &ImportOptions,
    ) -> Result<ImportSummary, Error>
    where
        E: StdError + Send + Sync + 'static,
    {
        let input = input.map_err(|error| Error::Input { source: Arc::new(error) });
        self.import_chunks(stream, input.boxed(), "input", None, options).await
    }

    /// Imports a copy of a recording.
    ///
    /// # Errors
    /// As [`Archive::import`], and [`Error::InvalidLocation`] if there is no such recording.
    pub async fn import_from(
        &self,
        stream: &StreamInfo,
        recording: &RecordingUrl,
        options: &ImportOptions,
    ) -> Result<ImportSummary, Error> {
        let reader = RecordingReader::open(self, recording).await?;
        self.import_chunks(stream, reader.chunks(), &recording.to_string(), None, options).await
    }

    /// Indexes a recording in place: indexes and references are stored, and the media is read again only for clips. The
    /// recording itself is never changed or deleted.
    ///
    /// # Errors
    /// As [`Archive::import_from`], and [`Error::ObjectChanged`] for a recording that changes while it is read.
    pub async fn import_in_place(
        &self,
        stream: &StreamInfo,
        recording: &RecordingUrl,
        options: &ImportOptions,
    ) -> Result<ImportSummary, Error> {
        let reader = RecordingReader::open(self, recording).await?;
        let place = Place { url: recording.as_str(), recording: &reader.identity };
        self.import_chunks(stream, reader.chunks(), &recording.to_string(), Some(place), options).await
    }

    async fn import_chunks(
        &self,
        stream: &StreamInfo,
        mut chunks: BoxStream<'_, Result<Bytes, Error>>,
        recording: &str,
        place: Option<Place<'_>>,
        options: &ImportOptions,
    ) -> Result<ImportSummary, Error> {
        self.check_retains(stream)?;
        let identity = Identity::Content { recording_start: options.recording_start };
        let mut reader = FragmentReader::new();
        let mut import = Import { options, summary: ImportSummary::default(), bytes_read: 0 };
        let mut under_way = FuturesUnordered::new();
        let mut held = 0;
        let mut at_end = false;
        while !at_end {
            match chunks.try_next().await? {
                Some(chunk) => {
                    import.bytes_read += chunk.len() as u64;
                    reader.push(chunk);
                }
                None => {
                    reader.finish();
                    at_end = true;
                }
            }
            while let Some(fragment) = reader.next_fragment() {
                let fragment = fragment.map_err(|source| {
                    let recording = recording.to_owned();
                    Error::Recording { recording, source }
                })?;
                if import.skips(&fragment) {
                    continue;
                }
                let prepared = Prepared::new(fragment, &identity, place)?;
                let len = prepared.len();
                while under_way.len() >= options.concurrency.get() || held + len > MAX_HELD {
                    let Some((appended, len)) = under_way.try_next().await? else { break };
                    held -= len;
                    import.count(&appended);
                }
                held += len;
                let store = self.store_prepared(stream, prepared);
                under_way.push(store.map_ok(move |appended| (appended, len)).boxed());
            }
        }
        while let Some((appended, _)) = under_way.try_next().await? {
            import.count(&appended);
        }
        Ok(import.summary)
    }
}

struct Import<'a> {
    options: &'a ImportOptions,
    summary: ImportSummary,
    bytes_read: u64,
}

impl Import<'_> {
    fn skips(&mut self, fragment: &Fragment) -> bool {
        let reason = if fragment.index().frames().next().is_none() {
            SkipReason::Empty
        } else if fragment.incomplete().is_some() && !self.options.keep_incomplete {
            SkipReason::Incomplete
        } else {
            return false;
        };
        self.summary.skipped.push(Skipped { fragment: fragment.name(), reason });
        true
    }

    fn count(&mut self, appended: &Appended) {
        let summary = &mut self.summary;
        match appended.outcome {
            AppendOutcome::Stored => summary.stored += 1,
            AppendOutcome::AlreadyStored => summary.already_stored += 1,
        }
        let start = appended.fragment.producer_timestamp();
        summary.document_bytes += appended.fragment.document_len();
        summary.first = Some(summary.first.map_or(start, |first| first.min(start)));
        summary.last = Some(summary.last.map_or(start, |last| last.max(start)));
        if let Some(progress) = &self.options.progress {
            let fragments = summary.stored + summary.already_stored;
            progress(ImportProgress { bytes_read: self.bytes_read, fragments });
        }
    }
}
