//! Lists of fragments in pages, and the head of a stream.

use std::pin::pin;

use futures_util::TryStreamExt;
use getclip::{ClipFragmentSelector, ClipFragmentSelectorType};

use crate::find::{Finder, TimeRange};
use crate::fragment::StoredFragment;
use crate::layout::Shelf;
use crate::page::{FragmentCursor, Page, PageToken};
use crate::stream::StreamInfo;
use crate::{Archive, Error};

impl Archive {
    /// Lists the fragments that a selector takes, in order of its clock and then of their numbers.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] for a token of another stream, of another selector, or of another operation.
    pub async fn list_fragments(
        &self,
        stream: &StreamInfo,
        selector: ClipFragmentSelector,
        page: Page,
    ) -> Result<(Vec<StoredFragment>, Option<PageToken>), Error> {
        let cursor = page.token().map(FragmentCursor::try_from).transpose()?;
        if cursor
            .as_ref()
            .is_some_and(|cursor| cursor.selector != selector || cursor.created_ms != stream.created_ms())
        {
            return Err(Error::InvalidToken);
        }
        let clock = selector.selector_type();
        let mut range = TimeRange::of(&selector);
        if let Some(cursor) = &cursor {
            range.start_ms = range.start_ms.max(cursor.time.as_millis());
        }
        let after = cursor.as_ref().map(|cursor| (cursor.time, &cursor.number));
        let limit = page.limit().get();
        let finder = self.finder(stream);
        let mut buckets = pin!(finder.fragments(clock, range));
        let mut found = Vec::new();
        while let Some(bucket) = buckets.try_next().await? {
            let new = |fragment: &StoredFragment| {
                after.is_none_or(|after| (fragment.time(clock), fragment.number()) > after)
            };
            found.extend(bucket.into_iter().filter(new));
            if found.len() > limit {
                break;
            }
        }
        let more = found.len() > limit;
        found.truncate(limit);
        let token = found.last().filter(|_| more).map(|last| {
            let (time, number) = (last.time(clock), last.number().clone());
            FragmentCursor { selector, created_ms: stream.created_ms(), time, number }.into()
        });
        Ok((found, token))
    }

    /// The stream head: of the fragments that are retained, the one with the earliest server timestamp.
    pub async fn first_fragment(&self, stream: &StreamInfo) -> Result<Option<StoredFragment>, Error> {
        let finder = self.finder(stream);
        let mut buckets = pin!(finder.fragments(ClipFragmentSelectorType::ServerTimestamp, TimeRange::ALL));
        while let Some(bucket) = buckets.try_next().await? {
            if let Some(first) = bucket.into_iter().next() {
                return Ok(Some(first));
            }
        }
        Ok(None)
    }

    /// A search in what the stream retains now.
    pub(crate) fn finder(&self, stream: &StreamInfo) -> Finder {
        Finder::new(self.store(), Shelf::of(stream), stream.retained_since(self.now()))
    }
}
