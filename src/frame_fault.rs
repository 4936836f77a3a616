//! [`FrameFault`]: why a frame cannot be a sample.

/// Why a frame cannot be parsed as its codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "snake_case"))]
#[non_exhaustive]
pub enum FrameFault {
    /// The frame has no bytes.
    #[error("expected at least one byte, found none: the frame is empty")]
    Empty,
    /// The frame has bytes, but no NAL unit that has any.
    #[error("expected at least one NAL unit, found none")]
    NoNalUnits,
    /// A NAL length reaches beyond the end of the frame, which does not begin with a start code either.
    #[error(
        "expected NAL units that end with the frame, or start codes; found at byte {at} of the frame a NAL length of \
         {len} with {left} bytes left"
    )]
    NalLength {
        /// Offset of the NAL length in the frame, in bytes.
        at: u32,
        /// Value of the NAL length.
        len: u32,
        /// Bytes of the frame after the NAL length.
        left: u32,
    },
    /// The frame ends inside a NAL length.
    #[error("expected a NAL length of {size} bytes at byte {at} of the frame, found {left} bytes")]
    NalLengthCut {
        /// Offset of the NAL length in the frame, in bytes.
        at: u32,
        /// Size of a NAL length by the codec private data, in bytes.
        size: u8,
        /// Bytes of the frame that are left.
        left: u32,
    },
    /// A frame of more NAL units than a picture can have.
    #[error("expected at most {limit} NAL units in a frame, found more")]
    TooManyNalUnits {
        /// The largest count that is taken.
        limit: u32,
    },
    /// More different parameter sets in the frames of one fragment than can be told apart.
    #[error("expected at most {limit} different parameter sets in a fragment, found more")]
    TooManyParameterSets {
        /// The largest count that is taken.
        limit: u32,
    },
    /// A block of G.711 that ends inside a PCM frame.
    #[error("expected whole PCM frames of {channels} bytes, found {len} bytes")]
    PartialPcmFrame {
        /// Bytes of a PCM frame: one for each channel.
        channels: u16,
        /// Bytes of the block.
        len: u32,
    },
    /// A frame that begins with the syncword of ADTS, but not with a header of it.
    #[error(
        "expected an ADTS header at byte {at} of the frame, found its syncword and {left} bytes that are none"
    )]
    AdtsHeader {
        /// Offset of the syncword in the frame, in bytes.
        at: u32,
        /// Bytes of the frame from the syncword on.
        left: u32,
    },
    /// An ADTS frame that does not fit into the block, or has no access unit.
    #[error("expected an ADTS frame of {len} bytes at byte {at} of the frame, found {left} bytes")]
    AdtsLength {
        /// Offset of the syncword in the frame, in bytes.
        at: u32,
        /// Length in the header.
        len: u32,
        /// Bytes of the frame from the syncword on.
        left: u32,
    },
    /// An ADTS frame of several access units, whose borders it does not give.
    #[error("expected one access unit in the ADTS frame at byte {at} of the frame, found {count}")]
    AdtsRawDataBlocks {
        /// Offset of the syncword in the frame, in bytes.
        at: u32,
        /// Access units in the ADTS frame.
        count: u8,
    },
    /// AAC in LATM, which begins with the syncword of LOAS.
    #[error("expected raw AAC or ADTS, found LATM in LOAS")]
    Latm,
}

impl FrameFault {
    /// Whether this is how the track is framed, and no accident of one frame.
    pub(crate) fn is_of_track(self) -> bool {
        self == Self::Latm
    }
}
