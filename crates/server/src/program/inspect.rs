//! The commands `streams` and `fragments`.

use std::num::NonZeroUsize;

use getclip::{ClipFragmentSelector, ClipTimestampRange, Timestamp};
use getclip_archive::{Page, Retention, StoredFragment, StreamInfo, StreamStatistics};
use serde_json::{Value, json};

use super::args::{Clock, FragmentsArguments, StreamsArguments};
use super::failure::Failure;
use super::open;
use super::text::{count, print, printable, size};

/// How many are asked for at a time.
const PAGE: usize = 1000;

fn page_size() -> NonZeroUsize {
    NonZeroUsize::new(PAGE).unwrap_or(NonZeroUsize::MIN)
}

/// Lists streams with what they hold.
pub(super) async fn streams(arguments: StreamsArguments) -> Result<(), Failure> {
    let archive = open(&arguments.archive).await?;
    let mut page = Page::first(page_size());
    let mut is_empty = true;
    loop {
        let (streams, next) = archive.streams(&arguments.prefix, page).await?;
        for stream in &streams {
            is_empty = false;
            let statistics = archive.statistics(stream).await?;
            print(&match arguments.json {
                true => format!("{}\n", stream_json(stream, &statistics)),
                false => stream_text(stream, &statistics),
            })?;
        }
        match next {
            Some(token) => page = Page::after(token, page_size()),
            None if is_empty => {
                return Err(Failure::Nothing(format!("no streams in {}", archive.location())));
            }
            None => return Ok(()),
        }
    }
}

fn stream_text(stream: &StreamInfo, statistics: &StreamStatistics) -> String {
    let kept = match stream.retention() {
        Retention::None => "keeps nothing".to_owned(),
        Retention::Forever => "kept for ever".to_owned(),
        Retention::Hours(hours) => format!("kept for {}", count(hours.get().into(), "hour")),
    };
    let mut line = format!(
        "{}: {kept}, {}, {}",
        stream.name(),
        count(statistics.fragments, "fragment"),
        size(statistics.document_bytes)
    );
    if statistics.references > 0 {
        line += &format!(", {} of them in recordings elsewhere", statistics.references);
    }
    if let (Some(first), Some(last)) = (statistics.first, statistics.last) {
        line += &format!(", recorded from {first} to {last}");
    }
    printable(&line) + "\n"
}

fn stream_json(stream: &StreamInfo, statistics: &StreamStatistics) -> Value {
    json!({
        "name": stream.name().as_str(),
        "created": stream.created().to_string(),
        "version": stream.version().as_str(),
        "retention_hours": match stream.retention() {
            Retention::Forever => Value::Null,
            retention => retention.hours().into(),
        },
        "fragments": statistics.fragments,
        "references": statistics.references,
        "document_bytes": statistics.document_bytes,
        "stored_bytes": statistics.stored_bytes,
        "length_ms": statistics.length_ms,
        "first": statistics.first.map(|time| time.to_string()),
        "last": statistics.last.map(|time| time.to_string()),
        "tags": stream.tags(),
    })
}

/// Lists the fragments of a stream.
pub(super) async fn fragments(arguments: FragmentsArguments) -> Result<(), Failure> {
    let archive = open(&arguments.archive).await?;
    let stream = archive.stream(&arguments.stream).await?;
    let selector = selector(&arguments)?;
    let mut page = Page::first(page_size());
    let mut is_empty = true;
    loop {
        let (fragments, next) = archive.list_fragments(&stream, selector, page).await?;
        is_empty &= fragments.is_empty();
        let lines = fragments.iter().map(|fragment| match arguments.json {
            true => format!("{}\n", fragment_json(fragment)),
            false => fragment_text(fragment),
        });
        print(&lines.collect::<String>())?;
        match next {
            Some(token) => page = Page::after(token, page_size()),
            None if is_empty => return Err(Failure::Nothing(format!("{}: no fragments", arguments.stream))),
            None => return Ok(()),
        }
    }
}

fn selector(arguments: &FragmentsArguments) -> Result<ClipFragmentSelector, Failure> {
    let start = arguments.start.unwrap_or(Timestamp::from_millis(i64::MIN));
    let end = arguments.end.unwrap_or(Timestamp::from_millis(i64::MAX));
    let range = ClipTimestampRange::unlimited(start, end).map_err(Failure::usage)?;
    Ok(match arguments.by {
        Clock::Producer => ClipFragmentSelector::producer(range),
        Clock::Server => ClipFragmentSelector::server(range),
    })
}

fn fragment_text(fragment: &StoredFragment) -> String {
    format!(
        "{}  {}  {:>6} ms  {:>9}{}\n",
        fragment.number(),
        fragment.producer_timestamp(),
        fragment.length_ms(),
        size(fragment.document_len()),
        if fragment.is_reference() { "  in its recording" } else { "" }
    )
}

fn fragment_json(fragment: &StoredFragment) -> Value {
    json!({
        "number": fragment.number().to_string(),
        "producer_timestamp": fragment.producer_timestamp().to_string(),
        "server_timestamp": fragment.server_timestamp().to_string(),
        "length_ms": fragment.length_ms(),
        "bytes": fragment.document_len(),
        "reference": fragment.is_reference(),
    })
}
