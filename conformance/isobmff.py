"""The few boxes of a clip (ISO/IEC 14496-12) that ffprobe does not show as they stand in the file."""

import struct
from dataclasses import dataclass, field
from fractions import Fraction

CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts"}


@dataclass
class Track:
    """One trak: durations in the units of their own boxes, and the tables as lists of tuples."""

    handler: str = ""
    tkhd_duration: int = 0
    timescale: int = 0
    mdhd_duration: int = 0
    #: (sample count, sample delta)
    stts: list = field(default_factory=list)
    #: Numbers of the sync samples from 1, or None without the box: then every sample is one (8.6.2)
    stss: list = None
    #: (sample count, group) of the sample group `roll`, where group 0 is none (8.9.2)
    roll: list = field(default_factory=list)
    #: (segment duration in the movie timescale, media time); media time -1 is an empty edit
    elst: list = field(default_factory=list)
    #: The sample entries' four-character codes
    entries: list = field(default_factory=list)

    def random_access(self, samples):
        """The numbers, from 1, of the samples at which decoding can begin: sync samples and recovery points."""
        numbers = set(range(1, samples + 1) if self.stss is None else self.stss)
        number = 1
        for count, group in self.roll:
            numbers.update(range(number, number + count) if group else ())
            number += count
        return sorted(numbers)


@dataclass
class Movie:
    """The movie header and its tracks, and the order of the boxes of the file."""

    order: list
    timescale: int = 0
    duration: int = 0
    tracks: list = field(default_factory=list)


def read_movie(data):
    """The movie of the file `data`."""
    movie = Movie([kind.decode("latin-1") for kind, _, _ in boxes(data, 0, len(data))])
    for kind, start, end in _descend(data, 0, len(data)):
        body = data[start:end]
        if kind == b"mvhd":
            movie.timescale, movie.duration = _times(body)
        elif kind == b"trak":
            track = Track()
            movie.tracks.append(track)
        elif kind == b"tkhd":
            # 8.3.2: creation, modification, track_ID, reserved, duration.
            track.tkhd_duration = (
                struct.unpack_from(">Q", body, 28)[0] if body[0] else struct.unpack_from(">I", body, 20)[0]
            )
        elif kind == b"mdhd":
            track.timescale, track.mdhd_duration = _times(body)
        elif kind == b"hdlr" and not track.handler:
            track.handler = body[8:12].decode("latin-1")
        elif kind == b"stts":
            track.stts = list(struct.iter_unpack(">II", body[8 : 8 + 8 * _count(body)]))
        elif kind == b"stss":
            track.stss = [number for (number,) in struct.iter_unpack(">I", body[8 : 8 + 4 * _count(body)])]
        elif kind == b"sbgp" and body[4:8] == b"roll":
            track.roll = list(struct.iter_unpack(">II", body[12:]))
        elif kind == b"elst":
            form, size = (">Qqhh", 20) if body[0] else (">Iihh", 12)
            track.elst = [edit[:2] for edit in struct.iter_unpack(form, body[8 : 8 + size * _count(body)])]
        elif kind == b"stsd":
            track.entries = [entry.decode("latin-1") for entry, _, _ in boxes(data, start + 8, end)]
    return movie


def faults(movie):
    """What is wrong with the order of the boxes and with the durations, as sentences."""
    if movie.order.index("moov") > movie.order.index("mdat"):
        yield f"moov after mdat: {movie.order}"
    for track in movie.tracks:
        samples = sum(count * delta for count, delta in track.stts)
        if samples != track.mdhd_duration:
            yield f"{track.handler}: stts sums to {samples}, mdhd says {track.mdhd_duration}"
        if any(delta == 0 for _, delta in track.stts):
            yield f"{track.handler}: a sample of duration 0 in stts"
        edited = sum(duration for duration, _ in track.elst)
        if track.elst and edited != track.tkhd_duration:
            yield f"{track.handler}: elst sums to {edited}, tkhd says {track.tkhd_duration}"
        media = Fraction(track.mdhd_duration, track.timescale) * movie.timescale
        if not track.elst and abs(media - track.tkhd_duration) > 1:
            yield f"{track.handler}: mdhd is {float(media)} movie units, tkhd says {track.tkhd_duration}"
    longest = max(track.tkhd_duration for track in movie.tracks)
    if movie.duration != longest:
        yield f"mvhd says {movie.duration}, the longest tkhd {longest}"


def boxes(data, start, end):
    """(type, start of body, end) of the boxes side by side in a range."""
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        header = 8
        if size == 1:
            size, header = struct.unpack_from(">Q", data, start + 8)[0], 16
        size = size or end - start
        if size < header or start + size > end:
            raise ValueError(f"box {kind} at byte {start} has size {size}, {end - start} bytes are left")
        yield kind, start + header, start + size
        start += size


def _descend(data, start, end):
    for kind, body, stop in boxes(data, start, end):
        yield kind, body, stop
        if kind in CONTAINERS:
            yield from _descend(data, body, stop)


def _times(body):
    """Timescale and duration of mvhd and mdhd, which begin alike (8.2.2, 8.4.2)."""
    return struct.unpack_from(">IQ", body, 20) if body[0] else struct.unpack_from(">II", body, 12)


def _count(body):
    return struct.unpack_from(">I", body, 4)[0]
