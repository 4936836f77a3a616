//! Numbers of bytes as people type them: `100MB`, `1.5 GB`, `64MiB`, `1000`.

use std::num::NonZeroU64;

/// Units by their suffix in lower case. `MB` is decimal, as the service counts; `MiB` is binary.
const UNITS: [(&str, u64); 14] = [
    ("", 1),
    ("b", 1),
    ("k", 1_000),
    ("kb", 1_000),
    ("m", 1_000_000),
    ("mb", 1_000_000),
    ("g", 1_000_000_000),
    ("gb", 1_000_000_000),
    ("t", 1_000_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// Reads a number of bytes that is not 0. Part of a byte is dropped.
pub(super) fn parse(text: &str) -> Result<NonZeroU64, String> {
    bytes(text.trim()).and_then(NonZeroU64::new).ok_or_else(|| {
        "expected a number of bytes of 1 or more, such as 100000000, 100MB or 64MiB".to_owned()
    })
}

fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at_checked(digits)?;
    let suffix = suffix.trim_start().to_ascii_lowercase();
    let (_, unit) = UNITS.into_iter().find(|(name, _)| *name == suffix)?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let whole: u64 = whole.parse().ok()?;
    // Nine decimals are enough for any unit that is not of 2^40 bytes, and a u64 holds them.
    let fraction: u64 = if decimals.is_empty() { 0 } else { format!("{decimals:0<9.9}").parse().ok()? };
    let part = u128::from(fraction).checked_mul(unit.into())? / 1_000_000_000;
    whole.checked_mul(unit)?.checked_add(u64::try_from(part).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        for (text, expected) in [
            ("1", 1),
            ("100000000", 100_000_000),
            ("100MB", 100_000_000),
            ("100 mb", 100_000_000),
            ("100M", 100_000_000),
            ("1.5GB", 1_500_000_000),
            ("64MiB", 64 << 20),
            ("0.5KiB", 512),
            ("2kb", 2000),
            ("1.0000000009B", 1),
            (" 7 ", 7),
        ] {
            assert_eq!(parse(text).map(NonZeroU64::get), Ok(expected), "{text}");
        }
    }

    #[test]
    fn refusals_show_what_would_do() {
        for text in
            ["", "0", "0MB", "0.0001B", "MB", "-1", "1e6", "1.2.3", "10 XB", "100MBit", "99999999TB", "ten"]
        {
            let refusal = parse(text).unwrap_err();
            assert!(refusal.contains("100MB"), "{text}");
        }
    }
}
