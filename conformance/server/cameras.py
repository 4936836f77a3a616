"""Cameras that send made-up H.264 by PutMedia: their documents, and sessions that go on after a connection is lost."""

import re
import threading
import time

from harness import TESTDATA

CLUSTER = b"\x1f\x43\xb6\x75"
# EBML header to Tracks of a stream with pictures only.
_recording = (TESTDATA / "h264_only.mkv").read_bytes()
_tags = _recording.index(b"\x12\x54\xc3\x67")
HEADER = _recording[: min(_tags, _recording.index(CLUSTER))]


def fragment(timecode_ms, frames, frame_bytes, step_ms):
    """A document of one Cluster, whose first picture is an IDR picture."""
    cluster = b"\xe7\x88" + timecode_ms.to_bytes(8, "big")
    for i in range(frames):
        # Each frame is another.
        nal = (b"\x65\x88\x84" if i == 0 else b"\x41\x9a\x20") + f"{timecode_ms}-{i:03}".encode()
        nal += b"\x5a" * (frame_bytes - len(nal))
        block = b"\x81" + (i * step_ms).to_bytes(2, "big") + (b"\x80" if i == 0 else b"\x00") + len(nal).to_bytes(4, "big") + nal
        cluster += b"\xa3" + (len(block) | 1 << 28).to_bytes(4, "big") + block
    return HEADER + CLUSTER + (len(cluster) | 1 << 56).to_bytes(8, "big") + cluster


class Camera(threading.Thread):
    """Sends a fragment a second, and whatever was not acknowledged again, until it is told to stop and all is persisted."""

    def __init__(self, connect, first_ms, seconds, frame_bytes=400):
        super().__init__(daemon=True)
        self.connect, self.frame_bytes = connect, frame_bytes
        self.timecodes = [first_ms + 1000 * i for i in range(seconds)]
        self.persisted = {}
        self.sessions = 0
        self.started = time.monotonic()

    def run(self):
        while missing := [timecode for timecode in self.timecodes if timecode not in self.persisted]:
            try:
                producer = self.connect()
                self.sessions += 1
                producer.socket.settimeout(20)
                reader = threading.Thread(target=self._read, args=(producer,), daemon=True)
                reader.start()
                for timecode in missing:
                    time.sleep(max(0, self.started + (timecode - self.timecodes[0]) / 1000 - time.monotonic()))
                    producer.send(fragment(timecode, 10, self.frame_bytes, 100))
                producer.end()
                reader.join(30)
                producer.close()
            except OSError:
                time.sleep(0.2)

    def _read(self, producer):
        try:
            while (event := producer.next()) is not None:
                if event["EventType"] == "PERSISTED":
                    self.persisted.setdefault(event["FragmentTimecode"], event["FragmentNumber"])
        except OSError:
            pass


_NUMBER = re.compile(rb"AWS_KINESISVIDEO_FRAGMENT_NUMBERD\x87.(\d+)")
TOKEN = re.compile(rb"AWS_KINESISVIDEO_CONTINUATION_TOKEND\x87.(\d{61})")


class Watcher(threading.Thread):
    """Reads GetMedia from the first fragment on, and from its continuation token after a connection is lost."""

    def __init__(self, get_media):
        super().__init__(daemon=True)
        self.get_media = get_media
        self.numbers = []
        self.lost = 0
        self.stopped = threading.Event()

    def run(self):
        start = {"StartSelectorType": "EARLIEST"}
        while not self.stopped.is_set():
            try:
                body, data = self.get_media(start), b""
                while not self.stopped.is_set():
                    chunk = body._raw_stream.read1(1 << 16)
                    if not chunk:
                        raise OSError("the response has ended")
                    data += chunk
                    # A fragment is there when its token is.
                    while token := TOKEN.search(data):
                        self.numbers += [number.decode() for number in _NUMBER.findall(data[: token.start()])]
                        start = {"StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": token[1].decode()}
                        data = data[token.end() :]
                body.close()
            except Exception:
                self.lost += 1
                time.sleep(0.2)
