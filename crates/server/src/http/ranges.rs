//! Ranges of a representation, and whether the client has it already: RFC 9110 sections 13 and 14.

use std::ops::Range;

use http::{HeaderMap, HeaderName, header};

/// What to send of a representation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selected {
    /// 200: all of it.
    Whole,
    /// 206: these bytes.
    Part(Range<u64>),
    /// 304: the client has it.
    NotModified,
    /// 412: it is not the one that the client wants.
    PreconditionFailed,
    /// 416: the client wants bytes where there are none.
    NotSatisfiable,
}

/// Decides what to send of a representation of `len` bytes with an entity tag, as RFC 9110 section 13.2.2 orders it.
pub(crate) fn select(headers: &HeaderMap, etag: &str, len: u64) -> Selected {
    if let Some(tags) = text(headers, &header::IF_MATCH)
        && !matches_any(tags, etag, Comparison::Strong)
    {
        return Selected::PreconditionFailed;
    }
    if let Some(tags) = text(headers, &header::IF_NONE_MATCH)
        && matches_any(tags, etag, Comparison::Weak)
    {
        return Selected::NotModified;
    }
    let Some(range) = text(headers, &header::RANGE) else { return Selected::Whole };
    // A date never matches: a clip has no date of its own.
    if let Some(tag) = text(headers, &header::IF_RANGE)
        && !matches_any(tag, etag, Comparison::Strong)
    {
        return Selected::Whole;
    }
    match parse_range(range, len) {
        Some(range) => range.map_or(Selected::NotSatisfiable, Selected::Part),
        None => Selected::Whole,
    }
}

/// Whether a range without the first byte is asked for: its client has the beginning, or is not after it.
pub(crate) fn continues(headers: &HeaderMap) -> bool {
    let range = text(headers, &header::RANGE).and_then(|range| parse_range(range, u64::MAX));
    range.flatten().is_some_and(|range| range.start > 0)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// RFC 9110 section 8.8.3.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    /// Tags are equal and neither is weak.
    Strong,
    /// Tags are equal but for their being weak.
    Weak,
}

/// Whether a list of entity tags, or `*`, holds the one of a representation.
fn matches_any(list: &str, etag: &str, comparison: Comparison) -> bool {
    if list.trim() == "*" {
        return true;
    }
    let opaque = |tag: &'_ str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    // The tags of this server hold no comma.
    list.split(',').map(str::trim).any(|tag| match comparison {
        Comparison::Strong => tag == etag && !etag.starts_with("W/"),
        Comparison::Weak => opaque(tag) == opaque(etag),
    })
}

/// The one range of `bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-LENGTH`, cut to what there is.
///
/// `None` for what is ignored: another unit, several ranges (a server may send all of it instead), bad syntax.
/// `Some(None)` for a range that begins behind the end, or is the last 0 bytes.
fn parse_range(range: &str, len: u64) -> Option<Option<Range<u64>>> {
    let (first, last) = range.trim().strip_prefix("bytes=")?.trim().split_once('-')?;
    let number = |text: &str| match text {
        "" => Some(None),
        // As large a number as one likes is valid.
        _ if text.bytes().all(|byte| byte.is_ascii_digit()) => Some(Some(text.parse().unwrap_or(u64::MAX))),
        _ => None,
    };
    let range = match (number(first)?, number(last)?) {
        (Some(first), Some(last)) if last < first => return None,
        (Some(first), last) => first..last.map_or(len, |last| last.saturating_add(1).min(len)),
        (None, Some(suffix)) => len.saturating_sub(suffix)..len,
        (None, None) => return None,
    };
    Some(Some(range).filter(|range| !range.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETAG: &str = "\"abc\"";

    fn selected(headers: &[(HeaderName, &str)], etag: &str) -> Selected {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
        select(&headers.collect(), etag, 100)
    }

    #[test]
    fn single_ranges() {
        for (range, expected) in [
            ("bytes=0-0", Selected::Part(0..1)),
            ("bytes=0-", Selected::Part(0..100)),
            ("bytes=10-19", Selected::Part(10..20)),
            ("bytes=90-1000", Selected::Part(90..100)),
            ("bytes=99-99999999999999999999999", Selected::Part(99..100)),
            ("bytes=-1", Selected::Part(99..100)),
            ("bytes=-1000", Selected::Part(0..100)),
            ("bytes=100-", Selected::NotSatisfiable),
            ("bytes=100-200", Selected::NotSatisfiable),
            ("bytes=-0", Selected::NotSatisfiable),
            ("bytes=5-4", Selected::Whole),
            ("bytes=-", Selected::Whole),
            ("bytes=a-b", Selected::Whole),
            ("bytes=+1-2", Selected::Whole),
            ("bytes=0-1,5-6", Selected::Whole),
            ("items=0-1", Selected::Whole),
        ] {
            assert_eq!(selected(&[(header::RANGE, range)], ETAG), expected, "{range}");
        }
    }

    #[test]
    fn ranges_after_the_first_byte_continue() {
        for (range, expected) in [
            ("bytes=1-", true),
            ("bytes=-1", true),
            ("bytes=10-19", true),
            ("bytes=0-", false),
            ("bytes=0-5", false),
            ("bytes=5-4", false),
            ("items=5-6", false),
        ] {
            let headers = HeaderMap::from_iter([(header::RANGE, range.parse().unwrap())]);
            assert_eq!(continues(&headers), expected, "{range}");
        }
        assert!(!continues(&HeaderMap::new()));
    }

    #[test]
    fn nothing_of_an_empty_representation() {
        let headers = HeaderMap::from_iter([(header::RANGE, "bytes=0-".parse().unwrap())]);
        assert_eq!(select(&headers, ETAG, 0), Selected::NotSatisfiable);
        assert_eq!(select(&HeaderMap::new(), ETAG, 0), Selected::Whole);
    }

    #[test]
    fn what_the_client_has_is_not_sent() {
        for (tags, etag, has) in [
            ("\"abc\"", ETAG, true),
            ("W/\"abc\"", ETAG, true),
            ("\"x\", \"abc\"", ETAG, true),
            ("*", ETAG, true),
            ("\"abc\"", "W/\"abc\"", true),
            ("\"abd\"", ETAG, false),
            ("abc", ETAG, false),
        ] {
            let expected = if has { Selected::NotModified } else { Selected::Whole };
            assert_eq!(selected(&[(header::IF_NONE_MATCH, tags)], etag), expected, "{tags} {etag}");
        }
        let both = [(header::IF_NONE_MATCH, ETAG), (header::RANGE, "bytes=0-1")];
        assert_eq!(selected(&both, ETAG), Selected::NotModified);
    }

    #[test]
    fn ranges_of_another_version_are_ignored() {
        for (tag, etag, is_same) in [
            (ETAG, ETAG, true),
            ("\"abd\"", ETAG, false),
            ("W/\"abc\"", "W/\"abc\"", false),
            ("Wed, 21 Oct 2015 07:28:00 GMT", ETAG, false),
        ] {
            let expected = if is_same { Selected::Part(1..3) } else { Selected::Whole };
            let headers = [(header::IF_RANGE, tag), (header::RANGE, "bytes=1-2")];
            assert_eq!(selected(&headers, etag), expected, "{tag}");
        }
    }

    #[test]
    fn another_version_than_the_one_that_is_wanted() {
        for (tags, etag, expected) in [
            (ETAG, ETAG, Selected::Whole),
            ("*", ETAG, Selected::Whole),
            ("\"abd\"", ETAG, Selected::PreconditionFailed),
            ("W/\"abc\"", "W/\"abc\"", Selected::PreconditionFailed),
        ] {
            assert_eq!(selected(&[(header::IF_MATCH, tags)], etag), expected, "{tags}");
        }
    }
}
