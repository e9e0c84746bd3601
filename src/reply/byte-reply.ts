// The Response over bytes: no text, no heartbeat, no farewell. What is announced is sent whole, or the connection is cut.

import type { BytePull, Chunk } from "../bytes/byte-pull.ts";
import { isPromiseLike } from "../bytes/source.ts";
import { TailraceError } from "../errors.ts";
import { report } from "../trace.ts";
import { DirectResponse, isDirect } from "./direct-response.ts";
import { openReplies, type OpenReply } from "./open-replies.ts";
import { respond } from "./reply.ts";

/** Where the bytes of a reply come from. */
export interface ByteSource {
  /** Called when the first byte is asked for. */
  open(): BytePull;
  /** Called once, on every way out: done, error, abort, reader gone, shutdown, and when nothing was ever asked for. */
  release(): void;
}

/** Status, headers, and who is told of an error. */
export interface ByteReplyInit {
  readonly status: number;
  readonly headers: Headers;
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** The Response that pulls `source`. Nothing is opened before its body is read, and a HEAD never opens it. */
export function makeByteReply(request: Request, source: ByteSource, init: ByteReplyInit): Response {
  const { status, headers } = init;
  if (request.method === "HEAD") {
    source.release();
    return new Response(null, { status, headers });
  }
  const pull = new ByteReplyPull(request.signal, source, init.onError);
  // A host that writes the pull itself also closes it when the reader has left.
  if (isDirect(request)) return new DirectResponse(pull, { status, headers }, () => pull.watch());
  pull.watch();
  return respond(pull, { status, headers });
}

/** Counts the reply as open from the first demand to its end. */
class ByteReplyPull implements BytePull, OpenReply {
  readonly #signal: AbortSignal;
  readonly #source: ByteSource;
  readonly #onError: (error: unknown) => void;
  #pull: BytePull | undefined;
  #isReleased = false;
  #isWatching = false;
  /** Makes the error for whoever still asks; made late, as an error costs a stack trace and mostly nobody asks. */
  #reason: (() => TailraceError) | undefined;

  constructor(signal: AbortSignal, source: ByteSource, onError: ((error: unknown) => void) | undefined) {
    this.#signal = signal;
    this.#source = source;
    this.#onError = onError ?? ((error) => report("reply", error));
    if (signal.aborted) this.close();
  }

  /**
   * Ends with the request. From the start and not only once it is read: Next.js never reads or cancels the body for a reader that
   * had left before the handler returned, and the source holds a descriptor.
   */
  watch(): void {
    if (this.#isReleased) return;
    this.#isWatching = true;
    if (this.#signal.aborted) this.close();
    else this.#signal.addEventListener("abort", this.close, { once: true });
  }

  next(): ReturnType<BytePull["next"]> {
    if (this.#reason !== undefined) throw this.#reason();
    try {
      if (this.#pull === undefined) {
        openReplies().add(this);
        this.#pull = this.#source.open();
      }
      const result = this.#pull.next();
      return isPromiseLike(result) ? result.then(this.#take, this.#fail) : this.#take(result);
    } catch (error) {
      return this.#fail(error);
    }
  }

  recycle(chunk: Chunk): void {
    this.#pull?.recycle?.(chunk);
  }

  close = (): void => {
    this.#end(() => new TailraceError("aborted", "The reader left before the body had ended."));
  };

  wind(): void {
    // Plain bytes have no room for a farewell: they may finish within the grace period.
  }

  cut(): void {
    this.#end(() => new TailraceError("closed", "The server shut down before the body had ended."));
  }

  readonly #take = (result: IteratorResult<Chunk, undefined>): IteratorResult<Chunk, undefined> => {
    if (this.#reason !== undefined) throw this.#reason(); // it ended while the read was under way
    if (result.done === true) this.#release();
    return result;
  };

  readonly #fail = (error: unknown): never => {
    if (this.#reason === undefined) this.#onError(error);
    this.#end(() => new TailraceError("source_failed", "The body could not be read to its end.", { cause: error }));
    throw error;
  };

  /** An end before the last byte: whoever asks for more gets the reason, as an end would pass for the whole. */
  #end(reason: () => TailraceError): void {
    if (this.#isReleased) return;
    this.#reason = reason;
    this.#release();
  }

  #release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    openReplies().delete(this);
    if (this.#isWatching) this.#signal.removeEventListener("abort", this.close);
    this.#pull?.close();
    this.#source.release();
  }
}
