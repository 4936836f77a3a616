//! The WebAssembly module of the npm package `getclip`: bytes of a recording in, the extents of a clip out.
//!
//! `js/index.js` puts it before people: it reads the recording, and puts the clip together.

mod builder;
mod failure;
mod plan;
mod planner;
