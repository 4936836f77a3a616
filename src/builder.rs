//! [`ClipBuilder`] and [`Planner`]: options and fragments in, [`ClipPlan`] or [`Clip`] out. The pipeline, as code.

mod parts;

use std::num::{NonZeroU64, NonZeroUsize};

use bytes::Bytes;

use crate::clip::Clip;
use crate::clip_plan::{ClipPlan, PlannedMedia};
use crate::error::{Error, ErrorKind};
use crate::fragment::Fragment;
use crate::incomplete_input::IncompleteInput;
use crate::index::FragmentIndex;
use crate::isobmff::{Layout, TrackLayout, movie};
use crate::plan::{CodecChanges, LeadingRun, MissingCodecPrivate, Plan, PlanOptions, Profile, TrackChoice};
use crate::report::{Cut, FragmentReport, Limit, Report, TrackReport};
use crate::selection::{Media, Offer, Selected, Selection, SelectionOptions};
use crate::selector::{ClipFragmentSelector, RangeStart};
use crate::time::{Gaps, Timeline, Trim};
use crate::timestamp::Timestamp;
use crate::virtual_file::Body;

pub use parts::{Parts, PartsPlanner};

/// How much a clip may hold. The default is GetClip's: "the first 100 MB or the first 200 fragments".
///
/// ```
/// use std::num::NonZeroUsize;
///
/// let limits = getclip::Limits::default().with_max_fragments(NonZeroUsize::MIN);
/// assert_eq!((limits.max_fragments.get(), limits.max_bytes.get()), (1, 100_000_000));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Fragments in the clip, at most.
    pub max_fragments: NonZeroUsize,
    /// Bytes of the finished file, at most.
    pub max_bytes: NonZeroU64,
}

impl Default for Limits {
    fn default() -> Self {
        const FRAGMENTS: NonZeroUsize = NonZeroUsize::new(200).unwrap();
        const BYTES: NonZeroU64 = NonZeroU64::new(100_000_000).unwrap();
        Self { max_fragments: FRAGMENTS, max_bytes: BYTES }
    }
}

impl Limits {
    /// No limits but those of the file format.
    pub const NONE: Self = Self { max_fragments: NonZeroUsize::MAX, max_bytes: NonZeroU64::MAX };

    /// The same with another limit on fragments.
    #[must_use]
    pub const fn with_max_fragments(mut self, max_fragments: NonZeroUsize) -> Self {
        self.max_fragments = max_fragments;
        self
    }

    /// The same with another limit on the size of the file.
    #[must_use]
    pub const fn with_max_bytes(mut self, max_bytes: NonZeroU64) -> Self {
        self.max_bytes = max_bytes;
        self
    }
}

/// Makes a [`Clip`] of fragments, or a [`ClipPlan`] of their indexes.
///
/// All errors are reported in [`build`](Self::build) or [`Planner::finish`]: a clip that exists is whole, and its
/// length is known.
#[derive(Debug, Clone)]
pub struct ClipBuilder {
    selector: ClipFragmentSelector,
    limits: Limits,
    gaps: Gaps,
    recording_start: Timestamp,
    range_start: RangeStart,
    trim: Trim,
    plan: PlanOptions,
}

impl ClipBuilder {
    /// A builder with GetClip's limits, for the fragments that `selector` takes.
    pub fn new(selector: ClipFragmentSelector) -> Self {
        Self {
            selector,
            limits: Limits::default(),
            gaps: Gaps::default(),
            recording_start: Timestamp::default(),
            range_start: RangeStart::default(),
            trim: Trim::default(),
            plan: PlanOptions::default(),
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

    /// Which track becomes the video of the clip.
    #[must_use]
    pub fn video_track(mut self, choice: TrackChoice) -> Self {
        self.plan.tracks.video = choice;
        self
    }

    /// Which track becomes the audio of the clip.
    #[must_use]
    pub fn audio_track(mut self, choice: TrackChoice) -> Self {
        self.plan.tracks.audio = choice;
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

    /// What happens to fragments that are not whole, and to frames that cannot be parsed.
    #[must_use]
    pub fn incomplete_input(mut self, incomplete_input: IncompleteInput) -> Self {
        self.plan.incomplete_input = incomplete_input;
        self
    }

    /// What happens when a video track has no codec private data.
    #[must_use]
    pub fn missing_codec_private(mut self, missing_codec_private: MissingCodecPrivate) -> Self {
        self.plan.missing_codec_private = missing_codec_private;
        self
    }

    /// When the recording started, if its Clusters' timestamps count from 0. Used for fragments without a producer
    /// timestamp only; without it they are taken to count from 1970.
    #[must_use]
    pub fn recording_start(mut self, recording_start: Timestamp) -> Self {
        self.recording_start = recording_start;
        self
    }

    /// Which fragment the clip begins with.
    #[must_use]
    pub fn range_start(mut self, range_start: RangeStart) -> Self {
        self.range_start = range_start;
        self
    }

    /// What the clip plays of the range. With [`RangeStart::Covering`] nothing of the range is missing.
    #[must_use]
    pub fn trim(mut self, trim: Trim) -> Self {
        self.trim = trim;
        self
    }

    /// Makes the clip: the longest leading run of whole fragments of the selection within the limits.
    ///
    /// However many fragments are offered, the indexes of one more than the limit are held at a time, and the media of
    /// the leading run whose samples are within the limit on bytes and of one fragment more.
    ///
    /// # Errors
    /// The first error that the fragments bring, of whatever type; [`ErrorKind::NoFragments`] if none is in the range;
    /// and everything that GetClip refuses, each with the fragment, the track and the byte offset: see
    /// [`Error::exception`].
    pub fn build<I, E>(&self, fragments: I) -> Result<Clip, E>
    where
        I: IntoIterator<Item = Result<Fragment, E>>,
        E: From<Error>,
    {
        let mut planner = self.planner();
        for fragment in fragments {
            planner.offer_fragment(fragment?)?;
        }
        let (plan, media) = planner.plan()?;
        Ok(plan.with_media(media)?)
    }

    /// A planner with these options, which is offered indexes of fragments one by one.
    ///
    /// ```
    /// use getclip::{ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, Extent, FragmentIndex, fragments};
    ///
    /// # let recording = bytes::Bytes::from(std::fs::read("testdata/h264_aac.mkv").unwrap());
    /// // Indexes can be kept anywhere, for instance as rows of a table.
    /// let rows: Vec<Vec<u8>> =
    ///     fragments(recording).map(|fragment| Ok(fragment?.index().encode())).collect::<Result<_, getclip::Error>>()?;
    ///
    /// let mut planner = ClipBuilder::new(ClipFragmentSelector::all(ClipFragmentSelectorType::ProducerTimestamp)).planner();
    /// for row in &rows {
    ///     planner.offer(FragmentIndex::decode(row)?)?;
    /// }
    /// let plan = planner.finish()?;
    /// println!("{} bytes", plan.len());
    /// for extent in plan.extents(..) {
    ///     match extent {
    ///         Extent::Inline(bytes) => { /* send `bytes` */ }
    ///         Extent::Media { fragment, range } => { /* send that range of the media of that fragment of the clip */ }
    ///     }
    /// }
    /// # Ok::<(), getclip::Error>(())
    /// ```
    pub fn planner(&self) -> Planner {
        self.planner_within(self.limits)
    }

    /// A planner that selects as much as `limits` allow.
    fn planner_within(&self, limits: Limits) -> Planner {
        let options = SelectionOptions {
            recording_start: self.recording_start,
            range_start: self.range_start,
            trims_frames: self.trim == Trim::ToRange,
            tracks: self.plan.tracks,
            max_fragments: limits.max_fragments.get(),
            max_bytes: limits.max_bytes.get(),
            incomplete_input: self.plan.incomplete_input,
        };
        let selection = Selection::new(self.selector, options);
        Planner { builder: self.clone(), selection, report: Report::default() }
    }
}

/// Plans a clip of indexes, which are offered one by one. Made by [`ClipBuilder::planner`].
#[derive(Debug)]
pub struct Planner {
    builder: ClipBuilder,
    selection: Selection,
    report: Report,
}

impl Planner {
    /// Considers one more fragment. The indexes of at most one fragment more than the limit are held.
    ///
    /// # Errors
    /// An incomplete fragment if these are refused, and a fragment whose time cannot be told.
    pub fn offer(&mut self, index: FragmentIndex) -> Result<(), Error> {
        self.selection.offer(Offer { index, media: None, identity: None }, &mut self.report)
    }

    /// The same for a fragment whose media is known to be that with `identity`, such as an object store's entity tag,
    /// or a file's length, modification time and inode. If all fragments of a clip have one, its own
    /// [entity tag](ClipPlan::etag) is strong.
    ///
    /// # Errors
    /// Those of [`offer`](Self::offer).
    pub fn offer_identified(&mut self, index: FragmentIndex, identity: &[u8]) -> Result<(), Error> {
        self.selection.offer(Offer { index, media: None, identity: Some(identity.into()) }, &mut self.report)
    }

    fn offer_fragment(&mut self, fragment: Fragment) -> Result<(), Error> {
        let (index, media) = fragment.into_parts();
        self.selection.offer(Offer { index, media: Some(media), identity: None }, &mut self.report)
    }

    /// Plans the clip: the longest leading run of whole fragments of the selection within the limits.
    ///
    /// # Errors
    /// [`ErrorKind::NoFragments`] if none is in the range, and everything that GetClip refuses.
    pub fn finish(self) -> Result<ClipPlan, Error> {
        Ok(self.plan()?.0)
    }

    /// The plan, and the media of its fragments as far as it is here.
    fn plan(self) -> Result<(ClipPlan, Vec<Bytes>), Error> {
        let Self { builder, selection, mut report } = self;
        let selected = selection.finish(&mut report)?;
        builder.plan_selected(selected, report)
    }
}

impl ClipBuilder {
    /// The plan of the longest leading run of `selected` within the limits, and the media of its fragments as far as it
    /// is here.
    fn plan_selected(
        &self,
        selected: Vec<Selected>,
        mut report: Report,
    ) -> Result<(ClipPlan, Vec<Bytes>), Error> {
        let cuts: Vec<Cut> = selected.iter().map(|selected| selected.cut(Limit::Bytes)).collect();
        let (plan, mut media) = self.plan_fragments(selected)?;
        let (count, movie) = self.longest_within_limit(&plan)?;
        report.cut = cuts.into_iter().nth(count).or(report.cut);
        describe(&mut report, plan.leading(count), movie.timeline);
        report.tracks = movie.tracks;
        media.truncate(count);
        let planned = plan.fragments.into_iter().take(count).map(|fragment| PlannedMedia {
            name: fragment.name,
            offered: fragment.offered,
            len: fragment.media_len,
            identity: fragment.identity,
        });
        Ok((ClipPlan::new(movie.head, movie.body, report, planned.collect())?, media))
    }

    /// Plans fragments until their media alone is beyond the limit. Later fragments are not validated: they will not
    /// be in the clip.
    fn plan_fragments(&self, selected: Vec<Selected>) -> Result<(Plan, Vec<Bytes>), Error> {
        let mut plan = Plan::new(self.plan);
        let mut media = Vec::new();
        for selected in selected {
            let least_len = plan.least_len().saturating_add(selected.least_len);
            if least_len > self.limits.max_bytes.get() && !plan.fragments.is_empty() {
                break;
            }
            let (fragment, its_media) = selected.into_plan();
            match its_media {
                Media::Here(bytes) => media.push(bytes),
                Media::Elsewhere => {}
                Media::Dropped => break,
            }
            plan.add(fragment)?;
        }
        Ok((plan, media))
    }

    /// The longest leading run of fragments whose file is within the limit: how many, and the file.
    ///
    /// Usually all of them. Where the media alone is within the limit and the tables are what is too much, the
    /// last fragment goes; if that is not enough, bisection finds how many do.
    fn longest_within_limit(&self, plan: &Plan) -> Result<(usize, Movie), Error> {
        let limit = self.limits.max_bytes.get();
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
            let movie = Movie::new(plan.leading(count), self)?;
            if movie.len() <= limit {
                fit = count;
                best = Some((count, movie));
            } else {
                too_many = count;
                smallest = movie.len();
            }
        }
        best.ok_or_else(|| {
            let error = Error::new(ErrorKind::FragmentExceedsLimit { bytes: smallest, limit });
            match plan.fragments.first() {
                Some(fragment) => error.in_fragment(fragment.name.clone()),
                None => error,
            }
        })
    }
}

/// The file that a leading run of fragments makes.
struct Movie {
    head: Bytes,
    body: Body,
    tracks: Vec<TrackReport>,
    timeline: Timeline,
}

impl Movie {
    fn new(run: LeadingRun<'_>, options: &ClipBuilder) -> Result<Self, Error> {
        run.check()?;
        let mut timeline = Timeline::new(run, options.gaps)?;
        if let (Trim::ToRange, Some(range)) = (options.trim, options.selector.range()) {
            timeline.trim(range, run);
        }
        let layout = Layout::new(run, &timeline)?;
        let creation_ns = run.fragments.first().map_or(0, |first| first.start_ns);
        let head = movie::write_head(&layout, Timestamp::from_millis(creation_ns.div_euclid(1_000_000)))?;
        let Layout { tracks, body } = layout;
        let tracks = tracks.iter().map(TrackLayout::report).collect();
        Ok(Self { head: head.into(), body, tracks, timeline })
    }

    fn len(&self) -> u64 {
        (self.head.len() as u64).saturating_add(self.body.len())
    }
}

/// Adds to the report what became of the fragments of the clip.
fn describe(report: &mut Report, run: LeadingRun<'_>, timeline: Timeline) {
    report.duration_ns = timeline.duration_ns();
    report.events.extend(run.events());
    report.events.extend(timeline.events);
    let fragments = run.fragments.iter().zip(timeline.fragment_starts_ns);
    let fragments = fragments.map(|(fragment, start_ns)| FragmentReport {
        name: fragment.name.clone(),
        producer_timestamp: Timestamp::from_millis(fragment.start_ns.div_euclid(1_000_000)),
        server_timestamp: fragment.server_timestamp,
        start_ns,
        frames: (fragment.video.samples.len() as u64).saturating_add(fragment.audio.samples.len() as u64),
    });
    report.fragments = fragments.collect();
}
