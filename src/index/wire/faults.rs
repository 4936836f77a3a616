//! Frames that cannot be parsed.

use crate::error::Error;
use crate::frame_fault::FrameFault;
use crate::index::frame_table::FaultyFrame;
use crate::index::wire::cursor::{Reader, Writer};

pub(super) fn write(w: &mut Writer, faults: &[FaultyFrame]) {
    w.number(faults.len() as u64);
    for faulty in faults {
        w.byte(faulty.track);
        w.signed(faulty.time_ns);
        w.number(faulty.offset.into());
        w.number(faulty.len.into());
        let (code, fields) = match faulty.fault {
            FrameFault::Empty => (0, [0; 3]),
            FrameFault::NoNalUnits => (1, [0; 3]),
            FrameFault::NalLength { at, len, left } => (2, [at, len, left]),
            FrameFault::NalLengthCut { at, size, left } => (3, [at, size.into(), left]),
            FrameFault::TooManyNalUnits { limit } => (4, [limit, 0, 0]),
            FrameFault::TooManyParameterSets { limit } => (5, [limit, 0, 0]),
            FrameFault::PartialPcmFrame { channels, len } => (6, [channels.into(), len, 0]),
            FrameFault::AdtsHeader { at, left } => (8, [at, left, 0]),
            FrameFault::AdtsLength { at, len, left } => (9, [at, len, left]),
            FrameFault::AdtsRawDataBlocks { at, count } => (10, [at, count.into(), 0]),
            FrameFault::Latm => (11, [0; 3]),
        };
        w.byte(code);
        for field in fields {
            w.number(field.into());
        }
    }
}

pub(super) fn read(r: &mut Reader<'_>, tracks: usize) -> Result<Vec<FaultyFrame>, Error> {
    let count = r.count()?;
    let mut faults = Vec::with_capacity(count);
    for _ in 0..count {
        let track = r.byte()?;
        if usize::from(track) >= tracks {
            return Err(r.damaged("the index of a track", track));
        }
        let (time_ns, offset, len) = (r.signed()?, r.small()?, r.small()?);
        let code = r.byte()?;
        let [first, second, third] = [r.small()?, r.small()?, r.small()?];
        let fault = match code {
            0 => FrameFault::Empty,
            1 => FrameFault::NoNalUnits,
            2 => FrameFault::NalLength { at: first, len: second, left: third },
            3 => FrameFault::NalLengthCut { at: first, size: second as u8, left: third },
            4 => FrameFault::TooManyNalUnits { limit: first },
            5 => FrameFault::TooManyParameterSets { limit: first },
            6 => FrameFault::PartialPcmFrame { channels: first as u16, len: second },
            8 => FrameFault::AdtsHeader { at: first, left: second },
            9 => FrameFault::AdtsLength { at: first, len: second, left: third },
            10 => FrameFault::AdtsRawDataBlocks { at: first, count: second as u8 },
            11 => FrameFault::Latm,
            other => return Err(r.damaged("the code of a fault", other)),
        };
        faults.push(FaultyFrame { track, time_ns, offset, len, fault });
    }
    Ok(faults)
}
