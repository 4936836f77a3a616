"use strict";

// ---------------------------------------------------------------- SHA-256 (FIPS 180-4), because a page that is not
// served by TLS or from this machine has no crypto.subtle.

const [K, H0] = (() => {
  const fraction = (x) => Math.floor((x - Math.floor(x)) * 0x100000000);
  const k = [], h = [];
  for (let n = 2; k.length < 64; n++) {
    let isPrime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) { isPrime = false; break; }
    if (!isPrime) continue;
    if (h.length < 8) h.push(fraction(Math.sqrt(n)) | 0);
    k.push(fraction(Math.cbrt(n)) | 0);
  }
  return [k, h];
})();

function sha256(bytes) {
  const padded = new Uint8Array(((bytes.length + 8 >> 6) + 1) << 6);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 0x20000000));
  view.setUint32(padded.length - 4, bytes.length << 3);
  const hash = Int32Array.from(H0), w = new Int32Array(64);
  const rotate = (x, n) => x >>> n | x << 32 - n;
  for (let at = 0; at < padded.length; at += 64) {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + 4 * i);
    for (let i = 16; i < 64; i++) {
      const a = w[i - 15], b = w[i - 2];
      w[i] = w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >>> 3) + w[i - 7] + (rotate(b, 17) ^ rotate(b, 19) ^ b >>> 10);
    }
    let [a, b, c, d, e, f, g, h] = hash;
    for (let i = 0; i < 64; i++) {
      const t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (e & f ^ ~e & g) + K[i] + w[i] | 0;
      const t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + (a & b ^ a & c ^ b & c) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, d + t1 | 0, c, b, a, t1 + t2 | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => { hash[i] += word; });
  }
  const out = new DataView(new ArrayBuffer(32));
  hash.forEach((word, i) => out.setInt32(4 * i, word));
  return new Uint8Array(out.buffer);
}

const utf8 = (text) => new TextEncoder().encode(text);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

function hmac(key, text) {
  const block = new Uint8Array(64);
  block.set(key.length > 64 ? sha256(key) : key);
  const message = utf8(text);
  const inner = new Uint8Array(64 + message.length), outer = new Uint8Array(96);
  block.forEach((byte, i) => { inner[i] = byte ^ 0x36; outer[i] = byte ^ 0x5c; });
  inner.set(message, 64);
  outer.set(sha256(inner), 64);
  return sha256(outer);
}

// ---------------------------------------------------------------- Signature version 4, as a link

const escapeAll = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
const REGION = "us-east-1", SERVICE = "kinesisvideo";

function query(parameters) {
  return Object.entries(parameters).map(([name, value]) => `${escapeAll(name)}=${escapeAll(value)}`).sort().join("&");
}

/** The URL of `path`, signed with the key of this tab if there is one. */
function link(path, parameters = {}, { method = "GET", body = "", seconds = 3600 } = {}) {
  const keys = signedIn();
  if (!keys) return path + (Object.keys(parameters).length ? "?" + query(parameters) : "");
  const now = new Date().toISOString().replace(/[-:]|\.\d+/g, ""), date = now.slice(0, 8);
  const scope = `${date}/${REGION}/${SERVICE}/aws4_request`;
  const signed = query({
    ...parameters,
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${keys.id}/${scope}`,
    "X-Amz-Date": now,
    "X-Amz-Expires": String(seconds),
    "X-Amz-SignedHeaders": "host",
    ...(keys.token ? { "X-Amz-Security-Token": keys.token } : {}),
  });
  const request = [method, path, signed, `host:${location.host}`, "", "host", hex(sha256(utf8(body)))].join("\n");
  const text = ["AWS4-HMAC-SHA256", now, scope, hex(sha256(utf8(request)))].join("\n");
  const key = [date, REGION, SERVICE, "aws4_request"].reduce(hmac, utf8("AWS4" + keys.secret));
  return `${path}?${signed}&X-Amz-Signature=${hex(hmac(key, text))}`;
}

function signedIn() {
  try { return JSON.parse(sessionStorage.getItem("getclip-key")); } catch { return null; }
}

// ---------------------------------------------------------------- Requests

class Failure extends Error {}

async function request(path, parameters, body) {
  const method = body === undefined ? "GET" : "POST", text = body === undefined ? "" : JSON.stringify(body);
  let response;
  try {
    response = await fetch(link(path, parameters, { method, body: text, seconds: 60 }), { method, body: text || undefined });
  } catch {
    throw new Failure("The server cannot be reached.");
  }
  const json = await response.json().catch(() => ({}));
  if (response.ok) return json;
  if (response.status === 401) askForKey();
  const name = (response.headers.get("x-amzn-errortype") || "").split(":")[0];
  throw new Failure(`${json.Message || response.statusText} [${name || response.status}]`);
}

const $ = (id) => document.getElementById(id);

function show(failure) {
  $("failure").hidden = !failure;
  $("failure").textContent = failure ? failure.message : "";
  if (failure && !(failure instanceof Failure)) throw failure;
}

/** An event handler whose failure is shown. */
const showing = (action) => async (...event) => {
  try { show(null); await action(...event); } catch (failure) { show(failure); }
};

// ---------------------------------------------------------------- Times

const pad = (number, digits = 2) => String(number).padStart(digits, "0");

/** 2024-05-01 12:00:00.000, in the zone that the page shows. */
function format(ms, digits = 23) {
  const shifted = new Date($("utc").checked ? ms : ms - new Date(ms).getTimezoneOffset() * 60000);
  return shifted.toISOString().replace("T", " ").slice(0, digits);
}

/** What `format` writes, Unix seconds, or RFC 3339. */
function parseTime(text) {
  text = text.trim();
  if (/^-?\d+(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1000);
  const hasZone = /(z|[+-]\d\d:?\d\d)$/i.test(text);
  const ms = Date.parse(text.replace(" ", "T") + (hasZone || !$("utc").checked ? "" : "Z"));
  if (Number.isNaN(ms)) throw new Failure(`Not a time: ${text}. Expected 2024-05-01 12:00:00.000 or Unix seconds.`);
  return ms;
}

function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60000) return `${+(ms / 1000).toFixed(1)} s`;
  const units = [[86400000, "d"], [3600000, "h"], [60000, "min"], [1000, "s"]];
  const parts = [];
  for (const [unit, name] of units) {
    const count = Math.floor(ms / unit);
    if (count && parts.length < 2) parts.push(`${count} ${name}`);
    ms -= count * unit;
  }
  return parts.join(" ");
}

const size = (bytes) => bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

// ---------------------------------------------------------------- Streams

let streams = [], nextToken = null, current = null;

async function loadStreams(more = false) {
  const prefix = $("filter").value.trim();
  const page = await request("/listStreams", {}, {
    MaxResults: 200,
    ...(more ? { NextToken: nextToken } : {}),
    ...(prefix ? { StreamNameCondition: { ComparisonOperator: "BEGINS_WITH", ComparisonValue: prefix } } : {}),
  });
  streams = (more ? streams : []).concat(page.StreamInfoList);
  nextToken = page.NextToken || null;
  $("main").hidden = false;
  $("more-streams").hidden = !nextToken;
  $("no-streams").hidden = streams.length > 0 || prefix !== "";
  $("streams").replaceChildren(...streams.map((stream) => {
    const button = document.createElement("button"), item = document.createElement("li");
    button.type = "button";
    button.textContent = stream.StreamName;
    button.setAttribute("aria-current", String(current?.StreamName === stream.StreamName));
    button.onclick = showing(() => openStream(stream));
    item.append(button);
    return item;
  }));
}

async function openStream(stream) {
  current = stream;
  location.hash = encodeURIComponent(stream.StreamName);
  for (const button of $("streams").querySelectorAll("button")) {
    button.setAttribute("aria-current", String(button.textContent === stream.StreamName));
  }
  $("stream").hidden = false;
  $("result").hidden = true;
  $("video").removeAttribute("src");
  $("stream-title").textContent = stream.StreamName;
  const hours = stream.DataRetentionInHours;
  $("stream-facts").textContent = [
    hours === 0 ? "keeps nothing" : hours >= 87600 ? "kept for ever" : `kept for ${duration(hours * 3600000)}`,
    stream.MediaType,
    stream.DeviceName,
  ].filter(Boolean).join(" · ");
  await fit();
}

// ---------------------------------------------------------------- The time line

/** The server reports longer ranges in steps of ten minutes. */
const MOST_EXACT = 26 * 3600000 - 2;
const SECOND = 1000, YEAR = 366 * 86400000, LEAST_VIEW = SECOND, MOST_VIEW = 60 * YEAR;
let view = { start: Date.now() - 86400000, end: Date.now() }, range = null, spans = [], loaded = null, loading = 0, timer = 0;

const timelineOf = (start, end, resolution) =>
  request(`/streams/${current.StreamName}/timeline.json`, { start: start / 1000 + "", end: end / 1000 + "", resolution: Math.floor(resolution) + "" });

/** Shows all that is recorded. */
async function fit() {
  const until = Date.now() + 86400000;
  const all = (await timelineOf(0, until, 3600000)).spans;
  if (all.length) {
    const start = all[0][0], end = all[all.length - 1][1], margin = Math.max((end - start) * 0.03, 500);
    // A coarse time line has its ends at the ends of its steps: look closely at both.
    const [first, last] = await Promise.all([
      timelineOf(start - 1, Math.min(start + 1200000, end) + 1, 0),
      timelineOf(Math.max(end - 1200000, start) - 1, end + 1, 0),
    ]);
    const from = first.spans[0]?.[0] ?? start, to = last.spans[last.spans.length - 1]?.[1] ?? end;
    setRange(from, Math.min(to, from + 60000));
    setView(from - Math.min(margin, (to - from) * 0.03 + 500), to + Math.min(margin, (to - from) * 0.03 + 500));
  } else {
    setRange(until - 2 * 86400000, until - 86400000);
    setView(until - 2 * 86400000, until - 86400000);
  }
}

function setView(start, end) {
  const middle = (start + end) / 2, length = Math.min(Math.max(end - start, LEAST_VIEW), MOST_VIEW);
  view = { start: middle - length / 2, end: middle + length / 2 };
  draw();
  clearTimeout(timer);
  timer = setTimeout(showing(loadSpans), 120);
}

const zoom = (factor, at = (view.start + view.end) / 2) => {
  const length = Math.min(Math.max((view.end - view.start) * factor, LEAST_VIEW), MOST_VIEW);
  const share = (at - view.start) / (view.end - view.start);
  setView(at - share * length, at + (1 - share) * length);
};
const move = (share) => setView(view.start + share * (view.end - view.start), view.end + share * (view.end - view.start));

/** Loads the spans of the view and of as much on either side, as far as they are those of the fragments. */
async function loadSpans() {
  const length = view.end - view.start, resolution = length / 1000, number = ++loading;
  const margin = length <= MOST_EXACT ? Math.min(length, (MOST_EXACT - length) / 2) : length;
  const wanted = { start: Math.max(Math.floor(view.start - margin), 0), end: Math.ceil(view.end + margin) };
  if (wanted.end <= wanted.start) return;
  const timeline = await timelineOf(wanted.start, wanted.end, resolution);
  if (number !== loading) return;
  [spans, loaded] = [timeline.spans, wanted];
  draw();
  listSpans();
}

function listSpans() {
  const inView = spans.filter(([start, end]) => end >= view.start && start <= view.end);
  const total = inView.reduce((sum, [start, end]) => sum + Math.min(end, view.end) - Math.max(start, view.start), 0);
  const gaps = Math.max(inView.length - 1, 0), atMost = view.end - view.start > MOST_EXACT ? "at most " : "";
  $("line-text").textContent = `${format(view.start, 19)} to ${format(view.end, 19)}: ` +
    (inView.length ? `${atMost}${duration(total)} recorded, ${gaps} ${gaps === 1 ? "gap" : "gaps"}` : "nothing recorded");
  $("spans").replaceChildren(...inView.slice(0, 500).map(([start, end]) => {
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.textContent = `${format(start)} to ${format(end)} (${duration(end - start)})`;
    button.onclick = () => { setRange(start, end); draw(); };
    item.append(button);
    return item;
  }));
  $("spans-details").hidden = inView.length === 0;
}

function setRange(start, end) {
  range = { start, end };
  $("start").value = format(start);
  $("end").value = format(end);
}

/** The step of the ruler: about one label each 120 pixels. */
function rulerStep(width) {
  const least = (view.end - view.start) / Math.max(width / 120, 1);
  const steps = [100, 200, 500, 1e3, 2e3, 5e3, 1e4, 3e4, 6e4, 12e4, 3e5, 6e5, 18e5, 36e5, 72e5, 216e5, 432e5, 864e5, 1728e5, 6048e5, 26784e5, 80352e5, 31622400e3, 5 * 31622400e3, 10 * 31622400e3];
  return steps.find((step) => step >= least) || steps[steps.length - 1];
}

/** A colour of the style sheet as a canvas takes it: a custom property is not resolved until it is used. */
function color(name) {
  const probe = $("line");
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

function draw() {
  const canvas = $("line"), scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width) return;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  context.clearRect(0, 0, width, height);
  const x = (ms) => (ms - view.start) / (view.end - view.start) * width;
  const bottom = height - 12;

  const step = rulerStep(width), zone = $("utc").checked ? 0 : new Date(view.start).getTimezoneOffset() * 60000;
  context.font = "12px system-ui, sans-serif";
  for (let at = Math.ceil((view.start - zone) / step) * step + zone; at <= view.end; at += step) {
    context.fillStyle = color("--line");
    context.fillRect(x(at), 20, 1, bottom - 20);
    context.fillStyle = color("--muted");
    const text = format(at);
    context.fillText(step < 1000 ? text.slice(11, 21) : step < 60000 ? text.slice(11, 19) : step < 86400000 ? text.slice(5, 16) : text.slice(0, 10), x(at) + 3, 14);
  }
  // The range lies behind what is recorded, so that neither hides the other when both are a pixel wide.
  if (range) {
    const left = x(range.start), right = Math.max(x(range.end), left + 2);
    context.fillStyle = color("--chosen");
    context.fillRect(left, 22, right - left, bottom - 16);
    context.fillStyle = color("--accent");
    for (const [at, tip] of [[left, left + 8], [right, right - 8]]) {
      context.beginPath();
      context.moveTo(at, 22);
      context.lineTo(at, 34);
      context.lineTo(tip, 22);
      context.fill();
    }
  }
  context.fillStyle = color("--media");
  for (const [start, end] of spans) {
    if (end < view.start || start > view.end) continue;
    const left = Math.max(x(start), 0), right = Math.min(x(end), width);
    context.fillRect(left, 38, Math.max(right - left, 2), bottom - 42);
  }
}

function bindLine() {
  const canvas = $("line");
  const time = (event) => view.start + (event.clientX - canvas.getBoundingClientRect().left) / canvas.clientWidth * (view.end - view.start);
  let drag = null;
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    drag = { at: time(event), x: event.clientX, view: { ...view }, isMove: event.shiftKey };
  };
  canvas.onpointermove = (event) => {
    if (!drag) return;
    if (drag.isMove) {
      const by = (drag.x - event.clientX) / canvas.clientWidth * (drag.view.end - drag.view.start);
      setView(drag.view.start + by, drag.view.end + by);
    } else if (Math.abs(event.clientX - drag.x) > 3) {
      const at = time(event);
      setRange(Math.round(Math.min(at, drag.at)), Math.round(Math.max(at, drag.at)));
      draw();
    }
  };
  canvas.onpointerup = canvas.onpointercancel = () => { drag = null; };
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, time(event));
  }, { passive: false });
  canvas.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const middle = Math.round((view.start + view.end) / 2);
    const keys = {
      ArrowLeft: () => move(-0.1), ArrowRight: () => move(0.1), PageUp: () => move(-1), PageDown: () => move(1),
      "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), Home: showing(fit),
      s: () => { setRange(middle, Math.max(range.end, middle + 1)); draw(); },
      e: () => { setRange(Math.min(range.start, middle - 1), middle); draw(); },
      Enter: () => $("range").requestSubmit(),
    };
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (action) { event.preventDefault(); action(); }
  };
}

// ---------------------------------------------------------------- The clip

function clipParameters() {
  const start = parseTime($("start").value), end = parseTime($("end").value);
  if (end <= start) throw new Failure("The end has to be later than the start.");
  range = { start, end };
  draw();
  return {
    start: start / 1000 + "", end: end / 1000 + "", by: $("by").value,
    ...($("close-gaps").checked ? { gaps: "close" } : {}),
    ...($("whole").checked ? { max_fragments: "100000", max_bytes: "1099511627776" } : {}),
  };
}

const clipPath = (file) => `/streams/${current.StreamName}/${file}`;

async function play() {
  const parameters = clipParameters();
  $("result").hidden = true;
  const clip = await request(clipPath("clip.json"), parameters);
  $("result").hidden = false;
  $("video").src = link(clipPath("clip.mp4"), parameters);
  showReport(clip);
}

function showReport({ bytes, duration_ms, tracks, fragments, offered, cut, events }) {
  const facts = [
    ["Length", duration(duration_ms)],
    ["Size", size(bytes)],
    ["Fragments", `${fragments} of ${offered} listed`],
    ...tracks.map((track) => [`Track ${track.number}`, track.text]),
    ...(cut ? [["Cut", `at the limit of ${cut.limit}`]] : []),
  ];
  $("report").replaceChildren(...facts.flatMap(([name, value]) => {
    const term = document.createElement("dt"), text = document.createElement("dd");
    [term.textContent, text.textContent] = [name, value];
    return [term, text];
  }));
  $("continue").hidden = !cut?.continue_from_ms;
  $("continue").onclick = showing(async () => {
    setRange(cut.continue_from_ms, Math.max(range.end, cut.continue_from_ms + 1));
    await play();
  });
  $("events").replaceChildren(...events.map((event) => {
    const item = document.createElement("li");
    item.textContent = event;
    return item;
  }));
}

async function copyLink() {
  const url = new URL(link(clipPath("clip.mp4"), clipParameters(), { seconds: 7 * 86400 }), location.href).href;
  await navigator.clipboard.writeText(url);
  $("copied").textContent = signedIn() ? "Copied: good for 7 days." : "Copied.";
}

function download() {
  const anchor = document.createElement("a");
  anchor.href = link(clipPath("clip.mp4"), { ...clipParameters(), download: "" });
  anchor.download = `${current.StreamName}.mp4`;
  anchor.click();
}

// ---------------------------------------------------------------- Start

function askForKey() {
  sessionStorage.removeItem("getclip-key");
  $("main").hidden = true;
  $("sign-out").hidden = true;
  $("sign-in").hidden = false;
  $("key").focus();
}

async function start() {
  $("sign-out").hidden = !signedIn();
  $("sign-in").hidden = true;
  await loadStreams();
  const name = decodeURIComponent(location.hash.slice(1)), stream = streams.find((stream) => stream.StreamName === name) || streams[0];
  if (stream) await openStream(stream);
}

function bind() {
  bindLine();
  $("utc").onchange = () => { if (range) setRange(range.start, range.end); draw(); listSpans(); };
  $("filter").oninput = showing(() => loadStreams());
  $("more-streams").onclick = showing(() => loadStreams(true));
  for (const button of document.querySelectorAll("[data-view]")) {
    button.onclick = showing(async () => {
      if (button.dataset.view === "fit") return fit();
      const middle = range ? (range.start + range.end) / 2 : (view.start + view.end) / 2, half = Number(button.dataset.view) / 2;
      setView(middle - half, middle + half);
    });
  }
  $("zoom-in").onclick = () => zoom(0.5);
  $("zoom-out").onclick = () => zoom(2);
  $("earlier").onclick = () => move(-0.5);
  $("later").onclick = () => move(0.5);
  for (const field of ["start", "end"]) $(field).onchange = showing(() => { clipParameters(); });
  $("range").onsubmit = (event) => { event.preventDefault(); showing(play)(); };
  $("download").onclick = showing(download);
  $("copy").onclick = showing(copyLink);
  $("video").onerror = () => {
    if ($("video").getAttribute("src")) show(new Failure("The clip cannot be played here. It can be downloaded all the same."));
  };
  $("sign-in").onsubmit = (event) => {
    event.preventDefault();
    sessionStorage.setItem("getclip-key", JSON.stringify({ id: $("key").value.trim(), secret: $("secret").value.trim(), token: $("token").value.trim() }));
    $("secret").value = "";
    showing(start)();
  };
  $("sign-out").onclick = () => { show(null); askForKey(); };
  window.addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

bind();
if (document.documentElement.dataset.signIn === "required" && !signedIn()) askForKey();
else showing(start)();
