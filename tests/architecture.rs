//! A room of the house uses only the floors below it: what ARCHITECTURE.md says of `src/` is so.

use std::fs;
use std::path::{Path, PathBuf};

/// The floors from the ground up. A room may use itself, and rooms of lower floors.
const FLOORS: [&[&str]; 9] = [
    &["error"],
    &["matroska", "annexb", "timestamp"],
    &["codec", "fragment", "selector"],
    &["report"],
    &["track"],
    &["time"],
    &["isobmff", "clip", "selection"],
    &["builder"],
    &["lib", "fuzzing"],
];

fn floor_of(room: &str) -> usize {
    FLOORS.iter().position(|rooms| rooms.contains(&room)).unwrap_or_else(|| {
        panic!("{room} is a room without a floor: ARCHITECTURE.md and this test must name it")
    })
}

fn source_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(source_files(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// The rooms that a source text names in paths from the crate's root, doc comments left out.
fn rooms_used(source: &str) -> impl Iterator<Item = &str> {
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("crate::").skip(1))
        .map(|path| path.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default())
}

#[test]
fn arrows_point_down() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut arrows = 0;
    for file in source_files(&src) {
        let inside = file.strip_prefix(&src).unwrap().with_extension("");
        let room = inside.components().next().unwrap().as_os_str().to_str().unwrap().to_owned();
        let source = fs::read_to_string(&file).unwrap();
        if room == "lib" || room == "fuzzing" {
            continue;
        }
        for used in rooms_used(&source).filter(|used| *used != room) {
            assert!(
                floor_of(used) < floor_of(&room),
                "{} uses {used}, which is not on a floor below {room}",
                file.display()
            );
            arrows += 1;
        }
    }
    assert!(arrows > 50, "the test has lost its way: {arrows} arrows found");
}

#[test]
fn the_two_containers_never_meet() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (room, other) in
        [("isobmff", "matroska"), ("matroska", "isobmff"), ("codec", "matroska"), ("codec", "isobmff")]
    {
        for file in source_files(&src.join(room)) {
            let source = fs::read_to_string(&file).unwrap();
            assert!(rooms_used(&source).all(|used| used != other), "{} uses {other}", file.display());
        }
    }
}
