// tus 1.0.0: the core protocol and its extensions, as one function from a Request to a Response.

import { TailraceError } from "../../errors.ts";
import { answering, empty, type HeaderList, refusal } from "./answer.ts";
import { appendBody } from "./append.ts";
import { deliver, NOTES } from "./deliver.ts";
import { tusAlgorithms } from "./digest.ts";
import { type ResumableOptions, type Settings, settle } from "./options.ts";
import { endReport, reporterOf } from "./progress-registry.ts";
import { UploadBody } from "./upload-body.ts";
import type { UploadInfo } from "./storage.ts";
import { takeOver } from "./takeover.ts";
import type { Hold } from "./upload-line.ts";
import { joinAwaiting, joinIfWhole } from "./tus-concat.ts";
import { createTus } from "./tus-create.ts";
import { readChecksum, readCount } from "./tus-headers.ts";
import { expiryOf, isDue, isFinal, isType, isWaiting, TUS_TYPE, TUS_VERSION } from "./tus-rules.ts";
import {
  headerInvalid,
  lengthConflict,
  methodWrong,
  offsetConflict,
  tooLarge,
  typeWrong,
  uploadExpired,
  uploadUnknown,
} from "./upload-errors.ts";
import { uploadRoute } from "./upload-id.ts";

const EXTENSIONS =
  "creation,creation-with-upload,creation-defer-length,expiration,termination,concatenation,concatenation-unfinished";

/**
 * Answers a request of the tus 1.0 protocol (`tus-js-client`, Uppy and others): creation with and without content, deferred length,
 * expiration, termination, checksums and concatenation. Route every method of `basePath` and of what lies below it here, after your own
 * check of who may upload.
 *
 * Every failure is an answer; nothing is thrown but a wrong `basePath`.
 */
export async function tus(request: Request, options: ResumableOptions): Promise<Response> {
  const settings = settle(options);
  const body = new UploadBody(request, settings);
  return answering(
    settings,
    request,
    body,
    () => route(settings, request, body),
    (error) => refusal(error, { "tus-resumable": TUS_VERSION, ...versionFor(error) }),
  );
}

async function route(settings: Settings, request: Request, body: UploadBody): Promise<Response> {
  // tus "X-HTTP-Method-Override": the actual method is ignored.
  const method = (request.headers.get("x-http-method-override") ?? request.method).toUpperCase();
  const target = uploadRoute(request.url, settings.basePath);
  if (method === "OPTIONS") return empty(204, tusCapabilities(settings)); // its Tus-Resumable is ignored
  if (request.headers.get("tus-resumable") !== TUS_VERSION) throw wrongVersion();
  if (target.kind === "none") throw uploadUnknown();
  if (target.kind === "collection") {
    if (method !== "POST") throw methodWrong("POST, OPTIONS");
    return createTus(settings, request, body);
  }
  switch (method) {
    case "HEAD":
      return held(settings, target.id, () => head(settings, request, target.id));
    case "PATCH":
      return patch(settings, request, body, target.id);
    case "DELETE":
      return held(settings, target.id, () => terminate(settings, target.id));
    default:
      throw methodWrong("HEAD, PATCH, DELETE, OPTIONS");
  }
}

/** What `OPTIONS` tells. */
export function tusCapabilities(settings: Settings): HeaderList {
  const algorithms = tusAlgorithms();
  return {
    "tus-resumable": TUS_VERSION,
    "tus-version": TUS_VERSION,
    "tus-extension": algorithms.length === 0 ? EXTENSIONS : `${EXTENSIONS},checksum`,
    "tus-max-size": String(settings.maxBytes),
    ...(algorithms.length === 0 ? {} : { "tus-checksum-algorithm": algorithms.join(",") }),
  };
}

function wrongVersion(): TailraceError {
  return new TailraceError(
    "precondition_failed",
    `This server speaks tus ${TUS_VERSION}; send Tus-Resumable with that.`,
    {
      details: { supported: TUS_VERSION },
    },
  );
}

/** tus "Tus-Resumable": a 412 names the versions. */
function versionFor(error: unknown): HeaderList {
  return error instanceof TailraceError && error.code === "precondition_failed" ? { "tus-version": TUS_VERSION } : {};
}

async function held(settings: Settings, id: string, work: (hold: Hold) => Promise<Response>): Promise<Response> {
  const hold = await takeOver(settings.storage.place, id, settings.line);
  try {
    return await work(hold);
  } finally {
    hold.release();
  }
}

/** The upload, which is there and has not expired. */
async function uploadOf(settings: Settings, id: string): Promise<UploadInfo> {
  const upload = await settings.storage.head(id);
  if (upload === undefined) throw uploadUnknown();
  if (upload.phase === "receiving" && upload.expiresAtMs <= settings.clock.now()) throw uploadExpired();
  return upload;
}

async function head(settings: Settings, request: Request, id: string): Promise<Response> {
  const upload = await joinIfWhole(settings, await uploadOf(settings, id));
  // A crash between the last byte and the delivery: a client that is told the full offset would never come again.
  const delivered = isDue(upload) ? await deliver(settings, upload, request) : upload.headers;
  const concat = upload.isPartial ? "partial" : upload.notes[NOTES.concat];
  const metadata = upload.notes[NOTES.metadata];
  return empty(200, {
    ...delivered,
    ...expiryOf(upload),
    "tus-resumable": TUS_VERSION,
    // tus "Concatenation": a final upload has an offset once its parts are joined, and a length once that can be calculated.
    ...(isWaiting(upload) ? {} : { "upload-offset": String(upload.offset) }),
    ...(upload.lengthBytes === undefined
      ? isFinal(upload)
        ? {}
        : { "upload-defer-length": "1" }
      : { "upload-length": String(upload.lengthBytes) }),
    ...(metadata === undefined ? {} : { "upload-metadata": metadata }),
    ...(concat === undefined ? {} : { "upload-concat": concat }),
    "cache-control": "no-store",
  });
}

async function terminate(settings: Settings, id: string): Promise<Response> {
  const upload = await settings.storage.head(id);
  if (upload === undefined || !(await settings.storage.remove(id))) throw uploadUnknown();
  endReport(settings, upload, "failed", "aborted");
  return empty(204, { "tus-resumable": TUS_VERSION });
}

async function patch(settings: Settings, request: Request, body: UploadBody, id: string): Promise<Response> {
  const { headers } = request;
  const offset = readCount(headers, "upload-offset");
  const lengthBytes = readCount(headers, "upload-length");
  const digest = readChecksum(headers);
  if (!isType(headers, TUS_TYPE)) throw typeWrong(TUS_TYPE);
  if (offset === undefined) throw headerInvalid("Upload-Offset", "it takes a number of bytes");
  let isWholePart = false;
  const response = await held(settings, id, async (hold) => {
    const known = await uploadOf(settings, id);
    if (isFinal(known)) throw finalIsFixed();
    if (known.offset !== offset) throw offsetConflict(offset, known.offset);
    const upload = await withLength(settings, known, lengthBytes);
    const isOpen = upload.phase === "receiving" && upload.offset !== upload.lengthBytes;
    // A body that is refused for going past the length is refused by the append; an empty one changes nothing.
    const stored =
      isOpen || body.mayHaveContent
        ? await appendBody(settings, upload, body, hold, { digest, mismatchStatus: 460 })
        : upload.offset;
    const now = { ...upload, offset: stored };
    isWholePart = now.isPartial && stored === now.lengthBytes;
    const delivered = isDue(now) ? await deliver(settings, now, request) : upload.headers;
    return empty(204, {
      ...delivered,
      ...expiryOf(now),
      "tus-resumable": TUS_VERSION,
      "upload-offset": String(stored),
    });
  });
  if (isWholePart) await joinAwaiting(settings, request, id);
  return response;
}

/** tus "Upload-Defer-Length": the length comes with a PATCH, once, and then stays. */
async function withLength(settings: Settings, upload: UploadInfo, told: number | undefined): Promise<UploadInfo> {
  if (told === undefined || told === upload.lengthBytes) return upload;
  if (upload.lengthBytes !== undefined) throw lengthConflict(upload.lengthBytes, told);
  if (told < upload.offset) throw lengthConflict(upload.offset, told);
  if (told > settings.maxBytes) throw tooLarge(settings.maxBytes);
  await settings.storage.setLength(upload.id, told);
  reporterOf(settings, upload)?.setTotal(told);
  return { ...upload, lengthBytes: told };
}

/** tus "Concatenation": a final upload takes no PATCH. */
function finalIsFixed(): TailraceError {
  return new TailraceError("input_invalid", "This upload was made of parts and cannot be changed; create a new one.", {
    status: 403,
  });
}
