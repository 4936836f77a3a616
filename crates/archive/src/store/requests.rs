//! Counters of the requests to a store.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Requests to the store since the archive was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreRequests {
    /// Listings.
    pub lists: u64,
    /// Reads of objects, of ranges of objects, and of their metadata.
    pub gets: u64,
    /// Objects written.
    pub puts: u64,
    /// Objects deleted.
    pub deletes: u64,
    /// Requests that failed, except for missing objects.
    pub failures: u64,
    /// Bytes read.
    pub bytes_read: u64,
    /// Bytes written.
    pub bytes_written: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    lists: AtomicU64,
    gets: AtomicU64,
    puts: AtomicU64,
    deletes: AtomicU64,
    failures: AtomicU64,
    bytes_read: AtomicU64,
    bytes_written: AtomicU64,
}

impl Counters {
    pub(super) fn list(&self) {
        self.lists.fetch_add(1, Relaxed);
    }

    pub(super) fn get(&self, bytes: u64) {
        self.gets.fetch_add(1, Relaxed);
        self.bytes_read(bytes);
    }

    pub(super) fn bytes_read(&self, bytes: u64) {
        self.bytes_read.fetch_add(bytes, Relaxed);
    }

    pub(super) fn put(&self, bytes: u64) {
        self.puts.fetch_add(1, Relaxed);
        self.bytes_written.fetch_add(bytes, Relaxed);
    }

    pub(super) fn delete(&self, objects: u64) {
        self.deletes.fetch_add(objects, Relaxed);
    }

    pub(super) fn failure(&self) {
        self.failures.fetch_add(1, Relaxed);
    }

    pub(super) fn snapshot(&self) -> StoreRequests {
        StoreRequests {
            lists: self.lists.load(Relaxed),
            gets: self.gets.load(Relaxed),
            puts: self.puts.load(Relaxed),
            deletes: self.deletes.load(Relaxed),
            failures: self.failures.load(Relaxed),
            bytes_read: self.bytes_read.load(Relaxed),
            bytes_written: self.bytes_written.load(Relaxed),
        }
    }
}
