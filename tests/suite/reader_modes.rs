//! Readers of a live stream, and readers that pass over what a selector does not take.

use bytes::Bytes;
use getclip::{
    ClipBuilder, ClipFragmentSelector, ClipTimestampRange, Event, Fragment as Read, FragmentReader, Timestamp,
};
use testkit::ebml::Size;
use testkit::media;
use testkit::mkv::{self, Block, Fragment, Track, aac_blocks, avc_blocks};

use crate::clips::{file, ready};

const START: u64 = 1_700_000_000_000;

/// A fragment of one second.
fn fragment(index: u64) -> Fragment {
    let blocks = [avc_blocks(index, [0, 400, 800]), aac_blocks(index, [0, 21, 43])].concat();
    Fragment::stored(index, START + index * 1000, vec![Track::avc(), Track::aac()], blocks)
}

fn unknown(index: u64) -> Fragment {
    fragment(index).cluster_size(Size::Unknown(8))
}

/// How many bytes have arrived when each fragment comes out, and the fragments.
fn live(input: &[u8]) -> (FragmentReader, Vec<(usize, Read)>) {
    let mut reader = FragmentReader::live();
    let mut fragments = Vec::new();
    for (index, byte) in input.iter().enumerate() {
        reader.push(Bytes::copy_from_slice(&[*byte]));
        fragments.extend(ready(&mut reader).map(|read| (index + 1, read.unwrap())));
    }
    (reader, fragments)
}

/// Clusters of a producer, with the tag that the service's SDK writes after each of them.
#[test]
fn a_tag_ends_a_fragment() {
    let stream = mkv::merged(&[0, 1, 2].map(|index| Fragment {
        number: None,
        producer: None,
        server: None,
        ..unknown(index).end_of_fragment()
    }));
    let tags = testkit::ebml::id_bytes(testkit::ebml::id::TAGS);
    let ends: Vec<usize> = (0..stream.len()).filter(|&at| stream[at..].starts_with(&tags)).collect();
    let (_, fragments) = live(&stream);
    let arrivals: Vec<usize> = fragments.iter().map(|(arrived, _)| *arrived).collect();
    assert_eq!(arrivals.len(), 3);
    for (arrived, end) in arrivals.iter().zip(ends) {
        // An ID of 4 bytes, and the size of what it begins.
        assert!((end + 5..=end + 12).contains(arrived), "{arrivals:?}");
    }
    assert!(fragments.iter().all(|(_, read)| read.index().is_whole() && read.frames().count() == 6));
}

/// The next Cluster, and the end of a known size.
#[test]
fn a_fragment_ends_where_nothing_can_be_its_child() {
    for fragment in [fragment, unknown] {
        let stream = mkv::upload(&[0, 1, 2].map(fragment));
        let (mut reader, fragments) = live(&stream);
        let known = fragment(0) == self::fragment(0);
        assert_eq!(fragments.len(), if known { 3 } else { 2 });
        reader.finish();
        assert_eq!(ready(&mut reader).count(), if known { 0 } else { 1 });
    }
}

/// An idle producer: what is here as a whole is a fragment, and half a block is waited for.
#[test]
fn a_fragment_ends_when_the_caller_says_so() {
    let stream = mkv::upload(&[unknown(0)]);
    for missing in [1, 5, 20] {
        let (mut reader, _) = live(&stream[..stream.len() - missing]);
        assert!(!reader.end_fragment(), "{missing} bytes of the last block are missing");
        reader.push(Bytes::copy_from_slice(&stream[stream.len() - missing..]));
        assert!(reader.end_fragment());
        let [fragment] = &ready(&mut reader).map(Result::unwrap).collect::<Vec<_>>()[..] else { panic!() };
        assert!(fragment.index().is_whole());
        assert_eq!(fragment.frames().count(), 6);
        assert!(!reader.end_fragment(), "nothing has begun");
        // The producer goes on.
        reader.push(unknown(1).cluster().into());
        assert!(reader.end_fragment());
        assert_eq!(ready(&mut reader).count(), 1);
    }
    let mut nothing = FragmentReader::live();
    assert!(!nothing.end_fragment());
}

/// What a server needs to know of a fragment before all of it has arrived.
#[test]
fn what_is_arriving() {
    for fragment in [fragment(0), unknown(0)] {
        let stream = mkv::upload(std::slice::from_ref(&fragment));
        let cluster = stream.len() - fragment.cluster().len();
        let [whole] = &read_in_chunks(FragmentReader::live(), &stream, stream.len())[..] else { panic!() };
        let timestamp = whole.index().cluster_timestamp_ns();
        assert!(timestamp.is_some());
        let mut reader = FragmentReader::live();
        for (arrived, byte) in stream.iter().enumerate().take(stream.len() - 1) {
            reader.push(Bytes::copy_from_slice(&[*byte]));
            assert_eq!(ready(&mut reader).count(), 0);
            let arrived = arrived + 1;
            assert!(reader.buffered_bytes() <= arrived);
            assert_eq!(reader.resynchronizing(), None);
            // The header of the Cluster has 12 bytes, its Timestamp a header of 2.
            let Some(arriving) = reader.arriving() else {
                assert!(arrived < cluster + 12, "{arrived} of {}", stream.len());
                continue;
            };
            assert!(arrived >= cluster + 12);
            if arrived >= cluster + 12 + 10 {
                assert_eq!(arriving.cluster_timestamp_ns, timestamp);
                assert_eq!(reader.buffered_bytes(), arrived - cluster);
            }
            let known = if fragment == self::fragment(0) { stream.len() } else { arrived };
            assert_eq!(arriving.media_len, (known - cluster) as u64);
        }
    }
}

/// A server refuses at once what a reader of files would search on in.
#[test]
fn what_does_not_fit_is_told_at_once() {
    let stream = mkv::upload(&[unknown(0)]);
    let mut reader = FragmentReader::live();
    reader.push(stream.clone().into());
    assert_eq!(ready(&mut reader).count(), 0);
    assert_eq!(reader.resynchronizing(), None);
    reader.push(Bytes::from_static(&[0; 100]));
    assert_eq!(ready(&mut reader).count(), 0);
    let error = reader.resynchronizing().expect("an error");
    assert_eq!(error.location().offset, Some(stream.len() as u64));
    // A block of a track that is not declared names it.
    let mut reader = FragmentReader::live();
    reader.push([&stream[..], &[0xA3, 0x85, 0x87, 0, 0, 0x80, 0]].concat().into());
    assert_eq!(ready(&mut reader).count(), 0);
    assert_eq!(reader.resynchronizing().expect("an error").location().track, Some(7));
}

/// The service names fragments: whatever a producer says after a Cluster is none of it.
#[test]
fn tags_after_a_cluster_name_nothing() {
    let (_, fragments) = live(&mkv::documents(&[
        fragment(0).tag_place(mkv::TagPlace::AfterCluster),
        fragment(1).tag_place(mkv::TagPlace::AfterCluster),
    ]));
    assert_eq!(fragments.len(), 2);
    for (index, (_, read)) in fragments.iter().enumerate() {
        assert_eq!((read.number(), read.name().to_string()), (None, format!("#{}", index + 1)));
    }
}

fn selector(from_ms: u64, to_ms: u64) -> ClipFragmentSelector {
    let at = |ms: u64| Timestamp::from_millis((START + ms) as i64);
    ClipFragmentSelector::producer(ClipTimestampRange::new(at(from_ms), at(to_ms)).unwrap())
}

/// The fragments, when the input arrives in chunks of this size.
fn selected(input: &[u8], selector: ClipFragmentSelector, chunk: usize) -> Vec<Read> {
    read_in_chunks(FragmentReader::for_selector(selector), input, chunk)
}

fn read_in_chunks(mut reader: FragmentReader, input: &[u8], chunk: usize) -> Vec<Read> {
    let mut fragments = Vec::new();
    for chunk in input.chunks(chunk) {
        reader.push(Bytes::copy_from_slice(chunk));
        fragments.extend(ready(&mut reader).map(Result::unwrap));
    }
    reader.finish();
    fragments.extend(ready(&mut reader).map(Result::unwrap));
    fragments
}

const CHUNKS: [usize; 4] = [1, 100, 5000, 1 << 20];

#[test]
fn fragments_out_of_range_are_passed_over_by_their_size() {
    let input = mkv::documents(&[0, 1, 2, 3].map(fragment));
    let selector = selector(1000, 2000);
    for chunk in CHUNKS {
        let fragments = selected(&input, selector, chunk);
        let frames: Vec<usize> = fragments.iter().map(|read| read.frames().count()).collect();
        assert_eq!(frames, [0, 6, 6, 0]);
        assert!(fragments[0].media().is_empty());
        assert_eq!(fragments[0].index().media_len(), fragment(0).cluster().len() as u64);
        let items = fragments.into_iter().map(Ok::<_, getclip::Error>);
        let clip = ClipBuilder::new(selector).build(items).unwrap();
        let report = clip.report();
        assert_eq!((report.offered, report.out_of_range, report.fragments.len()), (4, 2, 2));
        let all = ClipBuilder::new(selector).build(getclip::fragments(input.clone().into())).unwrap();
        assert!(file(&clip) == file(&all));
    }
}

/// The frames of a Cluster of unknown size have to be read.
#[test]
fn a_cluster_of_unknown_size_cannot_be_passed_over() {
    let fragments = selected(&mkv::documents(&[0, 1].map(unknown)), selector(1000, 2000), 1000);
    assert_eq!(fragments.iter().map(|read| read.frames().count()).collect::<Vec<_>>(), [6, 6]);
}

#[test]
fn a_cluster_that_is_passed_over_and_not_whole() {
    let mut input = mkv::documents(&[0, 1].map(fragment));
    input.truncate(input.len() - 7);
    for chunk in CHUNKS {
        let fragments = selected(&input, selector(0, 900), chunk);
        let incomplete = fragments[1].incomplete().unwrap();
        assert_eq!((incomplete.offset, incomplete.missing_bytes), (input.len() as u64, Some(7)));
        let clip =
            ClipBuilder::new(selector(0, 900)).build(fragments.into_iter().map(Ok::<_, getclip::Error>));
        let events = &clip.unwrap().report().events.clone();
        assert!(matches!(events[..], [Event::Incomplete { frames: 0, .. }]), "{events:?}");
    }
}

/// A capture that was cut off in a fragment outside the range, wherever, and the next one: that one comes out as a whole.
#[test]
fn a_capture_that_is_cut_off_in_a_cluster_that_is_passed_over() {
    let large = |index: u64| {
        let block =
            |i: u64| Block::new(1, i as i16 * 40, i == 0, media::avc_frame(index * 100 + i, 900, i == 0));
        Fragment::stored(index, START + index * 1000, vec![Track::avc()], (0..3).map(block).collect())
    };
    let (first, second) = (large(0).to_bytes(), large(1).to_bytes());
    let cluster = first.len() - large(0).cluster().len();
    for cut in cluster + 12..first.len() {
        let input = [&first[..cut], &second].concat();
        for chunk in [61, 1 << 20] {
            let fragments = selected(&input, selector(1000, 2000), chunk);
            assert_eq!(fragments.len(), 2, "cut at {cut}");
            let incomplete = fragments[0].incomplete().unwrap_or_else(|| panic!("cut at {cut}"));
            assert_eq!(
                (incomplete.offset, incomplete.missing_bytes),
                (cut as u64, Some((first.len() - cut) as u64))
            );
            assert_eq!(fragments[1].frames().count(), 3, "cut at {cut}");
        }
    }
}
