//! The recordings in a folder.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use crate::failure::Failure;
use crate::input::natural_order::by_number;
use crate::input::{Input, Inputs, dangling};

/// Adds the Matroska files of a folder to `inputs`, in the order of their names, and leaves out everything else.
pub(super) fn list(folder: &Path, recursive: bool, inputs: &mut Inputs) -> Result<(), Failure> {
    let entries = WalkDir::new(folder)
        .min_depth(1)
        .max_depth(if recursive { usize::MAX } else { 1 })
        .follow_links(true)
        .sort_by(|a, b| by_number(a.file_name(), b.file_name()));
    let mut entries = entries.into_iter();
    while let Some(entry) = entries.next() {
        match entry {
            Ok(entry) => {
                if is_hidden(&entry) {
                    inputs.leave_out(entry.path(), "hidden");
                    if entry.file_type().is_dir() && recursive {
                        entries.skip_current_dir();
                    }
                } else if !(entry.file_type().is_dir() && recursive) {
                    add(&entry, inputs)?;
                }
            }
            Err(error) => leave_out_broken(folder, error, inputs)?,
        }
    }
    Ok(())
}

fn add(entry: &DirEntry, inputs: &mut Inputs) -> Result<(), Failure> {
    let path = entry.path();
    let named = |error| Failure::io(path.display(), error);
    if entry.file_type().is_dir() {
        inputs.leave_out(path, "a folder in the folder (--recursive reads it)");
        return Ok(());
    }
    if !entry.file_type().is_file() {
        inputs.leave_out(path, "not a regular file");
        return Ok(());
    }
    let len = entry.metadata().map_err(|error| named(error.into()))?.len();
    let reason = match first_bytes(path).map_err(named)?.as_slice() {
        [] => "the file is empty".to_owned(),
        first if is_matroska(first) => {
            inputs.files.push(Input::Path { path: path.to_owned(), len: Some(len) });
            return Ok(());
        }
        first => {
            let shown: Vec<String> = first.iter().map(|byte| format!("{byte:02X}")).collect();
            format!("not Matroska (it begins with {})", shown.join(" "))
        }
    };
    inputs.leave_out(path, reason);
    Ok(())
}

/// A link without its target, or one that leads back to a folder above it, harms no other file. Anything else that
/// cannot be read may be a recording.
fn leave_out_broken(folder: &Path, error: walkdir::Error, inputs: &mut Inputs) -> Result<(), Failure> {
    let path = error.path().unwrap_or(folder).to_owned();
    if error.loop_ancestor().is_some() {
        inputs.leave_out(&path, "the link leads to a folder above it");
        return Ok(());
    }
    match dangling(&path) {
        Some(reason) if error.io_error().is_some_and(|error| error.kind() == io::ErrorKind::NotFound) => {
            inputs.leave_out(&path, reason);
            Ok(())
        }
        _ => Err(Failure::io(
            path.display(),
            error.into_io_error().unwrap_or_else(|| io::Error::other("unreadable")),
        )),
    }
}

/// Names that begin with a dot: what editors and file managers leave behind.
fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

/// A document begins with an EBML header (RFC 8794 section 11.2.1), perhaps after a Void element.
fn is_matroska(first: &[u8]) -> bool {
    const EBML: [u8; 4] = [0x1A, 0x45, 0xDF, 0xA3];
    const VOID: u8 = 0xEC;
    EBML.starts_with(first) || first.first() == Some(&VOID)
}

/// The first four bytes of a file, or as many as there are.
fn first_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut first = Vec::with_capacity(4);
    File::open(path)?.take(4).read_to_end(&mut first)?;
    Ok(first)
}
