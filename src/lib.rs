//! Archived Kinesis Video Streams media in, one progressive MP4 out: the engine behind AWS's GetClip, as a library.
//!
//! ```text
//! bytes ─▶ matroska ─▶ fragment ─▶ index ─▶ selection ─▶ plan ─▶ time ─▶ isobmff ─▶ ClipPlan ─▶ Clip ─▶ bytes
//!          RFC 8794,   KVS tags,   a row    which        codec   decode    moov,     extents     served on
//!          RFC 9559    damage      a frame  fragments    config  and show  layout                demand from
//!                                                                times                           the media
//! ```
//!
//! The input is what GetMedia, GetMediaForFragmentList or a producer gave: Matroska fragments with H.264 or H.265
//! on track 1, and AAC or G.711 on track 2. The output holds the whole fragments whose start lies in a range of
//! time, each frame once and at its time.
//!
//! ```
//! use getclip::{ClipBuilder, ClipFragmentSelector, ClipTimestampRange, fragments};
//!
//! fn clip(recording: Vec<u8>, file: &mut impl std::io::Write) -> Result<(), Box<dyn std::error::Error>> {
//!     let range = ClipTimestampRange::new("2023-11-14T22:13:20Z".parse()?, "1700000004.500".parse()?)?;
//!     let clip = ClipBuilder::new(ClipFragmentSelector::producer(range))
//!         .build(fragments(recording.into()))?;
//!     println!("{} bytes of {}", clip.len(), clip.content_type());
//!     for event in &clip.report().events {
//!         println!("{event}");
//!     }
//!     clip.write_to(file)?;
//!     Ok(())
//! }
//! # let recording = std::fs::read("testdata/h264_aac.mkv").unwrap();
//! # let mut file = Vec::new();
//! # clip(recording, &mut file).unwrap();
//! # assert_eq!(&file[4..8], b"ftyp");
//! ```
//!
//! # What it promises
//!
//! * **Pure.** No files, no network, no threads, no clock, no global state. What the service would ask a clock for is
//!   an argument. The same input and options give the same bytes.
//! * **Planned without media.** A [`FragmentIndex`] is a few bytes a frame, and all that a [`Planner`] needs: the media
//!   may be in memory, in a mapped file, or in an object store.
//! * **Whatever can fail, fails in [`ClipBuilder::build`].** A [`Clip`] is whole and its length is known before the
//!   first byte is sent; after that only the caller's writer can fail.
//! * **No copy.** A clip is an index in memory and ranges of the input. [`Clip`] is cheap to clone, `Send` and `Sync`.
//! * **Nothing happens silently.** What was cut, dropped, moved, adapted or missing is in the [`Report`].
//! * **Safe on any input.** No `unsafe`, no panic, bounded memory, linear time; every error says what was expected,
//!   what was found, and where ([`Error::location`]), and which exception GetClip would raise ([`Error::exception`]).
//!
//! # Where to begin
//!
//! [`fragments`] reads a buffer; [`FragmentReader`] a stream. [`ClipFragmentSelector`] says which fragments,
//! [`ClipBuilder`] how they become a [`Clip`], and [`Clip`] is written, sliced or read. Who keeps the indexes and not the
//! media begins with [`ClipBuilder::planner`], and serves the [`Extent`]s of a [`ClipPlan`].

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        clippy::disallowed_types,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

mod annexb;
mod builder;
mod clip;
mod clip_plan;
mod codec;
mod damage;
mod error;
mod fragment;
mod frame_fault;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod human;
mod incomplete;
mod incomplete_input;
mod index;
mod isobmff;
mod matroska;
mod named;
mod number;
mod plan;
mod report;
mod selection;
mod selector;
mod tags;
mod time;
mod timestamp;
mod virtual_file;

pub use builder::{ClipBuilder, Limits, Parts, PartsPlanner, Planner};
pub use clip::{Chunks, Clip, ClipReader};
pub use clip_plan::{ClipPlan, EntityTag};
pub use codec::{AudioCodec, UnknownCodec, VideoCodec};
pub use damage::{Damage, DamageFault};
pub use error::{Error, ErrorKind, Exception, Location};
pub use fragment::{ArrivingFragment, Fragment, FragmentReader, Fragments, fragments};
pub use frame_fault::FrameFault;
pub use incomplete::{Incomplete, IncompleteElement};
pub use incomplete_input::IncompleteInput;
pub use index::{FragmentIndex, Frame};
pub use matroska::{AudioSettings, TrackEntry, TrackType, VideoSettings};
pub use number::{FragmentName, FragmentNumber, ParseFragmentNumberError};
pub use plan::{CodecChanges, MissingCodecPrivate, Profile, TrackChoice};
pub use report::{Cut, Event, FragmentReport, Limit, Report, TrackDetails, TrackReport};
pub use selector::{ClipFragmentSelector, ClipFragmentSelectorType, ClipTimestampRange, RangeStart};
pub use time::{Gaps, Trim};
pub use timestamp::Timestamp;
pub use virtual_file::{Extent, Extents};

/// The example of README.md is compiled too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
