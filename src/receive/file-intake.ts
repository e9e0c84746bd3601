// One file on its way into a sink: judged by its first bytes before anything is stored, counted, hashed, and whole or gone.

import { TailraceError } from "../errors.ts";
import { report } from "../trace.ts";
import { tooLarge } from "./body.ts";
import { createHasher, toHex, type Hasher } from "./hash.ts";
import type { Sink, SinkFile, Stored } from "./sink.ts";
import { isAllowedType, SNIFF_BYTES, sniffType } from "./sniff.ts";

/** A file that was received. */
export interface Received {
  /** Made by the server, and not to be guessed. */
  readonly id: string;
  /** The sender's name for it, made safe by the rule of `safeName`; undefined if it gave none. */
  readonly name: string | undefined;
  readonly bytes: number;
  /** SHA-256 in hexadecimal; undefined with `sha256: false`. */
  readonly sha256: string | undefined;
  /** The media type by its first bytes, see `sniffType`. */
  readonly type: string;
  /** Where the sink keeps it. */
  readonly stored: Stored;
}

export interface FileIntakeOptions {
  readonly sink: Sink;
  readonly id: string;
  readonly name: string | undefined;
  readonly expectedBytes: number | undefined;
  /** Where the file has a limit of its own beside the body's. */
  readonly maxBytes?: number | undefined;
  readonly types: readonly string[] | undefined;
  readonly sha256: boolean;
}

/** Takes a file's chunks; `end` and `commit` make it stay, `abort` leaves nothing of it. */
export class FileIntake {
  readonly #options: FileIntakeOptions;
  readonly #hasher: Hasher | undefined;
  #file: SinkFile | undefined;
  #opening: Promise<SinkFile> | undefined;
  /** What came before there was enough to judge. Never more than {@link SNIFF_BYTES}. */
  #head: Uint8Array = new Uint8Array(0);
  #type = "";
  #sha256: string | undefined;
  #bytes = 0;

  constructor(options: FileIntakeOptions) {
    this.#options = options;
    this.#hasher = options.sha256 ? createHasher("sha-256") : undefined;
  }

  /** How many bytes have come. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a chunk; a promise holds the sender back. @throws `limit_exceeded`, `type_refused`, or what the sink throws */
  write(chunk: Uint8Array): Promise<void> | void {
    const { maxBytes } = this.#options;
    if (maxBytes !== undefined && this.#bytes + chunk.byteLength > maxBytes) throw tooLarge(maxBytes, "file");
    this.#bytes += chunk.byteLength;
    this.#hasher?.update(chunk);
    if (this.#file !== undefined) return this.#file.write(chunk);
    if (this.#head.byteLength + chunk.byteLength < SNIFF_BYTES) {
      this.#head = join(this.#head, chunk);
      return undefined;
    }
    return this.#open(this.#head.byteLength === 0 ? chunk : join(this.#head, chunk));
  }

  /** All bytes have come. */
  async end(): Promise<void> {
    if (this.#file === undefined) await this.#open(this.#head);
    if (this.#hasher !== undefined) this.#sha256 = toHex(this.#hasher.digest());
    await this.#file?.end?.();
  }

  /** Makes the file stay. Only after `end`. */
  async commit(): Promise<Received> {
    const bytes = this.#bytes;
    const sha256 = this.#sha256;
    if (this.#file === undefined) throw new TailraceError("closed", "The file was not opened, or it was aborted.");
    const stored = await this.#file.commit({ bytes, sha256 });
    const { id, name } = this.#options;
    return { id, name, bytes, sha256, type: this.#type, stored };
  }

  /** Removes what was stored. Never rejects. */
  async abort(): Promise<void> {
    const opening = this.#opening;
    this.#opening = this.#file = undefined;
    // A file that could not be opened has told so already.
    const file = await opening?.catch(() => undefined);
    try {
      await file?.abort();
    } catch (error) {
      report("upload", error);
    }
  }

  async #open(head: Uint8Array): Promise<void> {
    const { sink, id, name, expectedBytes, types } = this.#options;
    this.#type = sniffType(head.subarray(0, SNIFF_BYTES));
    if (types !== undefined && !isAllowedType(this.#type, types)) {
      const message = `The file is of type ${this.#type} by its first bytes; send ${types.join(" or ")}.`;
      throw new TailraceError("type_refused", message, { details: { type: this.#type, types } });
    }
    this.#opening = sink.open({
      id,
      ...(name === undefined ? {} : { name }),
      type: this.#type,
      ...(expectedBytes === undefined ? {} : { expectedBytes }),
    });
    const file = await this.#opening;
    this.#file = file;
    this.#head = new Uint8Array(0);
    if (head.byteLength > 0) await file.write(head);
  }
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.byteLength + b.byteLength);
  both.set(a);
  both.set(b, a.byteLength);
  return both;
}
