//! TrackEntry (RFC 9559 section 5.1.4.1) from a plain description.

use crate::ebml::{self, id};
use crate::media;

/// TrackType, RFC 9559 section 5.1.4.1.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackKind {
    /// TrackType 1.
    Video,
    /// TrackType 2.
    Audio,
    /// Any other value, such as 17 for subtitles.
    Other(u8),
}

/// What is done to the frames of a track before they are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentEncoding {
    /// ContentCompAlgo 3: these bytes are taken off the front of every frame.
    HeaderStripping(Vec<u8>),
    /// Another ContentCompAlgo, such as 0 for zlib. The frames are written as they are.
    Compression(u64),
    /// ContentEncodingType 1. The frames are written as they are.
    Encryption,
}

/// One TrackEntry.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// TrackNumber, and TrackUID.
    pub number: u64,
    /// TrackType.
    pub kind: TrackKind,
    /// CodecID.
    pub codec_id: String,
    /// CodecPrivate.
    pub codec_private: Option<Vec<u8>>,
    /// Nanoseconds per frame.
    pub default_duration: Option<u64>,
    /// Name.
    pub name: Option<String>,
    /// PixelWidth and PixelHeight.
    pub pixels: Option<(u64, u64)>,
    /// Elements written as they are at the end of Video, after PixelWidth and PixelHeight.
    pub in_video: Vec<u8>,
    /// SamplingFrequency, in hertz.
    pub sampling_frequency: Option<f64>,
    /// Channels.
    pub channels: Option<u64>,
    /// What is done to the frames before they are stored.
    pub encoding: Option<ContentEncoding>,
    /// Elements written as they are at the end of the TrackEntry.
    pub extra: Vec<u8>,
}

impl Default for Track {
    fn default() -> Self {
        Self {
            number: 1,
            kind: TrackKind::Video,
            codec_id: String::new(),
            codec_private: None,
            default_duration: None,
            name: None,
            pixels: None,
            in_video: Vec::new(),
            sampling_frequency: None,
            channels: None,
            encoding: None,
            extra: Vec::new(),
        }
    }
}

impl Track {
    /// Track 1, H.264, 320x180, with its avcC.
    pub fn avc() -> Self {
        Self::video("V_MPEG4/ISO/AVC", &media::avcc(media::AVC_SPS, media::AVC_PPS), (320, 180))
    }

    /// The same with an SPS that allows B-frames, and as many as there can be.
    pub fn avc_reordered() -> Self {
        let private = media::avcc_without_tail(media::AVC_SPS_MAIN, media::AVC_PPS);
        Self::video("V_MPEG4/ISO/AVC", &private, (320, 180))
    }

    /// Track 1, H.265, 320x180, with its hvcC.
    pub fn hevc() -> Self {
        Self::video("V_MPEGH/ISO/HEVC", &media::hvcc(true), (320, 180))
    }

    /// Track 2, AAC-LC, 48 kHz, stereo.
    pub fn aac() -> Self {
        Self::audio("A_AAC", media::AAC_LC_48000_STEREO, 48000.0, 2)
    }

    /// Track 2, G.711 A-law, 8 kHz, mono.
    pub fn alaw() -> Self {
        Self::audio("A_MS/ACM", &media::wave_format(6, 8000, 1), 8000.0, 1)
    }

    /// Track 2, G.711 mu-law, 8 kHz, mono.
    pub fn mulaw() -> Self {
        Self::audio("A_MS/ACM", &media::wave_format(7, 8000, 1), 8000.0, 1)
    }

    /// Track 1 with this codec.
    pub fn video(codec_id: &str, codec_private: &[u8], pixels: (u64, u64)) -> Self {
        Self {
            codec_id: codec_id.into(),
            codec_private: Some(codec_private.into()),
            pixels: Some(pixels),
            ..Self::default()
        }
    }

    /// Track 2 with this codec.
    pub fn audio(codec_id: &str, codec_private: &[u8], sampling_frequency: f64, channels: u64) -> Self {
        Self {
            number: 2,
            kind: TrackKind::Audio,
            codec_id: codec_id.into(),
            codec_private: Some(codec_private.into()),
            sampling_frequency: Some(sampling_frequency),
            channels: Some(channels),
            ..Self::default()
        }
    }

    /// Sets TrackNumber and TrackUID.
    pub fn number(mut self, number: u64) -> Self {
        self.number = number;
        self
    }

    /// Sets CodecID.
    pub fn codec_id(mut self, codec_id: &str) -> Self {
        self.codec_id = codec_id.into();
        self
    }

    /// Sets CodecPrivate.
    pub fn codec_private(mut self, codec_private: impl Into<Vec<u8>>) -> Self {
        self.codec_private = Some(codec_private.into());
        self
    }

    /// Leaves CodecPrivate out.
    pub fn without_codec_private(mut self) -> Self {
        self.codec_private = None;
        self
    }

    /// Sets DefaultDuration, in nanoseconds per frame.
    pub fn default_duration(mut self, nanoseconds: u64) -> Self {
        self.default_duration = Some(nanoseconds);
        self
    }

    /// Sets Name.
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets PixelWidth and PixelHeight.
    pub fn pixels(mut self, width: u64, height: u64) -> Self {
        self.pixels = Some((width, height));
        self
    }

    /// Sets the elements at the end of Video.
    pub fn in_video(mut self, elements: Vec<u8>) -> Self {
        self.in_video = elements;
        self
    }

    /// Takes these bytes off the front of every frame.
    pub fn header_stripping(mut self, header: impl Into<Vec<u8>>) -> Self {
        self.encoding = Some(ContentEncoding::HeaderStripping(header.into()));
        self
    }

    /// Sets the content encoding.
    pub fn encoding(mut self, encoding: ContentEncoding) -> Self {
        self.encoding = Some(encoding);
        self
    }

    /// Sets the elements at the end of the TrackEntry.
    pub fn extra(mut self, elements: Vec<u8>) -> Self {
        self.extra = elements;
        self
    }

    /// The bytes that header stripping takes off each frame, empty without it.
    pub fn stripped_header(&self) -> &[u8] {
        match &self.encoding {
            Some(ContentEncoding::HeaderStripping(header)) => header,
            _ => &[],
        }
    }

    /// The TrackEntry element.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut children = vec![
            ebml::uint(id::TRACK_NUMBER, self.number),
            ebml::uint(id::TRACK_UID, self.number),
            ebml::uint(id::FLAG_LACING, 0),
            ebml::uint(
                id::TRACK_TYPE,
                match self.kind {
                    TrackKind::Video => 1,
                    TrackKind::Audio => 2,
                    TrackKind::Other(value) => value.into(),
                },
            ),
            ebml::string(id::CODEC_ID, &self.codec_id),
        ];
        children.extend(self.name.as_ref().map(|name| ebml::string(id::NAME, name)));
        children.extend(self.default_duration.map(|duration| ebml::uint(id::DEFAULT_DURATION, duration)));
        children.extend(self.pixels.map(|(width, height)| {
            ebml::master(
                id::VIDEO,
                &[
                    ebml::uint(id::PIXEL_WIDTH, width),
                    ebml::uint(id::PIXEL_HEIGHT, height),
                    self.in_video.clone(),
                ],
            )
        }));
        if self.sampling_frequency.is_some() || self.channels.is_some() {
            let mut audio = Vec::new();
            audio.extend(self.sampling_frequency.map(|rate| ebml::float(id::SAMPLING_FREQUENCY, rate)));
            audio.extend(self.channels.map(|channels| ebml::uint(id::CHANNELS, channels)));
            children.push(ebml::master(id::AUDIO, &audio));
        }
        children.extend(self.encoding.as_ref().map(content_encodings));
        children.extend(self.codec_private.as_ref().map(|bytes| ebml::element(id::CODEC_PRIVATE, bytes)));
        children.push(self.extra.clone());
        ebml::master(id::TRACK_ENTRY, &children)
    }
}

/// ContentEncodings with one ContentEncoding, RFC 9559 section 5.1.4.1.31.
fn content_encodings(encoding: &ContentEncoding) -> Vec<u8> {
    let children = match encoding {
        ContentEncoding::HeaderStripping(header) => vec![ebml::master(
            id::CONTENT_COMPRESSION,
            &[ebml::uint(id::CONTENT_COMP_ALGO, 3), ebml::element(id::CONTENT_COMP_SETTINGS, header)],
        )],
        ContentEncoding::Compression(algorithm) => {
            vec![ebml::master(id::CONTENT_COMPRESSION, &[ebml::uint(id::CONTENT_COMP_ALGO, *algorithm)])]
        }
        ContentEncoding::Encryption => {
            vec![ebml::uint(id::CONTENT_ENCODING_TYPE, 1), ebml::master(id::CONTENT_ENCRYPTION, &[])]
        }
    };
    ebml::master(id::CONTENT_ENCODINGS, &[ebml::master(id::CONTENT_ENCODING, &children)])
}
