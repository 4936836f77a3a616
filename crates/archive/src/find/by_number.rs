//! Finding fragments by number.

use futures_util::{StreamExt, TryStreamExt, stream};
use getclip::FragmentNumber;

use crate::find::Finder;
use crate::fragment::{NumberParts, StoredFragment};
use crate::layout::Bucket;
use crate::stream::StreamInfo;
use crate::{Archive, Error};

/// Number of searches at the same time.
const CONCURRENT: usize = 32;

impl Archive {
    /// Finds the fragments of these numbers, in this order; `None` for a number that the stream does not have.
    pub async fn fragments_by_number(
        &self,
        stream: &StreamInfo,
        numbers: &[FragmentNumber],
    ) -> Result<Vec<Option<StoredFragment>>, Error> {
        let finder = &self.finder(stream);
        let found =
            numbers.iter().cloned().map(|number| async move { self.by_number(finder, &number).await });
        stream::iter(found).buffered(CONCURRENT).boxed().try_collect().await
    }

    async fn by_number(
        &self,
        finder: &Finder,
        number: &FragmentNumber,
    ) -> Result<Option<StoredFragment>, Error> {
        // Our numbers contain the server time. What looks like one may still be the number of another service.
        if let Some(parts) = NumberParts::parse(number)
            && let Some(found) = finder.number_at(number, parts.ms).await?
        {
            return Ok(Some(found));
        }
        match self.producer_bucket(finder, number).await? {
            Some(bucket) => finder.number_in(number, bucket).await,
            None => Ok(None),
        }
    }

    /// The bucket in the entry of a number.
    async fn producer_bucket(
        &self,
        finder: &Finder,
        number: &FragmentNumber,
    ) -> Result<Option<Bucket>, Error> {
        let entry = self.store().get(&finder.shelf().number(number.as_str())).await?;
        Ok(entry.and_then(|name| Bucket::parse(std::str::from_utf8(&name).ok()?)))
    }
}
