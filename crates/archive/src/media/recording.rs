//! Recordings outside the archive: files and objects that are read, never written.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use object_store::path::Path;
use url::Url;

use crate::store::{Expected, Location, Store, absolute_path};
use crate::{Archive, Error};

/// A recording outside the archive: a file by path or URL, or an object by URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecordingUrl(Url);

impl RecordingUrl {
    /// The URL as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for RecordingUrl {
    type Err = Error;

    /// A path must exist. It is made absolute, and symbolic links are resolved.
    fn from_str(location: &str) -> Result<Self, Error> {
        absolute_path(location).map(Self)
    }
}

impl fmt::Display for RecordingUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.to_file_path() {
            Ok(path) if self.0.scheme() == "file" => path.display().fmt(f),
            _ => self.0.fmt(f),
        }
    }
}

impl Archive {
    /// The recordings at a location: a file or an object, or in the order of their names all files directly in a folder
    /// (for a URL, one that ends with `/`) but those whose names begin with a dot.
    ///
    /// # Errors
    /// [`Error::InvalidLocation`], or the store's error.
    pub async fn recordings(&self, location: &str) -> Result<Vec<RecordingUrl>, Error> {
        let url: RecordingUrl = location.parse()?;
        let is_folder = url.0.path().ends_with('/') || url.0.to_file_path().is_ok_and(|path| path.is_dir());
        if !is_folder {
            return Ok(vec![url]);
        }
        let folder = self.recordings_opened().open(self.store(), &url)?;
        let objects = folder.store.objects(&folder.path).await?;
        let mut names: Vec<&str> = objects.iter().filter_map(|meta| meta.location.filename()).collect();
        names.retain(|name| !name.starts_with('.'));
        names.sort_unstable();
        let in_folder = |name: &str| {
            let mut url = url.0.clone();
            if let Ok(mut segments) = url.path_segments_mut() {
                segments.pop_if_empty().push(name);
            }
            RecordingUrl(url)
        };
        Ok(names.into_iter().map(in_folder).collect())
    }
}

/// Stores of recordings, opened on demand.
#[derive(Debug, Default)]
pub(crate) struct Recordings(Mutex<HashMap<String, Store>>);

/// One recording, opened.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    pub(crate) url: RecordingUrl,
    pub(crate) store: Store,
    pub(crate) path: Path,
}

impl Recordings {
    /// Opens a recording, whose requests share the limit and the counters of `archive`.
    pub(crate) fn open(&self, archive: &Store, url: &RecordingUrl) -> Result<Recording, Error> {
        let bucket = url.0[..url::Position::BeforePath].to_owned();
        let mut stores = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let store = match stores.get(&bucket) {
            Some(store) => store.clone(),
            None => {
                let store = archive.beside(Location::of_recordings(&url.0)?);
                stores.insert(bucket, store.clone());
                store
            }
        };
        let path = Location::path_of_recording(&url.0)?;
        Ok(Recording { url: url.clone(), store, path })
    }
}

impl Recording {
    /// Identity of the recording now: its size, and its entity tag or modification time. For a file it is the modification
    /// time, because its entity tag changes when it is moved to another disk.
    pub(crate) async fn identity(&self) -> Result<Option<Expected>, Error> {
        let Some(meta) = self.store.head(&self.path).await? else { return Ok(None) };
        let is_file = self.url.0.scheme() == "file";
        let e_tag = meta.e_tag.as_deref().filter(|_| !is_file).map(Box::from);
        let modified_ns = if e_tag.is_none() { meta.last_modified.timestamp_nanos_opt() } else { None };
        Ok(Some(Expected { size: Some(meta.size), e_tag, modified_ns }))
    }
}

/// Reads a recording up to the size that it has when reading begins.
#[derive(Debug)]
pub(crate) struct RecordingReader {
    pub(crate) recording: Recording,
    pub(crate) identity: Expected,
}

impl RecordingReader {
    const CHUNK: u64 = 4 << 20;

    pub(crate) async fn open(archive: &Archive, url: &RecordingUrl) -> Result<Self, Error> {
        let recording = archive.recordings_opened().open(archive.store(), url)?;
        match recording.identity().await? {
            Some(identity) => Ok(Self { recording, identity }),
            None => Err(Error::InvalidLocation {
                location: url.to_string(),
                reason: "there is no such file or object".to_owned(),
            }),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.identity.size.unwrap_or(0)
    }

    /// The bytes, read one chunk ahead. Each read checks the identity of the recording.
    pub(crate) fn chunks(&self) -> BoxStream<'_, Result<Bytes, Error>> {
        let starts = (0..self.size()).step_by(usize::try_from(Self::CHUNK).unwrap_or(usize::MAX));
        let chunks = stream::iter(starts).map(move |start| {
            let end = start.saturating_add(Self::CHUNK).min(self.size());
            self.recording.store.get_range(&self.recording.path, start..end, &self.identity)
        });
        chunks.buffered(2).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_url_and_is_shown_as_a_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("a recording.mkv");
        std::fs::write(&path, "x").unwrap();
        let url: RecordingUrl = path.to_str().unwrap().parse().unwrap();
        assert!(url.as_str().starts_with("file:///") && url.as_str().ends_with("a%20recording.mkv"));
        assert_eq!(url.to_string(), path.to_str().unwrap());
        assert_eq!(url.as_str().parse::<RecordingUrl>().unwrap(), url);
        assert!(folder.path().join("missing").to_str().unwrap().parse::<RecordingUrl>().is_err());
    }
}
