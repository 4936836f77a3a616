"""FFmpeg's and ffprobe's view of a clip. Every check yields its faults as sentences; no fault, and it holds."""

import itertools
import json
import statistics
import struct
from fractions import Fraction

import nal
from process import run

#: Half a millisecond: what rounding a time to the input's milliseconds can move it by.
VIDEO_TOLERANCE_MS = Fraction(1, 2)

G711_DEMUXERS = {6: "alaw", 7: "mulaw"}
#: A clip may name many faults of one kind: the first few tell enough.
SHOWN = 3


def version():
    """The first line of `ffmpeg -version` without the copyright."""
    return run(["ffmpeg", "-version"]).stdout.decode().split(" Copyright")[0]


def probe(clip):
    """ffprobe's streams and packets of a clip: {"video": stream, "audio": stream}, each with its "packets"."""
    command = [
        "ffprobe",
        "-v",
        "error",
        "-show_packets",
        "-show_data_hash",
        "sha256",
        "-show_streams",
        "-show_format",
    ]
    ended = run([*command, "-of", "json", clip])
    if ended.status != 0 or ended.stderr:
        raise RuntimeError(f"ffprobe exits with {ended.status}: {ended.stderr.strip()}")
    seen = json.loads(ended.stdout)
    streams = {"duration": Fraction(seen["format"]["duration"])}
    for stream in seen["streams"]:
        stream["packets"] = [
            packet for packet in seen["packets"] if packet["stream_index"] == stream["index"]
        ]
        streams[stream["codec_type"]] = stream
    return streams


def packet_faults(wanted, seen, audio_tolerance_ms, moved):
    """Compares ffprobe's packets with the expected frames, and the clip's duration with their times."""
    for kind, entry in (("video", wanted.video), ("audio", wanted.audio)):
        if entry is None or kind not in seen:
            if (entry is None) != (kind not in seen):
                yield f"{kind}: {'not expected' if entry is None else 'missing'}"
            continue
        if is_g711(entry):
            continue  # ffprobe merges PCM frames into packets of its own: `g711_faults` compares the bytes.
        yield from _stream_faults(
            kind, wanted, wanted.frames[entry.number], seen[kind], audio_tolerance_ms, moved
        )
    if not moved:
        yield from _duration_faults(wanted, seen["duration"], audio_tolerance_ms)


def decode_faults(clip):
    """Decodes all streams. FFmpeg must neither fail nor say anything."""
    # G.711 in MP4 has a number of channels and no layout: ffmpeg is told not to warn that it guesses one.
    command = ["ffmpeg", "-nostdin", "-v", "warning", "-xerror", "-guess_layout_max", "0", "-i", clip]
    # Without passthrough ffmpeg would fill a gap between fragments with copies of the frame before it.
    ended = run([*command, "-fps_mode", "passthrough", "-f", "null", "-"])
    if ended.status != 0 or ended.stderr:
        yield f"ffmpeg exits with {ended.status}: {_first_lines(ended.stderr)}"


def picture_faults(wanted, clip):
    """The decoded pictures, in presentation order, against those of the input's own elementary stream."""
    demuxer = "hevc" if wanted.video.codec == nal.HEVC_CODEC else "h264"
    stream = nal.elementary_stream(wanted.payloads[wanted.video.number])
    source = _pictures(["-f", demuxer, "-i", "-"], stream)
    output = _pictures(["-i", clip], None)
    if source != output:
        at = next((i for i, (a, b) in enumerate(itertools.zip_longest(source, output)) if a != b), 0)
        yield f"{len(output)} pictures, {len(source)} in the input; the first to differ is picture {at}"


def g711_faults(wanted, clip):
    """The audio's bytes, whole, and what they decode to."""
    entry = wanted.audio
    tag, channels, rate = struct.unpack_from("<HHI", entry.private)
    raw = b"".join(payload for _, payload in wanted.payloads[entry.number])
    demuxer = G711_DEMUXERS[tag]
    copied = _ffmpeg(["-i", clip, "-map", "0:a", "-c", "copy", "-f", demuxer, "-"])
    if copied != raw:
        yield f"{len(copied)} bytes of {demuxer} in the clip, {len(raw)} in the input, or not the same"
    to_pcm = ["-c:a", "pcm_s16le", "-f", "s16le", "-"]
    source = _ffmpeg(["-f", demuxer, "-ar", rate, "-ac", channels, "-i", "-", *to_pcm], raw)
    output = _ffmpeg(["-i", clip, "-map", "0:a", *to_pcm])
    if source != output:
        yield f"{demuxer} decodes to {len(output)} bytes of PCM, the input's to {len(source)}, or not the same"


def is_g711(entry):
    """A_MS/ACM with one of the two format tags of WAVEFORMATEX."""
    return entry.codec == "A_MS/ACM" and int.from_bytes(entry.private[:2], "little") in G711_DEMUXERS


def _stream_faults(kind, wanted, frames, stream, audio_tolerance_ms, moved):
    packets = stream["packets"]
    if len(packets) != len(frames):
        yield f"{kind}: {len(packets)} packets, {len(frames)} frames in the input"
        return
    base = Fraction(stream["time_base"]) * 1000
    tolerance = base + (VIDEO_TOLERANCE_MS if kind == "video" else audio_tolerance_ms)
    faults = []
    shifts = {}
    for at, (packet, frame) in enumerate(zip(packets, frames)):
        sha256 = packet["data_hash"].removeprefix("SHA256:")[:16]
        if int(packet["size"]) != frame.size or sha256 != frame.sha256:
            faults.append(
                f"{kind} {at}: {packet['size']} bytes {sha256}, expected {frame.size} bytes {frame.sha256}"
            )
        if kind == "video" and ("K" in packet["flags"]) != frame.key:
            faults.append(f"{kind} {at}: flags {packet['flags']}, key frame {frame.key} in the input")
        if kind == "audio" and "K" not in packet["flags"]:
            faults.append(f"{kind} {at}: flags {packet['flags']}, every audio sample is a sync sample")
        if at and packet["dts"] <= packets[at - 1]["dts"]:
            faults.append(f"{kind} {at}: decode time {packet['dts']} after {packets[at - 1]['dts']}")
        error = packet["pts"] * base - (frame.time_ms - wanted.start_ms)
        # A fragment that was moved was moved as one: its first frame says by how much.
        shift = shifts.setdefault(frame.fragment, error) if moved else 0
        if abs(error - shift) > tolerance:
            faults.append(f"{kind} {at}: {float(packet['pts'] * base):.3f} ms, off by {float(error):.3f} ms")
    yield from faults[:SHOWN]
    if len(faults) > SHOWN:
        yield f"{kind}: {len(faults) - SHOWN} more"


def _duration_faults(wanted, duration, audio_tolerance_ms):
    """The clip ends one frame after the last: how long that one lasts the input does not say, but the usual step."""
    ends = []
    for frames in wanted.frames.values():
        times = sorted(frame.time_ms for frame in frames)
        step = (
            statistics.median(b - a for a, b in itertools.pairwise(times))
            if len(times) > 1
            else Fraction(1000)
        )
        ends.append((times[-1] + step - wanted.start_ms, step))
    end, step = max(ends)
    if abs(duration * 1000 - end) > max(step, audio_tolerance_ms):
        yield f"lasts {float(duration):.3f} s, the input's frames end at {float(end) / 1000:.3f} s"


def _pictures(source, stdin):
    """One hash a picture, in presentation order."""
    arguments = [*source, "-map", "0:v", "-fps_mode", "passthrough", "-f", "framehash", "-hash", "md5", "-"]
    lines = _ffmpeg(arguments, stdin).decode().splitlines()
    return [line.rsplit(",", 1)[1].strip() for line in lines if not line.startswith("#")]


def _ffmpeg(arguments, stdin=None):
    ended = run(["ffmpeg", "-nostdin", "-v", "error", *arguments], stdin=stdin)
    if ended.status != 0:
        raise RuntimeError(f"ffmpeg exits with {ended.status}: {_first_lines(ended.stderr)}")
    return ended.stdout


def _first_lines(text):
    return " / ".join(text.strip().splitlines()[:SHOWN]) or "nothing said"
