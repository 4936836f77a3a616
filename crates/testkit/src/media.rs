//! Codec private data of real encoders, and frames of any size that look like theirs.
//!
//! The frames do not decode: they hold the NAL structure that a remuxer looks at, around bytes that differ from frame to
//! frame. For pictures that decode see `testdata/`.

/// SPS of libx264: High, level 1.3, 4:2:0, 320x180 (cropped from 192), square pixels, 30 fps.
pub const AVC_SPS: &[u8] = &[
    0x67, 0x64, 0x00, 0x0D, 0xAC, 0xB2, 0x02, 0x83, 0x3F, 0x3E, 0x02, 0x20, 0x00, 0x00, 0x03, 0x00, 0x20,
    0x00, 0x00, 0x07, 0x81, 0xE2, 0x85, 0x49,
];
/// SPS without VUI: Main, level 4.0, 4:2:0, 320x180. Nothing tells how far pictures are reordered: up to 16 are.
pub const AVC_SPS_MAIN: &[u8] = &[0x67, 0x4D, 0x00, 0x28, 0xE5, 0x28, 0x28, 0x33, 0xF3, 0xA0];
/// PPS of libx264, for [`AVC_SPS`], [`AVC_SPS_640`] and [`AVC_SPS_MAIN`].
pub const AVC_PPS: &[u8] = &[0x68, 0xEB, 0xC3, 0xCB, 0x22, 0xC0];
/// SPS of libx264: High, level 3.0, 4:2:0, 640x360, square pixels, 30 fps.
pub const AVC_SPS_640: &[u8] = &[
    0x67, 0x64, 0x00, 0x1E, 0xAC, 0xB2, 0x01, 0x40, 0x5F, 0xF2, 0xE0, 0x22, 0x00, 0x00, 0x03, 0x00, 0x02,
    0x00, 0x00, 0x03, 0x00, 0x78, 0x1E, 0x2C, 0x5C, 0x90,
];
/// VPS of libx265: Main, 320x180, 30 fps.
pub const HEVC_VPS: &[u8] = &[
    0x40, 0x01, 0x0C, 0x01, 0xFF, 0xFF, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00,
    0x00, 0x03, 0x00, 0x3C, 0x92, 0x80, 0x90,
];
/// SPS that goes with [`HEVC_VPS`].
pub const HEVC_SPS: &[u8] = &[
    0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00,
    0x3C, 0xA0, 0x0A, 0x08, 0x0B, 0x9F, 0x79, 0x64, 0xA9, 0x24, 0xCA, 0xF0, 0x16, 0x80, 0x80, 0x00, 0x00,
    0x03, 0x00, 0x80, 0x00, 0x00, 0x0F, 0x04,
];
/// PPS that goes with [`HEVC_VPS`].
pub const HEVC_PPS: &[u8] = &[0x44, 0x01, 0xC1, 0x72, 0xB4, 0x22, 0x40];
/// AudioSpecificConfig: AAC-LC, 48 kHz, stereo, 1024 samples a frame.
pub const AAC_LC_48000_STEREO: &[u8] = &[0x11, 0x90];
/// AudioSpecificConfig: AAC-LC, 44.1 kHz, stereo, 1024 samples a frame.
pub const AAC_LC_44100_STEREO: &[u8] = &[0x12, 0x10];

/// AVCDecoderConfigurationRecord with 4-byte NAL lengths and the High-profile tail for 8-bit 4:2:0
/// (ISO/IEC 14496-15 section 5.3.3.1).
pub fn avcc(sps: &[u8], pps: &[u8]) -> Vec<u8> {
    let mut record = avcc_without_tail(sps, pps);
    // chroma_format 1, bit_depth_luma_minus8 0, bit_depth_chroma_minus8 0 under reserved ones; no SPS extension.
    record.extend([0xFD, 0xF8, 0xF8, 0x00]);
    record
}

/// The same without the tail, as the AWS SDK writes it.
pub fn avcc_without_tail(sps: &[u8], pps: &[u8]) -> Vec<u8> {
    let mut record = vec![1, sps[1], sps[2], sps[3], 0xFF, 0xE1];
    record.extend((sps.len() as u16).to_be_bytes());
    record.extend(sps);
    record.push(1);
    record.extend((pps.len() as u16).to_be_bytes());
    record.extend(pps);
    record
}

/// HEVCDecoderConfigurationRecord of [`HEVC_VPS`], [`HEVC_SPS`] and [`HEVC_PPS`] (ISO/IEC 14496-15 section 8.3.3.1).
pub fn hvcc(array_completeness: bool) -> Vec<u8> {
    let mut record = vec![
        0x01, 0x01, 0x60, 0x00, 0x00, 0x00, 0x90, 0x00, 0x00, 0x00, 0x00, 0x00, 0x3C, 0xF0, 0x00, 0xFC, 0xFD,
        0xF8, 0xF8, 0x00, 0x00, 0x0F, 0x03,
    ];
    for (nal_unit_type, nal) in [(32, HEVC_VPS), (33, HEVC_SPS), (34, HEVC_PPS)] {
        record.push(if array_completeness { 0x80 | nal_unit_type } else { nal_unit_type });
        record.extend([0x00, 0x01]);
        record.extend((nal.len() as u16).to_be_bytes());
        record.extend(nal);
    }
    record
}

/// WAVEFORMATEX of 18 bytes as the AWS SDK writes it: avgBytesPerSec wrong, bitsPerSample 0. Tag 6 is A-law, 7 is mu-law.
pub fn wave_format(tag: u16, sampling_rate: u32, channels: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(tag.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(sampling_rate.to_le_bytes());
    bytes.extend((sampling_rate / 8).to_le_bytes()); // avgBytesPerSec
    bytes.extend(channels.to_le_bytes()); // blockAlign
    bytes.extend([0, 0]); // bitsPerSample
    bytes.extend([0, 0]); // cbSize
    bytes
}

/// `length` bytes without a zero among them, so that they never look like a start code. The same seed gives the same.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    // splitmix64
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = state;
        word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        bytes.extend((word ^ word >> 31).to_le_bytes().map(|byte| byte.max(1)));
    }
    bytes.truncate(length);
    bytes
}

/// NAL units of one access unit, each behind a 4-byte length.
pub fn length_prefixed(nals: &[&[u8]]) -> Vec<u8> {
    with_nal_lengths(nals, 4)
}

/// NAL units each behind a length of `length_size` bytes, 1, 2 or 4.
pub fn with_nal_lengths(nals: &[&[u8]], length_size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for nal in nals {
        bytes.extend(&(nal.len() as u64).to_be_bytes()[8 - length_size..]);
        bytes.extend(*nal);
    }
    bytes
}

/// NAL units as Annex B: a 4-byte start code before each.
pub fn annexb(nals: &[&[u8]]) -> Vec<u8> {
    nals.iter().flat_map(|nal| [&[0, 0, 0, 1], *nal].concat()).collect()
}

/// The NAL units of a frame with 4-byte lengths.
pub fn nals(frame: &[u8]) -> Vec<&[u8]> {
    let mut nals = Vec::new();
    let mut rest = frame;
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (nal, after) = after.split_at(u32::from_be_bytes(*length) as usize);
        nals.push(nal);
        rest = after;
    }
    assert!(rest.is_empty(), "bytes after the last NAL");
    nals
}

/// An H.264 access unit of `length` bytes (at least 6) with 4-byte NAL lengths: one IDR or non-IDR slice, two from 64
/// bytes on.
pub fn avc_frame(seed: u64, length: usize, key: bool) -> Vec<u8> {
    slices(seed, length, if key { &[0x65] } else { &[0x41] })
}

/// An H.265 access unit of `length` bytes (at least 7) with 4-byte NAL lengths: IDR_W_RADL or TRAIL_R slices.
pub fn hevc_frame(seed: u64, length: usize, key: bool) -> Vec<u8> {
    slices(seed, length, if key { &[19 << 1, 0x01] } else { &[1 << 1, 0x01] })
}

/// The frame behind an ADTS header (ISO/IEC 14496-3 section 1.A.2.2): LC, 48 kHz, stereo, with or without CRC.
pub fn adts(frame: &[u8], crc: bool) -> Vec<u8> {
    let header_length = if crc { 9 } else { 7 };
    let length = (frame.len() + header_length) as u32;
    let bits = 0x00FF_F000_0000_0000_u64
        | u64::from(!crc) << 40
        | 1 << 38
        | 3 << 34
        | 2 << 30
        | u64::from(length) << 13
        | 0x7FF << 2;
    let mut bytes = bits.to_be_bytes()[1..].to_vec();
    bytes.resize(header_length, 0xCC);
    bytes.extend(frame);
    bytes
}

/// The raw frames of a block of ADTS frames, one after the other (ISO/IEC 14496-3 section 1.A.2.2).
pub fn adts_frames(block: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    let mut rest = block;
    while !rest.is_empty() {
        assert!(rest[0] == 0xFF && rest[1] & 0xF6 == 0xF0, "an ADTS syncword, not {:02x?}", &rest[..2]);
        let length = u32::from_be_bytes([0, rest[3] & 0x03, rest[4], rest[5]]) >> 5;
        let header_length = if rest[1] & 1 == 1 { 7 } else { 9 };
        let (frame, after) = rest.split_at(length as usize);
        frames.push(&frame[header_length..]);
        rest = after;
    }
    frames
}

/// A raw AAC frame of `length` bytes. It begins with a channel pair element, never with an ADTS syncword.
pub fn aac_frame(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = noise(seed, length);
    bytes[0] = 0x21;
    bytes
}

/// G.711 bytes.
pub fn g711_block(seed: u64, length: usize) -> Vec<u8> {
    noise(seed, length)
}

/// The first bit after the header tells the first slice of a picture: `first_mb_in_slice` is 0 if it is set, and
/// `first_slice_segment_in_pic_flag` is that bit.
fn slices(seed: u64, length: usize, header: &[u8]) -> Vec<u8> {
    let slice = |seed: u64, length: usize, is_first: bool| {
        let mut nal = noise(seed, length.checked_sub(4).expect("room for the NAL length"));
        nal[..header.len()].copy_from_slice(header);
        let first = &mut nal[header.len()];
        *first = *first & 0x7F | u8::from(is_first) << 7;
        nal
    };
    if length < 64 {
        return length_prefixed(&[&slice(seed, length, true)]);
    }
    let first = length / 2;
    length_prefixed(&[&slice(seed, first, true), &slice(!seed, length - first, false)])
}
