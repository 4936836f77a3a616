//! Options of a clip out of a fuzzer's bytes.

use arbitrary::{Arbitrary, Result, Unstructured};
use getclip::{
    ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, CodecChanges, Gaps, IncompleteInput, Limits,
    MissingCodecPrivate, Profile,
};

/// Which options a clip is built with. The default is the builder's, over all fragments.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    pub new_sample_entries: bool,
    pub close_gaps: bool,
    pub codec_private_from_frames: bool,
    pub strict: bool,
    pub service_profile: bool,
    pub by_server: bool,
    pub few_fragments: bool,
    pub few_bytes: bool,
}

impl Options {
    pub fn from_bits(bits: u8) -> Self {
        let bit = |index: u8| bits >> index & 1 == 1;
        Self {
            new_sample_entries: bit(0),
            close_gaps: bit(1),
            codec_private_from_frames: bit(2),
            strict: bit(3),
            service_profile: bit(4),
            by_server: bit(5),
            few_fragments: bit(6),
            few_bytes: bit(7),
        }
    }

    pub fn limits(self) -> Limits {
        let mut limits = Limits::default();
        if self.few_fragments {
            limits = limits.with_max_fragments(2.try_into().expect("more than 0"));
        }
        if self.few_bytes {
            limits = limits.with_max_bytes(4096.try_into().expect("more than 0"));
        }
        limits
    }

    pub fn builder(self) -> ClipBuilder {
        let clock = match self.by_server {
            true => ClipFragmentSelectorType::ServerTimestamp,
            false => ClipFragmentSelectorType::ProducerTimestamp,
        };
        ClipBuilder::new(ClipFragmentSelector::all(clock))
            .limits(self.limits())
            .profile(if self.service_profile { Profile::Service } else { Profile::Extended })
            .codec_changes(match self.new_sample_entries {
                true => CodecChanges::NewSampleEntry,
                false => CodecChanges::Refuse,
            })
            .gaps(if self.close_gaps { Gaps::Close } else { Gaps::Keep })
            .incomplete_input(if self.strict { IncompleteInput::Refuse } else { IncompleteInput::Keep })
            .missing_codec_private(match self.codec_private_from_frames {
                true => MissingCodecPrivate::FromFrames,
                false => MissingCodecPrivate::Refuse,
            })
    }
}

impl<'a> Arbitrary<'a> for Options {
    /// Each is off three times in four: together they refuse nearly all there is.
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let [bits, mask]: [u8; 2] = bytes.arbitrary()?;
        Ok(Self::from_bits(bits & mask))
    }
}
