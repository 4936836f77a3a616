//! [`Numbering`]: fragment numbers that rise with ingestion, from whichever machine.

use std::sync::{Mutex, PoisonError};

use getclip::{FragmentNumber, Timestamp};

use crate::clock::Clock;
use crate::fragment::{NumberParts, NumberSource};

/// Numbers for the fragments of one session of PutMedia.
///
/// A number consists of the millisecond of ingestion, a node unique to the session, and a counter. The milliseconds never
/// go back within a session, and begin after those of every fragment that was in the stream before it.
#[derive(Debug)]
pub struct Numbering {
    clock: Clock,
    node: u64,
    last: Mutex<Last>,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    ms: i64,
    counter: u32,
}

impl Numbering {
    /// Numbers whose milliseconds are later than `after_ms`.
    pub(crate) fn new(clock: Clock, node: u64, after_ms: i64) -> Self {
        let last = Last { ms: after_ms.saturating_add(1), counter: 0 };
        Self { clock, node, last: Mutex::new(last) }
    }

    /// The next number, and the server timestamp to go with it.
    pub fn next(&self) -> (FragmentNumber, Timestamp) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now().as_millis();
        if now > last.ms {
            *last = Last { ms: now, counter: 0 };
        } else if last.counter == Self::MAX_COUNTER {
            *last = Last { ms: last.ms + 1, counter: 0 };
        } else {
            last.counter += 1;
        }
        let rest = u128::from(self.node) * Self::COUNTERS + u128::from(last.counter);
        let parts = NumberParts { source: NumberSource::Session, ms: last.ms, rest };
        (parts.number(), Timestamp::from_millis(last.ms))
    }

    /// 32 digits hold 20 of the node and 12 of the counter.
    const COUNTERS: u128 = 1_000_000_000_000;
    const MAX_COUNTER: u32 = u32::MAX;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

    use super::*;

    fn numbering(after_ms: i64) -> (Arc<AtomicI64>, Numbering) {
        let time = Arc::new(AtomicI64::new(1000));
        let clock = Clock::new({
            let time = Arc::clone(&time);
            move || Timestamp::from_millis(time.load(Relaxed))
        });
        (time, Numbering::new(clock, u64::MAX, after_ms))
    }

    #[test]
    fn rises_while_the_clock_stands_and_when_it_goes_back() {
        let (time, numbering) = numbering(i64::MIN);
        let mut last = numbering.next();
        assert_eq!(last.1, Timestamp::from_millis(1000));
        for now in [1000, 1000, 900, 1001, 1, 2000] {
            time.store(now, Relaxed);
            let next = numbering.next();
            assert!(next.0 > last.0 && next.1 >= last.1, "at {now}: {next:?} after {last:?}");
            assert_eq!(next.0.as_str().len(), 47);
            assert_eq!(NumberParts::parse(&next.0).unwrap().ms, next.1.as_millis());
            last = next;
        }
        assert_eq!(last.1, Timestamp::from_millis(2000));
    }

    #[test]
    fn begins_after_what_a_faster_clock_has_stored() {
        let (time, numbering) = numbering(5000);
        assert_eq!(numbering.next().1, Timestamp::from_millis(5001));
        time.store(6000, Relaxed);
        assert_eq!(numbering.next().1, Timestamp::from_millis(6000));
    }
}
