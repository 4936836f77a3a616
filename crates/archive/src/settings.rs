//! [`Settings`]: options of an archive.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::Clock;

/// Limits and periods of an [`Archive`](crate::Archive). Replicas over one store should agree on the periods.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    pub(crate) connections: NonZeroUsize,
    pub(crate) grace: Duration,
    pub(crate) settle: Duration,
    pub(crate) cached_plan_bytes: u64,
    pub(crate) clock: Clock,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connections: NonZeroUsize::new(64).unwrap_or(NonZeroUsize::MIN),
            grace: Duration::from_secs(60 * 60),
            settle: Duration::from_secs(3),
            cached_plan_bytes: 32 << 20,
            clock: Clock::system(),
        }
    }
}

impl Settings {
    /// Number of requests to the store at a time. Default: 64.
    pub fn connections(mut self, connections: NonZeroUsize) -> Self {
        self.connections = connections;
        self
    }

    /// Time for which objects that are no longer found are kept. It must be longer than sending a clip takes. Default: one
    /// hour.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Age from which [`Archive::tail`](crate::Archive::tail) returns a fragment: the largest difference between the clocks
    /// of replicas plus the longest time that storing a fragment takes. Default: 3 seconds.
    pub fn settle(mut self, settle: Duration) -> Self {
        self.settle = settle;
        self
    }

    /// Size in bytes of the cache of recent clip plans; 0 for no cache. A plan larger than that is kept for a minute after
    /// its last use. Default: 32 MiB.
    pub fn cached_plan_bytes(mut self, bytes: u64) -> Self {
        self.cached_plan_bytes = bytes;
        self
    }

    /// Source of the current time. Default: the system's clock.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }
}
