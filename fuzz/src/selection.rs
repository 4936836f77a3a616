//! Which fragments are taken, against a selection that looks at all of them at once.

use getclip::{
    ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, ClipTimestampRange, ErrorKind, Limits,
    Timestamp,
};

use super::choices::Choices;
use super::support::media;
use super::support::mkv::{Block, Fragment, Track, decimal_seconds, documents};

const NOON_MS: u64 = 1_700_000_000_000;

/// A fragment by its tags, in milliseconds behind noon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Offered {
    number: u64,
    producer: u64,
    server: u64,
}

/// Few numbers and times, so that they collide.
pub fn selection(data: &[u8]) {
    let mut choices = Choices::new(data);
    let by_server = choices.rarely(2);
    let max_fragments = choices.below(6);
    let range = choices.rarely(2).then(|| {
        let start = choices.below(12) as u64;
        (start, start + choices.below(12) as u64 + 1)
    });
    let mut offered = Vec::new();
    while !choices.is_empty() && offered.len() < 40 {
        offered.push(Offered {
            number: choices.below(16) as u64,
            producer: choices.below(16) as u64,
            server: choices.below(16) as u64,
        });
    }

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
        .limits(Limits { max_fragments, ..Limits::default() })
        .build(getclip::fragments(input.into()));

    let in_range = |time: u64| range.is_none_or(|(start, end)| (start..=end).contains(&time));
    let mut want = select(&offered, by_server, in_range);
    let left_out = want.split_off(max_fragments.max(1).min(want.len()));
    match clip {
        Ok(clip) => {
            let report = clip.report();
            let found: Vec<(&str, i64)> = report
                .fragments
                .iter()
                .map(|fragment| (fragment.name.as_str(), fragment.producer_timestamp.as_millis()))
                .collect();
            let names: Vec<String> = want.iter().map(|fragment| fragment.number.to_string()).collect();
            let want_found: Vec<(&str, i64)> = names
                .iter()
                .zip(&want)
                .map(|(name, fragment)| (name.as_str(), time(fragment.producer).as_millis()))
                .collect();
            assert_eq!(found, want_found);
            let cut = report.cut.as_ref();
            let next = left_out.first();
            assert_eq!(
                cut.map(|cut| (cut.fragment.clone(), cut.continue_from)),
                next.map(|next| (
                    next.number.to_string(),
                    Some(time(if by_server { next.server } else { next.producer }))
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
    let time = |fragment: &Offered| if by_server { fragment.server } else { fragment.producer };
    let mut selected: Vec<Offered> = Vec::new();
    for &fragment in offered.iter().filter(|fragment| in_range(time(fragment))) {
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
    let frame = media::avc_frame(offered.number, 16, true);
    Fragment::new(vec![Track::avc()], vec![Block::new(1, 0, true, frame)])
        .number(&offered.number.to_string())
        .producer(&decimal_seconds(NOON_MS + offered.producer))
        .server(&decimal_seconds(NOON_MS + offered.server))
}

fn time(offset_ms: u64) -> Timestamp {
    Timestamp::from_millis((NOON_MS + offset_ms) as i64)
}
