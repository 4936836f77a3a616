"""Kinesis Video Streams fragments in, one progressive MP4 out: GetClip without the service.

    >>> clip = getclip.clip("recording.mkv", start, end)
    >>> clip.save("clip.mp4")
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict, Unpack

from getclip import _getclip
from getclip._errors import (
    GetClipError,
    InternalFailure,
    InvalidArgumentException,
    InvalidCodecPrivateDataException,
    InvalidMediaFrameException,
    MissingCodecPrivateDataException,
    ResourceNotFoundException,
    UnsupportedStreamMediaTypeException,
)
from getclip._getclip import Clip, ClipPlan, Fragment, FragmentIndex, Fragments, MediaRange
from getclip._report import Cut, FragmentReport, Report, TrackReport
from getclip._sources import Readable, Source, fragments, fragments_of

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = [
    "Clip",
    "ClipPlan",
    "Cut",
    "Fragment",
    "FragmentIndex",
    "FragmentReport",
    "Fragments",
    "GetClipError",
    "InternalFailure",
    "InvalidArgumentException",
    "InvalidCodecPrivateDataException",
    "InvalidMediaFrameException",
    "MissingCodecPrivateDataException",
    "MediaRange",
    "Options",
    "Readable",
    "Report",
    "ResourceNotFoundException",
    "Source",
    "Time",
    "TrackReport",
    "UnsupportedStreamMediaTypeException",
    "clip",
    "fragments",
    "plan",
]

Time: TypeAlias = datetime | float | str
"""A ``datetime`` (without a zone it is local time, as in boto3), Unix seconds, or RFC 3339 text."""


class Options(TypedDict, total=False):
    """What becomes of the fragments in the range. Defaults are GetClip's behaviour."""

    max_fragments: int | None
    """Fragments in the clip, at most: 200. ``None`` for no limit."""
    max_bytes: int | None
    """Size of the file, at most: 100,000,000. ``None`` for no limit."""
    cover: bool
    """Begin with the fragment that was being recorded at the start, so that nothing of the range is missing."""
    exact: bool
    """Play exactly the range, to the frame and without re-encoding: what else decoding needs is not shown."""
    video_track: int | Literal["service", "available"] | None
    """Which track the pictures are of: number 1, which must be there ("service"); that, or else the first with pictures,
    or sound alone where there are none ("available"); the one with a number; or ``None`` for no pictures."""
    audio_track: int | Literal["service", "available"] | None
    """Which track the sound is of: number 2, where it is there ("service"), or as for ``video_track``."""
    profile: Literal["extended", "service"]
    """Codecs: all that play ("extended"), or GetClip's documented table to the letter."""
    codec_changes: Literal["refuse", "new-sample-entry"]
    """What happens where tracks or codec private data change inside the clip."""
    gaps: Literal["keep", "close"]
    """What becomes of time in which nothing was recorded."""
    incomplete_input: Literal["keep", "refuse"]
    """Whether the whole frames of a fragment that was cut off are kept, or the clip is refused."""
    missing_codec_private: Literal["refuse", "from-frames"]
    """Whether codec private data that is missing is taken from the first key frame."""
    recording_start: Time
    """When the recording began, for fragments without a producer timestamp."""


def clip(
    source: Source | Iterable[Fragment],
    start: Time | None = None,
    end: Time | None = None,
    by: Literal["producer", "server"] = "producer",
    **options: Unpack[Options],
) -> Clip:
    """Makes one MP4 of the fragments that start from ``start`` to ``end``, both included.

    ``source`` is a recording in any form that :func:`fragments` takes, or an iterable of fragments. ``by`` is the clock
    of the range. The clip holds the longest leading run of whole fragments within the limits: see ``Clip.report`` for
    what was left out, and for everything else that is not plain.

    All errors are raised here: a clip that exists can be written, and its length is known. Python's other threads run
    while it is made.
    """
    return _getclip.clip(fragments_of(source), start, end, by, **options)


def plan(
    indexes: Iterable[FragmentIndex | tuple[FragmentIndex, Buffer]],
    start: Time | None = None,
    end: Time | None = None,
    by: Literal["producer", "server"] = "producer",
    **options: Unpack[Options],
) -> ClipPlan:
    """Plans the clip of fragments whose media is elsewhere: in files, an object store, a database.

    An index may come with the identity of its media, such as an object store's entity tag. If all of the clip do, its
    own tag is strong: two clips of one tag are the same byte for byte.
    """
    return _getclip.plan(indexes, start, end, by, **options)
