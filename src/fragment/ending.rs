//! The ends of Clusters, documents and the input, where fragments come out.

use bytes::Bytes;

use crate::damage::{Damage, DamageFault};
use crate::fragment::Fragment;
use crate::fragment::cluster::OpenCluster;
use crate::fragment::reader::{AfterSkip, FragmentReader, InputState, Level};
use crate::incomplete::{Incomplete, IncompleteElement};
use crate::index::frame_table::FrameTable;
use crate::index::{FragmentIndex, FragmentState};
use crate::matroska::{ElementHeader, HeaderRead};
use crate::tags::FragmentTags;
use crate::timestamp::Timestamp;

impl FragmentReader {
    /// Nothing more can belong to the fragments of this document.
    pub(super) fn end_document(&mut self) {
        self.name_unnamed();
        self.yield_unnamed();
        let offset = self.window.offset();
        let is_error = |damage: &Damage| matches!(damage.fault, DamageFault::Service { .. });
        if self.damages.iter().any(is_error) {
            self.yield_absent();
        } else if let Level::Segment { end: Some(end) } = self.level
            && end > offset
            && self.document.has_cluster
        {
            let (element, missing_bytes) = (IncompleteElement::Segment, end.checked_sub(offset));
            self.yield_remnant(Incomplete { offset, element, missing_bytes });
        } else if self.level != Level::Top && (!self.document.has_cluster || self.tags.is_identity()) {
            let element = IncompleteElement::Document;
            self.yield_remnant(Incomplete { offset, element, missing_bytes: None });
        }
        self.tags = FragmentTags::default();
        self.level = Level::Top;
    }

    pub(super) fn close_cluster(&mut self, incomplete: Option<Incomplete>) {
        let Some(mut cluster) = self.cluster.take() else { return };
        self.set_clock(&mut cluster);
        let position = self.next_position();
        let header = self.document.header(&mut self.last_document);
        let media = if self.keeps_media {
            let kept = self.window.split(cluster.kept_len());
            match cluster.implied_header() {
                [] => kept,
                header => [header, &kept].concat().into(),
            }
        } else {
            self.window.discard(cluster.kept_len() as u64);
            Bytes::new()
        };
        self.capacity = cluster.capacity_hint();
        let damages = std::mem::take(&mut self.damages);
        let fragment = cluster.into_fragment(media, header, &self.document, position, incomplete, damages);
        let fragment = fragment.in_document_at(self.document_offset);
        if self.is_live || fragment.index().tags.is_identity() {
            self.ready.push_back(Ok(fragment));
        } else {
            self.unnamed = Some(fragment);
        }
    }

    /// Remembers how the producer's clock and that of Clusters go together, and gives a fragment whose tags could not be
    /// read the time that this makes likely. Clusters may count from the start of the session.
    fn set_clock(&mut self, cluster: &mut OpenCluster) {
        let Some(cluster_ns) = cluster.timestamp_ns(self.document.timestamp_scale_ns) else { return };
        let cluster_ms = cluster_ns / 1_000_000;
        match (cluster.producer_timestamp(), self.clock_ms) {
            (Some(time), _) => self.clock_ms = time.as_millis().checked_sub(cluster_ms),
            (None, Some(clock_ms)) if self.document.has_damaged_tags => {
                let time_ms = clock_ms.saturating_add(cluster_ms);
                cluster.set_producer_timestamp(Timestamp::from_millis(time_ms));
            }
            (None, _) => {}
        }
        self.document.has_damaged_tags = false;
    }

    /// Gives the fragment that nothing names yet the tags that were found after it.
    pub(super) fn name_unnamed(&mut self) {
        if let Some(unnamed) = &mut self.unnamed {
            unnamed.index.tags = std::mem::take(&mut self.tags);
        }
    }

    pub(super) fn yield_unnamed(&mut self) {
        self.ready.extend(self.unnamed.take().map(Ok));
    }

    /// Yields what is left of a document that ended before a Cluster.
    pub(super) fn yield_remnant(&mut self, incomplete: Incomplete) {
        let tags = std::mem::take(&mut self.tags);
        let remnant = self.fragment_without_frames(tags, FragmentState::Incomplete(incomplete), 0);
        self.ready.push_back(Ok(remnant));
    }

    pub(super) fn fragment_without_frames(
        &mut self,
        tags: FragmentTags,
        state: FragmentState,
        media_len: u64,
    ) -> Fragment {
        let index = FragmentIndex {
            tags,
            tracks: self.document.tracks.set.clone(),
            timestamp_scale_ns: self.document.timestamp_scale_ns,
            cluster_timestamp: 0,
            frames: FrameTable::default(),
            media_len,
            offset: self.window.offset(),
            position: self.next_position(),
            state,
            damages: std::mem::take(&mut self.damages),
        };
        Fragment::new(index, Bytes::new(), self.document.header(&mut self.last_document))
            .in_document_at(self.document_offset)
    }

    pub(super) fn next_position(&mut self) -> u64 {
        let position = self.fragments;
        self.fragments = position.saturating_add(1);
        position
    }

    /// Yields damage that no fragment follows.
    fn yield_absent(&mut self) {
        let absent = self.fragment_without_frames(FragmentTags::default(), FragmentState::Absent, 0);
        self.ready.push_back(Ok(absent));
    }

    /// Says what is missing where the input ended outside of a Cluster, and that nothing follows.
    pub(super) fn end_of_input(&mut self) {
        self.input = InputState::Done;
        self.end_last_document();
        if !self.damages.is_empty() {
            self.yield_absent();
        }
    }

    fn end_last_document(&mut self) {
        let bytes = self.window.bytes();
        let offset = self.window.offset().saturating_add(bytes.len() as u64);
        if let Some(skip) = self.skip.take() {
            let incomplete = Incomplete { offset, element: skip.element, missing_bytes: Some(skip.bytes) };
            if let AfterSkip::PassedOver(mut passed_over) = skip.then {
                passed_over.index.state = FragmentState::Incomplete(incomplete);
                self.ready.push_back(Ok(*passed_over));
                self.end_document();
            } else {
                self.end_with_remnant(incomplete);
            }
            return;
        }
        if bytes.is_empty() {
            self.end_document();
            return;
        }
        let missing_bytes = match ElementHeader::read(bytes) {
            HeaderRead::Header(header) => header
                .size
                .and_then(|size| size.checked_add(u64::from(header.len))?.checked_sub(bytes.len() as u64)),
            HeaderRead::Incomplete | HeaderRead::Invalid { .. } => None,
        };
        let element = IncompleteElement::Header;
        self.end_with_remnant(Incomplete { offset, element, missing_bytes });
    }

    pub(super) fn end_with_remnant(&mut self, incomplete: Incomplete) {
        self.name_unnamed();
        self.yield_unnamed();
        self.yield_remnant(incomplete);
    }
}
