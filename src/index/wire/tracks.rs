//! The tracks that a fragment declares.

use bytes::Bytes;

use crate::error::Error;
use crate::index::track_set::TrackSet;
use crate::index::wire::cursor::{Reader, Writer};
use crate::matroska::track_entry::ContentEncoding;
use crate::matroska::{AudioSettings, TrackEntry, TrackType, VideoSettings};

pub(super) fn write(w: &mut Writer, tracks: &TrackSet) {
    w.number(tracks.entries().len() as u64);
    for entry in tracks.entries() {
        w.number(entry.number);
        w.number(match entry.track_type {
            TrackType::Video => 1,
            TrackType::Audio => 2,
            TrackType::Other(other) => other,
        });
        w.bytes(entry.codec_id.as_bytes());
        w.option(entry.codec_private.as_deref(), Writer::bytes);
        w.option(entry.default_duration_ns, Writer::number);
        w.option(entry.video, |w, video| {
            w.number(video.pixel_width);
            w.number(video.pixel_height);
        });
        w.option(entry.audio, |w, audio| {
            w.raw(&audio.sampling_frequency.to_bits().to_le_bytes());
            w.number(audio.channels);
        });
        match &entry.encoding {
            ContentEncoding::None => w.byte(0),
            ContentEncoding::HeaderStripping(header) => {
                w.byte(1);
                w.bytes(header);
            }
            ContentEncoding::Unsupported(found) => {
                w.byte(2);
                w.bytes(found.as_bytes());
            }
        }
    }
}

pub(super) fn read(r: &mut Reader<'_>) -> Result<TrackSet, Error> {
    let count = match r.count()? {
        count @ 0..=255 => count,
        other => return Err(r.damaged("at most 255 tracks", other)),
    };
    let mut entries: Vec<TrackEntry> = Vec::with_capacity(count);
    for _ in 0..count {
        let entry = read_entry(r)?;
        if entry.number == 0 || entries.iter().any(|other| other.number == entry.number) {
            return Err(r.damaged("track numbers of 1 or more that differ", entry.number));
        }
        entries.push(entry);
    }
    Ok(TrackSet::new(entries))
}

fn read_entry(r: &mut Reader<'_>) -> Result<TrackEntry, Error> {
    Ok(TrackEntry {
        number: r.number()?,
        track_type: match r.number()? {
            1 => TrackType::Video,
            2 => TrackType::Audio,
            other => TrackType::Other(other),
        },
        codec_id: r.text()?.into(),
        codec_private: r.option(Reader::bytes)?.map(Bytes::copy_from_slice),
        default_duration_ns: r.option(Reader::number)?,
        video: r.option(|r| Ok(VideoSettings { pixel_width: r.number()?, pixel_height: r.number()? }))?,
        audio: r.option(|r| {
            let sampling_frequency = f64::from_bits(u64::from_le_bytes(r.array()?));
            Ok(AudioSettings { sampling_frequency, channels: r.number()? })
        })?,
        encoding: match r.byte()? {
            0 => ContentEncoding::None,
            1 => match r.bytes()? {
                header if header.len() <= 16 => {
                    ContentEncoding::HeaderStripping(Bytes::copy_from_slice(header))
                }
                longer => return Err(r.damaged("a stripped header of at most 16 bytes", longer.len())),
            },
            2 => ContentEncoding::Unsupported(r.text()?.into()),
            other => return Err(r.damaged("the code of a content encoding", other)),
        },
    })
}
