"""Two servers over one archive behind nginx, one of them killed while clips are served."""

import os
import pathlib
import shutil
import subprocess
import threading
import time

import botocore.exceptions
import pytest
from conftest import END, START
from harness import TESTDATA, Archive, Server, expected_clip, selector

NGINX = pathlib.Path(__file__).resolve().parents[2] / "crates/server/examples/nginx.conf"


@pytest.fixture
def replicas(tmp_path):
    archive = Archive()
    archive.run("import", "--stream", "front-door", TESTDATA / "h264_aac.mkv")
    servers = [Server(archive), Server(archive)]
    yield archive, servers
    for server in servers:
        server.stop()
    archive.close()


class Nginx:
    """nginx with the configuration of the examples, its ports and addresses in place."""

    def __init__(self, folder, servers):
        import socket

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        text = NGINX.read_text()
        upstream = "".join(f"server 127.0.0.1:{server.port};\n" for server in servers)
        text = text.replace("server 127.0.0.1:8081;", upstream, 1).replace("server 127.0.0.1:8082;", "", 1)
        text = text.replace("listen 80;", f"listen 127.0.0.1:{self.port};")
        main = f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{ }}\n"
        if os.geteuid() == 0:
            main = "user root;\n" + main
        paths = "".join(f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = folder / "nginx.conf"
        config.write_text(f"{main} http {{ access_log off; {paths} {text} }}")
        self.process = subprocess.Popen([shutil.which("nginx"), "-c", str(config), "-p", str(folder)])
        self.url = f"http://127.0.0.1:{self.port}"
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline and self.process.poll() is None, (folder / "error.log").read_text()
                time.sleep(0.1)

    def close(self):
        self.process.terminate()
        self.process.wait(10)


def test_one_is_killed(replicas, tmp_path):
    """Clients that retry lose nothing; a body that is cut is noticed, and its client asks again."""
    archive, servers = replicas
    nginx = Nginx(tmp_path, servers)
    front = type("Front", (), {"url": nginx.url, "client": Server.client, "media": Server.media})()
    expected = expected_clip(TESTDATA / "h264_aac.mkv", START, END)
    stop, failures, counts = threading.Event(), [], []

    def fetch():
        media = front.media(retries={"max_attempts": 5, "mode": "standard"})
        done = 0
        while not stop.is_set():
            for _ in range(3):
                try:
                    answer = media.get_clip(StreamName="front-door", ClipFragmentSelector=selector(START, END))
                    body = answer["Payload"].read()
                    break
                except botocore.exceptions.ResponseStreamingError:
                    continue
            else:
                failures.append("cut three times")
                break
            if body != expected:
                failures.append(len(body))
            done += 1
        counts.append(done)

    threads = [threading.Thread(target=fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(2)
    servers[0].process.kill()
    time.sleep(3)
    stop.set()
    for thread in threads:
        thread.join()
    nginx.close()
    assert failures == [] and min(counts) > 5, (failures, counts)


def test_replicas_see_each_others_changes(replicas):
    _, (first, second) = replicas
    arn = first.client().create_stream(StreamName="shared", DataRetentionInHours=3)["StreamARN"]
    info = second.client().describe_stream(StreamARN=arn)["StreamInfo"]
    assert info["DataRetentionInHours"] == 3
    second.client().update_stream(StreamName="shared", CurrentVersion=info["Version"], DeviceName="camera")
    assert first.client().describe_stream(StreamName="shared")["StreamInfo"]["DeviceName"] == "camera"
    with pytest.raises(botocore.exceptions.ClientError, match="VersionMismatchException"):
        first.client().update_stream(StreamName="shared", CurrentVersion=info["Version"], DeviceName="other")


def test_one_of_many_creates_a_stream(replicas):
    _, servers = replicas
    outcomes = []

    def create(server):
        try:
            outcomes.append(server.client().create_stream(StreamName="raced")["StreamARN"])
        except botocore.exceptions.ClientError as error:
            outcomes.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=create, args=(servers[i % 2],)) for i in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [outcome for outcome in outcomes if outcome.startswith("arn:")]
    assert len(winners) == 1 and outcomes.count("ResourceInUseException") == 31, outcomes
