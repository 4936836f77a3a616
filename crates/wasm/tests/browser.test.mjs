// examples/browser in Chromium: what is dropped on the page plays, and is saved with the bytes of the program.

import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { mkdtemp, open, readFile, rm, stat } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { after, before, beforeEach, test } from "node:test";

import { chromium } from "playwright-core";

import { program, root, sha256, testdata } from "./program.mjs";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm" };
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"];
const RECORDING = `${testdata}h264_aac.mkv`;

let folder, server, browser, page, complaints;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "getclip-"));
  server = http.createServer(serve).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", headless: true, args: FLAGS });
});

after(async () => {
  await browser?.close();
  server?.close();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  await page?.close();
  page = await browser.newPage();
  complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  await page.goto(`http://127.0.0.1:${server.address().port}/examples/browser/index.html`);
});

/** The files of this repository, and a recording that is somewhere else. */
function serve(request, response) {
  const path = join(root, normalize(new URL(request.url, "http://localhost").pathname));
  if (path.endsWith("favicon.ico")) return response.writeHead(204).end();
  response.setHeader("Content-Type", TYPES[extname(path)] ?? "application/octet-stream");
  createReadStream(path).on("error", () => response.writeHead(404).end()).pipe(response);
}

/** The text below the drop zone, when the page is done. */
async function finished() {
  await page.waitForFunction(() => document.getElementById("progress").hidden, null, { timeout: 60_000 });
  return page.textContent("#status");
}

/** SHA-256 of what the link saves. */
async function saved() {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save")]);
  assert.equal(download.suggestedFilename(), "clip.mp4");
  return sha256(await readFile(await download.path()));
}

test("what is chosen is saved as the program would", async () => {
  await page.setInputFiles("#files", RECORDING);
  assert.equal(await finished(), "5 fragments, 10 s, 0.2 MB");
  assert.equal(await saved(), sha256(program(RECORDING)));
  assert.deepEqual(complaints, []);
});

test("what is dropped plays, and can be sought in", async () => {
  const recording = [...(await readFile(RECORDING))];
  await page.evaluate((recording) => {
    const dropped = new DataTransfer();
    dropped.items.add(new File([new Uint8Array(recording)], "recording.mkv"));
    document.getElementById("drop").dispatchEvent(new DragEvent("drop", { dataTransfer: dropped }));
  }, recording);
  await finished();
  const video = await page.evaluate(async () => {
    const video = document.getElementById("video");
    const once = (type) => new Promise((resolve) => video.addEventListener(type, resolve, { once: true }));
    video.muted = true;
    await video.play();
    while (video.currentTime < 0.5) await once("timeupdate");
    video.pause();
    const sought = once("seeked");
    video.currentTime = 7.5;
    await sought;
    const { duration, videoWidth, videoHeight, currentTime, error } = video;
    const { totalVideoFrames, droppedVideoFrames } = video.getVideoPlaybackQuality();
    return { duration, videoWidth, videoHeight, currentTime, error, shown: totalVideoFrames - droppedVideoFrames };
  });
  assert.deepEqual([video.videoWidth, video.videoHeight, video.currentTime, video.error], [320, 180, 7.5, null]);
  assert(Math.abs(video.duration - 10.03) < 0.05, `a duration of ${video.duration} s`);
  assert(video.shown >= 10, `${video.shown} pictures shown`);
  assert.deepEqual(complaints, []);
});

test("a range by the producer's clock", async () => {
  await page.setInputFiles("#files", RECORDING);
  await finished();
  await page.fill("[name=start]", "2023-11-14T22:13:22Z");
  await page.fill("[name=end]", "2023-11-14T22:13:24Z");
  await page.locator("[name=end]").blur();
  await page.waitForFunction(() => document.getElementById("status").textContent.startsWith("2 fragments"));
  const range = ["--start", "2023-11-14T22:13:22Z", "--end", "2023-11-14T22:13:24Z"];
  assert.equal(await saved(), sha256(program(RECORDING, ...range)));
});

test("several files are one recording, in the order of their names", async () => {
  const recording = await readFile(RECORDING);
  const part = (name, buffer) => ({ name, mimeType: "video/x-matroska", buffer });
  const halves = [part("part 10.mkv", recording.subarray(90_000)), part("part 9.mkv", recording.subarray(0, 90_000))];
  await page.setInputFiles("#files", halves);
  await finished();
  assert.equal(await saved(), sha256(program(RECORDING)));
});

test("what is no recording is refused", async () => {
  await page.setInputFiles("#files", { name: "text.txt", mimeType: "text/plain", buffer: Buffer.from("a text") });
  assert.match(await finished(), /^InvalidMediaFrameException: expected an EBML header/);
  assert.equal(await page.isVisible("#result"), false);
});

test("a recording larger than what the page may use", async () => {
  // The same fragments again and again, most of them duplicates: 1 GB that is read from end to end.
  const recording = await readFile(RECORDING);
  const path = join(folder, "large.mkv");
  const file = await open(path, "w");
  const block = Buffer.concat(new Array(100).fill(recording));
  while ((await stat(path)).size < 1e9) await file.write(block);
  await file.close();

  const devtools = await browser.newBrowserCDPSession();
  const peak = { bytes: 0 };
  const watch = setInterval(async () => {
    const { processInfo } = await devtools.send("SystemInfo.getProcessInfo");
    for (const { id } of processInfo.filter(({ type }) => type === "renderer")) {
      const status = await readFile(`/proc/${id}/status`, "utf8").catch(() => "");
      peak.bytes = Math.max(peak.bytes, 1024 * Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0));
    }
  }, 20);
  await page.setInputFiles("#files", path);
  assert.match(await finished(), /^5 fragments/);
  clearInterval(watch);
  assert.equal(await saved(), sha256(program(RECORDING)));
  assert(peak.bytes > 0 && peak.bytes < 150e6, `${Math.round(peak.bytes / 1e6)} MB of memory for a recording of 1 GB`);
});
