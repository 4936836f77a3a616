//! [`Fragment`]: what Kinesis Video Streams stores, one Cluster with its tracks and the tags that name it.

mod arriving;
mod cluster;
mod document;
mod ending;
mod plausible;
pub(crate) mod reader;
mod recovery;
mod search;
mod segment;
mod signature;
mod tags;
mod window;

use bytes::{BufMut, Bytes, BytesMut};

use crate::damage::Damage;
use crate::incomplete::Incomplete;
use crate::index::frame_table::FrameFlags;
use crate::index::{FragmentIndex, Frame};
use crate::matroska::TrackEntry;
use crate::number::{FragmentName, FragmentNumber};
use crate::timestamp::Timestamp;

pub use arriving::ArrivingFragment;
pub use reader::{FragmentReader, Fragments, fragments};

/// One stored fragment: its index and its media.
///
/// The media stays where it was read. Cloning copies the index, not the media.
#[derive(Debug, Clone, PartialEq)]
pub struct Fragment {
    index: FragmentIndex,
    media: Bytes,
    header: Bytes,
    document_offset: u64,
}

impl Fragment {
    pub(crate) fn new(index: FragmentIndex, media: Bytes, header: Bytes) -> Self {
        Self { index, media, header, document_offset: 0 }
    }

    /// The same fragment of a document that begins at this offset.
    pub(crate) fn in_document_at(self, document_offset: u64) -> Self {
        Self { document_offset, ..self }
    }

    /// What is in the fragment.
    pub fn index(&self) -> &FragmentIndex {
        &self.index
    }

    /// The Cluster, from its ID on, shared with the input. Empty if the input ended before it, or if the reader keeps
    /// no media.
    pub fn media(&self) -> &Bytes {
        &self.media
    }

    /// The producer's bytes before the Cluster: EBML header, Segment of unknown size, Info and Tracks.
    ///
    /// With the service's tags and the [media](Self::media) after them, the fragment is a document of its own, in the
    /// form that GetMedia has.
    pub fn header(&self) -> &Bytes {
        &self.header
    }

    /// The index and the media.
    pub fn into_parts(self) -> (FragmentIndex, Bytes) {
        (self.index, self.media)
    }

    /// `AWS_KINESISVIDEO_FRAGMENT_NUMBER`, if the fragment has one.
    pub fn number(&self) -> Option<&FragmentNumber> {
        self.index.number()
    }

    /// `AWS_KINESISVIDEO_PRODUCER_TIMESTAMP`: when the fragment starts, by the producer's clock.
    pub fn producer_timestamp(&self) -> Option<Timestamp> {
        self.index.producer_timestamp()
    }

    /// `AWS_KINESISVIDEO_SERVER_TIMESTAMP`: when the service received the fragment.
    pub fn server_timestamp(&self) -> Option<Timestamp> {
        self.index.server_timestamp()
    }

    /// The tracks that the fragment's document declares.
    pub fn tracks(&self) -> &[TrackEntry] {
        self.index.tracks()
    }

    /// The frames in the order of the file, which is decode order, each with its bytes. These are shared with the
    /// input, unless a header was stripped off the frames of the track: then they are a copy with the header.
    pub fn frames(&self) -> impl Iterator<Item = (Frame<'_>, Bytes)> {
        self.index.frames().map(|frame| (frame, self.frame_bytes(&frame)))
    }

    fn frame_bytes(&self, frame: &Frame<'_>) -> Bytes {
        let range =
            self.media.get(frame.row.offset as usize..).and_then(|rest| rest.get(..frame.row.len as usize));
        let in_media = self.media.slice_ref(range.unwrap_or_default());
        if !frame.row.has(FrameFlags::STRIPPED) {
            return in_media;
        }
        let header = frame.track().stripped_header();
        let mut whole = BytesMut::with_capacity(header.len().saturating_add(in_media.len()));
        whole.put_slice(header);
        whole.put_slice(&in_media);
        whole.freeze()
    }

    /// Offset of the Cluster from the start of the input, in bytes.
    pub fn offset(&self) -> u64 {
        self.index.offset()
    }

    /// Offset of the fragment's document from the start of the input, in bytes: of its EBML header. The document ends
    /// where the next one begins, or the input ends.
    pub fn document_offset(&self) -> u64 {
        self.document_offset
    }

    /// What is missing, if the input ended before the fragment did.
    pub fn incomplete(&self) -> Option<&Incomplete> {
        self.index.incomplete()
    }

    /// Places of the input that could not be read, in the fragment or before it. See [`FragmentIndex::damages`].
    pub fn damages(&self) -> &[Damage] {
        self.index.damages()
    }

    /// What a report calls this fragment.
    pub fn name(&self) -> FragmentName {
        self.index.name()
    }
}
