//! From input in memory to a finished clip. Throughput is in bytes of the input.
//!
//! `element headers` is the yardstick of the budget: nothing but the walk over the header of every element, which no
//! reader of Matroska can do without. A clip of H.264 behind NAL lengths is to cost at most twice as much. Both look
//! at a few percent of the input, so that it matters whether these are in the processor's caches: where a run follows
//! a run, chance decides. Here it is decided: `from memory` empties the caches before each run, which is how a program
//! that has just received 95 MB finds them; `run after run` leaves it to chance.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use getclip::fragments;

mod input;
mod walk;

use input::Recording;

/// GetClip's largest clip.
const FRAGMENTS: u64 = 200;

/// One buffer at a time is in memory: the largest are of 950 MB.
fn with_input(recording: Recording, fragments: u64, bench: impl FnOnce(Bytes, Throughput)) {
    let bytes = input::recording(recording, fragments);
    let throughput = Throughput::Bytes(bytes.len() as u64);
    bench(bytes, throughput);
}

/// Larger than the last level of caches.
const CACHES: usize = 256 << 20;

fn walk(c: &mut Criterion) {
    let other_memory = vec![1_u8; CACHES];
    let leave_caches = || {};
    let empty_caches = || {
        let sum = other_memory.iter().step_by(64).fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        black_box(sum);
    };
    let ways: [(&str, &dyn Fn()); 2] = [("from memory", &empty_caches), ("run after run", &leave_caches)];
    with_input(Recording::Avcc, FRAGMENTS, |bytes, throughput| {
        for (way, prepare) in ways {
            let mut group = c.benchmark_group(format!("95 MB avcc {way}"));
            group.throughput(throughput.clone());
            let mut bench = |name: &str, run: &dyn Fn() -> u64| {
                let each = BatchSize::PerIteration;
                group.bench_function(name, |b| b.iter_batched(prepare, |()| black_box(run()), each));
            };
            bench("element headers", &|| walk::element_headers(black_box(&bytes)));
            bench("fragments", &|| fragments(black_box(bytes.clone())).count() as u64);
            bench("build", &|| input::build(black_box(bytes.clone())).len());
            group.finish();
        }
    });
}

fn codecs(c: &mut Criterion) {
    let mut group = c.benchmark_group("build 95 MB");
    for recording in Recording::ALL {
        with_input(recording, FRAGMENTS, |bytes, throughput| {
            group.throughput(throughput);
            group.bench_function(recording.name(), |b| b.iter(|| input::build(black_box(bytes.clone()))));
        });
    }
    group.finish();
}

fn growth(c: &mut Criterion) {
    let mut group = c.benchmark_group("build by fragments");
    for count in [1, 10, 100, 200, 2000] {
        with_input(Recording::Avcc, count, |bytes, throughput| {
            group.throughput(throughput);
            group.bench_function(BenchmarkId::from_parameter(count), |b| {
                b.iter(|| input::build(black_box(bytes.clone())));
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_secs(1));
    targets = walk, codecs, growth
}
criterion_main!(benches);
