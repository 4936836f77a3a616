//! Fragments are found by either clock, by number, in pages, and as they arrive.

use std::time::Duration;

use getclip::{ClipFragmentSelector, ClipTimestampRange, FragmentNumber, Timestamp};
use getclip_archive::{
    Archive, Error, Identity, Page, PageToken, Retention, Span, StoredFragment, StreamChange, StreamInfo,
    TailPosition, TailStart,
};
use testkit::mkv;

use crate::append::all;
use crate::recordings::{import, read, stored};
use crate::stores::{Store, create, hours, limit, name};

const START: u64 = 1_700_000_395_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn range(start_ms: i64, end_ms: i64) -> ClipTimestampRange {
    ClipTimestampRange::new(at(start_ms), at(end_ms)).unwrap()
}

/// All pages of a list.
async fn list(
    archive: &Archive,
    stream: &StreamInfo,
    selector: ClipFragmentSelector,
    page_len: usize,
) -> Vec<StoredFragment> {
    let mut found = Vec::new();
    let mut page = Page::first(limit(page_len));
    loop {
        let (fragments, token) = archive.list_fragments(stream, selector, page).await.unwrap();
        assert!(fragments.len() <= page_len);
        found.extend(fragments);
        let Some(token) = token else { return found };
        let token: PageToken = token.to_string().parse().unwrap();
        assert_eq!(token.selector(), Some(selector));
        page = Page::after(token, limit(page_len));
    }
}

fn times(fragments: &[StoredFragment]) -> Vec<i64> {
    fragments.iter().map(|fragment| fragment.producer_timestamp().as_millis()).collect()
}

#[tokio::test]
async fn both_ends_of_a_range_are_included_over_the_bounds_of_buckets() {
    for store in Store::all() {
        let archive = store.open().await;
        let stream = create(&archive, "s", Retention::Forever).await;
        // Ten minutes end at 1,700,000,400.
        import(&archive, &stream, &mkv::documents(&stored(START, 10))).await;
        let start = i64::try_from(START).unwrap();
        let expected: Vec<i64> = (2..=7).map(|second| start + second * 1000).collect();
        let producer = ClipFragmentSelector::producer(range(start + 2000, start + 7000));
        let server = ClipFragmentSelector::server(range(start + 2613, start + 7613));
        for page_len in [1, 4, 100] {
            assert_eq!(times(&list(&archive, &stream, producer, page_len).await), expected);
            assert_eq!(times(&list(&archive, &stream, server, page_len).await), expected);
        }
        let inside = ClipFragmentSelector::producer(range(start + 2001, start + 2999));
        assert_eq!(times(&list(&archive, &stream, inside, 10).await), [] as [i64; 0]);
        let first = archive.first_fragment(&stream).await.unwrap().unwrap();
        assert_eq!(first.producer_timestamp(), at(start));
    }
}

#[tokio::test]
async fn clocks_that_are_far_apart_are_found_by_either() {
    for store in Store::all() {
        let archive = store.open().await;
        let stream = create(&archive, "s", Retention::Forever).await;
        // Recorded by a clock that counts from 0, and received by one that does not.
        let fragments: Vec<_> = (0..6)
            .map(|index| {
                let server_ms = START + index * 300_000;
                stored(index * 1000, 1)
                    .remove(0)
                    .number(&mkv::fragment_number(index))
                    .server(&mkv::decimal_seconds(server_ms))
            })
            .collect();
        import(&archive, &stream, &mkv::documents(&fragments)).await;
        let start = i64::try_from(START).unwrap();
        let server = ClipFragmentSelector::server(range(start + 1, start + 900_000));
        assert_eq!(times(&list(&archive, &stream, server, 2).await), [1000, 2000, 3000]);
        let producer = ClipFragmentSelector::producer(range(0, 2000));
        assert_eq!(times(&list(&archive, &stream, producer, 2).await), [0, 1000, 2000]);
        let by_server = ClipFragmentSelector::all(getclip::ClipFragmentSelectorType::ServerTimestamp);
        assert_eq!(list(&archive, &stream, by_server, 4).await.len(), 6);
        assert_eq!(archive.first_fragment(&stream).await.unwrap().unwrap().server_timestamp(), at(start));
    }
}

#[tokio::test]
async fn fragments_are_found_by_number_in_the_order_asked_for() {
    for store in Store::all() {
        let archive = store.open().await;
        let stream = create(&archive, "s", Retention::Forever).await;
        import(&archive, &stream, &mkv::documents(&stored(START, 20))).await;
        let fragments = all(&archive, &stream).await;
        let missing: FragmentNumber = "12345".parse().unwrap();
        let like_ours: FragmentNumber = format!("1{START:014}{}", "7".repeat(32)).parse().unwrap();
        let numbers = [
            fragments[13].number().clone(),
            missing,
            fragments[2].number().clone(),
            like_ours,
            fragments[2].number().clone(),
        ];
        let found = archive.fragments_by_number(&stream, &numbers).await.unwrap();
        let [thirteen, two] = [13, 2].map(|index: usize| Some(fragments[index].clone()));
        assert_eq!(found, [thirteen, None, two.clone(), None, two]);
    }
}

#[tokio::test]
async fn a_number_of_others_that_looks_like_ours_is_found() {
    for store in Store::all() {
        let archive = store.open().await;
        let stream = create(&archive, "s", Retention::Forever).await;
        let number: FragmentNumber = format!("2{:014}{}", 5, "7".repeat(32)).parse().unwrap();
        let fragment = stored(START, 1).remove(0).number(number.as_str());
        import(&archive, &stream, &fragment.to_bytes()).await;
        let found = archive.fragments_by_number(&stream, std::slice::from_ref(&number)).await.unwrap();
        assert_eq!(found[0].as_ref().map(StoredFragment::number), Some(&number));
    }
}

#[tokio::test]
async fn a_token_is_of_one_list() {
    let store = Store::memory();
    let archive = store.open().await;
    let (one, other) =
        (create(&archive, "a", Retention::Forever).await, create(&archive, "b", Retention::Forever).await);
    store.advance(Duration::from_secs(1));
    import(&archive, &one, &mkv::documents(&stored(START, 3))).await;
    let start = i64::try_from(START).unwrap();
    let selector = ClipFragmentSelector::producer(range(start, start + 9000));
    let (_, token) = archive.list_fragments(&one, selector, Page::first(limit(1))).await.unwrap();
    let token = token.unwrap();
    let page = || Page::after(token.clone(), limit(1));
    let by_server = ClipFragmentSelector::server(range(start, start + 9000));
    let wrong = archive.list_fragments(&one, by_server, page()).await;
    assert!(matches!(wrong, Err(Error::InvalidToken)), "{wrong:?}");
    let wrong = archive.streams("", page()).await;
    assert!(matches!(wrong, Err(Error::InvalidToken)), "{wrong:?}");
    archive.delete_stream(&name("b"), None).await.unwrap();
    let again = create(&archive, "b", Retention::Forever).await;
    assert_ne!(again.created(), other.created());
    let wrong = archive.list_fragments(&again, selector, page()).await;
    assert!(matches!(wrong, Err(Error::InvalidToken)), "{wrong:?}");
}

#[tokio::test]
async fn what_is_past_retention_is_not_found_from_that_moment() {
    for store in Store::all() {
        let archive = store.open().await;
        let stream = create(&archive, "s", hours(2)).await;
        let start_ms = store.now_ms() - 3_600_000;
        import(&archive, &stream, &mkv::documents(&stored(u64::try_from(start_ms).unwrap(), 3))).await;
        let fragments = all(&archive, &stream).await;
        assert_eq!(fragments.len(), 3);
        let numbers: Vec<_> = fragments.iter().map(|fragment| fragment.number().clone()).collect();
        // The first is one hour old, less 613 ms on the way.
        store.set_now_ms(start_ms + 613 + 2 * 3_600_000 + 1);
        assert_eq!(all(&archive, &stream).await, fragments[1..]);
        let found = archive.fragments_by_number(&stream, &numbers).await.unwrap();
        assert_eq!(found, [None, Some(fragments[1].clone()), Some(fragments[2].clone())]);
        assert_eq!(archive.first_fragment(&stream).await.unwrap().as_ref(), Some(&fragments[1]));
        // A shorter retention drops at once, and a longer one brings nothing back.
        for retention in [hours(1), hours(100)] {
            let change = StreamChange::new().retention(retention);
            let stream = archive.change_stream(&name("s"), None, change).await.unwrap();
            assert_eq!(all(&archive, &stream).await, []);
            assert_eq!(archive.first_fragment(&stream).await.unwrap(), None);
        }
    }
}

#[tokio::test]
async fn statistics_and_the_time_line() {
    for store in Store::all() {
        let archive = store.open().await;
        let stream = create(&archive, "s", Retention::Forever).await;
        let start = i64::try_from(START).unwrap();
        import(&archive, &stream, &mkv::documents(&stored(START, 5))).await;
        import(&archive, &stream, &mkv::documents(&stored(START + 100_000, 5))).await;
        let statistics = archive.statistics(&stream).await.unwrap();
        assert_eq!(statistics.fragments, 10);
        assert_eq!(statistics.references, 0);
        assert_eq!(statistics.length_ms, 10_000);
        assert_eq!(statistics.first, Some(at(start)));
        assert_eq!(statistics.last, Some(at(start + 104_000)));
        let documents: u64 = all(&archive, &stream).await.iter().map(StoredFragment::document_len).sum();
        assert_eq!(statistics.document_bytes, documents);
        assert!(statistics.stored_bytes > documents);
        let whole = at(start - 1000)..=at(start + 200_000);
        let spans = archive.coverage(&stream, whole.clone(), Duration::from_secs(1)).await.unwrap();
        let expected = [
            Span { start: at(start), end: at(start + 5000) },
            Span { start: at(start + 100_000), end: at(start + 105_000) },
        ];
        assert_eq!(spans, expected);
        let spans = archive.coverage(&stream, whole, Duration::from_secs(100)).await.unwrap();
        assert_eq!(spans, [Span { start: at(start), end: at(start + 105_000) }]);
        // A year is told in units of ten minutes.
        let year = at(start - 180 * 86_400_000)..=at(start + 180 * 86_400_000);
        let spans = archive.coverage(&stream, year, Duration::from_secs(600)).await.unwrap();
        assert_eq!(spans, [Span { start: at(1_699_999_800_000), end: at(1_700_000_999_999) }]);
    }
}

async fn append_at(archive: &Archive, stream: &StreamInfo, producer_ms: u64) -> FragmentNumber {
    let numbering = archive.numbering(stream).await.unwrap();
    let (number, server_timestamp) = numbering.next();
    let producer_timestamp = at(i64::try_from(producer_ms).unwrap());
    let identity = Identity::Assigned { number: number.clone(), producer_timestamp, server_timestamp };
    let fragment = read(&mkv::documents(&stored(producer_ms, 1))).remove(0);
    archive.append(stream, fragment, identity).await.unwrap();
    number
}

#[tokio::test]
async fn a_tail_has_every_fragment_once_in_the_order_of_arrival() {
    for store in Store::shared() {
        let (archive, fast) = (store.open().await, store.open_ahead(2000).await);
        let stream = create(&archive, "s", hours(24)).await;
        let mut position = archive.tail_start(&stream, &TailStart::Now).await.unwrap().unwrap();
        let (mut sent, mut received) = (Vec::new(), Vec::new());
        for step in 0_u64..40 {
            if step < 30 {
                let replica = if step % 3 == 0 { &fast } else { &archive };
                sent.push((step, append_at(replica, &stream, step * 1000).await));
            }
            let (fragments, next) = archive.tail(&stream, &position, limit(4)).await.unwrap();
            for fragment in &fragments {
                assert!(fragment.server_timestamp().as_millis() <= store.now_ms() - 3000);
            }
            received.extend(fragments);
            position = next.to_string().parse::<TailPosition>().unwrap();
            store.advance(Duration::from_millis(500));
        }
        let order: Vec<_> = received.iter().map(|fragment| fragment.number().clone()).collect();
        assert!(order.is_sorted_by(|a, b| a < b), "{order:?}");
        let mut expected: Vec<_> = sent.into_iter().map(|(_, number)| number).collect();
        expected.sort();
        assert_eq!(order, expected);
    }
}

#[tokio::test]
async fn a_tail_begins_where_it_is_asked_to() {
    for store in Store::all() {
        let archive = store.open().await;
        let stream = create(&archive, "s", hours(24)).await;
        let mut numbers = Vec::new();
        let started = store.now_ms();
        for step in 0_u64..5 {
            numbers.push(append_at(&archive, &stream, 50_000 + step * 1000).await);
            store.advance(Duration::from_secs(1));
        }
        store.advance(Duration::from_secs(10));
        let cases = [
            (TailStart::Earliest, 0),
            (TailStart::Now, 5),
            (TailStart::AfterFragment(numbers[1].clone()), 2),
            (TailStart::ServerTimestamp(at(started + 3000)), 3),
            (TailStart::ServerTimestamp(at(started + 2001)), 3),
            (TailStart::ProducerTimestamp(at(52_000)), 2),
            (TailStart::ProducerTimestamp(at(52_001)), 3),
            (TailStart::ProducerTimestamp(at(60_000)), 5),
        ];
        for (start, expected) in cases {
            let position = archive.tail_start(&stream, &start).await.unwrap().unwrap();
            let (found, _) = archive.tail(&stream, &position, limit(100)).await.unwrap();
            let found: Vec<_> = found.iter().map(|fragment| fragment.number().clone()).collect();
            assert_eq!(found, numbers[expected..], "{start:?}");
        }
        let unknown = TailStart::AfterFragment("91".parse().unwrap());
        assert_eq!(archive.tail_start(&stream, &unknown).await.unwrap(), None);
    }
}
