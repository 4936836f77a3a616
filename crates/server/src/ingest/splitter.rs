//! [`Splitter`]: where the fragments of a live stream of Matroska begin and end.
//!
//! A producer sends one document with many Clusters, often of unknown size, and waits for the last fragment to be
//! stored before it ends the document. A Cluster therefore ends at whatever cannot be its child, the service's tag
//! `AWS_KINESISVIDEO_END_OF_FRAGMENT` among it, or when the caller says that nothing more will come.

use bytes::{Buf, Bytes, BytesMut};

use super::acknowledgement::ErrorCode;

const EBML: u32 = 0x1A45_DFA3;
const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_A966;
const TRACKS: u32 = 0x1654_AE6B;
const CLUSTER: u32 = 0x1F43_B675;
const TIMESTAMP: u32 = 0xE7;
const TIMESTAMP_SCALE: u32 = 0x2AD7B1;

/// RFC 9559: what a Cluster has inside, and what may stand anywhere.
const CHILDREN_OF_CLUSTER: [u32; 9] = [
    TIMESTAMP, 0xA3,   // SimpleBlock
    0xA0,   // BlockGroup
    0xA7,   // Position
    0xAB,   // PrevSize
    0x5854, // SilentTracks
    0xAF,   // EncryptedBlock
    0xEC,   // Void
    0xBF,   // CRC-32
];

/// As the service writes it: eight bytes of a size that is not known. The producer's size is not that of one fragment.
const SEGMENT_OF_UNKNOWN_SIZE: [u8; 12] =
    [0x18, 0x53, 0x80, 0x67, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];

/// Nanoseconds of a timestamp where the document does not say.
const DEFAULT_SCALE_NS: u64 = 1_000_000;

/// Three codec private data of 1 MiB are the most that the service takes.
const MAX_METADATA: u64 = 4 << 20;

/// What happens in a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A fragment begins, with its Cluster's timestamp in milliseconds.
    Begin { timecode_ms: i64 },
    /// The fragment that has begun is whole: a document of its own.
    End { document: Bytes },
}

/// Splits a stream into fragments.
#[derive(Debug)]
pub(super) struct Splitter {
    input: BytesMut,
    max_cluster: usize,
    /// EBML header to Tracks, as the producer sent them.
    header: BytesMut,
    /// The document's Segment has begun.
    in_segment: bool,
    has_tracks: bool,
    scale_ns: u64,
    cluster: Option<Cluster>,
    /// Bytes to pass over.
    skip: u64,
}

#[derive(Debug)]
struct Cluster {
    /// From its ID on, whole children only.
    bytes: BytesMut,
    /// Bytes of its children that are still to come, where its size is known.
    remaining: Option<u64>,
    has_timestamp: bool,
}

/// What became of an element.
enum Step {
    Forward,
    NeedsInput,
    Event(Event),
}

/// ID and size of an element.
#[derive(Debug, Clone, Copy)]
struct Head {
    id: u32,
    len: usize,
    /// `None` where it is unknown.
    size: Option<u64>,
}

impl Splitter {
    pub(super) fn new(max_cluster: usize) -> Self {
        Self {
            input: BytesMut::new(),
            max_cluster,
            header: BytesMut::new(),
            in_segment: false,
            has_tracks: false,
            scale_ns: DEFAULT_SCALE_NS,
            cluster: None,
            skip: 0,
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// Bytes that are kept.
    pub(super) fn len(&self) -> usize {
        let cluster = self.cluster.as_ref().map_or(0, |cluster| cluster.bytes.len());
        self.input.len() + self.header.len() + cluster
    }

    /// Whether a fragment has begun, and nothing of it is half here: it can be closed.
    pub(super) fn can_close(&self) -> bool {
        let is_open =
            self.cluster.as_ref().is_some_and(|cluster| cluster.has_timestamp && cluster.remaining.is_none());
        is_open && self.input.is_empty()
    }

    /// Ends the fragment that has begun. A Cluster of known size that is not whole is none.
    pub(super) fn close(&mut self) -> Option<Event> {
        let cluster = self.cluster.take()?;
        let is_whole = cluster.has_timestamp && cluster.remaining.is_none_or(|remaining| remaining == 0);
        is_whole.then(|| self.document(cluster.bytes))
    }

    /// The next event; `None` when more bytes are needed.
    pub(super) fn next(&mut self) -> Result<Option<Event>, ErrorCode> {
        loop {
            let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(self.input.len());
            self.input.advance(skipped);
            self.skip -= skipped as u64;
            if self.skip > 0 {
                return Ok(None);
            }
            if self.cluster.as_ref().is_some_and(|cluster| cluster.remaining == Some(0)) {
                return Ok(self.close());
            }
            let Some(head) = Head::parse(&self.input)? else { return Ok(None) };
            let step = match &self.cluster {
                None => self.element(head)?,
                Some(_) if CHILDREN_OF_CLUSTER.contains(&head.id) => self.child_of_cluster(head)?,
                Some(Cluster { remaining: Some(_), .. }) => return Err(ErrorCode::InvalidMkvData),
                Some(_) => self.close().map_or(Step::Forward, Step::Event),
            };
            match step {
                Step::Forward => {}
                Step::NeedsInput => return Ok(None),
                Step::Event(event) => return Ok(Some(event)),
            }
        }
    }

    /// Takes a child of the Cluster. Its timestamp is an event.
    fn child_of_cluster(&mut self, head: Head) -> Result<Step, ErrorCode> {
        let size = head.size.ok_or(ErrorCode::InvalidMkvData)?;
        let len = usize::try_from(size).ok().and_then(|size| size.checked_add(head.len));
        let len = len.filter(|len| *len <= self.max_cluster).ok_or(ErrorCode::MaxFragmentSize)?;
        let Some(cluster) = &mut self.cluster else { return Ok(Step::Forward) };
        if self.input.len() < len {
            return Ok(Step::NeedsInput);
        }
        if cluster.bytes.len() + len > self.max_cluster {
            return Err(ErrorCode::MaxFragmentSize);
        }
        if let Some(remaining) = &mut cluster.remaining {
            *remaining = remaining.checked_sub(len as u64).ok_or(ErrorCode::InvalidMkvData)?;
        }
        let child = self.input.split_to(len);
        cluster.bytes.extend_from_slice(&child);
        if head.id != TIMESTAMP || cluster.has_timestamp {
            return Ok(Step::Forward);
        }
        cluster.has_timestamp = true;
        let ticks = unsigned(child.get(head.len..).unwrap_or_default()).ok_or(ErrorCode::InvalidMkvData)?;
        let millis = u128::from(ticks) * u128::from(self.scale_ns) / 1_000_000;
        let timecode_ms = i64::try_from(millis).map_err(|_| ErrorCode::InvalidProducerTimestamp)?;
        Ok(Step::Event(Event::Begin { timecode_ms }))
    }

    /// Takes an element outside of Clusters.
    fn element(&mut self, head: Head) -> Result<Step, ErrorCode> {
        match head.id {
            EBML => {
                self.header.clear();
                (self.in_segment, self.has_tracks, self.scale_ns) = (false, false, DEFAULT_SCALE_NS);
                self.metadata(head)
            }
            _ if self.header.is_empty() => Err(ErrorCode::InvalidMkvData),
            SEGMENT => {
                self.header.extend_from_slice(&SEGMENT_OF_UNKNOWN_SIZE);
                self.input.advance(head.len);
                self.in_segment = true;
                Ok(Step::Forward)
            }
            _ if !self.in_segment => Err(ErrorCode::InvalidMkvData),
            CLUSTER if !self.has_tracks => Err(ErrorCode::InvalidMkvData),
            CLUSTER if head.size.is_some_and(|size| size > self.max_cluster as u64) => {
                Err(ErrorCode::MaxFragmentSize)
            }
            CLUSTER => {
                let bytes = self.input.split_to(head.len);
                self.cluster = Some(Cluster { bytes, remaining: head.size, has_timestamp: false });
                Ok(Step::Forward)
            }
            INFO | TRACKS => self.metadata(head),
            // Tags, Cues, SeekHead, Void: nothing that a fragment needs.
            _ => {
                self.skip = (head.len as u64).saturating_add(head.size.ok_or(ErrorCode::InvalidMkvData)?);
                Ok(Step::Forward)
            }
        }
    }

    /// Keeps an element of the document's header.
    fn metadata(&mut self, head: Head) -> Result<Step, ErrorCode> {
        let size = head.size.filter(|size| *size <= MAX_METADATA).ok_or(ErrorCode::InvalidMkvData)?;
        let len = usize::try_from(size).unwrap_or(usize::MAX).saturating_add(head.len);
        if self.header.len().saturating_add(len) as u64 > 2 * MAX_METADATA {
            return Err(ErrorCode::InvalidMkvData);
        }
        if self.input.len() < len {
            return Ok(Step::NeedsInput);
        }
        let element = self.input.split_to(len);
        match head.id {
            INFO => self.scale_ns = scale(element.get(head.len..).unwrap_or_default())?,
            TRACKS => self.has_tracks = true,
            _ => {}
        }
        self.header.extend_from_slice(&element);
        Ok(Step::Forward)
    }

    fn document(&self, cluster: BytesMut) -> Event {
        let mut document = BytesMut::with_capacity(self.header.len() + cluster.len());
        document.extend_from_slice(&self.header);
        document.extend_from_slice(&cluster);
        Event::End { document: document.freeze() }
    }
}

impl Head {
    /// RFC 8794 section 4: an ID of 1 to 4 bytes and a size of 1 to 8. `None` where it is not all here.
    fn parse(input: &[u8]) -> Result<Option<Self>, ErrorCode> {
        let Some(&first) = input.first() else { return Ok(None) };
        let id_len = first.leading_zeros() as usize + 1;
        if id_len > 4 {
            return Err(ErrorCode::InvalidMkvData);
        }
        let Some(id) = input.get(..id_len) else { return Ok(None) };
        let id = id.iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
        let Some(&first) = input.get(id_len) else { return Ok(None) };
        let size_len = first.leading_zeros() as usize + 1;
        if size_len > 8 {
            return Err(ErrorCode::InvalidMkvData);
        }
        let Some(size) = input.get(id_len..id_len + size_len) else { return Ok(None) };
        let marker = 1u64 << (7 * size_len);
        let size = size.iter().fold(0, |size, byte| size << 8 | u64::from(*byte)) & (marker - 1);
        let size = (size != marker - 1).then_some(size);
        Ok(Some(Self { id, len: id_len + size_len, size }))
    }
}

/// An unsigned integer of up to 8 bytes.
fn unsigned(bytes: &[u8]) -> Option<u64> {
    (bytes.len() <= 8).then(|| bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

/// The TimestampScale of an Info.
fn scale(mut info: &[u8]) -> Result<u64, ErrorCode> {
    while let Some(head) = Head::parse(info)? {
        let size = head.size.and_then(|size| usize::try_from(size).ok()).ok_or(ErrorCode::InvalidMkvData)?;
        let value =
            info.get(head.len..).and_then(|rest| rest.get(..size)).ok_or(ErrorCode::InvalidMkvData)?;
        if head.id == TIMESTAMP_SCALE {
            return unsigned(value).filter(|scale| *scale > 0).ok_or(ErrorCode::InvalidMkvData);
        }
        info = info.get(head.len + size..).unwrap_or_default();
    }
    Ok(DEFAULT_SCALE_NS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(id: u32, payload: &[u8]) -> Vec<u8> {
        let id = id.to_be_bytes();
        let id = &id[id.iter().take_while(|byte| **byte == 0).count()..];
        let size = (payload.len() as u64 | 1 << 56).to_be_bytes();
        [id, &size, payload].concat()
    }

    fn header() -> Vec<u8> {
        let info = element(INFO, &element(TIMESTAMP_SCALE, &1_000_000u32.to_be_bytes()));
        [element(EBML, b""), vec![0x18, 0x53, 0x80, 0x67, 0xFF], info, element(TRACKS, b"tracks")].concat()
    }

    fn open_cluster(timestamp: u8, blocks: usize) -> Vec<u8> {
        let mut cluster = vec![0x1F, 0x43, 0xB6, 0x75, 0xFF];
        cluster.extend(element(TIMESTAMP, &[timestamp]));
        for block in 0..blocks {
            cluster.extend(element(0xA3, &[block as u8; 10]));
        }
        cluster
    }

    fn events(input: &[u8], chunk: usize) -> Result<Vec<Event>, ErrorCode> {
        let mut splitter = Splitter::new(1000);
        let mut events = Vec::new();
        for bytes in input.chunks(chunk) {
            splitter.push(bytes);
            while let Some(event) = splitter.next()? {
                events.push(event);
            }
        }
        events.extend(splitter.close());
        Ok(events)
    }

    fn end(cluster: &[u8]) -> Event {
        let mut document = header();
        document.splice(12..17, SEGMENT_OF_UNKNOWN_SIZE);
        document.extend(cluster);
        Event::End { document: document.into() }
    }

    #[test]
    fn clusters_end_where_they_must_in_chunks_of_any_size() {
        let tags = element(0x1254_C367, b"AWS_KINESISVIDEO_END_OF_FRAGMENT");
        let (first, second) = (open_cluster(1, 2), open_cluster(3, 1));
        let known = element(CLUSTER, &open_cluster(5, 1)[5..]);
        let input = [header(), first.clone(), tags, second.clone(), known.clone()].concat();
        let expected = [
            Event::Begin { timecode_ms: 1 },
            end(&first),
            Event::Begin { timecode_ms: 3 },
            end(&second),
            Event::Begin { timecode_ms: 5 },
            end(&known),
        ];
        for chunk in [1, 2, 7, 100, input.len()] {
            assert_eq!(events(&input, chunk).unwrap(), expected, "{chunk}");
        }
    }

    #[test]
    fn the_tag_ends_a_fragment_without_more() {
        let mut splitter = Splitter::new(1000);
        splitter.push(&[header(), open_cluster(1, 1)].concat());
        assert_eq!(splitter.next(), Ok(Some(Event::Begin { timecode_ms: 1 })));
        assert_eq!(splitter.next(), Ok(None));
        assert!(splitter.can_close());
        splitter.push(&element(0x1254_C367, b"tag")[..5]);
        assert!(!splitter.can_close());
        splitter.push(&element(0x1254_C367, b"tag")[5..]);
        assert_eq!(splitter.next(), Ok(Some(end(&open_cluster(1, 1)))));
    }

    #[test]
    fn what_is_half_there_is_no_fragment() {
        let half = [header(), element(CLUSTER, &open_cluster(5, 3)[5..])].concat();
        assert_eq!(events(&half[..half.len() - 1], 10).unwrap(), [Event::Begin { timecode_ms: 5 }]);
    }

    #[test]
    fn sizes_are_limited() {
        let large = [header(), open_cluster(1, 60)].concat();
        assert_eq!(events(&large, 64), Err(ErrorCode::MaxFragmentSize));
        let declared = [header(), vec![0x1F, 0x43, 0xB6, 0x75, 0x10, 0xFF, 0xFF, 0xFF]].concat();
        assert_eq!(events(&declared, 64), Err(ErrorCode::MaxFragmentSize));
    }

    #[test]
    fn what_is_no_matroska_is_refused() {
        for input in [&b"RIFFxxxx"[..], &[0], &element(SEGMENT, b"x"), &[header(), vec![0x08]].concat()] {
            assert_eq!(events(input, 64), Err(ErrorCode::InvalidMkvData));
        }
        let no_tracks = [element(EBML, b""), vec![0x18, 0x53, 0x80, 0x67, 0xFF], open_cluster(1, 1)].concat();
        assert_eq!(events(&no_tracks, 64), Err(ErrorCode::InvalidMkvData));
    }
}
