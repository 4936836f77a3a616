//! Values of which few are different: each is written once, then runs of them.
//!
//! A run takes one byte, if its shape is among the first 15 and it has at most 16 members: the shape in the high half,
//! the length less one in the low half. Any other is the byte F0 and two numbers.

use crate::error::Error;
use crate::index::wire::cursor::{Reader, Writer};

const SHORT_SHAPES: usize = 15;
const SHORT_RUN: usize = 16;
const LONG: u8 = 0xF0;

/// Writes the number of values, the distinct ones, and the runs.
pub(super) fn write_shapes<T: PartialEq + Copy>(
    w: &mut Writer,
    values: Vec<T>,
    write: impl Fn(&mut Writer, T),
) {
    let mut shapes: Vec<T> = Vec::new();
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for &value in &values {
        // The last shapes are the likely ones; a list that grows too long to be searched is not worth searching.
        let recent = shapes.len().saturating_sub(SEARCHED);
        let known = shapes.iter().enumerate().skip(recent).find(|(_, shape)| **shape == value);
        let shape = known.map_or(shapes.len(), |(shape, _)| shape);
        if known.is_none() {
            shapes.push(value);
        }
        match runs.last_mut() {
            Some((last, count)) if *last == shape => *count = count.saturating_add(1),
            _ => runs.push((shape, 1)),
        }
    }
    w.number(values.len() as u64);
    w.number(shapes.len() as u64);
    shapes.iter().for_each(|&shape| write(w, shape));
    for (shape, count) in runs {
        write_run(w, shape, count);
    }
}

/// How many of the latest shapes are compared with a value.
const SEARCHED: usize = 64;

fn write_run(w: &mut Writer, shape: usize, mut count: usize) {
    if shape >= SHORT_SHAPES || count > SHORT_RUN.saturating_mul(3) {
        w.byte(LONG);
        w.number(shape as u64);
        w.number(count as u64);
        return;
    }
    while count > 0 {
        let members = count.min(SHORT_RUN);
        w.byte((shape as u8) << 4 | members.saturating_sub(1) as u8);
        count = count.saturating_sub(members);
    }
}

/// Reads what [`write_shapes`] wrote: all values. As many bytes as there are values must follow.
pub(super) fn read_shapes<T: Copy>(
    r: &mut Reader<'_>,
    mut read: impl FnMut(&mut Reader<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let total = r.count()?;
    let shapes = r.count()?;
    let shapes: Vec<T> = (0..shapes).map(|_| read(r)).collect::<Result<_, _>>()?;
    let mut values = Vec::with_capacity(total);
    while values.len() < total {
        let (shape, count) = match r.byte()? {
            LONG..=0xFF => (r.number()?, r.number()?),
            short => (u64::from(short >> 4), u64::from(short & 0x0F).saturating_add(1)),
        };
        let left = total.saturating_sub(values.len());
        let count = usize::try_from(count).ok().filter(|&count| (1..=left).contains(&count));
        let value = usize::try_from(shape).ok().and_then(|shape| shapes.get(shape));
        let (Some(count), Some(&value)) = (count, value) else {
            return Err(r.damaged("a run of a known shape, as long as there are values", "another"));
        };
        values.resize(values.len().saturating_add(count), value);
    }
    Ok(values)
}
