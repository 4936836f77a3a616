//! Recordings for the tests.

use bytes::Bytes;
use futures_util::{TryStreamExt, stream};
use getclip::Fragment;
use getclip_archive::{Archive, ImportOptions, ImportSummary, MediaBody, StreamInfo};
use testkit::{media, mkv};

/// Fragments as the service stores them, of one second each, from `start_ms` on by the producer's clock. The server
/// received each 613 ms later.
pub(crate) fn stored(start_ms: u64, count: u64) -> Vec<mkv::Fragment> {
    (0..count).map(|index| stored_fragment(start_ms, index)).collect()
}

fn stored_fragment(start_ms: u64, index: u64) -> mkv::Fragment {
    let blocks = mkv::avc_blocks(start_ms + index, [0, 250, 500, 750]);
    mkv::Fragment::stored(start_ms / 1000 + index, start_ms + 1000 * index, vec![mkv::Track::avc()], blocks)
}

/// A fragment without tags, whose Cluster says when it starts.
pub(crate) fn untagged(cluster_ms: u64, seed: u64) -> mkv::Fragment {
    mkv::Fragment::new(vec![mkv::Track::avc()], mkv::avc_blocks(seed, [0, 250, 500, 750]))
        .cluster_timestamp(cluster_ms)
}

/// The fragments of a recording as the library reads them.
pub(crate) fn read(recording: &[u8]) -> Vec<Fragment> {
    getclip::fragments(Bytes::copy_from_slice(recording)).collect::<Result<_, _>>().unwrap()
}

pub(crate) async fn import(archive: &Archive, stream: &StreamInfo, recording: &[u8]) -> ImportSummary {
    import_with(archive, stream, recording, &ImportOptions::default()).await
}

pub(crate) async fn import_with(
    archive: &Archive,
    stream: &StreamInfo,
    recording: &[u8],
    options: &ImportOptions,
) -> ImportSummary {
    let chunks: Vec<_> = recording.chunks(10_000).map(Bytes::copy_from_slice).map(Ok).collect();
    let input = stream::iter::<Vec<Result<Bytes, std::io::Error>>>(chunks);
    archive.import(stream, input, options).await.unwrap()
}

/// All bytes of a body.
pub(crate) async fn bytes(body: MediaBody) -> Vec<u8> {
    let expected = body.remaining();
    let bytes = body.try_fold(Vec::new(), |mut all, bytes| async move {
        all.extend_from_slice(&bytes);
        Ok(all)
    });
    let bytes = bytes.await.unwrap();
    assert_eq!(bytes.len() as u64, expected);
    bytes
}

/// Fragments of one second whose pictures are large, with sound between the pictures or after all of them.
pub(crate) fn large(count: u64, picture_len: usize, sound_is_last: bool) -> Vec<u8> {
    let fragment = |index: u64| {
        let picture = |at: u64| {
            let time = i16::try_from(at * 33).unwrap();
            mkv::Block::new(1, time, at == 0, media::avc_frame(index * 100 + at, picture_len, at == 0))
        };
        let mut blocks: Vec<mkv::Block> = (0..30).map(picture).collect();
        blocks.extend(mkv::aac_blocks(index, (0..46).map(|frame| frame * 21)));
        if !sound_is_last {
            blocks.sort_by_key(|block| block.time);
        }
        let tracks = vec![mkv::Track::avc(), mkv::Track::aac()];
        mkv::Fragment::stored(index, 1_700_000_000_000 + 1000 * index, tracks, blocks)
    };
    mkv::documents(&(0..count).map(fragment).collect::<Vec<_>>())
}
