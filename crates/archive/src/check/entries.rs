//! Checking the entries that lead to fragments whose keys are not enough to find them.

use std::collections::{HashMap, HashSet};

use object_store::path::Path;

use crate::check::{Check, Problem, modified_ms};
use crate::fragment::FragmentKey;
use crate::layout::{Bucket, Shelf};
use crate::stream::StreamInfo;
use crate::{Archive, Error};

/// The entries of a stream, listed before its fragments.
pub(super) struct Entries {
    shelf: Shelf,
    /// Entries that no fragment has needed yet, with the time of their writing.
    unneeded: HashMap<Path, i64>,
    needed: HashSet<Path>,
}

impl Entries {
    pub(super) async fn list(archive: &Archive, shelf: &Shelf) -> Result<Self, Error> {
        let (servers, numbers) = (shelf.server_buckets(), shelf.numbers());
        let (servers, numbers) =
            futures_util::try_join!(archive.store().list(&servers), archive.store().list(&numbers))?;
        let entries = servers.into_iter().chain(numbers);
        let unneeded = entries.map(|meta| (meta.location.clone(), modified_ms(&meta))).collect();
        Ok(Self { shelf: shelf.clone(), unneeded, needed: HashSet::new() })
    }

    /// Looks for the entries that a fragment needs.
    pub(super) async fn need(
        &mut self,
        archive: &Archive,
        stream: &StreamInfo,
        key: &FragmentKey,
        check: &mut Check<'_>,
    ) -> Result<(), Error> {
        let bucket = Bucket::of(key.producer_ms);
        let mut missing = Vec::new();
        if key.needs_server_entry() {
            let entry = self.shelf.server_entry(Bucket::of(key.server_ms), bucket);
            if !self.take(entry) {
                missing.push(Problem::MissingServerEntry);
            }
        }
        if key.needs_number_entry() {
            let entry = self.shelf.number(key.number.as_str());
            let found = archive.store().get(&entry).await?;
            self.take(entry);
            if found.is_none_or(|found| found != bucket.name().as_bytes()) {
                missing.push(Problem::MissingNumberEntry);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        if check.options.repair {
            archive.put_entries(&self.shelf, key).await?;
        }
        for problem in missing {
            let path = key.path(&self.shelf);
            check.report(stream.name(), path.as_ref(), problem, check.options.repair);
        }
        Ok(())
    }

    /// Marks an entry as needed. Returns whether it exists.
    fn take(&mut self, entry: Path) -> bool {
        if self.needed.contains(&entry) {
            return true;
        }
        let found = self.unneeded.remove(&entry).is_some();
        if found {
            self.needed.insert(entry);
        }
        found
    }

    /// Reports entries that no fragment needs, and removes them in a repair. Young ones are left: their fragments may be
    /// about to be put.
    pub(super) async fn report_unneeded(
        self,
        archive: &Archive,
        stream: &StreamInfo,
        check: &mut Check<'_>,
    ) -> Result<(), Error> {
        let old = |(path, modified_ms): (Path, i64)| archive.is_past_grace(modified_ms).then_some(path);
        let mut unneeded: Vec<Path> = self.unneeded.into_iter().filter_map(old).collect();
        unneeded.sort_unstable();
        if check.options.repair {
            archive.store().delete(unneeded.clone()).await?;
        }
        for path in unneeded {
            check.report(stream.name(), path.as_ref(), Problem::UnneededEntry, check.options.repair);
        }
        Ok(())
    }
}
