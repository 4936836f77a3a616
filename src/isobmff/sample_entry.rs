//! SampleDescriptionBox (ISO/IEC 14496-12 section 8.5.2): what a decoder must know of the samples.
//!
//! Above each write stands its line of the clause's syntax.

use crate::codec::{AudioCodec, AudioConfig, Codec, VideoCodec, VideoConfig};
use crate::isobmff::bit_rate::BitRates;
use crate::isobmff::display::write_display;
use crate::isobmff::track_layout::TrackLayout;
use crate::isobmff::writer::BoxWriter;
use crate::plan::{InBandParameterSets, SampleDescription};

/// `stsd`, with one entry for each configuration of the track.
pub(super) fn write_sample_description(w: &mut BoxWriter, layout: &TrackLayout<'_>) {
    let rates = BitRates::of(layout);
    w.write_full_box(b"stsd", 0, 0, |w| {
        // unsigned int(32) entry_count;
        w.u32(layout.entries.len() as u32);
        for &(entry, parameter_sets) in &layout.entries {
            let code = code(entry, parameter_sets);
            match entry {
                SampleDescription::Video { config, .. } => {
                    write_visual(w, code, entry, config, parameter_sets, rates)
                }
                SampleDescription::Audio(config) => write_audio(w, code, config, rates),
            }
        }
    });
}

/// The four-character code of a sample entry. `avc1` and `hvc1` promise that all parameter sets are in the entry;
/// `avc3` and `hev1` allow them in the samples (ISO/IEC 14496-15 sections 5.4.2.1 and 8.4.1.1).
pub(super) fn code(entry: &SampleDescription, parameter_sets: InBandParameterSets) -> &'static str {
    let in_band = parameter_sets == InBandParameterSets::Different;
    match (entry.codec(), in_band) {
        (Codec::Video(VideoCodec::H264), false) => "avc1",
        (Codec::Video(VideoCodec::H264), true) => "avc3",
        (Codec::Video(VideoCodec::H265), false) => "hvc1",
        (Codec::Video(VideoCodec::H265), true) => "hev1",
        (Codec::Audio(AudioCodec::Aac), _) => "mp4a",
        (Codec::Audio(AudioCodec::ALaw), _) => "alaw",
        (Codec::Audio(AudioCodec::MuLaw), _) => "ulaw",
    }
}

/// Width and height as decoded, in pixels: those of the SPS, else what the producer declared.
pub(super) fn dimensions(entry: &SampleDescription) -> (u32, u32) {
    match entry {
        SampleDescription::Video { config, pixels } => {
            config.picture().map_or(*pixels, |p| (p.width, p.height))
        }
        SampleDescription::Audio(_) => (0, 0),
    }
}

fn write_box(w: &mut BoxWriter, code: &str, body: impl FnOnce(&mut BoxWriter)) {
    let code = code.as_bytes().first_chunk().copied().unwrap_or(*b"free");
    w.write_box(&code, body);
}

/// SampleEntry (section 8.5.2.2): the data is in this file.
fn write_sample_entry_head(w: &mut BoxWriter) {
    // const unsigned int(8)[6] reserved = 0;
    w.zeros(6);
    // unsigned int(16) data_reference_index;
    w.u16(1);
}

/// VisualSampleEntry (section 12.1.3).
fn write_visual(
    w: &mut BoxWriter,
    code: &str,
    entry: &SampleDescription,
    config: &VideoConfig,
    parameter_sets: InBandParameterSets,
    rates: BitRates,
) {
    let (width, height) = dimensions(entry);
    write_box(w, code, |w| {
        write_sample_entry_head(w);
        // unsigned int(16) pre_defined = 0; const unsigned int(16) reserved = 0;
        w.zeros(4);
        // unsigned int(32)[3] pre_defined = 0;
        w.zeros(12);
        // unsigned int(16) width;
        w.u16(u16::try_from(width).unwrap_or(u16::MAX));
        // unsigned int(16) height;
        w.u16(u16::try_from(height).unwrap_or(u16::MAX));
        // template unsigned int(32) horizresolution = 0x00480000; // 72 dpi
        w.u32(0x0048_0000);
        // template unsigned int(32) vertresolution = 0x00480000; // 72 dpi
        w.u32(0x0048_0000);
        // const unsigned int(32) reserved = 0;
        w.u32(0);
        // template unsigned int(16) frame_count = 1;
        w.u16(1);
        // uint(8)[32] compressorname;
        w.zeros(32);
        // template unsigned int(16) depth = 0x0018; // colour without alpha
        w.u16(0x0018);
        // int(16) pre_defined = -1;
        w.u16(u16::MAX);
        let configuration = match config {
            VideoConfig::Avc(_) => b"avcC",
            VideoConfig::Hevc(_) => b"hvcC",
        };
        w.write_box(configuration, |w| {
            config.write(w.as_mut_vec(), parameter_sets != InBandParameterSets::Different);
        });
        write_display(w, &entry.display());
        write_bit_rates(w, rates);
    });
}

/// AudioSampleEntry (section 12.2.3), version 0. G.711 has 16 bits too, the size of a sample once it is decoded, as
/// QuickTime wants it for compressed sound.
fn write_audio(w: &mut BoxWriter, code: &str, config: &AudioConfig, rates: BitRates) {
    write_box(w, code, |w| {
        write_sample_entry_head(w);
        // const unsigned int(32)[2] reserved = 0;
        w.zeros(8);
        // unsigned int(16) channelcount;
        w.u16(config.channels());
        // template unsigned int(16) samplesize = 16;
        w.u16(16);
        // unsigned int(16) pre_defined = 0; const unsigned int(16) reserved = 0;
        w.zeros(4);
        // template unsigned int(32) samplerate = {default samplerate of media}<<16;
        // Rates above 65,535 Hz do not fit. They are 0 here and stand in the codec's configuration.
        w.u16(u16::try_from(config.sampling_rate()).unwrap_or(0));
        w.u16(0);
        if let AudioConfig::Aac(config) = config {
            write_elementary_stream_descriptor(w, config.specific_config(), rates);
        }
        write_bit_rates(w, rates);
    });
}

/// ESDBox (ISO/IEC 14496-14 section 6.7.2) with the descriptors of ISO/IEC 14496-1 section 7.2.6.
fn write_elementary_stream_descriptor(w: &mut BoxWriter, specific_config: &[u8], rates: BitRates) {
    const ES_DESCR: u8 = 3;
    const DECODER_CONFIG_DESCR: u8 = 4;
    const DEC_SPECIFIC_INFO: u8 = 5;
    const SL_CONFIG_DESCR: u8 = 6;
    const AUDIO_ISO_14496_3: u8 = 0x40;
    const AUDIO_STREAM: u8 = 5;
    const DESCRIPTOR_HEAD: usize = 5;
    const DECODER_CONFIG: usize = 13;
    const ES_HEAD: usize = 3;
    const SL_CONFIG: usize = 1;

    let specific = specific_config.len();
    let decoder = DECODER_CONFIG.saturating_add(DESCRIPTOR_HEAD).saturating_add(specific);
    let stream = (ES_HEAD + DESCRIPTOR_HEAD + DESCRIPTOR_HEAD + SL_CONFIG).saturating_add(decoder);
    w.write_full_box(b"esds", 0, 0, |w| {
        write_descriptor_head(w, ES_DESCR, stream);
        // bit(16) ES_ID; 0 in files
        w.u16(0);
        // bit(1) streamDependenceFlag; bit(1) URL_Flag; bit(1) OCRstreamFlag; bit(5) streamPriority;
        w.u8(0);
        write_descriptor_head(w, DECODER_CONFIG_DESCR, decoder);
        // bit(8) objectTypeIndication;
        w.u8(AUDIO_ISO_14496_3);
        // bit(6) streamType; bit(1) upStream; const bit(1) reserved = 1;
        w.u8(AUDIO_STREAM << 2 | 1);
        // bit(24) bufferSizeDB;
        w.bytes(rates.largest_sample.to_be_bytes().last_chunk::<3>().unwrap_or(&[0; 3]));
        // bit(32) maxBitrate;
        w.u32(rates.max);
        // bit(32) avgBitrate;
        w.u32(rates.average);
        write_descriptor_head(w, DEC_SPECIFIC_INFO, specific);
        w.bytes(specific_config);
        write_descriptor_head(w, SL_CONFIG_DESCR, SL_CONFIG);
        // bit(8) predefined; 2 in MP4 files
        w.u8(2);
    });
}

/// Tag and size of a descriptor (ISO/IEC 14496-1 section 8.3.3), the size in four groups of 7 bits.
fn write_descriptor_head(w: &mut BoxWriter, tag: u8, len: usize) {
    w.u8(tag);
    for shift in [21, 14, 7] {
        w.u8(0x80 | (len >> shift & 0x7F) as u8);
    }
    w.u8((len & 0x7F) as u8);
}

/// BitRateBox (ISO/IEC 14496-12 section 8.5.2.2).
fn write_bit_rates(w: &mut BoxWriter, rates: BitRates) {
    w.write_box(b"btrt", |w| {
        // unsigned int(32) bufferSizeDB;
        w.u32(rates.largest_sample);
        // unsigned int(32) maxBitrate;
        w.u32(rates.max);
        // unsigned int(32) avgBitrate;
        w.u32(rates.average);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut BoxWriter)) -> Vec<u8> {
        let mut writer = BoxWriter::default();
        write(&mut writer);
        writer.finish().unwrap()
    }

    /// ISO/IEC 14496-1 section 8.3.3, written out in full.
    #[test]
    fn the_size_of_a_descriptor_has_28_bits() {
        for (len, size) in [
            (5, [0x80, 0x80, 0x80, 5]),
            (127, [0x80, 0x80, 0x80, 0x7F]),
            (128, [0x80, 0x80, 0x81, 0]),
            (0x0123_4567, [0x89, 0x8D, 0x8A, 0x67]),
        ] {
            assert_eq!(written(|w| write_descriptor_head(w, 3, len)), [&[3][..], &size].concat(), "{len}");
        }
    }
}
