//! Checking and repairing an archive.

mod entries;
mod finding;
mod fragment;

use std::collections::{BTreeMap, HashMap};

use futures_util::{StreamExt, TryStreamExt, stream};
use getclip::FragmentNumber;
use object_store::ObjectMeta;

use crate::fragment::StoredFragment;
use crate::layout::{self, Bucket, Shelf};
use crate::stream::{StreamInfo, StreamName};
use crate::{Archive, Error};

use entries::Entries;
pub use finding::{CheckOptions, CheckSummary, Finding, Problem};
use fragment::Checked;

/// Objects that are read at the same time.
const CONCURRENT: usize = 16;

/// A check under way.
struct Check<'a> {
    options: &'a CheckOptions,
    on_finding: &'a mut (dyn FnMut(&Finding) + Send),
    summary: CheckSummary,
}

impl Check<'_> {
    fn report(&mut self, stream: &StreamName, key: &str, problem: Problem, repaired: bool) {
        self.summary.findings += 1;
        self.summary.repaired += u64::from(repaired);
        (self.on_finding)(&Finding { stream: stream.clone(), key: key.to_owned(), problem, repaired });
    }
}

/// A listed fragment, and when it was written.
struct Listed {
    fragment: StoredFragment,
    modified_ms: i64,
}

impl Archive {
    /// Checks the fragments of streams, and repairs what it can if the options ask for it. Findings are reported as they
    /// come.
    ///
    /// # Errors
    /// The store's error. A finding is not an error.
    pub async fn check(
        &self,
        options: &CheckOptions,
        on_finding: &mut (dyn FnMut(&Finding) + Send),
    ) -> Result<CheckSummary, Error> {
        let mut check = Check { options, on_finding, summary: CheckSummary::default() };
        let names = match &options.stream {
            Some(name) => vec![name.clone()],
            None => layout::stream_names(self.store()).await?,
        };
        for name in names {
            match self.stream(&name).await {
                Ok(stream) => self.check_stream(&stream, &mut check).await?,
                // The rest of a deleted stream is for pruning.
                Err(Error::StreamNotFound { .. }) if options.stream.is_none() => {}
                Err(Error::Damaged { key, reason }) => {
                    check.report(&name, &key, Problem::UnreadableState { reason }, false);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(check.summary)
    }

    async fn check_stream(&self, stream: &StreamInfo, check: &mut Check<'_>) -> Result<(), Error> {
        check.summary.streams += 1;
        let shelf = Shelf::of(stream);
        let mut entries = Entries::list(self, &shelf).await?;
        // Numbers of the service seen so far, with their times: one number at two times means two fragments.
        let mut seen: HashMap<FragmentNumber, i64> = HashMap::new();
        for name in self.store().folders(&shelf.fragments()).await? {
            let bucket = Bucket::parse(&name);
            let objects = self.store().list(&shelf.fragments().join(name)).await?;
            check.summary.objects += objects.len() as u64;
            let mut fragments = Vec::new();
            for meta in &objects {
                match StoredFragment::listed(meta) {
                    Some(fragment) if bucket == Some(Bucket::of(fragment.key.producer_ms)) => {
                        fragments.push(Listed { fragment, modified_ms: modified_ms(meta) });
                    }
                    _ => check.report(stream.name(), meta.location.as_ref(), Problem::UnknownObject, false),
                }
            }
            let current = self.check_superseded(stream, &shelf, fragments, check).await?;
            for fragment in &current {
                let producer_ms = fragment.key.producer_ms;
                let other = if fragment.key.needs_number_entry() {
                    seen.insert(fragment.number().clone(), producer_ms)
                } else {
                    None
                };
                if let Some(other_ms) = other.filter(|&other_ms| other_ms != producer_ms) {
                    let problem = Problem::NumberTwice { other_producer_ms: other_ms };
                    check.report(stream.name(), fragment.path(&shelf).as_ref(), problem, false);
                }
                entries.need(self, stream, &fragment.key, check).await?;
            }
            self.check_fragments(stream, &shelf, current, check).await?;
        }
        entries.report_unneeded(self, stream, check).await?;
        self.check_leftovers(stream, &shelf, check).await
    }

    /// Reports superseded objects, and removes them in a repair after the grace period. Returns the others.
    async fn check_superseded(
        &self,
        stream: &StreamInfo,
        shelf: &Shelf,
        fragments: Vec<Listed>,
        check: &mut Check<'_>,
    ) -> Result<Vec<StoredFragment>, Error> {
        let mut by_number: BTreeMap<FragmentNumber, Vec<Listed>> = BTreeMap::new();
        for listed in fragments {
            by_number.entry(listed.fragment.number().clone()).or_default().push(listed);
        }
        let mut current = Vec::with_capacity(by_number.len());
        for (_, mut same) in by_number {
            same.sort_by(|a, b| a.fragment.precedence(&b.fragment));
            let Some(best) = same.pop() else { continue };
            for old in same.into_iter().filter(|old| !old.fragment.is_of_later_program()) {
                let key = old.fragment.path(shelf);
                // A clip that was planned with the old object may still be under way.
                let removes = check.options.repair && self.is_past_grace(best.modified_ms);
                if removes {
                    self.store().delete(vec![key.clone()]).await?;
                }
                check.report(stream.name(), key.as_ref(), Problem::Superseded, removes);
            }
            current.push(best.fragment);
        }
        Ok(current)
    }

    async fn check_fragments(
        &self,
        stream: &StreamInfo,
        shelf: &Shelf,
        fragments: Vec<StoredFragment>,
        check: &mut Check<'_>,
    ) -> Result<(), Error> {
        let options = check.options;
        let checks = fragments.iter().map(|fragment| async move {
            Ok::<_, Error>((fragment, self.check_fragment(shelf, fragment, options).await?))
        });
        let mut checks = stream::iter(checks).buffered(CONCURRENT).boxed();
        while let Some((fragment, checked)) = checks.try_next().await? {
            let Checked { problem, mended } = checked;
            check.summary.fragments += 1;
            check.summary.references += u64::from(fragment.is_reference());
            let Some(problem) = problem else { continue };
            let repaired = match mended.filter(|_| options.repair) {
                Some(mended) => {
                    self.replace(shelf, fragment, mended).await?;
                    true
                }
                None => false,
            };
            check.report(stream.name(), fragment.path(shelf).as_ref(), problem, repaired);
        }
        Ok(())
    }

    /// Reports files left by killed writers, and removes them in a repair.
    async fn check_leftovers(
        &self,
        stream: &StreamInfo,
        shelf: &Shelf,
        check: &mut Check<'_>,
    ) -> Result<(), Error> {
        let Some(folder) = self.store().folder() else { return Ok(()) };
        for leftover in folder.leftovers(shelf.root(), self.settings().grace).await? {
            let repaired = check.options.repair && folder.remove_leftover(&leftover).await?;
            check.report(stream.name(), &leftover.display().to_string(), Problem::Leftover, repaired);
        }
        Ok(())
    }
}

fn modified_ms(meta: &ObjectMeta) -> i64 {
    meta.last_modified.timestamp_millis()
}
