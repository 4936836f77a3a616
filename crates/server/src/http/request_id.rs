//! [`RequestId`]: what a response, a line in the log and a question to support have in common.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// ID of a request, in the form of the service's: a UUID.
///
/// Different in each request of a process and, but for a chance in 2^64, in each process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestId(u64, u64);

impl RequestId {
    /// The ID of the next request.
    pub(crate) fn next() -> Self {
        static PROCESS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        static REQUESTS: AtomicU64 = AtomicU64::new(0);
        let number = REQUESTS.fetch_add(1, Ordering::Relaxed);
        Self(PROCESS.hash_one("process"), PROCESS.hash_one(number))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(a, b) = self;
        // RFC 9562 section 5.8: version 8 is for values of one's own making.
        let (version, variant) = (a & 0xfff, (b >> 48) & 0x3fff | 0x8000);
        let (first, second, last) = (a >> 32, (a >> 16) & 0xffff, b & 0xffff_ffff_ffff);
        write!(f, "{first:08x}-{second:04x}-8{version:03x}-{variant:04x}-{last:012x}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_uuids_and_differ() {
        let ids: HashSet<_> = (0..1000).map(|_| RequestId::next().to_string()).collect();
        assert_eq!(ids.len(), 1000);
        for id in ids {
            let groups: Vec<_> = id.split('-').map(str::len).collect();
            assert_eq!(groups, [8, 4, 4, 4, 12], "{id}");
            assert!(id.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()), "{id}");
            assert_eq!((&id[14..15], "89ab".contains(&id[19..20])), ("8", true), "{id}");
        }
    }
}
