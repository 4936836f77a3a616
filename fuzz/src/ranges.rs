//! Every way of reading a clip gives the same bytes.

use std::io::{Read, Seek, SeekFrom};
use std::sync::OnceLock;

use bytes::Buf;
use getclip::{Clip, ClipReader};

use super::Options;
use super::choices::Choices;
use super::support::media;
use super::support::mkv::{Block, Fragment, Track, documents};

/// Reads ranges of two clips as the bytes say: one whose frames are taken as they are, one that is re-framed.
pub fn clip_ranges(data: &[u8]) {
    static CLIPS: OnceLock<[(Clip, Vec<u8>); 2]> = OnceLock::new();
    let clips = CLIPS.get_or_init(|| [false, true].map(clip));
    let mut choices = Choices::new(data);
    let (clip, file) = &clips[choices.below(2)];
    let mut reader = clip.reader();
    let mut at = 0;
    while !choices.is_empty() {
        match choices.below(4) {
            0 => slice(clip, file, place(&mut choices, file), place(&mut choices, file)),
            1 => at = seek(&mut reader, file, at, &mut choices),
            2 => at = read(&mut reader, file, at, choices.below(256)),
            _ => at = advance(&mut reader, file, at, choices.below(256)),
        }
    }
}

/// An offset that is near the start or the end of a part more often than not, and sometimes out of the file.
fn place(choices: &mut Choices<'_>, file: &[u8]) -> u64 {
    match choices.below(8) {
        0 => choices.u64(),
        1 => file.len() as u64 + u64::from(choices.byte()),
        _ => choices.u64() % (file.len() as u64 + 1),
    }
}

fn slice(clip: &Clip, file: &[u8], start: u64, end: u64) {
    let chunks = clip.slice(start..end);
    let clamp = |offset: u64| usize::try_from(offset).unwrap_or(file.len()).min(file.len());
    let want = file.get(clamp(start)..clamp(end)).unwrap_or_default();
    assert_eq!(chunks.remaining(), want.len() as u64, "{start}..{end}");
    assert!(chunks.clone().all(|chunk| !chunk.is_empty()));
    assert_eq!(chunks.collect::<Vec<_>>().concat(), want, "{start}..{end}");
    if start <= end && end < u64::MAX {
        let inclusive = clip.slice(start..=end).map(|chunk| chunk.len()).sum::<usize>();
        assert_eq!(inclusive, clamp(end.saturating_add(1)) - clamp(start));
    }
}

fn seek(reader: &mut ClipReader, file: &[u8], at: u64, choices: &mut Choices<'_>) -> u64 {
    let distance = choices.u64() as i64;
    let near = distance % (file.len() as i64 + 1);
    let (to, want) = match choices.below(3) {
        0 => (SeekFrom::Start(near.unsigned_abs()), Some(near.unsigned_abs())),
        1 => (SeekFrom::End(near), (file.len() as u64).checked_add_signed(near)),
        _ => (SeekFrom::Current(distance), at.checked_add_signed(distance)),
    };
    assert_eq!(reader.seek(to).ok(), want);
    want.unwrap_or(at)
}

fn read(reader: &mut ClipReader, file: &[u8], at: u64, len: usize) -> u64 {
    let left = usize::try_from(at).ok().and_then(|at| file.get(at..)).unwrap_or_default();
    let want = &left[..len.min(left.len())];
    let mut buffer = vec![0; len];
    assert_eq!(reader.read(&mut buffer).ok(), Some(want.len()), "a short read only at the end");
    assert_eq!(&buffer[..want.len()], want);
    at + want.len() as u64
}

fn advance(reader: &mut ClipReader, file: &[u8], at: u64, count: usize) -> u64 {
    let left = usize::try_from(at).ok().and_then(|at| file.get(at..)).unwrap_or_default();
    assert_eq!(reader.remaining(), left.len());
    assert_eq!(reader.has_remaining(), !reader.chunk().is_empty());
    assert!(left.starts_with(reader.chunk()));
    let count = count.min(left.len());
    reader.advance(count);
    at + count as u64
}

fn clip(annex_b: bool) -> (Clip, Vec<u8>) {
    let fragments: Vec<Fragment> = (0..3).map(|index| fragment(index, annex_b)).collect();
    let input = documents(&fragments);
    let clip = Options::default().builder().build(getclip::fragments(input.into())).expect("a clip");
    let mut file = Vec::new();
    clip.write_to(&mut file).expect("room in memory");
    (clip, file)
}

fn fragment(index: u64, annex_b: bool) -> Fragment {
    let video = (0..8_u64).map(|frame| {
        let bytes = media::avc_frame(index * 8 + frame, 20 + frame as usize * 11, frame == 0);
        let bytes = if annex_b { media::annexb(&media::nals(&bytes)) } else { bytes };
        Block::new(1, frame as i16 * 125, frame == 0, bytes)
    });
    let audio =
        (0..8_u64).map(|frame| Block::new(2, frame as i16 * 125, true, media::g711_block(frame, 1000)));
    let tracks = vec![Track::avc(), Track::alaw()];
    Fragment::stored(index, 1_700_000_000_000 + index * 1000, tracks, video.chain(audio).collect())
}
