// A file by tus: as one upload, or as parts that are sent at the same time and then joined.

import { TailraceError } from "../errors.ts";
import { withDefaults } from "./open-defaults.ts";
import { sha256OfBlob } from "./transfer-digest.ts";
import { Retries } from "./transfer-retry.ts";
import { createTus, terminateTus, TusClient, tusMetadata } from "./tus-client.ts";
import type { Lane, UploadProtocol } from "./upload-lane.ts";
import { fingerprintOf, localUploadStore, UploadMemory } from "./upload-store.ts";
import type { UploadOptions, UploadResult } from "./upload-types.ts";

const DEFAULT_CHUNK_BYTES = 8 * 1024 * 1024;
/** The most parts of one file: 16. */
export const MAX_PARALLEL_PARTS: number = 16;

/** How often parts that were gone when they were to be joined are sent anew: 3. */
const MAX_JOINS = 3;

/** Splits into at most `count` parts of at least one byte. */
function partsOf(file: Blob, count: number): Blob[] {
  const partBytes = Math.max(1, Math.ceil(file.size / count));
  const parts: Blob[] = [];
  for (let at = 0; at < file.size; at += partBytes) parts.push(file.slice(at, at + partBytes));
  return parts.length > 0 ? parts : [file];
}

/** The last step of an address, which is where tus servers put the id. */
function idOf(url: string): string | null {
  const last = url.split(/[?#]/, 1)[0]?.split("/").at(-1) ?? "";
  return last === "" ? null : last;
}

/** The request that joins the parts, as a lane without bytes of its own. */
type Join = Omit<Lane, "stage"> & { stage: Lane["stage"] };

class TusUpload implements UploadProtocol {
  readonly lanes: readonly Lane[];
  readonly #url: string;
  readonly #file: Blob;
  readonly #name: string;
  readonly #options: UploadOptions;
  readonly #parts: readonly TusClient[];
  readonly #memories: readonly UploadMemory[];
  /** The joining of the parts; undefined where there is but one. */
  readonly #join: Join | undefined;
  #joinedUrl: string | undefined;
  #sha256: string | undefined;

  constructor(url: string, file: Blob, name: string, options: UploadOptions, changed: () => void) {
    this.#url = url;
    this.#file = file;
    this.#name = name;
    this.#options = options;
    this.#sha256 = options.sha256 === true ? undefined : options.sha256;
    const { limits } = withDefaults(options);
    const count = Math.min(Math.max(1, Math.floor(options.parallelParts ?? 1)), MAX_PARALLEL_PARTS);
    const sources = partsOf(file, count);
    const isSplit = sources.length > 1;
    const store = options.store === undefined ? localUploadStore() : options.store;
    const key = options.fingerprint ?? fingerprintOf(url, file);
    // A part belongs to the split it was made by: another count of parts has other parts.
    const keys = sources.map((_, index) => (isSplit && key !== null ? `${key}#${index}/${sources.length}` : key));
    this.#memories = keys.map((own) => new UploadMemory(store, own));
    this.#parts = sources.map(
      (source, index) =>
        new TusClient({
          url,
          source,
          options,
          chunkBytes: Math.max(1, Math.floor(options.chunkBytes ?? DEFAULT_CHUNK_BYTES)),
          // tus 1.0, concatenation: the metadata belong to the final upload.
          creation: () => (isSplit ? { "upload-concat": "partial" } : this.#metadata()),
          memory: this.#memories[index] as UploadMemory,
          retries: new Retries(limits, changed),
          changed,
        }),
    );
    if (!isSplit) {
      this.lanes = this.#parts;
      return;
    }
    const retries = new Retries(limits, changed);
    this.#join = { retries, totalBytes: 0, stage: "stored", bytesSent: 0, bytesStored: 0, restarted: 0 };
    this.lanes = [...this.#parts, this.#join];
  }

  get uploadId(): string | null {
    const url = this.#join === undefined ? this.#parts[0]?.url : this.#joinedUrl;
    return url === undefined ? null : idOf(url);
  }

  async run(signal: AbortSignal): Promise<UploadResult> {
    if (this.#options.sha256 === true) this.#sha256 ??= await sha256OfBlob(this.#file, signal);
    for (let round = 0; round < MAX_JOINS; round += 1) {
      await this.#bringAll(signal);
      const url = this.#join === undefined ? this.#parts[0]?.url : await this.#joinParts(this.#join, signal);
      if (url === undefined) continue;
      const sha256 = this.#sha256?.toLowerCase() ?? null;
      return { url, id: idOf(url), name: this.#name, bytes: this.#file.size, sha256 };
    }
    const message = `The server had lost parts of the upload ${MAX_JOINS} times when they were to be joined. Send it as one part.`;
    throw new TailraceError("response_refused", message, { details: { joins: MAX_JOINS } });
  }

  /** Each part comes back by itself after a cut. When one fails for good, the others are taken away. */
  async #bringAll(signal: AbortSignal): Promise<void> {
    const own = new AbortController();
    const abort = (): void => own.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    try {
      const bringing = this.#parts.map(async (part) => {
        try {
          await part.retries.run((turn) => part.run(turn), own.signal);
        } catch (error) {
          own.abort(error);
        }
      });
      await Promise.all(bringing);
      own.signal.throwIfAborted();
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** The address of the whole; undefined when parts are gone and have to be sent anew. */
  async #joinParts(join: Join, signal: AbortSignal): Promise<string | undefined> {
    const urls = this.#parts.map((part) => part.url).join(" ");
    const headers = { ...this.#metadata(), "upload-concat": `final;${urls}` };
    const plan = { url: this.#url, options: this.#options };
    join.stage = "verifying";
    const more = { handledBytes: this.#file.size, orGone: true };
    const url = await join.retries.run((turn) => createTus(plan, headers, join.retries.attempt, turn, more), signal);
    this.#joinedUrl = url;
    join.stage = "stored";
    if (url === undefined) await Promise.all(this.#parts.map((part) => part.startOver()));
    return url;
  }

  /** Under both names by which servers look for them. */
  #metadata(): Readonly<Record<string, string>> {
    const { type } = this.#file;
    const name = this.#name;
    const values = {
      name,
      filename: name,
      ...(type === "" ? {} : { type, filetype: type }),
      ...(this.#sha256 === undefined ? {} : { sha256: this.#sha256.toLowerCase() }),
      ...this.#options.metadata,
    };
    return { "upload-metadata": tusMetadata(values) };
  }

  async terminate(): Promise<void> {
    await this.#forgetAll();
    const urls = [...this.#parts.map((part) => part.url), this.#joinedUrl].filter((url) => url !== undefined);
    await Promise.all(urls.map((url) => terminateTus(this.#options, url)));
  }

  async forget(error: TailraceError | null): Promise<void> {
    // Cut, aborted or not allowed: the same file may go on later. Any other refusal would only be met again.
    const status = error?.details["status"];
    const mayGoOn =
      error?.code === "connection_failed" || error?.code === "aborted" || status === 401 || status === 403;
    if (!mayGoOn) await this.#forgetAll();
  }

  async #forgetAll(): Promise<void> {
    for (const memory of this.#memories) await memory.forget();
  }

  release(): void {
    for (const memory of this.#memories) memory.release();
  }
}

/** A file by tus 1.0. */
export function tusUpload(
  url: string,
  file: Blob,
  name: string,
  options: UploadOptions,
  changed: () => void,
): UploadProtocol {
  return new TusUpload(url, file, name, options, changed);
}
