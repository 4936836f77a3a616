//! A writer that is killed at any moment: what it reported as stored is there and whole, nothing is half there, and the
//! same import again completes it without a duplicate.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use getclip::{ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, FragmentNumber};
use getclip_archive::{Archive, CheckOptions, ClipRequest, Identity, Retention, Settings, StoredFragment};
use testkit::mkv;

use crate::append::all;
use crate::recordings::{bytes, import, read, stored};
use crate::stores::{Store, create, name};

/// Set for the process that is to be killed, to the archive's location.
const CHILD: &str = "GETCLIP_TEST_KILLED_ARCHIVE";
/// How often a writer is killed over each store.
const ROUNDS: &str = "GETCLIP_TEST_KILLS";

const FRAGMENTS: u64 = 60;

fn recording() -> Vec<u8> {
    mkv::documents(&stored(1_700_000_395_000, FRAGMENTS))
}

/// The process that is killed: it stores the recording, and prints the number of each fragment that is stored.
#[tokio::test]
async fn child() {
    let Ok(location) = std::env::var(CHILD) else { return };
    let archive = Archive::open(&location, Settings::default()).await.unwrap();
    let stream = archive.stream(&name("s")).await.unwrap();
    println!("\nready");
    for fragment in read(&recording()) {
        let appended = archive.append(&stream, fragment, Identity::Tags).await.unwrap();
        println!("stored {}", appended.fragment.number());
        std::io::stdout().flush().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_writer_loses_nothing_that_it_reported() {
    let rounds: u64 = std::env::var(ROUNDS).map_or(12, |rounds| rounds.parse().unwrap());
    for store in Store::shared() {
        let mut interrupted = 0;
        for round in 0..rounds {
            interrupted += u64::from(kill_once(&store, round).await);
        }
        // Otherwise the test would prove nothing.
        assert!(interrupted * 2 >= rounds, "{interrupted} of {rounds} writers were killed at work");
    }
}

/// Kills a writer, and imports the recording again. Returns whether the writer was killed before it was done.
async fn kill_once(store: &Store, round: u64) -> bool {
    let archive = store.open().await;
    let stream = create(&archive, "s", Retention::Forever).await;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--nocapture", "--test-threads", "1"])
        .env(CHILD, store.location())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "ready"));
    let number = |line: String| line.strip_prefix("stored ").map(|number| number.parse().unwrap());
    // After some fragments, and some microseconds later, in the middle of a put.
    let after = usize::try_from(round * 7919 % (FRAGMENTS - 10)).unwrap();
    let mut reported: Vec<FragmentNumber> = lines.by_ref().filter_map(number).take(after).collect();
    std::thread::sleep(Duration::from_micros(round * 104_729 % 4000));
    child.kill().unwrap();
    reported.extend(lines.filter_map(number));
    child.wait().unwrap();

    let found = all(&archive, &stream).await;
    let numbers: Vec<&FragmentNumber> = found.iter().map(StoredFragment::number).collect();
    for number in &reported {
        assert!(numbers.contains(&number), "round {round}: {number} was reported and is not there");
    }
    let by_number = archive.fragments_by_number(&stream, &reported).await.unwrap();
    assert!(by_number.iter().all(Option::is_some), "round {round}");
    let mut findings = Vec::new();
    let options = CheckOptions::default().media(true);
    archive.check(&options, &mut |finding| findings.push(finding.to_string())).await.unwrap();
    assert_eq!(findings, [] as [String; 0], "round {round}");

    let again = import(&archive, &stream, &recording()).await;
    assert_eq!(again.stored + again.already_stored, FRAGMENTS);
    // A server may still store what the writer had sent when it was killed.
    assert!(again.already_stored >= found.len() as u64, "round {round}: {again:?}");
    assert_eq!(archive.statistics(&stream).await.unwrap().fragments, FRAGMENTS);
    let request = ClipRequest::new(everything());
    let clip = archive.clip(&name("s"), &request).await.unwrap();
    assert!(bytes(clip.body(..)).await == expected(), "round {round}");
    archive.delete_stream(stream.name(), Some(stream.version())).await.unwrap();
    (found.len() as u64) < FRAGMENTS
}

fn everything() -> ClipFragmentSelector {
    ClipFragmentSelector::all(ClipFragmentSelectorType::ProducerTimestamp)
}

/// The clip of the whole recording.
fn expected() -> Vec<u8> {
    let clip = ClipBuilder::new(everything()).build(getclip::fragments(recording().into())).unwrap();
    let mut file = Vec::new();
    clip.write_to(&mut file).unwrap();
    file
}
