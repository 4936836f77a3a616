//! The recordings that benches build clips of (`testkit::camera`), and the clips.

// Each bench uses its own part of it, and none exports it.
#![allow(dead_code, unused_imports, unreachable_pub)]

use bytes::Bytes;
use getclip::{Clip, ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, Limits, fragments};

pub use testkit::camera::{Camera, FRAGMENT_MS, Recording};

/// The recording in one buffer, document behind document.
pub fn recording(recording: Recording, fragments: u64) -> Bytes {
    testkit::camera::recording(recording, fragments).into()
}

/// A builder that takes everything.
pub fn builder() -> ClipBuilder {
    let everything = ClipFragmentSelector::all(ClipFragmentSelectorType::ProducerTimestamp);
    ClipBuilder::new(everything).limits(Limits::NONE)
}

/// The clip of a whole recording.
pub fn build(bytes: Bytes) -> Clip {
    builder().build(fragments(bytes)).expect("the recording is valid")
}

/// The pictures where they are in a recording.
pub fn video_frames(bytes: &Bytes) -> Vec<Bytes> {
    let mut frames = Vec::new();
    for fragment in fragments(bytes.clone()) {
        let fragment = fragment.expect("the recording is valid");
        let of_video = fragment.frames().filter(|(frame, _)| frame.track().number == 1);
        frames.extend(of_video.map(|(_, bytes)| bytes));
    }
    frames
}
