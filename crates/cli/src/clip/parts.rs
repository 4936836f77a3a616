//! `--parts`: as many clips as a range needs.
//!
//! Parts are planned over all fragments that are held. Of files these are all, which costs nothing: they are mapped. A
//! pipe is written as it comes, as long as its fragments come in order: when twice a clip's worth is held, all parts but
//! the last are written, whose fragments stay.

use bytes::Bytes;
use getclip::{ClipBuilder, ErrorKind, Fragment};

use crate::args::ClipArguments;
use crate::clip::pattern::Pattern;
use crate::failure::Failure;
use crate::output::Output;
use crate::recording::{BuildError, Recording};
use crate::report::Written;

/// The parts, and what they are made of.
pub(super) struct Parts<'a> {
    arguments: &'a ClipArguments,
    pattern: Pattern,
    builder: ClipBuilder,
    /// What becomes of a part once it is written.
    on_written: &'a mut dyn FnMut(&Written),
    held: Vec<Fragment>,
    held_bytes: u64,
    pub(super) written: Vec<Written>,
    /// Fragments that were offered and start outside the range.
    pub(super) out_of_range: u64,
    pub(super) offered: u64,
}

impl<'a> Parts<'a> {
    pub(super) fn new(
        arguments: &'a ClipArguments,
        builder: ClipBuilder,
        on_written: &'a mut dyn FnMut(&Written),
    ) -> Result<Self, Failure> {
        Ok(Self {
            arguments,
            pattern: Pattern::parse(&arguments.output).map_err(Failure::usage)?,
            builder,
            on_written,
            held: Vec::new(),
            held_bytes: 0,
            written: Vec::new(),
            out_of_range: 0,
            offered: 0,
        })
    }

    /// Reads the recording to its end and writes all parts.
    pub(super) fn write(&mut self, recording: &mut Recording<'_>) -> Result<(), BuildError> {
        while let Some(fragment) = recording.next().transpose()? {
            self.offered = self.offered.saturating_add(1);
            self.held_bytes = self.held_bytes.saturating_add(fragment.index().media_len());
            self.held.push(fragment);
            if self.is_full() && recording.comes_in_order() {
                match self.write_held(recording, false) {
                    // Nothing of what was held is in the range: nothing of it will be.
                    Err(BuildError::Library(error))
                        if matches!(error.kind(), ErrorKind::NoFragments { .. }) =>
                    {
                        self.out_of_range = self.out_of_range.saturating_add(self.held.len() as u64);
                        self.hold(Vec::new());
                    }
                    other => other?,
                }
            }
        }
        match self.write_held(recording, true) {
            Err(BuildError::Library(error))
                if matches!(error.kind(), ErrorKind::NoFragments { .. }) && !self.written.is_empty() =>
            {
                self.out_of_range = self.out_of_range.saturating_add(self.held.len() as u64);
                Ok(())
            }
            other => other,
        }
    }

    /// Whether twice a clip's worth is held.
    fn is_full(&self) -> bool {
        let limits = self.arguments.limits();
        let bytes = limits.max_bytes.get().saturating_mul(2);
        self.held.len() > limits.max_fragments.get().saturating_mul(2) || self.held_bytes > bytes
    }

    fn hold(&mut self, fragments: Vec<Fragment>) {
        self.held_bytes = fragments.iter().map(|fragment| fragment.index().media_len()).sum();
        self.held = fragments;
    }

    /// Writes the parts of what is held, without the last unless that is `all` there is.
    fn write_held(&mut self, recording: &Recording<'_>, all: bool) -> Result<(), BuildError> {
        let mut planner = self.builder.parts_planner();
        for fragment in &self.held {
            planner.offer(fragment.index().clone())?;
        }
        let mut parts = planner.finish()?.peekable();
        let mut is_first = true;
        while let Some(part) = parts.next() {
            let plan = part?;
            if std::mem::take(&mut is_first) {
                self.out_of_range = self.out_of_range.saturating_add(plan.report().out_of_range);
            }
            if parts.peek().is_none() && !all {
                let last = plan.fragments();
                let held = std::mem::take(&mut self.held).into_iter().enumerate();
                let stay = held.filter(|(place, _)| last.contains(place)).map(|(_, fragment)| fragment);
                self.hold(stay.collect());
                break;
            }
            let media: Vec<Bytes> = plan
                .fragments()
                .iter()
                .filter_map(|&place| self.held.get(place))
                .map(|fragment| fragment.media().clone())
                .collect();
            let clip = plan.with_media(media)?;
            let path = self.pattern.path((self.written.len() as u64).saturating_add(1));
            Output::open(&path, self.arguments.force, recording.input_files())
                .and_then(|output| output.write_with(|file| clip.write_to(file).map(drop)))
                .map_err(BuildError::Input)?;
            let output = path.display().to_string();
            let written = Written { output, bytes: clip.len(), report: clip.report().clone() };
            (self.on_written)(&written);
            self.written.push(written);
        }
        Ok(())
    }
}
