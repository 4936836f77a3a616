//! Joins the NAL units of an input's blocks to access units, as each must be one sample.

use crate::frames::Frame;
use crate::nal::{self, Codec, Kind};
use crate::recording::Recording;

/// How the NAL units of a track are framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Behind 4-byte lengths.
    Lengths,
    /// Behind start codes.
    AnnexB,
}

/// A picture with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessUnit {
    /// Fragment of the picture, counted from 0.
    pub fragment: usize,
    /// Time of the block in which the picture begins, from the earliest block of the recording on.
    pub time_ns: i128,
    /// The NAL units in order.
    pub nals: Vec<Vec<u8>>,
    /// The codec of the NAL units.
    pub codec: Codec,
}

impl AccessUnit {
    /// Leaves out the NAL units of parameter sets.
    pub fn without_parameter_sets(mut self) -> Self {
        let codec = self.codec;
        self.nals.retain(|nal| codec.kind(nal) != Kind::ParameterSet);
        self
    }

    /// The NAL units.
    pub fn nals(&self) -> Vec<&[u8]> {
        self.nals.iter().map(Vec::as_slice).collect()
    }

    /// Whether the picture is a sync sample.
    pub fn is_sync(&self) -> bool {
        self.codec.is_sync(&self.nals())
    }

    /// The sample on track 1 that it must become: NAL units behind 4-byte lengths.
    pub fn frame(&self) -> Frame {
        Frame {
            track: 1,
            time_ns: self.time_ns,
            key: Some(self.is_sync()),
            bytes: crate::media::length_prefixed(&self.nals()),
        }
    }
}

impl Recording {
    /// The access units of track 1. A block whose framing does not add up is left out; what stands before a picture at the
    /// end of a fragment and has none to follow is left out too.
    pub fn access_units(&self, framing: Framing) -> Vec<AccessUnit> {
        let codec = self.video_codec();
        let mut units: Vec<AccessUnit> = Vec::new();
        let mut before: Vec<Vec<u8>> = Vec::new();
        let mut fragment = 0;
        for stored in self.stored_frames().filter(|stored| stored.track == 1) {
            if stored.fragment != fragment {
                before.clear();
                fragment = stored.fragment;
            }
            let bytes = self.bytes_of(stored);
            let nals = match framing {
                Framing::Lengths => nal::length_prefixed(bytes),
                Framing::AnnexB => Some(nal::annexb(bytes)),
            };
            for nal in nals.into_iter().flatten() {
                match (codec.kind(nal), units.last_mut()) {
                    (Kind::Slice { is_first: false } | Kind::After, Some(unit)) if before.is_empty() => {
                        unit.nals.push(nal.to_vec());
                    }
                    (Kind::Slice { .. }, _) => {
                        let mut nals = std::mem::take(&mut before);
                        nals.push(nal.to_vec());
                        units.push(AccessUnit { fragment, time_ns: self.time_of(stored), nals, codec });
                    }
                    _ => before.push(nal.to_vec()),
                }
            }
        }
        units
    }
}

/// The samples that access units must become.
pub fn frames(units: &[AccessUnit]) -> Vec<Frame> {
    units.iter().map(AccessUnit::frame).collect()
}
