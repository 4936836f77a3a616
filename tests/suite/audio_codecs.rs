//! What AAC and G.711 become: sample entries, configurations, and the bytes of the samples.

use crate::clips::{clip, clip_with, everything, lines, refusal_with, sound};
use getclip::{AudioCodec, CodecChanges, ErrorKind, Event};
use testkit::media;
use testkit::mkv::{self, Block, Fragment, Track, aac_blocks, avc_blocks, g711_blocks};
use testkit::mp4::{Movie, SampleEntry};

const START: u64 = 1_700_000_000_000;

/// A fragment of one second with two pictures, and this sound.
fn with_audio(index: u64, track: Track, audio: Vec<Block>) -> Fragment {
    let blocks = [avc_blocks(index, [0, 500]), audio].concat();
    Fragment::stored(index, START + index * 1000, vec![Track::avc(), track], blocks)
}

/// The DecoderSpecificInfo of an `esds` (ISO/IEC 14496-1 section 7.2.6).
fn decoder_specific_info(entry: &SampleEntry<'_>) -> Vec<u8> {
    fn descriptor<'a>(bytes: &mut &'a [u8], tag: u8) -> &'a [u8] {
        assert_eq!(bytes[0], tag);
        let mut length = 0;
        let mut at = 1;
        loop {
            length = length << 7 | usize::from(bytes[at] & 0x7F);
            at += 1;
            if bytes[at - 1] & 0x80 == 0 {
                break;
            }
        }
        let payload = &bytes[at..at + length];
        *bytes = &bytes[at + length..];
        payload
    }
    let esds = entry.view.expect("esds");
    let mut rest = &esds.payload()[4..];
    let mut es = descriptor(&mut rest, 3);
    assert!(rest.is_empty());
    es = &es[3..];
    let mut decoder_config = descriptor(&mut es, 4);
    assert_eq!((decoder_config[0], decoder_config[1] >> 2), (0x40, 5), "MPEG-4 audio, audio stream");
    decoder_config = &decoder_config[13..];
    descriptor(&mut decoder_config, 5).to_vec()
}

/// AudioSpecificConfigs of ISO/IEC 14496-3 section 1.6.2.1, with rate, channels and samples per frame.
#[test]
fn aac_configurations_are_carried_verbatim() {
    for (config, rate, channels, ticks) in [
        (&[0x11, 0x90][..], 48_000, 2, 1024),
        (&[0x12, 0x10], 44_100, 2, 1024),
        (&[0x11, 0x88], 48_000, 1, 1024),
        (&[0x11, 0x90, 0x56, 0xE5, 0x00], 48_000, 2, 1024),
        // 24 kHz with SBR to 48 kHz, signalled backward-compatibly and hierarchically.
        (&[0x13, 0x10, 0x56, 0xE5, 0x98], 48_000, 2, 2048),
        (&[0x2B, 0x11, 0x88, 0x00], 48_000, 2, 2048),
        // frameLengthFlag.
        (&[0x11, 0x94], 48_000, 2, 960),
        // The rate written out: 48000 Hz.
        (&[0x17, 0x80, 0x5D, 0xC0, 0x10], 48_000, 2, 1024),
        // 16 more bytes that mean nothing.
        (&[0x11, 0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 48_000, 2, 1024),
    ] {
        let step_us = i64::from(ticks) * 1_000_000 / i64::from(rate);
        let audio = aac_blocks(0, (0..20).map(|i| ((i * step_us + 500) / 1000) as i16));
        let fragment = with_audio(0, Track::aac().codec_private(config), audio);
        let (mp4, report) = clip(fragment.to_bytes());
        let movie = Movie::parse(&mp4);
        let audio = movie.audio();
        assert_eq!(decoder_specific_info(&audio.entries[0]), config);
        assert_eq!(audio.timescale, rate, "{config:x?}");
        assert_eq!(audio.table.time_to_sample, [(20, ticks)], "{config:x?}");
        assert_eq!(sound(&report.tracks[1]), (AudioCodec::Aac, rate, channels), "{config:x?}");
        assert!(audio.table.sync_samples.is_none(), "every sample of sound is one");
    }
}

#[test]
fn adts_headers_are_taken_off() {
    let raw: Vec<Vec<u8>> = (0..10).map(|i| media::aac_frame(i, 20 + i as usize)).collect();
    let block = |(index, frame): (usize, &Vec<u8>)| {
        // Every third frame is as it should be.
        let stored = if index.is_multiple_of(3) { frame.clone() } else { media::adts(frame, index % 3 == 1) };
        Block::new(2, index as i16 * 64 / 3, true, stored)
    };
    let blocks = raw.iter().enumerate().map(block).collect();
    let (mp4, report) = clip(with_audio(0, Track::aac(), blocks).to_bytes());
    let movie = Movie::parse(&mp4);
    let samples: Vec<&[u8]> = movie.audio().samples.iter().map(|sample| sample.bytes).collect();
    assert_eq!(samples, raw);
    assert!(report.events.contains(&Event::AdtsStripped { track: 2, frames: 6 }), "{:?}", lines(&report));
}

/// A version 0 AudioSampleEntry of 16 bits, which ffmpeg, mpv, VLC, GStreamer and Chromium play.
#[test]
fn g711_sample_entries() {
    for (tag, code, codec) in [(6, "alaw", AudioCodec::ALaw), (7, "ulaw", AudioCodec::MuLaw)] {
        for (rate, channels, length) in
            [(8000, 1, 18), (8000, 2, 18), (16_000, 1, 16), (11_025, 2, 18), (8000, 1, 40)]
        {
            let mut private = media::wave_format(tag, rate, channels);
            private.resize(length, 0);
            let blocks =
                g711_blocks(7, usize::from(channels) * (rate as usize / 50), (0..10).map(|i| i * 20));
            let bytes: Vec<u8> = blocks.iter().flat_map(|block| block.frames[0].clone()).collect();
            let fragment = with_audio(0, Track::alaw().codec_private(private), blocks);
            let (mp4, report) = clip(fragment.to_bytes());
            let movie = Movie::parse(&mp4);
            let audio = movie.audio();
            let SampleEntry { fourcc, payload, .. } = audio.entries[0];
            assert_eq!(fourcc, code);
            let word = |at: usize| u16::from_be_bytes([payload[at], payload[at + 1]]);
            // Section 12.2.3.2: version, channelcount, samplesize, samplerate as 16.16.
            assert_eq!((word(8), word(16), word(18), word(24), word(26)), (0, channels, 16, rate as u16, 0));
            assert_eq!(audio.pcm_frame_size(), usize::from(channels));
            assert!(audio.pcm_bytes() == bytes);
            assert_eq!(sound(&report.tracks[1]), (codec, rate, channels));
        }
    }
}

#[test]
fn audio_configurations_can_change_within_one_rate() {
    let with_config = |index: u64, config: &[u8]| {
        let blocks = aac_blocks(index, (0..46).map(|i| i * 64 / 3));
        with_audio(index, Track::aac().codec_private(config), blocks)
    };
    let builder = everything().codec_changes(CodecChanges::NewSampleEntry);
    let (mp4, _) =
        clip_with(&builder, mkv::documents(&[with_config(0, &[0x11, 0x90]), with_config(1, &[0x11, 0x88])]));
    let movie = Movie::parse(&mp4);
    let configs: Vec<Vec<u8>> = movie.audio().entries.iter().map(decoder_specific_info).collect();
    assert_eq!(configs, [[0x11, 0x90], [0x11, 0x88]]);
    // One media timescale serves the whole track.
    let error = refusal_with(
        &builder,
        mkv::documents(&[with_config(0, &[0x11, 0x90]), with_config(1, &[0x12, 0x10])]),
    );
    assert!(matches!(error.kind(), ErrorKind::CodecPrivateDataChanged { .. }), "{error}");
}
