"""The report of a clip as plain dicts."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, TypedDict


class FragmentReport(TypedDict):
    """A fragment of the clip."""

    name: str
    """Fragment number, or ``#3`` for the third fragment of input that has no numbers."""
    producer_timestamp: datetime
    server_timestamp: datetime | None
    start_ns: int
    """When its first frame is shown, in nanoseconds from the start of the clip."""
    frames: int


class _TrackReport(TypedDict):
    number: int
    """Track number: 1 video, 2 audio."""
    sample_entries: list[str]
    samples: int
    bytes: int
    type: str
    """``video`` or ``audio``."""
    codec: str
    """``h264``, ``h265``, ``aac``, ``alaw`` or ``mulaw``."""


class TrackReport(_TrackReport, total=False):
    """A track of the clip."""

    width: int
    """Video only, as are ``height`` and ``sync_samples``."""
    height: int
    sync_samples: int
    sampling_rate: int
    """Audio only, as is ``channels``."""
    channels: int


class Cut(TypedDict):
    """Where the limits cut the clip off."""

    limit: str
    """``fragments`` or ``bytes``."""
    fragment: str
    """The first fragment that was left out."""
    continue_from: datetime | None
    """Its start: that of the range to ask for next."""


class Report(TypedDict):
    """What a clip holds, and what was done to get there."""

    fragments: list[FragmentReport]
    tracks: list[TrackReport]
    duration_ns: int
    offered: int
    """Fragments that were offered, in the range or not."""
    out_of_range: int
    """Fragments that start outside the range."""
    cut: Cut | None
    events: list[dict[str, Any]]
    """Everything else. Each event has its name in ``event``, a line to show in ``text``, and what it is about."""
    unnamed: int
    """Fragments outside the clip that the events do not name, because there are too many."""


_TIMES = {"producer_timestamp", "server_timestamp", "continue_from"}


def report(text: str, event_texts: list[str]) -> Report:
    """The report out of its JSON, and the lines that its events are shown as."""
    loaded: Report = load(text)
    for event, event_text in zip(loaded["events"], event_texts, strict=True):
        event["text"] = event_text
    return loaded


def load(text: str) -> Any:
    """What JSON holds, with a ``datetime`` for each time."""
    return json.loads(text, object_pairs_hook=_members)


def _members(members: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: _time(value) if name in _TIMES else value for name, value in members}


def _time(text: str | None) -> datetime | str | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        # Beyond the years of ``datetime``, as in broken recordings.
        return text
