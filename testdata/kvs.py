"""Kinesis Video Streams framing: Matroska as GetMedia, AWS's merger and producers write it (RFC 8794, RFC 9559)."""

import hashlib
import struct
from dataclasses import dataclass, replace

UNKNOWN_SIZE = b"\x01" + b"\xff" * 7
SERVER_DELAY_MS = 613


@dataclass(frozen=True)
class Frame:
    """One block of the input, and the sample that it becomes."""

    pts_ms: int  # on the stream's own timeline
    key: bool
    block: bytes
    sample: bytes


@dataclass(frozen=True)
class Track:
    number: int
    codec_id: str
    codec_private: bytes
    frames: tuple
    pixels: tuple = None  # (width, height) of video
    rate: int = None  # of audio
    channels: int = None

    @property
    def is_video(self):
        return self.pixels is not None


@dataclass(frozen=True)
class Fragment:
    tracks: tuple  # of Track; the frames in them are not looked at
    blocks: tuple  # of (Track, Frame) in file order
    start_ms: int  # pts that is the Cluster's own time
    producer_ms: int
    cluster_ms: int

    def moved(self, **times):
        """The same media at another producer timestamp or Cluster timestamp."""
        return replace(self, **times)


def element(identifier, payload, width=None):
    """An element with its size in `width` bytes, or in as few as it takes."""
    if width is None:
        width = next(w for w in range(1, 9) if len(payload) < (1 << 7 * w) - 1)
    size = (len(payload) | 1 << 7 * width).to_bytes(width, "big")
    return bytes.fromhex(identifier) + size + payload


def uint(identifier, value):
    return element(identifier, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def tags(pairs):
    """One Tags element whose Tag lacks its Targets, with 4-byte sizes, as the service writes it."""
    simple_tags = b"".join(
        element("67C8", element("45A3", name.encode(), 4) + element("4487", value.encode(), 4), 4)
        for name, value in pairs
    )
    return element("1254C367", element("7373", simple_tags, 4), 4)


def decimal_seconds(milliseconds):
    return f"{milliseconds // 1000}.{milliseconds % 1000:03}"


def fragment_number(index):
    return f"91343852333181432392682062{600_000_000_000_000_000 + index:021}"


def ebml_header():
    fields = [("4286", 1), ("42F7", 1), ("42F2", 4), ("42F3", 8)]
    children = b"".join(uint(*field) for field in fields)
    children += element("4282", b"matroska") + uint("4287", 4) + uint("4285", 2)
    return element("1A45DFA3", children, 8)


def track_entry(track):
    children = uint("D7", track.number) + uint("73C5", track.number) + uint("9C", 0)
    children += element("86", track.codec_id.encode()) + uint("83", 1 if track.is_video else 2)
    if track.is_video:
        width, height = track.pixels
        children += element("E0", uint("B0", width) + uint("BA", height))
    else:
        rate = element("B5", struct.pack(">d", track.rate))
        children += element("E1", uint("9F", track.channels) + rate)
    return element("AE", children + element("63A2", track.codec_private))


def segment_header(tracks):
    info = uint("2AD7B1", 1_000_000) + element("4D80", b"testdata") + element("5741", b"testdata")
    entries = b"".join(track_entry(track) for track in tracks)
    return element("1549A966", info, 8) + element("1654AE6B", entries, 8)


def cluster(fragment):
    """SimpleBlocks with 8-byte sizes; audio carries no key flag, as with the AWS SDK."""
    children = uint("E7", fragment.cluster_ms)
    for track, frame in fragment.blocks:
        offset = frame.pts_ms - fragment.start_ms
        flags = 0x80 if frame.key and track.is_video else 0
        head = bytes([0x80 | track.number]) + offset.to_bytes(2, "big", signed=True) + bytes([flags])
        children += element("A3", head + frame.block, 8)
    return element("1F43B675", children, 8)


def service_tags(fragment, index):
    return tags([
        ("AWS_KINESISVIDEO_FRAGMENT_NUMBER", fragment_number(index)),
        ("AWS_KINESISVIDEO_SERVER_TIMESTAMP", decimal_seconds(fragment.producer_ms + SERVER_DELAY_MS)),
        ("AWS_KINESISVIDEO_PRODUCER_TIMESTAMP", decimal_seconds(fragment.producer_ms)),
    ])


def get_media(fragments):
    """One EBML document per fragment, concatenated."""
    documents = b""
    for index, fragment in enumerate(fragments):
        documents += ebml_header() + bytes.fromhex("18538067") + UNKNOWN_SIZE
        documents += segment_header(fragment.tracks) + service_tags(fragment, index) + cluster(fragment)
        documents += tags([
            ("AWS_KINESISVIDEO_MILLIS_BEHIND_NOW", str(1000 * (len(fragments) - 1 - index))),
            ("AWS_KINESISVIDEO_CONTINUATION_TOKEN", fragment_number(index)),
        ])
    return documents


def merged(fragments):
    """AWS's merger: one Segment with Tags Cluster Tags Cluster."""
    document = ebml_header() + bytes.fromhex("18538067") + UNKNOWN_SIZE + segment_header(fragments[0].tracks)
    for index, fragment in enumerate(fragments):
        document += service_tags(fragment, index) + cluster(fragment)
    return document


def upload(fragments):
    """What a producer sends: one header, many Clusters, no tags of the service."""
    document = ebml_header() + bytes.fromhex("18538067") + UNKNOWN_SIZE + segment_header(fragments[0].tracks)
    return document + b"".join(cluster(fragment) for fragment in fragments)


def manifest(fragments, timeline="producer_ms"):
    """The frames in decode order as they must come out: track, fragment, pts, key, size, digest."""
    lines = ["# track\tfragment\tpts_ms\tkey\tsize\tsha256"]
    for index, fragment in enumerate(fragments):
        for track, frame in fragment.blocks:
            pts_ms = getattr(fragment, timeline) + frame.pts_ms - fragment.start_ms
            key = str(int(frame.key)) if track.is_video else "-"
            digest = hashlib.sha256(frame.sample).hexdigest()[:16]
            lines.append(f"{track.number}\t{index}\t{pts_ms}\t{key}\t{len(frame.sample)}\t{digest}")
    return "\n".join(lines) + "\n"


def split(tracks, base_ms, first_cluster_ms):
    """Cuts at the key frames of the first track. A block goes to the fragment in whose time it is presented."""
    video = tracks[0]
    starts = [frame.pts_ms for frame in video.frames if frame.key]
    ends = starts[1:] + [float("inf")]
    fragments = []
    for start, end in zip(starts, ends):
        blocks = [
            (sent_ms, track, frame)
            for track in tracks
            for sent_ms, frame in decode_order(track, start, end)
        ]
        # Video before audio where both are sent at once.
        blocks.sort(key=lambda block: (block[0], block[1].number))
        fragments.append(Fragment(
            tracks=tuple(tracks),
            blocks=tuple((track, frame) for _, track, frame in blocks),
            start_ms=start,
            producer_ms=base_ms + start,
            cluster_ms=first_cluster_ms + start,
        ))
    return fragments


def decode_order(track, start, end):
    """The frames of one fragment with the time at which each is sent: the sorted presentation times, one by one."""
    frames = [frame for frame in track.frames if start <= frame.pts_ms < end]
    return zip(sorted(frame.pts_ms for frame in frames), frames)
