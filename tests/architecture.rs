//! A file of `src/` uses only files on lower floors, and files of its own room without a circle: what ARCHITECTURE.md says
//! of the house is so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use testkit::source::{Source, circles};

/// The floors from the ground up. A room is a file or folder of `src/`; a file that stands lower than the rest of its
/// folder has a line of its own. `lib` and `fuzzing` may use all of them.
const FLOORS: &[&[&str]] = &[
    &["human"],
    &["damage", "frame_fault", "incomplete", "number", "annexb", "virtual_file"],
    &["error"],
    &["named"],
    &["matroska", "timestamp", "codec"],
    &["tags", "selector", "incomplete_input"],
    &["index"],
    &["fragment", "report"],
    &["plan"],
    &["selection", "time"],
    &["isobmff", "clip_plan"],
    &["clip"],
    &["builder"],
];

/// Circles that are still there. Every one that is gone must be taken out.
const KNOWN_CIRCLES: &[&[&str]] = &[];

/// Rooms that never see each other: the user, and what it may not use.
const STRANGERS: &[(&str, &str)] =
    &[("isobmff", "matroska"), ("matroska", "isobmff"), ("codec", "matroska"), ("codec", "isobmff")];

fn source() -> Source {
    Source::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../src")))
}

/// Whether a file is in a room, or is the room.
fn is_in(room: &str, file: &str) -> bool {
    file.strip_prefix(room).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The room of a file, and its floor.
fn place(file: &str) -> (&'static str, usize) {
    let rooms =
        FLOORS.iter().enumerate().flat_map(|(floor, rooms)| rooms.iter().map(move |room| (*room, floor)));
    rooms
        .filter(|(room, _)| is_in(room, file))
        .max_by_key(|(room, _)| room.len())
        .unwrap_or_else(|| panic!("src/{file}.rs has no floor: ARCHITECTURE.md and this test must name it"))
}

/// The arrows of the files that have a floor.
fn arrows(source: &Source) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut arrows = source.arrows();
    arrows.retain(|file, _| *file != "lib" && *file != "fuzzing");
    arrows
}

#[test]
fn arrows_point_down() {
    let source = source();
    let arrows = arrows(&source);
    let mut wrong = Vec::new();
    for (file, used) in
        arrows.iter().flat_map(|(file, targets)| targets.iter().map(move |used| (*file, *used)))
    {
        let ((room, floor), (used_room, used_floor)) = (place(file), place(used));
        if used_room != room && used_floor >= floor {
            wrong.push(format!("{file} uses {used}"));
        }
    }
    assert!(wrong.is_empty(), "not on a floor below:\n{}", wrong.join("\n"));
    let count: usize = arrows.values().map(BTreeSet::len).sum();
    assert!(count > 100, "the test has lost its way: {count} arrows found");
}

#[test]
fn files_form_no_circle() {
    let source = source();
    assert_eq!(circles(&arrows(&source)), KNOWN_CIRCLES);
}

#[test]
fn the_two_containers_never_meet() {
    let source = source();
    for (file, targets) in source.arrows() {
        for (room, stranger) in STRANGERS.iter().filter(|(room, _)| is_in(room, file)) {
            let met: Vec<_> = targets.iter().filter(|used| is_in(stranger, used)).collect();
            assert!(met.is_empty(), "{file} of {room} uses {met:?}");
        }
    }
}

/// A floor that no file stands on is a name that was forgotten in this test.
#[test]
fn every_room_is_there() {
    let source = source();
    for room in FLOORS.concat() {
        assert!(source.files().any(|file| is_in(room, file)), "no file in {room}");
    }
}
