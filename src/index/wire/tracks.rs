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
        Clock::of(entry).write(w);
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
    let number = r.number()?;
    let track_type = match r.number()? {
        1 => TrackType::Video,
        2 => TrackType::Audio,
        other => TrackType::Other(other),
    };
    let codec_id = r.text()?.into();
    let codec_private = r.option(Reader::bytes)?.map(Bytes::copy_from_slice);
    let clock = Clock::read(r)?;
    Ok(TrackEntry {
        number,
        track_type,
        codec_id,
        codec_private,
        default_duration_ns: clock.default_duration_ns,
        codec_delay_ns: clock.codec_delay_ns,
        timestamp_scale: clock.timestamp_scale,
        video: r.option(|r| Ok(VideoSettings { pixel_width: r.number()?, pixel_height: r.number()? }))?,
        audio: r.option(|r| Ok(AudioSettings { sampling_frequency: float(r)?, channels: r.number()? }))?,
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

/// A number, which equals itself: an index is compared with another.
fn float(r: &mut Reader<'_>) -> Result<f64, Error> {
    match f64::from_bits(u64::from_le_bytes(r.array()?)) {
        float if float.is_nan() => Err(r.damaged("a number", float)),
        float => Ok(float),
    }
}

/// What a track declares of its times. Most declare one thing or nothing.
struct Clock {
    default_duration_ns: Option<u64>,
    codec_delay_ns: u64,
    timestamp_scale: f64,
}

impl Clock {
    const DEFAULT_DURATION: u8 = 1;
    const CODEC_DELAY: u8 = 2;
    const TIMESTAMP_SCALE: u8 = 4;
    const ALL: u8 = Self::DEFAULT_DURATION | Self::CODEC_DELAY | Self::TIMESTAMP_SCALE;

    fn of(entry: &TrackEntry) -> Self {
        let TrackEntry { default_duration_ns, codec_delay_ns, timestamp_scale, .. } = *entry;
        Self { default_duration_ns, codec_delay_ns, timestamp_scale }
    }

    /// A byte that tells what follows, then that.
    fn write(&self, w: &mut Writer) {
        let has_codec_delay = self.codec_delay_ns != 0;
        let has_timestamp_scale = self.timestamp_scale.to_bits() != 1.0_f64.to_bits();
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        w.byte(
            flag(self.default_duration_ns.is_some(), Self::DEFAULT_DURATION)
                | flag(has_codec_delay, Self::CODEC_DELAY)
                | flag(has_timestamp_scale, Self::TIMESTAMP_SCALE),
        );
        if let Some(duration_ns) = self.default_duration_ns {
            w.number(duration_ns);
        }
        if has_codec_delay {
            w.number(self.codec_delay_ns);
        }
        if has_timestamp_scale {
            w.raw(&self.timestamp_scale.to_bits().to_le_bytes());
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Error> {
        let has = r.byte()?;
        if has & !Self::ALL != 0 {
            return Err(r.damaged("flags of what a track declares of its times", has));
        }
        let has = |flag: u8| has & flag != 0;
        Ok(Self {
            default_duration_ns: has(Self::DEFAULT_DURATION).then(|| r.number()).transpose()?,
            codec_delay_ns: has(Self::CODEC_DELAY).then(|| r.number()).transpose()?.unwrap_or(0),
            timestamp_scale: match has(Self::TIMESTAMP_SCALE) {
                true => float(r)?,
                false => 1.0,
            },
        })
    }
}
