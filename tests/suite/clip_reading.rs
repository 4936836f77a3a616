//! Every way of reading a clip gives the same bytes, whoever writes them and however few at a time.

use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::ops::Bound;
use std::thread;

use crate::clips::{build, file};
use bytes::{Buf, Bytes};
use getclip::{Chunks, Clip, ClipReader, Report};
use proptest::prelude::*;
use testkit::manifest;
use testkit::mkv::{Block, Fragment, Track, avc_blocks};
use testkit::{media, mkv};

/// Some samples verbatim, some out of many small pieces.
fn small_clip() -> Clip {
    let mut first = avc_blocks(0, [0, 40, 80]);
    first.extend([120, 160].map(|time| {
        let frame = media::avc_frame(time as u64, 80, false);
        Block::new(1, time, false, media::annexb(&media::nals(&frame)))
    }));
    let fragments = [first, avc_blocks(1, [0, 40])].into_iter().zip(0..).map(|(blocks, index)| {
        Fragment::stored(index, 1_700_000_000_000 + index * 200, vec![Track::avc()], blocks)
    });
    build(mkv::documents(&fragments.collect::<Vec<_>>())).unwrap()
}

fn joined(chunks: Chunks) -> Vec<u8> {
    chunks.flat_map(|chunk| chunk.to_vec()).collect()
}

#[test]
fn all_ways_of_reading_give_the_same_bytes() {
    for name in ["h264_aac", "h264_annexb", "h264_mulaw", "h265_annexb"] {
        let clip = build(manifest::mkv(name)).unwrap();
        let mut written = Vec::new();
        assert_eq!(clip.write_to(&mut written).unwrap(), clip.len());
        assert_eq!(written.len() as u64, clip.len());
        assert!(joined(clip.chunks()) == written);
        assert!(joined(clip.slice(..)) == written);
        assert!(clip.chunks().all(|chunk| !chunk.is_empty()));
        let mut read = Vec::new();
        assert_eq!(clip.reader().read_to_end(&mut read).unwrap() as u64, clip.len());
        assert!(read == written);
        let mut reader = clip.reader();
        assert!(reader.copy_to_bytes(reader.remaining()) == written);
        assert_eq!(clip.content_type(), "video/mp4");
    }
}

/// The media of a verbatim sample stays where it was read.
#[test]
fn nothing_the_size_of_the_media_is_copied() {
    let input = Bytes::from(manifest::mkv("h264_aac"));
    let clip = build(input.clone()).unwrap();
    let within = input.as_ptr_range();
    let shared: usize =
        clip.chunks().filter(|chunk| within.contains(&chunk.as_ptr())).map(|chunk| chunk.len()).sum();
    let media: u64 = clip.report().tracks.iter().map(|track| track.bytes).sum();
    assert_eq!(shared as u64, media);
}

#[test]
fn slices_of_every_kind_of_bound() {
    let clip = small_clip();
    let whole = file(&clip);
    let (length, len) = (whole.len() as u64, whole.len());
    assert!(joined(clip.slice(7..)) == whole[7..]);
    assert!(joined(clip.slice(..9)) == whole[..9]);
    assert!(joined(clip.slice(..=9)) == whole[..=9]);
    assert!(joined(clip.slice(3..=3)) == whole[3..=3]);
    assert!(joined(clip.slice((Bound::Excluded(3), Bound::Unbounded))) == whole[4..]);
    assert!(joined(clip.slice(length - 1..)) == whole[len - 1..]);
    for empty in
        [clip.slice(5..5), clip.slice(length..), clip.slice(u64::MAX..), clip.slice(u64::MAX..=u64::MAX)]
    {
        assert_eq!((empty.remaining(), empty.count()), (0, 0));
    }
    #[expect(clippy::reversed_empty_ranges, reason = "a request can ask for one")]
    let reversed = clip.slice(9..5);
    assert_eq!((reversed.remaining(), reversed.count()), (0, 0));
    assert!(joined(clip.slice(..=u64::MAX)) == whole, "cut to the length of the clip");
    let mut chunks = clip.slice(10..length - 10);
    assert_eq!(chunks.remaining(), length - 20);
    let first = chunks.next().unwrap();
    assert_eq!(chunks.remaining(), length - 20 - first.len() as u64);
}

/// The start and the end of each piece, and one byte around it.
#[test]
fn slices_at_the_edges_of_pieces() {
    let clip = small_clip();
    let whole = file(&clip);
    let mut edges = vec![0];
    for chunk in clip.chunks() {
        edges.push(edges[edges.len() - 1] + chunk.len());
    }
    let around = |edge: usize| edge.saturating_sub(1)..=(edge + 1).min(whole.len());
    let places: Vec<usize> = edges.iter().flat_map(|edge| around(*edge)).collect();
    for &start in &places {
        for &end in places.iter().filter(|end| **end >= start) {
            assert!(joined(clip.slice(start as u64..end as u64)) == whole[start..end], "{start}..{end}");
        }
    }
}

#[test]
fn the_reader_seeks_as_a_file_does() {
    let clip = small_clip();
    let whole = file(&clip);
    let length = whole.len() as i64;
    let mut reader = clip.reader();
    let mut cursor = io::Cursor::new(&whole);
    for to in [
        SeekFrom::Start(100),
        SeekFrom::Current(-50),
        SeekFrom::Current(7),
        SeekFrom::End(-1),
        SeekFrom::End(0),
        SeekFrom::End(10),
        SeekFrom::Current(-20),
        SeekFrom::Start(u64::MAX),
        SeekFrom::Start(0),
    ] {
        assert_eq!(reader.seek(to).unwrap(), cursor.seek(to).unwrap(), "{to:?}");
        let (mut read, mut expected) = ([0; 33], [0; 33]);
        assert_eq!(reader.read(&mut read).unwrap(), cursor.read(&mut expected).unwrap(), "{to:?}");
        assert_eq!(read, expected, "{to:?}");
    }
    let before = reader.stream_position().unwrap();
    for to in [SeekFrom::End(-length - 1), SeekFrom::Current(i64::MIN)] {
        assert_eq!(reader.seek(to).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{to:?}");
        assert_eq!(reader.stream_position().unwrap(), before);
    }
    reader.seek(SeekFrom::End(5)).unwrap();
    assert_eq!((reader.remaining(), reader.chunk().len()), (0, 0), "behind the end there is nothing");
}

#[test]
#[should_panic(expected = "cannot advance past the end")]
fn advancing_past_the_end_panics_as_buf_wants_it() {
    let clip = small_clip();
    clip.reader().advance(clip.len() as usize + 1);
}

/// Takes up to `most` bytes at a time, and is interrupted before each `interrupted`-th call.
struct Reluctant {
    written: Vec<u8>,
    most: usize,
    interrupted: usize,
    calls: usize,
}

impl Write for Reluctant {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.calls += 1;
        if self.interrupted > 0 && self.calls.is_multiple_of(self.interrupted) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        assert!(slices.len() <= 1024, "IOV_MAX of Linux");
        let taken: Vec<u8> = slices.iter().flat_map(|slice| slice.iter()).copied().take(self.most).collect();
        self.written.extend(&taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn writers_that_take_few_bytes_or_are_interrupted() {
    let clip = small_clip();
    let whole = file(&clip);
    for most in [1, 2, 7, 100, 4096, usize::MAX] {
        for interrupted in [0, 2, 3] {
            let mut writer = Reluctant { written: Vec::new(), most, interrupted, calls: 0 };
            assert_eq!(clip.write_to(&mut writer).unwrap(), clip.len());
            assert!(writer.written == whole, "{most} {interrupted}");
        }
    }
}

/// Takes so many bytes, and then answers with this.
struct Failing {
    room: usize,
    then: fn() -> io::Result<usize>,
}

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.room == 0 {
            return (self.then)();
        }
        let taken = bytes.len().min(self.room);
        self.room -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn writers_that_fail() {
    let clip = small_clip();
    let whole = clip.len() as usize;
    for room in [0, 1, whole / 2, whole - 1] {
        let full = Failing { room, then: || Err(io::ErrorKind::StorageFull.into()) };
        assert_eq!(clip.write_to(full).unwrap_err().kind(), io::ErrorKind::StorageFull);
        let closed = Failing { room, then: || Ok(0) };
        assert_eq!(clip.write_to(closed).unwrap_err().kind(), io::ErrorKind::WriteZero);
    }
    let exact = Failing { room: whole, then: || Err(io::ErrorKind::StorageFull.into()) };
    assert_eq!(clip.write_to(exact).unwrap(), clip.len());
}

#[test]
fn clips_are_shared_between_threads() {
    fn is_shared<T: Clone + Send + Sync + 'static>() {}
    is_shared::<Clip>();
    is_shared::<Chunks>();
    is_shared::<ClipReader>();
    is_shared::<Report>();
    let clip = small_clip();
    let whole = file(&clip);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let clip = clip.clone();
            thread::spawn(move || file(&clip))
        })
        .collect();
    drop(clip);
    assert!(threads.into_iter().all(|thread| thread.join().unwrap() == whole));
}

#[test]
fn the_same_input_gives_the_same_clip() {
    for name in ["h264_aac", "h264_annexb", "h265_alaw", "h264_bframes"] {
        let [first, second] = [(), ()].map(|()| build(manifest::mkv(name)).unwrap());
        assert!(file(&first) == file(&second), "{name}");
        assert_eq!(first.report(), second.report(), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_range_is_that_range_of_the_file(start in 0..1500_u64, length in 0..1500_u64) {
        let clip = small_clip();
        let whole = file(&clip);
        let bounded = |offset: u64| (offset as usize).min(whole.len());
        let expected = &whole[bounded(start)..bounded(start + length)];
        let chunks = clip.slice(start..start + length);
        prop_assert_eq!(chunks.remaining(), expected.len() as u64);
        prop_assert!(joined(chunks) == expected);

        let mut reader = clip.reader();
        reader.seek(SeekFrom::Start(start)).unwrap();
        let mut read = Vec::new();
        Read::take(&mut reader, length).read_to_end(&mut read).unwrap();
        prop_assert!(read == expected);
        prop_assert_eq!(reader.remaining(), whole.len() - bounded(start + length));
    }

    #[test]
    fn any_sequence_of_reads_and_seeks_is_that_of_a_file(
        steps in prop::collection::vec((0..3_u8, -700..1500_i64, 0..300_usize), 1..40),
    ) {
        let clip = small_clip();
        let whole = file(&clip);
        let (mut reader, mut cursor) = (clip.reader(), io::Cursor::new(&whole));
        for (from, offset, count) in steps {
            let to = match from {
                0 => SeekFrom::Start(offset.unsigned_abs()),
                1 => SeekFrom::Current(offset),
                _ => SeekFrom::End(-offset),
            };
            prop_assert_eq!(reader.seek(to).ok(), cursor.seek(to).ok());
            let (mut read, mut expected) = (vec![0; count], vec![0; count]);
            prop_assert_eq!(reader.read(&mut read).unwrap(), cursor.read(&mut expected).unwrap());
            prop_assert!(read == expected);
            let advance = count.min(reader.remaining());
            reader.advance(advance);
            cursor.advance(advance);
            prop_assert_eq!(reader.remaining(), cursor.remaining());
            prop_assert_eq!(reader.chunk().first(), cursor.chunk().first());
        }
    }
}
