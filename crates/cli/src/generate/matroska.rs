//! Matroska as Kinesis Video Streams frames it (RFC 8794, RFC 9559): just what a test recording needs.

/// Size of a Segment that nobody knows yet: all ones in 8 bytes (RFC 8794 section 6.2).
const UNKNOWN_SIZE: [u8; 8] = [0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];

/// An element: ID, size in 8 bytes as AWS's SDK writes it, payload.
pub(super) fn element(id: u32, payload: &[u8]) -> Vec<u8> {
    let size = (1 << 56) | payload.len() as u64;
    [&id_bytes(id), size.to_be_bytes().as_slice(), payload].concat()
}

/// Without its leading zero bytes, an ID is what stands in the file.
fn id_bytes(id: u32) -> Vec<u8> {
    id.to_be_bytes().into_iter().skip_while(|&byte| byte == 0).collect()
}

fn master(id: u32, children: &[Vec<u8>]) -> Vec<u8> {
    element(id, &children.concat())
}

fn uint(id: u32, value: u64) -> Vec<u8> {
    element(id, &value.to_be_bytes())
}

fn text(id: u32, value: &str) -> Vec<u8> {
    element(id, value.as_bytes())
}

/// A track of the recording.
pub(super) struct Track {
    pub(super) number: u8,
    pub(super) codec_id: &'static str,
    pub(super) codec_private: Option<Vec<u8>>,
    pub(super) settings: Settings,
}

pub(super) enum Settings {
    Video { width: u32, height: u32 },
    Audio { sampling_rate: u32, channels: u8 },
}

/// EBML header, and a Segment of unknown size up to its Tracks.
pub(super) fn header(tracks: &[Track]) -> Vec<u8> {
    let ebml = master(
        0x1A45_DFA3, // EBML
        &[
            uint(0x4286, 1),          // EBMLVersion
            uint(0x42F7, 1),          // EBMLReadVersion
            uint(0x42F2, 4),          // EBMLMaxIDLength
            uint(0x42F3, 8),          // EBMLMaxSizeLength
            text(0x4282, "matroska"), // DocType
            uint(0x4287, 2),          // DocTypeVersion
            uint(0x4285, 2),          // DocTypeReadVersion
        ],
    );
    let info = master(
        0x1549_A966, // Info
        &[
            uint(0x2A_D7B1, 1_000_000),           // TimestampScale
            text(0x4D80, "getclip generate"),     // MuxingApp
            text(0x5741, "getclip test pattern"), // WritingApp
        ],
    );
    let entries: Vec<Vec<u8>> = tracks.iter().map(track_entry).collect();
    let segment = [id_bytes(0x1853_8067), UNKNOWN_SIZE.to_vec()].concat();
    [ebml, segment, info, master(0x1654_AE6B, &entries)].concat()
}

fn track_entry(track: &Track) -> Vec<u8> {
    let is_video = matches!(track.settings, Settings::Video { .. });
    let mut children = vec![
        uint(0xD7, track.number.into()),          // TrackNumber
        uint(0x73C5, track.number.into()),        // TrackUID
        uint(0x83, if is_video { 1 } else { 2 }), // TrackType
        text(0x86, track.codec_id),               // CodecID
    ];
    children.extend(track.codec_private.as_deref().map(|private| element(0x63A2, private)));
    children.push(match track.settings {
        Settings::Video { width, height } => master(
            0xE0,                                                   // Video
            &[uint(0xB0, width.into()), uint(0xBA, height.into())], // PixelWidth, PixelHeight
        ),
        Settings::Audio { sampling_rate, channels } => master(
            0xE1, // Audio
            &[
                element(0xB5, &f64::from(sampling_rate).to_be_bytes()), // SamplingFrequency
                uint(0x9F, channels.into()),                            // Channels
            ],
        ),
    });
    master(0xAE, &children)
}

/// The tags by which the service names a fragment and its times.
pub(super) fn tags(number: &str, server_ms: i64, producer_ms: i64) -> Vec<u8> {
    let seconds = |millis: i64| format!("{}.{:03}", millis.div_euclid(1000), millis.rem_euclid(1000));
    let simple_tag = |name: &str, value: &str| {
        // SimpleTag of TagName and TagString.
        master(0x67C8, &[text(0x45A3, &format!("AWS_KINESISVIDEO_{name}")), text(0x4487, value)])
    };
    let tag = |name: &str, value: &str| master(0x7373, &[simple_tag(name, value)]);
    master(
        0x1254_C367, // Tags
        &[
            tag("FRAGMENT_NUMBER", number),
            tag("SERVER_TIMESTAMP", &seconds(server_ms)),
            tag("PRODUCER_TIMESTAMP", &seconds(producer_ms)),
        ],
    )
}

/// A frame of the recording.
pub(super) struct Frame {
    pub(super) track: u8,
    /// From the Cluster's timestamp.
    pub(super) time_ms: i16,
    pub(super) is_key: bool,
    pub(super) bytes: Vec<u8>,
}

/// A Cluster of SimpleBlocks (RFC 9559 section 10.2).
pub(super) fn cluster(timestamp_ms: u64, frames: &[Frame]) -> Vec<u8> {
    let mut children = vec![uint(0xE7, timestamp_ms)];
    children.extend(frames.iter().map(|frame| {
        let [high, low] = frame.time_ms.to_be_bytes();
        let flags = if frame.is_key { 0x80 } else { 0 };
        let header = [0x80 | frame.track, high, low, flags];
        element(0xA3, &[&header, frame.bytes.as_slice()].concat())
    }));
    master(0x1F43_B675, &children)
}
