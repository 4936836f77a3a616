//! Decode and presentation times of the samples of a clip: from a fragment's tag to the edit list.
//!
//! ```text
//! producer timestamp ──┐
//! block's offset ──────┼─▶ input ─▶ continuity ─▶ order ──────────▶ video ─▶ stts ctts ─┐
//! CodecDelay ──────────┘   one      gaps,         reordering,       cadence             ├─▶ edit list
//!                          point    frame         overlaps,                             │
//!                          a frame  durations     steps back ─────▶ audio ─▶ stts ──────┘
//!                                                                   runs, re-anchors
//! ```
//!
//! * [`input`] is all that the stages know of a plan. The time of a frame is its fragment's start by the producer's clock
//!   and its block's offset, less the track's CodecDelay: integers, never added up.
//! * [`continuity`] tells how long frames last, and what is a gap. [`reordering`] tells how far pictures are reordered.
//! * [`order`] puts pictures in presentation order, and moves what overlaps.
//! * [`video`] derives decode times, on an exact [`cadence`] where there is one; [`audio`] lays frames by their length.
//!   [`rounding`] puts both where the rounding of their clock lets them be, by one origin.
//! * [`timeline`] does it fragment by fragment, and reports what was not plain. [`track_times`] is the result, which
//!   [`trim`] cuts to a range.
//!
//! # A worked example
//!
//! A fragment of three pictures and sound, tagged `1700000000.000`, and the next, tagged `1700000000.100`; the clock of the
//! blocks ticks once a millisecond. The camera makes 30 pictures a second, the second decoded is a P picture and the third
//! a B picture; sound is AAC of 48 kHz, 1024 samples or 21 1/3 ms a frame.
//!
//! ```text
//!                     fragment 1               fragment 2
//! block offsets, ms   I 0   P 67   B 33        I 0                     [Nanos]
//! on the timeline, ms   0     67     33          100                   start of the fragment + offset
//! sorted, ms            0   33   67   100                              order
//! cadence, 1/30,000 s   0   1000 2000 3000                             all within 0.5 ms of 30 a second
//! decode times          0   1000 2000 3000     stts (4, 1000)          [MediaTicks] the sorted times
//! shown - decoded       0   1000 -1000 0       D = 1000                so that none is negative
//! ctts               1000   2000 0    1000     in decode order
//! edit                  media_time 1000        the first picture is at 0
//!
//! sound, ms             0  21  43  64  85      107 ...                 follow each other by 1024 samples
//! decode times          0  1024 2048 3072 4096 5120                    off their blocks by 0.33 ms at most
//! stts               (n, 1024), media_time 0                           no edit: it begins with the pictures
//! ```
//!
//! Were the second fragment tagged `1700000000.060`, its IDR picture would be shown before the P picture ahead of it: an
//! overlap. All its tracks are moved by 41 ms, to one frame after that picture. Were it tagged
//! `1700000005.100`, the P picture would last 5 s longer, with a gap of 5 s in the report.

pub(crate) mod audio;
pub(crate) mod audio_run;
pub(crate) mod cadence;
pub(crate) mod continuity;
pub(crate) mod holes;
pub(crate) mod input;
pub(crate) mod order;
pub(crate) mod reordering;
pub(crate) mod rounding;
pub(crate) mod runs;
pub(crate) mod timeline;
pub(crate) mod track_times;
mod trim;
pub(crate) mod units;
pub(crate) mod video;

pub use continuity::Gaps;
pub use trim::Trim;

pub(crate) use timeline::Timeline;
pub(crate) use track_times::TrackTimes;
