//! Annex B against the bare scan for start codes, over the same pictures.
//!
//! `memmem` looks for `00 00 01` in the 88 MB of video and does nothing with what it finds: no reader of Annex B can do
//! with less. For their ratio take `cargo bench --bench budget`.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use memchr::memmem;

mod input;

use input::Recording;

fn annexb_scan(c: &mut Criterion) {
    let bytes = input::recording(Recording::AnnexB, 200);
    let video = input::video_frames(&bytes).concat();
    let mut group = c.benchmark_group("annexb_scan");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("memmem over the video", |b| {
        b.iter(|| memmem::find_iter(black_box(&video), &[0, 0, 1]).count());
    });
    group.bench_function("build", |b| b.iter(|| input::build(black_box(bytes.clone()))));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(5)).warm_up_time(Duration::from_secs(1));
    targets = annexb_scan
}
criterion_main!(benches);
