//! The report of a clip as lines to read.

use std::fmt::Write;

use getclip::{Cut, FragmentReport, Limit, Report, TrackReport};

use crate::text::{count, printable, seconds};

/// The report of the clip of `bytes` bytes that was written to `output`.
pub(crate) fn render(report: &Report, output: &str, bytes: u64) -> String {
    let duration = i64::try_from(report.duration_ns).unwrap_or(i64::MAX);
    let fragments = count(report.fragments.len() as u64, "fragment");
    let mut lines = vec![format!("{output}: {bytes} bytes, {}, {fragments}", seconds(duration))];
    lines.extend(report.tracks.iter().map(track));
    lines.extend(report.fragments.iter().map(fragment));
    lines.push(format!(
        "  offered: {}, {} out of range",
        count(report.offered, "fragment"),
        report.out_of_range
    ));
    lines.extend(report.cut.as_ref().map(cut));
    lines.extend(report.events.iter().map(|event| format!("  {event}")));
    lines.iter().fold(String::new(), |text, line| text + &printable(line) + "\n")
}

fn track(track: &TrackReport) -> String {
    let mut line = format!("  track {}: {} ({})", track.number, track.codec, track.sample_entries.join(", "));
    // Writing to a String does not fail.
    let _ = if track.sampling_rate > 0 {
        write!(line, ", {} Hz, {}", track.sampling_rate, count(track.channels.into(), "channel"))
    } else {
        let (width, height) = track.dimensions;
        write!(line, ", {width}x{height}")
    };
    let _ = write!(line, ", {}", count(track.samples, "sample"));
    if track.sync_samples < track.samples {
        let _ = write!(line, " ({} sync)", track.sync_samples);
    }
    let _ = write!(line, ", {} bytes", track.bytes);
    line
}

fn fragment(fragment: &FragmentReport) -> String {
    let FragmentReport { name, producer_timestamp, start_ns, frames, .. } = fragment;
    format!("  fragment {name}: {producer_timestamp}, at {}, {}", seconds(*start_ns), count(*frames, "frame"))
}

fn cut(cut: &Cut) -> String {
    let limit = match cut.limit {
        Limit::Fragments => "limit of fragments (--max-fragments)",
        Limit::Bytes => "limit of bytes (--max-bytes)",
        _ => "limit",
    };
    let go_on = match cut.continue_from {
        Some(time) => format!(", continue with --start {time}"),
        None => String::new(),
    };
    format!("  cut: the {limit} was reached in front of fragment {}{go_on}", cut.fragment)
}
