//! [`TrackPlan`]: the fragments of the clip in order, put together into tracks.

use std::sync::Arc;

use bytes::Bytes;

use crate::codec::nal::{Nal, NalKind};
use crate::codec::{Codec, VideoConfig};
use crate::error::Error;
use crate::fragment::Fragment;
use crate::report::Event;
use crate::track::entries::InForce;
use crate::track::scan::{FragmentScan, TrackScan};
use crate::track::tracks::{self, AUDIO_TRACK, TrackConfigs, VIDEO_TRACK};
use crate::track::{Adapted, ClipFragment, Entry, ParameterSets, PlanOptions, Segment, Track};

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
    last_configs: Option<Arc<TrackConfigs>>,
}

impl TrackPlan {
    pub(crate) fn new(options: PlanOptions) -> Self {
        let track = |number| Track { number, entries: Vec::new(), segments: Vec::new() };
        Self {
            video: track(VIDEO_TRACK),
            audio: track(AUDIO_TRACK),
            fragments: Vec::new(),
            options,
            video_in_force: InForce::default(),
            audio_in_force: InForce::default(),
            least_len: 0,
            ignored_tracks: Vec::new(),
            last_configs: None,
        }
    }

    /// Adds the next fragment of the clip, which starts at `start_ns` by the producer's clock.
    pub(crate) fn add(
        &mut self,
        fragment: &Fragment,
        scan: FragmentScan,
        start_ns: i64,
    ) -> Result<(), Error> {
        self.add_unlocated(fragment, scan, start_ns)
            .map_err(|error| error.in_fragment(fragment.name()).at(fragment.offset()))
    }

    fn add_unlocated(&mut self, fragment: &Fragment, scan: FragmentScan, start_ns: i64) -> Result<(), Error> {
        let mut events = Vec::new();
        if self.last_configs.as_ref().is_none_or(|last| !Arc::ptr_eq(last, &scan.configs)) {
            self.enter(fragment, &scan, &mut events)?;
            self.last_configs = Some(scan.configs.clone());
        }
        self.note_ignored_tracks(fragment, &mut events);
        self.least_len = self.least_len.saturating_add(scan.least_len);
        if let Some(error) = scan.error {
            return Err(error);
        }
        if scan.video.samples.first().is_some_and(|first| !first.sync) {
            events.push(Event::NoKeyFrameFirst { fragment: fragment.name() });
        }
        let parameter_sets = match self.video.entries.get_mut(self.video_in_force.entry) {
            Some(Entry::Video { config, .. }) if scan.video.adapted.with_parameter_sets > 0 => {
                compare_parameter_sets(config, &scan.nals, &fragment.data)
            }
            _ => ParameterSets::Absent,
        };
        let (video, audio) = (self.video_in_force.entry, self.audio_in_force.entry);
        self.video.segments.push(Segment::new(scan.video, scan.nals, video, parameter_sets));
        self.audio.segments.push(Segment::new(scan.audio, Vec::new(), audio, ParameterSets::Absent));
        self.fragments.push(ClipFragment {
            name: fragment.name(),
            start_ns,
            timestamp_scale_ns: i64::try_from(fragment.timestamp_scale_ns()).unwrap_or(i64::MAX),
            server_timestamp: fragment.server_timestamp(),
            offset: fragment.offset(),
            data: fragment.data.clone(),
            events,
        });
        Ok(())
    }

    /// Puts the entries of a fragment's tracks in force.
    fn enter(
        &mut self,
        fragment: &Fragment,
        scan: &FragmentScan,
        events: &mut Vec<Event>,
    ) -> Result<(), Error> {
        let is_first = self.fragments.is_empty();
        let entered = self.video_in_force.enter_video(&mut self.video, fragment, scan, self.options);
        events.extend(entered.map_err(|error| error.on_track(VIDEO_TRACK))?);
        let entered =
            self.audio_in_force.enter_audio(&mut self.audio, fragment, scan, is_first, self.options);
        events.extend(entered.map_err(|error| error.on_track(AUDIO_TRACK))?);
        let video = self.video.entries.get(self.video_in_force.entry).map_or(Codec::H264, Entry::codec);
        tracks::check_profile(self.options.profile, video, self.audio.codec())
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
                let error = Error::codec_private(reason).on_track(VIDEO_TRACK);
                return Err(error.in_fragment(&fragment.name).at(fragment.offset));
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

impl Segment {
    fn new(scan: TrackScan, nals: Vec<Nal>, entry: usize, parameter_sets: ParameterSets) -> Self {
        let TrackScan { samples, adapted, frame_duration_ns } = scan;
        Self { samples, nals, entry, parameter_sets, adapted, frame_duration_ns }
    }
}

/// Whether the parameter sets of a fragment's frames are those of the sample entry, which is completed where it has none of a
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
