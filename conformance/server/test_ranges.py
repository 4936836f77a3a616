"""A clip at a URL: ranges, entity tags, preconditions, times, limits."""

import json
import random

import pytest
from conftest import END, START
from harness import TESTDATA, clip_url, expected_clip, selector

URL = clip_url("front-door", START, END)


@pytest.fixture(scope="module")
def whole(server):
    status, headers, body = server.request("GET", URL)
    assert status == 200
    assert headers["Content-Length"] == str(len(body))
    assert headers["Content-Type"] == "video/mp4"
    assert headers["Accept-Ranges"] == "bytes"
    return body, headers["ETag"]


def test_it_is_the_clip(whole):
    assert whole[0] == expected_clip(TESTDATA / "h264_aac.mkv", START, END)


def test_every_range_is_a_slice(server, whole):
    body, _ = whole
    length = len(body)
    rng = random.Random(1)
    ranges = [(0, 0), (0, length - 1), (length - 1, length - 1), (0, length + 1000)]
    ranges += [tuple(sorted((rng.randrange(length), rng.randrange(length)))) for _ in range(100)]
    ranges += [(start := rng.randrange(length), start + rng.randrange(50)) for _ in range(100)]
    for first, last in ranges:
        status, headers, part = server.request("GET", URL, {"Range": f"bytes={first}-{last}"})
        end = min(last, length - 1)
        assert (status, headers["Content-Range"]) == (206, f"bytes {first}-{end}/{length}")
        assert headers["Content-Length"] == str(end - first + 1)
        assert part == body[first : end + 1], (first, last)
    for suffix in (1, 1000, length, length + 5):
        status, _, part = server.request("GET", URL, {"Range": f"bytes=-{suffix}"})
        assert (status, part) == (206, body[-suffix:])
    status, _, part = server.request("GET", URL, {"Range": f"bytes={length - 7}-"})
    assert (status, part) == (206, body[-7:])


def test_ranges_that_cannot_be(server, whole):
    body, _ = whole
    for value in (f"bytes={len(body)}-", f"bytes={len(body)}-{len(body) + 5}", "bytes=-0"):
        status, headers, part = server.request("GET", URL, {"Range": value})
        assert (status, headers["Content-Range"], part) == (416, f"bytes */{len(body)}", b""), value
    for value in ("bytes=5-4", "bytes=x-", "items=0-1", "bytes=0-1,3-4"):
        assert server.request("GET", URL, {"Range": value})[0] == 200, value


def test_head(server, whole):
    body, etag = whole
    status, headers, nothing = server.request("HEAD", URL)
    assert (status, headers["Content-Length"], headers["ETag"], nothing) == (200, str(len(body)), etag, b"")
    status, headers, nothing = server.request("HEAD", URL, {"Range": "bytes=0-9"})
    assert (status, headers["Content-Length"], nothing) == (206, "10", b"")


def test_entity_tags(server, whole):
    body, etag = whole
    assert etag.startswith('"') and etag.endswith('"')
    assert server.request("GET", URL)[1]["ETag"] == etag
    for tags in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        status, headers, nothing = server.request("GET", URL, {"If-None-Match": tags})
        assert (status, headers["ETag"], nothing) == (304, etag, b"")
    assert server.request("GET", URL, {"If-None-Match": '"x"'})[0] == 200
    assert server.request("GET", URL, {"If-Range": etag, "Range": "bytes=0-1"})[2] == body[:2]
    assert server.request("GET", URL, {"If-Range": '"x"', "Range": "bytes=0-1"})[0] == 200
    assert server.request("GET", URL, {"If-Match": '"x"'})[0] == 412
    assert server.request("GET", clip_url("front-door", START, END - 5))[1]["ETag"] != etag


def test_times_and_clocks(server, whole):
    body, _ = whole
    for start, end in (("2023-11-14T22:13:20Z", "2023-11-14T22:13:30.000Z"), ("2023-11-15T00:13:20%2B02:00", "1700000010.000")):
        assert server.request("GET", f"/streams/front-door/clip.mp4?start={start}&end={end}")[2] == body
    by_server = server.request("GET", clip_url("front-door", START, END, by="server"))
    assert by_server[0] == 200 and by_server[2] == body
    year = server.request("GET", clip_url("front-door", START - 200 * 86400, START + 100 * 86400))
    assert year[2] == body


def test_limits_of_the_url(server, whole):
    body, _ = whole
    status, headers, two = server.request("GET", clip_url("front-door", START, END, max_fragments=2))
    assert status == 200 and len(two) < len(body)
    assert two == expected_clip(TESTDATA / "h264_aac.mkv", START, END, "--max-fragments", "2")
    assert server.request("GET", clip_url("front-door", START, END, max_fragments=100000, max_bytes=2**40))[2] == body
    status, headers, _ = server.request("GET", clip_url("front-door", START, END, max_bytes=100000))
    assert (status, headers["x-getclip-truncated"]) == (200, "bytes")


@pytest.mark.parametrize("query", ["", "start=1", "start=x&end=2", "start=2&end=1", "start=1&end=2&by=me", "start=1&end=2&other=1", "start=1&start=1&end=2"])
def test_mistakes(server, query):
    status, headers, body = server.request("GET", f"/streams/front-door/clip.mp4?{query}")
    assert (status, headers["x-amzn-ErrorType"].split(":")[0]) == (400, "InvalidArgumentException"), body


def test_nothing_there(server):
    assert server.request("GET", clip_url("absent", START, END))[0] == 404
    assert server.request("GET", clip_url("front-door", 1, 2))[0] == 404
    for path in ("/streams/front-door/", "/streams/../clip.mp4?start=1&end=2", "/streams/a%2Fb/clip.mp4?start=1&end=2", "/favicon.ico"):
        assert server.request("GET", path)[0] == 404, path


def test_download(server):
    disposition = server.request("GET", clip_url("front-door", START, END, download=""))[1]["Content-Disposition"]
    assert disposition == 'attachment; filename="front-door.mp4"'


def test_the_report(server, whole):
    body, etag = whole
    report = json.loads(server.request("GET", URL.replace("clip.mp4", "clip.json"))[2])
    assert (report["bytes"], report["etag"], report["fragments"], report["cut"]) == (len(body), etag, 5, None)
    assert [track["number"] for track in report["tracks"]] == [1, 2]


def test_the_time_line(server):
    def spans(start, end, **parameters):
        query = "&".join(f"{name}={value}" for name, value in {"start": start, "end": end, **parameters}.items())
        return json.loads(server.request("GET", f"/streams/front-door/timeline.json?{query}")[2])["spans"]

    (start, end), = spans(START - 60, END + 60, resolution=1000)
    assert start == START * 1000 and abs(end - END * 1000) < 100
    assert spans(START + 100, START + 200) == []
    (start, end), = spans(START - 100 * 86400, START + 100 * 86400, resolution=60000)
    assert start <= START * 1000 and end >= END * 1000 - 100


def test_a_gap_in_the_time_line(server, archive):
    archive.run("import", "--stream", "with-gaps", TESTDATA / "h264_gaps.mkv")
    fragments = server.media().list_fragments(StreamName="with-gaps", FragmentSelector=selector(0, 4000000000))["Fragments"]
    first, last = fragments[0]["ProducerTimestamp"].timestamp(), fragments[-1]["ProducerTimestamp"].timestamp()
    spans = json.loads(server.request("GET", f"/streams/with-gaps/timeline.json?start={first - 1}&end={last + 1}&resolution=500")[2])["spans"]
    assert len(spans) > 1
    coarse = json.loads(server.request("GET", f"/streams/with-gaps/timeline.json?start={first - 1}&end={last + 1}&resolution=3600000")[2])["spans"]
    assert len(coarse) == 1
