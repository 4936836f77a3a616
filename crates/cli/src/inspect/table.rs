//! The fragments as a table to read.

use getclip::Timestamp;

use crate::input::{Inputs, LeftOut};
use crate::inspect::row::{Row, TrackSummary};
use crate::text::{count, printable, seconds};

/// A column. Those that hold numbers are aligned to the right.
struct Column {
    title: &'static str,
    right: bool,
    /// Rows are printed before the later ones are known.
    least_width: usize,
}

const FILE: Column = Column { title: "FILE", right: false, least_width: 0 };
const COLUMNS: [Column; 6] = [
    Column { title: "FRAGMENT", right: false, least_width: 0 },
    Column { title: "PRODUCER TIMESTAMP", right: false, least_width: 24 },
    Column { title: "SERVER TIMESTAMP", right: false, least_width: 24 },
    Column { title: "DURATION", right: true, least_width: 9 },
    Column { title: "BYTES", right: true, least_width: 8 },
    Column { title: "TRACKS", right: false, least_width: 0 },
];

/// Prints a line for each fragment, with what is unusual about it below, and the sum of all.
pub(super) struct Table {
    columns: Vec<&'static Column>,
    /// Width of the column of files; `None` without one.
    file_width: Option<usize>,
    /// Set by the first row.
    widths: Vec<usize>,
    fragments: u64,
    duration_ns: i64,
    bytes: u64,
    unusual: u64,
}

impl Table {
    pub(super) fn new(inputs: &Inputs) -> Self {
        let with_files = inputs.files.len() > 1;
        let file_width = inputs.files.iter().map(|input| input.to_string().chars().count()).max();
        Self {
            columns: with_files.then_some(&FILE).into_iter().chain(&COLUMNS).collect(),
            file_width: file_width.filter(|_| with_files),
            widths: Vec::new(),
            fragments: 0,
            duration_ns: 0,
            bytes: 0,
            unusual: 0,
        }
    }

    /// The lines of one fragment, after the titles if it is the first.
    pub(super) fn row(&mut self, row: &Row) -> String {
        let cells = cells(row, self.file_width.is_some());
        let mut text = if self.widths.is_empty() { self.titles(&cells) } else { String::new() };
        text += &self.line(&cells);
        for unusual in &row.unusual {
            text += &format!("  ! {}\n", printable(&unusual.text));
        }
        self.fragments = self.fragments.saturating_add(1);
        self.duration_ns = self.duration_ns.saturating_add(row.duration_ns);
        self.bytes = self.bytes.saturating_add(row.bytes);
        self.unusual = self.unusual.saturating_add(u64::from(!row.unusual.is_empty()));
        text
    }

    /// The sum of all rows, and what was not read.
    pub(super) fn end(self, left_out: &[LeftOut]) -> String {
        let left_out = left_out.iter().map(|left_out| printable(&format!("left out: {left_out}")) + "\n");
        let left_out: String = left_out.collect();
        if self.fragments == 0 {
            return left_out;
        }
        format!(
            "{left_out}{}, {} of media, {}, {} unusual\n",
            count(self.fragments, "fragment"),
            seconds(self.duration_ns),
            count(self.bytes, "byte"),
            self.unusual
        )
    }

    fn titles(&mut self, first: &[String]) -> String {
        let columns = self.columns.iter().zip(first);
        let width = |(column, cell): (&&Column, &String)| {
            cell.chars().count().max(column.title.len()).max(column.least_width)
        };
        self.widths = columns.map(width).collect();
        if let (Some(width), Some(file_width)) = (self.widths.first_mut(), self.file_width) {
            *width = file_width.max(FILE.title.len());
        }
        self.line(&self.columns.iter().map(|column| column.title.to_owned()).collect::<Vec<_>>())
    }

    fn line(&self, cells: &[String]) -> String {
        let mut line = String::new();
        for ((cell, width), column) in cells.iter().zip(&self.widths).zip(&self.columns) {
            line += &if column.right { format!("{cell:>width$}  ") } else { format!("{cell:<width$}  ") };
        }
        line.trim_end().to_owned() + "\n"
    }
}

fn cells(row: &Row, with_files: bool) -> Vec<String> {
    let time = |time: Option<Timestamp>| time.map_or_else(|| "-".to_owned(), |time| time.to_string());
    let tracks: Vec<String> = row.tracks.iter().map(track).collect();
    let mut cells = Vec::new();
    if with_files {
        cells.push(printable(&row.file));
    }
    cells.extend([
        row.name.to_string(),
        time(row.producer_timestamp),
        time(row.server_timestamp),
        seconds(row.duration_ns),
        row.bytes.to_string(),
        printable(&tracks.join("; ")),
    ]);
    cells
}

fn track(track: &TrackSummary) -> String {
    let blocks = count(track.blocks, "block");
    let keys = track.key_frames.map_or_else(String::new, |keys| format!(", {keys} key"));
    format!("{} {} {blocks}{keys}", track.number, track.codec_id)
}
