//! The readable form of a [`FragmentIndex`], for those who print it or store it as text. It cannot be read back: see
//! [`FragmentIndex::encode`] for the form that can.

use serde::Serialize;
use serde::ser::{SerializeSeq, SerializeStruct, Serializer};

use crate::index::{FragmentIndex, Frame};
use crate::matroska::{TrackEntry, TrackType};

impl Serialize for FragmentIndex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut index = serializer.serialize_struct("FragmentIndex", 12)?;
        index.serialize_field("name", &self.name())?;
        index.serialize_field("number", &self.number())?;
        index.serialize_field("producer_timestamp", &self.producer_timestamp())?;
        index.serialize_field("server_timestamp", &self.server_timestamp())?;
        index.serialize_field("cluster_timestamp_ns", &self.cluster_timestamp_ns())?;
        index.serialize_field("timestamp_scale_ns", &self.timestamp_scale_ns())?;
        index.serialize_field("offset", &self.offset())?;
        index.serialize_field("media_len", &self.media_len())?;
        index.serialize_field("incomplete", &self.incomplete())?;
        index.serialize_field("damages", &self.damages())?;
        index.serialize_field("tracks", &self.tracks())?;
        index.serialize_field("frames", &Frames(self))?;
        index.end()
    }
}

struct Frames<'a>(&'a FragmentIndex);

impl Serialize for Frames<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut frames = serializer.serialize_seq(None)?;
        self.0.frames().try_for_each(|frame| frames.serialize_element(&frame))?;
        frames.end()
    }
}

impl Serialize for Frame<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut frame = serializer.serialize_struct("Frame", 5)?;
        frame.serialize_field("track", &self.track().number)?;
        frame.serialize_field("time_ns", &self.time_ns())?;
        frame.serialize_field("duration_ns", &self.duration_ns())?;
        frame.serialize_field("len", &self.len())?;
        frame.serialize_field("key", &self.is_key())?;
        frame.end()
    }
}

/// The codec private data is a length: its bytes belong in the encoded form.
impl Serialize for TrackEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut track = serializer.serialize_struct("TrackEntry", 5)?;
        track.serialize_field("number", &self.number)?;
        track.serialize_field("type", &self.track_type)?;
        track.serialize_field("codec_id", &self.codec_id)?;
        track.serialize_field(
            "codec_private_bytes",
            &self.codec_private.as_ref().map(|private| private.len()),
        )?;
        track.serialize_field("default_duration_ns", &self.default_duration_ns)?;
        track.end()
    }
}

impl Serialize for TrackType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Other(_) => "other",
        })
    }
}
