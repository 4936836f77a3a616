"""What the program must refuse: bad input and bad outputs, each with its exit status and its own clear message."""

import os
import pathlib
import stat

import matroska
from process import run

IO, NOTHING_IN_RANGE, REFUSED = 1, 3, 4


def bad_inputs(good):
    """(name, bytes, exit status, options) of inputs that are no clip. `good` is H.264 with length-prefixed NAL units."""
    fragment = matroska.fragments(good)[0]
    block = fragment.blocks[0]
    source = ["-f", "lavfi", "-i", "testsrc2=duration=1:size=64x64:rate=5"]
    yield "empty file", b"", NOTHING_IN_RANGE
    yield "JPEG", _made_by_ffmpeg(*source, "-frames:v", "1", "-f", "mjpeg"), REFUSED
    yield "MP4", _made_by_ffmpeg(*source, "-c:v", "mpeg4", "-movflags", "empty_moov", "-f", "mp4"), REFUSED
    yield "WebM with VP8", _made_by_ffmpeg(*source, "-c:v", "libvpx", "-f", "webm"), REFUSED
    cluster = good.rindex(matroska.CLUSTER.to_bytes(4, "big"), 0, fragment.offset)
    yield "header without Cluster", good[:cluster], NOTHING_IN_RANGE
    yield "no codec private data", _without_codec_private(good), REFUSED
    # A SimpleBlock begins with track number (1 byte), timestamp (2) and flags (1).
    # Without --strict, all but that frame is kept.
    yield "block of an absent track", _patched(good, block.offset - 4, b"\x8f"), REFUSED, "--strict"
    yield "NAL length past the frame", _patched(good, block.offset, b"\x7f\xff\xff\xff"), REFUSED, "--strict"


def input_faults(program, directory, good):
    """Runs every bad input. Each yields (name, faults)."""
    said = {}
    for name, data, status, *options in bad_inputs(good):
        source = directory / (name.replace(" ", "-") + ".bad")
        output = directory / (source.name + ".mp4")
        source.write_bytes(data)
        ended = program.clip(source, output, options)
        faults = refusal_faults(ended, status, output)
        # The file's name says nothing: what is left of the message must tell one fault from another.
        message = ended.stderr.replace(str(source), "")
        if message in said:
            faults.append(f"the same message as for {said[message]}: {message.strip()}")
        said[message] = name
        yield name, faults


def output_faults(program, directory, source):
    """Outputs that cannot be written. Each yields (name, faults)."""
    absent = directory / "absent" / "out.mp4"
    yield "output in no directory", refusal_faults(program.clip(source, absent), IO, absent)

    existing = directory / "existing.mp4"
    existing.write_bytes(b"precious")
    ended = program.clip(source, existing)
    faults = [] if ended.status in (1, 2) else [f"exits with {ended.status}"]
    if existing.read_bytes() != b"precious":
        faults.append("the file was overwritten")
    yield "output that exists", faults
    ended = program.clip(source, existing, ("--force",))
    replaced = ended.status == 0 and existing.read_bytes() != b"precious"
    yield (
        "output that exists, --force",
        [] if replaced else [f"exits with {ended.status}: {ended.stderr.strip()}"],
    )

    full = pathlib.Path("/dev/full")
    ended = program.clip(source, full)
    faults = (
        [] if ended.status == IO else [f"exits with {ended.status}, expected {IO}: {ended.stderr.strip()}"]
    )
    if not stat.S_ISCHR(os.stat(full).st_mode):
        faults.append("the device was replaced by a file")
    yield "full disk", faults
    ended = run(["sh", "-c", '"$0" clip "$1" -o - > /dev/full', program.path, source])
    yield "full disk on standard output", refusal_faults(ended, IO, None)


def refusal_faults(ended, status, output):
    """A refusal has its exit status, says something, and leaves no output behind."""
    faults = []
    if ended.status != status:
        faults.append(f"exits with {ended.status}, expected {status}: {ended.stderr.strip()}")
    if not ended.stderr.strip():
        faults.append("says nothing")
    if "panicked" in ended.stderr:
        faults.append(ended.stderr.strip())
    if output is not None and output.exists():
        faults.append("leaves an output behind")
    if (
        output is not None
        and output.parent.is_dir()
        and (left := list(output.parent.glob(f"*{output.name}?*")))
    ):
        faults.append(f"leaves {left[0].name} behind")
    return faults


def cut_in_last_frame(good):
    """`good` without the last bytes of its last block, and all that follows."""
    return good[: matroska.fragments(good)[-1].blocks[-1].offset + 8]


def _made_by_ffmpeg(*arguments):
    ended = run(["ffmpeg", "-nostdin", "-v", "error", *arguments, "-"])
    if ended.status != 0:
        raise RuntimeError(f"ffmpeg exits with {ended.status}: {ended.stderr.strip()}")
    return ended.stdout


def _without_codec_private(data):
    """Every CodecPrivate turned into an element that RFC 9559 does not know, which a reader skips."""
    for identifier, start, _ in matroska.elements(data):
        if identifier == matroska.CODEC_PRIVATE:
            at = data.rindex(identifier.to_bytes(2, "big"), 0, start)
            data = _patched(data, at, b"\x63\xa1")
    return data


def _patched(data, at, replacement):
    return data[:at] + replacement + data[at + len(replacement) :]
