//! Inputs made to cost more than they weigh, each of about as many bytes as are asked for.

use crate::ebml::{self, Size, id};
use crate::media;
use crate::mkv::{Block, Fragment, Lacing, Track, decimal_seconds, documents};

/// A kind of hostile input.
#[derive(Debug, Clone, Copy)]
pub struct Hostile {
    /// What is hostile about it.
    pub name: &'static str,
    /// Makes about this many bytes of it.
    pub make: fn(usize) -> Vec<u8>,
    /// The way of using it that costs most.
    pub run: Run,
}

/// What is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// Built with no limit but memory.
    Build,
    /// Built in the order of the server's clock.
    BuildByServer,
    /// Built to half of its size, so that the limit has to be searched for.
    BuildHalf,
    /// Read byte by byte.
    ReadBytewise,
}

impl Hostile {
    const fn build(name: &'static str, make: fn(usize) -> Vec<u8>) -> Self {
        Self { name, make, run: Run::Build }
    }
}

/// Every kind.
pub const KINDS: &[Hostile] = &[
    Hostile::build("empty elements in the Segment", |n| segment(&[], repeat(&VOID, n))),
    Hostile::build("empty elements in a Cluster", |n| cluster(avc(), repeat(&VOID, n))),
    Hostile::build("empty elements in Tracks", |n| segment(&[(id::TRACKS, repeat(&VOID, n))], Vec::new())),
    Hostile::build("empty TrackEntries' elements", |n| {
        let entry = ebml::element(
            id::TRACK_ENTRY,
            &[&ebml::uint(id::TRACK_NUMBER, 1)[..], &repeat(&VOID, n)].concat(),
        );
        segment(&[(id::TRACKS, entry)], Vec::new())
    }),
    Hostile::build("2^16 tracks", |n| segment(&[(id::TRACKS, many_tracks(n))], Vec::new())),
    Hostile::build("elements in elements", nested),
    Hostile::build("Segments in Segments", |n| {
        let one = ebml::sized_element(id::SEGMENT, Size::Unknown(1), &[]);
        [header(), repeat(&one, n)].concat()
    }),
    Hostile::build("documents without a Segment", |n| repeat(&ebml::element(id::EBML, &[]), n)),
    Hostile::build("empty Clusters", |n| {
        segment(&[(id::TRACKS, avc())], repeat(&ebml::element(id::CLUSTER, &[]), n))
    }),
    Hostile::build("a block per 6 bytes, of a track that is left out", |n| {
        let block = Block::new(3, 0, true, Vec::new()).size(Size::Known).to_bytes(&[]);
        cluster([avc(), Track::aac().number(3).to_bytes()].concat(), repeat(&block, n))
    }),
    Hostile::build("a block per byte of audio", |n| cluster(avc_and_aac(), repeat(&block(2, 0, &[0x21]), n))),
    Hostile::build("a block per NAL unit of a byte", |n| {
        cluster(short_avc(1), repeat(&block(1, 0, &[1, 0x41]), n))
    }),
    Hostile::build("laces of bytes of audio", |n| {
        cluster(avc_and_aac(), repeat(&lace(2, Lacing::Fixed, vec![vec![0x21]; 256]), n))
    }),
    Hostile::build("laces of bytes of audio, with a duration", |n| {
        let aac = Track::aac().default_duration(21_333_333).to_bytes();
        cluster([avc(), aac].concat(), repeat(&lace(2, Lacing::Fixed, vec![vec![0x21]; 256]), n))
    }),
    Hostile::build("laces of bytes of audio, each a chunk", |n| {
        // A chunk is half a second at the most, and this is no whole number of ticks.
        let aac = Track::aac().default_duration(600_010_000).to_bytes();
        let lace = lace(2, Lacing::Fixed, vec![vec![0x21]; 256]);
        let tracks = [avc(), aac].concat();
        segment(&[(id::TRACKS, tracks)], fill(n, |index| cluster_at(index * 153_603, &lace)))
    }),
    Hostile::build("laces of bytes of audio, each a chunk, whose stripped headers are put back", |n| {
        let stripped = [0x21; 16];
        let aac = Track::aac().default_duration(600_010_000).header_stripping(stripped).to_bytes();
        let lace = Block::laced(2, 0, Lacing::Fixed, vec![[&stripped[..], &[0x21]].concat(); 256]);
        let lace = lace.size(Size::Known).to_bytes(&stripped);
        let tracks = [avc(), aac].concat();
        segment(&[(id::TRACKS, tracks)], fill(n, |index| cluster_at(index * 153_603, &lace)))
    }),
    Hostile::build("laces of one and two bytes of audio", |n| {
        let frames = (0..256).map(|index| vec![0x21; 1 + index % 2]).collect();
        cluster(avc_and_aac(), repeat(&lace(2, Lacing::Ebml, frames), n))
    }),
    Hostile::build("laces of NAL units of a byte", |n| {
        cluster(short_avc(1), repeat(&lace(1, Lacing::Fixed, vec![vec![1, 0x41]; 256]), n))
    }),
    Hostile::build("laces of NAL units of a byte, with a duration", |n| {
        let track = Track::avc().codec_private(short_lengths(1)).default_duration(33_333_333).to_bytes();
        let lace = lace(1, Lacing::Fixed, vec![vec![1, 0x41]; 256]);
        segment(&[(id::TRACKS, track)], fill(n, |index| cluster_at(index * 8534, &lace)))
    }),
    Hostile::build("laces of NAL units of a byte, each a chunk", |n| {
        let track = Track::avc().codec_private(short_lengths(1)).default_duration(600_010_000).to_bytes();
        let lace = lace(1, Lacing::Fixed, vec![vec![1, 0x41]; 256]);
        segment(&[(id::TRACKS, track)], fill(n, |index| cluster_at(index * 153_603, &lace)))
    }),
    Hostile::build("laces of empty frames", |n| {
        cluster(avc_and_aac(), repeat(&lace(2, Lacing::Fixed, vec![Vec::new(); 256]), n))
    }),
    Hostile::build("laces whose stripped headers are put back", |n| {
        let stripped = [0x21; 16];
        let aac = Track::aac().header_stripping(stripped).to_bytes();
        let lace = Block::laced(2, 0, Lacing::Fixed, vec![[&stripped[..], &[0x21]].concat(); 256]);
        cluster([avc(), aac].concat(), repeat(&lace.size(Size::Known).to_bytes(&stripped), n))
    }),
    Hostile::build("a frame of NAL units of a byte", |n| {
        cluster(short_avc(1), block(1, 0, &repeat(&[1, 0x41], n)))
    }),
    Hostile::build("a frame of parameter sets of a byte against a full record", |n| {
        let sps = (0..31_u8).map(|index| vec![0x67, index]).collect::<Vec<_>>();
        let pps = (0..255_u8).map(|index| vec![0x68, index, 1]).collect::<Vec<_>>();
        cluster(
            Track::avc().codec_private(avcc(1, &sps, &pps)).to_bytes(),
            block(1, 0, &repeat(&[1, 0x68], n)),
        )
    }),
    Hostile::build("start codes every 3 bytes", |n| {
        cluster(avc(), block(1, 0, &[repeat(&[0, 0, 1], n), vec![0x41]].concat()))
    }),
    Hostile::build("start codes every 4 bytes", |n| {
        cluster(avc(), block(1, 0, &repeat(&[0, 0, 1, 0x41], n)))
    }),
    Hostile::build("zeros behind a start code", |n| {
        cluster(avc(), block(1, 0, &[vec![0, 0, 1, 0x41], vec![0; n]].concat()))
    }),
    Hostile::build("NAL units without a byte", |n| {
        cluster(avc(), block(1, 0, &[vec![0, 0, 0, 1, 0x41], repeat(&[0; 4], n)].concat()))
    }),
    Hostile::build("a Void", |n| segment(&[], ebml::void(n))),
    Hostile::build("a gigabyte of Void that is not there", |n| {
        let mut void = ebml::id_bytes(id::VOID);
        void.extend(ebml::vint(1 << 30, 8));
        [segment(&[], void), vec![0; n]].concat()
    }),
    Hostile::build("tags that say nothing", |n| segment(&[(id::TAGS, tags(n, "X", ""))], Vec::new())),
    Hostile::build("tags that say the same", |n| {
        segment(&[(id::TAGS, tags(n, "AWS_KINESISVIDEO_FRAGMENT_NUMBER", "1"))], Vec::new())
    }),
    Hostile::build("a codec ID that is no text", |n| {
        let entry = [ebml::uint(id::TRACK_NUMBER, 3), ebml::element(id::CODEC_ID, &vec![0xFF; n])].concat();
        let tracks = [avc(), ebml::element(id::TRACK_ENTRY, &entry)].concat();
        cluster(tracks, block(1, 0, &frame()))
    }),
    Hostile::build("many fragments under large codec private data", |n| {
        let pps: Vec<Vec<u8>> = (0..10).map(|index| vec![0x68 | index; (n / 20).min(65_535)]).collect();
        let track = Track::avc().codec_private(avcc(4, &[media::AVC_SPS.to_vec()], &pps)).to_bytes();
        segment(&[(id::TRACKS, track)], fill(n / 2, |index| cluster_at(index * 1000, &block(1, 0, &frame()))))
    }),
    Hostile::build("many fragments under a large codec ID", |n| {
        let track = Track::aac().number(3).codec_id(&"X".repeat(n / 2)).to_bytes();
        let tracks = [avc(), track].concat();
        segment(
            &[(id::TRACKS, tracks)],
            fill(n / 2, |index| cluster_at(index * 1000, &block(1, 0, &frame()))),
        )
    }),
    Hostile::build("many fragments under many tracks", |n| {
        let others = (3..256).flat_map(|number| Track::default().number(number).to_bytes());
        let tracks = [avc(), others.collect()].concat();
        segment(&[(id::TRACKS, tracks)], fill(n, |index| cluster_at(index * 1000, &block(1, 0, &frame()))))
    }),
    Hostile::build("many fragments of one frame", |n| {
        segment(&[(id::TRACKS, avc())], fill(n, |index| cluster_at(index * 1000, &block(1, 0, &frame()))))
    }),
    Hostile::build("many fragments of chunks of one frame", |n| {
        let blocks: Vec<u8> = (0..8).flat_map(|index| block(1, index * 4000, &frame())).collect();
        segment(&[(id::TRACKS, avc())], fill(n, |index| cluster_at(index * 32_000, &blocks)))
    }),
    Hostile::build("many fragments of one time", |n| {
        segment(&[(id::TRACKS, avc())], fill(n, |_| cluster_at(0, &block(1, 0, &frame()))))
    }),
    Hostile::build("many fragments of changing sample entries", |n| {
        stored(n, |index| Track::avc().codec_private(other_record(index % 32)))
    }),
    Hostile::build("many duplicates", |n| {
        stored_at(n, |index| (index % 2, 1_700_000_000_000, 1_700_000_000_000), |_| Track::avc())
    }),
    Hostile {
        name: "many fragments of one server time",
        make: |n| {
            stored_at(n, |index| (index, 1_700_000_000_000 + index * 40, 1_700_000_000_000), |_| Track::avc())
        },
        run: Run::BuildByServer,
    },
    Hostile::build("frames of one time", |n| cluster(avc(), repeat(&block(1, 0, &frame()), n))),
    Hostile::build("frames in the worst order that is taken", |n| {
        // Of each 17 frames, the first is shown last.
        let time = |index: i16| if index % 17 == 0 { index + 17 } else { index };
        let blocks: Vec<u8> = (0..340).flat_map(|index| block(1, time(index), &frame())).collect();
        segment(&[(id::TRACKS, avc())], fill(n, |index| cluster_at(index * 1000, &blocks)))
    }),
    Hostile::build("frames in descending order", |n| {
        cluster(avc(), fill(n, |index| block(1, 30_000_i16.wrapping_sub(index as i16), &frame())))
    }),
    Hostile::build("audio whose clock jumps", |n| {
        cluster(avc_and_aac(), fill(n, |index| block(2, (index % 2) as i16 * 500, &[0x21, 1])))
    }),
    Hostile {
        name: "an index heavier than the media",
        make: |n| {
            let frames: Vec<u8> =
                (0..16).flat_map(|index| block(1, index * 33 + index % 2, &[0, 0, 0, 1, 0x41])).collect();
            segment(&[(id::TRACKS, avc())], fill(n, |index| cluster_at(index * 1000, &frames)))
        },
        run: Run::BuildHalf,
    },
    Hostile {
        name: "a plain stream, byte by byte",
        make: |n| stored(n, |_| Track::avc()),
        run: Run::ReadBytewise,
    },
    Hostile {
        name: "empty elements, byte by byte",
        make: |n| cluster(avc(), repeat(&VOID, n)),
        run: Run::ReadBytewise,
    },
    Hostile {
        name: "one frame, byte by byte",
        make: |n| cluster(avc(), block(1, 0, &media::avc_frame(1, n, true))),
        run: Run::ReadBytewise,
    },
];

/// A Void without a byte.
const VOID: [u8; 2] = [id::VOID as u8, 0x80];

fn repeat(bytes: &[u8], len: usize) -> Vec<u8> {
    bytes.repeat(len / bytes.len())
}

fn header() -> Vec<u8> {
    ebml::element(id::EBML, &ebml::string(id::DOC_TYPE, "matroska"))
}

/// A document whose Segment holds these elements, and then these bytes.
fn segment(elements: &[(u32, Vec<u8>)], rest: Vec<u8>) -> Vec<u8> {
    let elements = elements.iter().flat_map(|(id, payload)| ebml::element(*id, payload));
    let start = ebml::sized_element(id::SEGMENT, Size::Unknown(8), &[]);
    [header(), start, elements.collect(), rest].concat()
}

/// A document with one Cluster of these children.
fn cluster(tracks: Vec<u8>, children: Vec<u8>) -> Vec<u8> {
    segment(&[(id::TRACKS, tracks)], cluster_at(0, &children))
}

fn cluster_at(timestamp: u64, children: &[u8]) -> Vec<u8> {
    ebml::element(id::CLUSTER, &[&ebml::uint(id::TIMESTAMP, timestamp), children].concat())
}

/// Elements of `len` bytes in all, by their index.
fn fill(len: usize, make: impl Fn(u64) -> Vec<u8>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len);
    let mut index = 0;
    while bytes.len() < len {
        bytes.extend(make(index));
        index += 1;
    }
    bytes
}

fn block(track: u64, time: i16, frame: &[u8]) -> Vec<u8> {
    Block::new(track, time, true, frame).size(Size::Known).to_bytes(&[])
}

fn lace(track: u64, lacing: Lacing, frames: Vec<Vec<u8>>) -> Vec<u8> {
    Block::laced(track, 0, lacing, frames).size(Size::Known).to_bytes(&[])
}

/// The smallest frame of H.264 that is taken as it is.
fn frame() -> [u8; 5] {
    [0, 0, 0, 1, 0x65]
}

fn avc() -> Vec<u8> {
    Track::avc().to_bytes()
}

fn avc_and_aac() -> Vec<u8> {
    [Track::avc().to_bytes(), Track::aac().to_bytes()].concat()
}

fn short_avc(length_size: u8) -> Vec<u8> {
    Track::avc().codec_private(short_lengths(length_size)).to_bytes()
}

fn short_lengths(length_size: u8) -> Vec<u8> {
    let mut record = media::avcc(media::AVC_SPS, media::AVC_PPS);
    record[4] = 0xFC | (length_size - 1);
    record
}

/// AVCDecoderConfigurationRecord of Baseline profile.
fn avcc(length_size: u8, sps: &[Vec<u8>], pps: &[Vec<u8>]) -> Vec<u8> {
    let list = |sets: &[Vec<u8>]| -> Vec<u8> {
        sets.iter().flat_map(|set| [&(set.len() as u16).to_be_bytes()[..], set].concat()).collect()
    };
    let head = [1, 66, 0, 13, 0xFC | (length_size - 1), 0xE0 | sps.len() as u8];
    [&head[..], &list(sps), &[pps.len() as u8], &list(pps)].concat()
}

/// A record like no other.
fn other_record(index: u64) -> Vec<u8> {
    media::avcc(media::AVC_SPS, &[&[0x68, 0xEB], &(index | 1 << 63).to_be_bytes()[..], &[0x80]].concat())
}

fn many_tracks(len: usize) -> Vec<u8> {
    fill(len, |index| ebml::element(id::TRACK_ENTRY, &ebml::uint(id::TRACK_NUMBER, index + 1)))
}

/// SimpleTags in SimpleTags, as deep as the size goes.
fn nested(len: usize) -> Vec<u8> {
    const HEADER: usize = 10;
    let depth = len / HEADER;
    let simple_tags = (0..depth).rev().flat_map(|inner| {
        let size = ebml::vint((inner * HEADER) as u64, 8);
        [ebml::id_bytes(id::SIMPLE_TAG), size].concat()
    });
    segment(&[(id::TAGS, ebml::element(id::TAG, &simple_tags.collect::<Vec<u8>>()))], Vec::new())
}

fn tags(len: usize, name: &str, value: &str) -> Vec<u8> {
    let pair = [ebml::string(id::TAG_NAME, name), ebml::string(id::TAG_STRING, value)].concat();
    ebml::element(id::TAG, &repeat(&ebml::element(id::SIMPLE_TAG, &pair), len))
}

/// Small documents with all tags, `len` bytes in all.
fn stored(len: usize, track: impl Fn(u64) -> Track) -> Vec<u8> {
    stored_at(len, |index| (index, 1_700_000_000_000 + index * 40, 1_700_000_000_613 + index * 40), track)
}

/// The same, by number and the milliseconds of the producer's and the server's clock.
fn stored_at(len: usize, tags: impl Fn(u64) -> (u64, u64, u64), track: impl Fn(u64) -> Track) -> Vec<u8> {
    let document = |index: u64| {
        let (number, producer_ms, server_ms) = tags(index);
        let blocks = vec![Block::new(1, 0, true, frame())];
        Fragment::new(vec![track(index)], blocks)
            .number(&number.to_string())
            .producer(&decimal_seconds(producer_ms))
            .server(&decimal_seconds(server_ms))
    };
    let count = len.div_ceil(documents(&[document(0)]).len());
    (0..count as u64).flat_map(|index| document(index).to_bytes()).collect()
}
