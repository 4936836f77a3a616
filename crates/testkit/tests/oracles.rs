//! The oracles themselves, against examples of the specifications and ffprobe's view of a movie of ffmpeg's.

use std::fs;
use std::panic;

use testkit::access_units::Framing;
use testkit::ebml::{self, Size, id};
use testkit::frames::{self, Frame, Tolerance};
use testkit::manifest::{self, Manifest};
use testkit::media;
use testkit::mkv::{Block, Fragment, Lacing, Track};
use testkit::mp4::Movie;
use testkit::nal::{self, Codec, Kind};
use testkit::parameter_sets::{Decoder, record_nals};
use testkit::recording::Recording;
use testkit::sha256;

/// FIPS 180-2 appendix B, and the check value that catalogues give for this CRC.
#[test]
fn digests() {
    assert_eq!(sha256::hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(
        sha256::hex(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    );
    assert_eq!(ebml::crc32(b"123456789"), 0xCBF4_3926);
}

/// RFC 8794 section 4.4 (the value 2 in each width) and 6.2.
#[test]
fn variable_size_integers() {
    assert_eq!(ebml::vint(2, 1), [0x82]);
    assert_eq!(ebml::vint(2, 2), [0x40, 0x02]);
    assert_eq!(ebml::vint(2, 4), [0x10, 0x00, 0x00, 0x02]);
    assert_eq!(ebml::shortest_vint(126), [0xFE]);
    assert_eq!(ebml::shortest_vint(127), [0x40, 0x7F], "0xFF would be unknown");
    assert_eq!(ebml::unknown_size(1), [0xFF]);
    assert_eq!(ebml::unknown_size(8), [0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
    assert_eq!(
        ebml::sized_element(id::TRACKS, Size::Width(2), b"x"),
        [0x16, 0x54, 0xAE, 0x6B, 0x40, 0x01, b'x']
    );
}

/// RFC 9559 sections 10.3.2 and 10.3.3: frames of 800, 500 and 1000 bytes.
#[test]
fn lace_sizes() {
    let frames = vec![vec![1; 800], vec![2; 500], vec![3; 1000]];
    let lace = |lacing| {
        let element = Block::laced(1, 0, lacing, frames.clone()).size(Size::Width(2)).to_bytes(&[]);
        element[3 + 4..].to_vec()
    };
    assert_eq!(lace(Lacing::Xiph)[..8], [2, 255, 255, 255, 35, 255, 245, 1]);
    assert_eq!(lace(Lacing::Ebml)[..6], [2, 0x43, 0x20, 0x5E, 0xD3, 1]);
}

#[test]
fn times_of_frames() {
    let block = |time, key| Block::new(1, time, key, media::avc_frame(1, 100, key));
    let track = Track::avc().default_duration(40_000_000);
    let fragments = [
        Fragment::stored(0, 1_511_852_109_126, vec![track.clone()], vec![block(5, true), block(45, false)]),
        Fragment::stored(1, 1_511_852_110_126, vec![track], vec![block(5, true)]).timestamp_scale(100_000),
    ];
    let times: Vec<i128> = frames::frames_of(&fragments).iter().map(|frame| frame.time_ns).collect();
    assert_eq!(times, [0, 40_000_000, 995_500_000]);
}

#[test]
fn frames_are_of_the_size_asked_for() {
    for length in [7, 63, 64, 65, 100_000] {
        for frame in [media::avc_frame(1, length, true), media::hevc_frame(1, length, false)] {
            assert_eq!(frame.len(), length);
            assert_eq!(media::nals(&frame).len(), if length < 64 { 1 } else { 2 });
        }
    }
    assert_ne!(media::avc_frame(1, 100, true), media::avc_frame(2, 100, true));
}

/// One line of `reference.packets.tsv`.
struct Packet {
    stream: usize,
    time_ns: i128,
    position: usize,
    size: usize,
    key: bool,
}

fn reference() -> (Vec<u8>, Vec<Packet>) {
    let text = fs::read_to_string(manifest::path("reference.packets.tsv")).unwrap();
    let packet = |line: &str| {
        let columns: Vec<&str> = line.split('\t').collect();
        Packet {
            stream: columns[0].parse().unwrap(),
            // Six decimals.
            time_ns: columns[1].replace('.', "").parse::<i128>().unwrap() * 1000,
            position: columns[2].parse().unwrap(),
            size: columns[3].parse().unwrap(),
            key: columns[4] == "1",
        }
    };
    let packets = text.lines().filter(|line| !line.starts_with('#')).map(packet).collect();
    (fs::read(manifest::path("reference.mp4")).unwrap(), packets)
}

#[test]
fn the_reader_sees_what_ffprobe_sees() {
    let (file, packets) = reference();
    let movie = Movie::parse(&file);
    assert_eq!(movie.tracks.len(), 2);
    for (stream, track) in movie.tracks.iter().enumerate() {
        let packets: Vec<&Packet> = packets.iter().filter(|packet| packet.stream == stream).collect();
        assert_eq!(track.samples.len(), packets.len());
        for (sample, packet) in track.samples.iter().zip(packets) {
            assert_eq!((sample.offset, sample.bytes.len()), (packet.position, packet.size));
            assert_eq!(sample.sync, packet.key);
            match track.time_of(sample) {
                Some(time_ns) => assert!((time_ns - packet.time_ns).abs() <= 1000),
                None => assert!(packet.time_ns < 0, "the edit list cuts only what stands before 0"),
            }
        }
    }
    assert!(movie.video().samples.iter().any(|sample| sample.cts_offset > 0), "the file has B-frames");
}

/// ffmpeg says of AAC that each frame needs the one before it: `roll` of distance -1 (ISO/IEC 14496-12 section 10.1).
#[test]
fn sample_groups_of_the_reference() {
    let (file, _) = reference();
    let movie = Movie::parse(&file);
    let audio = movie.audio();
    for sample in 0..audio.samples.len() {
        assert_eq!(audio.group_of("roll", sample), Some(&(-1_i16).to_be_bytes()[..]));
        assert_eq!(audio.group_of("rap ", sample), None);
    }
    assert!(movie.video().groups.is_empty());
    assert_eq!(movie.video().entries[0].pixel_aspect(), Some((1, 1)));
    assert_eq!(movie.video().matrix, [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000]);
}

#[test]
fn nal_units() {
    assert_eq!(
        nal::annexb(&[0, 0, 0, 1, 0x67, 7, 0, 0, 1, 0x65, 0, 0, 3, 0]),
        [&[0x67, 7][..], &[0x65, 0, 0, 3]]
    );
    assert_eq!(nal::length_prefixed(&[0, 0, 0, 1, 0x65]), Some(vec![&[0x65][..]]));
    assert_eq!(nal::length_prefixed(&[0, 0, 0, 2, 0x65]), None);
    assert_eq!(nal::rbsp(&[1, 0, 0, 3, 1, 0, 0, 3, 0, 0, 3]), [1, 0, 0, 1, 0, 0, 0, 0]);
    assert_eq!(nal::BitReader::new(&[0b0010_1100]).ue(), 4, "00101 of ISO/IEC 14496-10 table 9-2");
    // A recovery point SEI of 2 frames (011) after another message.
    let sei = [6, 5, 1, 0xAA, 6, 1, 0b0111_0000, 0x80];
    assert_eq!(Codec::Avc.recovery_frames(&[&sei[..]]), Some(2));
    assert_eq!(Codec::Avc.kind(&[0x65, 0x88]), Kind::Slice { is_first: true });
    assert_eq!(Codec::Hevc.kind(&[0x40, 0x01]), Kind::ParameterSet);
    assert_eq!(Codec::Hevc.kind(&[0x02, 0x09]), Kind::After, "a slice of layer 1");
}

/// Two fragments of a second, 30 pictures each, whose first is an IDR picture.
#[test]
fn access_units_of_nal_units_in_blocks() {
    let recording = Recording::case("h04_nal_per_block");
    let units = recording.access_units(Framing::Lengths);
    let blocks = recording.stored_frames().count();
    assert_eq!((units.len(), units.iter().filter(|unit| unit.is_sync()).count()), (60, 2));
    let nals: usize = units.iter().map(|unit| unit.nals.len()).sum();
    assert_eq!(nals, blocks, "no NAL unit is lost");
}

/// Fragment 2 brings another PPS of the same id in its frames.
#[test]
fn parameter_sets_in_force() {
    let recording = Recording::case("k01_pps_comes_and_goes");
    let record = recording.fragments[0].tracks[0].codec_private.clone().unwrap();
    let mut decoder = Decoder::new(Codec::Avc, &record);
    let of_units: Vec<_> = recording
        .access_units(Framing::Lengths)
        .iter()
        .map(|unit| (unit.fragment, decoder.sample(&unit.nals()).unwrap()))
        .collect();
    let sets = record_nals(Codec::Avc, &record);
    for (fragment, in_force) in &of_units {
        assert_eq!(in_force.sps, sets[0]);
        assert_eq!(in_force.pps == sets[1], *fragment == 0, "no one gives the first PPS again");
    }
}

/// The second of four documents ends in its first block.
#[test]
fn a_cut_document_keeps_its_whole_frames() {
    let recording = Recording::case("k02b_cut_in_first_block");
    let frames: Vec<usize> = recording.fragments.iter().map(|fragment| fragment.frames.len()).collect();
    assert_eq!(frames, [60, 0, 60, 60]);
}

/// The frames of the reference's video, as the comparison wants them.
fn reference_video() -> (Vec<u8>, Vec<Frame>) {
    let (file, packets) = reference();
    let frames = packets
        .iter()
        .map(|packet| Frame {
            track: packet.stream as u64,
            time_ns: packet.time_ns,
            key: (packet.stream == 0).then_some(packet.key),
            bytes: file[packet.position..packet.position + packet.size].to_vec(),
        })
        // The first audio frame is cut by the edit list.
        .filter(|frame| frame.time_ns >= 0)
        .collect();
    (file, frames)
}

fn refuses(file: &[u8], frames: &[Frame], message: &str) {
    let outcome = panic::catch_unwind(|| {
        frames::assert_same_frames_within(file, frames, Tolerance::ANY_AUDIO_TIME);
    });
    let payload = outcome.expect_err("a refusal");
    let text = payload.downcast_ref::<String>().expect("a formatted message");
    assert!(text.contains(message), "{text:?} instead of {message:?}");
}

#[test]
fn the_comparison_names_the_first_difference() {
    let (file, frames) = reference_video();
    let video = || frames.iter().filter(|frame| frame.track == 0);
    let index =
        |n: usize| frames.iter().position(|frame| std::ptr::eq(frame, video().nth(n).unwrap())).unwrap();

    let mut other_byte = frames.clone();
    other_byte[index(7)].bytes[20] ^= 1;
    refuses(&file, &other_byte, "track 0, frame 7: expected");
    let mut other_time = frames.clone();
    other_time[index(9)].time_ns += 501_000;
    refuses(&file, &other_time, "track 0, frame 9: presented at");
    let mut other_key = frames.clone();
    other_key[index(3)].key = Some(true);
    refuses(&file, &other_key, "track 0, frame 3: sync sample is false");
    let mut one_less = frames.clone();
    one_less.remove(index(video().count() - 1));
    refuses(&file, &one_less, "track 0: frames in the movie, and in the input");
}

#[test]
fn the_reader_refuses_contradictions() {
    let (file, _) = reference();
    let parse_with = |fourcc: &[u8; 4], field: usize, value: u32| {
        let mut changed = file.clone();
        let at = changed.windows(4).position(|window| window == fourcc).unwrap() + field;
        changed[at..at + 4].copy_from_slice(&value.to_be_bytes());
        panic::catch_unwind(move || drop(Movie::parse(&changed))).is_err()
    };
    assert!(!parse_with(b"mvhd", 8, 1), "the creation time is free");
    assert!(parse_with(b"mvhd", 20, 7), "duration of the movie");
    assert!(parse_with(b"mdhd", 20, 7), "duration of the media");
    assert!(parse_with(b"stts", 12, 1), "samples in stts");
    assert!(parse_with(b"stco", 12, 1), "offset of a chunk");
    assert!(parse_with(b"stsc", 20, 2), "description index");
    assert!(parse_with(b"stss", 12, 0), "a sync sample 0");
}

#[test]
fn every_manifest_reads_and_fits_its_file() {
    let names = manifest::names();
    assert!(names.len() >= 24, "{names:?}");
    for name in names {
        let manifest = Manifest::load(&name);
        let frames: usize = manifest.lines.iter().map(|line| line.size).sum();
        let file = manifest::mkv(&name).len();
        // Parameter sets and framing are what the file has more.
        assert!(frames < file && file < frames * 2, "{name}: {frames} bytes of frames in {file}");
        assert!(manifest.lines.is_sorted_by_key(|line| line.fragment), "{name}");
        assert!(manifest.track(1).next().is_some_and(|line| line.key == Some(true)), "{name}");
    }
}
