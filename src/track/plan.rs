//! [`TrackPlan`]: fragments in, tracks out. What each frame becomes is decided here; no byte of it is moved.

use std::sync::Arc;

use bytes::Bytes;

use crate::codec::aac::adts_header;
use crate::codec::nal::{Nal, NalKind, NalScanner};
use crate::codec::{AudioConfig, Codec, VideoConfig};
use crate::error::{Error, ErrorKind};
use crate::fragment::{Block, Fragment};
use crate::matroska::TrackEntry;
use crate::report::Event;
use crate::track::entries::InForce;
use crate::track::tracks::{self, AUDIO_TRACK, VIDEO_TRACK};
use crate::track::{Adapted, ClipFragment, Entry, ParameterSets, PlanOptions, Sample, Segment, Track};

/// The tracks of the clip, fragment by fragment.
#[derive(Debug)]
pub(crate) struct TrackPlan {
    pub(crate) video: Track,
    pub(crate) audio: Track,
    pub(crate) fragments: Vec<ClipFragment>,
    options: PlanOptions,
    video_in_force: InForce,
    audio_in_force: InForce,
    least_len: u64,
    ignored_tracks: Vec<u64>,
    last_tracks: Option<Arc<[TrackEntry]>>,
}

impl TrackPlan {
    pub(crate) fn new(options: PlanOptions) -> Self {
        let track = |number| Track {
            number,
            entries: Vec::new(),
            samples: Vec::new(),
            nals: Vec::new(),
            segments: Vec::new(),
        };
        Self {
            video: track(VIDEO_TRACK),
            audio: track(AUDIO_TRACK),
            fragments: Vec::new(),
            options,
            video_in_force: InForce::default(),
            audio_in_force: InForce::default(),
            least_len: 0,
            ignored_tracks: Vec::new(),
            last_tracks: None,
        }
    }

    /// Adds the next fragment of the clip, which starts at `start_ns` by the producer's clock.
    pub(crate) fn add(&mut self, fragment: &Fragment, start_ns: i64) -> Result<(), Error> {
        self.add_unlocated(fragment, start_ns)
            .map_err(|error| error.in_fragment(fragment.name()).at(fragment.offset()))
    }

    fn add_unlocated(&mut self, fragment: &Fragment, start_ns: i64) -> Result<(), Error> {
        let find = |number| fragment.tracks().iter().position(|entry| entry.number == number);
        let (video, audio) = (find(VIDEO_TRACK), find(AUDIO_TRACK));
        let mut events = Vec::new();
        if self.last_tracks.as_ref().is_none_or(|last| !Arc::ptr_eq(last, &fragment.tracks)) {
            self.enter(fragment, video, audio, &mut events)?;
            self.last_tracks = Some(fragment.tracks.clone());
        }
        let video_codec = self.video.entries.get(self.video_in_force.entry).map_or(Codec::H264, Entry::codec);
        let mut adding = SegmentBuilder::new(&self.video, &self.audio, fragment);
        let scanner = NalScanner::new(video_codec, self.video_in_force.length_size);
        for block in fragment.blocks() {
            let track = Some(usize::from(block.track));
            let added = if track == video {
                self.add_video_frame(&scanner, fragment, block, &mut adding.video)
            } else if track == audio {
                self.add_audio_frame(fragment, block, &mut adding.audio)
            } else {
                continue;
            };
            added.map_err(|error| {
                let at = fragment.offset().saturating_add(u64::from(block.offset));
                error.on_track(if track == video { VIDEO_TRACK } else { AUDIO_TRACK }).at(at)
            })?;
        }
        if let Some(first) = self.video.samples.get(adding.video.samples.start)
            && !first.sync
        {
            events.push(Event::NoKeyFrameFirst { fragment: fragment.name() });
        }
        self.video.segments.push(adding.video.finish(&self.video, self.video_in_force.entry));
        self.audio.segments.push(adding.audio.finish(&self.audio, self.audio_in_force.entry));
        for track in [&self.video, &self.audio] {
            let added = track.segments.last().map(|segment| track.samples_of(segment)).unwrap_or_default();
            let sizes = added.iter().map(|sample| track.sample_size(sample, ParameterSets::Equal));
            self.least_len = sizes.fold(self.least_len, u64::saturating_add);
        }
        self.fragments.push(ClipFragment {
            name: fragment.name(),
            start_ns,
            timestamp_scale_ns: i64::try_from(fragment.timestamp_scale_ns()).unwrap_or(i64::MAX),
            server_timestamp: fragment.server_timestamp(),
            data: fragment.data.clone(),
            events,
        });
        Ok(())
    }

    /// Puts the entries of a fragment's tracks in force. Fragments of one document have the same tracks.
    fn enter(
        &mut self,
        fragment: &Fragment,
        video: Option<usize>,
        audio: Option<usize>,
        events: &mut Vec<Event>,
    ) -> Result<(), Error> {
        let entered = self.video_in_force.enter_video(&mut self.video, fragment, video, self.options);
        events.extend(entered.map_err(|error| error.on_track(VIDEO_TRACK))?);
        let is_first = self.fragments.is_empty();
        let entered =
            self.audio_in_force.enter_audio(&mut self.audio, fragment, audio, is_first, self.options);
        events.extend(entered.map_err(|error| error.on_track(AUDIO_TRACK))?);
        let video_codec = self.video.entries.get(self.video_in_force.entry).map_or(Codec::H264, Entry::codec);
        tracks::check_profile(self.options.profile, video_codec, self.audio.codec())?;
        self.note_ignored_tracks(fragment, events);
        Ok(())
    }

    fn note_ignored_tracks(&mut self, fragment: &Fragment, events: &mut Vec<Event>) {
        for entry in fragment.tracks() {
            let track = entry.number;
            if !matches!(track, VIDEO_TRACK | AUDIO_TRACK) && !self.ignored_tracks.contains(&track) {
                self.ignored_tracks.push(track);
                events.push(Event::TrackIgnored { track, codec_id: entry.codec_id.clone() });
            }
        }
    }

    fn add_video_frame(
        &mut self,
        scanner: &NalScanner,
        fragment: &Fragment,
        block: &Block,
        segment: &mut TrackSegment,
    ) -> Result<(), Error> {
        let frame = fragment.frame_bytes(block);
        let first_nal = self.video.nals.len();
        let scan = scanner
            .scan(frame, block.offset, &mut self.video.nals)
            .map_err(|reason| invalid_frame(block, reason))?;
        let Some(Entry::Video { config, .. }) = self.video.entries.get_mut(self.video_in_force.entry) else {
            return Ok(());
        };
        if scan.has_parameter_sets {
            segment.adapted.with_parameter_sets = segment.adapted.with_parameter_sets.saturating_add(1);
            let nals = self.video.nals.get(first_nal..).unwrap_or_default();
            segment.parameter_sets =
                segment.parameter_sets.max(compare_parameter_sets(config, nals, &fragment.data));
        }
        let adapted = &mut segment.adapted;
        adapted.reframed = adapted.reframed.saturating_add(u64::from(scan.reframed));
        adapted.empty_nals = adapted.empty_nals.saturating_add(u64::from(scan.empty_nals));
        // A producer's key flag is what it promises of an H.264 frame. In H.265 the NAL units themselves tell.
        let sync = if config.codec() == Codec::H265 { scan.has_random_access } else { block.key };
        let (offset, nals) = if scan.verbatim {
            (block.offset, 0)
        } else {
            (first_nal as u32, self.video.nals.len().saturating_sub(first_nal) as u32)
        };
        self.video.samples.push(Sample {
            time_ns: block.time_ns,
            len: block.len,
            offset,
            nals,
            sync,
            untimed: block.untimed,
        });
        segment.note_duration(block);
        Ok(())
    }

    fn add_audio_frame(
        &mut self,
        fragment: &Fragment,
        block: &Block,
        segment: &mut TrackSegment,
    ) -> Result<(), Error> {
        let frame = fragment.frame_bytes(block);
        let (mut offset, mut len) = (block.offset, block.len);
        match self.audio.entries.get(self.audio_in_force.entry) {
            Some(Entry::Audio(AudioConfig::Aac(_))) => {
                if let Some(header) = adts_header(frame) {
                    offset = offset.saturating_add(u32::from(header.header_len));
                    len = len.saturating_sub(u32::from(header.header_len));
                    segment.adapted.adts = segment.adapted.adts.saturating_add(1);
                }
            }
            Some(Entry::Audio(config)) if !len.is_multiple_of(u32::from(config.channels())) => {
                let reason =
                    format!("expected whole PCM frames of {} bytes, found {len} bytes", config.channels());
                return Err(invalid_frame(block, reason));
            }
            _ => {}
        }
        if len == 0 {
            return Err(invalid_frame(block, "expected at least one byte, found none".into()));
        }
        self.audio.samples.push(Sample {
            time_ns: block.time_ns,
            len,
            offset,
            nals: 0,
            sync: true,
            untimed: block.untimed,
        });
        segment.note_duration(block);
        Ok(())
    }

    /// Bytes that the media of the fragments so far has at the least.
    pub(crate) fn least_len(&self) -> u64 {
        self.least_len
    }

    /// Checks that the first `count` fragments bring every parameter set that decoding needs.
    pub(crate) fn check(&self, count: usize) -> Result<(), Error> {
        for (segment, fragment) in self.video.segments.iter().zip(&self.fragments).take(count) {
            if let Some(Entry::Video { config, .. }) = self.video.entries.get(segment.entry)
                && !segment.samples.is_empty()
                && !config.is_complete()
            {
                let reason =
                    "expected every kind of parameter set, here or in the frames, found not all of them";
                return Err(Error::codec_private(reason).in_fragment(&fragment.name).on_track(VIDEO_TRACK));
            }
        }
        Ok(())
    }

    /// What was done to the first `count` fragments.
    pub(crate) fn events(&self, count: usize) -> Vec<Event> {
        let fragments = self.fragments.iter().take(count);
        let mut events: Vec<Event> = fragments.flat_map(|fragment| fragment.events.iter().cloned()).collect();
        for track in [&self.video, &self.audio] {
            let (segments, number) = (|| track.segments.iter().take(count), track.number);
            let sum = |of: fn(&Adapted) -> u64| {
                segments().map(|segment| of(&segment.adapted)).fold(0, u64::saturating_add)
            };
            let kept = segments().any(|segment| segment.parameter_sets == ParameterSets::Different);
            let with_parameter_sets = sum(|adapted| adapted.with_parameter_sets);
            if let frames @ 1.. = sum(|adapted| adapted.reframed) {
                events.push(Event::FramesReframed { track: number, frames });
            }
            if let frames @ 1.. = with_parameter_sets {
                events.push(match kept {
                    true => Event::ParameterSetsKept { track: number, frames },
                    false => Event::ParameterSetsStripped { track: number, frames },
                });
            }
            if let nals @ 1.. = sum(|adapted| adapted.empty_nals) {
                events.push(Event::EmptyNalsDropped { track: number, nals });
            }
            if let frames @ 1.. = sum(|adapted| adapted.adts) {
                events.push(Event::AdtsStripped { track: number, frames });
            }
            if !track.entries.is_empty() && segments().all(|segment| segment.samples.is_empty()) {
                events.push(Event::TrackEmpty { track: number });
            }
        }
        events
    }
}

/// The segments that a fragment adds to the two tracks.
struct SegmentBuilder {
    video: TrackSegment,
    audio: TrackSegment,
}

struct TrackSegment {
    samples: std::ops::Range<usize>,
    parameter_sets: ParameterSets,
    adapted: Adapted,
    last_shown: Option<(i64, u64)>,
    default_duration_ns: Option<u64>,
}

impl SegmentBuilder {
    fn new(video: &Track, audio: &Track, fragment: &Fragment) -> Self {
        let segment = |track: &Track| {
            let declared = fragment.tracks().iter().find(|entry| entry.number == track.number);
            TrackSegment {
                samples: track.samples.len()..track.samples.len(),
                parameter_sets: ParameterSets::Absent,
                adapted: Adapted::default(),
                last_shown: None,
                default_duration_ns: declared.and_then(|entry| entry.default_duration_ns),
            }
        };
        Self { video: segment(video), audio: segment(audio) }
    }
}

impl TrackSegment {
    fn note_duration(&mut self, block: &Block) {
        if self.last_shown.is_none_or(|(time, _)| time <= block.time_ns) {
            self.last_shown = Some((block.time_ns, block.duration_ns));
        }
    }

    fn finish(self, track: &Track, entry: usize) -> Segment {
        let block_duration = self.last_shown.map(|(_, duration)| duration).filter(|&duration| duration > 0);
        Segment {
            samples: self.samples.start..track.samples.len(),
            entry,
            parameter_sets: self.parameter_sets,
            adapted: self.adapted,
            frame_duration_ns: block_duration
                .or(self.default_duration_ns)
                .and_then(|duration| i64::try_from(duration).ok()),
        }
    }
}

/// Whether the parameter sets of a frame are those of the sample entry, which is completed where it has none of a
/// type: the AWS SDK can leave the PPS of H.265 out.
fn compare_parameter_sets(config: &mut VideoConfig, nals: &[Nal], data: &Bytes) -> ParameterSets {
    let mut found = ParameterSets::Equal;
    for nal in nals.iter().filter(|nal| nal.kind == NalKind::ParameterSet) {
        let bytes = nal.bytes(data);
        if !config.holds(bytes) && !config.complete_with(bytes) {
            found = ParameterSets::Different;
        }
    }
    found
}

fn invalid_frame(block: &Block, reason: String) -> Error {
    ErrorKind::InvalidMediaFrame { time_ms: block.time_ns.div_euclid(1_000_000), reason }.into()
}
