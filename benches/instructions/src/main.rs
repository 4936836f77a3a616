//! What callgrind counts: one `build` of 20 fragments. Run by `instructions.sh`, which counts inside [`measured`] only.

use std::hint::black_box;

use bytes::Bytes;
use getclip::{Clip, ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, Limits, fragments};
use testkit::camera::{Recording, recording};

const FRAGMENTS: u64 = 20;

/// Named so that callgrind finds it, and not inlined for the same reason.
#[inline(never)]
fn measured(bytes: Bytes) -> Clip {
    let everything = ClipFragmentSelector::all(ClipFragmentSelectorType::ProducerTimestamp);
    let limits = Limits::NONE;
    ClipBuilder::new(everything).limits(limits).build(fragments(bytes)).expect("the recording is valid")
}

fn main() {
    let name = std::env::args().nth(1).unwrap_or("avcc".into());
    let named = Recording::of_name(&name).expect("the name of a recording");
    black_box(measured(black_box(recording(named, FRAGMENTS).into())));
}
