//! [`Pattern`]: the names of the parts of a clip.

use std::path::{Path, PathBuf};

/// A path in which `%d`, or `%03d` with at least that many digits, stands for the number of the part, and `%%` for `%`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    before: String,
    digits: usize,
    after: String,
}

impl Pattern {
    /// Reads OUT. The error is a sentence about it that shows what would do.
    pub(super) fn parse(out: &Path) -> Result<Self, String> {
        let shown = out.display().to_string();
        Self::find(&shown).filter(|_| out.to_str().is_some()).ok_or_else(|| {
            let example = out.with_extension("");
            format!(
                "--parts: expected an OUT in which %d or %03d stands for the number of the part, such as {}-%03d.mp4, \
                 found {shown}",
                if shown == "-" { "clip".into() } else { example.display().to_string() }
            )
        })
    }

    fn find(out: &str) -> Option<Self> {
        let mut found: Option<Self> = None;
        let mut text = String::new();
        let mut rest = out;
        while let Some((before, after)) = rest.split_once('%') {
            text += before;
            if let Some(after) = after.strip_prefix('%') {
                text.push('%');
                rest = after;
                continue;
            }
            let (width, after) = after.split_once('d')?;
            // A part has one number.
            if found.is_some() || !width.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            let digits =
                if width.is_empty() { 1 } else { width.parse().ok().filter(|&digits| digits < 20)? };
            found = Some(Self { before: std::mem::take(&mut text), digits, after: String::new() });
            rest = after;
        }
        text += rest;
        found.map(|pattern| Self { after: text, ..pattern })
    }

    /// The path of a part, counted from 1.
    pub(super) fn path(&self, number: u64) -> PathBuf {
        let Self { before, digits, after } = self;
        format!("{before}{number:0digits$}{after}").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_their_place() {
        for (pattern, first, hundredth) in [
            ("clip-%d.mp4", "clip-1.mp4", "clip-100.mp4"),
            ("clip-%03d.mp4", "clip-001.mp4", "clip-100.mp4"),
            ("a/%02d/b.mp4", "a/01/b.mp4", "a/100/b.mp4"),
            ("100%%-%d.mp4", "100%-1.mp4", "100%-100.mp4"),
        ] {
            let parsed = Pattern::parse(Path::new(pattern)).unwrap();
            assert_eq!((parsed.path(1), parsed.path(100)), (first.into(), hundredth.into()), "{pattern}");
        }
    }

    #[test]
    fn a_refusal_shows_what_would_do() {
        for out in ["clip.mp4", "clip-%s.mp4", "%d-%d.mp4", "clip-%", "clip-%-3d.mp4", "%99d.mp4", "50%%.mp4"]
        {
            assert!(Pattern::parse(Path::new(out)).unwrap_err().contains("%03d.mp4"), "{out}");
        }
        assert!(Pattern::parse(Path::new("-")).unwrap_err().contains("such as clip-%03d.mp4, found -"));
    }
}
