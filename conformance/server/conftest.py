"""What the tests share: one archive and one server for each module, unless a test starts its own."""

import pytest
from harness import TESTDATA, Archive, Server

# Five fragments of 2 s from this time on.
START, END = 1700000000, 1700000010


@pytest.fixture(scope="module")
def archive():
    archive = Archive()
    archive.run("import", "--stream", "front-door", TESTDATA / "h264_aac.mkv")
    yield archive
    archive.close()


@pytest.fixture(scope="module")
def server(archive):
    server = Server(archive)
    yield server
    assert server.stop() == 0, "".join(server.log)
