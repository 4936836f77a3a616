//! Every odd form of Matroska that producers, the service and its tools write: all of them are the same fragments.

use crate::clips::{clip, clip_with, everything, fragment_name, refusal, refusal_with, strict};
use getclip::{
    ClipFragmentSelectorType, DamageFault, Error, ErrorKind, Fragment as Read, FragmentName, FragmentReader,
    Timestamp, TrackType,
};
use testkit::ebml::{self, Size, id};
use testkit::frames::{self, Tolerance};
use testkit::media;
use testkit::mkv::{
    self, Block, Fragment, Lacing, TagNames, TagPlace, Track, aac_blocks, avc_blocks, fragment_number,
};

const START: u64 = 1_700_000_000_000;

/// 1024 ms of picture and sound.
fn fragment(index: u64) -> Fragment {
    let audio = (0..48).map(|i| ((i * 64 + 1) / 3) as i16);
    let blocks = [avc_blocks(index, (0..16).map(|i| i * 64)), aac_blocks(index, audio)].concat();
    Fragment::stored(index, START + index * 1024, vec![Track::avc(), Track::aac()], blocks)
}

fn recording() -> Vec<Fragment> {
    (0..3).map(fragment).collect()
}

/// The same with every fragment in another form.
fn recording_as(form: impl Fn(Fragment) -> Fragment) -> Vec<Fragment> {
    recording().into_iter().map(form).collect()
}

/// The clip of the plain form, which holds its frames.
fn plain_clip() -> Vec<u8> {
    let (mp4, _) = clip(mkv::documents(&recording()));
    frames::assert_same_frames(&mp4, &frames::frames_of(&recording()));
    mp4
}

fn read(bytes: Vec<u8>) -> Result<Vec<Read>, Error> {
    getclip::fragments(bytes.into()).collect()
}

#[track_caller]
fn read_all(bytes: Vec<u8>) -> Vec<Read> {
    read(bytes).unwrap_or_else(|error| panic!("{error}"))
}

/// RFC 8794 section 6.2: unknown is all ones at any width.
fn first_frame(fragments: &[Read]) -> getclip::Frame<'_> {
    fragments[0].index().frames().next().expect("a frame")
}

#[test]
fn segments_and_clusters_of_known_and_unknown_size_at_every_width() {
    let expected = plain_clip();
    // A Segment here is about 5000 bytes and a Cluster 4000, which takes two.
    let sizes = |first| (first..=8).map(Size::Width).chain((1..=8).map(Size::Unknown)).chain([Size::Known]);
    for segment in sizes(2) {
        for cluster in sizes(2) {
            let input = recording_as(|fragment| fragment.segment_size(segment).cluster_size(cluster));
            let (mp4, report) = clip(mkv::documents(&input));
            assert!(mp4 == expected, "{segment:?} {cluster:?}");
            assert_eq!(report.events.len(), 0, "{:?}", report.events);
        }
    }
    for cluster in sizes(2) {
        for segment in sizes(3) {
            let input = recording_as(|fragment| fragment.segment_size(segment).cluster_size(cluster));
            assert!(clip(mkv::merged(&input)).0 == expected, "merged: {segment:?} {cluster:?}");
        }
    }
}

#[test]
fn block_sizes_at_every_width() {
    let expected = plain_clip();
    for width in 2..=8 {
        let input = recording_as(|mut fragment| {
            fragment.blocks.iter_mut().for_each(|block| block.size = Size::Width(width));
            fragment
        });
        assert!(clip(mkv::documents(&input)).0 == expected, "{width}");
    }
}

/// Tags before and behind the Cluster and in front of the Tracks, under both names.
#[test]
fn tags_wherever_they_stand() {
    let expected = plain_clip();
    for place in [TagPlace::BeforeCluster, TagPlace::AfterCluster, TagPlace::BeforeTracks] {
        for names in [TagNames::Plain, TagNames::Side] {
            for tag_size in [Size::Known, Size::Width(4), Size::Width(8)] {
                let input = recording_as(|fragment| Fragment {
                    tag_place: place,
                    tag_names: names,
                    tag_size,
                    ..fragment
                });
                let first = &read_all(mkv::documents(&input))[0];
                assert_eq!(first.number().map(ToString::to_string), Some(fragment_number(0)));
                assert_eq!(first.producer_timestamp(), Some(Timestamp::from_millis(START as i64)));
                assert_eq!(first.server_timestamp(), Some(Timestamp::from_millis(START as i64 + 613)));
                assert!(clip(mkv::documents(&input)).0 == expected, "{place:?} {names:?} {tag_size:?}");
            }
        }
    }
}

/// Every combination of what can stand around and between the elements that count.
#[test]
fn what_means_nothing_changes_nothing() {
    let expected = plain_clip();
    let unknown = || ebml::element(id::UNKNOWN, &[0xA5; 40]);
    for mask in 0..256_u32 {
        let has = |bit: u32| mask >> bit & 1 == 1;
        let form = |mut fragment: Fragment| {
            fragment.crc32 = has(0);
            fragment.void = has(1).then_some(if has(0) { 0 } else { 300 });
            fragment.stale_index = has(2);
            if has(3) {
                fragment.producer_tags =
                    vec![("kind".into(), "door bell".into()), ("AWS_OTHER".into(), "1".into())];
            }
            if has(4) {
                fragment = fragment.trailing_tags(&mkv::get_media_trailer("91343852333181432392682062"));
            }
            if has(5) {
                fragment = fragment.end_of_fragment();
            }
            if has(6) {
                fragment.in_segment = ebml::void(17);
                fragment.before_cluster = unknown();
                fragment.in_cluster = [ebml::void(5), unknown()].concat();
                fragment.after_cluster = [ebml::void(1), unknown()].concat();
            }
            if has(7) {
                fragment.cluster_size = Size::Unknown(8);
                fragment.blocks.iter_mut().for_each(|block| block.before = ebml::void(3));
            }
            fragment
        };
        let input = recording_as(form);
        assert!(clip(mkv::documents(&input)).0 == expected, "documents {mask:08b}");
        assert!(clip(mkv::merged(&input)).0 == expected, "merged {mask:08b}");
    }
}

/// ffmpeg reads the first of such documents and stops.
#[test]
fn documents_with_known_sizes_are_all_read() {
    let input = recording_as(|fragment| fragment.segment_size(Size::Known).cluster_size(Size::Known));
    assert_eq!(read_all(mkv::documents(&input)).len(), 3);
    let with_void: Vec<u8> =
        input.iter().flat_map(|fragment| [fragment.to_bytes(), ebml::void(9)].concat()).collect();
    assert!(clip(with_void).0 == plain_clip(), "Void between the documents");
}

#[test]
fn documents_of_several_forms_in_one_stream() {
    let [first, second, third] = recording().try_into().unwrap();
    let first = first.segment_size(Size::Known);
    let second = second.tag_place(TagPlace::AfterCluster).cluster_size(Size::Unknown(1));
    let third = third.segment_size(Size::Unknown(1)).end_of_fragment();
    assert!(clip(mkv::documents(&[first, second, third])).0 == plain_clip());
}

#[test]
fn a_producers_upload_has_many_clusters_and_no_tags() {
    for cluster_size in [Size::Width(8), Size::Unknown(1), Size::Unknown(8)] {
        let input = recording_as(|fragment| fragment.cluster_size(cluster_size));
        let bytes = mkv::upload(&input);
        for (index, fragment) in read_all(bytes.clone()).iter().enumerate() {
            assert_eq!((fragment.number(), fragment.producer_timestamp()), (None, None));
            assert_eq!(fragment.name(), FragmentName::Position(index as u64));
            assert_eq!(fragment.name().to_string(), format!("#{}", index + 1));
        }
        let (mp4, _) = clip(bytes);
        frames::assert_same_frames(&mp4, &frames::frames_of(&input));
    }
}

/// Old SDKs pad with NULs or spaces.
#[test]
fn padded_strings() {
    let expected = plain_clip();
    for padding in ["\0", "\0\0\0\0\0\0", "   ", "\0junk"] {
        let input = recording_as(|mut fragment| {
            for track in &mut fragment.tracks {
                track.codec_id.push_str(padding);
                track.name = Some(format!("camera{padding}"));
            }
            fragment.doc_type.push_str(padding);
            fragment
        });
        assert!(clip(mkv::documents(&input)).0 == expected, "{padding:?}");
        assert_eq!(read_all(mkv::documents(&input))[0].tracks()[0].codec_id, "V_MPEG4/ISO/AVC");
    }
}

#[test]
fn block_groups_say_key_frames_by_reference_and_their_duration() {
    let input = recording_as(|mut fragment| {
        fragment.blocks = fragment.blocks.into_iter().map(|block| block.group(Some(40))).collect();
        fragment
    });
    let (mp4, _) = clip(mkv::documents(&input));
    frames::assert_same_frames(&mp4, &frames::frames_of(&input));
    let fragments = read_all(mkv::documents(&input));
    assert!(fragments[0].index().frames().all(|frame| frame.duration_ns() == Some(40_000_000)));
    let keys: Vec<bool> = fragments[0].index().frames().take(16).map(|frame| frame.is_key()).collect();
    assert_eq!(keys, [&[true][..], &[false; 15]].concat());
    let without = recording_as(|mut fragment| {
        fragment.blocks = fragment.blocks.into_iter().map(|block| block.group(None)).collect();
        fragment
    });
    assert_eq!(first_frame(&read_all(mkv::documents(&without))).duration_ns(), None);
    assert!(clip(mkv::documents(&without)).0 == plain_clip());
}

/// RFC 9559 section 10.3. With a DefaultDuration each frame of a lace has its time.
#[test]
fn laced_frames() {
    let frames_of_sizes = |sizes: &[usize]| -> Vec<Vec<u8>> {
        sizes.iter().zip(0..).map(|(size, seed)| media::aac_frame(seed, *size)).collect()
    };
    for (lacing, sizes) in [
        (Lacing::Xiph, &[800, 500, 1000][..]),
        (Lacing::Xiph, &[255, 254, 510, 1, 256]),
        (Lacing::Xiph, &[9]),
        (Lacing::Ebml, &[800, 500, 1000]),
        (Lacing::Ebml, &[20, 83, 20, 147, 20_000, 3]),
        (Lacing::Ebml, &[7; 256]),
        (Lacing::Fixed, &[33, 33, 33, 33]),
        (Lacing::Fixed, &[5; 256]),
    ] {
        for default_duration in [Some(21_333_333), None] {
            let mut input = fragment(0);
            input.tracks[1].default_duration = default_duration;
            input.blocks.retain(|block| block.track == 1);
            input.blocks.push(Block::laced(2, 0, lacing, frames_of_sizes(sizes)));
            let (mp4, report) = clip(input.to_bytes());
            assert_eq!(report.tracks[1].samples, sizes.len() as u64);
            // Without a DefaultDuration the frames follow each other by their length, which is the same.
            input.tracks[1].default_duration = Some(21_333_333);
            frames::assert_same_frames(&mp4, &frames::frames_of(&[input]));
        }
    }
}

#[test]
fn laced_blocks_of_g711_and_of_block_groups() {
    let blocks = |seed: u64| (0..5).map(|i| media::g711_block(seed + i, 160)).collect::<Vec<_>>();
    let mut input = Fragment { tracks: vec![Track::avc(), Track::alaw()], ..fragment(0) };
    input.blocks = avc_blocks(0, [0, 100]);
    input.blocks.push(Block::laced(2, 0, Lacing::Fixed, blocks(0)));
    input.blocks.push(Block::laced(2, 100, Lacing::Ebml, blocks(9)).group(Some(100)));
    let (mp4, _) = clip(input.to_bytes());
    input.tracks[1].default_duration = Some(20_000_000);
    frames::assert_same_frames(&mp4, &frames::frames_of(&[input.clone()]));
    // BlockDuration is that of the whole lace.
    let fragment = &read_all(input.to_bytes())[0];
    assert!(fragment.index().frames().skip(7).all(|frame| frame.duration_ns() == Some(20_000_000)));
}

/// What mkvmerge did: the bytes that all frames begin with are in the track entry (ContentCompAlgo 3).
#[test]
fn stripped_headers_are_put_back() {
    let expected = plain_clip();
    for (video, audio) in [(&[0, 0, 0][..], &[][..]), (&[], &[0x21]), (&[0, 0], &[0x21])] {
        let input = recording_as(|mut fragment| {
            for (track, header) in fragment.tracks.iter_mut().zip([video, audio]) {
                if !header.is_empty() {
                    *track = track.clone().header_stripping(header);
                }
            }
            fragment
        });
        assert!(clip(mkv::documents(&input)).0 == expected);
    }
    let mut laced = fragment(0);
    laced.tracks[1] = Track::aac().header_stripping([0x21]).default_duration(21_333_333);
    laced.blocks.retain(|block| block.track == 1);
    laced.blocks.push(Block::laced(
        2,
        0,
        Lacing::Xiph,
        vec![media::aac_frame(1, 9), media::aac_frame(2, 700)],
    ));
    let (mp4, _) = clip(laced.to_bytes());
    frames::assert_same_frames(&mp4, &frames::frames_of(&[laced]));
}

/// A block of G.711 is as many samples as it has bytes, with those that are put back.
#[test]
fn stripped_headers_of_g711_are_put_back() {
    let sound = |track: Track| {
        let mut input = fragment(0);
        input.tracks[1] = track;
        input.blocks.retain(|block| block.track == 1);
        let frame = |seed: u8| [&[0xD5, 0x55][..], &[seed; 158]].concat();
        input.blocks.extend((0..10).map(|i| Block::new(2, i * 20, true, frame(i as u8))));
        input
    };
    let stripped = sound(Track::alaw().header_stripping([0xD5, 0x55]));
    let (mp4, report) = clip(stripped.to_bytes());
    assert_eq!((report.tracks[1].samples, report.tracks[1].bytes), (1600, 1600));
    frames::assert_same_frames(&mp4, &frames::frames_of(&[stripped]));
    assert!(mp4 == clip(sound(Track::alaw()).to_bytes()).0);
}

/// Start codes are looked for while blocks are read, whatever the blocks are like and the tracks between them.
#[test]
fn annex_b_in_every_form_of_block() {
    let expected = plain_clip();
    let annexb = |mut fragment: Fragment| {
        for block in fragment.blocks.iter_mut().filter(|block| block.track == 1) {
            block.frames = block.frames.iter().map(|frame| media::annexb(&media::nals(frame))).collect();
        }
        fragment
    };
    let stripped = |track: usize, header: &'static [u8]| {
        move |mut fragment: Fragment| {
            fragment.tracks[track] = fragment.tracks[track].clone().header_stripping(header);
            fragment
        }
    };
    let laced = |mut fragment: Fragment| {
        for block in &mut fragment.blocks {
            block.lacing = Lacing::Xiph;
        }
        fragment
    };
    let groups = |mut fragment: Fragment| {
        fragment.blocks = fragment.blocks.into_iter().map(|block| block.group(None)).collect();
        fragment
    };
    let plain = |fragment| fragment;
    let forms: [&dyn Fn(Fragment) -> Fragment; 6] = [
        &plain,
        &laced,
        &groups,
        &stripped(0, &[0, 0, 0, 1]),
        &stripped(0, &[0, 0]),
        // What is put back moves the frames of the other track.
        &stripped(1, &[0x21]),
    ];
    for (index, form) in forms.iter().enumerate() {
        let (mp4, _) = clip(mkv::documents(&recording_as(|fragment| form(annexb(fragment)))));
        assert!(mp4 == expected, "form {index}");
    }
}

/// RFC 9559 section 5.1.3.1 makes it mandatory. A fragment whose producer timestamp is in its tags can do without.
#[test]
fn a_cluster_without_a_timestamp() {
    let read = |input: &Fragment| {
        let mut bytes = input.to_bytes();
        let timestamp = ebml::uint(id::TIMESTAMP, input.cluster_timestamp);
        let at = bytes.windows(timestamp.len()).position(|window| window == timestamp).unwrap();
        bytes[at] = 0xEC; // Void
        bytes
    };
    let tagged = fragment(0);
    let (mp4, _) = clip(read(&tagged));
    frames::assert_same_frames(&mp4, &frames::frames_of(&[tagged]));

    let untagged = Fragment::new(vec![Track::avc()], avc_blocks(1, [0, 40])).cluster_timestamp(1_234_567);
    let error = refusal(read(&untagged));
    assert!(matches!(error.kind(), ErrorKind::Malformed { .. }), "{error}");
    assert!(error.to_string().contains("a Timestamp in the Cluster"), "{error}");
    let empty = Fragment { blocks: Vec::new(), ..untagged };
    assert_eq!(read_all(read(&empty))[0].index().frames().count(), 0);
}

/// A restored frame is a copy, so that a long header would multiply the input.
#[test]
fn a_stripped_header_has_16_bytes_at_most() {
    let with_header = |len: usize| {
        let mut input = fragment(0);
        let header = vec![0x21; len];
        for block in input.blocks.iter_mut().filter(|block| block.track == 2) {
            for frame in &mut block.frames {
                frame.splice(..0, header.iter().copied());
            }
        }
        input.tracks[1] = Track::aac().header_stripping(header);
        input
    };
    let input = with_header(16);
    frames::assert_same_frames(&clip(input.to_bytes()).0, &frames::frames_of(&[input]));
    let error = refusal(with_header(17).to_bytes());
    assert!(matches!(error.kind(), ErrorKind::UnsupportedMediaType { .. }), "{error}");
    assert!(error.to_string().contains("17 bytes"), "{error}");
}

/// The service takes 100 ns to 1 s a tick; the default is 1 ms.
#[test]
fn timestamp_scales() {
    for (scale, ticks) in [
        (Some(100), 400_i64),
        (Some(10_000), 4000),
        (Some(100_000), 400),
        (Some(333_333), 120),
        (Some(1_000_000), 40),
        (None, 40),
        (Some(10_000_000), 4),
        (Some(1_000_000_000), 1),
    ] {
        let times = (0..20.min(i64::from(i16::MAX) / ticks)).map(|i| (i * ticks) as i16);
        let mut input = Fragment::new(vec![Track::avc()], avc_blocks(1, times)).cluster_timestamp(5);
        input.timestamp_scale = scale;
        let fragment = &read_all(input.to_bytes())[0];
        let nanoseconds = scale.unwrap_or(1_000_000);
        assert_eq!(fragment.index().timestamp_scale_ns(), nanoseconds);
        assert_eq!(fragment.index().cluster_timestamp_ns(), Some(5 * nanoseconds as i64));
        let second = fragment.index().frames().nth(1).unwrap();
        assert_eq!(second.time_ns(), ticks * nanoseconds as i64);
        let (mp4, _) = clip(input.to_bytes());
        let tolerance = Tolerance { video_ns: nanoseconds.min(1_000_000) as i128 / 2 + 12_000, audio_ns: 0 };
        frames::assert_same_frames_within(&mp4, &frames::frames_of(&[input]), tolerance);
    }
    for scale in [0, 1_000_000_001] {
        let error = refusal_with(&strict(), fragment(0).timestamp_scale(scale).to_bytes());
        assert!(matches!(error.kind(), ErrorKind::Malformed { .. }), "{error}");
    }
}

/// Blocks can stand before their Cluster's timestamp.
#[test]
fn negative_block_times() {
    let mut input = recording();
    input[0].blocks.insert(0, Block::new(2, -22, true, media::aac_frame(99, 30)));
    let (mp4, _) = clip(mkv::documents(&input));
    let tolerance = Tolerance { video_ns: 500_000, audio_ns: 1_000_000 };
    frames::assert_same_frames_within(&mp4, &frames::frames_of(&input), tolerance);
    assert_eq!(first_frame(&read_all(input[0].to_bytes())).time_ns(), -22_000_000);
}

#[test]
fn timestamps_of_zero_are_timestamps() {
    let input = fragment(0).producer("0.000").server("0.000");
    let fragment = &read_all(input.to_bytes())[0];
    assert_eq!(fragment.producer_timestamp(), Some(Timestamp::from_millis(0)));
    assert_eq!(fragment.server_timestamp(), Some(Timestamp::from_millis(0)));
    let (mp4, report) = clip(input.to_bytes());
    frames::assert_same_frames(&mp4, &frames::frames_of(&[input]));
    assert_eq!(report.fragments[0].producer_timestamp, Timestamp::from_millis(0));
}

/// Decimal seconds are integers of milliseconds: as a float, this one is ...125.
#[test]
fn timestamps_are_read_to_the_millisecond() {
    for (text, millis) in [
        ("1511852109.126", 1_511_852_109_126),
        ("1511852109.999", 1_511_852_109_999),
        ("9007199254740.993", 9_007_199_254_740_993),
        ("1511852109.1", 1_511_852_109_100),
        ("1511852109", 1_511_852_109_000),
    ] {
        let fragment = &read_all(fragment(0).producer(text).to_bytes())[0];
        assert_eq!(fragment.producer_timestamp(), Some(Timestamp::from_millis(millis)), "{text}");
    }
}

#[test]
fn fragments_in_front_of_an_error_of_the_service_are_yielded() {
    let bytes = mkv::documents(&[
        fragment(0),
        fragment(1),
        mkv::service_error("4506", "Archived fragment not found"),
    ]);
    let items = read_all(bytes);
    let [first, second, error] = &items[..] else { panic!("{} items", items.len()) };
    assert_eq!([first.name(), second.name()], [0, 1].map(fragment_name));
    assert!(first.damages().is_empty() && second.damages().is_empty());
    let [damage] = error.damages() else { panic!("{:?}", error.damages()) };
    let fault = DamageFault::Service { code: "4506".into(), message: "Archived fragment not found".into() };
    assert_eq!(damage.fault, fault);
}

#[test]
fn track_entries_are_read_whole() {
    let mut input = fragment(0);
    input.tracks = vec![
        Track::aac().default_duration(21_333_333).name("microphone"),
        Track::avc().default_duration(64_000_000).pixels(1920, 1080),
        Track::alaw().number(300).codec_id("S_TEXT/UTF8"),
    ];
    let fragment = &read_all(input.to_bytes())[0];
    let [audio, video, third] = fragment.tracks() else { panic!("{:?}", fragment.tracks()) };
    assert_eq!(
        (video.number, video.track_type, video.codec_id.as_str()),
        (1, TrackType::Video, "V_MPEG4/ISO/AVC")
    );
    assert_eq!(video.video.map(|video| (video.pixel_width, video.pixel_height)), Some((1920, 1080)));
    assert_eq!(video.default_duration_ns, Some(64_000_000));
    assert_eq!(video.codec_private.as_deref(), Some(&media::avcc(media::AVC_SPS, media::AVC_PPS)[..]));
    assert_eq!((audio.number, audio.track_type), (2, TrackType::Audio));
    assert_eq!(audio.audio.map(|audio| (audio.sampling_frequency, audio.channels)), Some((48_000.0, 2)));
    assert_eq!(third.number, 300);
    // The order of the entries means nothing.
    assert_eq!(fragment.index().frames().next().unwrap().track().number, 1);
    let (mp4, _) = clip(input.to_bytes());
    frames::assert_same_frames(&mp4, &frames::frames_of(&[input]));
}

/// Sound and picture in one Cluster, in whatever order the producer wrote them.
#[test]
fn the_order_of_the_tracks_in_a_cluster_does_not_matter() {
    let expected = plain_clip();
    let interleaved = recording_as(|mut fragment| {
        fragment.blocks.sort_by_key(|block| block.time);
        fragment
    });
    let audio_first = recording_as(|mut fragment| {
        fragment.blocks.sort_by_key(|block| std::cmp::Reverse(block.track));
        fragment
    });
    assert!(clip(mkv::documents(&interleaved)).0 == expected);
    assert!(clip(mkv::documents(&audio_first)).0 == expected);
}

/// kvssink does not flag its audio, other producers do.
#[test]
fn the_key_flag_of_audio_means_nothing() {
    let unflagged = recording_as(|mut fragment| {
        fragment.blocks.iter_mut().filter(|block| block.track == 2).for_each(|block| block.key = false);
        fragment
    });
    assert!(clip(mkv::documents(&unflagged)).0 == plain_clip());
}

#[test]
fn a_server_timestamp_selection_reads_every_form_alike() {
    let clock = ClipFragmentSelectorType::ServerTimestamp;
    let builder = getclip::ClipBuilder::new(getclip::ClipFragmentSelector::all(clock));
    let expected = plain_clip();
    for bytes in [mkv::documents(&recording()), mkv::merged(&recording())] {
        assert!(clip_with(&builder, bytes.clone()).0 == expected);
        assert!(clip_with(&everything(), bytes).0 == expected);
    }
}

#[test]
fn a_fragment_says_how_large_it_is() {
    let input = fragment(0);
    let bytes = input.to_bytes();
    let mut reader = FragmentReader::new();
    reader.push(bytes.clone().into());
    reader.finish();
    let read = reader.next_fragment().unwrap().unwrap();
    assert_eq!(read.index().media_len(), input.cluster().len() as u64);
    assert_eq!(*read.media(), input.cluster());
    assert!(read.index().frames().all(|frame| !frame.is_empty()));
    assert!(reader.next_fragment().is_none());
    assert_eq!(reader.bytes_consumed(), bytes.len() as u64);
    let cut = Fragment { without_cluster: true, ..input.clone() };
    assert!(read_all(cut.to_bytes())[0].media().is_empty());
}

/// A DefaultDuration of 0 is none (RFC 9559 section 5.1.4.1.13), a float of no bytes is 0 (RFC 8794 section 7.3).
#[test]
fn values_of_zero() {
    let mut input = fragment(0);
    input.tracks[0].default_duration = Some(0);
    input.tracks[1].sampling_frequency = None;
    input.tracks[1].channels = None;
    input.tracks[1].extra = ebml::master(id::AUDIO, &[ebml::element(id::SAMPLING_FREQUENCY, &[])]);
    let read = &read_all(input.to_bytes())[0];
    assert_eq!(read.tracks()[0].default_duration_ns, None);
    assert_eq!(
        read.tracks()[1].audio.map(|audio| (audio.sampling_frequency, audio.channels)),
        Some((0.0, 1))
    );
}

/// IDs of old muxers that spell the profile out.
#[test]
fn deprecated_codec_ids_of_aac() {
    let input = recording_as(|mut fragment| {
        fragment.tracks[1].codec_id = "A_AAC/MPEG4/LC".into();
        fragment
    });
    assert!(clip(mkv::documents(&input)).0 == plain_clip());
}
