//! [`IncompleteInput`]: what becomes of fragments that are not whole.

use crate::named::named;

/// What happens to fragments that are not whole: where the input ends inside one or another document begins, where bytes
/// cannot be read, where a frame cannot be parsed, and where the service wrote an error instead of media.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum IncompleteInput {
    /// Everything that is whole is taken, and the report names what is missing and where.
    #[default]
    Keep,
    /// The clip is refused, with the error that the service would give: [`ErrorKind::Truncated`], `Malformed`,
    /// `NotMatroska`, `InvalidMediaFrame` or `Service`.
    ///
    /// [`ErrorKind::Truncated`]: crate::ErrorKind::Truncated
    Refuse,
}

named!(IncompleteInput, "what happens to incomplete input", { Keep => "keep", Refuse => "refuse" });
