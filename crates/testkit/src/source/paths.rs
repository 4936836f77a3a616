//! The paths that a source file names: in `use` declarations and anywhere else.

use super::tokens::Token;

/// A path as it is written, such as `crate::codec::Codec`.
pub(super) type Path = Vec<String>;

/// What one file declares and names.
#[derive(Debug, Default)]
pub(super) struct Paths {
    /// Names of the modules that have files of their own.
    pub(super) modules: Vec<String>,
    /// Names that the file passes on, and where they come from: `pub use`. A glob is called `*`.
    pub(super) reexports: Vec<(String, Path)>,
    /// Everything else that begins with `crate`, `super`, `self` or the name of one of its modules.
    pub(super) uses: Vec<Path>,
}

impl Paths {
    pub(super) fn of(tokens: &[Token<'_>]) -> Self {
        let mut paths = Self { modules: module_names(tokens), ..Self::default() };
        let mut at = 0;
        while at < tokens.len() {
            let is_start = at == 0 || !matches!(tokens[at - 1], "::" | "." | "in");
            if tokens[at] == "use" {
                let mut leaves = Vec::new();
                let end = use_tree(tokens, at + 1, &Vec::new(), &mut leaves);
                let is_public = at > 0 && matches!(tokens[at - 1], "pub" | ")");
                leaves.retain(|(path, _)| paths.is_ours(path));
                match is_public {
                    true => paths.reexports.extend(leaves.into_iter().map(|(path, name)| (name, path))),
                    false => paths.uses.extend(leaves.into_iter().map(|(path, _)| path)),
                }
                at = end;
            } else if is_start && tokens.get(at + 1) == Some(&"::") {
                let (path, end) = plain_path(tokens, at);
                if paths.is_ours(&path) {
                    paths.uses.push(path);
                }
                at = end;
            } else {
                at += 1;
            }
        }
        paths
    }

    fn is_ours(&self, path: &Path) -> bool {
        path.first().is_some_and(|first| {
            matches!(first.as_str(), "crate" | "super" | "self") || self.modules.contains(first)
        })
    }
}

/// `mod name;`
fn module_names(tokens: &[Token<'_>]) -> Vec<String> {
    let declarations = tokens.windows(3).filter(|window| window[0] == "mod" && window[2] == ";");
    declarations.map(|window| window[1].to_owned()).collect()
}

/// A path outside a `use`: segments up to the first that is no word. Where it ends is returned too.
fn plain_path(tokens: &[Token<'_>], start: usize) -> (Path, usize) {
    let mut path = vec![tokens[start].to_owned()];
    let mut at = start + 1;
    while tokens.get(at) == Some(&"::") && tokens.get(at + 1).is_some_and(|next| is_name(next)) {
        path.push(tokens[at + 1].to_owned());
        at += 2;
    }
    (path, at)
}

/// The leaves of a `use` tree, each with the name it gets. Where the tree ends is returned.
fn use_tree(tokens: &[Token<'_>], start: usize, prefix: &Path, leaves: &mut Vec<(Path, String)>) -> usize {
    let mut path = prefix.clone();
    let mut at = start;
    loop {
        match tokens.get(at) {
            Some(&"::") => at += 1,
            Some(&"{") => {
                at += 1;
                while tokens.get(at).is_some_and(|token| *token != "}") {
                    at = use_tree(tokens, at, &path, leaves);
                    if tokens.get(at) == Some(&",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            Some(&"*") => {
                leaves.push((path, "*".to_owned()));
                return at + 1;
            }
            Some(&"as") => {
                let name = tokens.get(at + 1).copied().unwrap_or_default().to_owned();
                leaves.push((path, name));
                return at + 2;
            }
            // `use a::{self}` names the module a.
            Some(&"self") if !path.is_empty() => at += 1,
            Some(token) if is_name(token) => {
                path.push((*token).to_owned());
                at += 1;
            }
            _ => {
                let name = path.last().cloned().unwrap_or_default();
                leaves.push((path, name));
                return at;
            }
        }
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tokens::tokens;

    fn joined(paths: &[Path]) -> Vec<String> {
        paths.iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn uses_and_plain_paths() {
        let paths = Paths::of(&tokens(
            "mod near; pub(crate) mod far; use std::fmt; use crate::a::{self, B, c::{D as E, *}};
             pub use near::Name; pub(crate) use super::Other as Another;
             fn f(x: crate::g::H<crate::i::J>) { near::call(); far.x(); std::mem::take(self); Self::y() }",
        ));
        assert_eq!(paths.modules, ["near", "far"]);
        assert_eq!(
            joined(&paths.uses),
            [
                "crate::a",
                "crate::a::B",
                "crate::a::c::D",
                "crate::a::c",
                "crate::g::H",
                "crate::i::J",
                "near::call"
            ]
        );
        let reexports: Vec<_> =
            paths.reexports.iter().map(|(name, path)| format!("{name}={}", path.join("::"))).collect();
        assert_eq!(reexports, ["Name=near::Name", "Another=super::Other"]);
    }
}
