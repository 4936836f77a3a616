//! NAL units in a frame: how they are framed, and which of them matter to a container.
//!
//! Each frame is looked at on its own, because producers mix the two ways of [`framing`](super::framing).

use memchr::memmem::Finder;

use super::VideoCodec;
use super::framing::{Framing, Readings, check_rest, walk_fitting_lengths, walk_lengths};
use super::nal_unit::{Counted, NalSyntax, NalTally};
use crate::annexb;
use crate::frame_fault::FrameFault;

/// A NAL unit that was found in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FoundNal<'a> {
    /// Offset of its header in the frame, in bytes.
    pub(crate) at: usize,
    /// Its bytes from the header on; at least 1.
    pub(crate) bytes: &'a [u8],
    pub(crate) kind: NalKind,
}

/// What a NAL unit is to a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NalKind {
    /// SPS or PPS, and VPS in H.265: wanted in the sample entry, not in the samples.
    ParameterSet,
    /// A slice of a picture that decoding can start at: IDR in H.264, any IRAP in H.265.
    RandomAccess,
    /// Anything else.
    Other,
}

/// What a frame was found to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FrameScan {
    /// The frame is a sample as it stands. Otherwise its NAL units were listed.
    pub(crate) verbatim: bool,
    /// It was framed by start codes, or by lengths of 1 or 2 bytes.
    pub(crate) converted: bool,
    pub(crate) has_parameter_sets: bool,
    /// Decoding can begin at a picture of the base layer in it: IDR in H.264, IRAP in H.265.
    pub(crate) has_random_access: bool,
    /// NAL units without a byte, which were not listed. The AWS SDK can leave one at the end of a frame.
    pub(crate) empty_nals: u32,
}

impl NalKind {
    /// The kind as a number, for storage.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::ParameterSet => 0,
            Self::RandomAccess => 1,
            Self::Other => 2,
        }
    }

    /// The kind of a number; `None` if it is no kind's.
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::ParameterSet,
            1 => Self::RandomAccess,
            2 => Self::Other,
            _ => return None,
        })
    }
}

/// Bytes of the length before each NAL unit of a sample.
pub(crate) const NAL_LENGTH_SIZE: usize = 4;

/// Reads frames of one codec, whose NAL lengths take `length_size` bytes.
#[derive(Debug)]
pub(crate) struct NalScanner {
    codec: VideoCodec,
    syntax: NalSyntax,
    length_size: u8,
}

impl NalScanner {
    pub(crate) fn new(codec: VideoCodec, length_size: u8) -> Self {
        Self { codec, syntax: NalSyntax::new(codec), length_size }
    }

    /// Finds out what `frame` is. Unless it can stay as it is, each of its NAL units is given to `visit`.
    ///
    /// `start_code` is a [`StartCodeFinder`](annexb::finder): making one takes longer than searching a small frame.
    #[inline]
    pub(crate) fn scan<'a>(
        &self,
        frame: &'a [u8],
        start_code: &Finder<'_>,
        visit: impl FnMut(FoundNal<'a>),
    ) -> Result<FrameScan, FrameFault> {
        let mut tally = NalTally::default();
        let mut has_empty = false;
        let rest = walk_fitting_lengths(frame, self.length_size, |_, nal| match nal {
            [] => has_empty = true,
            nal => {
                tally.add(&self.syntax, nal);
            }
        });
        let is_plain = rest.is_empty()
            && !has_empty
            && !tally.is_empty()
            && !tally.has_parameter_sets(&self.syntax)
            && !may_begin_with_start_code(frame);
        if is_plain && usize::from(self.length_size) == NAL_LENGTH_SIZE {
            let has_random_access = tally.has_random_access(&self.syntax);
            return Ok(FrameScan { verbatim: true, has_random_access, ..FrameScan::default() });
        }
        self.list_nals(frame, rest, start_code, visit)
    }

    // Most frames can stay as they are.
    #[inline(never)]
    fn list_nals<'a>(
        &self,
        frame: &'a [u8],
        rest: &'a [u8],
        start_code: &Finder<'_>,
        mut visit: impl FnMut(FoundNal<'a>),
    ) -> Result<FrameScan, FrameFault> {
        let framing = match (check_rest(frame, rest, self.length_size), annexb::begins_with_start_code(frame))
        {
            (Ok(_), false) => Framing::LengthPrefixed,
            (Err(fault), false) => return Err(fault),
            (Err(_), true) => Framing::ByteStream,
            // Rare enough to be read once more.
            (Ok(_), true) => Readings::read(self.codec, self.length_size, frame).framing(None)?,
        };
        let is_length_prefixed = framing == Framing::LengthPrefixed;
        let converted = !is_length_prefixed || usize::from(self.length_size) != NAL_LENGTH_SIZE;
        let mut scan = FrameScan { converted, ..FrameScan::default() };
        let mut tally = NalTally::default();
        let list = |at, bytes: &'a [u8]| {
            if bytes.is_empty() {
                scan.empty_nals = scan.empty_nals.saturating_add(1);
                return;
            }
            let kind = self.kind(tally.add(&self.syntax, bytes));
            visit(FoundNal { at, bytes, kind });
        };
        match framing {
            Framing::LengthPrefixed => {
                walk_lengths(frame, self.length_size, list)?;
            }
            Framing::ByteStream => annexb::split_at(frame, start_code.find_iter(frame), list),
        }
        if tally.is_empty() {
            return Err(FrameFault::NoNalUnits);
        }
        scan.has_parameter_sets = tally.has_parameter_sets(&self.syntax);
        scan.has_random_access = tally.has_random_access(&self.syntax);
        Ok(scan)
    }

    #[inline]
    fn kind(&self, nal: Counted) -> NalKind {
        if self.syntax.is_parameter_set(nal) {
            NalKind::ParameterSet
        } else if self.syntax.is_random_access(nal) {
            NalKind::RandomAccess
        } else {
            NalKind::Other
        }
    }
}

/// Whether the first bytes are `00 00 01`, `00 00 00 01` or `00 00 00 00`, at a glance.
#[inline]
fn may_begin_with_start_code(frame: &[u8]) -> bool {
    let head = frame.first_chunk().map_or(0, |head| u32::from_be_bytes(*head));
    head < 2 || head >> 8 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(
        codec: VideoCodec,
        length_size: u8,
        frame: &[u8],
    ) -> Result<(FrameScan, Vec<Vec<u8>>), FrameFault> {
        let mut nals = Vec::new();
        let scan = NalScanner::new(codec, length_size).scan(frame, &annexb::finder(), |found| {
            assert_eq!(found.bytes, &frame[found.at..][..found.bytes.len()]);
            nals.push(found.bytes.to_vec());
        })?;
        Ok((scan, nals))
    }

    #[test]
    fn a_length_prefixed_frame_stays_as_it_is() {
        let (found, nals) = scan(VideoCodec::H264, 4, &[0, 0, 0, 2, 0x65, 9, 0, 0, 0, 1, 0x06]).unwrap();
        let want = FrameScan { verbatim: true, has_random_access: true, ..FrameScan::default() };
        assert_eq!(found, want);
        assert!(nals.is_empty());
        // The layers above the base have random access points of their own.
        let (found, _) = scan(VideoCodec::H265, 4, &[0, 0, 0, 3, 0x2A, 0x09, 0x80]).unwrap();
        assert!(found.verbatim && !found.has_random_access);
    }

    /// A picture of 325 bytes after a start code of three bytes, which is a NAL length too.
    #[test]
    fn a_frame_that_reads_as_both() {
        let mut frame = vec![0, 0, 1, 0x41, 0x9A];
        frame.resize(4 + 0x141, 0xA5);
        let (found, nals) = scan(VideoCodec::H264, 4, &frame).unwrap();
        assert!(found.converted && !found.verbatim);
        assert_eq!(nals, [frame[3..].to_vec()]);
    }

    #[test]
    fn lengths_of_1_and_2_bytes_and_empty_nals_are_reframed() {
        let (found, nals) = scan(VideoCodec::H264, 2, &[0, 2, 0x41, 9, 0, 1, 0x06]).unwrap();
        assert!(found.converted && !found.verbatim);
        assert_eq!(nals, [vec![0x41, 9], vec![0x06]]);
        let long = [&[1, 44][..], &[0x41; 300]].concat();
        assert_eq!(scan(VideoCodec::H264, 2, &long).unwrap().1, [vec![0x41; 300]]);
        assert_eq!(scan(VideoCodec::H264, 2, &[0, 1, 0x41]).unwrap().0.empty_nals, 0);
        let (_, nals) = scan(VideoCodec::H264, 1, &[1, 0x41, 2, 0x06, 7]).unwrap();
        assert_eq!(nals, [vec![0x41], vec![0x06, 7]]);
        let (found, nals) = scan(VideoCodec::H264, 4, &[0, 0, 0, 1, 0x41, 0, 0, 0, 0]).unwrap();
        assert_eq!((found.empty_nals, found.converted, found.verbatim), (1, false, false));
        assert_eq!(nals, [vec![0x41]]);
        let (found, nals) = scan(VideoCodec::H264, 4, &[0, 0, 0, 2, 0x41, 0x9A, 0, 0, 0]).unwrap();
        assert_eq!((found.empty_nals, found.converted, found.verbatim), (0, false, false), "padding");
        assert_eq!(nals, [vec![0x41, 0x9A]]);
    }

    #[test]
    fn start_codes_of_3_and_4_bytes_and_trailing_zeros() {
        let stream = [
            0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2, 0, 0, 3, 1, 0, 0, 0, 0, 1, 0x65, 0, 0, 1, 0, 0, 1, 0x41,
            0, 0,
        ];
        let (found, nals) = scan(VideoCodec::H264, 4, &stream).unwrap();
        assert_eq!(nals, [vec![0x67, 1], vec![0x68, 2, 0, 0, 3, 1], vec![0x65], vec![0x41]]);
        let want = FrameScan {
            verbatim: false,
            converted: true,
            has_parameter_sets: true,
            has_random_access: true,
            empty_nals: 1,
        };
        assert_eq!(found, want);
    }

    // H.265 table 7-1: 32 VPS, 33 SPS, 34 PPS, 39 SEI, 16 to 21 IRAP (19 IDR_W_RADL, 21 CRA), 1 TRAIL_R.
    #[test]
    fn kinds_in_h265() {
        for (nal_type, kind) in [
            (32, NalKind::ParameterSet),
            (33, NalKind::ParameterSet),
            (34, NalKind::ParameterSet),
            (39, NalKind::Other),
            (16, NalKind::RandomAccess),
            (19, NalKind::RandomAccess),
            (21, NalKind::RandomAccess),
            (1, NalKind::Other),
        ] {
            let mut kinds = Vec::new();
            let frame = [0, 0, 1, nal_type << 1, 1, 0x80];
            let scanner = NalScanner::new(VideoCodec::H265, 4);
            scanner.scan(&frame, &annexb::finder(), |found| kinds.push(found.kind)).unwrap();
            assert_eq!(kinds, [kind], "{nal_type}");
        }
    }

    #[test]
    fn what_is_neither_is_told_with_its_place() {
        let error = scan(VideoCodec::H264, 4, &[0, 0, 0, 2, 0x65, 7, 0, 0, 0, 9, 1, 2]).unwrap_err();
        assert_eq!(error, FrameFault::NalLength { at: 6, len: 9, left: 2 });
        for frame in [&[][..], &[1, 2], &[0, 0, 0, 0], &[0, 0, 1], &[0, 0, 1, 0, 0, 0]] {
            assert!(scan(VideoCodec::H264, 4, frame).is_err(), "{frame:?}");
        }
    }
}
