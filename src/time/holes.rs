//! [`Hole`]: a time in which one track has no frames while the other goes on.

use crate::time::continuity::Span;
use crate::time::input::Sound;
use crate::time::units::Nanos;

/// A time without frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hole {
    pub(crate) at: Nanos,
    pub(crate) duration: Nanos,
}

/// Cameras vary their frame rate with light and motion. A hole inside a fragment is not shorter than this.
const LEAST_INSIDE: Nanos = Nanos::from_secs(1);

/// The longest hole between pictures at `times`, which do not decrease, if there is sound in it.
pub(crate) fn inside(times: &[Nanos], span: Span, tick: Nanos, sound: Sound<'_>) -> Option<Hole> {
    let frame = span.frame;
    if span.longest_step - frame <= frame.max(tick).max(LEAST_INSIDE) {
        return None;
    }
    let steps = times.iter().zip(times.iter().skip(1));
    let (&before, &after) = steps.max_by_key(|(a, b)| **b - **a)?;
    let hole = Hole { at: before + frame, duration: after - before - frame };
    sound.times().flatten().any(|time| hole.at < time && time < after).then_some(hole)
}
