//! TrackEntry (RFC 9559 section 5.1.4.1): what a track is, before anything is known of its codec.

use bytes::Bytes;

use crate::damage::too_large;
use crate::error::{Error, ErrorKind};
use crate::matroska::ebml::Cursor;
use crate::matroska::ids;

/// The service takes 3 tracks; more than this are refused before they are stored.
const MAX_TRACKS: u64 = 255;

/// mkvmerge strips one to four bytes. A restored frame is a copy, so a long header would multiply the input.
const MAX_STRIPPED_HEADER: u64 = 16;

/// A track as the producer declared it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TrackEntry {
    /// Track number, by which blocks name the track.
    pub number: u64,
    /// Kind of track.
    pub track_type: TrackType,
    /// Codec ID such as `V_MPEG4/ISO/AVC`, padding trimmed.
    pub codec_id: String,
    /// Codec private data, verbatim.
    pub codec_private: Option<Bytes>,
    /// Nanoseconds per frame, where the producer said so.
    pub default_duration_ns: Option<u64>,
    /// CodecDelay: how much earlier its frames are presented than their blocks' times tell, in nanoseconds.
    pub codec_delay_ns: u64,
    /// TrackTimestampScale, 1 unless the producer said otherwise. It is deprecated and not applied.
    pub timestamp_scale: f64,
    /// Picture size of a video track.
    pub video: Option<VideoSettings>,
    /// Rate and channels of an audio track.
    pub audio: Option<AudioSettings>,
    pub(crate) encoding: ContentEncoding,
}

/// TrackType (RFC 9559 section 5.1.4.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrackType {
    /// 1.
    Video,
    /// 2.
    Audio,
    /// Any other.
    Other(u64),
}

/// Size of the encoded picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct VideoSettings {
    /// PixelWidth.
    pub pixel_width: u64,
    /// PixelHeight.
    pub pixel_height: u64,
}

/// What the producer says of the sound; the codec private data knows better.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct AudioSettings {
    /// SamplingFrequency in hertz.
    pub sampling_frequency: f64,
    /// Channels.
    pub channels: u64,
}

/// What was done to the frames after they were encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ContentEncoding {
    /// Nothing.
    None,
    /// These bytes were cut off the front of every frame (ContentCompAlgo 3).
    HeaderStripping(Bytes),
    /// Anything else, in words.
    Unsupported(String),
}

impl TrackEntry {
    /// Parses the payload of Tracks.
    pub(crate) fn parse_all(mut tracks: Cursor<'_>) -> Result<Vec<Self>, Error> {
        let mut entries: Vec<Self> = Vec::new();
        while let Some((id, payload)) = tracks.element()? {
            if id != ids::TRACK_ENTRY {
                continue;
            }
            let at = payload.offset();
            let entry = Self::parse(payload)?;
            if entries.iter().any(|other| other.number == entry.number) {
                let found = format!("a second track {}", entry.number);
                return Err(Error::malformed("track numbers that differ", found).at(at));
            }
            if entries.len() as u64 == MAX_TRACKS {
                let kind = ErrorKind::TooLarge { what: too_large::TRACKS, found: 256, limit: MAX_TRACKS };
                return Err(Error::new(kind).at(at));
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    /// The codec private data, if there is any. Fails, in words, for a track whose frames were compressed or encrypted.
    pub(crate) fn usable_codec_private(&self) -> Result<Option<&[u8]>, &str> {
        match &self.encoding {
            ContentEncoding::Unsupported(found) => Err(found),
            ContentEncoding::None | ContentEncoding::HeaderStripping(_) => {
                Ok(self.codec_private.as_deref().filter(|private| !private.is_empty()))
            }
        }
    }

    /// What was cut off the front of every frame.
    pub(crate) fn stripped_header(&self) -> &Bytes {
        static NOTHING: Bytes = Bytes::new();
        match &self.encoding {
            ContentEncoding::HeaderStripping(header) => header,
            ContentEncoding::None | ContentEncoding::Unsupported(_) => &NOTHING,
        }
    }

    fn parse(mut cursor: Cursor<'_>) -> Result<Self, Error> {
        let at = cursor.offset();
        let mut entry = Self {
            number: 0,
            track_type: TrackType::Other(0),
            codec_id: String::new(),
            codec_private: None,
            default_duration_ns: None,
            codec_delay_ns: 0,
            timestamp_scale: 1.0,
            video: None,
            audio: None,
            encoding: ContentEncoding::None,
        };
        while let Some((id, payload)) = cursor.element()? {
            match id {
                ids::TRACK_NUMBER => entry.number = payload.uint()?,
                ids::TRACK_TYPE => {
                    entry.track_type = match payload.uint()? {
                        1 => TrackType::Video,
                        2 => TrackType::Audio,
                        other => TrackType::Other(other),
                    };
                }
                ids::CODEC_ID => entry.codec_id = payload.string(),
                ids::CODEC_PRIVATE => entry.codec_private = Some(Bytes::copy_from_slice(payload.rest())),
                ids::DEFAULT_DURATION => {
                    entry.default_duration_ns = Some(payload.uint()?).filter(|&duration| duration > 0);
                }
                ids::CODEC_DELAY => entry.codec_delay_ns = payload.uint()?,
                ids::TRACK_TIMESTAMP_SCALE => {
                    entry.timestamp_scale =
                        Some(payload.float()?).filter(|scale| !scale.is_nan()).unwrap_or(1.0);
                }
                ids::VIDEO => entry.video = Some(parse_video(payload)?),
                ids::AUDIO => entry.audio = Some(parse_audio(payload)?),
                ids::CONTENT_ENCODINGS => entry.encoding = ContentEncoding::parse(payload)?,
                _ => {}
            }
        }
        if entry.number == 0 {
            return Err(Error::malformed("a track number of 1 or more", "0 or none").at(at));
        }
        Ok(entry)
    }
}

fn parse_video(mut cursor: Cursor<'_>) -> Result<VideoSettings, Error> {
    let mut video = VideoSettings { pixel_width: 0, pixel_height: 0 };
    while let Some((id, payload)) = cursor.element()? {
        match id {
            ids::PIXEL_WIDTH => video.pixel_width = payload.uint()?,
            ids::PIXEL_HEIGHT => video.pixel_height = payload.uint()?,
            _ => {}
        }
    }
    Ok(video)
}

fn parse_audio(mut cursor: Cursor<'_>) -> Result<AudioSettings, Error> {
    // The defaults of RFC 9559 sections 5.1.4.1.29.1 and .3.
    let mut audio = AudioSettings { sampling_frequency: 8000.0, channels: 1 };
    while let Some((id, payload)) = cursor.element()? {
        match id {
            ids::SAMPLING_FREQUENCY => {
                let float = Some(payload.float()?).filter(|frequency| !frequency.is_nan());
                audio.sampling_frequency = float.unwrap_or(audio.sampling_frequency);
            }
            ids::CHANNELS => audio.channels = payload.uint()?,
            _ => {}
        }
    }
    Ok(audio)
}

impl ContentEncoding {
    /// Parses the payload of ContentEncodings (RFC 9559 section 5.1.4.1.31).
    fn parse(mut encodings: Cursor<'_>) -> Result<Self, Error> {
        let mut encoding = Self::None;
        while let Some((id, payload)) = encodings.element()? {
            if id == ids::CONTENT_ENCODING {
                encoding = match encoding {
                    Self::None => Self::parse_one(payload)?,
                    _ => Self::Unsupported("more than one ContentEncoding".into()),
                };
            }
        }
        Ok(encoding)
    }

    fn parse_one(mut cursor: Cursor<'_>) -> Result<Self, Error> {
        const SCOPE_FRAMES: u64 = 1;
        const TYPE_COMPRESSION: u64 = 0;
        const ALGO_HEADER_STRIPPING: u64 = 3;
        let (mut scope, mut encoding_type) = (SCOPE_FRAMES, TYPE_COMPRESSION);
        let (mut algo, mut settings) = (0, Bytes::new());
        while let Some((id, payload)) = cursor.element()? {
            match id {
                ids::CONTENT_ENCODING_SCOPE => scope = payload.uint()?,
                ids::CONTENT_ENCODING_TYPE => encoding_type = payload.uint()?,
                ids::CONTENT_COMPRESSION => {
                    let mut compression = payload;
                    while let Some((id, payload)) = compression.element()? {
                        match id {
                            ids::CONTENT_COMP_ALGO => algo = payload.uint()?,
                            ids::CONTENT_COMP_SETTINGS => settings = Bytes::copy_from_slice(payload.rest()),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(match (encoding_type, algo, scope) {
            (TYPE_COMPRESSION, ALGO_HEADER_STRIPPING, SCOPE_FRAMES) => {
                if settings.len() as u64 > MAX_STRIPPED_HEADER {
                    Self::Unsupported(format!("a stripped header of {} bytes", settings.len()))
                } else {
                    Self::HeaderStripping(settings)
                }
            }
            (TYPE_COMPRESSION, ..) => {
                Self::Unsupported(format!("compression algorithm {algo} with scope {scope}"))
            }
            (other, ..) => Self::Unsupported(format!("content encoding type {other} (1 is encryption)")),
        })
    }
}
