#!/usr/bin/env python3
"""Makes the fuzzers' first inputs out of testdata/: the streams with few and small frames, and parts of them. Targets
that read a description begin with noise.

    fuzz/seeds.py FOLDER        writes FOLDER/TARGET/NAME for each target
"""

import random
import struct
import sys
from pathlib import Path

TESTDATA = Path(__file__).resolve().parent.parent / "testdata"

EBML, SEGMENT, CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
TRACKS, TRACK_ENTRY, CODEC_ID, CODEC_PRIVATE = 0x1654AE6B, 0xAE, 0x86, 0x63A2
SIMPLE_BLOCK = 0xA3

# Of each stream: the first Clusters, the first blocks of each, the first bytes of the NAL units of a frame.
CLUSTERS, BLOCKS, NAL_BYTES = 3, 8, 48


def vint(data, at, keep_marker=False):
    """A variable-size integer and its width (RFC 8794 section 4); None for unknown size."""
    width = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + width], "big")
    if keep_marker:
        return value, width
    value &= (1 << 7 * width) - 1
    return (None if value == (1 << 7 * width) - 1 else value), width


def elements(data):
    """The elements of a master's payload: (ID, header, payload). One of unknown size ends with the payload."""
    at = 0
    while at < len(data):
        element_id, id_width = vint(data, at, keep_marker=True)
        size, size_width = vint(data, at + id_width)
        start = at + id_width + size_width
        end = len(data) if size is None else start + size
        yield element_id, data[at:start], data[start:end]
        at = end


def element(element_id, payload):
    """An element with a size of 4 bytes."""
    header = element_id.to_bytes((element_id.bit_length() + 7) // 8, "big")
    return header + struct.pack(">I", 0x10000000 | len(payload)) + payload


def short_frame(frame, annex_b):
    """The frame with its NAL units cut short."""
    if annex_b:
        nals = frame.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]
        return b"".join(b"\0\0\0\1" + nal[:NAL_BYTES] for nal in nals)
    short, at = b"", 0
    while at < len(frame):
        (size,) = struct.unpack_from(">I", frame, at)
        nal = frame[at + 4 : at + 4 + size][:NAL_BYTES]
        short += struct.pack(">I", len(nal)) + nal
        at += 4 + size
    return short


def short_cluster(payload, annex_b):
    children, blocks = b"", 0
    for element_id, header, child in elements(payload):
        if element_id != SIMPLE_BLOCK:
            children += header + child
        elif blocks < BLOCKS:
            blocks += 1
            frame = child[4:]
            is_video = child[0] == 0x81
            frame = short_frame(frame, annex_b) if is_video else frame
            children += element(SIMPLE_BLOCK, child[:4] + frame)
    return element(CLUSTER, children)


def short_stream(data, annex_b):
    """The stream with its first Clusters, cut short."""
    out, clusters = b"", 0
    documents = data.split(bytes.fromhex("1a45dfa3"))[1:]
    for document in documents:
        document = bytes.fromhex("1a45dfa3") + document
        for element_id, header, payload in elements(document):
            if element_id != SEGMENT:
                out += header + payload
                continue
            out += header
            for child_id, child_header, child in elements(payload):
                if child_id == CLUSTER:
                    clusters += 1
                    out += short_cluster(child, annex_b)
                    if clusters == CLUSTERS:
                        return out
                else:
                    out += child_header + child
    return out


def codec_privates(data):
    """The codec private data of each track of the first document, by codec ID."""
    for element_id, _, payload in elements(data):
        if element_id != SEGMENT:
            continue
        for child_id, _, child in elements(payload):
            if child_id == CLUSTER:
                return
            if child_id != TRACKS:
                continue
            for entry_id, _, entry in elements(child):
                if entry_id == TRACK_ENTRY:
                    fields = {field_id: field for field_id, _, field in elements(entry)}
                    yield fields[CODEC_ID].decode().rstrip("\0 "), fields.get(CODEC_PRIVATE, b"")


def first_frames(data):
    for element_id, _, payload in elements(data):
        if element_id in (SEGMENT, CLUSTER):
            yield from first_frames(payload)
        elif element_id == SIMPLE_BLOCK and payload[0] == 0x81:
            yield payload[4:]


CONFIG_TARGETS = {
    "V_MPEG4/ISO/AVC": "avc_config",
    "V_MPEGH/ISO/HEVC": "hevc_config",
    "A_AAC": "aac_config",
    "A_MS/ACM": "g711_config",
}

# Sizes of descriptions in bytes: of a single read, fragment or frame to all that a description takes.
DESCRIBED_TARGETS = {
    "build_structured": [128 << step for step in range(7)],
    "selection": [16, 48, 124],
    "clip_ranges": [64, 256, 1024],
}


def main():
    folder = Path(sys.argv[1])

    def seed(target, name, data):
        path = folder / target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    for path in sorted(TESTDATA.glob("*.mkv")):
        name, data = path.stem, path.read_bytes()
        short = short_stream(data, "annexb" in name)
        seed("fragments", name, short)
        seed("reader_chunking", name, b"\0\x05\x7f\xff" + short)
        # All options off, and all that widen what is taken on.
        seed("build_clip", name, b"\0" + short)
        seed("build_clip", f"{name}_wide", b"\7" + short)
        for codec_id, private in codec_privates(data):
            seed(CONFIG_TARGETS[codec_id], name, private)
        for index, frame in zip(range(3), first_frames(data)):
            codec = 1 if name.startswith("h265") else 0
            seed("annexb", f"{name}_{index}", bytes([codec]) + frame[:4096])
    for index, text in enumerate(["1511852109.126", "2017-11-28T06:55:09.126Z", "0.000", "-1", "9999-12-31T23:59:60Z"]):
        seed("timestamp", str(index), text.encode())
    # These read their input as descriptions, of which all bytes are some.
    for target, sizes in DESCRIBED_TARGETS.items():
        for size in sizes:
            seed(target, str(size), random.Random(f"{target} {size}").randbytes(size))


if __name__ == "__main__":
    main()
