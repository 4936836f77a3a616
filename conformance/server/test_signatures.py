"""Signatures: botocore's signer as the oracle, against a server with keys."""

import datetime
import json
import re
import subprocess
import unittest.mock
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import pytest
from conftest import END, START
from harness import KEY, SECRET, SERVER, TESTDATA, Archive, Server, exception, selector

OTHER = "another secret of at least 16"

KEYS = f"""
[[key]]
access_key_id = "{KEY}"
secret_access_key = "{SECRET}"

[[key]]
access_key_id = "viewer"
secret_access_key = "{OTHER}"
permissions = ["read"]
streams = ["front-*"]

[[key]]
access_key_id = "session"
secret_access_key = "{OTHER}"
session_token = "the token"
"""


@pytest.fixture(scope="module")
def server():
    archive = Archive()
    for stream in ("front-door", "back-door"):
        archive.run("import", "--stream", stream, TESTDATA / "h264_aac.mkv")
    file = f"{archive.folder}/keys.toml"
    with open(file, "w") as keys:
        keys.write(KEYS)
    server = Server(archive, "--credentials", file)
    server.keys_file = file
    yield server
    assert server.stop() == 0
    archive.close()


NOT_AUTHORIZED = ("NotAuthorizedException", 401, "The request is not authorized.")


def refused(call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    error = caught.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Message"]


def test_the_right_secret(server):
    clip = server.media().get_clip(StreamName="front-door", ClipFragmentSelector=selector(START, END))
    assert len(clip["Payload"].read()) == int(clip["ResponseMetadata"]["HTTPHeaders"]["content-length"])
    assert [stream["StreamName"] for stream in server.client().list_streams()["StreamInfoList"]] == ["back-door", "front-door"]


def test_every_refusal_is_the_same(server):
    for arguments in ({"secret": SECRET + "x"}, {"key": "unknown"}, {"key": "session", "secret": OTHER}, {"key": "session", "secret": OTHER, "token": "wrong"}):
        client = server.client(**arguments)
        assert refused(client.describe_stream, StreamName="front-door") == NOT_AUTHORIZED
        assert refused(client.describe_stream, StreamName="absent") == NOT_AUTHORIZED
    status, name, body = server.post("/describeStream", {"StreamName": "front-door"})
    assert (name, status, body["Message"]) == NOT_AUTHORIZED
    assert server.client(key="session", secret=OTHER, token="the token").list_streams()["StreamInfoList"]


def test_permissions(server):
    viewer = {"key": "viewer", "secret": OTHER}
    control, media = server.client(**viewer), server.media(**viewer)
    assert [stream["StreamName"] for stream in control.list_streams()["StreamInfoList"]] == ["front-door"]
    assert media.get_clip(StreamName="front-door", ClipFragmentSelector=selector(START, END))["Payload"].read()
    arn = control.describe_stream(StreamName="front-door")["StreamInfo"]["StreamARN"]
    for call, arguments in (
        (control.describe_stream, {"StreamName": "back-door"}),
        (control.describe_stream, {"StreamName": "absent"}),
        (media.get_clip, {"StreamName": "back-door", "ClipFragmentSelector": selector(START, END)}),
        (control.create_stream, {"StreamName": "front-gate"}),
        (control.delete_stream, {"StreamARN": arn}),
        (control.tag_stream, {"StreamName": "front-door", "Tags": {"a": "b"}}),
    ):
        assert refused(call, **arguments) == NOT_AUTHORIZED


BODY = json.dumps({"StreamName": "front-door"})


def signed(server, at=None, path="/describeStream", method="POST", body=BODY, headers=(), signer=botocore.auth.SigV4Auth, service="kinesisvideo", **options):
    """A request that botocore signed, at a time of the test's choosing."""
    request = botocore.awsrequest.AWSRequest(method=method, url=server.url + path, data=body, headers=dict(headers))
    moment = at or datetime.datetime.now(datetime.timezone.utc)
    credentials = botocore.credentials.Credentials(options.pop("key", KEY), options.pop("secret", SECRET))
    auth = signer(credentials, service, "eu-central-1", **options)
    with unittest.mock.patch.object(botocore.auth, "get_current_datetime", lambda *_, **__: moment.replace(tzinfo=None)):
        auth.add_auth(request)
    return request


def send(server, request, path=None, body=None, method=None, drop=(), **headers):
    parts = urllib.parse.urlsplit(request.url)
    target = path or f"{parts.path}?{parts.query}".rstrip("?")
    sent = {name: value for name, value in request.headers.items() if name not in drop}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    data = body if body is not None else request.data
    status, answered, answer = server.request(method or request.method, target, sent, data or None)
    return status, exception(answered) if status >= 400 else None


REFUSED = (401, "NotAuthorizedException")


def test_five_minutes(server):
    now = datetime.datetime.now(datetime.timezone.utc)
    for seconds in (0, 280, -280):
        assert send(server, signed(server, now + datetime.timedelta(seconds=seconds))) == (200, None), seconds
    for seconds in (310, -310, 86400, -86400):
        assert send(server, signed(server, now + datetime.timedelta(seconds=seconds))) == REFUSED, seconds


def test_tampering(server):
    request = signed(server)
    assert send(server, request) == (200, None)
    # The same request again is the same request: SDKs retry.
    assert send(server, request) == (200, None)
    assert send(server, request, body=BODY.replace("front", "back")) == REFUSED
    assert send(server, request, path="/getDataEndpoint") == REFUSED
    assert send(server, request, path="/describeStream?a=b") == REFUSED
    assert send(server, request, Host="elsewhere:80") == REFUSED
    later = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=60)).strftime("%Y%m%dT%H%M%SZ")
    assert send(server, request, drop=["X-Amz-Date"], X_Amz_Date=later) == REFUSED
    good = request.headers["Authorization"]
    flipped = good[:-1] + ("0" if good[-1] != "0" else "1")
    for header in (flipped, good.replace("eu-central-1", "us-east-1"), good.replace(KEY, "viewer"), good + "0", good[:-1], "AWS4-HMAC-SHA256", "Basic x"):
        assert send(server, request, drop=["Authorization"], Authorization=header) == REFUSED, header
    assert send(server, request, x_amz_content_sha256="0" * 64) == REFUSED
    assert send(server, request, x_amz_content_sha256="UNSIGNED-PAYLOAD") == REFUSED


def test_another_service_and_any_region(server):
    assert send(server, signed(server, service="s3")) == REFUSED
    assert send(server, signed(server)) == (200, None)


def test_links(server):
    """Presigned queries of botocore, of any length of life."""
    path = f"/streams/front-door/clip.mp4?start={START}&end={END}"
    link = signed(server, path=path, method="GET", body="", signer=botocore.auth.SigV4QueryAuth, expires=60)
    assert send(server, link) == (200, None)
    assert send(server, link, Range="bytes=0-9") == (206, None)
    assert send(server, link, method="HEAD") == (200, None)
    url = urllib.parse.urlsplit(link.url)
    whole = f"{url.path}?{url.query}"
    for other in (
        whole.replace("front-door", "back-door"),
        whole.replace(f"end={END}", f"end={END + 1}"),
        whole.replace("X-Amz-Expires=60", "X-Amz-Expires=61"),
        whole + "&max_fragments=1",
        re.sub("X-Amz-Signature=.", "X-Amz-Signature=z", whole),
        path,
    ):
        assert send(server, link, path=other) == REFUSED, other
    past = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=100)
    assert send(server, signed(server, past, path, "GET", "", signer=botocore.auth.SigV4QueryAuth, expires=60)) == REFUSED
    assert send(server, signed(server, past, path, "GET", "", signer=botocore.auth.SigV4QueryAuth, expires=160)) == (200, None)


def test_raw_times_in_links(server):
    """A colon need not be escaped in a query: signers write it either way."""
    path = "/streams/front-door/clip.mp4?start=2023-11-14T22:13:20Z&end=2023-11-15T00:13:30%2B02:00"
    link = signed(server, path=path, method="GET", body="", signer=botocore.auth.SigV4QueryAuth, expires=60)
    assert send(server, link) == (200, None)


def test_the_programs_own_links(server):
    url = f"{server.url}/streams/front-door/clip.mp4?start={START}&end={END}"
    line = [SERVER, "link", "--credentials", server.keys_file, "--key", KEY, "--expires", "60", url]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    parts = urllib.parse.urlsplit(done.stdout.strip())
    assert server.request("GET", f"{parts.path}?{parts.query}", {"Host": parts.netloc})[0] == 200


def test_what_needs_no_key(server):
    for path in ("/", "/page.js", "/page.css", "/healthz", "/readyz"):
        assert server.request("GET", path)[0] == 200, path
    for path in ("/streams/front-door/timeline.json?start=0&end=1", "/streams/front-door/clip.json?start=0&end=1"):
        assert server.request("GET", path)[0] == 401, path
