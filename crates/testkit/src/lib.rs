//! What the tests, benches and fuzz targets of every package share: a Matroska writer for every odd form, an MP4 reader
//! written from ISO/IEC 14496-12, and oracles that compare the two.
//!
//! Nothing here uses the library, so that an error in it cannot hide behind the same error here. Everything is for
//! tests: what is inconsistent is a panic that names the place.
//!
//! * Input: [`mkv`] describes fragments and writes them, [`media`] makes frames and codec private data, [`hostile`] makes
//!   input that costs more than it weighs, [`camera`] makes recordings of any length, [`manifest`] finds the files of
//!   `testdata/`.
//! * Output: [`mp4`] reads a finished file, with [`sample_table`], [`sample_groups`] and [`picture`]; [`boxes`] walks its box
//!   tree.
//! * Source: [`source`] reads which file of a crate uses which other.
//! * Oracles: [`recording`] lists the frames of an input, [`access_units`] joins them to samples, [`frames`] compares the
//!   samples of a file with what went in; [`parameter_sets`] follows what a decoder goes by.

pub mod access_units;
pub mod boxes;
pub mod camera;
pub mod ebml;
pub mod frames;
pub mod hostile;
pub mod manifest;
pub mod media;
pub mod mkv;
pub mod mkv_reader;
pub mod mp4;
pub mod nal;
pub mod parameter_sets;
pub mod picture;
pub mod recording;
pub mod sample_groups;
pub mod sample_table;
pub mod sha256;
pub mod source;
