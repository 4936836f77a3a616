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
//!           stts            8.6.1.2 decode deltas
//!           ctts            8.6.1.3 composition offsets, only if some are not 0
//!           stss            8.6.2   sync samples, only if some are not
//!           stsc            8.7.4   samples per chunk
//!           stsz            8.7.3   sample sizes
//!           stco | co64     8.7.5   chunk offsets
//! mdat                      8.1.1   chunks of at most half a second, tracks in turn
//! ```
//!
//! [`layout`] decides where each sample goes, [`movie`] writes everything before the media.

mod bit_rate;
mod layout;
pub(crate) mod movie;
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
