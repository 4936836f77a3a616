"""Exceptions are those of GetClip, by name, code and status."""

from __future__ import annotations

import pickle
from pathlib import Path

import getclip
import pytest
from botocore.exceptions import ClientError
from conftest import TESTDATA


def refusal(source: object, **options: object) -> getclip.GetClipError:
    with pytest.raises(getclip.GetClipError) as caught:
        getclip.clip(source, **options)  # type: ignore[arg-type]
    return caught.value


def test_nothing_in_the_range(recording: Path) -> None:
    error = refusal(recording, end=0)
    assert type(error) is getclip.ResourceNotFoundException
    assert (error.code, error.status) == ("ResourceNotFoundException", 404)
    assert error.message == "No fragments found in the stream for the clip request."
    assert (error.fragment, error.track, error.offset) == (None, None, None)


def test_the_fragment_is_named() -> None:
    recording = TESTDATA / "h264_resolution_change.mkv"
    error = refusal(recording)
    assert type(error) is getclip.InvalidCodecPrivateDataException
    assert error.status == 400
    changed = [fragment for fragment in getclip.fragments(recording) if str(fragment.number) == error.fragment]
    assert len(changed) == 1
    assert f"fragment {error.fragment}" in str(error)


def test_what_is_no_matroska() -> None:
    error = refusal(b"\x00\x00\x00\x18ftypmp42" + bytes(100))
    assert type(error) is getclip.InvalidMediaFrameException
    assert error.offset == 0
    assert "MP4" in str(error)


def test_handlers_of_boto3_find_what_they_look_for(recording: Path) -> None:
    error = refusal(recording, end=0)
    aws = ClientError(
        {
            "Error": {
                "Code": "ResourceNotFoundException",
                "Message": "No fragments found in the stream for the clip request.",
            },
            "ResponseMetadata": {"HTTPStatusCode": 404},
        },
        "GetClip",
    )
    assert error.response == aws.response
    assert type(error).__name__ == aws.response["Error"]["Code"]


def test_errors_cross_processes(recording: Path) -> None:
    error = refusal(recording, end=0)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (str(copy), vars(copy)) == (str(error), vars(error))
