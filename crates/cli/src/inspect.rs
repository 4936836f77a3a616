//! The command `inspect`.

mod json;
mod neighbours;
mod row;
mod table;

use getclip::{ErrorKind, Fragment};

use crate::args::InspectArguments;
use crate::failure::Failure;
use crate::input::{self, Input};
use crate::progress::Progress;
use crate::stdout;
use crate::stream::FragmentStream;
use neighbours::Neighbours;
use row::Row;

/// Everything there is to print.
#[derive(Default)]
struct Inspection {
    rows: Vec<Row>,
    failures: Vec<Failure>,
}

/// Prints what is in the inputs. What could not be read is told after the table.
pub(crate) fn run(arguments: &InspectArguments) -> Result<(), Failure> {
    let inputs = input::list(&arguments.inputs)?;
    let mut inspection = read(&inputs);
    let text = match arguments.json {
        true => json::render(&inspection),
        false => table::render(&inspection, inputs.len() > 1),
    };
    stdout::write(&text)?;
    match inspection.failures.pop() {
        // The last one is printed by `main`.
        Some(last) => {
            for failure in &inspection.failures {
                failure.report();
            }
            Err(last)
        }
        None if inspection.rows.is_empty() => {
            let none = ErrorKind::NoFragments { offered: 0 }.into();
            Err(Failure::media(input::describe(&arguments.inputs), none))
        }
        None => Ok(()),
    }
}

/// Reads all inputs. One that is broken does not keep the next ones from being read.
fn read(inputs: &[Input]) -> Inspection {
    let mut inspection = Inspection::default();
    let mut neighbours = Neighbours::default();
    let mut progress = Progress::new(inputs.iter().map(Input::len).sum());
    let mut finished: u64 = 0;
    for input in inputs {
        let mut add = |fragment: Fragment| inspection.rows.push(Row::new(input, &fragment, &mut neighbours));
        let read = FragmentStream::open(input).and_then(|mut stream| {
            while let Some(fragment) = stream.next().transpose()? {
                add(fragment);
                progress.set(finished.saturating_add(stream.bytes_read()));
            }
            Ok(stream.bytes_read())
        });
        match read {
            Ok(bytes_read) => finished = finished.saturating_add(bytes_read),
            Err(failure) => inspection.failures.push(failure),
        }
    }
    inspection
}
