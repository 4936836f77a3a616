//! What stands around Clusters: EBML headers, Segments, and their other children.

use bytes::BytesMut;

use crate::damage::{Damage, too_large};
use crate::error::{Error, ErrorKind};
use crate::fragment::cluster::{MAX_CLUSTER, OpenCluster};
use crate::fragment::plausible::{Hidden, Lookahead, MAX_EBML_HEADER, Verdict};
use crate::fragment::reader::{AfterSkip, FragmentReader, InputState, Level, Skip, Step};
use crate::fragment::search::{Search, Why};
use crate::fragment::signature::{SIGNATURE, check_signature};
use crate::incomplete::{Incomplete, IncompleteElement};
use crate::index::FragmentState;
use crate::index::table_builder::TableBuilder;
use crate::matroska::ebml::invalid_element;
use crate::matroska::{Cursor, ElementHeader, HeaderRead, ids};
use crate::selector::ClipFragmentSelectorType;
use crate::tags::FragmentTags;

/// Three codec private data of 1 MiB and some tags are the most that the service takes.
const MAX_METADATA: u64 = 16 << 20;

/// An element that is not known is held until it is certain that it is one, if it is no larger than this.
const MAX_UNFAMILIAR: u64 = 1 << 20;

impl FragmentReader {
    pub(super) fn step_in_segment(&mut self) -> Result<Step, Error> {
        let offset = self.window.offset();
        if self.level == (Level::Segment { end: Some(offset) }) {
            self.end_document();
        }
        let bytes = self.window.bytes();
        if bytes.is_empty() {
            return Ok(Step::NeedsInput);
        }
        if self.level == Level::Top {
            if bytes.len() < SIGNATURE && self.input == InputState::Open {
                return Ok(Step::NeedsInput);
            }
            if let Err(other) = check_signature(bytes) {
                let error = other.error.at(offset);
                if other.is_other_file && !self.has_document {
                    return Err(error);
                }
                return Ok(self.search(Search::misplaced(error, offset)));
            }
        }
        let header = match ElementHeader::read(bytes) {
            HeaderRead::Header(header) => header,
            HeaderRead::Incomplete => return Ok(Step::NeedsInput),
            HeaderRead::Invalid { len } => return Ok(self.misfit(invalid_element(bytes, len), None)),
        };
        Ok(match (self.level, header.id) {
            (_, ids::EBML) => self.ebml_header(header),
            (_, ids::VOID) => self.pass_over(header, IncompleteElement::Void),
            (Level::Top, id) => {
                let error = Error::malformed("an EBML header after the Segment", ids::name(id));
                self.search(Search::misplaced(error, offset))
            }
            (Level::Document | Level::Segment { .. }, ids::SEGMENT) => {
                if self.level != Level::Document {
                    self.end_document();
                    self.begin_document();
                }
                let start = offset.saturating_add(u64::from(header.len));
                self.level = Level::Segment { end: header.size.map(|size| start.saturating_add(size)) };
                self.window.discard(u64::from(header.len));
                Step::Forward
            }
            (Level::Document, id) => {
                let error = Error::malformed("a Segment after the EBML header", ids::name(id));
                self.search(Search::misplaced(error, offset))
            }
            (Level::Segment { end }, id) => {
                let element_end =
                    header.size.and_then(|size| offset.checked_add(u64::from(header.len))?.checked_add(size));
                if let (Some(end), Some(element_end)) = (end, element_end)
                    && element_end > end
                {
                    let expected = format!("{} inside its Segment, which ends at byte {end}", ids::name(id));
                    let error = Error::malformed(expected, format!("its end at byte {element_end}"));
                    self.search(Search::misplaced(error, offset))
                } else {
                    self.child_of_segment(header)
                }
            }
        })
    }

    fn child_of_segment(&mut self, header: ElementHeader) -> Step {
        match header.id {
            ids::CLUSTER => self.open_cluster(header),
            ids::TAGS if self.is_live && self.document.has_cluster => {
                self.pass_over(header, IncompleteElement::Other)
            }
            ids::INFO | ids::TRACKS | ids::TAGS => self.metadata(header),
            id if ids::is_child_of_segment(id) => self.pass_over(header, IncompleteElement::Other),
            _ => self.pass_over_unfamiliar(header),
        }
    }

    fn open_cluster(&mut self, mut header: ElementHeader) -> Step {
        // Each Cluster has a Timestamp.
        let is_wrong = |&size: &u64| size == 0 || size > MAX_CLUSTER;
        if let Some(size) = header.size.filter(is_wrong) {
            let error = if size == 0 {
                Error::malformed("a Cluster with a Timestamp", "a Cluster of no bytes")
            } else {
                ErrorKind::TooLarge { what: too_large::CLUSTER, found: size, limit: MAX_CLUSTER }.into()
            };
            let offset = self.window.offset();
            let start = offset.saturating_add(header.len.into());
            match self.lookahead().starts_cluster(start) {
                Verdict::Unknown => return Step::NeedsInput,
                Verdict::No => return self.misfit(error, (size == 0).then_some(start)),
                // Only the size is wrong.
                Verdict::Yes => {
                    self.push_damage(&error, offset, 0);
                    header.size = None;
                }
            }
        }
        self.yield_unnamed();
        self.document.enter_cluster(&mut self.last_document);
        let tags = std::mem::take(&mut self.tags);
        if let Some(size) = header.size.filter(|_| self.is_out_of_range(&tags)) {
            return self.pass_over_cluster(header, size, tags);
        }
        let table = TableBuilder::new(std::mem::take(&mut self.capacity));
        self.cluster = Some(OpenCluster::new(header, self.window.offset(), tags, table));
        Step::Forward
    }

    /// Goes on with the children of a Cluster whose header could not be read.
    pub(super) fn open_implied_cluster(&mut self, at: u64) {
        self.yield_unnamed();
        self.document.is_damaged = true;
        self.document.enter_cluster(&mut self.last_document);
        let table = TableBuilder::new(std::mem::take(&mut self.capacity));
        self.cluster = Some(OpenCluster::implied(at, std::mem::take(&mut self.tags), table));
    }

    /// Whether tags alone tell that the selector does not take their fragment.
    fn is_out_of_range(&self, tags: &FragmentTags) -> bool {
        let Some(selector) = self.selector else { return false };
        let time = match selector.selector_type() {
            ClipFragmentSelectorType::ProducerTimestamp => tags.producer_timestamp,
            ClipFragmentSelectorType::ServerTimestamp => tags.server_timestamp,
        };
        time.is_some_and(|time| !selector.contains(time))
    }

    fn pass_over_cluster(&mut self, header: ElementHeader, size: u64, tags: FragmentTags) -> Step {
        let bytes = size.saturating_add(u64::from(header.len));
        let passed_over = self.fragment_without_frames(tags, FragmentState::PassedOver, bytes);
        let then = AfterSkip::PassedOver(Box::new(passed_over));
        self.skip = Some(Skip { bytes, element: IncompleteElement::Cluster, then });
        Step::Forward
    }

    fn ebml_header(&mut self, header: ElementHeader) -> Step {
        let Some(size) = header.size else { return self.unknown_size(header) };
        if size > MAX_EBML_HEADER {
            let found = format!("one of {size} bytes");
            let expected = format!("an EBML header of at most {MAX_EBML_HEADER} bytes");
            return self.misfit(Error::malformed(expected, found), None);
        }
        self.end_document();
        self.begin_document();
        let bytes = size.saturating_add(u64::from(header.len));
        let then = AfterSkip::EbmlHeader(BytesMut::new());
        self.skip = Some(Skip { bytes, element: IncompleteElement::EbmlHeader, then });
        Step::Forward
    }

    /// Reads a small element once it is here as a whole.
    fn metadata(&mut self, header: ElementHeader) -> Step {
        let offset = self.window.offset();
        let Some(size) = header.size else { return self.unknown_size(header) };
        if size > MAX_METADATA {
            let kind = ErrorKind::TooLarge { what: too_large::METADATA, found: size, limit: MAX_METADATA };
            return self.misfit(kind.into(), None);
        }
        let header_len = usize::from(header.len);
        let len = u64::from(header.len).saturating_add(size);
        let Some(element) = self.window.bytes().get(..len as usize) else { return Step::NeedsInput };
        if self.document.has(header.id) && !self.document.has_cluster {
            // The end of the first one and the header of another document were lost in it.
            let error = Error::malformed(format!("one {}", ids::name(header.id)), "another one");
            Damage::push(&mut self.damages, Damage::of(&error, offset, 0));
            self.level = Level::Segment { end: None };
        }
        let payload = element.get(header_len..).unwrap_or_default();
        let payload = Cursor::new(payload, offset.saturating_add(u64::from(header.len)));
        let read = match header.id {
            ids::INFO => self.document.read_info(&self.last_document, element, payload),
            ids::TRACKS => self.document.read_tracks(&mut self.last_document, element, payload),
            _ => self.tags.read(payload),
        };
        match read {
            Ok(()) => {
                self.window.discard(len);
                Step::Forward
            }
            Err(error) => self.misfit(error, Some(offset.saturating_add(len))),
        }
    }

    /// Passes over an element without a meaning here.
    fn pass_over(&mut self, header: ElementHeader, element: IncompleteElement) -> Step {
        let Some(size) = header.size else { return self.unknown_size(header) };
        let bytes = size.saturating_add(u64::from(header.len));
        self.skip = Some(Skip { bytes, element, then: AfterSkip::Nothing });
        Step::Forward
    }

    /// Passes over an element that is not known, if what follows it fits.
    fn pass_over_unfamiliar(&mut self, header: ElementHeader) -> Step {
        let offset = self.window.offset();
        let Some(size) = header.size else { return self.unknown_size(header) };
        let error = Error::malformed("a child of the Segment", ids::name(header.id)).at(offset);
        let len = size.saturating_add(u64::from(header.len));
        if len > MAX_UNFAMILIAR {
            return self.misfit(error, None);
        }
        let end = offset.saturating_add(len);
        self.search(Search::outside(Why::Unfamiliar(error), offset, Some(end)))
    }

    fn unknown_size(&mut self, header: ElementHeader) -> Step {
        let found = format!("unknown size in {}", ids::name(header.id));
        self.misfit(Error::malformed("unknown size in Segments and Clusters only", found), None)
    }

    pub(super) fn begin_document(&mut self) {
        self.document = Default::default();
        self.document_offset = self.window.offset();
        self.level = Level::Document;
        self.has_document = true;
    }

    /// Reads on in an element that is passed over.
    pub(super) fn step_in_skip(&mut self) -> Step {
        let Some(skip) = &mut self.skip else { return Step::Forward };
        let skipped = match &mut skip.then {
            AfterSkip::EbmlHeader(kept) => {
                let bytes = self.window.split(usize::try_from(skip.bytes).unwrap_or(usize::MAX));
                kept.extend_from_slice(&bytes);
                bytes.len() as u64
            }
            AfterSkip::PassedOver(_) => return self.step_in_passed_over(),
            AfterSkip::Nothing => self.window.discard(skip.bytes),
        };
        skip.bytes = skip.bytes.saturating_sub(skipped);
        if skip.bytes > 0 {
            return Step::NeedsInput;
        }
        match self.skip.take().map(|skip| skip.then) {
            Some(AfterSkip::EbmlHeader(kept)) => self.document.ebml = kept.freeze(),
            Some(AfterSkip::PassedOver(_) | AfterSkip::Nothing) | None => {}
        }
        Step::Forward
    }

    /// Reads on in a Cluster that is passed over. It may have been cut off, with another document appended: that is so
    /// where one begins in it and goes on beyond its end.
    fn step_in_passed_over(&mut self) -> Step {
        let Some(skip) = &mut self.skip else { return Step::Forward };
        let look = Lookahead::new(self.window.bytes(), self.window.offset(), self.input != InputState::Open);
        let end = look.start().saturating_add(skip.bytes);
        let after = match look.after_child_of_segment(end) {
            _ if look.is_final() && look.end() < end => Verdict::No,
            after => after,
        };
        // What looks like a child of the Segment may be one of the document that was appended.
        let is_whole = after == Verdict::Yes && look.ends_document(end);
        let hidden = if is_whole {
            Hidden::None
        } else {
            look.hidden_document(&self.finder, look.start(), end, |_| Some(end))
        };
        let passed_over = match (hidden, after) {
            (Hidden::None, _) => end,
            (Hidden::Unknown(at), _) | (Hidden::At(at), Verdict::Unknown) => at,
            (Hidden::At(at), Verdict::Yes | Verdict::No) => return self.cut_passed_over(at, end),
        };
        skip.bytes = skip.bytes.saturating_sub(self.window.discard(passed_over.saturating_sub(look.start())));
        if skip.bytes > 0 {
            return Step::NeedsInput;
        }
        if let Some(Skip { then: AfterSkip::PassedOver(fragment), .. }) = self.skip.take() {
            self.ready.push_back(Ok(*fragment));
        }
        Step::Forward
    }

    /// Ends a Cluster that is passed over where another document begins.
    fn cut_passed_over(&mut self, at: u64, end: u64) -> Step {
        if let Some(Skip { then: AfterSkip::PassedOver(mut fragment), element, .. }) = self.skip.take() {
            let missing_bytes = end.checked_sub(at);
            let incomplete = Incomplete { offset: at, element, missing_bytes };
            fragment.index.state = FragmentState::Incomplete(incomplete);
            self.ready.push_back(Ok(*fragment));
        }
        self.discard_to(at);
        self.forget_segment_end();
        Step::Forward
    }
}
