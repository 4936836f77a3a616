//! Streams in the store: chains of states, each a new object.
//!
//! The state with the largest generation counts. A change is a create-only put of the next generation, so that only one of
//! two racing changes succeeds. A deletion is a state too: generations continue if a stream of the same name is created
//! again.

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::PutPayload;
use serde::{Deserialize, Serialize};

use super::info::Properties;
use crate::page::{Page, PageToken, StreamCursor};
use crate::random::random;
use crate::store::{Put, Store};
use crate::stream::{NewStream, StreamChange, StreamInfo, StreamName, StreamVersion};
use crate::{Archive, Error, layout};

/// A state as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Document {
    /// Lets a writer whose put was repeated recognise the state as its own.
    nonce: u64,
    /// When it was written, in milliseconds since 1970.
    changed_ms: i64,
    /// When the stream was created. The folder of its fragments is named after it.
    created_ms: i64,
    /// `None` once the stream is deleted.
    properties: Option<Properties>,
}

/// The newest state of the streams of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    generation: u64,
    document: Document,
}

/// Number of tries of a change without a version, if others change the stream at the same time.
const MAX_TRIES: usize = 64;

/// Number of states that a list of streams reads at the same time.
const CONCURRENT_STATES: usize = 32;

impl State {
    /// The newest state of a name, or `None` if no stream has that name.
    pub(crate) async fn newest(store: &Store, name: &StreamName) -> Result<Option<Self>, Error> {
        for _ in 0..MAX_TRIES {
            let Some(generation) = Self::newest_generation(store, name).await? else { return Ok(None) };
            if let Some(state) = Self::read(store, name, generation).await? {
                return Ok(Some(state));
            }
            // The state was superseded and pruned after it was listed: there is a newer one, or none.
        }
        Err(Error::Contended { stream: name.clone() })
    }

    pub(crate) async fn newest_generation(store: &Store, name: &StreamName) -> Result<Option<u64>, Error> {
        let listed = store.list(&layout::states(name)).await?;
        let generations = listed.iter().filter_map(|meta| meta.location.filename());
        Ok(generations.filter_map(layout::parse_generation).max())
    }

    pub(crate) async fn read(
        store: &Store,
        name: &StreamName,
        generation: u64,
    ) -> Result<Option<Self>, Error> {
        let key = layout::state(name, generation);
        let Some(bytes) = store.get(&key).await? else { return Ok(None) };
        let document = serde_json::from_slice(&bytes)
            .map_err(|error| Error::Damaged { key: key.to_string(), reason: error.to_string() })?;
        Ok(Some(Self { generation, document }))
    }

    /// Puts a state. Returns the state that has the generation now, and whether it is this one.
    async fn put(
        store: &Store,
        name: &StreamName,
        generation: u64,
        document: Document,
    ) -> Result<(Self, bool), Error> {
        let key = layout::state(name, generation);
        let json = serde_json::to_vec(&document)
            .map_err(|error| Error::Damaged { key: key.to_string(), reason: error.to_string() })?;
        match store.put_new(&key, PutPayload::from(json)).await? {
            Put::Created => Ok((Self { generation, document }, true)),
            Put::AlreadyThere => match Self::read(store, name, generation).await? {
                Some(state) => {
                    let ours = state.document.nonce == document.nonce;
                    Ok((state, ours))
                }
                None => Err(Error::Contended { stream: name.clone() }),
            },
        }
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) fn changed_ms(&self) -> i64 {
        self.document.changed_ms
    }

    fn version(&self) -> StreamVersion {
        StreamVersion::new(self.generation, self.document.nonce)
    }

    /// The stream, unless it is deleted.
    pub(crate) fn stream(&self, name: &StreamName) -> Option<StreamInfo> {
        Some(StreamInfo {
            name: name.clone(),
            version: self.version(),
            created_ms: self.document.created_ms,
            properties: self.document.properties.clone()?,
        })
    }
}

impl Archive {
    /// Creates a stream.
    ///
    /// # Errors
    /// [`Error::StreamExists`], also for the slower of two that create it at the same time.
    pub async fn create_stream(&self, new: NewStream) -> Result<StreamInfo, Error> {
        let NewStream { name, properties } = new;
        properties.check(&name)?;
        for _ in 0..MAX_TRIES {
            let newest = State::newest(self.store(), &name).await?;
            if newest.as_ref().is_some_and(|state| state.document.properties.is_some()) {
                break;
            }
            let now = self.now().as_millis().max(0);
            let (generation, created_ms) = match &newest {
                Some(deleted) => (deleted.generation + 1, now.max(deleted.document.created_ms + 1)),
                None => (1, now),
            };
            let document = Document {
                nonce: random(),
                changed_ms: now,
                created_ms,
                properties: Some(properties.clone()),
            };
            let (state, ours) = State::put(self.store(), &name, generation, document).await?;
            if let (Some(stream), true) = (state.stream(&name), ours) {
                return Ok(stream);
            }
        }
        Err(Error::StreamExists { stream: name })
    }

    /// Looks a stream up.
    ///
    /// # Errors
    /// [`Error::StreamNotFound`].
    pub async fn stream(&self, name: &StreamName) -> Result<StreamInfo, Error> {
        let newest = State::newest(self.store(), name).await?;
        newest.and_then(|state| state.stream(name)).ok_or_else(|| not_found(name))
    }

    /// Lists the streams whose names begin with `prefix`, in order of their names.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] for a token that another operation made.
    pub async fn streams(
        &self,
        prefix: &str,
        page: Page,
    ) -> Result<(Vec<StreamInfo>, Option<PageToken>), Error> {
        let after = page.token().map(StreamCursor::try_from).transpose()?;
        let after = after.as_ref().map(|cursor| cursor.name.as_str());
        let names = layout::stream_names(self.store()).await?.into_iter().filter(|name| {
            name.as_str().starts_with(prefix) && after.is_none_or(|after| name.as_str() > after)
        });
        let limit = page.limit().get();
        let mut streams: Vec<StreamInfo> = stream::iter(names)
            .map(|name| async move {
                let state = State::newest(self.store(), &name).await?;
                Ok::<_, Error>(state.and_then(|state| state.stream(&name)))
            })
            .buffered(CONCURRENT_STATES)
            .try_filter_map(|stream| std::future::ready(Ok(stream)))
            .take(limit.saturating_add(1))
            .boxed()
            .try_collect()
            .await?;
        let more = streams.len() > limit;
        streams.truncate(limit);
        let last = streams.last().filter(|_| more);
        let token = last.map(|stream| StreamCursor { name: stream.name.clone() }.into());
        Ok((streams, token))
    }

    /// Changes a stream, if its version is the expected one.
    ///
    /// # Errors
    /// [`Error::StreamNotFound`], [`Error::VersionMismatch`], [`Error::TooManyTags`].
    pub async fn change_stream(
        &self,
        name: &StreamName,
        expected: Option<&StreamVersion>,
        change: StreamChange,
    ) -> Result<StreamInfo, Error> {
        let change = |stream: &StreamInfo| change.apply(stream, self.now()).map(Some);
        let state = self.next_state(name, expected, change).await?;
        state.stream(name).ok_or_else(|| not_found(name))
    }

    /// Deletes a stream with all its fragments, if its version is the expected one. [`Archive::prune`] removes its objects
    /// later. Recordings that were indexed in place are not touched.
    ///
    /// # Errors
    /// [`Error::StreamNotFound`], [`Error::VersionMismatch`].
    pub async fn delete_stream(
        &self,
        name: &StreamName,
        expected: Option<&StreamVersion>,
    ) -> Result<(), Error> {
        self.next_state(name, expected, |_| Ok(None)).await.map(drop)
    }

    async fn next_state(
        &self,
        name: &StreamName,
        expected: Option<&StreamVersion>,
        change: impl Fn(&StreamInfo) -> Result<Option<Properties>, Error>,
    ) -> Result<State, Error> {
        for _ in 0..MAX_TRIES {
            let newest = State::newest(self.store(), name).await?;
            let Some((newest, stream)) = newest.and_then(|state| {
                let stream = state.stream(name)?;
                Some((state, stream))
            }) else {
                return Err(not_found(name));
            };
            if let Some(expected) = expected
                && *expected != stream.version
            {
                return Err(mismatch(&stream, expected));
            }
            let document = Document {
                nonce: random(),
                changed_ms: self.now().as_millis(),
                created_ms: stream.created_ms,
                properties: change(&stream)?,
            };
            let (state, ours) = State::put(self.store(), name, newest.generation + 1, document).await?;
            if ours {
                return Ok(state);
            }
            // Another change was faster: the next round reads it, and refuses if a version was expected.
        }
        Err(Error::Contended { stream: name.clone() })
    }
}

fn not_found(name: &StreamName) -> Error {
    Error::StreamNotFound { stream: name.clone() }
}

fn mismatch(stream: &StreamInfo, expected: &StreamVersion) -> Error {
    Error::VersionMismatch {
        stream: stream.name.clone(),
        expected: expected.clone(),
        found: stream.version.clone(),
    }
}
