//! Recovery points while the frames of a fragment are read: how many pictures decoding takes from there until all are right.
//!
//! H.264 counts frames that others refer to (`recovery_frame_cnt`, clause D.2.8). Who plays a file counts samples.

use crate::codec::VideoCodec;
use crate::codec::sei::{RecoveryPoint, SeiMessage};
use crate::index::frame_table::Recovery;

/// The recovery points of a track.
#[derive(Debug, Clone, Default)]
pub(super) struct RecoveryTracker {
    /// The message was read, its picture not yet.
    pending: Option<RecoveryPoint>,
    points: Vec<Point>,
    /// Pictures since the first recovery point whose recovery takes time.
    pictures: u32,
    /// Those of them that others refer to, and those at which decoding can begin.
    references: Vec<u32>,
    random_access: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Point {
    row: u32,
    /// Its place among the pictures that are counted.
    picture: u32,
    /// Frames of H.264, or pictures of H.265.
    count: u32,
}

impl RecoveryTracker {
    /// Whether pictures are counted.
    pub(super) fn is_counting(&self) -> bool {
        !self.points.is_empty()
    }

    /// Takes over a message before a picture.
    pub(super) fn add_message(&mut self, message: SeiMessage) {
        if let SeiMessage::RecoveryPoint(point) = message {
            self.pending = Some(point);
        }
    }

    /// Counts a picture, which begins in `row`.
    pub(super) fn add_picture(&mut self, row: u32, is_random_access: bool, is_reference: bool) {
        let pending = self.pending.take().filter(|_| !is_random_access);
        if let Some(RecoveryPoint { count, .. }) = pending {
            let count = u32::try_from(count).unwrap_or(0);
            self.points.push(Point { row, picture: self.pictures, count });
        }
        if self.is_counting() {
            if is_random_access {
                self.random_access.push(self.pictures);
            }
            if is_reference {
                self.references.push(self.pictures);
            }
            self.pictures = self.pictures.saturating_add(1);
        }
    }

    /// The recovery points, in their order.
    pub(super) fn finish(&self, codec: VideoCodec) -> Vec<Recovery> {
        let points = self.points.iter();
        points
            .map(|point| Recovery { row: point.row, later_pictures: self.later_pictures(codec, point) })
            .collect()
    }

    fn later_pictures(&self, codec: VideoCodec, point: &Point) -> u32 {
        let later = match codec {
            VideoCodec::H264 => self.after_references(point),
            VideoCodec::H265 => point.count,
        };
        // From a random access point on all is right anyway.
        let next = self.random_access.partition_point(|&picture| picture <= point.picture);
        let next = self.random_access.get(next).map(|next| next.saturating_sub(point.picture));
        next.map_or(later, |next| later.min(next))
    }

    /// The picture after `count` frames that others refer to, of which the point itself may be the first. Frames beyond the end
    /// of the fragment are taken to be such.
    fn after_references(&self, point: &Point) -> u32 {
        let Some(before_last) = point.count.checked_sub(1) else { return 0 };
        let first = self.references.partition_point(|&picture| picture < point.picture);
        let last = first.saturating_add(before_last as usize);
        let after = match self.references.get(last) {
            Some(last) => last.saturating_add(1),
            None => {
                let missing = last.saturating_add(1).saturating_sub(self.references.len()) as u32;
                self.pictures.saturating_add(missing)
            }
        };
        after.saturating_sub(point.picture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A letter for each picture: `I` IDR, `P` and `B` others, of which nothing refers to B. A digit before it is a recovery
    /// point of that count.
    fn recoveries(codec: VideoCodec, pictures: &str) -> Vec<(u32, u32)> {
        let mut tracker = RecoveryTracker::default();
        let mut row = 0;
        for letter in pictures.chars() {
            match letter.to_digit(10) {
                Some(count) => tracker.add_message(SeiMessage::RecoveryPoint(RecoveryPoint {
                    count: count as i32,
                    is_exact: true,
                    broken_link: false,
                })),
                None => {
                    tracker.add_picture(row, letter == 'I', letter != 'B');
                    row += 1;
                }
            }
        }
        tracker.finish(codec).iter().map(|point| (point.row, point.later_pictures)).collect()
    }

    #[test]
    fn frames_that_others_refer_to_are_counted() {
        let h264 = |pictures| recoveries(VideoCodec::H264, pictures);
        assert_eq!(h264("IPP"), []);
        assert_eq!(h264("0PPP0PP"), [(0, 0), (3, 0)]);
        assert_eq!(h264("PP3PPPPP"), [(2, 3)]);
        assert_eq!(h264("2PBPBBPB"), [(0, 3)], "P B P, and right from there");
        assert_eq!(h264("1BBPBP"), [(0, 3)]);
        assert_eq!(h264("5PBPB"), [(0, 7)], "2 of 5, and 3 more after the fragment");
        assert_eq!(h264("3PPPP3PPP1PP"), [(0, 3), (4, 3), (7, 1)]);
    }

    #[test]
    fn a_random_access_point_ends_it() {
        let h264 = |pictures| recoveries(VideoCodec::H264, pictures);
        assert_eq!(h264("9PPPIPPP"), [(0, 3)]);
        assert_eq!(h264("0I9P"), [(1, 9)], "one on an IDR picture says nothing");
        assert_eq!(h264("9PIPP9PPPI"), [(0, 1), (4, 3)]);
    }

    #[test]
    fn pictures_of_h265_are_counted_as_they_come() {
        assert_eq!(recoveries(VideoCodec::H265, "P3PBBBPP"), [(1, 3)]);
        assert_eq!(recoveries(VideoCodec::H265, "P3PBIBPP"), [(1, 2)]);
    }
}
