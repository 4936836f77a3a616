//! Pruning, checking, repairing, and what may be lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::join_all;
use getclip::{ClipFragmentSelector, ClipFragmentSelectorType, Timestamp};
use getclip_archive::{
    Archive, CheckOptions, CheckSummary, ClipRequest, Finding, ImportOptions, Problem, Retention,
    StoredFragment, StreamChange,
};
use testkit::{manifest, mkv};

use crate::append::{all, walk};
use crate::recordings::{bytes, import, stored};
use crate::stores::{Store, create, hours, name};

fn everything() -> ClipRequest {
    ClipRequest::new(ClipFragmentSelector::all(ClipFragmentSelectorType::ProducerTimestamp))
}

async fn check(archive: &Archive, options: CheckOptions) -> (CheckSummary, Vec<Finding>) {
    let mut findings = Vec::new();
    let summary = archive.check(&options, &mut |finding| findings.push(finding.clone())).await.unwrap();
    assert_eq!(summary.findings, findings.len() as u64);
    (summary, findings)
}

/// The files of fragments' objects.
fn objects(store: &Store) -> Vec<PathBuf> {
    let files = walk(store.path().unwrap());
    files.into_iter().filter(|path| path.contains("/f/")).map(PathBuf::from).collect()
}

#[tokio::test]
async fn pruning_removes_what_is_past_retention_after_the_grace_period() {
    for store in Store::all() {
        let archive = store.open().await;
        let stream = create(&archive, "stream", hours(24)).await;
        let now = u64::try_from(store.now_ms()).unwrap();
        import(&archive, &stream, &mkv::documents(&stored(now - 20 * 3_600_000, 5))).await;
        import(&archive, &stream, &mkv::documents(&stored(now - 3_600_000, 5))).await;
        // The producer's clock counts from 0.
        let relative =
            stored(0, 1).remove(0).number("77").server(&mkv::decimal_seconds(now - 19 * 3_600_000));
        import(&archive, &stream, &relative.to_bytes()).await;
        assert_eq!(archive.prune().await.unwrap().fragments, 0);
        store.advance(Duration::from_secs(5 * 3600 - 60));
        assert_eq!(all(&archive, &stream).await.len(), 6);
        // A clip that was planned before may still be sent.
        assert_eq!(archive.prune().await.unwrap().fragments, 0);
        store.advance(Duration::from_secs(2 * 3600));
        let pruned = archive.prune().await.unwrap();
        assert_eq!(pruned.fragments, 6);
        assert!(pruned.bytes > 1000, "{pruned:?}");
        assert_eq!(archive.prune().await.unwrap().fragments, 0);
        assert_eq!(all(&archive, &stream).await.len(), 5);
        let (summary, findings) = check(&archive, CheckOptions::default()).await;
        assert_eq!((summary.objects, findings), (5, vec![]));
        if let Some(path) = store.path() {
            let entries = walk(path).into_iter().filter(|path| path.contains("/n/") || path.contains("/s/"));
            assert_eq!(entries.count(), 5);
        }
    }
}

#[tokio::test]
async fn a_shorter_retention_is_pruned_after_the_grace_period() {
    for store in Store::all() {
        let archive = store.open().await;
        let stream = create(&archive, "s", Retention::Forever).await;
        let now = u64::try_from(store.now_ms()).unwrap();
        import(&archive, &stream, &mkv::documents(&stored(now - 10 * 3_600_000, 5))).await;
        let change = |retention| StreamChange::new().retention(retention);
        archive.change_stream(&name("s"), None, change(hours(1))).await.unwrap();
        archive.change_stream(&name("s"), None, change(Retention::Forever)).await.unwrap();
        assert_eq!(archive.prune().await.unwrap().fragments, 0);
        store.advance(Duration::from_secs(3600));
        assert_eq!(archive.prune().await.unwrap().fragments, 5);
    }
}

#[tokio::test]
async fn a_deleted_stream_is_pruned_and_its_name_forgotten() {
    for store in Store::all() {
        let archive = store.open().await;
        let old = create(&archive, "s", Retention::Forever).await;
        import(&archive, &old, &manifest::mkv("h264_aac")).await;
        archive.delete_stream(&name("s"), None).await.unwrap();
        let new = create(&archive, "s", Retention::Forever).await;
        import(&archive, &new, &manifest::mkv("h264_only")).await;
        assert_eq!(archive.prune().await.unwrap().objects_of_deleted_streams, 0);
        store.advance(Duration::from_secs(3700));
        let pruned = archive.prune().await.unwrap();
        // Five fragments, and an entry for each of their numbers.
        assert_eq!((pruned.objects_of_deleted_streams, pruned.states), (10, 2));
        assert_eq!(all(&archive, &new).await.len(), 5);
        archive.delete_stream(&name("s"), None).await.unwrap();
        store.advance(Duration::from_secs(3700));
        let racers = join_all((0..4).map(|_| archive.prune())).await;
        let removed: Vec<_> = racers.into_iter().map(Result::unwrap).collect();
        assert!(removed.iter().all(|pruned| pruned.objects_of_deleted_streams <= 10), "{removed:?}");
        archive.prune().await.unwrap();
        assert_eq!(archive.prune().await.unwrap().streams, 0);
        if let Some(path) = store.path() {
            assert_eq!(walk(path), [] as [String; 0]);
        }
        let again = create(&archive, "s", Retention::Forever).await;
        assert_eq!(all(&archive, &again).await, []);
    }
}

#[tokio::test]
async fn a_whole_archive_has_no_findings() {
    for store in Store::all() {
        let archive = store.open().await;
        for file in ["h264_aac", "h264_upload", "getmedia_twice"] {
            let stream = create(&archive, file, Retention::Forever).await;
            import(&archive, &stream, &manifest::mkv(file)).await;
        }
        for media in [false, true] {
            let (summary, findings) =
                check(&archive, CheckOptions::default().media(media).repair(true)).await;
            assert_eq!(findings, []);
            assert_eq!((summary.streams, summary.objects, summary.fragments), (3, 20, 20));
        }
        let one = CheckOptions::default().stream(Some(name("h264_aac")));
        assert_eq!(check(&archive, one).await.0.fragments, 5);
    }
}

/// Writes a file again, changed.
fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut content = fs::read(path).unwrap();
    change(&mut content);
    fs::write(path, content).unwrap();
}

#[tokio::test]
async fn damage_is_found_and_mended_where_it_can_be() {
    let store = Store::folder();
    let archive = store.open().await;
    let stream = create(&archive, "s", Retention::Forever).await;
    import(&archive, &stream, &manifest::mkv("h264_aac")).await;
    let expected = bytes(archive.clip(&name("s"), &everything()).await.unwrap().body(..)).await;
    let objects = objects(&store);
    // The index of the first, a byte of the second's that reads as another index, the third shorter, the Cluster of the
    // fourth, and a file that is no object.
    change(&objects[0], |content| content[..4].fill(0));
    let flipped = fs::read(&objects[1]).unwrap();
    change(&objects[1], |content| {
        let last = content.iter().position(|byte| *byte == 0x1A).unwrap() - 1;
        content[last] ^= 0x01;
    });
    change(&objects[2], |content| content.truncate(content.len() - 1));
    change(&objects[3], |content| {
        let middle = content.len() / 2;
        content[middle - 2000..].fill(0);
    });
    let stranger = objects[0].with_file_name("stranger");
    fs::write(&stranger, "x").unwrap();

    let (_, quick) = check(&archive, CheckOptions::default()).await;
    let found = |findings: &[Finding], path: &Path| {
        let path = path.file_name().unwrap().to_str().unwrap();
        let found = findings.iter().filter(|finding| finding.key.ends_with(path));
        found.map(|finding| (finding.problem.clone(), finding.repaired)).collect::<Vec<_>>()
    };
    assert!(
        matches!(found(&quick, &objects[0])[..], [(Problem::UnreadableIndex { .. }, false)]),
        "{quick:?}"
    );
    assert!(matches!(found(&quick, &objects[2])[..], [(Problem::WrongSize { .. }, false)]), "{quick:?}");
    assert!(matches!(found(&quick, &stranger)[..], [(Problem::UnknownObject, false)]), "{quick:?}");
    assert_eq!(found(&quick, &objects[3]), []);

    let (_, deep) = check(&archive, CheckOptions::default().media(true).repair(true)).await;
    assert!(matches!(found(&deep, &objects[0])[..], [(Problem::UnreadableIndex { .. }, true)]), "{deep:?}");
    let second = found(&deep, &objects[1]);
    assert!(
        matches!(second[..], [(Problem::UnreadableIndex { .. } | Problem::IndexDisagrees, true)]),
        "{second:?}"
    );
    assert_eq!(fs::read(&objects[1]).unwrap(), flipped);
    assert!(matches!(found(&deep, &objects[2])[..], [(Problem::WrongSize { .. }, false)]), "{deep:?}");
    let fourth = found(&deep, &objects[3]);
    assert!(matches!(fourth[..], [(Problem::IndexDisagrees, true)]), "{fourth:?}");
    // Its index is that of what is left, and there is one object of each.
    let (_, again) = check(&archive, CheckOptions::default().media(true)).await;
    assert_eq!(again.len(), 2, "{again:?}");
    assert_eq!(self::objects(&store).len(), 6);
    // With the fragments that cannot be mended stored again, the clip is what it was.
    for stored in [2, 3] {
        let name = objects[stored].file_name().unwrap().to_str().unwrap();
        let number = name.split('-').nth(1).unwrap();
        for path in self::objects(&store) {
            if path.to_str().unwrap().contains(number) {
                fs::remove_file(path).unwrap();
            }
        }
        let fragment = crate::recordings::read(&manifest::mkv("h264_aac")).remove(stored);
        archive.append(&stream, fragment, getclip_archive::Identity::Tags).await.unwrap();
    }
    fs::remove_file(&stranger).unwrap();
    assert_eq!(check(&archive, CheckOptions::default().media(true)).await.1, []);
    assert!(bytes(archive.clip(&name("s"), &everything()).await.unwrap().body(..)).await == expected);
}

#[tokio::test]
async fn an_index_of_another_version_is_made_again_beside_the_old_one() {
    let store = Store::folder();
    let archive = store.open().await;
    let stream = create(&archive, "s", Retention::Forever).await;
    import(&archive, &stream, &manifest::mkv("h264_aac")).await;
    let expected = bytes(archive.clip(&name("s"), &everything()).await.unwrap().body(..)).await;
    // An index of a later program: its version is after the magic number, and in the key.
    let version = getclip::FragmentIndex::VERSION;
    for path in objects(&store) {
        change(&path, |content| content[4] = version + 1);
        let old = path.file_name().unwrap().to_str().unwrap();
        let (before, rest) = old.rsplit_once(&format!("-{version:03}-")).unwrap();
        fs::rename(&path, path.with_file_name(format!("{before}-{:03}-{rest}", version + 1))).unwrap();
    }
    let refused = archive.clip(&name("s"), &everything()).await.unwrap_err();
    assert!(refused.to_string().contains("check with repair"), "{refused}");
    let (summary, findings) = check(&archive, CheckOptions::default().repair(true)).await;
    assert_eq!((summary.findings, summary.repaired), (5, 5), "{findings:?}");
    let other = Problem::OtherIndexVersion { found: version + 1 };
    assert!(findings.iter().all(|finding| finding.problem == other), "{findings:?}");
    // Each program has one that it can read: replicas are not replaced all at once.
    assert_eq!(objects(&store).len(), 10);
    assert_eq!(all(&archive, &stream).await.len(), 5);
    assert!(bytes(archive.clip(&name("s"), &everything()).await.unwrap().body(..)).await == expected);
    store.advance(Duration::from_secs(3700));
    assert_eq!(check(&archive, CheckOptions::default().repair(true)).await.1, []);
    assert_eq!(objects(&store).len(), 10);
}

#[tokio::test]
async fn a_superseded_object_is_removed_when_no_clip_needs_it_any_more() {
    for store in Store::all() {
        let archive = store.open().await;
        let stream = create(&archive, "s", Retention::Forever).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recording.mkv");
        fs::write(&path, manifest::mkv("h264_aac")).unwrap();
        let url = path.to_str().unwrap().parse().unwrap();
        archive.import_in_place(&stream, &url, &ImportOptions::default()).await.unwrap();
        import(&archive, &stream, &manifest::mkv("h264_aac")).await;
        let fragments = all(&archive, &stream).await;
        assert_eq!(fragments.len(), 5);
        assert!(!fragments.iter().any(StoredFragment::is_reference));
        let repair = || CheckOptions::default().repair(true);
        let (early, findings) = check(&archive, repair()).await;
        assert_eq!((early.objects, early.findings, early.repaired), (10, 5, 0));
        assert!(findings.iter().all(|finding| finding.problem == Problem::Superseded), "{findings:?}");
        store.advance(Duration::from_secs(3700));
        assert_eq!(check(&archive, repair()).await.0.repaired, 5);
        let (late, findings) = check(&archive, repair()).await;
        assert_eq!((late.objects, findings), (5, vec![]));
        assert_eq!(all(&archive, &stream).await, fragments);
    }
}

#[tokio::test]
async fn entries_are_mended_both_ways() {
    let store = Store::folder();
    let archive = store.open().await;
    let stream = create(&archive, "stream", Retention::Forever).await;
    let relative = stored(0, 1).remove(0).number("77").server("1700000000.000");
    import(&archive, &stream, &relative.to_bytes()).await;
    let fragment = all(&archive, &stream).await.remove(0);
    let entries = || {
        let files = walk(store.path().unwrap());
        files.into_iter().filter(|path| path.contains("/n/") || path.contains("/s/")).collect::<Vec<_>>()
    };
    let whole = entries();
    assert_eq!(whole.len(), 2);
    for path in &whole {
        fs::remove_file(path).unwrap();
    }
    let numbers = [fragment.number().clone()];
    assert_eq!(archive.fragments_by_number(&stream, &numbers).await.unwrap(), [None]);
    let (_, findings) = check(&archive, CheckOptions::default().repair(true)).await;
    let problems: Vec<_> =
        findings.iter().map(|finding| (finding.problem.clone(), finding.repaired)).collect();
    assert_eq!(problems, [(Problem::MissingServerEntry, true), (Problem::MissingNumberEntry, true)]);
    assert_eq!(entries(), whole);
    assert_eq!(archive.fragments_by_number(&stream, &numbers).await.unwrap(), [Some(fragment)]);
    // Entries alone are of a put that may still come, until they are old.
    fs::remove_file(&objects(&store)[0]).unwrap();
    assert_eq!(check(&archive, CheckOptions::default().repair(true)).await.1, []);
    store.advance(Duration::from_secs(3700));
    let (_, findings) = check(&archive, CheckOptions::default().repair(true)).await;
    assert!(findings.iter().all(|finding| finding.problem == Problem::UnneededEntry && finding.repaired));
    assert_eq!(findings.len(), 2);
    assert_eq!(entries(), [] as [String; 0]);
}

#[tokio::test]
async fn recordings_that_changed_or_are_gone_are_found() {
    for store in Store::all() {
        let archive = store.open().await;
        let folder = tempfile::tempdir().unwrap();
        for file in ["h264_aac", "h264_only"] {
            let path = folder.path().join(file);
            let stream = create(&archive, file, Retention::Forever).await;
            fs::write(&path, manifest::mkv(file)).unwrap();
            let url = path.to_str().unwrap().parse().unwrap();
            archive.import_in_place(&stream, &url, &ImportOptions::default()).await.unwrap();
        }
        let (summary, findings) = check(&archive, CheckOptions::default().media(true)).await;
        assert_eq!((summary.fragments, summary.references, findings), (10, 10, vec![]));
        fs::remove_file(folder.path().join("h264_aac")).unwrap();
        change(&folder.path().join("h264_only"), |content| content.push(0));
        for media in [false, true] {
            let (_, findings) = check(&archive, CheckOptions::default().media(media).repair(true)).await;
            let gone = findings.iter().filter(|f| matches!(f.problem, Problem::RecordingGone { .. }));
            let changed = findings.iter().filter(|f| matches!(f.problem, Problem::RecordingChanged { .. }));
            assert_eq!((gone.count(), changed.count(), findings.len()), (5, 5, 10));
            assert!(findings.iter().all(|finding| !finding.repaired));
        }
    }
}

#[tokio::test]
async fn what_a_killed_writer_leaves_is_removed() {
    let store = Store::folder();
    let archive = store.open().await;
    let stream = create(&archive, "s", Retention::Forever).await;
    import(&archive, &stream, &manifest::mkv("h264_aac")).await;
    let object = objects(&store).remove(0);
    let staged = object.with_file_name(format!("{}#1", object.file_name().unwrap().to_str().unwrap()));
    fs::write(&staged, "half").unwrap();
    // It may be of a write under way.
    assert_eq!(check(&archive, CheckOptions::default().repair(true)).await.1, []);
    let file = fs::File::options().write(true).open(&staged).unwrap();
    file.set_modified(std::time::SystemTime::now() - Duration::from_secs(3700)).unwrap();
    let (_, findings) = check(&archive, CheckOptions::default().repair(true)).await;
    assert_eq!(findings.len(), 1);
    assert_eq!((&findings[0].problem, findings[0].repaired), (&Problem::Leftover, true));
    assert!(!staged.exists());
    assert_eq!(all(&archive, &stream).await.len(), 5);
}

#[tokio::test]
async fn derived_indexes_save_reads_and_are_safe_to_lose() {
    for store in Store::all() {
        let archive = store.open_with(|settings| settings.cached_plan_bytes(0)).await;
        let stream = create(&archive, "s", Retention::Forever).await;
        let start_ms = 1_699_999_200_000;
        let recording = mkv::documents(&stored(start_ms, 300));
        import(&archive, &stream, &recording).await;
        let limits = getclip::Limits::default().with_max_fragments(crate::stores::limit(1000));
        let request = everything().limits(limits);
        let archives_cache_nothing = store.path().is_some();
        let clip = |archive: Archive, request: ClipRequest| async move {
            let before = archive.requests();
            let clip = archive.clip(&name("s"), &request).await.unwrap();
            let gets = archive.requests().gets - before.gets;
            (bytes(clip.body(..)).await, gets)
        };
        let (expected, gets) = clip(archive.clone(), request).await;
        // State, derived index that is not there, 300 indexes.
        assert_eq!(gets, 301);
        if !archives_cache_nothing {
            continue;
        }
        let (found, gets) = clip(archive.clone(), request).await;
        assert!(found == expected);
        assert_eq!(gets, 2);
        let at = |ms: u64| Timestamp::from_millis(i64::try_from(ms).unwrap());
        let hour = at(start_ms)..=at(start_ms + 3_600_000);
        assert_eq!(archive.index_hours(&stream, hour.clone()).await.unwrap(), 0);
        let derived: Vec<_> =
            walk(store.path().unwrap()).into_iter().filter(|path| path.contains("/h/")).collect();
        assert_eq!(derived.len(), 1);
        // Damaged, cut, and gone.
        change(Path::new(&derived[0]), |content| content.truncate(content.len() / 2));
        assert!(clip(archive.clone(), request).await.0 == expected);
        change(Path::new(&derived[0]), |content| content.fill(0x55));
        assert!(clip(archive.clone(), request).await.0 == expected);
        fs::remove_file(&derived[0]).unwrap();
        assert_eq!(archive.index_hours(&stream, hour).await.unwrap(), 1);
        let (found, gets) = clip(archive.clone(), request).await;
        assert!(found == expected);
        assert_eq!(gets, 2);
        // Fragments that came later are read from their objects.
        import(&archive, &stream, &mkv::documents(&stored(start_ms + 300_000, 10))).await;
        let (_, gets) = clip(archive.clone(), request).await;
        assert_eq!(gets, 12);
    }
}

#[tokio::test]
async fn the_last_two_closed_hours_of_every_stream_are_indexed() {
    const HOUR_MS: u64 = 3_600_000;
    for store in Store::all() {
        let archive = store.open().await;
        let first_ms = 1_699_999_200_000;
        let mut recording = Vec::new();
        for hour in 0..4 {
            recording.extend(mkv::documents(&stored(first_ms + hour * HOUR_MS, 70)));
        }
        for stream in ["one", "other"] {
            let stream = create(&archive, stream, Retention::Forever).await;
            import(&archive, &stream, &recording).await;
        }
        create(&archive, "empty", Retention::Forever).await;
        // The fourth hour is over for less than an hour: the second and the third are the last closed ones.
        store.set_now_ms(i64::try_from(first_ms + 5 * HOUR_MS - 1).unwrap());
        assert_eq!(archive.index_closed_hours().await.unwrap(), 4);
        assert_eq!(archive.index_closed_hours().await.unwrap(), 0);
        store.set_now_ms(i64::try_from(first_ms + 5 * HOUR_MS).unwrap());
        assert_eq!(archive.index_closed_hours().await.unwrap(), 2);
    }
}
