//! Clips of stored fragments are those of the recording, byte for byte, and read no more than they need.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use getclip::{
    ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, ClipTimestampRange, Limits, RangeStart,
    Timestamp, TrackChoice, Trim,
};
use getclip_archive::{Archive, ClipRequest, Error, Retention, Settings, StoredFragment};
use testkit::{manifest, mkv};

use crate::append::all;
use crate::recordings::{bytes, import, large, read, stored};
use crate::stores::{Store, create, hours, limit, name};

fn everything() -> ClipFragmentSelector {
    ClipFragmentSelector::all(ClipFragmentSelectorType::ProducerTimestamp)
}

/// The clip of a recording, in memory.
fn clip(recording: &[u8], selector: ClipFragmentSelector) -> Vec<u8> {
    let fragments = getclip::fragments(Bytes::copy_from_slice(recording));
    let clip = ClipBuilder::new(selector).build(fragments).unwrap();
    let mut file = Vec::new();
    clip.write_to(&mut file).unwrap();
    file
}

#[tokio::test]
async fn a_clip_is_that_of_the_recording() {
    for store in Store::all() {
        let archive = store.open().await;
        for file in manifest::names() {
            // Recordings of which GetClip makes no clip.
            if ["h264_resolution_change"].contains(&file.as_str()) {
                continue;
            }
            let recording = manifest::mkv(&file);
            let stream = create(&archive, &file, Retention::Forever).await;
            import(&archive, &stream, &recording).await;
            let expected = clip(&recording, everything());
            let stored = archive.clip(&name(&file), &ClipRequest::new(everything())).await.unwrap();
            assert_eq!(stored.plan().len(), expected.len() as u64, "{file}");
            assert!(!stored.plan().etag().is_weak(), "{file}");
            assert!(bytes(stored.body(..)).await == expected, "{file}");
            for range in [0..1, 100..5000, 40_000..41_000, 1..expected.len()] {
                let range = range.start.min(expected.len())..range.end.min(expected.len());
                let body = stored.body(range.start as u64..range.end as u64);
                assert!(bytes(body).await == expected[range.clone()], "{file} {range:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_refused_clip_is_refused_before_its_first_byte() {
    for store in Store::all() {
        let archive = store.open().await;
        let recording = manifest::mkv("h264_resolution_change");
        let stream = create(&archive, "s", Retention::Forever).await;
        let request = ClipRequest::new(everything());
        let none = archive.clip(&name("s"), &request).await.unwrap_err();
        let Error::Clip { source, .. } = &none else { panic!("{none:?}") };
        assert_eq!(source.exception().name(), "ResourceNotFoundException");
        import(&archive, &stream, &recording).await;
        let refused = archive.clip(&name("s"), &request).await.unwrap_err();
        let Error::Clip { source, .. } = &refused else { panic!("{refused:?}") };
        assert_eq!(source.exception().name(), "InvalidCodecPrivateDataException");
        let missing = archive.clip(&name("t"), &request).await.unwrap_err();
        assert!(matches!(missing, Error::StreamNotFound { .. }), "{missing:?}");
        create(&archive, "none", Retention::None).await;
        let none = archive.clip(&name("none"), &request).await.unwrap_err();
        assert!(matches!(none, Error::NoDataRetention { .. }), "{none:?}");
    }
}

#[tokio::test]
async fn planning_reads_the_indexes_and_a_range_what_it_needs() {
    for store in Store::all() {
        let archive = store.open().await;
        let recording = manifest::mkv("h264_bframes");
        let stream = create(&archive, "s", Retention::Forever).await;
        import(&archive, &stream, &recording).await;
        let fragments = all(&archive, &stream).await;
        assert_eq!(fragments.len(), 30);
        let before = archive.requests();
        let clip = archive.clip(&name("s"), &ClipRequest::new(everything())).await.unwrap();
        let planned = archive.requests();
        let documents: u64 = fragments.iter().map(StoredFragment::document_len).sum();
        let read = planned.bytes_read - before.bytes_read;
        assert!(read < documents / 8, "planning read {read} of {documents} bytes");
        let len = clip.plan().len();
        let tail = bytes(clip.body(len - 1000..)).await;
        let after = archive.requests();
        assert_eq!(after.gets - planned.gets, 1);
        let read = after.bytes_read - planned.bytes_read;
        assert!((1000..2000).contains(&read), "1000 bytes of the clip took {read}");
        assert_eq!(tail, bytes(clip.body(..)).await[usize::try_from(len).unwrap() - 1000..]);
        // The whole clip reads each fragment once.
        let whole = archive.requests();
        assert_eq!(whole.gets - after.gets, 30);
    }
}

#[tokio::test]
async fn the_first_part_of_a_long_range_reads_only_what_the_limit_lets_in() {
    for store in Store::all() {
        let archive = store.open().await;
        let start_ms = 1_700_000_000_000;
        let stream = create(&archive, "s", Retention::Forever).await;
        let recording = mkv::documents(&stored(start_ms, 40));
        import(&archive, &stream, &recording).await;
        let limits = Limits::default().with_max_fragments(limit(10));
        let before = archive.requests();
        let request = ClipRequest::new(everything()).limits(limits);
        let clip = archive.clip(&name("s"), &request).await.unwrap();
        // The state, ten indexes, that of the one to continue from, and two that trimming might need.
        assert_eq!(archive.requests().gets - before.gets, 14);
        assert_eq!(clip.fragments().len(), 10);
        let cut = clip.plan().report().cut.as_ref().unwrap();
        let expected = i64::try_from(start_ms + 10_000).unwrap();
        assert_eq!(cut.continue_from, Some(Timestamp::from_millis(expected)));
    }
}

#[tokio::test]
async fn fragments_with_one_producer_timestamp_are_one_in_a_clip() {
    for store in Store::all() {
        let archive = store.open().await;
        let stream = create(&archive, "s", Retention::Forever).await;
        let mut fragments = stored(1_700_000_000_000, 4);
        let again = fragments[1].clone().number(&mkv::fragment_number(99_999_999_999));
        fragments.push(again);
        let recording = mkv::documents(&fragments);
        import(&archive, &stream, &recording).await;
        let clip = archive.clip(&name("s"), &ClipRequest::new(everything())).await.unwrap();
        assert_eq!(clip.fragments().len(), 4);
        assert_eq!(clip.fragments()[1].number().as_str(), mkv::fragment_number(99_999_999_999));
        assert_eq!(clip.plan().report().events.len(), 1);
        assert!(bytes(clip.body(..)).await == self::clip(&recording, everything()));
    }
}

#[tokio::test]
async fn a_range_is_that_of_the_recording_by_either_clock() {
    for store in Store::all() {
        let archive = store.open().await;
        let stream = create(&archive, "s", Retention::Forever).await;
        let recording = mkv::documents(&stored(1_700_000_395_000, 20));
        import(&archive, &stream, &recording).await;
        let at = |ms: i64| Timestamp::from_millis(1_700_000_395_000 + ms);
        for (start, end) in [(3000, 12_000), (-5000, 1), (612, 7613)] {
            let range = ClipTimestampRange::new(at(start), at(end)).unwrap();
            for selector in [ClipFragmentSelector::producer(range), ClipFragmentSelector::server(range)] {
                let request = ClipRequest::new(selector);
                match archive.clip(&name("s"), &request).await {
                    Ok(stored) => assert!(bytes(stored.body(..)).await == clip(&recording, selector)),
                    Err(error) => {
                        assert!(matches!(error, Error::Clip { .. }), "{error:?}");
                        let fragments = getclip::fragments(Bytes::copy_from_slice(&recording));
                        assert!(ClipBuilder::new(selector).build(fragments).is_err());
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_fragment_that_covers_the_start_is_found() {
    for store in Store::all() {
        let archive = store.open().await;
        let stream = create(&archive, "s", Retention::Forever).await;
        // A bucket of ten minutes ends at 1,700,000,400.
        let recording = mkv::documents(&stored(1_700_000_395_000, 20));
        import(&archive, &stream, &recording).await;
        let at = |ms: i64| Timestamp::from_millis(1_700_000_395_000 + ms);
        for (start, end, whole) in [(5300, 9000, 5), (5000, 9000, 5), (4999, 9000, 6), (19_500, 30_000, 1)] {
            let range = ClipTimestampRange::new(at(start), at(end)).unwrap();
            let selector = ClipFragmentSelector::producer(range);
            for trim in [Trim::WholeFragments, Trim::ToRange] {
                let request = ClipRequest::new(selector).range_start(RangeStart::Covering).trim(trim);
                let clip = archive.clip(&name("s"), &request).await.unwrap();
                // The last one starts at the end of the range, and has nothing in it.
                let trimmed = usize::from(trim == Trim::ToRange && end == 9000);
                assert_eq!(clip.fragments().len(), whole - trimmed, "{start} {trim:?}");
                let fragments = getclip::fragments(Bytes::copy_from_slice(&recording));
                let builder = ClipBuilder::new(selector).range_start(RangeStart::Covering).trim(trim);
                let mut file = Vec::new();
                builder.build(fragments).unwrap().write_to(&mut file).unwrap();
                assert!(bytes(clip.body(..)).await == file, "{start} {trim:?}");
            }
        }
    }
}

#[tokio::test]
async fn fragments_larger_than_what_is_held_are_sent_whole() {
    for (picture_len, sound_is_last) in [(20_000, false), (150_000, false), (150_000, true), (700_000, true)]
    {
        let archive = Store::folder().open().await;
        let recording = large(3, picture_len, sound_is_last);
        let stream = create(&archive, "s", Retention::Forever).await;
        import(&archive, &stream, &recording).await;
        let clip = archive.clip(&name("s"), &ClipRequest::new(everything())).await.unwrap();
        let expected = self::clip(&recording, everything());
        let before = archive.requests();
        assert!(bytes(clip.body(..)).await == expected, "{picture_len} {sound_is_last}");
        let read = archive.requests().bytes_read - before.bytes_read;
        // What lies in other windows than its neighbours in the clip may be read again, but not often.
        assert!(read < 2 * expected.len() as u64, "{read} bytes were read to send {}", expected.len());
        let len = expected.len();
        for (start, end) in
            [(len / 3, len / 3 + 10), (len / 2, len / 2 + 1_500_000), (1, len - 1), (len - 9, len)]
        {
            let end = end.min(len);
            let body = clip.body(start as u64..end as u64);
            assert!(
                bytes(body).await == expected[start..end],
                "{picture_len} {sound_is_last} {start}..{end}"
            );
        }
        let documents = archive.documents(&stream, all(&archive, &stream).await);
        assert!(self::clip(&bytes(documents).await, everything()) == expected);
    }
}

#[tokio::test]
async fn sound_alone_is_that_of_the_recording() {
    for store in Store::all() {
        let archive = store.open().await;
        let recording = manifest::mkv("h264_aac");
        let stream = create(&archive, "s", Retention::Forever).await;
        import(&archive, &stream, &recording).await;
        let request = ClipRequest::new(everything()).video_track(TrackChoice::Absent);
        let clip = archive.clip(&name("s"), &request).await.unwrap();
        let fragments = getclip::fragments(Bytes::copy_from_slice(&recording));
        let builder = ClipBuilder::new(everything()).video_track(TrackChoice::Absent);
        let mut file = Vec::new();
        builder.build(fragments).unwrap().write_to(&mut file).unwrap();
        assert!(bytes(clip.body(..)).await == file);
    }
}

#[tokio::test]
async fn documents_are_in_the_form_of_getmedia() {
    for store in Store::all() {
        let archive = store.open().await;
        let stream = create(&archive, "s", Retention::Forever).await;
        let recording = manifest::mkv("h264_merged");
        import(&archive, &stream, &recording).await;
        let fragments = all(&archive, &stream).await;
        let documents = bytes(archive.documents(&stream, fragments.clone())).await;
        let (sent, expected) = (read(&documents), read(&recording));
        assert_eq!(sent.len(), expected.len());
        for (sent, expected) in sent.iter().zip(&expected) {
            assert_eq!(sent.number(), expected.number());
            assert_eq!(sent.producer_timestamp(), expected.producer_timestamp());
            assert_eq!(sent.server_timestamp(), expected.server_timestamp());
            assert_eq!(sent.media(), expected.media());
            assert_eq!(sent.header(), expected.header());
        }
        assert!(clip(&documents, everything()) == clip(&recording, everything()));
        let none = archive.documents(&stream, Vec::new());
        assert_eq!(none.remaining(), 0);
        assert_eq!(bytes(none).await, [] as [u8; 0]);
    }
}

#[tokio::test]
async fn an_object_that_was_replaced_ends_the_body() {
    let store = Store::folder();
    let archive = store.open().await;
    let stream = create(&archive, "s", Retention::Forever).await;
    import(&archive, &stream, &manifest::mkv("h264_aac")).await;
    let clip = archive.clip(&name("s"), &ClipRequest::new(everything())).await.unwrap();
    let objects = crate::append::walk(store.path().unwrap());
    let last = objects.iter().rfind(|path| path.contains("/f/")).unwrap();
    let content = std::fs::read(last).unwrap();
    std::fs::remove_file(last).unwrap();
    std::fs::write(last, &content).unwrap();
    let mut body = clip.body(..);
    let error = loop {
        match body.next().await.unwrap() {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::ObjectChanged { .. }), "{error:?}");
    assert!(body.remaining() > 0);
    assert!(body.next().await.is_none());
    std::fs::write(last, &content[1..]).unwrap();
    let error = clip.body(..).try_for_each(|_| std::future::ready(Ok(()))).await.unwrap_err();
    let Error::ObjectChanged { expected, .. } = &error else { panic!("{error:?}") };
    assert_eq!(expected, &format!("{} bytes", content.len()));
}

#[tokio::test]
async fn replicas_give_a_clip_one_entity_tag() {
    for store in Store::shared() {
        let archive = store.open().await;
        let stream = create(&archive, "s", Retention::Forever).await;
        import(&archive, &stream, &manifest::mkv("h264_aac")).await;
        let request = ClipRequest::new(everything());
        let one = archive.clip(&name("s"), &request).await.unwrap().plan().etag();
        let other = store.open().await.clip(&name("s"), &request).await.unwrap().plan().etag();
        assert_eq!(one, other);
        assert!(!one.is_weak());
        // A fragment more is another clip.
        import(&archive, &stream, &mkv::documents(&stored(1_700_000_000_000, 1))).await;
        let more = archive.clip(&name("s"), &request).await;
        assert_ne!(more.map(|clip| clip.plan().etag()).ok(), Some(one));
    }
}

#[tokio::test]
async fn a_plan_is_kept_while_the_listing_is_the_same() {
    for store in Store::all() {
        let archive = store.open().await;
        let stream = create(&archive, "s", Retention::Forever).await;
        let fragments = stored(1_700_000_000_000, 8);
        import(&archive, &stream, &mkv::documents(&fragments[..7])).await;
        let request = ClipRequest::new(everything());
        let first = archive.clip(&name("s"), &request).await.unwrap();
        let before = archive.requests();
        let second = archive.clip(&name("s"), &request).await.unwrap();
        assert_eq!(second.plan().etag(), first.plan().etag());
        // The state, and no index.
        assert_eq!(archive.requests().gets - before.gets, 1);
        import(&archive, &stream, &mkv::documents(&fragments[7..])).await;
        let third = archive.clip(&name("s"), &request).await.unwrap();
        assert_eq!(third.fragments().len(), 8);
        let gaps = request.gaps(getclip::Gaps::Close);
        let before = archive.requests();
        archive.clip(&name("s"), &gaps).await.unwrap();
        assert_eq!(archive.requests().gets - before.gets, 9);
    }
}

#[tokio::test]
async fn a_recent_clip_is_what_a_player_has_the_beginning_of() {
    for store in Store::all() {
        let archive = store.open().await;
        let start_ms = store.now_ms() - 3_600_000;
        let stream = create(&archive, "s", hours(2)).await;
        let fragments = stored(u64::try_from(start_ms).unwrap(), 8);
        import(&archive, &stream, &mkv::documents(&fragments[..7])).await;
        let request = ClipRequest::new(everything());
        let first = archive.clip(&name("s"), &request).await.unwrap();
        import(&archive, &stream, &mkv::documents(&fragments[7..])).await;
        let minute = Duration::from_secs(60);
        let before = archive.requests();
        let recent = archive.recent_clip(&name("s"), &request, minute).await.unwrap();
        assert_eq!(recent.plan().etag(), first.plan().etag());
        let after = archive.requests();
        // The state alone.
        assert_eq!((after.gets - before.gets, after.lists - before.lists), (1, 1));
        let now = archive.recent_clip(&name("s"), &request, Duration::ZERO).await.unwrap();
        assert_eq!(now.fragments().len(), 8);
        // Past retention, changed, and deleted.
        store.set_now_ms(start_ms + 613 + 2 * 3_600_000 + 1);
        let later = archive.recent_clip(&name("s"), &request, minute).await.unwrap();
        assert_eq!(later.fragments().len(), 7);
        archive.delete_stream(&name("s"), None).await.unwrap();
        let gone = archive.recent_clip(&name("s"), &request, minute).await.unwrap_err();
        assert!(matches!(gone, Error::StreamNotFound { .. }), "{gone:?}");
        create(&archive, "s", Retention::None).await;
        let none = archive.recent_clip(&name("s"), &request, minute).await.unwrap_err();
        assert!(matches!(none, Error::NoDataRetention { .. }), "{none:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_larger_than_the_cache_is_kept_alone_for_a_minute() {
    let archive = Archive::memory(Settings::default().cached_plan_bytes(20_000));
    for stream in ["small", "large"] {
        let fragments = if stream == "small" { 1 } else { 40 };
        let info = create(&archive, stream, Retention::Forever).await;
        import(&archive, &info, &mkv::documents(&stored(1_700_000_000_000, fragments))).await;
    }
    let request = ClipRequest::new(everything());
    let is_kept = |stream: &'static str| {
        let archive = archive.clone();
        async move {
            let before = archive.requests().gets;
            archive.recent_clip(&name(stream), &request, Duration::from_secs(3600)).await.unwrap();
            archive.requests().gets - before == 1
        }
    };
    assert!(!is_kept("small").await);
    assert!(is_kept("small").await);
    assert!(!is_kept("large").await);
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(50)).await;
        assert!(is_kept("large").await);
    }
    tokio::time::sleep(Duration::from_secs(70)).await;
    assert!(!is_kept("large").await);
    assert!(!is_kept("small").await);
    assert!(!is_kept("large").await);
}
