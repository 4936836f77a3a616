//! [`Display`]: how decoded pictures are to be shown.

use crate::codec::Colour;

/// How the pictures of a sample description are to be shown, as far as anything is known of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Display {
    /// Width to height of a pixel; `None` when it is square or not specified.
    pub(crate) pixel_aspect: Option<(u32, u32)>,
    pub(crate) colour: Option<Colour>,
    pub(crate) mastering_display: Option<MasteringDisplay>,
    pub(crate) light_level: Option<ContentLightLevel>,
    pub(crate) orientation: Orientation,
}

/// The display that the colours were mastered on (SMPTE ST 2086), in the units and the order of H.264 and H.265.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MasteringDisplay {
    /// Chromaticities x and y in 0.00002: green, blue, red.
    pub(crate) primaries: [(u16, u16); 3],
    pub(crate) white_point: (u16, u16),
    /// In 0.0001 candelas per square metre.
    pub(crate) max_luminance: u32,
    pub(crate) min_luminance: u32,
}

/// How bright the content is, in candelas per square metre (CTA-861.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContentLightLevel {
    pub(crate) max_content: u16,
    pub(crate) max_picture_average: u16,
}

/// What is done to a picture before it is shown: it is flipped first, then turned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Orientation {
    /// Left and right change places.
    pub(crate) is_flipped: bool,
    /// Clockwise, 0 to 3.
    pub(crate) quarter_turns: u8,
}
