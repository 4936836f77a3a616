#!/usr/bin/env python3
"""Makes every file of this folder again: `make.py`, or `make.py --check` to compare with what is here.

Needs ffmpeg with libx264 and libx265. The bytes are the same for the same versions of the three.
"""

import argparse
import functools
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

sys.dont_write_bytecode = True  # this folder holds nothing but what is checked in

import encode
import kvs
from encode import H264, H265

HERE = Path(__file__).resolve().parent
BASE_MS = 1_700_000_000_000
TABLE_START, TABLE_END = "<!-- table: written by make.py -->", "<!-- end of table -->"


@functools.cache
def h264():
    """10 s, 30 fps, key frame every 2 s, access unit delimiters, no B-frames."""
    return encode.video(H264, "320x180", "30", 10, gop=60, quality=32, aud=True)


@functools.cache
def h264_short():
    """5 s, 30 fps, key frame every second."""
    return encode.video(H264, "160x90", "30", 5, gop=30, quality=34)


@functools.cache
def h265():
    return encode.video(H265, "320x180", "30", 10, gop=60, quality=34)


@functools.cache
def h264_small():
    """10 s of few bytes, for the files that are about their audio."""
    return encode.video(H264, "160x90", "15", 10, gop=30, quality=36)


@functools.cache
def aac():
    return encode.aac(48000, 10)


def stored(*tracks):
    """Fragments with absolute Cluster timestamps."""
    return kvs.split(tracks, BASE_MS, BASE_MS)


def h264_aac():
    return stored(h264(), aac())


def h264_only():
    return kvs.split([h264()], BASE_MS, 0)


def h264_upload():
    return kvs.split([encode.with_zero_reserved_bits(encode.without_high_tail(h264()))], 0, 0)


def h264_merged():
    return stored(encode.without_high_tail(h264()), aac())


def h264_aac_44100():
    return stored(h264_small(), encode.aac(44100, 10))


def aac_sbr():
    return stored(h264_small(), encode.with_sbr_signalled(encode.aac(24000, 10)))


def aac_20ms():
    audio = encode.aac(48000, 10.7)
    stamped = tuple(replace(frame, pts_ms=20 * index) for index, frame in enumerate(audio.frames))
    within = tuple(frame for frame in stamped if frame.pts_ms < 10_000)
    return stored(h264_small(), replace(audio, frames=within))


def h264_alaw():
    return stored(h264_small(), encode.g711("alaw", 10))


def h264_mulaw():
    return stored(h264_small(), encode.g711("mulaw", 10))


def h264_annexb():
    return kvs.split([encode.annexb(h264(), annexb_private=False)], BASE_MS, 0)


def h264_annexb_private():
    return kvs.split([encode.annexb(h264(), annexb_private=True)], BASE_MS, 0)


def h264_bframes():
    return stored(encode.video(H264, "160x90", "30", 60, gop=60, bframes=3, quality=43))


def h264_resolution_change():
    small = encode.video(H264, "320x180", "30", 2, gop=30, quality=32)
    large = encode.video(H264, "640x360", "30", 2, gop=30, quality=36)
    after = kvs.split([large], BASE_MS + 2000, BASE_MS + 2000)
    return stored(small) + after


def h264_2997():
    return stored(encode.video(H264, "160x90", "30000/1001", 10, gop=60, quality=34))


def h264_23976():
    return stored(encode.video(H264, "160x90", "24000/1001", 10, gop=48, quality=34))


def h264_gaps():
    fragments = stored(h264_short())
    return fragments[:2] + [
        fragment.moved(producer_ms=fragment.producer_ms + 2000, cluster_ms=fragment.cluster_ms + 2000)
        for fragment in fragments[2:]
    ]


def getmedia_twice():
    once = kvs.split([h264_short()], BASE_MS, 0)
    return once + [fragment.moved(producer_ms=fragment.producer_ms + 786_000) for fragment in once]


def timecode_reset():
    video = encode.video(H264, "160x90", "30000/1001", 12.1, gop=30, quality=36)
    fragments = stored(video)[:12]
    # 1001.5 ms apart on the producer's clock; its timecodes begin anew after the first fragment.
    steps = [index * 2003 // 2 for index in range(12)]
    clusters = [10014] + steps[:11]
    return [
        fragment.moved(producer_ms=BASE_MS + step, cluster_ms=cluster_ms)
        for fragment, step, cluster_ms in zip(fragments, steps, clusters)
    ]


def merged_holes():
    fragments = kvs.split([h264_short(), encode.aac(48000, 5)], BASE_MS, 0)
    return [
        fragment.moved(producer_ms=fragment.producer_ms + 2000 * index) for index, fragment in enumerate(fragments)
    ]


def h265_aac():
    return stored(h265(), aac())


def h265_annexb():
    return stored(encode.annexb(h265(), annexb_private=True))


def h265_10bit():
    return stored(encode.video(H265, "320x180", "30", 4, gop=60, quality=34, pixel_format="yuv420p10le"))


def h265_alaw():
    video = encode.video(H265, "160x90", "25", 10, gop=50, quality=36)
    return stored(video, encode.g711("alaw", 10))


def h265_bframes():
    return stored(encode.video(H265, "160x90", "30", 60, gop=60, bframes=4, quality=40))


# Recipe, framing, what the file is for.
RECIPES = [
    (h264_aac, kvs.get_media, "the plain case: 30 fps, access unit delimiters, avcC with the High tail, 48 kHz stereo"),
    (h264_only, kvs.get_media, "video alone; Cluster timestamps from 0"),
    (h264_upload, kvs.upload, "a producer's upload: one header, many Clusters, no AWS tags; avcC with zero reserved bits"),
    (h264_merged, kvs.merged, "AWS's merged form; avcC without the High tail"),
    (h264_annexb, kvs.get_media, "the stream of h264_only as Annex B with in-band SPS and PPS; avcC private"),
    (h264_annexb_private, kvs.get_media, "the same, and the codec private data is Annex B too"),
    (h264_bframes, kvs.get_media, "60 s with B-pyramid, closed GOPs"),
    (h264_resolution_change, kvs.get_media, "two fragments of 320x180, then two of 640x360"),
    (h264_2997, kvs.get_media, "30000/1001 fps"),
    (h264_23976, kvs.get_media, "24000/1001 fps"),
    (h264_gaps, kvs.get_media, "2 s missing between the second and the third fragment"),
    (getmedia_twice, kvs.get_media, "two GetMedia answers of 5 s, both from timecode 0, 786 s apart by producer timestamp"),
    (timecode_reset, kvs.get_media, "timecodes 10014, 0, 1001, 2003, ... under rising producer timestamps"),
    (merged_holes, kvs.merged, "merged, timecodes closed up, 2 s holes after each fragment by producer timestamp"),
    (h264_alaw, kvs.get_media, "A-law, 8 kHz mono, blocks of 160 bytes; WAVEFORMATEX as the AWS SDK writes it"),
    (h264_mulaw, kvs.get_media, "mu-law, else the same"),
    (h264_aac_44100, kvs.get_media, "AAC at 44.1 kHz: 23.22 ms a frame"),
    (aac_20ms, kvs.get_media, "AAC at 48 kHz with its frames of 21.33 ms stamped every 20 ms"),
    (aac_sbr, kvs.get_media, "AAC at 24 kHz with SBR to 48 kHz signalled in its 5 bytes; the frames carry no SBR payload"),
    (h265_aac, kvs.get_media, "H.265 Main with AAC"),
    (h265_annexb, kvs.get_media, "the video of h265_aac as Annex B with in-band VPS, SPS and PPS; Annex-B private"),
    (h265_10bit, kvs.get_media, "H.265 Main 10"),
    (h265_alaw, kvs.get_media, "H.265 at 25 fps with A-law"),
    (h265_bframes, kvs.get_media, "60 s with B-pyramid, closed GOPs"),
]

CODEC_NAMES = {H264: "H.264", H265: "H.265", "A_AAC": "AAC"}


def table_row(name, purpose, fragments, size):
    first = fragments[0].tracks
    codecs = [CODEC_NAMES.get(track.codec_id) or {6: "A-law", 7: "mu-law"}[track.codec_private[0]] for track in first]
    counts = [
        sum(1 for fragment in fragments for owner, _ in fragment.blocks if owner.number == track.number)
        for track in first
    ]
    frames = " + ".join(str(count) for count in counts)
    return f"| `{name}` | {', '.join(codecs)} | {frames} | {len(fragments)} | {size / 1000:.0f} | {purpose} |"


def reference_movie(folder):
    """A movie of ffmpeg's own muxer with ffprobe's view of it: the proof of the MP4 reader in `crates/testkit`."""
    path = folder / "reference.mp4"
    encode.ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=size=160x90:rate=30", "-f", "lavfi", "-i", "sine=sample_rate=48000", "-t", 2,
        "-c:v", "libx264", "-x264-params", "threads=1:sliced-threads=0:bframes=3:keyint=30:crf=36",
        "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "32k", *encode.BIT_EXACT, "-movflags", "+faststart", path,
    )
    packets = encode.ffprobe(path, "-show_entries", "packet=stream_index,pts_time,pos,size,flags")["packets"]
    lines = ["# stream\tpts_seconds\tposition\tsize\tkey"]
    for packet in packets:
        fields = [packet["stream_index"], packet["pts_time"], packet["pos"], packet["size"], int("K" in packet["flags"])]
        lines.append("\t".join(map(str, fields)))
    (folder / "reference.packets.tsv").write_text("\n".join(lines) + "\n")


def make(folder):
    rows = ["| file | codecs | frames | fragments | kB | for |", "|---|---|---|---|---|---|"]
    for recipe, framing, purpose in RECIPES:
        name, fragments = recipe.__name__, recipe()
        data = framing(fragments)
        # Without the service's tags the Cluster timestamps are the timeline.
        timeline = "cluster_ms" if framing is kvs.upload else "producer_ms"
        (folder / f"{name}.mkv").write_bytes(data)
        (folder / f"{name}.frames.tsv").write_text(kvs.manifest(fragments, timeline))
        rows.append(table_row(name, purpose, fragments, len(data)))
        print(rows[-1], file=sys.stderr)
    reference_movie(folder)
    readme = (HERE / "README.md").read_text()
    before, after = readme.split(TABLE_START)[0], readme.split(TABLE_END)[1]
    (folder / "README.md").write_text("\n".join([before + TABLE_START, "", *rows, "", TABLE_END + after]))


def check():
    """Names every file that comes out different, and says whether there was one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder)
        made = sorted(path.name for path in folder.iterdir())
        different = [file for file in made if not same(folder / file, HERE / file)]
        kept = [path.name for pattern in ("*.mkv", "*.tsv", "*.mp4") for path in HERE.glob(pattern)]
        left_over = sorted(set(kept) - set(made))
    for file in different:
        print(f"different: {file}")
    for file in left_over:
        print(f"made by no recipe: {file}")
    return not different and not left_over


def same(one, other):
    return other.exists() and one.read_bytes() == other.read_bytes()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="make everything in a temporary folder and compare")
    if parser.parse_args().check:
        sys.exit(0 if check() else 1)
    make(HERE)


if __name__ == "__main__":
    main()
