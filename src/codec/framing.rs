//! How the NAL units of a frame are framed.
//!
//! A frame is length-prefixed (ISO/IEC 14496-15 clause 4.3.3) if walking its NAL lengths ends with the frame, or with zero
//! bytes that pad it. It is a byte stream (Annex B of H.264 and H.265) if it begins with a start code. A few frames read as
//! both: `00 00 01 hh` is a start code of three bytes and a NAL length of 256 to 511. And a length-prefixed frame that is
//! cut short reads as a byte stream if its first NAL unit is that long. So a frame keeps both [`Readings`], and goes with
//! its track where its NAL unit headers do not decide.

use super::VideoCodec;
use super::nal_unit::{HeaderCheck, NalKind, NalUnit};
use crate::annexb;
use crate::frame_fault::FrameFault;

/// How NAL units are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Framing {
    /// A length before each NAL unit.
    LengthPrefixed,
    /// A start code before each NAL unit.
    ByteStream,
}

/// What a frame is when read in either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Readings {
    /// The worst NAL unit header, or why the lengths do not fit.
    length_prefixed: Result<HeaderCheck, FrameFault>,
    /// `None` if the frame does not begin with a start code.
    byte_stream: Option<ByteStream>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ByteStream {
    worst_header: HeaderCheck,
    /// The first start code has its zero_byte, as clause B.1.2 wants it before the first NAL unit of an access unit.
    has_zero_byte: bool,
    /// A NAL unit is the first slice of a picture.
    begins_picture: bool,
}

/// How the frames of a track are framed, by those that can be read in one way only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FramingTally {
    pub(crate) length_prefixed: u64,
    pub(crate) byte_stream: u64,
}

impl Readings {
    /// Reads a frame in both ways. `length_size`: bytes of a NAL length, 1, 2 or 4.
    pub(crate) fn read(codec: VideoCodec, length_size: u8, frame: &[u8]) -> Self {
        Self {
            length_prefixed: read_length_prefixed(codec, length_size, frame),
            byte_stream: ByteStream::read(codec, frame),
        }
    }

    /// How the frame is framed on a track of that framing; an error if it is neither, or a cut frame of its track that only
    /// looks like a start code.
    ///
    /// NAL unit headers that no encoder writes outweigh the track, since producers mix both ways.
    pub(crate) fn framing(&self, track: Option<Framing>) -> Result<Framing, FrameFault> {
        match (self.length_prefixed, self.byte_stream) {
            (Ok(_), None) => Ok(Framing::LengthPrefixed),
            (Err(fault), None) => Err(fault),
            (Err(fault), Some(stream)) if track == Some(Framing::LengthPrefixed) && stream.looks_cut() => {
                Err(fault)
            }
            (Err(_), Some(_)) => Ok(Framing::ByteStream),
            (Ok(lengths), Some(stream)) => Ok(either(lengths, stream.worst_header, track)),
        }
    }
}

/// The framing of a frame that reads as both.
fn either(lengths: HeaderCheck, stream: HeaderCheck, track: Option<Framing>) -> Framing {
    let by_header = |worst| match (lengths >= worst, stream >= worst) {
        (false, true) => Some(Framing::LengthPrefixed),
        (true, false) => Some(Framing::ByteStream),
        _ => None,
    };
    by_header(HeaderCheck::Violating)
        .or(track)
        .or_else(|| by_header(HeaderCheck::Unusual))
        .unwrap_or(Framing::LengthPrefixed)
}

impl ByteStream {
    fn read(codec: VideoCodec, frame: &[u8]) -> Option<Self> {
        if !annexb::begins_with_start_code(frame) {
            return None;
        }
        let mut stream = Self {
            worst_header: HeaderCheck::Conforming,
            has_zero_byte: frame.starts_with(&[0, 0, 0]),
            begins_picture: false,
        };
        let mut is_first = true;
        annexb::split(frame, |_, nal| {
            if !nal.is_empty() {
                stream.worst_header = stream.worst_header.max(check(codec, nal, is_first));
                let unit = NalUnit::read(codec, nal);
                stream.begins_picture |=
                    unit.is_some_and(|unit| unit.picture().is_some_and(|slice| slice.is_first));
                is_first = false;
            }
        });
        (!is_first).then_some(stream)
    }

    /// Whether the beginning of a length-prefixed frame may read like this. It has no zero_byte, since a NAL unit of one
    /// byte that begins a frame is rare. And where a first slice would have its first bit, it has the first bit of a NAL
    /// unit header, or of a layer, which is 0.
    fn looks_cut(&self) -> bool {
        match self.has_zero_byte {
            true => self.worst_header == HeaderCheck::Violating,
            false => self.worst_header > HeaderCheck::Conforming || !self.begins_picture,
        }
    }
}

impl FramingTally {
    /// The framing of the track: that of most frames. `declared` is the form of the codec private data, which decides where
    /// the frames do not.
    pub(crate) fn framing(&self, declared: Option<Framing>) -> Option<Framing> {
        match self.length_prefixed.cmp(&self.byte_stream) {
            std::cmp::Ordering::Greater => Some(Framing::LengthPrefixed),
            std::cmp::Ordering::Less => Some(Framing::ByteStream),
            std::cmp::Ordering::Equal => declared,
        }
    }
}

fn read_length_prefixed(codec: VideoCodec, length_size: u8, frame: &[u8]) -> Result<HeaderCheck, FrameFault> {
    let mut worst = HeaderCheck::Conforming;
    let (mut count, mut empty_first) = (0_u32, false);
    walk_lengths(frame, length_size, |_, nal| {
        if nal.is_empty() {
            empty_first |= count == 0;
        } else {
            worst = worst.max(check(codec, nal, count == 0));
            count = count.saturating_add(1);
        }
    })?;
    match (count, empty_first) {
        (0, _) if frame.is_empty() => Err(FrameFault::Empty),
        (0, _) => Err(FrameFault::NoNalUnits),
        // Empty NAL units are found at the end of frames. At the beginning they are the zeros of a start code.
        (_, true) => Ok(HeaderCheck::Violating),
        (_, false) => Ok(worst),
    }
}

/// How well a NAL unit, which has at least one byte, keeps the rules.
fn check(codec: VideoCodec, nal: &[u8], is_first: bool) -> HeaderCheck {
    let Some(unit) = NalUnit::read(codec, nal) else { return HeaderCheck::Violating };
    let header_len = match codec {
        VideoCodec::H264 => 1,
        VideoCodec::H265 => 2,
    };
    match unit.kind {
        // Neither has a payload.
        NalKind::EndOfSequence | NalKind::EndOfStream if nal.len() > header_len => HeaderCheck::Violating,
        _ if is_first && !unit.is_base_layer => unit.header.max(HeaderCheck::Unusual),
        _ => unit.header,
    }
}

/// Visits the NAL units of a length-prefixed frame, each with its offset; some may be empty. Returns how many zero bytes,
/// fewer than a length has, pad the frame.
pub(crate) fn walk_lengths<'a>(
    frame: &'a [u8],
    length_size: u8,
    visit: impl FnMut(usize, &'a [u8]),
) -> Result<usize, FrameFault> {
    check_rest(frame, walk_fitting_lengths(frame, length_size, visit), length_size)
}

/// Visits the NAL units of a length-prefixed frame as far as they fit, and returns the rest: see [`check_rest`].
#[inline]
pub(super) fn walk_fitting_lengths<'a>(
    frame: &'a [u8],
    length_size: u8,
    mut visit: impl FnMut(usize, &'a [u8]),
) -> &'a [u8] {
    let mut rest = frame;
    while let Some((len, after_length)) = read_length(rest, length_size)
        && let Some((nal, after)) = after_length.split_at_checked(len)
    {
        visit(frame.len().saturating_sub(after_length.len()), nal);
        rest = after;
    }
    rest
}

/// The padding that the rest of a frame is, or why it is no NAL unit.
pub(super) fn check_rest(frame: &[u8], rest: &[u8], length_size: u8) -> Result<usize, FrameFault> {
    let at = frame.len().saturating_sub(rest.len()) as u32;
    match read_length(rest, length_size) {
        Some((length, after_length)) => {
            Err(FrameFault::NalLength { at, len: length as u32, left: after_length.len() as u32 })
        }
        None if rest.iter().all(|&byte| byte == 0) => Ok(rest.len()),
        None => Err(FrameFault::NalLengthCut { at, size: length_size, left: rest.len() as u32 }),
    }
}

#[inline]
fn read_length(bytes: &[u8], length_size: u8) -> Option<(usize, &[u8])> {
    match length_size {
        4 => bytes.split_first_chunk().map(|(len, rest)| (u32::from_be_bytes(*len) as usize, rest)),
        2 => bytes.split_first_chunk().map(|(len, rest)| (usize::from(u16::from_be_bytes(*len)), rest)),
        _ => bytes.split_first().map(|(len, rest)| (usize::from(*len), rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::Framing::{ByteStream, LengthPrefixed};
    use super::*;

    fn h264(frame: &[u8]) -> Readings {
        Readings::read(VideoCodec::H264, 4, frame)
    }

    /// A frame whose first bytes are `head`, filled up to `len` with a byte of slice data.
    fn frame(head: &[u8], len: usize) -> Vec<u8> {
        let mut frame = head.to_vec();
        frame.resize(len, 0xA5);
        frame
    }

    #[test]
    fn a_frame_that_reads_in_one_way() {
        let lengths = h264(&[0, 0, 0, 2, 0x65, 0x88, 0, 0, 0, 1, 0x0C]);
        let stream = h264(&[0, 0, 0, 1, 0x65, 0x88, 0, 0, 1, 0x65, 4]);
        for track in [None, Some(LengthPrefixed), Some(ByteStream)] {
            assert_eq!(lengths.framing(track), Ok(LengthPrefixed));
            assert_eq!(stream.framing(track), Ok(ByteStream));
        }
    }

    /// A P picture of 325 bytes after a start code of three bytes: also one NAL unit of 0x141 bytes.
    #[test]
    fn a_start_code_of_three_bytes_that_reads_as_a_length() {
        let readings = h264(&frame(&[0, 0, 1, 0x41, 0x9A, 0x23], 4 + 0x141));
        // 9A has the forbidden bit: first_mb_in_slice is 0 in every picture's first slice.
        for track in [None, Some(LengthPrefixed), Some(ByteStream)] {
            assert_eq!(readings.framing(track), Ok(ByteStream));
        }
        // TRAIL_R of H.265: 01 D0 as a header has no temporal ID.
        let readings = Readings::read(VideoCodec::H265, 4, &frame(&[0, 0, 1, 0x02, 0x01, 0xD0], 4 + 0x102));
        assert_eq!(readings.framing(Some(LengthPrefixed)), Ok(ByteStream));
        // An SPS of the Baseline profile: 42 is a header too. The track decides.
        let readings = h264(&frame(&[0, 0, 1, 0x67, 0x42, 0xC0], 4 + 0x167));
        assert_eq!(readings.framing(Some(LengthPrefixed)), Ok(LengthPrefixed));
        assert_eq!(readings.framing(Some(ByteStream)), Ok(ByteStream));
        assert_eq!(readings.framing(None), Ok(LengthPrefixed));
    }

    /// One slice of 0x141 bytes after its length, which is also a NAL unit of type 1 after a start code.
    #[test]
    fn a_length_that_reads_as_a_start_code() {
        let readings = h264(&frame(&[0, 0, 1, 0x41, 0x41, 0x9A], 4 + 0x141));
        assert_eq!(readings.framing(Some(LengthPrefixed)), Ok(LengthPrefixed));
        assert_eq!(readings.framing(None), Ok(LengthPrefixed));
        // A length of 0x1E5: as a header it has the forbidden bit.
        let readings = h264(&frame(&[0, 0, 1, 0xE5, 0x41, 0x9A], 4 + 0x1E5));
        assert_eq!(readings.framing(Some(ByteStream)), Ok(LengthPrefixed));
        // Type 24 is not used without RTP.
        let readings = h264(&frame(&[0, 0, 1, 0x78, 0x41, 0x9A], 4 + 0x178));
        assert_eq!(readings.framing(None), Ok(LengthPrefixed));
        assert_eq!(readings.framing(Some(ByteStream)), Ok(ByteStream));
    }

    /// The same frames, cut short.
    #[test]
    fn a_cut_frame_is_no_byte_stream_on_a_length_prefixed_track() {
        for (codec, head) in [
            (VideoCodec::H264, [0, 0, 1, 0x41, 0x41, 0x9A, 0x23]),
            (VideoCodec::H264, [0, 0, 1, 0xE7, 0x67, 0x42, 0xC0]),
            (VideoCodec::H264, [0, 0, 1, 0x06, 0x06, 0x05, 0xFF]),
            (VideoCodec::H264, [0, 0, 1, 0x67, 0x67, 0x42, 0xC0]),
            (VideoCodec::H265, [0, 0, 1, 0x02, 0x02, 0x01, 0xD0]),
        ] {
            let cut = Readings::read(codec, 4, &frame(&head, 200));
            let fault = FrameFault::NalLength { at: 0, len: 0x100 + u32::from(head[3]), left: 196 };
            assert_eq!(cut.framing(Some(LengthPrefixed)), Err(fault), "{head:x?}");
            assert_eq!(cut.framing(Some(ByteStream)), Ok(ByteStream));
        }
        // A picture of its own after a short start code is one, even if the frames before it had lengths.
        let mixed = h264(&frame(&[0, 0, 1, 0x41, 0x9A, 0x23], 200));
        assert_eq!(mixed.framing(Some(LengthPrefixed)), Ok(ByteStream));
        let mixed = h264(&frame(&[0, 0, 0, 1, 0x41, 0x04, 0x23], 200));
        assert_eq!(mixed.framing(Some(LengthPrefixed)), Ok(ByteStream));
    }

    #[test]
    fn short_lengths_before_a_start_code_are_its_zeros() {
        let stream = [0, 0, 0, 1, 0x65, 1, 0x88];
        let readings = Readings::read(VideoCodec::H264, 1, &stream);
        assert_eq!(readings.framing(None), Ok(ByteStream));
        assert_eq!(readings.framing(Some(LengthPrefixed)), Ok(ByteStream));
        let readings = Readings::read(VideoCodec::H264, 2, &[0, 0, 1, 2].map(|byte| byte));
        assert_eq!(readings.framing(None), Ok(ByteStream));
        // An end of sequence of H.264 has one byte. With more it is none, and this is a cut frame.
        let readings = h264(&[0, 0, 0, 1, 0x0A, 0, 0, 9, 0, 0x41, 0x9A]);
        assert!(readings.framing(Some(LengthPrefixed)).is_err());
    }

    #[test]
    fn zeros_after_the_last_nal_unit_are_padding() {
        for (length_size, head) in [(4, &[0, 0, 0, 2, 0x65, 0x88][..]), (2, &[0, 2, 0x65, 0x88])] {
            for zeros in 0..9 {
                let padded = frame(head, head.len()).into_iter().chain(vec![0; zeros]).collect::<Vec<_>>();
                let mut nals = Vec::new();
                let padding = walk_lengths(&padded, length_size, |_, nal| nals.push(nal)).unwrap();
                assert_eq!(padding, zeros % usize::from(length_size));
                assert_eq!(nals.len(), 1 + zeros / usize::from(length_size));
                assert_eq!(nals[0], [0x65, 0x88]);
                let readings = Readings::read(VideoCodec::H264, length_size, &padded);
                assert_eq!(readings.framing(None), Ok(LengthPrefixed));
            }
        }
        let fault = FrameFault::NalLengthCut { at: 6, size: 4, left: 3 };
        assert_eq!(h264(&[0, 0, 0, 2, 0x65, 0x88, 0, 0, 3]).framing(None), Err(fault));
    }

    #[test]
    fn what_is_neither() {
        let beyond = FrameFault::NalLength { at: 6, len: 9, left: 2 };
        for (bytes, fault) in [
            (&[][..], FrameFault::Empty),
            (&[0, 0, 0, 0], FrameFault::NoNalUnits),
            (&[0, 0, 0], FrameFault::NoNalUnits),
            (&[1, 2], FrameFault::NalLengthCut { at: 0, size: 4, left: 2 }),
            (&[0, 0, 0, 2, 0x65, 7, 0, 0, 0, 9, 1, 2], beyond),
            (&[0, 0, 1], FrameFault::NalLengthCut { at: 0, size: 4, left: 3 }),
            (&[0, 0, 1, 0, 0, 0], FrameFault::NalLength { at: 0, len: 256, left: 2 }),
        ] {
            assert_eq!(h264(bytes).framing(Some(ByteStream)), Err(fault), "{bytes:?}");
        }
    }

    #[test]
    fn most_frames_decide_for_the_track() {
        let framing = |length_prefixed, byte_stream, declared| {
            FramingTally { length_prefixed, byte_stream }.framing(declared)
        };
        assert_eq!(framing(0, 0, None), None);
        assert_eq!(framing(0, 0, Some(ByteStream)), Some(ByteStream));
        assert_eq!(framing(1, 0, Some(ByteStream)), Some(LengthPrefixed));
        assert_eq!(framing(1, 1, None), None);
        assert_eq!(framing(1, 2, Some(LengthPrefixed)), Some(ByteStream));
    }
}
