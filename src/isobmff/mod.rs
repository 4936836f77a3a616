//! The clip as ISO BMFF (ISO/IEC 14496-12): a progressive MP4, whose index is before its media.
//!
//! ```text
//! ftyp                      4.3     brands
//! moov                      8.2.1
//!   mvhd                    8.2.2   movie timescale, duration
//!   trak                    8.3.1   video, then audio
//!     tkhd                  8.3.2   size as shown, duration
//!     edts elst             8.6.6   only if the track starts late or its first picture is not at decode time 0
//!     mdia                  8.4.1
//!       mdhd                8.4.2   media timescale, sum of the deltas
//!       hdlr                8.4.3
//!       minf                8.4.4
//!         vmhd | smhd       12.1.2, 12.2.2
//!         dinf dref url     8.7.1, 8.7.2
//!         stbl              8.5.1
//!           stsd            8.5.2   avc1 avc3 hvc1 hev1 mp4a alaw ulaw
//!             pasp colr     12.1.4, 12.1.5   only what is known of them
//!             clli mdcv     12.1.6, 12.1.7
//!             btrt          8.5.2.2
//!           stts            8.6.1.2 decode deltas
//!           ctts            8.6.1.3 composition offsets, only if some are not 0
//!           stss            8.6.2   sync samples, only if some are not
//!           stsc            8.7.4   samples per chunk
//!           stsz            8.7.3   sample sizes
//!           stco | co64     8.7.5   chunk offsets
//!           sgpd, sbgp      8.9.3, 8.9.2   recovery points (`roll`, 10.1), only if there are some
//! mdat                      8.1.1   chunks of at most half a second, tracks in turn
//! ```
//!
//! [`layout`] decides where each sample goes, [`movie`] writes everything before the media.
//!
//! # Recovery points
//!
//! An H.264 picture with a recovery point (clause D.2.8) is no IDR picture, but decoding can begin there. ISO/IEC 14496-12 has two
//! sample groups for it: `rap `, and `roll` for pictures that are right only some samples later. What players make of
//! them was measured: 5 to 35 seeks in each of about 100 clips of libx264 (open GOPs with and without leading pictures,
//! intra refresh), picture by picture, in Chromium 148, Firefox 140, mpv 0.35 and ffmpeg 5.1. A seek to a leading picture
//! that lands on the recovery point counts as right.
//!
//! | recovery points are | Chromium | Firefox | mpv, ffmpeg |
//! |---|---|---|---|
//! | in `stss`, or in `rap ` | **playback ends with a decode error** where the pictures after it refer to missing ones, if only to drop them (MMCO) | right | right |
//! | of intra refresh in `stss` | 17 pictures late | 17 pictures late | 17 pictures late |
//! | in `roll` | right | right | right |
//! | nowhere | right | right | right |
//!
//! | the clip has no IDR picture, and `stss` | Chromium | Firefox | mpv, ffmpeg |
//! |---|---|---|---|
//! | has every recovery point | decode error | right | right |
//! | has the first sample alone | right | right | right |
//! | has no entry | as `rap ` | **no seek ends** | right |
//! | is missing | decode error | another picture | another picture |
//!
//! Where the first sample is a recovery point and only a later IDR picture is in `stss`, both browsers skip everything before
//! it. Therefore: `stss` has the IDR pictures (of H.265 the IRAP pictures), and the first sample if it is a recovery point or there
//! is nothing else; every recovery point is in `roll`; there is no `rap `.

mod bit_rate;
mod display;
mod layout;
pub(crate) mod movie;
mod random_access;
mod sample_entry;
mod sample_table;
mod track_cursor;
mod track_layout;
mod track_report;
mod writer;

use crate::error::{Error, ErrorKind};

pub(crate) use layout::Layout;
pub(crate) use track_layout::TrackLayout;

/// Why something that has 32 bits in the file does not fit.
fn too_large(what: &'static str, found: u64) -> Error {
    ErrorKind::TooLarge { what, found, limit: u64::from(u32::MAX) }.into()
}
