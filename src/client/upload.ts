// upload: one file on its way to a server, with what there is to show of it.

import type { TailraceError } from "../errors.ts";
import { Listeners } from "./store.ts";
import { TransferControl } from "./transfer-control.ts";
import { checkSha256 } from "./transfer-digest.ts";
import { RateMeter } from "./transfer-rate.ts";
import { transferUrl } from "./transfer-url.ts";
import { summarize, type UploadProtocol } from "./upload-lane.ts";
import { rawUpload } from "./upload-raw.ts";
import { tusUpload } from "./upload-tus.ts";
import type { Upload, UploadOptions, UploadResult, UploadSnapshot, UploadStatus } from "./upload-types.ts";

/** Gives the turn to send. Resolves with the function that gives it back; rejects when the signal aborts first. */
export type TakeTurn = (signal: AbortSignal) => Promise<() => void>;

/** The name that a file is uploaded under. */
export function uploadNameOf(file: Blob, options: Pick<UploadOptions, "name">): string {
  return options.name ?? (typeof File !== "undefined" && file instanceof File ? file.name : "file");
}

/** An upload that is begun by `start`. */
export class UploadTask implements Upload {
  readonly done: Promise<UploadResult>;
  readonly #file: Blob;
  readonly #protocol: UploadProtocol;
  readonly #control: TransferControl<UploadResult>;
  readonly #listeners = new Listeners();
  readonly #rate = new RateMeter();
  readonly #takeTurn: TakeTurn | undefined;
  #hasTurn = false;
  #snapshot: UploadSnapshot | undefined;

  constructor(url: string | URL, file: Blob, options: UploadOptions, takeTurn?: TakeTurn) {
    if (typeof options.sha256 === "string") checkSha256(options.sha256);
    this.#file = file;
    this.#takeTurn = takeTurn;
    const address = transferUrl(url, options.fetch !== undefined);
    const name = uploadNameOf(file, options);
    const changed = (): void => this.#changed();
    const make = options.protocol === "raw" ? rawUpload : tusUpload;
    this.#protocol = make(address, file, name, options, changed);
    const settled = (): void => this.#protocol.release();
    this.#control = new TransferControl((signal) => this.#run(signal), { changed, settled }, options.signal);
    this.done = this.#control.done;
  }

  get state(): UploadSnapshot {
    return (this.#snapshot ??= this.#view());
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  start(): void {
    this.#control.start();
  }

  pause(): void {
    this.#control.pause();
  }

  resume(): void {
    this.#control.resume();
  }

  async abort(options: { readonly terminate?: boolean | undefined } = {}): Promise<void> {
    this.#control.abort();
    if (options.terminate !== true || this.state.status === "done") return;
    // A server that cannot be reached removes the upload when it expires.
    await this.#protocol.terminate().catch(() => undefined);
  }

  async #run(signal: AbortSignal): Promise<UploadResult> {
    const giveBack = await this.#takeTurn?.(signal);
    this.#hasTurn = true;
    this.#rate.reset(summarize(this.#protocol.lanes).bytesSent, Date.now());
    this.#changed();
    try {
      const result = await this.#protocol.run(signal);
      await this.#protocol.forget(null);
      return result;
    } catch (error) {
      if (!signal.aborted) await this.#protocol.forget(error as TailraceError);
      throw error;
    } finally {
      this.#hasTurn = false;
      giveBack?.();
    }
  }

  #changed(): void {
    const { lanes } = this.#protocol;
    const { bytesSent, status } = summarize(lanes);
    // What was there before this page began is no speed: the meter starts with the first byte that is sent.
    if (status === "sending" || status === "verifying") this.#rate.sample(bytesSent, Date.now());
    else this.#rate.reset(bytesSent, Date.now());
    this.#snapshot = undefined;
    this.#listeners.call();
  }

  #status(running: UploadStatus): UploadStatus {
    const { phase } = this.#control;
    if (phase === "idle") return "queued";
    if (phase !== "running") return phase;
    return this.#hasTurn ? running : "queued";
  }

  #view(): UploadSnapshot {
    const lanes = summarize(this.#protocol.lanes);
    const { phase, error, result } = this.#control;
    const status = this.#status(lanes.status);
    const totalBytes = this.#file.size;
    const moves = status === "sending" || status === "verifying";
    const speed = this.#rate.speed(totalBytes - lanes.bytesSent, Date.now());
    return {
      status,
      bytesSent: lanes.bytesSent,
      bytesStored: lanes.bytesStored,
      totalBytes,
      bytesPerSecond: moves ? speed.bytesPerSecond : 0,
      remainingMs: moves ? speed.remainingMs : null,
      attempt: lanes.attempt,
      retryAt: status === "waiting" ? lanes.retryAt : null,
      restarted: lanes.restarted,
      error: phase === "failed" ? error : phase === "done" ? null : lanes.error,
      uploadId: this.#protocol.uploadId,
      result,
    };
  }
}

/**
 * Uploads a file. By default over tus 1.0 at `url`: in chunks, coming back by itself after a cut from where the server
 * is, and after a reload when the same file is chosen again. With `protocol: "raw"` as one POST.
 *
 * @throws TailraceError `input_invalid` at once, for an address or a digest that cannot be. `done` rejects with
 * `connection_failed` (lost for good) · `response_refused` (the server's problem is in `details`) · `limit_exceeded`
 * (413) · `source_failed` (the file cannot be read any more) · `truncated` (something in between cut a raw body) · `digest_mismatch` · `aborted`.
 *
 * @example
 * const sending = upload("/api/tus/", file);
 * sending.subscribe(() => show(sending.state.bytesStored / file.size));
 * const { url } = await sending.done;
 */
export function upload(url: string | URL, file: Blob, options: UploadOptions = {}): Upload {
  const task = new UploadTask(url, file, options);
  task.start();
  return task;
}
