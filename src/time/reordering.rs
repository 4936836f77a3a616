//! How far the pictures of a clip are reordered, told by their times alone.
//!
//! Where B-frames are, an anchor is decoded ahead of the pictures that are shown before it: its time leaves room for
//! them, and they fill it.
//!
//! ```text
//! decoded   0  160  80  40  120 | 320  240  200  280     depth 2: 40 is shown before 80 and 160
//! shown     0   40  80 120  160   200  240  280  320     one step apart
//! ```
//!
//! Where a clock was set back, times go back as well, but there is no room for them: 40 ms apart and set back by 60 ms,
//! two pictures are shown in the 40 ms in front of the last. So a group of pictures that are shown in another order
//! than they are decoded in counts as reordering only where it has the room.

use crate::time::input::Fragment;
use crate::time::units::Nanos;

/// Pictures of a group, at most: H.265 has groups of 32 or 64.
const MAX_GROUP: usize = 64;

/// How many pictures are decoded before a picture and shown after it, at most, in the fragments by themselves and
/// across their borders.
pub(crate) fn depth(fragments: &[Fragment<'_>]) -> usize {
    // As most clips of cameras: every picture is shown after those decoded before it.
    let times = fragments.iter().flat_map(|fragment| fragment.pictures.times_from(fragment.start));
    if times.is_sorted() {
        return 0;
    }
    let mut groups = Groups::default();
    for fragment in fragments {
        for picture in fragment.pictures.iter() {
            if picture.is_barrier {
                groups.restart();
            }
            groups.push(fragment.start + picture.time);
        }
    }
    groups.close();
    groups.depth
}

/// Pictures in decode order, in groups: each begins with a picture that is shown after all before it.
#[derive(Debug, Default)]
struct Groups {
    /// Time of the picture that is shown last, of those before the group.
    before: Option<Nanos>,
    /// The group, in presentation order.
    times: Vec<Nanos>,
    /// How far it is reordered.
    group_depth: usize,
    /// A picture of it is shown no later than one before the group, or there are too many of them.
    is_broken: bool,
    /// How far the pictures of the two groups before are apart.
    steps: [Option<Nanos>; 2],
    depth: usize,
}

impl Groups {
    #[inline]
    fn push(&mut self, time: Nanos) {
        match self.times.last() {
            Some(&last) if time <= last => self.insert(time),
            _ => {
                self.close();
                self.times.push(time);
            }
        }
    }

    /// Begins anew at a barrier, where another session may begin at a frame rate of its own.
    fn restart(&mut self) {
        self.close();
        self.before = None;
        self.steps = [None; 2];
    }

    /// Adds a picture that is shown before the last.
    fn insert(&mut self, time: Nanos) {
        if self.before.is_some_and(|before| time <= before) || self.times.len() >= MAX_GROUP {
            self.is_broken = true;
        }
        if self.is_broken {
            return;
        }
        let later = self.times.iter().rev().take_while(|shown| **shown > time).count();
        self.group_depth = self.group_depth.max(later);
        self.times.insert(self.times.len().saturating_sub(later), time);
    }

    /// Whether the pictures of the group are about equally far apart.
    fn is_even(&self) -> bool {
        let times = || self.before.into_iter().chain(self.times.iter().copied());
        let steps = || times().zip(times().skip(1)).map(|(a, b)| b - a);
        steps().min().unwrap_or_default() * 2 >= steps().max().unwrap_or_default()
    }

    /// Ends the group, and counts it if it is one of reordered pictures.
    #[inline]
    fn close(&mut self) {
        let (Some(&first), Some(&last)) = (self.times.first(), self.times.last()) else { return };
        let pictures = i64::try_from(self.times.len()).unwrap_or(i64::MAX);
        if !self.is_broken {
            // A group that begins with a barrier has no picture before it, but leading pictures in it.
            let (room, steps) = match self.before {
                Some(before) => (last - before, pictures),
                None => (last - first, pictures.saturating_sub(1)),
            };
            let has_room = match self.steps.iter().flatten().min() {
                // All but three quarters of a step.
                Some(step) => *step * steps <= room + (*step * 3).divided_by(4),
                None => self.is_even(),
            };
            if has_room {
                self.depth = self.depth.max(self.group_depth);
            }
            if steps > 0 {
                let [last, _] = self.steps;
                self.steps = [Some(room.divided_by(steps)), last];
            }
        }
        self.before = Some(last);
        self.times.clear();
        self.group_depth = 0;
        self.is_broken = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth_of(times: impl IntoIterator<Item = i64>) -> usize {
        let mut groups = Groups::default();
        times.into_iter().for_each(|time| groups.push(Nanos::from_millis(time)));
        groups.close();
        groups.depth
    }

    /// Groups of an anchor and its B-frames, in the order of `shown`, one step of 40 ms for each.
    fn groups(count: i64, shown: &[i64]) -> impl Iterator<Item = i64> {
        let len = shown.len() as i64;
        (0..count).flat_map(move |group| shown.iter().map(move |place| (group * len + place) * 40))
    }

    #[test]
    fn b_frames_are_seen() {
        assert_eq!(depth_of(groups(4, &[1])), 0);
        assert_eq!(depth_of(groups(4, &[2, 1])), 1);
        assert_eq!(depth_of(groups(4, &[4, 2, 1, 3])), 2);
        assert_eq!(depth_of(groups(1, &[4, 2, 1, 3])), 2, "one group is enough");
        assert_eq!(depth_of(groups(4, &[8, 4, 2, 1, 3, 6, 5, 7])), 3, "hierarchical B-frames of H.265");
        assert_eq!(depth_of([80, 0, 40, 200, 120, 160]), 1, "it begins with leading pictures");
        assert_eq!(depth_of([0, 40, 80, 120, 240, 160, 200]), 1, "it does not begin with them");
        let mut seventeen: Vec<i64> = (2..=17).rev().collect();
        seventeen.push(1);
        assert_eq!(depth_of(groups(2, &seventeen)), 16);
    }

    #[test]
    fn b_frames_are_seen_where_times_jitter_and_frames_are_missing() {
        let jitter = |(index, time): (usize, i64)| time + (index as i64 * 7 % 11);
        assert_eq!(depth_of(groups(20, &[3, 1, 2]).enumerate().map(jitter)), 1);
        let lost = groups(20, &[4, 2, 1, 3]).enumerate().filter(|(index, _)| index % 10 != 6);
        assert_eq!(depth_of(lost.map(|(_, time)| time)), 2);
    }

    /// An IDR picture begins anew: at leading pictures, at those of another session, at a clock that was set back.
    #[test]
    fn a_barrier_begins_anew() {
        let depth_with_barrier = |before: &[i64], after: &[i64]| {
            let mut groups = Groups::default();
            before.iter().for_each(|time| groups.push(Nanos::from_millis(*time)));
            groups.restart();
            after.iter().for_each(|time| groups.push(Nanos::from_millis(*time)));
            groups.close();
            groups.depth
        };
        let plain = [0, 40, 80, 120];
        assert_eq!(depth_with_barrier(&plain, &[240, 160, 200, 280]), 1);
        assert_eq!(depth_with_barrier(&plain, &[0, 120, 40, 80, 160]), 1);
        assert_eq!(depth_with_barrier(&plain, &[160, -240, -200, -160]), 0);
    }

    #[test]
    fn a_clock_that_is_set_back_is_no_reordering() {
        for back in [1, 10, 19, 21, 40, 60, 61, 100, 400, 1000] {
            let times = (0..30).map(|i| i * 40).chain((0..30).map(|i| 1200 - back + i * 40));
            assert_eq!(depth_of(times), 0, "{back}");
            let with_b_frames =
                groups(10, &[3, 1, 2]).map(|time| if time > 600 { time - back } else { time });
            assert_eq!(depth_of(with_b_frames), 1, "{back} with B-frames");
        }
    }
}
