//! [`FragmentReader`]: fragments out of a stream of bytes, in one pass.
//!
//! Streams are laid out as they are found in the wild: one EBML document per fragment, or one
//! document with many Clusters, or documents of the service's merger tool with tags before each Cluster.
//! ```text
//! EBML | Segment | SeekHead? Void? Info Tracks Tags* Cluster Cues? Tags* | EBML | Segment | ...
//! ```
//! SeekHead, Cues and Duration are left over from the producer's file and point nowhere, so nothing here seeks: an
//! element is read where it stands, or passed over by its size.
//!
//! | file | what it does |
//! |---|---|
//! | `segment` | reads what stands around Clusters |
//! | `cluster` | reads a Cluster as its bytes arrive |
//! | `recovery` | goes on after something did not fit, where `search` finds a place that is `plausible` |
//! | `ending` | ends Clusters and documents, and yields fragments |

use std::collections::VecDeque;
use std::iter::FusedIterator;

use bytes::{Bytes, BytesMut};
use memchr::memmem::Finder;

use crate::damage::Damage;
use crate::error::Error;
use crate::fragment::Fragment;
use crate::fragment::cluster::OpenCluster;
use crate::fragment::document::{Document, LastDocument};
use crate::fragment::plausible::Lookahead;
use crate::fragment::search::{Search, Why};
use crate::fragment::window::Window;
use crate::incomplete::IncompleteElement;
use crate::index::table_builder::CapacityHint;
use crate::matroska::ids;
use crate::selector::ClipFragmentSelector;
use crate::tags::FragmentTags;

const EBML_ID: [u8; 4] = ids::EBML.to_be_bytes();

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
/// where a fragment straddles chunks; after damage, at most a few times as many are read again. The fragments do not
/// depend on how the input is cut into chunks.
///
/// A fragment comes out as soon as its end is known. One whose tags do not name it waits until the next Cluster or
/// document begins, because its tags may follow it.
///
/// Damage is no error here. Where the input ends too early, or another capture begins in the middle of a fragment, the
/// whole frames are yielded and [`Fragment::incomplete`] tells what is missing. Where bytes are not what they should be,
/// reading goes on at the next place that is: no whole frame before or after it is lost, and [`Fragment::damages`] tells
/// what was found there, and how much was passed over. That includes the error that the service writes into a stream
/// when it stops. [`IncompleteInput`](crate::IncompleteInput) decides what becomes of such fragments in a clip.
///
/// An `Err` is the last item: nothing in the input is Matroska.
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
    pub(super) window: Window,
    pub(super) level: Level,
    pub(super) document: Document,
    /// Where the document begins.
    pub(super) document_offset: u64,
    /// Tags since the last Cluster.
    pub(super) tags: FragmentTags,
    pub(super) cluster: Option<OpenCluster>,
    pub(super) skip: Option<Skip>,
    /// A fragment that nothing names yet.
    pub(super) unnamed: Option<Fragment>,
    pub(super) ready: VecDeque<Result<Fragment, Error>>,
    pub(super) fragments: u64,
    pub(super) capacity: CapacityHint,
    pub(super) last_document: LastDocument,
    pub(super) keeps_media: bool,
    pub(super) selector: Option<ClipFragmentSelector>,
    pub(super) input: InputState,
    /// Damage that the next fragment tells of.
    pub(super) damages: Vec<Damage>,
    pub(super) search: Option<Search>,
    /// Finds the ID of an EBML header.
    pub(super) finder: Finder<'static>,
    /// Bytes that were read more than once.
    pub(super) went_back: u64,
    /// Whether any document has begun.
    pub(super) has_document: bool,
    pub(super) is_live: bool,
    /// By how much the producer timestamp of the last fragment that has one is later than its Cluster's, in
    /// milliseconds.
    pub(super) clock_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InputState {
    Open,
    Finished,
    /// Everything that can be said was said.
    Done,
}

/// Which element's children are being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// An EBML header must come.
    Top,
    /// The Segment must come.
    Document,
    /// Children of the Segment, up to this offset where its size is known.
    Segment { end: Option<u64> },
}

/// An element without meaning here, of which some bytes are yet to come.
#[derive(Debug)]
pub(super) struct Skip {
    pub(super) bytes: u64,
    pub(super) element: IncompleteElement,
    pub(super) then: AfterSkip,
}

/// What comes of an element that was skipped.
#[derive(Debug)]
pub(super) enum AfterSkip {
    Nothing,
    /// It was the Cluster of this fragment.
    PassedOver(Box<Fragment>),
    /// It is the EBML header of the document, of which this much has been kept.
    EbmlHeader(BytesMut),
}

/// Whether a step went forward, or waits for bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
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
            document_offset: 0,
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
            damages: Vec::new(),
            search: None,
            finder: Finder::new(&EBML_ID),
            went_back: 0,
            has_document: false,
            is_live: false,
            clock_ms: None,
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

    /// A reader of a live stream, as a producer sends it with PutMedia.
    ///
    /// A fragment comes out as soon as anything arrives that cannot be a child of its Cluster, such as the tag
    /// `AWS_KINESISVIDEO_END_OF_FRAGMENT`, the next Cluster, or the end of its known size; or when the caller
    /// [says so](Self::end_fragment). Tags after a Cluster name nothing: it is the service that names fragments, with
    /// [`FragmentIndex::with_tags`](crate::FragmentIndex::with_tags).
    ///
    /// ```
    /// use getclip::FragmentReader;
    ///
    /// let mut reader = FragmentReader::live();
    /// # let upload = std::fs::read("testdata/h264_upload.mkv").unwrap();
    /// # let mut stored = 0;
    /// for chunk in upload.chunks(1400) {
    ///     reader.push(chunk.to_vec().into());
    ///     while let Some(fragment) = reader.next_fragment() {
    ///         let fragment = fragment?;
    ///         // Store `fragment.header()`, tags, and `fragment.media()`, then acknowledge.
    ///         # stored += 1;
    ///     }
    /// }
    /// // Nothing has arrived for two seconds: what is here as a whole is a fragment.
    /// reader.end_fragment();
    /// while let Some(fragment) = reader.next_fragment() {
    ///     let fragment = fragment?;
    ///     # stored += 1;
    /// }
    /// # assert_eq!(stored, 5);
    /// # Ok::<(), getclip::Error>(())
    /// ```
    pub fn live() -> Self {
        Self { is_live: true, ..Self::new() }
    }

    /// Ends the fragment that is being read, if its Cluster has an unknown size and all of its last block has arrived.
    /// Returns whether it did; the fragment is the last one that [`next_fragment`](Self::next_fragment) then yields.
    ///
    /// Blocks that follow belong to no Cluster, and are reported as [damage](crate::Fragment::damages).
    pub fn end_fragment(&mut self) -> bool {
        while self.input == InputState::Open {
            match self.step() {
                Ok(Step::Forward) => {}
                Ok(Step::NeedsInput) => break,
                Err(error) => {
                    self.input = InputState::Done;
                    self.ready.push_back(Err(error));
                }
            }
        }
        let can_end = self.search.is_none()
            && self.cluster.as_ref().is_some_and(|cluster| {
                cluster.end().is_none()
                    && cluster.has_frames()
                    && cluster.kept_len() == self.window.bytes().len()
            });
        if can_end {
            self.close_cluster(None);
            self.yield_unnamed();
        }
        can_end
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
            match self.step() {
                Ok(Step::Forward) => {}
                Ok(Step::NeedsInput) if self.input == InputState::Open => return None,
                Ok(Step::NeedsInput) => self.finish_step(),
                Err(error) => {
                    self.input = InputState::Done;
                    self.ready.push_back(Err(error));
                }
            }
        }
        self.ready.pop_front()
    }

    /// Goes on where the input ends. Inside an element there may be what should have followed it.
    fn finish_step(&mut self) {
        if let Some(cluster) = &self.cluster {
            self.search = Some(Search::in_cluster(Why::InputEnds, cluster.position(), None));
        } else if self.skip.is_none() && !self.window.bytes().is_empty() {
            self.search = Some(Search::outside(Why::InputEnds, self.window.offset(), None));
        } else {
            self.end_of_input();
        }
    }

    /// How many bytes of the stream the reader has understood or passed over.
    pub fn bytes_consumed(&self) -> u64 {
        self.window.offset()
    }

    fn step(&mut self) -> Result<Step, Error> {
        if self.search.is_some() {
            return self.step_search();
        }
        if self.skip.is_some() {
            return Ok(self.step_in_skip());
        }
        if self.cluster.is_some() { Ok(self.step_in_cluster()) } else { self.step_in_segment() }
    }

    /// The bytes that are here.
    pub(super) fn lookahead(&self) -> Lookahead<'_> {
        Lookahead::new(self.window.bytes(), self.window.offset(), self.input != InputState::Open)
    }

    /// Drops the bytes before `at` of the input.
    pub(super) fn discard_to(&mut self, at: u64) {
        self.window.discard(at.saturating_sub(self.window.offset()));
    }
}
