//! [`Incomplete`]: what is missing where the input ends before a fragment does.

use std::fmt;

/// Where the input, or the part of it that holds a fragment, ends before the fragment does.
///
/// The fragment has the whole frames before that place. One that ends before its first frame has no frames.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Incomplete {
    /// Byte offset of the end of the input, of the document that should have had a Cluster, or of the document that begins
    /// inside the fragment: a capture appended to one that was cut off.
    pub offset: u64,
    /// The element that is not whole, or is missing.
    pub element: IncompleteElement,
    /// How many bytes of it are missing, where its size is known.
    pub missing_bytes: Option<u64>,
}

/// What an [`Incomplete`] fragment lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum IncompleteElement {
    /// A block of a Cluster of unknown size.
    Block,
    /// A Cluster.
    Cluster,
    /// A Segment.
    Segment,
    /// The header of a document or fragment.
    Header,
    /// An EBML header.
    EbmlHeader,
    /// A Void element.
    Void,
    /// An element before or after the Clusters.
    Other,
    /// A document that has no Cluster.
    Document,
}

impl fmt::Display for IncompleteElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Block => "a block",
            Self::Cluster => "a Cluster",
            Self::Segment => "a Segment",
            Self::Header => "the header of a document or fragment",
            Self::EbmlHeader => "an EBML header",
            Self::Void => "a Void element",
            Self::Other => "an element before or after the Clusters",
            Self::Document => "a document without a Cluster",
        })
    }
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the input ends at byte {} inside {}", self.offset, self.element)?;
        match self.missing_bytes {
            Some(1) => f.write_str(", 1 byte short"),
            Some(missing) => write!(f, ", {missing} bytes short"),
            None => Ok(()),
        }
    }
}
