//! NAL units in a frame: how they are framed, and which of them matter to a container.
//!
//! A frame is length-prefixed (ISO/IEC 14496-15 section 4.3.3) if walking its NAL lengths ends exactly at its end.
//! Else it is a byte stream (Annex B of H.264 and H.265) if it begins with a start code. Else it is neither, and no
//! guess is made. Each frame is looked at on its own, because producers mix the two.

use crate::annexb::{self, StartCodesByFrame};
use crate::codec::Codec;

/// A NAL unit of a frame, as it will stand in the sample behind a 4-byte length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nal {
    /// Of its header, from the start of the fragment's data.
    pub(crate) offset: u32,
    /// Bytes, header included; at least 1.
    pub(crate) len: u32,
    pub(crate) kind: NalKind,
}

impl Nal {
    /// Its bytes in the fragment's data.
    pub(crate) fn bytes<'a>(&self, data: &'a [u8]) -> &'a [u8] {
        data.get(self.offset as usize..).and_then(|rest| rest.get(..self.len as usize)).unwrap_or_default()
    }
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
    pub(crate) reframed: bool,
    pub(crate) has_parameter_sets: bool,
    pub(crate) has_random_access: bool,
    /// Bytes of the sample if all parameter sets are taken out of it.
    pub(crate) least_len: u64,
    /// NAL units without a byte, which were not listed. The AWS SDK can leave one at the end of a frame.
    pub(crate) empty_nals: u32,
}

/// Bytes of the length in front of each NAL unit of a sample.
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
    pub(crate) fn new(codec: Codec, length_size: u8) -> Self {
        let syntax = if codec == Codec::H265 { Syntax::H265 } else { Syntax::H264 };
        Self { syntax, length_size }
    }

    /// Says what `frame` is, which begins at `offset` in its fragment's data, or in words why it is nothing that can be
    /// read. Unless it can stay as it is, its NAL units are added to `nals`.
    #[inline]
    pub(crate) fn scan(
        &self,
        frame: &[u8],
        offset: u32,
        start_codes: &mut StartCodesByFrame<'_>,
        nals: &mut Vec<Nal>,
    ) -> Result<FrameScan, String> {
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
            let least_len = frame.len() as u64;
            return Ok(FrameScan { verbatim: true, has_random_access, least_len, ..FrameScan::default() });
        }
        self.list_nals(frame, is_length_prefixed, offset, start_codes, nals)
    }

    // Most frames can stay as they are.
    #[inline(never)]
    fn list_nals(
        &self,
        frame: &[u8],
        is_length_prefixed: bool,
        offset: u32,
        start_codes: &mut StartCodesByFrame<'_>,
        nals: &mut Vec<Nal>,
    ) -> Result<FrameScan, String> {
        let before = nals.len();
        let reframed = !is_length_prefixed || usize::from(self.length_size) != NAL_LENGTH_SIZE;
        let mut scan = FrameScan { reframed, ..FrameScan::default() };
        let list = |at, nal: &[u8]| self.list(offset, at, nal, nals, &mut scan);
        if is_length_prefixed {
            walk_lengths(frame, self.length_size, list);
        } else {
            match start_codes.next(offset, frame.len() as u32) {
                [] if annexb::begins_with_start_code(frame) => annexb::split(frame, list),
                [] => return Err(self.describe(frame)),
                known => {
                    let in_frame = known.iter().map(|at| at.wrapping_sub(offset) as usize);
                    annexb::split_at(frame, in_frame, list);
                }
            }
        }
        match nals.len() > before {
            true => Ok(scan),
            false => Err("expected at least one NAL unit, found none".into()),
        }
    }

    /// Adds a NAL unit `at` bytes into a frame that begins at `frame_offset`.
    #[inline]
    fn list(&self, frame_offset: u32, at: usize, nal: &[u8], nals: &mut Vec<Nal>, scan: &mut FrameScan) {
        let Some(&first) = nal.first() else {
            scan.empty_nals = scan.empty_nals.saturating_add(1);
            return;
        };
        let kind = self.syntax.kind(first);
        if kind != NalKind::ParameterSet {
            scan.least_len =
                scan.least_len.saturating_add(NAL_LENGTH_SIZE as u64).saturating_add(nal.len() as u64);
        }
        scan.has_parameter_sets |= kind == NalKind::ParameterSet;
        scan.has_random_access |= kind == NalKind::RandomAccess;
        nals.push(Nal { offset: frame_offset.saturating_add(at as u32), len: nal.len() as u32, kind });
    }

    /// Why a frame that is neither is not length-prefixed.
    fn describe(&self, frame: &[u8]) -> String {
        let mut end = 0_usize;
        walk_lengths(frame, self.length_size, |offset, nal| end = offset.saturating_add(nal.len()));
        let rest = frame.get(end..).unwrap_or_default();
        let size = usize::from(self.length_size);
        match read_length(rest, self.length_size) {
            Some((len, behind)) => format!(
                "expected NAL units that end with the frame, or start codes; found at byte {end} of the frame a NAL \
                 length of {len} with {} bytes left",
                behind.len()
            ),
            None => format!(
                "expected a NAL length of {size} bytes at byte {end} of the frame, found {} bytes",
                rest.len()
            ),
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
    use crate::annexb::StartCodes;

    fn scan(codec: Codec, length_size: u8, frame: &[u8]) -> Result<(FrameScan, Vec<Vec<u8>>), String> {
        let mut nals = Vec::new();
        let scanner = NalScanner::new(codec, length_size);
        let scan = scanner.scan(frame, 100, &mut StartCodes::default().frames(), &mut nals);
        let bytes = |nal: &Nal| frame[nal.offset as usize - 100..][..nal.len as usize].to_vec();
        let found = scan.clone().map(|scan| (scan, nals.iter().map(bytes).collect()));

        let mut known = StartCodes::default();
        known.note(&StartCodes::finder(), frame, 100);
        let mut again = Vec::new();
        assert_eq!(scanner.scan(frame, 100, &mut known.frames(), &mut again), scan);
        assert_eq!(again, nals, "start codes that are known change nothing");
        found
    }

    #[test]
    fn a_length_prefixed_frame_stays_as_it_is() {
        let (found, nals) = scan(Codec::H264, 4, &[0, 0, 0, 2, 0x65, 9, 0, 0, 0, 1, 0x06]).unwrap();
        let want =
            FrameScan { verbatim: true, has_random_access: true, least_len: 11, ..FrameScan::default() };
        assert_eq!(found, want);
        assert!(nals.is_empty());
    }

    #[test]
    fn lengths_of_1_and_2_bytes_and_empty_nals_are_reframed() {
        let (found, nals) = scan(Codec::H264, 2, &[0, 2, 0x41, 9, 0, 1, 0x06]).unwrap();
        assert!(found.reframed && !found.verbatim);
        assert_eq!(nals, [vec![0x41, 9], vec![0x06]]);
        let long = [&[1, 44][..], &[0x41; 300]].concat();
        assert_eq!(scan(Codec::H264, 2, &long).unwrap().1, [vec![0x41; 300]]);
        assert_eq!(scan(Codec::H264, 2, &[0, 1, 0x41]).unwrap().0.empty_nals, 0);
        let (_, nals) = scan(Codec::H264, 1, &[1, 0x41, 2, 0x06, 7]).unwrap();
        assert_eq!(nals, [vec![0x41], vec![0x06, 7]]);
        let (found, nals) = scan(Codec::H264, 4, &[0, 0, 0, 1, 0x41, 0, 0, 0, 0]).unwrap();
        assert_eq!((found.empty_nals, found.reframed, found.verbatim), (1, false, false));
        assert_eq!(nals, [vec![0x41]]);
    }

    #[test]
    fn start_codes_of_3_and_4_bytes_and_trailing_zeros() {
        let stream = [
            0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2, 0, 0, 3, 1, 0, 0, 0, 0, 1, 0x65, 0, 0, 1, 0, 0, 1, 0x41,
            0, 0,
        ];
        let (found, nals) = scan(Codec::H264, 4, &stream).unwrap();
        assert_eq!(nals, [vec![0x67, 1], vec![0x68, 2, 0, 0, 3, 1], vec![0x65], vec![0x41]]);
        let want = FrameScan {
            verbatim: false,
            reframed: true,
            has_parameter_sets: true,
            has_random_access: true,
            least_len: 10,
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
        let error = scan(Codec::H264, 4, &[0, 0, 0, 2, 0x65, 7, 0, 0, 0, 9, 1, 2]).unwrap_err();
        assert!(error.contains("at byte 6 of the frame a NAL length of 9 with 2 bytes left"), "{error}");
        for frame in [&[][..], &[1, 2], &[0, 0, 0, 0], &[0, 0, 1], &[0, 0, 1, 0, 0, 0]] {
            assert!(scan(Codec::H264, 4, frame).is_err(), "{frame:?}");
        }
    }
}
