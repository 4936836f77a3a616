"""Chromium, headless, driven through chromedriver's WebDriver protocol (W3C WebDriver, plain HTTP and JSON)."""

import contextlib
import http.server
import json
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

# The background services are off because each of them looks up hosts that a test machine cannot reach.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]

PAGE = b"<!doctype html><meta charset=utf-8><title>clip</title><video id=video></video>"

# Runs in the page. `url`, `rate` and `seconds` come from Python; `done` takes the answer.
SCRIPT = """
const [url, rate, seconds, listen, done] = arguments;
const video = document.getElementById('video');
const answer = {seeks: [], presented: 0};
const event = name => new Promise((resolve, reject) => {
  video.addEventListener(name, resolve, {once: true});
  const failed = () => reject(video.error.message || 'media error ' + video.error.code);
  video.addEventListener('error', failed, {once: true});
});
// The picture on the screen, by its time.
let shown = null;
const count = (_, data) => {
  answer.presented += 1;
  shown = data.mediaTime;
  video.requestVideoFrameCallback(count);
};
async function play() {
  video.requestVideoFrameCallback(count);
  const ended = event('ended');
  video.playbackRate = rate;
  await video.play();
  await ended;
  answer.ended = video.currentTime;
  answer.audioBytes = video.webkitAudioDecodedByteCount;
  answer.videoFrames = video.webkitDecodedFrameCount;
}
async function seek(second) {
  const started = performance.now();
  const before = shown;
  let again = null;
  const frame = new Promise(resolve => {
    // A frame from before the seek may still be on its way to the screen, or be shown once more: it is not the answer,
    // unless no other comes.
    const next = (_, data) => {
      if (data.presentationTime >= started && data.mediaTime !== before) return resolve(data.mediaTime);
      if (data.presentationTime >= started) again = data.mediaTime;
      video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
  });
  const seeked = event('seeked');
  video.currentTime = second;
  await seeked;
  const late = new Promise(resolve => setTimeout(() => resolve(again), again === null ? 3000 : 500));
  answer.seeks.push([second, await Promise.race([frame, late])]);
}
async function sound() {
  const bytes = await (await fetch(url)).arrayBuffer();
  const audio = await new OfflineAudioContext(1, 1, 48000).decodeAudioData(bytes);
  const samples = audio.getChannelData(0);
  answer.audioDuration = audio.duration;
  answer.audioRms = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}
(async () => {
  const loaded = event('loadedmetadata');
  video.volume = 0.5;
  video.src = url;
  await loaded;
  answer.duration = video.duration;
  answer.width = video.videoWidth;
  answer.height = video.videoHeight;
  await play();
  for (const second of seconds) await seek(second);
  if (listen) await sound();
})().catch(error => { answer.error = String(error); }).finally(() => done(answer));
"""

# Draws the pictures at `seconds`, and hands them back as gray pixels.
PICTURES = """
const [url, seconds, [width, height], done] = arguments;
const video = document.getElementById('video');
const answer = {pictures: []};
const canvas = document.createElement('canvas');
[canvas.width, canvas.height] = [width, height];
const context = canvas.getContext('2d');
const event = name => new Promise((resolve, reject) => {
  video.addEventListener(name, resolve, {once: true});
  video.addEventListener('error', () => reject(video.error.message), {once: true});
});
(async () => {
  const loaded = event('loadeddata');
  video.src = url;
  await loaded;
  answer.duration = video.duration;
  for (const second of seconds) {
    if (second > 0) {
      const seeked = event('seeked');
      video.currentTime = second;
      await seeked;
    }
    // What was decoded may not be on the screen yet.
    await new Promise(resolve => setTimeout(resolve, 300));
    context.drawImage(video, 0, 0);
    const pixels = context.getImageData(0, 0, width, height).data;
    answer.pictures.push(Array.from({length: width * height}, (_, index) => pixels[4 * index + 1]));
  }
})().catch(error => { answer.error = String(error); }).finally(() => done(answer));
"""

# Plays the clip through Web Audio, and returns when something is first heard, on the time line of the video.
HEARD = """
const [url, threshold, done] = arguments;
const video = document.getElementById('video');
const answer = {heard: null};
const event = name => new Promise((resolve, reject) => {
  video.addEventListener(name, resolve, {once: true});
  video.addEventListener('error', () => reject(video.error.message), {once: true});
});
const listener = `registerProcessor('listener', class extends AudioWorkletProcessor {
  process([[channel]], _, __) {
    const at = channel ? channel.findIndex(value => Math.abs(value) > ${threshold}) : -1;
    if (at >= 0) this.port.postMessage((currentFrame + at) / sampleRate);
    return at < 0;
  }
});`;
(async () => {
  const loaded = event('loadeddata');
  video.src = url;
  await loaded;
  const context = new AudioContext();
  await context.resume();
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([listener], {type: 'text/javascript'})));
  const node = new AudioWorkletNode(context, 'listener');
  context.createMediaElementSource(video).connect(node).connect(context.destination);
  let heard;
  node.port.onmessage = ({data}) => heard ??= data;
  // Where the clock of the sound is on the time line of the video: the middle of many readings.
  const offsets = [];
  const timer = setInterval(() => {
    if (video.currentTime > 0.1) offsets.push(video.currentTime - context.currentTime);
  }, 10);
  const ended = event('ended');
  await video.play();
  await ended;
  clearInterval(timer);
  offsets.sort((a, b) => a - b);
  answer.heard = heard == null ? null : heard + offsets[offsets.length >> 1];
})().catch(error => { answer.error = String(error); }).finally(() => done(answer));
"""


class Browser:
    """One chromedriver with one Chromium. `play` is not for two threads at once."""

    def __init__(self):
        self._session = None
        self._profile = tempfile.mkdtemp(prefix="conformance-chromium-")
        self._server = FileServer()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._root = f"http://127.0.0.1:{port}"
        self._driver = subprocess.Popen(
            ["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            self._start_session()
        except Exception:
            self.close()
            raise

    def close(self):
        """Ends the session, chromedriver and the server."""
        if self._session:
            with contextlib.suppress(OSError, RuntimeError):  # A browser that crashed has no session to end.
                self._call("DELETE", self._session)
        self._driver.terminate()
        self._driver.wait(timeout=20)
        self._server.close()
        shutil.rmtree(self._profile, ignore_errors=True)

    def play(self, clip, rate, seconds, listen):
        """Plays the file `clip` to its end at `rate`, seeks to `seconds`, and decodes its audio if `listen`."""
        url = self._server.serve(clip)
        self._call("POST", f"{self._session}/url", {"url": self._server.root + "/"})
        body = {"script": SCRIPT, "args": [url, rate, seconds, listen]}
        return self._call("POST", f"{self._session}/execute/async", body)

    def pictures(self, clip, seconds, size):
        """The pictures of the file `clip` at `seconds`, as gray pixels of the given size."""
        url = self._server.serve(clip)
        self._call("POST", f"{self._session}/url", {"url": self._server.root + "/"})
        body = {"script": PICTURES, "args": [url, seconds, list(size)]}
        return self._call("POST", f"{self._session}/execute/async", body)

    def heard(self, clip, threshold):
        """When a sample of the file `clip` first exceeds `threshold`, of 1, as its video is played."""
        url = self._server.serve(clip)
        self._call("POST", f"{self._session}/url", {"url": self._server.root + "/"})
        return self._call("POST", f"{self._session}/execute/async", {"script": HEARD, "args": [url, threshold]})

    def _start_session(self):
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError):  # It does not listen yet.
                if self._call("GET", "/status")["ready"]:
                    break
            if self._driver.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("chromedriver ended, or was not ready within 30 s")
            time.sleep(0.1)
        options = {"args": [*FLAGS, f"--user-data-dir={self._profile}"]}
        wanted = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}
        session = self._call("POST", "/session", {"capabilities": wanted})
        self._session = f"/session/{session['sessionId']}"
        self._call("POST", f"{self._session}/timeouts", {"script": 180_000})

    def _call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._root + path, data, {"Content-Type": "application/json"}, method=method
        )
        # A proxy in the environment must not see requests to this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=240) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"].splitlines()[0]) from None


class FileServer:
    """Serves the page and the clips on the loopback interface, with byte ranges (RFC 9110 section 14)."""

    def __init__(self):
        clips = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if self.path == "/":
                    return self._send(200, "text/html", PAGE)
                if self.path not in clips:
                    return self._send(404, "text/plain", b"")
                data = clips[self.path].read_bytes()
                span = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
                if not span:
                    return self._send(200, "video/mp4", data)
                first = int(span[1])
                last = min(int(span[2] or len(data)), len(data) - 1)
                content_range = {"Content-Range": f"bytes {first}-{last}/{len(data)}"}
                return self._send(206, "video/mp4", data[first : last + 1], content_range)

            def _send(self, status, content_type, data, headers=()):
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Accept-Ranges", "bytes")
                for name, value in dict(headers).items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(
                    ConnectionError
                ):  # A player that seeks drops what it no longer needs.
                    self.wfile.write(data)

            def log_message(self, *_):
                pass

        self._clips = clips
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.root = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def serve(self, clip):
        """The URL under which `clip` is served from now on."""
        name = f"/{len(self._clips)}.mp4"
        self._clips[name] = pathlib.Path(clip)
        return self.root + name

    def close(self):
        self._http.shutdown()
        self._http.server_close()
