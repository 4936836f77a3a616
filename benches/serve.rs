//! From a finished clip of 95 MB to bytes: written whole, and range by range.

use std::fs::File;
use std::hint::black_box;
use std::io::{self, IoSlice, Write};
use std::path::PathBuf;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use getclip::Clip;

mod input;

use input::Recording;

/// Takes all slices that it is given, as a socket with room does.
struct Sink;

impl Write for Sink {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        Ok(buffer.len())
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(slices.iter().map(|slice| slice.len()).sum())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn clip(recording: Recording) -> Clip {
    input::build(input::recording(recording, 200))
}

/// A folder in memory where there is one, so that the disk is not what is measured.
fn folder() -> PathBuf {
    let shared_memory = PathBuf::from("/dev/shm");
    if shared_memory.is_dir() { shared_memory } else { std::env::temp_dir() }
}

fn write_to(c: &mut Criterion) {
    for recording in [Recording::Avcc, Recording::AnnexB] {
        let clip = clip(recording);
        let mut group = c.benchmark_group(format!("write_to {}", recording.name()));
        group.throughput(Throughput::Bytes(clip.len()));
        group.bench_function("a sink", |b| b.iter(|| black_box(&clip).write_to(Sink).expect("a sink")));
        let path = folder().join(format!("getclip-bench-{}.mp4", std::process::id()));
        group.bench_function("a new file", |b| {
            // The file is made anew: pages that are there already would be written over for less.
            let new_file = || {
                let _ = std::fs::remove_file(&path);
                File::create(&path).expect("a writable folder")
            };
            b.iter_batched(new_file, |file| clip.write_to(file).expect("room"), BatchSize::PerIteration);
        });
        let _ = std::fs::remove_file(&path);
        group.finish();
    }
}

fn slice(c: &mut Criterion) {
    let clip = clip(Recording::Avcc);
    let middle = clip.len() / 2;
    let mut group = c.benchmark_group("slice");
    for len in [1_u64, 64 << 10, 1 << 20] {
        group.throughput(Throughput::Bytes(len));
        group.bench_function(BenchmarkId::new("bytes", len), |b| {
            b.iter(|| black_box(&clip).slice(middle..middle + len).map(|chunk| chunk.len()).sum::<usize>());
        });
    }
    group.throughput(Throughput::Bytes(clip.len()));
    group.bench_function("all", |b| {
        b.iter(|| black_box(&clip).chunks().map(|chunk| chunk.len()).sum::<usize>());
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_secs(1));
    targets = write_to, slice
}
criterion_main!(benches);
