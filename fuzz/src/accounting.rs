//! A clip against its input: the file is one that an independent reader accepts, and every frame is accounted for.

use getclip::{Clip, Event, Fragment, FragmentReport, Frame, TrackDetails, TrackEntry, TrackReport};

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
    let frames = fragment.index().frames().filter(is_of_clip);
    fragment.name() == report.name
        && frames.count() as u64 == report.frames
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
        let mut shown = Vec::new();
        for (index, (frame, bytes)) in fragment.frames().enumerate() {
            let matches = match frame.track().number {
                VIDEO => {
                    let sample = self.video.split_off_first().ok_or("too few video samples")?;
                    shown.push((frame.time_ns(), sample));
                    self.is_video_sample(frame.track(), &bytes, sample)
                }
                AUDIO if !self.pcm.is_empty() => {
                    let is_next = self.pcm.starts_with(&bytes);
                    self.pcm.drain(..bytes.len().min(self.pcm.len()));
                    is_next
                }
                AUDIO => {
                    let sample = self.audio.split_off_first().ok_or("too few audio samples")?;
                    *bytes == *sample.bytes
                }
                _ => true,
            };
            if !matches {
                return Err(format!("the sample of frame {index} is not its frame"));
            }
        }
        self.check_times(report, &shown, events)?;
        Ok(self)
    }

    /// A video sample is the frame behind lengths of 4 bytes, with its parameter sets or without.
    fn is_video_sample(&self, entry: &TrackEntry, frame: &[u8], sample: &SampleView<'_>) -> bool {
        let Some(track) = self.video_track else { return false };
        let is_hevc = entry.codec_id.contains("HEVC");
        let is_parameter_set = |nal: &&[u8]| match is_hevc {
            true => matches!(nal[0] >> 1 & 0x3F, 32..=34),
            false => matches!(nal[0] & 0x1F, 7 | 8),
        };
        let fourcc = track.entries[sample.description_index as usize - 1].fourcc;
        length_sizes(entry, is_hevc).iter().flat_map(|&size| readings(frame, size)).any(|nals| {
            let stripped: Vec<&[u8]> = nals.iter().copied().filter(|nal| !is_parameter_set(nal)).collect();
            match fourcc {
                // These sample entries promise that no sample has a parameter set.
                _ if fourcc == "avc1" || fourcc == "hvc1" => with_lengths(&stripped) == sample.bytes,
                _ => with_lengths(&nals) == sample.bytes,
            }
        })
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
            if let Some(pair) = offs.windows(2).find(|pair| pair[1] < pair[0] - tolerance_ns) {
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

fn is_of_clip(frame: &Frame<'_>) -> bool {
    matches!(frame.track().number, VIDEO | AUDIO)
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

fn with_lengths(nals: &[&[u8]]) -> Vec<u8> {
    nals.iter().flat_map(|nal| [&(nal.len() as u32).to_be_bytes()[..], *nal].concat()).collect()
}
