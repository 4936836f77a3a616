//! What the tests, benches and fuzz targets share: a Matroska writer for every odd form, an MP4 reader written from
//! ISO/IEC 14496-12, and oracles that compare the two. Nothing here uses the library, so that an error in it cannot
//! hide behind the same error here.
//!
//! Bring it in with `mod support;`, or from another crate with `#[path = ".../tests/support/mod.rs"] mod support;`.

// Each test crate uses its own part of it, and none exports it.
#![allow(dead_code, unreachable_pub, unused_imports)]

pub mod boxes;
pub mod ebml;
pub mod frames;
pub mod manifest;
pub mod media;
pub mod mkv;
pub mod mkv_block;
pub mod mkv_reader;
pub mod mkv_track;
pub mod mp4;
pub mod sample_table;
pub mod sha256;
