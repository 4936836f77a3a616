"""GetMedia: what is stored in the order in which it arrived, then what arrives."""

import http.client
import json
import re
import signal
import subprocess
import time

import botocore.exceptions
import pytest
from conftest import END, START
from harness import CLIP, TESTDATA, Archive, Server, digest, expected_clip

EBML = b"\x1a\x45\xdf\xa3"


class Response:
    """A response that is read as it comes: botocore waits until it has as many bytes as it was asked for."""

    def __init__(self, server, start, stream):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        self.connection.request("POST", "/getMedia", json.dumps({"StreamName": stream, "StartSelector": start}))
        self.response = self.connection.getresponse()
        assert (self.response.status, self.response.headers["Content-Type"]) == (200, "video/webm")

    def read(self):
        """What is there; nothing at the end."""
        return self.response.read1(1 << 16)

    def fragments(self, count):
        """Reads until the trailers of `count` fragments are there, then closes."""
        data = b""
        while len(tag_values(data, "AWS_KINESISVIDEO_CONTINUATION_TOKEN")) < count:
            chunk = self.read()
            assert chunk, "the response ended early"
            data += chunk
        return data


def get_media(server, start, stream="front-door"):
    return Response(server, start, stream)


def read_fragments(response, count):
    return response.fragments(count)


def tag_values(data, name):
    """Values of a tag: the TagString (44 87) after its TagName, of fewer than 127 bytes."""
    values = []
    for match in re.finditer(name.encode() + rb"\x44\x87([\x80-\xfe])", data):
        value = data[match.end() : match.end() + (match[1][0] & 0x7F)]
        if len(value) == match[1][0] & 0x7F:
            values.append(value.decode())
    return values


@pytest.fixture(scope="module")
def numbers(server):
    lines = server.archive.run("fragments", "front-door", "--json").stdout.decode().splitlines()
    return [json.loads(line)["number"] for line in lines]


def test_earliest_is_a_recording(server, numbers, tmp_path):
    """Its consumer is the program getclip: the clip of it is the clip of the archive."""
    data = read_fragments(get_media(server, {"StartSelectorType": "EARLIEST"}), 5)
    assert data.startswith(EBML) and data.count(EBML) == 5
    assert [number for number in numbers if number.encode() in data] == numbers
    assert all(int(behind) > 0 for behind in tag_values(data, "AWS_KINESISVIDEO_MILLIS_BEHIND_NOW"))
    recording = tmp_path / "media.mkv"
    recording.write_bytes(data)
    assert digest(expected_clip(recording, START, END)) == digest(expected_clip(TESTDATA / "h264_aac.mkv", START, END))


def test_it_can_be_piped_into_getclip(server, tmp_path):
    data = read_fragments(get_media(server, {"StartSelectorType": "EARLIEST"}), 5)
    out = tmp_path / "clip.mp4"
    subprocess.run([CLIP, "clip", "-", "-o", out], input=data, check=True, capture_output=True)
    assert digest(out.read_bytes()) == digest(expected_clip(TESTDATA / "h264_aac.mkv", START, END))


def test_start_selectors(server, numbers):
    for start, first in (
        ({"StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": numbers[1]}, 2),
        ({"StartSelectorType": "SERVER_TIMESTAMP", "StartTimestamp": START + 3}, 2),
        ({"StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": START + 3}, 2),
        ({"StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": START}, 0),
    ):
        data = read_fragments(get_media(server, start), 5 - first)
        assert [i for i, number in enumerate(numbers) if number.encode() in data] == list(range(first, 5)), start


def test_continuation(server, numbers):
    data = read_fragments(get_media(server, {"StartSelectorType": "EARLIEST"}), 2)
    second = tag_values(data, "AWS_KINESISVIDEO_CONTINUATION_TOKEN")[1]
    rest = read_fragments(get_media(server, {"StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": second}), 3)
    assert [i for i, number in enumerate(numbers) if number.encode() in rest] == [2, 3, 4]


def test_mistakes(server):
    client = server.client("kinesis-video-media")
    for stream, start, name in (
        ("front-door", {"StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": "made-up"}, "InvalidArgumentException"),
        ("front-door", {"StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": "42"}, "InvalidArgumentException"),
        ("absent", {"StartSelectorType": "NOW"}, "ResourceNotFoundException"),
    ):
        with pytest.raises(botocore.exceptions.ClientError, match=name):
            client.get_media(StreamName=stream, StartSelector=start)


def test_the_end_of_a_server(archive):
    """SIGTERM ends the response after a whole fragment, at once."""
    server = Server(archive)
    body = get_media(server, {"StartSelectorType": "EARLIEST"})
    read_fragments(body, 5)
    server.process.send_signal(signal.SIGTERM)
    started = time.monotonic()
    assert body.read() == b""
    assert server.process.wait(10) == 0
    assert time.monotonic() - started < 5


def test_the_end_of_a_stream():
    archive = Archive()
    archive.run("import", "--stream", "short-lived", TESTDATA / "h264_aac.mkv")
    server = Server(archive)
    body = get_media(server, {"StartSelectorType": "EARLIEST"}, stream="short-lived")
    read_fragments(body, 5)
    control = server.client()
    control.delete_stream(StreamARN=control.describe_stream(StreamName="short-lived")["StreamInfo"]["StreamARN"])
    assert body.read() == b""
    assert server.stop() == 0
    archive.close()


def test_what_arrives_later(tmp_path):
    """A consumer that waits gets what another process stores, once it is older than the settle time."""
    archive = Archive()
    archive.run("import", "--stream", "growing", TESTDATA / "h264_aac.mkv")
    server = Server(archive)
    response = get_media(server, {"StartSelectorType": "NOW"}, stream="growing")
    arrived = time.time()
    # The fragments of the recording, as if the service had received them now.
    data = (TESTDATA / "h264_aac.mkv").read_bytes()
    for i in range(5):
        data = data.replace(b"17000000%02d.613" % (2 * i), b"%.3f" % (arrived + i / 10))
    later = tmp_path / "later.mkv"
    later.write_bytes(data.replace(b"91343852333181", b"91343852333182").replace(b"17000000", b"17100000"))
    archive.run("import", "--stream", "growing", later)
    received = response.fragments(1)
    assert 2.9 < time.time() - arrived < 8
    assert received.startswith(EBML) and b"91343852333182" in received
    assert 2900 < int(tag_values(received, "AWS_KINESISVIDEO_MILLIS_BEHIND_NOW")[0]) < 8000
    assert server.stop() == 0
    archive.close()
