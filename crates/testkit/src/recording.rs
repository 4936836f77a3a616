//! A recording read by the rules of Matroska (RFC 9559) and of the service's tags alone: an oracle for what is in an input.
//!
//! Each document is read by itself, from its EBML header to the next one, and what its end cuts off is left out: a frame
//! is listed only if all its bytes are there. Lacing is not read.

use std::fs;
use std::ops::Range;

use crate::ebml::id;
use crate::frames::Frame;
use crate::manifest;
use crate::nal::Codec;

/// The fragments of an input.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The input.
    pub bytes: Vec<u8>,
    /// In file order.
    pub fragments: Vec<StoredFragment>,
}

/// A Cluster, and what stands before it.
#[derive(Debug, Clone, Default)]
pub struct StoredFragment {
    /// `AWS_KINESISVIDEO_FRAGMENT_NUMBER`.
    pub number: Option<String>,
    /// `AWS_KINESISVIDEO_PRODUCER_TIMESTAMP` in nanoseconds.
    pub producer_ns: Option<i128>,
    /// Timestamp of the Cluster in nanoseconds.
    pub cluster_ns: i128,
    /// TimestampScale: nanoseconds per tick.
    pub tick_ns: i128,
    /// The TrackEntries.
    pub tracks: Vec<StoredTrack>,
    /// The frames that are whole, in file order.
    pub frames: Vec<StoredFrame>,
}

/// A TrackEntry.
#[derive(Debug, Clone, Default)]
pub struct StoredTrack {
    /// TrackNumber.
    pub number: u64,
    /// CodecID.
    pub codec_id: String,
    /// CodecPrivate.
    pub codec_private: Option<Vec<u8>>,
    /// CodecDelay in nanoseconds.
    pub codec_delay_ns: i128,
    /// SamplingFrequency in hertz.
    pub sampling_frequency: Option<f64>,
    /// Channels.
    pub channels: Option<u64>,
}

/// One frame of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFrame {
    /// Matroska track number.
    pub track: u64,
    /// Fragment, counted from 0 in file order.
    pub fragment: usize,
    /// Time on the timeline of the producer timestamps, or of the Cluster timestamps where there are none.
    pub time_ns: i128,
    /// The key flag of the SimpleBlock, or that a BlockGroup has no ReferenceBlock.
    pub key: bool,
    /// Place of its bytes in the file.
    pub range: Range<usize>,
}

impl Recording {
    /// Reads an input.
    pub fn read(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let mut fragments = Vec::new();
        for document in documents(&bytes) {
            Document { file: &bytes, end: document.end, fragments: &mut fragments, head: Head::default() }
                .read(document.start);
        }
        Self { bytes, fragments }
    }

    /// Reads `testdata/cases/NAME.mkv`.
    pub fn case(name: &str) -> Self {
        let path = manifest::path(&format!("cases/{name}.mkv"));
        Self::read(fs::read(path).expect("a readable file"))
    }

    /// All frames in file order.
    pub fn stored_frames(&self) -> impl Iterator<Item = &StoredFrame> {
        self.fragments.iter().flat_map(|fragment| &fragment.frames)
    }

    /// The bytes of a frame.
    pub fn bytes_of(&self, frame: &StoredFrame) -> &[u8] {
        &self.bytes[frame.range.clone()]
    }

    /// The track of a frame.
    pub fn track_of(&self, frame: &StoredFrame) -> &StoredTrack {
        let mut tracks = self.fragments[frame.fragment].tracks.iter();
        tracks.find(|track| track.number == frame.track).expect("a TrackEntry for the frame")
    }

    /// The codec of track 1 in the first fragment.
    pub fn video_codec(&self) -> Codec {
        let track = self.fragments[0].tracks.iter().find(|track| track.number == 1).expect("track 1");
        Codec::of(&track.codec_id)
    }

    /// Time of the earliest block of the recording, which is the origin of [`Recording::time_of`].
    fn origin_ns(&self) -> i128 {
        self.stored_frames().map(|frame| frame.time_ns).min().unwrap_or(0)
    }

    /// Presentation time of a frame: its block's less the CodecDelay of its track, from the earliest block on.
    pub fn time_of(&self, frame: &StoredFrame) -> i128 {
        frame.time_ns - self.track_of(frame).codec_delay_ns - self.origin_ns()
    }

    /// The frames as they must come out when they need no adaptation: verbatim, with sync samples by the bitstream.
    pub fn frames(&self) -> Vec<Frame> {
        let frame = |stored: &StoredFrame| Frame {
            track: stored.track,
            time_ns: self.time_of(stored),
            key: (stored.track == 1).then(|| {
                Codec::of(&self.track_of(stored).codec_id)
                    .is_sync(&crate::nal::length_prefixed(self.bytes_of(stored)).unwrap_or_default())
            }),
            bytes: self.bytes_of(stored).to_vec(),
        };
        self.stored_frames().map(frame).collect()
    }
}

/// The documents of an input: from each EBML header that holds a DocType to the next one, or to the end.
pub fn documents(file: &[u8]) -> Vec<Range<usize>> {
    const EBML: [u8; 4] = id::EBML.to_be_bytes();
    const DOC_TYPE: [u8; 2] = (id::DOC_TYPE as u16).to_be_bytes();
    let is_start = |at: &usize| {
        let after = &file[*at..file.len().min(at + 64)];
        after.starts_with(&EBML) && after.windows(2).any(|window| window == DOC_TYPE)
    };
    let starts: Vec<usize> = (0..file.len()).filter(is_start).collect();
    let ends = starts.iter().skip(1).copied().chain([file.len()]);
    starts.iter().zip(ends).map(|(start, end)| *start..end).collect()
}

/// What has been read before a Cluster.
#[derive(Debug, Clone, Default)]
struct Head {
    fragment: StoredFragment,
    tag_name: String,
}

/// One document while it is read.
struct Document<'a> {
    file: &'a [u8],
    end: usize,
    fragments: &'a mut Vec<StoredFragment>,
    head: Head,
}

impl Document<'_> {
    /// Masters are walked into, whether their size is known or not, and everything else is passed over by its size; so
    /// nothing needs to know where a Cluster ends.
    fn read(mut self, start: usize) {
        self.head.fragment.tick_ns = 1_000_000;
        let mut at = start;
        while let Some((element, payload)) = element(self.file, at..self.end) {
            at = payload.start;
            match element {
                id::CLUSTER => {
                    self.fragments.push(self.head.fragment.clone());
                    self.head.fragment.number = None;
                    self.head.fragment.producer_ns = None;
                }
                id::SEGMENT | id::INFO | id::TRACKS | id::TAGS | id::TAG | id::SIMPLE_TAG => {}
                _ => {
                    let Some(end) = payload.end.filter(|end| *end <= self.end) else { return };
                    self.leaf(element, payload.start..end);
                    at = end;
                }
            }
        }
    }

    fn leaf(&mut self, element: u32, range: Range<usize>) {
        let payload = &self.file[range.clone()];
        match element {
            id::TIMESTAMP_SCALE => self.head.fragment.tick_ns = uint(payload),
            id::TRACK_ENTRY => self.head.fragment.tracks.push(track_entry(payload)),
            id::TAG_NAME => self.head.tag_name = text(payload),
            id::TAG_STRING => match self.head.tag_name.as_str() {
                "AWS_KINESISVIDEO_FRAGMENT_NUMBER" => self.head.fragment.number = Some(text(payload)),
                "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP" => {
                    let ms: i128 = text(payload).replace('.', "").parse().expect("three decimals");
                    self.head.fragment.producer_ns = Some(ms * 1_000_000);
                }
                _ => {}
            },
            id::TIMESTAMP => {
                let fragment = self.fragments.last_mut().expect("a Cluster before its Timestamp");
                fragment.cluster_ns = uint(payload) * fragment.tick_ns;
            }
            id::SIMPLE_BLOCK => self.block(range, None),
            id::BLOCK_GROUP => {
                let mut block = None;
                let mut is_key = true;
                for (element, child) in children(self.file, range) {
                    match element {
                        id::BLOCK => block = Some(child),
                        id::REFERENCE_BLOCK => is_key = false,
                        _ => {}
                    }
                }
                self.block(block.expect("a Block in the BlockGroup"), Some(is_key));
            }
            _ => {}
        }
    }

    /// Lists the frame of a block; its own key flag counts where `key` is `None`.
    fn block(&mut self, range: Range<usize>, key: Option<bool>) {
        let payload = &self.file[range.clone()];
        assert_eq!(payload[3] & 0x06, 0, "no lacing");
        let index = self.fragments.len() - 1;
        let fragment = &mut self.fragments[index];
        let ticks = i128::from(i16::from_be_bytes([payload[1], payload[2]]));
        fragment.frames.push(StoredFrame {
            track: u64::from(payload[0] & 0x7F),
            fragment: index,
            time_ns: fragment.producer_ns.unwrap_or(fragment.cluster_ns) + ticks * fragment.tick_ns,
            key: key.unwrap_or(payload[3] & 0x80 != 0),
            range: range.start + 4..range.end,
        });
    }
}

fn track_entry(payload: &[u8]) -> StoredTrack {
    let mut track = StoredTrack::default();
    for (element, range) in children(payload, 0..payload.len()) {
        let value = &payload[range.clone()];
        match element {
            id::TRACK_NUMBER => track.number = uint(value) as u64,
            id::CODEC_ID => track.codec_id = text(value),
            id::CODEC_PRIVATE => track.codec_private = Some(value.to_vec()),
            id::CODEC_DELAY => track.codec_delay_ns = uint(value),
            id::AUDIO => {
                for (element, range) in children(payload, range) {
                    let value = &payload[range];
                    match element {
                        id::SAMPLING_FREQUENCY => track.sampling_frequency = Some(float(value)),
                        id::CHANNELS => track.channels = Some(uint(value) as u64),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    track
}

/// Where the payload of an element begins, and where it ends; `None` is an unknown size.
struct Payload {
    start: usize,
    end: Option<usize>,
}

/// The element whose header is at the front of `range`; `None` if there is no whole header.
fn element(file: &[u8], range: Range<usize>) -> Option<(u32, Payload)> {
    let bytes = &file[range.clone()];
    let id_len = vint_len(bytes)?;
    let id = u32::try_from(uint(bytes.get(..id_len)?)).ok()?;
    let bytes = &bytes[id_len..];
    let size_len = vint_len(bytes)?;
    let all_ones = (1_i128 << (7 * size_len)) - 1;
    let size = uint(bytes.get(..size_len)?) & all_ones;
    let start = range.start + id_len + size_len;
    Some((id, Payload { start, end: (size != all_ones).then(|| start.saturating_add(size as usize)) }))
}

/// The children of a master that is whole.
fn children(file: &[u8], range: Range<usize>) -> Vec<(u32, Range<usize>)> {
    let mut children = Vec::new();
    let mut at = range.start;
    while let Some((id, payload)) = element(file, at..range.end) {
        at = payload.end.expect("a known size");
        children.push((id, payload.start..at));
    }
    assert_eq!(at, range.end, "children fill their parent");
    children
}

fn vint_len(bytes: &[u8]) -> Option<usize> {
    let len = bytes.first()?.leading_zeros() as usize + 1;
    (len <= 8).then_some(len)
}

fn uint(bytes: &[u8]) -> i128 {
    bytes.iter().fold(0, |value, byte| value << 8 | i128::from(*byte))
}

fn float(bytes: &[u8]) -> f64 {
    match bytes.try_into() {
        Ok(bytes) => f64::from_be_bytes(bytes),
        Err(_) => f32::from_be_bytes(bytes.try_into().expect("a float of 4 or 8 bytes")).into(),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches(['\0', ' ']).to_owned()
}
