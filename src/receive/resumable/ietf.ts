// Resumable uploads for HTTP, as draft-ietf-httpbis-resumable-upload-12 has them (interop version 8), over the same storage as tus. "Section"
// in these comments is one of that draft.

import { isTailraceError } from "../../errors.ts";
import { answering, empty, type HeaderList, refusal } from "./answer.ts";
import { appendIetf, deliverIetf } from "./ietf-append.ts";
import { createIetf } from "./ietf-create.ts";
import { asProblem, IETF_VERSION, limitsFor, limitsOf, PARTIAL_TYPE } from "./ietf-rules.ts";
import { type ResumableOptions, type Settings, settle } from "./options.ts";
import { endReport } from "./progress-registry.ts";
import { UploadBody } from "./upload-body.ts";
import type { UploadInfo } from "./storage.ts";
import { readInteger, writeBoolean } from "./structured-fields.ts";
import { takeOver } from "./takeover.ts";
import { headerInvalid, methodWrong, uploadExpired, uploadUnknown } from "./upload-errors.ts";
import { uploadRoute } from "./upload-id.ts";

/**
 * Answers a request of the IETF draft for resumable uploads, version -12 (interop version 8). Uploads lie below `basePath`; a request to
 * any other address that carries `Upload-Complete` begins one, so this can stand in the route of the resource that takes the upload.
 *
 * The interim response 104 goes out by `sendInterim` only, and to a request of the same interop version: a web handler cannot send one.
 * Without it a client begins with an empty request
 * of `Upload-Complete: ?0` and learns the address from its answer.
 *
 * Every failure is an answer; nothing is thrown but a wrong `basePath`.
 */
export async function resumableUpload(request: Request, options: ResumableOptions): Promise<Response> {
  const settings = settleFor(request, options);
  const body = new UploadBody(request, settings);
  return answering(
    settings,
    request,
    body,
    () => route(settings, request, body),
    (error) => refuse(settings, error),
  );
}

/** Section "Draft Version Identification": a request of another version, or of none, gets no 104. */
function settleFor(request: Request, options: ResumableOptions): Settings {
  const isOfDraft = readInteger(request.headers, "upload-draft-interop-version") === Number(IETF_VERSION);
  return settle(isOfDraft ? options : { ...options, sendInterim: undefined });
}

async function route(settings: Settings, request: Request, body: UploadBody): Promise<Response> {
  const { method, headers, url } = request;
  const target = uploadRoute(url, settings.basePath);
  if (method === "OPTIONS") return empty(204, ietfCapabilities(settings));
  if (target.kind !== "upload") {
    if (target.kind === "none" && new URL(url).pathname.startsWith(settings.basePath)) throw uploadUnknown();
    // Section "Upload Creation": any method that takes content.
    if (!["POST", "PUT", "PATCH"].includes(method)) throw methodWrong("POST, PUT, PATCH, OPTIONS");
    return createIetf(settings, request, body);
  }
  switch (method) {
    case "HEAD":
    case "GET":
      // They belong to an append: a request that lost its method on the way must not pass for a question.
      for (const name of ["Upload-Offset", "Upload-Complete"]) {
        if (headers.has(name)) throw headerInvalid(name, `a ${method} asks for it and brings none`);
      }
      return retrieve(settings, request, target.id);
    case "PATCH":
      return appendIetf(settings, request, body, target.id, (id) => uploadOf(settings, id));
    case "DELETE":
      return cancel(settings, target.id);
    default:
      throw methodWrong("HEAD, GET, PATCH, DELETE, OPTIONS");
  }
}

/** What `OPTIONS` tells (section "Limits"). */
export function ietfCapabilities(settings: Settings): HeaderList {
  return { "accept-patch": PARTIAL_TYPE, "upload-limit": limitsOf(settings, settings.expiresMs) };
}

/** A refusal says that the upload is not complete, where it stands, and what the limits are. */
function refuse(settings: Settings, error: unknown): Response {
  const offset = isTailraceError(error) ? error.details["offset"] : undefined;
  const type = isTailraceError(error) ? String(error.details["type"]) : "";
  // A length that contradicts another may be one that is too large.
  const isAboutLimits = isTailraceError(error, "limit_exceeded") || type.endsWith("#inconsistent-upload-length");
  const isCompleted = type.endsWith("#completed-upload");
  return refusal(asProblem(error), {
    "upload-draft-interop-version": IETF_VERSION,
    ...(isCompleted ? {} : { "upload-complete": "?0" }),
    ...(typeof offset === "number" ? { "upload-offset": String(offset) } : {}),
    ...(isAboutLimits ? { "upload-limit": limitsOf(settings, settings.expiresMs) } : {}),
  });
}

async function uploadOf(settings: Settings, id: string): Promise<UploadInfo> {
  const upload = await settings.storage.head(id);
  if (upload === undefined) throw uploadUnknown();
  if (upload.phase === "receiving" && upload.expiresAtMs <= settings.clock.now()) throw uploadExpired();
  return upload;
}

/** Section "Offset Retrieval". What was appending is ended before (section "Concurrency"), so that the offset can be used. */
async function retrieve(settings: Settings, request: Request, id: string): Promise<Response> {
  const hold = await takeOver(settings.storage.place, id, settings.line);
  try {
    const upload = await uploadOf(settings, id);
    // Its delivery was cut short by a crash, or failed.
    if (upload.phase === "completing") {
      return await deliverIetf(settings, request, upload, { status: 204, headers: {} });
    }
    return empty(204, {
      ...upload.headers,
      "upload-draft-interop-version": IETF_VERSION,
      "upload-offset": String(upload.offset),
      "upload-complete": writeBoolean(upload.phase === "complete"),
      ...(upload.lengthBytes === undefined ? {} : { "upload-length": String(upload.lengthBytes) }),
      "upload-limit": limitsFor(settings, upload),
      "cache-control": "no-store",
    });
  } finally {
    hold.release();
  }
}

/** Section "Upload Cancellation". */
async function cancel(settings: Settings, id: string): Promise<Response> {
  const hold = await takeOver(settings.storage.place, id, settings.line);
  try {
    const upload = await settings.storage.head(id);
    if (upload === undefined || !(await settings.storage.remove(id))) throw uploadUnknown();
    endReport(settings, upload, "failed", "aborted");
    return empty(204, { "upload-draft-interop-version": IETF_VERSION });
  } finally {
    hold.release();
  }
}
