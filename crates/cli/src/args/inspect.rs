//! The arguments of `getclip inspect`.

use std::path::PathBuf;

use clap::Args;

use crate::args::EXIT_CODES;

const EXAMPLES: &str = "\
Examples:
  What is in a saved response of GetMedia:
    getclip inspect response.mkv
  The numbers of all fragments in a folder:
    getclip inspect fragments/ --json | jq -r '.fragments[].number'
  A live stream, a line for each fragment as it comes:
    producer | getclip inspect - --json-lines";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct InspectArguments {
    /// Matroska file, folder of fragment files (in the order of their names), or - for standard input
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,

    /// Print one JSON object instead of a table
    #[arg(long)]
    pub(crate) json: bool,

    /// Print one JSON object a line: each fragment and each document as it comes
    #[arg(long, conflicts_with = "json")]
    pub(crate) json_lines: bool,

    /// Read the files of folders inside the folders too
    #[arg(short, long)]
    pub(crate) recursive: bool,
}
