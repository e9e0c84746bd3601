// JSON whose text arrives in pieces: one value that grows, read once from start to end and never anew.

import { TailraceError } from "../errors.ts";
import { JsonScanner } from "./partial-json-scanner.ts";
import type { DeepPartial } from "./partial-json-tree.ts";
import { checkNow, type StandardSchema } from "./standard-schema.ts";

/** The default of {@link PartialJsonOptions.maxChars}. */
export const DEFAULT_MAX_JSON_CHARS = 16_777_216;
/** The default of {@link PartialJsonOptions.maxDepthCount}. */
export const DEFAULT_MAX_JSON_DEPTH_COUNT = 1_000;

/** Options of {@link createPartialJsonDecoder}. */
export interface PartialJsonOptions<T = unknown> {
  /** Called at the end of each `push` that changed the value, with the value. What it throws comes out of `push`; it may not call `push`. */
  readonly onValue?: ((value: DeepPartial<T>) => void) | undefined;
  /** Checks the finished value at `end()`, and gives what `end()` returns. It has to answer at once, without a promise. */
  readonly schema?: StandardSchema<T> | undefined;
  /**
   * The longest text, in UTF-16 code units.
   * @default 16777216
   */
  readonly maxChars?: number | undefined;
  /**
   * How many objects and arrays may stand in one another.
   * @default 1000
   */
  readonly maxDepthCount?: number | undefined;
}

/** Decodes one JSON value; make a new one for the next. */
export interface PartialJsonDecoder<T> {
  /**
   * Takes the next piece of the text, or of its UTF-8 bytes, cut anywhere.
   *
   * @throws TailraceError `decode_failed` at the first character that JSON has no place for (details: `position`, counted in UTF-16 code
   * units from 0), `limit_exceeded` one past a limit. Every later call throws the same again; `value` stays.
   * @throws TailraceError `closed` after `end()`, `input_invalid` when text and bytes are mixed.
   */
  push(piece: string | Uint8Array): void;
  /**
   * Says that the text is over and gives the whole value, checked by the schema. May be called again.
   *
   * @throws TailraceError `truncated` when the value is not finished (`value` stays as it is), `decode_failed` when the schema refuses it.
   */
  end(): T;
  /**
   * What has arrived of the value; undefined before anything has. The same objects and arrays each time, which grow in place: what was read
   * before a `push` is changed by it. A member is there once its key and the start of its value are; a string grows with each piece; numbers,
   * `true`, `false` and `null` appear whole.
   */
  readonly value: DeepPartial<T> | undefined;
  /**
   * A copy of `value` that later pieces do not change, for React and others that compare by identity. Parts that have not changed since the last
   * snapshot are the same objects again. It copies only the objects and arrays that are still open, one level each. Do not write to it.
   */
  snapshot(): DeepPartial<T> | undefined;
}

/** Makes a decoder of one JSON value that arrives in pieces. Throws `input_invalid` for a limit that is no positive number. */
export function createPartialJsonDecoder<T = unknown>(options: PartialJsonOptions<T> = {}): PartialJsonDecoder<T> {
  return new Decoder(options);
}

// A class, and not an object of closures: V8 gives each object that is written with a getter a hidden class of its own, which keeps the whole
// decoder in memory until the next full collection.
class Decoder<T> implements PartialJsonDecoder<T> {
  readonly #scanner: JsonScanner;
  readonly #onValue: ((value: DeepPartial<T>) => void) | undefined;
  readonly #schema: StandardSchema<T> | undefined;
  #bytes: TextDecoder | undefined;
  #isBusy = false;
  #failure: TailraceError | undefined;
  #result: { readonly value: T } | undefined;

  constructor(options: PartialJsonOptions<T>) {
    const { maxChars = DEFAULT_MAX_JSON_CHARS, maxDepthCount = DEFAULT_MAX_JSON_DEPTH_COUNT } = options;
    checkLimit("maxChars", maxChars);
    checkLimit("maxDepthCount", maxDepthCount);
    this.#scanner = new JsonScanner(maxChars, maxDepthCount);
    this.#onValue = options.onValue;
    this.#schema = options.schema;
  }

  get value(): DeepPartial<T> | undefined {
    return this.#scanner.tree.root as DeepPartial<T> | undefined;
  }

  push(piece: string | Uint8Array): void {
    this.#assertUsable();
    if (this.#result !== undefined) {
      throw new TailraceError("closed", "The decoder has ended. Make a new one for each value.");
    }
    this.#scanner.push(typeof piece === "string" && this.#bytes === undefined ? piece : this.#toText(piece));
    this.#settle();
  }

  end(): T {
    if (this.#result !== undefined) return this.#result.value;
    this.#assertUsable();
    const scanner = this.#scanner;
    if (this.#bytes !== undefined) scanner.push(this.#bytes.decode());
    scanner.end();
    this.#settle();
    try {
      const value =
        this.#schema === undefined ? scanner.tree.root : checkNow(this.#schema, scanner.tree.root, "The value");
      this.#result = { value: value as T };
      return this.#result.value;
    } catch (error) {
      this.#failure = error as TailraceError;
      throw error;
    }
  }

  snapshot(): DeepPartial<T> | undefined {
    return this.#scanner.tree.snapshot() as DeepPartial<T> | undefined;
  }

  #assertUsable(): void {
    if (this.#isBusy) {
      throw new TailraceError("input_invalid", "The decoder was called from inside its own onValue.");
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Tells of the value if it has changed, then throws what the scanner has met. */
  #settle(): void {
    const { tree, failure } = this.#scanner;
    this.#failure = failure;
    if (this.#onValue !== undefined && tree.hasChanged) {
      tree.hasChanged = false;
      this.#isBusy = true;
      try {
        this.#onValue(tree.root as DeepPartial<T>);
      } finally {
        this.#isBusy = false;
      }
    }
    if (failure !== undefined) throw failure;
  }

  #toText(piece: string | Uint8Array): string {
    if (typeof piece !== "string" && (this.#bytes !== undefined || this.#scanner.charCount === 0)) {
      return (this.#bytes ??= new TextDecoder()).decode(piece, { stream: true });
    }
    throw new TailraceError("input_invalid", "A decoder takes text or bytes, but not both by turns.");
  }
}

function checkLimit(name: string, limit: number): void {
  if (limit >= 1) return;
  throw new TailraceError("input_invalid", `${name} must be at least 1, not ${String(limit)}.`);
}
