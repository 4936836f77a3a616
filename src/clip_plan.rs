//! [`ClipPlan`]: a finished clip whose media is elsewhere.

#![expect(clippy::disallowed_types, reason = "the tag's cell is part of a plan, not global state")]

use std::fmt;
use std::hash::Hasher;
use std::ops::RangeBounds;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::error::{Error, ErrorKind};
use crate::number::FragmentName;
use crate::report::{Report, TrackDetails, TrackReport};
use crate::virtual_file::{self, Body, Extents, VirtualFile};

/// Changes whenever the same fragments and options make another file, or the same file gets another tag.
const FORMAT_VERSION: u32 = 1;

/// A finished clip whose media is elsewhere: the complete file as a list of extents.
///
/// A plan is made of indexes alone and knows everything of the file but its media: its length, its entity tag, its
/// report, and for any range of bytes what to send. Whoever has the media serves it: out of memory, a file or an object
/// store. [`with_media`](Self::with_media) makes a [`Clip`](crate::Clip) of a plan and media in memory.
///
/// Cheap to clone and to keep: the boxes before the media, and 16 bytes for each range of the media.
#[derive(Debug, Clone)]
pub struct ClipPlan(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    file: Arc<VirtualFile>,
    report: Report,
    offered: Vec<usize>,
    media: Vec<PlannedMedia>,
    etag: OnceLock<EntityTag>,
}

/// What a plan must know of the media of a fragment of the clip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlannedMedia {
    /// Name of the fragment in a message.
    pub(crate) name: FragmentName,
    /// Place of the fragment among those that were offered.
    pub(crate) offered: usize,
    /// Number of bytes.
    pub(crate) len: u64,
    /// What tells this media from any other, as the caller gave it.
    pub(crate) identity: Option<Box<[u8]>>,
}

impl ClipPlan {
    /// A plan of the file that begins with `head` and goes on with `body`, a layout of the media of the fragments
    /// `media`.
    ///
    /// # Errors
    /// [`ErrorKind::MediaLength`] if the body needs more of a fragment's media than there is.
    pub(crate) fn new(
        head: Bytes,
        body: Body,
        report: Report,
        media: Vec<PlannedMedia>,
    ) -> Result<Self, Error> {
        let file = VirtualFile::new(head, body, media.iter().map(|media| media.len)).map_err(|outside| {
            let fragment = media.get(outside.fragment);
            let found = fragment.map_or(0, |media| media.len);
            let error = Error::new(ErrorKind::MediaLength { expected: outside.needed, found });
            match fragment {
                Some(media) => error.in_fragment(media.name.clone()),
                None => error,
            }
        })?;
        let offered = media.iter().map(|media| media.offered).collect();
        Ok(Self(Arc::new(Parts { file: Arc::new(file), report, offered, media, etag: OnceLock::new() })))
    }

    /// Size of the MP4 in bytes: the `Content-Length` of a response.
    #[expect(clippy::len_without_is_empty, reason = "a clip is never empty")]
    pub fn len(&self) -> u64 {
        self.0.file.len()
    }

    /// The `Content-Type` of a response: `video/mp4`, or `audio/mp4` for a clip of sound alone (RFC 4337 section 2).
    pub fn content_type(&self) -> &'static str {
        let tracks = &self.report().tracks;
        let is_sound = |track: &TrackReport| matches!(track.details, TrackDetails::Audio { .. });
        if !tracks.is_empty() && tracks.iter().all(is_sound) { "audio/mp4" } else { "video/mp4" }
    }

    /// The `ETag` of a response. The first call computes it, in time proportional to the size of the plan.
    ///
    /// Two clips with the same strong tag are the same byte for byte. The tag is strong if every fragment of the clip
    /// was offered with the identity of its media, and weak otherwise: the same indexes can describe other media.
    pub fn etag(&self) -> EntityTag {
        *self.0.etag.get_or_init(|| EntityTag::new(&self.0.file, &self.0.media))
    }

    /// What the clip holds, and what was done to get there.
    pub fn report(&self) -> &Report {
        &self.0.report
    }

    /// For each fragment of the clip, in its order, the fragment's place among those that were offered, counted from 0.
    pub fn fragments(&self) -> &[usize] {
        &self.0.offered
    }

    /// What to send for a range of bytes, which is cut to the length of the clip. Ranges of media that continue each
    /// other are one extent.
    ///
    /// Finding the start takes a binary search, whatever the size of the clip.
    pub fn extents(&self, range: impl RangeBounds<u64>) -> Extents {
        self.0.file.extents(virtual_file::resolve(range, self.len()))
    }

    pub(crate) fn file(&self) -> &VirtualFile {
        &self.0.file
    }

    /// The media of the clip's fragments, in its order.
    pub(crate) fn media(&self) -> &[PlannedMedia] {
        &self.0.media
    }
}

/// The entity tag of a clip (RFC 9110 section 8.8.3). Displayed as it stands in the `ETag` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntityTag {
    hash: u128,
    weak: bool,
}

impl EntityTag {
    fn new(file: &VirtualFile, media: &[PlannedMedia]) -> Self {
        let mut hasher = SipHasher13::new();
        hasher.write(&FORMAT_VERSION.to_le_bytes());
        file.hash(&mut hasher);
        for media in media {
            let identity = media.identity.as_deref().unwrap_or_default();
            hasher.write(&(identity.len() as u64).to_le_bytes());
            hasher.write(identity);
        }
        let weak = media.iter().any(|media| media.identity.is_none());
        Self { hash: hasher.finish128().as_u128(), weak }
    }

    /// Whether the tag promises equivalent clips only, not the same bytes: it may validate a cached clip as a whole,
    /// but not continue a partial download (RFC 9110 section 13.1.5).
    pub fn is_weak(&self) -> bool {
        self.weak
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weak = if self.weak { "W/" } else { "" };
        write!(f, "{weak}\"{:032x}\"", self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clip of a head, an inline byte, and the media of two fragments.
    fn plan(head: &'static [u8], first_len: u64, identities: [Option<&[u8]>; 2]) -> ClipPlan {
        let mut body = Body::with_capacity(0, 0);
        body.push_inline(b"i");
        body.push_media(0, 0, first_len);
        body.push_media(1, 1, 2);
        let media =
            identities.into_iter().zip([(7, 9), (3, 4)]).map(|(identity, (offered, len))| PlannedMedia {
                name: FragmentName::Position(offered as u64),
                offered,
                len,
                identity: identity.map(Into::into),
            });
        ClipPlan::new(Bytes::from_static(head), body, Report::default(), media.collect()).unwrap()
    }

    #[test]
    fn a_plan_knows_all_but_the_media() {
        let plan = plan(b"head", 9, [None, None]);
        assert_eq!((plan.len(), plan.content_type(), plan.fragments()), (16, "video/mp4", &[7, 3][..]));
        assert_eq!(plan.extents(..).map(|extent| extent.len()).collect::<Vec<_>>(), [4, 1, 9, 2]);
        assert_eq!(plan.extents(..).remaining(), 16);
    }

    #[test]
    fn a_piece_outside_its_media_names_the_fragment() {
        let mut body = Body::with_capacity(0, 0);
        body.push_media(0, 4, 7);
        let media = vec![PlannedMedia {
            name: FragmentName::Number("91".parse().unwrap()),
            offered: 0,
            len: 10,
            identity: None,
        }];
        let error = ClipPlan::new(Bytes::new(), body, Report::default(), media).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::MediaLength { expected: 11, found: 10 });
        assert_eq!(error.to_string(), "expected 11 bytes of media, found 10 (fragment 91)");
    }

    #[test]
    fn the_tag_is_that_of_everything_in_the_clip() {
        let reference = || plan(b"head", 9, [Some(b"a"), Some(b"b")]);
        let tag = reference().etag();
        assert_eq!(reference().etag(), tag);
        let others = [
            plan(b"hEad", 9, [Some(b"a"), Some(b"b")]),
            plan(b"head", 8, [Some(b"a"), Some(b"b")]),
            plan(b"head", 9, [Some(b"a"), Some(b"c")]),
            plan(b"head", 9, [Some(b"ab"), Some(b"")]),
            plan(b"head", 9, [Some(b""), Some(b"ab")]),
            plan(b"head", 9, [Some(b"a"), None]),
        ];
        let mut tags: Vec<_> = others.iter().map(|plan| plan.etag().to_string()).collect();
        tags.push(tag.to_string());
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len(), 7, "{tags:?}");
    }

    /// RFC 9110 section 8.8.3: an opaque tag in quotes, with `W/` before it if it is weak.
    #[test]
    fn a_tag_is_weak_where_an_identity_is_missing() {
        let strong = plan(b"head", 9, [Some(b"a"), Some(b"")]).etag();
        let weak = plan(b"head", 9, [Some(b"a"), None]).etag();
        assert!(!strong.is_weak() && weak.is_weak());
        // These digits are in caches and in downloads under way: with other ones comes another FORMAT_VERSION.
        assert_eq!(strong.to_string(), "\"3736c2983efd1df3812c2ad3ec4d3076\"");
        assert_eq!(weak.to_string(), "W/\"3736c2983efd1df3812c2ad3ec4d3076\"");
    }
}
