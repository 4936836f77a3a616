//! What a sequence parameter set says of the picture that is shown, and the parts of the VUI that H.264 and H.265 share.

use super::bits::BitReader;

/// The picture that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Luma samples after cropping.
    pub(crate) width: u32,
    /// Luma samples after cropping.
    pub(crate) height: u32,
    /// Width to height of a pixel; `None` when it is square or not specified.
    pub(crate) pixel_aspect: Option<(u32, u32)>,
    /// `None` when nothing but the default is specified: unspecified colours, limited range.
    pub(crate) colour: Option<Colour>,
}

/// Code points of ISO/IEC 23091-2 (the VUI of H.264 and H.265 has the same).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour {
    pub(crate) primaries: u16,
    pub(crate) transfer: u16,
    pub(crate) matrix: u16,
    pub(crate) full_range: bool,
}

impl Picture {
    /// A picture of a coded size, less the cropping window, whose offsets count `unit` luma samples: left, right, top,
    /// bottom. `None` when nothing is left of it.
    pub(super) fn cropped(
        size: (u32, u32),
        [left, right, top, bottom]: [u32; 4],
        unit: (u32, u32),
    ) -> Option<Self> {
        let width = size.0.checked_sub(left.checked_add(right)?.checked_mul(unit.0)?)?;
        let height = size.1.checked_sub(top.checked_add(bottom)?.checked_mul(unit.1)?)?;
        (width > 0 && height > 0).then_some(Self { width, height, pixel_aspect: None, colour: None })
    }

    /// Reads the beginning of vui_parameters() (clause E.2.1 of H.265, E.1.1 of H.264), up to the colour description. What was
    /// read before the end counts.
    pub(super) fn read_vui(&mut self, reader: &mut BitReader<'_>) -> Option<()> {
        if reader.flag()? {
            self.pixel_aspect = sample_aspect_ratio(reader)?;
        }
        if reader.flag()? {
            reader.skip(1)?; // overscan_appropriate_flag
        }
        if reader.flag()? {
            self.colour = Colour::read(reader)?.if_specified();
        }
        Some(())
    }
}

impl Colour {
    /// What the VUI implies where it has no colour description (H.264 and H.265 clause E.2.1 and E.3.1).
    pub(super) const UNSPECIFIED: Self = Self { primaries: 2, transfer: 2, matrix: 2, full_range: false };

    /// video_signal_type: what follows video_signal_type_present_flag.
    fn read(reader: &mut BitReader<'_>) -> Option<Self> {
        reader.skip(3)?; // video_format
        let mut colour = Self { full_range: reader.flag()?, ..Self::UNSPECIFIED };
        if reader.flag()? {
            colour.primaries = reader.byte(8)?.into();
            colour.transfer = reader.byte(8)?.into();
            colour.matrix = reader.byte(8)?.into();
        }
        Some(colour)
    }

    /// `None` if it says no more than its absence would.
    fn if_specified(self) -> Option<Self> {
        (self != Self::UNSPECIFIED).then_some(self)
    }
}

/// aspect_ratio_idc and what follows it; table E.1 of H.265, which is table E-1 of H.264.
fn sample_aspect_ratio(reader: &mut BitReader<'_>) -> Option<Option<(u32, u32)>> {
    const EXTENDED_SAR: u32 = 255;
    let (width, height) = match reader.bits(8)? {
        1 => (1, 1),
        2 => (12, 11),
        3 => (10, 11),
        4 => (16, 11),
        5 => (40, 33),
        6 => (24, 11),
        7 => (20, 11),
        8 => (32, 11),
        9 => (80, 33),
        10 => (18, 11),
        11 => (15, 11),
        12 => (64, 33),
        13 => (160, 99),
        14 => (4, 3),
        15 => (3, 2),
        16 => (2, 1),
        EXTENDED_SAR => (reader.bits(16)?, reader.bits(16)?),
        _ => (0, 0),
    };
    // 0 on either side means unspecified (the semantics of sar_width).
    Some((width != 0 && height != 0 && width != height).then_some((width, height)))
}

/// How a change of the SPS is told: by its picture sizes if they say it.
pub(super) fn sps_difference(from: Option<&Picture>, to: Option<&Picture>) -> String {
    match (from, to) {
        (Some(from), Some(to)) if (from.width, from.height) != (to.width, to.height) => {
            format!("SPS: {}x{} to {}x{}", from.width, from.height, to.width, to.height)
        }
        _ => "SPS".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::bit_writer::BitWriter;
    use super::*;

    /// Table E.1, and 0 or 1:1 as no ratio at all.
    #[test]
    fn aspect_ratio() {
        let table = "12:11 10:11 16:11 40:33 24:11 20:11 32:11 80:33 18:11 15:11 64:33 160:99 4:3 3:2 2:1";
        for (idc, ratio) in (2..).zip(table.split(' ')) {
            let (width, height) = ratio.split_once(':').unwrap();
            let expected = Some((width.parse().unwrap(), height.parse().unwrap()));
            assert_eq!(sample_aspect_ratio(&mut BitReader::new(&[idc])), Some(expected), "{idc}");
        }
        for (bytes, expected) in [
            (&[0][..], None),
            (&[1], None),
            (&[17], None),
            (&[255, 0, 4, 0, 3], Some((4, 3))),
            (&[255, 0, 4, 0, 0], None),
            (&[255, 1, 4, 1, 4], None),
        ] {
            assert_eq!(sample_aspect_ratio(&mut BitReader::new(bytes)), Some(expected));
        }
    }

    /// 4:3 by table E.1, overscan, then BT.2020 with PQ in full range: each part counts once it is whole.
    #[test]
    fn what_was_read_before_the_end_counts() {
        let mut w = BitWriter::default();
        w.u(1, 1).u(8, 14).u(2, 0b11).u(1, 1).u(3, 5).u(2, 0b11).u(8, 9).u(8, 16).u(8, 9);
        let vui = w.nal(&[]);
        let read = |len: usize| {
            let mut picture = Picture::cropped((64, 64), [0; 4], (1, 1)).unwrap();
            let whole = picture.read_vui(&mut BitReader::new(&vui[..len])).is_some();
            (picture.pixel_aspect, picture.colour, whole)
        };
        let aspect = Some((4, 3));
        let colour = Colour { primaries: 9, transfer: 16, matrix: 9, full_range: true };
        assert_eq!(read(6), (aspect, Some(colour), true));
        assert_eq!(read(5), (aspect, None, false));
        assert_eq!(read(2), (aspect, None, false));
        assert_eq!(read(1), (None, None, false));
    }
}
