#!/usr/bin/env bash
# A recording of 20,000 fragments and 9.5 GB through the program, with raised limits: right, and with flat memory.
#
#   benches/scale.sh [FRAGMENTS]
#
# The recording has zeros for payload and holes for whole pages of them, so that it takes about half its size on disk; the
# clip takes all of it. Both are made in BENCH_DIR (/var/tmp) and removed. The time of the library alone is
# that of `cargo bench --bench growth`, which this runs too.
set -eu
cd "$(dirname "$0")/.."
source .ci/tools
install_tool ffprobe ffmpeg
fragments=${1-20000}
target=${CARGO_TARGET_DIR-target}
work=$(mktemp -d -p "${BENCH_DIR-/var/tmp}" getclip-scale.XXXXXX)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

cargo bench --quiet --bench growth

cargo build --quiet --release -p getclip-cli
cargo bench --quiet --bench generate -- sparse avcc "$fragments" "$work/in.mkv" >/dev/null
ls -ls "$work/in.mkv" | awk '{ printf "input: %.2f GB, %.2f GB on disk\n", $6 / 1e9, $1 * 1024 / 1e9 }'

start=$(date +%s.%N)
"$target/release/getclip" clip "$work/in.mkv" -o "$work/out.mp4" --max-fragments "$fragments" \
    --max-bytes 1000000000000 >"$work/report" 2>&1 &
program=$!
# What is neither mapped file nor code: RssAnon counts the heap only.
peak=0
while anonymous=$(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$program/status" 2>/dev/null) &&
    [ -n "$anonymous" ]; do
    [ "$anonymous" -gt $peak ] && peak=$anonymous
    sleep 0.02
done
wait $program || { cat "$work/report" >&2; exit 1; }
end=$(date +%s.%N)

pictures=$((fragments * 60))
echo "$start $end $peak $(wc -c <"$work/out.mp4") $fragments" | awk '{
    printf "clip: %.2f GB in %.1f s; memory apart from the map %.0f MiB, %.0f bytes a frame\n",
        $4 / 1e9, $2 - $1, $3 / 1024, $3 * 1024 / ($5 * 153.75) }'

# The last packets lie behind 4 GiB: ffprobe has to use the 64-bit offsets to get there.
probe() { ffprobe -v error -select_streams "$1" -show_entries "$2" -of default=nokey=1:noprint_wrappers=1 "$work/out.mp4"; }
frames=$(probe v:0 stream=nb_frames)
duration=$(probe v:0 stream=duration)
last=$(ffprobe -v error -select_streams v:0 -read_intervals "$((fragments * 2 - 1))%" -show_entries packet=pos,pts_time \
    -of csv=p=0 "$work/out.mp4" | tail -n 1)
echo "ffprobe: $frames pictures in $duration s; last packet (time, position): $last"
[ "$frames" = $pictures ] || { echo "expected $pictures pictures" >&2; exit 1; }
[ "${duration%.*}" = $((fragments * 2)) ] || { echo "expected $((fragments * 2)) s" >&2; exit 1; }
