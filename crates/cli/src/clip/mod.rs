//! The command `clip`.

mod parts;
mod pattern;

use std::io::{self, Write};

use getclip::{ClipBuilder, IncompleteInput, MissingCodecPrivate, RangeStart, Timestamp, Trim};

use crate::args::{ClipArguments, ReportForm};
use crate::failure::Failure;
use crate::input::Inputs;
use crate::output::{self, Output};
use crate::preallocation::Preallocation;
use crate::recording::{ReadOptions, Recording};
use crate::report::{self, Amount, Offered, RunReport, Written};
use crate::stdout;
use crate::time::{Bound, Moment, Now, TimeRange};
use parts::Parts;

/// Writes the clip, or its parts, then reports what is in them.
pub(crate) fn run(arguments: &ClipArguments) -> Result<(), Failure> {
    let mut written = Vec::new();
    let result = write_clips(arguments, &mut written);
    match (&result, arguments.report) {
        (Err(failure), ReportForm::Json) if !matches!(failure, Failure::StdoutClosed) => {
            let object = match arguments.parts {
                true => report::parts_failure(failure, &written),
                false => report::failure(failure),
            };
            let object = format!("{object}\n");
            if output::is_stdout(&arguments.output) {
                write_stderr(&object);
                return Err(Failure::Reported { exit_code: failure.exit_code() });
            }
            stdout::write(&object)?;
        }
        _ => {}
    }
    result
}

/// `written` has the parts that were written, also where the run fails.
fn write_clips(arguments: &ClipArguments, written: &mut Vec<Written>) -> Result<(), Failure> {
    let now = Now::from_system();
    let range = TimeRange::new(arguments, &now)?;
    let recording_start = recording_start(arguments, &now)?;
    let builder = builder(arguments, &range, recording_start)?;
    let inputs = Inputs::list(&arguments.inputs, arguments.recursive)?;
    let options = ReadOptions {
        range,
        recording_start,
        // The limit is one of each part, not of all.
        max_fragments: if arguments.parts { usize::MAX } else { arguments.limits().max_fragments.get() },
        read_all: arguments.read_all,
        covers_start: covers(arguments),
        show_progress: !arguments.quiet,
    };
    match arguments.parts {
        true => write_parts(arguments, builder, &inputs, &options, written),
        false => write_clip(arguments, &builder, &inputs, &options),
    }
}

fn write_clip(
    arguments: &ClipArguments,
    builder: &ClipBuilder,
    inputs: &Inputs,
    options: &ReadOptions,
) -> Result<(), Failure> {
    let output = Output::open(&arguments.output, arguments.force, &inputs.files)?;
    // A clip is about as long as what it is made of, and no longer than the limit.
    let expected_len = inputs.len().unwrap_or(0).min(arguments.limits().max_bytes.get());
    let preallocation = output.regular_file().and_then(|file| Preallocation::start(file, expected_len));
    let mut recording = Recording::new(inputs, options);
    let built = builder.build(&mut recording);
    let (clip, found) = recording.outcome(built)?;
    output.write_with(|file| {
        preallocation.map_or(Ok(()), |preallocation| preallocation.finish(clip.len()))?;
        clip.write_to(file).map(drop)
    })?;

    let to_stdout = output::is_stdout(&arguments.output);
    let output = if to_stdout { stdout::NAME.into() } else { arguments.output.display().to_string() };
    let written = Written { output, bytes: clip.len(), report: clip.report().clone() };
    let run = RunReport { range: &options.range, found: &found, left_out: &inputs.left_out };
    match (arguments.report, amount(arguments)) {
        (ReportForm::Json, _) if to_stdout => write_stderr(&report::json(&run, &written)),
        (ReportForm::Json, _) => stdout::write(&report::json(&run, &written))?,
        (ReportForm::Text, Some(amount)) => write_stderr(&report::text(&run, &written, amount)),
        (ReportForm::Text, None) => {}
    }
    Ok(())
}

fn write_parts(
    arguments: &ClipArguments,
    builder: ClipBuilder,
    inputs: &Inputs,
    options: &ReadOptions,
    written: &mut Vec<Written>,
) -> Result<(), Failure> {
    let text_amount = amount(arguments).filter(|_| arguments.report == ReportForm::Text);
    let mut on_written = |part: &Written| {
        if let Some(amount) = text_amount {
            write_stderr(&report::text_part(part, amount));
        }
    };
    let mut parts = Parts::new(arguments, builder, &mut on_written)?;
    let mut recording = Recording::new(inputs, options);
    let result = parts.write(&mut recording);
    let Parts { written: all, offered, out_of_range, .. } = parts;
    *written = all;
    let ((), found) = recording.outcome(result)?;
    let run = RunReport { range: &options.range, found: &found, left_out: &inputs.left_out };
    let offered = Offered { offered, out_of_range };
    match (arguments.report, text_amount) {
        (ReportForm::Json, _) => stdout::write(&report::json_parts(&run, written, offered))?,
        (ReportForm::Text, Some(amount)) => {
            write_stderr(&report::text_parts(&run, written, offered, amount));
        }
        (ReportForm::Text, None) => {}
    }
    Ok(())
}

/// How much of a report in text is wanted; `None` for nothing.
fn amount(arguments: &ClipArguments) -> Option<Amount> {
    match (arguments.quiet, arguments.verbose) {
        (true, _) => None,
        (false, true) => Some(Amount::Everything),
        (false, false) => Some(Amount::Screenful),
    }
}

/// The clip is there: that standard error cannot be written does not make the run a failure.
fn write_stderr(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

fn builder(
    arguments: &ClipArguments,
    range: &TimeRange,
    recording_start: Option<Timestamp>,
) -> Result<ClipBuilder, Failure> {
    let (video, audio) = arguments.tracks();
    let builder = ClipBuilder::new(range.selector()?)
        .video_track(video)
        .audio_track(audio)
        .limits(arguments.limits())
        .profile(arguments.profile)
        .codec_changes(arguments.codec_changes)
        .gaps(arguments.gaps)
        .range_start(if covers(arguments) { RangeStart::Covering } else { RangeStart::FirstInRange })
        .trim(if arguments.exact { Trim::ToRange } else { Trim::WholeFragments })
        .incomplete_input(if arguments.strict { IncompleteInput::Refuse } else { IncompleteInput::Keep })
        .missing_codec_private(match arguments.codec_private_from_frames {
            true => MissingCodecPrivate::FromFrames,
            false => MissingCodecPrivate::Refuse,
        });
    Ok(match recording_start {
        Some(start) => builder.recording_start(start),
        None => builder,
    })
}

/// Whether the clip begins with the fragment that contains the start of the range.
fn covers(arguments: &ClipArguments) -> bool {
    arguments.cover || arguments.exact
}

fn recording_start(arguments: &ClipArguments, now: &Now) -> Result<Option<Timestamp>, Failure> {
    let Some(start) = &arguments.recording_start else { return Ok(None) };
    let moment = Moment::parse(start, Bound::Start, now)
        .map_err(|refusal| Failure::usage(format!("--recording-start: {refusal}")))?;
    Ok(Some(moment.time))
}
