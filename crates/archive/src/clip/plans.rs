//! [`Plans`]: recent plans, so that the ranges of one clip are served without planning it again.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use crate::clip::ClipRequest;
use crate::clip::stored::Planned;
use crate::fragment::StoredFragment;
use crate::stream::StreamInfo;

/// A bounded cache of plans. What it holds follows from the listing alone: a plan is found only if the same objects
/// with the same entity tags are listed again.
#[derive(Debug)]
pub(crate) struct Plans {
    max_bytes: u64,
    /// The most recently used one last.
    entries: Mutex<VecDeque<Entry>>,
}

type Listing = [u8; 32];

#[derive(Debug)]
struct Entry {
    request: ClipRequest,
    listing: Listing,
    planned: Arc<Planned>,
}

impl Entry {
    /// What a plan takes in memory: about four times its indexes (`plans::tests` compares it with an allocator).
    fn bytes(&self) -> u64 {
        self.planned.index_bytes.saturating_mul(4).saturating_add(1024)
    }
}

impl Plans {
    pub(crate) fn new(max_bytes: u64) -> Self {
        Self { max_bytes, entries: Mutex::default() }
    }

    pub(super) fn get(
        &self,
        stream: &StreamInfo,
        request: &ClipRequest,
        found: &[StoredFragment],
    ) -> Option<Arc<Planned>> {
        let listing = listing(stream, found)?;
        let mut entries = self.entries();
        let at = entries.iter().position(|entry| entry.listing == listing && entry.request == *request)?;
        let entry = entries.remove(at)?;
        let planned = Arc::clone(&entry.planned);
        entries.push_back(entry);
        Some(planned)
    }

    pub(super) fn insert(
        &self,
        stream: &StreamInfo,
        request: &ClipRequest,
        found: &[StoredFragment],
        planned: &Arc<Planned>,
    ) {
        let Some(listing) = listing(stream, found) else { return };
        let entry = Entry { request: *request, listing, planned: Arc::clone(planned) };
        if entry.bytes() > self.max_bytes {
            return;
        }
        let mut entries = self.entries();
        entries.retain(|entry| entry.listing != listing || entry.request != *request);
        entries.push_back(entry);
        while entries.iter().map(Entry::bytes).sum::<u64>() > self.max_bytes {
            entries.pop_front();
        }
    }

    fn entries(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A hash of what was listed, or `None` if an object has no entity tag: it might be another one the next time.
fn listing(stream: &StreamInfo, found: &[StoredFragment]) -> Option<Listing> {
    let mut hasher = ListingHasher(Sha256::new());
    (stream.name(), stream.created_ms()).hash(&mut hasher);
    for fragment in found {
        fragment.e_tag.as_ref()?;
        fragment.hash(&mut hasher);
    }
    Some(hasher.0.finalize().into())
}

/// Feeds what is hashed to SHA-256: entity tags come from outside, and two listings must never be taken for one.
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
