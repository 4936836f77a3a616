//! `getclip-server`: keeps streams of fragments, and serves clips of them to unmodified AWS clients.
//!
//! `getclip-server serve` is the server; `import`, `streams`, `fragments`, `check` and `prune` work on the same archive,
//! while servers run or not. `getclip-server --help` has an example for each.
//!
//! # Exit codes
//! | code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | the archive, a file or the network failed |
//! | 2 | the command line, the configuration or the environment is wrong |
//! | 3 | there is no such stream, or no fragment |
//! | 4 | media was refused, or a check found something that is not repaired |
//! | 130 | interrupted; what was reported as stored is stored |

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod program;

use std::process::ExitCode;

fn main() -> ExitCode {
    program::run()
}
