//! Every way of reading a clip gives the same bytes.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::sync::OnceLock;

use arbitrary::Arbitrary;
use bytes::Buf;
use getclip::{Clip, ClipReader};

use super::Options;
use super::amounts::{AllThatFollow, Rarely};
use testkit::media;
use testkit::mkv::{Block, Fragment, Track, documents};

/// Reads of one of two clips: one whose frames are taken as they are, one that is re-framed.
#[derive(Debug, Arbitrary)]
pub struct Reads {
    is_reframed: bool,
    reads: AllThatFollow<Read>,
}

#[derive(Debug, Arbitrary)]
enum Read {
    Slice(Place, Place),
    Seek(Whence, i64),
    Bytes(u8),
    Advance(u8),
}

/// An offset in the file more often than not.
#[derive(Debug, Arbitrary)]
struct Place {
    offset: u64,
    beyond: Rarely<4, Beyond>,
}

#[derive(Debug, Arbitrary)]
enum Beyond {
    /// The end of the file, by so much.
    End(u8),
    Anywhere,
}

#[derive(Debug, Arbitrary)]
enum Whence {
    Start,
    End,
    Current,
}

pub fn clip_ranges(reads: Reads) {
    static CLIPS: OnceLock<[(Clip, Vec<u8>); 2]> = OnceLock::new();
    let clips = CLIPS.get_or_init(|| [false, true].map(clip));
    let (clip, file) = &clips[usize::from(reads.is_reframed)];
    let mut reader = clip.reader();
    let mut at = 0;
    for read in &reads.reads.0 {
        match read {
            Read::Slice(start, end) => slice(clip, file, start.offset(file), end.offset(file)),
            Read::Seek(whence, distance) => at = seek(&mut reader, file, at, whence, *distance),
            Read::Bytes(len) => at = self::read(&mut reader, file, at, usize::from(*len)),
            Read::Advance(count) => at = advance(&mut reader, file, at, usize::from(*count)),
        }
    }
}

impl Place {
    fn offset(&self, file: &[u8]) -> u64 {
        match self.beyond.0 {
            None => self.offset % (file.len() as u64 + 1),
            Some(Beyond::End(by)) => file.len() as u64 + u64::from(by),
            Some(Beyond::Anywhere) => self.offset,
        }
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

fn seek(reader: &mut ClipReader, file: &[u8], at: u64, whence: &Whence, distance: i64) -> u64 {
    let near = distance % (file.len() as i64 + 1);
    let (to, want) = match whence {
        Whence::Start => (SeekFrom::Start(near.unsigned_abs()), Some(near.unsigned_abs())),
        Whence::End => (SeekFrom::End(near), (file.len() as u64).checked_add_signed(near)),
        Whence::Current => (SeekFrom::Current(distance), at.checked_add_signed(distance)),
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
