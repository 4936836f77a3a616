"""Every exception of the models that can be raised is raised as its class, with its status and AWS's words where known."""

import time

import botocore.exceptions
import pytest
from conftest import END, START
from harness import TESTDATA, Archive, Server, selector


def raised(call, **arguments):
    """The class, the status and the message of the exception of a call."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    assert response["ResponseMetadata"]["RequestId"]
    return type(caught.value).__name__, response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]


def test_resource_not_found(server):
    media = server.media()
    absent = "The requested stream is not found or not active."
    assert raised(server.client().describe_stream, StreamName="absent") == ("ResourceNotFoundException", 404, absent)
    assert raised(media.get_clip, StreamName="absent", ClipFragmentSelector=selector(START, END)) == ("ResourceNotFoundException", 404, absent)
    empty = "No fragments found in the stream for the clip request."
    for clock in ("PRODUCER_TIMESTAMP", "SERVER_TIMESTAMP"):
        found = raised(media.get_clip, StreamName="front-door", ClipFragmentSelector=selector(START - 100, START - 50, clock))
        assert found == ("ResourceNotFoundException", 404, empty)
    for name in (".", ".."):
        assert raised(server.client().describe_stream, StreamName=name)[:2] == ("ResourceNotFoundException", 404)
        assert raised(server.client().create_stream, StreamName=name)[:2] == ("InvalidArgumentException", 400)


def test_the_range_of_get_clip(server):
    media = server.media()

    def refused(start, end, clock="PRODUCER_TIMESTAMP"):
        name, status, message = raised(media.get_clip, StreamName="front-door", ClipFragmentSelector=selector(start, end, clock))
        assert (name, status) == ("InvalidArgumentException", 400)
        return message

    assert "later than" in refused(END, START)
    assert "later than" in refused(START, START)
    assert "24 hours" in refused(START, START + 86400.001)
    now = time.time()
    assert "before now" in refused(now - 10, now + 60, "SERVER_TIMESTAMP")


def test_microseconds_decide(server):
    """boto3 sends them. A fragment starts at START exactly."""
    media = server.media()

    def count(start, end):
        fragments = media.list_fragments(StreamName="front-door", FragmentSelector=selector(start, end))["Fragments"]
        return len(fragments)

    assert count(START, START + 0.5) == 1
    assert count(START + 0.000001, START + 0.5) == 0
    assert count(START - 1, START) == 1
    assert count(START - 1, START - 0.000001) == 0


def test_outside_of_the_retention(server, archive):
    """The server's clock: InvalidArgumentException in AWS's words. The producer's: nothing is found."""
    control, media = server.client(), server.media()
    control.create_stream(StreamName="short", DataRetentionInHours=1)
    old = time.time() - 7200
    end = int(old) + 60
    words = f"End timestamp {end * 1000} is outside of the stream retention period."
    by_server = raised(media.get_clip, StreamName="short", ClipFragmentSelector=selector(old, end, "SERVER_TIMESTAMP"))
    assert by_server == ("InvalidArgumentException", 400, words)
    by_producer = raised(media.get_clip, StreamName="short", ClipFragmentSelector=selector(old, end))
    assert by_producer == ("ResourceNotFoundException", 404, "No fragments found in the stream for the clip request.")


def test_no_data_retention(server):
    server.client().create_stream(StreamName="keeps-nothing")
    found = raised(server.media().get_clip, StreamName="keeps-nothing", ClipFragmentSelector=selector(START, END))
    assert found[:2] == ("NoDataRetentionException", 400)


def test_resource_in_use_and_version_mismatch(server):
    control = server.client()
    arn = control.create_stream(StreamName="twice")["StreamARN"]
    assert raised(control.create_stream, StreamName="twice") == ("ResourceInUseException", 400, "The stream twice already exists.")
    version = control.describe_stream(StreamName="twice")["StreamInfo"]["Version"]
    control.update_stream(StreamName="twice", CurrentVersion=version, DeviceName="other")
    for call, more in (
        (control.update_stream, {"StreamName": "twice", "DeviceName": "third"}),
        (control.update_data_retention, {"StreamName": "twice", "Operation": "INCREASE_DATA_RETENTION", "DataRetentionChangeInHours": 1}),
        (control.delete_stream, {"StreamARN": arn}),
    ):
        assert raised(call, CurrentVersion=version, **more)[:2] == ("VersionMismatchException", 400)
    assert control.describe_stream(StreamName="twice")["StreamInfo"]["DeviceName"] == "other"
    control.delete_stream(StreamARN=arn)
    # The name can be had again, and is another stream.
    again = control.create_stream(StreamName="twice")["StreamARN"]
    assert again != arn
    assert raised(control.describe_stream, StreamARN=arn)[:2] == ("ResourceNotFoundException", 404)


def test_retention_changes(server):
    control = server.client()
    control.create_stream(StreamName="retained", DataRetentionInHours=10)

    def change(operation, hours):
        version = control.describe_stream(StreamName="retained")["StreamInfo"]["Version"]
        control.update_data_retention(StreamName="retained", CurrentVersion=version, Operation=operation, DataRetentionChangeInHours=hours)
        return control.describe_stream(StreamName="retained")["StreamInfo"]["DataRetentionInHours"]

    assert change("INCREASE_DATA_RETENTION", 5) == 15
    assert change("DECREASE_DATA_RETENTION", 14) == 1
    assert raised(change, operation="DECREASE_DATA_RETENTION", hours=2)[:2] == ("InvalidArgumentException", 400)
    assert raised(change, operation="INCREASE_DATA_RETENTION", hours=87600)[:2] == ("InvalidArgumentException", 400)


def test_tags(server):
    control = server.client()
    control.create_stream(StreamName="tagged", Tags={"a": "1"})
    control.tag_stream(StreamName="tagged", Tags={f"k{i}": "v" for i in range(49)})
    tags = control.list_tags_for_stream(StreamName="tagged")["Tags"]
    assert len(tags) == 50 and tags["a"] == "1"
    assert raised(control.tag_stream, StreamName="tagged", Tags={"one more": "v"})[:2] == ("TagsPerResourceExceededLimitException", 400)
    control.untag_stream(StreamName="tagged", TagKeyList=["a", "absent"])
    control.tag_stream(StreamName="tagged", Tags={"one more": "v"})
    assert "one more" in control.list_tags_for_stream(StreamName="tagged")["Tags"]


def test_apis_that_are_not_offered(server):
    control = server.client()
    for api in ("GET_CLIP", "GET_MEDIA", "LIST_FRAGMENTS", "GET_MEDIA_FOR_FRAGMENT_LIST"):
        assert control.get_data_endpoint(StreamName="front-door", APIName=api)["DataEndpoint"] == server.url
    name, status, message = raised(control.get_data_endpoint, StreamName="front-door", APIName="GET_HLS_STREAMING_SESSION_URL")
    assert (name, status) == ("InvalidArgumentException", 400)
    assert "GET_CLIP" in message


MEDIA = {
    # Two video sizes in one range.
    "h264_resolution_change.mkv": ("InvalidCodecPrivateDataException", 400),
}


@pytest.mark.parametrize("recording", MEDIA)
def test_media_that_is_refused(server, archive, recording):
    name = recording.removesuffix(".mkv").replace("_", "-")
    archive.run("import", "--stream", name, TESTDATA / recording)
    media = server.media()
    found = raised(media.get_clip, StreamName=name, ClipFragmentSelector=selector(START - 3600, START + 3600))
    assert found[:2] == MEDIA[recording], found


def test_client_limit_exceeded():
    """One clip at a time: the second is refused while the first is being sent, and none is when that is over."""
    archive = Archive()
    archive.run("import", "--stream", "front-door", TESTDATA / "h264_aac.mkv")
    server = Server(archive, "--max-clips", "1", "--max-streams", "2")
    media = server.media()
    # Many times the same fragments: more than the buffers of the connection hold.
    numbers = [fragment["FragmentNumber"] for fragment in media.list_fragments(StreamName="front-door", FragmentSelector=selector(START, END))["Fragments"]]
    body = media.get_media_for_fragment_list(StreamName="front-door", Fragments=numbers * 100)["Payload"]
    assert body.read(1)
    found = raised(server.media().get_clip, StreamName="front-door", ClipFragmentSelector=selector(START, END))
    assert found[:2] == ("ClientLimitExceededException", 400)
    body.close()
    deadline = time.monotonic() + 20
    while True:
        try:
            server.media().get_clip(StreamName="front-door", ClipFragmentSelector=selector(START, END))["Payload"].read()
            break
        except botocore.exceptions.ClientError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    control = server.client()
    control.create_stream(StreamName="second")
    assert raised(control.create_stream, StreamName="third")[:2] == ("AccountStreamLimitExceededException", 400)
    assert server.stop() == 0
    archive.close()


def test_truncation_is_told():
    """GetClip cuts at 200 fragments; the service does so silently."""
    archive = Archive()
    archive.run("import", "--stream", "long", TESTDATA / "h264_aac.mkv")
    server = Server(archive)
    status, headers, body = server.request("GET", f"/streams/long/clip.mp4?start={START}&end={END}&max_fragments=2")
    assert status == 200
    assert headers["x-getclip-truncated"] == "fragments"
    assert headers["x-getclip-continue-from"] == "2023-11-14T22:13:24.000Z"
    rest = server.request("GET", f"/streams/long/clip.mp4?start={headers['x-getclip-continue-from']}&end={END}")
    assert rest[0] == 200 and rest[1]["x-getclip-truncated"] is None
    assert server.stop() == 0
    archive.close()
