"""The conformance run: clips of the program against outside tools, one line for each clip and group of checks."""

import argparse
import concurrent.futures
import contextlib
import pathlib
import re
import statistics
import sys
import tempfile
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import cases
import exact
import expectation
import ffmpeg
import isobmff
import matroska
import players
import program
import readers
import refusals

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
TESTDATA = REPOSITORY / "testdata"
SAMPLES = REPOSITORY.parent / "shared" / "samples"
#: The input that the bad ones are made of.
BASE = "h264_aac"


class Run:
    """Submits checks, then prints their outcomes in the order of submission."""

    def __init__(self, only):
        self._only = only
        self._outcomes = []
        # FFmpeg, mpv and GStreamer use the processor, two at a time; VLC and Chromium mostly wait for the clock.
        self._pools = {"": concurrent.futures.ThreadPoolExecutor(2)}

    def wants(self, name):
        return self._only in name

    def check(self, name, group, faults, *arguments, pool=""):
        """`faults(*arguments)` yields what is wrong, if anything."""
        if pool not in self._pools:
            self._pools[pool] = concurrent.futures.ThreadPoolExecutor(1)
        future = self._pools[pool].submit(lambda: list(faults(*arguments)))
        self._outcomes.append((name, group, future))

    def print(self):
        """Waits for all checks. Returns how many passed and how many failed."""
        counts = [0, 0]
        for name, group, future in self._outcomes:
            try:
                faults = future.result()
            except Exception as error:  # A tool that breaks down is a failed check, and the run goes on.
                faults = [f"{type(error).__name__}: {error}"]
            counts[bool(faults)] += 1
            print("FAIL" if faults else "ok  ", f"{name}: {group}")
            print(*(f"     {fault}\n" for fault in faults), sep="", end="", flush=True)
        return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, type=pathlib.Path, help="the getclip program")
    parser.add_argument("--only", default="", metavar="NAME", help="only clips whose name contains NAME")
    parser.add_argument(
        "--no-players", action="store_true", help="leave out the readers and players of others"
    )
    arguments = parser.parse_args()
    getclip = program.Program(arguments.program)
    run = Run(arguments.only)
    print(ffmpeg.version())
    with contextlib.ExitStack() as stack:
        installed = [] if arguments.no_players else installed_players(stack)
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="conformance-")))
        directory.chmod(0o755)  # VLC reads the clips as another user.
        for source, rows in inputs():
            if run.wants(source.stem):
                check_source(run, source)
            for case in rows:
                name = f"{source.stem} ({case.about})" if case.about else source.stem
                if run.wants(name):
                    check_case(run, getclip, directory, installed, name, source, case)
        check_exact(run, getclip, directory, installed)
        check_refusals(run, getclip, directory)
        passed, failed = run.print()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def inputs():
    """(file, rows of the table) of every input that is there."""
    for source in sorted(TESTDATA.glob("*.mkv")):
        yield source, cases.rows(cases.TESTDATA, source.stem)
    for name, rows in cases.SAMPLES.items():
        if (source := SAMPLES / f"{name}.mkv").exists():
            yield source, rows


def installed_players(stack):
    """The readers and players of this machine. Names them all, with version or as not installed."""
    found = []
    for kind in readers.ALL + players.ALL:
        player = kind()
        version = player.version()
        print(version or f"{player.name}: not installed, not run")
        if version:
            found.append(player)
            if isinstance(player, players.Chromium):
                stack.callback(player.close)
    return found


def check_exact(run, getclip, directory, installed):
    """Clips of exactly a range that starts inside a GOP."""
    browsers = [player for player in installed if isinstance(player, players.Chromium)]
    for name in exact.CODECS:
        about = f"exact {name}"
        if not run.wants(about):
            continue
        output = exact.clip(getclip, directory, name)
        run.check(about, "ffmpeg", exact.ffmpeg_faults, output)
        if any(isinstance(player, players.Mpv) for player in installed):
            run.check(about, "mpv", exact.mpv_faults, output)
        # Debian's Chromium has no H.265 decoder.
        if browsers and "H.264" in name:
            run.check(about, "Chromium", exact.chromium_faults, browsers[0], output, pool="Chromium")


def check_source(run, source):
    """The two expectations of an input agree."""
    manifest = source.with_suffix(".frames.tsv")
    if manifest.exists():
        run.check(
            source.stem,
            "manifest",
            lambda: expectation.manifest_faults(
                expectation.of_input(source.read_bytes()), expectation.of_manifest(manifest)
            ),
        )


def check_case(run, getclip, directory, installed, name, source, case):
    """Makes one clip and submits all checks of it."""
    output = directory / (re.sub(r"\W+", "-", name) + ".mp4")
    ended = getclip.clip(source, output, case.options)
    if case.status != 0:
        run.check(name, "refusal", refusal_faults, ended, case, output)
        return
    if ended.status != 0:
        run.check(name, "exit status", lambda: [f"{ended.status}: {ended.stderr.strip()}"])
        return
    data = source.read_bytes()
    wanted = expectation.of_input(data)
    run.check(name, "report", report_faults, wanted, case, ended.stdout)
    run.check(name, "same bytes by pipe and with known sizes", route_faults, getclip, data, case, output)
    run.check(name, "boxes", box_faults, wanted, case, output)
    run.check(name, "packets", packet_faults, wanted, case, output)
    run.check(name, "decode", ffmpeg.decode_faults, output)
    if wanted.video:
        run.check(name, "pictures", ffmpeg.picture_faults, wanted, output)
    if wanted.audio and ffmpeg.is_g711(wanted.audio):
        run.check(name, "G.711", ffmpeg.g711_faults, wanted, output)
    for player in installed:
        if player.name in case.not_in:
            print(f"--   {name}: {player.name} is left out, see cases.py", flush=True)
            continue
        pool = player.name if isinstance(player, (players.Vlc, players.Chromium)) else ""
        see = ffmpeg.probe if isinstance(player, readers.ALL) else showing
        run.check(name, player.name, lambda player=player, see=see: player.faults(output, see(output)), pool=pool)


def refusal_faults(ended, case, output):
    yield from refusals.refusal_faults(ended, case.status, output)
    if not re.search(case.says, ended.stderr):
        yield f"does not say {case.says}: {ended.stderr.strip()}"


def report_faults(wanted, case, report):
    taken = program.fragments_taken(report)
    if taken != wanted.fragments or case.fragments not in (None, taken):
        yield f"{taken} fragments in the report, {wanted.fragments} in the input, {case.fragments} in the table"


def route_faults(getclip, data, case, output):
    """The way in and out does not matter, nor does the size that a Segment declares."""
    clip = output.read_bytes()
    routes = [("by pipe", data)]
    if not case.cut:  # A Segment whose size ends inside a Cluster contradicts itself.
        routes.append(("with known sizes", matroska.with_known_sizes(data)))
    for route, source in routes:
        ended = getclip.pipe(source, case.options)
        if ended.status != 0:
            yield f"{route}: exit status {ended.status}: {ended.stderr.strip()}"
        elif ended.stdout != clip:
            yield f"{route}: {len(ended.stdout)} bytes are not the {len(clip)} bytes of the clip from the file"


def box_faults(wanted, case, output):
    movie = isobmff.read_movie(output.read_bytes())
    yield from isobmff.faults(movie)
    for track in movie.tracks:
        # ffprobe flags key frames by what it sees in them where `stss` is missing: the box itself must be right.
        keys = (
            [frame.key for frame in wanted.frames[wanted.video.number]] if track.handler == "vide" else [True]
        )
        sync_samples = None if all(keys) else [number for number, key in enumerate(keys, 1) if key]
        if track.stss != sync_samples:
            yield f"{track.handler}: sync samples {track.stss}, expected {sync_samples}"
    if case.entries and tuple(movie.tracks[0].entries) != case.entries:
        yield f"sample entries {movie.tracks[0].entries}, expected {list(case.entries)}"
    for track in movie.tracks:
        if track.handler in case.one_run and len(track.stts) != 1:
            yield f"{track.handler}: {len(track.stts)} entries in stts, expected 1"


def packet_faults(wanted, case, output):
    seen = ffmpeg.probe(output)
    yield from ffmpeg.packet_faults(wanted, seen, case.audio_tolerance_ms, case.moved)
    for kind, count in case.samples.items():
        if len(seen[kind]["packets"]) != count:
            yield f"{kind}: {len(seen[kind]['packets'])} packets, {count} in the table"
    if case.same_video_as:
        twin = expectation.of_input((TESTDATA / f"{case.same_video_as}.mkv").read_bytes())
        samples = [packet["data_hash"][7:23] for packet in seen["video"]["packets"]]
        if samples != [frame.sha256 for frame in twin.frames[twin.video.number]]:
            yield f"the video samples are not those of {case.same_video_as}"
    if case.duration is not None and abs(seen["duration"] - Fraction(case.duration)) > Fraction(1, 2):
        yield f"lasts {float(seen['duration']):.3f} s, expected {case.duration}"


def showing(output):
    """What players should show: what ffprobe sees, which `packet_faults` compares with the input."""
    seen = ffmpeg.probe(output)
    pictures, step, points, h265 = [], 0.0, [], False
    if "video" in seen:
        base = Fraction(seen["video"]["time_base"])
        shown = [float(packet["pts"] * base) for packet in seen["video"]["packets"]]
        pictures = sorted(shown)
        step = statistics.median(b - a for a, b in pairwise(pictures)) if len(pictures) > 1 else 1.0
        track = next(track for track in isobmff.read_movie(output.read_bytes()).tracks if track.handler == "vide")
        points = [shown[number - 1] for number in track.random_access(len(shown))]
        h265 = seen["video"]["codec_name"] == "hevc"
    return players.Showing(float(seen["duration"]), pictures, step, points, "audio" in seen, h265)


def check_refusals(run, getclip, directory):
    """Bad input, bad output, and input that ends inside a frame, made from one good input."""
    base = TESTDATA / f"{BASE}.mkv"
    if not run.wants("refusals"):
        return
    good = base.read_bytes()
    for faults in (
        refusals.input_faults(getclip, directory, good),
        refusals.output_faults(getclip, directory, base),
    ):
        for name, found in faults:
            run.check("refusals", name, lambda found=found: found)
    cut = directory / "cut.mkv"
    cut.write_bytes(refusals.cut_in_last_frame(good))
    salvaged = cases.Case(cut=True)
    strict = replace(salvaged, options=("--strict",), status=refusals.REFUSED)
    check_case(run, getclip, directory, [], "input cut inside its last frame", cut, salvaged)
    check_case(run, getclip, directory, [], "input cut inside its last frame (strict)", cut, strict)


if __name__ == "__main__":
    sys.exit(main())
