//! The page for people: files in the binary, nothing from elsewhere.

use axum::body::Body;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode};

use crate::http::with_type;
use crate::model::ServiceError;

const HTML: &str = include_str!("page.html");
const CSS: &str = include_str!("page.css");
const JS: &str = include_str!("page.js");

/// The page runs its own script and talks to this server. Nothing else, whatever a stream may be called.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; \
    connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// A file of the page. The page asks for a key where the server has any.
pub(crate) fn response(
    file: &'static str,
    has_keys: bool,
    _request: &HeaderMap,
) -> Result<Response<Body>, ServiceError> {
    let (media_type, text) = match file {
        "/page.css" => ("text/css; charset=utf-8", CSS.to_owned()),
        "/page.js" => ("text/javascript; charset=utf-8", JS.to_owned()),
        _ => (
            "text/html; charset=utf-8",
            HTML.replace("{{sign-in}}", if has_keys { "required" } else { "none" }),
        ),
    };
    let mut response = with_type(StatusCode::OK, media_type, text);
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}
