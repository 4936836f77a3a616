//! Removing what is no longer found: fragments past retention, deleted streams, superseded states.
//!
//! Any replica can do it at any time, several at once too: each step removes what the next reader would not find, after a
//! grace period in which clips under way end.

use std::collections::BTreeSet;

use getclip::Timestamp;
use object_store::path::Path;

use crate::fragment::StoredFragment;
use crate::hours::hour_start_seconds;
use crate::layout::{self, Bucket, Shelf};
use crate::stream::{State, StreamInfo, StreamName};
use crate::{Archive, Error};

/// Result of [`Archive::prune`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PruneSummary {
    /// Streams that were looked at, deleted ones included.
    pub streams: u64,
    /// Fragments past the retention of their stream.
    pub fragments: u64,
    /// Size of their objects.
    pub bytes: u64,
    /// Objects of streams that are deleted.
    pub objects_of_deleted_streams: u64,
    /// States that a newer one has superseded.
    pub states: u64,
}

impl Archive {
    /// Removes what is past retention, and what is left of deleted streams.
    ///
    /// # Errors
    /// The store's error. The next pruning continues where this one stopped.
    pub async fn prune(&self) -> Result<PruneSummary, Error> {
        let mut summary = PruneSummary::default();
        for name in layout::stream_names(self.store()).await? {
            self.prune_name(&name, &mut summary).await?;
        }
        Ok(summary)
    }

    async fn prune_name(&self, name: &StreamName, summary: &mut PruneSummary) -> Result<(), Error> {
        // A stream's state is written before its folder, and the folders are listed before the state is read: each folder
        // belongs to this state or to an earlier one.
        let folders = self.store().folders(&layout::stream(name)).await?;
        let newest = State::newest(self.store(), name).await?;
        let stream = newest.as_ref().and_then(|state| state.stream(name));
        summary.streams += u64::from(newest.is_some());
        let mut left = 0;
        for created_ms in folders.iter().filter_map(|folder| Shelf::parse_folder_name(folder)) {
            let is_live = stream.as_ref().is_some_and(|stream| stream.created_ms() == created_ms);
            let superseded_ms = match (&stream, &newest) {
                (Some(stream), _) => stream.created_ms(),
                (None, Some(deleted)) => deleted.changed_ms(),
                (None, None) => created_ms,
            };
            if is_live || !self.is_past_grace(superseded_ms) {
                left += 1;
            } else {
                let removed = self.store().delete_all(Shelf::new(name, created_ms).root()).await?;
                summary.objects_of_deleted_streams += removed;
            }
        }
        if let Some(newest) = newest
            && self.is_past_grace(newest.changed_ms())
        {
            let forget_all = stream.is_none() && left == 0;
            summary.states += self.prune_states(name, newest.generation(), forget_all).await?;
        }
        if let Some(stream) = stream {
            self.prune_stream(&stream, summary).await?;
        }
        Ok(())
    }

    /// Removes superseded states, and the last state of a deleted stream when nothing else is left of it.
    async fn prune_states(&self, name: &StreamName, newest: u64, forget_all: bool) -> Result<u64, Error> {
        let listed = self.store().list(&layout::states(name)).await?;
        let generation = |path: &Path| path.filename().and_then(layout::parse_generation);
        let superseded = listed.into_iter().map(|meta| meta.location);
        let superseded: Vec<Path> =
            superseded.filter(|path| generation(path).is_some_and(|found| found < newest)).collect();
        let mut removed = superseded.len() as u64;
        self.store().delete(superseded).await?;
        if forget_all {
            removed += 1;
            self.store().delete(vec![layout::state(name, newest)]).await?;
        }
        Ok(removed)
    }

    async fn prune_stream(&self, stream: &StreamInfo, summary: &mut PruneSummary) -> Result<(), Error> {
        let Some(kept_since) = stream.kept_since(self.now(), self.grace_ms()) else { return Ok(()) };
        let shelf = Shelf::of(stream);
        let horizon = Bucket::of(kept_since.as_millis());
        let parse =
            |names: Vec<String>| names.iter().filter_map(|name| Bucket::parse(name)).collect::<Vec<_>>();
        let fragments = parse(self.store().folders(&shelf.fragments()).await?);
        let server_buckets = parse(self.store().folders(&shelf.server_buckets()).await?);
        let mut buckets: BTreeSet<Bucket> =
            fragments.into_iter().filter(|bucket| *bucket <= horizon.after()).collect();
        let mut entries = Vec::new();
        for server in server_buckets.into_iter().filter(|server| *server <= horizon) {
            for entry in self.store().list(&shelf.server_bucket(server)).await? {
                buckets.extend(entry.location.filename().and_then(Bucket::parse));
                if server < horizon {
                    entries.push(entry.location);
                }
            }
        }
        for bucket in buckets {
            self.prune_bucket(&shelf, bucket, kept_since, summary).await?;
        }
        self.store().delete(entries).await
    }

    /// Removes fragments, then the entries that lead to them.
    async fn prune_bucket(
        &self,
        shelf: &Shelf,
        bucket: Bucket,
        kept_since: Timestamp,
        summary: &mut PruneSummary,
    ) -> Result<(), Error> {
        let listed = self.store().list(&shelf.bucket(bucket)).await?;
        let expired: Vec<StoredFragment> = listed
            .iter()
            .filter_map(StoredFragment::listed)
            .filter(|fragment| fragment.server_timestamp() < kept_since)
            .collect();
        if expired.is_empty() {
            return Ok(());
        }
        summary.fragments += expired.len() as u64;
        summary.bytes += expired.iter().map(|fragment| fragment.object_len).sum::<u64>();
        self.store().delete(expired.iter().map(|fragment| fragment.path(shelf)).collect()).await?;
        let numbers = expired.iter().filter(|fragment| fragment.key.needs_number_entry());
        let mut derived: Vec<Path> =
            numbers.map(|fragment| shelf.number(fragment.number().as_str())).collect();
        derived.push(shelf.hour(hour_start_seconds(bucket.start_ms())));
        self.store().delete(derived).await
    }

    pub(crate) fn grace_ms(&self) -> i64 {
        i64::try_from(self.settings().grace.as_millis()).unwrap_or(i64::MAX)
    }

    /// Whether a time is longer ago than the grace period.
    pub(crate) fn is_past_grace(&self, ms: i64) -> bool {
        ms.saturating_add(self.grace_ms()) <= self.now().as_millis()
    }
}
