//! [`Folder`]: durability of an archive in a folder, and the files that a killed writer leaves.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use object_store::path::Path;

use crate::Error;
use crate::store::Put;

/// A folder that holds an archive.
///
/// `object_store` syncs each file, its folder, and the folders that it has created. Two cases remain: an object that
/// another writer has linked but not synced yet, and a folder that another writer has created but not synced yet.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    /// Folders that this process has synced, with all folders above them.
    synced: Mutex<HashSet<PathBuf>>,
}

impl Folder {
    /// Number of folders that are remembered as synced.
    const MAX_SYNCED: usize = 4096;

    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, synced: Mutex::default() }
    }

    /// Syncs everything that a put of `key` relies on and may not have synced itself.
    pub(super) async fn make_durable(self: Arc<Self>, key: Path, put: Put) -> Result<(), Error> {
        let path = self.path(&key);
        let known = path.parent().is_some_and(|folder| self.synced().contains(folder));
        if known && put == Put::Created {
            return Ok(());
        }
        let task = tokio::task::spawn_blocking(move || {
            if put == Put::AlreadyThere {
                sync(&path)?;
            }
            let mut folder = path.parent();
            while let Some(parent) = folder.filter(|folder| folder.starts_with(&self.root)) {
                sync(parent)?;
                folder = parent.parent();
            }
            let mut synced = self.synced();
            if synced.len() >= Self::MAX_SYNCED {
                synced.clear();
            }
            synced.extend(path.parent().map(FilePath::to_owned));
            Ok(())
        });
        task.await.map_err(|_| Error::Stopped)?
    }

    /// Forgets which folders are synced: empty ones may be removed, and created again.
    pub(crate) fn forget_synced(&self) {
        self.synced().clear();
    }

    /// Files left by killed writers: those of `object_store`'s form `name#1` that have not been modified for `age`.
    pub(crate) async fn leftovers(&self, under: &Path, age: Duration) -> Result<Vec<PathBuf>, Error> {
        let (root, now) = (self.path(under), SystemTime::now());
        let task = tokio::task::spawn_blocking(move || {
            let mut found = Vec::new();
            find_leftovers(&root, now, age, &mut found)?;
            found.sort_unstable();
            Ok(found)
        });
        task.await.map_err(|_| Error::Stopped)?
    }

    /// Removes a file left by a killed writer. Returns whether it was still there.
    pub(crate) async fn remove_leftover(&self, path: &FilePath) -> Result<bool, Error> {
        match fs::remove_file(path) {
            Ok(()) => Ok(true),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(failed("remove", path, source)),
        }
    }

    fn synced(&self) -> std::sync::MutexGuard<'_, HashSet<PathBuf>> {
        self.synced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, key: &Path) -> PathBuf {
        let mut path = self.root.clone();
        path.extend(key.parts().map(|part| part.as_ref().to_owned()));
        path
    }
}

fn sync(path: &FilePath) -> Result<(), Error> {
    // Other systems cannot open a folder to sync it.
    if cfg!(not(unix)) && path.is_dir() {
        return Ok(());
    }
    match File::open(path).and_then(|file| file.sync_all()) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(failed("sync", path, source)),
        _ => Ok(()),
    }
}

fn find_leftovers(
    folder: &FilePath,
    now: SystemTime,
    age: Duration,
    found: &mut Vec<PathBuf>,
) -> Result<(), Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(failed("list", folder, source)),
    };
    for entry in entries {
        let entry = entry.map_err(|source| failed("list", folder, source))?;
        let path = entry.path();
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        if metadata.is_dir() {
            find_leftovers(&path, now, age, found)?;
            continue;
        }
        let since_modified = metadata.modified().ok().and_then(|time| now.duration_since(time).ok());
        let is_old = since_modified.is_some_and(|since| since >= age);
        if is_old && metadata.is_file() && is_staged(&entry.file_name().to_string_lossy()) {
            found.push(path);
        }
    }
    Ok(())
}

/// Whether a file name has the form of a write under way: `name#digits`.
fn is_staged(name: &str) -> bool {
    name.rsplit_once('#')
        .is_some_and(|(_, suffix)| !suffix.is_empty() && suffix.bytes().all(|b| b.is_ascii_digit()))
}

fn failed(operation: &'static str, path: &FilePath, source: io::Error) -> Error {
    Error::Folder { operation, path: path.display().to_string(), source: Arc::new(source) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_staged_files_are_leftovers() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("f/00000000600");
        fs::create_dir_all(&deep).unwrap();
        for name in ["object", "object#1", "object#12", "object#x", "object#"] {
            fs::write(deep.join(name), "x").unwrap();
        }
        let now = SystemTime::now() + Duration::from_secs(10);
        let leftovers = |age| {
            let mut found = Vec::new();
            find_leftovers(folder.path(), now, Duration::from_secs(age), &mut found).unwrap();
            found.sort();
            found
        };
        assert_eq!(leftovers(60), [] as [PathBuf; 0]);
        assert_eq!(leftovers(5), [deep.join("object#1"), deep.join("object#12")]);
    }

    #[tokio::test]
    async fn a_folder_is_synced_once_until_it_is_forgotten() {
        let root = tempfile::tempdir().unwrap();
        let folder = Arc::new(Folder::new(root.path().to_owned()));
        fs::create_dir_all(root.path().join("a/b")).unwrap();
        fs::write(root.path().join("a/b/c"), "x").unwrap();
        Arc::clone(&folder).make_durable(Path::from("a/b/c"), Put::Created).await.unwrap();
        assert!(folder.synced().contains(&root.path().join("a/b")));
        folder.forget_synced();
        assert!(folder.synced().is_empty());
    }
}
