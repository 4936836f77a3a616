#!/usr/bin/env bash
# Every line of the speed budget in one run: benches/budget.sh [ROUNDS]
#
# | what | limit |
# |---|---|
# | input in memory to a finished clip, H.264 behind NAL lengths | 1.4 times the bare walk over element headers |
# | the same, Annex B | 1.25 times one search for start codes over the video |
# | stored indexes to a planned clip, without media | 1.5 ms |
# | size of the indexes | 3 bytes a frame and 300 a fragment; in Annex B, 3 a NAL unit more |
# | file to file on tmpfs, whole process | 1.15 times `cp` |
# | against `ffmpeg -c copy -movflags +faststart` | 4.5 times less wall time, 20 times less user time |
# | heap beyond an input of 95 MB | 4 MiB |
# | ten times the fragments | 10.5 times the time |
#
# ROUNDS (21) is how often each program runs, see peers.sh. Compare ratios: absolute times differ from hour to hour.
set -eu
cd "$(dirname "$0")/.."

cargo bench --quiet --bench budget
benches/peers.sh "${1-21}"
echo
cargo test --quiet --test hostile_allocation the_largest_clip -- --nocapture | grep 'beyond the input'
cargo bench --quiet --bench growth
