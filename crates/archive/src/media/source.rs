//! [`Source`]: where the bytes of one fragment are.

use std::ops::Range;

use bytes::Bytes;
use getclip::FragmentNumber;
use object_store::path::Path;

use crate::Error;
use crate::media::recording::Recording;
use crate::store::{Expected, Store};

/// Place of the Cluster of a fragment: in its object, or in a recording. Ranges count from the Cluster's ID.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    store: Store,
    path: Path,
    expected: Expected,
    /// Offset of the Cluster in the object or recording.
    offset: u64,
    /// Size of the Cluster.
    len: u64,
    /// Number of the fragment and name of the recording, for a reference.
    reference: Option<(FragmentNumber, String)>,
}

impl Source {
    /// Media at the end of the fragment's own object.
    pub(crate) fn object(store: &Store, path: Path, expected: Expected, offset: u64, len: u64) -> Self {
        Self { store: store.clone(), path, expected, offset, len, reference: None }
    }

    /// Media in a recording.
    pub(crate) fn recording(
        recording: Recording,
        expected: Expected,
        number: FragmentNumber,
        offset: u64,
        len: u64,
    ) -> Self {
        let reference = Some((number, recording.url.to_string()));
        Self { store: recording.store, path: recording.path, expected, offset, len, reference }
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Reads a range of the Cluster.
    pub(crate) async fn read(&self, range: Range<u64>) -> Result<Bytes, Error> {
        let range = self.offset.saturating_add(range.start)..self.offset.saturating_add(range.end);
        let result = self.store.get_range(&self.path, range, &self.expected).await;
        result.map_err(|error| self.of_recording(error))
    }

    /// Checks that the media is where it was, without reading it.
    pub(crate) async fn check(&self) -> Result<(), Error> {
        let checked = async {
            let Some(found) = self.store.head(&self.path).await? else {
                return Err(self.gone());
            };
            self.expected.check(&self.path, &found)
        };
        checked.await.map_err(|error| self.of_recording(error))
    }

    fn gone(&self) -> Error {
        match &self.reference {
            Some((number, recording)) => {
                Error::RecordingGone { number: number.clone(), recording: recording.clone() }
            }
            None => Error::Damaged { key: self.path.to_string(), reason: "it is gone".to_owned() },
        }
    }

    /// Maps an error of the store to one that names the recording.
    fn of_recording(&self, error: Error) -> Error {
        let Some((number, recording)) = &self.reference else { return error };
        match error {
            Error::ObjectChanged { expected, found, .. } => Error::RecordingChanged {
                number: number.clone(),
                recording: recording.clone(),
                expected,
                found,
            },
            error if error.is_not_found() => self.gone(),
            error => error,
        }
    }
}
