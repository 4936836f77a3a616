//! What the library promises, tested through its public interface: one promise a file.
//!
//! Tests that need a process of their own stand beside this folder.

mod clips;

mod audio_codecs;
mod audio_timeline;
mod cases;
mod clip_reading;
mod codec_changes;
mod codecs;
mod corpus_replay;
mod damage;
mod hostile_faults;
mod index;
mod matroska_forms;
mod oracles;
mod parts;
mod range_start;
mod reader_chunking;
mod reader_modes;
mod refusals;
mod selection;
mod testdata;
mod timeline;
mod timeline_properties;
mod track_choice;
mod truncation;
mod video_timeline;
