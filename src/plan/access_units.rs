//! Access units: each sample is one, with exactly one picture, or the two fields of a frame.
//!
//! Nearly all blocks hold one access unit each, and their rows stay as they are. Some producers put NAL units into blocks of
//! their own, or slices, and some several pictures into one block. Here the blocks of a fragment are taken apart and put
//! together by what their NAL units are (clauses 7.4.1.2.3 of H.264 and 7.4.2.4.4 of H.265):
//!
//! ```text
//! blocks    SPS PPS | SEI | slice | slice | picture | picture picture
//! samples   SPS PPS   SEI   slice   slice | picture | picture | picture
//! ```

use crate::codec::nal_role::NalRole;
use crate::frame_fault::FrameFault;
use crate::index::frame_table::{FrameFlags, Nal, Restored};
use crate::plan::{FragmentSamples, InBandParameterSets, RecoveryPoint, Sample};

/// Blocks of a fragment that become samples.
#[derive(Debug, Default)]
struct Assembly {
    /// Size of the header that was stripped off the frames.
    stripped: u8,
    /// Times of the blocks, in ascending order.
    times_ns: Vec<i64>,
    samples: Vec<Sample>,
    nals: Vec<Nal>,
    /// The sample that further slices would join.
    open: Option<OpenSample>,
    /// What stands before the next picture, and how many blocks had nothing else.
    before: Vec<Nal>,
    blocks_before: u64,
    joined: u64,
    split: u64,
}

/// A sample that is not whole yet.
#[derive(Debug)]
struct OpenSample {
    sample: Sample,
    parts: Parts,
}

#[derive(Debug)]
enum Parts {
    /// The frame stays as it is.
    Verbatim,
    Nals(Vec<Nal>),
}

impl FragmentSamples {
    /// Puts the blocks together so that each sample is one access unit.
    pub(super) fn join_access_units(&mut self) -> Result<(), FrameFault> {
        if !self.samples.iter().any(|sample| sample.has(FrameFlags::IRREGULAR)) {
            return Ok(());
        }
        let mut times_ns: Vec<i64> = self.samples.iter().map(|sample| sample.time_ns).collect();
        times_ns.sort_unstable();
        let mut assembly = Assembly {
            // A stripped header has at most 16 bytes.
            stripped: self.stripped_header.len() as u8,
            times_ns,
            samples: Vec::with_capacity(self.samples.len()),
            nals: Vec::with_capacity(self.nals.len()),
            ..Assembly::default()
        };
        let mut recoveries = std::mem::take(&mut self.recovery_points).into_iter().peekable();
        for (block, row) in self.samples.iter().zip(0..) {
            let first = assembly.next_sample();
            assembly.add_block(block, self.nals_of(block, InBandParameterSets::Absent))?;
            if let Some(recovery) = recoveries.next_if(|recovery| recovery.sample == row) {
                self.recovery_points.push(RecoveryPoint { sample: first, ..recovery });
            }
        }
        assembly.close()?;
        self.changes.blocks_joined = assembly.joined;
        self.changes.pictures_split = assembly.split;
        self.changes.without_picture = assembly.blocks_before;
        (self.samples, self.nals) = (assembly.samples, assembly.nals);
        Ok(())
    }
}

impl Assembly {
    /// Index of the sample that the next picture will be.
    fn next_sample(&self) -> u32 {
        self.samples.len().saturating_add(usize::from(self.open.is_some())) as u32
    }

    fn add_block<'a>(
        &mut self,
        block: &Sample,
        nals: impl Iterator<Item = &'a Nal>,
    ) -> Result<(), FrameFault> {
        if !block.has(FrameFlags::IRREGULAR) {
            return self.add_picture_block(block, nals);
        }
        let nals: Vec<Nal> = nals.copied().collect();
        let pictures = nals.iter().filter(|nal| nal.role.begins_picture()).count();
        let step_ns = if pictures > 1 { self.step_ns(block.time_ns, pictures) } else { 0 };
        let mut sample = Sample { flags: block.flags.of_block(), ..*block };
        let (mut begun, mut is_before) = (0_u64, true);
        for nal in nals {
            match nal.role {
                NalRole::ParameterSet | NalRole::Delimiter | NalRole::BeforePicture => self.before.push(nal),
                NalRole::AfterPicture if self.open.is_none() || !self.before.is_empty() => {
                    self.before.push(nal);
                }
                NalRole::Slice if self.open.is_none() => {
                    // The first slice was lost.
                    self.begin(sample, nal)?;
                    is_before = false;
                }
                NalRole::Slice | NalRole::AfterPicture | NalRole::Framed => {
                    self.go_on(nal);
                    is_before = false;
                }
                NalRole::RandomAccess
                | NalRole::DecodableLeading
                | NalRole::SkippedLeading
                | NalRole::Picture => {
                    self.begin(sample, nal)?;
                    sample.time_ns = sample.time_ns.saturating_add(step_ns);
                    (begun, is_before) = (begun.saturating_add(1), false);
                }
            }
        }
        match begun.checked_sub(1) {
            Some(more) => self.split = self.split.saturating_add(more),
            None if is_before => self.blocks_before = self.blocks_before.saturating_add(1),
            None => self.joined = self.joined.saturating_add(1),
        }
        Ok(())
    }

    /// Adds a block that is one picture.
    fn add_picture_block<'a>(
        &mut self,
        block: &Sample,
        nals: impl Iterator<Item = &'a Nal>,
    ) -> Result<(), FrameFault> {
        self.close()?;
        let mut parts = std::mem::take(&mut self.before);
        self.joined = self.joined.saturating_add(std::mem::take(&mut self.blocks_before));
        let parts = match (block.is_verbatim(), parts.is_empty()) {
            (true, true) => Parts::Verbatim,
            (true, false) => {
                parts.push(framed(block, self.stripped));
                Parts::Nals(parts)
            }
            (false, _) => {
                parts.extend(nals);
                Parts::Nals(parts)
            }
        };
        self.open = Some(OpenSample { sample: *block, parts });
        Ok(())
    }

    /// Begins a sample with the first slice of a picture, after what stands before it.
    fn begin(&mut self, sample: Sample, nal: Nal) -> Result<(), FrameFault> {
        self.close()?;
        let mut parts = std::mem::take(&mut self.before);
        self.joined = self.joined.saturating_add(std::mem::take(&mut self.blocks_before));
        parts.push(nal);
        self.open = Some(OpenSample { sample, parts: Parts::Nals(parts) });
        Ok(())
    }

    /// Adds a NAL unit to the open sample, after what stands before it.
    fn go_on(&mut self, nal: Nal) {
        let stripped = self.stripped;
        let Some(open) = &mut self.open else { return };
        let before = self.before.drain(..);
        self.joined = self.joined.saturating_add(std::mem::take(&mut self.blocks_before));
        match &mut open.parts {
            Parts::Nals(parts) => {
                parts.extend(before);
                parts.push(nal);
            }
            Parts::Verbatim => {
                let framed = framed(&open.sample, stripped);
                open.parts = Parts::Nals([framed].into_iter().chain(before).chain([nal]).collect());
            }
        }
    }

    /// Adds the open sample to the others.
    fn close(&mut self) -> Result<(), FrameFault> {
        let Some(OpenSample { mut sample, parts }) = self.open.take() else { return Ok(()) };
        sample.first_nal = self.nals.len() as u32;
        if let Parts::Nals(parts) = parts {
            let too_many = |_| FrameFault::TooManyNalUnits { limit: u16::MAX.into() };
            sample.nals = u16::try_from(parts.len()).map_err(too_many)?;
            let has = |role| parts.iter().any(|nal| nal.role == role);
            sample.flags = sample
                .flags
                .with(FrameFlags::SYNC, has(NalRole::RandomAccess))
                .with(FrameFlags::LEADING, has(NalRole::DecodableLeading) || has(NalRole::SkippedLeading))
                .with(FrameFlags::SKIPPED, has(NalRole::SkippedLeading))
                .with(FrameFlags::PARAMETER_SETS, has(NalRole::ParameterSet));
            self.nals.extend(parts);
        }
        self.samples.push(sample);
        Ok(())
    }

    /// How far apart the pictures of a block are shown: they share the time until the next block, or else the time since
    /// the one before.
    fn step_ns(&self, time_ns: i64, pictures: usize) -> i64 {
        let later = self.times_ns.partition_point(|&time| time <= time_ns);
        let earlier = self.times_ns.partition_point(|&time| time < time_ns).checked_sub(1);
        let next = self.times_ns.get(later).map(|next| next.saturating_sub(time_ns));
        let since = earlier.and_then(|earlier| self.times_ns.get(earlier));
        let span = next.or(since.map(|earlier| time_ns.saturating_sub(*earlier))).unwrap_or(0);
        i64::try_from(pictures).ok().and_then(|pictures| span.checked_div(pictures)).unwrap_or(0)
    }
}

/// A frame that is a sample as it stands, as a part of another sample.
fn framed(frame: &Sample, stripped: u8) -> Nal {
    let restored = match frame.has(FrameFlags::STRIPPED) {
        true => Restored { start: 0, len: stripped },
        false => Restored::default(),
    };
    Nal { offset: frame.offset, media_len: frame.len, role: NalRole::Framed, restored, set: 0 }
}
