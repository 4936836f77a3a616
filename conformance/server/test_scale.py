"""What clips cost at the size that they have in practice: first byte, what is read, throughput, memory, a day as one file.

Short by itself. GETCLIP_SCALE=long has the sizes of the budget and holds the figures against it; every form prints them.
"""

import contextlib
import functools
import hashlib
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import threading
import time
import urllib.parse

import pytest
from browser import Page
from conftest import START
from harness import CLIP, STORE_ENVIRONMENT, TESTDATA, Archive, Server, clip_url, expected_clip, wait_until

LONG = os.environ.get("GETCLIP_SCALE") == "long"
# GetClip's largest clip: 200 fragments, 95 MB.
FRAGMENTS = 200 if LONG else 40
DAY = 43_200 if LONG else 600
ROUNDS = 21 if LONG else 3
READERS, RATE = 64, 1_000_000

FRAGMENT_MS = 2000
MIB = 1 << 20


@functools.cache
def templates():
    """The fragments of a recording, each a document."""
    data = (TESTDATA / "h264_aac.mkv").read_bytes()
    starts = [match.start() for match in re.finditer(b"\x1a\x45\xdf\xa3", data)] + [len(data)]
    return [data[start:end] for start, end in zip(starts, starts[1:])]


def document(index, start=START):
    """One of these fragments at another time, with another number: the values keep their lengths."""
    template = templates()[index % len(templates())]
    ms = start * 1000 + index * FRAGMENT_MS
    old_number = re.search(rb"[0-9]{47}", template)[0]
    producer, server = (re.search(name + rb"D.{2,40}?([0-9]{10}\.[0-9]{3})", template, re.DOTALL)[1]
                        for name in (rb"AWS_KINESISVIDEO_PRODUCER_TIMESTAMP", rb"AWS_KINESISVIDEO_SERVER_TIMESTAMP"))
    stamp = lambda at: f"{at // 1000}.{at % 1000:03}".encode()
    number = f"{int(old_number[:20])}{index:027}".encode()
    return template.replace(old_number, number).replace(server, stamp(ms + 613)).replace(producer, stamp(ms))


def record(path, fragments, start=START):
    with open(path, "wb") as file:
        for index in range(fragments):
            file.write(document(index, start))


def end_of(fragments):
    return START + (fragments - 1) * FRAGMENT_MS // 1000


@pytest.fixture(scope="module")
def archive():
    """An archive whose largest clip is the one that GetClip stops at, in the long form."""
    archive = Archive()
    archive.recording = pathlib.Path(os.environ.get("GETCLIP_SCALE_RECORDING", f"{archive.folder}/recording.mkv"))
    if "GETCLIP_SCALE_RECORDING" not in os.environ:
        record(archive.recording, FRAGMENTS)
    archive.run("import", "--stream", "camera", archive.recording)
    yield archive
    archive.close()


@pytest.fixture
def figures(capsys):
    def show(text):
        with capsys.disabled():
            print(f"  {text}", flush=True)

    return show


URL = clip_url("camera", START, end_of(FRAGMENTS))


def resident(server):
    return int(pathlib.Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def fetch(port, path, headers=""):
    """Fetches and drops a body. Returns the milliseconds to its first byte, its seconds in all, and its length."""
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        start = time.perf_counter()
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n{headers}\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head or head.endswith(b"\r\n\r\n"):
            received = connection.recv(65536)
            assert received, head
            head += received
        first = time.perf_counter() - start
        head, body = head.split(b"\r\n\r\n", 1)
        assert head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 206")), head
        length, buffer = len(body), bytearray(MIB)
        while received := connection.recv_into(buffer):
            length += received
        assert length == int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        return first * 1000, time.perf_counter() - start, length


class Delay:
    """A proxy to the S3 server that holds each request for a time, and keeps what was asked for."""

    def __init__(self, endpoint, seconds):
        parts = urllib.parse.urlsplit(endpoint)
        self.target, self.seconds, self.asked, self.received = (parts.hostname, parts.port), seconds, [], 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                server = socket.create_connection(self.target, 10)
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for work in (self._requests, self._responses):
                    threading.Thread(target=work, args=(client, server), daemon=True).start()

    def _requests(self, client, server):
        with contextlib.suppress(OSError):
            while chunk := client.recv(65536):
                for head in re.findall(rb"(?:GET|HEAD) \S+ HTTP/1\.1\r\n(?:.+\r\n)*", chunk):
                    asked = re.search(rb"(?i)\r\nrange: bytes=(\d+)-(\d+)", head)
                    self.asked.append((head.split()[1].decode(), tuple(map(int, asked.groups())) if asked else None))
                time.sleep(self.seconds)
                server.sendall(chunk)
            server.shutdown(socket.SHUT_WR)

    def _responses(self, client, server):
        with contextlib.suppress(OSError):
            while chunk := server.recv(MIB):
                self.received += len(chunk)
                client.sendall(chunk)
            client.shutdown(socket.SHUT_WR)

    def close(self):
        self.listener.close()


@contextlib.contextmanager
def store_that_waits(seconds):
    """The S3 server of the suite at a distance, if it runs over one."""
    if "AWS_ENDPOINT" not in STORE_ENVIRONMENT:
        yield None, ()
        return
    proxy = Delay(STORE_ENVIRONMENT["AWS_ENDPOINT"], seconds)
    yield proxy, {"AWS_ENDPOINT": proxy.url}
    proxy.close()


def test_the_first_byte(archive, figures):
    """Of the largest clip, out of a folder, or out of a store that answers each request after 20 ms."""
    with store_that_waits(0.02) as (proxy, environment):
        server = Server(archive, "--cached-plan-bytes", "0", environment=environment)
        expected = expected_clip(archive.recording, START, end_of(FRAGMENTS))
        _, _, whole = server.request("GET", URL)
        assert hashlib.sha256(whole).digest() == hashlib.sha256(expected).digest()
        first = statistics.median(fetch(server.port, URL)[0] for _ in range(ROUNDS))
        limit = 20 if proxy is None else 150
        where = "a folder" if proxy is None else "a store of 20 ms a request"
        figures(f"first byte of a clip of {len(whole) / 1e6:.1f} MB out of {where}: {first:.1f} ms (limit {limit} ms)")
        assert server.stop() == 0
        assert not LONG or first <= limit


def test_only_the_media_that_is_needed_is_read(archive, figures):
    """By the log of the store, or by what the process reads from files."""
    with store_that_waits(0) as (proxy, environment):
        server = Server(archive, environment=environment)
        length = int(server.request("HEAD", URL)[1]["Content-Length"])
        media = archive.recording.stat().st_size
        read = (lambda: proxy.received) if proxy else (
            lambda: int(re.search(r"rchar: (\d+)", pathlib.Path(f"/proc/{server.process.pid}/io").read_text())[1]))
        planned = proxy.received if proxy else read()
        # Indexes are 0.1 % of the media of a camera, more of these small fragments; S3 adds its heads and listings.
        assert planned < max(media / 10, 3 * MIB), planned
        for start, count in ((length // 2, 1000), (length - 500_000, 500_000), (length // 3, 3)):
            before, asked = read(), len(proxy.asked) if proxy else 0
            _, headers, part = server.request("GET", URL, {"Range": f"bytes={start}-{start + count - 1}"})
            assert (headers["Content-Range"], len(part)) == (f"bytes {start}-{start + count - 1}/{length}", count)
            cost = read() - before
            figures(f"{count} bytes of the clip: {cost} bytes read from the store")
            # The stream's state, heads of responses, and what lies between the frames of one fragment.
            assert cost < count * 1.2 + 66_000, cost
            if proxy:
                pieces = [(path, range_) for path, range_ in proxy.asked[asked:] if "/f/" in path and range_]
                assert pieces and all(last - first < MIB for _, (first, last) in pieces), pieces
                assert sum(last - first + 1 for _, (first, last) in pieces) < count * 1.2 + 50_000
        assert server.stop() == 0


@pytest.mark.folder
def test_throughput_beside_nginx(archive, figures, tmp_path):
    """One client on loopback, against nginx sending the finished file, in turn."""
    server = Server(archive)
    (tmp_path / "clip.mp4").write_bytes(server.request("GET", URL)[2])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    paths = "".join(f"{name}_temp_path {tmp_path}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.geteuid() == 0 else ""
    config = tmp_path / "nginx.conf"
    config.write_text(f"""{user} daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{ }}
        http {{ access_log off; sendfile on; {paths} server {{ listen 127.0.0.1:{port}; root {tmp_path}; }} }}""")
    nginx = subprocess.Popen([shutil.which("nginx"), "-c", str(config), "-p", str(tmp_path)])
    try:
        deadline = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError):
                fetch(port, "/clip.mp4")
                break
            assert time.monotonic() < deadline and nginx.poll() is None
            time.sleep(0.1)
        rates = {"nginx": [], "getclip-server": []}
        for _ in range(ROUNDS):
            for name, at, path in (("nginx", port, "/clip.mp4"), ("getclip-server", server.port, URL)):
                _, seconds, length = fetch(at, path)
                rates[name].append(length / seconds / 1e6)
    finally:
        nginx.terminate()
        nginx.wait(10)
    ours, theirs = statistics.median(rates["getclip-server"]), statistics.median(rates["nginx"])
    figures(f"throughput of one client: {ours:.0f} MB/s, nginx {theirs:.0f} MB/s: {ours / theirs:.2f} (limit 0.7)")
    assert server.stop() == 0
    assert not LONG or ours >= 0.7 * theirs


@pytest.mark.folder
def test_many_slow_readers(archive, figures):
    """64 clips at once to readers of 1 MB/s: each gets the right bytes, and costs at most 4 MiB."""
    server = Server(archive)
    expected = server.request("GET", URL)[2]
    before, until = resident(server), time.monotonic() + (30 if LONG else 4)
    wrong, largest, sent = [], [0], []

    def read():
        with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
            connection.sendall(f"GET {URL} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            start, received = time.monotonic(), b""
            while b"\r\n\r\n" not in received:
                received += connection.recv(4096)
            at = len(received) - received.index(b"\r\n\r\n") - 4
            if received[len(received) - at :] != expected[:at]:
                wrong.append(at)
            while time.monotonic() < until and at < len(expected):
                chunk = connection.recv(65536)
                if not chunk or chunk != expected[at : at + len(chunk)]:
                    wrong.append(at)
                    return
                at += len(chunk)
                time.sleep(max(0, start + at / RATE - time.monotonic()))
            sent.append(at)

    threads = [threading.Thread(target=read) for _ in range(READERS)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        largest[0] = max(largest[0], resident(server))
        time.sleep(0.05)
    each = (largest[0] - before) / READERS / MIB
    figures(f"{READERS} readers of 1 MB/s: {min(sent, default=0) / 1e6:.1f} to {max(sent, default=0) / 1e6:.1f} MB sent, {each:.2f} MiB of memory each "
            f"(limit 4 MiB), {largest[0] / MIB:.0f} MiB in all")
    assert wrong == [] and len(sent) == READERS
    assert each < 4
    assert server.stop() == 0


@pytest.fixture(scope="module")
def day():
    """A day of video in a recording that is indexed in place."""
    archive = Archive()
    archive.recording = pathlib.Path(archive.folder) / "day.mkv"
    record(archive.recording, DAY)
    start = time.monotonic()
    archive.run("import", "--stream", "day", "--in-place", archive.recording)
    archive.seconds = time.monotonic() - start
    yield archive
    archive.close()


DAY_URL = clip_url("day", START, end_of(DAY), max_fragments=100_000, max_bytes=1 << 40)


@pytest.mark.folder
def test_a_day_as_one_file(day, figures):
    before = day.recording.stat()
    server = Server(day)
    idle = resident(server)
    figures(f"{DAY} fragments, {before.st_size / 1e6:.0f} MB: indexed in place in {day.seconds:.1f} s")
    for what in ("from the objects", "once more, planned already"):
        first, _, _ = fetch(server.port, DAY_URL, "Range: bytes=0-99999\r\n")
        figures(f"first 100 kB, {what}: {first:.0f} ms, {(resident(server) - idle) / MIB:.0f} MiB of memory")
    length = int(server.request("HEAD", DAY_URL)[1]["Content-Length"])
    repeated = [fetch(server.port, DAY_URL, f"Range: bytes={length * share // 100}-{length * share // 100 + 999}\r\n")[0] for share in range(1, 100)]
    figures(f"a range of 1 kB anywhere: {statistics.median(repeated):.1f} ms, at most {max(repeated):.1f} ms")
    out = pathlib.Path(day.folder) / "day.mp4"
    subprocess.run([CLIP, "clip", day.recording, "-o", out, "--limits", "none"], check=True, capture_output=True, timeout=600)
    assert out.stat().st_size == length
    with open(out, "rb") as file:
        for start in (0, length // 7, length // 2, length - 100_000):
            file.seek(start)
            _, _, part = server.request("GET", DAY_URL, {"Range": f"bytes={start}-{start + 99_999}"})
            assert part == file.read(100_000)
    assert server.stop() == 0
    # Another server has the derived indexes of the closed hours.
    server = Server(day)
    first, _, _ = fetch(server.port, DAY_URL, "Range: bytes=0-99999\r\n")
    figures(f"first 100 kB, of another server, from derived indexes: {first:.0f} ms")
    assert server.stop() == 0
    after = day.recording.stat()
    assert (before.st_size, before.st_mtime_ns, before.st_ino) == (after.st_size, after.st_mtime_ns, after.st_ino)


@pytest.mark.folder
def test_a_range_after_the_first_is_of_the_file_that_the_client_has(figures):
    """Fragments that are stored meanwhile make another file, for whoever begins at its first byte."""
    archive = Archive()
    recording = pathlib.Path(archive.folder) / "recording.mkv"
    record(recording, 5)
    archive.run("import", "--stream", "camera", recording)
    server = Server(archive)
    url = clip_url("camera", START, START + 1000)
    _, headers, whole = server.request("GET", url)
    record(recording, 6)
    archive.run("import", "--stream", "camera", recording)
    status, later, rest = server.request("GET", url, {"Range": "bytes=1000-", "If-Range": headers["ETag"]})
    assert (status, later["ETag"], rest) == (206, headers["ETag"], whole[1000:])
    assert server.request("GET", url, {"Range": "bytes=0-9", "If-Range": headers["ETag"]})[0] == 200
    assert server.request("GET", url)[1]["ETag"] != headers["ETag"]
    # Whoever begins anew has begun for all: there is one recent file.
    assert server.request("GET", url, {"Range": "bytes=1000-", "If-Range": headers["ETag"]})[0] == 200
    assert server.stop() == 0
    archive.close()


@pytest.mark.folder
def test_a_closed_hour_is_indexed_in_advance():
    """The hour that ended an hour ago, before anyone asks for a clip of it."""
    archive = Archive()
    recording = pathlib.Path(archive.folder) / "recording.mkv"
    record(recording, 80, (int(time.time()) // 3600 - 2) * 3600)
    archive.run("import", "--stream", "camera", recording)
    assert not list(pathlib.Path(archive.location).glob("**/h/*"))
    server = Server(archive)
    wait_until(lambda: any("indexed closed hours hours=1" in line for line in server.log))
    assert len(list(pathlib.Path(archive.location).glob("**/h/*"))) == 1
    assert server.stop() == 0
    archive.close()


@pytest.mark.folder
def test_chromium_seeks_to_the_end_of_a_day(day, figures):
    server, page = Server(day), Page()
    try:
        page.open(f"{server.url}/#day")
        start = time.monotonic()
        seen = page.run_async(f"""
            const video = document.createElement('video');
            document.body.append(video);
            video.muted = true;
            const event = (name) => new Promise((resolve, reject) => {{
                video.addEventListener(name, resolve, {{once: true}});
                video.addEventListener('error', () => reject(video.error.message), {{once: true}});
            }});
            const loaded = event('loadedmetadata');
            video.src = {json.dumps(DAY_URL)};
            await loaded;
            const opened = performance.now(), seeked = event('seeked');
            video.currentTime = video.duration - 1;
            await seeked;
            return [video.duration, video.currentTime, video.readyState, video.videoWidth, performance.now() - opened];
        """)
        figures(f"Chromium: {seen[0]:.0f} s of video opened and its end found in {time.monotonic() - start:.1f} s, seeking {seen[4]:.0f} ms")
        report = json.loads(server.request("GET", DAY_URL.replace("clip.mp4", "clip.json"))[2])
        # The sound of each fragment is some milliseconds longer than its pictures.
        assert abs(seen[0] - report["duration_ms"] / 1000) < 0.1 and 0 <= seen[0] - DAY * FRAGMENT_MS / 1000 < DAY * 0.01
        assert abs(seen[1] - (seen[0] - 1)) < 0.5 and seen[2] >= 2 and seen[3] == 320
    finally:
        page.close()
        assert server.stop() == 0
