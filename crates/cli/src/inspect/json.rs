//! The fragments as one JSON object.
//!
//! Names do not change their meaning; names can be added.
//! ```text
//! fragments[]  file, name, number (null without tags), producer_timestamp, producer_timestamp_seconds,
//!              server_timestamp, server_timestamp_seconds, cluster_timestamp_ms, offset, bytes, duration_ms,
//!              tracks[], unusual[]
//! tracks[]     number, type ("video", "audio", "other"), codec_id, codec_private_bytes (null without), blocks,
//!              key_frames (null but for video), bytes
//! unusual[]    what ("incomplete", "empty", "no_key_frame_first", "no_codec_private", "tracks_changed",
//!              "codec_private_changed", "gap", "overlap"), text, and track or duration_ms
//! errors[]     file, text, exception (null where it is not the media's fault)
//! ```
//! Times are RFC 3339 in UTC; `_seconds` is the same in Unix seconds; `_ms` is milliseconds with up to six decimals.

use getclip::TrackType;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::inspect::Inspection;
use crate::inspect::row::{Row, TrackSummary, Unusual};
use crate::text::{json_millis, json_seconds, json_timestamp};

/// The object, on one line.
pub(super) fn render(inspection: &Inspection) -> String {
    let object = json!({
        "fragments": inspection.rows.iter().map(fragment).collect::<Vec<_>>(),
        "errors": inspection.failures.iter().map(error).collect::<Vec<_>>(),
    });
    format!("{object}\n")
}

fn fragment(row: &Row) -> Value {
    json!({
        "file": row.file,
        "name": row.name,
        "number": row.number,
        "producer_timestamp": json_timestamp(row.producer_timestamp),
        "producer_timestamp_seconds": json_seconds(row.producer_timestamp),
        "server_timestamp": json_timestamp(row.server_timestamp),
        "server_timestamp_seconds": json_seconds(row.server_timestamp),
        "cluster_timestamp_ms": row.cluster_timestamp_ns.map(json_millis),
        "offset": row.offset,
        "bytes": row.bytes,
        "duration_ms": json_millis(row.duration_ns),
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
            json!({"what": "gap", "text": text, "duration_ms": json_millis(*duration_ns)})
        }
        Unusual::Overlap { duration_ns } => {
            json!({"what": "overlap", "text": text, "duration_ms": json_millis(*duration_ns)})
        }
    }
}

fn error(failure: &Failure) -> Value {
    match failure {
        Failure::Media { file, error } => {
            json!({"file": file, "text": error.to_string(), "exception": error.exception().name()})
        }
        Failure::Io { file, error } => json!({"file": file, "text": error.to_string(), "exception": null}),
        Failure::Usage { .. } | Failure::StdoutClosed => {
            json!({"file": null, "text": failure.to_string(), "exception": null})
        }
    }
}
