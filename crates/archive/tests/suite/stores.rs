//! The stores that every test runs over.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, SystemTime};

use getclip::Timestamp;
use getclip_archive::{Archive, Clock, NewStream, Retention, Settings, StreamInfo, StreamName};
use tempfile::TempDir;

/// A store, and a clock that the test moves.
pub(crate) struct Store {
    location: Location,
    now_ms: Arc<AtomicI64>,
    settings: Settings,
}

enum Location {
    Memory(Archive),
    Folder(TempDir),
    Bucket(String),
}

impl Store {
    fn new(location: impl FnOnce(&Settings) -> Location) -> Self {
        let now = Timestamp::from(SystemTime::now()).as_millis();
        let now_ms = Arc::new(AtomicI64::new(now));
        let time = Arc::clone(&now_ms);
        let clock = Clock::new(move || Timestamp::from_millis(time.load(SeqCst)));
        let settings = Settings::default().clock(clock);
        Self { location: location(&settings), now_ms, settings }
    }

    pub(crate) fn memory() -> Self {
        Self::new(|settings| Location::Memory(Archive::memory(settings.clone())))
    }

    pub(crate) fn folder() -> Self {
        Self::new(|_| Location::Folder(tempfile::tempdir().unwrap()))
    }

    /// All that there are here.
    pub(crate) fn all() -> Vec<Self> {
        let mut stores = vec![Self::memory(), Self::folder()];
        stores.extend(Self::bucket());
        stores
    }

    /// Those that more than one process can open.
    pub(crate) fn shared() -> Vec<Self> {
        let mut stores = vec![Self::folder()];
        stores.extend(Self::bucket());
        stores
    }

    fn bucket() -> Option<Self> {
        static PREFIXES: AtomicU64 = AtomicU64::new(0);
        let bucket = std::env::var("GETCLIP_TEST_S3").ok()?;
        let (prefix, process) = (PREFIXES.fetch_add(1, SeqCst), std::process::id());
        let started = Timestamp::from(SystemTime::now()).as_millis();
        Some(Self::new(|_| Location::Bucket(format!("{bucket}/test-{started}-{process}-{prefix}"))))
    }

    /// Where another process can open it.
    pub(crate) fn location(&self) -> &str {
        match &self.location {
            Location::Memory(_) => panic!("memory is of one process"),
            Location::Folder(folder) => folder.path().to_str().unwrap(),
            Location::Bucket(url) => url,
        }
    }

    pub(crate) fn path(&self) -> Option<&std::path::Path> {
        match &self.location {
            Location::Folder(folder) => Some(folder.path()),
            Location::Memory(_) | Location::Bucket(_) => None,
        }
    }

    /// The archive, opened once more: another replica, except in memory.
    pub(crate) async fn open(&self) -> Archive {
        self.open_with(|settings| settings).await
    }

    pub(crate) async fn open_with(&self, change: impl FnOnce(Settings) -> Settings) -> Archive {
        match &self.location {
            Location::Memory(archive) => archive.clone(),
            _ => Archive::open(self.location(), change(self.settings.clone())).await.unwrap(),
        }
    }

    /// A replica whose clock is ahead.
    pub(crate) async fn open_ahead(&self, ms: i64) -> Archive {
        let time = Arc::clone(&self.now_ms);
        let clock = Clock::new(move || Timestamp::from_millis(time.load(SeqCst) + ms));
        self.open_with(|settings| settings.clock(clock)).await
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.now_ms.load(SeqCst)
    }

    pub(crate) fn set_now_ms(&self, ms: i64) {
        self.now_ms.store(ms, SeqCst);
    }

    pub(crate) fn advance(&self, time: Duration) {
        self.now_ms.fetch_add(i64::try_from(time.as_millis()).unwrap(), SeqCst);
    }
}

pub(crate) fn name(name: &str) -> StreamName {
    name.parse().unwrap()
}

pub(crate) fn hours(hours: u32) -> Retention {
    Retention::from_hours(hours).unwrap()
}

pub(crate) fn limit(limit: usize) -> NonZeroUsize {
    NonZeroUsize::new(limit).unwrap()
}

pub(crate) async fn create(archive: &Archive, stream: &str, retention: Retention) -> StreamInfo {
    archive.create_stream(NewStream::new(name(stream), retention)).await.unwrap()
}
