//! [`FragmentTags`]: what the service says of a fragment.

use crate::number::FragmentNumber;
use crate::timestamp::Timestamp;

/// The identity of a fragment, from the tags `AWS_KINESISVIDEO_*`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FragmentTags {
    pub(crate) number: Option<FragmentNumber>,
    pub(crate) server_timestamp: Option<Timestamp>,
    pub(crate) producer_timestamp: Option<Timestamp>,
}

impl FragmentTags {
    /// Whether they identify a fragment. Those after a Cluster, such as `MILLIS_BEHIND_NOW`, do not.
    pub(crate) fn is_identity(&self) -> bool {
        *self != Self::default()
    }
}
