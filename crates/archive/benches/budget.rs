//! What a clip of 95 MB costs out of an archive, against the budget: `cargo bench --package getclip-archive`.
//!
//! * First byte out of a folder, and out of a store that takes 20 ms for each request.
//! * Throughput of one reader, and memory of 64 readers of 1 MB/s each.
//! * Import as a copy, and in place beside reading the file.
//! * With `-- day`, a day of fragments as one clip: planned from their objects, and from derived indexes.

use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use getclip::{ClipFragmentSelector, ClipFragmentSelectorType, Limits};
use getclip_archive::{
    Archive, ClipRequest, ImportOptions, NewStream, Retention, Settings, StoredClip, StreamInfo,
};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use testkit::camera::{self, Recording};
use testkit::mkv::{self, Track};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// GetClip's largest clip.
const FRAGMENTS: u64 = 200;
const ROUNDS: usize = 21;

#[tokio::main]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let location = folder.path().join("archive");
    let recording = folder.path().join("recording.mkv");
    fs::write(&recording, camera::recording(Recording::Avcc, FRAGMENTS))?;
    let url = recording.to_str().ok_or("a path")?.parse()?;
    let open = || async { Archive::open(location.to_str().unwrap_or_default(), uncached()).await };
    let archive = open().await?;

    let read_ms = time_ms(async { fs::read(&recording).map(|bytes| bytes.len()) }).await?;
    let options = ImportOptions::default();
    let in_place = create(&archive, "in-place").await?;
    let in_place_ms = time_ms(archive.import_in_place(&in_place, &url, &options)).await?;
    let copy = create(&archive, "copy").await?;
    let copy_ms = time_ms(archive.import_from(&copy, &url, &options)).await?;
    println!("import: {copy_ms:.0} ms, in place {in_place_ms:.0} ms, reading the file {read_ms:.0} ms");

    for stream in ["copy", "in-place"] {
        let mut first_byte = Vec::new();
        for _ in 0..ROUNDS {
            first_byte.push(first_byte_ms(open().await?, stream).await?);
        }
        println!("first byte out of a folder, {stream}: {:.1} ms (limit 20 ms)", median(first_byte));
    }

    let memory: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let fast = Archive::over(Arc::clone(&memory), uncached());
    let copy = create(&fast, "copy").await?;
    fast.import_from(&copy, &url, &options).await?;
    let slow = || -> Result<Archive> {
        let wait = Duration::from_millis(20);
        let config = ThrottleConfig {
            wait_get_per_call: wait,
            wait_list_per_call: wait,
            wait_list_with_delimiter_per_call: wait,
            wait_put_per_call: wait,
            ..ThrottleConfig::default()
        };
        Ok(Archive::over(Arc::new(ThrottledStore::new(Arc::clone(&memory), config)), uncached()))
    };
    let mut first_byte = Vec::new();
    for _ in 0..ROUNDS {
        first_byte.push(first_byte_ms(slow()?, "copy").await?);
    }
    println!("first byte out of a store of 20 ms a request: {:.1} ms (limit 150 ms)", median(first_byte));

    for stream in ["copy", "in-place"] {
        let clip = clip(&open().await?, stream, Limits::default()).await?;
        let mut rates = Vec::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let bytes = drain(&clip, None).await?;
            rates.push(bytes as f64 / 1e6 / start.elapsed().as_secs_f64());
        }
        println!("one reader, {stream}: {:.0} MB/s", median(rates));
    }
    let clip = clip(&slow()?, "copy", Limits::default()).await?;
    let start = Instant::now();
    let bytes = drain(&clip, None).await?;
    let rate = bytes as f64 / 1e6 / start.elapsed().as_secs_f64();
    println!("one reader of a store of 20 ms a request: {rate:.0} MB/s");

    readers(&open().await?).await?;
    // It takes minutes: only where it is asked for.
    if std::env::args().any(|argument| argument == "day") {
        day(&open().await?).await?;
    }
    Ok(())
}

fn uncached() -> Settings {
    Settings::default().cached_plan_bytes(0)
}

async fn create(archive: &Archive, name: &str) -> Result<StreamInfo> {
    Ok(archive.create_stream(NewStream::new(name.parse()?, Retention::Forever)).await?)
}

async fn clip(archive: &Archive, stream: &str, limits: Limits) -> Result<StoredClip> {
    let everything = ClipFragmentSelector::all(ClipFragmentSelectorType::ProducerTimestamp);
    let request = ClipRequest::new(everything).limits(limits);
    Ok(archive.clip(&stream.parse()?, &request).await?)
}

async fn first_byte_ms(archive: Archive, stream: &str) -> Result<f64> {
    let start = Instant::now();
    let clip = clip(&archive, stream, Limits::default()).await?;
    let first = clip.body(..).next().await.ok_or("an empty clip")??;
    let elapsed = start.elapsed().as_secs_f64() * 1000.0;
    assert!(!first.is_empty());
    Ok(elapsed)
}

/// Reads a clip, at most at a rate of bytes a second.
async fn drain(clip: &StoredClip, rate: Option<f64>) -> Result<u64> {
    let (start, mut sent) = (Instant::now(), 0);
    let mut body = clip.body(..);
    while let Some(bytes) = body.next().await {
        sent += bytes?.len() as u64;
        if let Some(rate) = rate {
            let due = Duration::from_secs_f64(sent as f64 / rate);
            tokio::time::sleep(due.saturating_sub(start.elapsed())).await;
        }
    }
    assert_eq!(sent, clip.plan().len());
    Ok(sent)
}

/// 64 clips at once to readers of 1 MB/s each, for ten seconds.
async fn readers(archive: &Archive) -> Result<()> {
    const READERS: usize = 64;
    let before = resident_mib()?;
    let clips = join_all((0..READERS).map(|_| clip(archive, "copy", Limits::default()))).await;
    let clips: Vec<StoredClip> = clips.into_iter().collect::<Result<_>>()?;
    let planned = resident_mib()?;
    let bodies = clips.iter().map(|clip| async {
        let _ = tokio::time::timeout(Duration::from_secs(10), drain(clip, Some(1e6))).await;
    });
    let (_, resident) = tokio::join!(join_all(bodies), async {
        let mut largest: f64 = 0.0;
        for _ in 0..90 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            largest = largest.max(resident_mib().unwrap_or(0.0));
        }
        largest
    });
    println!(
        "{READERS} readers of 1 MB/s: {:.1} MiB each, of which {:.1} MiB are the plan (limit 4 MiB)",
        (resident - before) / READERS as f64,
        (planned - before) / READERS as f64,
    );
    Ok(())
}

/// A day of fragments of two seconds.
async fn day(archive: &Archive) -> Result<()> {
    const DAY: u64 = 43_200;
    let stream = create(archive, "day").await?;
    let documents = (0..DAY).map(|index| Ok::<_, std::io::Error>(small(index).into()));
    let documents = futures_util::stream::iter(documents);
    let import_ms = time_ms(archive.import(&stream, documents, &ImportOptions::default())).await?;
    println!("a day: imported in {:.1} s", import_ms / 1000.0);
    let before = resident_mib()?;
    for what in ["objects", "derived indexes"] {
        let start = Instant::now();
        let clip = clip(archive, "day", Limits::NONE).await?;
        let planned = start.elapsed().as_secs_f64();
        println!(
            "a day, {} fragments planned from {what}: {planned:.2} s, {:.0} MiB of memory",
            clip.fragments().len(),
            resident_mib()? - before
        );
        let start = Instant::now();
        let len = clip.plan().len();
        let first = clip.body(len - 1_000_000..).next().await.ok_or("an empty range")??;
        println!("its last megabyte: {:.1} ms to {} bytes", start.elapsed().as_secs_f64() * 1e3, first.len());
    }
    Ok(())
}

/// A fragment of a day: as many frames as a camera has, which are small.
fn small(index: u64) -> Vec<u8> {
    let times =
        |count: u16| (0..count).map(move |frame| (f64::from(frame) * 2000.0 / f64::from(count)) as i16);
    let mut blocks = mkv::avc_blocks(index, times(60));
    blocks.extend(mkv::aac_blocks(index, times(94)));
    blocks.sort_by_key(|block| block.time);
    let start_ms = 1_700_000_000_000 + index * 2000;
    mkv::Fragment::stored(index, start_ms, vec![Track::avc(), Track::aac()], blocks).to_bytes()
}

async fn time_ms<T, E: Error + 'static>(
    work: impl Future<Output = std::result::Result<T, E>>,
) -> Result<f64> {
    let start = Instant::now();
    work.await?;
    Ok(start.elapsed().as_secs_f64() * 1000.0)
}

fn resident_mib() -> Result<f64> {
    let statm = fs::read_to_string("/proc/self/statm")?;
    let pages: f64 = statm.split(' ').nth(1).ok_or("statm")?.parse()?;
    Ok(pages * 4096.0 / f64::from(1 << 20))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
