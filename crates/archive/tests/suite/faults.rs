//! Stores that fail: what was not stored is never reported as stored, and trying again is enough.

use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use getclip::{ClipFragmentSelector, ClipFragmentSelectorType, Timestamp};
use getclip_archive::{
    AppendOutcome, Archive, ClipRequest, Error, Identity, ImportOptions, NewStream, Retention, Settings,
    StreamChange,
};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use testkit::manifest;

use crate::append::all;
use crate::recordings::{bytes, import, read, stored};
use crate::stores::{Store, create, hours, name};

/// A store in memory with faults.
#[derive(Debug, Default)]
struct Faulty {
    inner: InMemory,
    /// Of so many requests one fails, some before and some after they were carried out.
    fails_one_of: AtomicU64,
    requests: AtomicU64,
    /// A create that succeeds is answered as one that was tried again after its response was lost.
    loses_responses: AtomicBool,
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}

fn lost() -> object_store::Error {
    object_store::Error::Generic { store: "Faulty", source: "the connection was lost".into() }
}

impl Faulty {
    /// Whether this request fails, and whether it is carried out nevertheless.
    fn fails(&self) -> Option<bool> {
        let (one_of, request) = (self.fails_one_of.load(SeqCst), self.requests.fetch_add(1, SeqCst));
        // Spread out, and the same in each run.
        let drawn = BuildHasherDefault::<DefaultHasher>::default().hash_one(request);
        (one_of > 0 && drawn % one_of == 0).then(|| drawn / one_of % 2 == 0)
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        match self.fails() {
            Some(true) => {
                let _ = self.inner.put_opts(path, payload, options).await;
                Err(lost())
            }
            Some(false) => Err(lost()),
            None => {
                let put = self.inner.put_opts(path, payload, options).await?;
                if self.loses_responses.load(SeqCst) {
                    let (path, source) = (path.to_string(), "the second try".into());
                    return Err(object_store::Error::AlreadyExists { path, source });
                }
                Ok(put)
            }
        }
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        match self.fails() {
            Some(_) => Err(lost()),
            None => self.inner.get_opts(path, options).await,
        }
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        match self.fails() {
            Some(_) => futures_util::stream::iter([Err(lost())]).boxed(),
            None => self.inner.delete_stream(paths),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.fails() {
            // Some of it, and then the connection is lost.
            Some(_) => {
                self.inner.list(prefix).take(2).chain(futures_util::stream::iter([Err(lost())])).boxed()
            }
            None => self.inner.list(prefix),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        match self.fails() {
            Some(_) => Err(lost()),
            None => self.inner.list_with_delimiter(prefix).await,
        }
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

fn everything() -> ClipRequest {
    ClipRequest::new(ClipFragmentSelector::all(ClipFragmentSelectorType::ProducerTimestamp))
}

fn open() -> (Arc<Faulty>, Archive) {
    let store = Arc::new(Faulty::default());
    let archive = Archive::over(Arc::clone(&store) as Arc<dyn ObjectStore>, Settings::default());
    (store, archive)
}

/// Tries until it succeeds. Every failure on the way says that trying again may help.
macro_rules! until_it_succeeds {
    ($work:expr) => {{
        let mut failures = 0;
        loop {
            match $work.await {
                Ok(value) => break (value, failures),
                Err(error) => {
                    assert!(Error::is_transient(&error), "{error:?}");
                    failures += 1;
                    assert!(failures < 1000, "{error:?}");
                }
            }
        }
    }};
}

#[tokio::test]
async fn what_is_tried_again_succeeds_and_is_right() {
    let whole = manifest::mkv("h264_aac");
    let expected = {
        let archive = Store::memory().open().await;
        let stream = create(&archive, "s", Retention::Forever).await;
        import(&archive, &stream, &whole).await;
        bytes(archive.clip(&name("s"), &everything()).await.unwrap().body(..)).await
    };
    for one_of in [3, 5, 8, 13] {
        let (store, archive) = open();
        let stream = create(&archive, "s", Retention::Forever).await;
        store.fails_one_of.store(one_of, SeqCst);
        let mut failures = 0;
        for fragment in read(&whole) {
            let append = || archive.append(&stream, fragment.clone(), Identity::Tags);
            let (appended, failed) = until_it_succeeds!(append());
            failures += failed;
            // It is there, whatever the outcome says.
            store.fails_one_of.store(0, SeqCst);
            assert!(
                all(&archive, &stream).await.iter().any(|found| found.number() == appended.fragment.number())
            );
            store.fails_one_of.store(one_of, SeqCst);
        }
        let (fragments, failed) = until_it_succeeds!(async {
            let all = ClipFragmentSelector::all(ClipFragmentSelectorType::ServerTimestamp);
            archive
                .list_fragments(&stream, all, getclip_archive::Page::first(crate::stores::limit(100)))
                .await
        });
        failures += failed;
        assert_eq!(fragments.0.len(), 5, "one of {one_of}");
        let (file, failed) = until_it_succeeds!(async {
            let clip = archive.clip(&name("s"), &everything()).await?;
            let body = clip.body(..);
            body.try_fold(Vec::new(), |file, bytes: Bytes| async move { Ok([&file[..], &bytes].concat()) })
                .await
        });
        assert!(file == expected, "one of {one_of}");
        assert!(failures + failed > 0, "one of {one_of}");
    }
}

#[tokio::test]
async fn a_create_whose_response_was_lost_is_recognised() {
    let (store, archive) = open();
    store.loses_responses.store(true, SeqCst);
    let stream = archive.create_stream(NewStream::new(name("s"), hours(5))).await.unwrap();
    let change = StreamChange::new().retention(hours(7));
    let changed = archive.change_stream(&name("s"), Some(stream.version()), change).await.unwrap();
    assert_eq!(changed.retention(), hours(7));
    // Since the retention was hours for a moment, what is older stays lost: a fragment of this moment.
    let now_ms = Timestamp::from(SystemTime::now()).as_millis();
    let fragment = read(&stored(u64::try_from(now_ms).unwrap(), 1)[0].to_bytes()).remove(0);
    let appended = archive.append(&changed, fragment, Identity::Tags).await.unwrap();
    assert_eq!(appended.outcome, AppendOutcome::AlreadyStored);
    assert_eq!(all(&archive, &changed).await.len(), 1);
    archive.delete_stream(&name("s"), Some(changed.version())).await.unwrap();
    let gone = archive.stream(&name("s")).await.unwrap_err();
    assert!(matches!(gone, Error::StreamNotFound { .. }), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_that_are_emptied_take_new_objects() {
    let store = Store::folder();
    let archive = store.open().await;
    let recording = manifest::mkv("h264_aac");
    // Pruning removes folders that have become empty, while an import makes them.
    let import = async {
        for round in 0..40 {
            let stream = create(&archive, "s", Retention::Forever).await;
            let input = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from(recording.clone()))]);
            let summary = archive.import(&stream, input, &ImportOptions::default()).await;
            assert_eq!(summary.unwrap().stored, 5, "{round}");
            archive.delete_stream(&name("s"), None).await.unwrap();
            store.advance(Duration::from_secs(3700));
        }
    };
    let done = AtomicBool::new(false);
    let prune = async {
        let mut removed = 0;
        while !done.load(SeqCst) {
            removed += archive.prune().await.unwrap().objects_of_deleted_streams;
        }
        removed + archive.prune().await.unwrap().objects_of_deleted_streams
    };
    let (removed, ()) = tokio::join!(prune, async {
        import.await;
        done.store(true, SeqCst);
    });
    assert_eq!(removed, 40 * 10);
}
