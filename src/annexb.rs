//! Byte streams of NAL units: Annex B of H.264 and of H.265, which say the same of them.

use memchr::memmem::{self, Finder};

/// `start_code_prefix_one_3bytes`.
const START_CODE: [u8; 3] = [0, 0, 1];

/// What [`split_at`] is given the start codes by. Making one takes longer than searching a small frame.
pub(crate) fn finder() -> Finder<'static> {
    Finder::new(&START_CODE)
}

/// Whether a byte stream begins here: two or more zeros and a one.
pub(crate) fn begins_with_start_code(bytes: &[u8]) -> bool {
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    zeros >= 2 && bytes.get(zeros) == Some(&1)
}

/// Visits the NAL units of a byte stream, each with its offset, and without the zeros behind it (annex B.1.1:
/// `trailing_zero_8bits`, and the `zero_byte` of the next start code). Some may be empty.
pub(crate) fn split<'a>(stream: &'a [u8], visit: impl FnMut(usize, &'a [u8])) {
    split_at(stream, memmem::find_iter(stream, &START_CODE), visit);
}

/// The same, of a byte stream whose start codes are known.
#[inline]
pub(crate) fn split_at<'a>(
    stream: &'a [u8],
    start_codes: impl Iterator<Item = usize>,
    mut visit: impl FnMut(usize, &'a [u8]),
) {
    let mut begin = None;
    for found in start_codes.chain([stream.len()]) {
        if let Some(begin) = begin {
            visit(begin, without_trailing_zeros(stream.get(begin..found).unwrap_or_default()));
        }
        begin = Some(found.saturating_add(START_CODE.len()));
    }
}

/// The NAL unit without the zeros behind it. Its own last byte is never 0 (H.264 clause 7.4.1): it holds the stop bit,
/// or is the 3 of a `cabac_zero_word`. Cameras that cut parameter sets out of Annex B leave zeros on.
#[inline]
pub(crate) fn without_trailing_zeros(nal: &[u8]) -> &[u8] {
    let len = nal.iter().rposition(|&byte| byte != 0).map_or(0, |last| last.saturating_add(1));
    nal.get(..len).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of annex B.2, byte by byte.
    fn naive_split(stream: &[u8]) -> Vec<Vec<u8>> {
        let (mut nals, mut at, mut current) = (Vec::new(), 0, None::<Vec<u8>>);
        while at < stream.len() {
            if stream[at..].starts_with(&[0, 0, 1]) {
                nals.extend(current.replace(Vec::new()));
                at += 3;
            } else {
                if let Some(nal) = &mut current {
                    nal.push(stream[at]);
                }
                at += 1;
            }
        }
        nals.extend(current);
        for nal in &mut nals {
            while nal.last() == Some(&0) {
                nal.pop();
            }
        }
        nals
    }

    #[test]
    fn splits_as_the_naive_reading_does() {
        let mut state = 1_u32;
        for _ in 0..20_000 {
            let mut stream = Vec::new();
            for _ in 0..state % 24 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                stream.push([0, 0, 0, 1, 2, 3][(state >> 24) as usize % 6]);
            }
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let mut nals = Vec::new();
            split(&stream, |offset, nal| {
                assert_eq!(&stream[offset..][..nal.len()], nal);
                nals.push(nal.to_vec());
            });
            assert_eq!(nals, naive_split(&stream), "{stream:?}");
        }
    }
}
