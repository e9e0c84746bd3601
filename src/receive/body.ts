// A request's body, read under its limits: size, pace, signals, announced length, digests. The one way in for every upload.

import { isPromiseLike } from "../bytes/source.ts";
import type { Clock } from "../clock.ts";
import { TailraceError } from "../errors.ts";
import { takeBody, type TakenBody } from "./body-pull.ts";
import { DigestCheck } from "./digest-fields.ts";
import { discard } from "./linger.ts";
import { ownChunk } from "./own-chunks.ts";
import { Pace } from "./pace.ts";
import { bodyOf } from "./sole-reader.ts";

export interface BodyLimits {
  readonly clock: Clock;
  readonly maxBytes: number;
  readonly expectedBytes?: number | undefined;
  readonly idleMs: number;
  readonly minBytesPerSecond: number;
  readonly signal?: AbortSignal | undefined;
  /** Whether a body with a content coding is taken, which the caller undoes. Default false. */
  readonly takesCoding?: boolean | undefined;
}

type Chunk = Uint8Array | undefined;

/** One body. `next` gives its chunks, then `undefined` once it has ended as it should. */
export class RequestBody {
  /** What `Content-Length` says. */
  readonly declaredBytes: number | undefined;
  readonly #limits: BodyLimits;
  readonly #signals: readonly AbortSignal[];
  readonly #digests: DigestCheck;
  readonly #pace: Pace;
  readonly #isSole: () => boolean;
  #taken: TakenBody | undefined;
  #bytes = 0;
  #isWhole = false;
  /** Reading failed: nothing is left to read or to close. */
  #isBroken = false;
  #isClosed = false;
  #failure: unknown;
  #rejectWait: ((error: unknown) => void) | undefined;

  /**
   * Checks what the headers tell, and reads nothing yet.
   *
   * @throws {TailraceError} `limit_exceeded` for an announced size over the limit; `truncated` for one that is not the expected one;
   *   `type_refused` for a coded body, `input_invalid` for a part of one (400), `decode_failed` for a digest that cannot be read
   */
  constructor(request: Request, limits: BodyLimits) {
    this.#limits = limits;
    const { headers } = request;
    this.#signals = limits.signal === undefined ? [request.signal] : [limits.signal, request.signal];
    const { clock, idleMs, minBytesPerSecond } = limits;
    this.#pace = new Pace({ clock, idleMs, minBytesPerSecond, onTooSlow: (error) => this.#fail(error) });
    const { body, isSole } = bodyOf(request);
    this.#isSole = isSole;
    try {
      this.declaredBytes = declaredBytes(headers);
      this.#digests = new DigestCheck(headers);
      if (limits.takesCoding !== true) refuseCoding(headers);
      refuseParts(headers);
      if (this.declaredBytes !== undefined) this.#checkDeclared(this.declaredBytes);
      if (request.bodyUsed || body?.locked === true) {
        throw new TailraceError(
          "source_invalid",
          "The request's body has been read before; hand the request on unread.",
        );
      }
    } catch (error) {
      if (body !== null && !body.locked) discard(takeBody(body), clock);
      throw error;
    }
    if (body !== null) this.#taken = takeBody(body);
    for (const signal of this.#signals) {
      if (signal.aborted) this.#onAbort();
      else signal.addEventListener("abort", this.#onAbort);
    }
  }

  /** How many bytes have come. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * The next chunk. Ask again only once it is there.
   *
   * @throws {TailraceError} `limit_exceeded`, `truncated`, `digest_mismatch`, `too_slow`, `aborted`
   */
  next(): Chunk | Promise<Chunk> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#taken === undefined) return this.#end();
    for (;;) {
      let result: IteratorResult<Uint8Array, undefined> | Promise<IteratorResult<Uint8Array, undefined>>;
      try {
        result = this.#taken.pull.next();
      } catch (error) {
        throw this.#broken(error);
      }
      if (isPromiseLike(result)) return this.#wait(result);
      if (result.done === true) return this.#end();
      if (result.value.byteLength > 0) return this.#take(result.value);
    }
  }

  /** Releases everything. A body that was not read to its end is thrown away without cutting off the answer. */
  close(): void {
    const taken = this.#release();
    if (taken === undefined) return;
    if (this.#isWhole) taken.pull.close();
    else discard(taken, this.#limits.clock);
  }

  /** Releases everything at once: for when nobody waits for an answer any more, or it is cut. */
  cancel(): void {
    this.#release()?.pull.close();
  }

  /** What is left to close. */
  #release(): TakenBody | undefined {
    if (this.#isClosed) return undefined;
    this.#isClosed = true;
    this.#pace.close();
    for (const signal of this.#signals) signal.removeEventListener("abort", this.#onAbort);
    return this.#isBroken ? undefined : this.#taken;
  }

  /**
   * Waits for `work` of the sink, unless the upload fails before: a sink that hangs does not hold what the caller aborted. The pace does
   * not count it.
   */
  async during<T>(work: PromiseLike<T>): Promise<T> {
    const result = await new Promise<T>((resolve, reject) => {
      this.#rejectWait = reject;
      work.then(resolve, reject);
      if (this.#failure !== undefined) reject(this.#failure);
    });
    this.#rejectWait = undefined;
    return result;
  }

  /** As {@link during}, but in one promise: it is made for each chunk. */
  #wait(arriving: Promise<IteratorResult<Uint8Array, undefined>>): Promise<Chunk> {
    this.#pace.wait();
    return new Promise((resolve, reject) => {
      this.#rejectWait = reject;
      arriving.then(
        (result) => {
          if (this.#failure !== undefined) return; // rejected already
          this.#rejectWait = undefined;
          try {
            if (result.done === true) resolve(this.#end());
            else resolve(result.value.byteLength > 0 ? this.#take(result.value) : this.next());
          } catch (error) {
            reject(error);
          }
        },
        (error: unknown) => reject(this.#broken(error)),
      );
      if (this.#failure !== undefined) reject(this.#failure);
    });
  }

  #take(chunk: Uint8Array): Uint8Array {
    this.#pace.arrived(chunk.byteLength);
    this.#bytes += chunk.byteLength;
    const { maxBytes, expectedBytes } = this.#limits;
    if (this.#bytes > maxBytes) throw tooLarge(maxBytes);
    if (expectedBytes !== undefined && this.#bytes > expectedBytes) throw tooLarge(expectedBytes);
    if (this.#digests.isNeeded) this.#digests.update(chunk);
    if (this.#isSole()) ownChunk(chunk);
    return chunk;
  }

  #end(): undefined {
    this.#isWhole = true;
    const wanted = this.declaredBytes ?? this.#limits.expectedBytes;
    // A host that gives less than was announced and says nothing: Next.js with a proxy.ts ends a body at 10 MiB (its
    // experimental.proxyClientMaxBodySize), as if that were all.
    if (wanted !== undefined && this.#bytes !== wanted) throw wrongLength(this.#bytes, wanted);
    this.#digests.check();
    return undefined;
  }

  #checkDeclared(declared: number): void {
    const { maxBytes, expectedBytes } = this.#limits;
    if (declared > maxBytes) throw tooLarge(maxBytes);
    if (expectedBytes !== undefined && declared !== expectedBytes) throw wrongLength(declared, expectedBytes);
  }

  /** The connection broke, or the host says so. */
  #broken(cause: unknown): TailraceError {
    this.#isBroken = true;
    return this.#left("The sender left", cause);
  }

  #left(what: string, cause: unknown): TailraceError {
    const of = this.declaredBytes === undefined ? "" : ` of ${this.declaredBytes.toLocaleString("en")}`;
    const message = `${what} after ${this.#bytes.toLocaleString("en")}${of} bytes; send the file again.`;
    return new TailraceError("aborted", message, { cause, details: { receivedBytes: this.#bytes } });
  }

  readonly #onAbort = (): void => {
    const isOurs = this.#limits.signal?.aborted === true;
    const cause: unknown = (isOurs ? this.#limits.signal : this.#signals.at(-1))?.reason;
    this.#fail(this.#left(isOurs ? "The upload was stopped" : "The sender left", cause));
  };

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#rejectWait?.(this.#failure);
  }
}

function declaredBytes(headers: Headers): number | undefined {
  const value = headers.get("content-length");
  if (value === null) return undefined;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new TailraceError("input_invalid", "Content-Length is not a number of bytes.", { status: 400 });
}

/** What is stored must be the file itself. */
function refuseCoding(headers: Headers): void {
  const coding = headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (coding !== "identity" && coding !== "") {
    const message = `The body is coded as ${coding.slice(0, 50)}; send it as it is, without Content-Encoding.`;
    throw new TailraceError("type_refused", message, { details: { coding: coding.slice(0, 50) } });
  }
}

function refuseParts(headers: Headers): void {
  // RFC 9110 section 14.5: a server that takes no partial content must not take it for the whole.
  if (headers.has("content-range")) {
    const message = "A part of a file (Content-Range) cannot be received here; send the whole, or upload resumably.";
    throw new TailraceError("input_invalid", message, { status: 400 });
  }
}

export function tooLarge(maxBytes: number, what: string = "body"): TailraceError {
  const message = `The ${what} is larger than ${maxBytes.toLocaleString("en")} bytes; send less.`;
  return new TailraceError("limit_exceeded", message, { details: { maxBytes } });
}

function wrongLength(receivedBytes: number, expectedBytes: number): TailraceError {
  const [received, expected] = [receivedBytes, expectedBytes].map((bytes) => bytes.toLocaleString("en"));
  const message = `The body has ${received} bytes and should have ${expected}: it was cut or changed on its way. Send it again.`;
  return new TailraceError("truncated", message, { details: { receivedBytes, expectedBytes } });
}
