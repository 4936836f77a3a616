"""Ranges of time and the other options."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import getclip
import pytest

FIRST = datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc)
MICROSECOND = timedelta(microseconds=1)


def taken(recording: Path, start: Any, end: Any, **options: Any) -> list[datetime]:
    report = getclip.clip(recording, start, end, **options).report
    return [fragment["producer_timestamp"] for fragment in report["fragments"]]


def test_both_ends_are_included(recording: Path) -> None:
    starts = [fragment.producer_timestamp for fragment in getclip.fragments(recording)]
    assert starts[0] == FIRST and starts[0].tzinfo is timezone.utc
    assert taken(recording, starts[1], starts[3]) == starts[1:4]
    # Less than a millisecond outside is outside: ends are rounded inwards.
    assert taken(recording, starts[1] + MICROSECOND, starts[3]) == starts[2:4]
    assert taken(recording, starts[1], starts[3] - MICROSECOND) == starts[1:3]
    assert taken(recording, starts[1] - MICROSECOND, starts[3] + MICROSECOND) == starts[1:4]


@pytest.mark.parametrize(
    "start",
    [
        FIRST,
        FIRST.astimezone(timezone(timedelta(hours=-3, minutes=-30))),
        FIRST.astimezone().replace(tzinfo=None),
        1_700_000_000,
        1_700_000_000.0,
        Decimal("1700000000"),
        "2023-11-14T22:13:20Z",
        "1700000000.000",
    ],
)
def test_forms_of_a_time(recording: Path, start: Any) -> None:
    end = FIRST + timedelta(seconds=1.5)
    assert taken(recording, start, end)[0] == FIRST
    assert taken(recording, FIRST - timedelta(seconds=5), start) == [FIRST]


def test_one_end_alone(recording: Path) -> None:
    starts = [fragment.producer_timestamp for fragment in getclip.fragments(recording)]
    assert taken(recording, starts[2], None) == starts[2:]
    assert taken(recording, None, starts[2]) == starts[:3]
    assert taken(recording, None, None) == starts


def test_by_the_servers_clock(recording: Path) -> None:
    fragments = list(getclip.fragments(recording))
    second = fragments[1].server_timestamp
    assert second is not None and second != fragments[1].producer_timestamp
    report = getclip.clip(recording, second, second + timedelta(milliseconds=1), by="server").report
    assert [fragment["server_timestamp"] for fragment in report["fragments"]] == [second]


def test_refused_ranges(recording: Path) -> None:
    for start, end in [(FIRST, FIRST), (FIRST, FIRST - MICROSECOND)]:
        with pytest.raises(getclip.InvalidArgumentException) as caught:
            getclip.clip(recording, start, end)
        assert (caught.value.code, caught.value.status) == ("InvalidArgumentException", 400)
    with pytest.raises(getclip.InvalidArgumentException, match="yesterday"):
        getclip.clip(recording, "yesterday")
    for wrong in [b"2023", [], FIRST.date(), math.nan]:
        with pytest.raises(TypeError, match="expected a datetime"):
            getclip.clip(recording, wrong)  # type: ignore[arg-type]


def test_cover_and_exact(recording: Path, program: Callable[..., bytes]) -> None:
    starts = [fragment.producer_timestamp for fragment in getclip.fragments(recording)]
    start, end = FIRST + timedelta(seconds=2.5), FIRST + timedelta(seconds=6.5)
    words = ["--start", start.isoformat(), "--end", end.isoformat()]
    assert taken(recording, start, end) == starts[2:4]
    assert taken(recording, start, end, cover=True) == taken(recording, start, end, exact=True) == starts[1:4]
    assert bytes(getclip.clip(recording, start, end, cover=True)) == program(recording, *words, "--cover")
    exact = getclip.clip(recording, start, end, exact=True)
    assert bytes(exact) == program(recording, *words, "--exact")
    assert exact.report["duration_ns"] == pytest.approx(4e9, rel=0.02)
    assert bytes(getclip.clip(recording, cover=False, exact=False)) == bytes(getclip.clip(recording))


def test_tracks(recording: Path, program: Callable[..., bytes]) -> None:
    types = [[track["type"] for track in getclip.clip(recording, **options).report["tracks"]] for options in TRACKS]
    assert types == [["video"], ["audio"], ["video", "audio"], ["video", "audio"]]
    assert bytes(getclip.clip(recording, audio_track=None)) == program(recording, "--no-audio")
    assert bytes(getclip.clip(recording, video_track=None)) == program(recording, "--no-video")
    with pytest.raises(getclip.UnsupportedStreamMediaTypeException):
        getclip.clip(recording, video_track=3)
    for wrong in ["first", 0, -1]:
        with pytest.raises(getclip.InvalidArgumentException, match=f"or a track number; found .*{wrong}"):
            getclip.clip(recording, audio_track=wrong)  # type: ignore[arg-type]
    for wrong in [1.0, True, b"1"]:
        with pytest.raises(TypeError, match="expected a track number"):
            getclip.clip(recording, audio_track=wrong)  # type: ignore[arg-type]


TRACKS: list[getclip.Options] = [
    {"audio_track": None},
    {"video_track": None},
    {"video_track": "available", "audio_track": "available"},
    {"video_track": 1, "audio_track": 2},
]


def test_limits(recording: Path) -> None:
    clip = getclip.clip(recording, max_fragments=2)
    cut = clip.report["cut"]
    assert cut is not None
    assert len(clip.report["fragments"]) == 2
    assert cut["limit"] == "fragments"
    assert cut["continue_from"] == list(getclip.fragments(recording))[2].producer_timestamp
    limit = len(clip) + 1
    assert len(getclip.clip(recording, max_bytes=limit)) == len(clip)
    assert len(getclip.clip(recording, max_fragments=None, max_bytes=None)) == len(getclip.clip(recording))


@pytest.mark.parametrize(
    "options",
    [
        {"by": "camera"},
        {"gaps": "open"},
        {"profile": "all"},
        {"codec_changes": "new_sample_entry"},
        {"incomplete_input": ""},
        {"missing_codec_private": "Refuse"},
    ],
)
def test_words_that_an_option_does_not_have(recording: Path, options: dict[str, Any]) -> None:
    [word] = options.values()
    with pytest.raises(getclip.InvalidArgumentException, match=f"expected .*found .*{word}") as caught:
        getclip.clip(recording, **options)
    assert isinstance(caught.value, ValueError)


def test_an_option_of_another_type(recording: Path) -> None:
    for options in [{"gaps": None}, {"by": 5}, {"recording_start": []}]:
        with pytest.raises(TypeError):
            getclip.clip(recording, **options)  # type: ignore[arg-type]
    for limit in [0, -1, "100MB", 1.5, 10**30]:
        with pytest.raises(ValueError, match="^max_bytes: expected 1 or more, or None for no limit, found"):
            getclip.clip(recording, max_bytes=limit)  # type: ignore[arg-type]


def test_every_word_of_every_option(recording: Path) -> None:
    words = {
        "profile": ["extended", "service"],
        "codec_changes": ["refuse", "new-sample-entry"],
        "gaps": ["keep", "close"],
        "incomplete_input": ["keep", "refuse"],
        "missing_codec_private": ["refuse", "from-frames"],
    }
    expected = bytes(getclip.clip(recording))
    for option, its_words in words.items():
        for word in its_words:
            assert bytes(getclip.clip(recording, **{option: word})) == expected  # type: ignore[arg-type]


def test_an_unknown_option(recording: Path) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'max_byte'"):
        getclip.clip(recording, max_byte=5)  # type: ignore[call-arg]
