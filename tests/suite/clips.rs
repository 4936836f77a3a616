//! From Matroska bytes to a finished file, as every test of the public interface does it.

use bytes::Bytes;
use getclip::{
    AudioCodec, Clip, ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, Error, Event, Fragment,
    FragmentName, FragmentReader, IncompleteInput, Report, TrackDetails, TrackReport,
};
use testkit::mkv;

/// Takes every fragment, in the order of the producer's clock; all else as it comes.
pub(crate) fn everything() -> ClipBuilder {
    ClipBuilder::new(ClipFragmentSelector::all(ClipFragmentSelectorType::ProducerTimestamp))
}

/// Takes only input that is whole.
pub(crate) fn strict() -> ClipBuilder {
    everything().incomplete_input(IncompleteInput::Refuse)
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

/// What a report calls the fragment at this index of a recording.
pub(crate) fn fragment_name(index: u64) -> FragmentName {
    FragmentName::Number(mkv::fragment_number(index).parse().expect("digits"))
}

/// The fragments that a reader can yield now.
pub(crate) fn ready(reader: &mut FragmentReader) -> impl Iterator<Item = Result<Fragment, Error>> {
    std::iter::from_fn(|| reader.next_fragment())
}

/// Width and height of a video track.
#[track_caller]
pub(crate) fn dimensions(track: &TrackReport) -> (u32, u32) {
    match track.details {
        TrackDetails::Video { width, height, .. } => (width, height),
        _ => panic!("{track:?}"),
    }
}

/// Codec, sampling rate and channels of an audio track.
#[track_caller]
pub(crate) fn sound(track: &TrackReport) -> (AudioCodec, u32, u16) {
    match track.details {
        TrackDetails::Audio { codec, sampling_rate, channels, .. } => (codec, sampling_rate, channels),
        _ => panic!("{track:?}"),
    }
}

/// The report's lines.
pub(crate) fn lines(report: &Report) -> Vec<String> {
    report.events.iter().map(Event::to_string).collect()
}
