//! Fragments are stored once, whoever stores them and however often.

use std::time::Duration;

use futures_util::future::join_all;
use getclip::{ClipFragmentSelector, ClipFragmentSelectorType, FragmentNumber, Timestamp};
use getclip_archive::{
    AppendOutcome, Archive, Error, Identity, ImportOptions, Page, Retention, SkipReason, StoredFragment,
    StreamInfo,
};
use testkit::{manifest, mkv};

use crate::recordings::{import, import_with, read, stored, untagged};
use crate::stores::{Store, create, hours, limit, name};

pub(crate) async fn all(archive: &Archive, stream: &StreamInfo) -> Vec<StoredFragment> {
    let selector = ClipFragmentSelector::all(ClipFragmentSelectorType::ProducerTimestamp);
    archive.list_fragments(stream, selector, Page::first(limit(100_000))).await.unwrap().0
}

#[tokio::test]
async fn an_import_keeps_numbers_and_times() {
    for store in Store::all() {
        let archive = store.open().await;
        let stream = create(&archive, "s", Retention::Forever).await;
        let recording = manifest::mkv("h264_aac");
        let summary = import(&archive, &stream, &recording).await;
        assert_eq!((summary.stored, summary.already_stored, summary.skipped.len()), (5, 0, 0));
        let found = all(&archive, &stream).await;
        let fragments = read(&recording);
        assert_eq!(found.len(), fragments.len());
        for (found, fragment) in found.iter().zip(&fragments) {
            assert_eq!(Some(found.number()), fragment.number());
            assert_eq!(Some(found.producer_timestamp()), fragment.producer_timestamp());
            assert_eq!(Some(found.server_timestamp()), fragment.server_timestamp());
            assert!(!found.is_reference());
        }
        // 60 frames of 30 fps.
        assert!(found.iter().all(|fragment| (1990..=2010).contains(&fragment.length_ms())), "{found:?}");
        assert_eq!(summary.first, Some(found[0].producer_timestamp()));
        assert_eq!(summary.last, Some(found[4].producer_timestamp()));
        let document_bytes: u64 = found.iter().map(StoredFragment::document_len).sum();
        assert_eq!(summary.document_bytes, document_bytes);
    }
}

#[tokio::test]
async fn an_import_again_changes_nothing() {
    for store in Store::all() {
        for file in ["h264_aac", "h264_upload", "h264_merged"] {
            let archive = store.open().await;
            let stream = create(&archive, file, Retention::Forever).await;
            let recording = manifest::mkv(file);
            import(&archive, &stream, &recording).await;
            let first = all(&archive, &stream).await;
            store.advance(Duration::from_secs(60));
            let summary = import(&store.open().await, &stream, &recording).await;
            assert_eq!((summary.stored, summary.already_stored), (0, first.len() as u64), "{file}");
            assert_eq!(all(&archive, &stream).await, first, "{file}");
        }
    }
}

#[tokio::test]
async fn one_fragment_has_one_key_from_whichever_recording_it_comes() {
    let store = Store::memory();
    let archive = store.open().await;
    let stream = create(&archive, "s", Retention::Forever).await;
    let fragments = stored(1_700_000_000_000, 3);
    import(&archive, &stream, &mkv::documents(&fragments)).await;
    let first = all(&archive, &stream).await;
    // Alone, and after others, at another offset of its recording.
    import(&archive, &stream, &mkv::documents(&fragments[2..])).await;
    assert_eq!(all(&archive, &stream).await, first);
    assert_eq!(archive.statistics(&stream).await.unwrap().fragments, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_racing_writers_of_a_fragment_make_one_object() {
    for store in Store::all() {
        let stream = create(&store.open().await, "s", Retention::Forever).await;
        let fragment = read(&manifest::mkv("h264_aac")).remove(0);
        let racers = (0..32).map(|_| {
            let (store, stream, fragment) = (&store, &stream, fragment.clone());
            async move {
                let archive = store.open().await;
                archive.append(stream, fragment, Identity::Tags).await.unwrap().outcome
            }
        });
        let outcomes = join_all(racers).await;
        let stored = outcomes.iter().filter(|outcome| **outcome == AppendOutcome::Stored).count();
        assert_eq!(stored, 1);
        assert_eq!(all(&store.open().await, &stream).await.len(), 1);
        if let Some(path) = store.path() {
            let files = walk(path).into_iter().filter(|path| path.contains("/f/")).count();
            assert_eq!(files, 1, "{:?}", walk(path));
        }
    }
}

/// The files of a folder, at any depth.
pub(crate) fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path.to_str().unwrap().to_owned());
        }
    }
    files.sort();
    files
}

#[tokio::test]
async fn a_fragment_without_tags_gets_its_name_from_its_content() {
    for store in Store::all() {
        let archive = store.open().await;
        let stream = create(&archive, "s", Retention::Forever).await;
        let start = Timestamp::from_millis(1_700_000_000_000);
        let recording = mkv::upload(&[untagged(500, 1), untagged(1500, 2)]);
        let options = ImportOptions::default().recording_start(start);
        import_with(&archive, &stream, &recording, &options).await;
        let found = all(&archive, &stream).await;
        let times: Vec<i64> = found.iter().map(|found| found.producer_timestamp().as_millis()).collect();
        assert_eq!(times, [1_700_000_000_500, 1_700_000_001_500]);
        for fragment in &found {
            assert_eq!(fragment.server_timestamp(), fragment.producer_timestamp());
            assert_eq!(fragment.number().as_str().len(), 47);
            let ms = fragment.producer_timestamp().as_millis();
            assert!(fragment.number().as_str().starts_with(&format!("1{ms:014}")), "{fragment:?}");
        }
        let tags = archive.append(&stream, read(&recording).remove(0), Identity::Tags).await;
        assert!(matches!(tags, Err(Error::Untagged { .. })), "{tags:?}");
    }
}

#[tokio::test]
async fn a_recording_that_has_grown_gives_its_whole_last_fragment() {
    let store = Store::memory();
    let archive = store.open().await;
    let stream = create(&archive, "s", Retention::Forever).await;
    let start = Timestamp::from_millis(1_700_000_000_000);
    let whole = mkv::upload(&[untagged(0, 1), untagged(1000, 2)]);
    let options = ImportOptions::default().recording_start(start);
    let cut = &whole[..whole.len() - 100];
    let summary = import_with(&archive, &stream, cut, &options).await;
    assert_eq!(summary.stored, 1);
    assert_eq!(summary.skipped.len(), 1);
    assert_eq!(summary.skipped[0].reason, SkipReason::Incomplete);
    // What was kept of a cut recording is superseded by the whole fragment.
    import_with(&archive, &stream, cut, &options.clone().keep_incomplete(true)).await;
    import_with(&archive, &stream, &whole, &options).await;
    let found = all(&archive, &stream).await;
    assert_eq!(found.len(), 3);
    assert_eq!(found[1].producer_timestamp(), found[2].producer_timestamp());
    assert!(found[2].document_len() > found[1].document_len());
    let request = getclip_archive::ClipRequest::new(ClipFragmentSelector::all(
        ClipFragmentSelectorType::ProducerTimestamp,
    ));
    let clip = archive.clip(&name("s"), &request).await.unwrap();
    assert_eq!(
        clip.fragments().iter().map(StoredFragment::number).collect::<Vec<_>>(),
        [found[0].number(), found[2].number()]
    );
}

#[tokio::test]
async fn a_stream_takes_only_what_it_retains() {
    for store in Store::all() {
        let archive = store.open().await;
        let none = create(&archive, "none", Retention::None).await;
        let day = create(&archive, "day", hours(24)).await;
        let fragment = |age_ms: i64| {
            let start_ms = u64::try_from(store.now_ms() - age_ms).unwrap();
            read(&mkv::documents(&stored(start_ms, 1))).remove(0)
        };
        let refused = archive.append(&none, fragment(0), Identity::Tags).await.unwrap_err();
        assert!(matches!(refused, Error::NoDataRetention { .. }), "{refused:?}");
        archive.append(&day, fragment(23 * 3_600_000), Identity::Tags).await.unwrap();
        let refused = archive.append(&day, fragment(25 * 3_600_000), Identity::Tags).await.unwrap_err();
        let Error::PastRetention { retained_since, .. } = &refused else { panic!("{refused:?}") };
        assert_eq!(retained_since.as_millis(), store.now_ms() - 24 * 3_600_000);
        assert!(refused.to_string().contains("--retention"), "{refused}");
    }
}

#[tokio::test]
async fn what_is_no_fragment_is_refused() {
    let store = Store::memory();
    let archive = store.open().await;
    let stream = create(&archive, "s", Retention::Forever).await;
    let empty =
        mkv::documents(&[mkv::Fragment::stored(1, 1_700_000_000_000, vec![mkv::Track::avc()], vec![])]);
    let summary = import(&archive, &stream, &empty).await;
    assert_eq!(summary.skipped.len(), 1);
    assert_eq!(summary.skipped[0].reason, SkipReason::Empty);
    let refused = archive.append(&stream, read(&empty).remove(0), Identity::Tags).await.unwrap_err();
    assert!(matches!(refused, Error::EmptyFragment { .. }), "{refused:?}");
    let long = stored(1_700_000_000_000, 1).remove(0).number(&"9".repeat(48));
    let refused =
        archive.append(&stream, read(&long.to_bytes()).remove(0), Identity::Tags).await.unwrap_err();
    assert!(matches!(refused, Error::NumberTooLong { .. }), "{refused:?}");
    let input = futures_util::stream::iter([Err(std::io::Error::other("the cable"))]);
    let failed = archive.import(&stream, input, &ImportOptions::default()).await.unwrap_err();
    assert_eq!(failed.to_string(), "the input failed: the cable");
    let garbage = futures_util::stream::iter([Ok::<_, std::io::Error>(vec![0x42; 1000].into())]);
    let failed = archive.import(&stream, garbage, &ImportOptions::default()).await.unwrap_err();
    assert!(matches!(failed, Error::Recording { .. }), "{failed:?}");
}

#[tokio::test]
async fn numbers_rise_over_sessions_and_replicas() {
    for store in Store::shared() {
        let fast = store.open_ahead(5000).await;
        let stream = create(&fast, "s", hours(24)).await;
        let mut numbers: Vec<FragmentNumber> = Vec::new();
        for session in 0_u64..4 {
            let archive = if session == 0 { fast.clone() } else { store.open().await };
            let numbering = archive.numbering(&stream).await.unwrap();
            for seed in 0..3 {
                let (number, server_timestamp) = numbering.next();
                // A relative clock: the producer counts from 0.
                let producer_timestamp =
                    Timestamp::from_millis(i64::try_from(session * 10_000 + seed * 1000).unwrap());
                let fragment = read(&untagged(seed * 1000, session).to_bytes()).remove(0);
                let identity =
                    Identity::Assigned { number: number.clone(), producer_timestamp, server_timestamp };
                let appended = archive.append(&stream, fragment, identity).await.unwrap();
                assert_eq!(appended.outcome, AppendOutcome::Stored);
                numbers.push(number);
            }
            store.advance(Duration::from_millis(10));
        }
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        let found = store.open().await.fragments_by_number(&stream, &numbers).await.unwrap();
        let found: Vec<_> = found.into_iter().map(|found| found.unwrap().number().clone()).collect();
        assert_eq!(found, numbers);
    }
}
