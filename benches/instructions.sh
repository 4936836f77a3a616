#!/usr/bin/env bash
# Counts the instructions of one `build` of 20 fragments with callgrind, and compares them with benches/instructions.txt.
#
#   benches/instructions.sh               fails if a count has grown by more than 5 %
#   benches/instructions.sh --update      writes the counts down; commit them with the reason
#   benches/instructions.sh --toolchain   prints the version of rustc that the counts are of
#
# Counts do not depend on how busy the machine is. They do depend on the compiler, and on the vector instructions that
# memchr finds in the CPU. Where one of them is not that of instructions.txt, both are printed, and nothing fails: run it
# with the toolchain that --toolchain prints, as CI does.
set -eu
cd "$(dirname "$0")/.."
counts=benches/instructions.txt
limit=5

recorded() { sed -n "s/^$1 *//p" "$counts"; }

case "${1-}" in
--toolchain) recorded rustc; exit ;;
--update | "") ;;
*) sed -n '2,6s/^# *//p' "$0" >&2; exit 2 ;;
esac

source .ci/tools
install_tool valgrind valgrind

rustc=$(rustc --version | cut -d' ' -f2)
vectors=$(uname -m)
grep -qsw avx2 /proc/cpuinfo && vectors="$vectors+avx2"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

cargo build --quiet --release --package getclip-instructions
program=${CARGO_TARGET_DIR-target}/release/instructions

# Counts between entering and leaving `measured`.
count() {
    valgrind --tool=callgrind --toggle-collect='*instructions::measured*' --callgrind-out-file="$work/$1" \
        "$program" "$1" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
    sed -n 's/^totals: *//p' "$work/$1"
}

new="$work/instructions.txt"
printf 'rustc %s\nvectors %s\n' "$rustc" "$vectors" >"$new"
for recording in avcc annexb; do
    printf '%s %s\n' "$recording" "$(count $recording)" >>"$new"
done

if [ "${1-}" = --update ]; then
    cp "$new" "$counts"
    cat "$counts"
    exit
fi

comparable=yes
[ "$(recorded rustc | cut -d. -f1,2)" = "$(echo "$rustc" | cut -d. -f1,2)" ] || comparable=no
[ "$(recorded vectors)" = "$vectors" ] || comparable=no
status=0
for recording in avcc annexb; do
    was=$(recorded $recording)
    is=$(sed -n "s/^$recording //p" "$new")
    growth=$(awk -v is="$is" -v was="$was" 'BEGIN { printf "%+.1f", (is - was) * 100 / was }')
    printf '%-7s %s instructions, %s recorded: %s %%\n' "$recording" "$is" "$was" "$growth"
    if [ $comparable = yes ] && awk -v growth="$growth" -v limit=$limit 'BEGIN { exit !(growth > limit) }'; then
        echo "  more than $limit % above benches/instructions.txt; if it must be, --update and say why" >&2
        status=1
    fi
done
[ $comparable = yes ] || echo "NOT COMPARED: recorded with rustc $(recorded rustc) on $(recorded vectors)," \
    "counted with rustc $rustc on $vectors"
exit $status
