//! What is thrown.

use getclip::Error;
use serde_json::json;
use wasm_bindgen::JsValue;

/// The members of `GetClipError` in `js/index.js`, as JSON: how it tells errors of the media from all others.
pub(crate) fn thrown(error: Error) -> JsValue {
    let (exception, location) = (error.exception(), error.location());
    let members = json!({
        "name": exception.name(),
        "status": exception.http_status(),
        "message": error.to_string(),
        "fragment": location.fragment.as_ref().map(ToString::to_string),
        "track": location.track,
        "offset": location.offset,
    });
    members.to_string().into()
}
