//! Serves the clip of a recording over HTTP, with ranges, as a player in a browser asks for it.
//!
//!     cargo run --example serve -- testdata/h264_aac.mkv     and open http://127.0.0.1:8080/
//!
//! The point is what a server does with a [`Clip`]: the length is known before the first byte leaves, a range costs a
//! binary search, and nothing is copied. A real server has a real HTTP library around it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;

use getclip::{Clip, ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, fragments};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: serve RECORDING")?;
    let everything = ClipFragmentSelector::all(ClipFragmentSelectorType::ProducerTimestamp);
    let clip = ClipBuilder::new(everything).build(fragments(std::fs::read(path)?.into()))?;
    let listener = TcpListener::bind("127.0.0.1:8080")?;
    println!("{} bytes at http://127.0.0.1:8080/", clip.len());
    for stream in listener.incoming() {
        let clip = clip.clone();
        // A player closes its connection whenever it seeks.
        std::thread::spawn(move || stream.and_then(|stream| answer(&clip, stream)).ok());
    }
    Ok(())
}

fn answer(clip: &Clip, mut stream: TcpStream) -> std::io::Result<()> {
    let mut range = None;
    for line in BufReader::new(&stream).lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some(wanted) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
            range = byte_range(wanted, clip.len());
        }
    }
    let status = if range.is_some() { "206 Partial Content" } else { "200 OK" };
    let range = range.unwrap_or(0..clip.len());
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {}\r\nContent-Length: {}\r\nContent-Range: bytes {}-{}/{}\r\n\
         Accept-Ranges: bytes\r\nConnection: close\r\n\r\n",
        clip.content_type(),
        range.end - range.start,
        range.start,
        range.end.saturating_sub(1),
        clip.len()
    )?;
    for chunk in clip.slice(range) {
        stream.write_all(&chunk)?;
    }
    Ok(())
}

/// `first-last`, or `first-`, of RFC 9110 section 14.1.2.
fn byte_range(wanted: &str, len: u64) -> Option<Range<u64>> {
    let (first, last) = wanted.split_once('-')?;
    let first: u64 = first.trim().parse().ok()?;
    let end = last.trim().parse().map_or(len, |last: u64| len.min(last.saturating_add(1)));
    (first < end).then_some(first..end)
}
