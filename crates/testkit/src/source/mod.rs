//! Which file of a crate uses which other, for tests that hold the source to its architecture.
//!
//! A file uses another if a path in it, in a `use` or anywhere else, ends at an item of the other. A re-export in
//! between counts as the file that the item comes from. What is compiled for tests only is left out, and so are
//! `mod` declarations and re-exports: they are how a folder is put together.

mod paths;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path as FilePath;

use paths::{Path, Paths};

/// The files of a crate, named as their modules are: `codec/avc`, `codec` for `codec/mod.rs`, `lib`.
#[derive(Debug)]
pub struct Source {
    files: BTreeMap<String, Paths>,
}

impl Source {
    /// Reads the crate whose `lib.rs` is in this folder.
    pub fn read(folder: &FilePath) -> Self {
        Self::load(&mut |file| {
            let text = fs::read_to_string(folder.join(format!("{file}.rs")));
            text.or_else(|_| fs::read_to_string(folder.join(file).join("mod.rs"))).ok()
        })
    }

    fn load(text_of: &mut dyn FnMut(&str) -> Option<String>) -> Self {
        let mut files = BTreeMap::new();
        let mut to_read = vec!["lib".to_owned()];
        while let Some(file) = to_read.pop() {
            let text = text_of(&file).unwrap_or_else(|| panic!("no file for the module {file}"));
            let paths = Paths::of(&tokens::tokens(&text));
            to_read.extend(paths.modules.iter().map(|module| child(&file, module)));
            files.insert(file, paths);
        }
        Self { files }
    }

    /// The files in alphabetical order.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The files that each file uses, itself not among them.
    pub fn arrows(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let targets = |file: &'_ str, paths: &'_ Paths| -> BTreeSet<&str> {
            let found = paths.uses.iter().map(|path| self.file_of(file, path));
            found.filter(|target| *target != file).collect()
        };
        self.files.iter().map(|(file, paths)| (file.as_str(), targets(file, paths))).collect()
    }

    /// The file of the item at which a path ends that stands in `file`.
    fn file_of(&self, file: &str, path: &Path) -> &str {
        let mut module = file.to_owned();
        let mut segments = path.iter().map(String::as_str).peekable();
        match segments.peek() {
            Some(&"crate") => {
                segments.next();
                module = "lib".to_owned();
            }
            Some(&"self") => _ = segments.next(),
            _ => {
                while segments.next_if_eq(&"super").is_some() {
                    module = parent(&module).to_owned();
                }
            }
        }
        while let Some(next) = segments.peek().map(|name| child(&module, name)).filter(|next| self.has(next))
        {
            module = next;
            segments.next();
        }
        let (name, paths) = self.files.get_key_value(&module).unwrap_or_else(|| panic!("no module {module}"));
        let reexport = segments.peek().and_then(|item| paths.reexports.iter().find(|(name, _)| name == item));
        match reexport {
            Some((_, path)) => self.file_of(&module, path),
            None => name,
        }
    }

    fn has(&self, file: &str) -> bool {
        self.files.contains_key(file)
    }
}

/// Groups of files that reach each other by arrows, each sorted; files outside a circle are in none.
pub fn circles<'a>(arrows: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Vec<Vec<&'a str>> {
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        arrows.keys().map(|file| (*file, reachable(arrows, file))).collect();
    let mut found: BTreeSet<Vec<&str>> = BTreeSet::new();
    for (file, reached) in reach.iter().filter(|(file, reached)| reached.contains(**file)) {
        found.insert(reached.iter().filter(|other| reach[*other].contains(file)).copied().collect());
    }
    found.into_iter().collect()
}

/// The files that arrows lead to from `start`, which is among them if it is in a circle.
fn reachable<'a>(arrows: &BTreeMap<&'a str, BTreeSet<&'a str>>, start: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut to_follow = vec![start];
    while let Some(file) = to_follow.pop() {
        for next in arrows.get(file).into_iter().flatten() {
            if reached.insert(*next) {
                to_follow.push(next);
            }
        }
    }
    reached
}

/// The file of a module that `file` declares.
fn child(file: &str, module: &str) -> String {
    if file == "lib" { module.to_owned() } else { format!("{file}/{module}") }
}

/// The file that declares the module of `file`.
fn parent(file: &str) -> &str {
    file.rsplit_once('/').map_or("lib", |(parent, _)| parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(files: &[(&str, &str)]) -> Source {
        Source::load(&mut |file| {
            files.iter().find(|(name, _)| *name == file).map(|(_, text)| (*text).to_owned())
        })
    }

    #[test]
    fn arrows_lead_to_the_file_of_the_item() {
        let source = source(&[
            ("lib", "mod a; mod b; pub use a::inner::Item;"),
            (
                "a",
                "pub mod inner; mod other; pub use inner::Item; pub use other::Alias as Renamed; struct Own;",
            ),
            ("a/inner", "pub struct Item; use super::Own; fn f() { crate::b::g() }"),
            ("a/other", "use super::super::b::X; pub type Alias = u8;"),
            ("b", "use crate::a::{Item, Renamed}; use crate::Item as Same; #[cfg(test)] use crate::a::Own;"),
        ]);
        let arrows = source.arrows();
        let of = |file: &str| arrows[file].iter().copied().collect::<Vec<_>>();
        assert_eq!(of("lib"), [""; 0]);
        assert_eq!(of("a"), [""; 0]);
        assert_eq!(of("a/inner"), ["a", "b"]);
        assert_eq!(of("a/other"), ["b"]);
        assert_eq!(of("b"), ["a/inner", "a/other"]);
        assert_eq!(circles(&arrows), [["a/inner", "a/other", "b"]]);
    }

    #[test]
    fn circles_are_told_apart() {
        let arrows =
            [("a", vec!["b"]), ("b", vec!["a", "c"]), ("c", vec!["d"]), ("d", vec!["c"]), ("e", vec!["a"])];
        let arrows = arrows.into_iter().map(|(from, to)| (from, to.into_iter().collect())).collect();
        assert_eq!(circles(&arrows), [["a", "b"], ["c", "d"]]);
    }
}
