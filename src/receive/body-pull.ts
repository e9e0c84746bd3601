// The bytes behind a request's body, for a host that can give them without a web stream in between.

import { openSource, type Pull } from "../bytes/source.ts";

const PULL: unique symbol = Symbol.for("tailrace.request.pull.1");

/**
 * Lets {@link takeBody} read `pull` in place of `stream`, which gives the same bytes. `pull.close` must leave the connection fit for the
 * answer: a sender is told why its upload is refused.
 */
export function offerPull(stream: ReadableStream<Uint8Array>, pull: Pull<Uint8Array>): void {
  Object.defineProperty(stream, PULL, { value: pull });
}

/** A body being read. */
export interface TakenBody {
  readonly pull: Pull<Uint8Array>;
  /** Whether `pull.close` may cut the connection, and with it the answer. */
  readonly closeCuts: boolean;
}

/** The bytes of `stream`, which is locked from now on. */
export function takeBody(stream: ReadableStream<Uint8Array>): TakenBody {
  const offered = (stream as { [PULL]?: Pull<Uint8Array> })[PULL];
  if (offered === undefined) return { pull: openSource(stream), closeCuts: true };
  stream.getReader(); // throws if somebody else reads it; locks it if not
  return { pull: offered, closeCuts: false };
}
