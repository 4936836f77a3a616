//! Work is linear in the input: twice the bytes take twice the time, whatever the bytes are.

mod hostile_run;

use std::time::{Duration, Instant};

use bytes::Bytes;

use hostile_run::run;
use testkit::hostile::{Hostile, KINDS};

/// Time for a byte, at the most. A debug build on a busy machine takes a tenth of it; quadratic work on a megabyte
/// takes a hundred times more.
const PER_BYTE: Duration = Duration::from_micros(20);

/// How much longer twice the input may take. Linear work takes 2, quadratic 4.
const RATIO: f64 = 3.3;

/// Long enough to be measured.
const MEASURABLE: Duration = Duration::from_millis(4);

const SMALLEST: usize = 1 << 16;
const LARGEST: usize = 1 << 20;

#[test]
fn twice_the_input_takes_twice_the_time() {
    for kind in KINDS {
        let len = measurable(kind);
        let mut growth = Growth::of(kind, len);
        if growth.ratio >= RATIO {
            // From some size on an allocator gives memory back to the system, and each page is new again: a step at
            // one size. Quadratic work is four times as much at each.
            growth = Growth::of(kind, 2 * len);
        }
        let Growth { ratio, per_byte } = growth;
        println!("{ratio:5.2} times, {per_byte:6.0?} a byte: {}", kind.name);
        assert!(ratio < RATIO, "{}: {ratio:.2} times for twice {len} bytes and more", kind.name);
        assert!(per_byte < PER_BYTE, "{}: {per_byte:?} a byte", kind.name);
    }
}

/// What twice the input costs.
struct Growth {
    ratio: f64,
    per_byte: Duration,
}

impl Growth {
    fn of(kind: &Hostile, len: usize) -> Self {
        let (once, twice) = (Bytes::from((kind.make)(len)), Bytes::from((kind.make)(2 * len)));
        let (mut least_once, mut least_twice) = (Duration::MAX, Duration::MAX);
        let mut ratio = f64::MAX;
        // Other programs only make it slower, so the best of some runs is near the truth.
        for run in 0..20 {
            least_once = least_once.min(time(kind, &once));
            least_twice = least_twice.min(time(kind, &twice));
            ratio = least_twice.as_secs_f64() / least_once.as_secs_f64();
            if run > 1 && ratio < RATIO {
                break;
            }
        }
        Self { ratio, per_byte: least_twice / twice.len() as u32 }
    }
}

/// A size of input that takes long enough.
fn measurable(kind: &Hostile) -> usize {
    let mut len = SMALLEST;
    loop {
        let input = Bytes::from((kind.make)(len));
        let least = (0..3).map(|_| time(kind, &input)).min().expect("a time");
        if least >= MEASURABLE || len >= LARGEST {
            return len;
        }
        len *= 2;
    }
}

fn time(kind: &Hostile, input: &Bytes) -> Duration {
    let input = input.clone();
    let clock = Clock::start();
    let clip = run(kind, input);
    let elapsed = clock.elapsed();
    drop(clip);
    elapsed
}

/// The time that this thread has run: that of the processor where Linux tells it, which is not longer when other
/// programs run too, else that of the wall.
struct Clock {
    processor: Option<Duration>,
    wall: Instant,
}

impl Clock {
    fn start() -> Self {
        Self { processor: Self::processor(), wall: Instant::now() }
    }

    fn elapsed(&self) -> Duration {
        match (self.processor, Self::processor()) {
            (Some(from), Some(to)) => to - from,
            _ => self.wall.elapsed(),
        }
    }

    fn processor() -> Option<Duration> {
        // The scheduler brings the count up to date when it is called.
        std::thread::yield_now();
        let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        statistics.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    }
}
