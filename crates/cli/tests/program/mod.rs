//! Runs the program in a folder of its own, and what the tests feed it.

// Each test crate uses its own part of it, and none exports it.
#![allow(dead_code, unreachable_pub)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use testkit::media;
use testkit::mkv::{Block, Fragment, Track};

/// When the first fragment starts: 2023-11-14T22:13:20Z.
pub const START_MS: u64 = 1_700_000_000_000;

/// A fragment of one second, 25 pictures, the `index`-th of a recording without gaps.
pub fn fragment(index: u64) -> Fragment {
    Fragment::stored(index, START_MS + index * 1000, vec![Track::avc()], pictures(index))
}

/// 25 pictures, the first of which is a key frame.
pub fn pictures(seed: u64) -> Vec<Block> {
    (0..25)
        .map(|i| {
            let frame = media::avc_frame(seed * 100 + i, 200, i == 0);
            Block::new(1, (i * 40) as i16, i == 0, frame)
        })
        .collect()
}

/// An empty folder to run the program in.
pub struct Folder(TempDir);

/// What a run did.
pub struct Run {
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Folder {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, and the folders it is in.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The names of all that is in the folder, sorted.
    pub fn names(&self) -> Vec<String> {
        names(self.0.path())
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_getclip"));
        command.current_dir(self.0.path()).args(arguments).stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::from(self.command(arguments).output().unwrap())
    }

    /// Runs the program with `input` on its standard input.
    pub fn run_with(&self, arguments: &[&str], input: &[u8]) -> Run {
        let mut command = self.command(arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            // A program that refuses its input does not read all of it.
            scope.spawn(move || stdin.write_all(input));
            Run::from(child.wait_with_output().unwrap())
        })
    }
}

/// The names of all that is in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("an exit code, not a signal"),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    /// The run did what it was asked for.
    #[track_caller]
    pub fn done(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self
    }

    /// The run ended with this code and one line that begins with `getclip: ` and `file` and contains `message`.
    #[track_caller]
    pub fn failed(self, code: i32, file: &str, message: &str) -> Self {
        assert_eq!(self.code, code, "{}", self.stderr);
        let line = self.stderr.strip_suffix('\n').expect("a whole line");
        assert!(!line.contains('\n'), "more than one line: {line}");
        assert!(line.starts_with(&format!("getclip: {file}: ")), "{line}");
        assert!(line.contains(message), "{line}");
        self
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// Standard output as one JSON object on one line.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.text().lines().count(), 1);
        serde_json::from_str(self.text()).unwrap()
    }
}

/// The names of an array's objects under `key`.
pub fn each<'a>(array: &'a Value, key: &str) -> Vec<&'a Value> {
    array.as_array().unwrap().iter().map(|object| &object[key]).collect()
}
