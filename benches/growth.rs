//! Time and size of clips of 2,000 and 20,000 fragments: `cargo bench --bench growth`.
//!
//! The fragments share 200 Clusters in memory, under heads of their own, so that a recording of 9.5 GB takes 95 MB.
//! Fails if ten times the fragments cost more than 10.5 times the time, or if the larger clip is not the file that it
//! has to be: chunk offsets and the size of the media in 64 bits.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bytes::Bytes;
use getclip::{Clip, Error, Fragment, FragmentReader};

mod input;

use input::{Camera, Recording};

/// After this many fragments sound and picture are in phase again: 400 s are 12,000 pictures and 18,750 AAC frames.
const PERIOD: u64 = 200;
const ROUNDS: usize = 9;

struct Stored {
    heads: Vec<Bytes>,
    clusters: Vec<Bytes>,
}

impl Stored {
    fn new(fragments: u64) -> Self {
        let camera = Camera::new(Recording::Avcc);
        Self {
            heads: (0..fragments).map(|index| camera.head(index).into()).collect(),
            clusters: (0..PERIOD.min(fragments)).map(|index| camera.cluster(index).into()).collect(),
        }
    }

    /// Head and Cluster are pushed one by one: the reader uses in place what does not straddle.
    fn fragments(&self, count: usize) -> impl Iterator<Item = Result<Fragment, Error>> {
        let mut reader = FragmentReader::new();
        let stored = self.heads.iter().take(count).zip(self.clusters.iter().cycle());
        stored.map(move |(head, cluster)| {
            reader.push(head.clone());
            assert!(reader.next_fragment().is_none(), "a head is not a fragment");
            reader.push(cluster.clone());
            reader.next_fragment().expect("a Cluster of known size is a fragment")
        })
    }

    fn build(&self, count: usize) -> (Clip, Duration) {
        let start = Instant::now();
        let clip = input::builder().build(self.fragments(count)).expect("the recording is valid");
        (clip, start.elapsed())
    }
}

fn main() -> ExitCode {
    const COUNTS: [usize; 2] = [2_000, 20_000];
    let stored = Stored::new(COUNTS[1] as u64);
    // In turn, so that what else the machine does hits both.
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (count, times) in COUNTS.into_iter().zip(&mut times) {
            times.push(black_box(stored.build(count)).1);
        }
    }
    let [fewer, more] = times.map(|mut times| {
        times.sort();
        times[ROUNDS / 2]
    });
    for (count, time) in COUNTS.into_iter().zip([fewer, more]) {
        let per_fragment = time.as_secs_f64() * 1e6 / count as f64;
        println!("{count:6} fragments: {:8.1} ms, {per_fragment:.1} us each", time.as_secs_f64() * 1e3);
    }
    let growth = more.as_secs_f64() / fewer.as_secs_f64();
    let (clip, _) = stored.build(COUNTS[1]);
    let is_wide = has_wide_offsets(&clip);
    println!("10 x the fragments: {growth:.2} x the time; {} bytes, 64-bit offsets: {is_wide}", clip.len());
    if growth <= 10.5 && is_wide { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether there is `co64` and no `stco`, and the media has its size in 64 bits (ISO/IEC 14496-12 section 4.2.2).
fn has_wide_offsets(clip: &Clip) -> bool {
    let head = clip.chunks().next().unwrap_or_default();
    let holds = |code: &[u8; 4]| memchr::memmem::find(&head, code).is_some();
    let media_size = clip.len() - head.len() as u64 + 16;
    let media_header = [&1_u32.to_be_bytes()[..], b"mdat", &media_size.to_be_bytes()].concat();
    holds(b"co64") && !holds(b"stco") && head.ends_with(&media_header)
}
