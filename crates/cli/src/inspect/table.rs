//! The fragments as a table to read.

use getclip::Timestamp;

use crate::inspect::Inspection;
use crate::inspect::row::{Row, TrackSummary};
use crate::text::{count, printable, seconds};

/// Columns that hold numbers are aligned to the right.
struct Column {
    title: &'static str,
    right: bool,
}

const FILE: Column = Column { title: "FILE", right: false };
const COLUMNS: [Column; 6] = [
    Column { title: "FRAGMENT", right: false },
    Column { title: "PRODUCER TIMESTAMP", right: false },
    Column { title: "SERVER TIMESTAMP", right: false },
    Column { title: "DURATION", right: true },
    Column { title: "BYTES", right: true },
    Column { title: "TRACKS", right: false },
];

/// A line per fragment, with what is unusual about it below, and the sum of all.
pub(super) fn render(inspection: &Inspection, with_files: bool) -> String {
    let columns: Vec<&Column> = with_files.then_some(&FILE).into_iter().chain(&COLUMNS).collect();
    let cells: Vec<Vec<String>> = inspection.rows.iter().map(|row| cells(row, with_files)).collect();
    let widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(i, column)| {
            let of_column = cells.iter().filter_map(|cells| cells.get(i)).map(|cell| cell.chars().count());
            of_column.max().unwrap_or(0).max(column.title.len())
        })
        .collect();
    let line = |cells: &[String]| {
        let mut line = String::new();
        for ((cell, width), column) in cells.iter().zip(&widths).zip(&columns) {
            line += &if column.right { format!("{cell:>width$}  ") } else { format!("{cell:<width$}  ") };
        }
        line.trim_end().to_owned() + "\n"
    };

    let mut text = line(&columns.iter().map(|column| column.title.to_owned()).collect::<Vec<_>>());
    for (row, cells) in inspection.rows.iter().zip(&cells) {
        text += &line(cells);
        for unusual in &row.unusual {
            text += &format!("  ! {}\n", printable(&unusual.to_string()));
        }
    }
    text + &sum(&inspection.rows)
}

fn cells(row: &Row, with_files: bool) -> Vec<String> {
    let time = |time: Option<Timestamp>| time.map_or_else(|| "-".to_owned(), |time| time.to_string());
    let tracks: Vec<String> = row.tracks.iter().map(track).collect();
    let mut cells = Vec::new();
    if with_files {
        cells.push(printable(&row.file));
    }
    cells.extend([
        row.name.clone(),
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

fn sum(rows: &[Row]) -> String {
    let bytes = rows.iter().fold(0, |sum: u64, row| sum.saturating_add(row.bytes));
    let duration = rows.iter().fold(0, |sum: i64, row| sum.saturating_add(row.duration_ns));
    let unusual = rows.iter().filter(|row| !row.unusual.is_empty()).count();
    format!(
        "{}, {} of media, {bytes} bytes, {unusual} unusual\n",
        count(rows.len() as u64, "fragment"),
        seconds(duration)
    )
}
