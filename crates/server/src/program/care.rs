//! The commands `check` and `prune`, and what a server does of them by itself.

use std::time::Duration;

use getclip_archive::{Archive, CheckOptions};
use tracing::{info, warn};

use super::args::{CheckArguments, PruneArguments};
use super::failure::Failure;
use super::open;
use super::text::{count, print, printable, size};

/// Prints each finding, then how many there were.
pub(super) async fn check(arguments: CheckArguments) -> Result<(), Failure> {
    let archive = open(&arguments.archive).await?;
    let options = CheckOptions::default()
        .repair(arguments.repair)
        .media(arguments.media)
        .stream(arguments.stream.clone());
    let mut printed = Ok(());
    let summary = archive
        .check(&options, &mut |finding| {
            if printed.is_ok() {
                printed = print(&format!("{}\n", printable(&finding.to_string())));
            }
        })
        .await?;
    printed?;
    print(&format!(
        "{}, {}: {}, {} repaired\n",
        count(summary.streams, "stream"),
        count(summary.fragments, "fragment"),
        count(summary.findings, "finding"),
        summary.repaired
    ))?;
    match summary.findings.saturating_sub(summary.repaired) {
        0 => Ok(()),
        unrepaired => Err(Failure::Unrepaired(unrepaired)),
    }
}

/// Prunes, and says what was deleted.
pub(super) async fn prune(arguments: PruneArguments) -> Result<(), Failure> {
    let archive = open(&arguments.archive).await?;
    let summary = archive.prune().await?;
    print(&format!(
        "{}: {} deleted ({}), {} of deleted streams\n",
        count(summary.streams, "stream"),
        count(summary.fragments, "fragment"),
        size(summary.bytes),
        count(summary.objects_of_deleted_streams, "object")
    ))
}

/// Prunes each time that `interval` has passed. Any replica does, and several at once do no harm.
pub(super) async fn prune_repeatedly(archive: Archive, interval: Duration) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match archive.prune().await {
            Ok(summary) if summary.fragments + summary.objects_of_deleted_streams == 0 => {}
            Ok(summary) => {
                let objects = summary.objects_of_deleted_streams;
                info!(fragments = summary.fragments, bytes = summary.bytes, objects, "pruned");
            }
            Err(error) => warn!(%error, "pruning failed, and goes on later"),
        }
    }
}

/// Time between two runs of [`index_repeatedly`].
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Makes the derived index of each hour after it is closed. Clips make them too, from what they read: made in advance, they
/// speed up the first long clip. Any replica does, and several at once do no harm.
pub(super) async fn index_repeatedly(archive: Archive) {
    let mut ticks = tokio::time::interval(HOUR);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match archive.index_closed_hours().await {
            Ok(0) => {}
            Ok(hours) => info!(hours, "indexed closed hours"),
            Err(error) => warn!(%error, "indexing closed hours failed, and goes on later"),
        }
    }
}
