//! What a clip of 95 MB costs beside the least that reading it takes: `cargo bench --bench budget`.
//!
//! * H.264 behind NAL lengths, beside the bare walk over element headers: 9 ms and twice as much are the limits.
//! * Annex B, beside one `memmem` for start codes over the video: 1.6 times as much is the limit.
//!
//! The two of a pair run in turn, so that what else the machine does hits both. Before each run the processor's caches
//! are emptied, as a program finds them that has just received its input: walk and build look at a few percent of it,
//! and where run follows run, chance decides whether those are still there.

use std::hint::black_box;
use std::time::Instant;

use memchr::memmem;

mod input;
mod walk;

use input::Recording;

/// GetClip's largest clip.
const FRAGMENTS: u64 = 200;
const ROUNDS: usize = 101;
/// Larger than the last level of caches.
const CACHES: usize = 256 << 20;

fn main() {
    let avcc = input::recording(Recording::Avcc, FRAGMENTS);
    compare("H.264 behind NAL lengths", 2.0, "element headers", &|| walk::element_headers(&avcc), &|| {
        input::build(avcc.clone()).len()
    });
    let annexb = input::recording(Recording::AnnexB, FRAGMENTS);
    let video = input::video_frames(&annexb);
    let start_code = memmem::Finder::new(&[0, 0, 1]);
    let memmem = || video.iter().map(|frame| start_code.find_iter(frame).count() as u64).sum();
    compare("Annex B", 1.6, "memmem over the video", &memmem, &|| input::build(annexb.clone()).len());
}

fn compare(name: &str, limit: f64, least_name: &str, least: &dyn Fn() -> u64, build: &dyn Fn() -> u64) {
    let other_memory = vec![1_u8; CACHES];
    let time_ms = |run: &dyn Fn() -> u64| {
        black_box(other_memory.iter().step_by(64).fold(0_u8, |sum, byte| sum.wrapping_add(*byte)));
        let start = Instant::now();
        black_box(run());
        start.elapsed().as_secs_f64() * 1000.0
    };
    let rounds: Vec<(f64, f64)> = (0..ROUNDS).map(|_| (time_ms(least), time_ms(build))).collect();
    let least_ms = median(rounds.iter().map(|(least, _)| *least));
    let build_ms = median(rounds.iter().map(|(_, build)| *build));
    let ratio = median(rounds.iter().map(|(least, build)| build / least));
    println!(
        "{name}: clip {build_ms:.2} ms, {least_name} {least_ms:.2} ms, {ratio:.2} x as much (limit {limit} x)"
    );
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
