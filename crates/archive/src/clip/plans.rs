//! [`Plans`]: recent plans, so that the ranges of one clip are served without planning it again.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep_until};

use crate::clip::ClipRequest;
use crate::clip::stored::Planned;
use crate::fragment::StoredFragment;
use crate::stream::{StreamInfo, StreamName};

/// A bounded cache of plans. A plan is found by its listing, the same objects with the same entity tags; without a listing
/// only for a caller who accepts one of a certain age.
///
/// A plan that is larger than the bound is kept alone, for a minute after its last use: planning a day of fragments takes
/// a second, and a player requests its ranges one by one.
#[derive(Debug)]
pub(crate) struct Plans {
    max_bytes: u64,
    entries: Arc<Mutex<Entries>>,
}

/// The most recently used one last.
type Entries = VecDeque<Entry>;

#[derive(Debug)]
struct Entry {
    key: Key,
    planned: Arc<Planned>,
    listed_at: Instant,
    used_at: Instant,
}

/// Input of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    stream: (StreamName, i64),
    request: ClipRequest,
    listing: [u8; 32],
}

impl Plans {
    /// How long a plan larger than the bound is kept.
    const LARGE_KEPT: Duration = Duration::from_secs(60);

    pub(crate) fn new(max_bytes: u64) -> Self {
        Self { max_bytes, entries: Arc::default() }
    }

    /// The key of a plan, or `None` if it cannot be kept: without an entity tag, an object might be another one the next
    /// time.
    pub(super) fn key(
        &self,
        stream: &StreamInfo,
        request: &ClipRequest,
        found: &[StoredFragment],
    ) -> Option<Key> {
        if self.max_bytes == 0 {
            return None;
        }
        let mut hasher = ListingHasher(Sha256::new());
        for fragment in found {
            fragment.e_tag.as_ref()?;
            fragment.hash(&mut hasher);
        }
        let listing = hasher.0.finalize().into();
        Some(Key { stream: (stream.name().clone(), stream.created_ms()), request: *request, listing })
    }

    /// The plan of what was listed.
    pub(super) fn get(&self, key: &Key) -> Option<Arc<Planned>> {
        use_first(&mut self.entries(), Some(Instant::now()), |entry| entry.key == *key)
    }

    /// The plan of a request whose fragments were listed at most `max_age` ago.
    pub(super) fn recent(
        &self,
        stream: &StreamInfo,
        request: &ClipRequest,
        max_age: Duration,
    ) -> Option<Arc<Planned>> {
        let stream = (stream.name().clone(), stream.created_ms());
        use_first(&mut self.entries(), None, |entry| {
            let is_asked_for = entry.key.stream == stream && entry.key.request == *request;
            is_asked_for && entry.listed_at.elapsed() <= max_age
        })
    }

    pub(super) fn insert(&self, key: Key, planned: &Arc<Planned>) {
        let now = Instant::now();
        let is_large = planned.bytes() > self.max_bytes;
        let mut entries = self.entries();
        // Older plans of the same request are of no use: the listing has changed.
        entries.retain(|entry| entry.key.stream != key.stream || entry.key.request != key.request);
        entries.push_back(Entry {
            key: key.clone(),
            planned: Arc::clone(planned),
            listed_at: now,
            used_at: now,
        });
        while entries.len() > 1
            && entries.iter().map(|entry| entry.planned.bytes()).sum::<u64>() > self.max_bytes
        {
            entries.pop_front();
        }
        if is_large {
            tokio::spawn(forget_unused(Arc::downgrade(&self.entries), key, now + Self::LARGE_KEPT));
        }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        lock(&self.entries)
    }
}

fn lock(entries: &Mutex<Entries>) -> MutexGuard<'_, Entries> {
    entries.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes an entry after it has not been used for [`Plans::LARGE_KEPT`].
async fn forget_unused(entries: Weak<Mutex<Entries>>, key: Key, mut at: Instant) {
    loop {
        sleep_until(at).await;
        let Some(entries) = entries.upgrade() else { return };
        let mut entries = lock(&entries);
        let Some(found) = entries.iter().position(|entry| entry.key == key) else { return };
        match entries.get(found).map(|entry| entry.used_at + Plans::LARGE_KEPT) {
            Some(later) if later > at => at = later,
            _ => {
                entries.remove(found);
                return;
            }
        }
    }
}

/// The plan of the first entry that matches, which becomes the most recently used one.
fn use_first(
    entries: &mut Entries,
    listed_at: Option<Instant>,
    matches: impl Fn(&Entry) -> bool,
) -> Option<Arc<Planned>> {
    let at = entries.iter().position(matches)?;
    let mut entry = entries.remove(at)?;
    entry.used_at = Instant::now();
    entry.listed_at = listed_at.unwrap_or(entry.listed_at);
    let planned = Arc::clone(&entry.planned);
    entries.push_back(entry);
    Some(planned)
}

/// Hashes with SHA-256: entity tags come from outside, and two listings must never be taken for the same.
struct ListingHasher(Sha256);

impl Hasher for ListingHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The first 64 bits of what was written so far.
    fn finish(&self) -> u64 {
        let mut first = [0; 8];
        first.copy_from_slice(&self.0.clone().finalize()[..8]);
        u64::from_be_bytes(first)
    }
}
