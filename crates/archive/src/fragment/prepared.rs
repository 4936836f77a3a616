//! [`Prepared`]: a fragment ready to be stored.

use bytes::Bytes;
use getclip::{Fragment, FragmentIndex, FragmentNumber, FragmentReader, Timestamp};
use object_store::PutPayload;
use sha2::{Digest, Sha256};

use crate::Error;
use crate::fragment::document::identity_tags;
use crate::fragment::{FragmentKey, NumberParts, StoredFragment};
use crate::media::Reference;
use crate::store::Expected;

/// Where the number and the timestamps of a fragment come from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Identity {
    /// The service's tags in the fragment.
    Tags,
    /// The service's tags if the fragment has them; else a number made of its content, the same in every import, and the
    /// times of its Cluster.
    Content {
        /// Start of the recording, if its times count from 0.
        recording_start: Option<Timestamp>,
    },
    /// Given by the caller, as PutMedia does.
    Assigned {
        /// From [`Numbering::next`](crate::Numbering::next).
        number: FragmentNumber,
        /// Start of the fragment by the producer's clock.
        producer_timestamp: Timestamp,
        /// From [`Numbering::next`](crate::Numbering::next).
        server_timestamp: Timestamp,
    },
}

/// The parts of a fragment's object, and its key.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) key: FragmentKey,
    parts: Vec<Bytes>,
}

/// Recording in which the media stays.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) url: &'a str,
    pub(crate) recording: &'a Expected,
}

impl Prepared {
    /// Identifies a fragment and makes its object, with its media or with a reference to it.
    pub(crate) fn new(
        fragment: Fragment,
        identity: &Identity,
        place: Option<Place<'_>>,
    ) -> Result<Self, Error> {
        if fragment.index().frames().next().is_none() {
            return Err(Error::EmptyFragment { fragment: fragment.name().to_string() });
        }
        let (number, producer, server) = name(&fragment, identity)?;
        let (header, offset) = (fragment.header().clone(), fragment.offset());
        let media = fragment.media().clone();
        let tags = identity_tags(&number, server, producer);
        // The index is read from the document as it is stored, so that it is the same from whichever recording it came.
        let index = read_index([header.clone(), tags.clone(), media.clone()])
            .map_err(|source| Error::Unreadable { fragment: fragment.name().to_string(), source })?;
        let encoded = index.encode();
        let key = FragmentKey {
            producer_ms: producer.as_millis(),
            number,
            server_ms: server.as_millis(),
            length_ms: length_ms(&index),
            document_len: (header.len() + tags.len() + media.len()) as u64,
            index_version: FragmentIndex::VERSION,
            index_len: encoded.len() as u64,
            is_reference: place.is_some(),
        };
        key.check()?;
        let mut parts = vec![Bytes::from(encoded)];
        match place {
            None => parts.extend([header, tags, media]),
            Some(place) => {
                let len = media.len() as u64;
                let reference = Reference::new(place.url.to_owned(), offset, len, place.recording);
                let encoded = reference.encode(&header).ok_or_else(|| Error::OutOfRange {
                    fragment: key.number.to_string(),
                    what: "size of the header in bytes",
                    found: header.len() as i128,
                })?;
                parts.push(encoded);
            }
        }
        Ok(Self { key, parts })
    }

    /// The object of a stored fragment with another index. `rest` follows the index in the stored one.
    pub(crate) fn with_index(fragment: &StoredFragment, index: &FragmentIndex, rest: Bytes) -> Self {
        let encoded = index.encode();
        let key = FragmentKey {
            index_version: FragmentIndex::VERSION,
            index_len: encoded.len() as u64,
            ..fragment.key.clone()
        };
        Self { key, parts: vec![encoded.into(), rest] }
    }

    pub(crate) fn len(&self) -> u64 {
        self.parts.iter().map(|part| part.len() as u64).sum()
    }

    pub(crate) fn into_payload(self) -> PutPayload {
        self.parts.into_iter().collect()
    }
}

/// The index of a document with one fragment.
pub(crate) fn read_index(parts: impl IntoIterator<Item = Bytes>) -> Result<FragmentIndex, getclip::Error> {
    let mut reader = FragmentReader::indexing();
    for part in parts {
        reader.push(part);
    }
    reader.finish();
    match reader.next_fragment() {
        Some(fragment) => fragment.map(|fragment| fragment.into_parts().0),
        None => Err(getclip::ErrorKind::NoFragments { offered: 0 }.into()),
    }
}

/// Number, producer timestamp and server timestamp of a fragment.
fn name(fragment: &Fragment, identity: &Identity) -> Result<(FragmentNumber, Timestamp, Timestamp), Error> {
    let (number, producer, server) =
        (fragment.number().cloned(), fragment.producer_timestamp(), fragment.server_timestamp());
    let untagged = |missing| Error::Untagged { fragment: fragment.name().to_string(), missing };
    match identity {
        Identity::Assigned { number, producer_timestamp, server_timestamp } => {
            Ok((number.clone(), *producer_timestamp, *server_timestamp))
        }
        Identity::Tags => Ok((
            number.ok_or_else(|| untagged("AWS_KINESISVIDEO_FRAGMENT_NUMBER"))?,
            producer.ok_or_else(|| untagged("AWS_KINESISVIDEO_PRODUCER_TIMESTAMP"))?,
            server.ok_or_else(|| untagged("AWS_KINESISVIDEO_SERVER_TIMESTAMP"))?,
        )),
        Identity::Content { recording_start } => {
            let cluster_ms = fragment.index().cluster_timestamp_ns().map(|ns| ns.div_euclid(1_000_000));
            let start = recording_start.unwrap_or_default();
            let by_cluster = cluster_ms.map(|ms| start.saturating_add_millis(ms));
            let producer = producer.or(by_cluster).ok_or_else(|| Error::OutOfRange {
                fragment: fragment.name().to_string(),
                what: "Cluster timestamp in nanoseconds",
                found: i128::from(i64::MAX),
            })?;
            let server = server.unwrap_or(producer);
            let number = number.unwrap_or_else(|| {
                let hash = Sha256::new().chain_update(fragment.header()).chain_update(fragment.media());
                let media_len = fragment.media().len() as u64;
                NumberParts::of_content(server.as_millis(), media_len, hash.finalize().into()).number()
            });
            Ok((number, producer, server))
        }
    }
}

/// Milliseconds from the start of the fragment to the end of its last picture.
fn length_ms(index: &FragmentIndex) -> u64 {
    let end_ns = index.shown_ns().map_or(0, |shown| shown.end);
    u64::try_from(end_ns).unwrap_or(0).div_ceil(1_000_000)
}
