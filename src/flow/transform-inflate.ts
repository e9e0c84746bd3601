// A coded request body as the bytes that it stands for (RFC 9110 section 8.4), within bounds: a small body may hold a very large one.

import { isPromiseLike, type Pull, DONE } from "../bytes/source.ts";
import { TailraceError } from "../errors.ts";
import type { TransformInput } from "../wire/transform-pull.ts";

/** The codings that are undone. */
export type Coding = "gzip" | "deflate";

/** How much may come out. */
export interface InflateLimits {
  /** In bytes. */
  readonly maxDecodedBytes: number;
  /** Bytes out for each byte in, once more than 1 MiB has come out. */
  readonly maxExpansionRatio: number;
}

/** Below this many bytes any ratio will do: a few hundred bytes of zeros are no attack. */
const FREE_BYTES = 1_048_576;
/** Given to the decoder at once, in bytes: some decode all that they are given before they look whether it is wanted. */
const SLICE_BYTES = 16_384;

type Result = IteratorResult<Uint8Array, undefined>;

/** The one coding of `headers` that is undone here; undefined for none, and for those that are not. */
export function codingOf(headers: Headers): Coding | undefined {
  switch (headers.get("content-encoding")?.trim().toLowerCase()) {
    case "gzip":
    case "x-gzip": // RFC 9110 section 8.4.1.3: the same
      return "gzip";
    case "deflate":
      return "deflate";
    default:
      return undefined;
  }
}

/** Decodes `input` while somebody asks for what comes out. */
export class InflatePull implements TransformInput {
  readonly #input: Pull<Uint8Array>;
  readonly #coding: Coding;
  readonly #limits: InflateLimits;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #isFeeding = false;
  #isClosed = false;
  #encodedBytes = 0;
  #decodedBytes = 0;
  /** Why the feeding stopped; told in place of what the decoder says of it. */
  #failure: { readonly error: unknown } | undefined;

  constructor(input: Pull<Uint8Array>, coding: Coding, limits: InflateLimits) {
    this.#input = input;
    this.#coding = coding;
    this.#limits = limits;
    const { readable, writable } = new DecompressionStream(coding);
    this.#reader = readable.getReader();
    this.#writer = writable.getWriter();
    // What fails comes out of the reads.
    void this.#reader.closed.catch(() => undefined);
    void this.#writer.closed.catch(() => undefined);
  }

  next(): Promise<Result> {
    if (!this.#isFeeding) {
      this.#isFeeding = true;
      void this.#feed();
    }
    return this.#reader.read().then(
      (result) => this.#take(result),
      (cause: unknown) => {
        if (this.#failure !== undefined) throw this.#failure.error;
        const message = `The body is not what its Content-Encoding says: it cannot be decoded as ${this.#coding}.`;
        throw new TailraceError("decode_failed", message, { cause, details: { coding: this.#coding } });
      },
    );
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const reason = new DOMException("The body is no longer read.", "AbortError");
    void this.#writer.abort(reason).catch(() => undefined);
    void this.#reader.cancel(reason).catch(() => undefined);
    this.#input.close();
  }

  /** Gives the decoder as much as it takes. */
  async #feed(): Promise<void> {
    try {
      for (;;) {
        await this.#writer.ready;
        const next = this.#input.next();
        const result = isPromiseLike(next) ? await next : next;
        if (result.done === true) break;
        const bytes = result.value as Uint8Array<ArrayBuffer>;
        for (let at = 0; at < bytes.byteLength && !this.#isClosed; at += SLICE_BYTES) {
          if (at > 0) await this.#writer.ready;
          const slice = bytes.subarray(at, at + SLICE_BYTES);
          this.#encodedBytes += slice.byteLength;
          void this.#writer.write(slice).catch(() => undefined);
        }
        if (this.#isClosed) return;
      }
      await this.#writer.close();
    } catch (error) {
      // Of the input; the decoder's own come out of the reads just as well, and told as such.
      if (this.#isClosed) return;
      this.#failure ??= { error };
      await this.#writer.abort(error).catch(() => undefined);
    }
  }

  #take(result: ReadableStreamReadResult<Uint8Array>): Result {
    if (result.done) return DONE;
    this.#decodedBytes += result.value.byteLength;
    const { maxDecodedBytes, maxExpansionRatio } = this.#limits;
    const decoded = this.#decodedBytes;
    if (decoded > maxDecodedBytes) {
      const message = `The body is larger than ${maxDecodedBytes.toLocaleString("en")} bytes once decoded; send less.`;
      throw new TailraceError("limit_exceeded", message, { details: { maxDecodedBytes } });
    }
    if (decoded > FREE_BYTES && decoded > maxExpansionRatio * this.#encodedBytes) {
      const message = `The body grows to more than ${maxExpansionRatio} times its size when decoded; send it without Content-Encoding.`;
      throw new TailraceError("limit_exceeded", message, { details: { maxExpansionRatio } });
    }
    return { done: false, value: result.value };
  }
}
