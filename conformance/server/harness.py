"""Starts getclip-server on a free port of this machine, and what the tests talk to it with."""

import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.parse
import uuid

import boto3
import botocore.config

ROOT = pathlib.Path(__file__).resolve().parents[2]
TESTDATA = ROOT / "testdata"
SERVER = os.environ.get("GETCLIP_SERVER", str(ROOT / "target/release/getclip-server"))
CLIP = os.environ.get("GETCLIP", str(ROOT / "target/release/getclip"))

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
REGION = "ap-northeast-1"

# Without the machine's own configuration of AWS or of this program.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GETCLIP_"))}
ENVIRONMENT |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}

# Where archives are: a folder, or a prefix in a bucket of an S3 server that the script started.
ARCHIVES = os.environ.get("GETCLIP_TEST_ARCHIVES")
STORE_ENVIRONMENT = {name: value for name, value in os.environ.items() if name.startswith("AWS_")} if ARCHIVES else {}


class Archive:
    """An archive of its own for each test module."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="getclip-server-")
        self.location = f"{ARCHIVES}/{uuid.uuid4().hex}" if ARCHIVES else f"{self.folder}/archive"

    def run(self, *arguments, input=None, check=True):
        """Runs a command of the program over this archive."""
        command, *rest = arguments
        line = [SERVER, command, "--archive", self.location, *map(str, rest)]
        done = subprocess.run(line, env=ENVIRONMENT | STORE_ENVIRONMENT, input=input, capture_output=True, timeout=300)
        if check and done.returncode != 0:
            raise AssertionError(f"{line} ended with {done.returncode}: {done.stderr.decode()}")
        return done

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Server:
    """A server over an archive."""

    def __init__(self, archive, *options, environment=(), port=0):
        self.archive = archive
        self.log = []
        line = [SERVER, "serve", "--archive", archive.location, "--listen", f"127.0.0.1:{port}", *options]
        pipe = subprocess.PIPE
        environment = ENVIRONMENT | STORE_ENVIRONMENT | dict(environment)
        self.process = subprocess.Popen(line, env=environment, stdout=pipe, stderr=pipe, text=True)
        self.reader = threading.Thread(target=self._read_log, daemon=True)
        self.reader.start()
        said = self.process.stdout.readline()
        match = re.fullmatch(r"getclip-server: listening on (https?://\S+:(\d+))\n", said)
        if not match:
            self.process.wait(20)
            raise AssertionError(f"the server did not start: {''.join(self.log)}")
        self.url, self.port = match[1], int(match[2])

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line)

    def client(self, service="kinesisvideo", key=KEY, secret=SECRET, token=None, **config):
        """A client of boto3 with one attempt, and without a word of validation."""
        settings = {"retries": {"max_attempts": 1, "mode": "standard"}, "parameter_validation": False}
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=botocore.config.Config(**(settings | config)),
        )

    def media(self, **arguments):
        return self.client("kinesis-video-archived-media", **arguments)

    def request(self, method, path, headers=(), body=None):
        """A request as it is given. Returns the status, the headers and the body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers=dict(headers))
            response = connection.getresponse()
            return response.status, response.headers, response.read()

    def post(self, path, members):
        """A JSON operation, unsigned. Returns the status, the name of the exception and the body."""
        status, headers, body = self.request("POST", path, {"Content-Type": "application/json"}, json.dumps(members))
        return status, exception(headers), json.loads(body)

    def stop(self, signal=signal.SIGTERM, timeout=30):
        """Returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal)
        code = self.process.wait(timeout)
        self.reader.join(5)
        return code


def exception(headers):
    """The name in x-amzn-ErrorType, which has the form of the service's."""
    value = headers.get("x-amzn-ErrorType")
    if value is None:
        return None
    name, _, rest = value.partition(":")
    assert rest == "https://kinesisvideo.amazonaws.com/doc/2017-09-30/", value
    return name


def selector(start, end, clock="PRODUCER_TIMESTAMP"):
    return {"FragmentSelectorType": clock, "TimestampRange": {"StartTimestamp": start, "EndTimestamp": end}}


def clip_url(stream, start, end, **parameters):
    return f"/streams/{stream}/clip.mp4?" + urllib.parse.urlencode({"start": start, "end": end, **parameters})


def expected_clip(recording, start, end, *options):
    """What the program getclip makes of the recording."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "clip.mp4"
        line = [CLIP, "clip", recording, "-o", out, "--start", str(start), "--end", str(end), *options]
        subprocess.run(line, check=True, capture_output=True, timeout=120)
        return out.read_bytes()


def digest(data):
    return len(data), hashlib.sha256(data).hexdigest()


def wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
