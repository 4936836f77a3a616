//! How pictures are shown: the boxes of a visual sample entry, and the matrix of a track.
//!
//! Above each write stands its line of the clause's syntax (ISO/IEC 14496-12).

use crate::codec::Colour;
use crate::isobmff::writer::BoxWriter;
use crate::plan::display::{ContentLightLevel, Display, MasteringDisplay, Orientation};

/// One in 16.16 bits.
const ONE: u32 = 0x0001_0000;
/// One in 2.30 bits.
const ONE_IN_2_30: u32 = 0x4000_0000;

/// The matrix of a movie, and of a track that is shown as it is (section 6.2.2).
pub(super) const UNITY_MATRIX: [u32; 9] = [ONE, 0, 0, 0, ONE, 0, 0, 0, ONE_IN_2_30];

/// Writes the boxes of a visual sample entry that tell how its pictures are shown; none for what is not known.
pub(super) fn write_display(w: &mut BoxWriter, display: &Display) {
    if let Some((horizontal, vertical)) = display.pixel_aspect {
        write_pixel_aspect(w, horizontal, vertical);
    }
    if let Some(colour) = display.colour {
        write_colour(w, colour);
    }
    if let Some(mastering_display) = display.mastering_display {
        write_mastering_display(w, &mastering_display);
    }
    if let Some(light_level) = display.light_level {
        write_light_level(w, light_level);
    }
}

/// PixelAspectRatioBox (section 12.1.4).
fn write_pixel_aspect(w: &mut BoxWriter, horizontal: u32, vertical: u32) {
    w.write_box(b"pasp", |w| {
        // unsigned int(32) hSpacing;
        w.u32(horizontal);
        // unsigned int(32) vSpacing;
        w.u32(vertical);
    });
}

/// ColourInformationBox (section 12.1.5), on-screen colours.
fn write_colour(w: &mut BoxWriter, colour: Colour) {
    w.write_box(b"colr", |w| {
        // unsigned int(32) colour_type;
        w.bytes(b"nclx");
        // unsigned int(16) colour_primaries;
        w.u16(colour.primaries);
        // unsigned int(16) transfer_characteristics;
        w.u16(colour.transfer);
        // unsigned int(16) matrix_coefficients;
        w.u16(colour.matrix);
        // unsigned int(1) full_range_flag; unsigned int(7) reserved = 0;
        w.u8(u8::from(colour.full_range) << 7);
    });
}

/// MasteringDisplayColourVolumeBox (section 12.1.7), the values of the SEI message.
fn write_mastering_display(w: &mut BoxWriter, display: &MasteringDisplay) {
    w.write_box(b"mdcv", |w| {
        for (x, y) in display.primaries {
            // unsigned int(16) display_primaries_x;
            w.u16(x);
            // unsigned int(16) display_primaries_y;
            w.u16(y);
        }
        // unsigned int(16) white_point_x;
        w.u16(display.white_point.0);
        // unsigned int(16) white_point_y;
        w.u16(display.white_point.1);
        // unsigned int(32) max_display_mastering_luminance;
        w.u32(display.max_luminance);
        // unsigned int(32) min_display_mastering_luminance;
        w.u32(display.min_luminance);
    });
}

/// ContentLightLevelBox (section 12.1.6).
fn write_light_level(w: &mut BoxWriter, level: ContentLightLevel) {
    w.write_box(b"clli", |w| {
        // unsigned int(16) max_content_light_level;
        w.u16(level.max_content);
        // unsigned int(16) max_pic_average_light_level;
        w.u16(level.max_picture_average);
    });
}

/// The matrix of a track (section 6.2.2) whose pictures are `width` by `height` as shown, in 16.16 bits, before they are
/// turned. A point at (x, y) of the picture is shown at (ax + cy + tx, bx + dy + ty), of which the least is 0.
pub(super) fn track_matrix(orientation: Orientation, (width, height): (u32, u32)) -> [u32; 9] {
    const MINUS_ONE: u32 = ONE.wrapping_neg();
    let [a, b, c, d] = match orientation.quarter_turns & 3 {
        0 => [ONE, 0, 0, ONE],
        1 => [0, ONE, MINUS_ONE, 0],
        2 => [MINUS_ONE, 0, 0, MINUS_ONE],
        _ => [0, MINUS_ONE, ONE, 0],
    };
    let [a, b] = if orientation.is_flipped { [a.wrapping_neg(), b.wrapping_neg()] } else { [a, b] };
    let moved = |by_x: u32, by_y: u32| match (by_x, by_y) {
        (MINUS_ONE, _) => width,
        (_, MINUS_ONE) => height,
        _ => 0,
    };
    [a, b, 0, c, d, 0, moved(a, c), moved(b, d), ONE_IN_2_30]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(display: Display) -> Vec<u8> {
        let mut writer = BoxWriter::default();
        write_display(&mut writer, &display);
        writer.finish().unwrap()
    }

    #[test]
    fn nothing_known_is_nothing_written() {
        assert_eq!(written(Display::default()), []);
    }

    /// ISO/IEC 14496-12 section 12.1.5.2: full_range_flag is the first bit of the last byte.
    #[test]
    fn full_range() {
        for (full_range, flags) in [(false, 0), (true, 0x80)] {
            let colour = Some(Colour { primaries: 9, transfer: 18, matrix: 10, full_range });
            let want = [&[0, 0, 0, 19][..], b"colrnclx", &[0, 9, 0, 18, 0, 10, flags]].concat();
            assert_eq!(written(Display { colour, ..Display::default() }), want);
        }
    }

    /// The example of x265's documentation: a display of P3 primaries and 1000 candelas.
    #[test]
    fn high_dynamic_range() {
        let display = Display {
            pixel_aspect: Some((4, 3)),
            mastering_display: Some(MasteringDisplay {
                primaries: [(13_250, 34_500), (7500, 3000), (34_000, 16_000)],
                white_point: (15_635, 16_450),
                max_luminance: 10_000_000,
                min_luminance: 50,
            }),
            light_level: Some(ContentLightLevel { max_content: 1000, max_picture_average: 400 }),
            ..Display::default()
        };
        let want = [
            &[0, 0, 0, 16][..],
            b"pasp",
            &[0, 0, 0, 4, 0, 0, 0, 3],
            &[0, 0, 0, 32],
            b"mdcv",
            &[0x33, 0xC2, 0x86, 0xC4, 0x1D, 0x4C, 0x0B, 0xB8, 0x84, 0xD0, 0x3E, 0x80],
            &[0x3D, 0x13, 0x40, 0x42, 0x00, 0x98, 0x96, 0x80, 0, 0, 0, 50],
            &[0, 0, 0, 12],
            b"clli",
            &[0x03, 0xE8, 0x01, 0x90],
        ];
        assert_eq!(written(display), want.concat());
    }

    /// Where the corners of a picture of 6 by 4 are shown, by the definition of the matrix.
    fn corners(is_flipped: bool, quarter_turns: u8) -> [(i32, i32); 4] {
        let matrix = track_matrix(Orientation { is_flipped, quarter_turns }, (6 << 16, 4 << 16));
        assert_eq!([matrix[2], matrix[5], matrix[8]], [0, 0, ONE_IN_2_30]);
        let [a, b, _, c, d, _, x, y, _] = matrix.map(|value| value as i32 >> 16);
        [(0, 0), (6, 0), (6, 4), (0, 4)].map(|(p, q)| (a * p + c * q + x, b * p + d * q + y))
    }

    #[test]
    fn turns_and_flips() {
        // From the upper left corner of the picture, clockwise.
        assert_eq!(corners(false, 0), [(0, 0), (6, 0), (6, 4), (0, 4)]);
        assert_eq!(corners(false, 1), [(4, 0), (4, 6), (0, 6), (0, 0)]);
        assert_eq!(corners(false, 2), [(6, 4), (0, 4), (0, 0), (6, 0)]);
        assert_eq!(corners(false, 3), [(0, 6), (0, 0), (4, 0), (4, 6)]);
        assert_eq!(corners(true, 0), [(6, 0), (0, 0), (0, 4), (6, 4)]);
        assert_eq!(corners(true, 1), [(4, 6), (4, 0), (0, 0), (0, 6)]);
        assert_eq!(corners(true, 2), [(0, 4), (6, 4), (6, 0), (0, 0)]);
        assert_eq!(corners(true, 3), [(0, 0), (0, 6), (4, 6), (4, 0)]);
        assert_eq!(track_matrix(Orientation::default(), (6 << 16, 4 << 16)), UNITY_MATRIX);
    }
}
