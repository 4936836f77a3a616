//! What H.264 and H.265 become: sample entries, configuration records, and the bytes of the samples.

use crate::clips::{clip, clip_with, dimensions, everything, fragment_name, lines, refusal, refusal_with};
use getclip::{CodecChanges, ErrorKind, Event, MissingCodecPrivate, TrackDetails};
use testkit::media::{
    self, AVC_PPS, AVC_SPS, HEVC_PPS, HEVC_SPS, HEVC_VPS, annexb, length_prefixed, with_nal_lengths,
};
use testkit::mkv::{self, Block, Fragment, Track};
use testkit::mp4::{Movie, SampleEntry};

const START: u64 = 1_700_000_000_000;

/// Access unit delimiters and SEI of H.264, which stay where they are.
const AUD: &[u8] = &[0x09, 0xF0];
const SEI: &[u8] = &[0x06, 0x05, 0x01, 0x42, 0x80];
/// Another PPS with the same number, and one with another.
const OTHER_PPS: &[u8] = &[0x68, 0xEB, 0xC3, 0xCB, 0x23, 0xC0];
const OTHER_HEVC_PPS: &[u8] = &[0x44, 0x01, 0xC1, 0x72, 0xB4, 0x23, 0x40];

fn avcc() -> Vec<u8> {
    media::avcc(AVC_SPS, AVC_PPS)
}

/// Frames 40 ms apart, the first a key frame.
fn video(tracks: Vec<Track>, frames: Vec<Vec<u8>>) -> Fragment {
    let block = |(index, frame): (usize, Vec<u8>)| Block::new(1, index as i16 * 40, index == 0, frame);
    Fragment::stored(0, START, tracks, frames.into_iter().enumerate().map(block).collect())
}

fn h264(codec_private: impl Into<Vec<u8>>, frames: Vec<Vec<u8>>) -> Fragment {
    video(vec![Track::avc().codec_private(codec_private)], frames)
}

fn h265(codec_private: impl Into<Vec<u8>>, frames: Vec<Vec<u8>>) -> Fragment {
    video(vec![Track::hevc().codec_private(codec_private)], frames)
}

/// What a clip's video is: code of the sample entry, payload of its avcC or hvcC, samples.
#[derive(Debug, PartialEq)]
struct Video {
    code: String,
    configuration: Vec<u8>,
    samples: Vec<Vec<u8>>,
}

fn video_of(mp4: &[u8]) -> Video {
    let movie = Movie::parse(mp4);
    let track = movie.video();
    let entry = &track.entries[0];
    let configuration = entry.view.child("avcC").or(entry.view.child("hvcC")).expect("a configuration");
    Video {
        code: entry.fourcc.to_string(),
        configuration: configuration.payload().to_vec(),
        samples: track.samples.iter().map(|sample| sample.bytes.to_vec()).collect(),
    }
}

/// The pictures of a stream, as NAL units without framing.
fn pictures() -> Vec<Vec<Vec<u8>>> {
    let picture = |i: u64| {
        let frame = media::avc_frame(i, 100 + i as usize * 7, i == 0);
        let slices = media::nals(&frame).into_iter().map(<[u8]>::to_vec);
        [AUD.to_vec(), SEI.to_vec()].into_iter().chain(slices).collect()
    };
    (0..6).map(picture).collect()
}

/// Frames of the pictures, each framed by `framing` out of its NAL units and its index.
fn framed(framing: impl Fn(&[&[u8]], usize) -> Vec<u8>) -> Vec<Vec<u8>> {
    let frame = |(index, picture): (usize, &Vec<Vec<u8>>)| {
        framing(&picture.iter().map(Vec::as_slice).collect::<Vec<_>>(), index)
    };
    pictures().iter().enumerate().map(frame).collect()
}

/// Parameter sets behind the access unit delimiter, as encoders write them.
fn with_parameter_sets<'a>(nals: &[&'a [u8]], sets: &[&'a [u8]]) -> Vec<&'a [u8]> {
    [&nals[..1], sets, &nals[1..]].concat()
}

/// A NAL unit without a byte behind the first and behind the last.
fn with_empty_nals<'a>(nals: &[&'a [u8]]) -> Vec<&'a [u8]> {
    [&nals[..1], &[&[][..]], &nals[1..], &[&[][..]]].concat()
}

#[test]
fn h264_in_every_framing_gives_the_same_clip() {
    let expected = Video {
        code: "avc1".into(),
        configuration: avcc(),
        samples: framed(|nals, _| length_prefixed(nals)),
    };
    let both = [AVC_SPS, AVC_PPS];
    let with_length_size = |size: u8| {
        let mut record = avcc();
        record[4] = 0xFC | (size - 1);
        record
    };
    let short_start_codes = |nals: &[&[u8]]| -> Vec<u8> {
        // The first has four bytes, the others three; zeros follow the last.
        let rest = nals[1..].iter().flat_map(|nal| [&[0, 0, 1], *nal].concat());
        annexb(&nals[..1]).into_iter().chain(rest).chain([0, 0, 0]).collect()
    };
    let mixed =
        |nals: &[&[u8]], i: usize| if i.is_multiple_of(2) { annexb(nals) } else { length_prefixed(nals) };
    for (name, codec_private, frames) in [
        ("as it must come out", avcc(), expected.samples.clone()),
        ("Annex B", avcc(), framed(|nals, _| annexb(nals))),
        ("short start codes, trailing zeros", avcc(), framed(|nals, _| short_start_codes(nals))),
        ("Annex B, private too", annexb(&both), framed(|nals, _| annexb(nals))),
        ("in-band sets", avcc(), framed(|nals, _| annexb(&with_parameter_sets(nals, &both)))),
        (
            "in-band sets, prefixed",
            avcc(),
            framed(|nals, _| length_prefixed(&with_parameter_sets(nals, &both))),
        ),
        (
            "in-band sets, private too",
            annexb(&both),
            framed(|nals, _| annexb(&with_parameter_sets(nals, &both))),
        ),
        ("lengths of 1 byte", with_length_size(1), framed(|nals, _| with_nal_lengths(nals, 1))),
        ("lengths of 2 bytes", with_length_size(2), framed(|nals, _| with_nal_lengths(nals, 2))),
        ("lengths of 2 bytes, Annex B", with_length_size(2), framed(|nals, _| annexb(nals))),
        ("mixed", avcc(), framed(mixed)),
        ("empty NAL units", avcc(), framed(|nals, _| length_prefixed(&with_empty_nals(nals)))),
        ("empty NAL units, Annex B", avcc(), framed(|nals, _| annexb(&with_empty_nals(nals)))),
    ] {
        let (mp4, report) = clip(h264(codec_private, frames).to_bytes());
        assert_eq!(video_of(&mp4), expected, "{name}: {:?}", lines(&report));
    }
}

#[test]
fn the_report_counts_what_was_adapted() {
    let events = |frames| clip(h264(avcc(), frames).to_bytes()).1.events;
    assert_eq!(events(framed(|nals, _| length_prefixed(nals))), []);
    let mixed =
        events(framed(|nals, i| if i.is_multiple_of(2) { annexb(nals) } else { length_prefixed(nals) }));
    assert_eq!(mixed, [Event::FramingConverted { track: 1, frames: 3 }]);
    let sets = events(framed(|nals, i| match i {
        0 => length_prefixed(&with_parameter_sets(nals, &[AVC_SPS, AVC_PPS])),
        _ => length_prefixed(nals),
    }));
    assert!(sets.contains(&Event::ParameterSetsStripped { track: 1, frames: 1 }), "{sets:?}");
    let empty = events(framed(|nals, _| length_prefixed(&[nals, &[&[][..]]].concat())));
    assert!(empty.contains(&Event::EmptyNalsDropped { track: 1, nals: 6 }), "{empty:?}");
}

/// ISO/IEC 14496-15 section 5.4.2.1: parameter sets in the samples make it `avc3`.
#[test]
fn in_band_parameter_sets_that_differ_all_stay() {
    for (sets_of_first, sets_of_fourth) in
        [(&[AVC_SPS, AVC_PPS][..], &[AVC_SPS, OTHER_PPS][..]), (&[], &[OTHER_PPS]), (&[OTHER_PPS], &[])]
    {
        let prefixed = framed(|nals, i| {
            let sets = match i {
                0 => sets_of_first,
                3 => sets_of_fourth,
                _ => &[],
            };
            length_prefixed(&with_parameter_sets(nals, sets))
        });
        let (mp4, report) = clip(h264(avcc(), prefixed.clone()).to_bytes());
        let video = video_of(&mp4);
        assert_eq!((video.code.as_str(), &video.samples), ("avc3", &prefixed));
        assert_eq!(report.tracks[0].sample_entries, ["avc3"]);
        let kept = |event: &Event| matches!(event, Event::ParameterSetsKept { track: 1, .. });
        assert!(report.events.iter().any(kept), "{:?}", lines(&report));
    }
}

/// Cameras write the record with its reserved bits zero; the AWS SDK leaves the tail of the High profiles out.
#[test]
fn the_avcc_is_normalised() {
    let mut zero_reserved = avcc();
    zero_reserved[4] &= 0x03;
    zero_reserved[5] &= 0x1F;
    let tail = zero_reserved.len() - 4;
    zero_reserved[tail] &= 0x03;
    zero_reserved[tail + 1] = 0;
    zero_reserved[tail + 2] = 0;
    for private in [zero_reserved, media::avcc_without_tail(AVC_SPS, AVC_PPS), annexb(&[AVC_SPS, AVC_PPS])] {
        let (mp4, _) = clip(h264(private, framed(|nals, _| length_prefixed(nals))).to_bytes());
        assert_eq!(video_of(&mp4).configuration, avcc());
    }
}

/// A record of libx264 with 1280x720 pixels of 40:33 and the colours of BT.709, as ffprobe tells them.
#[test]
fn pixel_aspect_and_colour_are_those_of_the_sps() {
    let sps = [
        0x67, 0x64, 0x00, 0x1F, 0xAC, 0xD9, 0x40, 0x50, 0x05, 0xBB, 0x05, 0x6A, 0x02, 0x02, 0x02, 0x80, 0x00,
        0x00, 0x03, 0x00, 0x80, 0x00, 0x00, 0x19, 0x07, 0x8C, 0x18, 0xCB,
    ];
    let private = media::avcc(&sps, &[0x68, 0xEB, 0xE3, 0xCB, 0x22, 0xC0]);
    let (mp4, report) = clip(h264(private, framed(|nals, _| length_prefixed(nals))).to_bytes());
    let movie = Movie::parse(&mp4);
    let SampleEntry { view, payload, .. } = &movie.video().entries[0];
    assert_eq!(payload[24..28], [0x05, 0x00, 0x02, 0xD0], "1280x720");
    assert_eq!(view.expect("pasp").payload(), [0, 0, 0, 40, 0, 0, 0, 33]);
    assert_eq!(view.expect("colr").payload(), b"nclx\0\x01\0\x01\0\x01\0");
    // 1280 * 40 / 33
    assert_eq!(movie.video().dimensions, (1551, 720));
    assert_eq!(dimensions(&report.tracks[0]), (1280, 720));
}

#[test]
fn a_refused_sps_falls_back_to_the_pixels_of_the_track_entry() {
    let sps = [0x67, 0x64, 0x00, 0x0D, 0xFF];
    let track = Track::avc().codec_private(media::avcc(&sps, AVC_PPS)).pixels(352, 288);
    let (mp4, report) = clip(video(vec![track], framed(|nals, _| length_prefixed(nals))).to_bytes());
    assert_eq!(Movie::parse(&mp4).video().dimensions, (352, 288));
    assert_eq!(dimensions(&report.tracks[0]), (352, 288));
}

/// An H.265 frame with these NAL units in front of its slices.
fn hevc_frame(sets: &[&[u8]], key: bool) -> Vec<u8> {
    let frame = media::hevc_frame(key.into(), 90, key);
    length_prefixed(&[sets, &media::nals(&frame)].concat())
}

const HEVC_SETS: [&[u8]; 3] = [HEVC_VPS, HEVC_SPS, HEVC_PPS];

#[test]
fn h265_without_in_band_sets_that_differ_is_hvc1() {
    let plain = vec![hevc_frame(&[], true), hevc_frame(&[], false)];
    let with_sets = vec![hevc_frame(&HEVC_SETS, true), hevc_frame(&[], false)];
    let as_annexb =
        |frames: &[Vec<u8>]| frames.iter().map(|frame| annexb(&media::nals(frame))).collect::<Vec<_>>();
    for (codec_private, frames) in [
        (media::hvcc(true), plain.clone()),
        (media::hvcc(false), plain.clone()),
        (media::hvcc(false), with_sets.clone()),
        (media::hvcc(true), as_annexb(&with_sets)),
        (annexb(&HEVC_SETS), as_annexb(&with_sets)),
    ] {
        let (mp4, _) = clip(h265(codec_private, frames).to_bytes());
        let expected =
            Video { code: "hvc1".into(), configuration: media::hvcc(true), samples: plain.clone() };
        let found = video_of(&mp4);
        assert_eq!((&found.code, &found.samples), (&expected.code, &expected.samples));
        // Each array says that it is complete (ISO/IEC 14496-15 section 8.3.3.1.3), whatever it said before.
        assert_eq!(found.configuration[22], 3);
        assert!(testkit::media::nals(&found.samples[0]).iter().all(|nal| nal[0] >> 1 < 32));
        for (kind, set) in [(32, HEVC_VPS), (33, HEVC_SPS), (34, HEVC_PPS)] {
            let array = [&[0x80 | kind, 0, 1, 0, set.len() as u8], set].concat();
            assert!(found.configuration.windows(array.len()).any(|window| window == array), "{kind}");
        }
    }
}

#[test]
fn h265_with_in_band_sets_that_differ_is_hev1() {
    let frames =
        vec![hevc_frame(&HEVC_SETS, true), hevc_frame(&[], false), hevc_frame(&[OTHER_HEVC_PPS], true)];
    let (mp4, report) = clip(h265(media::hvcc(true), frames.clone()).to_bytes());
    let video = video_of(&mp4);
    assert_eq!((video.code.as_str(), &video.samples), ("hev1", &frames));
    assert_eq!(video.configuration, media::hvcc(false), "the arrays are not complete");
    assert_eq!(report.tracks[0].sample_entries, ["hev1"]);
}

/// The AWS SDK can leave the PPS out of the record; the frames have it.
#[test]
fn a_parameter_set_that_the_record_lacks_comes_from_the_frames() {
    let mut without_pps = media::hvcc(false);
    without_pps.truncate(without_pps.len() - HEVC_PPS.len() - 5);
    without_pps[22] = 2;
    let frames = vec![hevc_frame(&HEVC_SETS, true), hevc_frame(&[], false)];
    let (mp4, _) = clip(h265(without_pps.clone(), frames).to_bytes());
    let video = video_of(&mp4);
    assert_eq!((video.code.as_str(), video.configuration), ("hvc1", media::hvcc(true)));
    assert_eq!(video.samples[0], hevc_frame(&[], true));
    let error = refusal(h265(without_pps, vec![hevc_frame(&[], true)]).to_bytes());
    assert!(matches!(error.kind(), ErrorKind::InvalidCodecPrivateData { .. }), "{error}");
}

/// IRAP pictures are NAL unit types 16 to 23 (H.265 section 3.71); a producer's flag says less.
#[test]
fn sync_samples_of_h265_are_its_irap_pictures() {
    for framing in [length_prefixed, annexb] {
        let frame = |nal_unit_type: u8| framing(&[&[nal_unit_type << 1, 1, 0xAF, 0x77, 0x80]]);
        let frames = [19, 1, 21, 0, 16, 9, 20].map(frame).to_vec();
        let (mp4, report) = clip(h265(media::hvcc(true), frames).to_bytes());
        assert_eq!(Movie::parse(&mp4).video().table.sync_samples.as_deref(), Some(&[1, 3, 5, 7][..]));
        assert!(matches!(report.tracks[0].details, TrackDetails::Video { sync_samples: 4, .. }));
    }
}

#[test]
fn codec_private_data_from_the_frames() {
    let from_frames = everything().missing_codec_private(MissingCodecPrivate::FromFrames);
    let both = [AVC_SPS, AVC_PPS];
    let frames = framed(|nals, i| match i {
        0 => annexb(&with_parameter_sets(nals, &both)),
        _ => annexb(nals),
    });
    let without = |frames| video(vec![Track::avc().without_codec_private()], frames).to_bytes();
    assert_eq!(*refusal(without(frames.clone())).kind(), ErrorKind::MissingCodecPrivateData);
    let (mp4, report) = clip_with(&from_frames, without(frames.clone()));
    let samples = framed(|nals, _| length_prefixed(nals));
    assert_eq!(video_of(&mp4), Video { code: "avc1".into(), configuration: avcc(), samples });
    assert!(report.events.contains(&Event::CodecPrivateFromFrames { track: 1 }));

    let error = refusal_with(&from_frames, without(framed(|nals, _| annexb(nals))));
    assert_eq!(*error.kind(), ErrorKind::MissingCodecPrivateData, "not in the frames either");

    // A second fragment without them, whose TrackEntry differs besides, is decoded with those of the first.
    let of_track = |index: u64, track: Track, frame: &[u8]| {
        let blocks = vec![Block::new(1, 0, true, frame.to_vec())];
        Fragment::stored(index, START + index * 1000, vec![track.without_codec_private()], blocks)
    };
    let bare = framed(|nals, _| annexb(nals));
    let second = of_track(1, Track::avc().default_duration(1_000_000_000), &bare[0]);
    let input = mkv::documents(&[of_track(0, Track::avc(), &frames[0]), second]);
    let (mp4, report) = clip_with(&from_frames, input);
    let samples = framed(|nals, _| length_prefixed(nals));
    let samples = vec![samples[0].clone(), samples[0].clone()];
    assert_eq!(video_of(&mp4), Video { code: "avc1".into(), configuration: avcc(), samples });
    assert_eq!(report.tracks[0].sample_entries, ["avc1"]);

    let hevc = vec![annexb(&media::nals(&hevc_frame(&HEVC_SETS, true)))];
    let fragment = video(vec![Track::hevc().without_codec_private()], hevc);
    let (mp4, _) = clip_with(&from_frames, fragment.to_bytes());
    let video = video_of(&mp4);
    assert_eq!((video.code.as_str(), video.samples), ("hvc1", vec![hevc_frame(&[], true)]));
}

/// Once a clip was made here whose one `avc3` entry had 300 samples of H.265: the frames of the second input were taken
/// to be under the codec private data of the first.
#[test]
fn another_codec_without_codec_private_data_is_another_track() {
    let fragment = |index: u64, track: Track, frame: Vec<u8>| {
        let blocks = vec![Block::new(1, 0, true, frame)];
        Fragment::stored(index, START + index * 1000, vec![track.without_codec_private()], blocks)
    };
    let avc = annexb(&[AVC_SPS, AVC_PPS, media::nals(&media::avc_frame(0, 40, true))[0]]);
    let hevc = annexb(&media::nals(&hevc_frame(&HEVC_SETS, true)));
    let input = mkv::documents(&[fragment(0, Track::avc(), avc), fragment(1, Track::hevc(), hevc)]);
    let from_frames = everything().missing_codec_private(MissingCodecPrivate::FromFrames);
    let error = refusal_with(&from_frames, input.clone());
    let ErrorKind::TracksChanged { difference } = error.kind() else { panic!("{error}") };
    assert_eq!(difference, "codec H.264 to H.265");
    assert_eq!(error.location().fragment, Some(fragment_name(1)));

    let (mp4, report) = clip_with(&from_frames.codec_changes(CodecChanges::NewSampleEntry), input);
    let codes: Vec<String> =
        Movie::parse(&mp4).video().entries.iter().map(|entry| entry.fourcc.to_string()).collect();
    assert_eq!(codes, ["avc1", "hvc1"]);
    // Both things that happened are reported: one of them once hid the other.
    let of_second: Vec<&Event> = report.events.iter().collect();
    assert!(of_second.iter().any(
        |event| matches!(event, Event::SampleEntryAdded { fragment, .. } if *fragment == fragment_name(1))
    ));
    assert!(of_second.contains(&&Event::CodecPrivateFromFrames { track: 1 }), "{of_second:?}");
}

/// BitRateBox of ISO/IEC 14496-12 section 8.5.2.2: largest sample, bits in the fullest second, bits per second.
#[test]
fn bit_rates_are_those_of_the_samples() {
    let frame = |i: u64| media::avc_frame(i, if i < 25 { 100 } else { 200 }, i == 0);
    let (mp4, _) = clip(h264(avcc(), (0..50).map(frame).collect()).to_bytes());
    let movie = Movie::parse(&mp4);
    let rates = movie.video().entries[0].view.expect("btrt").payload();
    let expected = [200, 25 * 200 * 8, (25 * 100 + 25 * 200) * 8 / 2_u32];
    assert_eq!(rates, expected.map(u32::to_be_bytes).concat());
}

/// The brand `avc1` promises H.264 (ISO/IEC 14496-12 annex E.4).
#[test]
fn the_brand_of_h264_is_that_of_h264_alone() {
    let brands = |fragment: Fragment| {
        let mp4 = clip(fragment.to_bytes()).0;
        let size = u32::from_be_bytes(*mp4.first_chunk().unwrap()) as usize;
        mp4[16..size].chunks(4).any(|brand| brand == b"avc1")
    };
    assert!(brands(h264(avcc(), framed(|nals, _| length_prefixed(nals)))));
    assert!(!brands(h265(media::hvcc(true), vec![hevc_frame(&[], true)])));
}
