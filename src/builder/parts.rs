//! [`Parts`]: a range that is too long for one clip, as several.

use std::collections::VecDeque;

use crate::builder::{ClipBuilder, Limits, Planner};
use crate::clip_plan::ClipPlan;
use crate::error::Error;
use crate::index::FragmentIndex;
use crate::report::{Limit, Report};
use crate::selection::Selected;

/// Plans a range as several clips, each within the limits. Made by [`ClipBuilder::parts_planner`].
///
/// It is offered indexes one by one, like a [`Planner`], and holds those of all fragments in the range.
#[derive(Debug)]
pub struct PartsPlanner(Planner);

/// The clips of a range, in the order of its fragments. Each begins with the fragment at which the one before was cut.
///
/// Every one is planned when it is asked for. [`ClipPlan::fragments`] gives places among all fragments that were
/// offered. What the planner reports of fragments outside the clips is in the report of the first.
#[derive(Debug)]
pub struct Parts {
    builder: ClipBuilder,
    waiting: VecDeque<Selected>,
    report: Report,
}

impl ClipBuilder {
    /// A planner of several clips with these options, each of which is within the limits.
    ///
    /// ```
    /// # use getclip::{ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, Limits, fragments};
    /// # let recording = bytes::Bytes::from(std::fs::read("testdata/h264_aac.mkv").unwrap());
    /// # let limits = Limits::default().with_max_fragments(std::num::NonZeroUsize::new(2).unwrap());
    /// let everything = ClipFragmentSelector::all(ClipFragmentSelectorType::ProducerTimestamp);
    /// let mut planner = ClipBuilder::new(everything).limits(limits).parts_planner();
    /// let mut media = Vec::new();
    /// for fragment in fragments(recording) {
    ///     let (index, cluster) = fragment?.into_parts();
    ///     planner.offer(index)?;
    ///     media.push(cluster);
    /// }
    /// for plan in planner.finish()? {
    ///     let plan = plan?;
    ///     let of_part: Vec<_> = plan.fragments().iter().map(|&place| media[place].clone()).collect();
    ///     let clip = plan.with_media(of_part)?;
    ///     println!("{} bytes", clip.len());
    /// }
    /// # Ok::<(), getclip::Error>(())
    /// ```
    pub fn parts_planner(&self) -> PartsPlanner {
        PartsPlanner(self.planner_within(Limits::NONE))
    }
}

impl PartsPlanner {
    /// Considers one more fragment.
    ///
    /// # Errors
    /// Those of [`Planner::offer`].
    pub fn offer(&mut self, index: FragmentIndex) -> Result<(), Error> {
        self.0.offer(index)
    }

    /// The same for a fragment whose media is known to be that with `identity`: see [`Planner::offer_identified`].
    ///
    /// # Errors
    /// Those of [`Planner::offer`].
    pub fn offer_identified(&mut self, index: FragmentIndex, identity: &[u8]) -> Result<(), Error> {
        self.0.offer_identified(index, identity)
    }

    /// The clips: at least one.
    ///
    /// # Errors
    /// [`ErrorKind::NoFragments`](crate::ErrorKind::NoFragments) if no fragment is in the range.
    pub fn finish(self) -> Result<Parts, Error> {
        let Planner { builder, selection, mut report } = self.0;
        let waiting = selection.finish(&mut report)?.into();
        Ok(Parts { builder, waiting, report })
    }
}

impl Iterator for Parts {
    type Item = Result<ClipPlan, Error>;

    /// The next clip. An error is the last item.
    fn next(&mut self) -> Option<Self::Item> {
        let most = self.builder.limits.max_fragments.get();
        // Copies of indexes, as many as can be within the limits: how many are is known when they are planned.
        let mut bytes = 0_u64;
        let can_fit = |selected: &&Selected| {
            let fits = bytes <= self.builder.limits.max_bytes.get();
            bytes = bytes.saturating_add(selected.least_len);
            fits
        };
        let selected: Vec<Selected> = self.waiting.iter().take(most).take_while(can_fit).cloned().collect();
        if selected.is_empty() {
            return None;
        }
        let cut = self.waiting.get(most).map(|first_left_out| first_left_out.cut(Limit::Fragments));
        let Report { offered, out_of_range, .. } = self.report;
        let later = Report { offered, out_of_range, ..Report::default() };
        let report = Report { cut, ..std::mem::replace(&mut self.report, later) };
        let planned = self.builder.plan_selected(selected, report);
        match planned {
            Ok((plan, _)) => {
                self.waiting.drain(..plan.fragments().len().min(self.waiting.len()));
                Some(Ok(plan))
            }
            Err(error) => {
                self.waiting.clear();
                Some(Err(error))
            }
        }
    }
}

impl std::iter::FusedIterator for Parts {}
