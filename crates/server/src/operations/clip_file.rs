//! A clip as a file at a URL, with ranges: what players and browsers ask for.

use std::time::Duration;

use axum::body::Body;
use getclip::{
    ClipFragmentSelector, ClipFragmentSelectorType, ClipPlan, ClipTimestampRange, Cut, Limit, Limits,
    Timestamp, TrackDetails, TrackReport,
};
use getclip_archive::{ClipRequest, StoredClip};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::clip::mark_cut;
use super::urls::ClipUrl;
use crate::http::{MediaResponse, Part, Selected, State, continues, empty, json_response, select, with_type};
use crate::model::{ServiceError, StreamName, StreamReference};

/// A URL means what the archive holds: a client asks each time whether that has changed.
const CACHE_CONTROL: &str = "private, no-cache";

/// Age of a plan that still serves the ranges after the first: a player that was paused for that long goes on with the file
/// whose beginning it has, even if fragments were added to the range of time.
const CONTINUED: Duration = Duration::from_secs(10 * 60);

impl State {
    /// `GET /streams/{name}/clip.mp4`
    pub(crate) async fn clip_file(
        &self,
        stream: &StreamName,
        query: &str,
        headers: &HeaderMap,
    ) -> Result<Response<Body>, ServiceError> {
        let url = ClipUrl::parse(query)?;
        let permit = self.media_permit()?;
        let max_age = continues(headers).then_some(CONTINUED);
        let clip = self.clip_of_url(stream, &url, max_age).await?;
        let plan = clip.plan();
        let (len, etag) = (plan.len(), plan.etag().to_string());
        let media = |range| Body::new(MediaResponse::new([Part::Stored(clip.body(range))], permit));
        let content_type = plan.content_type();
        let selected = select(headers, &etag, len);
        let mut response = match &selected {
            Selected::Whole => with_type(StatusCode::OK, content_type, media(0..len)),
            Selected::Part(range) => {
                with_type(StatusCode::PARTIAL_CONTENT, content_type, media(range.clone()))
            }
            Selected::NotModified => empty(StatusCode::NOT_MODIFIED),
            Selected::PreconditionFailed => empty(StatusCode::PRECONDITION_FAILED),
            Selected::NotSatisfiable => empty(StatusCode::RANGE_NOT_SATISFIABLE),
        };
        let headers = response.headers_mut();
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE_CONTROL));
        let mut insert = |name, text: String| {
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.insert(name, value);
            }
        };
        insert(header::ETAG, etag);
        match selected {
            Selected::Whole => insert(header::CONTENT_LENGTH, len.to_string()),
            Selected::Part(range) => {
                let last = range.end.saturating_sub(1);
                insert(header::CONTENT_RANGE, format!("bytes {}-{last}/{len}", range.start));
                insert(header::CONTENT_LENGTH, (range.end - range.start).to_string());
            }
            Selected::NotSatisfiable => insert(header::CONTENT_RANGE, format!("bytes */{len}")),
            Selected::NotModified | Selected::PreconditionFailed => {}
        }
        if url.is_download {
            insert(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{stream}.mp4\""));
        }
        mark_cut(plan.report(), headers);
        Ok(response)
    }

    /// `GET /streams/{name}/clip.json`: the report of the clip, without its media.
    pub(crate) async fn clip_report(
        &self,
        stream: &StreamName,
        query: &str,
    ) -> Result<Response<Body>, ServiceError> {
        let clip = self.clip_of_url(stream, &ClipUrl::parse(query)?, None).await?;
        let mut response = json_response(&report(clip.plan()));
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE_CONTROL));
        Ok(response)
    }

    /// The clip of a URL: like GetClip's, but of a range of any length, and with other limits where it asks for them.
    async fn clip_of_url(
        &self,
        stream: &StreamName,
        url: &ClipUrl,
        max_age: Option<Duration>,
    ) -> Result<StoredClip, ServiceError> {
        let range = ClipTimestampRange::unlimited(url.selector.start(), url.selector.end())?;
        let selector = match url.selector.clock() {
            ClipFragmentSelectorType::ProducerTimestamp => ClipFragmentSelector::producer(range),
            ClipFragmentSelectorType::ServerTimestamp => ClipFragmentSelector::server(range),
        };
        let request = ClipRequest::new(selector).limits(self.url_limits(url)).gaps(url.gaps);
        self.clip(&StreamReference::by_name(stream.clone()), &url.selector, request, max_age).await
    }

    /// What the URL asks for, up to what this server allows; else GetClip's limits.
    fn url_limits(&self, url: &ClipUrl) -> Limits {
        let most = &self.settings.limits;
        let mut limits = Limits::default();
        if let Some(fragments) = url.max_fragments {
            limits.max_fragments = fragments.min(most.url_fragments);
        }
        if let Some(bytes) = url.max_bytes {
            limits.max_bytes = bytes.min(most.url_bytes);
        }
        limits
    }
}

/// What a clip holds and what was done to get there, for people and the page.
fn report(plan: &ClipPlan) -> Value {
    let report = plan.report();
    let limit = |cut: &Cut| match cut.limit {
        Limit::Fragments => "fragments",
        _ => "bytes",
    };
    json!({
        "bytes": plan.len(),
        "content_type": plan.content_type(),
        "etag": plan.etag().to_string(),
        "duration_ms": report.duration_ns / 1_000_000,
        "fragments": report.fragments.len(),
        "offered": report.offered,
        "tracks": report.tracks.iter().map(track).collect::<Vec<_>>(),
        "cut": report.cut.as_ref().map(|cut| json!({
            "limit": limit(cut),
            "fragment": cut.fragment.to_string(),
            "continue_from": cut.continue_from.map(|time| time.to_string()),
            "continue_from_ms": cut.continue_from.map(Timestamp::as_millis),
        })),
        "events": report.events.iter().map(|event| event.to_string()).collect::<Vec<_>>(),
    })
}

fn track(track: &TrackReport) -> Value {
    let text = match &track.details {
        TrackDetails::Video { codec, width, height, .. } => {
            format!("{codec}, {width}x{height}, {} frames, {} bytes", track.samples, track.bytes)
        }
        TrackDetails::Audio { codec, sampling_rate, channels, .. } => {
            let plural = if *channels == 1 { "" } else { "s" };
            format!("{codec}, {sampling_rate} Hz, {channels} channel{plural}, {} bytes", track.bytes)
        }
        _ => format!("{} bytes", track.bytes),
    };
    json!({"number": track.number, "text": text})
}
