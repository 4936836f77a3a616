//! GetClip.

use std::time::Duration;

use axum::body::Body;
use getclip::{
    ClipFragmentSelector, ClipFragmentSelectorType, ClipTimestampRange, IncompleteInput, Limit, Report,
};
use getclip_archive::{ClipRequest, StoredClip, StreamInfo};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};

use super::{archive_name, check_created};
use crate::http::{MediaResponse, Part, State, now, with_type};
use crate::model::{Exception, FragmentSelector, GetClip, ServiceError, StreamReference};

/// Says which limit cut the clip: `fragments` or `bytes`. The service cuts silently.
const TRUNCATED: HeaderName = HeaderName::from_static("x-getclip-truncated");

/// The start of the range to ask for next, in RFC 3339.
const CONTINUE_FROM: HeaderName = HeaderName::from_static("x-getclip-continue-from");

impl State {
    /// The clip, with its length: everything that can fail has failed before its first byte, but for the store.
    pub(super) async fn get_clip(&self, asked: GetClip) -> Result<Response<Body>, ServiceError> {
        let permit = self.media_permit()?;
        let selector = self.clip_selector(&asked.selector)?;
        let clip = self.clip(&asked.stream, &asked.selector, ClipRequest::new(selector), None).await?;
        let media = Body::new(MediaResponse::new([Part::Stored(clip.body(..))], permit));
        let mut response = with_type(StatusCode::OK, clip.plan().content_type(), media);
        mark_cut(clip.plan().report(), response.headers_mut());
        Ok(response)
    }

    /// What GetClip asks of a range: at most 24 hours, and by the server's clock an end in the past.
    fn clip_selector(&self, asked: &FragmentSelector) -> Result<ClipFragmentSelector, ServiceError> {
        let range = ClipTimestampRange::new(asked.start(), asked.end())?;
        Ok(match asked.clock() {
            ClipFragmentSelectorType::ProducerTimestamp => ClipFragmentSelector::producer(range),
            ClipFragmentSelectorType::ServerTimestamp => {
                let now = now();
                if range.end() >= now {
                    let expected = format!("a time before now, {now}, with SERVER_TIMESTAMP");
                    return Err(ServiceError::constraint("EndTimestamp", expected, range.end()));
                }
                ClipFragmentSelector::server(range)
            }
        })
    }

    /// Plans a clip of a stream.
    ///
    /// The stream is looked up while its fragments are listed, so that what is wrong with the range by what the stream
    /// retains is known only afterwards. A plan of at most `max_age` is taken as it is, for a client that has the
    /// beginning of the clip.
    pub(super) async fn clip(
        &self,
        reference: &StreamReference,
        selector: &FragmentSelector,
        request: ClipRequest,
        max_age: Option<Duration>,
    ) -> Result<StoredClip, ServiceError> {
        let incomplete =
            if self.settings.keep_damaged { IncompleteInput::Keep } else { IncompleteInput::Refuse };
        let request = request.profile(self.settings.profile).incomplete_input(incomplete);
        let name = archive_name(reference.name())?;
        let planned = match max_age {
            Some(max_age) => self.archive.recent_clip(&name, &request, max_age).await,
            None => self.archive.clip(&name, &request).await,
        };
        match planned {
            Ok(clip) => {
                check_created(reference, clip.stream())?;
                self.check_retained(selector, clip.stream())?;
                Ok(clip)
            }
            Err(failure) => {
                let error = ServiceError::from(failure);
                if error.exception() == Exception::ResourceNotFound {
                    self.check_retained(selector, &self.stream(reference).await?)?;
                }
                Err(error)
            }
        }
    }

    /// By the server's clock, a range that is not all within the retention is an invalid argument; by the producer's
    /// it has fewer fragments, or none.
    fn check_retained(&self, selector: &FragmentSelector, stream: &StreamInfo) -> Result<(), ServiceError> {
        let Some(head) = stream.retained_since(now()) else { return Ok(()) };
        if selector.clock() == ClipFragmentSelectorType::ProducerTimestamp {
            return Ok(());
        }
        for (end, name) in [(selector.end(), "End"), (selector.start(), "Start")] {
            if end < head {
                let millis = end.as_millis();
                let message = format!("{name} timestamp {millis} is outside of the stream retention period.");
                return Err(ServiceError::invalid_argument(message));
            }
        }
        Ok(())
    }
}

/// Says that there is more in the range than in the clip.
pub(super) fn mark_cut(report: &Report, headers: &mut HeaderMap) {
    let Some(cut) = &report.cut else { return };
    let limit = match cut.limit {
        Limit::Fragments => "fragments",
        _ => "bytes",
    };
    headers.insert(TRUNCATED, HeaderValue::from_static(limit));
    if let Some(Ok(time)) = cut.continue_from.map(|time| HeaderValue::try_from(time.to_string())) {
        headers.insert(CONTINUE_FROM, time);
    }
}
