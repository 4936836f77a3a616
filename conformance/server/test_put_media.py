"""PutMedia: curl, ffmpeg through curl, a scripted producer in the forms of the C, Java and Go SDKs; what each error is acknowledged with."""

import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import threading
import time

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from cameras import HEADER, TOKEN
from conftest import END, START
from harness import KEY, ROOT, SECRET, TESTDATA, Archive, Server, digest, expected_clip, selector, wait_until
from test_signatures import KEYS

RECORDING = TESTDATA / "h264_aac.mkv"
# Sessions with fragments of 40 MB.
LARGE_SESSIONS = int(os.environ.get("GETCLIP_LARGE_SESSIONS", "16"))
# How long a live producer sends.
LIVE_SECONDS = int(os.environ.get("GETCLIP_LIVE_SECONDS", "8"))
PRODUCER = ROOT / "crates/server/examples/put_media.py"
EBML = b"\x1a\x45\xdf\xa3"


@pytest.fixture(scope="module")
def server():
    archive = Archive()
    file = f"{archive.folder}/keys.toml"
    pathlib.Path(file).write_text(KEYS)
    server = Server(archive, "--credentials", file)
    yield server
    assert server.stop() == 0
    archive.close()


@pytest.fixture
def stream(server, request):
    name = request.node.name.replace("[", "-").replace("]", "").replace("_", "-")
    server.client().create_stream(StreamName=name, DataRetentionInHours=24)
    return name


def curl(server, stream, timecodes="ABSOLUTE", *headers):
    line = ["curl", "-sS", "--no-buffer", "--aws-sigv4", "aws:amz:eu-central-1:kinesisvideo", "--user", f"{KEY}:{SECRET}", "-X", "POST", "-T", "-"]
    for header in (f"x-amzn-stream-name: {stream}", f"x-amzn-fragment-timecode-type: {timecodes}", *headers):
        line += ["-H", header]
    return [*line, f"{server.url}/putMedia"]


def lines(output):
    return [json.loads(line) for line in output.decode().splitlines()]


def stages(acknowledged):
    return [(event["EventType"], event.get("FragmentTimecode")) for event in acknowledged]


class Producer:
    """A call of PutMedia over a socket: chunks as the test sends them, acknowledgements as they come."""

    def __init__(self, server, stream, form=None, timecodes="ABSOLUTE", path="/putMedia", **more):
        headers = {"x-amzn-stream-name": stream, "x-amzn-fragment-timecode-type": timecodes, **{name.replace("_", "-"): value for name, value in more.items()}}
        host = f"127.0.0.1:{server.port}"
        if form == "c":
            # Signs every header, and has a Host without the port.
            host = "127.0.0.1"
            headers |= {"Host": host, "connection": "keep-alive", "transfer-encoding": "chunked", "user-agent": "producer"}
        request = botocore.awsrequest.AWSRequest(method="POST", url=f"http://{host}{path}", headers=headers)
        form_signer(form)(botocore.credentials.Credentials(KEY, SECRET), "kinesisvideo", "eu-west-1").add_auth(request)
        sent = dict(request.headers.items())
        sent.setdefault("Host", host)
        if form != "c":
            sent["Transfer-Encoding"] = "chunked"
        if form == "java":
            sent["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD"
        head = f"POST {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in sent.items()) + "\r\n"
        self.socket = socket.create_connection(("127.0.0.1", server.port), 20)
        self.socket.sendall(head.encode())
        self.received = b""
        self.status = None

    def send(self, data):
        if data:
            self.socket.sendall(b"%x\r\n%s\r\n" % (len(data), data))

    def end(self):
        self.socket.sendall(b"0\r\n\r\n")

    def line(self):
        """The next acknowledgement; None at the end, and where there are none."""
        while True:
            head, found, body = self.received.partition(b"\r\n\r\n")
            if found:
                self.status = int(head[9:12])
                if self.status != 200 or self.ended:
                    return None
                self.queue, self.ended, rest = self.chunks(body)
                self.received = head + b"\r\n\r\n" + rest
                if self.queue:
                    return self.pop()
                if self.ended:
                    return None
            chunk = self.socket.recv(65536)
            if not chunk:
                return None
            self.received += chunk

    queue, ended = (), False

    def pop(self):
        event, *self.queue = self.queue
        return event

    def next(self):
        return self.pop() if self.queue else self.line()

    @staticmethod
    def chunks(body):
        """Whole chunks of the response, as events; whether it has ended; what is left."""
        data = b""
        while True:
            size, found, rest = body.partition(b"\r\n")
            if not found or len(rest) < int(size, 16) + 2:
                return [json.loads(line) for line in data.splitlines()], False, body
            if int(size, 16) == 0:
                return [json.loads(line) for line in data.splitlines()], True, b""
            data += rest[: int(size, 16)]
            body = rest[int(size, 16) + 2 :]

    def all(self):
        events = []
        while (event := self.next()) is not None:
            events.append(event)
        return events

    def close(self):
        self.socket.close()


def form_signer(form):
    class EveryHeader(botocore.auth.SigV4Auth):
        def headers_to_sign(self, request):
            headers = botocore.auth.HTTPHeaders()
            for name, value in request.headers.items():
                headers[name.lower()] = value
            return headers

    class Unsigned(botocore.auth.SigV4Auth):
        def payload(self, request):
            return "UNSIGNED-PAYLOAD"

    return {"c": EveryHeader, "java": Unsigned}.get(form, botocore.auth.SigV4Auth)


def documents():
    data = RECORDING.read_bytes()
    starts = [at for at in range(len(data)) if data.startswith(EBML, at)] + [len(data)]
    return [data[start:end] for start, end in zip(starts, starts[1:])]


def fragments(server, stream):
    pages = server.media().get_paginator("list_fragments").paginate(StreamName=stream, FragmentSelector=selector(0, 4000000000))
    return [fragment["FragmentNumber"] for page in pages for fragment in page["Fragments"]]


def packets(server, stream):
    """How many pictures a clip of all of it has."""
    now = time.time()
    clip = server.media().get_clip(StreamName=stream, ClipFragmentSelector=selector(now - 600, now + 600))["Payload"].read()
    probe = ["ffprobe", "-v", "error", "-count_packets", "-select_streams", "v", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", "-"]
    return int(subprocess.run(probe, input=clip, capture_output=True, check=True).stdout)


TIMECODES = [(START + 2 * i) * 1000 for i in range(5)]


def test_curl(server, stream):
    """A recording by one command: the clip of it is the clip of the recording."""
    done = subprocess.run(curl(server, stream), input=RECORDING.read_bytes(), capture_output=True, check=True, timeout=60)
    acknowledged = lines(done.stdout)
    assert stages(acknowledged) == [(stage, code) for code in TIMECODES for stage in ("BUFFERING", "RECEIVED", "PERSISTED")]
    numbers = [event["FragmentNumber"] for event in acknowledged if event["EventType"] == "PERSISTED"]
    assert numbers == sorted(numbers) == fragments(server, stream) and all(len(number) == 47 for number in numbers)
    clip = server.media().get_clip(StreamName=stream, ClipFragmentSelector=selector(START, END))["Payload"].read()
    assert digest(clip) == digest(expected_clip(RECORDING, START, END))


def packet_hashes(media):
    """A hash of each picture's bytes, in decode order, and when the last one ends."""
    probe = ["ffprobe", "-v", "error", "-select_streams", "v", "-show_data_hash", "md5", "-show_entries", "packet=data_hash:format=duration", "-of", "json", "-"]
    found = json.loads(subprocess.run(probe, input=media, capture_output=True, check=True).stdout)
    return [packet["data_hash"] for packet in found["packets"]], float(found["format"].get("duration", 0))


def test_ffmpeg_and_curl(server, stream):
    """A live producer: while it runs, clips of the last 10 s are fresh; after it, every frame that was sent is there once."""
    encode = ["ffmpeg", "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=25", "-t", str(LIVE_SECONDS), "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency",
              "-g", "25", "-f", "matroska", "-live", "1", "-cluster_time_limit", "1000", "-"]
    encoder = subprocess.Popen(encode, stdout=subprocess.PIPE)
    first_bytes = encoder.stdout.read1(65536)
    start = time.time()
    sender = subprocess.Popen(curl(server, stream, "RELATIVE", f"x-amzn-producer-start-timestamp: {start:.3f}"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    sent = bytearray()

    def send():
        chunk = first_bytes
        while chunk:
            sent.extend(chunk)
            sender.stdin.write(chunk)
            sender.stdin.flush()
            chunk = encoder.stdout.read1(65536)
        sender.stdin.close()

    sending = threading.Thread(target=send)
    sending.start()
    persisted, ages = [], []
    for line in sender.stdout:
        event = json.loads(line)
        if event["EventType"] != "PERSISTED":
            continue
        persisted.append(event["FragmentTimecode"])
        if len(persisted) % 3 == 0 and encoder.poll() is None:
            now = time.time()
            asked = selector(max(start, now - 10), now)
            first = server.media().list_fragments(StreamName=stream, FragmentSelector=asked)["Fragments"]
            clip = server.media().get_clip(StreamName=stream, ClipFragmentSelector=asked)["Payload"].read()
            begins = min(fragment["ProducerTimestamp"].timestamp() for fragment in first)
            ages.append(now - begins - packet_hashes(clip)[1])
    sending.join()
    assert sender.wait(20) == 0 and encoder.wait(20) == 0
    assert persisted == [1000 * i for i in range(LIVE_SECONDS)]
    print(f"the last frame of clips was {max(ages):.2f} s old at most")
    # A fragment of a second and a second.
    assert ages and max(ages) < 2, ages
    clip = server.media().get_clip(StreamName=stream, ClipFragmentSelector=selector(start - 1, start + LIVE_SECONDS + 5))["Payload"].read()
    assert packet_hashes(clip)[0] == packet_hashes(bytes(sent))[0]
    assert len(packet_hashes(clip)[0]) == 25 * LIVE_SECONDS


@pytest.mark.parametrize("form, path", [("c", "/putMedia"), ("java", "/putMedia"), ("go", "/putMedia?X-Amz-Expires=600")])
def test_signing_forms(server, form, path):
    name = f"form-{form}"
    server.client().create_stream(StreamName=name, DataRetentionInHours=24)
    producer = Producer(server, name, form, path=path)
    producer.send(RECORDING.read_bytes())
    producer.end()
    assert [event["EventType"] for event in producer.all()] == ["BUFFERING", "RECEIVED", "PERSISTED"] * 5
    assert producer.status == 200


def test_full_duplex(server, stream):
    """The acknowledgement of a fragment comes before the next one is sent; dribbled bytes make no difference."""
    producer = Producer(server, stream)
    tag = b"\x12\x54\xc3\x67\x40\x2c" + b"\x73\x73\x40\x29\x67\xc8\x40\x26\x45\xa3\xa0AWS_KINESISVIDEO_END_OF_FRAGMENT\x44\x87\x80"
    for timecode, document in zip(TIMECODES, documents()):
        for at in range(0, len(document), 7000):
            producer.send(document[at : at + 7000])
        producer.send(tag[:3])
        producer.send(tag[3:])
        got = [producer.next() for _ in range(3)]
        assert stages(got) == [(stage, timecode) for stage in ("BUFFERING", "RECEIVED", "PERSISTED")]
        # It is found at once.
        assert got[2]["FragmentNumber"] in fragments(server, stream)
    producer.end()
    assert producer.all() == []


def cluster_of(document):
    at = document.index(b"\x1f\x43\xb6\x75")
    return document[at : at + 12 + int.from_bytes(document[at + 5 : at + 12], "big")]


def unknown_size(document):
    """The document with a Cluster of unknown size, as live producers write it."""
    at = document.index(b"\x1f\x43\xb6\x75")
    length = 9 - document[at + 4].bit_length()
    size = int.from_bytes(document[at + 4 : at + 4 + length], "big") & ((1 << 7 * length) - 1)
    if size == (1 << 7 * length) - 1:
        return document
    return document[: at + 4] + b"\xff" + document[at + 4 + length : at + 4 + length + size]


def test_a_producer_that_waits(server, stream):
    """It sends nothing more until the last fragment is persisted: the fragment ends by itself."""
    producer = Producer(server, stream)
    producer.send(unknown_size(documents()[0]))
    started = time.monotonic()
    got = [producer.next() for _ in range(3)]
    assert [event["EventType"] for event in got] == ["BUFFERING", "RECEIVED", "PERSISTED"]
    assert 1.5 < time.monotonic() - started < 6
    # Then it stays silent.
    assert producer.next() == {"EventType": "IDLE"}
    assert 8 < time.monotonic() - started < 14
    producer.end()
    assert producer.all() == []


def failure(producer):
    *_, last = producer.all()
    assert last["EventType"] == "ERROR"
    return last["ErrorCode"], last["ErrorId"]


def test_errors(server, stream):
    first, second = documents()[:2]

    def sent(*parts, end=True):
        producer = Producer(server, stream)
        for part in parts:
            producer.send(part)
        if end:
            producer.end()
        return producer

    # The server takes what comes after an error for a while: the acknowledgement arrives.
    assert failure(sent(b"RIFF" + bytes(100))) == ("INVALID_MKV_DATA", 4006)
    assert failure(sent(second, first)) == ("FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS", 4004)
    at = first.index(b"\x1f\x43\xb6\x75")
    assert failure(sent(first[:at], b"\x1f\x43\xb6\x75\x08\x03\x93\x87\x00" + bytes(100))) == ("MAX_FRAGMENT_SIZE_REACHED", 4001)
    assert failure(sent(first[:at], b"\x1f\x43\xb6\x75\xff", b"\xe7\x81\x01", second)) == ("FRAMES_MISSING_FOR_TRACK", 4011)
    # Its Cluster declares 60 MB, or has them.
    endless = first[:at] + b"\x1f\x43\xb6\x75\xff\xe7\x81\x01"
    block = b"\xa3\x10\x10\x00\x04\x81\x00\x00\x80" + bytes(1 << 20)
    assert failure(sent(endless, *[block] * 60, end=False)) == ("MAX_FRAGMENT_SIZE_REACHED", 4001)
    # A block of track 5; no block of track 2; half a Cluster.
    assert failure(sent(endless, b"\xa3\x85\x85\x00\x00\x80\x00", second)) == ("TRACK_NUMBER_MISMATCH", 4010)
    assert failure(sent(endless, b"\xa3\x85\x81\x00\x00\x80\x00", second)) == ("FRAMES_MISSING_FOR_TRACK", 4011)
    assert failure(sent(first[: at + 5000])) == ("INVALID_MKV_DATA", 4006)
    # A stretch of the media that is no Matroska.
    assert failure(sent(first[: at + 20] + bytes(300) + first[at + 320 :], second)) == ("INVALID_MKV_DATA", 4006)
    # What came before the error is kept.
    assert len(fragments(server, stream)) == 1
    cut = sent(first, second[:-1000], end=False)
    assert [cut.next()["EventType"] for _ in range(4)] == ["BUFFERING", "RECEIVED", "PERSISTED", "BUFFERING"]
    cut.close()
    time.sleep(0.5)
    assert len(fragments(server, stream)) == 2


def test_refusals_before_the_first_line(server):
    """HTTP errors, by which producers decide."""
    def status(stream="absent", **more):
        producer = Producer(server, stream, **more)
        producer.end()
        producer.next()
        return producer.status

    server.client().create_stream(StreamName="there", DataRetentionInHours=24)
    assert status() == 404
    assert status("a/b") == 400
    assert status("there", timecodes="SOMETIMES") == 400
    assert status("there", x_amzn_stream_arn="arn:aws:kinesisvideo:us-east-1:000000000000:stream/there/1") == 400
    assert status("there", timecodes="RELATIVE", x_amzn_producer_start_timestamp="soon") == 400
    unsigned = subprocess.run(["curl", "-sS", "-o", os.devnull, "-w", "%{http_code}", "-X", "POST", "-T", "-", "-H", "x-amzn-stream-name: there",
                               "-H", "x-amzn-fragment-timecode-type: ABSOLUTE", f"{server.url}/putMedia"], input=b"", capture_output=True)
    assert unsigned.stdout == b"401"


def test_no_retention(server):
    """What is kept by nobody is received, and never persisted."""
    server.client().create_stream(StreamName="keeps-nothing")
    producer = Producer(server, "keeps-nothing")
    producer.send(RECORDING.read_bytes())
    producer.end()
    assert [event["EventType"] for event in producer.all()] == ["BUFFERING", "RECEIVED"] * 5


def test_watching_without_retention(server):
    """Whoever watches gets what is in memory, from wherever they ask, then what arrives; and goes on from a token."""
    server.client().create_stream(StreamName="watched")
    client = server.client("kinesis-video-media")

    def watch(count, **start):
        body = client.get_media(StreamName="watched", StartSelector=start)["Payload"]
        data = b""
        while len(TOKEN.findall(data)) < count:
            data += body._raw_stream.read1(65536)
        body.close()
        return data

    def put():
        return subprocess.run(curl(server, "watched"), input=RECORDING.read_bytes(), capture_output=True, check=True, timeout=60)

    numbers = [event["FragmentNumber"].encode() for event in lines(put().stdout) if event["EventType"] == "RECEIVED"]
    assert len(numbers) == 5
    data = watch(5, StartSelectorType="EARLIEST")
    assert data.count(EBML) == 5 and all(number in data for number in numbers)
    # The documents are those that were sent, with the tags of this server.
    for document in documents():
        assert cluster_of(document) in data
    third = watch(1, StartSelectorType="FRAGMENT_NUMBER", AfterFragmentNumber=numbers[1].decode())
    assert numbers[2] in third and numbers[1] not in third
    assert numbers[3] in watch(1, StartSelectorType="PRODUCER_TIMESTAMP", StartTimestamp=START + 6)
    assert numbers[3] in watch(1, StartSelectorType="CONTINUATION_TOKEN", ContinuationToken=TOKEN.search(third)[1].decode())
    threading.Timer(1, put).start()
    live = watch(5, StartSelectorType="NOW")
    assert live.count(EBML) == 5 and not any(number in live for number in numbers)
    # The archive has nothing of it.
    assert fragments(server, "watched") == []


def test_tracks_that_change(server, stream):
    """Two documents of one session, with other tracks: each fragment keeps those that it was sent with."""
    with_sound, without = documents()[0], (TESTDATA / "h264_23976.mkv").read_bytes()
    producer = Producer(server, stream)
    producer.send(with_sound + without)
    producer.end()
    events = producer.all()
    assert {event["EventType"] for event in events} == {"BUFFERING", "RECEIVED", "PERSISTED"}, events
    numbers = [event["FragmentNumber"] for event in events if event["EventType"] == "PERSISTED"]
    body = server.media().get_media_for_fragment_list(StreamName=stream, Fragments=[numbers[0], numbers[-1]])["Payload"].read()
    first, last = (EBML + document for document in body.split(EBML)[1:])
    assert b"A_AAC" in first and b"A_AAC" not in last


def test_gstreamer(server, stream):
    """GStreamer writes the Matroska, curl signs and sends it."""
    encode = ["gst-launch-1.0", "-q", "videotestsrc", "num-buffers=75", "!", "video/x-raw,framerate=25/1,width=320,height=180", "!", "x264enc", "tune=zerolatency",
              "key-int-max=25", "!", "h264parse", "!", "matroskamux", "streamable=true", "!", "fdsink", "fd=1"]
    encoder = subprocess.Popen(encode, stdout=subprocess.PIPE)
    sent = subprocess.run(curl(server, stream, "RELATIVE"), stdin=encoder.stdout, capture_output=True, check=True, timeout=60)
    assert encoder.wait(20) == 0
    persisted = [event["FragmentTimecode"] for event in lines(sent.stdout) if event["EventType"] == "PERSISTED"]
    assert persisted == [0, 1000, 2000]
    assert packets(server, stream) == 75


def test_the_producer_in_python(server, stream):
    """The example, with a live stream of ffmpeg."""
    environment = os.environ | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "eu-west-1"}
    encode = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=25", "-t", "3", "-c:v", "libx264", "-preset", "ultrafast", "-g", "25",
              "-f", "matroska", "-live", "1", "-cluster_time_limit", "1000", "-"]
    encoder = subprocess.Popen(encode, stdout=subprocess.PIPE)
    sent = subprocess.run([sys.executable, PRODUCER, server.url, stream], stdin=encoder.stdout, env=environment, capture_output=True, timeout=60)
    assert (sent.returncode, sent.stderr) == (0, b"")
    assert [event["EventType"] for event in lines(sent.stdout)].count("PERSISTED") == 3
    assert packets(server, stream) == 75
    refused = subprocess.run([sys.executable, PRODUCER, server.url, "absent"], input=b"", env=environment, capture_output=True, timeout=60)
    assert refused.returncode == 1 and b"ResourceNotFoundException" not in refused.stderr


def test_several_sessions(server, stream):
    """Two producers of one stream: numbers rise, and nothing is lost."""
    producers = [Producer(server, stream) for _ in range(2)]
    halves = documents()[:3], documents()[3:]
    for producer, half in zip(producers, halves):
        producer.send(b"".join(half))
        producer.end()
    persisted = [event["FragmentNumber"] for producer in producers for event in producer.all() if event["EventType"] == "PERSISTED"]
    assert len(set(persisted)) == 5 and sorted(persisted) == sorted(fragments(server, stream))


def test_the_limit_of_producers():
    archive = Archive()
    server = Server(archive, "--max-producers", "1")
    server.client().create_stream(StreamName="one", DataRetentionInHours=24)
    first = Producer(server, "one")
    first.send(documents()[0])
    assert first.next()["EventType"] == "BUFFERING"
    second = Producer(server, "one")
    second.end()
    second.next()
    assert second.status == 400 and b"ConnectionLimitExceededException" in second.received
    first.end()
    first.all()
    first.close()

    def taken():
        third = Producer(server, "one")
        third.end()
        third.next()
        return third.status == 200

    wait_until(taken)
    assert server.stop() == 0
    archive.close()


def test_memory_is_bounded():
    """Many producers with fragments that never end: what they may hold together is bounded, and the server serves on."""
    archive = Archive()
    server = Server(archive, "--ingest-bytes", "10000000")
    server.client().create_stream(StreamName="greedy", DataRetentionInHours=24)
    first = documents()[0]
    at = first.index(b"\x1f\x43\xb6\x75")
    endless = first[:at] + b"\x1f\x43\xb6\x75\xff\xe7\x81\x01"
    block = b"\xa3\x10\x01\x00\x00\x81\x00\x00\x80" + bytes(65532)
    producers = [Producer(server, "greedy") for _ in range(10)]

    def send(producer):
        try:
            producer.send(endless)
            for _ in range(300):
                producer.send(block)
        except OSError:
            pass

    threads = [threading.Thread(target=send, args=(producer,), daemon=True) for producer in producers]
    for thread in threads:
        thread.start()
    time.sleep(4)
    resident = int(pathlib.Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    assert resident < 120_000_000, resident
    assert server.request("GET", "/healthz")[0] == 200
    # Those that wait are told after 10 s. What they held lets others go on, who may wait again: one after another at worst.
    codes = set()
    for producer in producers:
        producer.socket.settimeout(10 * len(producers) + 30)
        events = producer.all()
        codes |= {event.get("ErrorId") for event in events}
    assert 5000 in codes
    server.stop(signal.SIGKILL)
    archive.close()


@pytest.mark.folder
def test_many_large_fragments():
    """Sessions with fragments of 40 MB, more than fit into what all may hold: the fragments that fit are stored, the others are told, memory stays bounded."""
    total = 8 * 40_000_000
    archive = Archive()
    server = Server(archive, "--ingest-bytes", str(total))
    server.client().create_stream(StreamName="large", DataRetentionInHours=24)
    block = b"\xa3\x10\x10\x00\x04\x81\x00\x00\x80" + (0xFFFFC).to_bytes(4, "big") + b"\x65" + bytes(0xFFFFB)
    cluster = b"\xe7\x81\x01" + block * 38
    document = HEADER + b"\x1f\x43\xb6\x75" + (len(cluster) | 1 << 56).to_bytes(8, "big") + cluster
    outcomes = []

    def send():
        producer = Producer(server, "large")

        def body():
            try:
                for at in range(0, len(document), 1 << 18):
                    producer.send(document[at : at + (1 << 18)])
                producer.end()
            except OSError:
                pass

        sending = threading.Thread(target=body, daemon=True)
        sending.start()
        producer.socket.settimeout(120)
        events = producer.all()
        outcomes.append(events[-1].get("ErrorId", events[-1]["EventType"]) if events else None)
        producer.close()

    threads = [threading.Thread(target=send, daemon=True) for _ in range(LARGE_SESSIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(180)
    peak = next(line for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    peak = int(peak.split()[1]) * 1024
    print(f"{LARGE_SESSIONS} fragments of 40 MB: {outcomes.count('PERSISTED')} persisted, {outcomes.count(5000)} refused, {peak / 1e6:.0f} MB resident at most")
    assert len(outcomes) == LARGE_SESSIONS and set(outcomes) <= {"PERSISTED", 5000}, outcomes
    assert outcomes.count("PERSISTED") >= 4
    # Buffers that grow are copied: twice the bytes for a moment.
    assert peak < 2 * total + 100_000_000
    assert len(fragments(server, "large")) == outcomes.count("PERSISTED")
    assert server.stop() == 0
    archive.close()


def test_killed_servers(tmp_path):
    """kill -9 while a producer sends: everything acknowledged as persisted is there and whole; sent again, each frame is there once."""
    rng = random.Random(5)
    archive = Archive()
    acknowledged = []
    parts = documents()
    for attempt in range(int(os.environ.get("GETCLIP_KILL_ROUNDS", "10"))):
        server = Server(archive)
        if attempt == 0:
            server.client().create_stream(StreamName="killed", DataRetentionInHours=24)
        producer = Producer(server, "killed")
        delay = rng.uniform(0.0, 0.12)
        threading.Timer(delay, server.process.kill).start()
        try:
            for part in parts:
                producer.send(part)
            producer.end()
            while (event := producer.next()) is not None:
                if event["EventType"] == "PERSISTED":
                    acknowledged.append(event["FragmentNumber"])
        except OSError:
            pass
        producer.close()
        server.process.wait(10)
    server = Server(archive)
    producer = Producer(server, "killed")
    for part in parts:
        producer.send(part)
    producer.end()
    assert len([event for event in producer.all() if event["EventType"] == "PERSISTED"]) == 5
    stored = fragments(server, "killed")
    assert set(acknowledged) <= set(stored)
    clip = server.media().get_clip(StreamName="killed", ClipFragmentSelector=selector(START, END))["Payload"].read()
    assert digest(clip) == digest(expected_clip(RECORDING, START, END))
    assert server.stop() == 0
    assert b"0 findings" in archive.run("check", "--media").stdout
    archive.close()


def test_put_media_to_get_media(server, stream):
    """What a producer sends, a consumer that waits gets."""
    client = server.client("kinesis-video-media")
    body = client.get_media(StreamName=stream, StartSelector={"StartSelectorType": "NOW"})["Payload"]
    subprocess.run(curl(server, stream), input=RECORDING.read_bytes(), capture_output=True, check=True, timeout=60)
    data = b""
    started = time.monotonic()
    while data.count(EBML) < 5:
        data += body.read(4096)
    assert time.monotonic() - started < 15
    body.close()
