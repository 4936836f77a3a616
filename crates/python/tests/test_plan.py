"""Clips out of indexes that were kept: the same as out of the media."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import getclip
import pytest
from conftest import RECORDINGS, TESTDATA

OPTIONS: dict[str, getclip.Options] = {"h264_resolution_change.mkv": {"codec_changes": "new-sample-entry"}}


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_plan_is_the_clip(name: str) -> None:
    recording, options = (TESTDATA / name).read_bytes(), OPTIONS.get(name, {})
    rows = [fragment.index.encode() for fragment in getclip.fragments(recording)]
    indexes = [getclip.FragmentIndex.decode(row) for row in rows]
    planned = getclip.plan(indexes, **options)
    clip = getclip.clip(recording, **options)
    assert (len(planned), planned.content_type, planned.report) == (len(clip), clip.content_type, clip.report)
    offsets = [indexes[place].offset for place in planned.fragments]
    assembled = b""
    for extent in planned.extents():
        match extent:
            case getclip.MediaRange(fragment, start, stop):
                assembled += recording[offsets[fragment] + start : offsets[fragment] + stop]
            case made:
                assembled += made
    assert assembled == bytes(clip)
    media = [fragment.media for fragment in getclip.fragments(recording)]
    assert bytes(planned.with_media(media[place] for place in planned.fragments)) == bytes(clip)


def test_extents_of_a_range(recording: Path) -> None:
    planned = getclip.clip(recording).plan
    assert sum(len(extent) for extent in planned.extents(1000, 5000)) == 4000
    assert sum(len(extent) for extent in planned.extents(1000)) == len(planned) - 1000
    assert list(planned.extents(len(planned))) == []
    first = next(extent for extent in planned.extents() if isinstance(extent, getclip.MediaRange))
    assert len(first) == first.stop - first.start
    again = next(extent for extent in planned.extents() if isinstance(extent, getclip.MediaRange))
    assert (first, hash(first)) == (again, hash(again))
    assert repr(first) == f"MediaRange(fragment={first.fragment}, start={first.start}, stop={first.stop})"


def test_the_tag_is_strong_if_the_media_is_identified(recording: Path) -> None:
    indexes = [fragment.index for fragment in getclip.fragments(recording)]
    tags = [b'"%d"' % place for place in range(len(indexes))]
    strong = getclip.plan(zip(indexes, tags, strict=True)).etag
    assert strong.startswith('"') and strong.endswith('"')
    assert getclip.plan(zip(indexes, tags, strict=True)).etag == strong
    assert getclip.plan(zip(indexes, reversed(tags), strict=True)).etag != strong
    assert getclip.plan(indexes).etag.startswith('W/"')


def test_other_media_is_refused(recording: Path) -> None:
    fragments = list(getclip.fragments(recording))
    planned = getclip.plan(fragment.index for fragment in fragments)
    media = [fragment.media for fragment in fragments]
    with pytest.raises(getclip.InternalFailure, match="media"):
        planned.with_media(media[:-1])
    with pytest.raises(getclip.InternalFailure, match="media") as caught:
        planned.with_media([media[0][:-1], *media[1:]])
    assert caught.value.fragment == fragments[0].name


def test_an_index(recording: Path) -> None:
    data = recording.read_bytes()
    first, second, *_ = getclip.fragments(data)
    index = first.index
    assert index == getclip.FragmentIndex.decode(index.encode()) != second.index
    assert (index.name, index.number, index.media_len) == (first.name, first.number, len(first.media))
    assert (index.producer_timestamp, index.server_timestamp) == (first.producer_timestamp, first.server_timestamp)
    assert data[index.offset :][: index.media_len] == first.media
    assert data.startswith(bytes(first.header))
    assert first.incomplete is None
    later = index.producer_timestamp + timedelta(hours=1) if index.producer_timestamp else None
    assert later is not None
    renamed = index.with_tags("17", later, later.isoformat())
    assert (renamed.number, renamed.producer_timestamp, renamed.server_timestamp) == ("17", later, later)
    with pytest.raises(ValueError, match="x"):
        index.with_tags("x", 0, 0)


def test_an_index_to_look_at(recording: Path) -> None:
    index = next(getclip.fragments(recording)).index
    shown = index.to_dict()
    assert shown["number"] == index.number
    assert shown["producer_timestamp"] == index.producer_timestamp
    assert [track["codec_id"] for track in shown["tracks"]] == ["V_MPEG4/ISO/AVC", "A_AAC"]
    video = [frame for frame in shown["frames"] if frame["track"] == 1]
    assert len(video) == 60 and video[0]["key"] and not video[1]["key"]


def test_bytes_that_are_no_index(recording: Path) -> None:
    encoded = next(getclip.fragments(recording)).index.encode()
    for wrong in [b"", b"\xff" + encoded[1:], encoded[:-1], b"index"]:
        with pytest.raises(getclip.InternalFailure, match="index"):
            getclip.FragmentIndex.decode(wrong)
    with pytest.raises(TypeError):
        getclip.plan([encoded])  # type: ignore[list-item]


def test_a_fragment_that_was_cut_off(recording: Path) -> None:
    *_, last = getclip.fragments(recording.read_bytes()[:-5000])
    assert last.incomplete is not None and "the input ends at byte" in last.incomplete
