//! [`OpenCluster`]: a Cluster (RFC 9559 section 5.1.3) as its bytes arrive.

use bytes::Bytes;

use crate::damage::Damage;
use crate::error::Error;
use crate::fragment::Fragment;
use crate::fragment::document::{Document, Tracks};
use crate::fragment::plausible::frame_end;
use crate::incomplete::{Incomplete, IncompleteElement};
use crate::index::frame_table::{FrameTable, PlacedRow};
use crate::index::scan::FrameScanner;
use crate::index::table_builder::{BlockFrame, CapacityHint, TableBuilder};
use crate::index::{FragmentIndex, FragmentState};
use crate::matroska::ebml::invalid_element;
use crate::matroska::{BlockHeader, Cursor, ElementHeader, HeaderRead, PlainBlock, TrackEntry, ids};
use crate::tags::FragmentTags;
use crate::timestamp::Timestamp;

/// The service stores fragments of up to 50 MB. A larger Cluster is refused before it is buffered.
pub(crate) const MAX_CLUSTER: u64 = 256 << 20;

/// The header of a Cluster of unknown size, in place of one that could not be read.
pub(super) const IMPLIED_HEADER: [u8; 5] = [0x1F, 0x43, 0xB6, 0x75, 0xFF];

/// A Cluster whose first `position` bytes have been read.
#[derive(Debug)]
pub(super) struct OpenCluster {
    tags: FragmentTags,
    /// Offset of the Cluster in the input, in bytes.
    offset: u64,
    /// Size with its header, where it is known.
    end: Option<u64>,
    header_len: usize,
    position: usize,
    /// How many of the bytes that were read are no longer kept.
    dropped: usize,
    timestamp: Option<u64>,
    table: TableBuilder,
    /// What was wrong in it.
    damages: Vec<Damage>,
    /// Offset in the input up to which no other document begins in the Cluster's frames.
    searched_to: u64,
    /// Whether it waits for bytes after `searched_to` to tell whether a document begins there.
    awaits_document: bool,
    /// Whether its header could not be read.
    is_implied: bool,
}

/// Something in a Cluster that does not fit.
#[derive(Debug)]
pub(super) struct Misfit {
    pub(super) error: Error,
    /// Where its element ends in the input, if the element as such fits and only its content does not.
    pub(super) element_end: Option<u64>,
    /// Whether it is an element that is not known, which means nothing if it is one.
    pub(super) is_unfamiliar: bool,
}

impl From<Error> for Misfit {
    fn from(error: Error) -> Self {
        Self { error, element_end: None, is_unfamiliar: false }
    }
}

/// What stands before a Cluster and tells how it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClusterContext<'a> {
    tracks: &'a [TrackEntry],
    scanner: &'a FrameScanner,
    /// TimestampScale, 1 to 1,000,000,000.
    scale_ns: u32,
}

impl<'a> ClusterContext<'a> {
    pub(super) fn new(document: &'a Document) -> Self {
        let Tracks { set, scanner, .. } = &document.tracks;
        Self { tracks: set.entries(), scanner, scale_ns: document.timestamp_scale_ns }
    }
}

impl OpenCluster {
    /// A Cluster whose header begins at `offset` of the input.
    pub(super) fn new(header: ElementHeader, offset: u64, tags: FragmentTags, table: TableBuilder) -> Self {
        let len = u64::from(header.len);
        Self {
            tags,
            offset,
            end: header.size.map(|size| size.saturating_add(len)),
            header_len: usize::from(header.len),
            position: usize::from(header.len),
            dropped: 0,
            timestamp: None,
            table,
            damages: Vec::new(),
            searched_to: offset,
            awaits_document: false,
            is_implied: false,
        }
    }

    /// A Cluster of which the first child that can be read stands at `at` of the input, after the bytes of its header.
    pub(super) fn implied(at: u64, tags: FragmentTags, table: TableBuilder) -> Self {
        let len = IMPLIED_HEADER.len();
        let header = ElementHeader { id: ids::CLUSTER, size: None, len: len as u8 };
        let cluster = Self::new(header, at.saturating_sub(len as u64), tags, table);
        Self { dropped: len, is_implied: true, ..cluster }
    }

    /// What stands before the kept bytes in the media.
    pub(super) fn implied_header(&self) -> &'static [u8] {
        if self.is_implied { &IMPLIED_HEADER } else { &[] }
    }

    /// Offset in the input of a place in the Cluster.
    fn absolute(&self, position: u64) -> u64 {
        self.offset.saturating_add(position)
    }

    /// Offset in the input where reading stands.
    pub(super) fn position(&self) -> u64 {
        self.absolute(self.position as u64)
    }

    /// Offset in the input of the end of the Cluster, where it is known.
    pub(super) fn end(&self) -> Option<u64> {
        self.end.map(|end| self.absolute(end))
    }

    /// Offset in the input that the Cluster cannot go beyond.
    pub(super) fn limit(&self) -> u64 {
        self.absolute(self.end.unwrap_or(MAX_CLUSTER))
    }

    /// Offset in the input of the last frame, or of the first child while there is none.
    pub(super) fn last_frame(&self) -> u64 {
        let table = self.table.table();
        let last_rows = table.tracks.iter().filter_map(|track| track.rows.last()).map(|row| row.offset);
        let last = last_rows.chain(table.faults.last().map(|faulty| faulty.offset)).max();
        self.absolute(last.map_or(0, u64::from))
    }

    pub(super) fn has_frames(&self) -> bool {
        !self.table.table().is_empty()
    }

    /// The Cluster's own timestamp in nanoseconds, under a TimestampScale.
    pub(super) fn timestamp_ns(&self, scale_ns: u32) -> Option<i64> {
        i64::try_from(self.timestamp?.checked_mul(scale_ns.into())?).ok()
    }

    /// Offset of its header in the input.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn producer_timestamp(&self) -> Option<Timestamp> {
        self.tags.producer_timestamp
    }

    /// Sets the producer timestamp, which could not be read.
    pub(super) fn set_producer_timestamp(&mut self, time: Timestamp) {
        self.tags.producer_timestamp = Some(time);
    }

    /// End in the input of the frame that holds a place.
    pub(super) fn frame_end(&self, at: u64) -> Option<u64> {
        frame_end(self.table.table(), at.checked_sub(self.offset)?).map(|end| self.absolute(end))
    }

    /// Frames that another document may begin in although everything fits: those that are larger than all before them,
    /// and those that are shown after the next one. A capture that is cut off in any other frame cannot hold so much of
    /// the next document that its blocks seem to go on.
    pub(super) fn suspects(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut rows = self.table.table().in_file_order().peekable();
        let mut largest = 0;
        std::iter::from_fn(move || {
            loop {
                let PlacedRow { row, .. } = rows.next()?;
                let is_larger = row.len > largest;
                largest = largest.max(row.len);
                if is_larger || rows.peek().is_some_and(|next| next.row.time_ns < row.time_ns) {
                    let start = self.absolute(row.offset.into());
                    return Some((start, start.saturating_add(row.len.into())));
                }
            }
        })
    }

    pub(super) fn searched_to(&self) -> u64 {
        self.searched_to
    }

    /// Notes that a document may begin at `at` of the input, and that more bytes are needed to tell.
    pub(super) fn await_document(&mut self, at: u64) {
        self.set_searched_to(at);
        self.awaits_document = true;
    }

    pub(super) fn awaits_document(&self) -> bool {
        self.awaits_document
    }

    pub(super) fn set_searched_to(&mut self, at: u64) {
        self.searched_to = self.searched_to.max(at);
    }

    /// Goes on with the element at `at` of the input. Frames that end after that place are dropped.
    pub(super) fn resume(&mut self, at: u64, damage: Damage) {
        self.table.truncate(at.saturating_sub(self.offset));
        self.skip_to(at);
        self.push_damage(damage);
    }

    /// Goes on with the element at `at` of the input, and leaves out what is before it.
    pub(super) fn skip_to(&mut self, at: u64) {
        self.position = usize::try_from(at.saturating_sub(self.offset)).unwrap_or(usize::MAX);
    }

    /// Ends the Cluster at `at` of the input, or before it if a frame ends after that place.
    pub(super) fn cut(&mut self, at: u64) {
        let at = at.saturating_sub(self.offset);
        if at >= self.position as u64 {
            return;
        }
        self.table.truncate(at);
        self.position = self.frames_len();
    }

    /// Bytes of the Cluster up to the end of its last frame.
    fn frames_len(&self) -> usize {
        let table = self.table.table();
        let ends = table.tracks.iter().filter_map(|track| track.rows.last());
        let ends = ends.map(|row| row.offset.saturating_add(row.len));
        let faults = table.faults.last().map(|faulty| faulty.offset.saturating_add(faulty.len));
        let end = ends.chain(faults).max().unwrap_or(0) as usize;
        end.max(self.header_len)
    }

    /// Offset in the input of the end of the last frame.
    pub(super) fn frames_end(&self) -> u64 {
        self.absolute(self.frames_len() as u64)
    }

    /// Takes the size that the Cluster declares for wrong.
    pub(super) fn forget_end(&mut self) {
        self.end = None;
    }

    pub(super) fn push_damage(&mut self, damage: Damage) {
        Damage::push(&mut self.damages, damage);
    }

    /// Bytes of the Cluster that have been read and are still kept.
    pub(super) fn kept_len(&self) -> usize {
        self.position.saturating_sub(self.dropped)
    }

    /// Stops keeping the first `len` bytes of those that are kept.
    pub(super) fn drop_kept(&mut self, len: u64) {
        self.dropped = self.dropped.saturating_add(usize::try_from(len).unwrap_or(usize::MAX));
    }

    /// Reads on in `bytes`, which begin with the first byte that is kept. Returns whether the end of the Cluster was
    /// reached.
    pub(super) fn read(&mut self, bytes: &[u8], context: ClusterContext<'_>) -> Result<bool, Misfit> {
        let end = self.end.unwrap_or(MAX_CLUSTER);
        loop {
            let Some(rest) = bytes.get(self.kept_len()..) else { return Ok(false) };
            let rest = self.plain_blocks(rest, end, context);
            let position = self.position as u64;
            if self.end == Some(position) {
                return Ok(true);
            }
            let at = self.offset.saturating_add(position);
            let header = match ElementHeader::read(rest) {
                HeaderRead::Header(header) => header,
                HeaderRead::Incomplete => return Ok(false),
                HeaderRead::Invalid { len } => return Err(invalid_element(rest, len).at(at).into()),
            };
            if ids::ends_cluster(header.id) {
                return match self.end {
                    None => Ok(true),
                    Some(end) => {
                        let expected = format!("a child of the Cluster, which ends at its byte {end}");
                        let found = format!("{} at its byte {position}", ids::name(header.id));
                        Err(Error::malformed(expected, found).at(at).into())
                    }
                };
            }
            let Some(size) = header.size else {
                let found = format!("unknown size in {}", ids::name(header.id));
                return Err(Error::malformed("elements of known size in the Cluster", found).at(at).into());
            };
            let element_end = position.saturating_add(u64::from(header.len)).saturating_add(size);
            if element_end > end {
                let expected = match self.end {
                    Some(end) => format!("the Cluster's end at its byte {end}"),
                    None => format!("a Cluster of at most {MAX_CLUSTER} bytes"),
                };
                let found = format!("{} that ends at its byte {element_end}", ids::name(header.id));
                return Err(Error::malformed(expected, found).at(at).into());
            }
            if !ids::is_child_of_cluster(header.id) {
                let error = Error::malformed("a child of the Cluster", ids::name(header.id)).at(at);
                let element_end = Some(self.absolute(element_end));
                return Err(Misfit { error, element_end, is_unfamiliar: true });
            }
            let mut cursor = Cursor::new(rest, at);
            cursor.take(u64::from(header.len));
            let payload_offset = cursor.offset();
            let Some(payload) = cursor.take(size) else { return Ok(false) };
            if let Err(error) = self.child(header.id, Cursor::new(payload, payload_offset), context) {
                // Frames of a lace that were read before the fault.
                self.table.truncate(position);
                // Where the block's own header is damaged, its size may be so too.
                let has_header = header.id != ids::SIMPLE_BLOCK
                    || BlockHeader::read(Cursor::new(payload, payload_offset)).is_ok();
                let element_end = has_header.then(|| self.absolute(element_end));
                return Err(Misfit { error, element_end, is_unfamiliar: false });
            }
            self.position = element_end as usize;
        }
    }

    /// Adds the plain SimpleBlocks that `rest`, which stands where reading stands, begins with. Returns what follows
    /// them.
    // Kept out of line so that the loop is not starved of registers.
    #[inline(never)]
    fn plain_blocks<'a>(&mut self, mut rest: &'a [u8], end: u64, context: ClusterContext<'_>) -> &'a [u8] {
        let ClusterContext { tracks, scanner, scale_ns } = context;
        while let Some(plain) = PlainBlock::read(rest) {
            let track = tracks.iter().position(|track| track.number == u64::from(plain.track));
            let header_end = self.position.saturating_add(usize::from(plain.header_len));
            let frame_end = (header_end as u64).saturating_add(plain.frame_len);
            let after = rest.get(usize::from(plain.header_len)..);
            let frame = after.and_then(|bytes| bytes.split_at_checked(plain.frame_len as usize));
            let (Some(track), Some((frame, after)), true) = (track, frame, frame_end <= end) else { break };
            let block = BlockFrame {
                // No more than 255 tracks are declared.
                track: track as u8,
                time_ns: i64::from(plain.time).saturating_mul(i64::from(scale_ns)),
                duration_ns: 0,
                offset: header_end as u32,
                key: plain.key,
                inherits_time: false,
            };
            scanner.add(&mut self.table, block, frame);
            self.position = frame_end as usize;
            rest = after;
        }
        rest
    }

    fn child(
        &mut self,
        id: ids::ElementId,
        payload: Cursor<'_>,
        context: ClusterContext<'_>,
    ) -> Result<(), Error> {
        match id {
            ids::SIMPLE_BLOCK => {
                let (header, frames) = BlockHeader::read(payload)?;
                self.push(header, frames, header.key, None, context)
            }
            ids::BLOCK_GROUP => {
                let (mut block, mut duration, mut key) = (None, None, true);
                let mut group = payload;
                while let Some((id, payload)) = group.element()? {
                    match id {
                        ids::BLOCK => block = Some(payload),
                        ids::BLOCK_DURATION => {
                            let scale_ns = u64::from(context.scale_ns);
                            duration = Some(payload.uint()?.saturating_mul(scale_ns));
                        }
                        ids::REFERENCE_BLOCK => key = false,
                        _ => {}
                    }
                }
                let Some(block) = block else {
                    return Err(Error::malformed("a Block in the BlockGroup", "none").at(payload.offset()));
                };
                let (header, frames) = BlockHeader::read(block)?;
                self.push(header, frames, key, duration, context)
            }
            ids::TIMESTAMP => {
                // A second one is that of another Cluster, whose header was lost.
                let timestamp = payload.uint()?;
                self.timestamp.get_or_insert(timestamp);
                Ok(())
            }
            ids::ENCRYPTED_BLOCK => {
                Err(Error::malformed("blocks that are not encrypted", "an EncryptedBlock")
                    .at(payload.offset()))
            }
            _ => Ok(()),
        }
    }

    /// Adds the frames of a block.
    fn push(
        &mut self,
        header: BlockHeader,
        frames: Cursor<'_>,
        key: bool,
        duration_ns: Option<u64>,
        context: ClusterContext<'_>,
    ) -> Result<(), Error> {
        let ClusterContext { tracks, scale_ns, .. } = context;
        let Some(track) = tracks.iter().position(|track| track.number == header.track) else {
            return Err(unknown_track(header.track, tracks).at(frames.offset()));
        };
        let mut block = BlockFrame {
            track: track as u8,
            time_ns: i64::from(header.time).saturating_mul(i64::from(scale_ns)),
            duration_ns: duration_ns.unwrap_or(0),
            offset: 0,
            key,
            inherits_time: false,
        };
        let Some(mut lace) = header.lace(frames)? else {
            self.add(block, frames, context);
            return Ok(());
        };
        let frame_duration_ns =
            duration_ns.and_then(|duration| duration.checked_div(u64::from(lace.count())));
        let step_ns = frame_duration_ns.or(tracks.get(track).and_then(|track| track.default_duration_ns));
        block.duration_ns = frame_duration_ns.unwrap_or(0);
        while let Some(frame) = lace.next()? {
            self.add(block, frame, context);
            // Only the first frame of a lace has a time of its own (RFC 9559 section 10.3.5).
            match step_ns {
                Some(step) => block.time_ns = block.time_ns.saturating_add_unsigned(step),
                None => block.inherits_time = true,
            }
        }
        Ok(())
    }

    /// Adds a frame with the bytes of `frame`.
    fn add(&mut self, mut block: BlockFrame, frame: Cursor<'_>, context: ClusterContext<'_>) {
        block.offset = frame.offset().saturating_sub(self.offset) as u32;
        context.scanner.add(&mut self.table, block, frame.rest());
    }

    /// What is missing where the input ends, at `input_end`. `bytes` are those of the Cluster that are kept.
    pub(super) fn missing(&self, bytes: &[u8], input_end: u64) -> Option<Incomplete> {
        let here = (bytes.len() as u64).saturating_add(self.dropped as u64);
        let of_element = || {
            let rest = bytes.get(self.kept_len()..)?;
            match ElementHeader::read(rest) {
                HeaderRead::Header(header) => {
                    header.size?.checked_add(u64::from(header.len))?.checked_sub(rest.len() as u64)
                }
                HeaderRead::Incomplete | HeaderRead::Invalid { .. } => None,
            }
        };
        let (element, missing_bytes) = match self.end {
            // The end is known to be whole only by the input's end.
            None if self.kept_len() >= bytes.len() => return None,
            None => (IncompleteElement::Block, of_element()),
            Some(end) => (IncompleteElement::Cluster, end.checked_sub(here)),
        };
        Some(Incomplete { offset: input_end, element, missing_bytes })
    }

    /// How much memory a Cluster like this one takes.
    pub(super) fn capacity_hint(&self) -> CapacityHint {
        CapacityHint::of(self.table.table())
    }

    /// The fragment, of whose Cluster `media` holds what is kept.
    pub(super) fn into_fragment(
        self,
        media: Bytes,
        header: Bytes,
        document: &Document,
        position: u64,
        incomplete: Option<Incomplete>,
        mut damages: Vec<Damage>,
    ) -> Fragment {
        let mut frames = self.table.finish();
        damages.extend(self.damages);
        if self.timestamp.is_none() && self.tags.producer_timestamp.is_none() && !frames.is_empty() {
            // Nothing tells when the frames are shown.
            let fault = Error::malformed("a Timestamp in the Cluster", "none");
            damages.push(Damage::of(&fault, self.offset, 0));
            frames = FrameTable::default();
        }
        let index = FragmentIndex {
            tags: self.tags,
            tracks: document.tracks.set.clone(),
            timestamp_scale_ns: document.timestamp_scale_ns,
            cluster_timestamp: self.timestamp.unwrap_or(0),
            frames,
            media_len: self.position as u64,
            offset: self.offset,
            position,
            state: incomplete.map_or(FragmentState::Whole, FragmentState::Incomplete),
            damages,
        };
        Fragment::new(index, media, header)
    }
}

fn unknown_track(number: u64, tracks: &[TrackEntry]) -> Error {
    let known: Vec<String> = tracks.iter().take(4).map(|track| track.number.to_string()).collect();
    let expected = match known.as_slice() {
        [] => "Tracks before the first block".to_owned(),
        [_, _, _, _] => format!("a block of one of the {} tracks that are declared", tracks.len()),
        known => format!("a block of track {}", known.join(" or ")),
    };
    Error::malformed(expected, format!("a block of track {number}")).on_track(number)
}
