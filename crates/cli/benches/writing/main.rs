//! Ways to get a clip from one file into another, whole processes in turn:
//!
//!     cargo bench -p getclip-cli --bench writing -- INPUT OUTPUT [ROUNDS]
//!
//! INPUT is a recording (`cargo bench --bench generate`), OUTPUT is overwritten. Prints wall and CPU time of each way,
//! medians of ROUNDS (21), and both as multiples of those of `cp`. `benches/README.md` has a run of it.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the ways to compare are those of Linux");
}
