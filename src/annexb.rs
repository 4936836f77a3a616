//! Byte streams of NAL units: Annex B of H.264 and of H.265, which say the same of them.

use memchr::memmem::{self, Finder};

/// `start_code_prefix_one_3bytes`.
const START_CODE: [u8; 3] = [0, 0, 1];

/// The start codes of the frames of a fragment that begin with `00 00 00 01`, as a picture does in Annex B (clause
/// B.1.2: `zero_byte` in front of its first NAL unit).
///
/// Such a frame must be searched from end to end, and whoever walks over the blocks of a Cluster is the one to do it:
/// then memory is read once and in order, and the next block's header is at hand where the search ends. Looking at a
/// header here and there first, and at the frames later, takes a third longer.
#[derive(Debug, Clone, Default)]
pub(crate) struct StartCodes(
    /// Offsets in the fragment's data, in ascending order.
    Vec<u32>,
);

impl StartCodes {
    /// With room for `capacity` start codes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// What [`note`](Self::note) searches with. Making one takes longer than searching a small frame.
    pub(crate) fn finder() -> Finder<'static> {
        Finder::new(&START_CODE)
    }

    /// Searches the next frame, which begins at `offset` in the fragment's data, if it begins as a picture does.
    #[inline]
    pub(crate) fn note(&mut self, finder: &Finder<'_>, frame: &[u8], offset: u32) {
        if frame.starts_with(&[0, 0, 0, 1]) {
            self.search(finder, frame, offset);
        }
    }

    #[inline(never)]
    fn search(&mut self, finder: &Finder<'_>, frame: &[u8], offset: u32) {
        let mut behind = 0_usize;
        while let Some(found) = frame.get(behind..).and_then(|rest| finder.find(rest)) {
            let at = behind.saturating_add(found);
            self.0.push(offset.saturating_add(at as u32));
            behind = at.saturating_add(START_CODE.len());
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// All of them, to be taken frame by frame.
    pub(crate) fn frames(&self) -> StartCodesByFrame<'_> {
        StartCodesByFrame { behind: &self.0 }
    }
}

/// Hands out the start codes of one frame after the other.
#[derive(Debug, Clone)]
pub(crate) struct StartCodesByFrame<'a> {
    behind: &'a [u32],
}

impl<'a> StartCodesByFrame<'a> {
    /// The start codes of a frame of `len` bytes at `offset` of the fragment's data, which is behind the frames that
    /// were asked for before. None for one that was not searched.
    #[inline]
    pub(crate) fn next(&mut self, offset: u32, len: u32) -> &'a [u32] {
        self.take_before(offset);
        self.take_before(offset.saturating_add(len))
    }

    #[inline]
    fn take_before(&mut self, end: u32) -> &'a [u32] {
        let count = self.behind.iter().take_while(|&&at| at < end).count();
        let (taken, behind) = self.behind.split_at_checked(count).unwrap_or_default();
        self.behind = behind;
        taken
    }
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

    #[test]
    fn start_codes_go_to_their_frames() {
        let data = [9, 0, 0, 0, 1, 7, 0, 0, 1, 7, 0, 0, 1, 7, 7, 0, 0, 0, 1, 7, 0, 0, 0, 1];
        let frames = [(1, 9), (10, 4), (14, 1), (15, 5), (20, 4)];
        let mut start_codes = StartCodes::default();
        for &(offset, len) in &frames {
            start_codes.note(&StartCodes::finder(), &data[offset..][..len], offset as u32);
        }
        // The second frame has a start code of three bytes only, the third none.
        let expected: [&[u32]; 5] = [&[2, 6], &[], &[], &[16], &[21]];
        let of = |start_codes: &mut StartCodesByFrame<'_>, (offset, len): (usize, usize)| {
            start_codes.next(offset as u32, len as u32).to_vec()
        };
        let mut all = start_codes.frames();
        assert_eq!(frames.map(|frame| of(&mut all, frame)), expected);
        // Frames of other tracks are not asked for.
        let mut some = start_codes.frames();
        assert_eq!(of(&mut some, frames[3]), expected[3]);
        assert_eq!(of(&mut some, frames[4]), expected[4]);
    }
}
