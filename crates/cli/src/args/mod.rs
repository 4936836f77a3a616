//! The command line.

mod clip;
mod generate;
mod inspect;
mod size;

use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use clip::{ClipArguments, ReportForm};
pub(crate) use generate::{AudioChoice, FormChoice, GenerateArguments, Shape, VideoChoice};
pub(crate) use inspect::InspectArguments;

const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  a file could not be read or written
    2  the command line is wrong
    3  no fragment is in the range
    4  the media was refused
  130  interrupted; nothing was left behind";

const EXAMPLES: &str = "\
Examples:
  getclip clip response.mkv -o clip.mp4
  getclip clip fragments/ -o clip.mp4 --start 2024-05-01T12:00:00Z --duration 10m
  getclip inspect response.mkv";

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
    Clip(Box<ClipArguments>),
    /// List fragments: when, how long, how large, which tracks, and what is unusual
    Inspect(InspectArguments),
    /// Write a small test recording out of built-in frames
    Generate(GenerateArguments),
    /// Print a completion script for a shell
    Completions(CompletionsArguments),
    /// Print a manual page
    Man(ManArguments),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  getclip completions bash > ~/.local/share/bash-completion/completions/getclip
  getclip completions zsh > ~/.zfunc/_getclip
  getclip completions fish > ~/.config/fish/completions/getclip.fish")]
pub(crate) struct CompletionsArguments {
    /// The shell to complete in
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  getclip man > ~/.local/share/man/man1/getclip.1
  getclip man clip > ~/.local/share/man/man1/getclip-clip.1")]
pub(crate) struct ManArguments {
    /// The command to describe [default: getclip itself]
    pub(crate) command: Option<String>,
}

/// Reads an option of the library by the name that the library gives it.
fn by_name<T>(all: &'static [T], name: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = getclip::Error> + Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(all.iter().map(|&value| name(value))).try_map(|text| text.parse())
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
