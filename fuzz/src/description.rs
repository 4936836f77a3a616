//! Fragments as a fuzzer describes them, and what the test writer takes for each description.

use arbitrary::Arbitrary;

use super::amounts::{Below, Bytes, Rarely, UpTo, one_of};
use super::frames::{AudioFrame, Frames, Framing, VideoFrame};
use testkit::ebml::{self, Size, id};
use testkit::media;
use testkit::mkv::{
    Block, ContentEncoding, Fragment, Lacing, TagNames, TagPlace, Track, TrackKind, decimal_seconds,
    fragment_number, get_media_trailer, service_error,
};

/// Where the producer's clock begins.
const START_MS: u64 = 1_700_000_000_000;

// What `one_of` takes from. The usual stands first, and more than once.

/// From fragment to fragment: none, a second or so, gaps, one that takes a coarse timescale.
const STEPS_MS: &[u64] = &[1000, 1000, 0, 2000, 990, 5000, 4_000_000, 90_000_000];

/// From block to block, in ticks.
const STEPS: &[i16] = &[33, 33, 34, 33, 20, 21, 100, 1, 0];

/// Nanoseconds per tick.
const SCALES: &[u64] =
    &[1_000_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000, 20_833, 100, 1, 1_000_000_000];

/// DefaultDuration of video.
const FRAME_DURATIONS: &[Option<u64>] =
    &[None, None, Some(33_333_333), Some(40_000_000), Some(16_683_333), Some(1), Some(u64::MAX)];

const SAMPLING_RATES: &[u32] = &[8000, 16_000, 44_100, 48_000, 192_000, 1, 0, u32::MAX];

const BLOCK_SIZES: &[Size] = &[Size::Width(8), Size::Known, Size::Width(4)];

const MASTER_SIZES: &[Size] = &[Size::Known, Size::Width(8), Size::Unknown(1), Size::Unknown(8)];

/// EncryptedBlock is obsolete; a BlockGroup belongs in a Cluster.
const STRAY_IDS: &[u32] = &[id::VOID, id::CRC_32, id::UNKNOWN, 0xAF, id::BLOCK_GROUP];

/// Fragments of one stream.
#[derive(Debug, Arbitrary)]
pub struct Stream {
    tracks: Tracks,
    first: StoredFragment,
    others: UpTo<5, StoredFragment>,
}

impl Stream {
    pub fn fragments(&self) -> Vec<Fragment> {
        let mut producer_ms = START_MS;
        let described = std::iter::once(&self.first).chain(&self.others.0).zip(0..);
        let write = |(fragment, index): (&StoredFragment, u64)| {
            producer_ms += fragment.step_ms;
            fragment.write(index, producer_ms, &self.tracks)
        };
        described.map(write).collect()
    }
}

#[derive(Debug, Arbitrary)]
struct Tracks {
    video: VideoTrack,
    audio: Option<AudioTrack>,
    third: Rarely<8, Third>,
}

#[derive(Debug, Arbitrary)]
struct VideoTrack {
    codec: Video,
    codec_private: Rarely<12, Private>,
    #[arbitrary(with = one_of(FRAME_DURATIONS))]
    default_duration: Option<u64>,
    encoding: Rarely<24, Encoding>,
    /// Whatever the codec private data says of NAL lengths.
    in_annex_b: Rarely<6>,
}

#[derive(Debug, Arbitrary)]
enum Video {
    Avc,
    Hevc,
    /// Of another resolution, in a record as the AWS SDK writes it.
    Avc640,
    AvcInAnnexB,
    AvcWithLengthsOfTwoBytes,
    AvcWithLengthsOfOneByte,
}

/// What stands in place of the codec's private data.
#[derive(Debug, Arbitrary)]
enum Private {
    Nothing,
    Noise(Bytes<64>),
}

#[derive(Debug, Arbitrary)]
struct AudioTrack {
    codec: Audio,
    codec_private: Rarely<12, Private>,
    default_duration: Rarely<8, u32>,
    encoding: Rarely<24, Encoding>,
}

#[derive(Debug, Arbitrary)]
enum Audio {
    Aac,
    Alaw,
    Mulaw,
    AlawOf {
        #[arbitrary(with = one_of(SAMPLING_RATES))]
        sampling_rate: u32,
        channels: Below<10>,
    },
}

/// A track that a clip has no place for.
#[derive(Debug, Arbitrary)]
enum Third {
    Audio,
    Subtitles,
}

#[derive(Debug, Arbitrary)]
enum Encoding {
    HeaderStripping(Bytes<4>),
    Compression(Below<3>),
    Encryption,
}

impl Tracks {
    fn write(&self) -> Vec<Track> {
        let mut tracks = vec![self.video.write()];
        tracks.extend(self.audio.as_ref().map(AudioTrack::write));
        tracks.extend(self.third.0.as_ref().map(|third| match third {
            Third::Audio => Track::aac().number(3),
            Third::Subtitles => Track {
                number: 3,
                kind: TrackKind::Other(17),
                codec_id: "S_TEXT/UTF8".into(),
                ..Track::default()
            },
        }));
        tracks
    }
}

impl VideoTrack {
    fn write(&self) -> Track {
        let avc = |private: Vec<u8>| Track::avc().codec_private(private);
        let with_lengths_of = |bytes: u8| {
            let mut record = media::avcc(media::AVC_SPS, media::AVC_PPS);
            record[4] = 0xFC | (bytes - 1);
            avc(record)
        };
        let track = match self.codec {
            Video::Avc => Track::avc(),
            Video::Hevc => Track::hevc(),
            Video::Avc640 => avc(media::avcc_without_tail(media::AVC_SPS_640, media::AVC_PPS)),
            Video::AvcInAnnexB => avc(media::annexb(&[media::AVC_SPS, media::AVC_PPS])),
            Video::AvcWithLengthsOfTwoBytes => with_lengths_of(2),
            Video::AvcWithLengthsOfOneByte => with_lengths_of(1),
        };
        adapt(track, &self.codec_private, self.default_duration, &self.encoding)
    }

    fn framing(&self) -> Framing {
        match self.codec {
            _ if self.in_annex_b.is_so() => Framing::AnnexB,
            Video::Avc | Video::Hevc | Video::Avc640 => Framing::LengthsOfFourBytes,
            Video::AvcInAnnexB => Framing::AnnexB,
            Video::AvcWithLengthsOfTwoBytes => Framing::LengthsOfTwoBytes,
            Video::AvcWithLengthsOfOneByte => Framing::LengthsOfOneByte,
        }
    }
}

impl AudioTrack {
    fn write(&self) -> Track {
        let track = match self.codec {
            Audio::Aac => Track::aac(),
            Audio::Alaw => Track::alaw(),
            Audio::Mulaw => Track::mulaw(),
            Audio::AlawOf { sampling_rate, channels } => {
                Track::alaw().codec_private(media::wave_format(6, sampling_rate, channels.0.into()))
            }
        };
        adapt(track, &self.codec_private, self.default_duration.0.map(u64::from), &self.encoding)
    }
}

fn adapt<const P: u8, const E: u8>(
    track: Track,
    codec_private: &Rarely<P, Private>,
    default_duration: Option<u64>,
    encoding: &Rarely<E, Encoding>,
) -> Track {
    let track = match &codec_private.0 {
        None => track,
        Some(Private::Nothing) => track.without_codec_private(),
        Some(Private::Noise(noise)) => track.codec_private(&*noise.0),
    };
    let track = Track { default_duration, ..track };
    match &encoding.0 {
        None => track,
        Some(Encoding::HeaderStripping(header)) => track.header_stripping(&*header.0),
        Some(Encoding::Compression(algorithm)) => {
            track.encoding(ContentEncoding::Compression(algorithm.long()))
        }
        Some(Encoding::Encryption) => track.encoding(ContentEncoding::Encryption),
    }
}

#[derive(Debug, Arbitrary)]
struct StoredFragment {
    /// Behind the start of the one before.
    #[arbitrary(with = one_of(STEPS_MS))]
    step_ms: u64,
    /// Instead of where the steps lead.
    start_ms: Rarely<24, u64>,
    /// Instead of those of the stream.
    tracks: Rarely<12, Tracks>,
    #[arbitrary(with = one_of(SCALES))]
    timestamp_scale: u64,
    blocks: UpTo<23, BlockOf>,
    odd: [Rarely<6, Odd>; 2],
}

impl StoredFragment {
    fn write(&self, index: u64, producer_ms: u64, of_stream: &Tracks) -> Fragment {
        let tracks = self.tracks.0.as_ref().unwrap_or(of_stream);
        // Below 2^42 there is room for the server's clock behind it.
        let start_ms = self.start_ms.0.map_or(producer_ms, |start_ms| start_ms % (1 << 42));
        let mut fragment = Fragment::stored(index, start_ms, tracks.write(), Vec::new())
            .timestamp_scale(self.timestamp_scale);
        let mut clocks = [0; 3];
        for (block, seed) in self.blocks.0.iter().zip(index * 1000..) {
            let written = block.write(seed, &tracks.video.framing(), &fragment.tracks, &mut clocks);
            fragment.blocks.extend(written);
        }
        for odd in self.odd.iter().flat_map(|odd| &odd.0) {
            odd.write(&mut fragment);
        }
        fragment
    }
}

/// A block of the track that its media belongs to.
#[derive(Debug, Arbitrary)]
struct BlockOf {
    media: Media,
    /// Behind the block of the track before.
    #[arbitrary(with = one_of(STEPS))]
    step: i16,
    time: Rarely<12, Time>,
    key: Rarely<4>,
    #[arbitrary(with = one_of(BLOCK_SIZES))]
    size: Size,
    group: Rarely<4, Group>,
}

#[derive(Debug, Arbitrary)]
enum Media {
    Video(Frames<VideoFrame>),
    Audio(Frames<AudioFrame>),
    /// Of the third track.
    Other(Bytes<64>),
}

/// A block's time instead of where the steps lead.
#[derive(Debug, Arbitrary)]
enum Time {
    /// A picture that is shown before some that are decoded before it.
    Before(#[arbitrary(with = one_of(&[66, 100, 200]))] i16),
    At(i16),
}

#[derive(Debug, Arbitrary)]
struct Group {
    duration: Option<u8>,
}

impl BlockOf {
    /// Nothing if there is no such track.
    fn write(&self, seed: u64, framing: &Framing, tracks: &[Track], clocks: &mut [i16; 3]) -> Option<Block> {
        let clock = match self.media {
            Media::Video(_) => 0,
            Media::Audio(_) => 1,
            Media::Other(_) => 2,
        };
        let track = tracks.iter().find(|track| track.number == clock as u64 + 1)?;
        let (lacing, frames) = match &self.media {
            Media::Video(frames) => {
                frames.write(seed, |frame, seed, size| frame.write(track, framing, seed, size))
            }
            Media::Audio(frames) => frames.write(seed, |frame, seed, size| frame.write(track, seed, size)),
            Media::Other(noise) => (Lacing::None, vec![noise.0.clone()]),
        };
        // Every frame begins with what header stripping takes off.
        let frames = frames.iter().map(|frame| [track.stripped_header(), frame].concat()).collect();
        clocks[clock] = clocks[clock].saturating_add(self.step);
        let time = match self.time.0 {
            None => clocks[clock],
            Some(Time::Before(step)) => clocks[clock].saturating_sub(step),
            Some(Time::At(time)) => time,
        };
        let mut block = Block::laced(track.number, time, lacing, frames).size(self.size);
        block.key = self.key.is_so();
        Some(match &self.group.0 {
            None => block,
            Some(group) => block.group(group.duration.map(u64::from)),
        })
    }
}

/// What is not as the service writes it.
#[derive(Debug, Arbitrary)]
enum Odd {
    NoNumber,
    NoProducer,
    NoServer,
    /// Few of them, so that they collide.
    Number(Below<4>),
    ProducerSecond(Below<4>),
    ClusterTimestamp(u64),
    SegmentSize(#[arbitrary(with = one_of(MASTER_SIZES))] Size),
    ClusterSize(#[arbitrary(with = one_of(MASTER_SIZES))] Size),
    TagsBehind,
    TagsBeforeTracks,
    SideTags,
    NoCluster,
    Crc32,
    Void(u8),
    StaleIndex,
    Element(Element, Place),
    Trailer,
    ServiceError,
}

/// An element where none is expected.
#[derive(Debug, Arbitrary)]
struct Element {
    #[arbitrary(with = one_of(STRAY_IDS))]
    id: u32,
    payload: Bytes<16>,
}

#[derive(Debug, Arbitrary)]
enum Place {
    InSegment,
    BeforeCluster,
    InCluster,
    AfterCluster,
}

impl Odd {
    fn write(&self, fragment: &mut Fragment) {
        match self {
            Self::NoNumber => fragment.number = None,
            Self::NoProducer => fragment.producer = None,
            Self::NoServer => fragment.server = None,
            Self::Number(index) => fragment.number = Some(fragment_number(index.long())),
            Self::ProducerSecond(second) => {
                fragment.producer = Some(decimal_seconds(START_MS + 1000 * second.long()));
            }
            Self::ClusterTimestamp(ticks) => fragment.cluster_timestamp = *ticks,
            Self::SegmentSize(size) => fragment.segment_size = *size,
            Self::ClusterSize(size) => fragment.cluster_size = *size,
            Self::TagsBehind => fragment.tag_place = TagPlace::AfterCluster,
            Self::TagsBeforeTracks => fragment.tag_place = TagPlace::BeforeTracks,
            Self::SideTags => fragment.tag_names = TagNames::Side,
            Self::NoCluster => fragment.without_cluster = true,
            Self::Crc32 => fragment.crc32 = true,
            Self::Void(len) => fragment.void = Some(2 * usize::from(*len)),
            Self::StaleIndex => fragment.stale_index = true,
            Self::Element(element, place) => {
                let elements = match place {
                    Place::InSegment => &mut fragment.in_segment,
                    Place::BeforeCluster => &mut fragment.before_cluster,
                    Place::InCluster => &mut fragment.in_cluster,
                    Place::AfterCluster => &mut fragment.after_cluster,
                };
                elements.extend(ebml::element(element.id, &element.payload.0));
            }
            Self::Trailer => {
                let trailer = get_media_trailer("91343852");
                fragment.trailing_tags = trailer.map(|(name, value)| (name.into(), value.into())).into();
            }
            Self::ServiceError => {
                fragment.trailing_tags = service_error("4006", "StorageFailure").trailing_tags;
            }
        }
    }
}
