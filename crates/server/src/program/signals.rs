//! Signals that ask the program to stop.

use std::future::Future;

use super::failure::Failure;

/// Done when the process is interrupted or terminated.
#[cfg(unix)]
pub(super) async fn stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

/// Done when the process is interrupted.
#[cfg(not(unix))]
pub(super) async fn stop() {
    drop(tokio::signal::ctrl_c().await);
}

/// What `work` returns, unless a signal comes first.
pub(super) async fn until_interrupted<T>(
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        result = work => result,
        () = stop() => Err(Failure::Interrupted),
    }
}
