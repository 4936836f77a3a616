//! NAL units in a frame: how they are framed, and which of them matter to a sample.

use memchr::memmem::Finder;

use super::framing::{Framing, Readings, check_rest, walk_fitting_lengths, walk_lengths};
use super::nal_role::{NalRole, NalSyntax, NalTally};
use super::nal_unit::{Leading, NalKind, NalUnit};
use super::sei::{self, SeiMessage};
use super::slice::are_fields_of_one_frame;
use super::{VideoCodec, VideoConfig};
use crate::annexb;
use crate::frame_fault::FrameFault;

/// A NAL unit that was found in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FoundNal<'a> {
    /// Offset of its header in the frame, in bytes.
    pub(crate) at: usize,
    /// Its bytes from the header on; at least 1.
    pub(crate) bytes: &'a [u8],
    pub(crate) role: NalRole,
}

/// What a frame was found to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FrameScan {
    /// The frame is a sample as it stands. Otherwise its NAL units were listed.
    pub(crate) verbatim: bool,
    /// It was framed by start codes, or by lengths of 1 or 2 bytes.
    pub(crate) converted: bool,
    /// It was framed by start codes.
    pub(crate) is_byte_stream: bool,
    pub(crate) has_parameter_sets: bool,
    /// Decoding can begin at a picture of the base layer in it: IDR in H.264, IRAP in H.265.
    pub(crate) has_random_access: bool,
    /// A leading picture of H.265.
    pub(crate) leading: Option<Leading>,
    /// A picture of the base layer begins in it.
    pub(crate) has_picture: bool,
    /// It is not one whole picture: it has none or several, or goes on with the one before it.
    pub(crate) is_irregular: bool,
    /// An access unit delimiter of the usual size is its first NAL unit.
    pub(crate) begins_with_delimiter: bool,
    /// It has SEI for the picture that follows it.
    pub(crate) has_sei: bool,
    /// Zero bytes after its last NAL unit, fewer than a length has, were left out.
    pub(crate) is_padded: bool,
    /// NAL units without a byte, which were not listed. The AWS SDK can leave one at the end of a frame.
    pub(crate) empty_nals: u32,
    /// The other frames of its track decide how it is framed.
    pub(crate) is_doubtful: bool,
}

/// Bytes of the length before each NAL unit of a sample.
pub(crate) const NAL_LENGTH_SIZE: usize = 4;

/// Reads the frames of one track.
#[derive(Debug)]
pub(crate) struct NalScanner {
    codec: VideoCodec,
    syntax: NalSyntax,
    /// Bytes of a NAL length: 1, 2 or 4.
    length_size: u8,
    config: Option<VideoConfig>,
}

impl NalScanner {
    /// A scanner for a track with that codec private data, if it has any.
    pub(crate) fn new(codec: VideoCodec, config: Option<VideoConfig>) -> Self {
        // Without codec private data the length is taken to have 4 bytes, as in practice.
        let length_size = config.as_ref().map_or(4, VideoConfig::length_size);
        Self { codec, syntax: NalSyntax::new(codec), length_size, config }
    }

    /// Finds out what `frame` is. Unless it can stay as it is, each of its NAL units is given to `visit`; a frame that is found
    /// to be one that can stay after that is verbatim all the same.
    ///
    /// `start_code` is a [`StartCodeFinder`](annexb::finder): making one takes longer than searching a small frame.
    #[inline]
    pub(crate) fn scan<'a>(
        &self,
        frame: &'a [u8],
        start_code: &Finder<'_>,
        visit: impl FnMut(FoundNal<'a>),
    ) -> Result<FrameScan, FrameFault> {
        let mut tally = NalTally::default();
        let mut has_empty = false;
        let rest = walk_fitting_lengths(frame, self.length_size, |_, nal| match nal {
            [] => has_empty = true,
            nal => {
                tally.add(&self.syntax, nal);
            }
        });
        let is_plain = rest.is_empty()
            && !has_empty
            && tally.is_one_picture()
            && !tally.has_parameter_sets(&self.syntax)
            && !may_begin_with_start_code(frame);
        if is_plain && usize::from(self.length_size) == NAL_LENGTH_SIZE {
            return Ok(FrameScan {
                verbatim: true,
                has_random_access: tally.has_random_access(&self.syntax),
                leading: tally.leading(&self.syntax),
                has_picture: true,
                begins_with_delimiter: self.syntax.begins_with_delimiter(frame),
                has_sei: tally.has_prefix_sei(&self.syntax),
                ..FrameScan::default()
            });
        }
        self.list_nals(frame, rest, start_code, visit)
    }

    // Most frames can stay as they are.
    #[inline(never)]
    fn list_nals<'a>(
        &self,
        frame: &'a [u8],
        rest: &[u8],
        start_code: &Finder<'_>,
        visit: impl FnMut(FoundNal<'a>),
    ) -> Result<FrameScan, FrameFault> {
        let as_lengths = check_rest(frame, rest, self.length_size);
        let (framing, is_doubtful) = match (as_lengths, annexb::begins_with_start_code(frame)) {
            _ if frame.is_empty() => return Err(FrameFault::Empty),
            (Ok(_), false) => (Framing::LengthPrefixed, false),
            (Err(fault), false) => return Err(fault),
            // A picture of Annex B begins like this (clause B.1.2), and hardly ever one that is length-prefixed.
            (Err(_), true) if frame.starts_with(&[0, 0, 0, 1]) => (Framing::ByteStream, false),
            // Rare enough to be read once more.
            (_, true) => {
                let readings = Readings::read(self.codec, self.length_size, frame);
                let [lengths, stream] = [Framing::LengthPrefixed, Framing::ByteStream]
                    .map(|framing| readings.framing(Some(framing)));
                (lengths.or(stream)?, lengths != stream)
            }
        };
        let scan = self.scan_as(framing, frame, start_code, visit)?;
        Ok(FrameScan { is_doubtful, ..scan })
    }

    /// Reads a frame that is framed like this.
    pub(crate) fn scan_as<'a>(
        &self,
        framing: Framing,
        frame: &'a [u8],
        start_code: &Finder<'_>,
        mut visit: impl FnMut(FoundNal<'a>),
    ) -> Result<FrameScan, FrameFault> {
        let mut tally = NalTally::default();
        let mut empty_nals = 0_u32;
        let mut first = None;
        let mut pictures = PictureCount::default();
        let padding = self.walk(framing, frame, start_code, |at, bytes| {
            if bytes.is_empty() {
                empty_nals = empty_nals.saturating_add(1);
                return;
            }
            let role = self.syntax.role(tally.add(&self.syntax, bytes));
            let role = pictures.add(role, bytes, |first| {
                are_fields_of_one_frame(self.codec, self.config.as_ref(), first, bytes)
            });
            first.get_or_insert((role, bytes.len()));
            visit(FoundNal { at, bytes, role });
        })?;
        if tally.is_empty() {
            return Err(FrameFault::NoNalUnits);
        }
        let is_byte_stream = framing == Framing::ByteStream;
        let converted = is_byte_stream || usize::from(self.length_size) != NAL_LENGTH_SIZE;
        let has_parameter_sets = tally.has_parameter_sets(&self.syntax);
        let is_irregular = !pictures.is_one();
        Ok(FrameScan {
            verbatim: !converted && !is_irregular && !has_parameter_sets && empty_nals == 0 && padding == 0,
            converted,
            is_byte_stream,
            has_parameter_sets,
            has_random_access: tally.has_random_access(&self.syntax),
            leading: tally.leading(&self.syntax),
            has_picture: pictures.begun > 0,
            is_irregular,
            begins_with_delimiter: first == Some((NalRole::Delimiter, self.syntax.delimiter_len())),
            has_sei: tally.has_prefix_sei(&self.syntax),
            is_padded: padding > 0,
            empty_nals,
            is_doubtful: false,
        })
    }

    /// The SEI messages in a frame that was scanned.
    pub(crate) fn sei_messages(
        &self,
        scan: &FrameScan,
        frame: &[u8],
        start_code: &Finder<'_>,
    ) -> Vec<SeiMessage> {
        let framing = if scan.is_byte_stream { Framing::ByteStream } else { Framing::LengthPrefixed };
        let mut messages = Vec::new();
        let walked = self.walk(framing, frame, start_code, |_, nal| {
            let unit = NalUnit::read(self.codec, nal);
            if unit.is_some_and(|unit| unit.is_base_layer && unit.kind == NalKind::Sei { is_suffix: false }) {
                messages.extend(sei::messages(self.codec, nal));
            }
        });
        if walked.is_ok() { messages } else { Vec::new() }
    }

    /// Whether other pictures may refer to the picture of a frame that was scanned, by its first slice.
    pub(crate) fn is_reference(&self, scan: &FrameScan, frame: &[u8], start_code: &Finder<'_>) -> bool {
        let framing = if scan.is_byte_stream { Framing::ByteStream } else { Framing::LengthPrefixed };
        let mut is_reference = None;
        let _ = self.walk(framing, frame, start_code, |_, nal| {
            if let Some(unit) = NalUnit::read(self.codec, nal)
                && unit.is_base_layer
                && unit.picture().is_some()
            {
                is_reference.get_or_insert(unit.is_reference);
            }
        });
        is_reference.unwrap_or(false)
    }

    /// Visits the NAL units of a frame, some of which may be empty. Returns how many zero bytes pad it.
    #[inline]
    fn walk<'a>(
        &self,
        framing: Framing,
        frame: &'a [u8],
        start_code: &Finder<'_>,
        visit: impl FnMut(usize, &'a [u8]),
    ) -> Result<usize, FrameFault> {
        match framing {
            Framing::LengthPrefixed => walk_lengths(frame, self.length_size, visit),
            Framing::ByteStream => {
                annexb::split_at(frame, start_code.find_iter(frame), visit);
                Ok(0)
            }
        }
    }
}

/// Counts the pictures that begin in a frame: the two fields of a frame are one.
#[derive(Debug, Default)]
struct PictureCount<'a> {
    begun: u32,
    goes_on: bool,
    /// The first slice of a picture that may be a first field.
    first_field: Option<&'a [u8]>,
}

impl<'a> PictureCount<'a> {
    /// Counts a NAL unit, and returns its role once it is known whether it begins a picture.
    #[inline]
    fn add(
        &mut self,
        role: NalRole,
        nal: &'a [u8],
        is_second_field: impl FnOnce(&'a [u8]) -> bool,
    ) -> NalRole {
        if role.begins_picture() {
            if let Some(first_field) = self.first_field.take()
                && is_second_field(first_field)
            {
                return NalRole::Slice;
            }
            self.begun = self.begun.saturating_add(1);
            self.first_field = Some(nal);
        } else if role == NalRole::Slice && self.begun == 0 {
            self.goes_on = true;
        }
        role
    }

    /// Whether there is one picture, and it begins in the frame.
    fn is_one(&self) -> bool {
        self.begun == 1 && !self.goes_on
    }
}

/// Whether the first bytes are `00 00 01`, `00 00 00 01` or `00 00 00 00`, at a glance.
#[inline]
fn may_begin_with_start_code(frame: &[u8]) -> bool {
    let head = frame.first_chunk().map_or(0, |head| u32::from_be_bytes(*head));
    head < 2 || head >> 8 == 1
}

#[cfg(test)]
mod tests {
    use super::super::bit_writer::BitWriter;
    use super::*;

    fn scanner(codec: VideoCodec, length_size: u8) -> NalScanner {
        let record = match codec {
            VideoCodec::H264 => vec![1, 66, 0, 30, 0xFC | (length_size - 1), 0xE0, 0],
            VideoCodec::H265 => [&[1; 21][..], &[length_size - 1, 0]].concat(),
        };
        NalScanner::new(codec, Some(VideoConfig::parse(codec, &record).unwrap()))
    }

    fn scan_with(scanner: &NalScanner, frame: &[u8]) -> Result<(FrameScan, Vec<Vec<u8>>), FrameFault> {
        let mut nals = Vec::new();
        let scan = scanner.scan(frame, &annexb::finder(), |found| {
            assert_eq!(found.bytes, &frame[found.at..][..found.bytes.len()]);
            nals.push(found.bytes.to_vec());
        })?;
        Ok((scan, nals))
    }

    fn scan(
        codec: VideoCodec,
        length_size: u8,
        frame: &[u8],
    ) -> Result<(FrameScan, Vec<Vec<u8>>), FrameFault> {
        scan_with(&scanner(codec, length_size), frame)
    }

    #[test]
    fn a_length_prefixed_picture_stays_as_it_is() {
        let frame = [0, 0, 0, 2, 0x65, 0x88, 0, 0, 0, 2, 0x65, 4, 0, 0, 0, 1, 0x0C];
        let (found, nals) = scan(VideoCodec::H264, 4, &frame).unwrap();
        let want =
            FrameScan { verbatim: true, has_random_access: true, has_picture: true, ..FrameScan::default() };
        assert_eq!(found, want);
        assert!(nals.is_empty());
        // TRAIL_R, and a CRA of layer 1.
        let frame = [0, 0, 0, 3, 0x02, 0x01, 0xD0, 0, 0, 0, 3, 0x2A, 0x09, 0x80];
        assert!(!scan(VideoCodec::H265, 4, &frame).unwrap().0.has_random_access);
        let (found, _) = scan(VideoCodec::H265, 4, &[0, 0, 0, 3, 0x10, 0x01, 0xE0]).unwrap();
        assert_eq!((found.verbatim, found.leading), (true, Some(Leading::Skipped)));
    }

    #[test]
    fn a_delimiter_of_the_usual_size_is_told() {
        let begins = |codec, frame: &[u8]| scan(codec, 4, frame).unwrap().0.begins_with_delimiter;
        let picture = &[0, 0, 0, 2, 0x65, 0x88][..];
        assert!(begins(VideoCodec::H264, &[&[0, 0, 0, 2, 9, 0xF0], picture].concat()));
        assert!(begins(VideoCodec::H264, &[0, 0, 0, 1, 9, 0xF0, 0, 0, 1, 0x65, 0x88]));
        assert!(!begins(VideoCodec::H264, &[&[0, 0, 0, 1, 9], picture].concat()));
        assert!(!begins(VideoCodec::H264, &[picture, &[0, 0, 0, 2, 9, 0xF0]].concat()));
        let hevc = [0, 0, 0, 3, 0x46, 1, 0x50, 0, 0, 0, 3, 0x02, 1, 0xD0];
        assert!(begins(VideoCodec::H265, &hevc) && !begins(VideoCodec::H265, &hevc[7..]));
    }

    #[test]
    fn what_is_not_one_whole_picture_is_listed() {
        let sei = &[0, 0, 0, 3, 0x4E, 1, 5][..];
        let (first, next) = (&[0, 0, 0, 3, 0x02, 1, 0xD0][..], &[0, 0, 0, 3, 0x02, 1, 0x5A][..]);
        for (parts, has_picture) in
            [(&[sei][..], false), (&[next], false), (&[next, first], true), (&[first, next, first], true)]
        {
            let (found, nals) = scan(VideoCodec::H265, 4, &parts.concat()).unwrap();
            assert!(found.is_irregular && !found.verbatim && !found.converted);
            assert_eq!((found.has_picture, nals.len()), (has_picture, parts.len()));
        }
    }

    /// Without an SPS, what may be two fields stays together; with one of frames it does not.
    #[test]
    fn two_fields_are_one_picture() {
        let field = |bottom| {
            let mut w = BitWriter::default();
            let nal = w.ue(&[0, 5, 0]).u(4, 1).u(1, 1).u(1, bottom).u(8, 0).nal(&[0x41]);
            [&[0, 0, 0, nal.len() as u8][..], &nal].concat()
        };
        let mut sps = BitWriter::default();
        sps.u(8, 77).u(16, 30).ue(&[0, 0, 0, 2, 1]).u(1, 0).ue(&[9, 7]).u(5, 0b00100);
        let pps = BitWriter::default().ue(&[0, 0]).u(8, 0).nal(&[0x68]);
        let sets = [sps.nal(&[0x67]), pps];
        let config =
            VideoConfig::from_parameter_sets(VideoCodec::H264, sets.iter().map(|nal| &nal[..])).unwrap();
        let scanner = NalScanner::new(VideoCodec::H264, Some(config));
        let is_one = |fields: &[u32]| {
            let frame: Vec<u8> = fields.iter().flat_map(|&bottom| field(bottom)).collect();
            let (found, _) = scan_with(&scanner, &frame).unwrap();
            assert_eq!(found.verbatim, !found.is_irregular);
            found.verbatim
        };
        assert!(is_one(&[0, 1]) && is_one(&[1, 0]) && is_one(&[0]));
        assert!(!is_one(&[0, 0]) && !is_one(&[0, 1, 0]) && !is_one(&[0, 1, 0, 1]));
        let (found, nals) = scan_with(&scanner, &[field(0), vec![0, 0, 0, 1, 6], field(1)].concat()).unwrap();
        assert!(found.verbatim && nals.len() == 3, "listed before it was known");
    }

    #[test]
    fn lengths_of_1_and_2_bytes_and_empty_nals_are_reframed() {
        let (found, nals) = scan(VideoCodec::H264, 2, &[0, 2, 0x41, 0x9A, 0, 1, 0x0C]).unwrap();
        assert!(found.converted && !found.verbatim && !found.is_irregular && !found.is_byte_stream);
        assert_eq!(nals, [vec![0x41, 0x9A], vec![0x0C]]);
        let long = [&[1, 44][..], &[0x41; 300]].concat();
        assert_eq!(scan(VideoCodec::H264, 2, &long).unwrap().1, [vec![0x41; 300]]);
        let (_, nals) = scan(VideoCodec::H264, 1, &[2, 0x41, 0x9A, 2, 0x0C, 7]).unwrap();
        assert_eq!(nals, [vec![0x41, 0x9A], vec![0x0C, 7]]);
        let (found, nals) = scan(VideoCodec::H264, 4, &[0, 0, 0, 2, 0x41, 0x9A, 0, 0, 0, 0]).unwrap();
        assert_eq!((found.empty_nals, found.is_padded, found.verbatim), (1, false, false));
        assert_eq!(nals, [vec![0x41, 0x9A]]);
        let (found, nals) = scan(VideoCodec::H264, 4, &[0, 0, 0, 2, 0x41, 0x9A, 0, 0, 0]).unwrap();
        assert_eq!((found.empty_nals, found.is_padded, found.verbatim), (0, true, false));
        assert_eq!(nals, [vec![0x41, 0x9A]]);
    }

    #[test]
    fn start_codes_of_3_and_4_bytes_and_trailing_zeros() {
        let stream = [
            0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2, 0, 0, 3, 1, 0, 0, 0, 0, 1, 0x65, 0x80, 0, 0, 1, 0, 0, 1,
            0x41, 0, 0,
        ];
        let (found, nals) = scan(VideoCodec::H264, 4, &stream).unwrap();
        assert_eq!(nals, [vec![0x67, 1], vec![0x68, 2, 0, 0, 3, 1], vec![0x65, 0x80], vec![0x41]]);
        let want = FrameScan {
            converted: true,
            is_byte_stream: true,
            has_parameter_sets: true,
            has_random_access: true,
            has_picture: true,
            empty_nals: 1,
            ..FrameScan::default()
        };
        assert_eq!(found, want);
    }

    /// A picture of 325 bytes after a start code of three bytes, which is a NAL length too: its header decides. The SPS of
    /// another one has a header either way, so that it remains in doubt.
    #[test]
    fn a_frame_that_reads_as_both() {
        let filled = |head: &[u8], len: usize| {
            let mut frame = head.to_vec();
            frame.resize(len, 0xA5);
            frame
        };
        let frame = filled(&[0, 0, 1, 0x41, 0x9A], 4 + 0x141);
        let (found, nals) = scan(VideoCodec::H264, 4, &frame).unwrap();
        assert!(found.is_byte_stream && !found.is_doubtful);
        assert_eq!(nals, [frame[3..].to_vec()]);
        let frame = filled(&[0, 0, 1, 0x67, 0x42], 4 + 0x167);
        let scanner = scanner(VideoCodec::H264, 4);
        let (found, _) = scan_with(&scanner, &frame).unwrap();
        assert!(found.is_doubtful && !found.is_byte_stream);
        let mut nals = Vec::new();
        let other =
            scanner.scan_as(Framing::ByteStream, &frame, &annexb::finder(), |found| nals.push(found.bytes));
        assert!(other.unwrap().is_byte_stream);
        assert_eq!(nals, [&frame[3..]]);
        // A cut frame is one or the other.
        let cut = filled(&[0, 0, 1, 0x41, 0x41, 0x9A], 100);
        let (found, _) = scan_with(&scanner, &cut).unwrap();
        assert!(found.is_doubtful && found.is_byte_stream);
        assert!(scanner.scan_as(Framing::LengthPrefixed, &cut, &annexb::finder(), |_| ()).is_err());
    }

    #[test]
    fn messages_and_references() {
        let (sei, idr, b) = (&[6, 6, 1, 0xC4, 0x80][..], &[0x65, 0x88][..], &[0x01, 0x9A][..]);
        let scanner = scanner(VideoCodec::H264, 4);
        let read = |frame: &[u8]| {
            let (scan, _) = scan_with(&scanner, frame).unwrap();
            let messages = scanner.sei_messages(&scan, frame, &annexb::finder());
            (scan.has_sei, messages.len(), scanner.is_reference(&scan, frame, &annexb::finder()))
        };
        let lengths = |nals: &[&[u8]]| {
            nals.iter()
                .flat_map(|nal| [&(nal.len() as u32).to_be_bytes()[..], nal].concat())
                .collect::<Vec<_>>()
        };
        let stream =
            |nals: &[&[u8]]| nals.iter().flat_map(|nal| [&[0, 0, 0, 1], *nal].concat()).collect::<Vec<_>>();
        for frame in [lengths(&[sei, idr]), stream(&[sei, idr])] {
            assert_eq!(read(&frame), (true, 1, true));
        }
        assert_eq!(read(&lengths(&[b])), (false, 0, false));
        assert_eq!(read(&stream(&[sei])), (true, 1, false));
    }

    #[test]
    fn what_is_neither_is_told_with_its_place() {
        let error = scan(VideoCodec::H264, 4, &[0, 0, 0, 2, 0x65, 7, 0, 0, 0, 9, 1, 2]).unwrap_err();
        assert_eq!(error, FrameFault::NalLength { at: 6, len: 9, left: 2 });
        assert_eq!(scan(VideoCodec::H264, 4, &[]).unwrap_err(), FrameFault::Empty);
        for frame in [&[1, 2][..], &[0, 0, 0, 0], &[0, 0, 1], &[0, 0, 1, 0, 0, 0]] {
            assert!(scan(VideoCodec::H264, 4, frame).is_err(), "{frame:?}");
        }
    }
}
