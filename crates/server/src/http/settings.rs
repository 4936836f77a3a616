//! [`Settings`]: how a server behaves, apart from where it listens.

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use getclip::Profile;

use super::cors::Cors;
use crate::ingest::IngestLimits;
use crate::sigv4::Verifier;

/// How a server behaves.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// What GetDataEndpoint returns. Without it: the address that the client connected to.
    pub public_url: Option<String>,
    /// Region in the ARNs of streams.
    pub region: String,
    /// Account in the ARNs of streams.
    pub account: String,
    /// Who may ask. Without it: everyone, for everything.
    pub verifier: Option<Verifier>,
    /// Origins of web pages that may ask from a browser.
    pub cors: Cors,
    /// Which codecs a clip takes.
    pub profile: Profile,
    /// Whether a clip keeps what is whole of a damaged fragment. Without it: the service's exceptions.
    pub keep_damaged: bool,
    /// Limits on requests.
    pub limits: Limits,
}

/// Limits on requests. What is past them is refused at once, never queued.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// The most requests at a time. Further ones get 503, which SDKs retry.
    pub requests: NonZeroUsize,
    /// The most responses with media at a time. Further ones get ClientLimitExceededException, which SDKs do not retry.
    pub clips: NonZeroUsize,
    /// The most bytes in the body of a JSON operation. The longest valid one, 1000 fragment numbers, has 131,000.
    pub body_bytes: usize,
    /// How long the body of a JSON operation may take.
    pub body_time: Duration,
    /// The most fragments in a clip by URL, which may ask for more than GetClip's 200.
    pub url_fragments: NonZeroUsize,
    /// The most bytes in a clip by URL.
    pub url_bytes: NonZeroU64,
    /// The most producers at a time. Further ones get ConnectionLimitExceededException.
    pub producers: NonZeroUsize,
    /// The most bytes of fragments that are arriving, of all producers together. Past it nothing is read of them.
    pub ingest_bytes: NonZeroUsize,
    /// The most bytes of fragments in memory, of all streams without retention together.
    pub recent_bytes: NonZeroUsize,
    /// Limits of each producer.
    pub(crate) ingest: IngestLimits,
    /// The most streams that CreateStream makes.
    pub streams: Option<NonZeroUsize>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: None,
            region: "us-east-1".into(),
            account: "000000000000".into(),
            verifier: None,
            cors: Cors::default(),
            profile: Profile::Extended,
            keep_damaged: false,
            limits: Limits::default(),
        }
    }
}

const fn at_least_one(number: usize) -> NonZeroUsize {
    match NonZeroUsize::new(number) {
        Some(number) => number,
        None => NonZeroUsize::MIN,
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests: at_least_one(4096),
            clips: at_least_one(256),
            body_bytes: 256 * 1024,
            body_time: Duration::from_secs(30),
            // A day of fragments of 2 s has 43,200.
            url_fragments: at_least_one(100_000),
            url_bytes: NonZeroU64::new(1 << 40).unwrap_or(NonZeroU64::MIN),
            producers: at_least_one(2048),
            ingest_bytes: at_least_one(1 << 30),
            recent_bytes: at_least_one(1 << 30),
            ingest: IngestLimits::default(),
            streams: None,
        }
    }
}
