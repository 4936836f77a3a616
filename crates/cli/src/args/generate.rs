//! The arguments of `getclip generate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::args::EXIT_CODES;

const EXAMPLES: &str = "\
Examples:
  Ten seconds of H.264 and AAC, as GetMedia returns them:
    getclip generate -o test.mkv
  H.265 with A-law, with a gap and a cut-off end:
    getclip generate -o odd.mkv --video h265 --audio alaw --shape gap,truncated
  What a producer sends to PutMedia, to clip at once:
    getclip generate -o - --form upload | getclip clip - -o clip.mp4";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct GenerateArguments {
    /// The Matroska file to write, or - for standard output
    #[arg(short, long = "output", value_name = "OUT")]
    pub(crate) output: PathBuf,

    /// Codec of track 1: 25 pictures a second of 160x90
    #[arg(long, value_enum, default_value_t = VideoChoice::H264)]
    pub(crate) video: VideoChoice,

    /// Codec of track 2: a tone of 1000 Hz
    #[arg(long, value_enum, default_value_t = AudioChoice::Aac)]
    pub(crate) audio: AudioChoice,

    /// How many fragments
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) fragments: u32,

    /// Length of a fragment in seconds
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub(crate) seconds: u32,

    /// When the first fragment starts
    #[arg(long, value_name = "TIME", default_value = "2024-05-01T12:00:00Z", allow_hyphen_values = true)]
    pub(crate) start: String,

    /// Who would have written it
    #[arg(long, value_enum, default_value_t = FormChoice::Getmedia)]
    pub(crate) form: FormChoice,

    /// What is unusual about it
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) shape: Vec<Shape>,

    /// Overwrite OUT
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum VideoChoice {
    /// H.264 High, a key frame every second
    H264,
    /// H.265 Main, a key frame every second
    H265,
    /// No track 1
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AudioChoice {
    /// AAC-LC, 48 kHz, one channel
    Aac,
    /// G.711 A-law, 8 kHz, one channel
    Alaw,
    /// G.711 mu-law, 8 kHz, one channel
    Mulaw,
    /// No track 2
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormChoice {
    /// GetMedia: a document for each fragment, with tags before its Cluster
    Getmedia,
    /// A producer: one document with a Cluster for each fragment, without tags
    Upload,
    /// AWS's merger: one document with tags before each Cluster
    Merged,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    /// 2 s are missing before the last fragment
    Gap,
    /// The last fragment starts half a second early
    Overlap,
    /// The first fragment comes twice
    Duplicate,
    /// The last fragment comes first
    Shuffled,
    /// The file ends inside the last frame
    Truncated,
    /// The video has start codes instead of lengths
    AnnexB,
    /// The tracks have no codec private data
    NoCodecPrivate,
    /// Cluster timestamps count from 0 instead of 1970
    Relative,
}
