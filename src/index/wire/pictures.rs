//! What is known of the pictures of a track besides their rows.
//!
//! ```text
//! empty NAL units, padded frames   a number each
//! recoveries                       count, then for each the row and the pictures that it takes
//! messages                         a byte with a bit for each that is there, then these: orientation, mastering display, light level
//! ```

use crate::codec::sei::{ContentLightLevel, DisplayMessages, DisplayOrientation, MasteringDisplay};
use crate::error::Error;
use crate::index::frame_table::{Recovery, TrackFrames};
use crate::index::wire::cursor::{Reader, Writer};

const ORIENTATION: u8 = 1;
const MASTERING_DISPLAY: u8 = 2;
const LIGHT_LEVEL: u8 = 4;

pub(super) fn write(w: &mut Writer, track: &TrackFrames) {
    w.number(track.empty_nals.into());
    w.number(track.padded.into());
    w.number(track.recoveries.len() as u64);
    for recovery in &track.recoveries {
        w.number(recovery.row.into());
        w.number(recovery.later_pictures.into());
    }
    write_messages(w, &track.display);
}

pub(super) fn read(r: &mut Reader<'_>, track: &mut TrackFrames) -> Result<(), Error> {
    track.empty_nals = r.small()?;
    track.padded = r.small()?;
    for _ in 0..r.count()? {
        let recovery = Recovery { row: r.small()?, later_pictures: r.small()? };
        let is_after = track.recoveries.last().is_none_or(|last| last.row < recovery.row);
        if !is_after || recovery.row as usize >= track.rows.len() {
            return Err(r.damaged("rows in their order", recovery.row));
        }
        track.recoveries.push(recovery);
    }
    track.display = read_messages(r)?;
    Ok(())
}

fn write_messages(w: &mut Writer, display: &DisplayMessages) {
    let DisplayMessages { orientation, mastering_display, light_level } = display;
    let bit = |is_there: bool, bit: u8| if is_there { bit } else { 0 };
    w.byte(
        bit(orientation.is_some(), ORIENTATION)
            | bit(mastering_display.is_some(), MASTERING_DISPLAY)
            | bit(light_level.is_some(), LIGHT_LEVEL),
    );
    match orientation {
        None => {}
        Some(DisplayOrientation::Cancel) => w.byte(0),
        Some(DisplayOrientation::Turn { horizontal_flip, vertical_flip, anticlockwise }) => {
            w.byte(1 | bit(*horizontal_flip, 2) | bit(*vertical_flip, 4));
            w.number(u64::from(*anticlockwise));
        }
    }
    if let Some(display) = mastering_display {
        for (x, y) in display.primaries.iter().chain([&display.white_point]) {
            w.number(u64::from(*x));
            w.number(u64::from(*y));
        }
        w.number(display.max_luminance.into());
        w.number(display.min_luminance.into());
    }
    if let Some(level) = light_level {
        w.number(level.max_content.into());
        w.number(level.max_picture_average.into());
    }
}

fn read_messages(r: &mut Reader<'_>) -> Result<DisplayMessages, Error> {
    let known = match r.byte()? {
        known @ 0..=7 => known,
        other => return Err(r.damaged("the bits of known messages", other)),
    };
    let mut display = DisplayMessages::default();
    if known & ORIENTATION != 0 {
        display.orientation = Some(match r.byte()? {
            0 => DisplayOrientation::Cancel,
            flips @ (1 | 3 | 5 | 7) => DisplayOrientation::Turn {
                horizontal_flip: flips & 2 != 0,
                vertical_flip: flips & 4 != 0,
                anticlockwise: read_u16(r)?,
            },
            other => return Err(r.damaged("an orientation", other)),
        });
    }
    if known & MASTERING_DISPLAY != 0 {
        let mut point = || -> Result<_, Error> { Ok((read_u16(r)?, read_u16(r)?)) };
        let primaries = [point()?, point()?, point()?];
        let white_point = point()?;
        let (max_luminance, min_luminance) = (r.small()?, r.small()?);
        display.mastering_display =
            Some(MasteringDisplay { primaries, white_point, max_luminance, min_luminance });
    }
    if known & LIGHT_LEVEL != 0 {
        let (max_content, max_picture_average) = (read_u16(r)?, read_u16(r)?);
        display.light_level = Some(ContentLightLevel { max_content, max_picture_average });
    }
    Ok(display)
}

fn read_u16(r: &mut Reader<'_>) -> Result<u16, Error> {
    let number = r.number()?;
    u16::try_from(number).map_err(|_| r.damaged("a number of at most 16 bits", number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::frame_table::{FrameFlags, FrameRow};

    fn row() -> FrameRow {
        FrameRow { time_ns: 0, offset: 0, len: 1, first_nal: 0, nals: 0, flags: FrameFlags::default() }
    }

    fn written(track: &TrackFrames) -> Vec<u8> {
        let mut w = Writer::default();
        write(&mut w, track);
        w.finish()
    }

    fn read_again(bytes: &[u8], rows: usize) -> Result<TrackFrames, Error> {
        let mut track = TrackFrames { rows: vec![row(); rows], ..TrackFrames::default() };
        let mut r = Reader::new(bytes);
        read(&mut r, &mut track)?;
        r.end()?;
        Ok(track)
    }

    #[test]
    fn everything_comes_back() {
        let display = MasteringDisplay {
            primaries: [(13_250, 34_500), (7_500, 3_000), (34_000, 16_000)],
            white_point: (15_635, 16_450),
            max_luminance: 10_000_000,
            min_luminance: 500,
        };
        let turn =
            DisplayOrientation::Turn { horizontal_flip: true, vertical_flip: false, anticlockwise: 0xC000 };
        for display in [
            DisplayMessages::default(),
            DisplayMessages { orientation: Some(DisplayOrientation::Cancel), ..DisplayMessages::default() },
            DisplayMessages { mastering_display: Some(display), ..DisplayMessages::default() },
            DisplayMessages {
                orientation: Some(turn),
                mastering_display: Some(display),
                light_level: Some(ContentLightLevel { max_content: 1000, max_picture_average: 65_535 }),
            },
        ] {
            let track = TrackFrames {
                rows: vec![row(); 9],
                empty_nals: 7,
                padded: 300,
                recoveries: [(0, 0), (3, 12), (8, 1)]
                    .map(|(row, later_pictures)| Recovery { row, later_pictures })
                    .into(),
                display,
                ..TrackFrames::default()
            };
            assert_eq!(read_again(&written(&track), 9).unwrap(), track);
            assert!(read_again(&written(&track), 8).is_err(), "row 8 is missing");
        }
    }

    #[test]
    fn plain_pictures_take_four_bytes() {
        assert_eq!(written(&TrackFrames::default()), [0; 4]);
        for bytes in [&[0, 0, 2, 1, 0, 1, 0, 0][..], &[0, 0, 0, 8], &[0, 0, 0, 1, 2], &[0, 0, 0]] {
            assert!(read_again(bytes, 9).is_err(), "{bytes:?}");
        }
    }
}
