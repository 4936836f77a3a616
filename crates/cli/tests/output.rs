//! OUT appears whole or not at all, and nothing else stays behind.

mod program;

use std::fs;
use std::io::{Read, Write};
use std::process::Stdio;

use program::{Folder, fragment};
use testkit::boxes::top_level;
use testkit::media;

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("in.mkv", &fragment(0).to_bytes());
    folder
}

#[test]
fn an_existing_file_is_kept_without_force() {
    let folder = folder();
    folder.write("out.mp4", b"precious");
    folder.run(&["clip", "in.mkv", "-o", "out.mp4"]).failed(1, "out.mp4", "--force");
    assert_eq!(folder.read("out.mp4"), b"precious");
    folder.run(&["clip", "in.mkv", "-o", "out.mp4", "--force"]).done();
    assert_eq!(top_level(&folder.read("out.mp4")), ["ftyp", "moov", "mdat"]);
    assert_eq!(folder.names(), ["in.mkv", "out.mp4"]);
}

#[test]
fn a_failed_run_leaves_everything_as_it_was() {
    let folder = folder();
    folder.write("bad.mkv", &[]);
    folder.write("out.mp4", b"precious");
    folder.run(&["clip", "bad.mkv", "-o", "new.mp4"]).failed(3, "bad.mkv", "no fragments");
    folder.run(&["clip", "bad.mkv", "-o", "out.mp4", "--force"]).failed(3, "bad.mkv", "no fragments");
    assert_eq!(folder.names(), ["bad.mkv", "in.mkv", "out.mp4"]);
    assert_eq!(folder.read("out.mp4"), b"precious");
}

#[test]
fn places_that_cannot_be_written_to() {
    let folder = folder();
    fs::create_dir(folder.path("folder")).unwrap();
    folder.run(&["clip", "in.mkv", "-o", "missing/out.mp4"]).failed(1, "missing/out.mp4", "No such file");
    folder.run(&["clip", "in.mkv", "-o", "folder", "--force"]).failed(1, "folder", "is a directory");
    folder.run(&["clip", "in.mkv", "-o", "in.mkv/out.mp4"]).failed(1, "in.mkv/out.mp4", "Not a directory");
    assert_eq!(folder.names(), ["folder", "in.mkv"]);
}

#[cfg(target_os = "linux")]
#[test]
fn devices_are_written_to_as_they_are() {
    let folder = folder();
    folder.run(&["clip", "in.mkv", "-o", "/dev/null"]).done();
    folder.run(&["clip", "in.mkv", "-o", "/dev/full"]).failed(1, "/dev/full", "No space left");
    assert_eq!(folder.names(), ["in.mkv"]);

    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = folder.command(&["clip", "in.mkv", "-o", "-"]).stdout(full).output().unwrap();
    program::Run::from(output).failed(1, "standard output", "No space left");
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = folder();
    folder.write("elsewhere/target.mp4", b"old");
    symlink("elsewhere/target.mp4", folder.path("out.mp4")).unwrap();
    folder.run(&["clip", "in.mkv", "-o", "out.mp4", "--force"]).done();
    assert!(fs::symlink_metadata(folder.path("out.mp4")).unwrap().is_symlink());
    assert_eq!(top_level(&folder.read("elsewhere/target.mp4")), ["ftyp", "moov", "mdat"]);
    assert_eq!(program::names(&folder.path("elsewhere")), ["target.mp4"]);

    // As readable as any other new file.
    let mode = |name| fs::metadata(folder.path(name)).unwrap().permissions().mode();
    assert_eq!(mode("elsewhere/target.mp4"), mode("in.mkv"));
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let folder = Folder::new();
    let mut large = fragment(0);
    for block in &mut large.blocks {
        // More than a pipe holds.
        block.frames = vec![media::avc_frame(1, 100_000, true)];
    }
    folder.write("in.mkv", &large.to_bytes());
    let mut command = folder.command(&["clip", "in.mkv", "-o", "-"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut start = [0; 8];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut start).unwrap();
    drop(stdout);
    let run = program::Run::from(child.wait_with_output().unwrap());
    assert_eq!(&start[4..], b"ftyp");
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    use std::process::Command;
    use std::time::Duration;

    for signal in ["INT", "TERM"] {
        let folder = Folder::new();
        let mut command = folder.command(&["clip", "-", "-o", "out.mp4"]);
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // As long as this is open, the program waits for the rest of its input.
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&fragment(0).to_bytes()).unwrap();
        while folder.names().is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let kill = format!("kill -{signal} {}", child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130), "{signal}");
        assert!(folder.names().is_empty(), "{signal}: {:?}", folder.names());
    }
}

#[test]
fn an_input_is_never_overwritten() {
    let folder = folder();
    let whole = folder.read("in.mkv");
    let arguments = ["clip", "in.mkv", "-o", "in.mkv", "--force"];
    folder.run(&arguments).failed(1, "in.mkv", "is the input in.mkv, which is never overwritten");
    folder.run(&["clip", "in.mkv", "-o", "./in.mkv", "--force"]).failed(1, "./in.mkv", "is the input in.mkv");
    // Nor without --force, with the advice to use it.
    let run = folder.run(&["clip", "in.mkv", "-o", "in.mkv"]).failed(1, "in.mkv", "is the input in.mkv");
    assert!(!run.stderr.contains("--force"), "{}", run.stderr);
    assert_eq!(folder.read("in.mkv"), whole);
    assert_eq!(folder.names(), ["in.mkv"]);
}

#[cfg(unix)]
#[test]
fn an_input_is_never_overwritten_through_a_link() {
    use std::os::unix::fs::symlink;

    let folder = folder();
    let whole = folder.read("in.mkv");
    symlink("in.mkv", folder.path("soft.mp4")).unwrap();
    fs::hard_link(folder.path("in.mkv"), folder.path("hard.mp4")).unwrap();
    symlink(".", folder.path("here")).unwrap();
    for out in ["soft.mp4", "hard.mp4", "here/in.mkv"] {
        folder.run(&["clip", "in.mkv", "-o", out, "--force"]).failed(1, out, "is the input in.mkv");
        folder.run(&["clip", "here/soft.mp4", "-o", out, "--force"]).failed(
            1,
            out,
            "is the input here/soft.mp4",
        );
    }
    // Nor where the shell opened it.
    let open = |name: &str| fs::File::options().read(true).append(true).open(folder.path(name)).unwrap();
    let output = folder.command(&["clip", "-", "-o", "hard.mp4", "--force"]).stdin(open("in.mkv")).output();
    program::Run::from(output.unwrap()).failed(1, "hard.mp4", "is the input standard input");
    let output = folder.command(&["clip", "in.mkv", "-o", "-"]).stdout(open("in.mkv")).output();
    program::Run::from(output.unwrap()).failed(1, "standard output", "is the input in.mkv");
    assert_eq!(folder.read("in.mkv"), whole);
}

#[cfg(unix)]
#[test]
fn a_replaced_file_keeps_its_modes() {
    use std::os::unix::fs::PermissionsExt;

    let folder = folder();
    let mode = || fs::metadata(folder.path("out.mp4")).unwrap().permissions().mode() & 0o7777;
    for expected in [0o600, 0o640, 0o444, 0o777] {
        folder.write("out.mp4", b"old");
        fs::set_permissions(folder.path("out.mp4"), fs::Permissions::from_mode(expected)).unwrap();
        folder.run(&["clip", "in.mkv", "-o", "out.mp4", "--force"]).done();
        assert_eq!(top_level(&folder.read("out.mp4")), ["ftyp", "moov", "mdat"]);
        assert_eq!(mode(), expected, "{expected:o}");
        fs::remove_file(folder.path("out.mp4")).unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_clip_is_not_written_to_a_terminal() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let folder = folder();
    let stdout = fs::File::options().read(true).write(true).open(&name).unwrap();
    let output = folder.command(&["clip", "in.mkv", "-o", "-"]).stdout(stdout).output().unwrap();
    let run = program::Run::from(output);
    assert_eq!(run.code, 2);
    let expected = "getclip: standard output is a terminal: expected a pipe or a file (-o clip.mp4)\n";
    assert_eq!(run.stderr, expected);
}

#[cfg(target_os = "linux")]
#[test]
fn the_temporary_file_is_never_named() {
    let folder = folder();
    // A folder in which the system lets nobody create a file.
    let run = folder.run(&["clip", "in.mkv", "-o", "/proc/out.mp4"]);
    let run = run.failed(1, "/proc/out.mp4", "(os error");
    assert!(!run.stderr.contains(".getclip-"), "{}", run.stderr);
    // A name that is too long for the file itself is found out when it is put in place.
    let long = format!("{}.mp4", "x".repeat(300));
    let run = folder.run(&["clip", "in.mkv", "-o", &long]).failed(1, &long, "too long");
    assert!(!run.stderr.contains(".getclip-"), "{}", run.stderr);
    assert_eq!(folder.names(), ["in.mkv"]);
}

#[cfg(unix)]
#[test]
fn signals_that_the_parent_ignores_stay_ignored() {
    use std::process::Command;
    use std::time::Duration;

    let folder = folder();
    let program = env!("CARGO_BIN_EXE_getclip");
    for signal in ["HUP", "INT", "TERM"] {
        // The shell hands on what it ignores, as nohup does.
        let script = format!("trap '' {signal}; exec '{program}' clip - -o out.mp4 --force");
        let mut command = Command::new("sh");
        command
            .current_dir(folder.path(""))
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        while !folder.names().iter().any(|name| name.starts_with(".getclip-")) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let kill = format!("kill -{signal} {}", child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        stdin.write_all(&fragment(0).to_bytes()).unwrap();
        drop(stdin);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal}");
        assert_eq!(top_level(&folder.read("out.mp4")), ["ftyp", "moov", "mdat"]);
    }
}
