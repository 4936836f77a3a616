//! However a stream is cut into chunks, the same fragments come out.

use bytes::Bytes;
use getclip::{Error, Fragment, FragmentReader};

/// The first bytes say how the rest is cut.
pub fn reader_chunking(data: &[u8]) {
    let Some((sizes, input)) = data.split_first_chunk::<4>() else { return };
    let whole: Vec<_> = getclip::fragments(Bytes::copy_from_slice(input)).map(describe).collect();
    let mut sizes = sizes.iter().cycle().map(|&size| match size {
        // A byte on its own, a few, or many at once.
        0..128 => usize::from(size % 16) + 1,
        _ => usize::from(size) * 64,
    });
    let mut reader = FragmentReader::new();
    let mut cut = Vec::new();
    let mut rest = input;
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(rest.len().min(sizes.next().unwrap_or(1)));
        reader.push(Bytes::copy_from_slice(chunk));
        rest = behind;
        cut.extend(std::iter::from_fn(|| reader.next_fragment()).map(describe));
    }
    reader.finish();
    cut.extend(std::iter::from_fn(|| reader.next_fragment()).map(describe));
    assert_eq!(cut, whole);
}

/// All that can be seen of a fragment.
#[derive(Debug, PartialEq)]
struct Seen {
    fragment: Fragment,
    frames: Vec<Bytes>,
}

fn describe(item: Result<Fragment, Error>) -> Result<Seen, Error> {
    let fragment = item?;
    let frames = fragment.frames().map(|(_, bytes)| bytes).collect();
    Ok(Seen { fragment, frames })
}
