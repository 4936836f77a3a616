//! [`Layout`]: where each sample goes. Chunks of at most half a second, the tracks in turn.

use crate::codec::nal::NAL_LENGTH_SIZE;
use crate::error::Error;
use crate::isobmff::track_cursor::TrackCursor;
use crate::isobmff::track_layout::TrackLayout;
use crate::plan::LeadingRun;
use crate::time::Timeline;
use crate::virtual_file::Body;

/// The media of the clip in its order, and what the sample tables say of it.
#[derive(Debug)]
pub(crate) struct Layout<'a> {
    pub(crate) tracks: Vec<TrackLayout<'a>>,
    /// The payload of `mdat`.
    pub(crate) body: Body,
}

impl<'a> Layout<'a> {
    /// Lays out the first fragments of a plan.
    pub(crate) fn new(run: LeadingRun<'a>, timeline: &'a Timeline) -> Result<Self, Error> {
        let cursor = |track, times: &'a Option<_>| TrackCursor::new(track, times.as_ref()?);
        let video = cursor(run.video, &timeline.video);
        let audio = cursor(run.audio, &timeline.audio);
        let mut tracks: Vec<TrackCursor<'_>> = video.into_iter().chain(audio).collect();
        let fragments = || run.video.samples().chain(run.audio.samples());
        let samples: usize = fragments().map(|fragment| fragment.samples.len()).sum();
        let nals: usize = fragments().map(|fragment| fragment.nals.len()).sum();
        let pieces = samples.saturating_add(nals.saturating_mul(2));
        let mut body = Body::with_capacity(pieces, nals.saturating_mul(NAL_LENGTH_SIZE));
        while let Some(track) =
            tracks.iter_mut().filter(|track| !track.is_done()).min_by_key(|track| track.time())
        {
            track.lay_chunk(&mut body)?;
        }
        Ok(Self { tracks: tracks.into_iter().map(TrackCursor::finish).collect(), body })
    }
}
