//! [`Location`]: a folder, memory, or an object store, by path or URL.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreScheme};
use url::Url;

use crate::Error;

/// An opened location.
#[derive(Debug)]
pub(crate) struct Location {
    pub(crate) store: Arc<dyn ObjectStore>,
    /// Path of the folder, if it is one.
    pub(crate) folder: Option<PathBuf>,
}

impl Location {
    pub(crate) fn memory() -> Self {
        Self { store: Arc::new(InMemory::new()), folder: None }
    }

    /// Opens the location of an archive. A missing folder is created.
    pub(crate) fn open(location: &str) -> Result<Self, Error> {
        match scheme(location) {
            None => Self::folder(FilePath::new(location), location),
            Some("memory") => Ok(Self::memory()),
            Some("file") => {
                let path = parse(location)?.to_file_path();
                let path = path.map_err(|()| invalid(location, &"not a path of this system"))?;
                Self::folder(&path, location)
            }
            Some(_) => {
                let (store, prefix) = remote(&parse(location)?, location)?;
                let store: Arc<dyn ObjectStore> =
                    if prefix.is_root() { store } else { Arc::new(PrefixStore::new(store, prefix)) };
                Ok(Self { store, folder: None })
            }
        }
    }

    fn folder(path: &FilePath, location: &str) -> Result<Self, Error> {
        let failed = |error: &dyn std::fmt::Display| invalid(location, error);
        std::fs::create_dir_all(path).map_err(|error| failed(&error))?;
        let path = std::fs::canonicalize(path).map_err(|error| failed(&error))?;
        let store = LocalFileSystem::new_with_prefix(&path).map_err(|error| failed(&error))?;
        // Durable before a put returns, and without trees of empty folders after years of retention.
        let store = store.with_fsync(true).with_automatic_cleanup(true);
        Ok(Self { store: Arc::new(store), folder: Some(path) })
    }

    /// Opens the store of a recording, which is never written to.
    pub(crate) fn of_recordings(url: &Url) -> Result<Self, Error> {
        let store: Arc<dyn ObjectStore> = match url.scheme() {
            "file" => Arc::new(LocalFileSystem::new()),
            _ => remote(url, url.as_str())?.0,
        };
        Ok(Self { store, folder: None })
    }

    /// The path of a recording in its store.
    pub(crate) fn path_of_recording(url: &Url) -> Result<Path, Error> {
        let invalid = |error: &dyn std::fmt::Display| invalid(url.as_str(), error);
        if url.scheme() == "file" {
            let path = url.to_file_path().map_err(|()| invalid(&"not a path of this system"))?;
            return Path::from_absolute_path(path).map_err(|error| invalid(&error));
        }
        let (_, path) = ObjectStoreScheme::parse(url).map_err(|error| invalid(&error))?;
        Path::parse(path).map_err(|error| invalid(&error))
    }
}

/// The URL of an existing path, or a URL unchanged.
pub(crate) fn absolute_path(location: &str) -> Result<Url, Error> {
    if scheme(location).is_some() {
        return parse(location);
    }
    let path = std::fs::canonicalize(location).map_err(|error| invalid(location, &error))?;
    Url::from_file_path(path).map_err(|()| invalid(location, &"not an absolute path"))
}

/// The scheme of a URL. A single letter is a drive of Windows.
fn scheme(location: &str) -> Option<&str> {
    let (scheme, _) = location.split_once(':')?;
    let valid = scheme.len() > 1
        && scheme.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    valid.then_some(scheme)
}

fn parse(location: &str) -> Result<Url, Error> {
    Url::parse(location).map_err(|error| invalid(location, &error))
}

fn remote(url: &Url, location: &str) -> Result<(Arc<dyn ObjectStore>, Path), Error> {
    let (scheme, path) = ObjectStoreScheme::parse(url).map_err(|error| invalid(location, &error))?;
    let path = Path::parse(path).map_err(|error| invalid(location, &error))?;
    match connect(scheme, url).map_err(|error| invalid(location, &error))? {
        Some(store) => Ok((store, path)),
        None => Err(invalid(
            location,
            &format!(
                "expected a folder, memory:, or with the features s3, gcs and azure s3://, gs:// and az://, found {}:",
                url.scheme()
            ),
        )),
    }
}

/// Object store of a URL, configured by the environment; `None` if its scheme is unknown or not compiled in.
#[cfg(any(feature = "s3", feature = "gcs", feature = "azure"))]
fn connect(
    scheme: ObjectStoreScheme,
    url: &Url,
) -> Result<Option<Arc<dyn ObjectStore>>, object_store::Error> {
    Ok(Some(match scheme {
        #[cfg(feature = "s3")]
        ObjectStoreScheme::AmazonS3 => Arc::new(
            object_store::aws::AmazonS3Builder::from_env()
                .with_url(url.as_str())
                .with_retry(retries())
                .build()?,
        ),
        #[cfg(feature = "gcs")]
        ObjectStoreScheme::GoogleCloudStorage => Arc::new(
            object_store::gcp::GoogleCloudStorageBuilder::from_env()
                .with_url(url.as_str())
                .with_retry(retries())
                .build()?,
        ),
        #[cfg(feature = "azure")]
        ObjectStoreScheme::MicrosoftAzure => Arc::new(
            object_store::azure::MicrosoftAzureBuilder::from_env()
                .with_url(url.as_str())
                .with_retry(retries())
                .build()?,
        ),
        _ => return Ok(None),
    }))
}

/// SDKs wait 60 s for the first byte: a store that fails for half of that is reported in time.
#[cfg(any(feature = "s3", feature = "gcs", feature = "azure"))]
fn retries() -> object_store::RetryConfig {
    let retry_timeout = std::time::Duration::from_secs(30);
    object_store::RetryConfig { max_retries: 6, retry_timeout, ..object_store::RetryConfig::default() }
}

#[cfg(not(any(feature = "s3", feature = "gcs", feature = "azure")))]
fn connect(_: ObjectStoreScheme, _: &Url) -> Result<Option<Arc<dyn ObjectStore>>, object_store::Error> {
    Ok(None)
}

fn invalid(location: &str, reason: &(impl std::fmt::Display + ?Sized)) -> Error {
    // A URL can contain a password.
    let shown = match Url::parse(location) {
        Ok(mut url) if url.password().is_some() => {
            let _ = url.set_password(None);
            url.to_string()
        }
        _ => location.to_owned(),
    };
    Error::InvalidLocation { location: shown, reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes() {
        for (location, expected) in [
            ("archive", None),
            ("./a:b", None),
            ("C:\\archive", None),
            ("memory:", Some("memory")),
            ("s3://bucket/prefix", Some("s3")),
            ("1s3://bucket", None),
        ] {
            assert_eq!(scheme(location), expected, "{location}");
        }
    }

    #[test]
    fn a_missing_folder_is_created_and_a_file_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("deep/archive");
        let opened = Location::open(folder.to_str().unwrap()).unwrap();
        assert_eq!(opened.folder, Some(folder.canonicalize().unwrap()));
        std::fs::write(root.path().join("file"), "x").unwrap();
        let error = Location::open(root.path().join("file").to_str().unwrap()).unwrap_err();
        assert!(matches!(error, Error::InvalidLocation { .. }), "{error:?}");
    }

    #[test]
    fn unknown_schemes_are_refused_without_their_password() {
        let error = Location::open("ftp://user:secret@host/x").unwrap_err().to_string();
        assert!(error.starts_with("cannot open ftp://user@host/x: "), "{error}");
    }
}
