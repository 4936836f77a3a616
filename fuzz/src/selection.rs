//! Which fragments are taken, against a selection that looks at all of them at once.

use std::num::NonZeroUsize;

use arbitrary::Arbitrary;
use getclip::{
    ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, ClipTimestampRange, ErrorKind, Limits,
    Timestamp,
};

use super::amounts::{AllThatFollow, Below};
use testkit::media;
use testkit::mkv::{Block, Fragment, Track, decimal_seconds, documents};

const NOON_MS: u64 = 1_700_000_000_000;

/// Few numbers and times, so that they collide.
#[derive(Debug, Arbitrary)]
pub struct Selection {
    by_server: bool,
    max_fragments: Below<6>,
    range: Option<Range>,
    offered: AllThatFollow<Offered>,
}

/// In milliseconds behind noon.
#[derive(Debug, Arbitrary)]
struct Range {
    start: Below<12>,
    length: Below<12>,
}

/// A fragment by its tags, in milliseconds behind noon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Arbitrary)]
struct Offered {
    number: Below<16>,
    producer: Below<16>,
    server: Below<16>,
}

/// [`select`] looks at all of them for each.
const MOST: usize = 40;

pub fn selection(selection: Selection) {
    let Selection { by_server, max_fragments, range, offered } = selection;
    let max_fragments = NonZeroUsize::new(max_fragments.size()).unwrap_or(NonZeroUsize::MIN);
    let range = range.map(|range| (range.start.long(), range.start.long() + range.length.long() + 1));
    let offered = &offered.0[..offered.0.len().min(MOST)];

    let clock = match by_server {
        true => ClipFragmentSelectorType::ServerTimestamp,
        false => ClipFragmentSelectorType::ProducerTimestamp,
    };
    let selector = match range.map(|(start, end)| ClipTimestampRange::new(time(start), time(end))) {
        None => ClipFragmentSelector::all(clock),
        Some(range) if by_server => ClipFragmentSelector::server(range.expect("an end behind the start")),
        Some(range) => ClipFragmentSelector::producer(range.expect("an end behind the start")),
    };
    let input = documents(&offered.iter().map(write).collect::<Vec<_>>());
    let clip = ClipBuilder::new(selector)
        .limits(Limits::default().with_max_fragments(max_fragments))
        .build(getclip::fragments(input.into()));

    let in_range = |time: u64| range.is_none_or(|(start, end)| (start..=end).contains(&time));
    let mut want = select(offered, by_server, in_range);
    let left_out = want.split_off(max_fragments.get().min(want.len()));
    match clip {
        Ok(clip) => {
            let report = clip.report();
            let found: Vec<(String, i64)> = report
                .fragments
                .iter()
                .map(|fragment| (fragment.name.to_string(), fragment.producer_timestamp.as_millis()))
                .collect();
            let want_found: Vec<(String, i64)> = want
                .iter()
                .map(|fragment| (fragment.number.0.to_string(), time(fragment.producer.long()).as_millis()))
                .collect();
            assert_eq!(found, want_found);
            let cut = report.cut.as_ref();
            let next = left_out.first();
            assert_eq!(
                cut.map(|cut| (cut.fragment.to_string(), cut.continue_from)),
                next.map(|next| (
                    next.number.0.to_string(),
                    Some(time(if by_server { next.server.long() } else { next.producer.long() }))
                )),
            );
        }
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::NoFragments { .. }), "{error}");
            assert!(want.is_empty());
        }
    }
}

/// Section 4 of the design, read to the letter: in the range, sorted by time and number, of duplicates the larger
/// number or, where they are the same fragment, the first.
fn select(offered: &[Offered], by_server: bool, in_range: impl Fn(u64) -> bool) -> Vec<Offered> {
    let time = |fragment: &Offered| if by_server { fragment.server.0 } else { fragment.producer.0 };
    let mut selected: Vec<Offered> = Vec::new();
    for &fragment in offered.iter().filter(|fragment| in_range(time(fragment).into())) {
        let twin = selected
            .iter_mut()
            .find(|other| time(other) == time(&fragment) && (!by_server || other.number == fragment.number));
        match twin {
            Some(twin) if twin.number < fragment.number => *twin = fragment,
            Some(_) => {}
            None => selected.push(fragment),
        }
    }
    selected.sort_by_key(|fragment| (time(fragment), fragment.number));
    selected
}

fn write(offered: &Offered) -> Fragment {
    let frame = media::avc_frame(offered.number.long(), 16, true);
    Fragment::new(vec![Track::avc()], vec![Block::new(1, 0, true, frame)])
        .number(&offered.number.0.to_string())
        .producer(&decimal_seconds(NOON_MS + offered.producer.long()))
        .server(&decimal_seconds(NOON_MS + offered.server.long()))
}

fn time(offset_ms: u64) -> Timestamp {
    Timestamp::from_millis((NOON_MS + offset_ms) as i64)
}
