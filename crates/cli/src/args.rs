//! The command line.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use getclip::{ClipFragmentSelectorType, CodecChanges, Gaps, Limits, Profile, Timestamp};

const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  a file could not be read or written
    2  the command line is wrong
    3  no fragment is in the range
    4  the media was refused
  130  interrupted; nothing was left behind";

const CLIP_EXAMPLES: &str = "\
Examples:
  Everything in a saved answer of GetMedia, up to the limits of GetClip:
    getclip clip answer.mkv -o clip.mp4
  Ten minutes out of a folder of fragments:
    getclip clip fragments/ -o clip.mp4 --start 2024-05-01T12:00:00Z --end 2024-05-01T12:10:00Z
  In a pipe:
    cat *.mkv | getclip clip - -o - | mpv -";

const INSPECT_EXAMPLES: &str = "\
Examples:
  What is in a saved answer of GetMedia:
    getclip inspect answer.mkv
  The numbers of all fragments in a folder:
    getclip inspect fragments/ --json | jq -r '.fragments[].number'";

const EXAMPLES: &str = "\
Examples:
  getclip clip answer.mkv -o clip.mp4
  getclip clip fragments/ -o clip.mp4 --start 2024-05-01T12:00:00Z --end 2024-05-01T12:10:00Z
  getclip inspect answer.mkv";

/// Archived Kinesis Video Streams fragments in, one progressive MP4 out
#[derive(Debug, Parser)]
#[command(name = "getclip", version, after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write the fragments of a range as one MP4
    #[command(after_help = format!("{CLIP_EXAMPLES}\n\n{EXIT_CODES}"))]
    Clip(ClipArguments),
    /// List fragments: when, how long, how large, which tracks, and what is unusual
    #[command(after_help = format!("{INSPECT_EXAMPLES}\n\n{EXIT_CODES}"))]
    Inspect(InspectArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ClipArguments {
    /// Matroska file, folder of fragment files (taken in the order of their names), or - for standard input
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,

    /// The MP4 to write, or - for standard output
    #[arg(short, long = "output", value_name = "OUT")]
    pub(crate) output: PathBuf,

    /// Take fragments that start at T or later: RFC 3339 or Unix seconds [default: 24 hours before --end, or all]
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    pub(crate) start: Option<Timestamp>,

    /// Take fragments that start at T or earlier [default: 24 hours after --start, or all]
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    pub(crate) end: Option<Timestamp>,

    /// The clock that --start and --end mean
    #[arg(long, value_enum, default_value_t = Clock::Producer)]
    pub(crate) by: Clock,

    /// Take at most N fragments
    #[arg(long, value_name = "N", default_value_t = Limits::default().max_fragments)]
    pub(crate) max_fragments: NonZeroUsize,

    /// Write at most N bytes
    #[arg(long, value_name = "N", default_value_t = Limits::default().max_bytes)]
    pub(crate) max_bytes: NonZeroU64,

    /// Which codecs to take: all that play, or those that GetClip documents
    #[arg(long, value_enum, default_value_t = ProfileChoice::Extended)]
    pub(crate) profile: ProfileChoice,

    /// What to do where the codec private data changes inside the clip
    #[arg(long, value_enum, default_value_t = CodecChangesChoice::Refuse)]
    pub(crate) codec_changes: CodecChangesChoice,

    /// What to do where nothing was recorded
    #[arg(long, value_enum, default_value_t = GapsChoice::Keep)]
    pub(crate) gaps: GapsChoice,

    /// Refuse input that ends inside a fragment, instead of keeping its whole frames
    #[arg(long)]
    pub(crate) strict: bool,

    /// Take codec private data that is missing from the first key frame
    #[arg(long)]
    pub(crate) codec_private_from_frames: bool,

    /// Start of the recording, for fragments that carry no producer timestamp
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    pub(crate) origin: Option<Timestamp>,

    /// Form of the report: text on standard error, or one JSON object on standard output (on standard error when
    /// OUT is -)
    #[arg(long, value_enum, default_value_t = ReportForm::Text)]
    pub(crate) report: ReportForm,

    /// Overwrite OUT
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    /// Matroska file, folder of fragment files (taken in the order of their names), or - for standard input
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,

    /// Print one JSON object instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Clock {
    /// When the producer recorded the fragment
    Producer,
    /// When the service received it
    Server,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileChoice {
    /// H.264 or H.265, with AAC, A-law, mu-law or no audio
    Extended,
    /// The table in the documentation of GetClip, to the letter
    Service,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CodecChangesChoice {
    /// Refuse the clip, as GetClip does
    Refuse,
    /// Begin a new sample entry
    NewSampleEntry,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GapsChoice {
    /// The picture before the gap stays
    Keep,
    /// What follows is moved up
    Close,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportForm {
    /// Lines to read
    Text,
    /// One JSON object
    Json,
}

impl From<Clock> for ClipFragmentSelectorType {
    fn from(clock: Clock) -> Self {
        match clock {
            Clock::Producer => Self::ProducerTimestamp,
            Clock::Server => Self::ServerTimestamp,
        }
    }
}

impl From<ProfileChoice> for Profile {
    fn from(choice: ProfileChoice) -> Self {
        match choice {
            ProfileChoice::Extended => Self::Extended,
            ProfileChoice::Service => Self::Service,
        }
    }
}

impl From<CodecChangesChoice> for CodecChanges {
    fn from(choice: CodecChangesChoice) -> Self {
        match choice {
            CodecChangesChoice::Refuse => Self::Refuse,
            CodecChangesChoice::NewSampleEntry => Self::NewSampleEntry,
        }
    }
}

impl From<GapsChoice> for Gaps {
    fn from(choice: GapsChoice) -> Self {
        match choice {
            GapsChoice::Keep => Self::Keep,
            GapsChoice::Close => Self::Close,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }
}
