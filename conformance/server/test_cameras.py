"""Two replicas behind nginx as a TCP balancer, with cameras that send and others that watch, while replicas are killed.

GETCLIP_CAMERAS is how many cameras and how many watchers there are (6), GETCLIP_CAMERA_SECONDS how long they send (12).
"""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

from cameras import Camera, Watcher
from harness import ROOT, Archive, Server, selector, wait_until
from test_put_media import Producer
from test_signatures import KEYS

NGINX = ROOT / "crates/server/examples/nginx-stream.conf"
MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"
CAMERAS = int(os.environ.get("GETCLIP_CAMERAS", "6"))
SECONDS = int(os.environ.get("GETCLIP_CAMERA_SECONDS", "12"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def balancer(folder, ports):
    """nginx with the configuration of the examples, its ports in place. Returns the process and the port."""
    port = free_port()
    text = NGINX.read_text().replace("listen 8443;", f"listen 127.0.0.1:{port};")
    for example, actual in zip((8081, 8082), ports):
        text = text.replace(f"127.0.0.1:{example}", f"127.0.0.1:{actual}")
    head = f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{ worker_connections 4096; }}\n"
    if os.path.exists(MODULE):
        head = f"load_module {MODULE};\n" + head
    if os.geteuid() == 0:
        head = "user root;\n" + head
    config = folder / "nginx.conf"
    config.write_text(head + text)
    process = subprocess.Popen([shutil.which("nginx"), "-c", str(config), "-p", str(folder)], stderr=subprocess.DEVNULL)

    def listens():
        assert process.poll() is None, (folder / "error.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(listens)
    return process, port


def test_replicas_are_killed(tmp_path):
    """Nothing that was acknowledged is lost, each camera gets all of it persisted, and each watcher sees all of it, from its token on."""
    archive = Archive()
    keys = pathlib.Path(archive.folder, "keys.toml")
    keys.write_text(KEYS)
    ports = [free_port(), free_port()]
    start = lambda port: Server(archive, "--credentials", str(keys), port=port)
    replicas = [start(port) for port in ports]
    nginx, port = balancer(tmp_path, ports)
    front = type("Front", (), {"url": f"http://127.0.0.1:{port}", "port": port, "client": Server.client, "media": Server.media})()
    first_ms = (int(time.time()) - SECONDS) * 1000
    cameras, watchers = [], []
    for i in range(CAMERAS):
        name = f"camera-{i}"
        front.client().create_stream(StreamName=name, DataRetentionInHours=24)
        cameras.append(Camera(lambda name=name: Producer(front, name), first_ms, SECONDS))
        client = front.client("kinesis-video-media", read_timeout=60)
        watchers.append(Watcher(lambda start, client=client, name=name: client.get_media(StreamName=name, StartSelector=start)["Payload"]))
    for thread in cameras + watchers:
        thread.start()
    for victim in (0, 1):
        time.sleep(SECONDS / 3)
        replicas[victim].process.kill()
        replicas[victim].process.wait(10)
        time.sleep(min(2, SECONDS / 6))
        replicas[victim] = start(ports[victim])
    for camera in cameras:
        camera.join(SECONDS + 90)
        assert sorted(camera.persisted) == camera.timecodes
    assert any(camera.sessions > 1 for camera in cameras), "no connection was lost"
    for i, (camera, watcher) in enumerate(zip(cameras, watchers)):
        acknowledged = set(camera.persisted.values())
        listed = front.media().list_fragments(StreamName=f"camera-{i}", FragmentSelector=selector(0, 4000000000), MaxResults=1000)["Fragments"]
        stored = {fragment["FragmentNumber"] for fragment in listed}
        assert acknowledged <= stored
        wait_until(lambda: stored <= set(watcher.numbers), 30)
        # In order, and each once.
        assert watcher.numbers == sorted(set(watcher.numbers)) and set(watcher.numbers) == stored
    # A clip by producer time has every frame once, whatever was sent twice.
    span = selector(first_ms / 1000, first_ms / 1000 + min(SECONDS, 60))
    clip = front.media().get_clip(StreamName="camera-0", ClipFragmentSelector=span)["Payload"].read()
    frames = re.findall(rb"(\d{13}-\d{3})\x5a", clip)
    assert frames == [f"{first_ms + 1000 * second}-{i:03}".encode() for second in range(min(SECONDS, 60 + 1)) for i in range(10)]
    for watcher in watchers:
        watcher.stopped.set()
    print(f"{CAMERAS} cameras for {SECONDS} s: {sum(camera.sessions for camera in cameras)} sessions, {sum(watcher.lost for watcher in watchers)} watchers cut")
    nginx.terminate()
    nginx.wait(10)
    for replica in replicas:
        replica.stop()
    archive.close()
