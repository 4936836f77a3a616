//! [`ClipBuilder`]: options in, [`Clip`] out.

use bytes::Bytes;

use crate::clip::Clip;
use crate::error::{Error, ErrorKind};
use crate::fragment::Fragment;
use crate::isobmff::{Layout, movie};
use crate::report::{Cut, FragmentReport, Limit, Report, TrackReport};
use crate::selection::{Selected, Selection};
use crate::selector::ClipFragmentSelector;
use crate::time::{Gaps, Timeline};
use crate::timestamp::Timestamp;
use crate::track::entries::CodecChanges;
use crate::track::tracks::Profile;
use crate::track::{Piece, PlanOptions, Track, TrackPlan};

/// How much a clip may hold. The default is GetClip's: "the first 100 MB or the first 200 fragments".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Fragments in the clip, at most. 1 or more; 0 is taken as 1.
    pub max_fragments: usize,
    /// Bytes of the finished file, at most.
    pub max_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_fragments: 200, max_bytes: 100_000_000 }
    }
}

/// Makes a [`Clip`] of fragments.
///
/// Whatever can fail fails in [`build`](Self::build): a clip that exists is whole, and its length is known.
#[derive(Debug, Clone)]
pub struct ClipBuilder {
    selector: ClipFragmentSelector,
    limits: Limits,
    gaps: Gaps,
    strict: bool,
    origin: Timestamp,
    plan: PlanOptions,
}

impl ClipBuilder {
    /// A builder with GetClip's limits, for the fragments that `selector` takes.
    pub fn new(selector: ClipFragmentSelector) -> Self {
        Self {
            selector,
            limits: Limits::default(),
            gaps: Gaps::default(),
            strict: false,
            origin: Timestamp::default(),
            plan: PlanOptions {
                profile: Profile::default(),
                codec_changes: CodecChanges::default(),
                codec_private_from_frames: false,
            },
        }
    }

    /// How much the clip may hold.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Which combinations of codecs are taken.
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Self {
        self.plan.profile = profile;
        self
    }

    /// What happens when tracks or codec private data change inside the clip.
    #[must_use]
    pub fn codec_changes(mut self, codec_changes: CodecChanges) -> Self {
        self.plan.codec_changes = codec_changes;
        self
    }

    /// What becomes of time in which nothing was recorded.
    #[must_use]
    pub fn gaps(mut self, gaps: Gaps) -> Self {
        self.gaps = gaps;
        self
    }

    /// Whether input that ends inside a fragment is refused ([`ErrorKind::Truncated`]). Otherwise the whole frames
    /// of that fragment are taken, and the report says so.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Whether missing codec private data is taken from the parameter sets in front of the first key frame.
    /// Otherwise it is [`ErrorKind::MissingCodecPrivateData`].
    #[must_use]
    pub fn codec_private_from_frames(mut self, from_frames: bool) -> Self {
        self.plan.codec_private_from_frames = from_frames;
        self
    }

    /// When the recording started whose Clusters' timestamps count from 0. Used for fragments without a producer
    /// timestamp only; without it they are taken to count from 1970.
    #[must_use]
    pub fn origin(mut self, origin: Timestamp) -> Self {
        self.origin = origin;
        self
    }

    /// Makes the clip: the longest leading run of whole fragments of the selection within the limits.
    ///
    /// However many fragments are offered, one more than the limit are held at a time.
    ///
    /// # Errors
    /// The first error that the fragments bring; [`ErrorKind::NoFragments`] if none is in the range; and everything
    /// that GetClip refuses, each with the fragment, the track and the byte offset: see [`Error::exception`].
    pub fn build<I>(&self, fragments: I) -> Result<Clip, Error>
    where
        I: IntoIterator<Item = Result<Fragment, Error>>,
    {
        let mut report = Report::default();
        let max_fragments = self.limits.max_fragments.max(1);
        let mut selection =
            Selection::new(self.selector, self.origin, max_fragments, self.strict, self.plan.profile);
        for fragment in fragments {
            selection.offer(fragment?, &mut report)?;
        }
        let selected = selection.finish(&mut report)?;
        let cuts: Vec<Cut> = selected.iter().map(|selected| selected.cut(Limit::Bytes)).collect();
        let plan = self.plan_fragments(selected)?;
        let (count, movie) = self.longest_within_limit(&plan)?;
        report.cut = cuts.into_iter().nth(count).or(report.cut);
        describe(&mut report, &plan, count, movie.timeline);
        report.tracks = movie.tracks;

        let media = plan.fragments.into_iter().take(count).map(|fragment| fragment.data);
        let sources = std::iter::once(movie.nal_lengths).chain(media).collect();
        Ok(Clip::new(movie.head, sources, movie.pieces, report))
    }

    /// Plans fragments until their media alone is beyond the limit. What is wrong with those behind is not looked at,
    /// since they are not in the clip.
    fn plan_fragments(&self, selected: Vec<Selected>) -> Result<TrackPlan, Error> {
        let mut plan = TrackPlan::new(self.plan);
        for Selected { fragment, scan, start } in selected {
            let least_len = plan.least_len().saturating_add(scan.least_len);
            if least_len > self.limits.max_bytes && !plan.fragments.is_empty() {
                break;
            }
            plan.add(&fragment, scan, start.producer_ns)?;
        }
        Ok(plan)
    }

    /// The longest leading run of fragments whose file is within the limit: how many, and the file.
    ///
    /// All of them, as a rule. Where the media alone is within the limit and the index is what is too much, the
    /// last fragment goes; if that is not enough, bisection finds how many do.
    fn longest_within_limit(&self, plan: &TrackPlan) -> Result<(usize, Movie), Error> {
        let all = plan.fragments.len();
        let (mut fit, mut too_many) = (0, all.saturating_add(1));
        let mut best = None;
        let mut smallest = 0;
        while too_many.saturating_sub(fit) > 1 {
            let count = match too_many.saturating_sub(fit) {
                _ if too_many > all => all,
                _ if too_many == all => all.saturating_sub(1),
                _ => fit.midpoint(too_many),
            };
            let movie = Movie::new(plan, count, self.gaps)?;
            if movie.len() <= self.limits.max_bytes {
                fit = count;
                best = Some((count, movie));
            } else {
                too_many = count;
                smallest = movie.len();
            }
        }
        best.ok_or_else(|| {
            let kind = ErrorKind::FragmentExceedsLimit { bytes: smallest, limit: self.limits.max_bytes };
            let name = plan.fragments.first().map(|fragment| fragment.name.as_str()).unwrap_or_default();
            Error::new(kind).in_fragment(name)
        })
    }
}

/// The file that a leading run of fragments makes.
struct Movie {
    head: Bytes,
    nal_lengths: Bytes,
    pieces: Vec<Piece>,
    tracks: Vec<TrackReport>,
    timeline: Timeline,
}

impl Movie {
    fn new(plan: &TrackPlan, count: usize, gaps: Gaps) -> Result<Self, Error> {
        plan.check(count)?;
        let timeline = Timeline::new(plan, count, gaps)?;
        let layout = Layout::new(plan, &timeline, count)?;
        let creation_ns = plan.fragments.first().map_or(0, |first| first.start_ns);
        let head = movie::write_head(&layout, Timestamp::from_millis(creation_ns.div_euclid(1_000_000)))?;
        let tracks = layout.tracks.iter().map(movie::report).collect();
        let Layout { pieces, nal_lengths, .. } = layout;
        Ok(Self { head: head.into(), nal_lengths: nal_lengths.into(), pieces, tracks, timeline })
    }

    fn len(&self) -> u64 {
        (self.head.len() as u64).saturating_add(self.pieces.last().map_or(0, |piece| piece.end))
    }
}

/// Adds to the report what became of the fragments of the clip.
fn describe(report: &mut Report, plan: &TrackPlan, count: usize, timeline: Timeline) {
    report.duration_ns = timeline.duration_ns();
    report.events.extend(plan.events(count));
    report.events.extend(timeline.events);
    let frames =
        |track: &Track, index: usize| track.segments.get(index).map_or(0, |s| s.samples.len() as u64);
    let fragments = plan.fragments.iter().take(count).zip(timeline.fragment_starts_ns).enumerate();
    let fragments = fragments.map(|(index, (fragment, start_ns))| FragmentReport {
        name: fragment.name.clone(),
        producer_timestamp: Timestamp::from_millis(fragment.start_ns.div_euclid(1_000_000)),
        server_timestamp: fragment.server_timestamp,
        start_ns,
        frames: frames(&plan.video, index).saturating_add(frames(&plan.audio, index)),
    });
    report.fragments = fragments.collect();
}
