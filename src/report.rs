//! [`Report`]: all that happened on the way that is not plain.

use std::fmt;

use crate::codec::{AudioCodec, VideoCodec};
use crate::damage::Damage;
use crate::frame_fault::FrameFault;
use crate::human::{Count, Length};
use crate::incomplete::Incomplete;
use crate::number::FragmentName;
use crate::timestamp::Timestamp;

/// What a clip holds and what was done to get there. Nothing happens silently: what is not listed here went through
/// unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Report {
    /// The fragments of the clip, in its order.
    pub fragments: Vec<FragmentReport>,
    /// The tracks of the clip: video, then audio where there is one.
    pub tracks: Vec<TrackReport>,
    /// How long the clip plays, in nanoseconds.
    pub duration_ns: u64,
    /// Fragments that were offered, in the range or not.
    pub offered: u64,
    /// Fragments that start outside the range.
    pub out_of_range: u64,
    /// Set when the range holds more than the limits let through.
    pub cut: Option<Cut>,
    /// Everything else, in the order of the pipeline.
    pub events: Vec<Event>,
    /// Fragments outside the clip of which there would be an event more: incomplete, empty or duplicate ones beyond
    /// the first 1000.
    pub unnamed: u64,
}

/// A fragment of the clip.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct FragmentReport {
    /// What it is called.
    pub name: FragmentName,
    /// When it starts, by the producer's clock, or by its Cluster's timestamp where no tag tells.
    pub producer_timestamp: Timestamp,
    /// When the service received it.
    pub server_timestamp: Option<Timestamp>,
    /// When its first frame is shown, in nanoseconds from the start of the clip.
    pub start_ns: i64,
    /// Frames of all tracks.
    pub frames: u64,
}

/// A track of the clip.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct TrackReport {
    /// Track number, the same in input and output: 1 video, 2 audio.
    pub number: u64,
    /// Codes of its sample entries, such as `avc1`; more than one where the codec private data changes.
    pub sample_entries: Vec<&'static str>,
    /// Samples in it. A sample of G.711 is one PCM frame.
    pub samples: u64,
    /// Bytes of media in it.
    pub bytes: u64,
    /// What only pictures or only sound have.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub details: TrackDetails,
}

/// What a report says of a track of pictures or of sound.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(tag = "type", rename_all = "snake_case"))]
#[non_exhaustive]
pub enum TrackDetails {
    /// Pictures.
    #[non_exhaustive]
    Video {
        /// How they are coded.
        codec: VideoCodec,
        /// Width as decoded, in pixels; 0 if nothing tells it.
        width: u32,
        /// Height as decoded, in pixels; 0 if nothing tells it.
        height: u32,
        /// Samples that decoding can start at.
        sync_samples: u64,
    },
    /// Sound.
    #[non_exhaustive]
    Audio {
        /// How it is coded.
        codec: AudioCodec,
        /// PCM frames per second, in hertz.
        sampling_rate: u32,
        /// Number of channels.
        channels: u16,
    },
}

/// Where the limits cut the clip off.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Cut {
    /// The limit that was reached.
    pub limit: Limit,
    /// The first fragment that was left out.
    pub fragment: FragmentName,
    /// Its start, by the clock of the selection: the start of the range to ask for next. `None` where fragments
    /// carry no timestamp.
    pub continue_from: Option<Timestamp>,
}

/// A limit of [`Limits`](crate::Limits).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Limit {
    /// `max_fragments`.
    Fragments,
    /// `max_bytes`.
    Bytes,
}

/// Something that is not plain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(tag = "event", rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Event {
    /// A fragment was dropped because another has the same producer timestamp and a larger number, or is the same.
    DuplicateDropped {
        /// The fragment that was dropped.
        fragment: FragmentName,
        /// The fragment that stays.
        kept: FragmentName,
    },
    /// The input ends inside a fragment. Its whole frames are in the clip where it was selected.
    Incomplete {
        /// The fragment.
        fragment: FragmentName,
        /// What is missing.
        incomplete: Incomplete,
        /// How many whole frames of it there are.
        frames: u64,
    },
    /// A place of the input could not be read. Whole frames before and after it are kept.
    Damaged {
        /// The fragment that has it; `None` between fragments.
        fragment: Option<FragmentName>,
        /// The place, and what is wrong.
        damage: Damage,
    },
    /// A frame that cannot be parsed as its codec was left out.
    FrameLeftOut {
        /// The fragment.
        fragment: FragmentName,
        /// Track number.
        track: u64,
        /// Presentation time of the frame from the start of its Cluster, in nanoseconds.
        time_ns: i64,
        /// Offset of the frame in the input, in bytes.
        offset: u64,
        /// What is wrong with it.
        fault: FrameFault,
    },
    /// A fragment in the range has no frames of the clip's tracks.
    Empty {
        /// The fragment.
        fragment: FragmentName,
    },
    /// A track that GetClip does not carry was left out.
    TrackIgnored {
        /// Track number.
        track: u64,
        /// Its codec ID.
        codec_id: String,
    },
    /// A fragment does not start on a key frame, so that its first pictures may not be decodable.
    NoKeyFrameFirst {
        /// The fragment.
        fragment: FragmentName,
    },
    /// The codec private data was missing and was taken from the parameter sets in front of the first key frame.
    CodecPrivateFromFrames {
        /// Track number.
        track: u64,
    },
    /// The codec private data changes here, and a second sample entry begins.
    SampleEntryAdded {
        /// The fragment that brings it.
        fragment: FragmentName,
        /// Track number.
        track: u64,
        /// What differs.
        difference: String,
    },
    /// Frames were re-framed with 4-byte NAL lengths, from start codes or from shorter lengths.
    FramingConverted {
        /// Track number.
        track: u64,
        /// How many.
        frames: u64,
    },
    /// In-band parameter sets equal to those of the sample entry were taken out of frames.
    ParameterSetsStripped {
        /// Track number.
        track: u64,
        /// From how many frames.
        frames: u64,
    },
    /// In-band parameter sets differ from the codec private data and were all left in the frames.
    ParameterSetsKept {
        /// Track number.
        track: u64,
        /// In how many frames.
        frames: u64,
    },
    /// NAL units without a byte were taken out.
    EmptyNalsDropped {
        /// Track number.
        track: u64,
        /// How many.
        nals: u64,
    },
    /// Zero bytes after the last NAL unit of frames, too few for another one, were left out.
    PaddingDropped {
        /// Track number.
        track: u64,
        /// From how many frames.
        frames: u64,
    },
    /// Blocks without a picture of their own were joined to the pictures that they belong to.
    BlocksJoined {
        /// Track number.
        track: u64,
        /// How many.
        blocks: u64,
    },
    /// Pictures that shared a block with the one before them are samples of their own.
    PicturesSplit {
        /// Track number.
        track: u64,
        /// How many.
        pictures: u64,
    },
    /// Blocks at the end of fragments that belong to no picture were left out.
    BlocksWithoutPicture {
        /// Track number.
        track: u64,
        /// How many.
        blocks: u64,
    },
    /// ADTS headers were taken off AAC frames.
    AdtsStripped {
        /// Track number.
        track: u64,
        /// From how many frames.
        frames: u64,
    },
    /// A fragment overlaps those before it and was moved, all its tracks together.
    Moved {
        /// The fragment.
        fragment: FragmentName,
        /// By how much later it is than its own timestamps say, in nanoseconds.
        by_ns: i64,
    },
    /// The producer's clock was set back inside a fragment. What follows in it was moved to follow what is before.
    SteppedBack {
        /// The fragment.
        fragment: FragmentName,
        /// Track number.
        track: u64,
        /// When the first frame after the first step is shown, in nanoseconds from the start of the clip.
        at_ns: i64,
        /// How often it was set back.
        times: u64,
        /// By how much later than its own timestamps the end of the fragment is, in nanoseconds.
        by_ns: i64,
    },
    /// One track has no frames for a time in which the other goes on.
    TrackGap {
        /// The fragment in which the track goes on; at the end of the clip, the first without frames of it.
        fragment: FragmentName,
        /// Track number.
        track: u64,
        /// When the track stops, in nanoseconds from the start of the clip.
        at_ns: i64,
        /// How long there are no frames, in nanoseconds.
        duration_ns: u64,
    },
    /// Leading pictures at the start of the clip cannot be decoded. They are in the track and not presented.
    LeadingPicturesNotShown {
        /// Track number.
        track: u64,
        /// How many.
        frames: u64,
    },
    /// Nothing was recorded in front of a fragment.
    Gap {
        /// The fragment behind the gap.
        fragment: FragmentName,
        /// How long the gap is, in nanoseconds.
        duration_ns: u64,
        /// Whether it was closed: the fragment, and what follows, is earlier by the length of the gap.
        closed: bool,
    },
    /// Frames of one time were set apart by one tick of the media timescale each.
    CollisionsSpread {
        /// Track number.
        track: u64,
        /// How many frames.
        frames: u64,
    },
    /// Audio frames follow each other by their length, not by their timestamps' jitter. Where the two had drifted
    /// apart by more than the tolerance, the frames were set to their timestamps again.
    AudioReanchored {
        /// The fragment.
        fragment: FragmentName,
        /// Track number.
        track: u64,
        /// Where, the first time, in nanoseconds from the start of the clip.
        at_ns: i64,
        /// How often in this fragment.
        times: u64,
        /// The tolerance, in nanoseconds.
        tolerance_ns: u64,
    },
    /// Sound overlaps what is before it, or G.711 runs longer than its timestamps say. It was neither cut nor
    /// squeezed.
    AudioLate {
        /// Track number.
        track: u64,
        /// By how much at the most, in nanoseconds.
        by_ns: i64,
    },
    /// Audio frames follow each other by their length, and their timestamps do not within rounding.
    AudioOffTimestamps {
        /// Track number.
        track: u64,
        /// How far any frame is off its timestamp, at most, in nanoseconds.
        by_ns: u64,
    },
    /// A track declares a TrackTimestampScale other than 1, which RFC 9559 deprecates. It was not applied.
    TrackTimestampScaleIgnored {
        /// Track number.
        track: u64,
        /// The scale, as text.
        scale: String,
    },
    /// A track is declared and has no frame in the clip; it was left out.
    TrackEmpty {
        /// Track number.
        track: u64,
    },
    /// The clip was [trimmed to the range](crate::Trim::ToRange).
    Trimmed {
        /// Frames of all tracks that were left out.
        left_out: u64,
        /// Pictures before the range that are decoded and not shown.
        not_shown: u64,
    },
    /// The times of the video lie on an exact cadence within the rounding of the input, and were set to it.
    CadenceRestored {
        /// Track number.
        track: u64,
        /// Frames per second: numerator and denominator.
        rate: (u32, u32),
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateDropped { fragment, kept } if fragment == kept => {
                write!(f, "fragment {fragment}: offered twice, taken once")
            }
            Self::DuplicateDropped { fragment, kept } => {
                write!(f, "fragment {fragment}: dropped, a duplicate of {kept}")
            }
            Self::Incomplete { fragment, incomplete, frames } => {
                let frames = Count(*frames, "whole frame");
                write!(f, "fragment {fragment}: incomplete, {frames} kept: {incomplete}")
            }
            Self::Damaged { fragment: Some(fragment), damage } => {
                write!(f, "fragment {fragment}: damaged at {damage}")
            }
            Self::Damaged { fragment: None, damage } => write!(f, "damaged input at {damage}"),
            Self::FrameLeftOut { fragment, track, time_ns, offset, fault } => write!(
                f,
                "fragment {fragment}, track {track}: frame at {} ms left out (byte {offset}): {fault}",
                time_ns.div_euclid(1_000_000)
            ),
            Self::Empty { fragment } => write!(f, "fragment {fragment}: no frames, left out"),
            Self::TrackIgnored { track, codec_id } => write!(f, "track {track}: {codec_id} left out"),
            Self::NoKeyFrameFirst { fragment } => {
                write!(f, "fragment {fragment}: does not start on a key frame")
            }
            Self::CodecPrivateFromFrames { track } => write!(
                f,
                "track {track}: no codec private data, taken from the parameter sets of the first key frame"
            ),
            Self::SampleEntryAdded { fragment, track, difference } => {
                write!(f, "fragment {fragment}, track {track}: new sample entry, {difference}")
            }
            Self::FramingConverted { track, frames } => {
                let frames = Count(*frames, "frame");
                write!(f, "track {track}: {frames} re-framed with 4-byte NAL lengths")
            }
            Self::ParameterSetsStripped { track, frames } => {
                let frames = Count(*frames, "frame");
                write!(f, "track {track}: parameter sets equal to the sample entry's taken out of {frames}")
            }
            Self::ParameterSetsKept { track, frames } => {
                let frames = Count(*frames, "frame");
                write!(
                    f,
                    "track {track}: parameter sets that differ from the codec private data kept in {frames}"
                )
            }
            Self::EmptyNalsDropped { track, nals } => {
                write!(f, "track {track}: {} dropped", Count(*nals, "empty NAL unit"))
            }
            Self::PaddingDropped { track, frames } => {
                write!(
                    f,
                    "track {track}: zero bytes after the last NAL unit of {} dropped",
                    Count(*frames, "frame")
                )
            }
            Self::BlocksJoined { track, blocks } => {
                let blocks = Count(*blocks, "block");
                write!(
                    f,
                    "track {track}: {blocks} without a picture joined to the pictures that they belong to"
                )
            }
            Self::PicturesSplit { track, pictures } => {
                let pictures = Count(*pictures, "picture");
                write!(f, "track {track}: {pictures} split from the block of the picture before")
            }
            Self::BlocksWithoutPicture { track, blocks } => {
                let blocks = Count(*blocks, "block");
                write!(f, "track {track}: {blocks} that belong to no picture left out")
            }
            Self::AdtsStripped { track, frames } => {
                write!(f, "track {track}: ADTS headers taken off {}", Count(*frames, "frame"))
            }
            Self::Moved { fragment, by_ns } => {
                let by = Length(by_ns.unsigned_abs());
                write!(f, "fragment {fragment}: overlaps what is before it, moved {by} later")
            }
            Self::SteppedBack { fragment, track, at_ns, times, by_ns } => {
                let (at, by) = (Length(at_ns.unsigned_abs()), Length(by_ns.unsigned_abs()));
                let steps = Count(*times, "time");
                write!(
                    f,
                    "fragment {fragment}, track {track}: its clock was set back {steps}, first at {at} of the clip; \
                     what follows moved {by} later"
                )
            }
            Self::TrackGap { fragment, track, at_ns, duration_ns } => {
                let (at, duration) = (Length(at_ns.unsigned_abs()), Length(*duration_ns));
                write!(
                    f,
                    "fragment {fragment}, track {track}: no frames for {duration} from {at} of the clip on"
                )
            }
            Self::LeadingPicturesNotShown { track, frames } => {
                let pictures = Count(*frames, "leading picture");
                write!(f, "track {track}: {pictures} at the start cannot be decoded, not shown")
            }
            Self::Gap { fragment, duration_ns, closed } => {
                let what = if *closed { "closed" } else { "kept; --gaps close (Gaps::Close) removes it" };
                write!(f, "fragment {fragment}: gap of {} before it, {what}", Length(*duration_ns))
            }
            Self::CollisionsSpread { track, frames } => {
                write!(f, "track {track}: {} of equal time set apart", Count(*frames, "frame"))
            }
            Self::AudioReanchored { fragment, track, at_ns, times, tolerance_ns } => {
                let (times, tolerance) = (Count(*times, "time"), Length(*tolerance_ns));
                let at = Length(at_ns.unsigned_abs());
                write!(
                    f,
                    "fragment {fragment}, track {track}: set to its timestamps again {times}, first at {at} of the \
                     clip, when more than {tolerance} off"
                )
            }
            Self::AudioOffTimestamps { track, by_ns } => {
                let by = Length(*by_ns);
                write!(f, "track {track}: laid by the length of its frames, up to {by} off its timestamps")
            }
            Self::AudioLate { track, by_ns } => {
                write!(f, "track {track}: up to {} later than its timestamps", Length(by_ns.unsigned_abs()))
            }
            Self::Trimmed { left_out, not_shown } => write!(
                f,
                "trimmed to the range: {} left out, {} decoded and not shown",
                Count(*left_out, "frame"),
                Count(*not_shown, "picture")
            ),
            Self::TrackTimestampScaleIgnored { track, scale } => write!(
                f,
                "track {track}: expected a TrackTimestampScale of 1, found {scale}, not applied: times are as in the blocks"
            ),
            Self::TrackEmpty { track } => write!(f, "track {track}: no frames, left out"),
            Self::CadenceRestored { track, rate: (numerator, denominator) } => {
                write!(f, "track {track}: exact cadence of {numerator}/{denominator} frames per second")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Defect of old: "gap of 89999.661017 ms".
    #[test]
    fn lengths_are_told_as_a_person_would() {
        let fragment = FragmentName::Position(1);
        let gap = Event::Gap { fragment: fragment.clone(), duration_ns: 89_999_661_017, closed: false };
        assert_eq!(
            gap.to_string(),
            "fragment #2: gap of 90 s before it, kept; --gaps close (Gaps::Close) removes it"
        );
        let moved = Event::Moved { fragment, by_ns: 33_333_333 };
        assert_eq!(moved.to_string(), "fragment #2: overlaps what is before it, moved 33 ms later");
    }

    #[test]
    fn one_is_no_plural() {
        let event = Event::FramingConverted { track: 1, frames: 1 };
        assert_eq!(event.to_string(), "track 1: 1 frame re-framed with 4-byte NAL lengths");
        let event = Event::FramingConverted { track: 1, frames: 2 };
        assert_eq!(event.to_string(), "track 1: 2 frames re-framed with 4-byte NAL lengths");
    }
}
