//! The report of a clip as one JSON object.
//!
//! Names do not change their meaning; names can be added.
//! ```text
//! output        path, bytes, duration_ms
//! fragments[]   name, producer_timestamp, producer_timestamp_seconds, server_timestamp, server_timestamp_seconds,
//!               start_ms, frames
//! tracks[]      number, codec, sample_entries[], samples, sync_samples, bytes, width, height (video),
//!               sampling_rate, channels (audio)
//! offered       fragments in the input
//! out_of_range  of these, those that start outside the range
//! cut           null, or limit ("fragments", "bytes"), fragment, continue_from, continue_from_seconds
//! events[]      event, text, and what the event is about: fragment, kept, reason, frames, track, codec_id,
//!               difference, nals, by_ms, duration_ms, closed, times, tolerance_ms, frames_per_second
//! ```
//! Times are RFC 3339 in UTC; `_seconds` is the same in Unix seconds; `_ms` is milliseconds with up to six decimals.

use getclip::{Codec, Cut, Event, FragmentReport, Limit, Report, TrackDetails, TrackReport};
use serde_json::{Value, json};

use crate::text::{json_millis, json_seconds, json_timestamp};

/// The report of the clip of `bytes` bytes that was written to `output`, on one line.
pub(crate) fn render(report: &Report, output: &str, bytes: u64) -> String {
    let object = json!({
        "output": {"path": output, "bytes": bytes, "duration_ms": json_unsigned_millis(report.duration_ns)},
        "fragments": report.fragments.iter().map(fragment).collect::<Vec<_>>(),
        "tracks": report.tracks.iter().map(track).collect::<Vec<_>>(),
        "offered": report.offered,
        "out_of_range": report.out_of_range,
        "cut": report.cut.as_ref().map(cut),
        "events": report.events.iter().map(event).collect::<Vec<_>>(),
    });
    format!("{object}\n")
}

fn fragment(fragment: &FragmentReport) -> Value {
    json!({
        "name": fragment.name.to_string(),
        "producer_timestamp": json_timestamp(Some(fragment.producer_timestamp)),
        "producer_timestamp_seconds": json_seconds(Some(fragment.producer_timestamp)),
        "server_timestamp": json_timestamp(fragment.server_timestamp),
        "server_timestamp_seconds": json_seconds(fragment.server_timestamp),
        "start_ms": json_millis(fragment.start_ns),
        "frames": fragment.frames,
    })
}

fn track(track: &TrackReport) -> Value {
    let mut object = json!({
        "number": track.number,
        "sample_entries": track.sample_entries,
        "samples": track.samples,
        "bytes": track.bytes,
    });
    match track.details {
        TrackDetails::Video { codec: of, width, height, sync_samples, .. } => add(
            &mut object,
            [
                ("codec", json!(codec(of))),
                ("sync_samples", json!(sync_samples)),
                ("width", json!(width)),
                ("height", json!(height)),
            ],
        ),
        TrackDetails::Audio { codec: of, sampling_rate, channels, .. } => add(
            &mut object,
            [
                ("codec", json!(codec(of))),
                ("sync_samples", json!(track.samples)),
                ("sampling_rate", json!(sampling_rate)),
                ("channels", json!(channels)),
            ],
        ),
        _ => {}
    }
    object
}

fn codec(codec: Codec) -> &'static str {
    match codec {
        Codec::H264 => "h264",
        Codec::H265 => "h265",
        Codec::Aac => "aac",
        Codec::ALaw => "alaw",
        Codec::MuLaw => "mulaw",
        _ => "other",
    }
}

fn cut(cut: &Cut) -> Value {
    let limit = match cut.limit {
        Limit::Fragments => "fragments",
        Limit::Bytes => "bytes",
        _ => "other",
    };
    json!({
        "limit": limit,
        "fragment": cut.fragment.to_string(),
        "continue_from": json_timestamp(cut.continue_from),
        "continue_from_seconds": json_seconds(cut.continue_from),
    })
}

fn event(event: &Event) -> Value {
    let mut object = match event {
        Event::DuplicateDropped { fragment, kept } => {
            json!({"event": "duplicate_dropped", "fragment": fragment.to_string(), "kept": kept.to_string()})
        }
        Event::Incomplete { fragment, incomplete, frames } => {
            json!({"event": "incomplete", "fragment": fragment.to_string(), "reason": incomplete.to_string(), "frames": frames})
        }
        Event::Empty { fragment } => json!({"event": "empty", "fragment": fragment.to_string()}),
        Event::TrackIgnored { track, codec_id } => {
            json!({"event": "track_ignored", "track": track, "codec_id": codec_id})
        }
        Event::NoKeyFrameFirst { fragment } => {
            json!({"event": "no_key_frame_first", "fragment": fragment.to_string()})
        }
        Event::CodecPrivateFromFrames { track } => {
            json!({"event": "codec_private_from_frames", "track": track})
        }
        Event::SampleEntryAdded { fragment, track, difference } => {
            json!({"event": "sample_entry_added", "fragment": fragment.to_string(), "track": track, "difference": difference})
        }
        Event::FramingConverted { track, frames } => {
            json!({"event": "frames_reframed", "track": track, "frames": frames})
        }
        Event::ParameterSetsStripped { track, frames } => {
            json!({"event": "parameter_sets_stripped", "track": track, "frames": frames})
        }
        Event::ParameterSetsKept { track, frames } => {
            json!({"event": "parameter_sets_kept", "track": track, "frames": frames})
        }
        Event::EmptyNalsDropped { track, nals } => {
            json!({"event": "empty_nals_dropped", "track": track, "nals": nals})
        }
        Event::AdtsStripped { track, frames } => {
            json!({"event": "adts_stripped", "track": track, "frames": frames})
        }
        Event::Moved { fragment, by_ns } => {
            json!({"event": "moved", "fragment": fragment.to_string(), "by_ms": json_millis(*by_ns)})
        }
        Event::Gap { fragment, duration_ns, closed } => json!({
            "event": "gap",
            "fragment": fragment.to_string(),
            "duration_ms": json_unsigned_millis(*duration_ns),
            "closed": closed,
        }),
        Event::CollisionsSpread { track, frames } => {
            json!({"event": "collisions_spread", "track": track, "frames": frames})
        }
        Event::AudioReanchored { track, times, tolerance_ns } => json!({
            "event": "audio_reanchored",
            "track": track,
            "times": times,
            "tolerance_ms": json_unsigned_millis(*tolerance_ns),
        }),
        Event::AudioLate { track, by_ns } => {
            json!({"event": "audio_late", "track": track, "by_ms": json_millis(*by_ns)})
        }
        Event::TrackEmpty { track } => json!({"event": "track_empty", "track": track}),
        Event::CadenceRestored { track, rate: (numerator, denominator) } => json!({
            "event": "cadence_restored",
            "track": track,
            "frames_per_second": format!("{numerator}/{denominator}"),
        }),
        // An event that this program has no name for yet still has its text.
        _ => json!({"event": "other"}),
    };
    add(&mut object, [("text", json!(event.to_string()))]);
    object
}

fn add<const N: usize>(object: &mut Value, members: [(&str, Value); N]) {
    if let Value::Object(map) = object {
        map.extend(members.map(|(name, value)| (name.to_owned(), value)));
    }
}

fn json_unsigned_millis(nanos: u64) -> Value {
    json_millis(i64::try_from(nanos).unwrap_or(i64::MAX))
}
