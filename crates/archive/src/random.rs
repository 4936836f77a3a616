//! Numbers that are unique across processes.

use std::hash::{BuildHasher, Hasher, RandomState};

/// 64 bits that differ in each call and on each machine. They identify things and keep no secrets, so the standard
/// library's hash keys, which come from the system's random source, are enough.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differs_in_each_call() {
        let drawn: std::collections::HashSet<u64> = (0..1000).map(|_| random()).collect();
        assert_eq!(drawn.len(), 1000);
    }
}
