"""Records one request of each client, as it is on the wire, for tests/signatures.rs.

    record.py FOLDER      FOLDER/node_modules has @aws-sdk/client-kinesis-video-archived-media

Needs boto3 in this Python, `aws` (1 or 2, what is found is recorded as awscli-1 or awscli-2; AWSCLI names another one)
and curl. The keys are those of AWS's documentation. The forms of the C, Java and Go producers, which cannot be had
from a package registry, are made by botocore's signer with the headers that these producers sign.
"""

import os
import pathlib
import socket
import subprocess
import sys
import threading

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials

HERE = pathlib.Path(__file__).parent
KEY, SECRET, TOKEN = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "a session+token/=="
ENVIRONMENT = {
    **os.environ,
    "AWS_ACCESS_KEY_ID": KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "1",
}
os.environ.update(ENVIRONMENT)


class Recorder:
    """Takes one connection, keeps what it sends, returns an empty success."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.received = b""
        self.thread = threading.Thread(target=self.take)
        self.thread.start()

    def take(self):
        connection, _ = self.socket.accept()
        connection.settimeout(10)
        while not self.is_whole():
            chunk = connection.recv(65536)
            if not chunk:
                break
            self.received += chunk
            if b"100-continue" in self.received and self.received.endswith(b"\r\n\r\n"):
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        connection.close()

    def is_whole(self):
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return False
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                return len(body) >= int(value)
        return not found or body.endswith(b"0\r\n\r\n") or b"chunked" not in head

    def save(self, name):
        self.thread.join()
        (HERE / f"{name}.http").write_bytes(self.received)
        print(name, len(self.received))


SELECTOR = {
    "FragmentSelectorType": "PRODUCER_TIMESTAMP",
    "TimestampRange": {"StartTimestamp": 1511852109.126, "EndTimestamp": 1511852169.5},
}


def boto():
    for name, token in (("boto3", None), ("boto3-session-token", TOKEN)):
        recorder = Recorder()
        keys = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET, "aws_session_token": token}
        client = boto3.client("kinesis-video-archived-media", endpoint_url=recorder.url, **keys)
        client.get_clip(StreamName="front-door", ClipFragmentSelector=SELECTOR)
        recorder.save(name)


def aws_cli():
    program = os.environ.get("AWSCLI", "aws")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    recorder = Recorder()
    command = [program, "kinesis-video-archived-media", "list-fragments", "--endpoint-url", recorder.url]
    selector = "FragmentSelectorType=SERVER_TIMESTAMP,TimestampRange={StartTimestamp=1511852109,EndTimestamp=1511852169}"
    subprocess.run([*command, "--stream-name", "front-door", "--fragment-selector", selector], env=ENVIRONMENT, check=True, capture_output=True)
    recorder.save(f"awscli-{version.split('/')[1][0]}")


def javascript(folder):
    recorder = Recorder()
    script = f"""
        const {{ KinesisVideoArchivedMediaClient, ListFragmentsCommand }} = require("@aws-sdk/client-kinesis-video-archived-media");
        const client = new KinesisVideoArchivedMediaClient({{ endpoint: "{recorder.url}" }});
        client.send(new ListFragmentsCommand({{ StreamName: "front-door", MaxResults: 5, FragmentSelector: {{
            FragmentSelectorType: "SERVER_TIMESTAMP",
            TimestampRange: {{ StartTimestamp: new Date(1511852109126), EndTimestamp: new Date(1511852169500) }} }} }}));
    """
    subprocess.run(["node", "-e", script], cwd=folder, env=ENVIRONMENT, check=True)
    recorder.save("javascript-v3")


def curl():
    recorder = Recorder()
    command = ["curl", "-sS", "--aws-sigv4", "aws:amz:eu-central-1:kinesisvideo", "--user", f"{KEY}:{SECRET}"]
    headers = ["x-amzn-stream-name: front-door", "x-amzn-fragment-timecode-type: ABSOLUTE"]
    command += [part for header in headers for part in ("-H", header)]
    command += ["-X", "POST", "-T", "-", f"{recorder.url}/putMedia"]
    subprocess.run(command, input=b"\x1a\x45\xdf\xa3", check=True, capture_output=True)
    recorder.save("curl-put-media")


def signed(name, signer, method, path, headers, unsigned=()):
    """A request that botocore's signer signs: written to a file without being sent."""
    request = botocore.awsrequest.AWSRequest(method=method, url="http://127.0.0.1:8080" + path, headers=headers)
    signer.add_auth(request)
    target = request.url.removeprefix("http://127.0.0.1:8080")
    lines = [f"{method} {target} HTTP/1.1", *(f"{key}: {value}" for key, value in request.headers.items()), *unsigned]
    if "Host" not in request.headers:
        lines.insert(1, "Host: 127.0.0.1:8080")
    (HERE / f"{name}.http").write_bytes("\r\n".join([*lines, "", ""]).encode())
    print(name)


class Unsigned(botocore.auth.SigV4Auth):
    def payload(self, request):
        return "UNSIGNED-PAYLOAD"


class EveryHeader(botocore.auth.SigV4Auth):
    """Signs the hop-by-hop headers too."""

    def headers_to_sign(self, request):
        headers = botocore.auth.HTTPHeaders()
        for name, value in request.headers.items():
            headers[name.lower()] = value
        return headers


def producers_and_links():
    credentials = botocore.credentials.Credentials(KEY, SECRET)
    arguments = (credentials, "kinesisvideo", "eu-central-1")
    put = {
        "x-amzn-stream-name": "front-door",
        "x-amzn-fragment-timecode-type": "RELATIVE",
        "x-amzn-producer-start-timestamp": "1511852109.5",
        "x-amzn-fragment-acknowledgment-required": "1",
    }
    # A Host without the port.
    form = {**put, "Host": "127.0.0.1", "connection": "keep-alive", "transfer-encoding": "chunked", "user-agent": "AWS-SDK-KVS"}
    signed("producer-c-form", EveryHeader(*arguments), "POST", "/putMedia", form)
    signed("producer-java-form", Unsigned(*arguments), "POST", "/putMedia", put, ["x-amz-content-sha256: UNSIGNED-PAYLOAD"])
    signed("producer-go-form", botocore.auth.SigV4Auth(*arguments), "POST", "/putMedia?X-Amz-Expires=600", put)
    link = "/streams/front-door/clip.mp4?start=2017-11-28T06:55:09.126Z&end=1511852169.5&by=producer"
    signed("link", botocore.auth.SigV4QueryAuth(*arguments, expires=3600), "GET", link, {})
    token = botocore.credentials.Credentials(KEY, SECRET, TOKEN)
    signer = botocore.auth.SigV4QueryAuth(token, "kinesisvideo", "eu-central-1", expires=604800)
    signed("link-session-token", signer, "GET", "/streams/front-door/clip.mp4?start=1&end=2", {})


if __name__ == "__main__":
    boto()
    aws_cli()
    curl()
    producers_and_links()
    javascript(sys.argv[1])
