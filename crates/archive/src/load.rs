//! Reading the objects of fragments: the index, and where the media is.

use bytes::Bytes;
use getclip::{ErrorKind, FragmentIndex};

use crate::fragment::StoredFragment;
use crate::fragment::document::identity_tags;
use crate::layout::Shelf;
use crate::media::{Reference, Source};
use crate::stream::StreamInfo;
use crate::{Archive, Error};

impl Archive {
    /// The encoded index of a fragment: exactly its bytes, of an object that has the media too.
    pub(crate) async fn index_bytes(&self, shelf: &Shelf, fragment: &StoredFragment) -> Result<Bytes, Error> {
        let index_len = fragment.key.index_len;
        self.store().get_range(&fragment.path(shelf), 0..index_len, &fragment.expected()).await
    }

    /// Where the media of a fragment is. For a reference that takes a read of its object, which has no media.
    pub(crate) async fn source(
        &self,
        shelf: &Shelf,
        fragment: &StoredFragment,
        media_len: u64,
    ) -> Result<Source, Error> {
        if fragment.is_reference() {
            return Ok(self.reference(shelf, fragment).await?.1);
        }
        let len = media_len;
        let offset = fragment.object_len.checked_sub(len).filter(|offset| *offset >= fragment.key.index_len);
        let offset = offset.ok_or_else(|| {
            damaged(shelf, fragment, format!("its index tells of {len} bytes of media, which it has not"))
        })?;
        Ok(Source::object(self.store(), fragment.path(shelf), fragment.expected(), offset, len))
    }

    /// A fragment as a document of its own: what comes before the source, and the source.
    pub(crate) async fn document(
        &self,
        stream: &StreamInfo,
        fragment: &StoredFragment,
    ) -> Result<(Bytes, Source), Error> {
        self.document_of(&Shelf::of(stream), fragment).await
    }

    pub(crate) async fn document_of(
        &self,
        shelf: &Shelf,
        fragment: &StoredFragment,
    ) -> Result<(Bytes, Source), Error> {
        if fragment.is_reference() {
            return self.reference(shelf, fragment).await;
        }
        let (offset, len) = (fragment.key.index_len, fragment.document_len());
        let source = Source::object(self.store(), fragment.path(shelf), fragment.expected(), offset, len);
        Ok((Bytes::new(), source))
    }

    /// The document of a fragment up to its Cluster, and the Cluster in its recording.
    async fn reference(&self, shelf: &Shelf, fragment: &StoredFragment) -> Result<(Bytes, Source), Error> {
        let range = fragment.key.index_len..fragment.object_len;
        let bytes = self.store().get_range(&fragment.path(shelf), range, &fragment.expected()).await?;
        let not_a_reference = || damaged(shelf, fragment, "it holds no reference".to_owned());
        let (header, reference) = Reference::decode(&bytes).ok_or_else(not_a_reference)?;
        let url = reference.url.parse()?;
        let recording = self.recordings_opened().open(self.store(), &url)?;
        let tags =
            identity_tags(fragment.number(), fragment.server_timestamp(), fragment.producer_timestamp());
        let number = fragment.number().clone();
        let source =
            Source::recording(recording, reference.recording(), number, reference.offset, reference.len);
        Ok(([header, tags].concat().into(), source))
    }
}

/// Decodes the index of an object.
pub(crate) fn decode_index(
    shelf: &Shelf,
    fragment: &StoredFragment,
    bytes: &[u8],
) -> Result<FragmentIndex, Error> {
    FragmentIndex::decode(bytes).map_err(|error| match error.kind() {
        ErrorKind::IndexVersion { found, .. } => {
            Error::IndexVersion { key: fragment.path(shelf).to_string(), found: *found }
        }
        _ => damaged(shelf, fragment, error.to_string()),
    })
}

pub(crate) fn damaged(shelf: &Shelf, fragment: &StoredFragment, reason: String) -> Error {
    Error::Damaged { key: fragment.path(shelf).to_string(), reason }
}
