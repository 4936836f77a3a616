//! `getclip`: archived Kinesis Video Streams fragments in, one progressive MP4 out.
//!
//! `getclip clip` writes the clip, `getclip inspect` shows what fragments there are. `getclip --help` has an example
//! for each.
//!
//! # Exit codes
//! | code | meaning |
//! |---|---|
//! | 0 | done; also when the reader of standard output had enough and closed it |
//! | 1 | a file could not be read or written |
//! | 2 | the command line is wrong |
//! | 3 | no fragment is in the range |
//! | 4 | the media was refused |
//! | 130 | interrupted; nothing was left behind |
//!
//! A failure is one line on standard error, `getclip: FILE: message`. Where it is about the media, the line ends with
//! the name of the exception that GetClip raises for it.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod args;
mod clip;
mod failure;
mod file_id;
mod frame_times;
mod generate;
mod input;
mod inspect;
mod interrupt;
mod output;
mod preallocation;
mod progress;
mod recording;
mod report;
mod shell;
mod stdin;
mod stdout;
mod stream;
mod text;
mod time;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Arguments, Command};

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Clip(arguments) => clip::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Generate(arguments) => generate::run(&arguments),
        Command::Completions(arguments) => shell::completions(&arguments),
        Command::Man(arguments) => shell::man(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
