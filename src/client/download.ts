// download: one file on its way from a server, in as many parts as the network makes of it.

import { TailraceError } from "../errors.ts";
import { readBody } from "./download-body.ts";
import { downloadNameOf } from "./download-name.ts";
import { canResume, isDownloadStatus, judgePart, type Known, type Part, rangeHeaders } from "./download-response.ts";
import { ChunkSink, createSink, type DownloadSink } from "./download-sink.ts";
import type { Download, DownloadOptions, DownloadResult, DownloadSnapshot, DownloadStatus } from "./download-types.ts";
import { type OpenDefaults, withDefaults } from "./open-defaults.ts";
import { discard } from "./response.ts";
import { Listeners } from "./store.ts";
import { TransferControl } from "./transfer-control.ts";
import { checkSha256, digestError, toHex } from "./transfer-digest.ts";
import { RateMeter } from "./transfer-rate.ts";
import { sendRequest } from "./transfer-request.ts";
import { Retries } from "./transfer-retry.ts";
import { Sha256 } from "../bytes/sha256.ts";
import { transferUrl } from "./transfer-url.ts";

const DEFAULT_MAX_BLOB_BYTES = 2 * 1024 ** 3;

class DownloadTask implements Download {
  readonly done: Promise<DownloadResult>;
  readonly #url: string;
  readonly #options: DownloadOptions;
  readonly #defaults: OpenDefaults;
  readonly #maxBytes: number;
  readonly #sink: DownloadSink;
  readonly #retries: Retries;
  readonly #control: TransferControl<DownloadResult>;
  readonly #listeners = new Listeners();
  readonly #rate = new RateMeter();
  readonly #digest = new Sha256();
  #stage: "connecting" | "receiving" | "verifying" = "connecting";
  #known: Known = { offset: 0, totalBytes: null, validator: null };
  /** What the bytes should have; null: nothing to compare with, so nothing is computed. */
  #sha256: string | null;
  /** The furthest that any attempt came: only what lies past it is progress. */
  #furthest = 0;
  #restarted = 0;
  #asksForAll = false;
  #type = "";
  #name: string;
  #snapshot: DownloadSnapshot | undefined;

  constructor(url: string | URL, options: DownloadOptions) {
    this.#options = options;
    this.#defaults = withDefaults(options);
    this.#url = transferUrl(url, options.fetch !== undefined);
    this.#name = downloadNameOf(null, this.#url);
    this.#sha256 = options.sha256 === undefined ? null : checkSha256(options.sha256);
    this.#sink = createSink(options.to);
    const isBlob = options.to === undefined || options.to === "blob";
    this.#maxBytes = options.maxBytes ?? (isBlob ? DEFAULT_MAX_BLOB_BYTES : Infinity);
    const changed = (): void => this.#changed();
    this.#retries = new Retries(this.#defaults.limits, changed);
    const settled = (): void => {
      if (this.#control.error !== null) this.#sink.abort(this.#control.error);
    };
    this.#control = new TransferControl((signal) => this.#run(signal), { changed, settled }, options.signal);
    this.done = this.#control.done;
    this.#control.start();
  }

  get state(): DownloadSnapshot {
    return (this.#snapshot ??= this.#view());
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  pause(): void {
    this.#control.pause();
  }

  resume(): void {
    this.#control.resume();
  }

  abort(): void {
    this.#control.abort();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    if (!(this.#sink instanceof ChunkSink)) {
      const message = 'Only a download with `to: "chunks"` can be iterated; the bytes of this one go elsewhere.';
      throw new TailraceError("input_invalid", message, { details: { field: "to" } });
    }
    try {
      yield* this.#sink.chunks();
      // The abort below must not come before the success.
      await this.done;
    } finally {
      this.abort();
    }
  }

  async #run(signal: AbortSignal): Promise<DownloadResult> {
    await this.#retries.run((turn) => this.#fetchRest(turn), signal);
    this.#enter("verifying");
    const sha256 = this.#checkDigest();
    const blob = await this.#sink.close(this.#type);
    return { blob, bytes: this.#known.offset, name: this.#name, type: this.#type, sha256 };
  }

  /** One attempt: as many requests as it takes, while each brings something. */
  async #fetchRest(signal: AbortSignal): Promise<void> {
    this.#enter("connecting");
    await this.#sink.open();
    const before = this.#restarted;
    while (this.#restarted <= before + 1) {
      const { offset, totalBytes, validator } = this.#known;
      if (offset > 0 && offset === totalBytes) return;
      if (offset > 0 && (validator === null || !canResume(validator))) {
        await this.#restart();
        // A second part could not be told to be of the same version either.
        this.#asksForAll = true;
      }
      if (await this.#fetchPart(signal)) return;
    }
    const message = "The file changed twice while it was downloaded; the next attempt waits a little.";
    throw new TailraceError("connection_failed", message, { details: { restarted: this.#restarted } });
  }

  /** True when the file is complete. */
  async #fetchPart(signal: AbortSignal): Promise<boolean> {
    const known = this.#known;
    const request = {
      method: "GET",
      url: this.#url,
      headers: this.#asksForAll ? {} : rangeHeaders(known),
      attempt: this.#retries.attempt,
      accepts: isDownloadStatus,
    };
    const answer = await sendRequest(this.#options, request, signal, async (response) => {
      try {
        const verdict = judgePart(response, known);
        if (verdict.kind !== "part") await discard(response);
        return { response, verdict };
      } catch (error) {
        await discard(response);
        throw error;
      }
    });
    const { response, verdict } = answer;
    if (verdict.kind === "complete") {
      this.#known = { ...known, totalBytes: known.offset };
      return true;
    }
    if (verdict.kind === "changed") {
      await this.#restart();
      return false;
    }
    const { part } = verdict;
    try {
      if (part.start < known.offset) await this.#restart();
      this.#begin(part, response.headers);
    } catch (error) {
      await discard(response);
      throw error;
    }
    if (response.body !== null) {
      const end = part.lengthBytes === null ? Infinity : part.start + part.lengthBytes;
      const take = (chunk: Uint8Array<ArrayBuffer>): void => this.#take(chunk, end);
      const plan = { idleMs: this.#defaults.idleMs, take, ready: () => this.#sink.ready() };
      await readBody(response.body, plan, signal);
    }
    return this.#isComplete(part);
  }

  #begin(part: Part, headers: Headers): void {
    const { totalBytes } = part;
    const isFirst = this.#known.offset === 0;
    if (totalBytes !== null) this.#checkSize(totalBytes);
    this.#known = { ...this.#known, totalBytes, ...(isFirst ? { validator: part.validator } : {}) };
    if (isFirst) {
      this.#type = headers.get("content-type") ?? "";
      this.#name = downloadNameOf(headers.get("content-disposition"), this.#url);
      this.#sha256 = this.#options.sha256?.toLowerCase() ?? part.sha256;
    }
    this.#enter("receiving");
  }

  #take(chunk: Uint8Array<ArrayBuffer>, end: number): void {
    const offset = this.#known.offset + chunk.byteLength;
    if (offset > end) {
      const message = `The server sent more than the ${end} bytes that it announced. Nothing past them can be trusted.`;
      throw new TailraceError("response_refused", message, { details: { announced: end, received: offset } });
    }
    this.#checkSize(offset);
    if (this.#sha256 !== null) this.#digest.update(chunk);
    this.#sink.write(chunk);
    this.#known = { ...this.#known, offset };
    if (offset > this.#furthest) {
      this.#furthest = offset;
      this.#retries.progressed();
    }
    this.#rate.sample(offset, Date.now());
    this.#changed();
  }

  #checkSize(bytes: number): void {
    if (bytes <= this.#maxBytes) return;
    const message =
      `The file has ${bytes} bytes or more, and ${this.#maxBytes} is the limit here. ` +
      "Raise maxBytes, or write it to a stream instead of gathering it.";
    throw new TailraceError("limit_exceeded", message, { details: { bytes, maxBytes: this.#maxBytes } });
  }

  /** Whether the file has ended with this body. A body that is short was cut, however cleanly it closed. */
  #isComplete(part: Part): boolean {
    const { offset, totalBytes } = this.#known;
    const end = part.lengthBytes === null ? null : part.start + part.lengthBytes;
    if (end !== null && offset < end) {
      const message = `The body ended after ${offset - part.start} of ${part.lengthBytes} bytes.`;
      throw new TailraceError("connection_failed", message, { details: { offset, end } });
    }
    // A server may send less than it was asked for, as a whole 206: the rest is asked for at once.
    if (totalBytes !== null) return offset >= totalBytes;
    if (part.isRange) return false;
    this.#known = { ...this.#known, totalBytes: offset };
    return true;
  }

  async #restart(): Promise<void> {
    await this.#sink.restart();
    this.#digest.reset();
    this.#restarted += 1;
    this.#known = { offset: 0, totalBytes: null, validator: null };
    this.#rate.reset(0, Date.now());
    this.#changed();
  }

  #checkDigest(): string | null {
    const expected = this.#sha256;
    if (expected === null) return null;
    const actual = toHex(this.#digest.digest());
    if (actual !== expected) throw digestError(expected, actual, this.#known.offset);
    return actual;
  }

  #enter(stage: "connecting" | "receiving" | "verifying"): void {
    this.#stage = stage;
    this.#rate.reset(this.#known.offset, Date.now());
    this.#changed();
  }

  #changed(): void {
    this.#snapshot = undefined;
    this.#listeners.call();
  }

  #status(): DownloadStatus {
    const { phase } = this.#control;
    if (phase === "idle") return "connecting";
    if (phase !== "running") return phase;
    return this.#retries.retryAt === null ? this.#stage : "waiting";
  }

  #view(): DownloadSnapshot {
    const { phase, error, result } = this.#control;
    const { offset: bytes, totalBytes } = this.#known;
    const status = this.#status();
    const speed = this.#rate.speed(totalBytes === null ? null : totalBytes - bytes, Date.now());
    const moves = status === "receiving";
    return {
      status,
      bytes,
      totalBytes,
      bytesPerSecond: moves ? speed.bytesPerSecond : 0,
      remainingMs: moves ? speed.remainingMs : null,
      attempt: this.#retries.attempt,
      retryAt: status === "waiting" ? this.#retries.retryAt : null,
      restarted: this.#restarted,
      error: phase === "failed" ? error : phase === "done" ? null : this.#retries.error,
      result,
    };
  }
}

/**
 * Downloads a file. It begins at once, comes back by itself after a cut, and then asks only for what is missing, with
 * the file's strong ETag (or date) as a condition; a file that has changed begins anew. Parts of two versions are never
 * mixed, and a body that is short or has another digest than announced is no success.
 *
 * @throws TailraceError `input_invalid` at once, for an address or a digest that cannot be. `done` rejects with
 * `connection_failed` (lost for good) · `response_refused` (a status, or a part that does not fit) · `limit_exceeded`
 * (`maxBytes`) · `digest_mismatch` · `conflict` (the file changed, and the bytes before were handed
 * out) · `store_unavailable` (the stream could not be written) · `aborted`.
 *
 * @example
 * const { blob, name } = await download("/api/download/report.pdf").done;
 */
export function download(url: string | URL, options: DownloadOptions = {}): Download {
  return new DownloadTask(url, options);
}
