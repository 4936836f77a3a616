// Compiled only: what a program in TypeScript may write, and what it may not.

import { clip, plan, GetClipError, type Options, type Report } from "getclip";

export async function use(file: File, signal: AbortSignal): Promise<string> {
  const options: Options = { start: new Date(0), end: 1.5, by: "server", maxBytes: Infinity, gaps: "close", signal };
  const made: Blob = await clip(file, options);
  const planned = await plan(new Blob([file, made]), { onProgress: (read, size) => console.log(read / size) });
  const report: Report = planned.report;
  const next: string | null | undefined = report.cut?.continue_from;
  try {
    await planned.blob();
    const stream: ReadableStream<Uint8Array> = planned.stream();
    await stream.cancel();
  } catch (error) {
    if (error instanceof GetClipError) return `${error.name} ${error.status} ${error.fragment ?? ""}`;
  }
  // @ts-expect-error: a word that is not among them
  await clip(file, { by: "camera" });
  // @ts-expect-error: an option that does not exist
  await clip(file, { maxByte: 5 });
  // @ts-expect-error: a path is no Blob
  await clip("recording.mkv");
  // @ts-expect-error: a plan does not change
  planned.size = 5;
  return `${planned.size} ${report.tracks[0]?.codec} ${next}`;
}
