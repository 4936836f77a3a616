//! [`Runs`]: a sequence of values as runs of equal ones, which is how ISO BMFF writes its time tables.

/// A sequence that is pushed to value by value, or run by run, and kept as runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Runs<T>(Vec<(u32, T)>);

impl<T> Default for Runs<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy + PartialEq> Runs<T> {
    /// Adds `value`, `count` times.
    #[inline]
    pub(crate) fn push(&mut self, count: u32, value: T) {
        if count == 0 {
            return;
        }
        if let Some((run, last)) = self.0.last_mut()
            && *last == value
            && let Some(longer) = run.checked_add(count)
        {
            *run = longer;
            return;
        }
        self.0.push((count, value));
    }

    /// The runs: how many, of what.
    pub(crate) fn as_slice(&self) -> &[(u32, T)] {
        &self.0
    }

    /// Goes through the values without unrolling them.
    pub(crate) fn cursor(&self) -> RunCursor<'_, T> {
        RunCursor { runs: self.0.iter(), current: None }
    }
}

impl Runs<u32> {
    /// The sum of all values.
    pub(crate) fn sum(&self) -> u64 {
        self.0.iter().fold(0, |sum, &(count, value)| {
            sum.saturating_add(u64::from(count).saturating_mul(u64::from(value)))
        })
    }
}

/// A place in [`Runs`].
#[derive(Debug, Clone)]
pub(crate) struct RunCursor<'a, T> {
    runs: std::slice::Iter<'a, (u32, T)>,
    current: Option<(u32, T)>,
}

impl<T: Copy> RunCursor<'_, T> {
    /// What is left of the run that the cursor is in, or else the next one.
    pub(crate) fn run(&self) -> Option<(u32, T)> {
        self.current.filter(|(left, _)| *left > 0).or_else(|| self.runs.as_slice().first().copied())
    }
}

impl RunCursor<'_, u32> {
    /// The sum of the next `count` values, behind which the cursor then stands.
    #[inline]
    pub(crate) fn advance(&mut self, mut count: u32) -> u64 {
        if let Some((left, value)) = &mut self.current
            && let Some(rest) = left.checked_sub(count)
        {
            *left = rest;
            return u64::from(count).saturating_mul(u64::from(*value));
        }
        let mut sum = 0_u64;
        while count > 0 {
            let Some((left, value)) = self.run() else { break };
            if self.current.is_none_or(|(left, _)| left == 0) {
                self.runs.next();
            }
            let taken = left.min(count);
            sum = sum.saturating_add(u64::from(taken).saturating_mul(u64::from(value)));
            count = count.saturating_sub(taken);
            self.current = Some((left.saturating_sub(taken), value));
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_one_run() {
        let mut runs = Runs::default();
        for value in [7, 7, 7, 8, 7] {
            runs.push(1, value);
        }
        runs.push(u32::MAX, 7);
        runs.push(0, 9);
        assert_eq!(runs.as_slice(), [(3, 7), (1, 8), (1, 7), (u32::MAX, 7)]);
    }

    #[test]
    fn a_cursor_sums_across_runs() {
        let mut runs = Runs::default();
        runs.push(3, 10);
        runs.push(2, 1);
        let mut cursor = runs.cursor();
        assert_eq!(cursor.advance(2), 20);
        assert_eq!(cursor.advance(2), 11);
        assert_eq!(cursor.advance(9), 1);
        assert_eq!(cursor.advance(1), 0);
    }
}
