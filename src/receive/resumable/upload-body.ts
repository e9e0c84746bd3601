// The bytes of one request, read under guard: never more than is allowed, never slower than is allowed, and ended at once when a newer
// request wants the upload.

import { isPromiseLike } from "../../bytes/source.ts";
import type { Clock } from "../../clock.ts";
import { TailraceError } from "../../errors.ts";
import { takeBody, type TakenBody } from "../body-pull.ts";
import { discard } from "../linger.ts";
import { Pace } from "../pace.ts";
import { senderGone, takenOver } from "./upload-errors.ts";

export interface BodyGuard {
  /** How long no byte may come. */
  readonly idleMs: number;
  /** The least speed while we wait for the sender; 0 for none. */
  readonly minBytesPerSecond: number;
  readonly clock: Clock;
}

export interface BodyPlan {
  /** How many bytes may come. */
  readonly maxBytes: number;
  /** The error when more come; nothing of the chunk that goes past the limit is given on. */
  readonly past: () => Error;
  /** Ends the reading: a newer request has taken the upload over. */
  readonly signal: AbortSignal;
  /** Sees each chunk before it is given on. */
  readonly tap?: ((chunk: Uint8Array) => void) | undefined;
}

type Chunk = IteratorResult<Uint8Array, undefined>;
const DONE: Chunk = { done: true, value: undefined };

/** The body of one request. Its chunks are read at most once; `close` must be called on every way out. */
export class UploadBody {
  /** From `Content-Length`; undefined when the sender did not say, or not a number. */
  readonly declaredBytes: number | undefined;
  readonly #signal: AbortSignal;
  readonly #guard: BodyGuard;
  readonly #taken: TakenBody | undefined;
  readonly #isUsed: boolean;
  #receivedBytes = 0;
  #isEnded = false;

  constructor(request: Request, guard: BodyGuard) {
    const declared = request.headers.get("content-length") ?? "";
    this.declaredBytes = /^\d{1,15}$/.test(declared) ? Number(declared) : undefined;
    this.#signal = request.signal;
    this.#guard = guard;
    const { body } = request;
    this.#isUsed = request.bodyUsed || body?.locked === true;
    this.#taken = body === null || this.#isUsed ? undefined : takeBody(body);
  }

  /** False only if there is surely no content. */
  get mayHaveContent(): boolean {
    return this.#isUsed || (this.#taken !== undefined && this.declaredBytes !== 0);
  }

  /** Whether the body ended with fewer bytes than `Content-Length` said: a host on the way has cut it. */
  get isCut(): boolean {
    return this.declaredBytes !== undefined && this.#receivedBytes < this.declaredBytes;
  }

  /** Releases the body. What was not read is thrown away without cutting off the answer. */
  close(): void {
    if (this.#taken === undefined) return;
    if (this.#isEnded) this.#taken.pull.close();
    else discard(this.#taken, this.#guard.clock);
  }

  /** The chunks, for one reader. They end with an error when a limit is passed, the sender leaves or the signal aborts. */
  chunks(plan: BodyPlan): AsyncIterable<Uint8Array> {
    return { [Symbol.asyncIterator]: () => this.#read(plan) };
  }

  #read({ maxBytes, past, signal, tap }: BodyPlan): AsyncIterator<Uint8Array, undefined> {
    const gone = this.#signal;
    const pull = this.#taken?.pull;
    let allowedBytes = maxBytes;
    let failure: Error | undefined;
    let reject: ((error: Error) => void) | undefined;

    const stop = (): void => {
      pace.close();
      signal.removeEventListener("abort", onTaken);
      gone.removeEventListener("abort", onGone);
    };
    const fail = (error: Error): void => {
      failure ??= error;
      stop();
      reject?.(failure);
      reject = undefined;
    };
    const onTaken = (): void => fail(takenOver());
    // Some hosts abort the request and never end its body.
    const onGone = (): void => fail(senderGone(gone.reason));
    const pace = new Pace({ ...this.#guard, onTooSlow: fail });

    const arrive = (result: Chunk): Chunk => {
      if (result.done === true) {
        this.#isEnded = true;
        stop();
        return DONE;
      }
      const chunk = result.value;
      pace.arrived(chunk.byteLength);
      this.#receivedBytes += chunk.byteLength;
      if (chunk.byteLength > allowedBytes) throw past();
      allowedBytes -= chunk.byteLength;
      tap?.(chunk);
      return result;
    };

    signal.addEventListener("abort", onTaken);
    gone.addEventListener("abort", onGone);
    if (this.#isUsed) fail(bodyUsed());
    else if (signal.aborted) onTaken();
    else if (gone.aborted) onGone();

    /** A wait that a failure ends at once, whatever the pull does. */
    const wait = (arriving: PromiseLike<Chunk>): Promise<Chunk> => {
      pace.wait();
      return new Promise<Chunk>((resolve, refuse) => {
        reject = refuse;
        arriving.then(
          (result) => {
            if (failure !== undefined) return; // the wait is over already
            try {
              resolve(arrive(result));
              reject = undefined;
            } catch (error) {
              fail(error as Error);
            }
          },
          (cause: unknown) => fail(senderGone(cause)),
        );
      });
    };

    return {
      next: async () => {
        if (failure !== undefined) throw failure;
        if (pull === undefined) {
          stop();
          return DONE;
        }
        let result: Chunk | Promise<Chunk>;
        try {
          result = pull.next();
        } catch (cause) {
          fail(senderGone(cause));
          throw senderGone(cause);
        }
        if (isPromiseLike(result)) return wait(result);
        try {
          return arrive(result);
        } catch (error) {
          fail(error as Error);
          throw error;
        }
      },
      return: () => {
        stop();
        return Promise.resolve(DONE);
      },
    };
  }
}

function bodyUsed(): TailraceError {
  return new TailraceError("source_invalid", "The request's body has been read before; hand the request on unread.");
}
