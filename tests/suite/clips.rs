//! From Matroska bytes to a finished file, as every test of the public interface does it.

use bytes::Bytes;
use getclip::{Clip, ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, Error, Event, Report};

/// Takes every fragment, in the order of the producer's clock; all else as it comes.
pub(crate) fn everything() -> ClipBuilder {
    ClipBuilder::new(ClipFragmentSelector::all(ClipFragmentSelectorType::ProducerTimestamp))
}

pub(crate) fn build(mkv: impl Into<Bytes>) -> Result<Clip, Error> {
    build_with(&everything(), mkv)
}

pub(crate) fn build_with(builder: &ClipBuilder, mkv: impl Into<Bytes>) -> Result<Clip, Error> {
    builder.build(getclip::fragments(mkv.into()))
}

/// The finished file and its report.
#[track_caller]
pub(crate) fn clip(mkv: impl Into<Bytes>) -> (Vec<u8>, Report) {
    clip_with(&everything(), mkv)
}

#[track_caller]
pub(crate) fn clip_with(builder: &ClipBuilder, mkv: impl Into<Bytes>) -> (Vec<u8>, Report) {
    let clip = build_with(builder, mkv).unwrap_or_else(|error| panic!("{error}"));
    (file(&clip), clip.report().clone())
}

#[track_caller]
pub(crate) fn refusal(mkv: impl Into<Bytes>) -> Error {
    refusal_with(&everything(), mkv)
}

#[track_caller]
pub(crate) fn refusal_with(builder: &ClipBuilder, mkv: impl Into<Bytes>) -> Error {
    match build_with(builder, mkv) {
        Ok(clip) => panic!("a clip instead of a refusal: {:#?}", clip.report()),
        Err(error) => error,
    }
}

/// All bytes of a clip.
pub(crate) fn file(clip: &Clip) -> Vec<u8> {
    let mut file = Vec::new();
    clip.write_to(&mut file).expect("a Vec takes everything");
    file
}

/// The report's lines.
pub(crate) fn lines(report: &Report) -> Vec<String> {
    report.events.iter().map(Event::to_string).collect()
}
