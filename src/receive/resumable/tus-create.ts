// tus "Creation" and "Creation With Upload": how uploads begin.

import { TailraceError } from "../../errors.ts";
import { empty, refusal, tellApplication } from "./answer.ts";
import { appendBody } from "./append.ts";
import { deliver, NOTES } from "./deliver.ts";
import type { ExpectedDigest } from "./digest.ts";
import { locationOf, type Settings } from "./options.ts";
import { endReport, reporterOf, settleReports } from "./progress-registry.ts";
import type { UploadBody } from "./upload-body.ts";
import type { NewUpload, UploadInfo } from "./storage.ts";
import { takeOver } from "./takeover.ts";
import type { Hold } from "./upload-line.ts";
import { createFinal } from "./tus-concat.ts";
import { readChecksum, type Concat, readConcat, readCount, readMetadata } from "./tus-headers.ts";
import { expiryOf, isDue, isFinal, isType, isWaiting, TUS_TYPE, TUS_VERSION } from "./tus-rules.ts";
import { headerInvalid, tooLarge, typeWrong } from "./upload-errors.ts";
import { newUploadId } from "./upload-id.ts";

export async function createTus(settings: Settings, request: Request, body: UploadBody): Promise<Response> {
  const concat = readConcat(request, settings.basePath, settings.maxConcatCount);
  const digest = readChecksum(request.headers);
  const brings = bringsContent(request, body);
  if (concat.kind === "final" && brings) throw finalIsMadeOfParts();
  const upload = newUpload(settings, request, concat);
  const hold = await takeOver(settings.storage.place, upload.id, settings.line);
  try {
    await settings.onCreate?.(upload, request);
    const made =
      concat.kind === "final" ? await createFinal(settings, upload, concat.partIds) : await make(settings, upload);
    const now = brings ? await firstBytes(settings, made, body, hold, digest) : made;
    return await answerFor(settings, request, now, brings);
  } finally {
    hold.release();
  }
}

/** tus "Creation With Upload": content comes with the type of an append. Without type and length there is none. */
function bringsContent(request: Request, body: UploadBody): boolean {
  if (!body.mayHaveContent) return false;
  if (isType(request.headers, TUS_TYPE)) return true;
  if (body.declaredBytes === undefined && !request.headers.has("content-type")) return false;
  throw typeWrong(TUS_TYPE);
}

function newUpload(settings: Settings, request: Request, concat: Concat): NewUpload {
  const { headers } = request;
  const metadata = readMetadata(headers, settings.maxMetadataBytes);
  const nowMs = settings.clock.now();
  return {
    id: newUploadId(),
    lengthBytes: lengthOf(settings, headers, concat),
    metadata: metadata.values,
    notes: {
      ...(metadata.header === undefined ? {} : { [NOTES.metadata]: metadata.header }),
      ...(concat.kind === "final" ? { [NOTES.concat]: concat.header } : {}),
    },
    isPartial: concat.kind === "partial",
    createdAtMs: nowMs,
    expiresAtMs: nowMs + settings.expiresMs,
  };
}

/** tus "Creation": the length, or that it comes later, and not both; neither for a final upload. */
function lengthOf(settings: Settings, headers: Headers, concat: Concat): number | undefined {
  const lengthBytes = readCount(headers, "upload-length");
  const deferred = headers.get("upload-defer-length");
  if (concat.kind === "final") {
    if (lengthBytes !== undefined || deferred !== null) throw finalIsMadeOfParts();
    return undefined;
  }
  if (deferred !== null && deferred !== "1") throw headerInvalid("Upload-Defer-Length", "its only value is 1");
  if ((lengthBytes === undefined) === (deferred === null)) {
    throw headerInvalid("Upload-Length", "say how many bytes will come, or Upload-Defer-Length: 1");
  }
  if ((lengthBytes ?? 0) > settings.maxBytes) throw tooLarge(settings.maxBytes);
  return lengthBytes;
}

function finalIsMadeOfParts(): TailraceError {
  return new TailraceError("input_invalid", "A final upload is made of its parts; send neither a length nor content.", {
    status: 400,
  });
}

async function make(settings: Settings, upload: NewUpload): Promise<UploadInfo> {
  await settings.storage.create(upload);
  const made: UploadInfo = { ...upload, offset: 0, hasBytes: true, phase: "receiving", headers: {} };
  reporterOf(settings, made);
  await settleReports(settings, upload.id);
  return made;
}

/** The content of the creation. Its sender does not know the address yet: what fails leaves nothing behind. */
async function firstBytes(
  settings: Settings,
  upload: UploadInfo,
  body: UploadBody,
  hold: Hold,
  digest: ExpectedDigest | undefined,
): Promise<UploadInfo> {
  try {
    return { ...upload, offset: await appendBody(settings, upload, body, hold, { digest, mismatchStatus: 460 }) };
  } catch (error) {
    await settings.storage.remove(upload.id);
    endReport(settings, upload, "failed", error instanceof TailraceError ? error.code : "store_unavailable");
    throw error;
  }
}

async function answerFor(settings: Settings, request: Request, upload: UploadInfo, brings: boolean): Promise<Response> {
  const headers = {
    "tus-resumable": TUS_VERSION,
    location: locationOf(settings, request, upload.id),
    ...(brings || (isFinal(upload) && !isWaiting(upload)) ? { "upload-offset": String(upload.offset) } : {}),
    ...expiryOf(upload),
  };
  try {
    const delivered = isDue(upload) ? await deliver(settings, upload, request) : {};
    return empty(201, { ...delivered, ...headers });
  } catch (error) {
    tellApplication(settings, error);
    return refusal(error, headers); // all bytes are there: with the address the sender can ask again
  }
}
