//! A clip against its input: the file is one that an independent reader accepts, and every frame is accounted for.

use getclip::{Clip, Event, Fragment, FragmentReport, TrackDetails, TrackEntry, TrackReport};

use super::Options;
use testkit::mp4::{Movie, SampleView, TrackView};

const VIDEO: u64 = 1;
const AUDIO: u64 = 2;

/// Checks a clip that was built of the fragments `offered`.
pub fn check_clip(clip: &Clip, offered: &[Fragment], options: Options) {
    let report = clip.report();
    let limits = options.limits();
    assert!(clip.len() <= limits.max_bytes.get());
    assert!((1..=limits.max_fragments.get()).contains(&report.fragments.len()));
    let file = clip.chunks().collect::<Vec<_>>().concat();
    assert_eq!(file.len() as u64, clip.len());
    let movie = Movie::parse(&file);

    assert!(!movie.tracks.is_empty(), "a clip without a track");
    assert_eq!(movie.tracks.len(), report.tracks.len());
    for (track, report) in movie.tracks.iter().zip(&report.tracks) {
        check_track(track, report);
    }
    check_fragments(clip, offered);
    check_frames(clip, &movie, offered);
}

/// The report of a track against the track.
fn check_track(track: &TrackView<'_>, report: &TrackReport) {
    assert_eq!(u64::from(track.id), report.number);
    assert_eq!(track.table.sizes.count() as u64, report.samples);
    assert_eq!(track.table.sizes.sum(0, track.table.sizes.count()) as u64, report.bytes);
    assert!(report.samples > 0, "a track without a sample");
    let sync = track.table.sync_samples.as_ref().map_or(report.samples, |numbers| numbers.len() as u64);
    match report.details {
        TrackDetails::Video { sync_samples, .. } => assert_eq!(sync, sync_samples),
        _ => assert_eq!(sync, report.samples),
    }
    for sample in &track.samples {
        assert!(track.time_of(sample).is_some(), "a sample that is not shown: {sample:?}");
    }
}

/// Each fragment that was offered is in the clip, or the report says why not.
fn check_fragments(clip: &Clip, offered: &[Fragment]) {
    let report = clip.report();
    assert_eq!(report.offered, offered.len() as u64);
    let count = |is_one: fn(&Event) -> bool| report.events.iter().filter(|event| is_one(event)).count();
    let left_out = count(|event| match event {
        Event::DuplicateDropped { .. } | Event::Empty { .. } => true,
        Event::Incomplete { frames, .. } => *frames == 0,
        _ => false,
    });
    // The frames of an incomplete fragment may all be of tracks that are left out.
    let may_be_left_out = count(|event| matches!(event, Event::Incomplete { frames: 1.., .. }));
    let left_out = left_out + offered.iter().filter(|fragment| is_damage_alone(fragment)).count();
    let least = report.fragments.len() + left_out + report.out_of_range as usize;
    let most = least + may_be_left_out + report.unnamed as usize;
    match report.cut {
        Some(_) => assert!(least < offered.len()),
        None => assert!((least..=most).contains(&offered.len()), "fragments that nothing is said of"),
    }
}

/// Whether this stands for damage that no fragment follows.
fn is_damage_alone(fragment: &Fragment) -> bool {
    let is_before = |damage: &getclip::Damage| damage.offset <= fragment.offset();
    fragment.incomplete().is_none()
        && fragment.index().media_len() == 0
        && !fragment.damages().is_empty()
        && fragment.damages().iter().all(is_before)
}

/// Each frame of each fragment in the clip is a sample, in order; there are no others.
fn check_frames(clip: &Clip, movie: &Movie<'_>, offered: &[Fragment]) {
    let events = &clip.report().events;
    let mut places = Places::new(movie, offered);
    for report in &clip.report().fragments {
        let is_it = |fragment: &&Fragment| is_fragment(fragment, report);
        let after: Vec<Places<'_>> = offered
            .iter()
            .filter(is_it)
            .filter_map(|fragment| places.clone().behind(fragment, report, events).ok())
            .collect();
        places = after.into_iter().next().unwrap_or_else(|| {
            let why = offered
                .iter()
                .filter(is_it)
                .map(|fragment| places.clone().behind(fragment, report, events).err().unwrap_or_default());
            panic!("fragment {}: {:?}", report.name, why.collect::<Vec<_>>())
        });
    }
    assert!(places.video.is_empty() && places.audio.is_empty() && places.pcm.is_empty(), "samples too many");
}

/// Whether the report may be that of the fragment. Numbers are unique as a rule, but not in hostile input.
fn is_fragment(fragment: &Fragment, report: &FragmentReport) -> bool {
    fragment.name() == report.name
        && fragment.producer_timestamp().is_none_or(|time| time == report.producer_timestamp)
        && fragment.server_timestamp() == report.server_timestamp
}

/// The samples that are still to be accounted for.
#[derive(Debug, Clone)]
struct Places<'a> {
    video_track: Option<&'a TrackView<'a>>,
    /// The coarsest clock of the input.
    scale_ns: u64,
    video: &'a [SampleView<'a>],
    audio: &'a [SampleView<'a>],
    pcm: Vec<u8>,
}

impl<'a> Places<'a> {
    fn new(movie: &'a Movie<'a>, offered: &[Fragment]) -> Self {
        let find = |id: u64| movie.tracks.iter().find(|track| u64::from(track.id) == id);
        Self {
            video_track: find(VIDEO),
            scale_ns: offered.iter().map(|fragment| fragment.index().timestamp_scale_ns()).max().unwrap_or(0),
            video: find(VIDEO).map_or(&[], |track| &track.samples),
            audio: find(AUDIO).map_or(&[], |track| &track.samples),
            pcm: find(AUDIO).filter(|track| track.is_pcm()).map(TrackView::pcm_bytes).unwrap_or_default(),
        }
    }

    /// Takes the samples of a fragment off the front.
    fn behind(
        mut self,
        fragment: &Fragment,
        report: &FragmentReport,
        events: &[Event],
    ) -> Result<Self, String> {
        let mut pictures = Vec::new();
        let frames: Vec<_> = fragment.frames().collect();
        for (index, (frame, bytes)) in frames.iter().enumerate() {
            let matches = match frame.track().number {
                VIDEO => {
                    pictures.push((frame.time_ns(), VideoFrame::read(frame.track(), bytes)));
                    true
                }
                AUDIO if !self.pcm.is_empty() => {
                    let is_next = self.pcm.starts_with(bytes);
                    self.pcm.drain(..bytes.len().min(self.pcm.len()));
                    is_next
                }
                AUDIO => {
                    let sample = self.audio.split_off_first().ok_or("too few audio samples")?;
                    **bytes == *sample.bytes
                }
                _ => true,
            };
            if !matches {
                return Err(format!("the sample of frame {index} is not its frame"));
            }
        }
        let sounds = fragment.index().frames().filter(|frame| frame.track().number == AUDIO).count() as u64;
        let samples = report.frames.checked_sub(sounds).ok_or("too few frames in the report")? as usize;
        let samples = self.video.split_off(..samples).ok_or("too few video samples")?;
        let is_one_each = || samples.len() == pictures.len();
        let are_plain = is_one_each()
            && samples.iter().zip(&pictures).all(|(sample, (_, frame))| {
                frame.readings.iter().any(|nals| self.is_sample(frame, nals, sample))
            });
        if are_plain {
            let shown: Vec<_> = pictures.iter().map(|(time_ns, _)| *time_ns).zip(samples).collect();
            self.check_times(report, &shown, events)?;
        } else if pictures.iter().all(|(_, frame)| frame.is_surely_one_picture()) {
            return Err("a sample is not its frame".into());
        } else {
            self.check_sequence(&pictures, samples)?;
        }
        Ok(self)
    }

    /// A video sample is the frame behind lengths of 4 bytes, with its parameter sets or without.
    fn is_sample(&self, frame: &VideoFrame<'_>, nals: &[&[u8]], sample: &SampleView<'_>) -> bool {
        let Some(of_sample) = by_lengths(sample.bytes, 4) else { return false };
        let (sets, others): (Vec<&[u8]>, Vec<&[u8]>) =
            of_sample.into_iter().partition(|nal| frame.is_parameter_set(nal));
        let (own_sets, own_others): (Vec<&[u8]>, Vec<&[u8]>) =
            nals.iter().copied().partition(|nal| frame.is_parameter_set(nal));
        // `avc1` and `hvc1` promise that no sample has a parameter set; in others, those of the entry may be put first.
        let sets_are_right =
            if self.may_have_sets(sample) { sets.ends_with(&own_sets) } else { sets.is_empty() };
        sets_are_right && others == own_others
    }

    fn may_have_sets(&self, sample: &SampleView<'_>) -> bool {
        let entry = |track: &'a TrackView<'a>| track.entries[sample.description_index as usize - 1].fourcc;
        self.video_track.is_some_and(|track| !matches!(&*entry(track).to_string(), "avc1" | "hvc1"))
    }

    /// Where frames are no pictures each, all NAL units are in the samples in their order, parameter sets aside. Only those
    /// at the end that no picture follows are not.
    fn check_sequence(
        &self,
        frames: &[(i64, VideoFrame<'_>)],
        samples: &[SampleView<'_>],
    ) -> Result<(), String> {
        let Some((_, first)) = frames.first() else {
            return if samples.is_empty() { Ok(()) } else { Err("samples without frames".into()) };
        };
        let is_set = |nal: &&[u8]| first.is_parameter_set(nal);
        let mut left: Vec<&[u8]> = Vec::new();
        for sample in samples {
            let nals = by_lengths(sample.bytes, 4).ok_or("a sample that is no NAL units")?;
            if !nals.iter().any(|nal| first.is_slice(nal)) {
                return Err("a sample without a picture".into());
            }
            left.extend(nals.iter().filter(|nal| !is_set(nal)));
        }
        let mut left = &left[..];
        for (index, (_, frame)) in frames.iter().enumerate() {
            let fits = frame.readings.iter().find_map(|nals| {
                let nals: Vec<&[u8]> = nals.iter().copied().filter(|nal| !is_set(nal)).collect();
                let is_next = left.starts_with(&nals);
                let is_last = left.is_empty() && !nals.iter().any(|nal| first.is_slice(nal))
                    || !is_next
                        && nals.starts_with(left)
                        && !nals[left.len()..].iter().any(|nal| first.is_slice(nal));
                (is_next || is_last).then_some(nals.len().min(left.len()))
            });
            match fits {
                Some(taken) => left = &left[taken..],
                None => return Err(format!("the NAL units of frame {index} are not in the samples")),
            }
        }
        if left.is_empty() { Ok(()) } else { Err("NAL units of no frame".into()) }
    }

    /// Pictures are as far apart as their times, unless they had to be set apart or their clock steps back.
    fn check_times(
        &self,
        report: &FragmentReport,
        shown: &[(i64, &SampleView<'_>)],
        events: &[Event],
    ) -> Result<(), String> {
        let Some(track) = self.video_track else { return Ok(()) };
        let steps_back = events
            .iter()
            .any(|event| matches!(event, Event::SteppedBack { fragment, .. } if *fragment == report.name));
        let mut in_order: Vec<(i64, i128)> =
            shown.iter().filter_map(|(time_ns, sample)| Some((*time_ns, track.time_of(sample)?))).collect();
        let off = |(time_ns, shown_ns): &(i64, i128)| shown_ns - i128::from(*time_ns);
        // A tick of the input, one of the media, one of the movie.
        let tick_ns = 1_000_000_000 / i128::from(track.timescale);
        let tolerance_ns = i128::from(self.scale_ns) + 2 + tick_ns + 1_000_000_000 / 90_000;
        let spread = events.iter().any(|event| matches!(event, Event::CollisionsSpread { .. }));
        if !spread {
            let offs: Vec<i128> = in_order.iter().map(off).collect();
            // Pictures that are closer than a tick of the media are a tick apart: a clip of days has coarse ones.
            let mut set_apart_ns = vec![0];
            for (before, after) in in_order.iter().zip(in_order.iter().skip(1)) {
                let late =
                    set_apart_ns[set_apart_ns.len() - 1] + tick_ns - i128::from(after.0 - before.0).max(0);
                set_apart_ns.push(late.clamp(0, tick_ns * in_order.len() as i128));
            }
            // What follows a step back is later than its time by more than what is before.
            let pairs = offs.windows(2).zip(&set_apart_ns);
            if let Some((pair, _)) =
                pairs.into_iter().find(|(pair, apart)| pair[1] < pair[0] - tolerance_ns - **apart)
            {
                return Err(format!("a picture is earlier than the one before: {pair:?}"));
            }
            let is_near = |first: &i128, later: &i128, apart: &i128| {
                later - first <= tolerance_ns + apart || steps_back
            };
            if let Some(first) = offs.first()
                && let Some((later, _)) =
                    offs.iter().zip(&set_apart_ns).find(|(later, apart)| !is_near(first, later, apart))
            {
                return Err(format!("a picture is {later} ns off, the first {first}"));
            }
        }
        in_order.sort_by_key(|(time_ns, _)| *time_ns);
        if !steps_back && !in_order.is_sorted_by(|a, b| a.1 < b.1) {
            return Err("pictures out of order".into());
        }
        Ok(())
    }
}

/// Bytes of a NAL length by the codec private data. Without any, what was known before holds.
fn length_sizes(entry: &TrackEntry, is_hevc: bool) -> Vec<usize> {
    let private = entry.codec_private.as_deref().filter(|private| !private.is_empty());
    match private {
        None => vec![4, 2, 1],
        Some(stream) if is_byte_stream(stream) => vec![4],
        Some(record) => {
            let byte = record.get(if is_hevc { 21 } else { 4 }).copied().unwrap_or(3);
            vec![usize::from(byte & 3) + 1]
        }
    }
}

fn is_byte_stream(bytes: &[u8]) -> bool {
    let behind_zeros = bytes.iter().position(|&byte| byte != 0);
    behind_zeros.is_some_and(|zeros| zeros >= 2 && bytes[zeros] == 1)
}

/// A frame of the video track, in each way that it can be read.
struct VideoFrame<'a> {
    is_hevc: bool,
    readings: Vec<Vec<&'a [u8]>>,
}

impl<'a> VideoFrame<'a> {
    fn read(entry: &TrackEntry, bytes: &'a [u8]) -> Self {
        let is_hevc = entry.codec_id.contains("HEVC");
        let readings = length_sizes(entry, is_hevc).into_iter().flat_map(|size| readings(bytes, size));
        Self { is_hevc, readings: readings.collect() }
    }

    fn is_parameter_set(&self, nal: &[u8]) -> bool {
        match self.is_hevc {
            true => matches!(nal[0] >> 1 & 0x3F, 32..=34),
            false => matches!(nal[0] & 0x1F, 7 | 8),
        }
    }

    /// A slice of the pictures that every decoder shows: of nuh_layer_id 0.
    fn is_slice(&self, nal: &[u8]) -> bool {
        let is_base_layer = nal[0] & 1 == 0 && nal.get(1).is_none_or(|byte| byte >> 3 == 0);
        match self.is_hevc {
            true => is_base_layer && matches!(nal[0] >> 1 & 0x3F, 0..=9 | 16..=21),
            false => matches!(nal[0] & 0x1F, 1..=5),
        }
    }

    /// `first_mb_in_slice` is 0, or `first_slice_segment_in_pic_flag` is 1. The data partitions B and C of H.264 have neither.
    fn is_first_slice(&self, nal: &[u8]) -> bool {
        let (header_len, has_header) = match self.is_hevc {
            true => (2, true),
            false => (1, !matches!(nal[0] & 0x1F, 3 | 4)),
        };
        self.is_slice(nal) && has_header && nal.get(header_len).is_some_and(|byte| byte & 0x80 != 0)
    }

    /// However it is read, one picture begins in it, and before any other slice.
    fn is_surely_one_picture(&self) -> bool {
        self.readings.iter().all(|nals| {
            let mut slices = nals.iter().filter(|nal| self.is_slice(nal));
            slices.next().is_some_and(|nal| self.is_first_slice(nal))
                && !slices.any(|nal| self.is_first_slice(nal))
        })
    }
}

/// The NAL units of a frame that have a byte: by lengths if these fit, and by start codes if it begins with one. A frame that
/// reads in both ways goes with its track.
fn readings(frame: &[u8], length_size: usize) -> Vec<Vec<&[u8]>> {
    let by_start_codes = is_byte_stream(frame).then(|| by_start_codes(frame));
    let readings = by_lengths(frame, length_size).into_iter().chain(by_start_codes);
    readings.map(|nals| nals.into_iter().filter(|nal| !nal.is_empty()).collect()).collect()
}

/// Zeros that are too few for another length pad the frame.
fn by_lengths(frame: &[u8], length_size: usize) -> Option<Vec<&[u8]>> {
    let (mut nals, mut rest) = (Vec::new(), frame);
    while rest.len() >= length_size || rest.iter().any(|&byte| byte != 0) {
        let (len, behind) = rest.split_at_checked(length_size)?;
        let len = len.iter().fold(0, |len, &byte| len << 8 | usize::from(byte));
        let (nal, behind) = behind.split_at_checked(len)?;
        nals.push(nal);
        rest = behind;
    }
    Some(nals)
}

fn by_start_codes(frame: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = (0..frame.len()).filter(|&at| frame[at..].starts_with(&[0, 0, 1])).collect();
    let ends = starts.iter().skip(1).copied().chain([frame.len()]);
    let nal = |(start, end): (&usize, usize)| {
        let mut nal = &frame[start + 3..end];
        while let [front @ .., 0] = nal {
            nal = front;
        }
        nal
    };
    starts.iter().zip(ends).map(nal).collect()
}
