// The one way from a pull to a Response: lazy, counted while it is open, and readable by the node:http listener without a
// web stream in between.

import { toReadableStream } from "../bytes/bridge.ts";
import type { BytePull, Chunk } from "../bytes/byte-pull.ts";
import { Chunks, type ChunkWriter } from "../bytes/chunks.ts";
import { DONE, type Pull } from "../bytes/source.ts";
import { systemClock } from "../clock.ts";
import { TailraceError } from "../errors.ts";
import { streamHeaders } from "../http/stream-headers.ts";
import { report } from "../trace.ts";
import { openReplies, type OpenReply } from "./open-replies.ts";

/** Options of every reply. */
export interface ReplyOptions {
  /** Default 200. */
  readonly status?: number | undefined;
  /** Further headers. Connection-level ones are dropped. */
  readonly headers?: HeadersInit | undefined;
  /**
   * Gets what the source threw, which the reader never sees. Default: the diagnostics channel `tailrace:error`, or the
   * console when nobody listens there.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** What a format adds to the plumbing. */
export interface ReplyPlan<T> {
  readonly contentType: string;
  readonly writer: ChunkWriter<T>;
  /** Written when the server shuts down, for a format whose readers come back; undefined for one whose readers cannot. */
  readonly farewell: string | undefined;
}

/** Where a Response of ours keeps its pull: read it by {@link pullOf}. */
export const PULL: unique symbol = Symbol.for("tailrace.reply.pull.1");

/** The pull behind a Response that Tailrace made, for a host that can write it without a web stream; else undefined. */
export function pullOf(response: Response): BytePull | undefined {
  return (response as { [PULL]?: BytePull })[PULL];
}

/** The Response over `pull`, from which {@link pullOf} gets it back. */
export function respond(pull: BytePull, init: { readonly status: number; readonly headers: Headers }): Response {
  const response = new Response(toReadableStream(pull), init);
  Object.defineProperty(response, PULL, { value: pull });
  return response;
}

/**
 * The Response that pulls `source` through `plan`. Nothing is opened before its body is read, and a HEAD never opens it.
 */
export function makeReply<T>(
  request: Request,
  source: () => Pull<T>,
  plan: ReplyPlan<T>,
  options: ReplyOptions,
): Response {
  const init = { status: options.status ?? 200, headers: streamHeaders(plan.contentType, options.headers) };
  if (request.method === "HEAD") return new Response(null, init);
  return respond(new ReplyPull(request.signal, source, plan, options), init);
}

/** Opens the chunks at the first demand, and counts the reply as open from then to its end. */
class ReplyPull<T> implements Pull<Chunk>, OpenReply {
  readonly #signal: AbortSignal;
  readonly #source: () => Pull<T>;
  readonly #plan: ReplyPlan<T>;
  readonly #onError: (error: unknown) => void;
  #chunks: Chunks<T> | undefined;
  #closed = false;

  constructor(signal: AbortSignal, source: () => Pull<T>, plan: ReplyPlan<T>, options: ReplyOptions) {
    this.#signal = signal;
    this.#source = source;
    this.#plan = plan;
    this.#onError = options.onError ?? ((error) => report("reply", error));
  }

  next(): ReturnType<Pull<Chunk>["next"]> {
    if (this.#chunks === undefined) {
      if (this.#closed || this.#signal.aborted) return DONE;
      this.#chunks = this.#open();
    }
    return this.#chunks.next();
  }

  close = (): void => {
    this.#closed = true;
    this.#chunks?.close();
  };

  wind(): void {
    if (this.#plan.farewell !== undefined) this.#chunks?.finish(this.#plan.farewell);
  }

  cut(): void {
    this.#chunks?.cut(new TailraceError("closed", "The server shut down before the reply had ended."));
  }

  #open(): Chunks<T> {
    const replies = openReplies();
    replies.add(this);
    // Some hosts abort the request's signal and never cancel the body; others do it the other way round.
    this.#signal.addEventListener("abort", this.close, { once: true });
    const writer = this.#plan.writer;
    const fail = (error: unknown): string | undefined => {
      this.#onError(error);
      return writer.fail(error);
    };
    return new Chunks(this.#source(), { ...writer, fail }, systemClock, () => {
      replies.delete(this);
      this.#signal.removeEventListener("abort", this.close);
    });
  }
}
