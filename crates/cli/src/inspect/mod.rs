//! The command `inspect`.

mod json;
mod neighbours;
mod row;
mod table;

use getclip::ErrorKind;
use serde::Serialize;

use crate::args::InspectArguments;
use crate::failure::Failure;
use crate::input::{Inputs, LeftOut};
use crate::progress::Progress;
use crate::stdout;
use crate::stream::{FragmentStream, Wanted};
use neighbours::Neighbours;
use row::Row;
use table::Table;

/// A document of an input.
#[derive(Debug, Serialize)]
struct Document {
    file: String,
    /// Where it begins in the file.
    offset: u64,
    /// Up to the next document, or the end of the file.
    length: u64,
    fragments: u64,
}

impl Document {
    fn ends_at(self, offset: u64) -> Self {
        Self { length: offset.saturating_sub(self.offset), ..self }
    }
}

/// How rows are printed, each as soon as it is known.
enum Printer {
    Table(Table),
    /// One object, which is printed at the end.
    Object(json::Object),
    /// One object a line.
    Lines,
}

impl Printer {
    fn new(arguments: &InspectArguments, inputs: &Inputs) -> Self {
        if arguments.json_lines {
            Self::Lines
        } else if arguments.json {
            Self::Object(json::Object::default())
        } else {
            Self::Table(Table::new(inputs))
        }
    }

    fn row(&mut self, row: &Row) -> Result<(), Failure> {
        match self {
            Self::Table(table) => stdout::write(&table.row(row)),
            Self::Object(object) => {
                object.row(row);
                Ok(())
            }
            Self::Lines => stdout::write(&json::fragment_line(row)),
        }
    }

    fn document(&mut self, document: &Document) -> Result<(), Failure> {
        match self {
            Self::Table(_) => Ok(()),
            Self::Object(object) => {
                object.document(document);
                Ok(())
            }
            Self::Lines => stdout::write(&json::document_line(document)),
        }
    }

    fn end(self, left_out: &[LeftOut], failures: &[Failure]) -> Result<(), Failure> {
        let text = match self {
            Self::Table(table) => table.end(left_out),
            Self::Object(object) => object.end(left_out, failures),
            Self::Lines => json::last_lines(left_out, failures),
        };
        stdout::write(&text)
    }
}

/// Prints what is in the inputs. What could not be read is reported after the rows.
pub(crate) fn run(arguments: &InspectArguments) -> Result<(), Failure> {
    let inputs = Inputs::list(&arguments.inputs, arguments.recursive)?;
    let mut printer = Printer::new(arguments, &inputs);
    let (rows, mut failures) = read(&inputs, &mut printer)?;
    printer.end(&inputs.left_out, &failures)?;
    match failures.pop() {
        // The last one is printed by `main`.
        Some(last) => {
            for failure in &failures {
                failure.report();
            }
            Err(last)
        }
        None if rows == 0 => {
            Err(Failure::nothing_to_read(&inputs, ErrorKind::NoFragments { offered: 0 }.into()))
        }
        None => Ok(()),
    }
}

/// Reads all inputs and prints their rows. One that is broken does not keep the next ones from being read. Returns the
/// number of rows, and what is broken.
fn read(inputs: &Inputs, printer: &mut Printer) -> Result<(u64, Vec<Failure>), Failure> {
    let (mut rows, mut failures) = (0_u64, Vec::new());
    let mut neighbours = Neighbours::default();
    // Rows that come one by one show the progress themselves.
    let mut progress = Progress::new(inputs.len(), matches!(printer, Printer::Object(_)));
    let mut finished: u64 = 0;
    for input in &inputs.files {
        let mut stream = match FragmentStream::open(input, Wanted::Index) {
            Ok(stream) => stream,
            Err(failure) => {
                failures.push(failure);
                continue;
            }
        };
        let mut document: Option<Document> = None;
        for fragment in stream.by_ref() {
            match fragment {
                Ok(fragment) => {
                    let row = Row::new(input, &fragment, &mut neighbours);
                    let offset = row.document_offset;
                    if let Some(before) = document.take_if(|document| document.offset != offset) {
                        printer.document(&before.ends_at(offset))?;
                    }
                    let file = || Document { file: row.file.clone(), offset, length: 0, fragments: 0 };
                    let document = document.get_or_insert_with(file);
                    document.fragments = document.fragments.saturating_add(1);
                    printer.row(&row)?;
                    rows = rows.saturating_add(1);
                }
                Err(failure) => {
                    // Where it ends is not known.
                    document = None;
                    failures.push(failure);
                }
            }
        }
        if let Some(last) = document {
            printer.document(&last.ends_at(stream.bytes_read()))?;
        }
        finished = finished.saturating_add(stream.bytes_read());
        progress.set(finished);
    }
    Ok((rows, failures))
}
