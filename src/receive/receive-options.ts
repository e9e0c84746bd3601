// What both ways to receive share: their options, with the defaults that are safe, and who is told of the progress.

import { systemClock, type Clock } from "../clock.ts";
import { isTailraceError, type ErrorCode } from "../errors.ts";
import type { BodyLimits } from "./body.ts";
import { ProgressReporter, type UploadProgress, type UploadState } from "./progress.ts";
import type { Sink } from "./sink.ts";

/** 100 MiB. */
export const DEFAULT_MAX_BYTES = 104_857_600;

/** What every kind of upload takes. */
export interface UploadOptions {
  /** Where the files go. */
  readonly to: Sink;
  /**
   * The media types that are taken, as in `["image/*", "application/pdf"]`, judged by the first bytes. Default: any. See `sniffType` for
   * those that are told apart.
   */
  readonly types?: readonly string[] | undefined;
  /** How long no bytes may come, in milliseconds. Default 30,000. */
  readonly idleMs?: number | undefined;
  /** The least speed, judged over each 30 s of waiting for the sender. Default 1,024; 0 for any. */
  readonly minBytesPerSecond?: number | undefined;
  /** Whether to compute the SHA-256 of each file. Default true. */
  readonly sha256?: boolean | undefined;
  /** Called with the progress at each change of state, else at most every 250 ms. What it throws is reported, and breaks nothing. */
  readonly onProgress?: ((progress: UploadProgress) => void | Promise<void>) | undefined;
  /** Told of the progress, and closed at the end: for one made with `publishTo`, that others can follow. */
  readonly progress?: ProgressReporter | undefined;
  /** Ends the upload when it aborts. The request's own signal does so in any case. */
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
}

/** The limits of the body, with defaults. */
export function bodyLimits(
  options: UploadOptions,
  size: { readonly maxBytes: number; readonly expectedBytes?: number | undefined },
): BodyLimits {
  return {
    clock: options.clock ?? systemClock,
    idleMs: options.idleMs ?? 30_000,
    minBytesPerSecond: options.minBytesPerSecond ?? 1_024,
    signal: options.signal,
    ...size,
  };
}

/** All who are told of one upload. */
export interface Audience {
  setTotal(totalBytes: number): void;
  stored(bytes: number): void;
  /** A state that is an end closes the reporters. */
  to(state: UploadState, code?: ErrorCode): void;
}

/** The reporter that the caller made, and one for its `onProgress`. */
export function audienceOf(options: UploadOptions, id: string, name?: string): Audience {
  const { onProgress, progress, clock } = options;
  const reporters = [
    ...(progress === undefined ? [] : [progress]),
    ...(onProgress === undefined ? [] : [new ProgressReporter({ id, name, clock, publish: onProgress })]),
  ];
  return {
    setTotal(totalBytes) {
      for (const reporter of reporters) reporter.setTotal(totalBytes);
    },
    stored(bytes) {
      for (const reporter of reporters) reporter.stored(bytes);
    },
    to(state, code) {
      for (const reporter of reporters) {
        reporter.to(state, code);
        if (state === "complete" || state === "failed") reporter.close();
      }
    },
  };
}

/** What a failure is called in a progress report. */
export function codeOf(error: unknown): ErrorCode {
  return isTailraceError(error) ? error.code : "store_unavailable"; // only a sink throws errors of its own
}
