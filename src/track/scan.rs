//! [`FragmentScan`]: what each frame of a fragment is.
//!
//! A fragment is scanned as soon as it has been read, while its bytes are still in the processor's caches: looking at
//! the frames later costs twice as much. What depends on the fragments in front of it waits for [`plan`](super::plan).

use std::sync::Arc;

use crate::annexb::StartCodesByFrame;
use crate::codec::aac::adts_header;
use crate::codec::nal::{Nal, NalScanner};
use crate::codec::{AudioConfig, Codec};
use crate::error::{Error, ErrorKind};
use crate::fragment::{Block, Fragment};
use crate::matroska::TrackEntry;
use crate::track::tracks::{AUDIO_TRACK, Profile, TrackConfigs, VIDEO_TRACK};
use crate::track::{Adapted, Sample};

/// The frames of a fragment.
#[derive(Debug, Clone)]
pub(crate) struct FragmentScan {
    pub(crate) configs: Arc<TrackConfigs>,
    pub(crate) video: TrackScan,
    pub(crate) audio: TrackScan,
    /// NAL units of the video samples that are not verbatim.
    pub(crate) nals: Vec<Nal>,
    /// Bytes that the media of the fragment has at the least: without the parameter sets that may be taken out.
    pub(crate) least_len: u64,
    /// Why the rest of the frames was not looked at. It is an error only if the fragment is taken.
    pub(crate) error: Option<Error>,
}

/// The frames of one track.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrackScan {
    pub(crate) samples: Vec<Sample>,
    pub(crate) adapted: Adapted,
    /// Of the frame that is shown last, where the producer gave it, in nanoseconds.
    pub(crate) frame_duration_ns: Option<i64>,
}

/// Scans fragment after fragment.
#[derive(Debug)]
pub(crate) struct Scanner {
    profile: Profile,
    /// The tracks of the last fragment, and what they say.
    last: Option<(Arc<[TrackEntry]>, Arc<TrackConfigs>)>,
}

impl Scanner {
    pub(crate) fn new(profile: Profile) -> Self {
        Self { profile, last: None }
    }

    pub(crate) fn scan(&mut self, fragment: &Fragment) -> FragmentScan {
        let mut scan = FragmentScan {
            configs: self.configs_of(fragment),
            video: TrackScan::default(),
            audio: TrackScan::default(),
            nals: Vec::new(),
            least_len: 0,
            error: None,
        };
        scan.error = scan.read(fragment).err();
        let any_duration = fragment.blocks().iter().any(|block| block.duration_ns > 0);
        scan.video.note_duration(fragment, scan.configs.video_index, any_duration);
        scan.audio.note_duration(fragment, scan.configs.audio_index, any_duration);
        scan
    }

    /// Fragments of one document share their tracks; those of the next are alike as a rule.
    fn configs_of(&mut self, fragment: &Fragment) -> Arc<TrackConfigs> {
        if let Some((tracks, configs)) = &self.last
            && (Arc::ptr_eq(tracks, &fragment.tracks) || configs.are_of(&fragment.tracks))
        {
            return configs.clone();
        }
        let configs = Arc::new(TrackConfigs::new(&fragment.tracks, self.profile));
        self.last = Some((fragment.tracks.clone(), configs.clone()));
        configs
    }
}

impl FragmentScan {
    // By itself, the loop has all registers.
    #[inline(never)]
    fn read(&mut self, fragment: &Fragment) -> Result<(), Error> {
        let configs = self.configs.clone();
        let (Ok(video), Ok(audio)) = (&configs.video, &configs.audio) else {
            // The plan refuses the fragment with the tracks' own error.
            return Ok(());
        };
        let nal_scanner = NalScanner::new(video.codec, video.length_size());
        let of_video = |block: &&Block| Some(usize::from(block.track)) == configs.video_index;
        let pictures = fragment.blocks().iter().filter(of_video).count();
        self.video.samples.reserve_exact(pictures);
        if audio.is_some() {
            // Blocks of other tracks are rare.
            self.audio.samples.reserve_exact(fragment.blocks().len().saturating_sub(pictures));
        }
        self.nals.reserve_exact(fragment.start_codes.len());
        let mut start_codes = fragment.start_codes.frames();
        for block in fragment.blocks() {
            let index = Some(usize::from(block.track));
            let (number, read) = if index == configs.video_index {
                (VIDEO_TRACK, self.video_frame(&nal_scanner, video.codec, fragment, block, &mut start_codes))
            } else if let Some(audio) = audio.as_ref().filter(|_| index == configs.audio_index) {
                (AUDIO_TRACK, self.audio_frame(audio, fragment, block))
            } else {
                continue;
            };
            read.map_err(|reason| {
                let time_ms = block.time_ns.div_euclid(1_000_000);
                let at = fragment.offset().saturating_add(u64::from(block.offset));
                Error::new(ErrorKind::InvalidMediaFrame { time_ms, reason }).on_track(number).at(at)
            })?;
        }
        Ok(())
    }

    fn video_frame(
        &mut self,
        nal_scanner: &NalScanner,
        codec: Codec,
        fragment: &Fragment,
        block: &Block,
        start_codes: &mut StartCodesByFrame<'_>,
    ) -> Result<(), String> {
        let first_nal = self.nals.len();
        let frame = fragment.frame_bytes(block);
        let scan = nal_scanner.scan(frame, block.offset, start_codes, &mut self.nals)?;
        self.least_len = self.least_len.saturating_add(scan.least_len);
        let (offset, nals) = if scan.verbatim {
            (block.offset, 0)
        } else {
            self.video.adapted.note(scan);
            (first_nal as u32, self.nals.len().saturating_sub(first_nal) as u32)
        };
        self.video.samples.push(Sample {
            time_ns: block.time_ns,
            len: block.len,
            offset,
            nals,
            // A producer's key flag is what it promises of an H.264 frame. In H.265 the NAL units themselves tell.
            sync: if codec == Codec::H265 { scan.has_random_access } else { block.key },
            untimed: block.untimed,
        });
        Ok(())
    }

    fn audio_frame(
        &mut self,
        config: &AudioConfig,
        fragment: &Fragment,
        block: &Block,
    ) -> Result<(), String> {
        let (mut offset, mut len) = (block.offset, block.len);
        match config {
            AudioConfig::Aac(_) => {
                if let Some(header) = adts_header(fragment.frame_bytes(block)) {
                    offset = offset.saturating_add(u32::from(header.header_len));
                    len = len.saturating_sub(u32::from(header.header_len));
                    self.audio.adapted.adts = self.audio.adapted.adts.saturating_add(1);
                }
            }
            AudioConfig::G711(config) => {
                let channels = u32::from(config.channels());
                if !len.is_multiple_of(channels) {
                    return Err(format!("expected whole PCM frames of {channels} bytes, found {len} bytes"));
                }
            }
        }
        if len == 0 {
            return Err("expected at least one byte, found none".into());
        }
        self.least_len = self.least_len.saturating_add(u64::from(len));
        let (time_ns, untimed) = (block.time_ns, block.untimed);
        self.audio.samples.push(Sample { time_ns, len, offset, nals: 0, sync: true, untimed });
        Ok(())
    }
}

impl TrackScan {
    /// BlockDuration of the frame that is shown last, else the track's DefaultDuration.
    fn note_duration(&mut self, fragment: &Fragment, index: Option<usize>, any_duration: bool) {
        let Some(index) = index else { return };
        let blocks = fragment.blocks().iter().filter(|block| usize::from(block.track) == index);
        let last_shown = if any_duration { blocks.max_by_key(|block| block.time_ns) } else { None };
        let declared = fragment.tracks().get(index).and_then(|entry| entry.default_duration_ns);
        let duration = last_shown.and_then(Block::duration_ns).or(declared);
        self.frame_duration_ns = duration.and_then(|duration| i64::try_from(duration).ok());
    }
}
