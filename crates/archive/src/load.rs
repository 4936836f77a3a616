//! Reading the objects of fragments: index and place of the media.

use bytes::Bytes;
use getclip::{ErrorKind, FragmentIndex};

use crate::fragment::StoredFragment;
use crate::fragment::document::identity_tags;
use crate::layout::Shelf;
use crate::media::{Reference, Source};
use crate::{Archive, Error};

impl Archive {
    /// Reads the head of a fragment's object: exactly its index, or for a reference the whole object, which has no media.
    pub(crate) async fn head(&self, shelf: &Shelf, fragment: &StoredFragment) -> Result<Bytes, Error> {
        let len = fragment.head_len();
        self.store().get_range(&fragment.path(shelf), 0..len, &fragment.expected()).await
    }

    /// Place of the media of a fragment. `head` is the head of its object, `media_len` is from its index.
    pub(crate) fn source(
        &self,
        shelf: &Shelf,
        fragment: &StoredFragment,
        head: &Bytes,
        media_len: u64,
    ) -> Result<Source, Error> {
        if fragment.is_reference() {
            let (_, source) = self.referenced(shelf, fragment, head)?;
            return Ok(source);
        }
        let offset = fragment.object_len.checked_sub(media_len);
        let offset = offset.filter(|offset| *offset >= fragment.key.index_len).ok_or_else(|| {
            damaged(
                shelf,
                fragment,
                format!("its index describes {media_len} bytes of media, which it does not have"),
            )
        })?;
        Ok(Source::object(self.store(), fragment.path(shelf), fragment.expected(), offset, media_len))
    }

    /// A fragment as a document of its own: its first bytes, and the source of the others.
    pub(crate) async fn document(
        &self,
        shelf: &Shelf,
        fragment: &StoredFragment,
    ) -> Result<(Bytes, Source), Error> {
        if fragment.is_reference() {
            let head = self.head(shelf, fragment).await?;
            let (header, source) = self.referenced(shelf, fragment, &head)?;
            let (server, producer) = (fragment.server_timestamp(), fragment.producer_timestamp());
            let tags = identity_tags(fragment.number(), server, producer);
            return Ok(([header, tags].concat().into(), source));
        }
        let (offset, len) = (fragment.key.index_len, fragment.document_len());
        let source = Source::object(self.store(), fragment.path(shelf), fragment.expected(), offset, len);
        Ok((Bytes::new(), source))
    }

    /// The producer's header in a reference, and the place of the Cluster in the recording.
    fn referenced(
        &self,
        shelf: &Shelf,
        fragment: &StoredFragment,
        head: &Bytes,
    ) -> Result<(Bytes, Source), Error> {
        let index_len = usize::try_from(fragment.key.index_len).unwrap_or(usize::MAX);
        let decoded =
            (index_len <= head.len()).then(|| Reference::decode(&head.slice(index_len..))).flatten();
        let (header, reference) =
            decoded.ok_or_else(|| damaged(shelf, fragment, "it holds no reference".to_owned()))?;
        let recording = self.recordings_opened().open(self.store(), &reference.url.parse()?)?;
        let (expected, number) = (reference.recording(), fragment.number().clone());
        let source = Source::recording(recording, expected, number, reference.offset, reference.len);
        Ok((header, source))
    }
}

/// Decodes the index in the head of an object.
pub(crate) fn decode_index(
    shelf: &Shelf,
    fragment: &StoredFragment,
    head: &[u8],
) -> Result<FragmentIndex, Error> {
    let len = usize::try_from(fragment.key.index_len).unwrap_or(usize::MAX);
    let encoded = head.get(..len);
    let encoded = encoded.ok_or_else(|| damaged(shelf, fragment, "it ends in its index".to_owned()))?;
    FragmentIndex::decode(encoded).map_err(|error| match error.kind() {
        ErrorKind::IndexVersion { found, .. } => {
            Error::IndexVersion { key: fragment.path(shelf).to_string(), found: *found }
        }
        _ => damaged(shelf, fragment, error.to_string()),
    })
}

pub(crate) fn damaged(shelf: &Shelf, fragment: &StoredFragment, reason: String) -> Error {
    Error::Damaged { key: fragment.path(shelf).to_string(), reason }
}
