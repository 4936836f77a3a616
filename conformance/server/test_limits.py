"""Limits, shutdown, TLS, CORS, and which addresses a server refuses to listen on."""

import contextlib
import json
import signal
import socket
import ssl
import subprocess
import threading
import time

import boto3
import botocore.config
import pytest
from conftest import END, START
from harness import ENVIRONMENT, KEY, SECRET, SERVER, Archive, Server, clip_url, exception, selector, wait_until

URL = clip_url("front-door", START, END)


def raw(server, *parts, pause=0.0, timeout=20):
    """Sends bytes as they are, and reads until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        received = b""
        with contextlib.suppress(ConnectionError, TimeoutError):
            while chunk := connection.recv(65536):
                received += chunk
        return received


def test_sizes(server):
    status, name, _ = server.post("/getClip", {"StreamName": "x" * 300_000})
    assert (status, name) == (400, "InvalidArgumentException")
    head = b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"
    # The connection is closed at once: the response may be lost with what the server did not read.
    assert raw(server, head)[:13] in (b"HTTP/1.1 431 ", b"")
    many = b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(200)) + b"\r\n"
    assert raw(server, many)[:13] in (b"HTTP/1.1 431 ", b"")
    assert server.request("GET", "/healthz")[0] == 200


def test_a_body_that_does_not_come(server):
    """Fewer bytes than announced, then the end: the request is refused, not waited for."""
    head = b"POST /listStreams HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(head)
        connection.shutdown(socket.SHUT_WR)
        assert b"200 OK" not in connection.recv(65536)


def test_requests_at_a_time():
    """What is past the limit gets 503 at once, which SDKs retry."""
    archive = Archive()
    server = Server(archive, "--max-requests", "1")
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(b"POST /listStreams HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        wait_until(lambda: server.post("/listStreams", {})[0] == 503)
        status, headers, body = server.request("POST", "/listStreams", {}, "{}")
        assert (exception(headers), headers["Retry-After"]) == ("ServiceUnavailableException", "1")
        # Whoever looks after the server still gets through.
        assert server.request("GET", "/healthz")[0] == server.request("GET", "/metrics")[0] == 200
    retrying = server.client(retries={"max_attempts": 5, "mode": "standard"})
    assert retrying.list_streams()["StreamInfoList"] == []
    assert server.stop() == 0
    archive.close()


def test_metrics(server):
    server.request("GET", URL)
    server.post("/describeStream", {"StreamName": "absent"})
    text = server.request("GET", "/metrics")[2].decode()
    values = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            values[name] = float(value)
    length = int(server.request("HEAD", URL)[1]["Content-Length"])
    assert values['getclip_requests_total{operation="ClipFile"}'] >= 1
    assert values['getclip_outgoing_bytes_total{operation="ClipFile"}'] >= length
    assert values['getclip_errors_total{operation="DescribeStream",exception="ResourceNotFoundException"}'] >= 1
    assert values['getclip_latency_seconds_count{operation="ClipFile"}'] >= 1
    assert values["getclip_store_gets_total"] > 0
    assert text.endswith("# EOF\n")


def test_request_ids_are_in_the_log(server):
    _, headers, _ = server.request("GET", URL)
    wait_until(lambda: any(headers["x-amzn-RequestId"] in line for line in server.log))


def test_log_in_json():
    archive = Archive()
    server = Server(archive, "--log", "json")
    _, headers, _ = server.request("POST", "/describeStream", {}, '{"StreamName": "absent"}')
    server.stop()
    lines = [json.loads(line) for line in server.log]
    request, = [line for line in lines if line.get("request_id") == headers["x-amzn-RequestId"]]
    assert (request["status"], request["operation"], request["stream"]) == (404, "DescribeStream", "absent")
    assert request["exception"] == "ResourceNotFoundException"
    archive.close()


def test_shutdown_finishes_bodies(archive):
    """A response under way is sent whole after SIGTERM; new connections are refused; the exit code is 0."""
    server = Server(archive)
    fragments = server.media().list_fragments(StreamName="front-door", FragmentSelector=selector(START, END))["Fragments"]
    numbers = [fragment["FragmentNumber"] for fragment in fragments]
    length = sum(fragment["FragmentSizeInBytes"] for fragment in fragments) * 150
    body = server.media().get_media_for_fragment_list(StreamName="front-door", Fragments=numbers * 150)["Payload"]
    read = len(body.read(1000))
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert server.process.poll() is None
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", server.port), 2)
    while chunk := body.read(1 << 20):
        read += len(chunk)
    assert read == length
    assert server.process.wait(20) == 0


def test_the_second_signal_does_not_wait(archive):
    server = Server(archive)
    numbers = [fragment["FragmentNumber"] for fragment in server.media().list_fragments(StreamName="front-door", FragmentSelector=selector(START, END))["Fragments"]]
    body = server.media().get_media_for_fragment_list(StreamName="front-door", Fragments=numbers * 150)["Payload"]
    body.read(1)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(10) == 130


def test_a_client_that_stops_reading_is_given_up(archive):
    server = Server(archive, "--stall-time", "1", "--max-clips", "1")
    numbers = [fragment["FragmentNumber"] for fragment in server.media().list_fragments(StreamName="front-door", FragmentSelector=selector(START, END))["Fragments"]]
    body = server.media().get_media_for_fragment_list(StreamName="front-door", Fragments=numbers * 150)["Payload"]
    body.read(1)
    wait_until(lambda: server.request("GET", URL)[0] == 200, 20)
    server.stop()


def test_one_slow_client_is_no_trouble(server):
    """Many connections that send a byte now and then, while others are served."""
    slow = [socket.create_connection(("127.0.0.1", server.port), 20) for _ in range(200)]
    for connection in slow:
        connection.sendall(b"GET / HTT")
    started = time.monotonic()
    for _ in range(20):
        assert server.request("GET", "/healthz")[0] == 200
    assert time.monotonic() - started < 5
    for connection in slow:
        connection.close()


def refused(*options, environment=()):
    line = [SERVER, "serve", "--archive", "memory:", *options]
    done = subprocess.run(line, env=ENVIRONMENT | dict(environment), capture_output=True, text=True, timeout=20)
    assert done.returncode == 2, (done.returncode, done.stderr)
    return done.stderr


def test_addresses_and_options_that_are_refused(tmp_path):
    assert "--credentials" in refused("--listen", "0.0.0.0:0")
    assert "--credentials" in refused("--listen", "[::]:0")
    keys = tmp_path / "keys.toml"
    keys.write_text("[[key]]\naccess_key_id = 'a'\nsecret_access_key = 'short'")
    assert "at least 16 characters" in refused("--credentials", str(keys))
    refused("--credentials", str(keys), "--no-auth")
    refused("--tls-cert", str(keys))
    assert "certificate" in refused("--tls-cert", str(keys), "--tls-key", str(keys))
    assert "http" in refused("--public-url", "example.org")
    refused("--region", "EU")
    refused("--account", "7")
    refused("--listen", "example")


def test_the_public_url(archive):
    server = Server(archive, "--public-url", "https://clips.example.org/")
    endpoint = server.client().get_data_endpoint(StreamName="front-door", APIName="GET_CLIP")["DataEndpoint"]
    assert endpoint == "https://clips.example.org"
    server.stop()


def test_tls(archive, tmp_path):
    """botocore verifies the certificate, and gets a clip over HTTPS."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )
    server = Server(archive, "--tls-cert", str(certificate), "--tls-key", str(key))
    assert server.url.startswith("https://")
    arguments = {"endpoint_url": server.url, "region_name": "eu-west-1", "aws_access_key_id": KEY, "aws_secret_access_key": SECRET, "verify": str(certificate)}
    endpoint = boto3.client("kinesisvideo", **arguments).get_data_endpoint(StreamName="front-door", APIName="GET_CLIP")["DataEndpoint"]
    assert endpoint == server.url
    config = botocore.config.Config(retries={"max_attempts": 1})
    media = boto3.client("kinesis-video-archived-media", **(arguments | {"endpoint_url": endpoint, "config": config}))
    assert media.get_clip(StreamName="front-door", ClipFragmentSelector=selector(START, END))["Payload"].read()
    # Whoever speaks no TLS gets no response and costs nothing.
    assert b"200" not in raw(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    with pytest.raises(ssl.SSLError):
        ssl.create_default_context().wrap_socket(socket.create_connection(("127.0.0.1", server.port), 5), server_hostname="localhost")
    assert server.stop() == 0


def test_cors(archive, server):
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    status, headers, _ = server.request("OPTIONS", "/getClip", asked)
    assert status == 204 and not any(name.lower().startswith("access-control") for name in headers)
    allowing = Server(archive, "--cors-origins", "https://a.example,https://b.example")
    status, headers, _ = allowing.request("OPTIONS", "/getClip", asked)
    assert (status, headers["Access-Control-Allow-Origin"]) == (204, "https://a.example")
    assert "authorization" in headers["Access-Control-Allow-Headers"] and "POST" in headers["Access-Control-Allow-Methods"]
    _, headers, _ = allowing.request("GET", URL, {"Origin": "https://b.example"})
    assert headers["Access-Control-Allow-Origin"] == "https://b.example"
    assert "x-amzn-requestid" in headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Origin" not in allowing.request("GET", URL, {"Origin": "https://c.example"})[1]
    allowing.stop()


def test_media_that_is_lost_on_the_way(tmp_path):
    """The connection is closed before Content-Length is reached: every client notices."""
    archive = Archive()
    if "://" in archive.location:
        pytest.skip("takes a file away under the server")
    from harness import TESTDATA

    recording = tmp_path / "recording.mkv"
    recording.write_bytes((TESTDATA / "h264_aac.mkv").read_bytes())
    archive.run("import", "--in-place", "--stream", "front-door", recording)
    server = Server(archive)
    whole = server.request("GET", URL)[2]
    recording.write_bytes(recording.read_bytes()[:1000])
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(f"GET {URL} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        received = b""
        with contextlib.suppress(ConnectionError):
            while chunk := connection.recv(65536):
                received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    # It is noticed before the first byte, or the body is cut: never padded.
    assert not received or b" 500 " in head.splitlines()[0] or len(body) < len(whole)
    assert server.request("GET", "/healthz")[0] == 200
    server.stop()
    archive.close()


def test_many_clients_at_once(server):
    """Thirty clients, three clips each: all whole and the same."""
    expected = server.request("GET", URL)[2]
    failures = []

    def fetch():
        for _ in range(3):
            status, _, body = server.request("GET", URL)
            if (status, body) != (200, expected):
                failures.append((status, len(body)))

    threads = [threading.Thread(target=fetch) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
