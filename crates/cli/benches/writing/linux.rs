//! The ways, and the rounds.

use std::fs::File;
use std::io::{IoSlice, Write};
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use bytes::Bytes;
use getclip::{ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, ClipPlan, Extent, fragments};
use memmap2::{Advice, Mmap, MmapMut};
use rustix::fs::{FallocateFlags, copy_file_range, fallocate};

/// A way: its name, and what it does with the input and the output.
type Way = (&'static str, fn(&File, &File));

const WAYS: [Way; 18] = [
    ("copy_file_range of the whole file, no clip", copy_whole),
    ("one write of the mapped file, no clip", |input, mut output| output.write_all(&map(input)).unwrap()),
    ("vectored writes out of a mapping", |input, output| write(map(input), output)),
    ("the same, MADV_POPULATE_READ before", |input, output| {
        write(advised(input, Advice::PopulateRead), output)
    }),
    ("the same, MADV_WILLNEED before", |input, output| write(advised(input, Advice::WillNeed), output)),
    ("the same, MADV_HUGEPAGE before", |input, output| write(advised(input, Advice::HugePage), output)),
    ("the same, pages mapped ahead by a thread", populated_by_a_thread),
    ("the same, OUTPUT allocated by a thread", |input, output| allocated(map(input), input, output)),
    ("input read into memory", |input, output| write(read(input, false), output)),
    ("the same, in huge pages", |input, output| write(read(input, true), output)),
    ("mapped to be scanned, read in parts to be written", in_windows),
    ("mapped to be scanned, copy_file_range for each extent", copy_extents),
    ("no clip, extents of 16 KiB: vectored writes", |input, output| write_parts::<16>(input, output)),
    ("no clip, extents of 16 KiB: copy_file_range", |input, output| copy_parts::<16>(input, output)),
    ("no clip, extents of 64 KiB: vectored writes", |input, output| write_parts::<64>(input, output)),
    ("no clip, extents of 64 KiB: copy_file_range", |input, output| copy_parts::<64>(input, output)),
    ("no clip, extents of 256 KiB: vectored writes", |input, output| write_parts::<256>(input, output)),
    ("no clip, extents of 256 KiB: copy_file_range", |input, output| copy_parts::<256>(input, output)),
];

pub(super) fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["--way", way, input, output] => {
            let (_, way) = WAYS[way.parse::<usize>().unwrap()];
            way(&File::open(input).unwrap(), &File::create(output).unwrap());
        }
        [input, output] => rounds(input, output, 21),
        [input, output, rounds_wanted] => rounds(input, output, rounds_wanted.parse().unwrap()),
        // Without arguments it is `cargo bench` that runs everything there is.
        _ => println!("usage: writing INPUT OUTPUT [ROUNDS]"),
    }
}

fn rounds(input: &str, output: &str, rounds: usize) {
    let mut times = vec![Vec::new(); WAYS.len() + 1];
    for _ in 0..rounds {
        for (way, times) in times.iter_mut().enumerate() {
            let mut command = match way.checked_sub(1) {
                None => Command::new("cp"),
                Some(way) => {
                    let mut command = Command::new(env::current_exe().unwrap());
                    command.args(["--way", &way.to_string()]);
                    command
                }
            };
            command.args([input, output]);
            let _ = fs::remove_file(output);
            let (started, before) = (Instant::now(), cpu_of_children());
            assert!(command.status().unwrap().success());
            times.push((started.elapsed(), cpu_of_children() - before));
        }
    }
    let median = |times: &[(Duration, Duration)], part: fn(&(Duration, Duration)) -> Duration| {
        let mut parts: Vec<Duration> = times.iter().map(part).collect();
        parts.sort_unstable();
        parts[parts.len() / 2].as_secs_f64() * 1000.0
    };
    println!("{:54} {:>8} {:>6} {:>8} {:>6}", "", "wall ms", "x cp", "CPU ms", "x cp");
    let (cp_wall, cp_cpu) = (median(&times[0], |time| time.0), median(&times[0], |time| time.1));
    for (name, times) in ["cp"].into_iter().chain(WAYS.map(|(name, _)| name)).zip(&times) {
        let (wall, cpu) = (median(times, |time| time.0), median(times, |time| time.1));
        println!("{name:54} {wall:8.1} {:6.2} {cpu:8.1} {:6.2}", wall / cp_wall, cpu / cp_cpu);
    }
}

#[expect(unsafe_code)]
fn cpu_of_children() -> Duration {
    // SAFETY: `rusage` is plain numbers, for which zeros are valid, and the call only writes to it.
    let usage = unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        assert_eq!(libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage), 0);
        usage
    };
    let time = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    time(usage.ru_utime) + time(usage.ru_stime)
}

fn builder() -> ClipBuilder {
    ClipBuilder::new(ClipFragmentSelector::all(ClipFragmentSelectorType::ProducerTimestamp))
}

#[expect(unsafe_code)]
fn map(input: &File) -> Mmap {
    // SAFETY: nothing writes to the input while this runs.
    unsafe { Mmap::map(input).unwrap() }
}

fn advised(input: &File, advice: Advice) -> Mmap {
    let map = map(input);
    // A kernel that cannot do it leaves the map as it is.
    let _ = map.advise(advice);
    map
}

fn read(input: &File, huge_pages: bool) -> MmapMut {
    let mut memory = MmapMut::map_anon(input.metadata().unwrap().len() as usize).unwrap();
    if huge_pages {
        memory.advise(Advice::HugePage).unwrap();
    }
    input.read_exact_at(&mut memory, 0).unwrap();
    memory
}

fn write(input: impl AsRef<[u8]> + Send + 'static, output: &File) {
    builder().build(fragments(Bytes::from_owner(input))).unwrap().write_to(output).unwrap();
}

fn populated_by_a_thread(input: &File, output: &File) {
    const STEP: usize = 4 << 20;
    let map = std::sync::Arc::new(map(input));
    let its_map = map.clone();
    thread::spawn(move || {
        for offset in (0..its_map.len()).step_by(STEP) {
            let _ = its_map.advise_range(Advice::PopulateRead, offset, STEP.min(its_map.len() - offset));
        }
    });
    struct Shared(std::sync::Arc<Mmap>);
    impl AsRef<[u8]> for Shared {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    write(Shared(map), output);
}

/// What the program does.
fn allocated(map: Mmap, input: &File, output: &File) {
    const STEP: u64 = 4 << 20;
    let (len, stop) = (input.metadata().unwrap().len(), AtomicBool::new(false));
    let clip = thread::scope(|scope| {
        scope.spawn(|| {
            let mut offset = 0;
            while offset < len && !stop.load(Ordering::Relaxed) {
                fallocate(output, FallocateFlags::empty(), offset, STEP.min(len - offset)).unwrap();
                offset += STEP;
            }
        });
        let clip = builder().build(fragments(Bytes::from_owner(map))).unwrap();
        stop.store(true, Ordering::Relaxed);
        clip
    });
    output.set_len(clip.len()).unwrap();
    clip.write_to(output).unwrap();
}

fn copy_whole(input: &File, output: &File) {
    copy(input, 0, input.metadata().unwrap().len(), output);
}

fn copy(input: &File, mut offset: u64, len: u64, output: &File) {
    let end = offset + len;
    while offset < end {
        let left = (end - offset) as usize;
        copy_file_range(input, Some(&mut offset), output, None, left).unwrap();
    }
}

/// The input without a few bytes after each extent of `KIB`, which are what stands between the frames of a recording.
fn parts<const KIB: u64>(input: &File) -> impl Iterator<Item = (u64, u64)> {
    const BETWEEN: u64 = 10;
    let end = input.metadata().unwrap().len();
    let extent = KIB << 10;
    (0..)
        .map(move |index| index * (extent + BETWEEN))
        .take_while(move |&offset| offset + extent <= end)
        .map(move |offset| (offset, extent))
}

fn copy_parts<const KIB: u64>(input: &File, output: &File) {
    for (offset, len) in parts::<KIB>(input) {
        copy(input, offset, len, output);
    }
}

fn write_parts<const KIB: u64>(input: &File, output: &File) {
    let map = map(input);
    let parts: Vec<_> = parts::<KIB>(input).collect();
    for batch in parts.chunks(1024) {
        let slices = batch.iter().map(|&(offset, len)| IoSlice::new(&map[offset as usize..][..len as usize]));
        write_slices(&mut slices.collect::<Vec<_>>(), output);
    }
}

/// The plan of the clip, and where in the input the media of its fragments begins.
fn plan(input: &File) -> (ClipPlan, Vec<u64>) {
    let (mut planner, mut offsets) = (builder().planner(), Vec::new());
    for fragment in fragments(Bytes::from_owner(map(input))) {
        let (index, _) = fragment.unwrap().into_parts();
        offsets.push(index.offset());
        planner.offer(index).unwrap();
    }
    let plan = planner.finish().unwrap();
    let offsets = plan.fragments().iter().map(|&offered| offsets[offered]).collect();
    (plan, offsets)
}

fn copy_extents(input: &File, mut output: &File) {
    let (plan, offsets) = plan(input);
    for extent in plan.extents(..) {
        match extent {
            Extent::Inline(bytes) => output.write_all(&bytes).unwrap(),
            Extent::Media { fragment, range } => {
                copy(input, offsets[fragment] + range.start, range.end - range.start, output);
            }
        }
    }
}

/// One buffer that fits a core's cache holds a part of the input; what is written next out of it is written at once.
fn in_windows(input: &File, output: &File) {
    const WINDOW: u64 = 512 << 10;
    let (plan, offsets) = plan(input);
    let len = input.metadata().unwrap().len();
    let mut window = vec![0; WINDOW as usize];
    let (mut start, mut end) = (0, 0);
    let mut batch: Vec<Extent> = Vec::new();
    for extent in plan.extents(..) {
        if let Extent::Media { fragment, range } = &extent {
            let from = offsets[*fragment] + range.start;
            if from < start || offsets[*fragment] + range.end > end {
                write_batch(&batch, &window, start, &offsets, output);
                batch.clear();
                (start, end) = (from, len.min(from + WINDOW));
                input.read_exact_at(&mut window[..(end - start) as usize], start).unwrap();
            }
        }
        batch.push(extent);
    }
    write_batch(&batch, &window, start, &offsets, output);
}

fn write_batch(batch: &[Extent], window: &[u8], start: u64, offsets: &[u64], output: &File) {
    for batch in batch.chunks(1024) {
        let slices = batch.iter().map(|extent| match extent {
            Extent::Inline(bytes) => IoSlice::new(bytes),
            Extent::Media { fragment, range } => {
                let at = |offset| (offsets[*fragment] + offset - start) as usize;
                IoSlice::new(&window[at(range.start)..at(range.end)])
            }
        });
        write_slices(&mut slices.collect::<Vec<_>>(), output);
    }
}

fn write_slices(mut slices: &mut [IoSlice<'_>], mut output: &File) {
    while !slices.is_empty() {
        let written = output.write_vectored(slices).unwrap();
        IoSlice::advance_slices(&mut slices, written);
    }
}
