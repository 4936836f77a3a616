//! NAL units of H.264 (ISO/IEC 14496-10 section 7.4.1) and H.265 (ISO/IEC 23008-2 section 7.4.2): what kind each is, and how
//! they are framed.

/// A codec of NAL units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// H.264.
    Avc,
    /// H.265.
    Hevc,
}

/// What a NAL unit is for the access unit that it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A slice of the picture.
    Slice {
        /// Whether it is the first slice of its picture.
        is_first: bool,
    },
    /// Stands before the picture of its access unit: delimiter, SEI, and what else begins an access unit.
    Before,
    /// A parameter set, which stands before the picture too.
    ParameterSet,
    /// Belongs to the picture before it: end of sequence, filler data, suffix SEI, layers above 0.
    After,
}

impl Codec {
    /// The codec of a Matroska codec ID.
    pub fn of(codec_id: &str) -> Self {
        match codec_id {
            "V_MPEG4/ISO/AVC" | "V_MPEG/ISO/AVC" => Self::Avc,
            "V_MPEGH/ISO/HEVC" => Self::Hevc,
            _ => panic!("{codec_id} has no NAL units"),
        }
    }

    /// `nal_unit_type`.
    pub fn nal_type(self, nal: &[u8]) -> u8 {
        match self {
            Self::Avc => nal[0] & 0x1F,
            Self::Hevc => nal[0] >> 1 & 0x3F,
        }
    }

    /// `nuh_layer_id`; 0 for H.264.
    pub fn layer(self, nal: &[u8]) -> u8 {
        match self {
            Self::Avc => 0,
            Self::Hevc => (nal[0] & 1) << 5 | nal[1] >> 3,
        }
    }

    /// What a NAL unit is.
    pub fn kind(self, nal: &[u8]) -> Kind {
        if self.layer(nal) > 0 {
            return Kind::After;
        }
        match (self, self.nal_type(nal)) {
            // first_mb_in_slice is ue(v): a leading one is 0. Slices are in order unless the profile is Baseline.
            (Self::Avc, 1..=5) => Kind::Slice { is_first: nal.get(1).is_some_and(|byte| byte & 0x80 != 0) },
            (Self::Avc, 7 | 8 | 13 | 15) => Kind::ParameterSet,
            (Self::Avc, 6 | 9 | 14 | 16..=18) => Kind::Before,
            // first_slice_segment_in_pic_flag
            (Self::Hevc, 0..=31) => Kind::Slice { is_first: nal.get(2).is_some_and(|byte| byte & 0x80 != 0) },
            (Self::Hevc, 32..=34) => Kind::ParameterSet,
            (Self::Hevc, 35 | 39 | 41..=44 | 48..=55) => Kind::Before,
            _ => Kind::After,
        }
    }

    /// Whether a picture of these NAL units is an IDR picture of H.264 or an IRAP picture of H.265, by layer 0.
    pub fn is_sync(self, nals: &[&[u8]]) -> bool {
        nals.iter().any(|nal| {
            self.layer(nal) == 0
                && match self {
                    Self::Avc => self.nal_type(nal) == 5,
                    Self::Hevc => (16..=23).contains(&self.nal_type(nal)),
                }
        })
    }

    /// Frames to recovery that an H.264 recovery point SEI among these gives, section D.2.8; `None` without one.
    pub fn recovery_frames(self, nals: &[&[u8]]) -> Option<u32> {
        const RECOVERY_POINT: u8 = 6;
        assert_eq!(self, Self::Avc, "the recovery point SEI of H.265 is read by nobody");
        nals.iter().filter(|nal| self.nal_type(nal) == 6).find_map(|nal| {
            let payload = rbsp(&nal[1..]);
            let mut rest = payload.as_slice();
            while rest.len() > 2 {
                let kind = variable(&mut rest);
                let size = variable(&mut rest);
                if kind == usize::from(RECOVERY_POINT) {
                    return Some(BitReader::new(rest).ue());
                }
                rest = rest.get(size..).unwrap_or_default();
            }
            None
        })
    }
}

/// A number of an SEI message: bytes of 255, and a rest.
fn variable(bytes: &mut &[u8]) -> usize {
    let mut value = 0;
    while let Some((byte, rest)) = bytes.split_first() {
        *bytes = rest;
        value += usize::from(*byte);
        if *byte != 255 {
            break;
        }
    }
    value
}

/// The NAL units of a frame with 4-byte lengths; `None` if the lengths do not add up to the frame, or one is empty.
pub fn length_prefixed(frame: &[u8]) -> Option<Vec<&[u8]>> {
    let mut nals = Vec::new();
    let mut rest = frame;
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (nal, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        if nal.is_empty() {
            return None;
        }
        nals.push(nal);
        rest = after;
    }
    Some(nals)
}

/// The NAL units of an Annex B byte stream, without the zeros that follow them.
pub fn annexb(stream: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = (3..=stream.len()).filter(|at| stream[at - 3..*at] == [0, 0, 1]).collect();
    let ends = starts.iter().skip(1).map(|next| next - 3).chain([stream.len()]);
    let nals = starts.iter().zip(ends).map(|(start, end)| {
        let nal = &stream[*start..end];
        &nal[..nal.len() - nal.iter().rev().take_while(|byte| **byte == 0).count()]
    });
    nals.filter(|nal| !nal.is_empty()).collect()
}

/// The payload of a NAL unit without emulation prevention bytes.
pub fn rbsp(bytes: &[u8]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(bytes.len());
    let mut zeros = 0;
    for byte in bytes {
        if *byte == 3 && zeros >= 2 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        payload.push(*byte);
    }
    payload
}

/// Reads bits from the most significant one on.
#[derive(Debug, Clone)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    /// Reads these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next `count` bits as a number.
    pub fn bits(&mut self, count: usize) -> u32 {
        (0..count).fold(0, |value, _| {
            let bit = self.bytes[self.at / 8] >> (7 - self.at % 8) & 1;
            self.at += 1;
            value << 1 | u32::from(bit)
        })
    }

    /// An Exp-Golomb number, ue(v) (ISO/IEC 14496-10 section 9.1).
    pub fn ue(&mut self) -> u32 {
        let mut zeros = 0;
        while self.bits(1) == 0 {
            zeros += 1;
        }
        (1 << zeros) - 1 + self.bits(zeros)
    }
}
