//! A Cluster while it is being read (RFC 9559 section 5.1.3).

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use memchr::memmem::Finder;

use crate::annexb::StartCodes;
use crate::error::{Error, ErrorKind};
use crate::fragment::reader::MAX_CLUSTER;
use crate::fragment::{Block, Fragment, FragmentNumber, FragmentTags, Incomplete};
use crate::matroska::ebml::invalid_element;
use crate::matroska::track_entry::ContentEncoding;
use crate::matroska::{BlockHeader, Cursor, ElementHeader, HeaderRead, PlainBlock, TrackEntry, ids};

/// A Cluster whose first `position` bytes have been read.
#[derive(Debug)]
pub(super) struct OpenCluster {
    tags: FragmentTags,
    /// Size with its header, where it is known.
    end: Option<u64>,
    position: usize,
    timestamp: Option<u64>,
    blocks: Vec<Block>,
    start_codes: StartCodes,
}

/// What stands in front of a Cluster and tells how it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    /// Of the Cluster in the input.
    pub(super) cluster_offset: u64,
    pub(super) tracks: &'a [TrackEntry],
    /// TimestampScale, 1 to 1,000,000,000.
    pub(super) scale_ns: u32,
    /// What frames in Annex B are searched with.
    pub(super) start_code: &'a Finder<'static>,
}

/// How much the Cluster in front had: fragments of a stream are alike. So memory that is taken for more than there is
/// remains in proportion to the input.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct UsualCounts {
    blocks: usize,
    start_codes: usize,
}

impl UsualCounts {
    pub(super) fn of(fragment: &Fragment) -> Self {
        Self { blocks: fragment.blocks.len(), start_codes: fragment.start_codes.len() }
    }
}

impl OpenCluster {
    /// A Cluster at whose header the input stands.
    ///
    pub(super) fn new(header: ElementHeader, tags: FragmentTags, usual: UsualCounts) -> Self {
        let len = u64::from(header.len);
        Self {
            tags,
            end: header.size.map(|size| size.saturating_add(len)),
            position: usize::from(header.len),
            timestamp: None,
            blocks: Vec::with_capacity(with_slack(usual.blocks)),
            start_codes: StartCodes::with_capacity(with_slack(usual.start_codes)),
        }
    }

    pub(super) fn number(&self) -> Option<&FragmentNumber> {
        self.tags.number.as_ref()
    }

    /// Bytes of it that have been read.
    pub(super) fn len(&self) -> usize {
        self.position
    }

    /// Reads on in `bytes`, which begin with the Cluster's header. Answers whether the end of the Cluster was reached.
    pub(super) fn read(&mut self, bytes: &[u8], surroundings: Surroundings<'_>) -> Result<bool, Error> {
        let end = self.end.unwrap_or(MAX_CLUSTER);
        loop {
            let Some(rest) = bytes.get(self.position..) else { return Ok(false) };
            let rest = self.plain_blocks(rest, end, surroundings);
            let position = self.position as u64;
            if self.end == Some(position) {
                return Ok(true);
            }
            let at = surroundings.cluster_offset.saturating_add(position);
            let header = match ElementHeader::read(rest) {
                HeaderRead::Header(header) => header,
                HeaderRead::Incomplete => return Ok(false),
                HeaderRead::Invalid { len } => return Err(invalid_element(rest, len).at(at)),
            };
            if self.end.is_none() && ids::ends_cluster(header.id) {
                return Ok(true);
            }
            let Some(size) = header.size else {
                let found = format!("unknown size in element {:X}", header.id);
                return Err(Error::malformed("elements of known size in the Cluster", found).at(at));
            };
            let element_end = position.saturating_add(u64::from(header.len)).saturating_add(size);
            if element_end > end {
                let expected = match self.end {
                    Some(end) => format!("the Cluster's end at its byte {end}"),
                    None => format!("a Cluster of at most {MAX_CLUSTER} bytes"),
                };
                let found = format!("element {:X} that ends at its byte {element_end}", header.id);
                return Err(Error::malformed(expected, found).at(at));
            }
            let mut cursor = Cursor::new(rest, at);
            cursor.take(u64::from(header.len));
            let payload_offset = cursor.offset();
            let Some(payload) = cursor.take(size) else { return Ok(false) };
            self.child(header.id, Cursor::new(payload, payload_offset), surroundings)?;
            self.position = element_end as usize;
        }
    }

    /// Adds the plain SimpleBlocks that `rest`, which stands where reading stands, begins with. Answers what is behind
    /// them.
    // By itself, the loop has all registers.
    #[inline(never)]
    fn plain_blocks<'a>(&mut self, mut rest: &'a [u8], end: u64, surroundings: Surroundings<'_>) -> &'a [u8] {
        let Surroundings { tracks, scale_ns, start_code, .. } = surroundings;
        while let Some(plain) = PlainBlock::read(rest) {
            let track = tracks.iter().position(|track| track.number == u64::from(plain.track));
            let header_end = self.position.saturating_add(usize::from(plain.header_len));
            let frame_end = (header_end as u64).saturating_add(plain.frame_len);
            let behind = rest.get(usize::from(plain.header_len)..);
            let frame = behind.and_then(|bytes| bytes.split_at_checked(plain.frame_len as usize));
            let (Some(track), Some((frame, behind)), true) = (track, frame, frame_end <= end) else { break };
            self.start_codes.note(start_code, frame, header_end as u32);
            self.blocks.push(Block {
                time_ns: i64::from(plain.time).saturating_mul(i64::from(scale_ns)),
                duration_ns: 0,
                offset: header_end as u32,
                len: plain.frame_len as u32,
                track: track as u8,
                key: plain.key,
                untimed: false,
            });
            self.position = frame_end as usize;
            rest = behind;
        }
        rest
    }

    fn child(
        &mut self,
        id: ids::ElementId,
        payload: Cursor<'_>,
        surroundings: Surroundings<'_>,
    ) -> Result<(), Error> {
        match id {
            ids::SIMPLE_BLOCK => {
                let (header, frames) = BlockHeader::read(payload)?;
                self.push(header, frames, header.key, None, surroundings)
            }
            ids::BLOCK_GROUP => {
                let (mut block, mut duration, mut key) = (None, None, true);
                let mut group = payload;
                while let Some((id, payload)) = group.element()? {
                    match id {
                        ids::BLOCK => block = Some(payload),
                        ids::BLOCK_DURATION => {
                            let scale_ns = u64::from(surroundings.scale_ns);
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
                self.push(header, frames, key, duration, surroundings)
            }
            ids::TIMESTAMP => {
                self.timestamp = Some(payload.uint()?);
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
        surroundings: Surroundings<'_>,
    ) -> Result<(), Error> {
        let Surroundings { tracks, scale_ns, .. } = surroundings;
        let Some(track) = tracks.iter().position(|track| track.number == header.track) else {
            return Err(unknown_track(header.track, tracks).at(frames.offset()));
        };
        let mut block = Block {
            time_ns: i64::from(header.time).saturating_mul(i64::from(scale_ns)),
            duration_ns: duration_ns.unwrap_or(0),
            offset: 0,
            len: 0,
            track: track as u8,
            key,
            untimed: false,
        };
        let Some(mut lace) = header.lace(frames)? else {
            self.add(block, frames, surroundings);
            return Ok(());
        };
        let frame_duration_ns =
            duration_ns.and_then(|duration| duration.checked_div(u64::from(lace.count())));
        let step_ns = frame_duration_ns.or(tracks.get(track).and_then(|track| track.default_duration_ns));
        block.duration_ns = frame_duration_ns.unwrap_or(0);
        while let Some(frame) = lace.next()? {
            self.add(block, frame, surroundings);
            // Only the first frame of a lace has a time of its own (RFC 9559 section 10.3.5).
            match step_ns {
                Some(step) => block.time_ns = block.time_ns.saturating_add_unsigned(step),
                None => block.untimed = true,
            }
        }
        Ok(())
    }

    /// Adds a block with the bytes of `frame`.
    fn add(&mut self, mut block: Block, frame: Cursor<'_>, surroundings: Surroundings<'_>) {
        block.offset = frame.offset().saturating_sub(surroundings.cluster_offset) as u32;
        block.len = frame.rest().len() as u32;
        self.start_codes.note(surroundings.start_code, frame.rest(), block.offset);
        self.blocks.push(block);
    }

    /// What is missing where the input ends, at `input_end`, with `bytes` of the Cluster.
    pub(super) fn missing(&self, bytes: &[u8], input_end: u64) -> Option<Incomplete> {
        let here = bytes.len() as u64;
        let of_element = || {
            let rest = bytes.get(self.position..)?;
            match ElementHeader::read(rest) {
                HeaderRead::Header(header) => {
                    header.size?.checked_add(u64::from(header.len))?.checked_sub(rest.len() as u64)
                }
                HeaderRead::Incomplete | HeaderRead::Invalid { .. } => None,
            }
        };
        match self.end {
            // The end is known to be whole only by the input's end.
            None if self.position >= bytes.len() => None,
            None => Some(Incomplete { offset: input_end, element: "a block", missing_bytes: of_element() }),
            Some(end) => Some(Incomplete {
                offset: input_end,
                element: "a Cluster",
                missing_bytes: end.checked_sub(here),
            }),
        }
    }

    /// The fragment, of whose Cluster `data` holds what was read.
    pub(super) fn into_fragment(
        self,
        data: Bytes,
        offset: u64,
        tracks: Arc<[TrackEntry]>,
        timestamp_scale_ns: u32,
        position: u64,
        incomplete: Option<Incomplete>,
    ) -> Result<Fragment, Error> {
        let needs_timestamp = self.tags.producer_timestamp.is_none() && !self.blocks.is_empty();
        if self.timestamp.is_none() && needs_timestamp {
            return Err(Error::malformed("a Timestamp in the Cluster", "none").at(offset));
        }
        let mut fragment = Fragment {
            tags: self.tags,
            tracks,
            timestamp_scale_ns,
            cluster_timestamp: self.timestamp.unwrap_or(0),
            blocks: self.blocks,
            start_codes: self.start_codes,
            data,
            offset,
            position,
            incomplete,
        };
        restore_stripped_headers(&mut fragment)?;
        Ok(fragment)
    }
}

fn with_slack(count: usize) -> usize {
    count.saturating_add(count / 8)
}

/// Puts back what header stripping cut off the frames (RFC 9559 section 5.1.4.1.31.6, algorithm 3).
///
/// The fragment's data becomes a copy, frame behind frame: everything behind this stage wants a frame to be
/// contiguous, and no service's producer strips headers; only files of old versions of mkvmerge do.
fn restore_stripped_headers(fragment: &mut Fragment) -> Result<(), Error> {
    let stripped = |track: &TrackEntry| matches!(track.encoding, ContentEncoding::HeaderStripping(_));
    if !fragment.tracks.iter().any(stripped) {
        return Ok(());
    }
    let mut restored = BytesMut::with_capacity(fragment.data.len());
    fragment.start_codes = StartCodes::default();
    for block in &mut fragment.blocks {
        let start = restored.len();
        if let Some(TrackEntry { encoding: ContentEncoding::HeaderStripping(header), .. }) =
            fragment.tracks.get(usize::from(block.track))
        {
            restored.put_slice(header);
        }
        let frame =
            fragment.data.get(block.offset as usize..).and_then(|rest| rest.get(..block.len as usize));
        restored.put_slice(frame.unwrap_or_default());
        let too_large = |_| {
            Error::new(ErrorKind::TooLarge {
                what: "the size of the Cluster with its stripped headers",
                found: restored.len() as u64,
                limit: u64::from(u32::MAX),
            })
            .at(fragment.offset)
        };
        let end = u32::try_from(restored.len()).map_err(too_large)?;
        block.offset = start as u32;
        block.len = end.saturating_sub(block.offset);
    }
    fragment.data = restored.freeze();
    Ok(())
}

fn unknown_track(number: u64, tracks: &[TrackEntry]) -> Error {
    let known: Vec<String> = tracks.iter().map(|track| track.number.to_string()).collect();
    let expected = match known.as_slice() {
        [] => "Tracks in front of the first block".to_owned(),
        known => format!("a block of track {}", known.join(" or ")),
    };
    Error::malformed(expected, format!("a block of track {number}")).on_track(number)
}
