//! Supplemental enhancement information: the messages that a container has a place for.
//!
//! Syntax of H.264 clause 7.3.2.3 and H.265 clause 7.3.2.4 (the same), payloads of H.264 annex D and H.265 annex D.

use super::VideoCodec;
use super::bits::{BitReader, rbsp};

/// A message that matters to a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SeiMessage {
    RecoveryPoint(RecoveryPoint),
    DisplayOrientation(DisplayOrientation),
    MasteringDisplay(MasteringDisplay),
    ContentLightLevel(ContentLightLevel),
}

/// Where pictures are right again when decoding began at this picture, H.264 clause D.2.8 and H.265 clause D.3.8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecoveryPoint {
    /// recovery_frame_cnt of H.264: reference frames in decoding order, 0 where this picture is right itself;
    /// recovery_poc_cnt of H.265: pictures in display order, negative for one that is shown before.
    pub(crate) count: i32,
    /// From there on pictures are those of the encoder, and not merely close to them.
    pub(crate) is_exact: bool,
    /// The stream was cut here: pictures that refer to earlier ones are wrong.
    pub(crate) broken_link: bool,
}

/// How the picture is to be turned before it is shown, H.264 clause D.2.27 and H.265 clause D.3.17.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DisplayOrientation {
    /// The last one no longer counts.
    Cancel,
    /// Flipped first, then turned.
    Turn {
        horizontal_flip: bool,
        vertical_flip: bool,
        /// Anticlockwise, in 1/65536 of a full turn.
        anticlockwise: u16,
    },
}

/// The display that the colours were mastered on (SMPTE ST 2086), H.264 clause D.2.29 and H.265 clause D.3.28. The units
/// and the order are those of the `mdcv` box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MasteringDisplay {
    /// Chromaticities x and y in 0.00002: green, blue, red where the encoder follows the recommendation.
    pub(crate) primaries: [(u16, u16); 3],
    pub(crate) white_point: (u16, u16),
    /// In 0.0001 candelas per square metre.
    pub(crate) max_luminance: u32,
    pub(crate) min_luminance: u32,
}

/// How bright the content is, in candelas per square metre (CTA-861.3), H.264 clause D.2.31 and H.265 clause D.3.35.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContentLightLevel {
    pub(crate) max_content: u16,
    pub(crate) max_picture_average: u16,
}

/// What the messages before a picture say of how it is to be shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DisplayMessages {
    pub(crate) orientation: Option<DisplayOrientation>,
    pub(crate) mastering_display: Option<MasteringDisplay>,
    pub(crate) light_level: Option<ContentLightLevel>,
}

impl DisplayMessages {
    /// Takes over a message; the first of a kind counts.
    pub(crate) fn add(&mut self, message: SeiMessage) {
        match message {
            SeiMessage::RecoveryPoint(_) => {}
            SeiMessage::DisplayOrientation(orientation) => {
                self.orientation.get_or_insert(orientation);
            }
            SeiMessage::MasteringDisplay(display) => {
                self.mastering_display.get_or_insert(display);
            }
            SeiMessage::ContentLightLevel(level) => {
                self.light_level.get_or_insert(level);
            }
        }
    }
}

/// Payload types of table D.1; both codecs number these alike.
const RECOVERY_POINT: u32 = 6;
const DISPLAY_ORIENTATION: u32 = 47;
const MASTERING_DISPLAY: u32 = 137;
const CONTENT_LIGHT_LEVEL: u32 = 144;

/// The messages of an SEI NAL unit, in their order. Messages of other types, and those that break their syntax, are left out;
/// what follows one that is cut short is not read.
pub(crate) fn messages(codec: VideoCodec, nal: &[u8]) -> Vec<SeiMessage> {
    let header_len = match codec {
        VideoCodec::H264 => 1,
        VideoCodec::H265 => 2,
    };
    let payload = rbsp(nal, header_len);
    let (mut rest, mut messages) = (&payload[..], Vec::new());
    // The trailing bits are one byte, 80, in which no message fits.
    while rest.len() > 2 {
        let Some((payload_type, payload)) = next_message(&mut rest) else { break };
        messages.extend(SeiMessage::read(codec, payload_type, payload));
    }
    messages
}

/// Takes a message off: its type, and its payload, of which the end may be missing in the last one.
fn next_message<'a>(rest: &mut &'a [u8]) -> Option<(u32, &'a [u8])> {
    let payload_type = take_number(rest)?;
    let size = usize::try_from(take_number(rest)?).ok()?;
    let (payload, after) = rest.split_at_checked(size)?;
    *rest = after;
    Some((payload_type, payload))
}

/// payloadType and payloadSize: 255 for each byte FF, and the byte after these.
fn take_number(rest: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    loop {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        number = number.checked_add(byte.into())?;
        if byte != 0xFF {
            return Some(number);
        }
    }
}

impl SeiMessage {
    fn read(codec: VideoCodec, payload_type: u32, payload: &[u8]) -> Option<Self> {
        let reader = &mut BitReader::new(payload);
        match payload_type {
            RECOVERY_POINT => RecoveryPoint::read(codec, reader).map(Self::RecoveryPoint),
            DISPLAY_ORIENTATION => DisplayOrientation::read(reader).map(Self::DisplayOrientation),
            MASTERING_DISPLAY => MasteringDisplay::read(reader).map(Self::MasteringDisplay),
            CONTENT_LIGHT_LEVEL => ContentLightLevel::read(reader).map(Self::ContentLightLevel),
            _ => None,
        }
    }
}

impl RecoveryPoint {
    fn read(codec: VideoCodec, reader: &mut BitReader<'_>) -> Option<Self> {
        Some(Self {
            count: match codec {
                VideoCodec::H264 => i32::try_from(reader.ue()?).ok()?, // recovery_frame_cnt
                VideoCodec::H265 => reader.se()?,                      // recovery_poc_cnt
            },
            is_exact: reader.flag()?,
            broken_link: reader.flag()?,
        })
    }
}

impl DisplayOrientation {
    fn read(reader: &mut BitReader<'_>) -> Option<Self> {
        if reader.flag()? {
            return Some(Self::Cancel);
        }
        Some(Self::Turn {
            horizontal_flip: reader.flag()?,
            vertical_flip: reader.flag()?,
            anticlockwise: u16::try_from(reader.bits(16)?).ok()?,
        })
    }
}

impl MasteringDisplay {
    fn read(reader: &mut BitReader<'_>) -> Option<Self> {
        let mut point = || Some((read_u16(reader)?, read_u16(reader)?));
        Some(Self {
            primaries: [point()?, point()?, point()?],
            white_point: point()?,
            max_luminance: reader.bits(32)?,
            min_luminance: reader.bits(32)?,
        })
    }
}

impl ContentLightLevel {
    fn read(reader: &mut BitReader<'_>) -> Option<Self> {
        Some(Self { max_content: read_u16(reader)?, max_picture_average: read_u16(reader)? })
    }
}

fn read_u16(reader: &mut BitReader<'_>) -> Option<u16> {
    u16::try_from(reader.bits(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hex, random_bytes};
    use super::*;

    fn h264(nal: &str) -> Vec<SeiMessage> {
        messages(VideoCodec::H264, &hex(nal))
    }

    fn h265(nal: &str) -> Vec<SeiMessage> {
        messages(VideoCodec::H265, &hex(nal))
    }

    /// The SEI of an open GOP of libx264, and of its periodic intra refresh (`intra-refresh=1:keyint=24`), where pictures are
    /// right after 8 frames.
    #[test]
    fn recovery_points_of_x264() {
        let point = |count, is_exact| {
            SeiMessage::RecoveryPoint(RecoveryPoint { count, is_exact, broken_link: false })
        };
        assert_eq!(h264("060601c480"), [point(0, true)]);
        assert_eq!(h264("060602131080"), [point(8, true)]);
    }

    /// The signed count of H.265, 00111 for -3 and 00110 for 3, then exact_match_flag and broken_link_flag.
    #[test]
    fn recovery_points_of_h265() {
        for (nal, count, is_exact, broken_link) in [
            ("4e0106013b80", -3, false, true), // 00111 0 1, 1
            ("4e0106013580", 3, true, false),
            ("4e010601d080", 0, true, false),
        ] {
            let point = SeiMessage::RecoveryPoint(RecoveryPoint { count, is_exact, broken_link });
            assert_eq!(h265(nal), [point], "{nal}");
        }
    }

    /// `-bsf:v h264_metadata=display_orientation=insert:rotate=90:flip=horizontal` behind the user data of libx264.
    #[test]
    fn display_orientation_after_a_long_message() {
        let turn =
            DisplayOrientation::Turn { horizontal_flip: true, vertical_flip: false, anticlockwise: 0x4000 };
        let nal = format!("0605ff04{}2f0348000980", "a5".repeat(255 + 4));
        assert_eq!(h264(&nal), [SeiMessage::DisplayOrientation(turn)]);
        assert_eq!(h264("062f018080"), [SeiMessage::DisplayOrientation(DisplayOrientation::Cancel)]);
        // H.265: 0, 0, 1, then 3/4 of a turn and display_orientation_persistence_flag.
        let turn =
            DisplayOrientation::Turn { horizontal_flip: false, vertical_flip: true, anticlockwise: 0xC000 };
        assert_eq!(h265("4e012f03380004"), [SeiMessage::DisplayOrientation(turn)]);
    }

    /// `hdr10=1:max-cll=1000,400:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,500)`
    /// of libx265, and the same of libx264.
    #[test]
    fn high_dynamic_range() {
        let display = SeiMessage::MasteringDisplay(MasteringDisplay {
            primaries: [(13_250, 34_500), (7_500, 3_000), (34_000, 16_000)],
            white_point: (15_635, 16_450),
            max_luminance: 10_000_000,
            min_luminance: 500,
        });
        let light =
            SeiMessage::ContentLightLevel(ContentLightLevel { max_content: 1_000, max_picture_average: 400 });
        let display_payload = "891833c286c41d4c0bb884d03e803d1340420098968000000301f4";
        let light_payload = "900403e80190";
        assert_eq!(h265(&format!("4e01{display_payload}80")), [display]);
        assert_eq!(h265(&format!("4e01{light_payload}80")), [light]);
        assert_eq!(h264(&format!("06{display_payload}{light_payload}80")), [display, light]);
    }

    #[test]
    fn what_is_cut_short_is_left_out() {
        let light = h264("06900403e8019080");
        assert_eq!(light.len(), 1);
        assert_eq!(h264("06900403e80190"), light, "trailing bits are missing");
        assert_eq!(h264("06900303e80180"), [], "one byte too few");
        assert_eq!(h264("06900403e8"), []);
        assert_eq!(h264("0690ff"), []);
        assert_eq!(h264("06900303e801900403e8019080"), light, "the next message still counts");
        assert_eq!(h264("06"), []);
        assert_eq!(h264(""), []);
        assert_eq!(h265("4e"), []);
    }

    #[test]
    fn any_bytes_are_read() {
        for bytes in random_bytes(20_000, 60) {
            for codec in [VideoCodec::H264, VideoCodec::H265] {
                assert!(messages(codec, &bytes).len() <= bytes.len());
            }
        }
    }
}
