//! What the report says of a track that was laid out.

use crate::isobmff::sample_entry::{code, dimensions};
use crate::isobmff::track_layout::TrackLayout;
use crate::plan::SampleDescription;
use crate::report::{TrackDetails, TrackReport};

impl TrackLayout<'_> {
    /// What the report says of the track.
    pub(crate) fn report(&self) -> TrackReport {
        let track = self.run.track;
        let codes = self.entries.iter().map(|&(entry, in_band)| code(entry, in_band));
        let details = match track.descriptions.first() {
            Some(SampleDescription::Audio(config)) => TrackDetails::Audio {
                codec: config.codec(),
                sampling_rate: config.sampling_rate(),
                channels: config.channels(),
            },
            video => {
                let (width, height) = video.map_or((0, 0), dimensions);
                let sync_samples = self.random_access.sync_samples.len() as u64;
                TrackDetails::Video { codec: self.codec, width, height, sync_samples }
            }
        };
        TrackReport {
            number: track.number,
            sample_entries: codes.collect(),
            samples: self.samples.into(),
            bytes: self.bytes,
            details,
        }
    }
}
