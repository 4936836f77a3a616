//! [`FragmentReader`]: fragments out of a stream of bytes, in one pass.
//!
//! Streams are laid out as they are found in the wild: one EBML document per fragment, or one
//! document with many Clusters, or documents of the service's merger tool with tags in front of each Cluster.
//! ```text
//! EBML | Segment | SeekHead? Void? Info Tracks Tags* Cluster Cues? Tags* | EBML | Segment | ...
//! ```
//! SeekHead, Cues and Duration are left over from the producer's file and point nowhere, so nothing here seeks: an
//! element is read where it stands, or passed over by its size.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use memchr::memmem::Finder;

use crate::annexb::StartCodes;
use crate::error::{Error, ErrorKind};
use crate::fragment::cluster::{OpenCluster, Surroundings, UsualCounts};
use crate::fragment::window::Window;
use crate::fragment::{Fragment, FragmentTags, Incomplete, name};
use crate::matroska::ebml::{hex, invalid_element};
use crate::matroska::{Cursor, ElementHeader, HeaderRead, TrackEntry, ids};

/// The service stores fragments of up to 50 MB. A larger Cluster is refused before it is buffered.
pub(crate) const MAX_CLUSTER: u64 = 256 << 20;

/// Three codec private data of 1 MiB and some tags are the most that the service takes.
const MAX_METADATA: u64 = 16 << 20;

/// Bytes by which other kinds of file are told. An EBML header is longer.
const SIGNATURE: usize = 8;

/// The fragments of a buffer that holds a whole stream, such as a file or an answer of GetMedia.
///
/// Nothing is copied: each fragment shares `bytes`. See [`FragmentReader`] for what is yielded.
pub fn fragments(bytes: Bytes) -> FragmentReader {
    let mut reader = FragmentReader::new();
    reader.push(bytes);
    reader.finish();
    reader
}

/// Reads fragments from a stream that arrives in chunks of any size.
///
/// [`push`](Self::push) what has arrived, then take fragments off the iterator until it answers `None`; after the
/// last chunk call [`finish`](Self::finish) and take the rest. Each byte is read once, and copied (once) only where
/// a fragment straddles chunks. The fragments do not depend on how the input is cut into chunks.
///
/// A fragment comes out as soon as its end is known. One whose tags do not name it waits until the next Cluster or
/// document begins, because its tags may stand behind it.
///
/// An `Err` is the last item: malformed input, or an error that the service wrote into the stream. Input that
/// *ends* too early is no error here: what is whole is yielded, and [`Fragment::incomplete`] says what is missing.
#[derive(Debug)]
pub struct FragmentReader {
    window: Window,
    level: Level,
    document: Document,
    /// Tags since the last Cluster.
    tags: FragmentTags,
    cluster: Option<OpenCluster>,
    skip: Option<Skip>,
    /// A fragment that nothing names yet.
    unnamed: Option<Fragment>,
    ready: VecDeque<Result<Fragment, Error>>,
    fragments: u64,
    usual: UsualCounts,
    /// The payload of the last Tracks element, and what was read in it: documents of a stream repeat it.
    last_tracks: (Box<[u8]>, Arc<[TrackEntry]>),
    start_code: Finder<'static>,
    input: Input,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Open,
    Finished,
    /// Everything that can be said was said.
    Done,
}

/// Which element's children are being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// An EBML header must come.
    Top,
    /// The Segment must come.
    Document,
    /// Children of the Segment, up to this offset where its size is known.
    Segment { end: Option<u64> },
}

/// What the header of a document says of its fragments.
#[derive(Debug)]
struct Document {
    tracks: Arc<[TrackEntry]>,
    timestamp_scale_ns: u32,
    has_cluster: bool,
}

/// An element without meaning here, of which some bytes are yet to come.
#[derive(Debug)]
struct Skip {
    bytes: u64,
    element: &'static str,
}

/// Whether a step went forward, or waits for bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Forward,
    NeedsInput,
}

impl Default for FragmentReader {
    fn default() -> Self {
        Self::new()
    }
}

impl FragmentReader {
    /// A reader at the start of a stream.
    pub fn new() -> Self {
        Self {
            window: Window::default(),
            level: Level::Top,
            document: Document::default(),
            tags: FragmentTags::default(),
            cluster: None,
            skip: None,
            unnamed: None,
            ready: VecDeque::new(),
            fragments: 0,
            usual: UsualCounts::default(),
            last_tracks: (Box::default(), Arc::from([])),
            start_code: StartCodes::finder(),
            input: Input::Open,
        }
    }

    /// Adds the next bytes of the stream. They are ignored after [`finish`](Self::finish) and after an error.
    pub fn push(&mut self, chunk: Bytes) {
        if self.input == Input::Open && !chunk.is_empty() {
            self.window.push(chunk);
        }
    }

    /// Says that no more bytes will come.
    pub fn finish(&mut self) {
        if self.input == Input::Open {
            self.input = Input::Finished;
        }
    }

    /// How many bytes of the stream the reader has understood or passed over.
    pub fn bytes_consumed(&self) -> u64 {
        self.window.offset()
    }

    fn step(&mut self) -> Result<Step, Error> {
        if let Some(skip) = &mut self.skip {
            let skipped = self.window.discard(skip.bytes);
            skip.bytes = skip.bytes.saturating_sub(skipped);
            if skip.bytes > 0 {
                return Ok(Step::NeedsInput);
            }
            self.skip = None;
        }
        if self.cluster.is_some() { self.step_in_cluster() } else { self.step_in_segment() }
    }

    fn step_in_cluster(&mut self) -> Result<Step, Error> {
        let Some(cluster) = &mut self.cluster else { return Ok(Step::NeedsInput) };
        let surroundings = Surroundings {
            cluster_offset: self.window.offset(),
            tracks: &self.document.tracks,
            scale_ns: self.document.timestamp_scale_ns,
            start_code: &self.start_code,
        };
        if !cluster.read(self.window.bytes(), surroundings)? {
            return Ok(Step::NeedsInput);
        }
        self.close_cluster(None)?;
        Ok(Step::Forward)
    }

    fn step_in_segment(&mut self) -> Result<Step, Error> {
        let offset = self.window.offset();
        if self.level == (Level::Segment { end: Some(offset) }) {
            self.end_document();
        }
        let bytes = self.window.bytes();
        if bytes.is_empty() {
            return Ok(Step::NeedsInput);
        }
        if self.level == Level::Top {
            if bytes.len() < SIGNATURE && self.input == Input::Open {
                return Ok(Step::NeedsInput);
            }
            check_signature(bytes).map_err(|error| error.at(offset))?;
        }
        let header = match ElementHeader::read(bytes) {
            HeaderRead::Header(header) => header,
            HeaderRead::Incomplete => return Ok(Step::NeedsInput),
            HeaderRead::Invalid { len } => return Err(invalid_element(bytes, len).at(offset)),
        };
        match (self.level, header.id) {
            (_, ids::EBML) => {
                self.end_document();
                self.begin_document();
                self.level = Level::Document;
                self.pass_over(header, "an EBML header")
            }
            (_, ids::VOID) => self.pass_over(header, "a Void element"),
            (Level::Top, id) => {
                Err(Error::malformed("an EBML header behind the Segment", format!("element {id:X}"))
                    .at(offset))
            }
            (Level::Document | Level::Segment { .. }, ids::SEGMENT) => {
                if self.level != Level::Document {
                    self.end_document();
                    self.begin_document();
                }
                let start = offset.saturating_add(u64::from(header.len));
                self.level = Level::Segment { end: header.size.map(|size| start.saturating_add(size)) };
                self.window.discard(u64::from(header.len));
                Ok(Step::Forward)
            }
            (Level::Document, id) => {
                Err(Error::malformed("a Segment behind the EBML header", format!("element {id:X}"))
                    .at(offset))
            }
            (Level::Segment { end }, id) => {
                let element_end =
                    header.size.and_then(|size| offset.checked_add(u64::from(header.len))?.checked_add(size));
                if let (Some(end), Some(element_end)) = (end, element_end)
                    && element_end > end
                {
                    let expected = format!("element {id:X} inside its Segment, which ends at byte {end}");
                    return Err(
                        Error::malformed(expected, format!("its end at byte {element_end}")).at(offset)
                    );
                }
                self.child_of_segment(header)
            }
        }
    }

    fn child_of_segment(&mut self, header: ElementHeader) -> Result<Step, Error> {
        let offset = self.window.offset();
        match header.id {
            ids::CLUSTER => {
                if let Some(size) = header.size.filter(|&size| size > MAX_CLUSTER) {
                    let kind = ErrorKind::TooLarge {
                        what: "the size of the Cluster",
                        found: size,
                        limit: MAX_CLUSTER,
                    };
                    return Err(Error::new(kind).at(offset));
                }
                self.yield_unnamed();
                self.document.has_cluster = true;
                self.cluster = Some(OpenCluster::new(header, std::mem::take(&mut self.tags), self.usual));
                Ok(Step::Forward)
            }
            ids::INFO => self.metadata(header, |reader, mut info| {
                while let Some((id, payload)) = info.element()? {
                    if id == ids::TIMESTAMP_SCALE {
                        reader.document.timestamp_scale_ns = timestamp_scale(payload)?;
                    }
                }
                Ok(())
            }),
            ids::TRACKS => self.metadata(header, |reader, tracks| {
                if tracks.rest() != &*reader.last_tracks.0 {
                    reader.last_tracks = (tracks.rest().into(), TrackEntry::parse_all(tracks)?.into());
                }
                reader.document.tracks = reader.last_tracks.1.clone();
                Ok(())
            }),
            ids::TAGS => self.metadata(header, |reader, tags| reader.tags.read(tags)),
            _ => self.pass_over(header, "an element in front of or behind the Clusters"),
        }
    }

    /// Reads a small element once it is here as a whole.
    fn metadata(
        &mut self,
        header: ElementHeader,
        read: impl FnOnce(&mut Self, Cursor<'_>) -> Result<(), Error>,
    ) -> Result<Step, Error> {
        let offset = self.window.offset();
        let size = known_size(header, offset)?;
        if size > MAX_METADATA {
            let kind = ErrorKind::TooLarge {
                what: "the size of Info, Tracks or Tags",
                found: size,
                limit: MAX_METADATA,
            };
            return Err(Error::new(kind).at(offset));
        }
        let len = u64::from(header.len).saturating_add(size);
        if (self.window.bytes().len() as u64) < len {
            return Ok(Step::NeedsInput);
        }
        let mut element = self.window.split(len as usize);
        let payload = element.split_off(usize::from(header.len).min(element.len()));
        read(self, Cursor::new(&payload, offset.saturating_add(u64::from(header.len))))?;
        Ok(Step::Forward)
    }

    fn pass_over(&mut self, header: ElementHeader, element: &'static str) -> Result<Step, Error> {
        let size = known_size(header, self.window.offset())?;
        self.skip = Some(Skip { bytes: size.saturating_add(u64::from(header.len)), element });
        Ok(Step::Forward)
    }

    fn begin_document(&mut self) {
        self.document = Document::default();
        self.level = Level::Document;
    }

    /// Nothing more can belong to the fragments of this document.
    fn end_document(&mut self) {
        if let Some(unnamed) = &mut self.unnamed {
            unnamed.tags = std::mem::take(&mut self.tags);
        }
        self.yield_unnamed();
        if self.level != Level::Top && (!self.document.has_cluster || self.tags.is_identity()) {
            let offset = self.window.offset();
            self.yield_remnant(Incomplete {
                offset,
                element: "a document without a Cluster",
                missing_bytes: None,
            });
        }
        self.tags = FragmentTags::default();
        self.level = Level::Top;
    }

    fn close_cluster(&mut self, incomplete: Option<Incomplete>) -> Result<(), Error> {
        let Some(cluster) = self.cluster.take() else { return Ok(()) };
        let position = self.next_position();
        let Document { tracks, timestamp_scale_ns, .. } = &self.document;
        let offset = self.window.offset();
        let data = self.window.split(cluster.len());
        let fragment =
            cluster.into_fragment(data, offset, tracks.clone(), *timestamp_scale_ns, position, incomplete)?;
        self.usual = UsualCounts::of(&fragment);
        if fragment.tags.is_identity() {
            self.ready.push_back(Ok(fragment));
        } else {
            self.unnamed = Some(fragment);
        }
        Ok(())
    }

    fn yield_unnamed(&mut self) {
        self.ready.extend(self.unnamed.take().map(Ok));
    }

    /// Yields what is left of a document that ended before a Cluster.
    fn yield_remnant(&mut self, incomplete: Incomplete) {
        let remnant = Fragment {
            tags: std::mem::take(&mut self.tags),
            tracks: self.document.tracks.clone(),
            timestamp_scale_ns: self.document.timestamp_scale_ns,
            cluster_timestamp: 0,
            blocks: Vec::new(),
            start_codes: StartCodes::default(),
            data: Bytes::new(),
            offset: self.window.offset(),
            position: self.next_position(),
            incomplete: Some(incomplete),
        };
        self.ready.push_back(Ok(remnant));
    }

    fn next_position(&mut self) -> u64 {
        let position = self.fragments;
        self.fragments = position.saturating_add(1);
        position
    }

    /// Says what is missing where the input ended.
    fn end_of_input(&mut self) -> Result<(), Error> {
        let bytes = self.window.bytes();
        let offset = self.window.offset().saturating_add(bytes.len() as u64);
        if let Some(cluster) = &self.cluster {
            let incomplete = cluster.missing(bytes, offset);
            self.close_cluster(incomplete)?;
            self.end_document();
            return Ok(());
        }
        let (element, missing_bytes) = match (&self.skip, self.level) {
            (Some(skip), _) => (skip.element, Some(skip.bytes)),
            _ if !bytes.is_empty() => {
                let missing = match ElementHeader::read(bytes) {
                    HeaderRead::Header(header) => header.size.and_then(|size| {
                        size.checked_add(u64::from(header.len))?.checked_sub(bytes.len() as u64)
                    }),
                    HeaderRead::Incomplete | HeaderRead::Invalid { .. } => None,
                };
                ("the header of a document or fragment", missing)
            }
            (None, Level::Segment { end: Some(end) }) if end > offset && self.document.has_cluster => {
                ("a Segment", end.checked_sub(offset))
            }
            _ => {
                self.end_document();
                return Ok(());
            }
        };
        if let Some(unnamed) = &mut self.unnamed {
            unnamed.tags = std::mem::take(&mut self.tags);
        }
        self.yield_unnamed();
        self.yield_remnant(Incomplete { offset, element, missing_bytes });
        Ok(())
    }
}

impl Iterator for FragmentReader {
    type Item = Result<Fragment, Error>;

    /// The next fragment, or `None` when more input is needed or, after [`finish`](Self::finish), there is none.
    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && self.input != Input::Done {
            let step = match self.step() {
                Ok(Step::Forward) => continue,
                Ok(Step::NeedsInput) if self.input == Input::Open => return None,
                Ok(Step::NeedsInput) => self.end_of_input(),
                Err(error) => Err(error),
            };
            self.input = Input::Done;
            if let Err(mut error) = step {
                self.yield_unnamed();
                if let Some(cluster) = &self.cluster {
                    error = error.in_fragment(name(cluster.number(), self.fragments));
                }
                self.ready.push_back(Err(error));
            }
        }
        self.ready.pop_front()
    }
}

impl Default for Document {
    fn default() -> Self {
        Self { tracks: Arc::from([]), timestamp_scale_ns: 1_000_000, has_cluster: false }
    }
}

fn known_size(header: ElementHeader, offset: u64) -> Result<u64, Error> {
    header.size.ok_or_else(|| {
        let found = format!("unknown size in element {:X}", header.id);
        Error::malformed("unknown size in Segments and Clusters only", found).at(offset)
    })
}

/// TimestampScale (RFC 9559 section 5.1.2.9), up to the second that the service allows.
fn timestamp_scale(payload: Cursor<'_>) -> Result<u32, Error> {
    let scale = payload.uint()?;
    match u32::try_from(scale) {
        Ok(scale @ 1..=1_000_000_000) => Ok(scale),
        _ => {
            let expected = "a TimestampScale of 1 ns to 1 s";
            Err(Error::malformed(expected, format!("{scale} ns")).at(payload.offset()))
        }
    }
}

/// Checks that a document begins here, as far as there are bytes.
fn check_signature(bytes: &[u8]) -> Result<(), Error> {
    const EBML: [u8; 4] = ids::EBML.to_be_bytes();
    const VOID: u8 = ids::VOID as u8;
    let front = bytes.get(..4).unwrap_or(bytes);
    if EBML.starts_with(front) || front.first() == Some(&VOID) {
        return Ok(());
    }
    let kind = match bytes {
        [0xFF, 0xD8, 0xFF, ..] => " (a JPEG picture)",
        [0x89, b'P', b'N', b'G', ..] => " (a PNG picture)",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => " (an MP4 file)",
        [b'R', b'I', b'F', b'F', ..] => " (a RIFF file: WAV or AVI)",
        [b'{', ..] => " (JSON: an error answer of the service?)",
        [0, 0, 0, 1, ..] | [0, 0, 1, ..] => " (an H.264 or H.265 byte stream)",
        [0x47, ..] => " (an MPEG transport stream?)",
        _ => "",
    };
    Err(ErrorKind::NotMatroska { found: format!("{}{kind}", hex(front)) }.into())
}
