"""Unmodified clients of AWS: what they download is what the program getclip makes of the same recording."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import boto3
import pytest
from conftest import END, START
from harness import ENVIRONMENT, KEY, REGION, SECRET, SERVER, TESTDATA, Archive, Server, digest, expected_clip, selector


@pytest.fixture(scope="module")
def expected():
    return expected_clip(TESTDATA / "h264_aac.mkv", START, END)


def environment(server, **more):
    """One variable is enough for a script that asks GetDataEndpoint, as all scripts do."""
    keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION}
    return ENVIRONMENT | keys | {"AWS_ENDPOINT_URL_KINESIS_VIDEO": server.url} | more


def test_boto3(server, expected, monkeypatch):
    for name, value in environment(server).items():
        monkeypatch.setenv(name, value)
    control = boto3.client("kinesisvideo")
    arn = control.create_stream(StreamName="by-boto3", DataRetentionInHours=24, MediaType="video/h264")["StreamARN"]
    info = control.describe_stream(StreamARN=arn)["StreamInfo"]
    assert (info["StreamName"], info["Status"], info["DataRetentionInHours"]) == ("by-boto3", "ACTIVE", 24)
    names = [stream["StreamName"] for page in control.get_paginator("list_streams").paginate(PaginationConfig={"PageSize": 1}) for stream in page["StreamInfoList"]]
    assert names == ["by-boto3", "front-door"]
    endpoint = control.get_data_endpoint(StreamName="front-door", APIName="GET_CLIP")["DataEndpoint"]
    assert endpoint == server.url
    media = boto3.client("kinesis-video-archived-media", endpoint_url=endpoint)
    answer = media.get_clip(StreamName="front-door", ClipFragmentSelector=selector(START, END))
    assert answer["ContentType"] == "video/mp4"
    assert digest(answer["Payload"].read()) == digest(expected)
    control.delete_stream(StreamARN=arn, CurrentVersion=info["Version"])


def test_boto3_lists_and_gets_fragments(server):
    media = server.media()
    pages = media.get_paginator("list_fragments").paginate(
        StreamName="front-door", FragmentSelector=selector(START, END), PaginationConfig={"PageSize": 2}
    )
    fragments = [fragment for page in pages for fragment in page["Fragments"]]
    assert [fragment["ProducerTimestamp"].timestamp() for fragment in fragments] == [START + 2 * i for i in range(5)]
    assert all(1900 < fragment["FragmentLengthInMilliseconds"] < 2100 for fragment in fragments)
    numbers = [fragment["FragmentNumber"] for fragment in fragments]
    body = media.get_media_for_fragment_list(StreamName="front-door", Fragments=numbers)["Payload"].read()
    assert len(body) == sum(fragment["FragmentSizeInBytes"] for fragment in fragments)
    assert body.count(b"\x1a\x45\xdf\xa3") == 5
    for number in numbers:
        assert number.encode() in body
    some = media.get_media_for_fragment_list(StreamName="front-door", Fragments=[numbers[3], "42", numbers[1]])["Payload"].read()
    error = some.index(b"FRAGMENT_NOT_FOUND")
    assert some.index(numbers[3].encode()) < some.index(b"42", error - 200) and error < some.index(numbers[1].encode())
    assert b"AWS_KINESISVIDEO_ERROR_ID" in some and b"3000" in some


def test_media_of_the_fragment_list_is_a_clip(server, expected, tmp_path):
    """What is got of the archive goes through the program once more."""
    media = server.media()
    fragments = media.list_fragments(StreamName="front-door", FragmentSelector=selector(START, END))["Fragments"]
    numbers = [fragment["FragmentNumber"] for fragment in fragments]
    recording = tmp_path / "recording.mkv"
    recording.write_bytes(media.get_media_for_fragment_list(StreamName="front-door", Fragments=numbers)["Payload"].read())
    assert digest(expected_clip(recording, START, END)) == digest(expected)


def aws_clis():
    """AWS CLI 1 from PyPI and 2 from Debian, as the script installed them."""
    return [program for program in os.environ.get("AWS_CLIS", shutil.which("aws") or "").split(os.pathsep) if program]


@pytest.mark.parametrize("program", aws_clis())
def test_aws_cli(server, expected, tmp_path, program):
    def aws(service, *arguments, url=server.url):
        line = [program, service, *arguments, "--endpoint-url", url, "--output", "json"]
        done = subprocess.run(line, env=environment(server), capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "{}")

    arn = aws("kinesisvideo", "create-stream", "--stream-name", "by-cli", "--data-retention-in-hours", "2")["StreamARN"]
    version = aws("kinesisvideo", "describe-stream", "--stream-name", "by-cli")["StreamInfo"]["Version"]
    assert "by-cli" in [stream["StreamName"] for stream in aws("kinesisvideo", "list-streams")["StreamInfoList"]]
    aws("kinesisvideo", "delete-stream", "--stream-arn", arn, "--current-version", version)
    asked = ("get-data-endpoint", "--stream-name", "front-door", "--api-name", "GET_CLIP")
    endpoint = aws("kinesisvideo", *asked)["DataEndpoint"]
    out = tmp_path / "clip.mp4"
    range = f"FragmentSelectorType=PRODUCER_TIMESTAMP,TimestampRange={{StartTimestamp={START},EndTimestamp={END}}}"
    asked = ("get-clip", "--stream-name", "front-door", "--clip-fragment-selector", range, str(out))
    assert aws("kinesis-video-archived-media", *asked, url=endpoint) == {"ContentType": "video/mp4"}
    assert digest(out.read_bytes()) == digest(expected)
    asked = ("list-fragments", "--stream-name", "front-door", "--fragment-selector", range, "--max-items", "3")
    assert len(aws("kinesis-video-archived-media", *asked, url=endpoint)["Fragments"]) == 3
    failed = subprocess.run(
        [program, "kinesisvideo", "describe-stream", "--stream-name", "absent", "--endpoint-url", server.url],
        env=environment(server), capture_output=True, text=True, timeout=60,
    )
    assert failed.returncode in (254, 255) and "(ResourceNotFoundException)" in failed.stderr


JAVASCRIPT = """
const { KinesisVideoClient, CreateStreamCommand, DescribeStreamCommand, ListStreamsCommand, GetDataEndpointCommand, DeleteStreamCommand } = require("@aws-sdk/client-kinesis-video");
const { KinesisVideoArchivedMediaClient, GetClipCommand } = require("@aws-sdk/client-kinesis-video-archived-media");
(async () => {
  const [start, end] = process.argv.slice(1).map(Number);
  const control = new KinesisVideoClient({});
  const { StreamARN } = await control.send(new CreateStreamCommand({ StreamName: "by-javascript", DataRetentionInHours: 5 }));
  const { StreamInfo } = await control.send(new DescribeStreamCommand({ StreamName: "by-javascript" }));
  const { StreamInfoList } = await control.send(new ListStreamsCommand({}));
  await control.send(new DeleteStreamCommand({ StreamARN, CurrentVersion: StreamInfo.Version }));
  const { DataEndpoint } = await control.send(new GetDataEndpointCommand({ StreamName: "front-door", APIName: "GET_CLIP" }));
  const media = new KinesisVideoArchivedMediaClient({ endpoint: DataEndpoint });
  const TimestampRange = { StartTimestamp: new Date(start * 1000), EndTimestamp: new Date(end * 1000) };
  const ClipFragmentSelector = { FragmentSelectorType: "PRODUCER_TIMESTAMP", TimestampRange };
  const clip = await media.send(new GetClipCommand({ StreamName: "front-door", ClipFragmentSelector }));
  const bytes = await clip.Payload.transformToByteArray();
  const failure = await control.send(new DescribeStreamCommand({ StreamName: "absent" })).catch((error) => error);
  console.log(JSON.stringify({
    retention: StreamInfo.DataRetentionInHours, created: StreamInfo.CreationTime instanceof Date,
    names: StreamInfoList.map((stream) => stream.StreamName), type: clip.ContentType, length: bytes.length,
    sha256: require("crypto").createHash("sha256").update(bytes).digest("hex"),
    failure: failure.name, status: failure.$metadata.httpStatusCode, message: failure.message,
  }));
})();
"""


def test_javascript(server, expected):
    """@aws-sdk/client-kinesis-video and -archived-media from npm."""
    folder = pathlib.Path(os.environ["NODE_FOLDER"])
    done = subprocess.run(
        ["node", "-e", JAVASCRIPT, str(START), str(END)], cwd=folder, env=environment(server), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    length, sha256 = digest(expected)
    names = said.pop("names")
    assert "by-javascript" in names and "front-door" in names
    assert said == {
        "retention": 5, "created": True, "type": "video/mp4", "length": length, "sha256": sha256,
        "failure": "ResourceNotFoundException", "status": 404,
        "message": "The requested stream is not found or not active.",
    }


MOTO = (
    "test_create_stream",
    "test_create_stream_with_same_name",
    "test_describe_stream",
    "test_describe_stream_with_name_not_exist",
    "test_list_streams",
    "test_delete_stream",
    "test_delete_stream_with_arn_not_exist",
    "test_data_endpoint",
)


@pytest.mark.parametrize("test", MOTO)
def test_moto(test):
    """moto's own tests of kinesisvideo, from its source distribution. Each expects a server without any stream."""
    folder = pathlib.Path(os.environ["MOTO_FOLDER"])
    archive = Archive()
    server = Server(archive)
    mode = {"TEST_SERVER_MODE": "true", "TEST_SERVER_MODE_ENDPOINT": server.url, "MOTO_CALL_RESET_API": "false"}
    name = f"tests/test_kinesisvideo/test_kinesisvideo.py::{test}"
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", name]
    done = subprocess.run(line, env=ENVIRONMENT | mode, cwd=folder, capture_output=True, text=True, timeout=120)
    server.stop()
    archive.close()
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_readme(server, expected, monkeypatch, tmp_path):
    """The ten lines of crates/server/README.md, as they stand there."""
    text = (pathlib.Path(__file__).resolve().parents[2] / "crates/server/README.md").read_text()
    program = text.split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    for name, value in environment(server).items():
        monkeypatch.setenv(name, value)
    exec(compile(program, "README.md", "exec"), {})
    assert digest((tmp_path / "clip.mp4").read_bytes()) == digest(expected)
    # Options that the README names are options of the program.
    known = subprocess.run([SERVER, "help", "serve"], capture_output=True, text=True, check=True).stdout
    for option in ("--public-url", "--credentials", "--no-auth", "--tls-cert", "--tls-key", "--keep-damaged", "--profile", "--shutdown-time",
                   "--prune-interval", "--cached-plan-bytes", "--log", "--config"):
        assert option in known and option in text, option
