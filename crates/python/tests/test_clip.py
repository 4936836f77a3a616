"""What can be done with a clip."""

from __future__ import annotations

import io
import os
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import getclip
import pytest
from conftest import TESTDATA


@pytest.fixture
def clip(recording: Path) -> getclip.Clip:
    return getclip.clip(recording)


def test_length_and_type(clip: getclip.Clip) -> None:
    assert len(clip) == len(bytes(clip))
    assert clip.content_type == "video/mp4"
    assert repr(clip) == f"<getclip.Clip of {len(clip)} bytes>"
    assert bytes(clip)[4:8] == b"ftyp"


def test_report(clip: getclip.Clip) -> None:
    report = clip.report
    video, audio = report["tracks"]
    assert list(report) == list(getclip.Report.__annotations__)
    assert list(report["fragments"][0]) == list(getclip.FragmentReport.__annotations__)
    assert set(video) | set(audio) == set(getclip.TrackReport.__annotations__)
    assert (video["codec"], video["width"], video["height"], video["samples"]) == ("h264", 320, 180, 300)
    assert (audio["codec"], audio["sampling_rate"], audio["channels"]) == ("aac", 48000, 2)
    assert report["cut"] is None
    assert report["duration_ns"] == pytest.approx(10.03e9, rel=1e-3)
    assert {"event", "text", "track"} <= set(report["events"][0])
    cut = getclip.clip(getclip.fragments(TESTDATA / "h264_aac.mkv"), max_fragments=1).report["cut"]
    assert cut is not None and list(cut) == list(getclip.Cut.__annotations__)


@pytest.mark.parametrize(
    "indices",
    [(None, None), (0, 0), (0, 1), (100, 5000), (-7, None), (None, -100_000), (5, 3), (10**9, None), (3, 10**20)],
)
def test_slices_are_those_of_bytes(clip: getclip.Clip, indices: tuple[int | None, int | None]) -> None:
    assert clip[slice(*indices)] == bytes(clip)[slice(*indices)]


def test_what_is_no_slice(clip: getclip.Clip) -> None:
    with pytest.raises(TypeError, match="slice"):
        clip[0]  # type: ignore[index]
    with pytest.raises(ValueError, match="step"):
        clip[::2]


def test_chunks_of_a_range(clip: getclip.Clip) -> None:
    everything = bytes(clip)
    assert b"".join(clip.chunks(1000, 50_000)) == everything[1000:50_000]
    assert b"".join(clip.chunks(50_000)) == everything[50_000:]
    assert list(clip.chunks(len(clip))) == []
    chunks = clip.chunks()
    assert next(chunks)[4:8] == b"ftyp"
    assert b"ftyp" not in next(chunks)


def test_save(clip: getclip.Clip, tmp_path: Path) -> None:
    assert clip.save(tmp_path / "clip.mp4") == len(clip)
    assert clip.save(str(tmp_path / "clip.mp4")) == len(clip)
    assert (tmp_path / "clip.mp4").read_bytes() == bytes(clip)
    assert os.listdir(tmp_path) == ["clip.mp4"]


def test_save_over_the_recording(recording: Path, tmp_path: Path) -> None:
    path = tmp_path / "recording.mkv"
    path.write_bytes(recording.read_bytes())
    path.chmod(0o640)
    expected = bytes(getclip.clip(path))
    getclip.clip(path).save(path)
    assert path.read_bytes() == expected
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_save_through_a_link(clip: getclip.Clip, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").touch()
    (tmp_path / "link").symlink_to("clip.mp4")
    clip.save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "clip.mp4").read_bytes() == bytes(clip)


def test_save_into_a_pipe(clip: getclip.Clip, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    clip.save(pipe)
    reader.join()
    assert read == [bytes(clip)]


def test_save_that_fails_leaves_nothing(clip: getclip.Clip, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        clip.save(tmp_path / "missing" / "clip.mp4")
    with pytest.raises(IsADirectoryError):
        clip.save(tmp_path)
    with pytest.raises(OSError, match="No space"):
        clip.save("/dev/full")
    assert os.listdir(tmp_path) == []


def test_write_to_files(clip: getclip.Clip, tmp_path: Path) -> None:
    memory = io.BytesIO(b"in front of it")
    memory.seek(0, io.SEEK_END)
    assert clip.write_to(memory) == len(clip)
    assert memory.getvalue() == b"in front of it" + bytes(clip)
    with open(tmp_path / "clip.mp4", "wb") as file:
        file.write(b"12345678")
        clip.write_to(file)
        assert file.tell() == 8 + len(clip)
    assert (tmp_path / "clip.mp4").read_bytes() == b"12345678" + bytes(clip)


class Sink(io.RawIOBase):
    """A raw stream that takes as many bytes at a time as it is told."""

    def __init__(self, takes: Iterator[int | None]) -> None:
        self.takes, self.taken = takes, bytearray()

    def write(self, data: object) -> int | None:
        count = next(self.takes)
        if count is not None:
            self.taken += memoryview(data)[:count]  # type: ignore[arg-type]
        return count


def test_write_to_a_raw_stream(clip: getclip.Clip) -> None:
    sink = Sink(iter(lambda: 4096, None))
    clip.write_to(sink)
    assert bytes(sink.taken[: len(clip)]) == bytes(clip)


@pytest.mark.parametrize("took", [0, None])
def test_write_to_what_takes_nothing(clip: getclip.Clip, took: int | None) -> None:
    with pytest.raises(BlockingIOError):
        clip.write_to(Sink(iter([100, took])))


def test_write_to_what_returns_no_count(clip: getclip.Clip) -> None:
    class Response:
        body = b""

        def write(self, data: memoryview) -> None:
            self.body += bytes(data)

    response = Response()
    clip.write_to(response)
    assert response.body == bytes(clip)


def test_write_to_what_fails(clip: getclip.Clip) -> None:
    class Broken:
        def write(self, data: memoryview) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        clip.write_to(Broken())
    with pytest.raises(AttributeError, match="write"):
        clip.write_to(None)  # type: ignore[arg-type]


def other_thread_runs_during(work: object) -> bool:
    """Whether a thread that waits for the interpreter gets it before ``work`` has returned."""
    ready, ran = threading.Lock(), threading.Event()
    ready.acquire()
    thread = threading.Thread(target=lambda: (ready.acquire(), ran.set()))
    thread.start()
    interval = sys.getswitchinterval()
    # Nobody is made to give the interpreter up: only who does so by itself lets the other in.
    sys.setswitchinterval(1000)
    try:
        ready.release()
        work()  # type: ignore[operator]
        return ran.is_set()
    finally:
        sys.setswitchinterval(interval)
        thread.join()


def test_other_threads_run(recording: Path, tmp_path: Path) -> None:
    data = recording.read_bytes() * 100
    fragment = next(getclip.fragments(recording))
    indexes = [fragment.index.with_tags(str(second), 2 * second, second) for second in range(200)]
    clip = getclip.plan(indexes).with_media([fragment.media] * 200)
    assert len(clip) > 7_000_000
    works = {
        "reading": lambda: getclip.clip(data),
        "planning": lambda: getclip.plan(indexes),
        "saving": lambda: clip.save(tmp_path / "clip.mp4"),
        "copying": lambda: clip[:],
    }
    for name, work in works.items():
        assert any(other_thread_runs_during(work) for _ in range(300)), name
    assert not other_thread_runs_during(lambda: sum(range(100_000)))
