//! SampleDescriptionBox (ISO/IEC 14496-12 section 8.5.2): what a decoder must know of the samples.

use crate::codec::{AudioConfig, Codec, Colour, VideoConfig};
use crate::isobmff::layout::TrackLayout;
use crate::isobmff::writer::BoxWriter;
use crate::track::{Entry, ParameterSets};

/// Rates of a track, for `btrt` and `esds`.
#[derive(Debug, Clone, Copy)]
struct BitRates {
    largest_sample: u32,
    max: u32,
    average: u32,
}

/// `stsd`, with one entry for each configuration of the track.
pub(super) fn write_sample_description(w: &mut BoxWriter, layout: &TrackLayout<'_>) {
    let rates = BitRates::of(layout);
    w.write_full_box(b"stsd", 0, 0, |w| {
        w.u32(layout.entries.len() as u32);
        for &(entry, parameter_sets) in &layout.entries {
            let code = code(entry, parameter_sets);
            match entry {
                Entry::Video { config, .. } => write_visual(w, code, entry, config, parameter_sets, rates),
                Entry::Audio(config) => write_audio(w, code, config, rates),
            }
        }
    });
}

/// The four-character code of a sample entry. `avc1` and `hvc1` promise that all parameter sets are in the entry;
/// `avc3` and `hev1` allow them in the samples (ISO/IEC 14496-15 sections 5.4.2.1 and 8.4.1.1).
pub(super) fn code(entry: &Entry, parameter_sets: ParameterSets) -> &'static str {
    let in_band = parameter_sets == ParameterSets::Different;
    match (entry.codec(), in_band) {
        (Codec::H264, false) => "avc1",
        (Codec::H264, true) => "avc3",
        (Codec::H265, false) => "hvc1",
        (Codec::H265, true) => "hev1",
        (Codec::Aac, _) => "mp4a",
        (Codec::ALaw, _) => "alaw",
        (Codec::MuLaw, _) => "ulaw",
    }
}

/// Width and height as decoded, in pixels: those of the SPS, else what the producer declared.
pub(super) fn dimensions(entry: &Entry) -> (u32, u32) {
    match entry {
        Entry::Video { config, pixels } => config.picture().map_or(*pixels, |p| (p.width, p.height)),
        Entry::Audio(_) => (0, 0),
    }
}

/// Width to height of a pixel.
pub(super) fn pixel_aspect(entry: &Entry) -> Option<(u32, u32)> {
    match entry {
        Entry::Video { config, .. } => config.picture().and_then(|picture| picture.pixel_aspect),
        Entry::Audio(_) => None,
    }
}

fn write_box(w: &mut BoxWriter, code: &str, body: impl FnOnce(&mut BoxWriter)) {
    let code = code.as_bytes().first_chunk().copied().unwrap_or(*b"free");
    w.write_box(&code, body);
}

/// SampleEntry (section 8.5.2.2): the data is in this file.
fn write_sample_entry_head(w: &mut BoxWriter) {
    w.zeros(6);
    w.u16(1);
}

/// VisualSampleEntry (section 12.1.3).
fn write_visual(
    w: &mut BoxWriter,
    code: &str,
    entry: &Entry,
    config: &VideoConfig,
    parameter_sets: ParameterSets,
    rates: BitRates,
) {
    let (width, height) = dimensions(entry);
    write_box(w, code, |w| {
        write_sample_entry_head(w);
        w.zeros(16);
        w.u16(u16::try_from(width).unwrap_or(u16::MAX));
        w.u16(u16::try_from(height).unwrap_or(u16::MAX));
        w.u32(0x0048_0000);
        w.u32(0x0048_0000);
        w.u32(0);
        w.u16(1);
        w.zeros(32);
        w.u16(0x0018);
        w.u16(u16::MAX);
        let configuration = if config.codec() == Codec::H265 { b"hvcC" } else { b"avcC" };
        w.write_box(configuration, |w| {
            config.write(w.as_mut_vec(), parameter_sets != ParameterSets::Different);
        });
        if let Some((horizontal, vertical)) = pixel_aspect(entry) {
            w.write_box(b"pasp", |w| {
                w.u32(horizontal);
                w.u32(vertical);
            });
        }
        if let Some(colour) = config.picture().and_then(|picture| picture.colour) {
            write_colour(w, colour);
        }
        rates.write(w);
    });
}

/// ColourInformationBox (section 12.1.5), on-screen colours.
fn write_colour(w: &mut BoxWriter, colour: Colour) {
    w.write_box(b"colr", |w| {
        w.bytes(b"nclx");
        w.u16(colour.primaries);
        w.u16(colour.transfer);
        w.u16(colour.matrix);
        w.u8(u8::from(colour.full_range) << 7);
    });
}

/// AudioSampleEntry (section 12.2.3), version 0. G.711 says 16 bits, the size of a sample once it is decoded, as
/// QuickTime does for compressed sound.
fn write_audio(w: &mut BoxWriter, code: &str, config: &AudioConfig, rates: BitRates) {
    write_box(w, code, |w| {
        write_sample_entry_head(w);
        w.zeros(8);
        w.u16(config.channels());
        w.u16(16);
        w.zeros(4);
        // 16.16 bits hold rates up to 65,535 Hz. A larger one is 0 here and stands in the codec's configuration.
        w.u16(u16::try_from(config.sampling_rate()).unwrap_or(0));
        w.u16(0);
        if let AudioConfig::Aac(config) = config {
            write_elementary_stream_descriptor(w, config.specific_config(), rates);
        }
        rates.write(w);
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
        w.u16(0); // ES_ID, 0 in files
        w.u8(0);
        write_descriptor_head(w, DECODER_CONFIG_DESCR, decoder);
        w.u8(AUDIO_ISO_14496_3);
        w.u8(AUDIO_STREAM << 2 | 1);
        w.bytes(rates.largest_sample.to_be_bytes().last_chunk::<3>().unwrap_or(&[0; 3]));
        w.u32(rates.max);
        w.u32(rates.average);
        write_descriptor_head(w, DEC_SPECIFIC_INFO, specific);
        w.bytes(specific_config);
        write_descriptor_head(w, SL_CONFIG_DESCR, SL_CONFIG);
        w.u8(2); // reserved for use in MP4 files
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

impl BitRates {
    fn of(layout: &TrackLayout<'_>) -> Self {
        let bits = u128::from(layout.bytes).saturating_mul(8);
        let duration_ns = u128::from(layout.times.duration_ns().unsigned_abs());
        let average = bits.saturating_mul(1_000_000_000).checked_div(duration_ns).unwrap_or(0);
        let average = u32::try_from(average).unwrap_or(u32::MAX);
        let busiest = u32::try_from(layout.busiest_second.saturating_mul(8)).unwrap_or(u32::MAX);
        let largest_sample = layout.largest_sample;
        Self { largest_sample, max: busiest.max(average), average }
    }

    /// BitRateBox (ISO/IEC 14496-12 section 8.5.2.2).
    fn write(self, w: &mut BoxWriter) {
        w.write_box(b"btrt", |w| {
            w.u32(self.largest_sample);
            w.u32(self.max);
            w.u32(self.average);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut BoxWriter)) -> Vec<u8> {
        let mut writer = BoxWriter::default();
        write(&mut writer);
        writer.finish().unwrap()
    }

    /// ISO/IEC 14496-12 section 12.1.5.2: full_range_flag is the first bit of the last byte.
    #[test]
    fn full_range() {
        for (full_range, flags) in [(false, 0), (true, 0x80)] {
            let colour = Colour { primaries: 9, transfer: 18, matrix: 10, full_range };
            let want = [&[0, 0, 0, 19][..], b"colrnclx", &[0, 9, 0, 18, 0, 10, flags]].concat();
            assert_eq!(written(|w| write_colour(w, colour)), want);
        }
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
