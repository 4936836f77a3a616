"""A second reading of the input: every block of every fragment, walked from RFC 8794 and RFC 9559 alone.

It shares nothing with the program under test. Identifiers of the elements that matter here are unique
over the whole schema, so the walk is flat: it steps into the masters below, skips all else, and never
needs to know where a master of unknown size ends.
"""

from dataclasses import dataclass, field

EBML = 0x1A45DFA3
SEGMENT = 0x18538067
INFO = 0x1549A966
TIMESTAMP_SCALE = 0x2AD7B1
TRACKS = 0x1654AE6B
TRACK_ENTRY = 0xAE
TRACK_NUMBER = 0xD7
TRACK_TYPE = 0x83
CODEC_ID = 0x86
CODEC_PRIVATE = 0x63A2
CLUSTER = 0x1F43B675
CLUSTER_TIMESTAMP = 0xE7
SIMPLE_BLOCK = 0xA3
BLOCK_GROUP = 0xA0
BLOCK = 0xA1
REFERENCE_BLOCK = 0xFB
TAGS = 0x1254C367
TAG = 0x7373
SIMPLE_TAG = 0x67C8
TAG_NAME = 0x45A3
TAG_STRING = 0x4487

STEPPED_INTO = {SEGMENT, INFO, TRACKS, TRACK_ENTRY, CLUSTER, BLOCK_GROUP, TAGS, TAG, SIMPLE_TAG}

# The service writes the first; its documentation of archived media has the second.
PRODUCER_TIMESTAMP = ("AWS_KINESISVIDEO_PRODUCER_TIMESTAMP", "AWS_KINESISVIDEO_PRODUCER_SIDE_TIMESTAMP")
FRAGMENT_NUMBER = ("AWS_KINESISVIDEO_FRAGMENT_NUMBER",)

# TrackType, RFC 9559 section 5.1.4.1.3.
VIDEO, AUDIO = 1, 2


@dataclass
class TrackEntry:
    """What a track says of itself (RFC 9559 section 5.1.4)."""

    number: int = 0
    type: int = 0
    codec: str = ""
    private: bytes = b""


@dataclass
class Block:
    """One block of one fragment."""

    track: int
    #: Offset from the Cluster's timestamp, in ticks of the TimestampScale.
    ticks: int
    key: bool
    payload: bytes
    #: Where the payload starts in the input.
    offset: int


@dataclass
class Fragment:
    """One Cluster, with the tracks and tags that hold for it."""

    tracks: dict
    scale_ns: int
    offset: int
    cluster_ticks: int = 0
    tags: dict = field(default_factory=dict)
    blocks: list = field(default_factory=list)

    @property
    def number(self):
        """The fragment number, or None outside the service."""
        text = _first(self.tags, FRAGMENT_NUMBER)
        return None if text is None else int(text)

    @property
    def start_ns(self):
        """The producer timestamp; without the tag, the Cluster's own timestamp."""
        text = _first(self.tags, PRODUCER_TIMESTAMP)
        if text is None:
            return self.cluster_ticks * self.scale_ns
        seconds, _, decimals = text.partition(".")
        return int(seconds) * 10**9 + int(decimals.ljust(9, "0")[:9])

    def time_ns(self, block):
        """When a block is presented, on the producer's clock."""
        return self.start_ns + block.ticks * self.scale_ns


def fragments(data):
    """Every fragment of `data` in input order. An element cut off by the end of the input is left out."""
    found, tracks, tags, scale_ns, first_of_document = [], {}, {}, 1_000_000, 0
    entry, fragment, name = None, None, ""
    for identifier, start, end in elements(data):
        if identifier == EBML:
            _trailing_tags(found[first_of_document:], tags)
            tracks, tags, scale_ns, fragment, first_of_document = {}, {}, 1_000_000, None, len(found)
        elif identifier == TIMESTAMP_SCALE:
            scale_ns = _uint(data[start:end])
        elif identifier == TRACK_ENTRY:
            entry = TrackEntry()
        elif identifier == TRACK_NUMBER:
            entry.number = _uint(data[start:end])
            tracks[entry.number] = entry
        elif identifier == TRACK_TYPE:
            entry.type = _uint(data[start:end])
        elif identifier == CODEC_ID:
            entry.codec = _text(data[start:end])
        elif identifier == CODEC_PRIVATE:
            entry.private = bytes(data[start:end])
        elif identifier == CLUSTER:
            fragment = Fragment(dict(tracks), scale_ns, start, tags=tags)
            tags = {}
            found.append(fragment)
        elif identifier == CLUSTER_TIMESTAMP:
            fragment.cluster_ticks = _uint(data[start:end])
        elif identifier in (SIMPLE_BLOCK, BLOCK):
            fragment.blocks.append(_block(data, start, end, identifier == SIMPLE_BLOCK))
        elif identifier == REFERENCE_BLOCK:
            fragment.blocks[-1].key = False
        elif identifier == TAG_NAME:
            name = _text(data[start:end])
        elif identifier == TAG_STRING and name.startswith("AWS_KINESISVIDEO_"):
            tags[name] = _text(data[start:end])
    _trailing_tags(found[first_of_document:], tags)
    return found


def elements(data):
    """(identifier, start of data, end of data) of every element, masters before their children.

    A master that is stepped into ends nowhere: its `end` is where its data starts.
    """
    position = 0
    while position < len(data):
        try:
            identifier, after_identifier = _vint(data, position, keep_marker=True)
            size, start = _vint(data, after_identifier, keep_marker=False)
        except IndexError:
            return
        if identifier in STEPPED_INTO:
            yield identifier, start, start
            position = start
            continue
        if size is None:
            raise ValueError(
                f"element {identifier:X} at byte {position} has an unknown size and is no Segment or Cluster"
            )
        if start + size > len(data):
            return
        yield identifier, start, start + size
        position = start + size


def with_known_sizes(data):
    """The same documents with the size of every Segment written out, where it was unknown and 8 bytes long."""
    unknown = SEGMENT.to_bytes(4, "big") + b"\x01" + b"\xff" * 7
    starts = [start for identifier, start, _ in elements(data) if identifier == SEGMENT]
    # An EBML header's data starts 5 or 12 bytes after its identifier, so its place is searched for, not computed.
    ends = [data.rindex(EBML.to_bytes(4, "big"), 0, start) for start in starts[1:]] + [len(data)]
    output = bytearray(data)
    for start, end in zip(starts, ends):
        if data[start - 12 : start] == unknown:
            output[start - 8 : start] = (1 << 56 | end - start).to_bytes(8, "big")
    return bytes(output)


def in_clip_order(found):
    """The fragments as a clip takes them: by producer timestamp; of two equal ones the larger number.

    Fragments without tags have no identity and keep their place.
    """
    if any(fragment.number is None for fragment in found):
        return list(found)
    latest = {fragment.start_ns: fragment for fragment in sorted(found, key=lambda fragment: fragment.number)}
    return [latest[start] for start in sorted(latest)]


def _block(data, start, end, simple):
    """RFC 9559 section 10.1 and 10.2: track number, signed 16-bit timestamp, flags, frame."""
    track, position = _vint(data, start, keep_marker=False)
    ticks = int.from_bytes(data[position : position + 2], "big", signed=True)
    flags = data[position + 2]
    if flags & 0x06:
        raise ValueError(f"the block at byte {start} is laced")
    # A Block of a BlockGroup is a key frame until a ReferenceBlock says otherwise.
    key = bool(flags & 0x80) if simple else True
    return Block(track, ticks, key, bytes(data[position + 3 : end]), position + 3)


def _trailing_tags(of_document, tags):
    """Tags may follow their Cluster: they are its own if it has none of its own."""
    if of_document and _first(tags, PRODUCER_TIMESTAMP) and not of_document[-1].tags:
        of_document[-1].tags = tags


def _vint(data, position, keep_marker):
    """RFC 8794 section 4: the value and the position after it. A size of all ones is None, unknown."""
    first = data[position]
    width = 9 - first.bit_length()
    if width > 8:
        raise ValueError(f"byte {position} is no VINT")
    if position + width > len(data):
        raise IndexError(position)
    value = int.from_bytes(data[position : position + width], "big")
    if keep_marker:
        return value, position + width
    ones = (1 << 7 * width) - 1
    value &= ones
    return (None if value == ones else value), position + width


def _uint(data):
    return int.from_bytes(data, "big")


def _text(data):
    """Old producers pad strings with NULs or spaces."""
    return bytes(data).decode("utf-8", "replace").rstrip("\0 ")


def _first(tags, names):
    return next((tags[name] for name in names if name in tags), None)
