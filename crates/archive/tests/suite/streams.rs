//! Streams: created, changed and deleted by whichever replica is first.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use getclip_archive::{Error, NewStream, Page, PageToken, Retention, StreamChange};

use crate::stores::{Store, create, hours, limit, name};

#[tokio::test]
async fn a_stream_is_described_as_it_was_created() {
    for store in Store::all() {
        let archive = store.open().await;
        let tags: BTreeMap<String, String> = [("place".to_owned(), "door".to_owned())].into();
        let new = NewStream::new(name("front"), hours(24))
            .device_name(Some("camera 1".to_owned()))
            .media_type(Some("video/h264".to_owned()))
            .kms_key_id(Some("key".to_owned()))
            .storage_tier(Some("HOT".to_owned()))
            .tags(tags.clone());
        let created = archive.create_stream(new).await.unwrap();
        let found = store.open().await.stream(&name("front")).await.unwrap();
        assert_eq!(found, created);
        assert_eq!(found.retention(), hours(24));
        assert_eq!(found.device_name(), Some("camera 1"));
        assert_eq!(found.media_type(), Some("video/h264"));
        assert_eq!(found.kms_key_id(), Some("key"));
        assert_eq!(found.storage_tier(), Some("HOT"));
        assert_eq!(found.tags(), &tags);
        assert_eq!(found.created().as_millis(), store.now_ms());
        let again = archive.create_stream(NewStream::new(name("front"), hours(1))).await;
        assert!(matches!(again, Err(Error::StreamExists { .. })), "{again:?}");
        let missing = archive.stream(&name("back")).await;
        assert!(matches!(missing, Err(Error::StreamNotFound { .. })), "{missing:?}");
    }
}

#[tokio::test]
async fn streams_are_listed_by_name_and_in_pages() {
    for store in Store::all() {
        let archive = store.open().await;
        for stream in ["b2", "a", "b1", "b10", "c"] {
            create(&archive, stream, Retention::Forever).await;
        }
        archive.delete_stream(&name("b10"), None).await.unwrap();
        let mut names = Vec::new();
        let mut page = Page::first(limit(1));
        loop {
            let (streams, token) = archive.streams("b", page).await.unwrap();
            names.extend(streams.iter().map(|stream| stream.name().to_string()));
            let Some(token) = token else { break };
            let token: PageToken = token.to_string().parse().unwrap();
            page = Page::after(token, limit(1));
        }
        assert_eq!(names, ["b1", "b2"]);
        let (all, token) = archive.streams("", Page::first(limit(100))).await.unwrap();
        assert_eq!((all.len(), token), (4, None));
        let (none, _) = archive.streams("d", Page::first(limit(100))).await.unwrap();
        assert!(none.is_empty());
    }
}

#[tokio::test]
async fn a_change_of_an_old_version_is_refused() {
    for store in Store::all() {
        let archive = store.open().await;
        let first = create(&archive, "s", hours(1)).await;
        let change = StreamChange::new().retention(hours(2));
        let second = archive.change_stream(&name("s"), Some(first.version()), change.clone()).await.unwrap();
        assert_ne!(second.version(), first.version());
        assert_eq!(second.retention(), hours(2));
        let refused = archive.change_stream(&name("s"), Some(first.version()), change).await.unwrap_err();
        let Error::VersionMismatch { expected, found, .. } = refused else { panic!("{refused:?}") };
        assert_eq!((&expected, &found), (first.version(), second.version()));
        let refused = archive.delete_stream(&name("s"), Some(first.version())).await.unwrap_err();
        assert!(matches!(refused, Error::VersionMismatch { .. }), "{refused:?}");
        archive.delete_stream(&name("s"), Some(second.version())).await.unwrap();
        let missing = archive.delete_stream(&name("s"), None).await.unwrap_err();
        assert!(matches!(missing, Error::StreamNotFound { .. }), "{missing:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_racing_changes_of_one_version_one_wins() {
    for store in Store::all() {
        let first = create(&store.open().await, "s", hours(1)).await;
        let racers = (2..34).map(|racer| {
            let (store, version) = (&store, first.version().clone());
            async move {
                let change = StreamChange::new().retention(hours(racer));
                store.open().await.change_stream(&name("s"), Some(&version), change).await
            }
        });
        let results = join_all(racers).await;
        let won: Vec<_> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
        assert_eq!(won.len(), 1);
        for lost in results.iter().filter_map(|result| result.as_ref().err()) {
            assert!(matches!(lost, Error::VersionMismatch { .. }), "{lost:?}");
        }
        assert_eq!(&store.open().await.stream(&name("s")).await.unwrap(), won[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_changes_of_no_version_are_all_made() {
    for store in Store::all() {
        create(&store.open().await, "s", hours(1)).await;
        let tag = |racer: usize| (racer.to_string(), "x".to_owned());
        let racers = (0..12).map(|racer| {
            let store = &store;
            async move {
                let change = StreamChange::new().set_tags([tag(racer)].into());
                store.open().await.change_stream(&name("s"), None, change).await.unwrap();
            }
        });
        join_all(racers).await;
        let found = store.open().await.stream(&name("s")).await.unwrap();
        assert_eq!(found.tags(), &(0..12).map(tag).collect());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_racing_creations_one_wins() {
    for store in Store::all() {
        let racers = (0..16).map(|_| async {
            store.open().await.create_stream(NewStream::new(name("s"), Retention::Forever)).await
        });
        let results = join_all(racers).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        for lost in results.iter().filter_map(|result| result.as_ref().err()) {
            assert!(matches!(lost, Error::StreamExists { .. }), "{lost:?}");
        }
    }
}

#[tokio::test]
async fn a_stream_of_a_deleted_name_is_another_one() {
    for store in Store::all() {
        let archive = store.open().await;
        let first = create(&archive, "s", hours(1)).await;
        archive.delete_stream(&name("s"), None).await.unwrap();
        assert!(matches!(archive.stream(&name("s")).await, Err(Error::StreamNotFound { .. })));
        // In the same millisecond, and its version is no version of the first.
        let second = create(&archive, "s", hours(1)).await;
        assert!(second.created() > first.created());
        let refused = archive.delete_stream(&name("s"), Some(first.version())).await.unwrap_err();
        assert!(matches!(refused, Error::VersionMismatch { .. }), "{refused:?}");
    }
}

#[tokio::test]
async fn every_name_that_the_service_takes_is_a_stream() {
    for store in Store::all() {
        let archive = store.open().await;
        let [long, longest] = [255, 256].map(|len| "x".repeat(len));
        let mut names = ["...", ".a", "-", "state", "00000000000001", "a.b", "A", &long, &longest].map(name);
        names.sort();
        for name in &names {
            archive.create_stream(NewStream::new(name.clone(), hours(1))).await.unwrap();
        }
        let (streams, _) = archive.streams("", Page::first(limit(100))).await.unwrap();
        let found: Vec<_> = streams.iter().map(|stream| stream.name().clone()).collect();
        assert_eq!(found, names);
        archive.delete_stream(&name(&long), None).await.unwrap();
        store.advance(std::time::Duration::from_secs(3700));
        archive.prune().await.unwrap();
        let (streams, _) = archive.streams("xx", Page::first(limit(100))).await.unwrap();
        assert_eq!(streams.len(), 1);
        assert_eq!(archive.stream(&name(&longest)).await.unwrap(), streams[0]);
    }
}
