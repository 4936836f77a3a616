/** Kinesis Video Streams fragments in, one progressive MP4 out. */

/** A date, milliseconds since 1970, or text: RFC 3339, or Unix seconds. */
export type Time = Date | number | string;

/** Which fragments, and what becomes of them. Defaults are GetClip's behaviour. */
export interface Options {
  /** Take fragments that start at this time or later. Default: all. */
  start?: Time;
  /** Take fragments that start at this time or earlier. Default: all. */
  end?: Time;
  /** The clock of the range: when the camera recorded a fragment, or when the service received it. */
  by?: "producer" | "server";
  /** Begin with the fragment that was being recorded at `start`, so that nothing of the range is missing. */
  cover?: boolean;
  /** Play exactly the range, to the frame and without re-encoding: what else decoding needs is not shown. */
  exact?: boolean;
  /** Fragments in the clip, at most: 200, or `Infinity` for no limit. */
  maxFragments?: number;
  /** Bytes of the clip, at most: 100,000,000, or `Infinity` for no limit. */
  maxBytes?: number;
  /**
   * Which track the pictures are of: number 1, which must be there ("service", the default); that, or else the first with
   * pictures, or sound alone where there are none ("available"); the one with a number; or no pictures.
   */
  videoTrack?: number | "service" | "available" | "none";
  /** Which track the sound is of: number 2, where it is there ("service", the default), or as for `videoTrack`. */
  audioTrack?: number | "service" | "available" | "none";
  /** Codecs: all that play, or GetClip's documented table to the letter. */
  profile?: "extended" | "service";
  /** What happens where tracks or codec private data change inside the clip. */
  codecChanges?: "refuse" | "new-sample-entry";
  /** What becomes of time in which nothing was recorded. */
  gaps?: "keep" | "close";
  /** Whether the whole frames of a fragment that was cut off are kept, or the clip is refused. */
  incompleteInput?: "keep" | "refuse";
  /** Whether codec private data that is missing is taken from the first key frame. */
  missingCodecPrivate?: "refuse" | "from-frames";
  /** When the recording began, for fragments without a producer timestamp. */
  recordingStart?: Time;
  /** Stops reading. */
  signal?: AbortSignal;
  /** Called as the recording is read. */
  onProgress?: (bytesRead: number, size: number) => void;
}

/**
 * Makes one MP4 of the fragments that start from `start` to `end`, both included.
 *
 * The recording is read once, 4 MiB at a time, and then what the clip takes of it. It is never in memory as a whole.
 *
 * @param recording What GetMedia or GetMediaForFragmentList returned: a file that was dropped or chosen, any other
 * `Blob`, or in Node.js `await fs.openAsBlob(path)`. Several files: `new Blob([first, second])`.
 * @throws {GetClipError} if the media or the request is refused
 */
export function clip(recording: Blob, options?: Options): Promise<Blob>;

/** Plans a clip: its size and report, before any of it is put together. */
export function plan(recording: Blob, options?: Options): Promise<ClipPlan>;

/** A finished clip whose media is in the recording. */
export interface ClipPlan {
  /** Size of the MP4 in bytes. */
  readonly size: number;
  /** `video/mp4`. */
  readonly type: string;
  /** What the clip holds, and everything that is not plain. */
  readonly report: Report;
  /**
   * Puts the clip together. Bytes that are copied are kept by the browser, which has room for some 500 MB of them.
   *
   * @throws {DOMException} `QuotaExceededError` if it has not
   */
  blob(): Promise<Blob>;
  /** The bytes of the clip, for a file or a response: `planned.stream().pipeTo(await handle.createWritable())`. */
  stream(): ReadableStream<Uint8Array>;
}

/** The media or the request was refused, as GetClip would have refused it. `message` tells what was expected. */
export class GetClipError extends Error {
  private constructor();
  /** Name of GetClip's exception, such as `ResourceNotFoundException`. */
  readonly name: string;
  /** HTTP status that GetClip returns with it. */
  readonly status: number;
  /** Fragment number, or `#3` for the third fragment of input that has no numbers. */
  readonly fragment: string | null;
  /** Matroska track number. */
  readonly track: number | null;
  /** Byte offset in the recording. */
  readonly offset: number | null;
}

/** What a clip holds, and what was done to get there. Times are RFC 3339. */
export interface Report {
  fragments: FragmentReport[];
  /** Video, then audio where there is one. */
  tracks: TrackReport[];
  /** How long the clip plays, in nanoseconds. */
  duration_ns: number;
  /** Fragments in the recording, in the range or not. */
  offered: number;
  /** Fragments that start outside the range. */
  out_of_range: number;
  /** Where the limits cut the clip off. */
  cut: Cut | null;
  /** Everything else. */
  events: Event[];
  /** Fragments outside the clip that the events do not name, because there are too many. */
  unnamed: number;
}

/** A fragment of the clip. */
export interface FragmentReport {
  /** Fragment number, or `#3` for the third fragment of a recording that has no numbers. */
  name: string;
  producer_timestamp: string;
  server_timestamp: string | null;
  /** When its first frame is shown, in nanoseconds from the start of the clip. */
  start_ns: number;
  frames: number;
}

/** A track of the clip. */
export interface TrackReport {
  /** Track number: 1 video, 2 audio. */
  number: number;
  sample_entries: string[];
  samples: number;
  bytes: number;
  type: "video" | "audio";
  codec: "h264" | "h265" | "aac" | "alaw" | "mulaw";
  /** Video only, as are `height` and `sync_samples`. */
  width?: number;
  height?: number;
  sync_samples?: number;
  /** Audio only, as is `channels`. */
  sampling_rate?: number;
  channels?: number;
}

export interface Cut {
  limit: "fragments" | "bytes";
  /** The first fragment that was left out. */
  fragment: string;
  /** Its start: that of the range to ask for next. */
  continue_from: string | null;
}

/** Something that is not plain. What it is about is in further members. */
export interface Event {
  event: string;
  /** A line to show. */
  text: string;
  [member: string]: unknown;
}
