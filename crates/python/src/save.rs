//! A file that appears whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use getclip::Clip;

/// Writes `clip` to `path` and returns its size in bytes. What is there is replaced when everything is written, so
/// that it may be a recording that the clip refers to; a link stays a link, and the permissions stay.
pub(crate) fn save(clip: &Clip, path: &Path) -> io::Result<u64> {
    // Of a link, the file that it leads to. A new file has no canonical path yet.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let existing = fs::metadata(&path).ok();
    if existing.as_ref().is_some_and(|existing| !existing.is_file()) {
        // A device or a pipe is written to; a folder is refused here.
        return clip.write_to(OpenOptions::new().write(true).open(&path)?);
    }
    let (file, unfinished) = Unfinished::create(&path)?;
    let len = clip.write_to(&file)?;
    if let Some(existing) = existing {
        file.set_permissions(existing.permissions())?;
    }
    fs::rename(&unfinished.0, &path)?;
    std::mem::forget(unfinished);
    Ok(len)
}

/// A file beside the one to be written, which is removed unless it becomes that.
struct Unfinished(PathBuf);

impl Unfinished {
    fn create(path: &Path) -> io::Result<(File, Self)> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let mut attempt = 0_u32;
        loop {
            let mut hidden = OsString::from(".");
            hidden.push(name);
            hidden.push(format!(".{}-{attempt}", std::process::id()));
            let beside = path.with_file_name(hidden);
            match OpenOptions::new().write(true).create_new(true).open(&beside) {
                Ok(file) => return Ok((file, Self(beside))),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    attempt = attempt.wrapping_add(1)
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Best effort: the failure that led here is the one to report.
        let _ = fs::remove_file(&self.0);
    }
}
