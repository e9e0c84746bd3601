// One resumable upload by tus 1.0: create, ask for the offset, send chunks, until the server has every byte.

import { TailraceError } from "../errors.ts";
import { discard } from "./response.ts";
import { readBlob } from "./transfer-digest.ts";
import { sendRequest } from "./transfer-request.ts";
import type { Retries } from "./transfer-retry.ts";
import type { TransferOptions } from "./transfer-types.ts";
import { resolveReference } from "./transfer-url.ts";
import type { Lane } from "./upload-lane.ts";
import type { UploadMemory } from "./upload-store.ts";

const VERSION = { "tus-resumable": "1.0.0" } as const;
/** How often one attempt asks the server anew for the offset before it counts as lost: 3. */
const MAX_ROUNDS = 3;
/** Chunks that a proxy refuses as too large are made smaller, down to 64 KiB. */
const MIN_CHUNK_BYTES = 65_536;

/** What is brought, and where to. */
export interface TusPlan {
  /** The address that uploads are created at. */
  readonly url: string;
  readonly source: Blob;
  readonly chunkBytes: number;
  readonly options: TransferOptions;
  /** Further headers of the creation: metadata, concatenation. */
  readonly creation: () => Readonly<Record<string, string>>;
  readonly memory: UploadMemory;
  readonly retries: Retries;
  readonly changed: () => void;
}

/** A whole, not negative number of a header; undefined for anything else. */
function numberOf(value: string | null): number | undefined {
  return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

function isGone(status: number): boolean {
  return status === 404 || status === 410;
}

/** tus 1.0, "Upload-Metadata": pairs of a key and the Base64 of its value, with commas between. */
export function tusMetadata(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([key, value]) => {
      if (!/^[!-+\--~]+$/.test(key)) {
        const message = `The metadata key "${key}" cannot be sent: only visible ASCII without spaces and commas can.`;
        throw new TailraceError("input_invalid", message, { details: { field: "metadata" } });
      }
      const binary = Array.from(new TextEncoder().encode(value), (byte) => String.fromCharCode(byte)).join("");
      return binary === "" ? key : `${key} ${btoa(binary)}`;
    })
    .join(",");
}

/** Creates an upload resource and gives its address. */
export async function createTus(
  plan: Pick<TusPlan, "url" | "options">,
  headers: Readonly<Record<string, string>>,
  attempt: number,
  signal: AbortSignal,
  more: { readonly handledBytes?: number | undefined; readonly orGone?: boolean | undefined } = {},
): Promise<string | undefined> {
  const { url, options } = plan;
  const request = {
    method: "POST",
    url,
    headers: { ...VERSION, ...headers },
    attempt,
    handledBytes: more.handledBytes,
    accepts: (status: number) => status === 201 || (more.orGone === true && isGone(status)),
  };
  return sendRequest(options, request, signal, async (response) => {
    await discard(response);
    if (response.status !== 201) return undefined;
    const location = response.headers.get("location");
    if (location !== null) return resolveReference(location, url);
    const message = "The server created the upload but told no Location. Expose that header if it is another origin.";
    throw new TailraceError("response_refused", message, { details: { status: 201 } });
  });
}

/** Asks the server to remove an upload (tus 1.0, termination). */
export async function terminateTus(options: TransferOptions, url: string): Promise<void> {
  const accepts = (status: number): boolean => isGone(status) || (status >= 200 && status < 300);
  const request = { method: "DELETE", url, headers: VERSION, attempt: 0, accepts };
  await sendRequest(options, request, new AbortController().signal, discard);
}

/** Brings one blob to the server. `run` is one attempt; what it has learnt stays for the next. */
export class TusClient implements Lane {
  readonly retries: Retries;
  readonly totalBytes: number;
  stage: Lane["stage"] = "creating";
  bytesSent = 0;
  bytesStored = 0;
  restarted = 0;
  url: string | undefined;
  readonly #plan: TusPlan;
  #chunkBytes: number;
  /** The furthest that the server ever was: only what lies past it is progress, or a server that forgets would loop. */
  #furthest = 0;
  #hasRecalled = false;

  constructor(plan: TusPlan) {
    this.#plan = plan;
    this.retries = plan.retries;
    this.totalBytes = plan.source.size;
    this.#chunkBytes = plan.chunkBytes;
  }

  async run(signal: AbortSignal): Promise<void> {
    if (this.stage === "stored") return;
    this.bytesSent = this.bytesStored;
    this.#enter("creating");
    if (!this.#hasRecalled) {
      this.url = await this.#plan.memory.claim();
      this.#hasRecalled = true;
    }
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      if (await this.#round(signal)) {
        this.#enter("stored");
        return;
      }
    }
    const message = `The server and this page did not agree on the offset in ${MAX_ROUNDS} rounds. Another page may be sending the same file.`;
    throw new TailraceError("connection_failed", message, { details: { rounds: MAX_ROUNDS } });
  }

  /** The resource is lost: the next attempt creates another one. */
  async startOver(): Promise<void> {
    this.url = undefined;
    this.restarted += 1;
    this.bytesSent = this.bytesStored = 0;
    this.#enter("creating");
    await this.#plan.memory.forget();
  }

  /** Creates or asks, then sends. False when the server no longer has it, or has another offset than was thought. */
  async #round(signal: AbortSignal): Promise<boolean> {
    const known = this.url;
    const url = known ?? (await this.#create(signal));
    const offset = known === undefined ? 0 : await this.#askOffset(known, signal);
    if (url === undefined || offset === undefined) {
      await this.startOver();
      return false;
    }
    this.#stored(offset);
    while (this.bytesStored < this.totalBytes) {
      signal.throwIfAborted();
      this.#enter("sending");
      if (!(await this.#sendChunk(url, signal))) return false;
    }
    return true;
  }

  async #create(signal: AbortSignal): Promise<string | undefined> {
    const headers = { ...this.#plan.creation(), "upload-length": String(this.totalBytes) };
    this.url = await createTus(this.#plan, headers, this.retries.attempt, signal);
    if (this.url !== undefined) await this.#plan.memory.save(this.url);
    return this.url;
  }

  /** The offset that the server has; undefined when the upload is gone there, or is one of another length. */
  async #askOffset(url: string, signal: AbortSignal): Promise<number | undefined> {
    const accepts = (status: number): boolean => isGone(status) || (status >= 200 && status < 300);
    const request = { method: "HEAD", url, headers: VERSION, attempt: this.retries.attempt, accepts };
    return sendRequest(this.#plan.options, request, signal, async (response) => {
      await discard(response);
      if (isGone(response.status)) return undefined;
      const length = numberOf(response.headers.get("upload-length"));
      if (length !== undefined && length !== this.totalBytes) return undefined;
      return this.#checkOffset(response, 0, this.totalBytes);
    });
  }

  #checkOffset(response: Response, least: number, most: number): number {
    const text = response.headers.get("upload-offset");
    const offset = numberOf(text);
    if (offset !== undefined && offset >= least && offset <= most) return offset;
    const message =
      `The server told the offset ${text ?? "(none)"}, where one from ${least} to ${most} bytes was expected. ` +
      "Expose the header Upload-Offset if it is another origin.";
    throw new TailraceError("response_refused", message, { details: { status: response.status, least, most } });
  }

  /** Sends the next chunk. False when the server has to be asked again. */
  async #sendChunk(url: string, signal: AbortSignal): Promise<boolean> {
    const from = this.bytesStored;
    const chunk = this.#plan.source.slice(from, from + this.#chunkBytes);
    const request = {
      method: "PATCH",
      url,
      body: chunk,
      headers: { ...VERSION, "upload-offset": String(from), "content-type": "application/offset+octet-stream" },
      attempt: this.retries.attempt,
      accepts: (status: number) => isGone(status) || status === 409 || (status >= 200 && status < 300),
      onSent: (bytes: number) => this.#sent(from + bytes),
    };
    let offset: number | undefined;
    try {
      offset = await sendRequest(this.#plan.options, request, signal, async (response) => {
        await discard(response);
        return response.ok ? this.#checkOffset(response, from, from + chunk.size) : undefined;
      });
    } catch (error) {
      if (signal.aborted || !this.#shrink(error)) throw await this.#explain(error, chunk, signal);
      return this.#again();
    }
    if (offset === undefined || offset === from) return this.#again();
    this.#stored(offset);
    return true;
  }

  /** The next round asks for the offset: what was sent may or may not be there. */
  #again(): false {
    this.bytesSent = this.bytesStored;
    this.#enter("creating");
    return false;
  }

  /** A 413 without a problem's code is a proxy's: it may let smaller bodies through. */
  #shrink(error: unknown): boolean {
    const refused = error instanceof TailraceError && error.code === "limit_exceeded";
    if (!refused || error.details["code"] !== undefined || this.#chunkBytes <= MIN_CHUNK_BYTES) return false;
    this.#chunkBytes = Math.max(MIN_CHUNK_BYTES, Math.floor(this.#chunkBytes / 8));
    return true;
  }

  /** A file that cannot be read looks like a lost network, and would be tried again for ever. */
  async #explain(error: unknown, chunk: Blob, signal: AbortSignal): Promise<unknown> {
    if (signal.aborted) return error;
    try {
      await readBlob(chunk.slice(0, 1));
      return error;
    } catch (unreadable) {
      return unreadable;
    }
  }

  #sent(bytes: number): void {
    this.bytesSent = bytes;
    if (bytes === this.totalBytes) this.stage = "verifying";
    this.#plan.changed();
  }

  #stored(offset: number): void {
    this.bytesStored = this.bytesSent = offset;
    if (offset > this.#furthest) {
      this.#furthest = offset;
      this.retries.progressed();
    }
    this.#plan.changed();
  }

  #enter(stage: Lane["stage"]): void {
    if (this.stage === stage) return;
    this.stage = stage;
    this.#plan.changed();
  }
}
