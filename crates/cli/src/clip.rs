//! The command `clip`.

use std::io::{self, Write};

use getclip::{ClipBuilder, IncompleteInput, MissingCodecPrivate, RangeStart, Timestamp, Trim};

use crate::args::{ClipArguments, ReportForm};
use crate::failure::Failure;
use crate::input::Inputs;
use crate::output::{self, Output};
use crate::recording::{ReadOptions, Recording};
use crate::report::{self, Amount, ClipReport};
use crate::stdout;
use crate::time::{Bound, Moment, Now, TimeRange};

/// Writes the clip, then reports what is in it.
pub(crate) fn run(arguments: &ClipArguments) -> Result<(), Failure> {
    let result = write_clip(arguments);
    match (&result, arguments.report) {
        (Err(failure), ReportForm::Json) if !matches!(failure, Failure::StdoutClosed) => {
            let object = format!("{}\n", report::failure(failure));
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

fn write_clip(arguments: &ClipArguments) -> Result<(), Failure> {
    let now = Now::from_system();
    let range = TimeRange::new(arguments, &now)?;
    let recording_start = recording_start(arguments, &now)?;
    let builder = builder(arguments, &range, recording_start)?;
    let inputs = Inputs::list(&arguments.inputs, arguments.recursive)?;
    let output = Output::open(&arguments.output, arguments.force, &inputs.files)?;
    let options = ReadOptions {
        range,
        recording_start,
        max_fragments: arguments.limits().max_fragments.get(),
        read_all: arguments.read_all,
        covers_start: covers(arguments),
        show_progress: !arguments.quiet,
    };
    let mut recording = Recording::new(&inputs, &options);
    let built = builder.build(&mut recording);
    let (clip, found) = recording.outcome(built)?;
    output.write_with(|file| clip.write_to(file).map(drop))?;

    let to_stdout = output::is_stdout(&arguments.output);
    let report = ClipReport {
        output: if to_stdout { stdout::NAME.into() } else { arguments.output.display().to_string() },
        bytes: clip.len(),
        range: &options.range,
        report: clip.report(),
        found: &found,
        left_out: &inputs.left_out,
    };
    match arguments.report {
        ReportForm::Json if to_stdout => write_stderr(&report::json(&report)),
        ReportForm::Json => stdout::write(&report::json(&report))?,
        ReportForm::Text if arguments.quiet => {}
        ReportForm::Text if arguments.verbose => write_stderr(&report::text(&report, Amount::Everything)),
        ReportForm::Text => write_stderr(&report::text(&report, Amount::Screenful)),
    }
    Ok(())
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
    let builder = ClipBuilder::new(range.selector()?)
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
