//! What a clip of 95 MB costs beside the least that reading it takes: `cargo bench --bench budget`.
//!
//! * H.264 behind NAL lengths, beside the bare walk over element headers: 1.4 times as much is the limit.
//! * Annex B, beside one `memmem` for start codes over the video: 1.25 times as much is the limit.
//! * The same clip planned from stored indexes, without its media: 1.5 ms. The indexes: 3 bytes a frame and 300 a
//!   fragment; in Annex B, 3 bytes a NAL unit more.
//!
//! The two of a pair run in turn, so that what else the machine does hits both. Before each run the processor's caches
//! are emptied, as a program finds them that has just received its input: walk and build look at a few percent of it,
//! and where run follows run, chance decides whether those are still there.

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use getclip::{FragmentIndex, fragments};
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
    compare("H.264 behind NAL lengths", 1.4, "element headers", &|| walk::element_headers(&avcc), &|| {
        input::build(avcc.clone()).len()
    });
    let annexb = input::recording(Recording::AnnexB, FRAGMENTS);
    let video = input::video_frames(&annexb);
    let start_code = memmem::Finder::new(&[0, 0, 1]);
    let memmem = || video.iter().map(|frame| start_code.find_iter(frame).count() as u64).sum();
    compare("Annex B", 1.25, "memmem over the video", &memmem, &|| input::build(annexb.clone()).len());
    plan("H.264 behind NAL lengths", &avcc);
    plan("Annex B", &annexb);
}

/// Plans the clip from its encoded indexes.
fn plan(name: &str, recording: &Bytes) {
    let indexes = fragments(recording.clone()).map(|fragment| fragment.expect("the recording is valid"));
    let indexes: Vec<FragmentIndex> = indexes.map(|fragment| fragment.into_parts().0).collect();
    let frames: usize = indexes.iter().map(|index| index.frames().count()).sum();
    let rows: Vec<Vec<u8>> = indexes.iter().map(FragmentIndex::encode).collect();
    let bytes: usize = rows.iter().map(Vec::len).sum();
    let planned = || {
        let mut planner = input::builder().planner();
        for row in &rows {
            planner
                .offer(FragmentIndex::decode(row).expect("an index of ours"))
                .expect("a fragment with a time");
        }
        planner.finish().expect("the recording is valid").len()
    };
    let times = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        black_box(planned());
        start.elapsed().as_secs_f64() * 1000.0
    });
    println!(
        "{name}: planned from {} indexes in {:.2} ms (limit 1.5 ms); {bytes} bytes, {:.2} for each of {frames} frames",
        rows.len(),
        median(times),
        bytes as f64 / frames as f64,
    );
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
