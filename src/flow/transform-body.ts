// A request's body as what a transform reads: checked, decoded, and let go of in the way that fits the end.

import { DONE, isPromiseLike } from "../bytes/source.ts";
import { systemClock } from "../clock.ts";
import { RequestBody } from "../receive/body.ts";
import { releaseChunk } from "../receive/own-chunks.ts";
import type { TransformInput } from "../wire/transform-pull.ts";
import { codingOf, InflatePull, type InflateLimits } from "./transform-inflate.ts";
import type { TransformLimits } from "./transform-options.ts";

/** 4 GiB. */
export const DEFAULT_TRANSFORM_BYTES = 4_294_967_296;
/** What compresses better than this is mostly an attack: gzip comes to 1,030 at most, and text to some 20. */
const DEFAULT_EXPANSION_RATIO = 200;

type Result = IteratorResult<Uint8Array, undefined>;

/** The body of one request. */
export interface TransformBody {
  readonly input: TransformInput;
  /** The answer is a refusal: a rest of the body is thrown away for a moment, so that the answer reaches its sender. */
  refuse(): void;
  /** The reader is gone, or the answer cut: the body ends at once. */
  cancel(): void;
}

/**
 * Opens the body; nothing is read yet.
 *
 * @throws {TailraceError} as `RequestBody` does; `type_refused` for a coding that is not undone here
 */
export function openTransformBody(request: Request, options: TransformLimits): TransformBody {
  const coding = codingOf(request.headers);
  const { maxBytes = DEFAULT_TRANSFORM_BYTES } = options;
  const body = new RequestBody(request, {
    clock: options.clock ?? systemClock,
    maxBytes,
    idleMs: options.idleMs ?? 30_000,
    minBytesPerSecond: options.minBytesPerSecond ?? 1_024,
    signal: options.signal,
    takesCoding: coding !== undefined,
  });
  const plain = new BodyPull(body);
  const limits: InflateLimits = {
    maxDecodedBytes: options.maxDecodedBytes ?? maxBytes,
    maxExpansionRatio: options.maxExpansionRatio ?? DEFAULT_EXPANSION_RATIO,
  };
  return {
    input: coding === undefined || request.body === null ? plain : new InflatePull(plain, coding, limits),
    refuse: () => body.close(),
    cancel: () => body.cancel(),
  };
}

class BodyPull implements TransformInput {
  readonly #body: RequestBody;

  constructor(body: RequestBody) {
    this.#body = body;
  }

  next(): Result | Promise<Result> {
    const chunk = this.#body.next();
    return isPromiseLike(chunk) ? chunk.then(toResult) : toResult(chunk);
  }

  close(): void {
    // How the body is let go of depends on what is answered, which is decided above.
  }

  recycle(bytes: Uint8Array): void {
    releaseChunk(bytes);
  }
}

function toResult(chunk: Uint8Array | undefined): Result {
  return chunk === undefined ? DONE : { done: false, value: chunk };
}
