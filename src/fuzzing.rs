//! What the fuzz targets in `fuzz/` do with the parsers that the public API hides. A broken promise is a panic.

use crate::annexb;
use crate::codec::aac::AacConfig;
use crate::codec::adts::{AacFraming, access_units};
use crate::codec::g711::G711Config;
use crate::codec::nal::NalScanner;
use crate::codec::sei::DisplayMessages;
use crate::codec::{AudioCodec, Picture, VideoCodec, VideoConfig};

/// H.264 codec private data: what was understood is written so that it is understood again, as the same.
pub fn avc_config(data: &[u8]) {
    video_config(VideoCodec::H264, data);
}

/// H.265 codec private data: the same.
pub fn hevc_config(data: &[u8]) {
    video_config(VideoCodec::H265, data);
}

fn video_config(codec: VideoCodec, data: &[u8]) {
    let Ok(config) = VideoConfig::parse(codec, data) else { return };
    check_picture(config.picture());
    assert!(matches!(config.length_size(), 1 | 2 | 4));
    assert!(config.max_reorder_frames().is_none_or(|frames| frames <= 16));
    for array_completeness in [false, true] {
        let mut written = Vec::new();
        config.write(&mut written, array_completeness);
        let again = VideoConfig::parse(codec, &written).expect("a record of our own");
        // Only the records of High profiles hold SPS extensions.
        let difference = config.difference(&again);
        assert!(matches!(&*difference, "" | "SPS extension"), "{difference}");
        assert_eq!(config.decodes_like(&again), difference.is_empty());
        assert_eq!(config.picture(), again.picture());
        assert_eq!(again.length_size(), 4);
    }
}

/// AAC codec private data, and the access units of a block.
pub fn aac_config(data: &[u8]) {
    if let Ok(config) = AacConfig::parse(data) {
        assert_eq!(config.specific_config(), data);
        assert!(config.sampling_rate() > 0 && config.channels() > 0 && config.frame_length() > 0);
    }
    let mut units = 0;
    let framing = access_units(data, false, |offset, unit| {
        assert_eq!(&data[offset..][..unit.len()], unit);
        assert!(!unit.is_empty());
        units += 1;
    });
    match framing {
        Ok(AacFraming::Raw) => assert_eq!(units, 1),
        Ok(AacFraming::Adts) => assert!(units >= 1),
        Err(_) => assert_eq!(units, 0),
    }
}

/// G.711 codec private data.
pub fn g711_config(data: &[u8]) {
    if let Ok(config) = G711Config::parse(data) {
        assert!(matches!(config.codec(), AudioCodec::ALaw | AudioCodec::MuLaw));
        assert!(config.sampling_rate() > 0 && config.channels() > 0);
    }
}

/// A frame, whose first byte says how it is to be read: the NAL units found are those that a naive reading finds.
pub fn annexb(data: &[u8]) {
    let Some((&how, frame)) = data.split_first() else { return };
    let codec = if how & 1 == 0 { VideoCodec::H264 } else { VideoCodec::H265 };
    let length_size = [4, 4, 2, 1][usize::from(how >> 1 & 3)];

    let mut split = Vec::new();
    annexb::split(frame, |offset, nal| {
        assert_eq!(&frame[offset..][..nal.len()], nal);
        split.push(nal);
    });
    assert_eq!(split, naive_byte_stream(frame));

    let scanner = NalScanner::new(codec, Some(config_of_length_size(codec, length_size)));
    let mut listed = Vec::new();
    let scan = scanner.scan(frame, &annexb::finder(), |found| {
        assert_eq!(&frame[found.at..][..found.bytes.len()], found.bytes);
        listed.push(found.bytes);
    });
    let by_lengths = naive_lengths(frame, usize::from(length_size));
    let is_byte_stream = starts_a_byte_stream(frame);
    let whole = |nals: &[&[u8]]| nals.iter().any(|nal| !nal.is_empty());
    let Ok(scan) = scan else {
        assert!(!by_lengths.is_some_and(|nals| whole(&nals)), "NAL units were not found");
        assert!(!is_byte_stream || !whole(&split), "NAL units were not found");
        return;
    };
    assert_eq!(scan.converted, scan.is_byte_stream || length_size != 4);
    assert!(!scan.is_byte_stream || is_byte_stream);
    let nals = if scan.is_byte_stream { split } else { by_lengths.expect("lengths that fit") };
    let (empty, whole): (Vec<&[u8]>, Vec<&[u8]>) = nals.into_iter().partition(|nal| nal.is_empty());
    assert_eq!(scan.empty_nals as usize, if scan.verbatim { 0 } else { empty.len() });
    assert!(!scan.verbatim || !scan.converted && empty.is_empty());
    assert!(scan.verbatim && listed.is_empty() || listed == whole);
    for message in scanner.sei_messages(&scan, frame, &annexb::finder()) {
        DisplayMessages::default().add(message);
    }
}

/// A configuration record without parameter sets.
fn config_of_length_size(codec: VideoCodec, length_size: u8) -> VideoConfig {
    let record = match codec {
        VideoCodec::H264 => vec![1, 66, 0, 30, 0xFC | (length_size - 1), 0xE0, 0],
        VideoCodec::H265 => [&[1; 21][..], &[length_size - 1, 0]].concat(),
    };
    VideoConfig::parse(codec, &record).expect("a record of our own")
}

fn check_picture(picture: Option<&Picture>) {
    assert!(picture.is_none_or(|picture| picture.width > 0 && picture.height > 0));
}

/// The definition of annex B.2, byte by byte.
fn naive_byte_stream(stream: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = (0..stream.len()).filter(|&at| stream[at..].starts_with(&[0, 0, 1])).collect();
    let ends = starts.iter().skip(1).copied().chain([stream.len()]);
    let mut nals: Vec<&[u8]> = starts.iter().zip(ends).map(|(start, end)| &stream[start + 3..end]).collect();
    for nal in &mut nals {
        while let [front @ .., 0] = nal {
            *nal = front;
        }
    }
    nals
}

fn starts_a_byte_stream(frame: &[u8]) -> bool {
    let behind_zeros = frame.iter().position(|&byte| byte != 0);
    behind_zeros.is_some_and(|zeros| zeros >= 2 && frame[zeros] == 1)
}

/// The NAL units after their lengths, if the last one ends with the frame, or with zeros that are too few for a length.
fn naive_lengths(frame: &[u8], length_size: usize) -> Option<Vec<&[u8]>> {
    let (mut nals, mut at) = (Vec::new(), 0);
    while frame.len() - at >= length_size || frame[at..].iter().any(|&byte| byte != 0) {
        let len = frame.get(at..at + length_size)?.iter().fold(0, |len, &byte| len << 8 | usize::from(byte));
        at += length_size;
        nals.push(frame.get(at..at + len)?);
        at += len;
    }
    Some(nals)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// Name and body.
    type Target = (&'static str, fn(&[u8]));

    const TARGETS: [Target; 5] = [
        ("avc_config", super::avc_config),
        ("hevc_config", super::hevc_config),
        ("aac_config", super::aac_config),
        ("g711_config", super::g711_config),
        ("annexb", super::annexb),
    ];

    /// Inputs that once failed.
    #[test]
    fn regressions() {
        for (target, run) in TARGETS {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/regressions").join(target);
            for file in fs::read_dir(folder).into_iter().flatten() {
                run(&fs::read(file.unwrap().path()).unwrap());
            }
        }
    }
}
