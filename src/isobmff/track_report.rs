//! What the report says of a track that was laid out.

use crate::codec::Codec;
use crate::isobmff::sample_entry::{code, dimensions};
use crate::isobmff::track_layout::TrackLayout;
use crate::plan::SampleDescription;
use crate::report::{TrackDetails, TrackReport};

impl TrackLayout<'_> {
    /// What the report says of the track.
    pub(crate) fn report(&self) -> TrackReport {
        let track = self.run.track;
        let codes = self.entries.iter().map(|&(entry, in_band)| code(entry, in_band));
        let first = track.descriptions.first();
        let details = match self.codec {
            Codec::Video(codec) => {
                let (width, height) = first.map_or((0, 0), dimensions);
                let sync_samples = self.random_access.sync_samples.len() as u64;
                TrackDetails::Video { codec, width, height, sync_samples }
            }
            Codec::Audio(codec) => {
                let (sampling_rate, channels) = match first {
                    Some(SampleDescription::Audio(config)) => (config.sampling_rate(), config.channels()),
                    _ => (0, 0),
                };
                TrackDetails::Audio { codec, sampling_rate, channels }
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
