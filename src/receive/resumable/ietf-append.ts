// Bytes into an upload of the IETF draft, and the answer to the last of them. "Section" in these comments is one of
// draft-ietf-httpbis-resumable-upload-12.

import { isTailraceError } from "../../errors.ts";
import { empty, type HeaderList, refusal, tellApplication } from "./answer.ts";
import { appendBody } from "./append.ts";
import { deliver } from "./deliver.ts";
import type { ExpectedDigest } from "./digest.ts";
import {
  asProblem,
  checkLength,
  IETF_VERSION,
  inconsistentLength,
  limitsFor,
  PARTIAL_TYPE,
  toldLength,
  uploadCompleted,
} from "./ietf-rules.ts";
import type { Settings } from "./options.ts";
import { endReport, reporterOf } from "./progress-registry.ts";
import type { UploadBody } from "./upload-body.ts";
import type { UploadInfo } from "./storage.ts";
import { readBoolean, readDigest, readInteger } from "./structured-fields.ts";
import { takeOver } from "./takeover.ts";
import type { Hold } from "./upload-line.ts";
import { isType } from "./tus-rules.ts";
import { appendTooLarge, bodyCut, headerInvalid, offsetConflict, typeWrong } from "./upload-errors.ts";

/** The least time between two interim responses about the offset. */
const INTERIM_MS = 1_000;

/** Section "Upload Append". */
export async function appendIetf(
  settings: Settings,
  request: Request,
  body: UploadBody,
  id: string,
  find: (id: string) => Promise<UploadInfo>,
): Promise<Response> {
  const { headers } = request;
  const offset = readInteger(headers, "upload-offset");
  const completes = readBoolean(headers, "upload-complete");
  const digest = readDigest(headers, "content-digest");
  if (!isType(headers, PARTIAL_TYPE)) throw typeWrong(PARTIAL_TYPE);
  if (offset === undefined) throw headerInvalid("Upload-Offset", "it takes the number of bytes before these");
  if (completes === undefined) throw headerInvalid("Upload-Complete", "it is ?1 with the last bytes, else ?0");
  const hold = await takeOver(settings.storage.place, id, settings.line);
  try {
    const known = await find(id);
    if (known.phase !== "receiving") throw uploadCompleted(known.offset, body.mayHaveContent);
    if (known.offset !== offset) throw offsetConflict(offset, known.offset);
    const lengthBytes = checkLength(settings, toldLength(headers, body, completes, offset), known);
    if (lengthBytes !== undefined && known.lengthBytes === undefined) {
      await settings.storage.setLength(id, lengthBytes);
      reporterOf(settings, known)?.setTotal(lengthBytes);
    }
    const upload = await take(settings, { ...known, lengthBytes }, body, hold, digest);
    if (completes) return await complete(settings, request, body, upload, { status: 204, headers: {} });
    return empty(204, {
      "upload-draft-interop-version": IETF_VERSION,
      "upload-complete": "?0",
      "upload-offset": String(upload.offset),
      "upload-limit": limitsFor(settings, upload),
    });
  } finally {
    hold.release();
  }
}

/** Stores the body. An upload whose length it exceeds is invalid from then on (section "Upload Append"): it is removed. */
export async function take(
  settings: Settings,
  upload: UploadInfo,
  body: UploadBody,
  hold: Hold,
  digest: ExpectedDigest | undefined,
): Promise<UploadInfo> {
  const { lengthBytes } = upload;
  const pastAppend = (): ReturnType<typeof appendTooLarge> => appendTooLarge(settings.maxAppendBytes ?? 0);
  try {
    const { maxAppendBytes } = settings;
    const onStored = interimOffsets(settings);
    const plan = { digest, mismatchStatus: 400, maxAppendBytes, pastAppend, onStored } as const;
    return { ...upload, offset: await appendBody(settings, upload, body, hold, plan) };
  } catch (error) {
    const isPast = isTailraceError(error, "limit_exceeded") && "lengthBytes" in error.details;
    if (!isPast || lengthBytes === undefined) throw error;
    await settings.storage.remove(upload.id);
    endReport(settings, upload, "failed", error.code);
    throw inconsistentLength(lengthBytes, upload.offset + Math.max(body.declaredBytes ?? 0, lengthBytes + 1));
  }
}

/** Section "Status Code 104": now and then, how much is stored. */
function interimOffsets(settings: Settings): ((offset: number) => void) | undefined {
  const { sendInterim, clock } = settings;
  if (sendInterim === undefined) return undefined;
  let sentAtMs = clock.now();
  return (offset) => {
    if (clock.now() - sentAtMs < INTERIM_MS) return;
    sentAtMs = clock.now();
    // Without Location: only a creation tells it (section "Upload Append").
    sendInterim(104, { "upload-draft-interop-version": IETF_VERSION, "upload-offset": String(offset) });
  };
}

/** The last bytes are stored, if they all came: a cut body must not pass for the whole. */
export async function complete(
  settings: Settings,
  request: Request,
  body: UploadBody,
  upload: UploadInfo,
  answer: { readonly status: number; readonly headers: HeaderList },
): Promise<Response> {
  if (body.isCut) throw bodyCut(body.declaredBytes ?? 0);
  checkLength(settings, upload.offset, upload);
  return deliverIetf(settings, request, upload, answer);
}

/**
 * Delivers `upload`. The answer says `Upload-Complete: ?1` whatever comes of it: from here on a failure is one of the resource, not of the
 * upload, and sending again would not help.
 */
export async function deliverIetf(
  settings: Settings,
  request: Request,
  upload: UploadInfo,
  answer: { readonly status: number; readonly headers: HeaderList },
): Promise<Response> {
  const headers = {
    ...answer.headers,
    "upload-draft-interop-version": IETF_VERSION,
    "upload-complete": "?1",
    "upload-offset": String(upload.offset),
    "upload-length": String(upload.offset),
    "upload-limit": limitsFor(settings, upload),
    "cache-control": "no-store",
  };
  try {
    return empty(answer.status, { ...(await deliver(settings, upload, request)), ...headers });
  } catch (error) {
    tellApplication(settings, error);
    return refusal(asProblem(error), headers);
  }
}
