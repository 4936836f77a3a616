//! Layout of the store. No object has the name of a folder beside it.
//!
//! ```text
//! streams/{name}/state/{generation}              the stream's properties, a new object for each change
//! streams/{name}/{created ms}/f/{bucket}/{key}   fragments, by 10 minutes of producer time
//! streams/{name}/{created ms}/s/{bucket}/{bucket}  server time to producer time, for clocks that are far apart
//! streams/{name}/{created ms}/n/{number}         bucket of a fragment whose number is not one of ours
//! streams/{name}/{created ms}/h/{hour}           indexes of a closed hour, derived from the fragments
//! ```
//!
//! Names are digits of fixed width, so that an ordered listing is in order of time. A bucket is named after the Unix
//! seconds of its start.

use object_store::path::Path;

use crate::Error;
use crate::store::Store;
use crate::stream::{StreamInfo, StreamName};

/// A span of ten minutes, by the number of spans since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Bucket(i64);

impl Bucket {
    const SECONDS: i64 = 600;
    /// The last bucket whose start has 11 digits.
    pub(crate) const LAST: Self = Self(99_999_999_999 / Self::SECONDS);

    /// The bucket of a time in milliseconds. A time that does not fit into a key counts as the nearest one that does.
    pub(crate) fn of(ms: i64) -> Self {
        Self(ms.div_euclid(Self::SECONDS * 1000).clamp(0, Self::LAST.0))
    }

    pub(crate) fn before(self) -> Self {
        Self((self.0 - 1).max(0))
    }

    pub(crate) fn after(self) -> Self {
        Self((self.0 + 1).min(Self::LAST.0))
    }

    /// The buckets from this one to `last`.
    pub(crate) fn to(self, last: Self) -> impl Iterator<Item = Self> {
        (self.0..=last.0).map(Self)
    }

    /// Number of buckets from this one to `last`, both included.
    pub(crate) fn count_to(self, last: Self) -> usize {
        usize::try_from(last.0 - self.0 + 1).unwrap_or(0)
    }

    /// Whether the buckets are adjacent or the same: a search by server time widens its range by one bucket.
    pub(crate) fn is_near(self, other: Self) -> bool {
        self.0.abs_diff(other.0) <= 1
    }

    /// First millisecond.
    pub(crate) fn start_ms(self) -> i64 {
        self.0 * Self::SECONDS * 1000
    }

    /// Last millisecond.
    pub(crate) fn end_ms(self) -> i64 {
        self.after_ms() - 1
    }

    fn after_ms(self) -> i64 {
        (self.0 + 1) * Self::SECONDS * 1000
    }

    pub(crate) fn name(self) -> String {
        format!("{:011}", self.0 * Self::SECONDS)
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        let seconds: i64 = digits(name, 11)?;
        (seconds % Self::SECONDS == 0).then_some(Self(seconds / Self::SECONDS))
    }
}

/// The value of exactly `width` digits.
pub(crate) fn digits<T: std::str::FromStr>(text: &str, width: usize) -> Option<T> {
    let valid = text.len() == width && text.bytes().all(|byte| byte.is_ascii_digit());
    if valid { text.parse().ok() } else { None }
}

/// The folder of all streams.
pub(crate) fn streams() -> Path {
    Path::from("streams")
}

/// The folder of all streams of one name.
///
/// File systems take names of 255 characters, and a stream's name may have 256: its last character becomes a folder of its
/// own, marked by a character that is in no stream name.
pub(crate) fn stream(name: &StreamName) -> Path {
    match name.as_str().split_at_checked(MAX_FOLDER_NAME) {
        Some((most, last)) if !last.is_empty() => streams().join(most).join(format!("{last}=")),
        _ => streams().join(name.as_str()),
    }
}

const MAX_FOLDER_NAME: usize = 255;

/// Names of all streams with anything in the store, sorted.
pub(crate) async fn stream_names(store: &Store) -> Result<Vec<StreamName>, Error> {
    let mut names = Vec::new();
    for folder in store.folders(&streams()).await? {
        if folder.len() == MAX_FOLDER_NAME {
            for inner in store.folders(&streams().join(folder.as_str())).await? {
                names.extend(inner.strip_suffix('=').and_then(|last| format!("{folder}{last}").parse().ok()));
            }
        }
        names.extend(folder.parse());
    }
    names.sort_unstable();
    Ok(names)
}

/// The folder of a stream's states.
pub(crate) fn states(name: &StreamName) -> Path {
    stream(name).join("state")
}

/// One state.
pub(crate) fn state(name: &StreamName, generation: u64) -> Path {
    states(name).join(format!("{generation:012}"))
}

/// The generation of a state.
pub(crate) fn parse_generation(name: &str) -> Option<u64> {
    digits(name, 12)
}

/// The folders of one stream's fragments.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Shelf {
    root: Path,
}

impl Shelf {
    pub(crate) fn of(stream: &StreamInfo) -> Self {
        Self::new(stream.name(), stream.created_ms())
    }

    pub(crate) fn new(name: &StreamName, created_ms: i64) -> Self {
        Self { root: stream(name).join(Self::folder_name(created_ms)) }
    }

    pub(crate) fn folder_name(created_ms: i64) -> String {
        format!("{created_ms:014}")
    }

    pub(crate) fn parse_folder_name(name: &str) -> Option<i64> {
        digits(name, 14)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn fragments(&self) -> Path {
        self.root.clone().join("f")
    }

    pub(crate) fn bucket(&self, bucket: Bucket) -> Path {
        self.fragments().join(bucket.name())
    }

    pub(crate) fn server_buckets(&self) -> Path {
        self.root.clone().join("s")
    }

    pub(crate) fn server_bucket(&self, server: Bucket) -> Path {
        self.server_buckets().join(server.name())
    }

    pub(crate) fn server_entry(&self, server: Bucket, producer: Bucket) -> Path {
        self.server_bucket(server).join(producer.name())
    }

    pub(crate) fn numbers(&self) -> Path {
        self.root.clone().join("n")
    }

    pub(crate) fn number(&self, number: &str) -> Path {
        self.numbers().join(number)
    }

    pub(crate) fn hours(&self) -> Path {
        self.root.clone().join("h")
    }

    pub(crate) fn hour(&self, start_seconds: i64) -> Path {
        self.hours().join(format!("{start_seconds:011}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_ten_minutes() {
        let bucket = Bucket::of(1_700_000_400_000);
        assert_eq!(bucket.name(), "01700000400");
        assert_eq!(Bucket::of(1_700_000_999_999), bucket);
        assert_eq!(Bucket::of(1_700_001_000_000), bucket.after());
        assert_eq!((bucket.start_ms(), bucket.end_ms()), (1_700_000_400_000, 1_700_000_999_999));
        assert_eq!(Bucket::parse("01700000400"), Some(bucket));
        for wrong in ["1700000400", "01700000401", "0170000040x", "+1700000400", ""] {
            assert_eq!(Bucket::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Bucket::of(-1), Bucket::of(0));
        assert_eq!(Bucket::of(0).before(), Bucket::of(0));
        assert_eq!(Bucket::of(i64::MAX), Bucket::LAST);
        assert_eq!(Bucket::LAST.name().len(), 11);
        assert_eq!(bucket.before().count_to(bucket.after()), 3);
        assert!(bucket.is_near(bucket.after()) && !bucket.is_near(bucket.after().after()));
    }

    #[test]
    fn keys_are_as_documented() {
        let shelf = Shelf::new(&"front".parse().unwrap(), 1_700_000_000_123);
        let (a, b) = (Bucket::of(0), Bucket::of(1_700_000_400_000));
        assert_eq!(shelf.bucket(b).as_ref(), "streams/front/01700000000123/f/01700000400");
        assert_eq!(
            shelf.server_entry(b, a).as_ref(),
            "streams/front/01700000000123/s/01700000400/00000000000"
        );
        assert_eq!(shelf.number("91").as_ref(), "streams/front/01700000000123/n/91");
        assert_eq!(state(&"front".parse().unwrap(), 3).as_ref(), "streams/front/state/000000000003");
        let (longest, long) = ("x".repeat(256).parse().unwrap(), "x".repeat(255).parse().unwrap());
        assert_eq!(stream(&long).as_ref(), format!("streams/{long}"));
        assert_eq!(stream(&longest).as_ref(), format!("streams/{long}/x="));
        // The only names on one level with a stream's fragments are its states.
        assert_eq!(Shelf::parse_folder_name("state"), None);
        assert_eq!(Shelf::parse_folder_name("01700000000123"), Some(1_700_000_000_123));
    }
}
