//! The report of a clip as lines to read.
//!
//! What matters most comes last, where a terminal shows it: the output, and what the range lost. Whatever a later
//! library reports and this file does not know is printed as it is.

use std::fmt::Write;

use getclip::{Cut, Event, FragmentReport, Limit, Report, TrackDetails, TrackReport};
use serde_json::{Map, Value};

use crate::recording::Found;
use crate::report::{
    Offered, RunReport, Written, describe_damaged, describe_stopped, describe_truncated, file_of,
    is_about_a_file,
};
use crate::text::{count, printable, seconds};

/// How much of each list is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    /// The first lines of each list.
    Screenful,
    Everything,
}

/// Lines of a list that are printed without `--verbose`.
const FEW: usize = 5;

/// The report of a run that wrote one clip, a line each.
pub(crate) fn clip(run: &RunReport<'_>, clip: &Written, amount: Amount) -> String {
    let mut lines = Vec::new();
    add_contents(&mut lines, &clip.report, Some(run.found), amount);
    lines.extend(clip.report.tracks.iter().map(track));
    let Report { offered, out_of_range, .. } = clip.report;
    add_input(&mut lines, run, Offered { offered, out_of_range }, amount);
    lines.extend(clip.report.cut.as_ref().map(cut));
    indented(&lines) + &summary(clip)
}

/// One clip of several, as soon as it is written. Where it was cut, the next one begins.
pub(crate) fn part(clip: &Written, amount: Amount) -> String {
    let mut lines = Vec::new();
    match amount {
        Amount::Screenful => {
            let events = clip.report.events.iter().filter(|event| !is_about_a_file(event));
            list(&mut lines, amount, "event", events.map(ToString::to_string));
        }
        Amount::Everything => {
            add_contents(&mut lines, &clip.report, None, amount);
            lines.extend(clip.report.tracks.iter().map(track));
        }
    }
    indented(&lines) + &summary(clip)
}

/// The end of the report of a run that wrote several clips.
pub(crate) fn parts(run: &RunReport<'_>, clips: &[Written], offered: Offered, amount: Amount) -> String {
    let mut lines = Vec::new();
    add_input(&mut lines, run, offered, amount);
    let sum = |of: fn(&Written) -> u64| clips.iter().map(of).fold(0, u64::saturating_add);
    let summary = format!(
        "{}: {}, {}, {}",
        count(clips.len() as u64, "part"),
        count(sum(|clip| clip.bytes), "byte"),
        seconds(i64::try_from(sum(|clip| clip.report.duration_ns)).unwrap_or(i64::MAX)),
        count(sum(|clip| clip.report.fragments.len() as u64), "fragment")
    );
    indented(&lines) + &summary + "\n"
}

/// Adds the fragments of a clip, and what was not plain about them.
fn add_contents(lines: &mut Vec<String>, report: &Report, found: Option<&Found>, amount: Amount) {
    let events = report.events.iter().filter(|event| !is_about_a_file(event));
    let event = |event: &Event| match found.and_then(|found| file_of(event, found)) {
        Some(file) => format!("{file}: {event}"),
        None => event.to_string(),
    };
    list(lines, amount, "fragment", table(&report.fragments));
    list(lines, amount, "event", events.map(event));
    if report.unnamed > 0 {
        let unnamed = count(report.unnamed, "further fragment");
        lines.push(format!("{unnamed} outside the clip: incomplete, empty or duplicate, too many to name"));
    }
    lines.extend(unknown_to_this_file(report));
}

/// Adds what was asked for, and what was read.
fn add_input(lines: &mut Vec<String>, run: &RunReport<'_>, offered: Offered, amount: Amount) {
    let RunReport { range, found, left_out } = run;
    list(lines, amount, "truncated file", found.truncated.iter().map(describe_truncated));
    list(lines, amount, "damaged place", found.damaged.iter().map(describe_damaged));
    let left_out = left_out.iter().map(|left_out| format!("left out: {left_out}"));
    list(lines, amount, "file left out", left_out);
    lines.extend(range.notes.iter().cloned());
    lines.extend(found.coverage.split.as_ref().map(ToString::to_string));
    lines.extend(found.stopped.iter().map(describe_stopped));
    let Offered { offered, out_of_range } = offered;
    lines.push(format!(
        "range: {range}; offered: {}, {out_of_range} out of range",
        count(offered, "fragment")
    ));
}

fn summary(clip: &Written) -> String {
    let Written { output, bytes, report } = clip;
    let duration = i64::try_from(report.duration_ns).unwrap_or(i64::MAX);
    let fragments = count(report.fragments.len() as u64, "fragment");
    printable(&format!("{output}: {}, {}, {fragments}", count(*bytes, "byte"), seconds(duration))) + "\n"
}

fn indented(lines: &[String]) -> String {
    lines.iter().fold(String::new(), |text, line| text + "  " + &printable(line) + "\n")
}

/// Members of the report that this file prints.
const PRINTED: [&str; 8] =
    ["fragments", "tracks", "duration_ns", "offered", "out_of_range", "cut", "events", "unnamed"];

/// The other members of the report.
fn unknown_to_this_file(report: &Report) -> impl Iterator<Item = String> {
    let members = match serde_json::to_value(report) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    let others = members.into_iter().filter(|(name, _)| !PRINTED.contains(&name.as_str()));
    others.map(|(name, value)| format!("{name}: {value}"))
}

/// Adds a list of `noun`s, or its first lines and how many are left.
fn list(lines: &mut Vec<String>, amount: Amount, noun: &str, mut items: impl Iterator<Item = String>) {
    match amount {
        Amount::Everything => lines.extend(items),
        Amount::Screenful => {
            lines.extend(items.by_ref().take(FEW));
            let rest = items.count() as u64;
            if rest > 0 {
                lines.push(format!("and {} (--verbose lists all)", count(rest, &format!("more {noun}"))));
            }
        }
    }
}

/// A line for each fragment, in columns.
fn table(fragments: &[FragmentReport]) -> impl Iterator<Item = String> {
    let width = |cell: fn(&FragmentReport) -> String| {
        fragments.iter().map(|fragment| cell(fragment).chars().count()).max().unwrap_or(0)
    };
    let name = |fragment: &FragmentReport| fragment.name.to_string();
    let at = |fragment: &FragmentReport| seconds(fragment.start_ns);
    let frames = |fragment: &FragmentReport| count(fragment.frames, "frame");
    let (name_width, at_width, frames_width) = (width(name), width(at), width(frames));
    fragments.iter().map(move |fragment| {
        let (name, at, frames) = (name(fragment), at(fragment), frames(fragment));
        let producer = fragment.producer_timestamp;
        format!("fragment {name:name_width$}  {producer}  at {at:>at_width$}  {frames:>frames_width$}")
    })
}

fn track(track: &TrackReport) -> String {
    let codec = match track.details {
        TrackDetails::Video { codec, .. } => codec.to_string(),
        TrackDetails::Audio { codec, .. } => codec.to_string(),
        _ => "other media".to_owned(),
    };
    let mut line = format!("track {}: {codec} ({})", track.number, track.sample_entries.join(", "));
    let samples = count(track.samples, "sample");
    // Writing to a String does not fail.
    let _ = match track.details {
        TrackDetails::Video { width, height, sync_samples, .. } => {
            write!(line, ", {width}x{height}, {samples} ({sync_samples} sync)")
        }
        TrackDetails::Audio { sampling_rate, channels, .. } => {
            write!(line, ", {sampling_rate} Hz, {}, {samples}", count(channels.into(), "channel"))
        }
        _ => write!(line, ", {samples}"),
    };
    let _ = write!(line, ", {}", count(track.bytes, "byte"));
    line
}

fn cut(cut: &Cut) -> String {
    let limit = match cut.limit {
        Limit::Fragments => "limit of fragments (--max-fragments, --limits none)",
        Limit::Bytes => "limit of bytes (--max-bytes, --limits none)",
        _ => "limit",
    };
    let go_on = match cut.continue_from {
        Some(time) => format!("; continue with --start {time}"),
        None => String::new(),
    };
    format!("cut: the {limit} was reached before fragment {}{go_on}", cut.fragment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_member_of_a_report_is_forgotten() {
        let Ok(Value::Object(members)) = serde_json::to_value(Report::default()) else { panic!("no object") };
        let mut names: Vec<&str> = members.keys().map(String::as_str).collect();
        let mut printed = PRINTED;
        names.sort_unstable();
        printed.sort_unstable();
        assert_eq!(names, printed);
        assert_eq!(unknown_to_this_file(&Report::default()).count(), 0);
    }
}
