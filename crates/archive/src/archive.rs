//! [`Archive`]: streams in an opened store.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use getclip::Timestamp;
use object_store::ObjectStore;

use crate::clip::Plans;
use crate::layout::Shelf;
use crate::media::{MediaBody, Parts, Recordings};
use crate::store::{Location, Store};
use crate::{Error, Settings, StoreRequests, StoredFragment, StreamInfo, layout};

/// Number of references that are read ahead of a body.
const DOCUMENTS: usize = 8;

/// Streams and their fragments in a store. Cheap to clone: all clones share connections and caches.
#[derive(Debug, Clone)]
pub struct Archive(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    settings: Settings,
    location: String,
    recordings: Recordings,
    plans: Plans,
}

impl Archive {
    /// Opens an archive in a folder, given by its path or `file:` URL and created if it is missing; in `memory:`; or, with
    /// the features `s3`, `gcs` and `azure`, in a bucket such as `s3://bucket/prefix`. Credentials and endpoints of buckets
    /// come from the environment variables that the `object_store` crate reads.
    ///
    /// # Errors
    /// [`Error::InvalidLocation`].
    pub async fn open(location: &str, settings: Settings) -> Result<Self, Error> {
        let opened = Location::open(location)?;
        Ok(Self::new(opened, settings, location))
    }

    /// An archive in memory, lost with its last clone.
    pub fn memory(settings: Settings) -> Self {
        Self::new(Location::memory(), settings, "memory:")
    }

    /// An archive in an object store that the caller has opened, under whatever prefix and with whatever layers.
    ///
    /// The store must put objects atomically and create-only, and durably before it returns.
    pub fn over(store: Arc<dyn ObjectStore>, settings: Settings) -> Self {
        let location = store.to_string();
        Self::new(Location { store, folder: None }, settings, &location)
    }

    fn new(opened: Location, settings: Settings, location: &str) -> Self {
        let store = Store::new(opened, settings.connections.get());
        let plans = Plans::new(settings.cached_plan_bytes);
        let (location, recordings) = (location.to_owned(), Recordings::default());
        Self(Arc::new(Inner { store, settings, location, recordings, plans }))
    }

    /// Location of the archive, as it was given.
    pub fn location(&self) -> &str {
        &self.0.location
    }

    /// Requests to the store since it was opened.
    pub fn requests(&self) -> StoreRequests {
        self.store().requests()
    }

    /// Makes one cheap request to the store.
    ///
    /// # Errors
    /// The store's error, if it cannot be reached or used.
    pub async fn ready(&self) -> Result<(), Error> {
        self.store().head(&layout::streams().join("ready")).await.map(drop)
    }

    /// Body with the fragments as documents in the form of GetMedia, one after the other.
    pub fn documents(&self, stream: &StreamInfo, fragments: Vec<StoredFragment>) -> MediaBody {
        let len = fragments.iter().map(StoredFragment::document_len).sum();
        let (archive, shelf) = (self.clone(), Shelf::of(stream));
        let documents = stream::iter(fragments).map(move |fragment| {
            let (archive, shelf) = (archive.clone(), shelf.clone());
            async move { archive.document(&shelf, &fragment).await }
        });
        MediaBody::new(len, Parts::Documents(documents.buffered(DOCUMENTS).boxed()))
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn recordings_opened(&self) -> &Recordings {
        &self.0.recordings
    }

    pub(crate) fn plans(&self) -> &Plans {
        &self.0.plans
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.settings().clock.now()
    }
}
