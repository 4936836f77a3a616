//! The canonical request: one text for all ways of writing the same request.

use std::borrow::Cow;

use http::HeaderMap;

/// The canonical request of its parts, each of them canonical.
pub(super) fn canonical_request(
    method: &str,
    path: &str,
    query: &str,
    headers: &str,
    signed_headers: &str,
    payload_hash: &str,
) -> String {
    // Each header ends with a line feed of its own.
    format!("{method}\n{path}\n{query}\n{headers}\n{signed_headers}\n{payload_hash}")
}

/// The path with every byte encoded that is not unreserved, `%` of what is encoded already too: services other than S3
/// encode twice.
pub(super) fn canonical_path(path: &str) -> Cow<'_, str> {
    match path {
        "" => Cow::Borrowed("/"),
        _ if path.bytes().all(|byte| is_unreserved(byte) || byte == b'/') => Cow::Borrowed(path),
        _ => Cow::Owned(path.split('/').map(encode).collect::<Vec<_>>().join("/")),
    }
}

/// The parameters of a query, as they are written in it, without the one that holds the signature.
pub(super) fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// The query's parameters sorted: once as they are written, once decoded and encoded again. Signers do the one or the
/// other, which differ where a URL has a character that need not be encoded, or that should be and is not.
pub(super) fn canonical_queries(query: &str) -> (String, String) {
    let signed = || parameters(query).filter(|(name, _)| *name != "X-Amz-Signature");
    let written = signed().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let encoded = signed().map(|(name, value)| (reencode(name), reencode(value))).collect();
    (join(written), join(encoded))
}

fn join(mut parameters: Vec<(String, String)>) -> String {
    parameters.sort();
    let pairs: Vec<_> = parameters.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// The headers that are signed, each on a line. `None` where one is missing, repeated in the list, or out of order.
pub(super) fn canonical_headers(headers: &HeaderMap, signed_headers: &str) -> Option<String> {
    let mut lines = String::new();
    let mut before = "";
    for name in signed_headers.split(';') {
        if name <= before {
            return None;
        }
        before = name;
        let mut values =
            headers.get_all(name).iter().map(|value| Some(collapse(value.to_str().ok()?.trim())));
        let first = values.next()??;
        let value = values.try_fold(first, |joined, value| Some(joined + "," + &value?))?;
        lines.push_str(name);
        lines.push(':');
        lines.push_str(&value);
        lines.push('\n');
    }
    Some(lines)
}

/// Runs of spaces as one.
fn collapse(value: &str) -> String {
    let mut collapsed = String::with_capacity(value.len());
    for c in value.chars() {
        if c != ' ' || !collapsed.ends_with(' ') {
            collapsed.push(c);
        }
    }
    collapsed
}

/// RFC 3986 section 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// `text` with every byte that is not unreserved as `%XX`.
pub(super) fn encode(text: &str) -> String {
    encode_bytes(text.as_bytes())
}

fn encode_bytes(bytes: &[u8]) -> String {
    let mut encoded = String::with_capacity(bytes.len());
    for &byte in bytes {
        if is_unreserved(byte) {
            encoded.push(byte.into());
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn reencode(text: &str) -> String {
    encode_bytes(&percent_decode(text))
}

/// The bytes that a text with `%XX` stands for. What is no such escape stands for itself, a plus sign too.
pub(crate) fn percent_decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escape = match after {
            &[high, low, ..] if byte == b'%' => hex_pair(high, low),
            _ => None,
        };
        bytes.push(escape.unwrap_or(byte));
        rest = match escape {
            Some(_) => after.get(2..).unwrap_or_default(),
            None => after,
        };
    }
    bytes
}

fn hex_pair(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(percent_decode("a%2Fb%zz%4"), b"a/b%zz%4");
        assert_eq!(percent_decode("%e2%82%AC+"), "€+".as_bytes());
        assert_eq!(encode("a/€ ~"), "a%2F%E2%82%AC%20~");
    }

    #[test]
    fn paths_are_encoded_twice() {
        assert_eq!(canonical_path(""), "/");
        assert_eq!(canonical_path("/streams/front-door_2.x/clip.mp4"), "/streams/front-door_2.x/clip.mp4");
        assert_eq!(canonical_path("/a%20b/:"), "/a%2520b/%3A");
    }

    #[test]
    fn queries_are_sorted_by_name_and_value() {
        let (written, encoded) = canonical_queries("b=2&a=x&b=1&A&X-Amz-Signature=00");
        assert_eq!(written, "A=&a=x&b=1&b=2");
        assert_eq!(encoded, written);
        let (written, encoded) = canonical_queries("t=12:00:00%2b02:00");
        assert_eq!(written, "t=12:00:00%2b02:00");
        assert_eq!(encoded, "t=12%3A00%3A00%2B02%3A00");
    }

    #[test]
    fn signed_headers_are_sorted_and_there() {
        let mut headers = HeaderMap::new();
        headers.append("host", "h".parse().unwrap());
        headers.append("x-a", " a   b ".parse().unwrap());
        headers.append("x-a", "c".parse().unwrap());
        assert_eq!(canonical_headers(&headers, "host;x-a").unwrap(), "host:h\nx-a:a b,c\n");
        for names in ["x-a;host", "host;host", "host;x-b", "", "host;"] {
            assert_eq!(canonical_headers(&headers, names), None, "{names}");
        }
    }
}
