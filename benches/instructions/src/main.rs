//! What callgrind counts: one `build` of 20 fragments. Run by `instructions.sh`, which counts inside [`measured`] only.

use std::hint::black_box;

use bytes::Bytes;
use getclip::Clip;

#[path = "../../input/mod.rs"]
mod input;

use input::Recording;

const FRAGMENTS: u64 = 20;

/// Named so that callgrind finds it, and not inlined for the same reason.
#[inline(never)]
fn measured(bytes: Bytes) -> Clip {
    input::build(bytes)
}

fn main() {
    let name = std::env::args().nth(1).unwrap_or("avcc".into());
    let recording = Recording::of_name(&name).expect("the name of a recording");
    let bytes = input::recording(recording, FRAGMENTS);
    black_box(measured(black_box(bytes)));
}
