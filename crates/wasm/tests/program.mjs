// Recordings, and the program whose bytes are the ones to be had.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../../", import.meta.url));
export const testdata = `${root}testdata/`;
export const recordings = readdirSync(testdata).filter((name) => name.endsWith(".mkv"));

/** What a recording needs, as options of the package and of the program. */
export const needs = {
  "h264_resolution_change.mkv": [{ codecChanges: "new-sample-entry" }, ["--codec-changes", "new-sample-entry"]],
};

/** The program's clip of a recording. */
export function program(path, ...options) {
  const run = { maxBuffer: 1 << 30, stdio: ["ignore", "pipe", "pipe"] };
  return execFileSync(process.env.GETCLIP_PROGRAM, ["clip", path, "-o", "-", ...options], run);
}

export function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}
