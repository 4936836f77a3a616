//! The fragments as one JSON object, or as one object a line.
//!
//! Names do not change their meaning; names can be added.
//! ```text
//! fragments[]  file, name, number (null without tags), producer_timestamp, server_timestamp,
//!              cluster_timestamp_ns, document_offset, offset and bytes (of the Cluster), duration_ns, tracks[],
//!              unusual[]
//! tracks[]     number, type ("video", "audio", "other"), codec_id, codec_private_bytes (null without), blocks,
//!              key_frames (null but for video), bytes
//! unusual[]    what ("incomplete", "damaged", "faulty_frames", "empty", "no_key_frame_first", "no_codec_private", "tracks_changed",
//!              "codec_private_changed", "gap", "overlap", "out_of_order", "duplicate"), text, and what it is about:
//!              track, duration_ns, offset, missing_bytes, damage
//! documents[]  file, offset, length, fragments: a document from its EBML header to the next, which is a file of its own
//! left_out[]   path, reason
//! errors[]     as in the report of `clip`: file, text, exit_code, exception, http_status, fragment, track, offset
//! ```
//! With `--json-lines` each of fragments[], documents[], left_out[] and errors[] is an object on a line of its own as
//! soon as it is known, with a member `type`: "fragment", "document", "left_out" or "error".
//! Times are RFC 3339 in UTC, `_ns` is nanoseconds.

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::input::LeftOut;
use crate::inspect::Document;
use crate::inspect::row::Row;
use crate::report::{self, json_left_out};

/// The object, while its fragments are read.
#[derive(Default)]
pub(super) struct Object {
    fragments: Vec<Value>,
    documents: Vec<Value>,
}

impl Object {
    pub(super) fn row(&mut self, row: &Row) {
        self.fragments.push(json!(row));
    }

    pub(super) fn document(&mut self, document: &Document) {
        self.documents.push(json!(document));
    }

    /// The object, on one line.
    pub(super) fn end(self, left_out: &[LeftOut], failures: &[Failure]) -> String {
        let object = json!({
            "fragments": self.fragments,
            "documents": self.documents,
            "left_out": left_out.iter().map(json_left_out).collect::<Vec<_>>(),
            "errors": failures.iter().map(error).collect::<Vec<_>>(),
        });
        format!("{object}\n")
    }
}

/// A fragment on a line of its own.
pub(super) fn fragment_line(row: &Row) -> String {
    line("fragment", json!(row))
}

/// A document on a line of its own.
pub(super) fn document_line(document: &Document) -> String {
    line("document", json!(document))
}

/// What comes after all fragments: a line for each file that was left out, and for each error.
pub(super) fn last_lines(left_out: &[LeftOut], failures: &[Failure]) -> String {
    let left_out = left_out.iter().map(|left_out| line("left_out", json_left_out(left_out)));
    left_out.chain(failures.iter().map(|failure| line("error", error(failure)))).collect()
}

/// An object with what it is about in the member `type`.
fn line(about: &str, mut object: Value) -> String {
    if let Value::Object(map) = &mut object {
        map.insert("type".to_owned(), json!(about));
    }
    format!("{object}\n")
}

fn error(failure: &Failure) -> Value {
    match report::failure(failure) {
        Value::Object(mut object) => object.remove("error").unwrap_or_default(),
        other => other,
    }
}
