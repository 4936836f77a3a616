//! The command `clip`.

use std::io::{self, Write};

use getclip::{
    ClipBuilder, ClipFragmentSelector, ClipTimestampRange, IncompleteInput, Limits, MissingCodecPrivate,
};

use crate::args::{ClipArguments, Clock, ReportForm};
use crate::failure::Failure;
use crate::output::Output;
use crate::recording::Recording;
use crate::{input, report_json, report_text, stdout};

/// The longest range that GetClip takes. A range of which only one end was given is as long as that.
const LONGEST_RANGE_MS: i64 = 24 * 60 * 60 * 1000;

/// Writes the clip, then says what is in it.
pub(crate) fn run(arguments: &ClipArguments) -> Result<(), Failure> {
    let builder = builder(arguments)?;
    let inputs = input::list(&arguments.inputs)?;
    let output = Output::open(&arguments.output, arguments.force)?;
    let mut recording = Recording::new(&arguments.inputs, &inputs);
    let built = builder.build(&mut recording);
    let clip = recording.outcome(built)?;
    let to_stdout = matches!(output, Output::Stdout);
    output.write(&clip)?;

    let name = if to_stdout { "standard output".into() } else { arguments.output.display().to_string() };
    let report = match arguments.report {
        ReportForm::Text => report_text::render(clip.report(), &name, clip.len()),
        ReportForm::Json => report_json::render(clip.report(), &name, clip.len()),
    };
    if arguments.report == ReportForm::Json && !to_stdout {
        return stdout::write(&report);
    }
    // The clip is there: that standard error cannot be written does not make the run a failure.
    let _ = io::stderr().write_all(report.as_bytes());
    Ok(())
}

fn builder(arguments: &ClipArguments) -> Result<ClipBuilder, Failure> {
    let limits =
        Limits::default().with_max_fragments(arguments.max_fragments).with_max_bytes(arguments.max_bytes);
    let builder = ClipBuilder::new(selector(arguments)?)
        .limits(limits)
        .profile(arguments.profile.into())
        .codec_changes(arguments.codec_changes.into())
        .gaps(arguments.gaps.into())
        .incomplete_input(if arguments.strict { IncompleteInput::Refuse } else { IncompleteInput::Keep })
        .missing_codec_private(match arguments.codec_private_from_frames {
            true => MissingCodecPrivate::FromFrames,
            false => MissingCodecPrivate::Refuse,
        });
    Ok(match arguments.origin {
        Some(origin) => builder.recording_start(origin),
        None => builder,
    })
}

fn selector(arguments: &ClipArguments) -> Result<ClipFragmentSelector, Failure> {
    let (start, end) = match (arguments.start, arguments.end) {
        (None, None) => return Ok(ClipFragmentSelector::all(arguments.by.into())),
        (Some(start), Some(end)) => (start, end),
        (Some(start), None) => (start, start.saturating_add_millis(LONGEST_RANGE_MS)),
        (None, Some(end)) => (end.saturating_add_millis(-LONGEST_RANGE_MS), end),
    };
    let range = ClipTimestampRange::new(start, end).map_err(Failure::usage)?;
    Ok(match arguments.by {
        Clock::Producer => ClipFragmentSelector::producer(range),
        Clock::Server => ClipFragmentSelector::server(range),
    })
}
