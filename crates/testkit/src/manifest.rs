//! The files of `testdata/` and their manifests.
//!
//! `NAME.frames.tsv` lists the frames of `NAME.mkv` in decode order, as they must stand in the MP4: track, fragment
//! (from 0, in file order), presentation time in milliseconds on the input's timeline, key frame (`1`, `0`, or `-` for
//! audio), size of the sample, first 16 hexadecimal digits of its SHA-256. Lines that begin with `#` are comments.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;

use crate::frames::{self, Content, Tolerance, Wanted};

/// One line of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Matroska track number.
    pub track: u64,
    /// Fragment, counted from 0 in file order.
    pub fragment: usize,
    /// Presentation time on the input's timeline, in milliseconds.
    pub pts_ms: i64,
    /// Whether it is a key frame; `None` for audio.
    pub key: Option<bool>,
    /// Size of the sample in bytes.
    pub size: usize,
    /// The first 16 hexadecimal digits of the sample's SHA-256.
    pub sha256: String,
}

/// The frames that a file of `testdata/` holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// One line a frame, in decode order.
    pub lines: Vec<Line>,
}

/// A file of `testdata/`, looked for from the crate's folder upwards.
pub fn path(file: &str) -> PathBuf {
    let crate_folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let found =
        crate_folder.ancestors().map(|folder| folder.join("testdata").join(file)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("no testdata/{file} at or above {}", crate_folder.display()))
}

/// The bytes of `testdata/NAME.mkv`.
pub fn mkv(name: &str) -> Vec<u8> {
    fs::read(path(&format!("{name}.mkv"))).expect("a readable file")
}

/// The names of all files that have a manifest, sorted.
pub fn names() -> Vec<String> {
    let folder = path("README.md").parent().expect("a folder").to_owned();
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a readable folder")
        .filter_map(|entry| entry.expect("a readable folder").file_name().into_string().ok())
        .filter_map(|file| file.strip_suffix(".frames.tsv").map(str::to_owned))
        .collect();
    names.sort();
    names
}

impl Manifest {
    /// Reads `testdata/NAME.frames.tsv`.
    pub fn load(name: &str) -> Self {
        let file = format!("{name}.frames.tsv");
        let text = fs::read_to_string(path(&file)).expect("a readable file");
        let lines = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| Line::parse(line).unwrap_or_else(|| panic!("{file}: {line:?}")))
            .collect();
        Self { lines }
    }

    /// Only the fragments in `range`.
    pub fn fragments(&self, range: Range<usize>) -> Self {
        Self { lines: self.lines.iter().filter(|line| range.contains(&line.fragment)).cloned().collect() }
    }

    /// Number of fragments in the file.
    pub fn fragment_count(&self) -> usize {
        self.lines.iter().map(|line| line.fragment + 1).max().unwrap_or(0)
    }

    /// The lines of one track.
    pub fn track(&self, number: u64) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.track == number)
    }

    /// The samples of the MP4 are these frames: bytes, key flags, presentation times to half a millisecond.
    #[track_caller]
    pub fn assert_same_frames(&self, mp4: &[u8]) {
        self.assert_same_frames_within(mp4, Tolerance::HALF_MILLISECOND);
    }

    /// The same with another tolerance.
    #[track_caller]
    pub fn assert_same_frames_within(&self, mp4: &[u8], tolerance: Tolerance) {
        let first = self.lines.iter().map(|line| line.pts_ms).min().unwrap_or(0);
        let wanted: Vec<Wanted<'_>> = self
            .lines
            .iter()
            .map(|line| Wanted {
                track: line.track,
                time_ns: i128::from(line.pts_ms - first) * 1_000_000,
                key: line.key,
                size: line.size,
                content: Content::Sha256(&line.sha256),
            })
            .collect();
        frames::compare(mp4, &wanted, tolerance);
    }
}

impl Line {
    fn parse(line: &str) -> Option<Self> {
        let mut columns = line.split('\t');
        let parsed = Self {
            track: columns.next()?.parse().ok()?,
            fragment: columns.next()?.parse().ok()?,
            pts_ms: columns.next()?.parse().ok()?,
            key: match columns.next()? {
                "1" => Some(true),
                "0" => Some(false),
                "-" => None,
                _ => return None,
            },
            size: columns.next()?.parse().ok()?,
            sha256: columns.next()?.to_owned(),
        };
        columns.next().is_none().then_some(parsed)
    }
}
