//! Runs the library over the hostile inputs of the testkit, for the tests of memory and of time, which need processes of
//! their own.

use bytes::Bytes;
use getclip::{
    Clip, ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, CodecChanges, Error, FragmentReader,
    Limits, MissingCodecPrivate,
};
use testkit::hostile::{Hostile, Run};

/// Runs the library over an input of this kind. The clip is returned because it holds memory.
pub(crate) fn run(kind: &Hostile, input: Bytes) -> Result<Clip, Error> {
    let clock = match kind.run {
        Run::BuildByServer => ClipFragmentSelectorType::ServerTimestamp,
        _ => ClipFragmentSelectorType::ProducerTimestamp,
    };
    let max_bytes = match kind.run {
        Run::BuildHalf => input.len() as u64 / 2,
        _ => u64::MAX,
    };
    let builder = ClipBuilder::new(ClipFragmentSelector::all(clock))
        .limits(Limits::NONE.with_max_bytes(max_bytes.try_into().expect("more than 0")))
        .codec_changes(CodecChanges::NewSampleEntry)
        .missing_codec_private(MissingCodecPrivate::FromFrames);
    match kind.run {
        Run::ReadBytewise => builder.build(Bytewise { reader: FragmentReader::new(), input }),
        _ => builder.build(getclip::fragments(input)),
    }
}

/// The fragments of an input that arrives byte by byte.
struct Bytewise {
    reader: FragmentReader,
    input: Bytes,
}

impl Iterator for Bytewise {
    type Item = Result<getclip::Fragment, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.reader.next_fragment() {
                return Some(item);
            }
            if self.input.is_empty() {
                self.reader.finish();
                return self.reader.next_fragment();
            }
            self.reader.push(self.input.split_to(1));
        }
    }
}
