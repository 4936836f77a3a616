//! Streams of Kinesis Video Streams fragments, kept in a folder or an object store, and clips out of them.
//!
//! The object store is the only truth: there is no database beside it and no state in a process, so any number of
//! replicas work over one store. A fragment is one object, written once and durable before that is reported; its key
//! tells its times, number and sizes, so that finding fragments is listing. The object begins with the
//! [index](getclip::FragmentIndex) of the fragment: a clip is planned from the indexes alone, and its media is fetched
//! while it is sent.
//!
//! ```
//! use futures_util::TryStreamExt;
//! use getclip::{ClipFragmentSelector, ClipTimestampRange};
//! use getclip_archive::{Archive, ClipRequest, ImportOptions, NewStream, Retention, Settings};
//!
//! async fn clip(recording: &str) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
//!     let archive = Archive::open("memory:", Settings::default()).await?;
//!     let stream = archive.create_stream(NewStream::new("front-door".parse()?, Retention::Forever)).await?;
//!     archive.import_in_place(&stream, &recording.parse()?, &ImportOptions::default()).await?;
//!
//!     let range = ClipTimestampRange::new("2023-11-14T22:13:20Z".parse()?, "1700000004.500".parse()?)?;
//!     let request = ClipRequest::new(ClipFragmentSelector::producer(range));
//!     let clip = archive.clip(stream.name(), &request).await?;
//!     println!("{} bytes, {}", clip.plan().len(), clip.plan().etag());
//!     let body = clip.body(..);
//!     Ok(body.try_fold(Vec::new(), |file, bytes| async move { Ok([file, bytes.to_vec()].concat()) }).await?)
//! }
//! # let file = testkit::manifest::path("h264_aac.mkv");
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
//! # assert_eq!(&runtime.block_on(clip(file.to_str().unwrap())).unwrap()[4..8], b"ftyp");
//! ```
//!
//! # What it promises
//!
//! * **Durable before it is reported.** A fragment that [`Archive::append`] or an import has counted survives the
//!   process, and on a folder the machine.
//! * **Once.** A fragment's number is its identity. Writers that race, or repeat themselves, make one object.
//! * **Nothing past retention is found**, from that moment, and it is deleted by whichever replica comes first.
//! * **Recordings elsewhere are only read**: what was [indexed in place](Archive::import_in_place) is never changed or
//!   deleted, and a recording that has changed is an error, never wrong media.
//! * **Bounded.** Requests at a time, bytes fetched ahead, plans cached: each has a limit.
//!
//! # Where to begin
//!
//! [`Archive::open`]; [`Archive::create_stream`]; [`Archive::append`] and [`Archive::import`] to write;
//! [`Archive::list_fragments`] and [`Archive::tail`] to find; [`Archive::clip`] and [`Archive::documents`] to send;
//! [`Archive::prune`] and [`Archive::check`] from time to time.
//!
//! Everything runs in a tokio runtime. Object stores other than a folder need the features `s3`, `gcs` or `azure`.

#![forbid(unsafe_code)]

mod append;
mod archive;
mod check;
mod clip;
mod clock;
mod error;
mod find;
mod fragment;
mod hours;
mod import;
mod layout;
mod load;
mod media;
mod page;
mod prune;
mod random;
mod settings;
mod store;
mod stream;

pub use append::{AppendOutcome, Appended};
pub use archive::Archive;
pub use check::{CheckOptions, CheckSummary, Finding, Problem};
pub use clip::{ClipRequest, StoredClip};
pub use clock::Clock;
pub use error::Error;
pub use find::{Span, StreamStatistics, TailPosition, TailStart};
pub use fragment::document::{seconds, tags_document, tags_element};
pub use fragment::{Identity, Numbering, StoredFragment};
pub use import::{ImportOptions, ImportProgress, ImportSummary, SkipReason, Skipped};
pub use media::{MediaBody, RecordingUrl};
pub use page::{Page, PageToken};
pub use prune::PruneSummary;
pub use settings::Settings;
pub use store::StoreRequests;
pub use stream::{NewStream, Retention, StreamChange, StreamInfo, StreamName, StreamVersion};

/// The example of README.md is compiled too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
