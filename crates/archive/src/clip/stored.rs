//! [`StoredClip`]: a planned clip, and where its media is.

use std::ops::{Bound, Range, RangeBounds};
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use getclip::ClipPlan;

use crate::clip::ClipRequest;
use crate::clip::indexes::read_indexes;
use crate::clip::select::select;
use crate::find::Finder;
use crate::fragment::StoredFragment;
use crate::layout::{self, Shelf};
use crate::load::decode_index;
use crate::media::{MediaBody, Parts, Source};
use crate::stream::{State, StreamInfo, StreamName};
use crate::{Archive, Error};

/// A clip of stored fragments: the finished file but for the media, which is fetched as it is sent.
#[derive(Debug, Clone)]
pub struct StoredClip {
    stream: StreamInfo,
    planned: Arc<Planned>,
}

/// A plan, the fragments in it, and where their media is, in the order of the clip.
#[derive(Debug)]
pub(super) struct Planned {
    plan: ClipPlan,
    fragments: Vec<StoredFragment>,
    sources: Arc<[Arc<Source>]>,
    /// Size of the indexes that it was made of.
    pub(super) index_bytes: u64,
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

    /// A range of the file, cut to its length. Only what it needs of the media is read.
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
    /// [`Error::StreamNotFound`], [`Error::NoDataRetention`], and [`Error::Clip`] with what GetClip would refuse, also
    /// for a range without fragments.
    pub async fn clip(&self, name: &StreamName, request: &ClipRequest) -> Result<StoredClip, Error> {
        let (stream, found) = self.find_for_clip(name, request).await?;
        self.check_retains(&stream)?;
        let planned = match self.plans().get(&stream, request, &found) {
            Some(planned) => planned,
            None => {
                let planned = Arc::new(self.plan(&stream, request, &found).await?);
                self.plans().insert(&stream, request, &found, &planned);
                planned
            }
        };
        Ok(StoredClip { stream, planned })
    }

    /// The stream, and the fragments that it has in the range. The state and the listing are read side by side, by a
    /// guess: that the newest folder is that of the stream.
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
        found: &[StoredFragment],
    ) -> Result<Planned, Error> {
        let shelf = Shelf::of(stream);
        let failed = |source| Error::Clip { stream: stream.name().clone(), source };
        let mut planner = request.builder().planner();
        let encoded = read_indexes(self, &shelf, found).await?;
        // What a source needs of an index is its media's size, and an index is large.
        let mut media_lens = Vec::with_capacity(found.len());
        for (fragment, bytes) in found.iter().zip(&encoded) {
            let index = decode_index(&shelf, fragment, bytes)?;
            media_lens.push(index.media_len());
            match identity(&shelf, fragment) {
                Some(identity) => planner.offer_identified(index, identity.as_bytes()).map_err(failed)?,
                None => planner.offer(index).map_err(failed)?,
            }
        }
        let index_bytes = encoded.iter().map(|bytes| bytes.len() as u64).sum();
        drop(encoded);
        let plan = planner.finish().map_err(failed)?;
        let fragments: Vec<StoredFragment> =
            plan.fragments().iter().map(|&offered| found[offered].clone()).collect();
        let sources = plan.fragments().iter().map(|&offered| {
            let (fragment, media_len) = (&found[offered], media_lens[offered]);
            let shelf = &shelf;
            async move { self.source(shelf, fragment, media_len).await.map(Arc::new) }
        });
        // Collected, because rustc cannot prove that a future which holds this closure is Send.
        let sources: Vec<_> = sources.collect();
        let sources: Vec<Arc<Source>> =
            stream::iter(sources).buffered(self.settings().connections.get()).try_collect().await?;
        Ok(Planned { plan, fragments, sources: sources.into(), index_bytes })
    }
}

/// What tells the media of a fragment from any other: its object, and the object's entity tag. The object of a
/// reference tells the recording's.
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
