//! However a stream is cut into chunks, the same fragments come out.

use bytes::Bytes;
use getclip::{Block, Error, Fragment, FragmentReader};

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
        cut.extend(reader.by_ref().map(describe));
    }
    reader.finish();
    cut.extend(reader.map(describe));
    assert_eq!(cut, whole);
}

/// All that can be seen of a fragment.
#[derive(Debug, PartialEq)]
struct Seen {
    said: String,
    blocks: Vec<Block>,
    frames: Vec<Bytes>,
}

fn describe(item: Result<Fragment, Error>) -> Result<Seen, Error> {
    let fragment = item?;
    Ok(Seen {
        said: format!(
            "{} at {} of {} bytes: {:?} {:?} {:?} {} {:?} {:?}",
            fragment.name(),
            fragment.offset(),
            fragment.len(),
            fragment.producer_timestamp(),
            fragment.server_timestamp(),
            fragment.cluster_timestamp_ns(),
            fragment.timestamp_scale_ns(),
            fragment.incomplete(),
            fragment.tracks(),
        ),
        blocks: fragment.blocks().to_vec(),
        frames: fragment.blocks().iter().map(|block| fragment.frame(block)).collect(),
    })
}
