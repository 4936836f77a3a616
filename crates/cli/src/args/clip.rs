//! The arguments of `getclip clip`.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use getclip::{ClipFragmentSelectorType, CodecChanges, Gaps, Limits, Profile, TrackChoice};

use crate::args::{EXIT_CODES, by_name, size};

const EXAMPLES: &str = "\
Examples:
  Everything in a saved response of GetMedia, up to the limits of GetClip:
    getclip clip response.mkv -o clip.mp4
  Ten minutes out of a folder of fragments:
    getclip clip fragments/ -o clip.mp4 --start 2024-05-01T12:00:00Z --duration 10m
  In a pipe:
    cat *.mkv | getclip clip - -o - | mpv -";

const TIMES: &str = "\
Times:
  2024-05-01T12:00:00.5Z, 2024-05-01 14:00:00+02:00    RFC 3339, with any fraction
  2024-05-01 14:00:00, 2024-05-01                      local time; a date is the whole day
  now, -10m, -1h30m                                    relative to now
  1714564800, @1714564800.5, 1714564800000             Unix seconds, or milliseconds by their size";

#[derive(Debug, Args)]
#[command(after_help = format!("{TIMES}\n\n{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct ClipArguments {
    /// Matroska file, folder of fragment files (in the order of their names), or - for standard input
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,

    /// The MP4 to write, or - for standard output
    #[arg(short, long = "output", value_name = "OUT")]
    pub(crate) output: PathBuf,

    /// Take fragments that start at TIME or later [default: from the first]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) start: Option<String>,

    /// Take fragments that start at TIME or earlier [default: to the last]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) end: Option<String>,

    /// Length of the range, with --start or --end: 10m, 1h30m, 90 (seconds)
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(crate) duration: Option<String>,

    /// The clock that --start and --end refer to
    #[arg(long, value_parser = by_name(ClipFragmentSelectorType::ALL, ClipFragmentSelectorType::name),
        default_value_t = ClipFragmentSelectorType::ProducerTimestamp)]
    pub(crate) by: ClipFragmentSelectorType,

    /// Begin with the fragment that contains the start of the range
    #[arg(long)]
    pub(crate) cover: bool,

    /// Play exactly the range: --cover, and the frames outside it are not shown
    #[arg(long)]
    pub(crate) exact: bool,

    /// Take the pictures of track N [default: 1, or the first track with pictures]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    video_track: Option<u64>,

    /// Take the sound of track N [default: 2, or the first track with sound]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    audio_track: Option<u64>,

    /// Take no pictures: sound alone, as a recording without pictures has it
    #[arg(long, conflicts_with = "video_track")]
    no_video: bool,

    /// Take no sound
    #[arg(long, conflicts_with_all = ["audio_track", "no_video"])]
    no_audio: bool,

    /// Write as many clips as the range needs, each within the limits: OUT has %d or %03d for their numbers
    #[arg(long)]
    pub(crate) parts: bool,

    /// The limits of GetClip (200 fragments, 100 MB), or none
    #[arg(long, value_enum, default_value_t = LimitsChoice::Getclip)]
    limits: LimitsChoice,

    /// Take at most N fragments [default: 200, or as --limits sets it]
    #[arg(long, value_name = "N")]
    max_fragments: Option<NonZeroUsize>,

    /// Write at most N bytes: 100000000, 100MB, 64MiB [default: 100MB, or as --limits sets it]
    #[arg(long, value_name = "N", value_parser = size::parse)]
    max_bytes: Option<NonZeroU64>,

    /// Which codecs to take: all that play, or to the letter those that GetClip documents
    #[arg(long, value_parser = by_name(Profile::ALL, Profile::name), default_value_t)]
    pub(crate) profile: Profile,

    /// What to do where the codec private data changes: refuse the clip, as GetClip does, or begin a new sample entry
    #[arg(long, value_parser = by_name(CodecChanges::ALL, CodecChanges::name), default_value_t)]
    pub(crate) codec_changes: CodecChanges,

    /// What to do where nothing was recorded: keep the picture before, or close the gap
    #[arg(long, value_parser = by_name(Gaps::ALL, Gaps::name), default_value_t)]
    pub(crate) gaps: Gaps,

    /// Refuse input that is truncated or damaged, as GetClip does, instead of keeping what is whole
    #[arg(long)]
    pub(crate) strict: bool,

    /// Take codec private data that is missing from the first key frame
    #[arg(long)]
    pub(crate) codec_private_from_frames: bool,

    /// Start of the recording, for fragments that carry no producer timestamp
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) recording_start: Option<String>,

    /// Read the files of folders inside the folders too
    #[arg(short, long)]
    pub(crate) recursive: bool,

    /// Read a pipe to its end, also when its order shows that nothing more can be in the range
    #[arg(long)]
    pub(crate) read_all: bool,

    /// Form of the report: text on standard error, or one JSON object on standard output (on standard error when
    /// OUT is -)
    #[arg(long, value_enum, default_value_t = ReportForm::Text)]
    pub(crate) report: ReportForm,

    /// Print nothing but errors (and the JSON of --report json)
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// List every fragment and every event
    #[arg(short, long)]
    pub(crate) verbose: bool,

    /// Overwrite OUT
    #[arg(long)]
    pub(crate) force: bool,
}

impl ClipArguments {
    /// The tracks of the pictures and of the sound. A clip to the letter has those of GetClip.
    pub(crate) fn tracks(&self) -> (TrackChoice, TrackChoice) {
        let usual = match self.profile {
            Profile::Service => TrackChoice::Service,
            _ => TrackChoice::Available,
        };
        let choose = |is_absent: bool, number: Option<u64>| match (is_absent, number) {
            (true, _) => TrackChoice::Absent,
            (false, Some(number)) => TrackChoice::Number(number),
            (false, None) => usual,
        };
        (choose(self.no_video, self.video_track), choose(self.no_audio, self.audio_track))
    }

    /// `--limits`, and what is set otherwise beside it.
    pub(crate) fn limits(&self) -> Limits {
        let mut limits = match self.limits {
            LimitsChoice::Getclip => Limits::default(),
            LimitsChoice::None => Limits::NONE,
        };
        if let Some(max_fragments) = self.max_fragments {
            limits = limits.with_max_fragments(max_fragments);
        }
        if let Some(max_bytes) = self.max_bytes {
            limits = limits.with_max_bytes(max_bytes);
        }
        limits
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LimitsChoice {
    /// 200 fragments and 100 MB
    Getclip,
    /// As much as the range holds
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportForm {
    /// Lines to read
    Text,
    /// One JSON object
    Json,
}
