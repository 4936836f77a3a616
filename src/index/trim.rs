//! Which frames of a fragment a clip needs that plays exactly a range.

use std::ops::Range;

use crate::index::FragmentIndex;
use crate::index::frame_table::{FrameFlags, FrameRow};
use crate::matroska::TrackType;

impl FragmentIndex {
    /// Leaves out the frames that are not needed to play from `from_ns` to `to_ns`, both counted from the Cluster's
    /// timestamp, and returns how many these were.
    ///
    /// Pictures are kept from the one on which decoding begins for the picture that is on the screen at `from_ns`; sound
    /// from one frame before the one that is heard then, which a decoder needs for its first half.
    pub(crate) fn trim(&mut self, from_ns: i64, to_ns: i64) -> u64 {
        let before = self.frames.len();
        let entries = self.tracks.entries();
        let is_video =
            |track: usize| entries.get(track).is_some_and(|entry| entry.track_type == TrackType::Video);
        // The clip begins with the picture, a little before the time that was asked for.
        let pictures = self.frames.tracks.iter().enumerate().find(|(track, _)| is_video(*track));
        let shown_ns = pictures.and_then(|(_, pictures)| on_screen(&pictures.rows, from_ns));
        for (track, frames) in self.frames.tracks.iter_mut().enumerate() {
            let kept = match is_video(track) {
                true => pictures_between(&frames.rows, from_ns, to_ns),
                false => sound_between(&frames.rows, shown_ns.unwrap_or(from_ns), to_ns),
            };
            let keep = |index: &mut usize| {
                let is_kept = kept.contains(index);
                *index = index.saturating_add(1);
                is_kept
            };
            let (mut row, mut duration) = (0, 0);
            frames.rows.retain(|_| keep(&mut row));
            frames.durations_ns.retain(|_| keep(&mut duration));
        }
        self.frames.faults.retain(|faulty| faulty.time_ns < to_ns);
        before.saturating_sub(self.frames.len()) as u64
    }
}

/// The time of the picture that is on the screen at a time.
fn on_screen(rows: &[FrameRow], time_ns: i64) -> Option<i64> {
    rows.iter().filter(|row| row.time_ns <= time_ns).map(|row| row.time_ns).max()
}

/// The pictures to decode, in decode order.
fn pictures_between(rows: &[FrameRow], from_ns: i64, to_ns: i64) -> Range<usize> {
    let end = rows.iter().rposition(|row| row.time_ns < to_ns).map_or(0, |last| last.saturating_add(1));
    let shown = on_screen(rows, from_ns);
    let begins = |row: &FrameRow| row.is_sync() && shown.is_some_and(|shown| row.time_ns <= shown);
    let start = rows.iter().rposition(begins).unwrap_or(0);
    // What is given once and for all before the first picture is needed after it, too.
    let (earlier, from_start) = rows.split_at_checked(start).unwrap_or((&[], rows));
    let gives_sets = |row: &FrameRow| row.has(FrameFlags::PARAMETER_SETS);
    let has_own_sets = from_start.first().is_some_and(gives_sets);
    let start = if earlier.iter().any(gives_sets) && !has_own_sets { 0 } else { start };
    start..end
}

/// The sound to decode. A frame without a time of its own goes with the one before it.
fn sound_between(rows: &[FrameRow], from_ns: i64, to_ns: i64) -> Range<usize> {
    let is_timed = |row: &FrameRow| !row.inherits_time();
    let heard = rows.iter().rposition(|row| is_timed(row) && row.time_ns <= from_ns).unwrap_or(0);
    let first_after = rows.iter().position(|row| is_timed(row) && row.time_ns >= to_ns);
    heard.saturating_sub(1)..first_after.unwrap_or(rows.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn row(time_ms: i64, flags: FrameFlags) -> FrameRow {
        FrameRow { time_ns: time_ms * MS, offset: 0, len: 1, first_nal: 0, nals: 0, flags }
    }

    /// Two GOPs of 200 ms with reordered pictures.
    fn pictures(first: FrameFlags, second: FrameFlags) -> Vec<FrameRow> {
        let plain = FrameFlags::default();
        let times = [(0, first), (120, plain), (40, plain), (80, plain), (160, plain)];
        let later = [(200, second), (320, plain), (240, plain), (280, plain), (360, plain)];
        times.into_iter().chain(later).map(|(time, flags)| row(time, flags)).collect()
    }

    fn between(rows: &[FrameRow], from: i64, to: i64) -> Range<usize> {
        pictures_between(rows, from * MS, to * MS)
    }

    #[test]
    fn pictures_are_decoded_from_the_sync_sample_before() {
        let rows = pictures(FrameFlags::SYNC, FrameFlags::SYNC);
        assert_eq!(between(&rows, -1000, 1000), 0..10);
        assert_eq!(between(&rows, 199, 1000), 0..10);
        assert_eq!(between(&rows, 200, 1000), 5..10);
        assert_eq!(between(&rows, 300, 1000), 5..10);
        // Of the later ones, those that are needed in decode order.
        assert_eq!(between(&rows, 0, 40), 0..1);
        assert_eq!(between(&rows, 0, 41), 0..3);
        assert_eq!(between(&rows, 0, 121), 0..4);
        assert_eq!(between(&rows, 210, 241), 5..8);
    }

    #[test]
    fn parameter_sets_that_come_once_are_kept() {
        let with_sets = FrameFlags::SYNC.with(FrameFlags::PARAMETER_SETS, true);
        assert_eq!(between(&pictures(with_sets, FrameFlags::SYNC), 300, 1000), 0..10);
        assert_eq!(between(&pictures(with_sets, with_sets), 300, 1000), 5..10);
    }

    #[test]
    fn sound_begins_one_frame_early_and_ends_with_the_range() {
        let laced = FrameFlags::INHERITS_TIME;
        let plain = FrameFlags::default();
        let rows: Vec<FrameRow> =
            [(0, plain), (20, plain), (40, plain), (40, laced), (80, plain)].map(|(t, f)| row(t, f)).into();
        let between = |from: i64, to: i64| sound_between(&rows, from * MS, to * MS);
        assert_eq!(between(-10, 1000), 0..5);
        assert_eq!(between(39, 1000), 0..5);
        assert_eq!(between(40, 1000), 1..5);
        assert_eq!(between(79, 80), 1..4);
        assert_eq!(between(0, 40), 0..2);
        assert_eq!(between(0, 41), 0..4);
    }
}
