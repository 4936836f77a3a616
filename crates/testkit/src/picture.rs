//! What a video sample entry says of the picture: `pasp`, `colr`, `mdcv`, `clli` (ISO/IEC 14496-12 section 12.1).

use crate::boxes::BoxView;
use crate::mp4::SampleEntry;

/// ColourInformationBox of type `nclx`, section 12.1.5; the numbers are those of ISO/IEC 23091-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    /// `colour_primaries`.
    pub primaries: u16,
    /// `transfer_characteristics`.
    pub transfer: u16,
    /// `matrix_coefficients`.
    pub matrix: u16,
    /// `full_range_flag`.
    pub full_range: bool,
}

/// MasteringDisplayColourVolumeBox, section 12.1.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MasteringDisplay {
    /// x and y of green, blue and red, in units of 0.00002.
    pub primaries: [(u16, u16); 3],
    /// x and y of the white point, in units of 0.00002.
    pub white_point: (u16, u16),
    /// In units of 0.0001 candela per square metre.
    pub max_luminance: u32,
    /// In units of 0.0001 candela per square metre.
    pub min_luminance: u32,
}

/// ContentLightLevelBox, section 12.1.6, in candela per square metre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentLight {
    /// `max_content_light_level`.
    pub max_content: u16,
    /// `max_pic_average_light_level`.
    pub max_average: u16,
}

impl<'a> SampleEntry<'a> {
    /// A box of the entry, such as `avcC`.
    pub fn child(&self, fourcc: &str) -> Option<BoxView<'a>> {
        self.view.child(fourcc)
    }

    /// Width and height of a VisualSampleEntry, in pixels.
    pub fn dimensions(&self) -> (u16, u16) {
        let mut fields = self.view.fields();
        fields.take(24);
        (fields.u16(), fields.u16())
    }

    /// Horizontal and vertical spacing of `pasp`.
    pub fn pixel_aspect(&self) -> Option<(u32, u32)> {
        let mut fields = self.child("pasp")?.fields();
        let spacing = (fields.u32(), fields.u32());
        fields.end();
        Some(spacing)
    }

    /// The colour of a `colr` of type `nclx`.
    pub fn colour(&self) -> Option<Colour> {
        let mut fields = self.child("colr")?.fields();
        assert_eq!(fields.take(4), b"nclx", "{}: colour_type", self.view);
        let (primaries, transfer, matrix) = (fields.u16(), fields.u16(), fields.u16());
        let full_range = fields.u8() & 0x80 != 0;
        fields.end();
        Some(Colour { primaries, transfer, matrix, full_range })
    }

    /// The display of `mdcv`.
    pub fn mastering_display(&self) -> Option<MasteringDisplay> {
        let mut fields = self.child("mdcv")?.fields();
        let mut point = || (fields.u16(), fields.u16());
        let (primaries, white_point) = ([point(), point(), point()], point());
        let (max_luminance, min_luminance) = (fields.u32(), fields.u32());
        fields.end();
        Some(MasteringDisplay { primaries, white_point, max_luminance, min_luminance })
    }

    /// The light level of `clli`.
    pub fn content_light(&self) -> Option<ContentLight> {
        let mut fields = self.child("clli")?.fields();
        let (max_content, max_average) = (fields.u16(), fields.u16());
        fields.end();
        Some(ContentLight { max_content, max_average })
    }
}
