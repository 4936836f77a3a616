//! Derived indexes: the heads of all objects of a closed hour in one object, so that a day takes 24 reads instead of
//! 43,200.
//!
//! They are made when many fragments are read, and are safe to lose: a head that is missing is read from its object.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::pin::pin;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use getclip::{ClipFragmentSelectorType, Timestamp};
use object_store::PutPayload;

use crate::find::TimeRange;
use crate::fragment::StoredFragment;
use crate::layout::{self, Shelf};
use crate::stream::StreamInfo;
use crate::{Archive, Error};

/// First bytes of a derived index.
const MAGIC: &[u8] = b"getclip hour 1\n";
/// Number of fragments in an hour from which a derived index is worth a read.
const WORTHWHILE: usize = 64;
/// Hours that are read or written at the same time.
const CONCURRENT: usize = 8;

/// Heads by the names of their objects.
#[derive(Debug, Default)]
pub(crate) struct HourIndexes(HashMap<Hour, HashMap<String, Bytes>>);

/// An hour of producer time, by its number since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Hour(i64);

impl Hour {
    const SECONDS: i64 = 3600;

    fn of(fragment: &StoredFragment) -> Self {
        Self(fragment.key.producer_ms.div_euclid(Self::SECONDS * 1000))
    }

    fn start_seconds(self) -> i64 {
        self.0 * Self::SECONDS
    }

    fn is_closed(self, now: Timestamp) -> bool {
        (self.0 + 2) * Self::SECONDS * 1000 <= now.as_millis()
    }
}

/// Name of the derived index for a time in milliseconds.
pub(crate) fn hour_start_seconds(ms: i64) -> i64 {
    Hour(ms.div_euclid(Hour::SECONDS * 1000)).start_seconds()
}

impl HourIndexes {
    pub(crate) fn get(&self, fragment: &StoredFragment) -> Option<Bytes> {
        self.0.get(&Hour::of(fragment))?.get(&fragment.key.name()).cloned()
    }
}

impl Archive {
    /// Reads the derived indexes of the hours with many of the fragments.
    pub(crate) async fn hours(
        &self,
        shelf: &Shelf,
        fragments: &[StoredFragment],
    ) -> Result<HourIndexes, Error> {
        let reads = worthwhile(fragments, self.now())
            .into_keys()
            .map(|hour| async move { Ok::<_, Error>((hour, self.hour(shelf, hour).await?)) });
        let hours = stream::iter(reads).buffer_unordered(CONCURRENT).boxed().try_collect().await?;
        Ok(HourIndexes(hours))
    }

    async fn hour(&self, shelf: &Shelf, hour: Hour) -> Result<HashMap<String, Bytes>, Error> {
        let object = self.store().get(&shelf.hour(hour.start_seconds())).await?;
        // A damaged one counts as missing.
        Ok(object.and_then(decode).unwrap_or_default())
    }

    /// Writes the derived indexes of the hours in which many heads were read from their objects. `heads` are those of
    /// `fragments`.
    pub(crate) async fn keep_hours(
        &self,
        shelf: &Shelf,
        known: &HourIndexes,
        fragments: &[StoredFragment],
        heads: &[Bytes],
    ) -> Result<u64, Error> {
        let mut read: BTreeMap<Hour, HashMap<String, Bytes>> = BTreeMap::new();
        for (fragment, head) in fragments.iter().zip(heads) {
            if known.get(fragment).is_none() {
                read.entry(Hour::of(fragment)).or_default().insert(fragment.key.name(), head.clone());
            }
        }
        let now = self.now();
        read.retain(|hour, read| hour.is_closed(now) && read.len() >= WORTHWHILE);
        let written = read.len() as u64;
        let puts = read.into_iter().map(|(hour, mut heads)| async move {
            if let Some(known) = known.0.get(&hour) {
                heads.extend(known.clone());
            }
            self.store().put(&shelf.hour(hour.start_seconds()), encode(&heads)).await
        });
        stream::iter(puts).buffer_unordered(CONCURRENT).boxed().try_collect::<()>().await?;
        Ok(written)
    }

    /// Makes the derived indexes of the closed hours in a range of producer time and returns the number written. Clips make
    /// them from what they read; made in advance, they speed up the first long clip too.
    pub async fn index_hours(
        &self,
        stream: &StreamInfo,
        range: RangeInclusive<Timestamp>,
    ) -> Result<u64, Error> {
        let range = TimeRange { start_ms: range.start().as_millis(), end_ms: range.end().as_millis() };
        let shelf = Shelf::of(stream);
        let finder = self.finder(stream);
        let clock = ClipFragmentSelectorType::ProducerTimestamp;
        let mut buckets = pin!(finder.fragments(clock, range));
        let (mut written, mut hour) = (0, Vec::new());
        while let Some(bucket) = buckets.try_next().await? {
            let (Some(first), Some(next)) = (hour.first(), bucket.first()) else {
                hour.extend(bucket);
                continue;
            };
            if Hour::of(first) != Hour::of(next) {
                written += self.index_hour(&shelf, &hour).await?;
                hour.clear();
            }
            hour.extend(bucket);
        }
        Ok(written + self.index_hour(&shelf, &hour).await?)
    }

    /// Makes the derived indexes of the last two closed hours in all streams, and returns the number written. Run once an
    /// hour, by any replica, it leaves no closed hour without one, even if one run is missed.
    ///
    /// # Errors
    /// The store's error. The next run makes what this one did not.
    pub async fn index_closed_hours(&self) -> Result<u64, Error> {
        let range = last_closed_hours(self.now());
        let mut written = 0;
        for name in layout::stream_names(self.store()).await? {
            match self.stream(&name).await {
                Ok(stream) => written += self.index_hours(&stream, range.clone()).await?,
                Err(Error::StreamNotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }

    async fn index_hour(&self, shelf: &Shelf, fragments: &[StoredFragment]) -> Result<u64, Error> {
        if worthwhile(fragments, self.now()).is_empty() {
            return Ok(0);
        }
        let known = self.hours(shelf, fragments).await?;
        let missing: Vec<StoredFragment> =
            fragments.iter().filter(|fragment| known.get(fragment).is_none()).cloned().collect();
        if missing.len() < WORTHWHILE {
            return Ok(0);
        }
        let reads = missing.iter().map(|fragment| self.head(shelf, fragment));
        let connections = self.settings().connections.get();
        let heads: Vec<Bytes> = stream::iter(reads).buffered(connections).boxed().try_collect().await?;
        self.keep_hours(shelf, &known, &missing, &heads).await
    }
}

/// The two hours before the newest one that is not closed.
fn last_closed_hours(now: Timestamp) -> RangeInclusive<Timestamp> {
    let hour_ms = Hour::SECONDS * 1000;
    let open_ms = (now.as_millis().div_euclid(hour_ms) - 1) * hour_ms;
    Timestamp::from_millis(open_ms - 2 * hour_ms)..=Timestamp::from_millis(open_ms - 1)
}

/// The closed hours with many of the fragments.
fn worthwhile(fragments: &[StoredFragment], now: Timestamp) -> BTreeMap<Hour, usize> {
    let mut hours: BTreeMap<Hour, usize> = BTreeMap::new();
    for fragment in fragments {
        *hours.entry(Hour::of(fragment)).or_default() += 1;
    }
    hours.retain(|hour, count| *count >= WORTHWHILE && hour.is_closed(now));
    hours
}

/// Magic, then for each head: length of its name in two bytes, name, length in four bytes, head.
fn encode(heads: &HashMap<String, Bytes>) -> PutPayload {
    let mut out = BytesMut::new();
    out.put_slice(MAGIC);
    for (name, head) in heads {
        let (Ok(name_len), Ok(head_len)) = (u16::try_from(name.len()), u32::try_from(head.len())) else {
            continue;
        };
        out.put_u16(name_len);
        out.put_slice(name.as_bytes());
        out.put_u32(head_len);
        out.put_slice(head);
    }
    out.freeze().into()
}

fn decode(mut object: Bytes) -> Option<HashMap<String, Bytes>> {
    if !object.starts_with(MAGIC) {
        return None;
    }
    object.advance(MAGIC.len());
    let mut heads = HashMap::new();
    while !object.is_empty() {
        let name_len = usize::from(object.try_get_u16().ok()?);
        let name = (name_len <= object.len()).then(|| object.split_to(name_len))?;
        let head_len = usize::try_from(object.try_get_u32().ok()?).ok()?;
        let head = (head_len <= object.len()).then(|| object.split_to(head_len))?;
        heads.insert(String::from_utf8(name.into()).ok()?, head);
    }
    Some(heads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_its_bytes() {
        let heads: HashMap<String, Bytes> =
            [("a", "1"), ("bc", "")].map(|(name, head)| (name.to_owned(), head.into())).into();
        let bytes: Bytes = encode(&heads).into();
        assert_eq!(decode(bytes.clone()), Some(heads));
        // A cut is found, but where another entry would begin.
        let whole: Vec<usize> =
            (0..bytes.len()).filter(|&end| decode(bytes.slice(..end)).is_some()).collect();
        assert_eq!(whole.len(), 2, "{whole:?}");
        assert_eq!(decode(Bytes::from_static(b"something else")), None);
    }

    #[test]
    fn the_last_closed_hours_are_whole() {
        for now_ms in [12 * 3_600_000, 13 * 3_600_000 - 1] {
            let range = last_closed_hours(Timestamp::from_millis(now_ms));
            assert_eq!(
                range,
                Timestamp::from_millis(9 * 3_600_000)..=Timestamp::from_millis(11 * 3_600_000 - 1)
            );
            assert!(Hour(10).is_closed(Timestamp::from_millis(now_ms)));
            assert!(!Hour(11).is_closed(Timestamp::from_millis(now_ms)));
        }
    }

    #[test]
    fn an_hour_is_closed_an_hour_after_it_ended() {
        let hour = Hour(10);
        assert_eq!(hour.start_seconds(), 36_000);
        assert!(!hour.is_closed(Timestamp::from_millis(12 * 3_600_000 - 1)));
        assert!(hour.is_closed(Timestamp::from_millis(12 * 3_600_000)));
    }
}
