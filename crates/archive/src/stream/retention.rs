//! [`Retention`]: how long a stream keeps its fragments.

use std::num::NonZeroU32;

use getclip::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Time for which fragments are kept, counted from their server timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retention {
    /// Nothing is archived: `DataRetentionInHours` 0, the service's default.
    None,
    /// Hours, 1 to 87,600.
    Hours(NonZeroU32),
    /// Fragments are never dropped. The service has no such value.
    Forever,
}

impl Retention {
    /// The service's maximum: ten years.
    pub const MAX_HOURS: u32 = 87_600;

    /// Retention of `DataRetentionInHours`.
    ///
    /// # Errors
    /// [`Error::InvalidRetention`] for more than [`Retention::MAX_HOURS`].
    pub fn from_hours(hours: u32) -> Result<Self, Error> {
        if hours > Self::MAX_HOURS {
            return Err(Error::InvalidRetention { hours: hours.into() });
        }
        Ok(NonZeroU32::new(hours).map_or(Self::None, Self::Hours))
    }

    /// `DataRetentionInHours`: the maximum if fragments are kept forever.
    pub fn hours(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Hours(hours) => hours.get(),
            Self::Forever => Self::MAX_HOURS,
        }
    }

    /// The earliest server timestamp that is kept at the time `now`, or `None` if all are.
    pub(crate) fn since(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::None => Some(now),
            Self::Hours(hours) => Some(now.saturating_add_millis(-i64::from(hours.get()) * 3_600_000)),
            Self::Forever => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_in_hours() {
        let now = Timestamp::from_millis(10_000_000);
        assert_eq!(Retention::from_hours(0).unwrap(), Retention::None);
        assert_eq!(Retention::from_hours(1).unwrap().since(now), Some(Timestamp::from_millis(6_400_000)));
        assert_eq!(Retention::from_hours(87_600).unwrap().hours(), 87_600);
        assert!(matches!(Retention::from_hours(87_601), Err(Error::InvalidRetention { hours: 87_601 })));
        assert_eq!(Retention::Forever.since(now), None);
        assert_eq!(Retention::Forever.hours(), 87_600);
    }
}
