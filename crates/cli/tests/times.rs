//! What people type as a time, and which fragments it takes: issue by issue the table in README.md.

mod program;

use std::time::{SystemTime, UNIX_EPOCH};

use program::{Folder, Run, each, fragment, pictures};
use serde_json::json;
use testkit::mkv::{Fragment, Track, documents, fragment_number};

/// Five fragments of a second each, the first at 2023-11-14T22:13:20Z.
fn recording() -> Folder {
    let folder = Folder::new();
    folder.write("in.mkv", &documents(&(0..5).map(fragment).collect::<Vec<_>>()));
    folder
}

fn clip(folder: &Folder, zone: &str, range: &[&str]) -> Run {
    let arguments = [&["clip", "in.mkv", "-o", "out.mp4", "--force", "--report", "json"], range].concat();
    Run::from(folder.command(&arguments).env("TZ", zone).output().unwrap())
}

/// Which of the five fragments a range takes, where the local time is that of `zone`.
#[track_caller]
fn taken_in(zone: &str, range: &[&str]) -> Vec<u64> {
    let report = clip(&recording(), zone, range).done().json();
    let names = each(&report["fragments"], "name");
    (0..5).filter(|index| names.contains(&&json!(fragment_number(*index)))).collect()
}

#[track_caller]
fn taken(range: &[&str]) -> Vec<u64> {
    taken_in("UTC", range)
}

/// How the report states that it understood the times.
fn notes(zone: &str, range: &[&str]) -> Vec<String> {
    let report = clip(&recording(), zone, range).done().json();
    serde_json::from_value(report["range"]["notes"].clone()).unwrap()
}

#[test]
fn rfc_3339_with_any_fraction_is_rounded_into_the_range() {
    for start in [
        "2023-11-14T22:13:23Z",
        "2023-11-14t22:13:23z",
        "2023-11-14 22:13:23Z",
        "2023-11-15T00:13:23+02:00",
        "2023-11-14T22:13:22.0001Z",
        "2023-11-14T22:13:22.000000000000000001Z",
    ] {
        assert_eq!(taken(&["--start", start]), [3, 4], "{start}");
    }
    for end in ["2023-11-14T22:13:21Z", "2023-11-14T22:13:21.9999Z", "2023-11-14T22:13:21.999999999999Z"] {
        assert_eq!(taken(&["--end", end]), [0, 1], "{end}");
    }
}

#[test]
fn a_time_without_a_zone_is_local_and_the_report_says_so() {
    for start in ["2023-11-14 22:13:23", "2023-11-14T22:13:23"] {
        assert_eq!(taken_in("UTC", &["--start", start]), [3, 4], "{start}");
    }
    let range = ["--start", "2023-11-14 23:13:23"];
    assert_eq!(taken_in("Europe/Berlin", &range), [3, 4]);
    assert_eq!(
        notes("Europe/Berlin", &range),
        [
            "start 2023-11-14 23:13:23 was taken as local time (Europe/Berlin, +01:00): 2023-11-14T22:13:23.000Z"
        ]
    );
    // In the text, too.
    let folder = recording();
    let text = folder.run(&["clip", "in.mkv", "-o", "out.mp4", "--start", "2023-11-14 22:13"]).done().stderr;
    assert!(text.contains("  start 2023-11-14 22:13 was taken as local time ("), "{text}");
}

#[test]
fn a_local_time_that_occurs_twice_is_refused_with_both() {
    let run = clip(&recording(), "Europe/Berlin", &["--start", "2023-10-29 02:30:00"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("2023-10-29T02:30:00+02:00 or 2023-10-29T02:30:00+01:00"), "{}", run.stderr);
}

#[test]
fn a_date_is_the_whole_local_day() {
    assert_eq!(taken(&["--start", "2023-11-14", "--end", "2023-11-14"]), [0, 1, 2, 3, 4]);
    assert_eq!(
        taken_in("Pacific/Auckland", &["--start", "2023-11-15", "--end", "2023-11-15"]),
        [0, 1, 2, 3, 4]
    );
    clip(&recording(), "UTC", &["--start", "2023-11-15"]).failed(3, "in.mkv", "2023-11-15T00:00:00.000Z on");
    clip(&recording(), "UTC", &["--end", "2023-11-13"]).failed(3, "in.mkv", "up to 2023-11-13T23:59:59.999Z");
}

#[test]
fn relative_to_now() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let folder = Folder::new();
    let at = |index, start_ms| Fragment::stored(index, start_ms, vec![Track::avc()], pictures(index));
    let fragments =
        [at(0, now - 3_600_000), at(1, now - 1_200_000), at(2, now - 300_000), at(3, now + 3_600_000)];
    folder.write("in.mkv", &documents(&fragments));
    for (range, expected) in [
        (&["--start", "-10m"][..], &[2, 3][..]),
        (&["--start", "-10m", "--end", "now"], &[2]),
        (&["--start", "-30m", "--duration", "20m"], &[1]),
        (&["--end", "-1000s"], &[0, 1]),
        (&["--start", "now"], &[3]),
        (&["--start", "30 minutes ago", "--end", "+5m"], &[1, 2]),
    ] {
        let report = clip(&folder, "UTC", range).done().json();
        let names: Vec<String> = expected.iter().map(|&index| fragment_number(index)).collect();
        assert_eq!(each(&report["fragments"], "name"), names.iter().collect::<Vec<_>>(), "{range:?}");
    }
    assert!(
        clip(&folder, "UTC", &["--start", "-10m"]).json()["range"]["notes"][0]
            .as_str()
            .unwrap()
            .starts_with("start -10m is 20")
    );
}

#[test]
fn unix_time_in_seconds_and_finer_units() {
    for start in ["1700000003", "@1700000003", "1700000002.0001", "1700000003000", "1700000002000.5"] {
        assert_eq!(taken(&["--start", start]), [3, 4], "{start}");
    }
    assert_eq!(
        notes("UTC", &["--start", "1700000003000"]),
        ["start 1700000003000 was taken as Unix milliseconds: 2023-11-14T22:13:23.000Z"]
    );
    assert_eq!(notes("UTC", &["--start", "1700000003"]), [""; 0]);
}

#[test]
fn a_duration_takes_the_place_of_the_other_end() {
    assert_eq!(taken(&["--start", "1700000001", "--duration", "2s"]), [1, 2, 3]);
    assert_eq!(taken(&["--end", "1700000003", "--duration", "1"]), [2, 3]);
    assert_eq!(taken(&["--start", "1700000001", "--duration", "1m30s"]), [1, 2, 3, 4]);
    assert_eq!(taken(&["--start", "1700000001", "--duration", "PT1S"]), [1, 2]);
}

#[test]
fn one_end_alone_takes_whatever_the_input_holds() {
    let folder = Folder::new();
    let year_ms = 365 * 24 * 3_600_000;
    let at = |index| {
        Fragment::stored(index, program::START_MS + index * year_ms, vec![Track::avc()], pictures(index))
    };
    folder.write("in.mkv", &documents(&[at(0), at(1), at(2)]));
    for (range, expected) in [
        (&["--start", "2023-11-14"][..], 3),
        (&["--start", "2023-12-01"], 2),
        (&["--end", "2024-12-01"], 2),
        (&["--start", "2023-11-14", "--end", "2025-12-01"], 3),
        (&[], 3),
    ] {
        // A gap of a year cannot be kept in a clip.
        let arguments = [range, &["--gaps", "close"]].concat();
        let report = clip(&folder, "UTC", &arguments).done().json();
        assert_eq!(report["fragments"].as_array().unwrap().len(), expected, "{range:?}");
    }
}

#[test]
fn a_refusal_shows_two_that_would_do() {
    for option in ["--start", "--end", "--recording-start"] {
        let run = clip(&recording(), "UTC", &[option, "yesterday"]);
        assert_eq!(run.code, 2);
        let line = format!(
            "getclip: {option}: \"yesterday\" is not a time; two that would do are 2024-05-01T12:00:00Z and -10m \
             (ten minutes ago)\n"
        );
        assert_eq!(run.stderr, line);
    }
    let run = clip(&recording(), "UTC", &["--start", "1700000001", "--duration", "soon"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("two that would do are 10m and 1h30m"), "{}", run.stderr);
}

#[test]
fn nothing_in_the_range_names_the_range_and_what_the_input_covers() {
    let run = clip(&recording(), "UTC", &["--start", "2023-11-14T22:13:24.3Z"]).failed(
        3,
        "in.mkv",
        "the range is from 2023-11-14T22:13:24.300Z on by producer timestamp",
    );
    for part in [
        "fragments from 2023-11-14T22:13:20.000Z to 2023-11-14T22:13:24.000Z by producer timestamp",
        "fragments from 2023-11-14T22:13:20.613Z to 2023-11-14T22:13:24.613Z by server timestamp",
    ] {
        assert!(run.stderr.contains(part), "{}", run.stderr);
    }
    let split = format!(
        "the range starts inside fragment {}, whose last 0.700 s are not in the clip (--cover takes it, --exact \
         trims it)",
        fragment_number(4)
    );
    assert!(run.stderr.contains(&split), "{}", run.stderr);

    let run = clip(&recording(), "UTC", &["--by", "server", "--start", "2023-11-14T22:13:25Z"]);
    assert!(run.stderr.contains("on by server timestamp"), "{}", run.stderr);
    assert!(run.stderr.contains("whose last 0.613 s are not"), "{}", run.stderr);
}

#[test]
fn a_range_that_starts_inside_a_fragment_says_what_it_misses() {
    let report = clip(&recording(), "UTC", &["--start", "1700000001.25"]).done().json();
    assert_eq!(each(&report["fragments"], "name").len(), 3);
    assert_eq!(report["split"]["fragment"], fragment_number(1));
    assert_eq!(report["split"]["lost_ns"], 750_000_000);
    let report = clip(&recording(), "UTC", &["--start", "1700000002"]).done().json();
    assert!(report["split"].is_null());
}
