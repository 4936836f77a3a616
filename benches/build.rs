//! From input in memory to a finished clip. Throughput is in bytes of the input.
//!
//! `element headers` is nothing but the walk over the header of every element, which no reader of Matroska can do
//! without. For ratios take `cargo bench --bench budget`: here, what is in the processor's caches is up to chance.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
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

fn walk(c: &mut Criterion) {
    let mut group = c.benchmark_group("95 MB avcc");
    with_input(Recording::Avcc, FRAGMENTS, |bytes, throughput| {
        group.throughput(throughput);
        group.bench_function("element headers", |b| b.iter(|| walk::element_headers(black_box(&bytes))));
        group.bench_function("fragments", |b| b.iter(|| fragments(black_box(bytes.clone())).count()));
        group.bench_function("build", |b| b.iter(|| input::build(black_box(bytes.clone()))));
    });
    group.finish();
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
