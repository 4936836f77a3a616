//! Reading the heads of many objects at the same time.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::fragment::StoredFragment;
use crate::layout::Shelf;
use crate::{Archive, Error};

/// The heads of fragments' objects, in their order: from the derived indexes of hours, or each from its object.
pub(super) async fn read_heads(
    archive: &Archive,
    shelf: &Shelf,
    fragments: &[StoredFragment],
) -> Result<Vec<Bytes>, Error> {
    let hours = archive.hours(shelf, fragments).await?;
    let reads = fragments.iter().map(|fragment| {
        let known = hours.get(fragment);
        async move {
            match known {
                Some(bytes) => Ok(bytes),
                None => archive.head(shelf, fragment).await,
            }
        }
    });
    let connections = archive.settings().connections.get();
    let heads: Vec<Bytes> = stream::iter(reads).buffered(connections).boxed().try_collect().await?;
    // A clip does not fail if the index that would speed up the next one cannot be written.
    let _ = archive.keep_hours(shelf, &hours, fragments, &heads).await;
    Ok(heads)
}
