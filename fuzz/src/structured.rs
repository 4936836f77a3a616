//! Fragments of every form that the test writer can write, some of them damaged, to a clip.

use arbitrary::Arbitrary;

use super::amounts::{Below, Rarely};
use super::description::Stream;
use super::{Options, build_with, fragments};
use testkit::mkv::{Fragment, documents, merged, upload};

/// A stream, and what becomes of it on the way.
#[derive(Debug, Arbitrary)]
pub struct Structured {
    options: Options,
    form: Form,
    faults: [Rarely<6, Fault>; 2],
    stream: Stream,
}

/// How fragments are put together.
#[derive(Debug, PartialEq, Arbitrary)]
enum Form {
    Documents,
    Upload,
    Merged,
}

/// Damage at a place that is taken modulo the length of the stream.
#[derive(Debug, Arbitrary)]
struct Fault {
    place: u64,
    kind: FaultKind,
}

#[derive(Debug, Arbitrary)]
enum FaultKind {
    Flip { bit: Below<8> },
    Remove { bytes: Below<64> },
    CutOff,
}

/// Writes the fragments as Matroska, damages them, and builds a clip.
pub fn build_structured(structured: Structured) {
    let described = structured.stream.fragments();
    let mut input = match structured.form {
        Form::Documents => documents(&described),
        Form::Upload => upload(&described),
        Form::Merged => merged(&described),
    };
    let mut is_plain = structured.form == Form::Documents && !described.iter().any(is_odd);
    for fault in structured.faults.iter().flat_map(|fault| &fault.0) {
        fault.damage(&mut input);
        is_plain = false;
    }
    if is_plain {
        check_frames(&input, &described);
    }
    fragments(&input);
    build_with(structured.options, &input);
}

/// The reader finds the frames that were described.
fn check_frames(input: &[u8], described: &[Fragment]) {
    // What the service says of a fragment that it lost has no frames, and no description.
    let found = getclip::fragments(input.to_vec().into()).map_while(Result::ok);
    let mut described = described.iter();
    for found in found.filter(|found| found.frames().next().is_some()) {
        let is_described = described.any(|described| is_found(described, &found));
        assert!(is_described, "fragment {}: not the frames described", found.name());
    }
}

/// Whether the frames found are those described. Frames that cannot be parsed are left out, and ADTS headers.
fn is_found(described: &Fragment, found: &getclip::Fragment) -> bool {
    let mut want = described.blocks.iter().flat_map(|block| &block.frames);
    found
        .frames()
        .all(|(_, bytes)| want.any(|frame| frame.ends_with(&bytes) && frame.len() <= bytes.len() + 9))
}

/// Whether the reader may see other fragments than were described.
fn is_odd(fragment: &Fragment) -> bool {
    let elements = [&fragment.before_cluster, &fragment.in_cluster, &fragment.after_cluster];
    fragment.without_cluster || elements.iter().any(|elements| !elements.is_empty())
}

impl Fault {
    fn damage(&self, input: &mut Vec<u8>) {
        let at = self.place as usize % input.len().max(1);
        match self.kind {
            FaultKind::Flip { bit } => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << bit.0;
                }
            }
            FaultKind::Remove { bytes } => {
                input.drain(at..(at + bytes.size()).min(input.len()));
            }
            FaultKind::CutOff => input.truncate(at),
        }
    }
}
