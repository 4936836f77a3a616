//! The command `link`.

use std::time::{Duration, SystemTime};

use getclip_server::sigv4::presign;

use super::args::LinkArguments;
use super::failure::Failure;
use super::serve::credentials;
use super::text::print;

/// The region of a link means nothing to the server.
const REGION: &str = "us-east-1";

/// Prints the URL with its signature.
pub(super) fn run(arguments: &LinkArguments) -> Result<(), Failure> {
    let credentials = credentials(&arguments.credentials)?;
    let key = credentials.key(&arguments.key);
    let key = key.ok_or_else(|| {
        Failure::usage(format!("{}: no key {:?}", arguments.credentials.display(), arguments.key))
    })?;
    let (scheme, host, path, query) = split(&arguments.url).ok_or_else(|| {
        Failure::usage(format!("expected http://HOST/streams/NAME/clip.mp4?..., found {:?}", arguments.url))
    })?;
    let expires = Duration::from_secs(arguments.expires.into());
    let query = presign(key, REGION, host, path, query, SystemTime::now().into(), expires);
    print(&format!("{scheme}://{host}{path}?{query}\n"))
}

/// Scheme, host with port, path and query of a URL.
fn split(url: &str) -> Option<(&str, &str, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let (host, _) = rest.split_once('/')?;
    let (path, query) = rest.strip_prefix(host)?.split_once('?')?;
    let is_http = matches!(scheme, "http" | "https") && !host.is_empty() && !host.contains(['@', '?', '#']);
    (is_http && !query.contains('#')).then_some((scheme, host, path, query))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_split() {
        assert_eq!(
            split("https://example.org:8443/streams/a/clip.mp4?start=1&end=2"),
            Some(("https", "example.org:8443", "/streams/a/clip.mp4", "start=1&end=2"))
        );
        for url in [
            "",
            "example.org/a?b",
            "ftp://h/a?b",
            "http:///a?b",
            "http://h/a",
            "http://u@h/a?b",
            "http://h/a?b#c",
        ] {
            assert_eq!(split(url), None, "{url}");
        }
    }
}
