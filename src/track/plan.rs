//! [`TrackPlan`]: fragments in, tracks out. What each frame becomes is decided here; no byte of it is moved.

use bytes::Bytes;

use crate::codec::aac::adts_header;
use crate::codec::nal::{Nal, NalKind, NalScanner};
use crate::codec::{AudioConfig, Codec, VideoConfig};
use crate::error::{Error, ErrorKind};
use crate::fragment::{Block, Fragment};
use crate::matroska::TrackEntry;
use crate::report::Event;
use crate::track::tracks::{self, AUDIO_TRACK, Profile, VIDEO_TRACK};
use crate::track::{Adapted, ClipFragment, Entry, ParameterSets, Sample, Segment, Track};

/// What happens when tracks or codec private data change inside the clip.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodecChanges {
    /// The clip is refused, as GetClip does.
    #[default]
    Refuse,
    /// The track gets one sample entry more. Players differ in what they make of it: ffmpeg and GStreamer go on,
    /// browsers stop. The sampling rate and the kind of audio codec cannot change.
    NewSampleEntry,
}

/// The options of this stage.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlanOptions {
    pub(crate) profile: Profile,
    pub(crate) codec_changes: CodecChanges,
    pub(crate) codec_private_from_frames: bool,
}

/// The tracks of the clip, fragment by fragment.
#[derive(Debug)]
pub(crate) struct TrackPlan {
    pub(crate) video: Track,
    pub(crate) audio: Track,
    pub(crate) fragments: Vec<ClipFragment>,
    options: PlanOptions,
    video_state: EntryState,
    audio_state: EntryState,
    least_len: u64,
    ignored_tracks: Vec<u64>,
}

/// How a track's current entry came to be.
#[derive(Debug, Default)]
struct EntryState {
    entry: usize,
    /// Codec ID and codec private data that were parsed into it.
    source: Option<(String, Option<Bytes>)>,
    from_frames: bool,
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
            video_state: EntryState::default(),
            audio_state: EntryState::default(),
            least_len: 0,
            ignored_tracks: Vec::new(),
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
        self.enter_video(fragment, video, &mut events)?;
        self.enter_audio(fragment, audio, &mut events)?;
        self.note_ignored_tracks(fragment, &mut events);

        let mut adding = SegmentBuilder::new(&self.video, &self.audio, fragment);
        let scanner = match self.video.entries.get(self.video_state.entry) {
            Some(Entry::Video { config, .. }) => NalScanner::new(config.codec(), config.length_size()),
            _ => NalScanner::new(Codec::H264, 4),
        };
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
        self.video.segments.push(adding.video.finish(&self.video, self.video_state.entry));
        self.audio.segments.push(adding.audio.finish(&self.audio, self.audio_state.entry));
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

    fn enter_video(
        &mut self,
        fragment: &Fragment,
        index: Option<usize>,
        events: &mut Vec<Event>,
    ) -> Result<(), Error> {
        let Some(entry) = index.and_then(|index| fragment.tracks().get(index)) else {
            let reason = "expected a video track with number 1, found none".into();
            return Err(ErrorKind::UnsupportedMediaType { reason }.into());
        };
        if self.video_state.is_of(entry) {
            return Ok(());
        }
        let located = |error: Error| error.on_track(VIDEO_TRACK);
        let codec = tracks::video_codec(entry).map_err(located)?;
        let private = tracks::codec_private(entry).map_err(located)?;
        let config = match private {
            Some(private) => tracks::video_config(codec, private),
            None if !self.options.codec_private_from_frames => Err(ErrorKind::MissingCodecPrivateData.into()),
            // What a fragment in front of this one was decoded with still holds, until its frames say otherwise.
            None if self.video_state.from_frames => return Ok(()),
            None => config_from_frames(codec, fragment, index),
        }
        .map_err(located)?;
        if private.is_none() {
            self.video_state.from_frames = true;
            events.push(Event::CodecPrivateFromFrames { track: VIDEO_TRACK });
        }
        let pixels = entry.video.map_or((0, 0), |video| {
            let clamp = |pixels| u32::try_from(pixels).unwrap_or(0);
            (clamp(video.pixel_width), clamp(video.pixel_height))
        });
        let same = |known: &Entry| matches!(known, Entry::Video { config: known, .. } if *known == config);
        let difference = match self.video.entries.get(self.video_state.entry) {
            Some(Entry::Video { config: current, .. }) => current.difference(&config),
            _ => String::new(),
        };
        let kind = if self.video.codec().is_some_and(|current| current != codec) {
            ErrorKind::TracksChanged { difference: difference.clone() }
        } else {
            ErrorKind::CodecPrivateDataChanged { difference: difference.clone() }
        };
        let known = self.video.entries.iter().position(same);
        let refuse = self.options.codec_changes == CodecChanges::Refuse;
        self.video_state.entry = match known {
            Some(known) if known == self.video_state.entry || !refuse => known,
            None if self.video.entries.is_empty() || !refuse => {
                self.video.entries.push(Entry::Video { config, pixels });
                self.video.entries.len().saturating_sub(1)
            }
            _ => return Err(located(kind.into())),
        };
        if known.is_none() && self.video_state.entry > 0 {
            let (fragment, track) = (fragment.name(), VIDEO_TRACK);
            events.push(Event::SampleEntryAdded { fragment, track, difference });
        }
        self.video_state.source = Some(source_of(entry));
        Ok(())
    }

    fn enter_audio(
        &mut self,
        fragment: &Fragment,
        index: Option<usize>,
        events: &mut Vec<Event>,
    ) -> Result<(), Error> {
        let is_first = self.fragments.is_empty();
        let refuse = self.options.codec_changes == CodecChanges::Refuse;
        let changed = |difference: &str| {
            Error::new(ErrorKind::TracksChanged { difference: difference.to_owned() }).on_track(AUDIO_TRACK)
        };
        let video = self.video.entries.get(self.video_state.entry).map_or(Codec::H264, Entry::codec);
        let Some(entry) = index.and_then(|index| fragment.tracks().get(index)) else {
            if !self.audio.entries.is_empty() && refuse {
                return Err(changed("the audio track is not there any more"));
            }
            return tracks::check_profile(self.options.profile, video, None);
        };
        if self.audio.entries.is_empty() && !is_first && refuse {
            return Err(changed("an audio track that was not there before"));
        }
        if !self.audio_state.is_of(entry) {
            let config =
                tracks::audio_config(entry, self.options.profile).map_err(|e| e.on_track(AUDIO_TRACK))?;
            self.enter_audio_config(fragment, config, events)?;
            self.audio_state.source = Some(source_of(entry));
        }
        tracks::check_profile(self.options.profile, video, self.audio.codec())
    }

    fn enter_audio_config(
        &mut self,
        fragment: &Fragment,
        config: AudioConfig,
        events: &mut Vec<Event>,
    ) -> Result<(), Error> {
        let refuse = self.options.codec_changes == CodecChanges::Refuse;
        let Some(Entry::Audio(current)) = self.audio.entries.get(self.audio_state.entry) else {
            self.audio.entries.push(Entry::Audio(config));
            return Ok(());
        };
        let difference = audio_difference(current, &config);
        // One media timescale serves the whole track, and it is the sampling rate.
        let one_track =
            current.codec() == config.codec() && current.sampling_rate() == config.sampling_rate();
        let known = self.audio.entries.iter().position(|entry| *entry == Entry::Audio(config.clone()));
        self.audio_state.entry = match known {
            Some(known) if known == self.audio_state.entry || !refuse => known,
            None if !refuse && one_track => {
                self.audio.entries.push(Entry::Audio(config));
                let (fragment, track) = (fragment.name(), AUDIO_TRACK);
                events.push(Event::SampleEntryAdded { fragment, track, difference });
                self.audio.entries.len().saturating_sub(1)
            }
            _ => {
                let kind = if current.codec() == config.codec() {
                    ErrorKind::CodecPrivateDataChanged { difference }
                } else {
                    ErrorKind::TracksChanged { difference }
                };
                return Err(Error::new(kind).on_track(AUDIO_TRACK));
            }
        };
        Ok(())
    }

    fn note_ignored_tracks(&mut self, fragment: &Fragment, events: &mut Vec<Event>) {
        for entry in fragment.tracks() {
            let (track, codec_id) = (entry.number, entry.codec_id.clone());
            if !matches!(track, VIDEO_TRACK | AUDIO_TRACK) && !self.ignored_tracks.contains(&track) {
                self.ignored_tracks.push(track);
                events.push(Event::TrackIgnored { track, codec_id });
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
        let frame = frame_of(fragment, block);
        let first_nal = self.video.nals.len();
        let scan = scanner
            .scan(frame, block.offset, &mut self.video.nals)
            .map_err(|reason| invalid_frame(block, reason))?;
        let Some(Entry::Video { config, .. }) = self.video.entries.get_mut(self.video_state.entry) else {
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
        let frame = frame_of(fragment, block);
        let (mut offset, mut len) = (block.offset, block.len);
        match self.audio.entries.get(self.audio_state.entry) {
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
        for segment in self.video.segments.iter().take(count).filter(|segment| !segment.samples.is_empty()) {
            if let Some(Entry::Video { config, .. }) = self.video.entries.get(segment.entry)
                && !config.is_complete()
            {
                let reason =
                    "expected every kind of parameter set, here or in the frames, found not all of them";
                return Err(Error::codec_private(reason).on_track(VIDEO_TRACK));
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

impl EntryState {
    /// Whether the entry in force came from the same codec ID and codec private data.
    fn is_of(&self, entry: &TrackEntry) -> bool {
        self.source
            .as_ref()
            .is_some_and(|(codec_id, private)| *codec_id == entry.codec_id && *private == entry.codec_private)
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

/// Codec private data out of the parameter sets in front of, or in, the first key frame of a fragment.
fn config_from_frames(codec: Codec, fragment: &Fragment, index: Option<usize>) -> Result<VideoConfig, Error> {
    let scanner = NalScanner::new(codec, 4);
    let mut nals = Vec::new();
    for block in fragment.blocks().iter().filter(|block| Some(usize::from(block.track)) == index) {
        let scan = scanner
            .scan(frame_of(fragment, block), block.offset, &mut nals)
            .map_err(|reason| invalid_frame(block, reason))?;
        if scan.has_random_access || block.key {
            break;
        }
    }
    let parameter_sets = nals.iter().filter(|nal| nal.kind == NalKind::ParameterSet);
    let config = tracks::video_config_from_parameter_sets(
        codec,
        parameter_sets.map(|nal| nal_bytes(nal, &fragment.data)),
    )
    .ok()
    .filter(VideoConfig::is_complete);
    config.ok_or_else(|| ErrorKind::MissingCodecPrivateData.into())
}

/// Whether the parameter sets of a frame are those of the sample entry, which is completed where it has none of a
/// type: the AWS SDK can leave the PPS of H.265 out.
fn compare_parameter_sets(config: &mut VideoConfig, nals: &[Nal], data: &Bytes) -> ParameterSets {
    let mut found = ParameterSets::Equal;
    for nal in nals.iter().filter(|nal| nal.kind == NalKind::ParameterSet) {
        let bytes = nal_bytes(nal, data);
        if !config.holds(bytes) && !config.complete_with(bytes) {
            found = ParameterSets::Different;
        }
    }
    found
}

fn frame_of<'a>(fragment: &'a Fragment, block: &Block) -> &'a [u8] {
    slice(&fragment.data, block.offset, block.len)
}

fn nal_bytes<'a>(nal: &Nal, data: &'a Bytes) -> &'a [u8] {
    slice(data, nal.offset, nal.len)
}

fn slice(data: &[u8], offset: u32, len: u32) -> &[u8] {
    data.get(offset as usize..).and_then(|rest| rest.get(..len as usize)).unwrap_or_default()
}

fn source_of(entry: &TrackEntry) -> (String, Option<Bytes>) {
    (entry.codec_id.clone(), entry.codec_private.clone())
}

fn audio_difference(from: &AudioConfig, to: &AudioConfig) -> String {
    let told = |config: &AudioConfig| {
        format!("{} {} Hz {} channels", config.codec(), config.sampling_rate(), config.channels())
    };
    match (told(from), told(to)) {
        (from, to) if from != to => format!("{from} to {to}"),
        (same, _) => format!("another configuration of {same}"),
    }
}

fn invalid_frame(block: &Block, reason: String) -> Error {
    ErrorKind::InvalidMediaFrame { time_ms: block.time_ns.div_euclid(1_000_000), reason }.into()
}
