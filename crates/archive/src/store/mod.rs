//! [`Store`]: an object store with a limit of requests at a time and typed errors.

mod folder;
mod location;
mod requests;

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{GetOptions, ObjectMeta, ObjectStore, PutMode, PutOptions, PutPayload};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::Error;
pub(crate) use folder::Folder;
pub(crate) use location::{Location, absolute_path};
use requests::Counters;
pub use requests::StoreRequests;

/// An object store with a limit of requests at a time. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    inner: Arc<dyn ObjectStore>,
    permits: Arc<Semaphore>,
    counters: Arc<Counters>,
    /// Set if the store is a folder.
    folder: Option<Arc<Folder>>,
}

/// Result of a create-only put. Either way the object exists and is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    Created,
    AlreadyThere,
}

/// Identity that an object must still have when it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Expected {
    pub(crate) size: Option<u64>,
    pub(crate) e_tag: Option<Box<str>>,
    /// Modification time in nanoseconds, for files whose entity tag would change when they are moved.
    pub(crate) modified_ns: Option<i64>,
}

/// Number of tries of a put into a folder that others remove.
const MAX_TRIES: usize = 100;

impl Store {
    pub(crate) fn new(location: Location, connections: usize) -> Self {
        Self {
            inner: location.store,
            permits: Arc::new(Semaphore::new(connections)),
            counters: Arc::default(),
            folder: location.folder.map(|path| Arc::new(Folder::new(path))),
        }
    }

    /// Another store that shares the limit and the counters of this one.
    pub(crate) fn beside(&self, location: Location) -> Self {
        Self { inner: location.store, folder: None, ..self.clone() }
    }

    pub(crate) fn folder(&self) -> Option<&Folder> {
        self.folder.as_deref()
    }

    pub(crate) fn requests(&self) -> StoreRequests {
        self.counters.snapshot()
    }

    /// Puts an object unless it exists. It is durable when this returns.
    pub(crate) async fn put_new(&self, key: &Path, payload: PutPayload) -> Result<Put, Error> {
        let len = payload.content_length() as u64;
        let _permit = self.permit().await?;
        let put = match self.put_opts(key, payload, PutMode::Create).await {
            Ok(()) => Put::Created,
            Err(object_store::Error::AlreadyExists { .. }) => Put::AlreadyThere,
            Err(source) => return Err(self.failed("put", key, source)),
        };
        self.counters.put(if put == Put::Created { len } else { 0 });
        self.make_durable(key, put).await?;
        Ok(put)
    }

    /// Puts an object in place of any that exists.
    pub(crate) async fn put(&self, key: &Path, payload: PutPayload) -> Result<(), Error> {
        let len = payload.content_length() as u64;
        let _permit = self.permit().await?;
        let put = self.put_opts(key, payload, PutMode::Overwrite).await;
        put.map_err(|source| self.failed("put", key, source))?;
        self.counters.put(len);
        self.make_durable(key, Put::Created).await
    }

    async fn put_opts(&self, key: &Path, payload: PutPayload, mode: PutMode) -> object_store::Result<()> {
        let mut tries = 0;
        loop {
            let options = PutOptions { mode: mode.clone(), ..PutOptions::default() };
            match self.inner.put_opts(key, payload.clone(), options).await {
                // An empty folder was removed just after it was created for this object.
                Err(error) if self.folder.is_some() && tries < MAX_TRIES && is_missing_file(&error) => {
                    tries += 1
                }
                result => return result.map(drop),
            }
        }
    }

    async fn make_durable(&self, key: &Path, put: Put) -> Result<(), Error> {
        match &self.folder {
            Some(folder) => Arc::clone(folder).make_durable(key.clone(), put).await,
            None => Ok(()),
        }
    }

    /// Reads a whole object; `None` if there is none.
    pub(crate) async fn get(&self, key: &Path) -> Result<Option<Bytes>, Error> {
        match self.read(key, GetOptions::default(), &Expected::default()).await {
            Err(error) if error.is_not_found() => Ok(None),
            result => result.map(Some),
        }
    }

    /// Reads a range of an object and checks its identity.
    pub(crate) async fn get_range(
        &self,
        key: &Path,
        range: Range<u64>,
        expected: &Expected,
    ) -> Result<Bytes, Error> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let len = range.end - range.start;
        let options = GetOptions { range: Some(range.into()), ..GetOptions::default() };
        let bytes = self.read(key, options, expected).await?;
        if bytes.len() as u64 != len {
            return Err(changed(key, format!("{len} bytes"), format!("{} bytes", bytes.len())));
        }
        Ok(bytes)
    }

    async fn read(&self, key: &Path, options: GetOptions, expected: &Expected) -> Result<Bytes, Error> {
        let _permit = self.permit().await?;
        let result = match self.inner.get_opts(key, options).await {
            Ok(result) => result,
            Err(source) => return Err(self.failed("read", key, source)),
        };
        expected.check(key, &result.meta)?;
        let bytes = result.bytes().await.map_err(|source| self.failed("read", key, source))?;
        self.counters.get(bytes.len() as u64);
        Ok(bytes)
    }

    /// Reads size, entity tag and modification time of an object; `None` if there is none.
    pub(crate) async fn head(&self, key: &Path) -> Result<Option<ObjectMeta>, Error> {
        let _permit = self.permit().await?;
        let options = GetOptions { head: true, ..GetOptions::default() };
        self.counters.get(0);
        match self.inner.get_opts(key, options).await {
            Ok(result) => Ok(Some(result.meta)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(self.failed("read", key, source)),
        }
    }

    /// Lists all objects under a prefix, at any depth, in no order.
    pub(crate) async fn list(&self, prefix: &Path) -> Result<Vec<ObjectMeta>, Error> {
        let _permit = self.permit().await?;
        self.counters.list();
        let objects = self.inner.list(Some(prefix)).try_collect().await;
        objects.map_err(|source| self.failed("list", prefix, source))
    }

    /// Lists the names of the folders directly under a prefix, sorted.
    pub(crate) async fn folders(&self, prefix: &Path) -> Result<Vec<String>, Error> {
        let _permit = self.permit().await?;
        self.counters.list();
        let found = self.inner.list_with_delimiter(Some(prefix)).await;
        let found = found.map_err(|source| self.failed("list", prefix, source))?;
        let names = found.common_prefixes.iter().filter_map(|path| path.filename());
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Lists the objects directly under a prefix.
    pub(crate) async fn objects(&self, prefix: &Path) -> Result<Vec<ObjectMeta>, Error> {
        let _permit = self.permit().await?;
        self.counters.list();
        let found = self.inner.list_with_delimiter(Some(prefix)).await;
        Ok(found.map_err(|source| self.failed("list", prefix, source))?.objects)
    }

    /// Deletes objects. Missing ones are no error.
    pub(crate) async fn delete(&self, keys: Vec<Path>) -> Result<(), Error> {
        if keys.is_empty() {
            return Ok(());
        }
        let _permit = self.permit().await?;
        self.counters.delete(keys.len() as u64);
        if let Some(folder) = &self.folder {
            folder.forget_synced();
        }
        let mut deleted = self.inner.delete_stream(stream::iter(keys).map(Ok).boxed());
        while let Some(result) = deleted.next().await {
            match result {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(source) => return Err(self.failed("delete", &Path::default(), source)),
            }
        }
        Ok(())
    }

    /// Deletes all objects under a prefix and returns their number.
    pub(crate) async fn delete_all(&self, prefix: &Path) -> Result<u64, Error> {
        let mut deleted = 0;
        let mut batches = self.inner.list(Some(prefix)).try_chunks(1000);
        while let Some(batch) = batches.next().await {
            let batch = batch.map_err(|error| self.failed("list", prefix, error.1))?;
            deleted += batch.len() as u64;
            self.delete(batch.into_iter().map(|meta| meta.location).collect()).await?;
        }
        Ok(deleted)
    }

    async fn permit(&self) -> Result<SemaphorePermit<'_>, Error> {
        self.permits.acquire().await.map_err(|_| Error::Stopped)
    }

    fn failed(&self, operation: &'static str, key: &Path, source: object_store::Error) -> Error {
        if !matches!(source, object_store::Error::NotFound { .. }) {
            self.counters.failure();
        }
        Error::Store { operation, key: key.to_string(), source: Arc::new(source) }
    }
}

impl Expected {
    pub(crate) fn check(&self, key: &Path, found: &ObjectMeta) -> Result<(), Error> {
        match self.difference(found) {
            Some((expected, found)) => Err(changed(key, expected, found)),
            None => Ok(()),
        }
    }

    /// The first difference, as expected and as found.
    pub(crate) fn difference(&self, found: &ObjectMeta) -> Option<(String, String)> {
        if let Some(size) = self.size.filter(|size| *size != found.size) {
            return Some((format!("{size} bytes"), format!("{} bytes", found.size)));
        }
        if let (Some(expected), Some(found)) = (&self.e_tag, &found.e_tag)
            && opaque(expected) != opaque(found)
        {
            return Some((format!("entity tag {expected}"), format!("entity tag {found}")));
        }
        let modified_ns = found.last_modified.timestamp_nanos_opt();
        if let (Some(expected), Some(found_ns)) = (self.modified_ns, modified_ns)
            && expected != found_ns
        {
            return Some((format!("modification time {expected} ns"), format!("{found_ns} ns")));
        }
        None
    }
}

/// Whether the system reports a missing file or folder.
fn is_missing_file(error: &object_store::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::NotFound)
        {
            return true;
        }
        cause = error.source();
    }
    false
}

/// An entity tag without quotes and weakness, which servers write differently in listings and responses.
fn opaque(e_tag: &str) -> &str {
    e_tag.strip_prefix("W/").unwrap_or(e_tag).trim_matches('"')
}

fn changed(key: &Path, expected: String, found: String) -> Error {
    Error::ObjectChanged { key: key.to_string(), expected, found }
}

impl Error {
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Store { source, .. } if matches!(**source, object_store::Error::NotFound { .. }))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_folder_that_is_removed_while_it_is_made_is_made_again() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(Location::open(root.path().to_str().unwrap()).unwrap(), 64);
        let writers = (0..8).map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                let key = Path::from(format!("deep/folder/{writer}"));
                for _ in 0..100 {
                    assert_eq!(store.put_new(&key, "x".into()).await.unwrap(), Put::Created);
                    store.delete(vec![key.clone()]).await.unwrap();
                    store.put(&key, "x".into()).await.unwrap();
                    store.delete(vec![key.clone()]).await.unwrap();
                }
            })
        });
        for writer in join_all(writers).await {
            writer.unwrap();
        }
    }

    #[test]
    fn an_object_is_what_was_expected() {
        let meta = |size, e_tag: Option<&str>| ObjectMeta {
            location: Path::from("x"),
            last_modified: Default::default(),
            size,
            e_tag: e_tag.map(str::to_owned),
            version: None,
        };
        let expected = Expected { size: Some(5), e_tag: Some("\"a\"".into()), modified_ns: Some(0) };
        for same in [meta(5, Some("\"a\"")), meta(5, Some("a")), meta(5, Some("W/\"a\"")), meta(5, None)] {
            assert_eq!(expected.difference(&same), None, "{same:?}");
        }
        for other in [meta(6, Some("\"a\"")), meta(5, Some("\"b\""))] {
            assert!(expected.difference(&other).is_some(), "{other:?}");
        }
        let later = Expected { modified_ns: Some(1), ..Expected::default() };
        assert!(later.difference(&meta(5, None)).is_some());
    }
}
