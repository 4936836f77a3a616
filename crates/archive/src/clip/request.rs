//! [`ClipRequest`]: the fragments and options of a clip.

use getclip::{
    ClipBuilder, ClipFragmentSelector, CodecChanges, Gaps, IncompleteInput, Limits, MissingCodecPrivate,
    Profile, RangeStart, TrackChoice, Trim,
};

/// Selector and options of a clip, as in [`ClipBuilder`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClipRequest {
    pub(super) selector: ClipFragmentSelector,
    pub(super) limits: Limits,
    profile: Profile,
    video_track: TrackChoice,
    audio_track: TrackChoice,
    codec_changes: CodecChanges,
    gaps: Gaps,
    incomplete_input: IncompleteInput,
    missing_codec_private: MissingCodecPrivate,
    pub(super) range_start: RangeStart,
    trim: Trim,
}

impl ClipRequest {
    /// A clip of the fragments that `selector` takes, as GetClip makes it.
    pub fn new(selector: ClipFragmentSelector) -> Self {
        Self {
            selector,
            limits: Limits::default(),
            profile: Profile::default(),
            video_track: TrackChoice::default(),
            audio_track: TrackChoice::default(),
            codec_changes: CodecChanges::default(),
            gaps: Gaps::default(),
            incomplete_input: IncompleteInput::default(),
            missing_codec_private: MissingCodecPrivate::default(),
            range_start: RangeStart::default(),
            trim: Trim::default(),
        }
    }

    /// See [`ClipBuilder::limits`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// See [`ClipBuilder::profile`].
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// See [`ClipBuilder::video_track`].
    pub fn video_track(mut self, choice: TrackChoice) -> Self {
        self.video_track = choice;
        self
    }

    /// See [`ClipBuilder::audio_track`].
    pub fn audio_track(mut self, choice: TrackChoice) -> Self {
        self.audio_track = choice;
        self
    }

    /// See [`ClipBuilder::codec_changes`].
    pub fn codec_changes(mut self, codec_changes: CodecChanges) -> Self {
        self.codec_changes = codec_changes;
        self
    }

    /// See [`ClipBuilder::gaps`].
    pub fn gaps(mut self, gaps: Gaps) -> Self {
        self.gaps = gaps;
        self
    }

    /// See [`ClipBuilder::incomplete_input`].
    pub fn incomplete_input(mut self, incomplete_input: IncompleteInput) -> Self {
        self.incomplete_input = incomplete_input;
        self
    }

    /// See [`ClipBuilder::missing_codec_private`].
    pub fn missing_codec_private(mut self, missing_codec_private: MissingCodecPrivate) -> Self {
        self.missing_codec_private = missing_codec_private;
        self
    }

    /// See [`ClipBuilder::range_start`]. A fragment that covers the start is found if it begins at most ten minutes before.
    pub fn range_start(mut self, range_start: RangeStart) -> Self {
        self.range_start = range_start;
        self
    }

    /// See [`ClipBuilder::trim`].
    pub fn trim(mut self, trim: Trim) -> Self {
        self.trim = trim;
        self
    }

    pub(super) fn builder(&self) -> ClipBuilder {
        ClipBuilder::new(self.selector)
            .limits(self.limits)
            .profile(self.profile)
            .video_track(self.video_track)
            .audio_track(self.audio_track)
            .codec_changes(self.codec_changes)
            .gaps(self.gaps)
            .incomplete_input(self.incomplete_input)
            .missing_codec_private(self.missing_codec_private)
            .range_start(self.range_start)
            .trim(self.trim)
    }
}
