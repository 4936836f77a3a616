//! [`Memory`]: what a session may hold of what all sessions may hold together.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Memory is counted in units of this many bytes.
const UNIT: usize = 1024;

/// The bytes that all sessions may hold.
#[derive(Debug, Clone)]
pub(crate) struct IngestMemory(Arc<Semaphore>);

/// The bytes that one session holds.
#[derive(Debug)]
pub(crate) struct Memory {
    of_all: IngestMemory,
    held: Option<OwnedSemaphorePermit>,
    /// How long the session has waited since it gave anything back: sessions that all wait for each other end one after
    /// the other, until the rest fit.
    waited: Duration,
}

impl IngestMemory {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.div_ceil(UNIT).min(Semaphore::MAX_PERMITS))))
    }

    /// For a session, which holds nothing yet.
    pub(crate) fn session(&self) -> Memory {
        Memory { of_all: self.clone(), held: None, waited: Duration::ZERO }
    }
}

impl Memory {
    /// Waits until the session may hold `bytes` in all. Returns whether it may; else it has waited for `wait` in vain, in
    /// this call and those before.
    pub(super) async fn reserve(&mut self, bytes: usize, wait: Duration) -> bool {
        let held = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let Ok(more) = u32::try_from(bytes.div_ceil(UNIT).saturating_sub(held)) else { return false };
        let acquired = Arc::clone(&self.of_all.0).acquire_many_owned(more);
        let started = Instant::now();
        let acquired = tokio::time::timeout(wait.saturating_sub(self.waited), acquired).await;
        self.waited += started.elapsed();
        let Ok(Ok(permit)) = acquired else { return false };
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
        true
    }

    /// The session holds no more than `bytes` now.
    pub(super) fn keep(&mut self, bytes: usize) {
        if let Some(held) = &mut self.held {
            let less = held.num_permits().saturating_sub(bytes.div_ceil(UNIT));
            if less > 0 {
                drop(held.split(less));
                self.waited = Duration::ZERO;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn sessions_wait_for_each_other() {
        let of_all = IngestMemory::new(10 * UNIT);
        let (mut first, mut second) = (of_all.session(), of_all.session());
        let wait = Duration::from_secs(1);
        assert!(first.reserve(8 * UNIT, wait).await);
        // What it holds already counts.
        assert!(first.reserve(9 * UNIT - 1, wait).await);
        assert!(!second.reserve(2 * UNIT, wait).await);
        first.keep(8 * UNIT - 5);
        assert!(second.reserve(2 * UNIT, wait).await);
        drop(first);
        assert!(second.reserve(10 * UNIT, wait).await);
        assert!(!second.reserve(11 * UNIT, wait).await, "more than there is");
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_adds_up() {
        let of_all = IngestMemory::new(10 * UNIT);
        let (mut first, mut second) = (of_all.session(), of_all.session());
        let wait = Duration::from_secs(10);
        assert!(first.reserve(10 * UNIT, wait).await);
        let releasing = async {
            for left in [9, 8] {
                tokio::time::sleep(Duration::from_secs(4)).await;
                first.keep(left * UNIT);
            }
        };
        let waiting = async {
            assert!(second.reserve(UNIT, wait).await && second.reserve(2 * UNIT, wait).await);
            let started = Instant::now();
            assert!(!second.reserve(3 * UNIT, wait).await);
            assert_eq!(started.elapsed().as_secs(), 2);
        };
        tokio::join!(releasing, waiting);
    }
}
