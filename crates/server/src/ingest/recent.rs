//! [`RecentFragments`]: fragments of streams without retention, in memory for those who watch.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use getclip::{Fragment, FragmentNumber, Timestamp};
use getclip_archive::{StreamInfo, StreamName, seconds, tags_element};
use tokio::sync::watch;
use tokio::time::Instant;

/// A fragment is kept for so long: the service's 5 minutes.
const KEPT_FOR: Duration = Duration::from_secs(5 * 60);

/// The most bytes of a stream: the service's 200 MB.
const MAX_STREAM: usize = 200_000_000;

/// How often expired fragments are dropped while nothing arrives.
const SWEEP: Duration = Duration::from_secs(10);

/// A fragment in memory.
#[derive(Debug)]
pub(crate) struct RecentFragment {
    pub(crate) number: FragmentNumber,
    pub(crate) producer_timestamp: Timestamp,
    pub(crate) server_timestamp: Timestamp,
    /// As GetMedia sends it: header, tags, Cluster.
    pub(crate) document: [Bytes; 3],
}

impl RecentFragment {
    pub(super) fn new(
        fragment: &Fragment,
        number: FragmentNumber,
        producer_timestamp: Timestamp,
        server_timestamp: Timestamp,
    ) -> Self {
        let tags = tags_element(&[
            ("AWS_KINESISVIDEO_FRAGMENT_NUMBER", number.as_str()),
            ("AWS_KINESISVIDEO_SERVER_TIMESTAMP", &seconds(server_timestamp)),
            ("AWS_KINESISVIDEO_PRODUCER_TIMESTAMP", &seconds(producer_timestamp)),
        ]);
        let document = [fragment.header().clone(), tags, fragment.media().clone()];
        Self { number, producer_timestamp, server_timestamp, document }
    }

    fn len(&self) -> usize {
        self.document.iter().map(Bytes::len).sum()
    }
}

/// Fragments of streams without retention. Nothing else has them.
#[derive(Debug)]
pub(crate) struct RecentFragments {
    max_bytes: usize,
    streams: Mutex<Streams>,
    /// Changes with each fragment.
    arrivals: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Streams {
    by_stream: HashMap<StreamKey, VecDeque<Kept>>,
    bytes: usize,
    next: u64,
    is_swept: bool,
}

/// A stream of a name: another may have it later.
type StreamKey = (StreamName, Timestamp);

#[derive(Debug)]
struct Kept {
    /// Counts arrivals here.
    sequence: u64,
    arrived: Instant,
    fragment: Arc<RecentFragment>,
}

impl RecentFragments {
    /// For at most `max_bytes` of all streams.
    pub(crate) fn new(max_bytes: usize) -> Arc<Self> {
        let arrivals = watch::Sender::new(0);
        Arc::new(Self { max_bytes, streams: Mutex::default(), arrivals })
    }

    pub(super) fn add(self: &Arc<Self>, stream: &StreamInfo, fragment: RecentFragment) {
        let mut streams = self.lock();
        let sequence = streams.next;
        streams.next += 1;
        streams.bytes += fragment.len();
        let kept = Kept { sequence, arrived: Instant::now(), fragment: Arc::new(fragment) };
        streams.by_stream.entry(key(stream)).or_default().push_back(kept);
        streams.drop_expired();
        streams.fit(&key(stream), MAX_STREAM, self.max_bytes);
        if !std::mem::replace(&mut streams.is_swept, true) {
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
        drop(streams);
        self.arrivals.send_replace(sequence);
    }

    /// The first fragment at or after a place, and the place after it.
    pub(crate) fn next(&self, stream: &StreamInfo, from: u64) -> Option<(Arc<RecentFragment>, u64)> {
        self.lock()
            .of(stream)
            .find(|kept| kept.sequence >= from)
            .map(|kept| (Arc::clone(&kept.fragment), kept.sequence + 1))
    }

    /// The place of the first fragment that `is_first` takes, or the end.
    pub(crate) fn place(&self, stream: &StreamInfo, is_first: impl Fn(&RecentFragment) -> bool) -> u64 {
        let streams = self.lock();
        let found = streams.of(stream).find(|kept| is_first(&kept.fragment));
        found.map_or(streams.next, |kept| kept.sequence)
    }

    /// Changes with each fragment that arrives.
    pub(crate) fn arrivals(&self) -> watch::Receiver<u64> {
        self.arrivals.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(stream: &StreamInfo) -> StreamKey {
    (stream.name().clone(), stream.created())
}

/// Drops what has expired, as long as there is anything.
async fn sweep(fragments: std::sync::Weak<RecentFragments>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let Some(fragments) = fragments.upgrade() else { return };
        let mut streams = fragments.lock();
        streams.drop_expired();
        if streams.by_stream.is_empty() {
            streams.is_swept = false;
            return;
        }
    }
}

impl Streams {
    fn of(&self, stream: &StreamInfo) -> impl Iterator<Item = &Kept> {
        self.by_stream.get(&key(stream)).into_iter().flatten()
    }

    fn drop_expired(&mut self) {
        let Self { by_stream, bytes, .. } = self;
        by_stream.retain(|_, kept| {
            while kept.front().is_some_and(|first| first.arrived.elapsed() >= KEPT_FOR) {
                *bytes -= kept.pop_front().map_or(0, |first| first.fragment.len());
            }
            !kept.is_empty()
        });
    }

    /// Drops the oldest fragments of a stream until it fits, and of the largest stream until all do.
    fn fit(&mut self, stream: &StreamKey, max_stream: usize, max_bytes: usize) {
        while self.len(stream) > max_stream {
            self.drop_first(&stream.clone());
        }
        while self.bytes > max_bytes {
            let Some(largest) = self.by_stream.keys().max_by_key(|key| self.len(key)).cloned() else {
                return;
            };
            self.drop_first(&largest);
        }
    }

    fn len(&self, stream: &StreamKey) -> usize {
        self.by_stream.get(stream).into_iter().flatten().map(|kept| kept.fragment.len()).sum()
    }

    fn drop_first(&mut self, stream: &StreamKey) {
        let first = self.by_stream.get_mut(stream).and_then(VecDeque::pop_front);
        self.bytes -= first.map_or(0, |first| first.fragment.len());
        self.by_stream.retain(|_, kept| !kept.is_empty());
    }
}
