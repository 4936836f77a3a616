//! The fragments as one JSON object, or as one object a line.
//!
//! Names do not change their meaning; names can be added.
//! ```text
//! fragments[]  file, name, number (null without tags), producer_timestamp, server_timestamp,
//!              cluster_timestamp_ns, offset, bytes, duration_ns, tracks[], unusual[]
//! tracks[]     number, type ("video", "audio", "other"), codec_id, codec_private_bytes (null without), blocks,
//!              key_frames (null but for video), bytes
//! unusual[]    what ("incomplete", "empty", "no_key_frame_first", "no_codec_private", "tracks_changed",
//!              "codec_private_changed", "gap", "overlap"), text, and track or duration_ns
//! left_out[]   path, reason
//! errors[]     as in the report of `clip`: file, text, exit_code, exception, http_status, fragment, track, offset
//! ```
//! With `--json-lines` each of fragments[], left_out[] and errors[] is an object on a line of its own, with a member
//! `type`: "fragment", "left_out" or "error".
//! Times are RFC 3339 in UTC, `_ns` is nanoseconds.

use getclip::TrackType;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::input::LeftOut;
use crate::inspect::row::{Row, TrackSummary, Unusual};
use crate::report::{self, json_left_out};

/// The object, while its fragments are read.
#[derive(Default)]
pub(super) struct Object {
    fragments: Vec<Value>,
}

impl Object {
    pub(super) fn row(&mut self, row: &Row) {
        self.fragments.push(fragment(row));
    }

    /// The object, on one line.
    pub(super) fn end(self, left_out: &[LeftOut], failures: &[Failure]) -> String {
        let object = json!({
            "fragments": self.fragments,
            "left_out": left_out.iter().map(json_left_out).collect::<Vec<_>>(),
            "errors": failures.iter().map(error).collect::<Vec<_>>(),
        });
        format!("{object}\n")
    }
}

/// A fragment on a line of its own.
pub(super) fn fragment_line(row: &Row) -> String {
    line("fragment", fragment(row))
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

fn fragment(row: &Row) -> Value {
    json!({
        "file": row.file,
        "name": row.name,
        "number": row.number,
        "producer_timestamp": row.producer_timestamp,
        "server_timestamp": row.server_timestamp,
        "cluster_timestamp_ns": row.cluster_timestamp_ns,
        "offset": row.offset,
        "bytes": row.bytes,
        "duration_ns": row.duration_ns,
        "tracks": row.tracks.iter().map(track).collect::<Vec<_>>(),
        "unusual": row.unusual.iter().map(unusual).collect::<Vec<_>>(),
    })
}

fn track(track: &TrackSummary) -> Value {
    json!({
        "number": track.number,
        "type": match track.track_type {
            TrackType::Video => "video",
            TrackType::Audio => "audio",
            _ => "other",
        },
        "codec_id": track.codec_id,
        "codec_private_bytes": track.codec_private_bytes,
        "blocks": track.blocks,
        "key_frames": track.key_frames,
        "bytes": track.bytes,
    })
}

fn unusual(unusual: &Unusual) -> Value {
    let text = unusual.to_string();
    match unusual {
        Unusual::Incomplete { .. } => json!({"what": "incomplete", "text": text}),
        Unusual::Empty => json!({"what": "empty", "text": text}),
        Unusual::NoKeyFrameFirst => json!({"what": "no_key_frame_first", "text": text}),
        Unusual::NoCodecPrivate { track } => {
            json!({"what": "no_codec_private", "text": text, "track": track})
        }
        Unusual::TracksChanged => json!({"what": "tracks_changed", "text": text}),
        Unusual::CodecPrivateChanged { track } => {
            json!({"what": "codec_private_changed", "text": text, "track": track})
        }
        Unusual::Gap { duration_ns } => {
            json!({"what": "gap", "text": text, "duration_ns": duration_ns})
        }
        Unusual::Overlap { duration_ns } => {
            json!({"what": "overlap", "text": text, "duration_ns": duration_ns})
        }
    }
}

fn error(failure: &Failure) -> Value {
    match report::failure(failure) {
        Value::Object(mut object) => object.remove("error").unwrap_or_default(),
        other => other,
    }
}
