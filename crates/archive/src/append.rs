//! Storing fragments: each once, durably, by one put.

use futures_util::TryStreamExt;
use getclip::{ClipFragmentSelectorType, Fragment};
use object_store::PutPayload;

use crate::find::{Finder, TimeRange};
use crate::fragment::{
    FragmentKey, Identity, NumberParts, NumberSource, Numbering, Prepared, StoredFragment,
};
use crate::layout::{Bucket, Shelf};
use crate::random::random;
use crate::store::Put;
use crate::stream::{Retention, StreamInfo};
use crate::{Archive, Error};

/// A fragment that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The fragment, as a listing returns it.
    pub fragment: StoredFragment,
    /// Whether it is new.
    pub outcome: AppendOutcome,
}

/// Whether a fragment was stored already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AppendOutcome {
    /// It is new.
    Stored,
    /// The same fragment was there.
    AlreadyStored,
}

impl Archive {
    /// Stores a fragment. It is durable when this returns. Storing the same fragment again changes nothing.
    ///
    /// # Errors
    /// [`Error::NoDataRetention`] for a stream that keeps nothing, [`Error::PastRetention`] for a fragment that is past
    /// retention already, [`Error::Untagged`] and [`Error::EmptyFragment`].
    pub async fn append(
        &self,
        stream: &StreamInfo,
        fragment: Fragment,
        identity: Identity,
    ) -> Result<Appended, Error> {
        self.check_retains(stream)?;
        let prepare = move || Prepared::new(fragment, &identity, None);
        let prepared = tokio::task::spawn_blocking(prepare).await.map_err(|_| Error::Stopped)??;
        self.store_prepared(stream, prepared).await
    }

    /// Fragment numbers for one session of PutMedia.
    pub async fn numbering(&self, stream: &StreamInfo) -> Result<Numbering, Error> {
        let now_ms = self.now().as_millis();
        // Only a replica whose clock is ahead can have stored anything later than now.
        let later = TimeRange { start_ms: now_ms.saturating_add(1), end_ms: i64::MAX };
        let finder = Finder::new(self.store(), Shelf::of(stream), None);
        let buckets = finder.fragments(ClipFragmentSelectorType::ServerTimestamp, later);
        let latest = buckets.try_fold(i64::MIN, |latest, bucket| {
            let ours = bucket.iter().filter_map(|fragment| NumberParts::parse(fragment.number()));
            let session = ours.filter(|parts| parts.source == NumberSource::Session).map(|parts| parts.ms);
            std::future::ready(Ok(session.fold(latest, i64::max)))
        });
        Ok(Numbering::new(self.settings().clock.clone(), random(), latest.await?))
    }

    pub(crate) fn check_retains(&self, stream: &StreamInfo) -> Result<(), Error> {
        match stream.retention() {
            Retention::None => Err(Error::NoDataRetention { stream: stream.name().clone() }),
            Retention::Hours(_) | Retention::Forever => Ok(()),
        }
    }

    pub(crate) async fn store_prepared(
        &self,
        stream: &StreamInfo,
        prepared: Prepared,
    ) -> Result<Appended, Error> {
        let (key, object_len) = (prepared.key.clone(), prepared.len());
        if let Some(retained_since) = stream.retained_since(self.now())
            && key.server_ms < retained_since.as_millis()
        {
            return Err(Error::PastRetention {
                stream: stream.name().clone(),
                number: key.number,
                server_timestamp: getclip::Timestamp::from_millis(key.server_ms),
                retained_since,
            });
        }
        let shelf = Shelf::of(stream);
        self.put_entries(&shelf, &key).await?;
        let put = self.store().put_new(&key.path(&shelf), prepared.into_payload()).await?;
        let outcome = match put {
            Put::Created => AppendOutcome::Stored,
            Put::AlreadyThere => AppendOutcome::AlreadyStored,
        };
        Ok(Appended { fragment: StoredFragment { key, object_len, e_tag: None }, outcome })
    }

    /// Puts the entries that a fragment is found by if its key alone is not enough. They come before the fragment, so that
    /// every fragment is found, and are harmless without it.
    pub(crate) async fn put_entries(&self, shelf: &Shelf, key: &FragmentKey) -> Result<(), Error> {
        let bucket = Bucket::of(key.producer_ms);
        if key.needs_server_entry() {
            let entry = shelf.server_entry(Bucket::of(key.server_ms), bucket);
            self.store().put_new(&entry, PutPayload::new()).await?;
        }
        if key.needs_number_entry() {
            let entry = shelf.number(key.number.as_str());
            let name = PutPayload::from(bucket.name().into_bytes());
            if self.store().put_new(&entry, name.clone()).await? == Put::AlreadyThere
                && self.store().get(&entry).await?.is_none_or(|found| found != bucket.name().as_bytes())
            {
                self.store().put(&entry, name).await?;
            }
        }
        Ok(())
    }
}

impl FragmentKey {
    /// Whether a search by server time needs an entry to look into the fragment's bucket.
    pub(crate) fn needs_server_entry(&self) -> bool {
        !Bucket::of(self.server_ms).is_near(Bucket::of(self.producer_ms))
    }

    /// Whether the fragment's server time is not part of its number.
    pub(crate) fn needs_number_entry(&self) -> bool {
        NumberParts::parse(&self.number).is_none_or(|parts| parts.ms != self.server_ms)
    }
}
