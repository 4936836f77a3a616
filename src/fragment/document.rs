//! [`Document`]: what stands before the Clusters of a document and tells how they are read.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};

use crate::error::Error;
use crate::index::scan::FrameScanner;
use crate::index::track_set::TrackSet;
use crate::matroska::{Cursor, TrackEntry, ids};

/// ID and size of a Segment whose size is unknown (RFC 8794 section 6.2), as GetMedia writes it.
const UNKNOWN_SEGMENT: [u8; 12] = [0x18, 0x53, 0x80, 0x67, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];

/// A document as far as it has been read.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) tracks: Tracks,
    /// TimestampScale, 1 to 1,000,000,000.
    pub(super) timestamp_scale_ns: u32,
    pub(super) has_cluster: bool,
    /// Whether something before the first Cluster could not be read.
    pub(super) is_damaged: bool,
    /// Whether something before the next Cluster, such as its tags, could not be read.
    pub(super) has_damaged_tags: bool,
    pub(super) ebml: Bytes,
    info: Bytes,
}

/// The tracks of a document, and how their frames are read.
#[derive(Debug, Clone)]
pub(super) struct Tracks {
    /// The element as it stands.
    element: Bytes,
    pub(super) set: TrackSet,
    pub(super) scanner: Arc<FrameScanner>,
}

/// The document before, whose header the next one usually repeats.
#[derive(Debug, Default)]
pub(super) struct LastDocument {
    tracks: Tracks,
    /// TimestampScale; 0 before the first document.
    timestamp_scale_ns: u32,
    /// The parts that the header was made of, and the header.
    parts: [Bytes; 3],
    header: Bytes,
}

impl Default for Tracks {
    fn default() -> Self {
        let set = TrackSet::default();
        Self { element: Bytes::new(), scanner: Arc::new(FrameScanner::new(&set)), set }
    }
}

impl Default for Document {
    fn default() -> Self {
        Self {
            tracks: Tracks::default(),
            timestamp_scale_ns: 1_000_000,
            has_cluster: false,
            is_damaged: false,
            has_damaged_tags: false,
            ebml: Bytes::new(),
            info: Bytes::new(),
        }
    }
}

impl Document {
    /// Whether Info or Tracks has been read.
    pub(super) fn has(&self, id: ids::ElementId) -> bool {
        match id {
            ids::INFO => !self.info.is_empty(),
            ids::TRACKS => !self.tracks.element.is_empty(),
            _ => false,
        }
    }

    /// The tracks, or if none have been read those of the document before.
    pub(super) fn tracks_or_last<'a>(&'a self, last: &'a LastDocument) -> &'a [TrackEntry] {
        match self.tracks.set.entries() {
            [] => last.tracks.set.entries(),
            entries => entries,
        }
    }

    /// A Cluster begins. Where something before it could not be read, what the document before had holds: documents of
    /// one stream repeat it.
    pub(super) fn enter_cluster(&mut self, last: &mut LastDocument) {
        self.has_cluster = true;
        if !self.is_damaged {
            last.timestamp_scale_ns = self.timestamp_scale_ns;
            return;
        }
        if self.tracks.element.is_empty() {
            self.tracks = last.tracks.clone();
        }
        if let (true, scale @ 1..) = (self.info.is_empty(), last.timestamp_scale_ns) {
            self.timestamp_scale_ns = scale;
        }
    }

    /// Reads an Info element, whose payload is `info`.
    pub(super) fn read_info(
        &mut self,
        last: &LastDocument,
        element: &[u8],
        mut info: Cursor<'_>,
    ) -> Result<(), Error> {
        while let Some((id, payload)) = info.element()? {
            if id == ids::TIMESTAMP_SCALE {
                self.timestamp_scale_ns = timestamp_scale(payload)?;
            }
        }
        let [_, last_info, _] = &last.parts;
        self.info = if last_info == element { last_info.clone() } else { Bytes::copy_from_slice(element) };
        Ok(())
    }

    /// Reads a Tracks element, whose payload is `payload`, unless `last` has read the same.
    pub(super) fn read_tracks(
        &mut self,
        last: &mut LastDocument,
        element: &[u8],
        payload: Cursor<'_>,
    ) -> Result<(), Error> {
        if last.tracks.element != element {
            let set = TrackSet::new(TrackEntry::parse_all(payload)?);
            // A copy, which does not keep the input in memory.
            let element = Bytes::copy_from_slice(element);
            last.tracks = Tracks { element, scanner: Arc::new(FrameScanner::new(&set)), set };
        }
        self.tracks = last.tracks.clone();
        Ok(())
    }

    /// The header of a document that holds one fragment of this one.
    pub(super) fn header(&self, last: &mut LastDocument) -> Bytes {
        let parts = [&self.ebml, &self.info, &self.tracks.element];
        if parts != last.parts.each_ref() {
            let [ebml, info, tracks] = parts;
            let mut header = BytesMut::new();
            for part in [ebml, &UNKNOWN_SEGMENT[..], info, tracks] {
                header.put_slice(part);
            }
            last.header = header.freeze();
            last.parts = parts.map(|part| Bytes::copy_from_slice(part));
        }
        last.header.clone()
    }
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
