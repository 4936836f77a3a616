#!/usr/bin/env python3
"""Makes the frames that `getclip generate` has built in: `builtin_frames.py`, or `builtin_frames.py --check`.

ffmpeg's test patterns and tones only, so that nobody has a right in them. Needs ffmpeg with libx264 and libx265. Each
file is the codec private data and then the frames, each behind its length in 2 bytes, big-endian.
"""

import argparse
import struct
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # this folder holds nothing but what is checked in

import encode
from encode import H264, H265

FOLDER = Path(__file__).resolve().parent.parent / "crates/cli/src/generate/frames"

# A second of 25 pictures, the first an IDR picture: it can be repeated.
PICTURES = 25
# 48 AAC frames of 1024 samples at 48 kHz are 1024 periods of 1000 Hz: they can be repeated without a click. Those
# before them hold the encoder's start.
AAC_FRAMES, AAC_START = 48, 8


def packed(track, frames):
    parts = [track.codec_private, *(frame.block for frame in frames)]
    return b"".join(struct.pack(">H", len(part)) + part for part in parts)


def video(codec, quality):
    track = encode.video(codec, "160x90", "25", 1, gop=PICTURES, quality=quality)
    assert len(track.frames) == PICTURES and [frame.key for frame in track.frames].count(True) == 1
    return packed(track, track.frames)


def aac():
    track = encode.aac(48000, 2, bitrate="24k", channels=1, tone="sine=frequency=1000")
    return packed(track, track.frames[AAC_START : AAC_START + AAC_FRAMES])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with what is there, write nothing")
    check = parser.parse_args().check
    made = {"h264.bin": video(H264, 36), "h265.bin": video(H265, 38), "aac.bin": aac()}
    different = [name for name, data in made.items() if check and (FOLDER / name).read_bytes() != data]
    if different:
        sys.exit(f"other bytes than in {FOLDER}: {', '.join(different)}")
    for name, data in made.items():
        if not check:
            FOLDER.mkdir(parents=True, exist_ok=True)
            (FOLDER / name).write_bytes(data)
        print(f"{name}: {len(data)} bytes")


if __name__ == "__main__":
    main()
