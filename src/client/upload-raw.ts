// A file in one POST: for servers that take nothing else, and files that are quickly sent again.

import { TailraceError } from "../errors.ts";
import { withDefaults } from "./open-defaults.ts";
import { MAX_PROBLEM_BYTES, readText } from "./response.ts";
import { digestError, headerOfSha256, sha256OfBlob } from "./transfer-digest.ts";
import { sendRequest } from "./transfer-request.ts";
import { Retries } from "./transfer-retry.ts";
import { canUseXhr } from "./transfer-xhr.ts";
import type { Lane, UploadProtocol } from "./upload-lane.ts";
import type { UploadOptions, UploadResult } from "./upload-types.ts";

/** Hard to guess: whoever knows the id can follow the upload. `randomUUID` is missing on pages without https. */
function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function withName(url: string, name: string): string {
  const [before = "", ...hash] = url.split("#");
  if (/[?&]name=/.test(before)) return url;
  const named = `${before}${before.includes("?") ? "&" : "?"}name=${encodeURIComponent(name)}`;
  return [named, ...hash].join("#");
}

class RawUpload implements UploadProtocol, Lane {
  readonly lanes: readonly Lane[] = [this];
  readonly retries: Retries;
  readonly totalBytes: number;
  readonly restarted = 0;
  stage: Lane["stage"] = "creating";
  bytesSent = 0;
  bytesStored = 0;
  uploadId: string | null;
  readonly #url: string;
  readonly #file: Blob;
  readonly #name: string;
  readonly #options: UploadOptions;
  readonly #changed: () => void;
  #sha256: string | undefined;

  constructor(url: string, file: Blob, name: string, options: UploadOptions, changed: () => void) {
    this.#url = withName(url, name);
    this.#file = file;
    this.#name = name;
    this.#options = options;
    this.#changed = changed;
    this.#sha256 = options.sha256 === true ? undefined : options.sha256;
    this.totalBytes = file.size;
    this.uploadId = options.uploadId ?? null;
    this.retries = new Retries(withDefaults(options).limits, changed);
  }

  async run(signal: AbortSignal): Promise<UploadResult> {
    if (this.#options.sha256 === true) this.#sha256 ??= await sha256OfBlob(this.#file, signal);
    try {
      return await this.retries.run(
        (turn) => this.#send(turn),
        signal,
        (error) => this.#mayRepeat(error),
      );
    } catch (error) {
      if (signal.aborted || !(error instanceof TailraceError) || error.code !== "connection_failed") throw error;
      const { cause = error, details, status } = error;
      const message = `${error.message} The upload is not repeated, as it may have arrived; protocol "tus" can resume.`;
      throw new TailraceError(error.code, message, { cause, details, status });
    }
  }

  /**
   * RFC 9110, section 9.2.2: a POST is repeated only when it is known not to have been carried out. That is so when the
   * server asks for it, and when part of the body never left.
   */
  #mayRepeat(error: TailraceError): boolean {
    if (error.code !== "connection_failed") return false;
    const asked = typeof error.details["retryAfterMs"] === "number";
    const isPartial = canUseXhr(this.#options) && this.bytesSent < this.totalBytes;
    return asked || (isPartial && error.details["status"] === undefined);
  }

  async #send(signal: AbortSignal): Promise<UploadResult> {
    this.stage = "sending";
    this.bytesSent = 0;
    this.uploadId = this.#options.uploadId ?? randomId();
    this.#changed();
    const type = this.#file.type === "" ? "application/octet-stream" : this.#file.type;
    const request = {
      method: "POST",
      url: this.#url,
      body: this.#file,
      headers: {
        "content-type": type,
        "upload-id": this.uploadId,
        ...(this.#sha256 === undefined ? {} : { "repr-digest": headerOfSha256(this.#sha256) }),
      },
      attempt: this.retries.attempt,
      accepts: (status: number) => status === 200 || status === 201,
      onSent: (bytes: number) => this.#sent(bytes),
    };
    return sendRequest(this.#options, request, signal, async (response) => {
      const result = this.#resultOf(await readText(response, MAX_PROBLEM_BYTES));
      this.stage = "stored";
      this.bytesSent = this.bytesStored = this.totalBytes;
      this.#changed();
      return result;
    });
  }

  #sent(bytes: number): void {
    this.bytesSent = bytes;
    if (bytes === this.totalBytes) this.stage = "verifying";
    this.#changed();
  }

  /** What the server says it has. A body that was cut on the way, with a 200, shows here. */
  #resultOf(text: string | undefined): UploadResult {
    const told = parseObject(text);
    const { id, name, bytes, sha256 } = told;
    if (typeof bytes === "number" && bytes !== this.totalBytes) {
      const message =
        `The server stored ${bytes} of ${this.totalBytes} bytes and took that for all. ` +
        "Something in between cut the body; send it in chunks with the protocol tus.";
      throw new TailraceError("truncated", message, { details: { bytes, totalBytes: this.totalBytes } });
    }
    const expected = this.#sha256?.toLowerCase();
    const actual = typeof sha256 === "string" ? sha256.toLowerCase() : null;
    if (expected !== undefined && actual !== null && expected !== actual) {
      throw digestError(expected, actual, this.totalBytes);
    }
    return {
      url: null,
      id: typeof id === "string" ? id : this.uploadId,
      name: typeof name === "string" ? name : this.#name,
      bytes: this.totalBytes,
      sha256: actual ?? expected ?? null,
    };
  }

  /** One request is all there is: nothing partial stays with the server. */
  async terminate(): Promise<void> {}

  async forget(): Promise<void> {}

  release(): void {}
}

function parseObject(text: string | undefined): Readonly<Partial<Record<"id" | "name" | "bytes" | "sha256", unknown>>> {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** A file in one POST. */
export function rawUpload(
  url: string,
  file: Blob,
  name: string,
  options: UploadOptions,
  changed: () => void,
): UploadProtocol {
  return new RawUpload(url, file, name, options, changed);
}
