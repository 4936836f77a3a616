//! Tokens of Rust source, as far as paths need them: comments, strings and characters are left out.

/// A word, or one character of punctuation; `::` is one token.
pub(super) type Token<'a> = &'a str;

/// The tokens of a source text, without items that are compiled for tests only.
pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    without_test_items(&all_tokens(source))
}

fn all_tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let len = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            '"' => quoted(rest),
            'r' | 'b' | 'c' if string_prefix(rest).is_some() => string_prefix(rest).unwrap_or(1),
            '\'' => character(rest),
            _ if is_word(first) => {
                let len = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                tokens.push(&rest[..len]);
                len
            }
            ':' if rest.starts_with("::") => {
                tokens.push(&rest[..2]);
                2
            }
            _ => {
                if !first.is_whitespace() {
                    tokens.push(&rest[..first.len_utf8()]);
                }
                first.len_utf8()
            }
        };
        rest = &rest[len..];
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Length of the block comment at the front; they nest.
fn block_comment(text: &str) -> usize {
    let (mut at, mut depth) = (2, 1);
    while depth > 0 {
        let found = text[at..].find("/*").map(|found| (found, 1));
        let close = text[at..].find("*/").map(|found| (found, -1));
        let Some((next, change)) = [found, close].into_iter().flatten().min() else { return text.len() };
        depth += change;
        at += next + 2;
    }
    at
}

/// Length of the string in quotes at the front, escapes included.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    text.len()
}

/// Length of a string or character with a prefix, such as `b"..."` or `r#"..."#`. `None` for a word.
fn string_prefix(text: &str) -> Option<usize> {
    let after = text.trim_start_matches(['b', 'c', 'r']);
    let prefix = text.len() - after.len();
    if prefix > 2 {
        return None;
    }
    if !text[..prefix].contains('r') {
        return match after.chars().next()? {
            '"' => Some(prefix + quoted(after)),
            '\'' if text.starts_with('b') => Some(prefix + character(after)),
            _ => None,
        };
    }
    let hashes = after.len() - after.trim_start_matches('#').len();
    let end = format!("\"{}", &after[..hashes]);
    let content = after[hashes..].strip_prefix('"')?;
    Some(prefix + hashes + 1 + content.find(&end)? + end.len())
}

/// Length of the character at the front, or of the quote alone where it begins a lifetime.
fn character(text: &str) -> usize {
    let mut inside = text[1..].chars();
    match (inside.next(), inside.next()) {
        (Some('\\'), Some(escaped)) => {
            let start = 2 + escaped.len_utf8();
            text[start..].find('\'').map_or(text.len(), |end| start + end + 1)
        }
        (Some(c), Some('\'')) => 2 + c.len_utf8(),
        _ => 1,
    }
}

fn without_test_items<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    const TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut rest = tokens;
    while let Some((first, after)) = rest.split_first() {
        match rest.strip_prefix(&TEST) {
            Some(item) => rest = &item[item_len(item)..],
            None => {
                kept.push(*first);
                rest = after;
            }
        }
    }
    kept
}

/// Tokens of the item at the front: to its semicolon, or to the end of its braces.
fn item_len(tokens: &[Token<'_>]) -> usize {
    let is_use = tokens.iter().find(|token| !is_visibility(token)) == Some(&"use");
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match *token {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 && (*token == ";" || *token == "}" && !is_use) {
            return at + 1;
        }
    }
    tokens.len()
}

fn is_visibility(token: &str) -> bool {
    matches!(token, "pub" | "(" | "crate" | "super" | ")")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_strings_and_characters_are_left_out() {
        let source = r####"a /* b /* c */ d */ "e\" f" r#"g " h"# b'\'' 'i' 'x: 'static // j
            k::l b"m" r"n" '\u{1F600}' raw"####;
        assert_eq!(tokens(source), ["a", "x", ":", "static", "k", "::", "l", "raw"]);
    }

    #[test]
    fn items_for_tests_are_left_out() {
        let source =
            "use a; #[cfg(test)] use b::{c, d}; #[cfg(test)] pub(crate) mod tests { fn x() {} } fn y() {}
            #[cfg(test)] mod more; z";
        assert_eq!(tokens(source).concat(), "usea;fny(){}z");
    }
}
