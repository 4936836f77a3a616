// Plays and saves the clip of what is dropped on the page.
//
//     crates/wasm/build && python3 -m http.server --bind 127.0.0.1 8080
//
// and open http://127.0.0.1:8080/examples/browser/. With the package installed, import "getclip" instead.

import { plan } from "../../crates/wasm/pkg/index.js";

const [drop, files, range, progress, status, result, video, save, events] = [
  "drop", "files", "range", "progress", "status", "result", "video", "save", "events",
].map((id) => document.getElementById(id));

/** The recording, and what stops the clip that is being made of it. */
let recording;
let running = new AbortController();

files.addEventListener("change", () => open(files.files));
range.addEventListener("change", make);
range.addEventListener("submit", (event) => event.preventDefault());

for (const type of ["dragover", "dragleave", "drop"]) {
  drop.addEventListener(type, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", type === "dragover");
    if (type === "drop") open(event.dataTransfer.files);
  });
}

/** Several files are one recording, in the order of their names. A Blob of files copies nothing. */
function open(list) {
  if (list.length === 0) return;
  recording = new Blob([...list].sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true })));
  make();
}

async function make() {
  if (!recording) return;
  running.abort();
  running = new AbortController();
  const { signal } = running;
  begin();
  try {
    const planned = await plan(recording, { ...options(), signal, onProgress: show });
    const clip = await planned.blob();
    if (!signal.aborted) finish(planned.report, clip);
  } catch (error) {
    if (!signal.aborted) fail(error);
  }
}

function options() {
  const { start, end, by } = Object.fromEntries(new FormData(range));
  return { start: start || undefined, end: end || undefined, by };
}

function begin() {
  URL.revokeObjectURL(save.href);
  video.removeAttribute("src");
  result.hidden = true;
  progress.hidden = false;
  progress.removeAttribute("value");
  status.className = "";
  status.textContent = "Reading the recording";
}

function show(bytesRead, size) {
  progress.max = size;
  progress.value = bytesRead;
}

function finish(report, clip) {
  save.href = video.src = URL.createObjectURL(clip);
  progress.hidden = true;
  result.hidden = false;
  const seconds = Math.round(report.duration_ns / 1e9);
  const fragments = report.fragments.length === 1 ? "1 fragment" : `${report.fragments.length} fragments`;
  status.textContent = `${fragments}, ${seconds} s, ${(clip.size / 1e6).toFixed(1)} MB`;
  const cut = report.cut && `The limit on ${report.cut.limit} was reached: continue from ${report.cut.continue_from}`;
  events.replaceChildren(
    ...[cut, ...report.events.map((event) => event.text)].filter(Boolean).map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }),
  );
}

function fail(error) {
  progress.hidden = true;
  status.className = "error";
  status.textContent = `${error.name}: ${error.message}`;
}
