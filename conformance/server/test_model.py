"""The models of botocore as an oracle: one valid request an operation, and for each constraint one that breaks it.

Whatever the models say of a member (required, length, pattern, range, enumeration, type) is broken in a request that is
valid but for that, and the exception has to be InvalidArgumentException with status 400 and name the member.
"""

import copy
import json
import re

import botocore.session
import pytest
from conftest import END, START
from harness import TESTDATA, Archive, Server

SERVICES = {
    "kinesisvideo": [
        "CreateStream", "DeleteStream", "DescribeStream", "GetDataEndpoint", "ListStreams", "ListTagsForStream",
        "TagStream", "UntagStream", "UpdateDataRetention", "UpdateStream",
    ],
    "kinesis-video-media": ["GetMedia"],
    "kinesis-video-archived-media": ["GetClip", "GetMediaForFragmentList", "ListFragments"],
}

MODELS = {service: botocore.session.get_session().get_service_model(service) for service in SERVICES}
OPERATIONS = {name: MODELS[service].operation_model(name) for service, names in SERVICES.items() for name in names}

RANGE = {"FragmentSelectorType": "PRODUCER_TIMESTAMP", "TimestampRange": {"StartTimestamp": START, "EndTimestamp": END}}

# Characters that no pattern of these models allows, for strings that have one.
FOREIGN = "\x00"


def valid(operation, arn, version, number):
    """A request that succeeds, with every member that there is."""
    stream = {"StreamName": "front-door"}
    both = stream | {"StreamARN": arn}
    return {
        "CreateStream": {
            "StreamName": f"new-{operation}", "DeviceName": "device", "MediaType": "video/h264,audio/aac", "KmsKeyId": "alias/key",
            "DataRetentionInHours": 24, "Tags": {"key": "value"}, "StreamStorageConfiguration": {"DefaultStorageTier": "HOT"},
        },
        "DeleteStream": {"StreamARN": arn, "CurrentVersion": version},
        "DescribeStream": both,
        "GetDataEndpoint": both | {"APIName": "GET_CLIP"},
        "ListStreams": {"MaxResults": 10, "NextToken": "", "StreamNameCondition": {"ComparisonOperator": "BEGINS_WITH", "ComparisonValue": "front"}},
        "ListTagsForStream": both | {"NextToken": ""},
        "TagStream": both | {"Tags": {"key": "value"}},
        "UntagStream": both | {"TagKeyList": ["key"]},
        "UpdateDataRetention": both | {"CurrentVersion": version, "Operation": "INCREASE_DATA_RETENTION", "DataRetentionChangeInHours": 1},
        "UpdateStream": both | {"CurrentVersion": version, "DeviceName": "device", "MediaType": "video/h265"},
        "GetMedia": both | {
            "StartSelector": {"StartSelectorType": "EARLIEST", "AfterFragmentNumber": number, "StartTimestamp": START, "ContinuationToken": "a-b"},
        },
        "GetClip": both | {"ClipFragmentSelector": RANGE},
        "GetMediaForFragmentList": both | {"Fragments": [number]},
        "ListFragments": both | {"MaxResults": 10, "FragmentSelector": RANGE},
    }[operation]


def breaches(shape, value):
    """Values in the place of a valid one, each of which breaks one constraint, with what it breaks."""
    limits = shape.metadata
    if shape.type_name == "string":
        yield "type", 7
        if shape.enum:
            yield "enum", "ELSE"
        elif limits.get("min", 0) > 0:
            yield "min", ""
        if "max" in limits:
            unit = value or "a"
            yield "max", (unit * (limits["max"] // len(unit) + 1)) if "arn:" not in unit else unit + "0" * limits["max"]
        if "pattern" in limits and not shape.enum:
            yield "pattern", value + FOREIGN if limits["pattern"] != ".+" else "\n"
    elif shape.type_name in ("integer", "long"):
        yield "type", "seven"
        yield "type", 1.5
        if "min" in limits:
            yield "min", limits["min"] - 1
        if "max" in limits:
            yield "max", limits["max"] + 1
    elif shape.type_name == "timestamp":
        yield "type", "2024-05-01T12:00:00Z"
        yield "type", True
    elif shape.type_name == "structure":
        yield "type", []
        for name, member in shape.members.items():
            if name in shape.required_members:
                yield f"{name} required", {key: inner for key, inner in value.items() if key != name}
            for what, inner in breaches(member, value[name]) if name in value else ():
                yield f"{name} {what}", value | {name: inner}
    elif shape.type_name == "list":
        yield "type", {}
        if limits.get("min", 0) > 0:
            yield "min", []
        if "max" in limits:
            yield "max", value[:1] * (limits["max"] + 1)
        for what, inner in breaches(shape.member, value[0]):
            yield f"[] {what}", [inner]
    elif shape.type_name == "map":
        yield "type", []
        if limits.get("min", 0) > 0:
            yield "min", {}
        if "max" in limits:
            yield "max", {f"key{i}": "value" for i in range(limits["max"] + 1)}
        (key, inner), = value.items()
        for what, other in breaches(shape.key, key):
            if what != "type":
                yield f"key {what}", {other: inner}
        for what, other in breaches(shape.value, inner):
            yield f"value {what}", {key: other}
    else:
        raise AssertionError(f"{shape.name} has a type that this test does not know: {shape.type_name}")


@pytest.fixture(scope="module")
def server():
    """A server of its own for this module, whose stream has a retention that can be changed."""
    archive = Archive()
    archive.run("import", "--stream", "front-door", TESTDATA / "h264_aac.mkv")
    server = Server(archive)
    yield server
    assert server.stop() == 0
    archive.close()


@pytest.fixture(scope="module")
def known(server):
    control = server.client()
    front = control.describe_stream(StreamName="front-door")["StreamInfo"]
    fragments = server.media().list_fragments(StreamName="front-door", FragmentSelector=RANGE)["Fragments"]
    return {"arn": front["StreamARN"], "number": fragments[0]["FragmentNumber"]}


def path(operation):
    return operation.http["requestUri"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_valid(server, known, name):
    """With every member of the model."""
    control = server.client()
    # Changes are made to a stream of their own, whose version is asked for first.
    changes = name in ("DeleteStream", "UpdateDataRetention", "UpdateStream")
    target = f"valid-{name}" if changes else "front-door"
    arn = control.create_stream(StreamName=target, DataRetentionInHours=24)["StreamARN"] if changes else known["arn"]
    version = control.describe_stream(StreamName=target)["StreamInfo"]["Version"]
    members = valid(name, arn, version, known["number"])
    if changes and "StreamName" in members:
        members["StreamName"] = target
    assert set(members) >= set(OPERATIONS[name].input_shape.members) - {"NextToken"}
    if name == "UntagStream":
        control.tag_stream(StreamName="front-door", Tags={"key": "value"})
    if name == "GetMedia":
        # Its response has no end.
        assert server.client("kinesis-video-media").get_media(**members)["Payload"].read(1000).startswith(b"\x1a\x45\xdf\xa3")
        return
    status, headers, body = server.request("POST", path(OPERATIONS[name]), {}, json.dumps(members))
    assert status == 200, body
    assert headers["x-amzn-RequestId"] and headers["x-amzn-ErrorType"] is None
    if changes and name != "DeleteStream":
        control.delete_stream(StreamARN=arn)


def cases():
    """A case for each constraint of each operation."""
    for name, operation in OPERATIONS.items():
        shape = operation.input_shape
        members = valid(name, "arn:aws:kinesisvideo:us-east-1:000000000000:stream/front-door/1", "v", "1")
        for what, broken in breaches(shape, members):
            if what != "type":
                yield pytest.param(name, broken, id=f"{name}: {what}")


@pytest.mark.parametrize("name, broken", list(cases()))
def test_breach(server, known, name, broken):
    broken = copy.deepcopy(broken)
    # A valid ARN in place of the one that the case was generated with.
    if broken.get("StreamARN") == "arn:aws:kinesisvideo:us-east-1:000000000000:stream/front-door/1":
        broken["StreamARN"] = known["arn"]
    status, exception, body = server.post(path(OPERATIONS[name]), broken)
    assert (status, exception) == (400, "InvalidArgumentException"), body
    assert re.search(r"(is required|expected .*, found |at most|NextToken)", body["Message"]), body


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("body", [b"[]", b"{", b"null", b"\xff", b'{"StreamName": "a"} x'])
def test_bodies_that_are_no_objects(server, name, body):
    status, headers, _ = server.request("POST", path(OPERATIONS[name]), {}, body)
    assert status == 400 and headers["x-amzn-ErrorType"].startswith("InvalidArgumentException:")


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in ("CreateStream", "DeleteStream", "ListStreams")])
def test_a_stream_is_needed(server, name):
    members = valid(name, "", "v", "1")
    members.pop("StreamName"), members.pop("StreamARN")
    status, exception, body = server.post(path(OPERATIONS[name]), members)
    assert (status, exception) == (400, "InvalidArgumentException")
    assert body["Message"] == "StreamName or StreamARN is required"


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in ("CreateStream", "ListStreams")])
def test_an_absent_stream(server, name):
    """By name, and by the ARN of an earlier stream of the same name."""
    for arn in ("arn:aws:kinesisvideo:us-east-1:000000000000:stream/absent/1", "arn:aws:kinesisvideo:us-east-1:000000000000:stream/front-door/1"):
        members = valid(name, arn, "00000000", "1")
        members.pop("StreamName", None)
        status, exception, body = server.post(path(OPERATIONS[name]), members)
        assert (status, exception) == (404, "ResourceNotFoundException"), body
        assert body["Message"] == "The requested stream is not found or not active."


def test_operations_that_are_not_offered(server):
    for path in ("/getHLSStreamingSessionURL", "/getImages", "/createSignalingChannel", "/GetClip"):
        assert server.post(path, {})[:2] == (404, "UnknownOperationException")
