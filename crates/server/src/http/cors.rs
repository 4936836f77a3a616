//! Cross-origin requests: which pages of other origins may use this server from a browser.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// The origins that may. Without one, no header is sent and browsers refuse.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    origins: Vec<String>,
}

/// What the SDKs for browsers send, and what a player sends.
const ALLOWED_HEADERS: &str = "authorization, content-type, range, if-range, if-none-match, x-amz-date, \
    x-amz-content-sha256, x-amz-security-token, x-amz-user-agent, amz-sdk-invocation-id, amz-sdk-request, \
    x-amzn-stream-name, x-amzn-stream-arn, x-amzn-fragment-timecode-type, x-amzn-producer-start-timestamp, \
    x-amzn-fragment-acknowledgment-required";

/// What a script may read of a response.
const EXPOSED_HEADERS: &str = "content-length, content-range, content-type, accept-ranges, date, etag, \
    x-amzn-errortype, x-amzn-requestid, x-getclip-truncated, x-getclip-continue-from";

/// How long a browser need not ask again: the longest that browsers take, 2 hours in Chromium.
const MAX_AGE_SECONDS: &str = "7200";

impl Cors {
    /// Allows these origins, such as `https://example.org`; `*` allows all.
    pub fn new(origins: impl IntoIterator<Item = String>) -> Self {
        Self { origins: origins.into_iter().collect() }
    }

    /// The value of `Access-Control-Allow-Origin` for a request.
    fn allowed(&self, request: &HeaderMap) -> Option<HeaderValue> {
        let origin = request.get(header::ORIGIN)?;
        if self.origins.iter().any(|allowed| allowed == "*") {
            return Some(HeaderValue::from_static("*"));
        }
        self.origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()).then(|| origin.clone())
    }

    /// Adds to the response what lets the request's origin read it.
    pub(crate) fn expose(&self, request: &HeaderMap, response: &mut HeaderMap) {
        if self.origins.is_empty() {
            return;
        }
        // A cache must not hand the response for one origin to another.
        response.append(header::VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = self.allowed(request) {
            response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            response.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
        }
    }

    /// What the response to a preflight request adds to that: which methods and headers there are.
    pub(crate) fn preflight(&self, request: &HeaderMap) -> [Option<(HeaderName, HeaderValue)>; 3] {
        if self.allowed(request).is_none() {
            return [None, None, None];
        }
        [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS),
            (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS),
        ]
        .map(|(name, value)| Some((name, HeaderValue::from_static(value))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposed(cors: &Cors, origin: Option<&'static str>) -> HeaderMap {
        let mut request = HeaderMap::new();
        request.extend(origin.map(|origin| (header::ORIGIN, HeaderValue::from_static(origin))));
        let mut response = HeaderMap::new();
        cors.expose(&request, &mut response);
        assert_eq!(
            cors.preflight(&request).iter().flatten().count(),
            if response.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) { 3 } else { 0 }
        );
        response
    }

    #[test]
    fn off_unless_configured() {
        assert!(exposed(&Cors::default(), Some("https://a.example")).is_empty());
    }

    #[test]
    fn only_origins_that_are_allowed() {
        let cors = Cors::new(["https://a.example".into(), "http://localhost:3000".into()]);
        let allowed = |origin| exposed(&cors, origin).get(header::ACCESS_CONTROL_ALLOW_ORIGIN).cloned();
        assert_eq!(allowed(Some("https://a.example")).unwrap(), "https://a.example");
        assert_eq!(allowed(Some("https://b.example")), None);
        assert_eq!(allowed(Some("null")), None);
        assert_eq!(allowed(None), None);
        assert_eq!(exposed(&cors, None).get(header::VARY).unwrap(), "origin");
        let all = Cors::new(["*".into()]);
        assert_eq!(
            exposed(&all, Some("https://b.example")).get(header::ACCESS_CONTROL_ALLOW_ORIGIN).unwrap(),
            "*"
        );
    }
}
