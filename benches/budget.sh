#!/usr/bin/env bash
# Every line of the speed budget in one run: benches/budget.sh [ROUNDS]
#
# | what | limit |
# |---|---|
# | input in memory to a finished clip, H.264 behind NAL lengths | 9 ms, twice the bare walk over element headers |
# | the same, Annex B | 1.6 times one search for start codes over the video |
# | file to file on tmpfs, whole process | 1.25 times `cp` |
# | against `ffmpeg -c copy -movflags +faststart` | a quarter of the wall time, a twentieth of the user time |
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
