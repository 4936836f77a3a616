"""The commands: what import takes, what each prints, exit codes, the configuration file, an import that is killed."""

import json
import os
import random
import signal
import subprocess
import time

import pytest
from conftest import END, START
from harness import ENVIRONMENT, SERVER, STORE_ENVIRONMENT, TESTDATA, Archive, Server, clip_url, expected_clip

RECORDING = TESTDATA / "h264_aac.mkv"


@pytest.fixture
def own():
    archive = Archive()
    yield archive
    archive.close()


def numbers(archive, stream):
    lines = archive.run("fragments", stream, "--json").stdout.decode().splitlines()
    return [json.loads(line)["number"] for line in lines]


def test_import_says_what_it_did(own):
    said = own.run("import", "--stream", "front-door", RECORDING).stdout.decode()
    assert said.startswith("front-door: 5 fragments stored (")
    assert "recorded from 2023-11-14T22:13:20.000Z to 2023-11-14T22:13:28.000Z" in said and "kept" not in said.split(";")[0]
    assert "the stream is new, and keeps for ever" in said
    again = own.run("import", "--stream", "front-door", RECORDING).stdout.decode()
    assert again.startswith("front-door: 0 fragments stored (") and ", 5 there already" in again
    assert len(numbers(own, "front-door")) == 5


def test_every_kind_of_input(own, tmp_path):
    data = RECORDING.read_bytes()
    own.run("import", "--stream", "piped", "-", input=data)
    folder = tmp_path / "fragments"
    folder.mkdir()
    starts = [at for at in range(len(data)) if data.startswith(b"\x1a\x45\xdf\xa3", at)] + [len(data)]
    for i, (start, end) in enumerate(zip(starts, starts[1:])):
        (folder / f"{i}.mkv").write_bytes(data[start:end])
    (folder / ".hidden").write_bytes(b"not a recording")
    own.run("import", "--stream", "from-folder", folder)
    own.run("import", "--stream", "by-url", f"file://{RECORDING}")
    expected = numbers(own, "piped")
    assert len(expected) == 5
    assert numbers(own, "from-folder") == numbers(own, "by-url") == expected


def test_in_place_copies_nothing(own, tmp_path):
    recording = tmp_path / "recording.mkv"
    recording.write_bytes(RECORDING.read_bytes())
    before = recording.stat()
    said = own.run("import", "--in-place", "--stream", "front-door", recording).stdout.decode()
    assert "5 fragments indexed in place" in said
    statistics = json.loads(own.run("streams", "--json").stdout)
    assert statistics["references"] == 5 and statistics["stored_bytes"] < statistics["document_bytes"] / 10
    server = Server(own)
    assert server.request("GET", clip_url("front-door", START, END))[2] == expected_clip(RECORDING, START, END)
    server.client().delete_stream(StreamARN=server.client().describe_stream(StreamName="front-door")["StreamInfo"]["StreamARN"])
    server.stop()
    own.run("prune")
    assert (recording.stat().st_mtime_ns, recording.read_bytes()) == (before.st_mtime_ns, RECORDING.read_bytes())
    assert own.run("import", "--in-place", "--stream", "x", "-", check=False).returncode == 2


def test_retention_of_a_stream(own):
    refused = own.run("import", "--stream", "short", "--retention", "2", RECORDING, check=False)
    assert refused.returncode == 2 and b"--retention" in refused.stderr
    said = own.run("import", "--stream", "long", "--retention", "87600", RECORDING).stdout.decode()
    assert "keeps for 87600 hours" in said
    other = own.run("import", "--stream", "long", "--retention", "5", RECORDING, check=False)
    assert other.returncode == 2


def test_lists(own):
    nothing = own.run("streams", check=False)
    assert nothing.returncode == 3 and b"no streams" in nothing.stderr
    own.run("import", "--stream", "front-door", RECORDING)
    own.run("import", "--stream", "garden", TESTDATA / "h265_aac.mkv")
    lines = own.run("streams").stdout.decode().splitlines()
    assert [line.split(":")[0] for line in lines] == ["front-door", "garden"]
    assert len(own.run("streams", "gar").stdout.splitlines()) == 1
    first = json.loads(own.run("streams", "--json", "front").stdout)
    assert (first["fragments"], first["retention_hours"], first["first"]) == (5, None, "2023-11-14T22:13:20.000Z")
    some = own.run("fragments", "front-door", "--start", START + 2, "--end", "2023-11-14T22:13:24Z").stdout.decode().splitlines()
    assert len(some) == 2 and all("2023-11-14T22:13:2" in line for line in some)
    assert own.run("fragments", "front-door", "--start", "1", "--end", "2", check=False).returncode == 3
    assert own.run("fragments", "absent", check=False).returncode == 3


@pytest.mark.parametrize("arguments, code", [
    (["import", "--stream", "a", "/absent.mkv"], 1),
    (["import", "--stream", "..", "x"], 2),
    (["import", "--stream", "a/b", "x"], 2),
    (["import", "--stream", "a", "-", "-"], 2),
    (["import", "--stream", "a"], 2),
    (["frobnicate"], 2),
    (["fragments", "a", "--start", "yesterday"], 2),
    (["check", "--stream", "absent"], 3),
])
def test_exit_codes(own, arguments, code):
    command, *rest = arguments
    done = own.run(command, *rest, check=False)
    assert done.returncode == code, done.stderr


def test_media_that_is_refused(own, tmp_path):
    """What is no Matroska is refused, and stores nothing."""
    wrong = tmp_path / "wrong.mkv"
    wrong.write_bytes(b"RIFF" + bytes(1000))
    done = own.run("import", "--stream", "a", wrong, check=False)
    assert done.returncode == 4 and b"[InvalidMediaFrameException]" in done.stderr


def test_check_and_prune(own):
    own.run("import", "--stream", "front-door", RECORDING)
    assert b"0 findings" in own.run("check", "--media").stdout
    assert b"0 fragments deleted" in own.run("prune").stdout


@pytest.mark.folder
def test_check_finds_a_damaged_object(own):
    own.run("import", "--stream", "front-door", RECORDING)
    found = [os.path.join(root, name) for root, _, names in os.walk(own.location) for name in names if "/f/" in root]
    victim = sorted(found)[2]
    data = bytearray(open(victim, "rb").read())
    data[0] ^= 0xFF
    os.chmod(victim, 0o644)
    open(victim, "wb").write(data)
    done = own.run("check", check=False)
    assert done.returncode == 4 and b"not repaired" in done.stderr and b"front-door" in done.stdout


def test_configuration(own, tmp_path):
    """The command line is before the environment, and that before the file."""
    file = tmp_path / "getclip.toml"
    file.write_text(f'archive = "{own.location}"\nstream = "from-file"\nlisten = "127.0.0.1:0"\nmax-clips = 3\n')

    def run(*arguments, **environment):
        line = [SERVER, *map(str, arguments)]
        return subprocess.run(line, env=ENVIRONMENT | STORE_ENVIRONMENT | environment, capture_output=True, text=True, timeout=60)

    assert run("--config", file, "import", RECORDING).stdout.startswith("from-file: 5 fragments")
    assert run("import", RECORDING, GETCLIP_CONFIG=str(file), GETCLIP_STREAM="from-environment").stdout.startswith("from-environment: ")
    said = run("import", "--config", file, "--stream", "from-line", RECORDING, GETCLIP_STREAM="from-environment")
    assert said.stdout.startswith("from-line: ")
    file.write_text("archiv = 'x'")
    wrong = run("--config", file, "streams")
    assert wrong.returncode == 2 and "archiv" in wrong.stderr
    assert run("--config", tmp_path / "absent.toml", "streams").returncode == 1


def test_an_import_that_is_killed(own, tmp_path):
    """kill -9 at random moments: what is there is whole, and importing again completes it without a duplicate."""
    recording = tmp_path / "long.mkv"
    data = RECORDING.read_bytes()
    # Fragments of other times and numbers, so that there is time to kill it.
    copies = []
    for i in range(40):
        copy = data.replace(b"91343852333181432392682062000600000000000", b"913438523331814323926820620006%011d" % i)
        copies.append(copy.replace(b"17000000", b"1700%04d" % i))
    recording.write_bytes(b"".join(copies))
    expected = 40 * 5
    rng = random.Random(3)
    whole = lambda: b"0 findings" in own.run("check", "--media").stdout
    # Some kills for each stream: the first ones have everything still to do.
    for stream in range(int(os.environ.get("GETCLIP_KILL_ROUNDS", "10")) // 5):
        line = [SERVER, "import", "--archive", own.location, "--stream", f"camera-{stream}", recording]
        for _ in range(5):
            process = subprocess.Popen(line, env=ENVIRONMENT | STORE_ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0.005, 0.15))
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        if own.run("streams", check=False).returncode == 0:
            assert whole()
        said = own.run("import", "--stream", f"camera-{stream}", recording).stdout.decode()
        assert "skipped" not in said
        listed = numbers(own, f"camera-{stream}")
        assert len(listed) == len(set(listed)) == expected
    assert whole()
