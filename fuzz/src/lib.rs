//! What the fuzz targets do with the public API of `getclip`. A broken promise is a panic.
//!
//! The targets in `fuzz_targets/` are one line each and call these, or those in `getclip::fuzzing` for parsers that
//! the API hides. The tests in `tests/` run the same functions over inputs that once failed.

mod accounting;
mod amounts;
mod chunking;
mod description;
mod frames;
mod options;
mod ranges;
mod selection;
mod structured;

use getclip::{Error, Fragment};

pub use accounting::check_clip;
pub use chunking::reader_chunking;
pub use options::Options;
pub use ranges::{Reads, clip_ranges};
pub use selection::{Selection, selection};
pub use structured::{Structured, build_structured};

/// Bytes to fragments: each frame lies inside the input, and an error is the last that is said.
pub fn fragments(data: &[u8]) {
    let mut reader = getclip::FragmentReader::new();
    reader.push(bytes::Bytes::copy_from_slice(data));
    reader.finish();
    let mut end = 0;
    while let Some(item) = reader.next_fragment() {
        match item {
            Ok(fragment) => end = check_fragment(&fragment, end),
            Err(error) => {
                check_error(&error);
                assert!(reader.next_fragment().is_none(), "an item after an error");
            }
        }
    }
    assert!(reader.bytes_consumed() <= data.len() as u64);
}

/// Bytes to a clip. The first byte holds the options.
pub fn build_clip(data: &[u8]) {
    if let Some((&options, input)) = data.split_first() {
        build_with(Options::from_bits(options), input);
    }
}

/// Builds a clip and checks what comes out, be it a clip or an error.
pub fn build_with(options: Options, input: &[u8]) {
    let input = bytes::Bytes::copy_from_slice(input);
    match options.builder().build(getclip::fragments(input.clone())) {
        Ok(clip) => {
            let offered: Vec<Fragment> =
                getclip::fragments(input).collect::<Result<_, _>>().expect("a clip of whole input");
            check_clip(&clip, &offered, options);
        }
        Err(error) => check_error(&error),
    }
}

/// Text to a point in time and back.
pub fn timestamp(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(time) = text.parse::<getclip::Timestamp>() {
        let shown = time.to_string();
        // RFC 3339 has years of four digits.
        if shown.len() == "1970-01-01T00:00:00.000Z".len() && !shown.starts_with('-') {
            assert_eq!(shown.parse().as_ref(), Ok(&time), "{text:?} is shown as {shown:?}");
        }
        let range = getclip::ClipTimestampRange::new(time, time.saturating_add_millis(86_400_000));
        assert!(range.is_ok_and(|range| range.contains(time)) || time.as_millis() == i64::MAX);
    }
}

/// Checks a fragment that may not begin before `from`; answers where its Cluster ends.
fn check_fragment(fragment: &Fragment, from: u64) -> u64 {
    assert!(fragment.offset() >= from, "fragments in the order of the input");
    for (frame, bytes) in fragment.frames() {
        assert_eq!(bytes.len() as u64, frame.len(), "a frame inside its fragment");
    }
    assert!(!fragment.name().to_string().is_empty());
    check_index(fragment.index());
    fragment.offset()
}

/// An index is read as it was written.
fn check_index(index: &getclip::FragmentIndex) {
    assert_eq!(getclip::FragmentIndex::decode(&index.encode()).as_ref(), Ok(index));
}

/// Bytes to an index: what is read is written so that it is read again, as the same, and can be planned or is refused.
pub fn index(data: &[u8]) {
    let index = match getclip::FragmentIndex::decode(data) {
        Ok(index) => index,
        Err(error) => return check_error(&error),
    };
    check_index(&index);
    let mut planner = Options::default().builder().planner();
    match planner.offer(index).and_then(|()| planner.finish()) {
        Ok(plan) => {
            let sent: u64 = plan.extents(..).map(|extent| extent.len()).sum();
            assert_eq!(sent, plan.len(), "extents that are not the file");
        }
        Err(error) => check_error(&error),
    }
}

fn check_error(error: &Error) {
    assert!(!error.to_string().is_empty() && !error.aws_message().is_empty());
    assert!((400..=500).contains(&error.exception().http_status()));
}
