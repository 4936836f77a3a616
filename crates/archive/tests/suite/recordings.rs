//! Recordings for the tests.

use bytes::Bytes;
use futures_util::{TryStreamExt, stream};
use getclip::Fragment;
use getclip_archive::{Archive, ImportOptions, ImportSummary, MediaBody, StreamInfo};
use testkit::mkv;

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
