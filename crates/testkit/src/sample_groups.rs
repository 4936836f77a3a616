//! Sample groups (ISO/IEC 14496-12 section 8.9): which samples are in which group, and what the group says of them.

use crate::boxes::{BoxView, FourCc};

/// All groups of one `grouping_type`, from an `sgpd` and its `sbgp`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleGroup {
    /// Such as `roll` or `rap `.
    pub grouping_type: FourCc,
    /// Payload of each entry of the `sgpd`.
    pub entries: Vec<Vec<u8>>,
    /// For each sample the place of its entry, counted from 0; `None` for a sample in no group.
    pub of_samples: Vec<Option<usize>>,
}

impl SampleGroup {
    /// Reads the groups of an `stbl`. Every `sgpd` has its `sbgp`, and every `sbgp` its `sgpd`.
    pub(crate) fn all(stbl: &BoxView<'_>, sample_count: usize) -> Vec<Self> {
        let children = stbl.children();
        let named = |fourcc: &str| -> Vec<&BoxView<'_>> {
            children.iter().filter(|child| child.fourcc == fourcc).collect()
        };
        let mut descriptions: Vec<_> = named("sgpd").into_iter().map(descriptions).collect();
        let mut groups = Vec::new();
        for sbgp in named("sbgp") {
            let (grouping_type, runs) = sample_to_group(sbgp);
            let place = descriptions.iter().position(|(other, _)| *other == grouping_type);
            let place = place.unwrap_or_else(|| panic!("{sbgp}: no sgpd for {grouping_type:?}"));
            let (_, entries) = descriptions.remove(place);
            let mut of_samples = Vec::new();
            for (count, index) in runs {
                // 0 is "in no group of this type"; what is above 65535 is in fragments only.
                let entry = (index as usize).checked_sub(1);
                assert!(entry.is_none_or(|entry| entry < entries.len()), "{sbgp}: index {index}");
                of_samples.extend(std::iter::repeat_n(entry, count as usize));
            }
            assert!(of_samples.len() <= sample_count, "{sbgp}: more samples than in stsz");
            of_samples.resize(sample_count, None);
            groups.push(Self { grouping_type, entries, of_samples });
        }
        assert!(descriptions.is_empty(), "{stbl}: sgpd without sbgp: {descriptions:?}");
        groups
    }
}

/// SampleGroupDescriptionBox, section 8.9.3: grouping type and payload of each entry.
fn descriptions(sgpd: &BoxView<'_>) -> (FourCc, Vec<Vec<u8>>) {
    let (version, _, mut fields) = sgpd.full_box();
    let grouping_type = FourCc(fields.take(4).try_into().unwrap());
    assert!(version > 0, "{sgpd}: version 0 is deprecated, and its entries have no length");
    let default_length = if version == 1 { fields.u32() } else { 0 };
    if version > 1 {
        assert_eq!(fields.u32(), 0, "{sgpd}: default_group_description_index");
    }
    let count = fields.u32();
    let entries = (0..count).map(|_| {
        let length = match (version, default_length) {
            (1, 0) => fields.u32() as usize,
            (1, length) => length as usize,
            _ => fields.rest().len() / count as usize,
        };
        fields.take(length).to_vec()
    });
    let entries = entries.collect();
    fields.end();
    (grouping_type, entries)
}

/// SampleToGroupBox, section 8.9.2: grouping type and runs of `(sample_count, group_description_index)`.
fn sample_to_group(sbgp: &BoxView<'_>) -> (FourCc, Vec<(u32, u32)>) {
    let (version, _, mut fields) = sbgp.full_box();
    let grouping_type = FourCc(fields.take(4).try_into().unwrap());
    if version == 1 {
        fields.u32(); // grouping_type_parameter
    }
    let runs = (0..fields.u32()).map(|_| (fields.u32(), fields.u32())).collect();
    fields.end();
    (grouping_type, runs)
}
