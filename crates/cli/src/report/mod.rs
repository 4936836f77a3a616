//! What a run of `clip` reports: as lines to read, or as one JSON object.

mod json;
mod text;

use getclip::{Event, Report};

use crate::input::LeftOut;
use crate::recording::{Damaged, Found, Reason, Stopped, Truncated};
use crate::text::count;
use crate::time::TimeRange;
pub(crate) use json::{clip as json, failure, json_left_out, parts as json_parts, parts_failure};
pub(crate) use text::{Amount, clip as text, part as text_part, parts as text_parts};

/// What was asked for, and what was read.
pub(crate) struct RunReport<'a> {
    pub(crate) range: &'a TimeRange,
    pub(crate) found: &'a Found,
    pub(crate) left_out: &'a [LeftOut],
}

/// A clip that was written.
pub(crate) struct Written {
    /// Name of the output.
    pub(crate) output: String,
    /// Length of the clip.
    pub(crate) bytes: u64,
    pub(crate) report: Report,
}

/// How many fragments were read for several clips.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offered {
    pub(crate) offered: u64,
    pub(crate) out_of_range: u64,
}

/// A truncated file as a message describes it.
fn describe_truncated(truncated: &Truncated) -> String {
    let Truncated { file, fragment, frames, incomplete } = truncated;
    let frames = count(*frames, "whole frame");
    format!("{file}: incomplete, {frames} of fragment {fragment} kept: {incomplete}")
}

/// A damaged place as a message describes it.
fn describe_damaged(damaged: &Damaged) -> String {
    let Damaged { file, fragment, damage } = damaged;
    match fragment {
        Some(fragment) => format!("{file}: fragment {fragment} is damaged at {damage}"),
        None => format!("{file}: damaged at {damage}"),
    }
}

/// Whether an event is listed with its file instead.
fn is_about_a_file(event: &Event) -> bool {
    matches!(event, Event::Incomplete { .. } | Event::Damaged { .. })
}

/// The file that an event is about, if there are several and the fragment tells which.
fn file_of<'a>(event: &Event, found: &'a Found) -> Option<&'a str> {
    match event {
        Event::FrameLeftOut { fragment, .. } => found.files.get(fragment).map(String::as_str),
        _ => None,
    }
}

/// A pipe that was left early as a message describes it.
fn describe_stopped(stopped: &Stopped) -> String {
    let Stopped { file, bytes_read, fragment, reason } = stopped;
    let bytes = count(*bytes_read, "byte");
    let why = match reason {
        Reason::AfterTheEnd => "starts after the end of the range",
        Reason::Limit => "is one more than the limit of fragments (--max-fragments)",
    };
    format!(
        "{file}: stopped reading after {bytes}: fragment {fragment} {why}, and all fragments came in the order of \
         number and time (--read-all reads to the end)"
    )
}
