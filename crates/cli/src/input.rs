//! What is read: the files behind the INPUT arguments.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Something to read fragments from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// `-`
    Stdin,
    /// A file, or a pipe or device that has a path.
    Path {
        path: PathBuf,
        /// Size in bytes, where it is a regular file.
        len: Option<u64>,
    },
}

impl Input {
    /// Size in bytes, where it is known before reading.
    pub(crate) fn len(&self) -> Option<u64> {
        match self {
            Self::Stdin => None,
            Self::Path { len, .. } => *len,
        }
    }
}

/// As a message calls it.
impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            Self::Path { path, .. } => path.display().fmt(f),
        }
    }
}

/// The files of the INPUT arguments, in their order.
pub(crate) fn list(arguments: &[PathBuf]) -> Result<Vec<Input>, Failure> {
    let mut inputs = Vec::new();
    for argument in arguments {
        if argument.as_os_str() == "-" {
            if inputs.contains(&Input::Stdin) {
                return Err(Failure::usage("standard input (-) is named twice"));
            }
            inputs.push(Input::Stdin);
            continue;
        }
        let metadata = fs::metadata(argument).map_err(|error| Failure::io(argument.display(), error))?;
        if metadata.is_dir() {
            inputs.extend(list_folder(argument)?);
        } else {
            let len = metadata.is_file().then_some(metadata.len());
            inputs.push(Input::Path { path: argument.clone(), len });
        }
    }
    Ok(inputs)
}

/// The arguments as a message calls them together.
pub(crate) fn describe(arguments: &[PathBuf]) -> String {
    match arguments {
        [only] if only.as_os_str() == "-" => Input::Stdin.to_string(),
        [only] => only.display().to_string(),
        several => format!("{} inputs", several.len()),
    }
}

/// The regular files of a folder but for those whose names begin with a dot, in the order of their names.
fn list_folder(folder: &Path) -> Result<Vec<Input>, Failure> {
    let in_folder = |error| Failure::io(folder.display(), error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(in_folder)? {
        let entry = entry.map_err(in_folder)?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        // Follows links, unlike the entry's own metadata.
        let metadata = fs::metadata(&path).map_err(|error| Failure::io(path.display(), error))?;
        if metadata.is_file() {
            files.push((name, Input::Path { path, len: Some(metadata.len()) }));
        }
    }
    files.sort_by(|(a, _), (b, _)| by_number(a, b));
    Ok(files.into_iter().map(|(_, input)| input).collect())
}

/// Names in the order in which people count: runs of digits compare by value, however long they are (a fragment number
/// has 47 digits), the rest byte by byte.
fn by_number(a: &OsStr, b: &OsStr) -> Ordering {
    let (mut rest_a, mut rest_b) = (a.as_encoded_bytes(), b.as_encoded_bytes());
    loop {
        let ((number_a, after_a), (number_b, after_b)) = (leading_digits(rest_a), leading_digits(rest_b));
        if !number_a.is_empty() && !number_b.is_empty() {
            let order = compare_numbers(number_a, number_b);
            if order.is_ne() {
                return order;
            }
            (rest_a, rest_b) = (after_a, after_b);
            continue;
        }
        match (rest_a.split_first(), rest_b.split_first()) {
            (Some((byte_a, after_a)), Some((byte_b, after_b))) if byte_a == byte_b => {
                (rest_a, rest_b) = (after_a, after_b);
            }
            (Some((byte_a, _)), Some((byte_b, _))) => return byte_a.cmp(byte_b),
            // `1` and `01` are equal so far.
            (None, None) => return a.cmp(b),
            (a, b) => return a.is_some().cmp(&b.is_some()),
        }
    }
}

/// The digits at the front, and what follows them.
fn leading_digits(name: &[u8]) -> (&[u8], &[u8]) {
    let len = name.iter().take_while(|byte| byte.is_ascii_digit()).count();
    name.split_at_checked(len).unwrap_or((name, &[]))
}

/// Without leading zeros, the longer number is the larger, and equally long ones compare as text.
fn compare_numbers(a: &[u8], b: &[u8]) -> Ordering {
    let significant = |number: &[u8]| number.iter().skip_while(|&&digit| digit == b'0').copied().collect();
    let (a, b): (Vec<u8>, Vec<u8>) = (significant(a), significant(b));
    a.len().cmp(&b.len()).then_with(|| a.cmp(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_people_count() {
        let sorted = [
            "1.mkv",
            "2.mkv",
            "02b.mkv",
            "10.mkv",
            "91343852333181432392682062607743920146264094899.mkv",
            "91343852333181432392682062607743920146264094900.mkv",
            "a",
            "a01",
            "a1",
            "a1b2",
            "a1b10",
            "b",
        ];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                let expected = i.cmp(&j);
                assert_eq!(by_number(OsStr::new(a), OsStr::new(b)), expected, "{a} {b}");
            }
        }
    }
}
