//! What a decoder goes by: for each picture the parameter sets that are in force, by their ids, as ISO/IEC 14496-10 section
//! 7.4.1.2.1 and ISO/IEC 23008-2 section 7.4.2.4.2 activate them.

use std::collections::BTreeMap;

use crate::nal::{BitReader, Codec, rbsp};

/// The parameter sets that a decoder holds: by type and id, the last one given.
#[derive(Debug, Clone)]
pub struct Decoder {
    codec: Codec,
    sets: BTreeMap<(Set, u32), Vec<u8>>,
}

/// The parameter sets that one picture is decoded with, whole NAL units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// Sequence parameter set.
    pub sps: Vec<u8>,
    /// Picture parameter set.
    pub pps: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Set {
    Sps,
    Pps,
}

impl Decoder {
    /// A decoder that has been given an AVC or HEVC decoder configuration record (ISO/IEC 14496-15).
    pub fn new(codec: Codec, record: &[u8]) -> Self {
        let mut decoder = Self { codec, sets: BTreeMap::new() };
        for nal in record_nals(codec, record) {
            decoder.parameter_set(nal);
        }
        decoder
    }

    /// Decodes the NAL units of a sample: takes its parameter sets, and returns those of its first slice; `None` for a
    /// sample without a slice. It panics where a slice names a set that was never given.
    pub fn sample(&mut self, nals: &[&[u8]]) -> Option<InForce> {
        let mut in_force = None;
        let codec = self.codec;
        for nal in nals.iter().filter(|nal| codec.layer(nal) == 0) {
            self.parameter_set(nal);
            if in_force.is_none() {
                in_force = slice_pps_id(self.codec, nal).map(|id| self.of_picture(id));
            }
        }
        in_force
    }

    fn of_picture(&self, pps_id: u32) -> InForce {
        let given = |set, id| self.sets.get(&(set, id)).unwrap_or_else(|| panic!("no {set:?} {id}"));
        let pps = given(Set::Pps, pps_id);
        let sps = given(Set::Sps, sps_id_of_pps(self.codec, pps));
        InForce { sps: sps.clone(), pps: pps.clone() }
    }

    fn parameter_set(&mut self, nal: &[u8]) {
        let (set, id) = match (self.codec, self.codec.nal_type(nal)) {
            (Codec::Avc, 7) => (Set::Sps, BitReader::new(&rbsp(&nal[4..])).ue()),
            (Codec::Avc, 8) => (Set::Pps, BitReader::new(&rbsp(&nal[1..])).ue()),
            (Codec::Hevc, 33) => (Set::Sps, hevc_sps_id(nal)),
            (Codec::Hevc, 34) => (Set::Pps, BitReader::new(&rbsp(&nal[2..])).ue()),
            _ => return,
        };
        self.sets.insert((set, id), nal.to_vec());
    }
}

/// `sps_seq_parameter_set_id` of H.265, after a profile_tier_level without sublayers of 96 bits.
fn hevc_sps_id(nal: &[u8]) -> u32 {
    let payload = rbsp(&nal[2..]);
    assert_eq!(payload[0] >> 1 & 7, 0, "sps_max_sub_layers_minus1");
    BitReader::new(&payload[13..]).ue()
}

fn sps_id_of_pps(codec: Codec, pps: &[u8]) -> u32 {
    let payload = match codec {
        Codec::Avc => rbsp(&pps[1..]),
        Codec::Hevc => rbsp(&pps[2..]),
    };
    let mut bits = BitReader::new(&payload);
    bits.ue();
    bits.ue()
}

/// The PPS that a slice names; `None` for a NAL unit that is no slice.
fn slice_pps_id(codec: Codec, nal: &[u8]) -> Option<u32> {
    let nal_type = codec.nal_type(nal);
    // A slice header's first fields are within 24 bytes.
    let payload = rbsp(&nal[..nal.len().min(24)]);
    match codec {
        Codec::Avc if (1..=5).contains(&nal_type) => {
            let mut bits = BitReader::new(&payload[1..]);
            bits.ue(); // first_mb_in_slice
            bits.ue(); // slice_type
            Some(bits.ue())
        }
        Codec::Hevc if nal_type <= 31 => {
            let mut bits = BitReader::new(&payload[2..]);
            bits.bits(1); // first_slice_segment_in_pic_flag
            if (16..=23).contains(&nal_type) {
                bits.bits(1); // no_output_of_prior_pics_flag
            }
            Some(bits.ue())
        }
        _ => None,
    }
}

/// The parameter sets of a decoder configuration record, in order.
pub fn record_nals(codec: Codec, record: &[u8]) -> Vec<&[u8]> {
    let mut nals = Vec::new();
    let mut at;
    let mut take = |at: &mut usize, count: u16| {
        for _ in 0..count {
            let length = usize::from(u16::from_be_bytes([record[*at], record[*at + 1]]));
            nals.push(&record[*at + 2..*at + 2 + length]);
            *at += 2 + length;
        }
    };
    match codec {
        Codec::Avc => {
            at = 6;
            take(&mut at, u16::from(record[5] & 0x1F));
            let pps_count = record[at];
            at += 1;
            take(&mut at, pps_count.into());
        }
        Codec::Hevc => {
            at = 23;
            for _ in 0..record[22] {
                let count = u16::from_be_bytes([record[at + 1], record[at + 2]]);
                at += 3;
                take(&mut at, count);
            }
        }
    }
    nals
}
