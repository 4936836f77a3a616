//! What a fragment occupies on one track.

/// The frames of a fragment on one track, from the fragment's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first_ns: i64,
    pub(crate) last_ns: i64,
    /// How long a sample lasts.
    pub(crate) sample_ns: i64,
    /// Nothing tells how long: it is the only frame so far.
    pub(crate) is_guess: bool,
}
