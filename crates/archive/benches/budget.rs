//! What a clip of 95 MB costs out of an archive, against the budget: `cargo bench --package getclip-archive`, with names of
//! sections after `--` only these.
//!
//! * `import`: as a copy, and in place, beside reading the file.
//! * `first-byte`: out of a folder, and out of a store that takes 20 ms for each request.
//! * `readers`: throughput of one, and memory of 64 of 1 MB/s each.
//! * `day`, only by its name: a day of fragments as one clip, planned from their objects and from derived indexes.

use std::error::Error;
use std::fs;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use getclip::{ClipFragmentSelector, ClipFragmentSelectorType, Limits};
use getclip_archive::{
    Archive, ClipRequest, ImportOptions, NewStream, Page, RecordingUrl, Retention, Settings, StoredClip,
    StreamInfo,
};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use tempfile::TempDir;
use testkit::camera::{self, Recording};
use testkit::mkv::{self, Track};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// GetClip's largest clip.
const FRAGMENTS: u64 = 200;
const ROUNDS: usize = 21;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    // A day takes minutes: it is only run by its name.
    let is_wanted = |section: &str| {
        arguments.iter().any(|argument| argument == section) || arguments.is_empty() && section != "day"
    };
    let bench = Bench::new().await?;
    if is_wanted("import") {
        bench.import().await?;
    }
    if is_wanted("first-byte") {
        bench.first_byte().await?;
    }
    if is_wanted("readers") {
        bench.one_reader().await?;
        readers(&bench.open().await?).await?;
    }
    if is_wanted("day") {
        day(&bench.open().await?).await?;
    }
    Ok(())
}

/// A recording of 95 MB, and archives that have it.
struct Bench {
    folder: TempDir,
    recording: RecordingUrl,
    /// A store in memory, for a wire that is slow.
    memory: Arc<dyn ObjectStore>,
}

impl Bench {
    async fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("recording.mkv");
        fs::write(&path, camera::recording(Recording::Avcc, FRAGMENTS))?;
        let recording = path.to_str().ok_or("a path")?.parse()?;
        let memory: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let bench = Self { folder, recording, memory };
        let archive = bench.open().await?;
        let options = ImportOptions::default();
        let copy = create(&archive, "copy").await?;
        archive.import_from(&copy, &bench.recording, &options).await?;
        let in_place = create(&archive, "in-place").await?;
        archive.import_in_place(&in_place, &bench.recording, &options).await?;
        let fast = Archive::over(Arc::clone(&bench.memory), uncached());
        let copy = create(&fast, "copy").await?;
        fast.import_from(&copy, &bench.recording, &options).await?;
        Ok(bench)
    }

    async fn open(&self) -> Result<Archive> {
        let location = self.folder.path().join("archive");
        Ok(Archive::open(location.to_str().ok_or("a path")?, uncached()).await?)
    }

    /// An archive whose store takes 20 ms for each request.
    fn slow(&self) -> Archive {
        let wait = Duration::from_millis(20);
        let config = ThrottleConfig {
            wait_get_per_call: wait,
            wait_list_per_call: wait,
            wait_list_with_delimiter_per_call: wait,
            wait_put_per_call: wait,
            ..ThrottleConfig::default()
        };
        Archive::over(Arc::new(ThrottledStore::new(Arc::clone(&self.memory), config)), uncached())
    }

    async fn import(&self) -> Result<()> {
        let memory = Archive::memory(uncached());
        let path = self.folder.path().join("recording.mkv");
        let options = ImportOptions::default();
        let (mut read, mut in_place, mut copy) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            read.push(time_ms(async { fs::read(&path).map(|bytes| bytes.len()) }).await?);
            let stream = create(&memory, &format!("in-place-{round}")).await?;
            in_place.push(time_ms(memory.import_in_place(&stream, &self.recording, &options)).await?);
            let stream = create(&memory, &format!("copy-{round}")).await?;
            copy.push(time_ms(memory.import_from(&stream, &self.recording, &options)).await?);
            memory.delete_stream(stream.name(), None).await?;
        }
        let [read, in_place, copy] = [read, in_place, copy].map(median);
        println!(
            "import of 95 MB to memory: {copy:.0} ms, in place {in_place:.0} ms, reading it {read:.0} ms"
        );
        let archive = self.open().await?;
        let stream = create(&archive, "again").await?;
        let to_folder = time_ms(archive.import_from(&stream, &self.recording, &options)).await?;
        println!("import of 95 MB to a folder, synced to disk: {to_folder:.0} ms");
        Ok(())
    }

    async fn first_byte(&self) -> Result<()> {
        for stream in ["copy", "in-place"] {
            let mut first_byte = Vec::new();
            for _ in 0..ROUNDS {
                first_byte.push(first_byte_ms(self.open().await?, stream).await?);
            }
            println!("first byte out of a folder, {stream}: {:.1} ms (limit 20 ms)", median(first_byte));
        }
        let mut first_byte = Vec::new();
        for _ in 0..ROUNDS {
            first_byte.push(first_byte_ms(self.slow(), "copy").await?);
        }
        println!("first byte out of a store of 20 ms a request: {:.1} ms (limit 150 ms)", median(first_byte));
        Ok(())
    }

    async fn one_reader(&self) -> Result<()> {
        for stream in ["copy", "in-place"] {
            let clip = clip(&self.open().await?, stream, Limits::default()).await?;
            let mut rates = Vec::new();
            for _ in 0..ROUNDS {
                rates.push(rate(&clip).await?);
            }
            println!("one reader, {stream}: {:.0} MB/s", median(rates));
        }
        let clip = clip(&self.slow(), "copy", Limits::default()).await?;
        println!("one reader of a store of 20 ms a request: {:.0} MB/s", rate(&clip).await?);
        Ok(())
    }
}

/// Megabytes a second at which a clip is read.
async fn rate(clip: &StoredClip) -> Result<f64> {
    let start = Instant::now();
    let bytes = drain(clip, None).await?;
    Ok(bytes as f64 / 1e6 / start.elapsed().as_secs_f64())
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
    let start = Instant::now();
    let everything = ClipFragmentSelector::all(ClipFragmentSelectorType::ProducerTimestamp);
    let (listed, _) = archive.list_fragments(&stream, everything, Page::first(NonZeroUsize::MAX)).await?;
    println!("a day: {} fragments listed in {:.2} s", listed.len(), start.elapsed().as_secs_f64());
    drop(listed);
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
