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
use std::iter::FusedIterator;

use bytes::{Bytes, BytesMut};

use crate::error::{Error, ErrorKind};
use crate::fragment::Fragment;
use crate::fragment::cluster::{ClusterContext, MAX_CLUSTER, OpenCluster};
use crate::fragment::document::{Document, LastDocument};
use crate::fragment::window::Window;
use crate::incomplete::{Incomplete, IncompleteElement};
use crate::index::frame_table::FrameTable;
use crate::index::scan::{CapacityHint, TableBuilder};
use crate::index::{FragmentIndex, FragmentState};
use crate::matroska::ebml::{hex, invalid_element};
use crate::matroska::{Cursor, ElementHeader, HeaderRead, ids};
use crate::selector::{ClipFragmentSelector, ClipFragmentSelectorType};
use crate::tags::FragmentTags;

/// Three codec private data of 1 MiB and some tags are the most that the service takes.
const MAX_METADATA: u64 = 16 << 20;

/// Bytes by which other kinds of file are told. An EBML header is longer.
const SIGNATURE: usize = 8;

/// An EBML header has some 40 bytes. Of a larger one nothing is kept.
const MAX_EBML_HEADER: u64 = 4096;

/// The fragments of a buffer that holds a whole stream, such as a file or a response of GetMedia.
///
/// Nothing is copied: each fragment shares `bytes`. See [`FragmentReader`] for what is yielded.
pub fn fragments(bytes: Bytes) -> Fragments {
    let mut reader = FragmentReader::new();
    reader.push(bytes);
    reader.finish();
    Fragments(reader)
}

/// The fragments of a buffer, one after the other. See [`fragments`].
#[derive(Debug)]
pub struct Fragments(FragmentReader);

impl Iterator for Fragments {
    type Item = Result<Fragment, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next_fragment()
    }
}

impl FusedIterator for Fragments {}

/// Reads fragments from a stream that arrives in chunks of any size.
///
/// [`push`](Self::push) what has arrived, then take [`next_fragment`](Self::next_fragment) until it returns `None`;
/// after the last chunk call [`finish`](Self::finish) and take the rest. Each byte is read once, and copied (once) only
/// where a fragment straddles chunks. The fragments do not depend on how the input is cut into chunks.
///
/// A fragment comes out as soon as its end is known. One whose tags do not name it waits until the next Cluster or
/// document begins, because its tags may follow it.
///
/// An `Err` is the last item: malformed input, or an error that the service wrote into the stream. Input that
/// *ends* too early is no error here: what is whole is yielded, and [`Fragment::incomplete`] says what is missing.
///
/// ```
/// use getclip::FragmentReader;
///
/// let mut reader = FragmentReader::new();
/// let mut numbers = Vec::new();
/// # let response = std::fs::read("testdata/getmedia_twice.mkv").unwrap();
/// for chunk in response.chunks(64 * 1024) {
///     reader.push(chunk.to_vec().into());
///     while let Some(fragment) = reader.next_fragment() {
///         numbers.push(fragment?.name().to_string());
///     }
/// }
/// reader.finish();
/// while let Some(fragment) = reader.next_fragment() {
///     numbers.push(fragment?.name().to_string());
/// }
/// # assert!(!numbers.is_empty());
/// # Ok::<(), getclip::Error>(())
/// ```
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
    capacity: CapacityHint,
    last_document: LastDocument,
    keeps_media: bool,
    selector: Option<ClipFragmentSelector>,
    input: InputState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InputState {
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

/// An element without meaning here, of which some bytes are yet to come.
#[derive(Debug)]
struct Skip {
    bytes: u64,
    element: IncompleteElement,
    then: AfterSkip,
}

/// What comes of an element that was skipped.
#[derive(Debug)]
enum AfterSkip {
    Nothing,
    /// It was the Cluster of this fragment.
    PassedOver(Box<Fragment>),
    /// It is the EBML header of the document, of which this much has been kept.
    EbmlHeader(BytesMut),
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
            capacity: CapacityHint::default(),
            last_document: LastDocument::default(),
            keeps_media: true,
            selector: None,
            input: InputState::Open,
        }
    }

    /// A reader that keeps no media: its fragments have an index only.
    ///
    /// However large a fragment is, no more than one block of it and the last chunk are in memory.
    pub fn indexing() -> Self {
        Self { keeps_media: false, ..Self::new() }
    }

    /// A reader that passes over the frames of fragments which `selector` does not take.
    ///
    /// It can do so where the tags stand before the Cluster and the Cluster's size is known, as in a response of
    /// GetMedia. Such a fragment is yielded without frames and media, for a clip to count it as out of range.
    pub fn for_selector(selector: ClipFragmentSelector) -> Self {
        Self { selector: Some(selector), ..Self::new() }
    }

    /// Adds the next bytes of the stream. They are ignored after [`finish`](Self::finish) and after an error.
    pub fn push(&mut self, chunk: Bytes) {
        if self.input == InputState::Open && !chunk.is_empty() {
            self.window.push(chunk);
        }
    }

    /// Tells the reader that no more bytes will come.
    pub fn finish(&mut self) {
        if self.input == InputState::Open {
            self.input = InputState::Finished;
        }
    }

    /// The next fragment. `None` means that more input is needed or, after [`finish`](Self::finish), that there is none.
    pub fn next_fragment(&mut self) -> Option<Result<Fragment, Error>> {
        while self.ready.is_empty() && self.input != InputState::Done {
            let step = match self.step() {
                Ok(Step::Forward) => continue,
                Ok(Step::NeedsInput) if self.input == InputState::Open => return None,
                Ok(Step::NeedsInput) => self.end_of_input(),
                Err(error) => Err(error),
            };
            self.input = InputState::Done;
            if let Err(mut error) = step {
                self.yield_unnamed();
                if let Some(cluster) = &self.cluster {
                    error = error.in_fragment(cluster.name(self.fragments));
                }
                self.ready.push_back(Err(error));
            }
        }
        self.ready.pop_front()
    }

    /// How many bytes of the stream the reader has understood or passed over.
    pub fn bytes_consumed(&self) -> u64 {
        self.window.offset()
    }

    fn step(&mut self) -> Result<Step, Error> {
        if let Some(skip) = &mut self.skip {
            let skipped = match &mut skip.then {
                AfterSkip::EbmlHeader(kept) => {
                    let bytes = self.window.split(usize::try_from(skip.bytes).unwrap_or(usize::MAX));
                    kept.extend_from_slice(&bytes);
                    bytes.len() as u64
                }
                AfterSkip::Nothing | AfterSkip::PassedOver(_) => self.window.discard(skip.bytes),
            };
            skip.bytes = skip.bytes.saturating_sub(skipped);
            if skip.bytes > 0 {
                return Ok(Step::NeedsInput);
            }
            match self.skip.take().map(|skip| skip.then) {
                Some(AfterSkip::PassedOver(fragment)) => {
                    // It is complete, and waits for no further bytes.
                    self.ready.push_back(Ok(*fragment));
                    return Ok(Step::Forward);
                }
                Some(AfterSkip::EbmlHeader(kept)) => self.document = Document::new(kept.freeze()),
                Some(AfterSkip::Nothing) | None => {}
            }
        }
        if self.cluster.is_some() { self.step_in_cluster() } else { self.step_in_segment() }
    }

    fn step_in_cluster(&mut self) -> Result<Step, Error> {
        let Some(cluster) = &mut self.cluster else { return Ok(Step::NeedsInput) };
        if cluster.read(self.window.bytes(), ClusterContext::new(&self.document))? {
            self.close_cluster(None)?;
            return Ok(Step::Forward);
        }
        if !self.keeps_media {
            self.window.discard(cluster.kept_len() as u64);
            cluster.drop_kept();
        }
        Ok(Step::NeedsInput)
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
            if bytes.len() < SIGNATURE && self.input == InputState::Open {
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
            (_, ids::EBML) => self.ebml_header(header),
            (_, ids::VOID) => self.pass_over(header, IncompleteElement::Void),
            (Level::Top, id) => {
                Err(Error::malformed("an EBML header after the Segment", ids::name(id)).at(offset))
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
                Err(Error::malformed("a Segment after the EBML header", ids::name(id)).at(offset))
            }
            (Level::Segment { end }, id) => {
                let element_end =
                    header.size.and_then(|size| offset.checked_add(u64::from(header.len))?.checked_add(size));
                if let (Some(end), Some(element_end)) = (end, element_end)
                    && element_end > end
                {
                    let expected = format!("{} inside its Segment, which ends at byte {end}", ids::name(id));
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
                let tags = std::mem::take(&mut self.tags);
                if let Some(size) = header.size.filter(|_| self.is_out_of_range(&tags)) {
                    return Ok(self.pass_over_cluster(header, size, tags));
                }
                let table = TableBuilder::new(std::mem::take(&mut self.capacity));
                self.cluster = Some(OpenCluster::new(header, offset, tags, table));
                Ok(Step::Forward)
            }
            ids::INFO => {
                self.metadata(header, |reader, element, info| reader.document.read_info(element, info))
            }
            ids::TRACKS => self.metadata(header, |reader, element, tracks| {
                reader.document.read_tracks(&mut reader.last_document, element, tracks)
            }),
            ids::TAGS => self.metadata(header, |reader, _, tags| reader.tags.read(tags)),
            _ => self.pass_over(header, IncompleteElement::Other),
        }
    }

    /// Whether tags alone tell that the selector does not take their fragment.
    fn is_out_of_range(&self, tags: &FragmentTags) -> bool {
        let Some(selector) = self.selector else { return false };
        let time = match selector.selector_type() {
            ClipFragmentSelectorType::ProducerTimestamp => tags.producer_timestamp,
            ClipFragmentSelectorType::ServerTimestamp => tags.server_timestamp,
        };
        time.is_some_and(|time| !selector.contains(time))
    }

    fn pass_over_cluster(&mut self, header: ElementHeader, size: u64, tags: FragmentTags) -> Step {
        let bytes = size.saturating_add(u64::from(header.len));
        let passed_over = self.fragment_without_frames(tags, FragmentState::PassedOver, bytes);
        let then = AfterSkip::PassedOver(Box::new(passed_over));
        self.skip = Some(Skip { bytes, element: IncompleteElement::Cluster, then });
        Step::Forward
    }

    fn ebml_header(&mut self, header: ElementHeader) -> Result<Step, Error> {
        let size = known_size(header, self.window.offset())?;
        self.end_document();
        self.begin_document();
        let bytes = size.saturating_add(u64::from(header.len));
        let then = match bytes {
            ..=MAX_EBML_HEADER => AfterSkip::EbmlHeader(BytesMut::new()),
            _ => AfterSkip::Nothing,
        };
        self.skip = Some(Skip { bytes, element: IncompleteElement::EbmlHeader, then });
        Ok(Step::Forward)
    }

    /// Reads a small element once it is here as a whole.
    fn metadata(
        &mut self,
        header: ElementHeader,
        read: impl FnOnce(&mut Self, Bytes, Cursor<'_>) -> Result<(), Error>,
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
        let element = self.window.split(len as usize);
        let payload = element.slice(usize::from(header.len).min(element.len())..);
        read(self, element, Cursor::new(&payload, offset.saturating_add(u64::from(header.len))))?;
        Ok(Step::Forward)
    }

    fn pass_over(&mut self, header: ElementHeader, element: IncompleteElement) -> Result<Step, Error> {
        let size = known_size(header, self.window.offset())?;
        let bytes = size.saturating_add(u64::from(header.len));
        self.skip = Some(Skip { bytes, element, then: AfterSkip::Nothing });
        Ok(Step::Forward)
    }

    fn begin_document(&mut self) {
        self.document = Document::default();
        self.level = Level::Document;
    }

    /// Nothing more can belong to the fragments of this document.
    fn end_document(&mut self) {
        self.name_unnamed();
        self.yield_unnamed();
        if self.level != Level::Top && (!self.document.has_cluster || self.tags.is_identity()) {
            let offset = self.window.offset();
            let element = IncompleteElement::Document;
            self.yield_remnant(Incomplete { offset, element, missing_bytes: None });
        }
        self.tags = FragmentTags::default();
        self.level = Level::Top;
    }

    fn close_cluster(&mut self, incomplete: Option<Incomplete>) -> Result<(), Error> {
        let Some(cluster) = self.cluster.take() else { return Ok(()) };
        let position = self.next_position();
        let header = self.document.header(&mut self.last_document);
        let media = if self.keeps_media {
            self.window.split(cluster.kept_len())
        } else {
            self.window.discard(cluster.kept_len() as u64);
            Bytes::new()
        };
        self.capacity = cluster.capacity_hint();
        let fragment = cluster.into_fragment(media, header, &self.document, position, incomplete)?;
        if fragment.index().tags.is_identity() {
            self.ready.push_back(Ok(fragment));
        } else {
            self.unnamed = Some(fragment);
        }
        Ok(())
    }

    /// Gives the fragment that nothing names yet the tags that were found after it.
    fn name_unnamed(&mut self) {
        if let Some(unnamed) = &mut self.unnamed {
            unnamed.index.tags = std::mem::take(&mut self.tags);
        }
    }

    fn yield_unnamed(&mut self) {
        self.ready.extend(self.unnamed.take().map(Ok));
    }

    /// Yields what is left of a document that ended before a Cluster.
    fn yield_remnant(&mut self, incomplete: Incomplete) {
        let tags = std::mem::take(&mut self.tags);
        let remnant = self.fragment_without_frames(tags, FragmentState::Incomplete(incomplete), 0);
        self.ready.push_back(Ok(remnant));
    }

    fn fragment_without_frames(
        &mut self,
        tags: FragmentTags,
        state: FragmentState,
        media_len: u64,
    ) -> Fragment {
        let index = FragmentIndex {
            tags,
            tracks: self.document.tracks.set.clone(),
            timestamp_scale_ns: self.document.timestamp_scale_ns,
            cluster_timestamp: 0,
            frames: FrameTable::default(),
            media_len,
            offset: self.window.offset(),
            position: self.next_position(),
            state,
        };
        Fragment::new(index, Bytes::new(), self.document.header(&mut self.last_document))
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
        if let Some(skip) = self.skip.take() {
            let incomplete = Incomplete { offset, element: skip.element, missing_bytes: Some(skip.bytes) };
            if let AfterSkip::PassedOver(mut passed_over) = skip.then {
                passed_over.index.state = FragmentState::Incomplete(incomplete);
                self.ready.push_back(Ok(*passed_over));
                self.end_document();
            } else {
                self.end_with_remnant(incomplete);
            }
            return Ok(());
        }
        let (element, missing_bytes) = match self.level {
            _ if !bytes.is_empty() => match ElementHeader::read(bytes) {
                HeaderRead::Header(header) => {
                    let missing = header.size.and_then(|size| {
                        size.checked_add(u64::from(header.len))?.checked_sub(bytes.len() as u64)
                    });
                    (IncompleteElement::Header, missing)
                }
                HeaderRead::Incomplete | HeaderRead::Invalid { .. } => (IncompleteElement::Header, None),
            },
            Level::Segment { end: Some(end) } if end > offset && self.document.has_cluster => {
                (IncompleteElement::Segment, end.checked_sub(offset))
            }
            _ => {
                self.end_document();
                return Ok(());
            }
        };
        self.end_with_remnant(Incomplete { offset, element, missing_bytes });
        Ok(())
    }

    fn end_with_remnant(&mut self, incomplete: Incomplete) {
        self.name_unnamed();
        self.yield_unnamed();
        self.yield_remnant(incomplete);
    }
}

fn known_size(header: ElementHeader, offset: u64) -> Result<u64, Error> {
    header.size.ok_or_else(|| {
        let found = format!("unknown size in {}", ids::name(header.id));
        Error::malformed("unknown size in Segments and Clusters only", found).at(offset)
    })
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
        [b'{', ..] => " (JSON: an error response of the service?)",
        [0, 0, 0, 1, ..] | [0, 0, 1, ..] => " (an H.264 or H.265 byte stream)",
        [0x47, ..] => " (an MPEG transport stream?)",
        _ => "",
    };
    Err(ErrorKind::NotMatroska { found: format!("{}{kind}", hex(front)) }.into())
}
