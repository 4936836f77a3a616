//! [`PresentationOrder`]: the pictures of a clip in the order in which they are shown.
//!
//! Pictures come in decode order, and their times in whatever order the producer's clock gave them. Three things put
//! a time in front of one that came before it:
//!
//! * **Reordering.** A B-frame is decoded after pictures that are shown after it: after at most as many as the SPS
//!   allows, and as many as the clip [shows elsewhere](crate::time::reordering). It goes to its place, also where the
//!   pictures decoded before it are in another fragment.
//! * **An overlap.** Beyond that, and where a barrier is between the two, the fragment is of another session, or its
//!   clock was set back. It is moved, by the least amount that puts it one frame after what is there.
//! * **A step back** inside a fragment: the same for what follows in it.
//!
//! With B-frames, the picture that shows the step is not always the first after it: that may be the anchor decoded
//! ahead of it. Of those that it can be, the one is taken after which the pictures are apart most evenly.

use crate::time::input::{Picture, Pictures};
use crate::time::units::Nanos;

/// A picture is at most this many frames later in decode order than in presentation order: the largest
/// `max_num_reorder_frames` of H.264 and `sps_max_num_reorder_pics` of H.265.
pub(crate) const MAX_REORDERED: usize = 16;

/// How many pictures before and after a step are looked at.
const STEP_WINDOW: usize = 24;

/// How many steps of a clip are looked at closely. A recording with more of them has no clock.
const MAX_CLOSE_LOOKS: u32 = 256;

/// The pictures of a clip in presentation order.
#[derive(Debug, Default)]
pub(crate) struct PresentationOrder {
    /// Times on the clip's timeline. They do not decrease.
    times: Vec<Nanos>,
    /// For each of them, the picture's place in decode order.
    decoded: Vec<u32>,
    is_reordered: bool,
    /// Time of the last picture shown of those ahead of the last barrier.
    floor: Option<Nanos>,
    barriers: u32,
    /// Places in decode order of the leading pictures that cannot be decoded if decoding begins at the first barrier.
    skipped: Vec<u32>,
    close_looks: u32,
}

/// Where a fragment is, and what its pictures are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placement {
    /// Where its times count from, on the clip's timeline.
    pub(crate) base: Nanos,
    /// How long its frames last.
    pub(crate) frame: Nanos,
    /// That of the source's clock.
    pub(crate) tick: Nanos,
    /// How many pictures are decoded before a picture and shown after it, at most.
    pub(crate) depth: usize,
}

/// What became of the times of a fragment's pictures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Moves {
    /// By how much all of them are later.
    pub(crate) fragment: Nanos,
    /// By how much more those are that follow a step back.
    pub(crate) steps: Vec<StepBack>,
}

/// A step back of the clock inside a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StepBack {
    /// When the first picture after it is shown, on the clip's timeline.
    pub(crate) at: Nanos,
    /// By how much it and what follows in the fragment was moved.
    pub(crate) by: Nanos,
}

/// The pictures of a fragment while they are put in order.
struct Placing<'a> {
    pictures: Pictures<'a>,
    placement: Placement,
    /// Place of the first in decode order.
    first: usize,
    /// The last barrier or step back: what is moved is not ahead of it.
    earliest: usize,
    /// The first picture after the last step back that was recorded.
    last_step: Option<usize>,
    moves: Moves,
}

impl PresentationOrder {
    pub(crate) fn times(&self) -> &[Nanos] {
        &self.times
    }

    /// Time of the picture that is shown last.
    pub(crate) fn last(&self) -> Option<Nanos> {
        self.times.last().copied()
    }

    /// For each picture in decode order, its place in presentation order. Empty if the two are one.
    pub(crate) fn places(&self) -> Vec<u32> {
        if !self.is_reordered {
            return Vec::new();
        }
        let mut places = vec![0; self.decoded.len()];
        for (place, decoded) in (0..).zip(&self.decoded) {
            if let Some(entry) = places.get_mut(*decoded as usize) {
                *entry = place;
            }
        }
        places
    }

    /// How many pictures are shown before the first that can be decoded.
    pub(crate) fn undecodable(&self) -> usize {
        let count =
            self.decoded.iter().take_while(|decoded| self.skipped.binary_search(decoded).is_ok()).count();
        if count == self.decoded.len() { 0 } else { count }
    }

    /// Adds the pictures of a fragment.
    pub(crate) fn add(&mut self, pictures: Pictures<'_>, placement: Placement) -> Moves {
        self.times.reserve(pictures.len());
        self.decoded.reserve(pictures.len());
        let first = self.times.len();
        if self.add_in_order(pictures, placement.base) {
            return Moves::default();
        }
        let mut placing =
            Placing { pictures, placement, first, earliest: 0, last_step: None, moves: Moves::default() };
        for (index, picture) in pictures.iter().enumerate() {
            let decoded = self.times.len() as u32;
            if picture.is_barrier {
                self.floor = self.last();
                self.barriers = self.barriers.saturating_add(1);
                placing.earliest = index;
            } else if picture.is_skipped && self.barriers == 1 {
                self.skipped.push(decoded);
            }
            let time = placing.placement.base + picture.time;
            if self.last().is_none_or(|last| time > last) {
                self.times.push(time);
                self.decoded.push(decoded);
            } else {
                self.insert(&mut placing, index, picture, time);
            }
        }
        placing.moves
    }

    /// Adds the pictures of a fragment if all are shown after those decoded before them, as those of most cameras are.
    fn add_in_order(&mut self, pictures: Pictures<'_>, base: Nanos) -> bool {
        let times = || pictures.times_from(base);
        let is_later = times().next().zip(self.last()).is_none_or(|(first, last)| last < first);
        if !is_later || !times().is_sorted_by(|a, b| a < b) {
            return false;
        }
        let first = self.times.len() as u32;
        let places = first..first.saturating_add(pictures.len() as u32);
        let mut before = self.last();
        for (picture, decoded) in pictures.iter().zip(places.clone()) {
            if picture.is_barrier {
                self.floor = before;
                self.barriers = self.barriers.saturating_add(1);
            } else if picture.is_skipped && self.barriers == 1 {
                self.skipped.push(decoded);
            }
            before = Some(base + picture.time);
        }
        self.times.extend(times());
        self.decoded.extend(places);
        true
    }

    /// Moves all pictures from a place in decode order on, which are those shown last, to later times.
    pub(crate) fn move_from(&mut self, first: usize, by: Nanos) {
        for time in self.times.get_mut(first..).unwrap_or_default() {
            *time += by;
        }
    }

    /// Adds a picture that is not shown after all before it.
    fn insert(&mut self, placing: &mut Placing<'_>, index: usize, picture: Picture, time: Nanos) {
        let first = placing.first as u32;
        // Frames of one fragment can have one time; those of two overlap then.
        let is_later =
            |(shown, decoded): (&Nanos, &u32)| *shown > time || (*shown == time && *decoded < first);
        let shown = self.times.iter().zip(&self.decoded).rev();
        let later = shown
            .take(placing.placement.depth.saturating_add(1))
            .take_while(|shown| is_later(*shown))
            .count();
        let is_behind_barrier = !picture.is_leading && self.floor.is_some_and(|floor| time <= floor);
        if later > placing.placement.depth || is_behind_barrier {
            self.step_back(placing, index);
        } else {
            self.put(time, placing.first.saturating_add(index) as u32);
        }
    }

    /// Puts a picture in its place by its time, after others of the same time.
    fn put(&mut self, time: Nanos, decoded: u32) {
        let later = self.times.iter().rev().take_while(|shown| **shown > time).count();
        self.is_reordered |= later > 0;
        let place = self.times.len().saturating_sub(later);
        self.times.insert(place, time);
        self.decoded.insert(place, decoded);
    }

    /// Moves the picture that comes next, and those decoded shortly before it that are of the same clock, behind all
    /// others.
    fn step_back(&mut self, placing: &mut Placing<'_>, index: usize) {
        let start = self.first_after_step(placing, index);
        let mut moved = self.take_from(placing.first.saturating_add(start) as u32);
        let time_of = |picture: Picture| placing.placement.base + picture.time;
        let picture = placing.pictures.get(index).map(time_of).unwrap_or_default();
        moved.push((picture, placing.first.saturating_add(index) as u32));
        let by = placing.shift(self.last(), start, index);
        for (time, decoded) in moved {
            self.put(time + by, decoded);
        }
        placing.placement.base += by;
        placing.record_step(start, index, by);
    }

    /// Takes out the pictures from a place in decode order on. Answers their times and places, in decode order.
    fn take_from(&mut self, first: u32) -> Vec<(Nanos, u32)> {
        let mut taken = Vec::new();
        let mut place = self.decoded.len();
        // As many as there are from that place on; each is near the end.
        let mut left = self.decoded.len().saturating_sub(first as usize);
        while left > 0
            && let Some(before) = place.checked_sub(1)
        {
            place = before;
            if self.decoded.get(place).is_some_and(|decoded| *decoded >= first) {
                taken.push((self.times.remove(place), self.decoded.remove(place)));
                left = left.saturating_sub(1);
            }
        }
        taken.sort_unstable_by_key(|(_, decoded)| *decoded);
        taken
    }

    /// The picture of the fragment that is the first after the clock was set back, where the one at `index` shows that
    /// it was.
    fn first_after_step(&mut self, placing: &Placing<'_>, index: usize) -> usize {
        let Some(picture) = placing.pictures.get(index) else { return index };
        // Those decoded before it and shown after it, as far as it can be reordered.
        let after_it = |candidate: &usize| {
            placing.pictures.get(*candidate).is_some_and(|other| other.time > picture.time)
        };
        let from = placing.earliest.max(index.saturating_sub(STEP_WINDOW));
        let mut candidates: Vec<usize> =
            (from..index).rev().filter(after_it).take(placing.placement.depth).collect();
        if candidates.is_empty() || self.close_looks == MAX_CLOSE_LOOKS {
            return index;
        }
        self.close_looks = self.close_looks.saturating_add(1);
        candidates.insert(0, index);
        let unevenness = |start: &usize| self.unevenness(placing, index, *start);
        candidates.iter().copied().min_by_key(unevenness).unwrap_or(index)
    }

    /// How uneven the steps around the picture at `index` are, if the pictures from `start` on are moved behind the
    /// others.
    fn unevenness(&self, placing: &Placing<'_>, index: usize, start: usize) -> Nanos {
        let first_moved = placing.first.saturating_add(start) as u32;
        let window = self.times.iter().zip(&self.decoded).rev().take(STEP_WINDOW);
        let mut times: Vec<Nanos> =
            window.filter(|(_, decoded)| **decoded < first_moved).map(|(time, _)| *time).collect();
        let ahead = index.saturating_add(STEP_WINDOW);
        let pictures = (start..=ahead).map_while(|moved| placing.pictures.get(moved));
        let moved = pictures.map(|picture| placing.placement.base + picture.time);
        let by = placing.shift(times.first().copied(), start, index);
        times.extend(moved.map(|time| time + by));
        times.sort_unstable();
        let steps = times.iter().zip(times.iter().skip(1)).map(|(a, b)| *b - *a);
        steps.map(|step| (step - placing.placement.frame).abs()).fold(Nanos::ZERO, |sum, off| sum + off)
    }
}

impl Placing<'_> {
    /// By how much the pictures from `start` on must be moved so that the first of them is shown one frame after `last`:
    /// whole ticks of the source's clock, so that an exact cadence remains one.
    fn shift(&self, last: Option<Nanos>, start: usize, index: usize) -> Nanos {
        let Placement { base, frame, tick, .. } = self.placement;
        let first = base + self.first_shown(start, index);
        let by = last.map_or(Nanos::ZERO, |last| last + frame - first).max(Nanos::ZERO);
        if tick * 2 <= frame { by.rounded_to(tick) } else { by }
    }

    /// Records that the pictures from `start` on were moved.
    fn record_step(&mut self, start: usize, index: usize, by: Nanos) {
        let at = self.placement.base + self.first_shown(start, index);
        match self.moves.steps.last_mut() {
            _ if start == 0 => self.moves.fragment += by,
            Some(last) if self.last_step == Some(start) => *last = StepBack { at, by: last.by + by },
            _ => {
                self.moves.steps.push(StepBack { at, by });
                self.last_step = Some(start);
            }
        }
        self.earliest = start.max(self.earliest);
    }

    /// When the first of the pictures from `start` on is shown: one of those up to `index`, or one of the next that is
    /// reordered with them.
    fn first_shown(&self, start: usize, index: usize) -> Nanos {
        let depth = self.placement.depth;
        let until = index.saturating_add(depth);
        let mut times: Vec<Nanos> = Vec::new();
        for picture in (start..=until).map_while(|place| self.pictures.get(place)) {
            let later = times.iter().filter(|time| **time > picture.time).count();
            let is_next = times.len() > index.saturating_sub(start);
            if is_next && (picture.is_barrier || later > depth) {
                break;
            }
            times.push(picture.time);
        }
        times.into_iter().min().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::frame_table::FrameFlags;
    use crate::time::input::tests::{Recorded, aac, seen};
    use crate::time::reordering;
    use proptest::prelude::*;

    const FRAME: i64 = 40;

    /// The fragments put in order, as the timeline does: when each picture is shown in decode order, in milliseconds,
    /// and what was moved.
    fn place(recorded: &[Recorded]) -> (Vec<i64>, Vec<Moves>) {
        let audio = aac();
        let fragments = seen(recorded, &audio);
        let depth = reordering::depth(&fragments);
        let mut order = PresentationOrder::default();
        let moves = fragments.iter().map(|fragment| {
            let limit = fragment.pictures.reorder_limit.map_or(MAX_REORDERED, usize::from);
            let (base, tick) = (fragment.start, fragment.tick);
            let frame = Nanos::from_millis(FRAME);
            order.add(fragment.pictures, Placement { base, frame, tick, depth: depth.min(limit) })
        });
        let moves = moves.collect();
        let places = order.places();
        let shown = |decoded: usize| places.get(decoded).map_or(decoded, |place| *place as usize);
        let times = (0..order.times().len()).map(|decoded| order.times()[shown(decoded)].as_millis());
        assert!(order.times().is_sorted());
        (times.collect(), moves)
    }

    /// By how many milliseconds each fragment was moved.
    fn moved(moves: &[Moves]) -> Vec<i64> {
        assert!(moves.iter().all(|moves| moves.steps.is_empty()), "{moves:?}");
        moves.iter().map(|moves| moves.fragment.as_millis()).collect()
    }

    /// Places in presentation order of the pictures of a group in decode order, with its first at 1: an anchor, then the
    /// B-frames before it, one after the other or as a hierarchy.
    fn group(len: i64, hierarchical: bool) -> Vec<i64> {
        fn between(from: i64, to: i64, places: &mut Vec<i64>) {
            if to - from > 1 {
                let middle = from.midpoint(to);
                places.push(middle);
                between(from, middle, places);
                between(middle, to, places);
            }
        }
        let mut places = vec![len];
        if hierarchical {
            between(0, len, &mut places);
        } else {
            places.extend(1..len);
        }
        places
    }

    /// Presentation times, in decode order, of an IDR picture and groups.
    fn stream(groups: usize, len: i64, hierarchical: bool) -> Vec<i64> {
        let groups = (0..groups as i64).flat_map(|index| {
            group(len, hierarchical).into_iter().map(move |place| (index * len + place) * FRAME)
        });
        std::iter::once(0).chain(groups).collect()
    }

    /// A stream whose fragments begin anywhere, as ffmpeg cuts Matroska that it writes to a pipe.
    #[test]
    fn pictures_are_sorted_across_the_border_of_fragments() {
        let times = stream(8, 4, true);
        for cut in 1..times.len() {
            let (first, second) = times.split_at(cut);
            let start = second[0];
            let first = Recorded::at(0).pictures(first.iter().copied());
            let second = Recorded::at(start).pictures(second.iter().map(|time| time - start));
            let (shown, moves) = place(&[first, second.without_barrier()]);
            assert_eq!(shown, times, "{cut}");
            assert_eq!(moved(&moves), [0, 0], "{cut}");
        }
    }

    /// Main profile, without VUI: nothing tells how far pictures are reordered, but no picture from an IDR on is shown
    /// before one ahead of it.
    #[test]
    fn a_second_session_that_begins_too_early_is_moved() {
        for early in [40, 60, 400] {
            for (len, hierarchical) in [(1, false), (3, false), (4, true)] {
                let times = stream(12, len, hierarchical);
                let end = times.len() as i64 * FRAME;
                let first = Recorded::at(0).pictures(times.iter().copied());
                let second = Recorded::at(end - early).pictures(times.iter().copied());
                let (shown, moves) = place(&[first, second]);
                assert_eq!(moved(&moves), [0, early], "{early}, groups of {len}");
                let expected = times.iter().copied().chain(times.iter().map(|time| end + time));
                assert!(shown.iter().copied().eq(expected), "{early}, groups of {len}: {shown:?}");
            }
        }
    }

    #[test]
    fn less_than_a_frame_too_early_is_no_overlap() {
        let times = || (0..25).map(|index| index * FRAME);
        let (shown, moves) = place(&[Recorded::at(0).pictures(times()), Recorded::at(961).pictures(times())]);
        assert_eq!(moved(&moves), [0, 0]);
        assert_eq!(shown[25], 961);
    }

    /// Without a barrier, the first picture of a fragment that is at the time of the last overlaps it.
    #[test]
    fn fragments_without_a_barrier_overlap_beyond_what_is_reordered() {
        let times = || (0..25).map(|index| index * FRAME);
        let second = |start_ms| Recorded::at(start_ms).pictures(times()).without_barrier();
        for (start_ms, by_ms) in [(960, 40), (900, 100), (0, 1000)] {
            let (shown, moves) = place(&[Recorded::at(0).pictures(times()), second(start_ms)]);
            assert_eq!(moved(&moves), [0, by_ms]);
            assert!(shown.is_sorted_by(|a, b| a < b), "{start_ms}");
        }
    }

    /// The SPS allows less than the times show.
    #[test]
    fn the_limit_of_the_sps_counts() {
        let times = stream(4, 3, false);
        let with_limit = |limit| {
            let recorded = Recorded { reorder_limit: Some(limit), ..Recorded::at(0).pictures(times.clone()) };
            place(&[recorded])
        };
        assert_eq!(with_limit(1).0, times);
        let (shown, moves) = with_limit(0);
        assert!(shown.is_sorted_by(|a, b| a < b), "decode order is display order: {shown:?}");
        assert_eq!(moves[0].fragment, Nanos::ZERO);
        assert!(!moves[0].steps.is_empty());
    }

    /// H.265, an open GOP: the RASL pictures after a CRA picture are shown before it, among those of the GOP before.
    #[test]
    fn leading_pictures_are_no_overlap() {
        let cra = [0, 240, 80, 40, 120, 160, 200, 480, 280, 320, 360, 400, 440];
        let recorded = Recorded::at(0).pictures([0, 80, 40, 160, 120, 320, 200, 240, 280, 400, 360]);
        let mut recorded = recorded.flag(5, FrameFlags::SYNC);
        for leading in 6..9 {
            recorded = recorded.flag(leading, FrameFlags::LEADING);
        }
        let (shown, moves) = place(&[recorded]);
        assert_eq!(shown, [0, 80, 40, 160, 120, 320, 200, 240, 280, 400, 360]);
        assert_eq!(moved(&moves), [0]);
        // A clip that begins there.
        let mut order = PresentationOrder::default();
        let mut clip = Recorded::at(0).pictures(cra.map(|time| time - 240));
        for leading in 2..7 {
            clip = clip.flag(leading, FrameFlags::LEADING).flag(leading, FrameFlags::SKIPPED);
        }
        let audio = aac();
        let clip = [Recorded { pictures: clip.pictures.split_off(1), ..clip }.flag(0, FrameFlags::SYNC)];
        let fragments = seen(&clip, &audio);
        let frame = Nanos::from_millis(FRAME);
        let placement = Placement { base: Nanos::ZERO, frame, tick: Nanos::from_millis(1), depth: 16 };
        order.add(fragments[0].pictures, placement);
        assert_eq!(order.undecodable(), 5);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// The clock is set back in a stream without B-frames, or with any that is regular. What follows is moved, and
        /// all pictures are shown in their order, one frame apart.
        #[test]
        fn a_step_back_moves_what_follows(
            (len, hierarchical) in prop_oneof![Just((1, false)), (2..=8_i64, any::<bool>())],
            before in 4..8_usize,
            back_ms in 41..3000_i64,
            in_next_fragment in any::<bool>(),
        ) {
            let mut times = stream(12, len, hierarchical);
            let expected = times.clone();
            let step = 1 + before * len as usize;
            times[step..].iter_mut().for_each(|time| *time -= back_ms);
            let recorded = match in_next_fragment {
                false => vec![Recorded::at(0).pictures(times)],
                true => {
                    let second = Recorded::at(0).pictures(times.split_off(step)).without_barrier();
                    vec![Recorded::at(0).pictures(times), second]
                }
            };
            let (shown, moves) = place(&recorded);
            prop_assert_eq!(shown, expected);
            let by: i64 = match in_next_fragment {
                false => moves[0].steps.iter().map(|step| step.by.as_millis()).sum(),
                true => moves[1].fragment.as_millis(),
            };
            prop_assert_eq!(by, back_ms);
        }

        /// Whatever the times are, no picture is lost, and none is earlier than its clock said.
        #[test]
        fn any_times_are_put_in_order(
            fragments in prop::collection::vec(prop::collection::vec((-500..2000_i64, 0..8_u8), 1..60), 1..4),
            limit in prop::option::of(0..4_u8),
        ) {
            let recorded: Vec<Recorded> = fragments.iter().map(|pictures| {
                let mut recorded = Recorded::at(0).pictures(pictures.iter().map(|(time, _)| *time));
                for (index, (_, flags)) in pictures.iter().enumerate() {
                    if *flags == 0 {
                        recorded = recorded.flag(index, FrameFlags::SYNC);
                    }
                    if *flags == 1 {
                        recorded = recorded.flag(index, FrameFlags::LEADING);
                    }
                }
                Recorded { reorder_limit: limit, ..recorded }
            }).collect();
            let (shown, moves) = place(&recorded);
            let times = || fragments.iter().enumerate().flat_map(|(index, pictures)| {
                pictures.iter().map(move |(time, _)| (index, *time))
            });
            prop_assert_eq!(shown.len(), times().count());
            for ((index, time), shown) in times().zip(&shown) {
                let most: Nanos = moves[index].steps.iter().fold(moves[index].fragment, |sum, step| sum + step.by);
                prop_assert!((time..=time + most.as_millis()).contains(shown));
            }
        }
    }
}
