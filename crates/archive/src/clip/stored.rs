//! [`StoredClip`]: a planned clip and the places of its media.

use std::ops::{Bound, Range, RangeBounds};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use getclip::{ClipPlan, Timestamp};

use crate::clip::ClipRequest;
use crate::clip::heads::read_heads;
use crate::clip::select::select;
use crate::find::Finder;
use crate::fragment::StoredFragment;
use crate::layout::{self, Shelf};
use crate::load::decode_index;
use crate::media::{MediaBody, Parts, Source};
use crate::stream::{State, StreamInfo, StreamName};
use crate::{Archive, Error};

/// A clip of stored fragments: the finished file except for the media, which is fetched while it is sent.
#[derive(Debug, Clone)]
pub struct StoredClip {
    stream: StreamInfo,
    planned: Arc<Planned>,
}

/// A plan, with its fragments and their media in the order of the clip.
#[derive(Debug)]
pub(super) struct Planned {
    plan: ClipPlan,
    fragments: Vec<StoredFragment>,
    sources: Arc<[Arc<Source>]>,
    /// Size of the indexes it was made from, in bytes.
    index_bytes: u64,
    /// Earliest server time of its fragments, in milliseconds.
    server_ms: i64,
}

impl Planned {
    /// Approximate size in memory. An index has 2.5 bytes a frame; a plan has 16 for the place of a frame and 8 in boxes.
    pub(super) fn bytes(&self) -> u64 {
        let fragments = self.fragments.len() as u64;
        self.index_bytes.saturating_mul(10).saturating_add(fragments.saturating_mul(800))
    }
}

impl StoredClip {
    /// The plan: length, entity tag, content type, report.
    pub fn plan(&self) -> &ClipPlan {
        &self.planned.plan
    }

    /// The stream, as it was when the clip was planned.
    pub fn stream(&self) -> &StreamInfo {
        &self.stream
    }

    /// The fragments of the clip, in its order.
    pub fn fragments(&self) -> &[StoredFragment] {
        &self.planned.fragments
    }

    /// Body with a range of the file, cut to its length. Only the media of the range is read.
    pub fn body(&self, range: impl RangeBounds<u64>) -> MediaBody {
        let range = resolve(&range, self.plan().len());
        let len = range.end - range.start;
        let plan = self.plan().clone();
        MediaBody::new(len, Parts::Clip { plan, sources: Arc::clone(&self.planned.sources), range })
    }
}

fn resolve(range: &impl RangeBounds<u64>, len: u64) -> Range<u64> {
    let start = match range.start_bound() {
        Bound::Included(&start) => start,
        Bound::Excluded(&start) => start.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(&end) => end.saturating_add(1),
        Bound::Excluded(&end) => end,
        Bound::Unbounded => len,
    };
    let end = end.min(len);
    start.min(end)..end
}

impl Archive {
    /// Plans a clip. No media is read.
    ///
    /// # Errors
    /// [`Error::StreamNotFound`], [`Error::NoDataRetention`], and [`Error::Clip`] for everything that GetClip refuses, a
    /// range without fragments included.
    pub async fn clip(&self, name: &StreamName, request: &ClipRequest) -> Result<StoredClip, Error> {
        match self.clip_once(name, request).await {
            // An object was repaired or removed after it was listed: list again.
            Err(error) if matches!(error, Error::ObjectChanged { .. }) || error.is_not_found() => {
                self.clip_once(name, request).await
            }
            result => result,
        }
    }

    /// Plans a clip for a caller who already has the beginning of it. If its fragments were listed at most `max_age` ago, only
    /// the stream's state is read, and its retention applied.
    ///
    /// It is meant for the ranges of a long clip, which a player requests one by one: fragments added in the meantime are
    /// not in the file whose beginning it has.
    ///
    /// # Errors
    /// As [`Archive::clip`].
    pub async fn recent_clip(
        &self,
        name: &StreamName,
        request: &ClipRequest,
        max_age: Duration,
    ) -> Result<StoredClip, Error> {
        let stream = self.stream(name).await?;
        self.check_retains(&stream)?;
        let retained_since = stream.retained_since(self.now()).map_or(i64::MIN, Timestamp::as_millis);
        match self.plans().recent(&stream, request, max_age) {
            Some(planned) if planned.server_ms >= retained_since => Ok(StoredClip { stream, planned }),
            _ => self.clip(name, request).await,
        }
    }

    async fn clip_once(&self, name: &StreamName, request: &ClipRequest) -> Result<StoredClip, Error> {
        let (stream, found) = self.find_for_clip(name, request).await?;
        self.check_retains(&stream)?;
        let key = self.plans().key(&stream, request, &found);
        if let Some(planned) = key.as_ref().and_then(|key| self.plans().get(key)) {
            return Ok(StoredClip { stream, planned });
        }
        let planned = Arc::new(self.plan(&stream, request, found.into()).await?);
        if let Some(key) = key {
            self.plans().insert(key, &planned);
        }
        Ok(StoredClip { stream, planned })
    }

    /// The stream, and its fragments in the range. State and fragments are read side by side, on the guess that the newest
    /// folder is the stream's.
    async fn find_for_clip(
        &self,
        name: &StreamName,
        request: &ClipRequest,
    ) -> Result<(StreamInfo, Vec<StoredFragment>), Error> {
        let not_found = || Error::StreamNotFound { stream: name.clone() };
        let stream_folder = layout::stream(name);
        let (generation, folders) = futures_util::try_join!(
            State::newest_generation(self.store(), name),
            self.store().folders(&stream_folder),
        )?;
        let generation = generation.ok_or_else(not_found)?;
        let newest = folders.iter().filter_map(|folder| Shelf::parse_folder_name(folder)).max();
        let guess = async {
            match newest {
                Some(created_ms) => {
                    let finder = Finder::new(self.store(), Shelf::new(name, created_ms), None);
                    select(&finder, request).await
                }
                None => Ok(Vec::new()),
            }
        };
        let (state, found) = futures_util::try_join!(State::read(self.store(), name, generation), guess)?;
        let stream = match state.and_then(|state| state.stream(name)) {
            Some(stream) => stream,
            // Deleted, or superseded and pruned at this moment.
            None => self.stream(name).await?,
        };
        let retained_since = stream.retained_since(self.now()).map_or(i64::MIN, |time| time.as_millis());
        let is_past = |fragment: &StoredFragment| fragment.key.server_ms < retained_since;
        if newest.is_none_or(|created_ms| created_ms == stream.created_ms()) && !found.iter().any(is_past) {
            return Ok((stream, found));
        }
        let found = select(&self.finder(&stream), request).await?;
        Ok((stream, found))
    }

    async fn plan(
        &self,
        stream: &StreamInfo,
        request: &ClipRequest,
        found: Arc<[StoredFragment]>,
    ) -> Result<Planned, Error> {
        let heads = read_heads(self, &Shelf::of(stream), &found).await?;
        let (archive, stream, request) = (self.clone(), stream.clone(), *request);
        // Usually a millisecond, but a second for a day of fragments.
        let planning =
            tokio::task::spawn_blocking(move || archive.plan_heads(&stream, &request, &found, &heads));
        planning.await.map_err(|_| Error::Stopped)?
    }

    fn plan_heads(
        &self,
        stream: &StreamInfo,
        request: &ClipRequest,
        found: &[StoredFragment],
        heads: &[Bytes],
    ) -> Result<Planned, Error> {
        let shelf = Shelf::of(stream);
        let failed = |source| Error::Clip { stream: stream.name().clone(), source };
        let mut planner = request.builder().planner();
        let mut media_lens = Vec::with_capacity(found.len());
        for (fragment, head) in found.iter().zip(heads) {
            let index = decode_index(&shelf, fragment, head)?;
            media_lens.push(index.media_len());
            match identity(&shelf, fragment) {
                Some(identity) => planner.offer_identified(index, identity.as_bytes()).map_err(failed)?,
                None => planner.offer(index).map_err(failed)?,
            }
        }
        let plan = planner.finish().map_err(failed)?;
        let (mut fragments, mut sources): (Vec<StoredFragment>, Vec<_>) = (Vec::new(), Vec::new());
        for &offered in plan.fragments() {
            let (fragment, head, media_len) = (&found[offered], &heads[offered], media_lens[offered]);
            sources.push(Arc::new(self.source(&shelf, fragment, head, media_len)?));
            fragments.push(fragment.clone());
        }
        let index_bytes = found.iter().map(|fragment| fragment.key.index_len).sum();
        let server_ms = fragments.iter().map(|fragment| fragment.key.server_ms).min().unwrap_or(i64::MAX);
        Ok(Planned { plan, fragments, sources: sources.into(), index_bytes, server_ms })
    }
}

/// Identity of the media of a fragment: its object and the object's entity tag. The object of a reference contains the
/// identity of the recording.
fn identity(shelf: &Shelf, fragment: &StoredFragment) -> Option<String> {
    let e_tag = fragment.e_tag.as_deref()?;
    Some(format!("{} {e_tag}", fragment.path(shelf)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_length() {
        assert_eq!(resolve(&.., 10), 0..10);
        assert_eq!(resolve(&(2..5), 10), 2..5);
        assert_eq!(resolve(&(2..=u64::MAX), 10), 2..10);
        assert_eq!(resolve(&(20..30), 10), 10..10);
        assert_eq!(resolve(&(u64::MAX..), 10), 10..10);
        assert_eq!(resolve(&(..=9), 10), 0..10);
    }
}
