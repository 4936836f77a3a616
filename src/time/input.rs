//! What the time stages read of a plan: for each fragment its start, and of each frame when it is due.
//!
//! Nothing else in this room knows how the plan keeps its samples.

use crate::codec::AudioConfig;
use crate::number::FragmentName;
use crate::plan::{FragmentSamples, InBandParameterSets, LeadingRun, Sample, SampleDescription};
use crate::time::units::Nanos;

/// Numbers of the tracks, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TrackNumbers {
    pub(crate) video: u64,
    pub(crate) audio: u64,
}

/// A fragment of the clip.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fragment<'a> {
    pub(crate) name: &'a FragmentName,
    /// By the producer's clock, from 1970.
    pub(crate) start: Nanos,
    /// TimestampScale: how far apart two times are at least that are not equal.
    pub(crate) tick: Nanos,
    pub(crate) pictures: Pictures<'a>,
    pub(crate) sound: Sound<'a>,
}

/// The pictures of a fragment in decode order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pictures<'a> {
    samples: &'a [Sample],
    /// CodecDelay: how much earlier they are presented than their blocks' times tell (RFC 9559 section 5.1.4.1.25).
    codec_delay: Nanos,
    /// DefaultDuration, or the BlockDuration of the picture that is shown last.
    pub(crate) declared_duration: Option<Nanos>,
    /// How many pictures may be decoded before a picture and shown after it, if the SPS tells.
    pub(crate) reorder_limit: Option<u8>,
}

/// A picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Picture {
    /// When it is shown, from the start of its fragment.
    pub(crate) time: Nanos,
    /// An IDR picture of H.264 or an IRAP picture of H.265: nothing from here on in decode order is shown before
    /// anything decoded ahead of it.
    pub(crate) is_barrier: bool,
    /// It is shown before the barrier that it follows.
    pub(crate) is_leading: bool,
    /// It cannot be decoded if decoding begins at that barrier.
    pub(crate) is_skipped: bool,
}

/// The audio frames of a fragment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sound<'a> {
    samples: &'a [Sample],
    /// Bytes that were cut off the front of frames.
    stripped: u32,
    config: Option<&'a AudioConfig>,
    /// CodecDelay: how much earlier they are heard than their blocks' times tell, and how much the decoder puts out
    /// at its start that is not sound.
    pub(crate) codec_delay: Nanos,
}

/// A frame of AAC, which is one sample, or a block of PCM, which is one for each PCM frame: `count` samples of `ticks`
/// each, at the sampling rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AudioFrame {
    pub(crate) count: u32,
    pub(crate) ticks: u32,
}

/// A longer delay is no delay of an encoder: AAC has 0.1 s at most.
const MAX_CODEC_DELAY: Nanos = Nanos::from_secs(1);

/// The numbers of the tracks of a plan.
pub(crate) fn track_numbers(run: LeadingRun<'_>) -> TrackNumbers {
    TrackNumbers { video: run.video.track.number, audio: run.audio.track.number }
}

/// The fragments of a plan that make a clip.
pub(crate) fn fragments(run: LeadingRun<'_>) -> Vec<Fragment<'_>> {
    let config = |audio: &FragmentSamples| match run.audio.track.descriptions.get(audio.description) {
        Some(SampleDescription::Audio(config)) => Some(config),
        _ => None,
    };
    let reorder_limits: Vec<Option<u8>> = run.video.track.descriptions.iter().map(reorder_limit).collect();
    run.fragments
        .iter()
        .map(|fragment| Fragment {
            name: &fragment.name,
            start: Nanos::new(fragment.start_ns),
            tick: Nanos::new(fragment.timestamp_scale_ns),
            pictures: Pictures {
                samples: &fragment.video.samples,
                codec_delay: codec_delay(fragment.video.codec_delay_ns),
                declared_duration: fragment.video.frame_duration_ns.map(Nanos::new),
                // Sets in the frames that differ may allow more.
                reorder_limit: match fragment.video.in_band {
                    InBandParameterSets::Different => None,
                    _ => reorder_limits.get(fragment.video.description).copied().flatten(),
                },
            },
            sound: Sound {
                samples: &fragment.audio.samples,
                stripped: fragment.audio.stripped_len(),
                config: config(&fragment.audio),
                codec_delay: codec_delay(fragment.audio.codec_delay_ns),
            },
        })
        .collect()
}

/// How far pictures under a description can be reordered, if its SPS tells.
fn reorder_limit(description: &SampleDescription) -> Option<u8> {
    match description {
        SampleDescription::Video { config, .. } => config.max_reorder_frames(),
        SampleDescription::Audio(_) => None,
    }
}

fn codec_delay(declared_ns: u64) -> Nanos {
    let delay = Nanos::new(i64::try_from(declared_ns).unwrap_or(i64::MAX));
    if delay > MAX_CODEC_DELAY { Nanos::ZERO } else { delay }
}

impl<'a> Pictures<'a> {
    pub(crate) fn len(&self) -> usize {
        self.samples.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    pub(crate) fn get(&self, index: usize) -> Option<Picture> {
        self.samples.get(index).map(|sample| self.picture(sample))
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = Picture> + Clone + use<'a> {
        let pictures = *self;
        self.samples.iter().map(move |sample| pictures.picture(sample))
    }

    /// When the pictures are shown, if the fragment starts at `start`.
    #[inline]
    pub(crate) fn times_from(&self, start: Nanos) -> impl ExactSizeIterator<Item = Nanos> + use<'a> {
        let start = start - self.codec_delay;
        self.samples.iter().map(move |sample| start + Nanos::new(sample.time_ns))
    }

    #[inline]
    fn picture(&self, sample: &Sample) -> Picture {
        Picture {
            time: Nanos::new(sample.time_ns) - self.codec_delay,
            is_barrier: sample.is_sync(),
            is_leading: sample.is_leading(),
            is_skipped: sample.is_skipped(),
        }
    }
}

impl<'a> Sound<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Whether its samples are PCM frames.
    pub(crate) fn is_pcm(&self) -> bool {
        matches!(self.config, Some(AudioConfig::G711(_)))
    }

    pub(crate) fn sampling_rate(&self) -> u32 {
        self.config.map_or(1, |config| config.sampling_rate().max(1))
    }

    /// How long the last of its frames is.
    pub(crate) fn last_frame(&self) -> Option<AudioFrame> {
        self.samples.last().map(|sample| self.frame(sample))
    }

    /// Times of its frames from the start of the fragment. `None` for a frame that nothing tells the time of.
    #[inline]
    pub(crate) fn times(&self) -> impl Iterator<Item = Option<Nanos>> + Clone + use<'a> {
        let delay = self.codec_delay;
        let time = move |sample: &Sample| Nanos::new(sample.time_ns) - delay;
        self.samples.iter().map(move |sample| (!sample.inherits_time()).then(|| time(sample)))
    }

    /// The earliest and the latest time of its frames. `None` if nothing tells the time of any.
    pub(crate) fn first_and_last(&self) -> Option<(Nanos, Nanos)> {
        let timed = self.samples.iter().filter(|sample| !sample.inherits_time());
        let (first, last) = timed.fold((i64::MAX, i64::MIN), |(first, last), sample| {
            (first.min(sample.time_ns), last.max(sample.time_ns))
        });
        (first <= last).then(|| (Nanos::new(first) - self.codec_delay, Nanos::new(last) - self.codec_delay))
    }

    /// Its frames with their times.
    pub(crate) fn frames(&self) -> impl Iterator<Item = (Option<Nanos>, AudioFrame)> + use<'a> {
        let sound = *self;
        self.times().zip(self.samples.iter().map(move |sample| sound.frame(sample)))
    }

    /// The sound from a frame on.
    pub(crate) fn skip(self, frames: usize) -> Self {
        Self { samples: self.samples.get(frames..).unwrap_or_default(), ..self }
    }

    /// The sound up to a frame.
    pub(crate) fn take(self, frames: usize) -> Self {
        Self { samples: self.samples.get(..frames).unwrap_or(self.samples), ..self }
    }

    pub(crate) fn len(&self) -> usize {
        self.samples.len()
    }

    /// The frame that comes first, and how many are as long up to the first that is not. All frames of AAC are alike;
    /// blocks of PCM are where they have as many bytes.
    pub(crate) fn alike(&self) -> Option<(AudioFrame, usize)> {
        let first = self.samples.first()?;
        let count = match self.is_pcm() {
            true => {
                let len = |sample: &Sample| sample.verbatim_len(self.stripped);
                self.samples.iter().take_while(|sample| len(sample) == len(first)).count()
            }
            false => self.samples.len(),
        };
        Some((self.frame(first), count))
    }

    fn frame(&self, sample: &Sample) -> AudioFrame {
        match self.config {
            Some(AudioConfig::Aac(config)) => AudioFrame { count: 1, ticks: config.frame_length() },
            Some(AudioConfig::G711(config)) => {
                let len = sample.verbatim_len(self.stripped);
                let count = len.checked_div(u32::from(config.channels())).unwrap_or(0);
                AudioFrame { count, ticks: 1 }
            }
            None => AudioFrame { count: 1, ticks: 1 },
        }
    }
}

impl AudioFrame {
    /// How long it is, in ticks. One of the two is 1.
    #[inline]
    pub(crate) fn length(self) -> u32 {
        self.count.saturating_mul(self.ticks)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::codec::aac::AacConfig;
    use crate::codec::g711::G711Config;
    use crate::index::frame_table::FrameFlags;

    /// A fragment whose parts the tests set one by one. Times are in milliseconds from its start.
    #[derive(Debug, Clone)]
    pub(crate) struct Recorded {
        pub(crate) start_ms: i64,
        pub(crate) tick: Nanos,
        pub(crate) pictures: Vec<Sample>,
        pub(crate) reorder_limit: Option<u8>,
        pub(crate) declared_ms: Option<i64>,
        pub(crate) sound: Vec<Sample>,
        pub(crate) codec_delay: Nanos,
    }

    impl Recorded {
        pub(crate) fn at(start_ms: i64) -> Self {
            Self {
                start_ms,
                tick: Nanos::from_millis(1),
                pictures: Vec::new(),
                reorder_limit: None,
                declared_ms: None,
                sound: Vec::new(),
                codec_delay: Nanos::ZERO,
            }
        }

        /// With pictures, the first of them an IDR picture.
        pub(crate) fn pictures(mut self, times_ms: impl IntoIterator<Item = i64>) -> Self {
            self.pictures = times_ms.into_iter().map(|ms| sample(ms, FrameFlags::default())).collect();
            self.flag(0, FrameFlags::SYNC)
        }

        /// With one more flag of a picture.
        pub(crate) fn flag(mut self, index: usize, flag: FrameFlags) -> Self {
            self.pictures[index].flags = self.pictures[index].flags.with(flag, true);
            self
        }

        /// Without an IDR picture.
        pub(crate) fn without_barrier(mut self) -> Self {
            self.pictures.iter_mut().for_each(|picture| picture.flags = FrameFlags::default());
            self
        }

        pub(crate) fn sound(mut self, times_ms: impl IntoIterator<Item = i64>) -> Self {
            self.sound = times_ms.into_iter().map(|ms| sample(ms, FrameFlags::default())).collect();
            self
        }
    }

    /// A frame of 160 bytes.
    fn sample(time_ms: i64, flags: FrameFlags) -> Sample {
        Sample { time_ns: time_ms * 1_000_000, offset: 0, len: 160, first_nal: 0, nals: 0, flags }
    }

    /// LC, 48 kHz, stereo, 1024 samples a frame.
    pub(crate) fn aac() -> AudioConfig {
        AudioConfig::Aac(AacConfig::parse(&[0x11, 0x90]).unwrap())
    }

    /// A-law, 8 kHz, mono: WAVEFORMATEX.
    pub(crate) fn alaw() -> AudioConfig {
        let format = [6, 0, 1, 0, 0x40, 0x1F, 0, 0, 0x40, 0x1F, 0, 0, 1, 0, 8, 0, 0, 0];
        AudioConfig::G711(G711Config::parse(&format).unwrap())
    }

    /// The fragments as the time stages see them.
    pub(crate) fn seen<'a>(recorded: &'a [Recorded], audio: &'a AudioConfig) -> Vec<Fragment<'a>> {
        static NAME: FragmentName = FragmentName::Position(0);
        let fragment = |recorded: &'a Recorded| Fragment {
            name: &NAME,
            start: Nanos::from_millis(recorded.start_ms),
            tick: recorded.tick,
            pictures: Pictures {
                samples: &recorded.pictures,
                codec_delay: Nanos::ZERO,
                declared_duration: recorded.declared_ms.map(Nanos::from_millis),
                reorder_limit: recorded.reorder_limit,
            },
            sound: Sound {
                samples: &recorded.sound,
                stripped: 0,
                config: Some(audio),
                codec_delay: recorded.codec_delay,
            },
        };
        recorded.iter().map(fragment).collect()
    }
}
