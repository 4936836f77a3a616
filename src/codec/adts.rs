//! Framing of AAC that does not belong into Matroska but is found there: ADTS, ISO/IEC 14496-3 clause 1.A.3.2, and LOAS,
//! clause 1.7.2.

use super::bits::BitReader;
use crate::frame_fault::FrameFault;

/// How the access units of a block are framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AacFraming {
    /// One access unit without a header.
    Raw,
    /// One or more access units, each after an ADTS header.
    Adts,
}

/// The header of an ADTS frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct AdtsHeader {
    /// Bytes: 7, or 9 with a CRC.
    header_len: usize,
    /// Bytes of the frame, header included.
    frame_len: usize,
    raw_data_blocks: u8,
}

/// syncword of ADTS: 12 bits, and layer, which is 0, after the ID bit.
const ADTS_SYNC: [u8; 2] = [0xFF, 0xF0];
const ADTS_SYNC_MASK: u8 = 0xF6;
/// syncword of an AudioSyncStream(): 11 bits, 56E. 13 bits of length follow.
const LOAS_SYNC: [u8; 2] = [0x56, 0xE0];
const LOAS_SYNC_MASK: u8 = 0xE0;
/// samplingFrequencyIndex, table 1.18: 13 values, and none that is escaped.
const MAX_SAMPLING_FREQUENCY_INDEX: u32 = 12;

/// Visits the access units of a block, each with its offset; none of them is empty. None at all where there is a fault.
///
/// No access unit without a header begins with the syncword of ADTS: its first element would be the end. None begins with
/// that of LOAS: its first element would be coupling channel 11, before any channel that it is coupled to. The
/// error-resilient object types have no elements, so that theirs can begin like that (`is_error_resilient`).
#[inline]
pub(crate) fn access_units<'a>(
    block: &'a [u8],
    is_error_resilient: bool,
    mut visit: impl FnMut(usize, &'a [u8]),
) -> Result<AacFraming, FrameFault> {
    match block.first() {
        None => Err(FrameFault::Empty),
        Some(0xFF | 0x56) if !is_error_resilient => framed_access_units(block, visit),
        Some(0xFF) if walk_adts(block, |_, _| ()).is_ok() => framed_access_units(block, visit),
        Some(_) => {
            visit(0, block);
            Ok(AacFraming::Raw)
        }
    }
}

fn framed_access_units<'a>(
    block: &'a [u8],
    mut visit: impl FnMut(usize, &'a [u8]),
) -> Result<AacFraming, FrameFault> {
    let begins_with =
        |[first, second]: [u8; 2], mask| matches!(*block, [a, b, ..] if [a, b & mask] == [first, second]);
    if begins_with(LOAS_SYNC, LOAS_SYNC_MASK) {
        return Err(FrameFault::Latm);
    }
    if !begins_with(ADTS_SYNC, ADTS_SYNC_MASK) {
        visit(0, block);
        return Ok(AacFraming::Raw);
    }
    // A fault in the last frame must not leave the first ones as samples.
    walk_adts(block, |_, _| ())?;
    walk_adts(block, visit)?;
    Ok(AacFraming::Adts)
}

/// Visits the payloads of ADTS frames that fill a block.
fn walk_adts<'a>(block: &'a [u8], mut visit: impl FnMut(usize, &'a [u8])) -> Result<(), FrameFault> {
    let mut at = 0_usize;
    let mut rest = block;
    while !rest.is_empty() {
        let (here, left) = (at as u32, rest.len() as u32);
        let header = AdtsHeader::read(rest).ok_or(FrameFault::AdtsHeader { at: here, left })?;
        let misfit = FrameFault::AdtsLength { at: here, len: header.frame_len as u32, left };
        if header.raw_data_blocks > 1 {
            return Err(FrameFault::AdtsRawDataBlocks { at: here, count: header.raw_data_blocks });
        }
        let (frame, after) = rest.split_at_checked(header.frame_len).ok_or(misfit)?;
        match frame.get(header.header_len..) {
            None | Some([]) => return Err(misfit),
            Some(payload) => visit(at.saturating_add(header.header_len), payload),
        }
        at = at.saturating_add(header.frame_len);
        rest = after;
    }
    Ok(())
}

impl AdtsHeader {
    /// adts_fixed_header() and adts_variable_header(). `None` without a syncword, and where a value has no meaning.
    fn read(frame: &[u8]) -> Option<Self> {
        let mut reader = BitReader::new(frame);
        (reader.bits(12)? == 0xFFF).then_some(())?;
        reader.skip(1)?; // ID: MPEG-4 or MPEG-2
        (reader.bits(2)? == 0).then_some(())?; // layer
        let protection_absent = reader.flag()?;
        reader.skip(2)?; // profile_ObjectType
        (reader.bits(4)? <= MAX_SAMPLING_FREQUENCY_INDEX).then_some(())?;
        reader.skip(8)?; // private_bit, channel_configuration, original_copy, home, copyright bits
        let frame_len = usize::try_from(reader.bits(13)?).ok()?;
        reader.skip(11)?; // adts_buffer_fullness
        let raw_data_blocks = reader.byte(2)?.checked_add(1)?;
        Some(Self { header_len: if protection_absent { 7 } else { 9 }, frame_len, raw_data_blocks })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hex, random_bytes};
    use super::*;

    /// A frame of silence from `ffmpeg -c:a aac -f adts`.
    const SILENCE: &str = "fff14c8001bffc211004608c1c";

    /// How a block is framed, and its access units with their offsets.
    type Units = (AacFraming, Vec<(usize, Vec<u8>)>);

    fn units(block: &[u8]) -> Result<Units, FrameFault> {
        let mut units = Vec::new();
        let framing = access_units(block, false, |at, unit| units.push((at, unit.to_vec())));
        match framing {
            Ok(framing) => Ok((framing, units)),
            Err(fault) => {
                assert!(units.is_empty(), "nothing is left of a damaged block");
                Err(fault)
            }
        }
    }

    #[test]
    fn one_frame_and_several() {
        let frame = hex(SILENCE);
        let payload = &frame[7..];
        assert_eq!(units(&frame), Ok((AacFraming::Adts, vec![(7, payload.to_vec())])));
        let four = frame.repeat(4);
        let expected = [7, 20, 33, 46].map(|at| (at, payload.to_vec())).to_vec();
        assert_eq!(units(&four), Ok((AacFraming::Adts, expected)));
        assert_eq!(units(payload), Ok((AacFraming::Raw, vec![(0, payload.to_vec())])));
        // With a CRC the header has two bytes more.
        let mut crc = frame.clone();
        crc[1] = 0xF0;
        assert_eq!(units(&crc), Ok((AacFraming::Adts, vec![(9, frame[9..].to_vec())])));
    }

    #[test]
    fn what_begins_with_the_syncword_and_does_not_fit() {
        let frame = hex(SILENCE);
        let left = frame.len() as u32;
        assert_eq!(units(&frame[..12]), Err(FrameFault::AdtsLength { at: 0, len: 13, left: 12 }));
        let junk = [&frame[..], &[0]].concat();
        assert_eq!(units(&junk), Err(FrameFault::AdtsHeader { at: 13, left: 1 }));
        let cut = [&frame[..], &frame[..9]].concat();
        assert_eq!(units(&cut), Err(FrameFault::AdtsLength { at: 13, len: 13, left: 9 }));
        let with = |position: usize, byte| {
            let mut frame = frame.clone();
            frame[position] = byte;
            frame
        };
        // samplingFrequencyIndex 13.
        assert_eq!(units(&with(2, 0x74)), Err(FrameFault::AdtsHeader { at: 0, left }));
        assert_eq!(units(&with(6, 0xFD)), Err(FrameFault::AdtsRawDataBlocks { at: 0, count: 2 }));
        // A length of 7 leaves no payload, 6 not even the header.
        for length in [6, 7] {
            let short = with(5, (length << 5) as u8 | 0x1F);
            let short = [&short[..4], &[0], &short[5..]].concat();
            assert_eq!(units(&short), Err(FrameFault::AdtsLength { at: 0, len: length as u32, left }));
        }
        assert_eq!(units(&frame[..2]), Err(FrameFault::AdtsHeader { at: 0, left: 2 }));
        assert_eq!(units(&[]), Err(FrameFault::Empty));
    }

    /// MPEG audio of layer III has the same first 12 bits, but no layer 0; and other bytes are no syncword.
    #[test]
    fn what_is_no_syncword_is_raw() {
        for bytes in [&[0xFF, 0xFB, 0x90, 0x64][..], &[0xFF, 0xE1, 0], &[0xFF], &[0x56], &[0x21, 0x10]] {
            assert_eq!(units(bytes), Ok((AacFraming::Raw, vec![(0, bytes.to_vec())])));
        }
    }

    /// Error-resilient AAC has no elements, so that any bits can begin it.
    #[test]
    fn error_resilient_access_units_may_begin_with_a_syncword() {
        let units = |block: &[u8]| {
            let mut units = Vec::new();
            (access_units(block, true, |at, unit| units.push((at, unit.len()))), units)
        };
        let frame = hex(SILENCE);
        assert_eq!(units(&frame), (Ok(AacFraming::Adts), vec![(7, 6)]));
        assert_eq!(units(&frame[..12]), (Ok(AacFraming::Raw), vec![(0, 12)]));
        assert_eq!(units(&[0x56, 0xE0, 0x01, 9]), (Ok(AacFraming::Raw), vec![(0, 4)]));
    }

    /// The first bytes of `ffmpeg -c:a aac -f latm`, and of case k11, where the length is none.
    #[test]
    fn loas_is_named() {
        for block in ["56e128200011901fe7f90ef0", "56e0de02004c6176", "56e0"] {
            assert_eq!(units(&hex(block)), Err(FrameFault::Latm), "{block}");
        }
        let other = hex("56c0de02");
        assert_eq!(units(&other), Ok((AacFraming::Raw, vec![(0, other.clone())])));
    }

    #[test]
    fn any_bytes_are_read() {
        for mut bytes in random_bytes(20_000, 40) {
            if let [first, second, ..] = &mut bytes[..] {
                (*first, *second) = if *second & 1 == 0 { (0xFF, 0xF1) } else { (0x56, 0xE0) };
            }
            if let Ok((_, units)) = units(&bytes) {
                assert!(!units.is_empty() && units.iter().all(|(_, unit)| !unit.is_empty()));
            }
        }
    }
}
