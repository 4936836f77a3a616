//! Checking one fragment: its object, its index, its media.

use bytes::Bytes;
use getclip::FragmentIndex;

use crate::check::{CheckOptions, Problem};
use crate::fragment::{Prepared, StoredFragment, read_index};
use crate::layout::Shelf;
use crate::load::decode_index;
use crate::{Archive, Error};

/// Result of checking a fragment.
#[derive(Default)]
pub(super) struct Checked {
    pub(super) problem: Option<Problem>,
    /// The object as it should be, if it can be made.
    pub(super) mended: Option<Prepared>,
}

impl From<Problem> for Checked {
    fn from(problem: Problem) -> Self {
        Self { problem: Some(problem), mended: None }
    }
}

impl Archive {
    pub(super) async fn check_fragment(
        &self,
        shelf: &Shelf,
        fragment: &StoredFragment,
        options: &CheckOptions,
    ) -> Result<Checked, Error> {
        match self.look_at(shelf, fragment, options).await {
            Ok(checked) => Ok(checked),
            // It was pruned after it was listed.
            Err(error) if error.is_not_found() => Ok(Checked::default()),
            Err(Error::RecordingGone { recording, .. }) => Ok(Problem::RecordingGone { recording }.into()),
            Err(Error::RecordingChanged { recording, expected, found, .. }) => {
                Ok(Problem::RecordingChanged { recording, expected, found }.into())
            }
            Err(Error::Damaged { reason, .. } | Error::InvalidLocation { reason, .. }) => {
                Ok(Problem::UnreadableReference { reason }.into())
            }
            Err(error) => Err(error),
        }
    }

    async fn look_at(
        &self,
        shelf: &Shelf,
        fragment: &StoredFragment,
        options: &CheckOptions,
    ) -> Result<Checked, Error> {
        if let Some(expected) = fragment.key.object_len().filter(|len| *len != fragment.object_len) {
            return Ok(Problem::WrongSize { expected, found: fragment.object_len }.into());
        }
        if fragment.object_len < fragment.key.index_len {
            let (expected, found) = (fragment.key.index_len, fragment.object_len);
            return Ok(Problem::WrongSize { expected, found }.into());
        }
        let head = self.head(shelf, fragment).await?;
        let index = decode_index(shelf, fragment, &head).and_then(|index| names(fragment, &index));
        let problem = match index {
            Ok(index) if fragment.is_reference() && !options.media => {
                self.source(shelf, fragment, &head, index.media_len())?.check().await?;
                version_problem(fragment)
            }
            Ok(_) if !options.media => version_problem(fragment),
            Ok(index) => return self.hold_against_media(shelf, fragment, Some(index)).await,
            Err(Error::IndexVersion { found, .. }) => Some(Problem::OtherIndexVersion { found }),
            Err(error) => Some(Problem::UnreadableIndex { reason: error.to_string() }),
        };
        let Some(problem) = problem else { return Ok(Checked::default()) };
        let mended = self.hold_against_media(shelf, fragment, None).await?;
        Ok(Checked { problem: Some(problem), mended: mended.mended })
    }

    /// Reads the media and makes the index again. `index` is the stored one, if it can be read.
    async fn hold_against_media(
        &self,
        shelf: &Shelf,
        fragment: &StoredFragment,
        index: Option<FragmentIndex>,
    ) -> Result<Checked, Error> {
        let (head, source) = self.document(shelf, fragment).await?;
        let media = source.read(0..source.len()).await?;
        let made = match read_index([head, media]).map_err(|error| error.to_string()) {
            Ok(made) => made,
            Err(reason) => return Ok(Problem::UnreadableMedia { reason }.into()),
        };
        if made.frames().next().is_none() {
            return Ok(Problem::UnreadableMedia { reason: "it has no frames".to_owned() }.into());
        }
        if let Err(error) = names(fragment, &made) {
            return Ok(Problem::UnreadableMedia { reason: error.to_string() }.into());
        }
        let problem = match index {
            Some(index) if index == made && version_problem(fragment).is_none() => {
                return Ok(Checked::default());
            }
            Some(index) if index == made => version_problem(fragment),
            Some(_) | None => Some(Problem::IndexDisagrees),
        };
        let rest = fragment.key.index_len..fragment.object_len;
        let rest: Bytes = self.store().get_range(&fragment.path(shelf), rest, &fragment.expected()).await?;
        Ok(Checked { problem, mended: Some(Prepared::with_index(fragment, &made, rest)) })
    }

    /// Puts the mended object. One with a newer index is put beside the old one, which is removed after the grace period:
    /// clips under way go on. An index of the same version takes the place of the wrong one at once.
    pub(super) async fn replace(
        &self,
        shelf: &Shelf,
        fragment: &StoredFragment,
        mended: Prepared,
    ) -> Result<(), Error> {
        let key = mended.key.path(shelf);
        if mended.key == fragment.key {
            return self.store().put(&key, mended.into_payload()).await;
        }
        let is_newer = mended.key.index_version != fragment.key.index_version;
        self.store().put_new(&key, mended.into_payload()).await?;
        if is_newer { Ok(()) } else { self.store().delete(vec![fragment.path(shelf)]).await }
    }
}

fn version_problem(fragment: &StoredFragment) -> Option<Problem> {
    let found = fragment.key.index_version;
    (found != FragmentIndex::VERSION).then_some(Problem::OtherIndexVersion { found })
}

/// Checks that an index belongs to the fragment that the key names.
fn names(fragment: &StoredFragment, index: &FragmentIndex) -> Result<FragmentIndex, Error> {
    let named =
        (Some(fragment.number()), Some(fragment.producer_timestamp()), Some(fragment.server_timestamp()));
    if (index.number(), index.producer_timestamp(), index.server_timestamp()) == named {
        return Ok(index.clone());
    }
    let reason = format!("it is that of fragment {}", index.name());
    Err(Error::Damaged { key: fragment.key.name(), reason })
}
