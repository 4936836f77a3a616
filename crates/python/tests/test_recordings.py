"""A clip is the program's, whatever the recording comes in."""

from __future__ import annotations

import io
import mmap
import os
import threading
from collections.abc import Callable
from pathlib import Path

import getclip
import pytest
from botocore.response import StreamingBody
from conftest import RECORDINGS, TESTDATA
from urllib3 import HTTPResponse

OPTIONS: dict[str, tuple[list[str], getclip.Options]] = {
    "h264_annexb_private.mkv": ([], {}),
    "h264_resolution_change.mkv": (["--codec-changes", "new-sample-entry"], {"codec_changes": "new-sample-entry"}),
}


def streaming_body(recording: bytes) -> StreamingBody:
    """What boto3 returns as the payload of GetMedia: urllib3's response, with botocore around it."""
    return StreamingBody(HTTPResponse(body=io.BytesIO(recording), preload_content=False), None)


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_bytes_are_the_programs(name: str, program: Callable[..., bytes]) -> None:
    arguments, options = OPTIONS.get(name, ([], {}))
    path = TESTDATA / name
    expected = program(path, *arguments)
    recording = path.read_bytes()
    with open(path, "rb") as file:
        sources = [str(path), path, recording, bytearray(recording), file, streaming_body(recording)]
        for source in sources:
            assert bytes(getclip.clip(source, **options)) == expected


def test_a_mapped_file(recording: Path) -> None:
    expected = bytes(getclip.clip(recording))
    with open(recording, "rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    clip = getclip.clip(mapped)
    with pytest.raises(BufferError):
        mapped.close()
    assert bytes(clip) == expected


def test_a_pipe_by_its_path(recording: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(recording.read_bytes()))
    writer.start()
    assert bytes(getclip.clip(pipe)) == bytes(getclip.clip(recording))
    writer.join()


def test_fragments_chosen_by_the_caller(recording: Path) -> None:
    second_to_fourth = list(getclip.fragments(recording))[1:4]
    start, end = second_to_fourth[0].producer_timestamp, second_to_fourth[-1].producer_timestamp
    assert bytes(getclip.clip(second_to_fourth)) == bytes(getclip.clip(recording, start, end))
    everything = getclip.clip(fragment for fragment in getclip.fragments(recording))
    assert bytes(everything) == bytes(getclip.clip(recording))


def test_a_stream_is_read_no_further_than_needed(recording: Path) -> None:
    class Endless(io.RawIOBase):
        """A recording that goes on and on, as a camera does."""

        def __init__(self) -> None:
            self.file = io.BytesIO(recording.read_bytes())

        def read(self, size: int = -1) -> bytes:
            assert (chunk := self.file.read(size)), "read beyond the last fragment that was asked for"
            return chunk

    fragments = getclip.fragments(Endless())
    assert [next(fragments).number for _ in range(4)] == [
        fragment.number for fragment in list(getclip.fragments(recording))[:4]
    ]


@pytest.mark.parametrize("source", [None, 5, 1.5, {"Payload": b""}, object(), io.StringIO("text")])
def test_what_is_no_recording(source: object) -> None:
    with pytest.raises(TypeError, match="expected|bytes-like"):
        getclip.clip(source)  # type: ignore[arg-type]


def test_an_iterable_of_something_else(recording: Path) -> None:
    with pytest.raises(TypeError, match="Fragment"):
        getclip.clip([recording])  # type: ignore[list-item]


def test_an_error_of_the_reader_passes_through() -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise ConnectionResetError("peer")

    with pytest.raises(ConnectionResetError, match="peer"):
        getclip.clip(Broken())
    with pytest.raises(FileNotFoundError):
        getclip.clip("no such file")


def test_nothing_is_read_after_an_error() -> None:
    class Reads(io.RawIOBase):
        count = 0

        def read(self, size: int = -1) -> bytes:
            self.count += 1
            # What is no Matroska is passed over, as damage is: whether anything is, the end shows.
            return b"not Matroska" if self.count < 3 else b""

    reads = Reads()
    fragments = getclip.fragments(reads)
    with pytest.raises(getclip.InvalidMediaFrameException):
        next(fragments)
    assert list(fragments) == [] and reads.count == 3


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.mkv").touch()
    with pytest.raises(getclip.ResourceNotFoundException):
        getclip.clip(tmp_path / "empty.mkv")
