//! Places of the input that could not be read.

use crate::damage::{Damage, DamageFault, too_large};
use crate::error::Error;
use crate::index::wire::cursor::{Reader, Writer};

pub(super) fn write(w: &mut Writer, damages: &[Damage]) {
    w.number(damages.len() as u64);
    for damage in damages {
        w.number(damage.offset);
        w.number(damage.skipped_bytes);
        w.option(damage.track, Writer::number);
        let (code, texts, numbers) = match &damage.fault {
            DamageFault::NotMatroska { found } => (0, [found, ""], [0; 2]),
            DamageFault::Malformed { expected, found } => (1, [&**expected, found], [0; 2]),
            DamageFault::TooLarge { what, found, limit } => (2, [*what, ""], [*found, *limit]),
            DamageFault::Service { code, message } => (3, [&**code, message], [0; 2]),
            DamageFault::InvalidTimestamp { text } => (4, [&**text, ""], [0; 2]),
        };
        w.byte(code);
        texts.iter().for_each(|text| w.bytes(text.as_bytes()));
        numbers.into_iter().for_each(|number| w.number(number));
    }
}

pub(super) fn read(r: &mut Reader<'_>) -> Result<Vec<Damage>, Error> {
    let count = r.count()?;
    let mut damages = Vec::new();
    for _ in 0..count {
        let (offset, skipped_bytes) = (r.number()?, r.number()?);
        let track = r.option(Reader::number)?;
        let code = r.byte()?;
        let [first, second] = [r.text()?.to_owned(), r.text()?.to_owned()];
        let [found, limit] = [r.number()?, r.number()?];
        let fault = match code {
            0 => DamageFault::NotMatroska { found: first },
            1 => DamageFault::Malformed { expected: first.into(), found: second },
            2 => {
                let what = too_large::ALL.into_iter().find(|what| *what == first);
                let what = what.ok_or_else(|| r.damaged("what can be too large", first))?;
                DamageFault::TooLarge { what, found, limit }
            }
            3 => DamageFault::Service { code: first, message: second },
            4 => DamageFault::InvalidTimestamp { text: first },
            other => return Err(r.damaged("the code of a damage", other)),
        };
        damages.push(Damage { offset, skipped_bytes, track, fault });
    }
    Ok(damages)
}
