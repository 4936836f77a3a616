//! The program: its command line, and what each command does.

mod args;
mod care;
mod config_file;
mod failure;
mod import;
mod inputs;
mod inspect;
mod link;
mod logging;
mod progress;
mod serve;
mod signals;
mod text;

use std::future::Future;
use std::process::ExitCode;

use getclip_archive::{Archive, Settings};

use self::args::{ArchiveArguments, Command};
use self::failure::Failure;

/// Runs the command of the command line.
pub(crate) fn run() -> ExitCode {
    let result = config_file::parse_arguments().and_then(|arguments| match arguments.command {
        Command::Serve(serve) => block_on(serve::run(*serve)),
        Command::Import(import) => block_on(signals::until_interrupted(import::run(import))),
        Command::Streams(streams) => block_on(inspect::streams(streams)),
        Command::Fragments(fragments) => block_on(inspect::fragments(fragments)),
        Command::Check(check) => block_on(signals::until_interrupted(care::check(check))),
        Command::Prune(prune) => block_on(signals::until_interrupted(care::prune(prune))),
        Command::Link(link) => link::run(&link),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::io("threads", error))?;
    let result = runtime.block_on(future);
    // What is still under way, such as a read of a terminal, is not waited for.
    runtime.shutdown_background();
    result
}

async fn open(arguments: &ArchiveArguments) -> Result<Archive, Failure> {
    let settings = Settings::default()
        .connections(arguments.store_connections)
        .cached_plan_bytes(arguments.cached_plan_bytes);
    Ok(Archive::open(&arguments.archive, settings).await?)
}
