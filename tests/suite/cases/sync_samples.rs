//! Sync samples are those of the bitstream, whatever the key flags say.

use testkit::frames::assert_same_frames_from_one_origin;
use testkit::mp4::Movie;
use testkit::nal::{self, Codec};
use testkit::recording::Recording;

use crate::cases::TOLERANCE;
use crate::clips::clip;

/// The frames come out as they are, and `stss` lists the IDR or IRAP pictures of layer 0.
#[track_caller]
fn by_the_bitstream(name: &str, sync_samples: &[usize]) -> Vec<u8> {
    let case = Recording::case(name);
    let (mp4, _) = clip(case.bytes.clone());
    assert_same_frames_from_one_origin(&mp4, &case.frames(), TOLERANCE);
    assert_eq!(Movie::parse(&mp4).video().sync_samples(), sync_samples);
    mp4
}

#[test]
fn no_key_flags() {
    by_the_bitstream("k07_no_key_flags_but_idr", &[0, 60, 120]);
    by_the_bitstream("m03_nokeyflag", &[0, 30, 60]);
}

#[test]
fn nothing_but_key_flags() {
    by_the_bitstream("k07b_all_key_flags", &[0, 60, 120]);
}

#[test]
fn other_layers_do_not_count() {
    by_the_bitstream("v08_layer1_irap", &[0, 30, 60]);
}

/// Pictures with a recovery point are in a sample group, and no sync samples: seeking to one must not end in an error.
#[test]
fn open_gops() {
    let mp4 = by_the_bitstream("h06_opengop", &[0]);
    let movie = Movie::parse(&mp4);
    let video = movie.video();
    let mut recovery_points = 0;
    for (index, sample) in video.samples.iter().enumerate() {
        let nals = nal::length_prefixed(sample.bytes).expect("whole NAL units");
        let recovers = Codec::Avc.recovery_frames(&nals).is_some() && !sample.sync;
        let in_group = ["rap ", "roll"].iter().any(|group| video.group_of(group, index).is_some());
        assert_eq!(in_group, recovers, "sample {index}");
        recovery_points += usize::from(recovers);
    }
    assert_eq!(recovery_points, 3, "the first picture of each later fragment");
}
