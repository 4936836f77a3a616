"""Requests that no client sends: nothing fails but by design, and what they cost is given back."""

import contextlib
import json
import os
import pathlib
import random
import socket
import threading
import time

from conftest import END, START
from harness import clip_url, wait_until

SECONDS = float(os.environ.get("GETCLIP_HOSTILE_SECONDS", "20"))

PATHS = ["/getClip", "/listFragments", "/getMediaForFragmentList", "/createStream", "/describeStream", "/listStreams",
         "/deleteStream", "/tagStream", "/getDataEndpoint", "/putMedia", "/streams/front-door/clip.mp4", "/streams/front-door/clip.json",
         "/streams/front-door/timeline.json", "/", "/metrics", "/readyz", "//", "/%00", "/..%2f..%2fetc/passwd", "*", "http://x/getClip"]
METHODS = ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "BREW", "get"]
HEADERS = ["Range: bytes=0-", "Range: bytes=-1", "Range: bytes=5-1", "If-None-Match: \"", "Authorization: AWS4-HMAC-SHA256 Credential=/,,,",
           "Content-Length: 5", "Content-Length: -1", "Content-Length: 99999999999999999999", "Transfer-Encoding: chunked",
           "Transfer-Encoding: gzip", "Expect: 100-continue", "Connection: upgrade", "Upgrade: h2c", "X-Amz-Date: 0", "Host: a\tb", ": ", "\x00: y"]
VALUES = [None, True, -1, 10**400, 1e308, "", "x" * 5000, "\ud800", [], {}, [[[[]]]], {"a": {"b": {}}}, "front-door", START, END, "PRODUCER_TIMESTAMP"]
MEMBERS = ["StreamName", "StreamARN", "ClipFragmentSelector", "FragmentSelector", "FragmentSelectorType", "TimestampRange", "StartTimestamp",
           "EndTimestamp", "MaxResults", "NextToken", "Fragments", "Tags", "TagKeyList", "CurrentVersion", "APIName", "StreamNameCondition"]


def body(rng):
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randbytes(rng.randrange(200))
    if kind == 1:
        return b"[" * rng.randrange(100_000)

    def value(depth):
        if depth and rng.random() < 0.5:
            return {rng.choice(MEMBERS): value(depth - 1) for _ in range(rng.randrange(4))}
        return rng.choice(VALUES)

    return json.dumps(value(3)).encode("utf-8", "surrogatepass")


def hostile(rng):
    """The bytes of a request, in pieces, and whether to wait between them."""
    request = f"{rng.choice(METHODS)} {rng.choice(PATHS)}?start={START}&end={END} HTTP/1.1\r\nHost: x\r\n".encode()
    if rng.random() < 0.5:
        request += f"Content-Length: {rng.randrange(300)}\r\n".encode()
    for _ in range(rng.randrange(4)):
        request += rng.choice(HEADERS).encode("latin-1") + b"\r\n"
    request += b"\r\n" + body(rng)
    kind = rng.randrange(6)
    if kind == 0:
        request *= rng.randrange(1, 20)
    elif kind == 1:
        request = request[: rng.randrange(len(request))]
    elif kind == 2:
        mutable = bytearray(request)
        for _ in range(rng.randrange(1, 10)):
            mutable[rng.randrange(len(mutable))] = rng.randrange(256)
        request = bytes(mutable)
    cut = rng.randrange(len(request) + 1)
    return [request[:cut], request[cut:]]


def attack(server, seed, until, statuses):
    rng = random.Random(seed)
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            with socket.create_connection(("127.0.0.1", server.port), 2) as connection:
                for piece in hostile(rng):
                    connection.sendall(piece)
                    if rng.random() < 0.05:
                        time.sleep(0.05)
                if rng.random() < 0.5:
                    connection.shutdown(socket.SHUT_WR)
                connection.settimeout(0.3)
                received = b""
                while rng.random() < 0.95 and (chunk := connection.recv(65536)):
                    received += chunk
                for line in received.split(b"\r\n"):
                    if line.startswith(b"HTTP/1.1 "):
                        statuses.append(int(line[9:12]))


def usage(server):
    process = pathlib.Path(f"/proc/{server.process.pid}")
    resident = int(process.joinpath("statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resident, len(list(process.joinpath("fd").iterdir())), len(list(process.joinpath("task").iterdir()))


def test_hostile_requests(server):
    url = clip_url("front-door", START, END)
    expected = server.request("GET", url)[2]
    statuses = []
    # Warm: buffers and threads that the runtime keeps are there.
    threads = [threading.Thread(target=attack, args=(server, seed, time.monotonic() + 2, statuses)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: usage(server)[1] < 40, 40)
    before = usage(server)
    until = time.monotonic() + SECONDS
    threads = [threading.Thread(target=attack, args=(server, 100 + seed, until, statuses)) for seed in range(4)]
    for thread in threads:
        thread.start()
    # Others are served all the while.
    while time.monotonic() < until:
        assert server.request("GET", url)[2] == expected
        time.sleep(0.2)
    for thread in threads:
        thread.join()
    assert len(statuses) > SECONDS * 10
    assert [status for status in statuses if status >= 500] == []
    assert {200, 400, 404} <= set(statuses)
    wait_until(lambda: usage(server)[1] <= before[1] + 2, 40)
    after = usage(server)
    assert after[0] < before[0] + 20_000_000, (before, after)
    # The runtime keeps threads that read files for 10 s after their last work.
    wait_until(lambda: usage(server)[2] <= before[2] + 4, 40)
    assert not any("panic" in line for line in server.log)


def test_slow_loris(server):
    """Half a thousand connections that never end their head are closed in time, and cost no thread."""
    before = usage(server)
    slow = [socket.create_connection(("127.0.0.1", server.port), 5) for _ in range(500)]
    for connection in slow:
        connection.sendall(b"POST /getClip HTTP/1.1\r\nHost: x\r\nX-A: ")
    assert server.request("GET", "/healthz")[0] == 200
    assert usage(server)[2] <= before[2] + 4
    for connection in slow:
        connection.close()
    wait_until(lambda: usage(server)[1] <= before[1] + 2)
