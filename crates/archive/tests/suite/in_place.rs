//! Recordings that are indexed where they are: read, never written, and checked whenever they are read.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use futures_util::TryStreamExt;
use getclip::{ClipFragmentSelector, ClipFragmentSelectorType};
use getclip_archive::{
    CheckOptions, ClipRequest, Error, ImportOptions, RecordingUrl, Retention, StoredFragment,
};
use testkit::{manifest, mkv};

use crate::append::all;
use crate::recordings::{bytes, import, stored};
use crate::stores::{Store, create, hours, name};

fn everything() -> ClipRequest {
    ClipRequest::new(ClipFragmentSelector::all(ClipFragmentSelectorType::ProducerTimestamp))
}

struct Recording {
    _folder: tempfile::TempDir,
    path: PathBuf,
    url: RecordingUrl,
}

fn recording(content: &[u8]) -> Recording {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a recording.mkv");
    fs::write(&path, content).unwrap();
    let url = path.to_str().unwrap().parse().unwrap();
    Recording { _folder: folder, path, url }
}

/// Everything that a write would change.
fn state(path: &Path) -> (Vec<u8>, SystemTime) {
    (fs::read(path).unwrap(), fs::metadata(path).unwrap().modified().unwrap())
}

#[tokio::test]
async fn it_gives_the_same_clips_and_documents_as_a_copy() {
    for store in Store::all() {
        let archive = store.open().await;
        for file in ["h264_aac", "h264_upload", "h264_merged", "h264_annexb"] {
            let content = manifest::mkv(file);
            let recording = recording(&content);
            let before = state(&recording.path);
            let copied = create(&archive, &format!("{file}.copy"), Retention::Forever).await;
            let stream = create(&archive, file, Retention::Forever).await;
            import(&archive, &copied, &content).await;
            let options = ImportOptions::default();
            let summary = archive.import_in_place(&stream, &recording.url, &options).await.unwrap();
            assert_eq!(summary.stored, 5);
            let again = archive.import_in_place(&stream, &recording.url, &options).await.unwrap();
            assert_eq!((again.stored, again.already_stored), (0, 5));
            let (fragments, copies) = (all(&archive, &stream).await, all(&archive, &copied).await);
            for (fragment, copy) in fragments.iter().zip(&copies) {
                assert!(fragment.is_reference());
                assert_eq!(fragment.number(), copy.number());
                assert_eq!(fragment.document_len(), copy.document_len());
            }
            let statistics = archive.statistics(&stream).await.unwrap();
            assert_eq!((statistics.fragments, statistics.references), (5, 5));
            assert!(statistics.stored_bytes < 40_000, "{statistics:?}");
            let clip = archive.clip(&name(file), &everything()).await.unwrap();
            let copy = archive.clip(&name(&format!("{file}.copy")), &everything()).await.unwrap();
            assert!(bytes(clip.body(..)).await == bytes(copy.body(..)).await, "{file}");
            assert!(bytes(clip.body(30_000..31_000)).await == bytes(copy.body(30_000..31_000)).await);
            let documents = bytes(archive.documents(&stream, fragments)).await;
            assert!(documents == bytes(archive.documents(&copied, copies)).await, "{file}");
            assert_eq!(state(&recording.path), before);
        }
    }
}

#[tokio::test]
async fn nothing_changes_or_removes_it() {
    for store in Store::all() {
        let archive = store.open().await;
        let start_ms = u64::try_from(store.now_ms()).unwrap();
        let recording = recording(&mkv::documents(&stored(start_ms - 60_000, 10)));
        let before = state(&recording.path);
        let options = ImportOptions::default();
        for (stream, retention) in [("expires", hours(1)), ("deleted", Retention::Forever)] {
            let stream = create(&archive, stream, retention).await;
            archive.import_in_place(&stream, &recording.url, &options).await.unwrap();
        }
        archive.delete_stream(&name("deleted"), None).await.unwrap();
        store.advance(Duration::from_secs(10 * 3600));
        let pruned = archive.prune().await.unwrap();
        assert_eq!(pruned.fragments, 10);
        assert!(pruned.objects_of_deleted_streams >= 10, "{pruned:?}");
        let options = CheckOptions::default().repair(true).media(true);
        archive.check(&options, &mut |_| {}).await.unwrap();
        assert_eq!(state(&recording.path), before);
        assert_eq!(fs::read_dir(recording.path.parent().unwrap()).unwrap().count(), 1);
    }
}

#[tokio::test]
async fn one_that_changed_or_is_gone_is_an_error_that_names_it() {
    for store in Store::all() {
        let archive = store.open().await;
        let stream = create(&archive, "s", Retention::Forever).await;
        let content = manifest::mkv("h264_aac");
        let recording = recording(&content);
        archive.import_in_place(&stream, &recording.url, &ImportOptions::default()).await.unwrap();
        let clip = archive.clip(&name("s"), &everything()).await.unwrap();
        let read = || async { clip.body(..).try_for_each(|_| std::future::ready(Ok(()))).await };
        read().await.unwrap();
        // Another time, then another size.
        let modified = fs::metadata(&recording.path).unwrap().modified().unwrap();
        let file = fs::File::options().write(true).open(&recording.path).unwrap();
        file.set_modified(modified + Duration::from_secs(1)).unwrap();
        let error = read().await.unwrap_err();
        let Error::RecordingChanged { recording: found, .. } = &error else { panic!("{error:?}") };
        assert_eq!(found, recording.path.to_str().unwrap());
        fs::write(&recording.path, &content[1..]).unwrap();
        let error = read().await.unwrap_err();
        let Error::RecordingChanged { expected, found, .. } = &error else { panic!("{error:?}") };
        let sizes = [content.len(), content.len() - 1].map(|len| format!("{len} bytes"));
        assert_eq!([expected.clone(), found.clone()], sizes);
        fs::remove_file(&recording.path).unwrap();
        let error = read().await.unwrap_err();
        assert!(matches!(error, Error::RecordingGone { .. }), "{error:?}");
        // Moved back with its time, it is what it was.
        fs::write(&recording.path, &content).unwrap();
        let file = fs::File::options().write(true).open(&recording.path).unwrap();
        file.set_modified(modified).unwrap();
        read().await.unwrap();
        let fragments: Vec<StoredFragment> = all(&archive, &stream).await;
        assert!(fragments.iter().all(StoredFragment::is_reference));
    }
}

#[tokio::test]
async fn a_recording_that_is_not_there_is_refused() {
    let store = Store::memory();
    let archive = store.open().await;
    let stream = create(&archive, "s", Retention::Forever).await;
    let url: RecordingUrl = "file:///not/there.mkv".parse().unwrap();
    let error = archive.import_in_place(&stream, &url, &ImportOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::InvalidLocation { .. }), "{error:?}");
}

#[tokio::test]
async fn a_copy_can_be_made_of_a_recording_by_its_url() {
    for store in Store::all() {
        let archive = store.open().await;
        let stream = create(&archive, "s", Retention::Forever).await;
        let recording = recording(&manifest::mkv("h264_aac"));
        let summary = archive.import_from(&stream, &recording.url, &ImportOptions::default()).await.unwrap();
        assert_eq!(summary.stored, 5);
        fs::remove_file(&recording.path).unwrap();
        let clip = archive.clip(&name("s"), &everything()).await.unwrap();
        assert_eq!(bytes(clip.body(..)).await.len() as u64, clip.plan().len());
    }
}

#[tokio::test]
async fn the_recordings_of_a_folder_are_its_files_by_name() {
    let archive = Store::memory().open().await;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    for file in ["b.mkv", "a recording #1.mkv", ".hidden", "deep/c.mkv"] {
        fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
        fs::write(root.join(file), "x").unwrap();
    }
    let found = archive.recordings(root.to_str().unwrap()).await.unwrap();
    let paths: Vec<String> = found.iter().map(RecordingUrl::to_string).collect();
    let expected = ["a recording #1.mkv", "b.mkv"].map(|file| root.join(file).to_str().unwrap().to_owned());
    assert_eq!(paths, expected);
    let one = archive.recordings(&expected[0]).await.unwrap();
    assert_eq!(one, found[..1]);
    // A URL finds what a path finds.
    let url = format!("file://{}/", root.to_str().unwrap());
    assert_eq!(archive.recordings(&url).await.unwrap(), found);
    assert!(archive.recordings(root.join("missing").to_str().unwrap()).await.is_err());
}
