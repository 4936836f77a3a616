//! A progress bar that stays away unless it is needed.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Work that is over by then needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// Progress of reading, in bytes: a bar on standard error once reading has taken longer than a second, if standard
/// error is a terminal.
pub(crate) struct Progress {
    total: Option<u64>,
    started: Instant,
    wanted: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Progress towards `total` bytes, or towards an unknown end, unless it is not `wanted` at all.
    pub(crate) fn new(total: Option<u64>, wanted: bool) -> Self {
        let wanted = wanted && io::stderr().is_terminal();
        Self { total, started: Instant::now(), wanted, bar: None }
    }

    /// Shows that `position` bytes have been read.
    pub(crate) fn set(&mut self, position: u64) {
        if !self.wanted || (self.bar.is_none() && self.started.elapsed() < PATIENCE) {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = bar(self.total).with_position(position);
            // What was read before the bar appeared did not take no time.
            bar.reset_eta();
            bar
        });
        bar.set_position(position);
    }
}

/// What follows on standard error begins on a clean line.
impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{wide_bar} {bytes} of {total_bytes}, {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes}"),
    };
    // A template that does not parse would leave the default style, which is no reason to stop.
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
