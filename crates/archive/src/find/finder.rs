//! [`Finder`]: the fragments of a stream in order of a clock, bucket by bucket.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use futures_core::Stream;
use futures_util::{StreamExt, TryStreamExt, stream};
use getclip::{ClipFragmentSelector, ClipFragmentSelectorType, FragmentNumber, Timestamp};
use tokio::sync::OnceCell;

use crate::Error;
use crate::fragment::StoredFragment;
use crate::layout::{Bucket, Shelf};
use crate::store::Store;

/// A range of milliseconds, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeRange {
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
}

impl TimeRange {
    pub(crate) const ALL: Self = Self { start_ms: 0, end_ms: i64::MAX };

    pub(crate) fn of(selector: &ClipFragmentSelector) -> Self {
        let ms = |time: Timestamp| time.as_millis();
        selector
            .range()
            .map_or(Self::ALL, |range| Self { start_ms: ms(range.start()), end_ms: ms(range.end()) })
    }

    pub(crate) fn contains(&self, ms: i64) -> bool {
        (self.start_ms..=self.end_ms).contains(&ms)
    }
}

/// Lists the fragments of a stream for one operation, each bucket once.
#[derive(Debug)]
pub(crate) struct Finder {
    store: Store,
    shelf: Shelf,
    /// Earliest server time that is found, in milliseconds.
    since_ms: i64,
    listed: Mutex<HashMap<Bucket, Listing>>,
}

type Listing = Arc<OnceCell<Arc<[StoredFragment]>>>;

impl Finder {
    /// Number of buckets up to which a range is listed without finding out first which of them exist.
    const FEW: usize = 64;
    /// Number of buckets that are listed at the same time.
    const CONCURRENT: usize = 16;

    pub(crate) fn new(store: &Store, shelf: Shelf, retained_since: Option<Timestamp>) -> Self {
        let since_ms = retained_since.map_or(i64::MIN, Timestamp::as_millis);
        Self { store: store.clone(), shelf, since_ms, listed: Mutex::default() }
    }

    pub(crate) fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// The fragments of a range in order of a clock, each number once: one `Vec` for each bucket.
    pub(crate) fn fragments(
        &self,
        clock: ClipFragmentSelectorType,
        range: TimeRange,
    ) -> impl Stream<Item = Result<Vec<StoredFragment>, Error>> + Send {
        stream::once(async move { self.buckets(clock, range).await.map(stream::iter) })
            .map_ok(move |buckets| {
                buckets.map(move |bucket| self.bucket(clock, bucket, range)).buffered(Self::CONCURRENT)
            })
            .try_flatten()
    }

    /// Buckets of a range that may have fragments, in order.
    async fn buckets(&self, clock: ClipFragmentSelectorType, range: TimeRange) -> Result<Vec<Bucket>, Error> {
        let start_ms = match clock {
            ClipFragmentSelectorType::ProducerTimestamp => range.start_ms,
            ClipFragmentSelectorType::ServerTimestamp => range.start_ms.max(self.since_ms),
        };
        if range.end_ms < start_ms.max(0) {
            return Ok(Vec::new());
        }
        let (first, last) = (Bucket::of(start_ms), Bucket::of(range.end_ms));
        if first.count_to(last) <= Self::FEW {
            return Ok(first.to(last).collect());
        }
        let mut buckets = self.folders(clock).await?;
        buckets.retain(|bucket| (first..=last).contains(bucket));
        Ok(buckets)
    }

    /// Buckets by a clock that may have fragments, in order.
    pub(crate) async fn folders(&self, clock: ClipFragmentSelectorType) -> Result<Vec<Bucket>, Error> {
        let parse =
            |names: Vec<String>| names.iter().filter_map(|name| Bucket::parse(name)).collect::<Vec<_>>();
        let (fragments, server_buckets) = (self.shelf.fragments(), self.shelf.server_buckets());
        match clock {
            ClipFragmentSelectorType::ProducerTimestamp => Ok(parse(self.store.folders(&fragments).await?)),
            ClipFragmentSelectorType::ServerTimestamp => {
                let (near, far) = futures_util::try_join!(
                    self.store.folders(&fragments),
                    self.store.folders(&server_buckets),
                )?;
                let near = parse(near).into_iter().flat_map(|b| [b.before(), b, b.after()]);
                let mut buckets: Vec<Bucket> = near.chain(parse(far)).collect();
                buckets.sort_unstable();
                buckets.dedup();
                Ok(buckets)
            }
        }
    }

    /// The fragments in a bucket by a clock and in a range, in order, each number once.
    async fn bucket(
        &self,
        clock: ClipFragmentSelectorType,
        bucket: Bucket,
        range: TimeRange,
    ) -> Result<Vec<StoredFragment>, Error> {
        let listings = match clock {
            ClipFragmentSelectorType::ProducerTimestamp => vec![self.listing(bucket).await?],
            ClipFragmentSelectorType::ServerTimestamp => self.around(bucket).await?,
        };
        if clock == ClipFragmentSelectorType::ServerTimestamp {
            self.forget(bucket.before().before());
        } else {
            self.forget(bucket);
        }
        let mut by_number: BTreeMap<(Timestamp, &FragmentNumber), &StoredFragment> = BTreeMap::new();
        for fragment in listings.iter().flat_map(|listing| listing.iter()) {
            let time = fragment.time(clock);
            let ms = time.as_millis();
            if Bucket::of(ms) != bucket || !range.contains(ms) {
                continue;
            }
            let known = by_number.entry((time, fragment.number())).or_insert(fragment);
            if fragment.precedence(known).is_gt() {
                *known = fragment;
            }
        }
        Ok(by_number.into_values().cloned().collect())
    }

    /// Listings of the buckets of producer time that may have fragments of a bucket of server time.
    async fn around(&self, server: Bucket) -> Result<Vec<Arc<[StoredFragment]>>, Error> {
        let entries = self.store.list(&self.shelf.server_bucket(server)).await?;
        let far = entries.iter().filter_map(|meta| Bucket::parse(meta.location.filename()?));
        let mut buckets: Vec<Bucket> = far.chain([server.before(), server, server.after()]).collect();
        buckets.sort_unstable();
        buckets.dedup();
        let listings = buckets.into_iter().map(|bucket| self.listing(bucket));
        stream::iter(listings).buffered(Self::CONCURRENT).boxed().try_collect().await
    }

    /// The retained fragments in a bucket of producer time.
    pub(crate) async fn listing(&self, bucket: Bucket) -> Result<Arc<[StoredFragment]>, Error> {
        let cell = Arc::clone(self.listed().entry(bucket).or_default());
        let list = || async {
            let objects = self.store.list(&self.shelf.bucket(bucket)).await?;
            let fragments = objects.iter().filter_map(StoredFragment::listed);
            Ok(fragments.filter(|fragment| fragment.key.server_ms >= self.since_ms).collect())
        };
        cell.get_or_try_init(list).await.cloned()
    }

    /// Forgets a listing that a search in order no longer needs.
    fn forget(&self, bucket: Bucket) {
        self.listed().remove(&bucket);
    }

    fn listed(&self) -> std::sync::MutexGuard<'_, HashMap<Bucket, Listing>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fragment of a number whose server time is known.
    pub(crate) async fn number_at(
        &self,
        number: &FragmentNumber,
        server_ms: i64,
    ) -> Result<Option<StoredFragment>, Error> {
        let listings = self.around(Bucket::of(server_ms)).await?;
        Ok(pick(listings.iter().flat_map(|listing| listing.iter()), number))
    }

    /// The fragment of a number whose producer time is known.
    pub(crate) async fn number_in(
        &self,
        number: &FragmentNumber,
        bucket: Bucket,
    ) -> Result<Option<StoredFragment>, Error> {
        Ok(pick(self.listing(bucket).await?.iter(), number))
    }
}

fn pick<'a>(
    fragments: impl Iterator<Item = &'a StoredFragment>,
    number: &FragmentNumber,
) -> Option<StoredFragment> {
    fragments.filter(|fragment| fragment.number() == number).max_by(|a, b| a.precedence(b)).cloned()
}
