//! What is imported: the recordings that the INPUT arguments name.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

use getclip_archive::RecordingUrl;

use super::failure::Failure;

/// Something to import fragments from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// `-`
    Stdin,
    /// A file or an object.
    Recording {
        url: RecordingUrl,
        /// Size in bytes, where it is a regular file.
        len: Option<u64>,
    },
}

/// As a message calls it.
impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            Self::Recording { url, .. } => url.fmt(f),
        }
    }
}

/// The recordings of the INPUT arguments, in their order.
pub(super) fn list(arguments: &[String]) -> Result<Vec<Input>, Failure> {
    let mut inputs = Vec::new();
    for argument in arguments {
        if argument == "-" {
            if inputs.contains(&Input::Stdin) {
                return Err(Failure::usage("standard input (-) is named twice"));
            }
            inputs.push(Input::Stdin);
            continue;
        }
        if argument.contains("://") {
            inputs.push(Input::Recording { url: argument.parse()?, len: None });
            continue;
        }
        let path = Path::new(argument);
        let metadata = std::fs::metadata(path).map_err(|error| Failure::io(argument, error))?;
        if metadata.is_dir() {
            inputs.extend(list_folder(path)?);
        } else {
            inputs.push(Input::Recording { url: argument.parse()?, len: Some(metadata.len()) });
        }
    }
    Ok(inputs)
}

/// The regular files of a folder but for those whose names begin with a dot, in the order of their names.
fn list_folder(folder: &Path) -> Result<Vec<Input>, Failure> {
    let in_folder = |error| Failure::io(folder.display(), error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(in_folder)? {
        let entry = entry.map_err(in_folder)?;
        let (name, path) = (entry.file_name(), entry.path());
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // Follows links, unlike the entry's own metadata.
        let metadata = std::fs::metadata(&path).map_err(|error| Failure::io(path.display(), error))?;
        if metadata.is_file() {
            let text = path
                .to_str()
                .ok_or_else(|| Failure::usage(format!("{}: expected a path in UTF-8", path.display())))?;
            files.push((name, Input::Recording { url: text.parse()?, len: Some(metadata.len()) }));
        }
    }
    files.sort_by(|(a, _), (b, _)| by_number(a, b));
    Ok(files.into_iter().map(|(_, input)| input).collect())
}

/// Names in the order in which people count: runs of digits compare by value, however long they are, the rest byte by
/// byte.
fn by_number(a: &OsStr, b: &OsStr) -> Ordering {
    let key = |name: &OsStr| -> Vec<(bool, usize, Vec<u8>)> {
        let bytes = name.as_encoded_bytes();
        let runs = bytes.chunk_by(|x, y| x.is_ascii_digit() && y.is_ascii_digit());
        let part = |run: &[u8]| {
            let is_number = run.first().is_some_and(u8::is_ascii_digit);
            let zeros = run.iter().take_while(|byte| is_number && **byte == b'0').count();
            let digits = run.get(zeros..).unwrap_or_default();
            // Without leading zeros, the longer number is the larger, and equally long ones compare as text.
            (!is_number, if is_number { digits.len() } else { 0 }, digits.to_vec())
        };
        runs.map(part).collect()
    };
    key(a).cmp(&key(b)).then_with(|| a.cmp(b))
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
                assert_eq!(by_number(OsStr::new(a), OsStr::new(b)), i.cmp(&j), "{a} {b}");
            }
        }
    }

    #[test]
    fn standard_input_is_read_once() {
        assert_eq!(list(&["-".into()]).unwrap(), [Input::Stdin]);
        let twice = list(&["-".into(), "-".into()]).unwrap_err();
        assert_eq!(twice.to_string(), "standard input (-) is named twice");
    }
}
