//! A progress bar that stays away unless it is needed.

use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Work that is over by then needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// Progress of reading, in bytes: a bar on standard error once reading has taken longer than a second, if standard
/// error is a terminal.
pub(super) struct Progress {
    total: Option<u64>,
    started: Instant,
    is_wanted: bool,
    bar: Mutex<Option<ProgressBar>>,
}

impl Progress {
    /// Progress towards `total` bytes, or towards an unknown end.
    pub(super) fn new(total: Option<u64>) -> Self {
        Self { total, started: Instant::now(), is_wanted: io::stderr().is_terminal(), bar: Mutex::new(None) }
    }

    /// Shows that `position` bytes have been read.
    pub(super) fn set(&self, position: u64) {
        if !self.is_wanted || self.started.elapsed() < PATIENCE {
            return;
        }
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bar.get_or_insert_with(|| {
            let bar = bar_towards(self.total).with_position(position);
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
        if let Some(bar) = self.bar.get_mut().unwrap_or_else(PoisonError::into_inner) {
            bar.finish_and_clear();
        }
    }
}

fn bar_towards(total: Option<u64>) -> ProgressBar {
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
