//! [`Plan`]: the fragments of the clip in order, put together into tracks.

use std::sync::Arc;

use bytes::Bytes;

use crate::codec::nal_role::NalRole;
use crate::codec::{Join, VideoConfig};
use crate::error::{Error, ErrorKind};
use crate::incomplete_input::IncompleteInput;
use crate::index::FragmentIndex;
use crate::index::frame_table::{FrameFlags, FrameTable, TrackFrames};
use crate::index::track_set::TrackSet;
use crate::matroska::TrackEntry;
use crate::plan::sample_descriptions::ActiveDescription;
use crate::plan::track_choice::{AUDIO_TRACK, ChosenTracks, VIDEO_TRACK};
use crate::plan::track_configs::{TrackConfigs, check_profile};
use crate::plan::{
    FragmentSamples, FrameChanges, InBandParameterSets, LeadingRun, PlanOptions, PlannedFragment,
    PlannedTrack, RecoveryPoint, SampleDescription,
};
use crate::report::Event;
use crate::timestamp::Timestamp;

/// The tracks of the clip, fragment by fragment.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) fragments: Vec<PlannedFragment>,
    video: PlannedTrack,
    audio: PlannedTrack,
    options: PlanOptions,
    active_video: ActiveDescription,
    active_audio: ActiveDescription,
    least_len: u64,
    ignored_tracks: Vec<u64>,
    scaled_tracks: Vec<u64>,
    last_tracks: Option<(TrackSet, Arc<TrackConfigs>)>,
}

/// A fragment for the plan, and who offered it.
#[derive(Debug)]
pub(crate) struct FragmentToPlan {
    pub(crate) index: FragmentIndex,
    /// Its place among the fragments that were offered.
    pub(crate) offered: usize,
    /// What the caller identifies its media by.
    pub(crate) identity: Option<Box<[u8]>>,
    /// When it starts by the producer's clock, in nanoseconds.
    pub(crate) start_ns: i64,
    /// When it starts by the clock of the selection.
    pub(crate) selected_by: Timestamp,
    /// Frames that were left out because they are outside the range.
    pub(crate) left_out: u64,
}

impl Plan {
    pub(crate) fn new(options: PlanOptions) -> Self {
        let track = |number| PlannedTrack { number, descriptions: Vec::new() };
        Self {
            fragments: Vec::new(),
            video: track(VIDEO_TRACK),
            audio: track(AUDIO_TRACK),
            options,
            active_video: ActiveDescription::default(),
            active_audio: ActiveDescription::default(),
            least_len: 0,
            ignored_tracks: Vec::new(),
            scaled_tracks: Vec::new(),
            last_tracks: None,
        }
    }

    /// Adds the next fragment of the clip.
    pub(crate) fn add(&mut self, fragment: FragmentToPlan) -> Result<(), Error> {
        let (name, offset) = (fragment.index.name(), fragment.index.offset());
        self.add_unlocated(fragment).map_err(|error| error.in_fragment(name).at(offset))
    }

    fn add_unlocated(&mut self, fragment: FragmentToPlan) -> Result<(), Error> {
        let FragmentToPlan { mut index, offered, identity, start_ns, selected_by, left_out } = fragment;
        let mut events = Vec::new();
        let configs = self.enter(&index, &mut events)?;
        self.report_ignored_tracks(&index, configs.chosen, &mut events);
        self.report_timestamp_scales(&index, configs.chosen, &mut events);
        self.least_len = self.least_len.saturating_add(least_len(&index, configs.chosen));
        check_faults(&index, configs.chosen, self.options.incomplete_input, &mut events)?;
        let name = index.name();
        let mut table = std::mem::take(&mut index.frames);
        let (video, audio) = (configs.chosen.video.index, configs.chosen.audio.index);
        let mut video = FragmentSamples::new(&mut table, video, index.tracks(), self.active_video.index);
        let audio = FragmentSamples::new(&mut table, audio, index.tracks(), self.active_audio.index);
        video.nals = table.nals;
        video.join_access_units().map_err(|fault| {
            let time_ms = video.samples.first().map_or(0, |first| first.time_ns.div_euclid(1_000_000));
            Error::new(ErrorKind::InvalidMediaFrame { time_ms, fault }).on_track(VIDEO_TRACK)
        })?;
        if video.samples.first().is_some_and(|first| !first.is_sync()) {
            events.push(Event::NoKeyFrameFirst { fragment: name.clone() });
        }
        if let Some(SampleDescription::Video { config, .. }) =
            self.video.descriptions.get_mut(self.active_video.index)
            && video.changes.with_parameter_sets > 0
        {
            video.in_band = video.compare_parameter_sets(config, &table.parameter_sets);
        }
        self.fragments.push(PlannedFragment {
            name,
            offered,
            identity,
            start_ns,
            selected_by,
            left_out,
            timestamp_scale_ns: index.timestamp_scale_ns.into(),
            server_timestamp: index.server_timestamp(),
            offset: index.offset,
            media_len: index.media_len,
            video,
            audio,
            events,
        });
        Ok(())
    }

    /// Activates the descriptions of a fragment's tracks.
    fn enter(
        &mut self,
        fragment: &FragmentIndex,
        events: &mut Vec<Event>,
    ) -> Result<Arc<TrackConfigs>, Error> {
        if let Some((tracks, configs)) = &self.last_tracks
            && tracks.is(&fragment.tracks)
        {
            return Ok(configs.clone());
        }
        let configs = Arc::new(TrackConfigs::new(&fragment.tracks, self.options));
        let is_first = self.fragments.is_empty();
        let (video, audio) = (configs.chosen.video.number, configs.chosen.audio.number);
        if is_first {
            (self.video.number, self.audio.number) = (video, audio);
        }
        self.active_video
            .enter_video(&mut self.video, fragment, &configs, self.options, events)
            .map_err(|error| error.on_track(video))?;
        self.active_audio
            .enter_audio(&mut self.audio, fragment, &configs, is_first, self.options, events)
            .map_err(|error| error.on_track(audio))?;
        let video_codec = configs.video.as_ref().map_err(Error::clone)?.as_ref().map(|video| video.codec);
        let audio_codec = match self.audio.descriptions.first() {
            Some(SampleDescription::Audio(config)) => Some(config.codec()),
            _ => None,
        };
        check_profile(self.options.profile, video_codec, audio_codec)
            .map_err(|error| error.on_track(audio))?;
        self.last_tracks = Some((fragment.tracks.clone(), configs.clone()));
        Ok(configs)
    }

    fn report_ignored_tracks(
        &mut self,
        fragment: &FragmentIndex,
        chosen: ChosenTracks,
        events: &mut Vec<Event>,
    ) {
        for entry in fragment.tracks() {
            let track = entry.number;
            if !chosen.contains(track) && !self.ignored_tracks.contains(&track) {
                self.ignored_tracks.push(track);
                events.push(Event::TrackIgnored { track, codec_id: entry.codec_id.clone() });
            }
        }
    }

    /// Reports each track of the clip whose times are scaled, once.
    fn report_timestamp_scales(
        &mut self,
        fragment: &FragmentIndex,
        chosen: ChosenTracks,
        events: &mut Vec<Event>,
    ) {
        for entry in fragment.tracks() {
            let (track, scale) = (entry.number, entry.timestamp_scale);
            let is_scaled = scale.total_cmp(&1.0).is_ne();
            if is_scaled && chosen.contains(track) && !self.scaled_tracks.contains(&track) {
                self.scaled_tracks.push(track);
                events.push(Event::TrackTimestampScaleIgnored { track, scale: scale.to_string() });
            }
        }
    }

    /// Bytes that the samples of the fragments so far have at least.
    pub(crate) fn least_len(&self) -> u64 {
        self.least_len
    }

    /// The first `count` fragments.
    pub(crate) fn leading(&self, count: usize) -> LeadingRun<'_> {
        let fragments = self.fragments.get(..count).unwrap_or(&self.fragments);
        LeadingRun::new(fragments, &self.video, &self.audio)
    }
}

/// Bytes that the samples of a fragment have at least: without the parameter sets that may be taken out.
pub(crate) fn least_len(index: &FragmentIndex, chosen: ChosenTracks) -> u64 {
    let of_track = |track: usize| {
        let stripped = index.tracks().get(track).map_or(0, |entry| entry.stripped_header().len());
        index.frames.least_sample_bytes(track, stripped)
    };
    chosen.indices().map(of_track).fold(0, u64::saturating_add)
}

/// Leaves out the frames that cannot be parsed, or refuses their fragment.
fn check_faults(
    index: &FragmentIndex,
    chosen: ChosenTracks,
    incomplete_input: IncompleteInput,
    events: &mut Vec<Event>,
) -> Result<(), Error> {
    for event in frames_left_out(index, chosen) {
        if let Event::FrameLeftOut { track, time_ns, offset, fault, .. } = event
            && (incomplete_input == IncompleteInput::Refuse || fault.is_of_track())
        {
            let kind = match fault.is_of_track() {
                true => ErrorKind::UnsupportedMediaType { reason: fault.to_string() },
                false => ErrorKind::InvalidMediaFrame { time_ms: time_ns.div_euclid(1_000_000), fault },
            };
            return Err(Error::new(kind).on_track(track).at(offset));
        }
        events.push(event);
    }
    Ok(())
}

/// An event for each frame of the chosen tracks that cannot be parsed.
pub(crate) fn frames_left_out(index: &FragmentIndex, chosen: ChosenTracks) -> impl Iterator<Item = Event> {
    index.frames.faults.iter().filter_map(move |faulty| {
        let is_of_clip = chosen.indices().any(|track| track == usize::from(faulty.track));
        let track = index.tracks().get(usize::from(faulty.track))?.number;
        is_of_clip.then(|| Event::FrameLeftOut {
            fragment: index.name(),
            track,
            time_ns: faulty.time_ns,
            offset: index.offset.saturating_add(u64::from(faulty.offset)),
            fault: faulty.fault,
        })
    })
}

impl LeadingRun<'_> {
    /// Checks that the fragments bring every parameter set that decoding needs.
    pub(crate) fn check(&self) -> Result<(), Error> {
        for (samples, fragment) in self.video.samples().zip(self.fragments) {
            if let Some(SampleDescription::Video { config, .. }) =
                self.video.track.descriptions.get(samples.description)
                && !samples.samples.is_empty()
                && !config.is_complete()
            {
                let reason =
                    "expected every kind of parameter set, here or in the frames, found not all of them";
                let error = Error::codec_private(reason).on_track(self.video.track.number);
                return Err(error.in_fragment(fragment.name.clone()).at(fragment.offset));
            }
        }
        Ok(())
    }

    /// What was done to the fragments.
    pub(crate) fn events(&self) -> Vec<Event> {
        let mut events: Vec<Event> =
            self.fragments.iter().flat_map(|fragment| fragment.events.iter().cloned()).collect();
        for run in [self.video, self.audio] {
            let track = run.track.number;
            let sum = |of: fn(&FrameChanges) -> u64| {
                run.samples().map(|samples| of(&samples.changes)).fold(0, u64::saturating_add)
            };
            let kept = run.samples().any(|samples| samples.in_band == InBandParameterSets::Different);
            let with_parameter_sets = sum(|changes| changes.with_parameter_sets);
            if let frames @ 1.. = sum(|changes| changes.converted_framing) {
                events.push(Event::FramingConverted { track, frames });
            }
            if let frames @ 1.. = with_parameter_sets {
                events.push(match kept {
                    true => Event::ParameterSetsKept { track, frames },
                    false => Event::ParameterSetsStripped { track, frames },
                });
            }
            if let nals @ 1.. = sum(|changes| changes.empty_nals) {
                events.push(Event::EmptyNalsDropped { track, nals });
            }
            if let frames @ 1.. = sum(|changes| changes.padded) {
                events.push(Event::PaddingDropped { track, frames });
            }
            if let blocks @ 1.. = sum(|changes| changes.blocks_joined) {
                events.push(Event::BlocksJoined { track, blocks });
            }
            if let pictures @ 1.. = sum(|changes| changes.pictures_split) {
                events.push(Event::PicturesSplit { track, pictures });
            }
            if let blocks @ 1.. = sum(|changes| changes.without_picture) {
                events.push(Event::BlocksWithoutPicture { track, blocks });
            }
            if let frames @ 1.. = sum(|changes| changes.adts) {
                events.push(Event::AdtsStripped { track, frames });
            }
            if !run.track.descriptions.is_empty() && run.samples().all(|samples| samples.samples.is_empty()) {
                events.push(Event::TrackEmpty { track });
            }
        }
        events
    }
}

impl FragmentSamples {
    /// The samples of the track that stands at `track` among `entries`; none if that is `None`.
    fn new(table: &mut FrameTable, track: Option<usize>, entries: &[TrackEntry], description: usize) -> Self {
        let found = track.and_then(|track| Some((table.take(track)?, entries.get(track)?)));
        let Some((mut frames, entry)) = found else { return Self { description, ..Self::default() } };
        Self {
            changes: FrameChanges::of(&frames),
            frame_duration_ns: last_duration(&frames, entry),
            codec_delay_ns: entry.codec_delay_ns,
            samples: std::mem::take(&mut frames.rows),
            nals: Vec::new(),
            recovery_points: frames.recoveries.iter().map(RecoveryPoint::of).collect(),
            description,
            in_band: InBandParameterSets::Absent,
            stripped_header: entry.stripped_header().clone(),
        }
    }

    /// Whether the parameter sets in the frames are those of the sample description, which those of a new number join: some
    /// encoders send a second PPS in the frames only, and the AWS SDK can leave the PPS of H.265 out.
    fn compare_parameter_sets(&self, config: &mut VideoConfig, sets: &[Bytes]) -> InBandParameterSets {
        let mut found = InBandParameterSets::Equal;
        let nals = self.samples.iter().flat_map(|sample| self.nals_of(sample, InBandParameterSets::Absent));
        for nal in nals.filter(|nal| nal.role == NalRole::ParameterSet) {
            let set = sets.get(usize::from(nal.set)).map(|set| &**set).unwrap_or_default();
            match config.join(set) {
                Join::InForce | Join::Joined => {}
                Join::Replaces | Join::Refused => found = InBandParameterSets::Different,
            }
        }
        found
    }
}

impl FrameChanges {
    fn of(frames: &TrackFrames) -> Self {
        let mut changes =
            Self { empty_nals: frames.empty_nals.into(), padded: frames.padded.into(), ..Self::default() };
        let add = |count: &mut u64, is_set: bool| *count = count.saturating_add(u64::from(is_set));
        for row in &frames.rows {
            add(&mut changes.converted_framing, row.has(FrameFlags::CONVERTED_FRAMING));
            add(&mut changes.with_parameter_sets, row.has(FrameFlags::PARAMETER_SETS));
            add(&mut changes.adts, row.has(FrameFlags::ADTS));
        }
        changes
    }
}

/// BlockDuration of the last frame in presentation order, else the track's DefaultDuration.
fn last_duration(frames: &TrackFrames, entry: &TrackEntry) -> Option<i64> {
    let durations = frames.rows.iter().zip(&frames.durations_ns);
    let last_shown = durations.max_by_key(|(row, _)| row.time_ns);
    let declared = last_shown.map(|(_, &duration)| duration).filter(|&duration| duration > 0);
    declared.or(entry.default_duration_ns).and_then(|duration| i64::try_from(duration).ok())
}
