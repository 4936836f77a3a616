//! Serves clips over HTTP, with ranges, out of indexes: the media stays in its file until a range of it is asked for.
//!
//!     cargo run --example serve -- testdata/h264_aac.mkv     and open http://127.0.0.1:8080/
//!
//! The recording is indexed once, when the server starts. A request plans a clip from the indexes, and reads from the
//! file what the range needs and nothing else. A real server has a real HTTP library around it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use getclip::{
    ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, ClipPlan, Extent, FragmentIndex,
    FragmentReader,
};

struct Recording {
    path: PathBuf,
    indexes: Vec<FragmentIndex>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = PathBuf::from(std::env::args().nth(1).ok_or("usage: serve RECORDING")?);
    let recording = Arc::new(Recording { indexes: index(&path)?, path });
    let listener = TcpListener::bind("127.0.0.1:8080")?;
    println!("{} fragments at http://127.0.0.1:8080/", recording.indexes.len());
    for stream in listener.incoming() {
        let recording = recording.clone();
        std::thread::spawn(move || answer(&recording, stream?));
    }
    Ok(())
}

/// Indexes a recording, of which no more than a chunk is in memory.
fn index(path: &Path) -> Result<Vec<FragmentIndex>, Box<dyn std::error::Error>> {
    let (file, mut reader, mut indexes) = (File::open(path)?, FragmentReader::indexing(), Vec::new());
    loop {
        let mut chunk = Vec::new();
        let is_last = (&file).take(1 << 20).read_to_end(&mut chunk)? == 0;
        reader.push(chunk.into());
        is_last.then(|| reader.finish());
        while let Some(fragment) = reader.next_fragment() {
            indexes.push(fragment?.index().clone());
        }
        if is_last {
            return Ok(indexes);
        }
    }
}

fn plan(recording: &Recording) -> Result<ClipPlan, getclip::Error> {
    let everything = ClipFragmentSelector::all(ClipFragmentSelectorType::ProducerTimestamp);
    let mut planner = ClipBuilder::new(everything).planner();
    recording.indexes.iter().try_for_each(|index| planner.offer(index.clone()))?;
    planner.finish()
}

fn answer(recording: &Recording, mut stream: TcpStream) -> io::Result<()> {
    let plan = plan(recording).map_err(io::Error::other)?;
    let lines = BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let range = lines.filter_map(|line| byte_range(&line, plan.len())).last();
    let status = if range.is_some() { "206 Partial Content" } else { "200 OK" };
    let Range { start, end } = range.unwrap_or(0..plan.len());
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: video/mp4\r\nContent-Length: {}\r\nContent-Range: bytes {start}-{}/{}\r\n\
         ETag: {}\r\nAccept-Ranges: bytes\r\nConnection: close\r\n\r\n",
        end - start,
        end.saturating_sub(1),
        plan.len(),
        plan.etag(),
    )?;
    let mut file = File::open(&recording.path)?;
    for extent in plan.extents(start..end) {
        match extent {
            Extent::Inline(bytes) => stream.write_all(&bytes)?,
            Extent::Media { fragment, range } => {
                let cluster = recording.indexes[plan.fragments()[fragment]].offset();
                file.seek(SeekFrom::Start(cluster + range.start))?;
                io::copy(&mut (&file).take(range.end - range.start), &mut stream)?;
            }
        }
    }
    Ok(())
}

/// `Range: bytes=first-last`, or `first-`, of RFC 9110 section 14.1.2.
fn byte_range(line: &str, len: u64) -> Option<Range<u64>> {
    let line = line.to_ascii_lowercase();
    let (first, last) = line.strip_prefix("range: bytes=")?.split_once('-')?;
    let first: u64 = first.trim().parse().ok()?;
    let end = last.trim().parse().map_or(len, |last: u64| len.min(last.saturating_add(1)));
    (first < end).then_some(first..end)
}
