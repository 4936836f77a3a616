"""The recipes of README.md, as they stand there."""

from __future__ import annotations

import http.server
import re
import shutil
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import getclip
import pytest
from fastapi.testclient import TestClient

RECIPES = re.findall(r"```python\n(.*?)```", (Path(__file__).parents[1] / "README.md").read_text(), re.DOTALL)


def run(marker: str, **names: Any) -> dict[str, Any]:
    """Runs the only recipe with ``marker`` in it, and returns its names."""
    [recipe] = [recipe for recipe in RECIPES if marker in recipe]
    exec(compile(recipe, "README.md", "exec"), names)
    return names


@pytest.fixture(autouse=True)
def folder(recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(recording, tmp_path / "recording.mkv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_recipe_is_run() -> None:
    markers = ['clip.save("clip.mp4")\n\nprint', "get_media", "ResourceNotFound", "FastAPI", "rows = "]
    assert [[marker in recipe for marker in markers].count(True) for recipe in RECIPES] == [1] * len(markers)


def test_a_saved_response(recording: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = run('clip.save("clip.mp4")\n\nprint')["clip"]
    assert (folder / "clip.mp4").read_bytes() == bytes(clip)
    # Fragments of two seconds; that at the end of the range is one of them.
    assert capsys.readouterr().out.startswith(f"{len(clip)} bytes, 3 fragments\n")


class Camera(http.server.BaseHTTPRequestHandler):
    """GetMedia of a camera that never stops: after the recording it sends nothing, and keeps the connection open."""

    protocol_version = "HTTP/1.1"
    recording: bytes
    stop: threading.Event

    def do_POST(self) -> None:
        assert self.path == "/getMedia"
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "video/webm")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(self.recording), self.recording))
        self.stop.wait(30)
        self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def data_endpoint(recording: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, value in {"ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "s", "DEFAULT_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    stop = threading.Event()
    handler = type("Handler", (Camera,), {"recording": recording.read_bytes(), "stop": stop})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        stop.set()
        server.shutdown()
        thread.join()


def test_while_reading_from_boto3(recording: Path, folder: Path, data_endpoint: str) -> None:
    starts = [fragment.producer_timestamp for fragment in getclip.fragments(recording)]
    end = starts[1] + timedelta(milliseconds=1)
    run("get_media", data_endpoint=data_endpoint, start=starts[0], end=end)
    assert (folder / "clip.mp4").read_bytes() == bytes(getclip.clip(recording, starts[0], end))


def test_an_error_as_of_boto3(capsys: pytest.CaptureFixture[str]) -> None:
    run("ResourceNotFound", getclip=getclip)
    assert capsys.readouterr().out.startswith("ResourceNotFoundException 404 no fragments")


def test_ranges_from_fastapi(recording: Path) -> None:
    client = TestClient(run("FastAPI")["app"])
    expected = bytes(getclip.clip(recording))
    whole = client.get("/clip.mp4")
    assert (whole.status_code, whole.content) == (200, expected)
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["content-length"] == str(len(expected))
    for asked, first, stop in [("0-", 0, None), ("100-199", 100, 200), (f"{len(expected) - 5}-99999999", -5, None)]:
        part = client.get("/clip.mp4", headers={"Range": f"bytes={asked}"})
        assert (part.status_code, part.content) == (206, expected[first:stop])
        begin = first % len(expected)
        assert part.headers["content-range"] == f"bytes {begin}-{begin + len(part.content) - 1}/{len(expected)}"
    assert client.get("/clip.mp4", headers={"Range": f"bytes={len(expected)}-"}).status_code == 416


def test_kept_indexes(recording: Path, folder: Path) -> None:
    run("rows = ")
    expected = getclip.clip(recording, start="2023-11-14T22:13:20Z", end="2023-11-14T22:13:24Z")
    assert (folder / "clip.mp4").read_bytes() == bytes(expected)
