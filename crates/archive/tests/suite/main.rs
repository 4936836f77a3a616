//! What an archive promises, over memory, a folder, and an object store.
//!
//! The object store is `GETCLIP_TEST_S3`, a URL as `s3://bucket`, with its endpoint and credentials in the environment:
//! `.ci/s3` starts servers and sets it.

mod append;
mod care;
mod clips;
mod faults;
mod finding;
mod in_place;
mod kill;
mod recordings;
mod send;
mod stores;
mod streams;
