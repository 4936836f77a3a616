//! What GetClip refuses, with its exceptions: name, HTTP status, message, and where in the input the fault is.

use crate::clips::{build_with, clip, everything, fragment_name, lines, refusal, refusal_with, strict};
use bytes::Bytes;
use getclip::{
    ClipFragmentSelector, ClipTimestampRange, Error, ErrorKind, Event, Location, Profile, Timestamp,
};
use testkit::ebml;
use testkit::media;
use testkit::mkv::{
    self, Block, Fragment, Track, TrackKind, aac_blocks, avc_blocks, fragment_number, g711_blocks,
};

const START: u64 = 1_700_000_000_000;

/// The `index`-th fragment of a stream, one second long.
fn fragment(index: u64, tracks: Vec<Track>) -> Fragment {
    let mut blocks = match tracks[0].codec_id.as_str() {
        "V_MPEGH/ISO/HEVC" => vec![Block::new(1, 0, true, media::hevc_frame(index, 80, true))],
        _ => avc_blocks(index, [0, 500]),
    };
    match tracks.get(1).map(|track| track.codec_id.as_str()) {
        Some("A_MS/ACM") => blocks.extend(g711_blocks(index, 160, [0, 20])),
        Some(_) => blocks.extend(aac_blocks(index, [0, 21])),
        None => {}
    }
    Fragment::stored(index, START + index * 1000, tracks, blocks)
}

/// The error has this exception of GetClip and this place.
#[track_caller]
fn assert_refused(error: &Error, exception: &str, index: u64, track: Option<u64>) {
    assert_eq!(error.exception().name(), format!("{exception}Exception"), "{error}");
    assert_eq!(error.exception().http_status(), 400, "{error}");
    let Location { fragment, track: found, .. } = error.location();
    assert_eq!((fragment.as_ref(), *found), (Some(&fragment_name(index)), track), "{error}");
    assert!(error.location().offset.is_some(), "{error}");
    assert!(error.to_string().contains(&fragment_number(index)), "{error}");
}

/// Where these bytes stand in the input.
fn offset_of(input: &[u8], bytes: &[u8]) -> Option<u64> {
    let mut found = input.windows(bytes.len()).enumerate().filter(|(_, window)| *window == bytes);
    let (offset, _) = found.next()?;
    assert!(found.next().is_none(), "it stands in the input twice");
    Some(offset as u64)
}

#[test]
fn video_that_is_not_h264_or_h265() {
    for codec_id in ["V_VP8", "V_VP9", "V_AV1", "V_MS/VFW/FOURCC", ""] {
        let track = Track::avc().codec_id(codec_id);
        let mut second = fragment(1, vec![track]);
        second.doc_type = "webm".into();
        let error = refusal(second.to_bytes());
        assert_refused(&error, "UnsupportedStreamMediaType", 1, Some(1));
        assert!(matches!(error.kind(), ErrorKind::UnsupportedMediaType { .. }));
        assert!(
            error.aws_message().contains(if codec_id.is_empty() { "no codec ID" } else { codec_id }),
            "{error}"
        );
    }
}

/// "V_MPEG/ISO/AVC" is what the service's documentation says.
#[test]
fn both_spellings_of_the_codec_id_of_h264_are_taken() {
    for codec_id in ["V_MPEG4/ISO/AVC", "V_MPEG/ISO/AVC"] {
        clip(fragment(0, vec![Track::avc().codec_id(codec_id)]).to_bytes());
    }
}

#[test]
fn audio_that_is_not_aac_or_g711() {
    for codec_id in ["A_OPUS", "A_VORBIS", "A_PCM/INT/LIT", "A_MPEG/L3", "A_AC3"] {
        let error = refusal(fragment(0, vec![Track::avc(), Track::aac().codec_id(codec_id)]).to_bytes());
        assert_refused(&error, "UnsupportedStreamMediaType", 0, Some(2));
        assert!(error.aws_message().contains(codec_id), "{error}");
    }
    // WAVE_FORMAT_PCM and WAVE_FORMAT_IMA_ADPCM of mmreg.h.
    for (tag, name) in [(1, "0x0001"), (0x11, "0x0011")] {
        let track = Track::alaw().codec_private(media::wave_format(tag, 8000, 1));
        let error = refusal(fragment(0, vec![Track::avc(), track]).to_bytes());
        assert_refused(&error, "UnsupportedStreamMediaType", 0, Some(2));
        assert!(error.aws_message().contains(name), "{error}");
    }
}

#[test]
fn tracks_that_are_not_what_their_numbers_say() {
    let audio_alone = Fragment::stored(0, START, vec![Track::aac()], aac_blocks(0, [0]));
    let error = refusal(audio_alone.to_bytes());
    assert_refused(&error, "UnsupportedStreamMediaType", 0, Some(1));
    assert!(error.aws_message().contains("video track"), "{error}");

    let mut sound = Track::avc();
    sound.kind = TrackKind::Audio;
    assert_refused(&refusal(fragment(0, vec![sound]).to_bytes()), "UnsupportedStreamMediaType", 0, Some(1));
    let mut subtitles = Track::aac();
    subtitles.kind = TrackKind::Other(17);
    let error = refusal(fragment(0, vec![Track::avc(), subtitles]).to_bytes());
    assert_refused(&error, "UnsupportedStreamMediaType", 0, Some(2));
}

/// Blocks that were compressed or encrypted after they were encoded (RFC 9559 section 5.1.4.1.31).
#[test]
fn content_encodings() {
    use mkv::ContentEncoding;
    for (encoding, name) in [
        (ContentEncoding::Compression(0), "algorithm 0"),
        (ContentEncoding::Compression(2), "algorithm 2"),
        (ContentEncoding::Encryption, "type 1"),
    ] {
        let error = refusal(fragment(0, vec![Track::avc().encoding(encoding)]).to_bytes());
        assert_refused(&error, "UnsupportedStreamMediaType", 0, Some(1));
        assert!(error.aws_message().contains(name), "{error}");
    }
}

/// The service's table: H.264 with AAC, A-law or nothing; H.265 with AAC or nothing.
#[test]
fn the_profile_of_the_service_is_its_table() {
    let service = everything().profile(Profile::Service);
    let (avc, hevc, aac, alaw, mulaw) = (Track::avc, Track::hevc, Track::aac, Track::alaw, Track::mulaw);
    for (tracks, in_table) in [
        (vec![avc()], true),
        (vec![avc(), aac()], true),
        (vec![avc(), alaw()], true),
        (vec![hevc()], true),
        (vec![hevc(), aac()], true),
        (vec![avc(), mulaw()], false),
        (vec![hevc(), alaw()], false),
        (vec![hevc(), mulaw()], false),
    ] {
        let input = fragment(0, tracks).to_bytes();
        clip(input.clone());
        match build_with(&service, input) {
            Ok(_) => assert!(in_table),
            Err(error) => {
                assert!(!in_table, "{error}");
                assert_refused(&error, "UnsupportedStreamMediaType", 0, Some(2));
            }
        }
    }
}

#[test]
fn the_service_takes_aac_codec_private_data_of_2_or_5_bytes() {
    let service = everything().profile(Profile::Service);
    let with_length = |length: usize| {
        let mut private = media::AAC_LC_48000_STEREO.to_vec();
        private.resize(length, 0);
        fragment(3, vec![Track::avc(), Track::aac().codec_private(private)]).to_bytes()
    };
    for length in [2, 5] {
        build_with(&service, with_length(length)).unwrap();
    }
    for length in [1, 3, 4, 6, 18] {
        let error = refusal_with(&service, with_length(length));
        assert_refused(&error, "InvalidCodecPrivateData", 3, Some(2));
        assert_eq!(error.aws_message(), format!("AAC CPD must be of length 2 or 5, but was {length}."));
        assert_eq!(*error.kind(), ErrorKind::AacCodecPrivateLength { found: length });
    }
    build_with(&everything(), with_length(18)).unwrap();
    assert_refused(&refusal(with_length(1)), "InvalidCodecPrivateData", 3, Some(2));
}

#[test]
fn missing_codec_private_data() {
    let good = fragment(0, vec![Track::avc(), Track::aac()]);
    for (tracks, number) in [
        (vec![Track::avc().without_codec_private(), Track::aac()], 1),
        (vec![Track::avc().codec_private([]), Track::aac()], 1),
        (vec![Track::avc(), Track::aac().without_codec_private()], 2),
    ] {
        // In the first fragment, and in the second.
        for (index, input) in [vec![fragment(0, tracks.clone())], vec![good.clone(), fragment(1, tracks)]]
            .into_iter()
            .enumerate()
        {
            let error = refusal(mkv::documents(&input));
            assert_eq!(*error.kind(), ErrorKind::MissingCodecPrivateData);
            assert_refused(&error, "MissingCodecPrivateData", index as u64, Some(number));
            assert_eq!(
                error.aws_message(),
                format!("Missing codec private data in fragment for track {number}")
            );
        }
    }
}

#[test]
fn invalid_codec_private_data() {
    let avcc = media::avcc(media::AVC_SPS, media::AVC_PPS);
    let hvcc = media::hvcc(true);
    let mut three_byte_lengths = avcc.clone();
    three_byte_lengths[4] = 0xFE;
    let mut version_2 = avcc.clone();
    version_2[0] = 2;
    // AVCDecoderConfigurationRecord without a parameter set.
    let no_sets = [1, 0x64, 0, 0x0D, 0xFF, 0xE0, 0];
    for private in [&[9, 9, 9][..], &avcc[..20], &three_byte_lengths, &version_2, &no_sets] {
        let error = refusal(fragment(0, vec![Track::avc().codec_private(private)]).to_bytes());
        assert!(matches!(error.kind(), ErrorKind::InvalidCodecPrivateData { .. }), "{error}");
        assert_eq!(error.exception().name(), "InvalidCodecPrivateDataException");
        assert_eq!((error.exception().http_status(), error.location().track), (400, Some(1)));
    }
    for private in [&hvcc[..22], &hvcc[..40], &[7; 30]] {
        let error = refusal(fragment(0, vec![Track::hevc().codec_private(private)]).to_bytes());
        assert_refused(&error, "InvalidCodecPrivateData", 0, Some(1));
    }
    // Sampling frequency index 13 is reserved (ISO/IEC 14496-3 table 1.18).
    let audio = [
        Track::aac().codec_private([0x16, 0x90]),
        Track::alaw().codec_private(&media::wave_format(6, 8000, 1)[..15]),
        Track::alaw().codec_private(media::wave_format(6, 0, 1)),
        Track::alaw().codec_private(media::wave_format(6, 8000, 0)),
    ];
    for track in audio {
        let error = refusal(fragment(0, vec![Track::avc(), track]).to_bytes());
        assert_refused(&error, "InvalidCodecPrivateData", 0, Some(2));
    }
}

#[test]
fn codec_private_data_without_a_parameter_set_names_its_fragment() {
    let private = [1, 0x64, 0, 0x0D, 0xFF, 0xE0, 0];
    let error = refusal(fragment(0, vec![Track::avc().codec_private(private)]).to_bytes());
    assert_refused(&error, "InvalidCodecPrivateData", 0, Some(1));
}

#[test]
fn frames_that_their_codec_cannot_be() {
    let stereo = Track::alaw().codec_private(media::wave_format(6, 8000, 2));
    for (tracks, track, frame, reason) in [
        (vec![Track::avc()], 1, vec![0, 0, 0, 9, 0x41, 1, 2, 3, 4, 5], "NAL length of 9"),
        (vec![Track::avc()], 1, vec![0, 0, 0, 2, 0x41, 0xA1, 0, 1], "NAL length"),
        (vec![Track::avc()], 1, vec![0x41, 0xA2, 0xA3, 0xA4, 0xA5], "NAL"),
        (vec![Track::avc()], 1, vec![0, 0, 0, 0, 0, 0, 0, 0], "NAL unit"),
        (vec![Track::avc()], 1, vec![], "at least one byte"),
        (vec![Track::avc(), Track::aac()], 2, vec![], "at least one byte"),
        (vec![Track::avc(), stereo], 2, vec![0xD5, 0xD6, 0xD7], "PCM frames of 2 bytes"),
    ] {
        let mut second = fragment(1, tracks.clone());
        second.blocks.push(Block::new(track, 321, false, frame.clone()).before(ebml::void(33)));
        let input = mkv::documents(&[fragment(0, tracks), second]);
        let error = refusal_with(&strict(), input.clone());
        let ErrorKind::InvalidMediaFrame { time_ms: 321, fault, .. } = error.kind() else {
            panic!("{error}")
        };
        assert!(fault.to_string().contains(reason), "{error}");
        assert_refused(&error, "InvalidMediaFrame", 1, Some(track));
        if !frame.is_empty() && frame[0] != 0 {
            assert_eq!(error.location().offset, offset_of(&input, &frame), "{error}");
        }
        assert!(error.location().offset >= Some(input.len() as u64 - 120), "in the last block: {error}");
    }
}

/// What differs, in words, and the fragment that brings it.
#[test]
fn codec_private_data_that_changes() {
    let avc_640 = Track::avc().codec_private(media::avcc(media::AVC_SPS_640, media::AVC_PPS));
    let other_pps =
        Track::avc().codec_private(media::avcc(media::AVC_SPS, &[0x68, 0xEB, 0xC3, 0xCB, 0x23, 0xC0]));
    let aac_44100 = Track::aac().codec_private(media::AAC_LC_44100_STEREO);
    let stereo = Track::alaw().codec_private(media::wave_format(6, 8000, 2));
    for (from, to, track, words) in [
        (vec![Track::avc()], vec![avc_640], 1, &["320x180", "640x360"][..]),
        (vec![Track::avc()], vec![other_pps], 1, &["PPS"]),
        (vec![Track::avc(), Track::aac()], vec![Track::avc(), aac_44100], 2, &["48000 Hz", "44100 Hz"]),
        (vec![Track::avc(), Track::alaw()], vec![Track::avc(), stereo], 2, &["1 channel", "2 channels"]),
    ] {
        let input = mkv::documents(&[fragment(0, from.clone()), fragment(1, from), fragment(2, to)]);
        let error = refusal(input);
        let ErrorKind::CodecPrivateDataChanged { difference: found, .. } = error.kind() else {
            panic!("{error}")
        };
        assert!(words.iter().all(|word| found.contains(word)), "{found}");
        assert_refused(&error, "InvalidCodecPrivateData", 2, Some(track));
    }
}

/// Reserved bits, padding and array_completeness say nothing to a decoder.
#[test]
fn codec_private_data_that_differs_in_padding_alone_is_no_change() {
    let avcc = media::avcc(media::AVC_SPS, media::AVC_PPS);
    let mut zero_reserved = avcc.clone();
    zero_reserved[4] &= 0x03;
    zero_reserved[5] &= 0x1F;
    let annex_b = media::annexb(&[media::AVC_SPS, media::AVC_PPS]);
    let without_tail = media::avcc_without_tail(media::AVC_SPS, media::AVC_PPS);
    for private in [zero_reserved, without_tail, annex_b] {
        let input = [fragment(0, vec![Track::avc()]), fragment(1, vec![Track::avc().codec_private(private)])];
        let (_, report) = clip(mkv::documents(&input));
        assert_eq!(report.tracks[0].sample_entries, ["avc1"]);
    }
    let incomplete = Track::hevc().codec_private(media::hvcc(false));
    let (_, report) =
        clip(mkv::documents(&[fragment(0, vec![Track::hevc()]), fragment(1, vec![incomplete])]));
    assert_eq!(report.tracks[0].sample_entries, ["hvc1"]);
    let mut wave = media::wave_format(6, 8000, 1);
    wave[8..14].copy_from_slice(&[9; 6]);
    let alaw = Track::alaw().codec_private(wave);
    clip(mkv::documents(&[
        fragment(0, vec![Track::avc(), Track::alaw()]),
        fragment(1, vec![Track::avc(), alaw]),
    ]));
}

#[test]
fn tracks_that_change() {
    let (avc, aac) = (Track::avc, Track::aac);
    for (from, to, track, words) in [
        (vec![avc(), aac()], vec![avc()], 2, &["audio"][..]),
        (vec![avc()], vec![avc(), aac()], 2, &["audio"]),
        (vec![avc()], vec![Track::hevc()], 1, &["H.264", "H.265"]),
        (vec![avc(), aac()], vec![avc(), Track::alaw()], 2, &["AAC", "G.711 A-law"]),
        (vec![avc(), Track::alaw()], vec![avc(), Track::mulaw()], 2, &["G.711 A-law", "G.711 mu-law"]),
    ] {
        let error = refusal(mkv::documents(&[fragment(0, from), fragment(1, to)]));
        let ErrorKind::TracksChanged { difference: found, .. } = error.kind() else { panic!("{error}") };
        assert!(words.iter().all(|word| found.contains(word)), "{found}");
        assert_refused(&error, "UnsupportedStreamMediaType", 1, Some(track));
    }
}

#[test]
fn a_block_of_a_track_that_does_not_exist() {
    let mut second = fragment(1, vec![Track::avc(), Track::aac()]);
    let frame = media::avc_frame(77, 50, false);
    second.blocks.push(Block::new(7, 40, false, frame.clone()));
    let input = mkv::documents(&[fragment(0, vec![Track::avc(), Track::aac()]), second]);
    let error = refusal_with(&strict(), input.clone());
    let ErrorKind::Malformed { found, .. } = error.kind() else { panic!("{error}") };
    assert!(found.contains("track 7"), "{error}");
    assert_refused(&error, "InvalidMediaFrame", 1, Some(7));
    // The block's ID, its size in 8 bytes, its track number, time and flags.
    assert_eq!(error.location().offset.map(|block| block + 13), offset_of(&input, &frame));
}

#[test]
fn nothing_in_the_range_is_resource_not_found() {
    let at = |ms| Timestamp::from_millis(ms);
    let range = ClipTimestampRange::new(at(0), at(1000)).unwrap();
    let builder = getclip::ClipBuilder::new(ClipFragmentSelector::producer(range));
    let error = refusal_with(&builder, fragment(0, vec![Track::avc()]).to_bytes());
    assert_eq!(error.exception().name(), "ResourceNotFoundException");
    assert_eq!(error.exception().http_status(), 404);
    assert_eq!(error.aws_message(), "No fragments found in the stream for the clip request.");
    assert_eq!(*error.location(), Location::default());
}

/// An empty file, and one of the real captures, a header with tags and no Cluster.
#[test]
fn input_without_a_fragment_is_resource_not_found() {
    let header = Fragment { without_cluster: true, ..fragment(0, vec![Track::avc()]) };
    let empty = Fragment { blocks: Vec::new(), ..fragment(0, vec![Track::avc()]) };
    for input in [Vec::new(), header.to_bytes(), empty.to_bytes()] {
        let error = refusal(input);
        assert!(matches!(error.kind(), ErrorKind::NoFragments { .. }), "{error}");
        assert_eq!(error.exception().http_status(), 404);
    }
}

#[test]
fn other_files_are_named() {
    for (bytes, name) in [
        (&[0xFF, 0xD8, 0xFF, 0xE0, 0, 16, b'J', b'F', b'I', b'F', 0][..], "JPEG"),
        (b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41", "MP4"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG"),
        (b"{\"Message\":\"Stream not found\"}", "JSON"),
        (b"RIFF\0\0\0\0WAVEfmt ", "RIFF"),
        (&[0, 0, 0, 1, 0x67, 0x64, 0, 0x0D], "byte stream"),
        (&[0x47, 0x40, 0, 0x10, 0, 0, 0xB0, 0x0D], "transport stream"),
        (b"Hello, world", "48 65 6C 6C"),
    ] {
        let error = refusal(bytes.to_vec());
        let ErrorKind::NotMatroska { found, .. } = error.kind() else { panic!("{error}") };
        assert!(found.contains(name), "{found}");
        assert_eq!(error.location().offset, Some(0));
    }
}

#[test]
fn errors_that_the_service_wrote_into_the_stream() {
    let first = fragment(0, vec![Track::avc()]);
    for (last, code, text) in [
        (
            mkv::service_error("4006", "IO error in the archived stream"),
            "4006",
            "IO error in the archived stream",
        ),
        (mkv::service_exception("5000", "Internal error"), "5000", "Internal error"),
    ] {
        let error = refusal_with(&strict(), mkv::documents(&[first.clone(), last]));
        let kind = ErrorKind::Service { code: code.into(), message: text.into() };
        assert_eq!(*error.kind(), kind);
        assert_eq!((error.exception().name(), error.exception().http_status()), ("InternalFailure", 500));
        assert!(error.aws_message().contains(text) && error.aws_message().contains(code));
        assert!(error.location().offset >= Some(first.to_bytes().len() as u64));
    }
}

#[test]
fn requests_that_getclip_refuses() {
    let error = "yesterday".parse::<Timestamp>().unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidTimestamp { text: "yesterday".into() });
    assert_eq!(
        (error.exception().name(), error.exception().http_status()),
        ("InvalidArgumentException", 400)
    );
}

#[test]
fn tags_that_are_no_numbers_or_timestamps() {
    let good = || fragment(0, vec![Track::avc()]);
    for input in [good().producer("soon"), good().server("1.2.3"), good().producer("1700000000.1234")] {
        let error = refusal_with(&strict(), input.to_bytes());
        assert!(matches!(error.kind(), ErrorKind::InvalidTimestamp { .. }), "{error}");
        assert!(error.location().offset.is_some());
    }
    let error = refusal_with(&strict(), good().number("12x").to_bytes());
    assert!(matches!(error.kind(), ErrorKind::Malformed { .. }), "{error}");
}

/// Sizes that the service does not store are refused before anything is reserved for them.
#[test]
fn declared_sizes_beyond_the_limits() {
    let header = Fragment { without_cluster: true, ..fragment(0, vec![Track::avc()]) }.to_bytes();
    for id in [ebml::id::CLUSTER, ebml::id::TAGS, ebml::id::TRACKS, ebml::id::INFO] {
        let mut input = header.clone();
        input.extend(ebml::id_bytes(id));
        input.extend(ebml::vint(1 << 40, 8));
        let error = refusal(input);
        assert!(matches!(error.kind(), ErrorKind::TooLarge { found: 0x100_0000_0000, .. }), "{error}");
        assert_eq!(error.location().offset, Some(header.len() as u64));
    }
}

#[test]
fn a_child_that_outlives_its_parent() {
    let mut input = fragment(0, vec![Track::avc()]);
    // A SimpleBlock of 200 bytes in a Cluster that ends before.
    input.blocks.push(Block::default());
    let mut bytes = input.to_bytes();
    let block = bytes.len() - 4 - 8;
    bytes[block..block + 8].copy_from_slice(&ebml::vint(200, 8));
    let error = refusal_with(&strict(), bytes);
    assert!(matches!(error.kind(), ErrorKind::Malformed { .. }), "{error}");
    assert_eq!(error.location().fragment, Some(fragment_name(0)));
    assert_eq!(error.location().offset, Some(block as u64 - 1));
}

#[test]
fn a_further_track_is_left_out_and_reported_and_refuses_nothing() {
    let third = Track::aac().number(3).codec_id("S_TEXT/UTF8");
    let mut input = fragment(0, vec![Track::avc(), Track::aac(), third]);
    input.blocks.push(Block::new(3, 0, true, b"subtitle".to_vec()));
    let (_, report) = clip(input.to_bytes());
    let ignored = Event::TrackIgnored { track: 3, codec_id: "S_TEXT/UTF8".into() };
    assert!(report.events.contains(&ignored), "{:?}", lines(&report));
    assert_eq!(report.tracks.len(), 2);
}

/// A fragment without a frame of the clip is left out; one that could not have one is refused for its tracks.
#[test]
fn only_frames_of_further_tracks() {
    let subtitles = |tracks: Vec<Track>| Fragment {
        blocks: vec![Block::new(3, 0, true, b"subtitle".to_vec())],
        ..fragment(1, tracks)
    };
    let third = Track::aac().number(3).codec_id("S_TEXT/UTF8");
    let input = [fragment(0, vec![Track::avc()]), subtitles(vec![Track::avc(), third.clone()])];
    let (_, report) = clip(mkv::documents(&input));
    assert_eq!(report.fragments.len(), 1);
    let empty = Event::Empty { fragment: fragment_name(1) };
    assert!(report.events.contains(&empty), "{:?}", lines(&report));

    let error = refusal(subtitles(vec![third]).to_bytes());
    assert!(matches!(error.kind(), ErrorKind::UnsupportedMediaType { .. }), "{error}");
}

#[test]
fn errors_compare_and_travel() {
    fn travels<T: std::error::Error + Send + Sync + Clone + 'static>(_: &T) {}
    let input = Bytes::from(fragment(0, vec![Track::avc().codec_id("V_VP8")]).to_bytes());
    let (first, second) = (refusal(input.clone()), refusal(input));
    travels(&first);
    assert_eq!(first, second.clone());
    assert_ne!(first, refusal(Vec::new()));
}

/// EncryptedBlock of RFC 9559 annex A.11, and a ContentEncodingScope (section 5.1.4.1.31.3) of CodecPrivate.
#[test]
fn encryption_and_encodings_of_other_than_frames() {
    let encrypted = ebml::element(0xAF, &[0x81, 0, 0, 0, 1, 2, 3]);
    let input = Fragment { in_cluster: encrypted, ..fragment(0, vec![Track::avc()]) };
    assert_refused(&refusal_with(&strict(), input.to_bytes()), "InvalidMediaFrame", 0, None);

    let compression =
        [ebml::uint(ebml::id::CONTENT_COMP_ALGO, 3), ebml::element(ebml::id::CONTENT_COMP_SETTINGS, &[0])];
    let encoding = [ebml::uint(0x5032, 2), ebml::master(ebml::id::CONTENT_COMPRESSION, &compression)];
    let encodings =
        ebml::master(ebml::id::CONTENT_ENCODINGS, &[ebml::master(ebml::id::CONTENT_ENCODING, &encoding)]);
    let error = refusal(fragment(0, vec![Track::avc().extra(encodings)]).to_bytes());
    let ErrorKind::UnsupportedMediaType { reason } = error.kind() else { panic!("{error}") };
    assert!(reason.contains("scope 2"), "{reason}");
}

/// The service can give a code without a message.
#[test]
fn an_error_of_the_service_without_a_message() {
    let last = Fragment { without_cluster: true, ..Fragment::default() }
        .trailing_tags(&[("AWS_KINESISVIDEO_ERROR_CODE", "4006")]);
    let error = refusal_with(&strict(), mkv::documents(&[fragment(0, vec![Track::avc()]), last]));
    assert!(matches!(error.kind(), ErrorKind::Service { code, .. } if code == "4006"), "{error}");
}

/// What is exactly as large as the limit is not too large, only not there.
#[test]
fn declared_sizes_at_the_limits() {
    let header = Fragment { without_cluster: true, ..fragment(0, vec![Track::avc()]) }.to_bytes();
    for (id, limit) in [(ebml::id::CLUSTER, 256 << 20), (ebml::id::TAGS, 16 << 20)] {
        for (size, too_large) in [(limit, false), (limit + 1, true)] {
            let input = [&header[..], &ebml::id_bytes(id), &ebml::vint(size, 8)].concat();
            let error = refusal(input);
            assert_eq!(matches!(error.kind(), ErrorKind::TooLarge { .. }), too_large, "{size}: {error}");
        }
    }
}
