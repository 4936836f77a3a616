//! Responses: JSON, errors, and those without a body.

use axum::body::Body;
use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::model::{Exception, ServiceError};

pub(crate) const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// How long a client that was turned away is asked to wait.
const RETRY_AFTER_SECONDS: &str = "1";

pub(crate) fn json_response(value: &Value) -> Response<Body> {
    with_type(StatusCode::OK, "application/json", value.to_string())
}

pub(crate) fn with_type(
    status: StatusCode,
    media_type: &'static str,
    body: impl Into<Body>,
) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

pub(crate) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// An exception in the form that every SDK has a class for: the header `x-amzn-ErrorType`, and `Message` in the body.
pub(crate) fn error(error: &ServiceError) -> Response<Body> {
    let exception = error.exception();
    let status = StatusCode::from_u16(exception.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json!({"Message": error.message()});
    let mut response = with_type(status, "application/json", body.to_string());
    let name = format!("{}:https://kinesisvideo.amazonaws.com/doc/2017-09-30/", exception.name());
    if let Ok(name) = HeaderValue::try_from(name) {
        response.headers_mut().insert(ERROR_TYPE, name);
    }
    if exception == Exception::ServiceUnavailable {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
    }
    response
}
