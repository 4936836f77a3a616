//! [`Route`]: what a method and a path ask for.

use http::Method;

use super::operation::Operation;
use crate::model::{Exception, ServiceError, StreamName};

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// An operation of the service.
    Operation(Operation),
    /// Something of one stream, by GET or HEAD.
    Stream(Operation, StreamName),
    /// A file of the page.
    Page(&'static str),
    /// `GET /metrics`
    Metrics,
    /// `GET /healthz`
    Healthy,
    /// `GET /readyz`
    Ready,
    /// A preflight request.
    Preflight,
}

impl Route {
    /// The route of a method and a path.
    ///
    /// # Errors
    /// [`Exception::UnknownOperation`] where there is none.
    pub(crate) fn of(method: &Method, path: &str) -> Result<Self, ServiceError> {
        let is_read = method == Method::GET || method == Method::HEAD;
        let route = match path {
            _ if method == Method::OPTIONS => Some(Self::Preflight),
            _ if method == Method::POST => Operation::of_path(path).map(Self::Operation),
            _ if !is_read => None,
            "/metrics" => Some(Self::Metrics),
            "/healthz" => Some(Self::Healthy),
            "/readyz" => Some(Self::Ready),
            _ => Self::of_stream(path).or_else(|| Self::of_page(path)),
        };
        route.ok_or_else(|| {
            ServiceError::new(Exception::UnknownOperation, format!("Nothing is at {method} {path}."))
        })
    }

    /// `/streams/{name}/{file}`
    fn of_stream(path: &str) -> Option<Self> {
        let (name, file) = path.strip_prefix("/streams/")?.split_once('/')?;
        let operation = match file {
            "clip.mp4" => Operation::ClipFile,
            "clip.json" => Operation::ClipReport,
            "timeline.json" => Operation::Timeline,
            _ => return None,
        };
        // Names have no character that a URL would escape.
        Some(Self::Stream(operation, StreamName::parse("stream", name.to_owned()).ok()?))
    }

    fn of_page(path: &str) -> Option<Self> {
        ["/", "/page.css", "/page.js"].into_iter().find(|page| *page == path).map(Self::Page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes() {
        let of = |method: Method, path| Route::of(&method, path).ok();
        let door = StreamName::parse("stream", "front-door_2.x".into()).unwrap();
        assert_eq!(of(Method::POST, "/getClip"), Some(Route::Operation(Operation::GetClip)));
        let clip = Some(Route::Stream(Operation::ClipFile, door.clone()));
        assert_eq!(of(Method::GET, "/streams/front-door_2.x/clip.mp4"), clip);
        assert_eq!(of(Method::HEAD, "/streams/front-door_2.x/clip.mp4"), clip);
        let timeline = Some(Route::Stream(Operation::Timeline, door));
        assert_eq!(of(Method::GET, "/streams/front-door_2.x/timeline.json"), timeline);
        assert_eq!(of(Method::GET, "/"), Some(Route::Page("/")));
        assert_eq!(of(Method::GET, "/metrics"), Some(Route::Metrics));
        assert_eq!(of(Method::OPTIONS, "/getClip"), Some(Route::Preflight));
        for (method, path) in [
            (Method::GET, "/getClip"),
            (Method::POST, "/"),
            (Method::PUT, "/streams/a/clip.mp4"),
            (Method::GET, "/streams/a%2Fb/clip.mp4"),
            (Method::GET, "/streams//clip.mp4"),
            (Method::GET, "/streams/a/b/clip.mp4"),
            (Method::GET, "/streams/a/"),
            (Method::GET, "/favicon.ico"),
        ] {
            let error = Route::of(&method, path).unwrap_err();
            assert_eq!(error.exception(), Exception::UnknownOperation, "{method} {path}");
        }
    }
}
