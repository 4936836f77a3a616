//! Which tracks of a recording are those of the clip.

use crate::clips::{build_with, clip_with, everything, refusal_with};
use getclip::{ClipBuilder, Event, FragmentIndex, Profile, Report, TrackChoice, TrackDetails, fragments};
use testkit::frames;
use testkit::mkv::{self, Fragment, Track, TrackKind, aac_blocks, avc_blocks};
use testkit::mp4::Movie;

const START: u64 = 1_700_000_000_000;

/// A fragment of 1 s with these tracks, of which each has frames.
fn fragment(index: u64, tracks: Vec<Track>) -> Fragment {
    let blocks = tracks.iter().flat_map(|track| {
        let blocks = match track.kind {
            TrackKind::Video => avc_blocks(index * 10 + track.number, [0, 250, 500, 750]),
            _ => aac_blocks(index * 10 + track.number, (0..1000).step_by(64)),
        };
        blocks.into_iter().map(|mut block| {
            block.track = track.number;
            block
        })
    });
    let blocks = blocks.collect();
    Fragment::stored(index, START + index * 1000, tracks, blocks)
}

fn recording(tracks: &[Track]) -> Vec<Fragment> {
    (0..2).map(|index| fragment(index, tracks.to_vec())).collect()
}

fn video(number: u64) -> Track {
    Track { number, ..Track::avc() }
}

/// AAC at 16 kHz, 64 ms a frame.
fn sound(number: u64) -> Track {
    Track { number, ..Track::aac().codec_private([0x14, 0x08]) }
}

/// Numbers and kinds of the tracks of a clip.
fn tracks(report: &Report) -> Vec<(u64, &'static str)> {
    let kind = |details: &TrackDetails| match details {
        TrackDetails::Video { .. } => "video",
        TrackDetails::Audio { .. } => "audio",
        _ => panic!("{details:?}"),
    };
    report.tracks.iter().map(|track| (track.number, kind(&track.details))).collect()
}

/// The clip has the frames of these tracks of the recording, and nothing else.
#[track_caller]
fn assert_takes(builder: &ClipBuilder, recording: &[Fragment], taken: &[(u64, &'static str)]) -> Vec<u8> {
    let (mp4, report) = clip_with(builder, mkv::documents(recording));
    assert_eq!(tracks(&report), taken);
    let numbers: Vec<u64> = taken.iter().map(|(number, _)| *number).collect();
    let mut only = recording.to_vec();
    for fragment in &mut only {
        fragment.tracks.retain(|track| numbers.contains(&track.number));
        fragment.blocks.retain(|block| numbers.contains(&block.track));
    }
    let movie = Movie::parse(&mp4);
    assert_eq!(movie.tracks.iter().map(|track| u64::from(track.id)).collect::<Vec<_>>(), numbers);
    let sizes = |fragments: &[Fragment]| -> usize {
        frames::frames_of(fragments).iter().map(|frame| frame.bytes.len()).sum()
    };
    assert_eq!(report.tracks.iter().map(|track| track.bytes).sum::<u64>(), sizes(&only) as u64);
    mp4
}

#[test]
fn by_default_the_tracks_of_getclip() {
    assert_takes(&everything(), &recording(&[video(1), sound(2)]), &[(1, "video"), (2, "audio")]);
    assert_takes(&everything(), &recording(&[video(1), sound(3)]), &[(1, "video")]);
    let error = refusal_with(&everything(), mkv::documents(&recording(&[sound(2)])));
    assert!(error.to_string().contains("expected a video track with number 1, found none"), "{error}");
}

#[test]
fn pictures_alone() {
    let builder = everything().audio_track(TrackChoice::Absent);
    assert_takes(&builder, &recording(&[video(1), sound(2)]), &[(1, "video")]);
    // Also where the sound is of a kind that cannot be carried.
    let opus = Track { codec_private: None, ..sound(2) }.codec_id("A_OPUS");
    let refused = refusal_with(&everything(), mkv::documents(&recording(&[video(1), opus.clone()])));
    assert_eq!(refused.location().track, Some(2));
    let (_, report) = clip_with(&builder, mkv::documents(&recording(&[video(1), opus])));
    let ignored = Event::TrackIgnored { track: 2, codec_id: "A_OPUS".into() };
    assert!(report.events.contains(&ignored), "{:?}", report.events);
}

#[test]
fn tracks_by_their_numbers() {
    let all = [video(1), sound(2), video(3), sound(4)];
    let by_number = |video, audio| {
        everything().video_track(TrackChoice::Number(video)).audio_track(TrackChoice::Number(audio))
    };
    assert_takes(&by_number(3, 4), &recording(&all), &[(3, "video"), (4, "audio")]);
    assert_takes(&by_number(1, 4), &recording(&all), &[(1, "video"), (4, "audio")]);
    for (builder, reason) in [
        (by_number(5, 2), "expected a video track with number 5, found none"),
        (by_number(1, 5), "expected an audio track with number 5, found none"),
        (by_number(2, 4), "on track 2"),
        (by_number(1, 3), "on track 3"),
        (by_number(1, 1), "expected two tracks, found track 1"),
    ] {
        let error = refusal_with(&builder, mkv::documents(&recording(&all)));
        assert_eq!(error.exception().name(), "UnsupportedStreamMediaTypeException");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn sound_alone_where_there_are_no_pictures() {
    let available = everything().video_track(TrackChoice::Available).audio_track(TrackChoice::Available);
    assert_takes(&available, &recording(&[video(1), sound(2)]), &[(1, "video"), (2, "audio")]);
    assert_takes(&available, &recording(&[sound(1), video(2)]), &[(2, "video"), (1, "audio")]);
    // As Amazon Connect stores it: from the customer, and to the customer.
    let connect = [sound(1), sound(2)];
    let mp4 = assert_takes(&available, &recording(&connect), &[(1, "audio")]);
    assert_eq!(&mp4[8..12], b"M4A ");
    let second = available.clone().audio_track(TrackChoice::Number(2));
    assert_takes(&second, &recording(&connect), &[(2, "audio")]);
    let clip = build_with(&available, mkv::documents(&recording(&connect))).unwrap();
    assert_eq!(clip.content_type(), "audio/mp4");
}

#[test]
fn the_service_takes_no_sound_alone() {
    let builder = everything().video_track(TrackChoice::Absent).profile(Profile::Service);
    let error = refusal_with(&builder, mkv::documents(&recording(&[video(1), sound(2)])));
    assert!(error.to_string().contains("found nothing with AAC"), "{error}");
    let extended = everything().video_track(TrackChoice::Absent);
    let mp4 = assert_takes(&extended, &recording(&[video(1), sound(2)]), &[(2, "audio")]);
    // At its times: 16 frames of 64 ms a fragment, from its start on.
    assert_eq!(Movie::parse(&mp4).audio().samples.len(), 32);
}

#[test]
fn pictures_that_end_are_a_change_of_tracks() {
    let available = everything().video_track(TrackChoice::Available).audio_track(TrackChoice::Number(2));
    let input = [fragment(0, vec![video(1), sound(2)]), fragment(1, vec![sound(2)])];
    let error = refusal_with(&available, mkv::documents(&input));
    assert!(error.to_string().contains("no video track any more"), "{error}");
}

#[test]
fn indexes_are_enough() {
    let builder = everything().video_track(TrackChoice::Number(3)).audio_track(TrackChoice::Absent);
    let mkv = mkv::documents(&recording(&[video(1), sound(2), video(3)]));
    let mut planner = builder.planner();
    for fragment in fragments(mkv.clone().into()) {
        let encoded = fragment.unwrap().index().encode();
        planner.offer(FragmentIndex::decode(&encoded).unwrap()).unwrap();
    }
    let plan = planner.finish().unwrap();
    let clip = build_with(&builder, mkv).unwrap();
    assert_eq!((plan.len(), plan.report(), plan.etag()), (clip.len(), clip.report(), clip.plan().etag()));
}
