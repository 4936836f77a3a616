//! A clip planned from stored indexes is the clip planned from the media.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use getclip::{
    ClipBuilder, CodecChanges, Error, ErrorKind, FragmentIndex, FragmentReader, IncompleteInput,
    MissingCodecPrivate,
};
use testkit::{media, mkv};

use crate::clips::{everything, file, ready};

/// All inputs there are: testdata, the cases, the inputs that once failed, and the forms of the testkit.
fn inputs() -> Vec<(String, Bytes)> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut inputs = Vec::new();
    let mut folders = vec![root.join("testdata"), root.join("fuzz/regressions")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let is_input = path.extension().is_none_or(|extension| extension == "mkv");
            if path.is_dir() {
                folders.push(path);
            } else if is_input {
                inputs.push((path.display().to_string(), fs::read(path).unwrap().into()));
            }
        }
    }
    assert!(inputs.len() > 60, "{} inputs", inputs.len());
    inputs
}

fn builders() -> [ClipBuilder; 3] {
    [
        everything(),
        everything()
            .missing_codec_private(MissingCodecPrivate::FromFrames)
            .codec_changes(CodecChanges::NewSampleEntry),
        everything().incomplete_input(IncompleteInput::Refuse),
    ]
}

/// The clip from encoded indexes and media that is brought afterwards.
fn from_stored_indexes(builder: &ClipBuilder, input: Bytes) -> Result<getclip::Clip, Error> {
    let mut planner = builder.planner();
    let mut media = Vec::new();
    for fragment in getclip::fragments(input) {
        let (index, its_media) = fragment?.into_parts();
        planner.offer(FragmentIndex::decode(&index.encode())?)?;
        media.push(its_media);
    }
    let plan = planner.finish()?;
    let media: Vec<Bytes> = plan.fragments().iter().map(|&offered| media[offered].clone()).collect();
    plan.with_media(media)
}

#[test]
fn a_clip_from_stored_indexes_is_the_clip_from_the_media() {
    for (name, input) in inputs() {
        for builder in builders() {
            let direct = builder.build(getclip::fragments(input.clone()));
            match (direct, from_stored_indexes(&builder, input.clone())) {
                (Ok(direct), Ok(stored)) => {
                    assert!(file(&direct) == file(&stored), "{name}");
                    assert_eq!(direct.report(), stored.report(), "{name}");
                }
                (Err(direct), Err(stored)) => assert_eq!(direct, stored, "{name}"),
                (direct, stored) => {
                    panic!(
                        "{name}: {:?} but {:?}",
                        direct.map(|clip| clip.len()),
                        stored.map(|clip| clip.len())
                    )
                }
            }
        }
    }
}

/// A reader that keeps no media makes the same indexes, however the input arrives.
#[test]
fn a_reader_that_keeps_no_media_makes_the_same_indexes() {
    for (name, input) in inputs() {
        let whole: Vec<Result<FragmentIndex, Error>> = getclip::fragments(input.clone())
            .map(|item| item.map(|fragment| fragment.index().clone()))
            .collect();
        for chunk in [61, 4096, input.len().max(1)] {
            let mut reader = FragmentReader::indexing();
            let mut found = Vec::new();
            for chunk in input.chunks(chunk) {
                reader.push(Bytes::copy_from_slice(chunk));
                found.extend(ready(&mut reader));
            }
            reader.finish();
            found.extend(ready(&mut reader));
            assert!(found.iter().flatten().all(|fragment| fragment.media().is_empty()));
            let found: Vec<Result<FragmentIndex, Error>> =
                found.into_iter().map(|item| item.map(|fragment| fragment.index().clone())).collect();
            assert!(found == whole, "{name} in chunks of {chunk}");
        }
    }
}

/// 3 bytes a frame (in Annex B, 3 a NAL unit more) and 300 a fragment.
#[test]
fn an_index_is_small() {
    for name in ["h264_aac", "h265_aac", "h264_alaw", "h264_only", "h264_annexb", "h265_annexb"] {
        let input = Bytes::from(testkit::manifest::mkv(name));
        let start_codes = input.windows(3).filter(|bytes| *bytes == [0, 0, 1]).count();
        let nals = if name.ends_with("annexb") { start_codes } else { 0 };
        let (mut bytes, mut frames, mut fragments) = (0, 0, 0);
        for fragment in getclip::fragments(input) {
            let fragment = fragment.unwrap();
            bytes += fragment.index().encode().len();
            frames += fragment.index().frames().count();
            fragments += 1;
        }
        let most = 3 * (frames + nals) + 300 * fragments;
        assert!(bytes <= most, "{name}: {bytes} bytes, {frames} frames, {nals} NAL units");
    }
}

#[test]
fn an_unknown_version_is_an_error_of_its_own() {
    let mut encoded = index().encode();
    assert_eq!(encoded[..5], [b'g', b'c', b'f', b'i', FragmentIndex::VERSION]);
    encoded[4] = 200;
    let error = FragmentIndex::decode(&encoded).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::IndexVersion { found: 200, known: FragmentIndex::VERSION });
    assert!(error.to_string().contains("index the media again"), "{error}");
}

/// Whatever is changed or cut off is read as another index or refused, and what is read can be planned.
#[test]
fn damaged_indexes_are_read_or_refused() {
    let encoded = index().encode();
    for len in 0..encoded.len() {
        assert!(FragmentIndex::decode(&encoded[..len]).is_err(), "{len} bytes");
    }
    assert!(FragmentIndex::decode(&[&encoded[..], &[0]].concat()).is_err());
    for position in 0..encoded.len() {
        for bit in 0..8 {
            let mut changed = encoded.clone();
            changed[position] ^= 1 << bit;
            if let Ok(index) = FragmentIndex::decode(&changed) {
                let mut planner = everything().planner();
                if planner.offer(index).is_ok() {
                    let _ = planner.finish();
                }
            }
        }
    }
}

fn index() -> FragmentIndex {
    let sets = [media::AVC_SPS, media::AVC_PPS];
    let frames =
        [media::annexb(&[&sets[..], &[&[0x65, 0x88, 0x84][..]]].concat()), media::avc_frame(1, 40, false)];
    let blocks = frames.into_iter().zip(0..).map(|(frame, at)| mkv::Block::new(1, at * 33, at == 0, frame));
    let fragment = mkv::Fragment::stored(7, 1_700_000_000_000, vec![mkv::Track::avc()], blocks.collect());
    getclip::fragments(fragment.to_bytes().into()).next().unwrap().unwrap().index().clone()
}
