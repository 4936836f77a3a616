// The package in Node.js: the bytes are those of the program.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { openAsBlob } from "node:fs";
import { cp, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

import { GetClipError, clip, plan } from "getclip";

import { needs, program, recordings, sha256, testdata } from "./program.mjs";

const recording = () => openAsBlob(`${testdata}h264_aac.mkv`);
const bytes = async (blob) => new Uint8Array(await blob.arrayBuffer());

for (const name of recordings) {
  test(`${name}: the program's clip`, async () => {
    const [options, words] = needs[name] ?? [{}, []];
    const expected = program(testdata + name, ...words);
    const planned = await plan(await openAsBlob(testdata + name), options);
    const made = await planned.blob();
    assert.equal(made.type, "video/mp4");
    assert.equal(made.size, planned.size);
    assert.equal(sha256(await bytes(made)), sha256(expected));
    const streamed = [];
    for await (const chunk of planned.stream()) streamed.push(chunk);
    assert.equal(sha256(Buffer.concat(streamed)), sha256(expected));
  });
}

/** A fragment of one picture: what stands before the Cluster in a recording, and a Cluster with a key frame. */
async function onePicture(length) {
  const file = await readFile(`${testdata}h264_only.mkv`);
  const header = file.subarray(0, file.indexOf(Buffer.from("1f43b675", "hex")));
  const size = (bytes) => Buffer.from([0x08, 0, 0, 0, 0, 0, 0, 0].map((_, at) => (at < 4 ? (at ? 0 : 1) : bytes >>> (8 * (7 - at)))));
  // SimpleBlock of track 1 at time 0 with the flag of a key frame: a NAL unit that begins as an IDR slice does.
  const nal = Buffer.concat([Buffer.from([0x65, 0x88, 0x84, 0x21]), Buffer.alloc(length - 8, 0xaa)]);
  const frame = Buffer.concat([Buffer.from([0, 0, 0, 0]), nal]);
  frame.writeUInt32BE(nal.length);
  const block = Buffer.concat([Buffer.from([0x81, 0, 0, 0x80]), frame]);
  const blocks = Buffer.concat([Buffer.from([0xe7, 0x81, 0, 0xa3]), size(block.length), block]);
  return Buffer.concat([header, Buffer.from("1f43b675", "hex"), size(blocks.length), blocks]);
}

test("long ranges are referred to, shorter ones are copied", async () => {
  const slices = [];
  class Watched extends Blob {
    slice(start, end) {
      slices.push(end - start);
      return super.slice(start, end);
    }
  }
  for (const length of [262_143, 262_144, 300_000]) {
    const recording = await onePicture(length);
    const planned = await plan(new Watched([recording]));
    slices.length = 0;
    const made = await bytes(await planned.blob());
    assert.deepEqual(Buffer.from(made.subarray(-length)), recording.subarray(-length));
    assert.deepEqual(slices, [length]);
    const streamed = [];
    for await (const chunk of planned.stream()) streamed.push(chunk);
    assert.deepEqual(Buffer.concat(streamed), Buffer.from(made));
  }
});

test("start and end, in every form of a time", async () => {
  const file = await recording();
  const starts = (await plan(file)).report.fragments.map((fragment) => Date.parse(fragment.producer_timestamp));
  assert.equal(starts.length, 5);
  const expected = program(`${testdata}h264_aac.mkv`, "--start", `${starts[1] / 1000}`, "--end", `${starts[3] / 1000}`);
  const forms = [(time) => time, (time) => new Date(time), (time) => new Date(time).toISOString(), (time) => `${time / 1000}`];
  for (const form of forms) {
    const made = await clip(file, { start: form(starts[1]), end: form(starts[3]) });
    assert.equal(sha256(await bytes(made)), sha256(expected));
  }
  const counts = async (options) => (await plan(file, options)).report.fragments.length;
  assert.equal(await counts({ start: starts[2] }), 3);
  assert.equal(await counts({ end: starts[2] }), 3);
  // Rounded inwards.
  assert.equal(await counts({ start: starts[1] + 0.001, end: starts[3] - 0.001 }), 1);
});

test("a range that begins inside a fragment", async () => {
  const file = await recording();
  const range = { start: "2023-11-14T22:13:22.5Z", end: "2023-11-14T22:13:26.5Z" };
  const words = ["--start", range.start, "--end", range.end];
  for (const option of ["cover", "exact"]) {
    const made = await clip(file, { ...range, [option]: true });
    assert.equal(sha256(await bytes(made)), sha256(program(`${testdata}h264_aac.mkv`, ...words, `--${option}`)));
  }
  const off = await plan(file, { ...range, cover: false, exact: false });
  assert.equal(off.report.fragments.length, 2);
  assert.equal((await plan(file, { ...range, cover: true })).report.fragments.length, 3);
  await assert.rejects(plan(file, { gaps: true }), /unknown option gaps/);
});

test("tracks", async () => {
  const file = await recording();
  const types = async (options) => (await plan(file, options)).report.tracks.map((track) => track.type);
  assert.deepEqual(await types({ audioTrack: "none" }), ["video"]);
  assert.deepEqual(await types({ videoTrack: "none" }), ["audio"]);
  assert.deepEqual(await types({ videoTrack: "available", audioTrack: "available" }), ["video", "audio"]);
  assert.deepEqual(await types({ videoTrack: 1, audioTrack: 2 }), ["video", "audio"]);
  const made = await clip(file, { audioTrack: "none" });
  assert.equal(sha256(await bytes(made)), sha256(program(`${testdata}h264_aac.mkv`, "--no-audio")));
  await assert.rejects(plan(file, { videoTrack: 3 }), { name: "UnsupportedStreamMediaTypeException" });
  for (const wrong of ["first", 0, -1, 1.5, true]) {
    await assert.rejects(plan(file, { audioTrack: wrong }), /a track number|unknown option/);
  }
});

test("limits", async () => {
  const file = await recording();
  const two = await plan(file, { maxFragments: 2 });
  assert.equal(two.report.fragments.length, 2);
  assert.equal(two.report.cut.limit, "fragments");
  assert.equal((await plan(file, { maxBytes: two.size + 1 })).size, two.size);
  assert.equal((await plan(file, { maxBytes: Infinity, maxFragments: Infinity })).report.cut, null);
  for (const limit of [0, -1, 1.5, NaN, "many"]) {
    await assert.rejects(plan(file, { maxFragments: limit }), /maxFragments: expected a whole number from 1 on/);
  }
});

test("options that do not exist", async () => {
  const file = await recording();
  for (const options of [{ by: "camera" }, { gaps: "open" }, { profile: 5 }, { codecChanges: "newSampleEntry" }]) {
    await assert.rejects(plan(file, options), { name: "InvalidArgumentException", message: /expected .*found/ });
  }
  await assert.rejects(plan(file, { maxByte: 5 }), /unknown option maxByte/);
  for (const absent of [undefined, null]) {
    const options = { start: absent, end: absent, gaps: absent, maxBytes: absent, recordingStart: absent };
    assert.equal((await plan(file, options)).size, (await plan(file)).size);
  }
  for (const start of [NaN, new Date("yesterday"), {}]) {
    await assert.rejects(plan(file, { start }), { name: "TypeError", message: /expected a Date/ });
  }
});

test("every word of every option", async () => {
  const file = await recording();
  const { size } = await plan(file);
  const words = {
    by: ["producer", "server"],
    profile: ["extended", "service"],
    codecChanges: ["refuse", "new-sample-entry"],
    gaps: ["keep", "close"],
    incompleteInput: ["keep", "refuse"],
    missingCodecPrivate: ["refuse", "from-frames"],
  };
  for (const [option, its] of Object.entries(words)) {
    for (const word of its) assert.equal((await plan(file, { [option]: word })).size, size, `${option}: ${word}`);
  }
});

test("refusals are GetClip's", async () => {
  const refusal = async (blob, options) => {
    const error = await plan(blob, options).then(() => assert.fail("not refused"), (error) => error);
    assert(error instanceof GetClipError && error instanceof Error);
    return error;
  };
  const none = await refusal(await recording(), { end: 1 });
  assert.deepEqual([none.name, none.status, none.offset], ["ResourceNotFoundException", 404, null]);
  const text = await refusal(new Blob(["a text, not a recording"]));
  assert.deepEqual([text.name, text.status, text.offset], ["InvalidMediaFrameException", 400, 0]);
  assert.match(text.message, /expected an EBML header/);
  const changed = await refusal(await openAsBlob(`${testdata}h264_resolution_change.mkv`));
  assert.equal(changed.name, "InvalidCodecPrivateDataException");
  assert.match(changed.fragment, /^\d{47}$/);
  assert.equal((await refusal(await recording(), { start: 5, end: 5 })).name, "InvalidArgumentException");
  assert.equal((await refusal(await recording(), { start: "yesterday" })).name, "InvalidArgumentException");
  const cutOff = (await recording()).slice(0, 150_000);
  assert.equal((await refusal(cutOff, { incompleteInput: "refuse" })).status, 400);
  assert.equal((await plan(cutOff)).report.events.some(({ event }) => event === "incomplete"), true);
});

test("the report", async () => {
  const { report } = await plan(await recording());
  const [video, audio] = report.tracks;
  assert.deepEqual([video.type, video.codec, video.width, video.height, video.samples], ["video", "h264", 320, 180, 300]);
  assert.deepEqual([audio.type, audio.codec, audio.sampling_rate, audio.channels], ["audio", "aac", 48000, 2]);
  assert(Math.abs(report.duration_ns - 10.03e9) < 0.05e9);
  for (const event of report.events) assert.equal(typeof event.event, typeof event.text);
  assert.match(report.events[0].text, /^track 1: /);
});

test("progress, and an end to it", async () => {
  const file = new Blob(new Array(40).fill(await readFile(`${testdata}h264_aac.mkv`)));
  const seen = [];
  await plan(file, { onProgress: (...progress) => seen.push(progress) });
  assert(seen.length > 1 && seen.every(([read], at) => at === 0 || read > seen[at - 1][0]));
  assert.deepEqual(seen.at(-1), [file.size, file.size]);
  const stop = new AbortController();
  const stopped = plan(file, { signal: stop.signal, onProgress: () => stop.abort() });
  await assert.rejects(stopped, { name: "AbortError" });
});

test("a stream that is not read to its end", async () => {
  const reader = (await plan(await recording())).stream().getReader();
  assert.equal((await reader.read()).value.subarray(4, 8).toString(), Buffer.from("ftyp").join());
  await reader.cancel();
});

test("a clip that the browser has no room for", async (t) => {
  const planned = await plan(await recording());
  // As Chromium does it beyond 500 MB: the Blob is there, and cannot be read.
  class Full extends Blob {
    slice() {
      return { arrayBuffer: () => Promise.reject(new DOMException("could not be read", "NotReadableError")) };
    }
  }
  const roomy = Blob;
  globalThis.Blob = Full;
  t.after(() => (globalThis.Blob = roomy));
  await assert.rejects(planned.blob(), { name: "QuotaExceededError", message: /no room for a Blob of 220608 bytes/ });
});

test("several files are one recording", async () => {
  const file = await recording();
  const halves = new Blob([file.slice(0, 100_001), file.slice(100_001)]);
  assert.deepEqual(await bytes(await clip(halves)), await bytes(await clip(file)));
});

test("the recipe of the README for Node.js", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [recipe] = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code).filter((code) => code.includes("openAsBlob"));
  const folder = await mkdtemp(join(tmpdir(), "getclip-"));
  try {
    await symlink(fileURLToPath(new URL("node_modules", import.meta.url)), join(folder, "node_modules"));
    await cp(`${testdata}h264_aac.mkv`, join(folder, "recording.mkv"));
    execFileSync(process.execPath, ["--no-warnings", "--input-type=module", "--eval", recipe], { cwd: folder });
    assert.equal(sha256(await readFile(join(folder, "clip.mp4"))), sha256(program(`${testdata}h264_aac.mkv`)));
  } finally {
    await rm(folder, { recursive: true });
  }
});
