//! [`ArrivingFragment`]: what is known of a fragment before all of it has arrived.

use crate::error::Error;
use crate::fragment::reader::FragmentReader;
use crate::fragment::search::Why;

/// A fragment of which a part has arrived: see [`FragmentReader::arriving`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArrivingFragment {
    /// Timestamp of its Cluster in nanoseconds, once it has arrived.
    pub cluster_timestamp_ns: Option<i64>,
    /// Size of its Cluster in bytes: as declared or, where it declares none, as far as it has arrived.
    pub media_len: u64,
}

impl FragmentReader {
    /// The fragment whose Cluster has begun, and has not ended. Call it once [`next_fragment`](Self::next_fragment) has
    /// returned `None`.
    pub fn arriving(&self) -> Option<ArrivingFragment> {
        let cluster = self.cluster.as_ref()?;
        let end = cluster.end().unwrap_or(self.lookahead().end());
        Some(ArrivingFragment {
            cluster_timestamp_ns: cluster.timestamp_ns(self.document.timestamp_scale_ns),
            media_len: end.saturating_sub(cluster.offset()),
        })
    }

    /// Number of bytes that have arrived and belong to no fragment that was yielded.
    pub fn buffered_bytes(&self) -> usize {
        self.window.bytes().len()
    }

    /// What does not fit in the stream, while the place at which reading goes on is being searched for. A server that
    /// takes a live stream may refuse it then, instead of waiting for the damage to end.
    pub fn resynchronizing(&self) -> Option<&Error> {
        match &self.search.as_ref()?.why {
            Why::Misfit(error) => Some(error),
            Why::Unfamiliar(_) | Why::InputEnds => None,
        }
    }
}
