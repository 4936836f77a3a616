//! The report of a clip as lines to read.

use getclip::{Cut, FragmentReport, Limit, Report, TrackDetails, TrackReport};

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
    let TrackReport { number, sample_entries, samples, bytes, .. } = track;
    let entries = sample_entries.join(", ");
    let samples_text = count(*samples, "sample");
    let (codec, about, sync_samples) = match track.details {
        TrackDetails::Video { codec, width, height, sync_samples, .. } => {
            (codec, format!("{width}x{height}"), sync_samples)
        }
        TrackDetails::Audio { codec, sampling_rate, channels, .. } => {
            (codec, format!("{sampling_rate} Hz, {}", count(channels.into(), "channel")), *samples)
        }
        _ => return format!("  track {number}: ({entries}), {samples_text}, {bytes} bytes"),
    };
    let sync = if sync_samples < *samples { format!(" ({sync_samples} sync)") } else { String::new() };
    format!("  track {number}: {codec} ({entries}), {about}, {samples_text}{sync}, {bytes} bytes")
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
