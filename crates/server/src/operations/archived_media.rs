//! ListFragments and GetMediaForFragmentList.

use std::num::NonZeroUsize;

use axum::body::Body;
use getclip::{ClipFragmentSelector, ClipFragmentSelectorType, ClipTimestampRange, FragmentNumber};
use getclip_archive::{Page, PageToken, StoredFragment, StreamInfo, tags_document};
use http::{Response, StatusCode};
use serde_json::Value;

use crate::http::{MediaResponse, Part, State, with_type};
use crate::model::{
    Exception, FragmentSelector, GetMediaForFragmentList, ListFragments, ListFragmentsStart, ListedFragment,
    ServiceError,
};

/// The service's word for its documents.
pub(super) const CONTENT_TYPE: &str = "video/webm";

impl State {
    pub(super) async fn list_fragments(&self, asked: ListFragments) -> Result<Value, ServiceError> {
        let stream = self.stream(&asked.stream).await?;
        let limit = NonZeroUsize::new(asked.max_results).unwrap_or(NonZeroUsize::MIN);
        let (selector, page) = match asked.start {
            ListFragmentsStart::Selector(selector) => (unlimited(selector)?, Page::first(limit)),
            ListFragmentsStart::Token(token) => {
                let token: PageToken = token.as_str().parse()?;
                let selector = token.selector().ok_or_else(|| {
                    ServiceError::invalid_argument("NextToken: not a token of this listing")
                })?;
                (selector, Page::after(token, limit))
            }
        };
        let (fragments, next) = self.archive.list_fragments(&stream, selector, page).await?;
        let listed = fragments.iter().map(|fragment| ListedFragment {
            number: fragment.number().to_string(),
            size: fragment.document_len(),
            producer_timestamp: fragment.producer_timestamp(),
            server_timestamp: fragment.server_timestamp(),
            length_ms: fragment.length_ms(),
        });
        Ok(ListFragments::response(listed, next.map(|token| token.to_string())))
    }

    /// The fragments as documents, one after another. A fragment that is not there has a document with the service's
    /// error tags, as in the service's own response.
    pub(super) async fn get_media_for_fragment_list(
        &self,
        asked: GetMediaForFragmentList,
    ) -> Result<Response<Body>, ServiceError> {
        let permit = self.media_permit()?;
        let stream = self.stream(&asked.stream).await?;
        let found = self.archive.fragments_by_number(&stream, &asked.fragments).await?;
        if found.iter().all(Option::is_none) && asked.fragments.len() == 1 && stream.retention().hours() == 0
        {
            let message =
                format!("The stream {} has no data retention: it keeps no fragments.", stream.name());
            return Err(ServiceError::new(Exception::ResourceNotFound, message));
        }
        let parts = self.documents(&stream, &asked.fragments, found);
        let media = Body::new(MediaResponse::new(parts, permit));
        Ok(with_type(StatusCode::OK, CONTENT_TYPE, media))
    }

    /// Fragments that follow each other are fetched together, so that each is on its way while the one before is sent.
    fn documents(
        &self,
        stream: &StreamInfo,
        numbers: &[FragmentNumber],
        found: Vec<Option<StoredFragment>>,
    ) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut run = Vec::new();
        for (number, fragment) in numbers.iter().zip(found) {
            match fragment {
                Some(fragment) => run.push(fragment),
                None => {
                    self.end_run(stream, &mut run, &mut parts);
                    parts.push(Part::Made(not_found(number)));
                }
            }
        }
        self.end_run(stream, &mut run, &mut parts);
        parts
    }

    fn end_run(&self, stream: &StreamInfo, run: &mut Vec<StoredFragment>, parts: &mut Vec<Part>) {
        if !run.is_empty() {
            parts.push(Part::Stored(self.archive.documents(stream, std::mem::take(run))));
        }
    }
}

/// What the service returns in the place of a fragment that it does not have.
fn not_found(number: &FragmentNumber) -> bytes::Bytes {
    tags_document(&[
        ("AWS_KINESISVIDEO_FRAGMENT_NUMBER", &number.to_string()),
        ("AWS_KINESISVIDEO_ERROR_CODE", "FRAGMENT_NOT_FOUND"),
        ("AWS_KINESISVIDEO_ERROR_ID", "3000"),
    ])
}

/// ListFragments has no limit of 24 hours.
fn unlimited(selector: FragmentSelector) -> Result<ClipFragmentSelector, ServiceError> {
    let range = ClipTimestampRange::unlimited(selector.start(), selector.end())?;
    Ok(match selector.clock() {
        ClipFragmentSelectorType::ProducerTimestamp => ClipFragmentSelector::producer(range),
        ClipFragmentSelectorType::ServerTimestamp => ClipFragmentSelector::server(range),
    })
}
