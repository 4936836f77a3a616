// Kinesis Video Streams fragments in, one progressive MP4 out, in a browser and in Node.js.
//
// The WebAssembly module (getclip.js, getclip_bg.wasm) indexes a recording and plans the clip. What touches the
// recording itself is here: reading it, and putting the clip together.

import init, { Builder } from "./getclip.js";

/** Bytes of the recording that are read at a time, at most. */
const READ = 1 << 20;

/** Ranges of this length and more are referred to. A slice of a file takes a browser as long as a copy of 256 KiB. */
const REFERRED = 256 << 10;

/** Shorter ranges are copied together, from at most so many bytes of the recording to at most so many of the clip. */
const WINDOW = 8 << 20;

/** Bytes of the clip whose extents are in memory at a time. */
const BATCH = 256 << 20;

/** The media or the request was refused, as GetClip would have refused it. */
export class GetClipError extends Error {
  constructor({ message, name, status, fragment, track, offset }) {
    super(message);
    Object.assign(this, { name, status, fragment, track, offset });
  }
}

export async function clip(recording, options) {
  return (await plan(recording, options)).blob();
}

export async function plan(recording, { signal, onProgress, ...options } = {}) {
  await (loading ??= load());
  const planner = refusals(() => plannerOf(options));
  try {
    let bytesRead = 0;
    for await (const bytes of chunks(recording)) {
      signal?.throwIfAborted();
      refusals(() => planner.push(bytes));
      onProgress?.((bytesRead += bytes.length), recording.size);
    }
    return new ClipPlan(recording, refusals(() => planner.finish()));
  } finally {
    planner.free();
  }
}

class ClipPlan {
  #recording;
  #plan;

  constructor(recording, plan) {
    this.#recording = recording;
    this.#plan = plan;
    this.size = plan.size;
    this.type = plan.content_type;
    this.report = JSON.parse(plan.report);
    const texts = plan.event_texts;
    this.report.events.forEach((event, at) => (event.text = texts[at]));
  }

  async blob() {
    const parts = [];
    for await (const part of this.#parts()) {
      // The bytes of a Blob are no longer in the memory of the page.
      parts.push(part instanceof Blob ? part : new Blob([part]));
    }
    const clip = new Blob(parts, { type: this.type });
    try {
      // What a browser had no room for cannot be read, and nothing else tells.
      await clip.slice(0, 1).arrayBuffer();
    } catch {
      const message = `the browser has no room for a Blob of ${this.size} bytes; the plan's stream() needs none`;
      throw new DOMException(message, "QuotaExceededError");
    }
    return clip;
  }

  stream() {
    const bytes = this.#bytes();
    return new ReadableStream({
      async pull(controller) {
        const { value, done } = await bytes.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => bytes.return(),
    });
  }

  async *#bytes() {
    for await (const part of this.#parts()) {
      if (part instanceof Blob) for await (const bytes of chunks(part)) yield bytes.slice();
      else yield part.slice();
    }
  }

  /** The clip in parts: long ranges of the recording, and bytes that are valid until the next part. */
  async *#parts() {
    const copier = new Copier(this.#recording);
    for (let at = 0; at < this.size; at += BATCH) {
      for (const extent of this.#extents(at, Math.min(at + BATCH, this.size))) {
        if (!extent.bytes && extent.length >= REFERRED) {
          yield* copier.flush();
          yield this.#recording.slice(extent.start, extent.start + extent.length);
        } else if (!copier.add(extent)) {
          yield* copier.flush();
          copier.add(extent);
        }
      }
    }
    yield* copier.flush();
  }

  /** What a range of the clip is made of: `bytes`, or a range of the recording from `start` on. */
  *#extents(from, to) {
    const extents = this.#plan.extents(from, to);
    const { ranges, inline } = extents;
    extents.free();
    let at = 0;
    for (let index = 0; index < ranges.length; index += 2) {
      const [start, length] = [ranges[index], ranges[index + 1]];
      yield start < 0 ? { bytes: inline.subarray(at, (at += length)), length } : { start, length };
    }
  }
}

/**
 * Copies runs of short extents that follow each other in the clip, and lie close together in the recording.
 *
 * Into the same two buffers every time: a browser lets go of others long after they are out of use.
 */
class Copier {
  #recording;
  #media = new ArrayBuffer(WINDOW);
  #clip = new Uint8Array(WINDOW);
  #extents = [];
  #length = 0;
  /** The range of the recording that they lie in. */
  #start = Infinity;
  #end = 0;

  constructor(recording) {
    this.#recording = recording;
  }

  /** Adds an extent, or returns false if the run is as long as one may be. */
  add(extent) {
    const { bytes, start = this.#start } = extent;
    const end = bytes ? this.#end : start + extent.length;
    const [first, last] = [Math.min(this.#start, start), Math.max(this.#end, end)];
    const length = this.#length + extent.length;
    if (this.#extents.length > 0 && Math.max(length, last - first) > WINDOW) return false;
    this.#extents.push(extent);
    [this.#start, this.#end, this.#length] = [first, last, length];
    return true;
  }

  /** Yields the bytes of the run, if there is one. They are valid until the next. */
  async *flush() {
    if (this.#extents.length === 0) return;
    const media = await this.#read();
    if (this.#clip.length < this.#length) this.#clip = new Uint8Array(this.#length);
    let at = 0;
    for (const { bytes, start, length } of this.#extents) {
      this.#clip.set(bytes ?? media.subarray(start - this.#start, start - this.#start + length), at);
      at += length;
    }
    [this.#extents, this.#length, this.#start, this.#end] = [[], 0, Infinity, 0];
    yield this.#clip.subarray(0, at);
  }

  async #read() {
    const range = this.#end > 0 ? this.#recording.slice(this.#start, this.#end) : new Blob();
    const media = await readInto(this.#media, range);
    this.#media = media.buffer;
    return media;
  }
}

/** The bytes of a Blob, a part at a time, each in the same buffer. */
async function* chunks(blob) {
  const reader = byteReader(blob);
  // Without one, each part is in a buffer of its own.
  if (!reader) return yield* blob.stream();
  try {
    let buffer = new ArrayBuffer(READ);
    for (;;) {
      const { value, done } = await reader.read(new Uint8Array(buffer));
      if (done) return;
      yield value;
      buffer = value.buffer;
    }
  } finally {
    await reader.cancel();
  }
}

/** All bytes of a Blob that is no longer than the buffer. The buffer is used up: that of the result takes its place. */
async function readInto(buffer, blob) {
  const reader = byteReader(blob);
  if (!reader) return new Uint8Array(await blob.arrayBuffer());
  let length = 0;
  while (length < blob.size) {
    const { value, done } = await reader.read(new Uint8Array(buffer, length, blob.size - length));
    if (done) throw new DOMException("the recording has become shorter", "NotReadableError");
    buffer = value.buffer;
    length += value.length;
  }
  await reader.cancel();
  return new Uint8Array(buffer, 0, length);
}

/** A reader into buffers of one's own, where Blobs can be read like that. */
function byteReader(blob) {
  try {
    return blob.stream().getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}

function plannerOf({ start, end, by = "producer", ...options }) {
  const builder = new Builder(`${by}`, millis(start), millis(end));
  try {
    for (const [name, value] of Object.entries(options)) {
      if (value == null) continue;
      if (name === "recordingStart") builder.recording_start(millis(value));
      else if (typeof value === "boolean") builder.turn(name, value);
      else if (name === "maxFragments" || name === "maxBytes") builder.limit(name, Number(value));
      else builder.choose(name, `${value}`);
    }
    return builder.planner();
  } finally {
    builder.free();
  }
}

/** Milliseconds since 1970, if there is a time. */
function millis(time) {
  if (time == null) return undefined;
  const millis = typeof time === "string" ? Builder.time(time) : Number(time);
  if (Number.isNaN(millis)) throw new TypeError(`expected a Date, milliseconds since 1970, or text, found ${time}`);
  return millis;
}

/** Calls into the module, which throws the members of a GetClipError as JSON. */
function refusals(call) {
  try {
    return call();
  } catch (thrown) {
    throw typeof thrown === "string" ? new GetClipError(JSON.parse(thrown)) : thrown;
  }
}

/** The module that is loaded when a clip is first made. */
let loading;

async function load() {
  const url = new URL("./getclip_bg.wasm", import.meta.url);
  // The fetch of Node.js reads no files.
  const files = url.protocol === "file:" && globalThis.process?.getBuiltinModule?.("node:fs");
  try {
    await init({ module_or_path: files ? files.promises.readFile(url) : url });
  } catch (error) {
    // The network may be back the next time.
    loading = undefined;
    throw error;
  }
}
