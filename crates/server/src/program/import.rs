//! The command `import`.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use getclip_archive::{Archive, Error, ImportOptions, ImportSummary, NewStream, Retention, StreamInfo};
use tokio::io::{AsyncReadExt, Stdin};

use super::args::ImportArguments;
use super::failure::Failure;
use super::inputs::{self, Input};
use super::open;
use super::progress::Progress;
use super::text::{count, print, printable, size};

/// How much is read of standard input at a time.
const CHUNK: usize = 1 << 20;

/// Imports each input, then says what was done.
pub(super) async fn run(arguments: ImportArguments) -> Result<(), Failure> {
    let inputs = inputs::list(&arguments.inputs)?;
    if arguments.in_place && inputs.contains(&Input::Stdin) {
        return Err(Failure::usage(
            "standard input (-) cannot be indexed in place: there is nothing to read again",
        ));
    }
    let archive = open(&arguments.archive).await?;
    let (stream, is_new) = stream(&archive, &arguments).await?;
    let mut total = ImportSummary::default();
    for input in &inputs {
        let summary = import(&archive, &stream, input, &arguments).await?;
        for skipped in &summary.skipped {
            eprintln!("{}", printable(&format!("{input}: {skipped}")));
        }
        add(&mut total, summary);
    }
    print(&describe(&total, &arguments, is_new))
}

/// The stream, created where it is missing.
async fn stream(archive: &Archive, arguments: &ImportArguments) -> Result<(StreamInfo, bool), Failure> {
    match archive.stream(&arguments.stream).await {
        Ok(stream) => {
            let found = stream.retention();
            match arguments.retention {
                Some(hours) if hours != found.hours() => Err(Failure::usage(format!(
                    "stream {} keeps its fragments for {} hours, not {hours}: leave --retention out, or change it with \
                     UpdateDataRetention",
                    arguments.stream,
                    found.hours()
                ))),
                _ => Ok((stream, false)),
            }
        }
        Err(Error::StreamNotFound { .. }) => {
            let retention = match arguments.retention {
                None => Retention::Forever,
                Some(hours) => Retention::from_hours(hours)?,
            };
            match archive.create_stream(NewStream::new(arguments.stream.clone(), retention)).await {
                Ok(stream) => Ok((stream, true)),
                // Another import was faster.
                Err(Error::StreamExists { .. }) => Ok((archive.stream(&arguments.stream).await?, false)),
                Err(error) => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

async fn import(
    archive: &Archive,
    stream: &StreamInfo,
    input: &Input,
    arguments: &ImportArguments,
) -> Result<ImportSummary, Failure> {
    let len = match input {
        Input::Recording { len, .. } => *len,
        Input::Stdin => None,
    };
    let progress = Arc::new(Progress::new(len));
    let shown = Arc::clone(&progress);
    let mut options = ImportOptions::default()
        .keep_incomplete(arguments.keep_incomplete)
        .progress(Arc::new(move |now| shown.set(now.bytes_read)));
    if let Some(start) = arguments.recording_start {
        options = options.recording_start(start);
    }
    Ok(match input {
        Input::Stdin => archive.import(stream, Box::pin(stdin_chunks()), &options).await?,
        Input::Recording { url, .. } if arguments.in_place => {
            archive.import_in_place(stream, url, &options).await?
        }
        Input::Recording { url, .. } => archive.import_from(stream, url, &options).await?,
    })
}

fn stdin_chunks() -> impl futures_core::Stream<Item = std::io::Result<Bytes>> + Send {
    stream::try_unfold(tokio::io::stdin(), |mut stdin: Stdin| async move {
        let mut chunk = Vec::with_capacity(CHUNK);
        let read = (&mut stdin).take(CHUNK as u64).read_to_end(&mut chunk).await?;
        Ok((read > 0).then(|| (chunk.into(), stdin)))
    })
}

fn add(total: &mut ImportSummary, summary: ImportSummary) {
    total.stored += summary.stored;
    total.already_stored += summary.already_stored;
    total.skipped.extend(summary.skipped);
    total.document_bytes += summary.document_bytes;
    total.first = total.first.into_iter().chain(summary.first).min();
    total.last = total.last.max(summary.last);
}

/// `front-door: 30 fragments stored (12.3 MB), 2 there already, ...`
fn describe(summary: &ImportSummary, arguments: &ImportArguments, is_new: bool) -> String {
    let what = if arguments.in_place { "indexed in place" } else { "stored" };
    let mut line = format!(
        "{}: {} {what} ({})",
        arguments.stream,
        count(summary.stored, "fragment"),
        size(summary.document_bytes)
    );
    if summary.already_stored > 0 {
        line += &format!(", {} there already", summary.already_stored);
    }
    if !summary.skipped.is_empty() {
        line += &format!(", {} skipped", summary.skipped.len());
    }
    if let (Some(first), Some(last)) = (summary.first, summary.last) {
        line += &format!(", recorded from {first} to {last}");
    }
    if is_new {
        line += "; the stream is new, and keeps ";
        line += &match arguments.retention {
            None => "for ever".to_owned(),
            Some(hours) => format!("for {}", count(hours.into(), "hour")),
        };
    }
    line + "\n"
}
