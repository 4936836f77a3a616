//! [`Line`]: where frames are due that follow each other in equal steps.

/// The points of a straight line from `first` to `last`, each rounded to the nearest tick. Wraps around where the
/// distance takes more than 63 bits, the same way for the writer and the reader.
#[derive(Debug, Clone)]
pub(super) struct Line {
    next: i64,
    /// Whole ticks of a step, and what is left of it in parts of a tick, `steps` of which are one.
    step: i64,
    rest: u64,
    steps: u64,
    /// What is left of the point before, in the same parts.
    over: u64,
}

impl Line {
    /// A line of `count` points.
    pub(super) fn new(first: i64, last: i64, count: usize) -> Self {
        let steps = (count as u64).saturating_sub(1).max(1);
        let way = last.wrapping_sub(first);
        let divisor = i64::try_from(steps).unwrap_or(i64::MAX);
        let step = way.checked_div_euclid(divisor).unwrap_or(0);
        let rest = way.checked_rem_euclid(divisor).unwrap_or(0).unsigned_abs();
        Self { next: first, step, rest, steps, over: steps / 2 }
    }
}

impl Iterator for Line {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        let point = self.next;
        self.next = point.wrapping_add(self.step);
        self.over = self.over.saturating_add(self.rest);
        if self.over >= self.steps {
            self.over = self.over.saturating_sub(self.steps);
            self.next = self.next.wrapping_add(1);
        }
        Some(point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_frames_a_second_in_milliseconds() {
        let points: Vec<i64> = Line::new(0, 1967, 60).take(60).collect();
        for (index, point) in points.iter().enumerate() {
            let exact = index as f64 * 1967.0 / 59.0;
            assert!((*point as f64 - exact).abs() <= 0.5, "{point} for {exact}");
        }
        assert_eq!(points[59], 1967);
    }

    #[test]
    fn any_ends() {
        for (first, last) in [(0, 0), (5, -7), (i64::MIN, i64::MAX), (i64::MAX, i64::MIN)] {
            assert_eq!(Line::new(first, last, 1).next(), Some(first));
            assert_eq!(Line::new(first, last, 7).take(7).count(), 7);
        }
        assert_eq!(Line::new(5, -7, 3).take(3).collect::<Vec<_>>(), [5, -1, -7]);
    }
}
