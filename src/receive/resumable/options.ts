// The options of resumable uploads, and what holds where they say nothing.

import { systemClock, type Clock } from "../../clock.ts";
import { TailraceError } from "../../errors.ts";
import type { ProgressReporter } from "../progress.ts";
import type { NewUpload, UploadInfo, UploadStorage } from "./storage.ts";
import type { UploadLine } from "./upload-line.ts";

/** An upload whose bytes are all there. */
export interface CompletedUpload extends UploadInfo {
  readonly lengthBytes: number;
  /** Its bytes, in order. */
  readonly read: () => AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** What a delivery may add to the answer. */
export interface Delivery {
  /** Header fields for the answer, also for a later HEAD of a sender that missed it. */
  readonly headers?: HeadersInit | undefined;
  /** Whether the upload's bytes may go, because they were copied to where they belong. What is known of the upload stays until it expires. */
  readonly dropBytes?: boolean | undefined;
}

/** Which pages of other origins may upload. */
export interface UploadCors {
  /** `"*"`, or the origins, as in `https://app.example`. */
  readonly allowOrigins: "*" | readonly string[];
  /** Whether cookies may come along; not with `"*"`. Default false. */
  readonly allowCredentials?: boolean | undefined;
  /** Further request headers that a page may send, such as `Authorization`. */
  readonly allowHeaders?: readonly string[] | undefined;
  /** Further response headers that a page may read. */
  readonly exposeHeaders?: readonly string[] | undefined;
  /** How long a browser may remember the answer, in milliseconds. Default 86,400,000 (a day). */
  readonly maxAgeMs?: number | undefined;
}

export interface ResumableOptions {
  readonly storage: UploadStorage;
  /** Where the uploads are, as in `"/api/tus/"`. */
  readonly basePath: string;
  /** The largest upload, in bytes. Default 1,073,741,824 (1 GiB). */
  readonly maxBytes?: number | undefined;
  /** The largest body of one request of the IETF draft, in bytes, where a host in between has a limit. Default: none but `maxBytes`. */
  readonly maxAppendBytes?: number | undefined;
  /** How long an upload may take, in milliseconds. Default 86,400,000 (a day). */
  readonly expiresMs?: number | undefined;
  /** The longest `Upload-Metadata`, in bytes. Default 4,096. */
  readonly maxMetadataBytes?: number | undefined;
  /** The most parts that are concatenated. Default 256. */
  readonly maxConcatCount?: number | undefined;
  /** How long a sender may be silent within a request, in milliseconds. Default 30,000. */
  readonly idleMs?: number | undefined;
  /** The least speed of a sender within a request, in bytes per second. Default 1,000; 0 for none. */
  readonly minBytesPerSecond?: number | undefined;
  /**
   * What stands before the path in `Location`: nothing (default), the request's own origin (`"request"`; only where no proxy changes it),
   * or a fixed one, as in `"https://files.example"`.
   */
  readonly origin?: string | undefined;
  readonly cors?: UploadCors | undefined;
  /** Called before an upload is made; what it throws refuses it. */
  readonly onCreate?: ((upload: NewUpload, request: Request) => void | Promise<void>) | undefined;
  /**
   * Called when all bytes of an upload are there (of a concatenated one, not of its parts). Called again after a crash and after an error
   * of status 500 and above, when the sender asks for the upload: it must stand being repeated.
   */
  readonly onComplete?:
    | ((upload: CompletedUpload, request: Request) => Delivery | void | Promise<Delivery | void>)
    | undefined;
  /** The reporter of an upload's progress. Called once for each upload in a process. */
  readonly progress?: ((upload: UploadInfo) => ProgressReporter | undefined) | undefined;
  /** Where several processes take the uploads of `storage`: how their requests for one upload meet (see `uploadLine`). Default: one process does. */
  readonly line?: UploadLine | undefined;
  /** Sends an interim response 104, on hosts that can. */
  readonly sendInterim?: ((status: 104, headers: Readonly<Record<string, string>>) => void) | undefined;
  /** Gets the errors that the sender is told nothing of. Default: the channel `tailrace:error`. */
  readonly onError?: ((error: unknown) => void) | undefined;
  readonly clock?: Clock | undefined;
}

type Defaulted =
  | "maxBytes"
  | "expiresMs"
  | "maxMetadataBytes"
  | "maxConcatCount"
  | "idleMs"
  | "minBytesPerSecond"
  | "clock";

/** Options with every default filled in. */
export type Settings = Omit<ResumableOptions, Defaulted> & {
  readonly [Name in Defaulted]: NonNullable<ResumableOptions[Name]>;
};

export function settle(options: ResumableOptions): Settings {
  const { basePath } = options;
  if (!basePath.startsWith("/")) {
    throw new TailraceError("input_invalid", `basePath is ${basePath}; it must begin with a slash, as in /api/tus/.`);
  }
  return {
    ...options,
    basePath: basePath.endsWith("/") ? basePath : `${basePath}/`,
    maxBytes: options.maxBytes ?? 1_073_741_824,
    expiresMs: options.expiresMs ?? 86_400_000,
    maxMetadataBytes: options.maxMetadataBytes ?? 4_096,
    maxConcatCount: options.maxConcatCount ?? 256,
    idleMs: options.idleMs ?? 30_000,
    minBytesPerSecond: options.minBytesPerSecond ?? 1_000,
    clock: options.clock ?? systemClock,
  };
}

/** The address of an upload, for `Location`. */
export function locationOf(settings: Settings, request: Request, id: string): string {
  const path = `${settings.basePath}${id}`;
  if (settings.origin === undefined) return path;
  return new URL(path, settings.origin === "request" ? request.url : settings.origin).href;
}
