//! NAL units in a frame: how they are framed, and which of them matter to a container.
//!
//! A frame is length-prefixed (ISO/IEC 14496-15 section 4.3.3) if walking its NAL lengths ends exactly at its end.
//! Else it is a byte stream (Annex B of H.264 and H.265) if it begins with a start code. Else it is neither, and no
//! guess is made. Each frame is looked at on its own, because producers mix the two.

use memchr::memmem::Finder;

use crate::annexb;
use crate::codec::VideoCodec;
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
    syntax: Syntax,
    length_size: u8,
}

/// A set of NAL unit types: bit `n` for type `n`.
type NalTypes = u64;

/// Where the first byte of a NAL unit header has the type, and which types matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Syntax {
    type_shift: u32,
    type_mask: u8,
    parameter_sets: NalTypes,
    random_access: NalTypes,
}

impl NalScanner {
    pub(crate) fn new(codec: VideoCodec, length_size: u8) -> Self {
        let syntax = match codec {
            VideoCodec::H264 => Syntax::H264,
            VideoCodec::H265 => Syntax::H265,
        };
        Self { syntax, length_size }
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
        let mut found: NalTypes = 0;
        let mut has_empty = false;
        let is_length_prefixed = walk_lengths(frame, self.length_size, |_, nal| match nal.first() {
            Some(&first) => found |= self.syntax.nal_type(first),
            None => has_empty = true,
        });
        let has_parameter_sets = found & self.syntax.parameter_sets != 0;
        let is_plain = is_length_prefixed && found != 0 && !has_empty && !has_parameter_sets;
        if is_plain && usize::from(self.length_size) == NAL_LENGTH_SIZE {
            let has_random_access = found & self.syntax.random_access != 0;
            return Ok(FrameScan { verbatim: true, has_random_access, ..FrameScan::default() });
        }
        self.list_nals(frame, is_length_prefixed, start_code, visit)
    }

    // Most frames can stay as they are.
    #[inline(never)]
    fn list_nals<'a>(
        &self,
        frame: &'a [u8],
        is_length_prefixed: bool,
        start_code: &Finder<'_>,
        mut visit: impl FnMut(FoundNal<'a>),
    ) -> Result<FrameScan, FrameFault> {
        let converted = !is_length_prefixed || usize::from(self.length_size) != NAL_LENGTH_SIZE;
        let mut scan = FrameScan { converted, ..FrameScan::default() };
        let mut any = false;
        let list = |at, bytes: &'a [u8]| {
            let Some(&first) = bytes.first() else {
                scan.empty_nals = scan.empty_nals.saturating_add(1);
                return;
            };
            let kind = self.syntax.kind(first);
            scan.has_parameter_sets |= kind == NalKind::ParameterSet;
            scan.has_random_access |= kind == NalKind::RandomAccess;
            any = true;
            visit(FoundNal { at, bytes, kind });
        };
        if is_length_prefixed {
            walk_lengths(frame, self.length_size, list);
        } else if annexb::begins_with_start_code(frame) {
            annexb::split_at(frame, start_code.find_iter(frame), list);
        } else {
            return Err(self.describe(frame));
        }
        if any { Ok(scan) } else { Err(FrameFault::NoNalUnits) }
    }

    /// Why a frame that is neither is not length-prefixed.
    fn describe(&self, frame: &[u8]) -> FrameFault {
        let mut end = 0_usize;
        walk_lengths(frame, self.length_size, |offset, nal| end = offset.saturating_add(nal.len()));
        let rest = frame.get(end..).unwrap_or_default();
        let at = end as u32;
        match read_length(rest, self.length_size) {
            Some((len, left)) => FrameFault::NalLength { at, len: len as u32, left: left.len() as u32 },
            None => FrameFault::NalLengthCut { at, size: self.length_size, left: rest.len() as u32 },
        }
    }
}

impl Syntax {
    /// H.264 table 7-1: 7 SPS, 8 PPS, 5 IDR.
    const H264: Self =
        Self { type_shift: 0, type_mask: 0x1F, parameter_sets: 1 << 7 | 1 << 8, random_access: 1 << 5 };

    /// H.265 table 7-1: 32 VPS, 33 SPS, 34 PPS, 16 to 23 IRAP.
    const H265: Self = Self {
        type_shift: 1,
        type_mask: 0x3F,
        parameter_sets: 1 << 32 | 1 << 33 | 1 << 34,
        random_access: 0xFF << 16,
    };

    /// The type of a NAL unit by the first byte of its header.
    #[inline]
    fn nal_type(self, first: u8) -> NalTypes {
        1_u64.wrapping_shl(u32::from(first.wrapping_shr(self.type_shift) & self.type_mask))
    }

    #[inline]
    fn kind(self, first: u8) -> NalKind {
        let nal_type = self.nal_type(first);
        if nal_type & self.parameter_sets != 0 {
            NalKind::ParameterSet
        } else if nal_type & self.random_access != 0 {
            NalKind::RandomAccess
        } else {
            NalKind::Other
        }
    }
}

/// Visits the NAL units of a length-prefixed frame, each with its offset. Answers whether they end with the frame.
#[inline]
fn walk_lengths<'a>(frame: &'a [u8], length_size: u8, mut visit: impl FnMut(usize, &'a [u8])) -> bool {
    let mut rest = frame;
    while !rest.is_empty() {
        let Some((len, behind)) = read_length(rest, length_size) else { return false };
        let Some((nal, after)) = behind.split_at_checked(len) else { return false };
        visit(frame.len().saturating_sub(behind.len()), nal);
        rest = after;
    }
    true
}

#[inline]
fn read_length(bytes: &[u8], length_size: u8) -> Option<(usize, &[u8])> {
    match length_size {
        4 => bytes.split_first_chunk().map(|(len, rest)| (u32::from_be_bytes(*len) as usize, rest)),
        2 => bytes.split_first_chunk().map(|(len, rest)| (usize::from(u16::from_be_bytes(*len)), rest)),
        _ => bytes.split_first().map(|(len, rest)| (usize::from(*len), rest)),
    }
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

    // H.265 table 7-1: 32 VPS, 33 SPS, 34 PPS, 39 SEI, 16 to 23 IRAP (19 IDR_W_RADL, 21 CRA), 1 TRAIL_R.
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
            assert_eq!(Syntax::H265.kind(nal_type << 1), kind, "{nal_type}");
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
