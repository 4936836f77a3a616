#!/usr/bin/env bash
# getclip, cp and others on the same 95 MB recording, whole processes, file to file on tmpfs: prints one table for H.264
# behind NAL lengths and one for Annex B.
#
#   benches/peers.sh [ROUNDS]
#
# Each round runs every program once, in turn, so that what else the machine does hits all of them; medians of ROUNDS
# (21) rounds are shown. Each output is removed before it is written again. Compare the ratios: absolute times differ
# from machine to machine and from hour to hour.
#
# Installs what is missing with apt-get (hyperfine, ffmpeg, time). transmux, a remuxer in Rust, takes part if cargo can
# install it, or if TRANSMUX names its program; BENCH_DIR names another folder than /dev/shm.
set -eu
cd "$(dirname "$0")/.."
rounds=${1-21}
target=${CARGO_TARGET_DIR-target}

source .ci/tools
install_tool hyperfine hyperfine
install_tool ffmpeg ffmpeg
[ -x /usr/bin/time ] || install_packages time

cargo build --quiet --release -p getclip-cli
getclip=$target/release/getclip
transmux=${TRANSMUX-$target/peers/bin/transmux}
if ! command -v "$transmux" >/dev/null; then
    cargo install --quiet --locked --root "$target/peers" --features cli transmux@^0.28 >&2 ||
        echo "transmux cannot be built here and is left out" >&2
fi

work=$(mktemp -d -p "${BENCH_DIR-/dev/shm}" getclip-peers.XXXXXX)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
in=$work/in.mkv
out=$work/out.mp4

command_of() {
    case $1 in
    cp) echo "cp $in $out" ;;
    getclip) echo "$getclip clip $in -o $out --force" ;;
    ffmpeg) echo "ffmpeg -v quiet -y -i $in -c copy -movflags +faststart $out" ;;
    transmux) echo "$transmux --format progressive --output $out $in" ;;
    esac
}

# Wall, user and system time of one run in seconds, or nothing if it fails.
run_once() {
    hyperfine --shell=none --runs 1 --prepare "rm -f $out" --export-csv "$work/csv" --style none \
        "$(command_of "$1")" >/dev/null 2>&1 || return 0
    tail -n 1 "$work/csv" | awk -F, '{ print $(NF - 6), $(NF - 3), $(NF - 2) }'
}

median() { cut -d' ' -f"$2" "$1" | sort -g | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }

# Peak resident memory in KiB (of getclip and cp, what is mapped counts), and the size of what was written: a program
# that ends without an error can still have lost media.
peak_and_size() {
    rm -f "$out"
    /usr/bin/time -f %M -o "$work/peak" $(command_of "$1") >/dev/null 2>&1
    echo "$(tail -n 1 "$work/peak") $(wc -c <"$out")"
}

programs="cp getclip ffmpeg"
command -v "$transmux" >/dev/null && programs="$programs transmux"
for recording in avcc annexb; do
    cargo bench --quiet --bench generate -- "$recording" 200 "$in" >/dev/null
    round=0
    while [ $round -lt "$rounds" ]; do
        for program in $programs; do
            run_once "$program" >>"$work/$recording.$program"
        done
        round=$((round + 1))
    done
    bytes=$(wc -c <"$in")
    printf '\n%s, %s bytes, 200 fragments; medians of %s rounds\n' "$recording" "$bytes" "$rounds"
    printf '%-10s %9s %6s %9s %10s %9s %10s\n' '' 'wall ms' 'x cp' 'user ms' 'system ms' 'peak MiB' 'written MB'
    for program in $programs; do
        times=$work/$recording.$program
        if [ ! -s "$times" ]; then
            printf '%-10s fails\n' "$program"
            continue
        fi
        printf '%s ' "$program" "$(median "$times" 1)" "$(median "$work/$recording.cp" 1)" "$(median "$times" 2)" \
            "$(median "$times" 3)" "$(peak_and_size "$program")" | awk '{
            printf "%-10s %9.1f %6.2f %9.1f %10.1f %9.0f %10.1f\n",
                $1, $2 * 1000, $2 / $3, $4 * 1000, $5 * 1000, $6 / 1024, $7 / 1e6 }'
    done
    for program in ffmpeg transmux; do
        [ -s "$work/$recording.$program" ] || continue
        echo "$program $(median "$work/$recording.$program" 1) $(median "$work/$recording.getclip" 1)" \
            "$(median "$work/$recording.$program" 2) $(median "$work/$recording.getclip" 2)" | awk '{
            printf "%s against getclip: %.1f x the wall time, %.0f x the user time\n", $1, $2 / $3, $4 / ($5 > 0 ? $5 : 0.001) }'
    done
done
