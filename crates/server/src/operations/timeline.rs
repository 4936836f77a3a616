//! When there is media: what the page draws.

use axum::body::Body;
use http::Response;
use serde_json::json;

use super::archive_name;
use super::urls::TimelineUrl;
use crate::http::{State, json_response};
use crate::model::{ServiceError, StreamName};

impl State {
    /// `GET /streams/{name}/timeline.json`: the spans of producer time that have media.
    pub(crate) async fn timeline(
        &self,
        stream: &StreamName,
        query: &str,
    ) -> Result<Response<Body>, ServiceError> {
        let TimelineUrl { start, end, resolution } = TimelineUrl::parse(query)?;
        let stream = self.archive.stream(&archive_name(stream)?).await?;
        let spans = self.archive.coverage(&stream, start..=end, resolution).await?;
        let spans: Vec<_> = spans.iter().map(|span| [span.start.as_millis(), span.end.as_millis()]).collect();
        Ok(json_response(&json!({"spans": spans, "resolution": resolution.as_millis() as u64})))
    }
}
