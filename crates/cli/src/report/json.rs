//! The report of a clip as one JSON object: the library's own, and what the program adds.
//!
//! Names do not change their meaning; names can be added.
//! ```text
//! fragments[]   name, producer_timestamp, server_timestamp, start_ns, frames
//! tracks[]      number, type ("video", "audio"), codec, sample_entries[], samples, bytes, width, height, sync_samples
//!               (video), sampling_rate, channels (audio)
//! duration_ns   how long the clip plays
//! offered       fragments in the input
//! out_of_range  of these, those that start outside the range
//! cut           null, or limit ("fragments", "bytes"), fragment, continue_from
//! events[]      event, text, and what the event is about
//! unnamed       fragments outside the clip that the events do not name, because there are too many
//! output        path, bytes
//! range         start, end (null where open), by ("producer", "server"), notes[]: how times were understood
//! split         null, or the fragment inside which the range starts: fragment, start, lost_ns, text
//! truncated[]   files that end inside a fragment: file, fragment, frames (kept), offset, element, missing_bytes, text
//! damaged[]     places that cannot be read: file, fragment, offset, skipped_bytes, track, fault, text
//! stopped[]     pipes that were not read to their end: file, bytes_read, fragment, reason ("after_the_end", "limit"),
//!               text
//! left_out[]    files that were not read: path, reason
//! ```
//! A run with `--parts` has parts[], each with what stands above up to output, but for offered and out_of_range, which
//! are those of the run. A run that fails prints
//! ```text
//! error         file, text, exit_code, exception and http_status (null where it is not the media's fault), fragment,
//!               track, offset
//! parts[]       clips that were written before, with --parts
//! ```
//! Times are RFC 3339 in UTC. A name that ends in `_ns` is a number of nanoseconds.

use getclip::Report;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::input::LeftOut;
use crate::recording::{Damaged, Reason, Split, Stopped, Truncated};
use crate::report::{
    Offered, RunReport, Written, describe_damaged, describe_stopped, describe_truncated, file_of,
};
use crate::time::TimeRange;

/// The report of a run that wrote one clip, on one line.
pub(crate) fn clip(run: &RunReport<'_>, clip: &Written) -> String {
    let mut object = written(clip);
    if let Some(Value::Array(events)) = object.get_mut("events") {
        for (object, event) in events.iter_mut().zip(&clip.report.events) {
            if let Some(file) = file_of(event, run.found) {
                add(object, [("file", json!(file))]);
            }
        }
    }
    add_input(&mut object, run);
    format!("{object}\n")
}

/// The report of a run that wrote several clips, on one line.
pub(crate) fn parts(run: &RunReport<'_>, clips: &[Written], offered: Offered) -> String {
    let Offered { offered, out_of_range } = offered;
    let mut object = json!({"parts": json_parts(clips), "offered": offered, "out_of_range": out_of_range});
    add_input(&mut object, run);
    format!("{object}\n")
}

/// A failure, and the clips that were written before it.
pub(crate) fn parts_failure(cause: &Failure, clips: &[Written]) -> Value {
    let mut object = failure(cause);
    add(&mut object, [("parts", json_parts(clips))]);
    object
}

/// Each clip without the numbers that are those of the whole run.
fn json_parts(clips: &[Written]) -> Value {
    let part = |clip| {
        let mut object = written(clip);
        if let Value::Object(members) = &mut object {
            members.remove("offered");
            members.remove("out_of_range");
        }
        object
    };
    clips.iter().map(part).collect()
}

/// A clip: the library's report, and the file.
fn written(clip: &Written) -> Value {
    let Written { output, bytes, report } = clip;
    let mut object = library_report(report);
    add(&mut object, [("output", json!({"path": output, "bytes": bytes}))]);
    object
}

/// Adds what was asked for, and what was read.
fn add_input(object: &mut Value, run: &RunReport<'_>) {
    let RunReport { range, found, left_out } = run;
    add(
        object,
        [
            ("range", json_range(range)),
            ("split", json!(found.coverage.split.as_ref().map(split))),
            ("truncated", found.truncated.iter().map(truncated).collect()),
            ("damaged", found.damaged.iter().map(damaged).collect()),
            ("stopped", found.stopped.iter().map(stopped).collect()),
            ("left_out", left_out.iter().map(json_left_out).collect()),
        ],
    );
}

/// All that the library reports, whatever it is, and the text of each event.
fn library_report(report: &Report) -> Value {
    // A report is made of numbers, texts and lists, which JSON has.
    let mut object = serde_json::to_value(report).unwrap_or_default();
    if let Some(Value::Array(events)) = object.get_mut("events") {
        for (object, event) in events.iter_mut().zip(&report.events) {
            add(object, [("text", json!(event.to_string()))]);
        }
    }
    object
}

/// A failure, in place of the report.
pub(crate) fn failure(failure: &Failure) -> Value {
    let mut object = json!({
        "file": null, "text": failure.to_string(), "exit_code": failure.exit_code(),
        "exception": null, "http_status": null, "fragment": null, "track": null, "offset": null,
    });
    match failure {
        Failure::Media { file, error, detail } => {
            let location = error.location();
            add(
                &mut object,
                [
                    ("file", json!(file)),
                    ("text", json!(format!("{error}{detail}"))),
                    ("exception", json!(error.exception().name())),
                    ("http_status", json!(error.exception().http_status())),
                    ("fragment", json!(location.fragment)),
                    ("track", json!(location.track)),
                    ("offset", json!(location.offset)),
                ],
            );
        }
        Failure::Io { file, error } => {
            add(&mut object, [("file", json!(file)), ("text", json!(error.to_string()))]);
        }
        Failure::Usage { .. } | Failure::StdoutClosed | Failure::Reported { .. } => {}
    }
    json!({ "error": object })
}

fn json_range(range: &TimeRange) -> Value {
    json!({"start": range.start, "end": range.end, "by": range.by.name(), "notes": range.notes})
}

fn split(split: &Split) -> Value {
    json!({
        "fragment": split.fragment,
        "start": split.start,
        "lost_ns": split.lost_ns,
        "text": split.to_string(),
    })
}

fn truncated(truncated: &Truncated) -> Value {
    let Truncated { file, fragment, frames, incomplete } = truncated;
    let mut object = json!(incomplete);
    let text = describe_truncated(truncated);
    add(
        &mut object,
        [
            ("file", json!(file)),
            ("fragment", json!(fragment)),
            ("frames", json!(frames)),
            ("text", json!(text)),
        ],
    );
    object
}

fn damaged(damaged: &Damaged) -> Value {
    let Damaged { file, fragment, damage } = damaged;
    let mut object = json!(damage);
    let text = describe_damaged(damaged);
    add(&mut object, [("file", json!(file)), ("fragment", json!(fragment)), ("text", json!(text))]);
    object
}

fn stopped(stopped: &Stopped) -> Value {
    let reason = match stopped.reason {
        Reason::AfterTheEnd => "after_the_end",
        Reason::Limit => "limit",
    };
    json!({
        "file": stopped.file,
        "bytes_read": stopped.bytes_read,
        "fragment": stopped.fragment,
        "reason": reason,
        "text": describe_stopped(stopped),
    })
}

/// A file that was not read.
pub(crate) fn json_left_out(left_out: &LeftOut) -> Value {
    json!({"path": left_out.path.display().to_string(), "reason": left_out.reason})
}

/// Adds members to an object.
fn add<const N: usize>(object: &mut Value, members: [(&str, Value); N]) {
    if let Value::Object(map) = object {
        map.extend(members.map(|(name, value)| (name.to_owned(), value)));
    }
}
