//! Kinesis Video Streams fragments as Matroska, from a plain description: every odd form seen in the wild on request.

mod block;
mod track;

use crate::ebml::{self, Size, id};

pub use block::{Block, BlockForm, Lacing, aac_blocks, avc_blocks, g711_blocks};
pub use track::{ContentEncoding, Track, TrackKind};

/// Where the tags with the fragment's number and timestamps stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TagPlace {
    /// As GetMedia writes them.
    #[default]
    BeforeCluster,
    /// After the Cluster.
    AfterCluster,
    /// Before the Tracks.
    BeforeTracks,
}

/// How the timestamp tags are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TagNames {
    /// `AWS_KINESISVIDEO_SERVER_TIMESTAMP`, as in every capture.
    #[default]
    Plain,
    /// `AWS_KINESISVIDEO_SERVER_SIDE_TIMESTAMP`, as the page of GetMediaForFragmentList says.
    Side,
}

/// One fragment. The default is an empty one in the framing of GetMedia: own EBML document, Segment of unknown size in 8
/// bytes, known Cluster in 8 bytes, milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Fragment {
    /// `AWS_KINESISVIDEO_FRAGMENT_NUMBER`.
    pub number: Option<String>,
    /// Decimal seconds.
    pub producer: Option<String>,
    /// Decimal seconds.
    pub server: Option<String>,
    /// Ticks of the TimestampScale.
    pub cluster_timestamp: u64,
    /// Nanoseconds per tick; without it the element is left out, which means 1,000,000.
    pub timestamp_scale: Option<u64>,
    /// The TrackEntries.
    pub tracks: Vec<Track>,
    /// The blocks of the Cluster, in file order.
    pub blocks: Vec<Block>,

    /// DocType of the EBML header.
    pub doc_type: String,
    /// Form of the Segment's size field.
    pub segment_size: Size,
    /// Form of the Cluster's size field.
    pub cluster_size: Size,
    /// Size field of the Tags elements and their children. The service writes 4 bytes.
    pub tag_size: Size,
    /// Where the service's tags stand.
    pub tag_place: TagPlace,
    /// How the service's timestamp tags are called.
    pub tag_names: TagNames,
    /// Tags of the producer, in a Tags element of their own after the Tracks.
    pub producer_tags: Vec<(String, String)>,
    /// Tags after the Cluster, such as [`get_media_trailer`].
    pub trailing_tags: Vec<(String, String)>,
    /// No Cluster at all: a header with tags.
    pub without_cluster: bool,
    /// CRC-32 as the first child of Info, Tracks, Tags and Cluster.
    pub crc32: bool,
    /// A Void with a payload of this many bytes in every master element, as first child (after a CRC-32).
    pub void: Option<usize>,
    /// SeekHead, Duration and Cues that point at nothing, and Position and PrevSize in the Cluster.
    pub stale_index: bool,
    /// Elements written as they are at the beginning of the Segment.
    pub in_segment: Vec<u8>,
    /// Elements written as they are before the Cluster.
    pub before_cluster: Vec<u8>,
    /// Elements written as they are in the Cluster, after its Timestamp.
    pub in_cluster: Vec<u8>,
    /// Elements written as they are after the Cluster.
    pub after_cluster: Vec<u8>,
}

impl Default for Fragment {
    fn default() -> Self {
        Self {
            number: None,
            producer: None,
            server: None,
            cluster_timestamp: 0,
            timestamp_scale: Some(1_000_000),
            tracks: Vec::new(),
            blocks: Vec::new(),
            doc_type: "matroska".into(),
            segment_size: Size::Unknown(8),
            cluster_size: Size::Width(8),
            tag_size: Size::Width(4),
            tag_place: TagPlace::default(),
            tag_names: TagNames::default(),
            producer_tags: Vec::new(),
            trailing_tags: Vec::new(),
            without_cluster: false,
            crc32: false,
            void: None,
            stale_index: false,
            in_segment: Vec::new(),
            before_cluster: Vec::new(),
            in_cluster: Vec::new(),
            after_cluster: Vec::new(),
        }
    }
}

impl Fragment {
    /// A fragment without any AWS tag.
    pub fn new(tracks: Vec<Track>, blocks: Vec<Block>) -> Self {
        Self { tracks, blocks, ..Self::default() }
    }

    /// A fragment as the service stores it: the `index`-th of its stream, number and server timestamp (613 ms later)
    /// included, Cluster timestamp in Unix milliseconds.
    pub fn stored(index: u64, producer_ms: u64, tracks: Vec<Track>, blocks: Vec<Block>) -> Self {
        Self {
            number: Some(fragment_number(index)),
            producer: Some(decimal_seconds(producer_ms)),
            server: Some(decimal_seconds(producer_ms + 613)),
            cluster_timestamp: producer_ms,
            ..Self::new(tracks, blocks)
        }
    }

    /// Sets `AWS_KINESISVIDEO_FRAGMENT_NUMBER`.
    pub fn number(mut self, number: &str) -> Self {
        self.number = Some(number.into());
        self
    }

    /// Sets the producer timestamp, in decimal seconds.
    pub fn producer(mut self, seconds: &str) -> Self {
        self.producer = Some(seconds.into());
        self
    }

    /// Sets the server timestamp, in decimal seconds.
    pub fn server(mut self, seconds: &str) -> Self {
        self.server = Some(seconds.into());
        self
    }

    /// Sets the Timestamp of the Cluster, in ticks of the TimestampScale.
    pub fn cluster_timestamp(mut self, ticks: u64) -> Self {
        self.cluster_timestamp = ticks;
        self
    }

    /// Sets the TimestampScale, in nanoseconds per tick.
    pub fn timestamp_scale(mut self, nanoseconds: u64) -> Self {
        self.timestamp_scale = Some(nanoseconds);
        self
    }

    /// Sets the form of the Segment's size field.
    pub fn segment_size(mut self, size: Size) -> Self {
        self.segment_size = size;
        self
    }

    /// Sets the form of the Cluster's size field.
    pub fn cluster_size(mut self, size: Size) -> Self {
        self.cluster_size = size;
        self
    }

    /// Sets where the service's tags stand.
    pub fn tag_place(mut self, place: TagPlace) -> Self {
        self.tag_place = place;
        self
    }

    /// Appends tags after the Cluster.
    pub fn trailing_tags(mut self, tags: &[(&str, &str)]) -> Self {
        self.trailing_tags.extend(tags.iter().map(|(name, value)| (name.to_string(), value.to_string())));
        self
    }

    /// An empty `AWS_KINESISVIDEO_END_OF_FRAGMENT` after the Cluster.
    pub fn end_of_fragment(self) -> Self {
        self.trailing_tags(&[("AWS_KINESISVIDEO_END_OF_FRAGMENT", "")])
    }

    /// One EBML document, as GetMedia answers.
    pub fn to_bytes(&self) -> Vec<u8> {
        let segment = [self.segment_header(), self.body()].concat();
        [self.ebml_header(), ebml::sized_element(id::SEGMENT, self.segment_size, &segment)].concat()
    }

    fn ebml_header(&self) -> Vec<u8> {
        let children = [
            ebml::uint(id::EBML_VERSION, 1),
            ebml::uint(id::EBML_READ_VERSION, 1),
            ebml::uint(id::EBML_MAX_ID_LENGTH, 4),
            ebml::uint(id::EBML_MAX_SIZE_LENGTH, 8),
            ebml::string(id::DOC_TYPE, &self.doc_type),
            ebml::uint(id::DOC_TYPE_VERSION, 4),
            ebml::uint(id::DOC_TYPE_READ_VERSION, 2),
        ];
        ebml::sized_element(id::EBML, Size::Width(8), &children.concat())
    }

    /// What stands in the Segment before the first Tags or Cluster of the service.
    fn segment_header(&self) -> Vec<u8> {
        let mut info = Vec::new();
        info.extend(self.timestamp_scale.map(|scale| ebml::uint(id::TIMESTAMP_SCALE, scale)));
        info.push(ebml::string(id::MUXING_APP, "test"));
        info.push(ebml::string(id::WRITING_APP, "test"));
        if self.stale_index {
            info.push(ebml::float(id::DURATION, 10_000.0));
        }
        let tracks: Vec<u8> = self.tracks.iter().flat_map(Track::to_bytes).collect();
        let tags_first =
            if self.tag_place == TagPlace::BeforeTracks { self.service_tags() } else { Vec::new() };
        [
            self.in_segment.clone(),
            if self.stale_index { stale_seek_head() } else { Vec::new() },
            self.master(id::INFO, Size::Width(8), info.concat()),
            tags_first,
            self.master(id::TRACKS, Size::Width(8), tracks),
            self.tags(&self.producer_tags),
        ]
        .concat()
    }

    /// Tags, Cluster, tags.
    fn body(&self) -> Vec<u8> {
        let service_tags = |place| if self.tag_place == place { self.service_tags() } else { Vec::new() };
        [
            service_tags(TagPlace::BeforeCluster),
            self.before_cluster.clone(),
            if self.without_cluster { Vec::new() } else { self.cluster() },
            if self.stale_index { stale_cues() } else { Vec::new() },
            self.after_cluster.clone(),
            service_tags(TagPlace::AfterCluster),
            self.tags(&self.trailing_tags),
        ]
        .concat()
    }

    /// The Cluster element.
    pub fn cluster(&self) -> Vec<u8> {
        let mut children = ebml::uint(id::TIMESTAMP, self.cluster_timestamp);
        if self.stale_index {
            children.extend(ebml::uint(id::POSITION, 123_456));
            children.extend(ebml::uint(id::PREV_SIZE, 654_321));
        }
        children.extend(&self.in_cluster);
        for block in &self.blocks {
            let track = self.tracks.iter().find(|track| track.number == block.track);
            children.extend(block.to_bytes(track.map(Track::stripped_header).unwrap_or_default()));
        }
        self.master(id::CLUSTER, self.cluster_size, children)
    }

    fn service_tags(&self) -> Vec<u8> {
        let infix = match self.tag_names {
            TagNames::Plain => "",
            TagNames::Side => "_SIDE",
        };
        let mut tags = Vec::new();
        tags.extend(self.number.clone().map(|value| ("AWS_KINESISVIDEO_FRAGMENT_NUMBER".to_string(), value)));
        tags.extend(
            self.server.clone().map(|value| (format!("AWS_KINESISVIDEO_SERVER{infix}_TIMESTAMP"), value)),
        );
        tags.extend(
            self.producer.clone().map(|value| (format!("AWS_KINESISVIDEO_PRODUCER{infix}_TIMESTAMP"), value)),
        );
        self.tags(&tags)
    }

    /// A Tags element with one Tag that lacks its Targets, as the service writes it. Nothing for no tags.
    fn tags(&self, tags: &[(String, String)]) -> Vec<u8> {
        if tags.is_empty() {
            return Vec::new();
        }
        let simple_tags: Vec<u8> = tags
            .iter()
            .flat_map(|(name, value)| {
                let name = ebml::sized_element(id::TAG_NAME, self.tag_size, name.as_bytes());
                let value = ebml::sized_element(id::TAG_STRING, self.tag_size, value.as_bytes());
                ebml::sized_element(id::SIMPLE_TAG, self.tag_size, &[name, value].concat())
            })
            .collect();
        self.master(id::TAGS, self.tag_size, ebml::sized_element(id::TAG, self.tag_size, &simple_tags))
    }

    fn master(&self, id: u32, size: Size, children: Vec<u8>) -> Vec<u8> {
        let mut payload = self.void.map(ebml::void).unwrap_or_default();
        payload.extend(children);
        if self.crc32 {
            payload = ebml::with_crc32(&payload);
        }
        ebml::sized_element(id, size, &payload)
    }
}

/// Fragments one after the other, each its own document.
pub fn documents(fragments: &[Fragment]) -> Vec<u8> {
    fragments.iter().flat_map(Fragment::to_bytes).collect()
}

/// AWS's merged form: the first fragment's header, then Tags Cluster Tags Cluster in one Segment of unknown size.
pub fn merged(fragments: &[Fragment]) -> Vec<u8> {
    let first = fragments.first().expect("a fragment");
    let bodies: Vec<u8> = fragments.iter().flat_map(Fragment::body).collect();
    let segment = [first.segment_header(), bodies].concat();
    [first.ebml_header(), ebml::sized_element(id::SEGMENT, first.segment_size, &segment)].concat()
}

/// A producer's upload: one header, many Clusters, no tags of the service.
pub fn upload(fragments: &[Fragment]) -> Vec<u8> {
    let untagged: Vec<Fragment> = fragments
        .iter()
        .cloned()
        .map(|fragment| Fragment {
            number: None,
            producer: None,
            server: None,
            trailing_tags: Vec::new(),
            ..fragment
        })
        .collect();
    merged(&untagged)
}

/// A fragment number of 47 digits, rising with `index`.
pub fn fragment_number(index: u64) -> String {
    format!("91343852333181432392682062{:021}", 600_000_000_000_000_000 + index)
}

/// `1511852109.126` for 1,511,852,109,126 milliseconds.
pub fn decimal_seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

/// The tags that GetMedia writes after each Cluster.
pub fn get_media_trailer(continuation_token: &str) -> [(&'static str, &str); 2] {
    [("AWS_KINESISVIDEO_MILLIS_BEHIND_NOW", "0"), ("AWS_KINESISVIDEO_CONTINUATION_TOKEN", continuation_token)]
}

/// A document that says the service stopped, as GetMedia ends with it.
pub fn service_error(code: &str, message: &str) -> Fragment {
    Fragment { without_cluster: true, ..Fragment::default() }
        .trailing_tags(&[("AWS_KINESISVIDEO_ERROR_CODE", code), ("AWS_KINESISVIDEO_ERROR_ID", message)])
}

/// The same under the names of the service's model.
pub fn service_exception(code: &str, message: &str) -> Fragment {
    Fragment { without_cluster: true, ..Fragment::default() }.trailing_tags(&[
        ("AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE", code),
        ("AWS_KINESISVIDEO_EXCEPTION_MESSAGE", message),
    ])
}

fn stale_seek_head() -> Vec<u8> {
    let seek = |target: u32, position| {
        ebml::master(
            id::SEEK,
            &[ebml::element(id::SEEK_ID, &ebml::id_bytes(target)), ebml::uint(id::SEEK_POSITION, position)],
        )
    };
    ebml::master(id::SEEK_HEAD, &[seek(id::INFO, 7), seek(id::TRACKS, 13), seek(id::CUES, 2_497_581)])
}

fn stale_cues() -> Vec<u8> {
    let positions = [ebml::uint(id::CUE_TRACK, 1), ebml::uint(id::CUE_CLUSTER_POSITION, 987_654)];
    let point = [ebml::uint(id::CUE_TIME, 0), ebml::master(id::CUE_TRACK_POSITIONS, &positions)];
    ebml::master(id::CUES, &[ebml::master(id::CUE_POINT, &point)])
}
